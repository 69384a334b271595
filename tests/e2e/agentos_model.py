"""A scripted model that speaks OpenAI Chat Completions (streaming) on loopback, for the tests of the AgentOS API.

The last user message directs the answer, as the mock model of the recordings does:

    N=3 D=0.05            N chunks "w0 w1 ...", D seconds apart
    STALL=2               after 2 chunks nothing more comes until release() is called
    boom                  HTTP 401, a failure that is not tried again
    CALL name {json}      one tool call; several CALL lines are made one a turn, then the text
    PAR name {json} | name {json}   several tool calls in one turn
    SAY text              answers this text as one chunk
"""
import http.server, json, re, threading, time


def last_user_text(messages):
    """(the last user message, how often the model has answered since)"""
    text, turns = "", 0
    for message in messages:
        if message.get("role") == "user":
            text, turns = message.get("content") or "", 0
        elif message.get("role") == "assistant":
            turns += 1
    return text, turns


def number(text, key, default):
    found = re.search(rf"\b{key}=([\d.]+)", text)
    return float(found[1]) if found else default


class Model:
    def __init__(self):
        self.requests, self.lock, self.freed = [], threading.Lock(), threading.Event()
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                model.json(self, 200, {"object": "list", "data": [{"id": "scripted", "object": "model"}]})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
                with model.lock:
                    model.requests.append(body)
                try:
                    model.answer(self, body)
                except OSError:
                    self.close_connection = True

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def release(self):
        """ends the stalls of now"""
        freed, self.freed = self.freed, threading.Event()
        freed.set()

    def stop(self):
        self.release()
        self.server.shutdown()
        self.server.server_close()

    def asked(self, text):
        """the requests of conversations whose last user message holds `text`"""
        with self.lock:
            return [r for r in self.requests if text in last_user_text(r.get("messages", []))[0]]

    @staticmethod
    def json(handler, status, value):
        raw = json.dumps(value).encode()
        handler.send_response(status)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw)

    def answer(self, handler, body):
        text, turn = last_user_text(body.get("messages", []))
        if "boom" in text:
            return self.json(handler, 401, {"error": {"message": "model exploded", "type": "authentication_error"}})
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        calls = re.findall(r"^\s*(CALL|PAR) (.+)$", text, re.M)
        self.chunk(handler, {"role": "assistant", "content": ""})
        if turn < len(calls):
            parts = calls[turn][1].split(" | ") if calls[turn][0] == "PAR" else [calls[turn][1]]
            for i, part in enumerate(parts):
                name, _, arguments = part.strip().partition(" ")
                function = {"name": name, "arguments": arguments or "{}"}
                self.chunk(handler, {"tool_calls": [{"index": i, "id": f"call_{turn + 1}_{i}", "type": "function", "function": function}]})
            return self.end(handler, "tool_calls")
        said = re.search(r"SAY (.*)", text)
        stall = number(text, "STALL", -1)
        for i in range(1 if said else int(number(text, "N", 3))):
            if i == stall:
                self.freed.wait(120)
            time.sleep(number(text, "D", 0.02))
            self.chunk(handler, {"content": said[1] if said else f"w{i} "})
        self.end(handler, "stop")

    def chunk(self, handler, delta, finish=None, **more):
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        self.raw(handler, json.dumps({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "scripted", "choices": choices, **more}))

    def end(self, handler, finish):
        self.chunk(handler, {}, finish)
        self.chunk(handler, None, usage={"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12})
        self.raw(handler, "[DONE]")
        handler.wfile.write(b"0\r\n\r\n")

    @staticmethod
    def raw(handler, data):
        text = f"data: {data}\n\n".encode()
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
        handler.wfile.flush()
