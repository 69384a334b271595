"""One cell's world: a home of its own, a scripted model that counts, servers and commands of the binary under test (env
OUTLAST_BIN). Standard library only, loopback only; ends only what it started. The API's client is that of tests/e2e."""
import ctypes, json, os, shutil, signal, subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import agentos_model  # noqa: E402
from agentos_client import BINARY, META, Api, Stream, free_port  # noqa: E402,F401: the other modules take them from here

WAIT_S = 25  # no single wait is longer; a sanitizer's binary on a busy machine is slow, not dead
PR_SET_CHILD_SUBREAPER = 36

AGENT = """\
  - id: {id}
    role: assistant
    brain: {{provider: openai, model: scripted, backend: openai_compat, config: {{api_key: "not-a-secret", base_url: "http://127.0.0.1:{port}/v1"}}}}
    system_prompt: Answer as you are told.
    modules: [{modules}]
"""
HEAD = 'app: {app_id: crash, name: Crash, version: "1.0.0"}\nagents:\n'
TAIL = """\
tools:
  modules: {{{modules}}}
  capabilities: {{default_policy: auto{more}}}
"""


class Violation(AssertionError):
    """A promise was broken."""


class Died(Exception):
    """The armed process is gone; the client sees it as a connection that breaks."""


def expect(ok, promise, *facts):
    if not ok:
        raise Violation(f"{promise}: " + " ".join(str(f) for f in facts))


def until(found, seconds=WAIT_S, step=0.01):
    """found() as soon as it is true; None after `seconds`"""
    end = time.monotonic() + seconds
    while not (value := found()):
        if time.monotonic() > end:
            return None
        time.sleep(step)
    return value


def adopt_orphans():
    """Detached executors become children of this process when their launcher ends, so that it sees what they died of."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Model(agentos_model.Model):
    """Notes when each turn of each conversation was asked for."""

    def __init__(self):
        self.asked_at = []  # (last user text, turn, monotonic time)
        super().__init__()
        self.server.handle_error = lambda *_: None  # whoever asked was killed

    def answer(self, handler, body):
        text, turn = agentos_model.last_user_text(body.get("messages", []))
        with self.lock:
            self.asked_at.append((text, turn, time.monotonic()))
        super().answer(handler, body)

    def turns(self, tag):
        """{turn: [times]} of the run whose message holds `tag`"""
        found = {}
        with self.lock:
            for text, turn, at in self.asked_at:
                if tag in text:
                    found.setdefault(turn, []).append(at)
        return found


class Executor:
    """A detached `outlast execute`, known by its pid."""

    UNKNOWN = "unknown"  # it ended as a child of its launcher, which does not ask; or before it told its pid (then that is 0)

    def __init__(self, pid):
        self.pid, self.code = pid, None if pid else self.UNKNOWN

    def poll(self):
        if self.code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.code = os.waitstatus_to_exitcode(status)
            except ChildProcessError:  # its launcher has not ended yet
                if not os.path.exists(f"/proc/{self.pid}"):
                    self.code = self.UNKNOWN
        return self.code


class Server:
    def __init__(self, world, failpoint, words=()):
        self.port = free_port()
        self.api = Api(self.port)
        with open(os.path.join(world.directory, "servers.log"), "ab") as log:
            self.process = subprocess.Popen([BINARY, "serve", world.app, "--port", str(self.port), "--log-level", "warning", *words],
                                            env=world.environment_with(failpoint), cwd=world.work, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def poll(self):
        return self.process.poll()

    def ready(self):
        """False when it died on the way"""
        def answers():
            if self.poll() is not None:
                return True
            try:
                return self.api.ask("GET", "/health", timeout=5).status == 200
            except OSError:
                return False
        expect(until(answers), "P5", "a server did not start in", WAIT_S, "s")
        return self.poll() is None

    def kill(self, number=signal.SIGKILL):
        if self.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(WAIT_S)

    def stop(self):
        if self.poll() is None:
            self.process.terminate()
            time.sleep(0.01)
            self.process.terminate()  # at once: steps under way are handed over
        try:
            self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(WAIT_S)
            raise Violation("P9: a server did not stop within", WAIT_S, "s")


class World:
    shell = False  # whether this binary's agents can have the shell module: set by probe()

    def __init__(self, name):
        self.directory = tempfile.mkdtemp(prefix=f"outlast-crash-{name}-")
        self.home, self.work = os.path.join(self.directory, "home"), os.path.join(self.directory, "work")
        os.mkdir(self.home)
        os.mkdir(self.work)
        self.model, self.servers = Model(), []
        keep = {k: v for k, v in os.environ.items()
                if not k.endswith(("_API_KEY", "_BASE_URL")) and not k.startswith(("OUTLAST_", "LIONAGI_", "OS_SECURITY"))}
        self.environment = {**keep, "OUTLAST_HOME": self.home, "HOME": self.directory, "OPENAI_API_KEY": "not-a-secret",
                            "OPENAI_BASE_URL": f"http://127.0.0.1:{self.model.port}/v1"}
        self.app = os.path.join(self.directory, "app.yaml")
        self.write_app(self.shell)

    def write_app(self, shell):
        agents = [("main", "filesystem"), ("gated", "filesystem")] + [("shell", "shell"), ("tasks", "shell")] * shell
        with open(self.app, "w") as f:
            f.write(HEAD)
            for id_, modules in agents:
                f.write(AGENT.format(id=id_, modules=modules, port=self.model.port))
                if id_ == "gated":
                    f.write("    capabilities: {default_policy: auto, approve: [filesystem.write, filesystem.edit]}\n")
            f.write(TAIL.format(modules="filesystem: {}" + (", shell: {}" if shell else ""), more=", max_risk_level: high, grant: [context_builder.background_run, context_builder.run_parallel]" if shell else ""))

    @classmethod
    def probe(cls):
        """whether there is a shell tool; says so once"""
        world = cls("probe")
        try:
            world.write_app(True)
            server = Server(world, None)
            if server.ready():
                tools = json.dumps(server.api.ask("GET", "/agents").json)
                cls.shell = '"Bash"' in tools
        finally:
            world.close()

    def environment_with(self, failpoint):
        return {**self.environment, "OUTLAST_FAILPOINT": failpoint} if failpoint else self.environment

    def serve(self, failpoint=None, words=()):
        server = Server(self, failpoint, words)
        self.servers.append(server)
        return server

    def command(self, *words, failpoint=None):
        return subprocess.run([BINARY, *words], env=self.environment_with(failpoint), cwd=self.work, capture_output=True, text=True,
                              timeout=2 * WAIT_S, stdin=subprocess.DEVNULL)

    def living(self):
        return [s for s in self.servers if s.poll() is None]

    def ours(self):
        """all processes that carry this home in their environment or their words: {pid: command line}"""
        found, mark = {}, self.home.encode()
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as environ, open(f"/proc/{pid}/cmdline", "rb") as cmdline:
                    words = cmdline.read()
                    if mark in words or mark in environ.read():
                        found[int(pid)] = words.replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
        return found

    def complaints(self):
        """what a sanitizer or an assertion said in a server's log"""
        with open(os.path.join(self.directory, "servers.log"), "a+", errors="replace") as log:
            log.seek(0)
            return [line for line in log if "Sanitizer" in line or "runtime error" in line or "ssertion" in line]

    def close(self, keep=False):
        self.model.release()
        for server in self.servers:
            if server.poll() is None:
                server.kill()
        for pid in self.ours():
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        self.model.stop()
        if not keep:
            shutil.rmtree(self.directory, ignore_errors=True)
