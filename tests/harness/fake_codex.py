"""`codex exec --json`, `codex exec resume|fork`, `codex app-server`. Threads are rollout files where the real program files them."""
import glob, json, os, queue, sys, threading, time, uuid

from fake_common import Agent, Interrupted, enter, fail, input_lines, leave, log, parse, stamp, switch

WITH_VALUE = "-s --sandbox -C --cd -m --model -c --config -o --output-schema -i --image -p --profile --listen".split()
BYPASS = "--dangerously-bypass-approvals-and-sandbox"
# The items' fields are spelled in one way by exec and in another by the server.
CAMEL = {"command_execution": "commandExecution", "agent_message": "agentMessage", "aggregated_output": "aggregatedOutput", "exit_code": "exitCode",
         "in_progress": "inProgress"}
ERRORS = {401: "unauthorized", 403: "unauthorized", 429: "usageLimitExceeded"}


def codex_home():
    return os.environ.get("CODEX_HOME") or os.path.join(os.path.expanduser("~"), ".codex")


def rollout_of(thread):
    found = glob.glob(os.path.join(codex_home(), "sessions", "*", "*", "*", f"rollout-*-{thread}.jsonl"))
    return found[0] if found else None


def new_id():
    digits = f"{int(time.time() * 1000):012x}7{uuid.uuid4().hex[:3]}8{uuid.uuid4().hex[:15]}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class Thread:
    def __init__(self, id, path=None):
        self.id, self.path = id, path
        self.usage = {"input_tokens": 0, "cached_input_tokens": 0, "cache_write_input_tokens": 0, "output_tokens": 0, "reasoning_output_tokens": 0}
        if not path:
            directory = os.path.join(codex_home(), "sessions", time.strftime("%Y/%m/%d"))
            os.makedirs(directory, exist_ok=True)
            self.path = os.path.join(directory, f"rollout-{time.strftime('%Y-%m-%dT%H-%M-%S')}-{id}.jsonl")
            self.add("session_meta", {"id": id, "cwd": os.getcwd()})
            return
        with open(path) as f:
            for line in map(json.loads, f):
                if line["type"] == "token_count":
                    self.usage = line["payload"]

    def add(self, kind, payload):
        with open(self.path, "a") as f:
            f.write(json.dumps({"timestamp": stamp(), "type": kind, "payload": payload}) + "\n")

    def heard(self):
        with open(self.path) as f:
            return [line["payload"] for line in map(json.loads, f) if line["type"] == "item" and line["payload"]["type"] == "userMessage"]

    def spend(self, requests):
        self.usage = dict(self.usage, input_tokens=self.usage["input_tokens"] + 100 * requests, output_tokens=self.usage["output_tokens"] + 10 * requests)
        self.add("token_count", self.usage)


def thread_for(how, id):
    """a new one, the one named or a copy of it; None where there is none"""
    if how is None:
        return Thread(new_id())
    path = rollout_of(id)
    if not path:
        return None
    if how == "resume" and switch("new_id_on_resume") is None:
        return Thread(id, path)
    copy = Thread(new_id())
    copy.usage = Thread(id, path).usage
    copy.add("forked_from", {"id": id})
    return copy


class Codex(Agent):
    int_code = 1

    def __init__(self, thread, free):
        super().__init__()
        self.thread, self.free, self.items = thread, free, 0

    def item(self, step, fields, id=None):
        if not id:
            self.items += 1
            id = f"item_{self.items}"
        item = {"id": id, **fields}
        if step == "completed":
            self.thread.add("item", item)
        self.show(step, item)

    def show(self, step, item):
        self.emit({"type": f"item.{step}", "item": item})

    def thought(self, text):
        self.item("completed", {"type": "reasoning", "text": text})

    def said(self, text):
        self.item("completed", {"type": "agent_message", "text": text})

    def shell(self, command, output, code, status):
        return {"type": "command_execution", "command": f"/bin/bash -lc '{command}'", "aggregated_output": output, "exit_code": code, "status": status}

    def call(self, id, command):
        self.item("started", self.shell(command, "", None, "in_progress"), id)

    def called(self, id, command, output, code):
        self.item("completed", self.shell(command, output, code, "completed" if code == 0 else "failed" if code else "declined"), id)

    def ask(self, id, command):
        return None if self.free else "declined: nobody can be asked"

    def work(self, text):
        """one turn: ("done", answer) or ("error", text of the error)"""
        self.calls = 0
        self.thread.add("user_message", {"text": text})
        outcome, value = self.perform(text)
        self.thread.spend(self.calls + 1)
        if outcome == "done":
            self.thread.add("task_complete", {})
            return outcome, value
        return "error", "You've hit your usage limit. Try again in 2 seconds." if value == 429 else f"unexpected status {value}: the provider said so"


def run_exec(options, words):
    if not options.get("--skip-git-repo-check") and not any(os.path.exists(os.path.join(p, ".git")) for p in parents(options.get("-C") or os.getcwd())):
        fail("Not inside a trusted directory and --skip-git-repo-check was not specified.")
    sys.stdin.read()  # an open one that says nothing blocks it for ever
    how = words.pop(0) if words and words[0] in ("resume", "fork") else None
    named = words.pop(0) if how else None
    thread = thread_for(how, named)
    if not thread:
        fail(f"Error: no rollout found for thread id {named}")
    if options.get("-C"):
        os.chdir(options["-C"])
    enter(thread.id)
    agent = Codex(thread, bool(options.get(BYPASS)))
    agent.on_signals()
    log("session", session=thread.id, resumed=named)
    agent.emit({"type": "thread.started", "thread_id": thread.id})
    agent.emit({"type": "turn.started"})
    log("message", session=thread.id, uuid=None, text=" ".join(words)[:4000])
    outcome, value = agent.work(" ".join(words))
    if outcome == "done":
        agent.emit({"type": "turn.completed", "usage": thread.usage})
    else:
        agent.emit({"type": "error", "message": f"Reconnecting… 1/1 ({value})"})
        agent.emit({"type": "turn.failed", "error": {"message": value}})
    agent.hang_if_told()
    leave()
    os._exit(0 if outcome == "done" else 1)


def parents(path):
    path = os.path.abspath(path)
    while path != os.path.dirname(path):
        yield path
        path = os.path.dirname(path)
    yield path


class Server(Codex):
    """codex app-server: one thread, its turns one after another"""

    def __init__(self):
        super().__init__(None, False)
        self.turns, self.steered, self.answers, self.requests, self.turn_id, self.is_open = queue.Queue(), queue.Queue(), queue.Queue(), 0, None, False

    def tell(self, method, **params):
        self.emit({"jsonrpc": "2.0", "method": method, "params": {"threadId": self.thread.id, **params}})

    def camel(self, value):
        if isinstance(value, dict):
            return {CAMEL.get(key, key): self.camel(inner) if key in ("type", "status") or not isinstance(inner, str) else inner for key, inner in value.items()}
        return CAMEL.get(value, value) if isinstance(value, str) else value

    def show(self, step, item):
        if item["type"] == "agent_message":
            self.tell("item/agentMessage/delta", turnId=self.turn_id, itemId=item["id"], delta=item["text"][:4])
        if item["type"] == "reasoning":
            item = {"id": item["id"], "type": "reasoning", "summary": [item["text"]], "content": []}
        self.tell(f"item/{step}", turnId=self.turn_id, item=self.camel(item))

    def ask(self, id, command):
        self.tell("thread/status/changed", status={"type": "active", "activeFlags": ["waitingOnApproval"]})
        request, self.requests = self.requests, self.requests + 1
        self.emit({"jsonrpc": "2.0", "id": request, "method": "item/commandExecution/requestApproval",
                   "params": {"threadId": self.thread.id, "turnId": self.turn_id, "itemId": id, "reason": None, "command": f"/bin/bash -lc '{command}'", "cwd": os.getcwd()}})
        answer = self.wait_for(self.answers, request)
        self.tell("serverRequest/resolved", requestId=request)
        return None if answer.get("decision") in ("accept", "acceptForSession") else "declined"

    def hear(self, text, client=None):
        item = {"type": "userMessage", "clientId": client, "content": [{"type": "text", "text": text}]}
        self.item("started", item)
        self.item("completed", item)

    def arrived(self):
        texts = []
        while not self.steered.empty():
            text, client = self.steered.get()
            texts.append(text)
            self.hear(text, client)
        return texts

    def run(self):
        while (turn := self.turns.get()) is not None:
            self.turn_id, text, client = turn
            self.interrupt.clear()
            status, error = "completed", None
            self.tell("turn/started", turn={"id": self.turn_id, "status": "inProgress", "items": [], "error": None})
            self.hear(text, client)
            try:
                outcome, value = self.work(text)
                if outcome == "error":
                    status, number = "failed", self.status_in(text)
                    error = {"message": value, "codexErrorInfo": ERRORS.get(number) or {"responseStreamDisconnected": {"httpStatusCode": number}}}
                    self.tell("error", error=error, willRetry=False, turnId=self.turn_id)
            except Interrupted:
                status, self.tool = "interrupted", None
            total = {"inputTokens": self.thread.usage["input_tokens"], "outputTokens": self.thread.usage["output_tokens"], "cachedInputTokens": 0, "reasoningOutputTokens": 0}
            last = {"inputTokens": 100 * (self.calls + 1), "outputTokens": 10 * (self.calls + 1), "cachedInputTokens": 0, "reasoningOutputTokens": 0}
            self.tell("thread/tokenUsage/updated", turnId=self.turn_id, tokenUsage={"total": total, "last": last, "modelContextWindow": None})
            id, self.turn_id = self.turn_id, None
            self.tell("turn/completed", turn={"id": id, "status": status, "items": [], "error": error})
            self.hang_if_told()

    def status_in(self, text):
        return next((int(float(value)) for verb, value in self.script(text) if verb == "ERR"), 500)

    def read(self, version):
        for line in input_lines():
            if "method" not in line:
                log("answer", line=line)
                self.answers.put((line.get("id"), line.get("result") or {}))
            elif "id" in line:
                result, error = self.request(line["method"], line.get("params") or {}, line["id"], version)
                reply = {"error": {"code": -32600, "message": error}} if error else {"result": result}
                self.emit({"jsonrpc": "2.0", "id": line["id"], **reply})
                self.after()
        self.turns.put(None)

    def after(self):
        """a turn begins only when its request has been answered"""
        if self.pending:
            self.turns.put(self.pending)
            self.pending = None

    pending = None

    def request(self, method, params, id, version):
        """(result, error)"""
        if method == "initialize":
            self.is_open = True
            return {"userAgent": f"{params['clientInfo']['name']}/{version} (test)", "codexHome": codex_home()}, None
        if not self.is_open:
            return None, "Not initialized"
        if method in ("thread/start", "thread/resume", "thread/fork"):
            self.thread = thread_for(None if method == "thread/start" else method.partition("/")[2], params.get("threadId"))
            if not self.thread:
                return None, f"no rollout found for thread id {params.get('threadId')}"
            enter(self.thread.id)
            log("session", session=self.thread.id, resumed=params.get("threadId"))
            if params.get("cwd"):
                os.chdir(params["cwd"])
            return {"thread": {"id": self.thread.id, "cliVersion": version, "turns": []}, "model": params.get("model") or "scripted", "cwd": os.getcwd()}, None
        if not self.thread or params.get("threadId") != self.thread.id:
            return None, "thread not found"
        if method == "thread/items/list":
            return {"data": [{"turnId": "", "item": item} for item in reversed(self.thread.heard())][:params["limit"]], "nextCursor": None}, None
        text = "\n".join(part.get("text", "") for part in params.get("input", []))
        if method in ("turn/start", "turn/steer"):
            log("message", session=self.thread.id, uuid=str(id).partition(":")[2], text=text[:4000], method=method)
        if method == "turn/start":
            self.pending = (new_id(), text, params.get("clientUserMessageId"))
            return {"turn": {"id": self.pending[0], "status": "inProgress", "items": [], "error": None}}, None
        if method == "turn/steer":
            if params.get("expectedTurnId") != self.turn_id:
                return None, "no active turn to steer"
            self.steered.put((text, params.get("clientUserMessageId")))
            return {"turnId": self.turn_id}, None
        if method == "turn/interrupt":
            self.interrupt.set()
            return {}, None
        return None, f"unknown method {method}"


def main(_, arguments, version):
    options, words = parse(arguments, WITH_VALUE, {"--cd": "-C", "--model": "-m", "--sandbox": "-s"})
    if options.get("--version"):
        print(f"codex-cli {version}")
    elif words[:1] == ["exec"]:
        run_exec(options, words[1:])
    elif words[:1] == ["app-server"]:
        server = Server()
        server.on_signals()
        threading.Thread(target=server.read, args=(version,), daemon=True).start()
        server.run()
        leave()
        os._exit(0)
    else:
        fail("error: this stand-in has no screen; use exec or app-server", 2)
