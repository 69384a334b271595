"""What the stand-ins for the four programs share: the state directory, the script in a message, commands, signals."""
import json, os, re, signal, subprocess, sys, threading, time, uuid

STATE = os.environ.get("FAKE_AGENT_STATE", "fake-agent-state")
RECORDED = re.compile(r"OUTLAST|CLAUDE|CODEX|GEMINI|OPENCODE|ANTHROPIC|OPENAI|IS_SANDBOX|GOOGLE")
VERB = re.compile(r"\b(?P<block>RUN|ASK)\[\[(?P<command>.*?)\]\]|\b(?P<line>SAY|THINK) (?P<text>[^\n]*)|\b(?P<number>SLEEP|ERR|EXIT) (?P<value>\d+(?:\.\d+)?)|"
                  r"\b(?P<bare>SILENT|IGNORE_TERM|FORK|GARBAGE|HUGE|SPLIT|NO_RESULT|HANG_AFTER_RESULT)\b", re.S)


def state(*names):
    return os.path.join(STATE, *names)


def switch(name):
    try:
        with open(state(name)) as f:
            return f.read().strip()
    except FileNotFoundError:
        return None


def log(kind, **facts):
    os.makedirs(STATE, exist_ok=True)
    line = json.dumps({"kind": kind, "time": time.time(), "pid": os.getpid(), **facts}) + "\n"
    file = os.open(state("log.jsonl"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(file, line.encode())  # one write: lines of several processes do not mix
    os.close(file)


def record_call(program, arguments):
    log("call", program=program, argv=arguments, cwd=os.getcwd(), env={k: v for k, v in os.environ.items() if RECORDED.match(k)})


def fail(text, code=1):
    print(text, file=sys.stderr, flush=True)
    sys.exit(code)


def stamp():
    now = time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03}Z"


def parse(arguments, with_value, same=None, with_many=()):
    """(options by name, other words)"""
    options, words, rest = {}, [], list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return options, words + rest
        name, has_value, value = word.partition("=") if word.startswith("--") else (word, "", "")
        name = (same or {}).get(name, name)
        if not word.startswith("-") or word == "-":
            words.append(word)
        elif name in with_many:
            options[name] = [value] if has_value else []
            while rest and not rest[0].startswith("-"):
                options[name].append(rest.pop(0))
        elif name in with_value:
            options[name] = value if has_value else rest.pop(0) if rest else ""
        else:
            options[name] = True
    return options, words


def process_start(pid):
    """in clock ticks; None: there is no such process"""
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def enter(session):
    """this process works on the session from here on; another that does is not refused, but recorded"""
    others = [pid for pid, id in working().items() if id == session]
    if others:
        log("second_writer", session=session, others=others)
    path = state("live", str(os.getpid()))
    os.makedirs(state("live"), exist_ok=True)
    with open(path + ".new", "w") as f:
        json.dump([process_start(os.getpid()), session], f)
    os.rename(path + ".new", path)


def leave():
    try:
        os.unlink(state("live", str(os.getpid())))
    except FileNotFoundError:
        pass


def working():
    """{pid: session} of the processes that live"""
    found = {}
    for name in os.listdir(state("live")) if os.path.isdir(state("live")) else []:
        try:
            with open(state("live", name)) as f:
                start, session = json.load(f)
        except (OSError, ValueError):
            continue
        if name.isdigit() and start and process_start(int(name)) == start:
            found[int(name)] = session
    return found


class Output:
    """Standard output, a line at a time; the flag `split` cuts the next one into pieces."""

    def __init__(self):
        self.split, self.lock = False, threading.Lock()

    def line(self, what):
        data = (what if isinstance(what, str) else json.dumps(what, ensure_ascii=False)).encode() + b"\n"
        with self.lock:
            size = max(1, len(data) // 5) if self.split else len(data)
            self.split = False
            try:
                for at in range(0, len(data), size):
                    view = data[at:at + size]
                    while view:
                        view = view[os.write(1, view):]
                    if size < len(data):
                        time.sleep(0.02)
            except BrokenPipeError:
                os._exit(1)


class Interrupted(Exception):
    pass


class Agent:
    """One at work. Who speaks a protocol says in its own words: thought, said, call, called, ask (None: nobody can be asked), error."""

    dies_with_tool = True  # TERM ends the command too
    term_code, int_code = 143, 130

    def __init__(self):
        self.out, self.interrupt, self.tool, self.hangs, self.calls = Output(), threading.Event(), None, False, 0

    def emit(self, what):
        self.out.line(what)

    def arrived(self):
        """texts that came while a command ran, and join the turn"""
        return []

    def script(self, text):
        steps = []
        for match in VERB.finditer(text):
            verb = match["block"] or match["line"] or match["number"] or match["bare"]
            steps.append((verb, match["command"] or match["text"] or match["value"] or ""))
        return steps

    def perform(self, text):
        """works on a message; ("done", answer) or ("error", status)"""
        answer, steps = f"did: {text[-60:]}", self.script(text)
        self.pause(int(switch("think_ms") or 0) / 1000)
        while steps:
            verb, value = steps.pop(0)
            if verb in ("RUN", "ASK"):
                self.command(value, verb == "ASK")
                for more in self.arrived():
                    steps += self.script(more)
            elif verb == "SAY":
                answer = value
            elif verb == "THINK":
                self.thought(value)
            elif verb == "ERR":
                return "error", int(float(value))
            else:
                self.misbehave(verb, value)
        self.said(answer)
        return "done", answer

    def misbehave(self, verb, value):
        if verb == "SLEEP":
            self.pause(float(value))
        elif verb == "SILENT":
            self.pause(1e8)
        elif verb == "IGNORE_TERM":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        elif verb == "FORK":
            child = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            log("forked", child=child.pid)
        elif verb == "GARBAGE":
            self.emit("}{ this is no JSON \x1b[31m")
        elif verb == "HUGE":
            self.said("x" * 1_000_000)
        elif verb == "SPLIT":
            self.out.split = True
        elif verb == "HANG_AFTER_RESULT":
            self.hangs = True
        elif verb in ("NO_RESULT", "EXIT"):
            leave()
            os._exit(int(float(value or 0)))

    def pause(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self.interrupt.wait(min(left, 3600)):
                raise Interrupted

    def command(self, command, asks):
        self.calls += 1
        id = self.call_id()
        self.call(id, command)
        refusal = self.ask(id, command) if asks else None
        if refusal:
            return self.called(id, command, refusal, None)
        log("command", command=command)
        self.tool = subprocess.Popen(["/bin/bash", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     text=True, errors="replace", start_new_session=True)
        while True:
            try:
                output, _ = self.tool.communicate(timeout=0.05)
                break
            except subprocess.TimeoutExpired:
                if self.interrupt.is_set():
                    self.cut()
                    self.called(id, command, "the command was interrupted", None)
                    raise Interrupted from None
        code, self.tool = self.tool.returncode, None
        self.called(id, command, output, code)

    def call_id(self):
        return "call_" + uuid.uuid4().hex[:12]

    def cut(self):
        if self.tool:
            try:
                os.killpg(self.tool.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def on_signals(self):
        def end(number, _):
            if self.dies_with_tool:
                self.cut()
            leave()
            os._exit(self.term_code if number == signal.SIGTERM else self.int_code if number == signal.SIGINT else 128 + number)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, end)

    def hang_if_told(self):
        while self.hangs:
            time.sleep(3600)

    def wait_for(self, questions, id):
        """the answer to a question, from a queue of (id, answer)"""
        while True:
            try:
                asked, answer = questions.get(timeout=0.05)
            except Exception:  # noqa: BLE001 (queue.Empty)
                if self.interrupt.is_set():
                    raise Interrupted from None
                continue
            if asked == id:
                return answer


def input_lines():
    """objects from standard input; what is none is skipped"""
    if switch("deaf") is not None:
        while True:
            time.sleep(3600)
    for line in sys.stdin:
        try:
            value = json.loads(line)
        except ValueError:
            log("bad_input", line=line[:200])
            continue
        if isinstance(value, dict):
            yield value
