"""The demo: a background run is streamed, its client leaves, its server is killed with -9, and the stream that is pieced
together afterwards is shown to be whole. Then the same on the command line. Standard library only, loopback only."""
import http.client, json, os, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.parse

BINARY = os.path.abspath(sys.argv[1])
PROMPT = "Tell me, in about 150 words, why work that can be picked up again is worth more than work that is merely fast."


def say(text=""):
    print(text, flush=True)


def step(text):
    say(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def definition(home):
    """The agent of the demo: a real model where one is configured, else the scripted one, which needs no network."""
    model = os.environ.get("OUTLAST_DEMO_MODEL")
    if not model and (os.environ.get("OPENAI_API_KEY") or os.environ.get("OPENAI_BASE_URL")):
        model = "openai/gpt-5-mini"
    elif not model and os.environ.get("ANTHROPIC_API_KEY"):
        model = "anthropic/claude-haiku-4-5"
    if not model:
        say("No model is configured: the scripted provider `demo/story` speaks (offline, always the same words).")
        return None, "demo", "demo/story"
    say(f"Using {model} (set OUTLAST_DEMO_MODEL to choose another).")
    path = os.path.join(home, "storyteller.md")
    with open(path, "w") as f:
        f.write(f"---\nmodel: {model}\n---\nYou answer plainly.\n")
    return path, "storyteller", model


class Server:
    def __init__(self, home, port, file):
        self.argv = [BINARY, "serve", *([file] if file else []), "--port", str(port), "--log-level", "error"]
        self.home, self.port, self.process = home, port, None

    def start(self):
        began = time.monotonic()
        self.process = subprocess.Popen(self.argv, env=dict(os.environ, OUTLAST_HOME=self.home), stderr=subprocess.DEVNULL)
        while True:
            try:
                self.request("GET", "/health").read()
                return time.monotonic() - began
            except OSError:
                if self.process.poll() is not None or time.monotonic() - began > 20:
                    sys.exit("the server did not start")
                time.sleep(0.01)

    def kill9(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def request(self, method, path, form=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"content-type": "application/x-www-form-urlencoded"} if form is not None else {}
        connection.request(method, path, urllib.parse.urlencode(form or {}), headers)
        return connection.getresponse()


def events(response):
    """(name, data) of each server-sent event; just ends when the connection is cut"""
    name = None
    try:
        for line in response:
            line = line.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                yield name, json.loads(line[6:])
    except (OSError, http.client.HTTPException):
        return


def joined(log):
    text = {}
    for index in sorted(log):
        name, data = log[index]
        if name == "RunContent":
            text[index] = data["content"]
        elif name == "RunContentSuperseded":
            for dropped in range(data["from_index"], data["to_index"] + 1):
                text.pop(dropped, None)
    return "".join(text.values())


def check(log, repeats):
    """The count that matters: indices 0..n without a gap, none twice, and the deltas join to the final content."""
    whole = sorted(log) == list(range(len(log)))
    name, last = log[max(log)]
    complete = name == "RunCompleted" and joined(log) == last["content"]
    say(f"  {len(log)} events, indices 0..{max(log)}: {'gapless' if whole else 'WITH GAPS'}, {repeats} repeated, "
        f"{'complete: the joined deltas are the final answer' if complete else 'INCOMPLETE'}")
    return whole and complete and repeats == 0


def over_http(server, agent):
    step("1. Start a run over HTTP, in the background, and stream it")
    log, repeats = {}, 0
    r = server.request("POST", f"/agents/{agent}/runs", {"message": PROMPT, "stream": "true", "background": "true", "session_id": "demo"})
    for name, data in events(r):
        log[data["event_index"]] = name, data
        if name == "RunContent":
            print(data["content"], end="", flush=True)
        if len(log) >= 25:
            break
    run_id, last = data["run_id"], data["event_index"]
    r.close()
    say(f" ...\n  run {run_id}: the client saw event {last} and left")

    step("2. kill -9 the server in the middle of the model's sentence")
    time.sleep(0.5)
    server.kill9()
    say("  killed; nothing runs now")
    time.sleep(0.5)
    ready = server.start()
    say(f"  a new server is ready after {ready * 1000:.0f} ms and has taken the run over from its log")

    step(f"3. Come back: resume after event {last}")
    r = server.request("POST", f"/agents/{agent}/runs/{run_id}/resume", {"last_event_index": last, "session_id": "demo"})
    for name, data in events(r):
        if "event_index" not in data:
            say(f"  [{name}] {data.get('message', '')}")
            continue
        repeats += data["event_index"] in log
        log[data["event_index"]] = name, data
        if name == "RunContentSuperseded":
            say(f"\n  [the call that was cut is made again; events {data['from_index']}..{data['to_index']} no longer count]")
        elif name == "RunContent":
            print(data["content"], end="", flush=True)
    say()
    return check(log, repeats)


def on_the_command_line(home, model, server):
    step("4. The same on the command line")
    env = dict(os.environ, OUTLAST_HOME=home)
    command = lambda *args: subprocess.run([BINARY, *args], env=env, capture_output=True, text=True)
    started = command("agent", model, PROMPT, "--background", "--json")
    if started.returncode:
        say(started.stderr)
        return False
    run = json.loads(started.stdout)
    say(f"  $ outlast agent {model} \"...\" --background\n  run {run['run_id']} is executed by process {run['pid']}, which no terminal owns")
    time.sleep(0.8)
    os.kill(run["pid"], signal.SIGKILL)
    say(f"  $ kill -9 {run['pid']}      (the server on the same home notices and goes on with the run)")
    waited = command("wait", run["run_id"], "--timeout", "120")
    say(f"  $ outlast wait {run['run_id']}\n  {waited.stdout.strip()}")
    lines = command("logs", run["run_id"], "--json").stdout.splitlines()
    indices = [json.loads(line)["event_index"] for line in lines]
    whole = indices == list(range(len(indices)))
    say(f"  $ outlast logs {run['run_id']} --json | wc -l\n  {len(lines)} events, {'gapless' if whole else 'WITH GAPS'}")
    return whole and waited.returncode == 0


def main():
    home = tempfile.mkdtemp(prefix="outlast-demo-")
    file, agent, model = definition(home)
    server = Server(home, free_port(), file)
    ok = False
    try:
        server.start()
        ok = over_http(server, agent)
        ok = on_the_command_line(home, model, server) and ok
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
    say("\nNothing was lost." if ok else "\nSomething was lost: this is a bug.")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
