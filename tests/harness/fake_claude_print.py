"""`claude`, and of it `claude -p`: stream-json both ways, receipts, approvals, interrupts, transcripts where the real one files them."""
import json, os, queue, re, signal, sys, threading, time, uuid

from fake_common import Agent, Interrupted, enter, fail, input_lines, leave, log, parse, stamp, switch, working

WITH_VALUE = ("--session-id --resume --name --model --effort --permission-mode --permission-prompt-tool --input-format --output-format --settings --max-turns "
              "--max-budget-usd --setting-sources --append-system-prompt --json-schema").split()
WITH_MANY = "--allowedTools --disallowedTools --add-dir --mcp-config".split()
SAME = {"-r": "--resume", "-n": "--name", "-p": "--print", "--background": "--bg", "-v": "--version"}
CALL_DOLLARS = 0.0005
KINDS = {401: "authentication_failed", 403: "authentication_failed", 429: "rate_limit", 529: "overloaded"}


def projects():
    return os.path.join(os.environ.get("CLAUDE_CONFIG_DIR") or os.path.join(os.path.expanduser("~"), ".claude"), "projects")


def transcripts(session):
    """the newest first"""
    names = os.listdir(projects()) if os.path.isdir(projects()) else []
    paths = [os.path.join(projects(), name, session + ".jsonl") for name in names]
    return sorted((path for path in paths if os.path.exists(path)), key=os.path.getmtime, reverse=True)


class Conversation:
    """A session and its transcript."""

    def __init__(self, session, source=None):
        self.session, self.parent, self.dollars, self.known = session, None, 0.0, set()
        self.path = os.path.join(projects(), re.sub(r"[^A-Za-z0-9]", "-", os.getcwd()), session + ".jsonl")
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        if source and (found := transcripts(source)):
            with open(found[0]) as f:
                lines = [json.loads(line) for line in f]
            if found[0] != self.path:
                with open(self.path, "w") as f:
                    f.writelines(json.dumps({**line, "sessionId": session}) + "\n" for line in lines)
            self.take_up(lines)
        self.inherited = frozenset(self.known)

    def take_up(self, lines):
        unanswered = {}
        for line in lines:
            self.parent = line.get("uuid", self.parent)
            self.known.add(line.get("uuid"))
            self.dollars = line.get("dollars", self.dollars)
            content = line.get("message", {}).get("content")
            for block in content if isinstance(content, list) else []:
                if block["type"] == "tool_use":
                    unanswered[block["id"]] = True
                elif block["type"] == "tool_result":
                    unanswered.pop(block["tool_use_id"], None)
        for id in unanswered:
            self.add("user", {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "is_error": True,
                                                           "content": "[Tool call interrupted by a restart; outcome unknown]"}]})

    def note(self, line):
        with open(self.path, "a") as f:
            f.write(json.dumps(line) + "\n")

    def add(self, kind, message, id=None):
        id = id or str(uuid.uuid4())
        self.note({"type": kind, "uuid": id, "parentUuid": self.parent, "sessionId": self.session, "cwd": os.getcwd(), "timestamp": stamp(), "message": message})
        self.parent = id
        self.known.add(id)
        return id


class Claude(Agent):
    int_code = 0

    def __init__(self, conversation, options, version):
        super().__init__()
        self.talk, self.version = conversation, version
        self.model, self.mode = options.get("--model") or "scripted", options.get("--permission-mode") or "default"
        self.speaks = options.get("--output-format") == "stream-json"
        self.asks, self.replays = options.get("--permission-prompt-tool") == "stdio", bool(options.get("--replay-user-messages"))
        self.waiting, self.answers, self.unechoed, self.taken, self.busy = queue.Queue(), queue.Queue(), [], [], False
        self.refused, self.signalled, self.failed = [], False, False

    def tell(self, kind, **fields):
        if self.speaks:
            fields.setdefault("uuid", str(uuid.uuid4()))
            self.emit({"type": kind, "session_id": self.talk.session, **fields})

    # --- words
    def message_of(self, *content, model=None):
        return {"id": "msg_" + uuid.uuid4().hex[:16], "type": "message", "role": "assistant", "model": model or self.model, "content": list(content),
                "stop_reason": None, "usage": {"input_tokens": 100, "output_tokens": 1, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}}

    def assistant(self, *content, model=None, **more):
        while self.unechoed:
            self.replay(self.unechoed.pop(0))
        message = self.message_of(*content, model=model)
        self.tell("assistant", message=message, parent_tool_use_id=None, uuid=self.talk.add("assistant", message), **more)
        self.talk.dollars += 0 if model else CALL_DOLLARS

    def thought(self, text):
        self.assistant({"type": "thinking", "thinking": text, "signature": "none"})

    def said(self, text):
        self.assistant({"type": "text", "text": text})

    def call_id(self):
        return "toolu_" + uuid.uuid4().hex[:20]

    def call(self, id, command):
        self.assistant({"type": "tool_use", "id": id, "name": "Bash", "input": {"command": command}})

    def called(self, id, command, output, code):
        message = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": output.rstrip("\n"), "is_error": code != 0}]}
        self.tell("user", message=message, parent_tool_use_id=None, uuid=self.talk.add("user", message),
                  tool_use_result={"stdout": output, "stderr": "", "interrupted": code is None})

    def ask(self, id, command):
        reason, request = "This command requires approval", str(uuid.uuid4())
        if not self.asks:
            refusal = reason
            self.tell("system", subtype="permission_denied", tool_name="Bash", tool_use_id=id, decision_reason_type="mode", message=reason)
        else:
            self.emit({"type": "control_request", "request_id": request, "request": {
                "subtype": "can_use_tool", "tool_name": "Bash", "input": {"command": command}, "permission_suggestions": [], "decision_reason": reason, "tool_use_id": id}})
            answer = self.wait_for(self.answers, request)
            refusal = None if answer.get("behavior") == "allow" else answer.get("message") or "denied"
        if refusal:
            self.refused.append({"tool_name": "Bash", "tool_use_id": id, "tool_input": {"command": command}})
        return refusal

    # --- messages
    def lifecycle(self, message, step):
        if message["uuid"]:
            self.tell("command_lifecycle", command_uuid=message["uuid"], state=step)

    def replay(self, message):
        if self.replays:
            self.tell("user", message={"role": "user", "content": message["text"]}, parent_tool_use_id=None, uuid=message["uuid"], isReplay=True)

    def take(self, message):
        """a uuid that the session has seen is not worked on a second time"""
        known = bool(message["uuid"]) and message["uuid"] in self.talk.known
        log("message", session=self.talk.session, uuid=message["uuid"], text=message["text"][:4000], known=known)
        if known:
            self.replay(message)
            if message["uuid"] in self.talk.inherited:
                self.lifecycle(message, "completed")
            return
        self.lifecycle(message, "queued")
        self.waiting.put(message)

    def accept(self, message):
        self.lifecycle(message, "started")
        self.taken.append(message)
        self.talk.add("user", {"role": "user", "content": message["text"]}, message["uuid"])
        self.unechoed.append(message)
        return message["text"]

    def arrived(self):
        texts = []
        while not self.waiting.empty():
            message = self.waiting.get()
            if message is None:
                self.waiting.put(None)
                break
            texts.append(self.accept(message))
        return texts

    # --- a turn
    def turn(self, message):
        began, self.calls, self.refused, self.taken, self.busy = time.monotonic(), 0, [], [], True
        self.interrupt.clear()
        before = self.talk.dollars
        self.tell("system", subtype="init", cwd=os.getcwd(), tools=["Bash"], mcp_servers=[], model=self.model, permissionMode=self.mode,
                  apiKeySource="none", claude_code_version=self.version, capabilities=["interrupt_receipt_v1"])
        state = "completed"
        try:
            outcome, value = self.perform(self.accept(message))
            fields = {"subtype": "success", "is_error": False, "result": value, "terminal_reason": "completed", "api_error_status": None}
            if outcome == "error":
                fields = self.provider_failed(value)
        except Interrupted:
            during, self.tool, state = "tools" if self.tool else "streaming", None, "cancelled"
            if self.signalled and during == "streaming":
                return
            fields = {"subtype": "error_during_execution", "is_error": True, "errors": ["interrupted"], "terminal_reason": f"aborted_{during}"}
        self.failed = fields["is_error"]
        spent = self.talk.dollars - before
        self.talk.note({"type": "cost-state", "sessionId": self.talk.session, "dollars": self.talk.dollars})
        requests = self.calls + 1
        self.tell("result", **fields, num_turns=requests, duration_ms=int((time.monotonic() - began) * 1000), duration_api_ms=1, stop_reason="end_turn",
                  total_cost_usd=round(self.talk.dollars, 6), permission_denials=self.refused, queued_turn_count=sum(1 for waiting in list(self.waiting.queue) if waiting),
                  usage={"input_tokens": 100 * requests, "output_tokens": 10 * requests, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0},
                  model_usage_since_last_result={self.model: {"inputTokens": 100 * requests, "outputTokens": 10 * requests, "costUSD": round(spent, 6)}})
        for taken in self.taken:
            self.lifecycle(taken, state)
        self.busy = False
        self.hang_if_told()

    def provider_failed(self, status):
        kind = KINDS.get(status, "server_error" if status >= 500 else "invalid_request")
        if status >= 500 or status in (401, 429):
            self.tell("system", subtype="api_retry", attempt=1, max_retries=1, retry_delay_ms=100.5, error_status=status, error=kind)
            self.pause(0.1)
        text = f"API Error: {status} the provider said so"
        self.assistant({"type": "text", "text": text}, model="<synthetic>", error=kind)
        return {"subtype": "success", "is_error": True, "result": text, "terminal_reason": "api_error", "api_error_status": status}

    # --- input
    def read(self):
        for line in input_lines():
            kind = line.get("type")
            if kind == "user":
                content = line["message"]["content"]
                self.take({"uuid": line.get("uuid"), "text": content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)})
            elif kind == "control_response":
                if self.replays:
                    self.emit(line)
                log("answer", line=line)
                self.answers.put((line["response"].get("request_id"), line["response"].get("response") or {}))
            elif kind == "control_request":
                interrupts = line["request"]["subtype"] == "interrupt"
                log("control", subtype=line["request"]["subtype"], request_id=line["request_id"])
                if interrupts and self.busy:
                    self.interrupt.set()
                self.emit({"type": "control_response", "response": {"subtype": "success", "request_id": line["request_id"],
                                                                    "response": {"still_queued": []} if interrupts else {"commands": [], "models": []}}})
        self.waiting.put(None)

    def on_signals(self):
        super().on_signals()

        def interrupted(*_):
            if not self.busy:
                leave()
                os._exit(0)
            self.signalled = True
            threading.Thread(target=self.interrupt.set).start()  # this thread may hold the event's own lock
        signal.signal(signal.SIGINT, interrupted)


def conversation_of(options, running=()):
    """the session that is asked for, after the refusals of the real program"""
    new, old = options.get("--session-id"), options.get("--resume")
    if new and not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", new):
        fail("Error: Invalid session ID. Must be a valid UUID.")
    if old and not transcripts(old):
        text = f"No conversation found with session ID: {old}"
        print(json.dumps({"type": "result", "subtype": "error_during_execution", "is_error": True, "errors": [text], "session_id": old, "num_turns": 0,
                          "total_cost_usd": 0, "usage": {}, "permission_denials": []}), flush=True)
        fail(text)
    if old and old in running and not options.get("--fork-session"):
        fail(f"Error: session {old} is running in the background; attach to it, stop it, or use --fork-session.")
    if old:
        moves = options.get("--fork-session") or switch("new_id_on_resume") is not None
        return Conversation(new or str(uuid.uuid4()) if moves else old, old)
    if new and (transcripts(new) or new in working().values()):
        fail(f"Error: Session ID {new} is already in use.")
    return Conversation(new or str(uuid.uuid4()))


def run_print(options, words, version):
    from fake_claude_background import running_sessions
    if options.get("--output-format") == "stream-json" and not options.get("--verbose"):
        fail("Error: When using --print, --output-format=stream-json requires --verbose")
    if options.get("--dangerously-skip-permissions") and os.geteuid() == 0 and os.environ.get("IS_SANDBOX") != "1":
        fail("--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons")
    agent = Claude(conversation_of(options, running_sessions()), options, version)
    enter(agent.talk.session)
    log("session", session=agent.talk.session, resumed=options.get("--resume"))
    agent.on_signals()
    if options.get("--input-format") == "stream-json":
        threading.Thread(target=agent.read, daemon=True).start()
    else:
        agent.take({"uuid": None, "text": " ".join(words) or sys.stdin.read()})
        agent.waiting.put(None)
    while not agent.signalled and (message := agent.waiting.get()) is not None:
        agent.turn(message)
    leave()
    os._exit(1 if agent.failed and not agent.signalled else 0)


def main(_, arguments, version):
    options, words = parse(arguments, WITH_VALUE, SAME, WITH_MANY)
    command = words[0] if words else ""
    if options.get("--version"):
        print(f"{version} (Claude Code)")
    elif options.get("--bg") or (command in ("agents", "stop", "rm") and not options.get("--print")):
        import fake_claude_background
        fake_claude_background.main(options, words, version)
    elif options.get("--print"):
        run_print(options, words, version)
    else:
        fail("Error: this stand-in has no screen; use -p, --bg, agents, stop or rm")
