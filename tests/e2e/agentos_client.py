"""The server under test, and a client of its API: standard library only, loopback only.

The binary is env OUTLAST_BIN. A server is ended by its pid; nothing else is ended."""
import http.client, json, os, shutil, signal, socket, subprocess, tempfile, time, unittest, urllib.parse

import agentos_model

BINARY = os.path.abspath(os.environ.get("OUTLAST_BIN", "build/release/outlast"))
META = ("catch_up", "replay", "subscribed", "error", "gap")
ENDS = ("RunCompleted", "RunError", "RunPaused")

APP = """\
app: {{app_id: os1, name: OS, version: "1.0.0", description: Conformance}}
agents:
  - id: main
    role: assistant
    brain: {brain}
    system_prompt: Answer as you are told.
    modules: [filesystem]
  - id: other
    role: assistant
    brain: {brain}
    modules: [filesystem]
  - id: gated
    role: assistant
    brain: {brain}
    system_prompt: Ask first.
    modules: [filesystem]
    capabilities: {{default_policy: auto, approve: [filesystem.write, filesystem.edit]}}
tools:
  modules: {{filesystem: {{}}}}
  capabilities: {{default_policy: auto}}
"""
BRAIN = '{{provider: openai, model: scripted, backend: openai_compat, config: {{api_key: "not-a-secret", base_url: "http://127.0.0.1:{port}/v1"}}}}'


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Event:
    def __init__(self, name, data, id_):
        self.name, self.data, self.id = name, data, id_

    @property
    def json(self):
        return json.loads(self.data)

    @property
    def index(self):
        return self.json.get("event_index")

    def __repr__(self):
        return f"{self.name}#{self.index}"


class Stream:
    """Reads server-sent events one by one; keeps every byte."""

    def __init__(self, response):
        self.response, self.raw, self.comments, self.retry, self.complete = response, b"", [], None, False

    def __iter__(self):
        name = data = id_ = None
        try:
            while line := self.response.readline():
                self.raw += line
                text = line.decode().rstrip("\n")
                if text.startswith("event: "):
                    name = text[7:]
                elif text.startswith("data: "):
                    data = text[6:]
                elif text.startswith("id: "):
                    id_ = text[4:]
                elif text.startswith("retry: "):
                    self.retry = text[7:]
                elif text.startswith(":"):
                    self.comments.append(text)
                elif not text and data is not None:
                    yield Event(name, data, id_)
                    name = data = id_ = None
        except (OSError, http.client.HTTPException, ValueError):
            pass
        self.complete = bool(self.raw) and self.response.chunk_left is None  # http.client saw the final chunk
        self.close()

    def take(self, count):
        """the next `count` events (fewer at the end)"""
        events = []
        for event in self:
            events.append(event)
            if len(events) == count:
                break
        return events

    def close(self):
        self.response.close()
        self.response.connection.close()


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, dict((k.lower(), v) for k, v in response.getheaders()), response.read()
        response.close()
        response.connection.close()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def detail(self):
        return self.json["detail"]


class Api:
    def __init__(self, port, agent="main", headers=None):
        self.port, self.agent, self.headers = port, agent, headers or {}

    def open(self, method, path, form=None, body=None, headers=None, timeout=60):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = {**self.headers, **(headers or {})}
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers.setdefault("content-type", "application/x-www-form-urlencoded")
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.connection = connection
        return response

    def ask(self, method, path, form=None, **more):
        return Answer(self.open(method, path, form, **more))

    def send(self, method, path, value, **more):
        return self.ask(method, path, body=json.dumps(value), headers={"content-type": "application/json"}, **more)

    def runs(self, run_id="", tail="", agent=None):
        return f"/agents/{agent or self.agent}/runs" + (f"/{run_id}" if run_id else "") + tail

    def start(self, message, background=True, agent=None, headers=None, **form):
        """a stream of a new run"""
        form = {"message": message, "background": str(background).lower(), **form}
        return Stream(self.open("POST", self.runs(agent=agent), form, headers=headers))

    def launch(self, message, agent=None, headers=None, **form):
        """a background run without a stream: its 202"""
        answer = self.ask("POST", self.runs(agent=agent), {"message": message, "stream": "false", "background": "true", **form}, headers=headers)
        if answer.status != 202:
            raise AssertionError((answer.status, answer.body))
        return answer.json

    def resume(self, run_id, last=None, agent=None, **form):
        if last is not None:
            form["last_event_index"] = str(last)
        return Stream(self.open("POST", self.runs(run_id, "/resume", agent), form))

    def replay(self, run_id, last=None, **form):
        """(meta events, run events, the stream) of one whole answer"""
        stream = self.resume(run_id, last, **form)
        events = list(stream)
        return [e for e in events if e.name in META], [e for e in events if e.name not in META], stream

    def get(self, run_id, session, agent=None, more=""):
        return self.ask("GET", self.runs(run_id, f"?session_id={urllib.parse.quote(session)}{more}", agent))

    def cancel(self, run_id, more="", agent=None):
        return self.ask("POST", self.runs(run_id, "/cancel" + more, agent))

    def settled(self, run, agent=None, seconds=20):
        """the run once it has ended or paused"""
        end = time.monotonic() + seconds
        while True:
            body = self.get(run["run_id"], run["session_id"], agent, "&wait=2").json
            if body.get("status") in ("COMPLETED", "ERROR", "CANCELLED", "PAUSED"):
                return body
            if time.monotonic() > end:
                raise AssertionError(f"still {body}")

    def continues(self, run_id, session, decisions, agent="gated", **form):
        form = {"session_id": session, "tools": json.dumps(decisions), **form}
        return self.open("POST", self.runs(run_id, "/continue", agent), form)


class Server:
    """`outlast serve app.yaml --port N` on a home of its own."""

    def __init__(self, model, environment=None):
        self.directory = tempfile.mkdtemp(prefix="outlast-agentos-")
        self.home, self.work = os.path.join(self.directory, "home"), os.path.join(self.directory, "work")
        os.mkdir(self.home)
        os.mkdir(self.work)
        self.app = os.path.join(self.directory, "app.yaml")
        with open(self.app, "w") as f:
            f.write(APP.format(brain=BRAIN.format(port=model.port)))
        keep = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_BASE_URL")) and k not in ("OS_SECURITY_KEY", "OUTLAST_RUN_ID")}
        self.environment = {**keep, "OUTLAST_HOME": self.home, "HOME": self.directory, "OPENAI_BASE_URL": f"http://127.0.0.1:{model.port}/v1",
                            "OPENAI_API_KEY": "not-a-secret", **(environment or {})}
        self.port, self.process = free_port(), None
        self.api = Api(self.port)

    def start(self):
        with open(os.path.join(self.directory, "server.log"), "ab") as log:
            self.process = subprocess.Popen([BINARY, "serve", self.app, "--port", str(self.port)], env=self.environment, cwd=self.work,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 30
        while True:
            try:
                if self.api.ask("GET", "/health").status == 200:
                    return self
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"the server did not start: {self.log()[-800:]}")
            time.sleep(0.02)

    def log(self):
        with open(os.path.join(self.directory, "server.log"), errors="replace") as f:
            return f.read()

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        return self.process.wait(30)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class ServedTest(unittest.TestCase):
    """One model and one server for all tests of a class."""
    environment = {}

    @classmethod
    def setUpClass(cls):
        cls.model = agentos_model.Model()
        cls.server = Server(cls.model, cls.environment).start()
        cls.api = cls.server.api

    @classmethod
    def tearDownClass(cls):
        cls.model.release()
        cls.server.stop()
        log = cls.server.log()
        cls.server.remove()
        cls.model.stop()
        for word in ("Sanitizer", "runtime error", "Assertion"):
            if word in log:
                raise AssertionError(log[-4000:])

    def require(self, agent):
        listed = {a["id"] for a in self.api.ask("GET", "/agents", headers=self.api.headers).json}
        if agent not in listed:
            self.skipTest(f"this server has no agent '{agent}'")

    def file(self, name, text="text\n"):
        with open(os.path.join(self.server.work, name), "w") as f:
            f.write(text)
        return name

    def assert_dense(self, events, first=0):
        self.assertEqual([e.index for e in events], list(range(first, first + len(events))), events)


def carrying(word):
    """pids of live processes with the word in their command line or environment"""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as line, open(f"/proc/{pid}/environ", "rb") as environment, open(f"/proc/{pid}/stat") as stat:
                if word.encode() in line.read().replace(b"\0", b" ") + environment.read() and stat.read().rpartition(")")[2].split()[0] != "Z" and int(pid) != os.getpid():
                    found.append(int(pid))
        except OSError:
            continue
    return found


def until(condition, seconds=15):
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError("it never came true")
        time.sleep(0.02)
    return value


class OwnServerTest(unittest.TestCase):
    """A model and a server for each test, with an app of one's own; nothing of it may be left when it is over."""
    APP = APP

    def make_model(self):
        return agentos_model.Model()

    def setUp(self):
        self.model = self.make_model()
        self.server = Server(self.model)
        with open(self.server.app, "w") as f:
            f.write(self.APP.format(brain=BRAIN.format(port=self.model.port)))
        self.server.start()
        self.api = self.server.api

    def tearDown(self):
        self.model.release()
        self.server.remove()
        self.model.stop()
        left = carrying(self.server.directory)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(left, [], "processes were left behind")
