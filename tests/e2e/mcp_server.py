"""An MCP server for tests, well-behaved and hostile: over standard input and output, or with --http PORT behind a URL.

Env MCP_LOG names a file that gets one line for each message heard. Standard library only."""
import base64, http.server, json, os, subprocess, sys, threading, time

OBJECT = {"type": "object"}
TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"], "additionalProperties": False}
SECONDS = {"type": "object", "properties": {"seconds": {"type": "number"}}}


def text(value, **more):
    return {"content": [{"type": "text", "text": value if isinstance(value, str) else json.dumps(value)}], **more}


class Server:
    def __init__(self, version="2025-11-25", slow_start=0):
        self.version, self.slow_start, self.extra, self.tasks, self.lock = version, slow_start, [], {}, threading.Lock()

    def tools(self):
        plain = [{"name": name, "description": f"test tool {name}", "inputSchema": schema} for name, schema in (
            ("echo", TEXT), ("environment", OBJECT), ("pid", OBJECT), ("die", OBJECT), ("garbage", OBJECT), ("huge", OBJECT), ("slow", SECONDS),
            ("change", OBJECT), ("structured", OBJECT), ("image", OBJECT), ("fail", OBJECT), ("refuse", OBJECT), ("child", OBJECT), ("danger", OBJECT))]
        plain.append({"name": "look", "inputSchema": OBJECT, "annotations": {"readOnlyHint": True}})
        plain.append({"name": "job", "inputSchema": SECONDS, "execution": {"taskSupport": "required"}})
        plain.append({"name": "maybe_job", "inputSchema": SECONDS, "execution": {"taskSupport": "optional"}})
        plain.append({"name": "lost_job", "inputSchema": OBJECT, "execution": {"taskSupport": "required"}})
        return plain + self.extra + [
            {"name": "weird,name!", "inputSchema": OBJECT}, {"name": "dotted.name", "inputSchema": OBJECT}, {"name": "x" * 100, "inputSchema": OBJECT},
            {"name": "echo", "inputSchema": OBJECT}, {"name": "twin", "inputSchema": OBJECT}, {"name": "TWIN", "inputSchema": OBJECT}, {"name": "y" * 200}, {"name": ""}, {"name": 7}, None,
            {"name": "Bash", "inputSchema": OBJECT}, {"name": "trap", "inputSchema": {"type": "object", "properties": {"n": {"multipleOf": 0}}}}]

    def handle(self, message, say):
        """answers by say(), at once or from a thread"""
        method, id_, params = message.get("method"), message.get("id"), message.get("params") or {}
        answer = lambda result: say({"jsonrpc": "2.0", "id": id_, "result": result})
        refuse = lambda code, why: say({"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": why}})
        if method == "initialize":
            time.sleep(self.slow_start)
            tasks = {"tasks": {"cancel": {}, "requests": {"tools": {"call": {}}}}} if self.version == "2025-11-25" else {}
            return answer({"protocolVersion": self.version, "capabilities": {"tools": {"listChanged": True}, **tasks}, "serverInfo": {"name": "test", "version": "1"}})
        if method == "tools/list":
            all_tools, at = self.tools(), int(params.get("cursor") or 0)
            page = {"tools": all_tools[at:at + 7]}
            return answer({**page, "nextCursor": str(at + 7)} if at + 7 < len(all_tools) else page)
        if method == "tools/call":
            if "task" in params:
                return answer({"task": self.begin_task(params)})
            threading.Thread(target=self.call, args=(params.get("name"), params.get("arguments") or {}, answer, refuse, say), daemon=True).start()
            return None
        if method and method.startswith("tasks/"):
            return self.task(method, params.get("taskId"), answer, refuse)
        if method == "ping":
            return answer({})
        if id_ is not None and method:
            refuse(-32601, "no such method")

    def call(self, name, arguments, answer, refuse, say):
        if name == "echo":
            answer(text(arguments["text"]))
        elif name == "environment":
            answer(text(dict(os.environ), cwd=os.getcwd()))
        elif name == "pid":
            answer(text({"pid": os.getpid(), "sid": os.getsid(0), "cwd": os.getcwd()}))
        elif name == "die":
            sys.stderr.write("out of luck, token was " + os.environ.get("SECRET_TOKEN", "none") + "\n")
            sys.stderr.flush()
            os._exit(3)
        elif name == "garbage":
            for noise in ("hello!", "{", '{"jsonrpc":"2.0","id":123456,"result":{}}', "[1,2]", "\x00\xff"):
                sys.stdout.write(noise + "\n")
            answer(text("after the noise"))
        elif name == "huge":
            answer(text("x" * 10_000_000))
        elif name == "slow":
            time.sleep(arguments.get("seconds", 1))
            answer(text("slow is done"))
        elif name == "change":
            self.extra = [{"name": "fresh", "inputSchema": OBJECT}]
            say({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
            answer(text("changed"))
        elif name == "structured":
            answer({"content": [], "structuredContent": {"answer": 42}})
        elif name == "image":
            answer({"content": [{"type": "image", "mimeType": "image/png", "data": base64.b64encode(b"12345").decode()}]})
        elif name == "fail":
            answer(text("it went wrong", isError=True))
        elif name == "refuse":
            refuse(-32602, "not like this")
        elif name == "child":
            answer(text({"pid": subprocess.Popen(["sleep", "1000"]).pid, "server": os.getpid()}))
        else:
            answer(text({"called": name, "arguments": arguments}))

    def begin_task(self, params):
        with self.lock:
            id_ = f"upstream-{len(self.tasks) + 1}"
            self.tasks[id_] = {"name": params["name"], "end": time.time() + (params.get("arguments") or {}).get("seconds", 0.3), "cancelled": False}
        return self.task_view(id_)

    def task_view(self, id_):
        task = self.tasks[id_]
        status = "cancelled" if task["cancelled"] else "completed" if time.time() >= task["end"] else "working"
        return {"taskId": id_, "status": status, "ttl": None, "pollInterval": 100, "createdAt": "2026-01-01T00:00:00Z", "lastUpdatedAt": "2026-01-01T00:00:00Z"}

    def task(self, method, id_, answer, refuse):
        if id_ not in self.tasks or self.tasks[id_]["name"] == "lost_job":
            return refuse(-32602, "unknown task")
        if method == "tasks/cancel":
            self.tasks[id_]["cancelled"] = True
        if method == "tasks/result":
            return answer(text("the job is done"))
        return answer(self.task_view(id_))


def note(message):
    if path := os.environ.get("MCP_LOG"):
        with open(path, "a") as f:
            f.write(json.dumps(message) + "\n")


def over_stdio(server):
    lock = threading.Lock()

    def say(message):
        with lock:
            sys.stdout.write(json.dumps(message) + "\n")
            sys.stdout.flush()

    print("welcome to the test server")  # as some do
    for line in sys.stdin:
        message = json.loads(line)
        note(message)
        server.handle(message, say)


class Http(http.server.ThreadingHTTPServer):
    """sessions, JSON answers to lists, event streams to calls; `forget()` ends all sessions"""
    daemon_threads = True

    def __init__(self, port=0, token=None):
        self.sessions, self.heard, self.token, self.mcp, self.down = set(), [], token, Server(), False
        super().__init__(("127.0.0.1", port), Handler)

    def forget(self):
        self.sessions.clear()

    def start(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return f"http://127.0.0.1:{self.server_address[1]}/mcp"

    def stop(self):
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def whole(self, status, value=None, **headers):
        raw = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(raw)))
        if value is not None:
            self.send_header("content-type", "application/json")
        for name, text_ in headers.items():
            self.send_header(name.replace("_", "-"), text_)
        self.end_headers()
        self.wfile.write(raw)

    def refused(self):
        if self.server.down:
            self.whole(503)
        elif self.server.token and self.headers.get("authorization") != "Bearer " + self.server.token:
            self.whole(401)
        else:
            return False
        return True

    def do_GET(self):
        self.whole(405)

    def do_DELETE(self):
        self.server.heard.append({"method": "DELETE"})
        self.server.sessions.discard(self.headers.get("mcp-session-id"))
        self.whole(200)

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.heard.append(message)
        if self.refused():
            return
        session = self.headers.get("mcp-session-id")
        if message.get("method") == "initialize":
            session = f"s{len(self.server.heard)}"
            self.server.sessions.add(session)
        elif session not in self.server.sessions:
            return self.whole(404)
        if "id" not in message or "method" not in message:
            return self.whole(202)
        said, ready = [], threading.Event()

        def say(answer):
            said.append(answer)
            if "id" in answer:
                ready.set()

        self.server.mcp.handle(message, say)
        ready.wait(60)
        if message["method"] != "tools/call":
            return self.whole(200, said[-1], mcp_session_id=session)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        for answer in said:
            self.wfile.write(b"event: message\ndata: " + json.dumps(answer).encode() + b"\n\n")


if __name__ == "__main__":
    options = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
    over_stdio(Server(version=options.get("version", "2025-11-25"), slow_start=float(options.get("slow", 0))))
