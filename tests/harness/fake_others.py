"""`gemini -p` with stream-json, and `opencode run --format json`."""
import json, os, sys, time, uuid

from fake_common import Agent, enter, fail, leave, log, parse, stamp

GEMINI_VALUES = "-p --prompt -o --output-format -m --model --session-id --resume -r --approval-mode --include-directories --allowed-tools".split()
OPENCODE_VALUES = "--format -s --session -m --model --title --agent --variant --dir --command -f --file".split()


class Store:
    """what a session said, in a file of its own below HOME"""

    def __init__(self, *names):
        self.path = os.path.join(os.path.expanduser("~"), *names)

    def exists(self):
        return os.path.exists(self.path)

    def add(self, text):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path, "a") as f:
            f.write(json.dumps({"time": stamp(), "text": text}) + "\n")


class Gemini(Agent):
    dies_with_tool, term_code = False, 0

    def __init__(self, has_shell):
        super().__init__()
        self.has_shell = has_shell

    def tell(self, kind, **fields):
        self.emit({"type": kind, "timestamp": stamp(), **fields})

    def thought(self, text):
        pass  # it shows none

    def said(self, text):
        half = len(text) // 2
        for piece in (text[:half], text[half:]):
            self.tell("message", role="assistant", content=piece, delta=True)

    def call(self, id, command):
        self.tell("tool_use", tool_name="run_shell_command", tool_id=id, parameters={"command": command})

    def ask(self, id, command):
        return None if self.has_shell else "Tool execution denied by policy."

    def command(self, command, asks):
        super().command(command, asks or not self.has_shell)

    def called(self, id, command, output, code):
        more = {"status": "success", "output": output} if code == 0 else {"status": "error", "output": output, "error": {"type": "TOOL_ERROR", "message": output}}
        self.tell("tool_result", tool_id=id, **more)


def gemini(arguments, version):
    same = {"-p": "--prompt", "-o": "--output-format", "-m": "--model", "-r": "--resume", "-y": "--yolo"}
    options, words = parse(arguments, GEMINI_VALUES, same)
    if options.get("--version"):
        return print(version)
    if not options.get("--skip-trust"):
        fail("This folder is not trusted.", 55)
    prompt = options.get("--prompt") or " ".join(words)
    if not prompt:
        fail("No input provided via stdin. Input can be provided by piping data into gemini or using the --prompt option.", 42)
    session = options.get("--resume") or options.get("--session-id") or str(uuid.uuid4())
    store = Store(".gemini", "tmp", "chats", session + ".jsonl")
    if options.get("--resume") and not store.exists():
        fail(f"Error resuming session: Invalid session identifier \"{session}\".", 42)
    if options.get("--session-id") and store.exists():
        fail(f"Session ID \"{session}\" already exists.", 42)
    enter(session)
    agent = Gemini(bool(options.get("--yolo")) or options.get("--approval-mode") == "yolo")
    agent.on_signals()
    log("session", session=session, resumed=options.get("--resume"))
    print("Loaded cached credentials.", file=sys.stderr, flush=True)
    agent.tell("init", session_id=session, model=options.get("--model") or "scripted")
    log("message", session=session, uuid=None, text=prompt[:4000])
    store.add(prompt)
    agent.tell("message", role="user", content=prompt)
    outcome, value = agent.perform(prompt)
    requests = agent.calls + 1
    stats = {"total_tokens": 110 * requests, "input_tokens": 100 * requests, "output_tokens": 10 * requests, "cached": 0, "duration_ms": 5, "tool_calls": agent.calls, "models": {}}
    if outcome == "done":
        agent.tell("result", status="success", stats=stats)
    else:
        message = f"[API Error: {json.dumps({'error': {'code': value, 'message': 'the provider said so'}})}]"
        agent.tell("result", status="error", error={"type": "Error", "message": message}, stats=stats)
    agent.hang_if_told()
    leave()
    os._exit(0 if outcome == "done" else value & 255)


class Opencode(Agent):
    dies_with_tool = False

    def __init__(self, session):
        super().__init__()
        self.session, self.step = session, 0

    def tell(self, kind, **part):
        part = {"id": "prt_" + uuid.uuid4().hex[:20], "sessionID": self.session, "messageID": f"msg_{self.step:04}", **part}
        self.emit({"type": kind, "timestamp": int(time.time() * 1000), "sessionID": self.session, "part": part})

    def begin(self):
        self.step += 1
        self.tell("step_start", type="step-start")

    def finish(self, reason):
        self.tell("step_finish", type="step-finish", reason=reason, cost=0.001,
                  tokens={"total": 110, "input": 100, "output": 10, "reasoning": 0, "cache": {"read": 0, "write": 0}})

    def thought(self, text):
        self.tell("reasoning", type="reasoning", text=text)

    def said(self, text):
        self.tell("text", type="text", text=text, time={"start": 1, "end": 2})

    def call(self, id, command):
        pass  # calls are told when they are over

    def ask(self, id, command):
        return "The user rejected permission to use this specific tool call."

    def called(self, id, command, output, code):
        state = {"status": "completed" if code is not None else "error", "input": {"command": command}, "output": output, "title": command,
                 "metadata": {"exit": code, "truncated": False}}
        if code is None:
            state["error"] = output
        self.tell("tool_use", type="tool", callID=id, tool="bash", state=state)
        self.finish("tool-calls")
        self.begin()


def opencode(arguments, version):
    same = {"-s": "--session", "-m": "--model", "-f": "--file"}
    options, words = parse(arguments, OPENCODE_VALUES, same)
    if options.get("--version"):
        return print(version)
    if words[:1] != ["run"]:
        fail("this stand-in has no screen; use run")
    prompt, old = " ".join(words[1:]) or sys.stdin.read(), options.get("--session")
    store = Store(".local", "share", "opencode", f"{old}.jsonl")
    if old and not store.exists():
        fail("Error: Session not found")
    session = "ses_" + uuid.uuid4().hex[:26] if not old or options.get("--fork") else old
    Store(".local", "share", "opencode", f"{session}.jsonl").add(prompt)
    enter(session)
    agent = Opencode(session)
    agent.on_signals()
    log("session", session=session, resumed=old)
    log("message", session=session, uuid=None, text=prompt[:4000])
    agent.begin()
    outcome, _ = agent.perform(prompt)
    if outcome == "error":
        agent.pause(1e8)  # it tries again for ever and says nothing
    agent.finish("stop")
    agent.hang_if_told()
    leave()
    os._exit(0)


def main(program, arguments, version):
    (gemini if program == "gemini" else opencode)(arguments, version)
