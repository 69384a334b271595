"""`claude --bg`, `agents`, `stop`, `rm`: agents that outlive whoever started them, and the list of them."""
import contextlib, fcntl, json, os, signal, sys, time, uuid

from fake_claude_print import Claude, Conversation, transcripts
from fake_common import enter, fail, log, process_start, state, switch


@contextlib.contextmanager
def registry():
    """the list, locked; what the block leaves in it is kept"""
    with open(state("registry.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            with open(state("registry.json")) as f:
                entries = json.load(f)
        except FileNotFoundError:
            entries = []
        yield entries
        with open(state("registry.new"), "w") as f:
            json.dump(entries, f)
        os.rename(state("registry.new"), state("registry.json"))


def lives(entry):
    return bool(entry["worker"]) and process_start(entry["worker"][0]) == entry["worker"][1]


def running_sessions():
    with registry() as entries:
        return {entry["sessionId"] for entry in entries if lives(entry)}


def trusted(directory):
    try:
        with open(os.path.join(os.path.expanduser("~"), ".claude.json")) as f:
            projects = json.load(f).get("projects", {})
    except (OSError, ValueError):
        return False
    return any(settings.get("hasTrustDialogAccepted") and os.path.commonpath([path, directory]) == path.rstrip("/") for path, settings in projects.items())


def start(options, words, version):
    old, prompt = options.get("--resume"), "\n".join(words)
    if options.get("--print"):
        fail("Error: --bg cannot be used with --print")
    if not trusted(os.getcwd()):
        fail(f"Workspace not trusted. Run claude in {os.getcwd()} once and accept the trust dialog.")
    if options.get("--session-id"):
        print("warning: --bg manages the session id; ignoring --session-id", file=sys.stderr)
    session = str(uuid.uuid4())
    if not old:
        print("Starting background service…", file=sys.stderr, flush=True)
    elif old in running_sessions():
        print(f"note: session {old[:8]} is already running in the background, so this started a copy as {session[:8]}.", file=sys.stderr, flush=True)
    elif [int(part) for part in version.split(".")] > [2, 1, 197] and switch("new_id_on_resume") is None:
        session = old
        print(f"note: woke session {old[:8]} with its saved options (--name).", file=sys.stderr, flush=True)
    with registry() as entries:
        before = next((entry for entry in entries if entry["sessionId"] in (session, old)), {})
        name = options.get("--name") or before.get("name")
        entries[:] = [entry for entry in entries if entry["sessionId"] != session]
        entry = {"id": session[:8], "cwd": os.getcwd(), "kind": "background", "startedAt": int(time.time() * 1000), "sessionId": session, "status": "busy",
                 "state": "working", "shown_from": time.time() + int(switch("no_pid_ms") or 1300) / 1000, "worker": None, **({"name": name} if name else {})}
        if old and not transcripts(old):
            entry["state"] = "failed"
        else:
            entry["worker"] = fork(session, old, prompt, version)
        entries.append(entry)
    log("background", session=session, resumed=old, name=name, prompt=prompt)
    print(f"backgrounded · \x1b[36m{session[:8]}\x1b[0m" + (f" · {name}" if name else "") + ("" if prompt or old else " (idle — send a prompt to start)"))
    print(f"  claude agents             list sessions\n  claude attach {session[:8]}    open in this terminal", flush=True)


def fork(session, old, prompt, version):
    """[pid, start] of the process that has the session; nobody waits for it"""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if pid := os.fork():
            os.write(writing, json.dumps([pid, process_start(pid)]).encode())
            os._exit(0)
        null = os.open("/dev/null", os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        os.closerange(3, 256)
        try:
            work(session, old, prompt, version)
        finally:
            os._exit(1)
    os.wait()
    return json.loads(os.read(reading, 100))


def work(session, old, prompt, version):
    agent = Claude(Conversation(session, old), {"--permission-mode": "acceptEdits"}, version)
    enter(session)
    agent.on_signals()
    if prompt:
        agent.take({"uuid": None, "text": prompt})
        agent.turn(agent.waiting.get())
    with registry() as entries:
        for entry in entries:
            if entry["sessionId"] == session:
                entry.update(status="idle", state="failed" if agent.failed else "done")
    while True:
        signal.pause()


def shown(entry):
    public = {key: value for key, value in entry.items() if key not in ("worker", "shown_from", "status")}
    if not lives(entry):
        return public
    if time.time() < entry["shown_from"]:
        return {**public, "state": "working"}
    return {"pid": entry["worker"][0], **public, "status": entry["status"]}


def agents(options):
    time.sleep(float(switch("agents_late") or 0))
    if switch("agents_fail") is not None:
        fail("Error: could not reach the background service (ECONNREFUSED)")
    with registry() as entries:
        print(json.dumps([shown(entry) for entry in entries if options.get("--all") or lives(entry)]))


def end(command, id):
    with registry() as entries:
        entry = next((one for one in entries if id and one["sessionId"].startswith(id)), None)
        if not entry:
            fail(f"No session matching '{id}'")
        give_up = time.monotonic() + 2
        number = signal.SIGTERM
        while lives(entry):
            with contextlib.suppress(ProcessLookupError):
                os.kill(entry["worker"][0], number)
            time.sleep(0.02)
            if time.monotonic() > give_up:
                number = signal.SIGKILL
        if entry["state"] == "working":
            entry["state"] = "stopped"
        if command == "rm":
            entries.remove(entry)
    print(f"{command} {id}")


def main(options, words, version):
    if options.get("--bg"):
        start(options, words, version)
    elif words[0] == "agents":
        agents(options)
    else:
        end(words[0], words[1] if len(words) > 1 else "")
