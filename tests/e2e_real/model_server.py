#!/usr/bin/env python3
"""A model on loopback for the real coding-agent programs, scripted by what it is asked. Standard library only.

    POST /v1/messages                  Anthropic Messages, streaming or not (?beta=true is ignored)
    POST /v1/messages/count_tokens
    POST /v1/responses                 OpenAI Responses, streaming
    GET  /v1/models                    an empty list
    GET  /calls                        what was asked so far: [{"path", "last", "texts", "step", "answer"}]

The last words of the user that hold a directive say what becomes of that message; those of a message without any are answered
with a text. Directives:

    RUN[[cmd]]    one call of the shell tool with this command; several are made one after the other, then comes the text
    SLEEP n       waits so many seconds, silently, before each answer to this message
    ERR code xK   the first K requests with this message (all, without xK) get this HTTP status; a 429 has `retry-after: AFTER` (2)
    AFTER n       ... so many seconds (to Codex: a usage limit that ends then)
    SAY text      the text that is answered (the rest of the line); else "did: " and the end of the message

The request of Claude Code that judges a background agent's last message (no tools, its system text begins "A user kicked off") is
answered with a verdict: done.

    python3 tests/e2e_real/model_server.py [PORT]      prints its address and serves until it is killed"""
import json, re, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DIRECTIVE = re.compile(r"RUN\[\[(?P<run>.*?)\]\]|\bSLEEP (?P<sleep>\d+(?:\.\d+)?)|\bERR (?P<err>\d{3})(?: x(?P<times>\d+))?|\bAFTER (?P<after>\d+)|\bSAY (?P<say>[^\n]*)", re.S)
VERDICT = {"state": "done", "detail": "it is through", "tempo": "idle", "output": {"result": "did it"}}
USAGE = {"input_tokens": 100, "output_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error", 529: "overloaded_error"}


class Script:
    """What a message asks for."""

    def __init__(self, text):
        self.text, self.commands, self.sleep, self.error, self.times, self.after, self.say = text, [], 0.0, 0, None, 2, None
        for match in DIRECTIVE.finditer(text):
            if match["run"] is not None:
                self.commands.append(match["run"])
            self.sleep += float(match["sleep"] or 0)
            if match["err"]:
                self.error, self.times = int(match["err"]), int(match["times"]) if match["times"] else None
            self.after = int(match["after"] or self.after)
            self.say = match["say"] if match["say"] is not None else self.say

    def answer(self):
        return self.say if self.say is not None else "did: " + " ".join(self.text.split())[-60:]


def plain(text):
    """what the user said, without what the program puts in beside it"""
    if folded := re.match(r"The user sent a new message while you were working:\n(.*?)\n\nThis is how Claude Code", text, re.S):
        return folded[1].strip()  # what was said while a tool ran
    text = re.sub(r"<system-reminder>.*?</system-reminder>", "", text, flags=re.S)
    return "" if re.match(r"\s*(\(no content\)|<(environment_context|user_instructions|permissions instructions|INSTRUCTIONS))", text) else text.strip()


def anthropic_steps(messages):
    """the conversation as [("user", text) | ("call", command) | ("said", text)]"""
    steps = []
    for message in messages:
        content = message.get("content")
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        for part in parts:
            is_users = message.get("role") == "user" or (message.get("role") == "system" and part.get("text", "").startswith("The user sent"))
            if part.get("type") == "text" and is_users and plain(part["text"]):
                steps.append(("user", plain(part["text"])))
            elif part.get("type") == "text" and message.get("role") == "assistant":
                steps.append(("said", part["text"]))
            elif part.get("type") == "tool_use":
                steps.append(("call", json.dumps(part.get("input"))))
            elif part.get("type") == "tool_result":
                steps.append(("result", json.dumps(part.get("content"))))
    return steps


def responses_steps(items):
    steps = []
    for item in items if isinstance(items, list) else [{"type": "message", "role": "user", "content": [{"text": str(items)}]}]:
        kind, role = item.get("type", "message"), item.get("role")
        if kind == "message":
            text = "\n".join(part.get("text", "") for part in item.get("content") or [] if isinstance(part, dict))
            if role == "assistant":
                steps.append(("said", text))
            elif role == "user" and plain(text):
                steps.append(("user", plain(text)))
        elif kind.endswith("_call_output"):
            steps.append(("result", json.dumps(item.get("output"))))
        elif kind.endswith("_call"):
            steps.append(("call", json.dumps(item.get("arguments") or item.get("action") or item.get("input"))))
    return steps


def situation(steps):
    """(the script of the last message that has one, else of the last message; how many calls were made since)"""
    script, calls = Script(""), 0
    for kind, text in steps:
        if kind == "user":
            new = Script(text)
            if not DIRECTIVE.search(text) and script.commands[calls:]:
                continue  # said beside a call's result: the script goes on
            script, calls = new, 0
        elif kind == "call":
            calls += 1
    return script, calls


class Model(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.calls, self.errors, self.lock, self.number = [], {}, threading.Lock(), 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def next_id(self):
        with self.lock:
            self.number += 1
            return f"{self.number:08d}"

    def fails(self, script):
        """whether this request is one of those that get the script's status"""
        with self.lock:
            done = self.errors[script.text] = self.errors.get(script.text, 0) + 1
        return bool(script.error) and (script.times is None or done <= script.times)

    def note(self, path, steps, **more):
        with self.lock:
            texts = [text for kind, text in steps if kind == "user"]
            self.calls.append({"path": path, "last": texts[-1] if texts else "", "texts": texts, "steps": steps, "at": time.time(), **more})

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # programs that are killed leave in the middle
            super().handle_error(request, client_address)


def call_of(body, command):
    """(tool name, input) of a call of the shell tool that this request offers"""
    for tool in body.get("tools") or []:
        name = tool.get("name") or tool.get("type")
        if name == "Bash":
            return name, {"command": command, "description": "as it was told"}
        if name == "exec_command":
            return name, {"cmd": command}
        if name in ("shell", "local_shell"):
            return name, {"command": ["bash", "-lc", command]}
        if name == "shell_command":
            return name, {"command": command}
    return None, None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path.startswith("/calls"):
            with self.server.lock:
                return self.send(200, self.server.calls)
        self.send(200, {"data": [], "models": [], "has_more": False})

    def do_HEAD(self):
        self.send(200, {})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        path = self.path.partition("?")[0]
        if path.endswith("/count_tokens"):
            self.send(200, {"input_tokens": 100})
        elif path.endswith("/messages"):
            self.answer_messages(body)
        elif path.endswith("/responses"):
            self.answer_responses(body)
        else:
            self.send(404, {"error": {"type": "not_found_error", "message": "no such thing here"}})

    def send(self, status, value, headers=()):
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, text in (("content-type", "application/json"), ("content-length", str(len(data))), *headers):
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def stream(self, events):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        for event in events:
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()

    def fail(self, script, usage_limit=False):
        kind = KINDS.get(script.error, "api_error" if script.error >= 500 else "invalid_request_error")
        headers = [("retry-after", str(script.after))] if script.error == 429 else []
        error = {"type": kind, "message": f"the model says {script.error}"}
        if usage_limit and script.error == 429:  # as a subscription's limit is told to Codex
            ends = int(time.time()) + script.after
            error = {"type": "usage_limit_reached", "message": "The usage limit has been reached", "plan_type": "pro", "resets_at": ends, "resets_in_seconds": script.after}
            headers += [("x-codex-primary-used-percent", "100"), ("x-codex-primary-window-minutes", "300"), ("x-codex-primary-reset-at", str(ends))]
        self.send(script.error, {"type": "error", "error": error}, headers)

    # --- Anthropic
    def answer_messages(self, body):
        system = body.get("system") or ""
        system = system if isinstance(system, str) else "\n".join(part.get("text", "") for part in system)
        steps = anthropic_steps(body.get("messages") or [])
        if "A user kicked off" in system and not body.get("tools"):
            self.server.note("verdict", steps)
            blocks, reason = [{"type": "text", "text": json.dumps(VERDICT)}], "end_turn"
        else:
            script, made = situation(steps)
            self.server.note("/v1/messages", steps, step=made)
            if self.server.fails(script):
                return self.fail(script)
            time.sleep(script.sleep)
            name, arguments = call_of(body, script.commands[made]) if made < len(script.commands) else (None, None)
            if name:
                blocks, reason = [{"type": "tool_use", "id": "toolu_" + self.server.next_id(), "name": name, "input": arguments}], "tool_use"
            else:
                blocks, reason = [{"type": "text", "text": script.answer()}], "end_turn"
        message = {"id": "msg_" + self.server.next_id(), "type": "message", "role": "assistant", "model": body.get("model", "m"), "content": blocks,
                   "stop_reason": reason, "stop_sequence": None, "usage": USAGE}
        if body.get("stream"):
            self.stream(self.message_events(message))
        else:
            self.send(200, message)

    @staticmethod
    def message_events(message):
        yield {"type": "message_start", "message": {**message, "content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}}
        for index, block in enumerate(message["content"]):
            is_text = block["type"] == "text"
            yield {"type": "content_block_start", "index": index, "content_block": {**block, **({"text": ""} if is_text else {"input": {}})}}
            delta = {"type": "text_delta", "text": block["text"]} if is_text else {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "content_block_stop", "index": index}
        yield {"type": "message_delta", "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None}, "usage": {"output_tokens": 10}}
        yield {"type": "message_stop"}

    # --- OpenAI
    def answer_responses(self, body):
        steps = responses_steps(body.get("input"))
        script, made = situation(steps)
        self.server.note("/v1/responses", steps, step=made)
        if self.server.fails(script):
            return self.fail(script, usage_limit=True)
        time.sleep(script.sleep)
        name, arguments = call_of(body, script.commands[made]) if made < len(script.commands) else (None, None)
        number = self.server.next_id()
        if name == "local_shell":
            item = {"type": "local_shell_call", "id": "ls_" + number, "call_id": "call_" + number, "status": "completed",
                    "action": {"type": "exec", **arguments}}
        elif name:
            item = {"type": "function_call", "id": "fc_" + number, "call_id": "call_" + number, "name": name, "arguments": json.dumps(arguments), "status": "completed"}
        else:
            item = {"type": "message", "id": "msg_" + number, "role": "assistant", "status": "completed",
                    "content": [{"type": "output_text", "text": script.answer(), "annotations": []}]}
        self.stream(self.response_events(body, item, number))

    @staticmethod
    def response_events(body, item, number):
        response = {"id": "resp_" + number, "object": "response", "created_at": int(time.time()), "model": body.get("model", "m"), "status": "in_progress", "output": []}
        yield {"type": "response.created", "response": response}
        if item["type"] == "message":
            yield {"type": "response.output_item.added", "output_index": 0, "item": {**item, "status": "in_progress", "content": []}}
            yield {"type": "response.output_text.delta", "item_id": item["id"], "output_index": 0, "content_index": 0, "delta": item["content"][0]["text"]}
        yield {"type": "response.output_item.done", "output_index": 0, "item": item}
        usage = {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 10, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 110}
        yield {"type": "response.completed", "response": {**response, "status": "completed", "output": [item], "usage": usage}}


if __name__ == "__main__":
    model = Model(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(model.url, flush=True)
    try:
        model.serve_forever()
    except KeyboardInterrupt:
        pass
