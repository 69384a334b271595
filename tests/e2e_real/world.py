"""One test's world: a short HOME of its own, the real programs first in PATH, a scripted model on loopback, nothing else.

Only processes that have this HOME in their environment are looked at, and only those are ever ended."""
import contextlib, glob, json, os, re, shutil, signal, subprocess, tempfile, time, unittest

import model_server

E2E_DIR = os.path.abspath(os.environ.get("E2E_DIR", "/tmp/e2e-real"))
BIN = os.path.abspath(os.environ.get("OUTLAST_BIN", "build/release/outlast"))
KEY = "sk-ant-e2e-0123456789abcdef0123"
# Its sandbox makes an empty .git in each place that a command may write to, /tmp among them, unless that is excluded.
CODEX_CONFIG = """model = "m"
model_provider = "p"
[sandbox_workspace_write]
exclude_slash_tmp = true
[model_providers.p]
name = "p"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "E2E_MODEL_KEY"
request_max_retries = 1
stream_max_retries = 1
"""


def started(pid):
    """a process' start in ticks; None: there is none"""
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


class World(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.model = model_server.Model().start()

    @classmethod
    def tearDownClass(cls):
        cls.model.shutdown()
        cls.model.server_close()

    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="e2e")  # short: sockets lie below it
        self.work = os.path.join(self.home, "w")
        os.makedirs(os.path.join(self.home, ".codex"))
        os.makedirs(os.path.join(self.home, ".claude"))
        os.mkdir(self.work)
        os.mkdir(os.path.join(self.home, "t"))
        os.mkdir(os.path.join(self.home, "bin"))
        os.symlink(BIN, os.path.join(self.home, "bin", "outlast"))  # for agents that call it
        with open(os.path.join(self.home, ".codex", "config.toml"), "w") as f:
            f.write(CODEX_CONFIG.format(url=self.model.url))
        self.put(".claude.json", {"hasCompletedOnboarding": True, "customApiKeyResponses": {"approved": [KEY[-20:]]},
                                  "projects": {self.work: {"hasTrustDialogAccepted": True}}})
        self.env = {"HOME": self.home, "PATH": f"{E2E_DIR}/bin:{self.home}/bin:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": os.path.join(self.home, "t"), "IS_SANDBOX": "1",
                    "OUTLAST_HOME": os.path.join(self.home, ".outlast"), "CODEX_HOME": os.path.join(self.home, ".codex"), "E2E_MODEL_KEY": "k",
                    "ANTHROPIC_BASE_URL": self.model.url, "ANTHROPIC_API_KEY": KEY, "DISABLE_TELEMETRY": "1", "DISABLE_ERROR_REPORTING": "1",
                    "DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
        self.model.calls.clear()
        self.model.errors.clear()

    def tearDown(self):
        places = set()  # where the daemon of background agents has its sockets
        for _ in range(100):
            left = self.processes()
            places |= {place for _pid, _start, line in left for place in re.findall(r"/tmp/cc-daemon-\d+/[0-9a-f]+", line)}
            for pid, start, _words in left:
                if started(pid) == start:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
            if not left:
                break
            time.sleep(0.05)
        for place in (self.home, *places):
            shutil.rmtree(place, ignore_errors=True)

    # --- the place
    def put(self, name, value):
        with open(os.path.join(self.home, name), "w") as f:
            json.dump(value, f)

    def allow_bash(self):
        """claude asks nobody about commands"""
        self.put(".claude/settings.json", {"permissions": {"allow": ["Bash"]}})

    def lines(self, name):
        """of a file in the work directory"""
        try:
            with open(os.path.join(self.work, name)) as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    def processes(self, *words):
        """[(pid, start, command line)] of the live processes of this world, of those whose command line has all the words"""
        mark, found = f"HOME={self.home}".encode(), []
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            start = started(pid)
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    ours = mark in f.read().split(b"\0")
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    line = f.read().replace(b"\0", b" ").decode(errors="replace").strip()
            except OSError:
                continue
            if ours and start and pid != os.getpid() and all(word in line for word in words):
                found.append((pid, start, line))
        return found

    def kill(self, *words):
        """kill -9 of the processes with these words in their command line; there is at least one"""
        found = self.processes(*words)
        self.assertTrue(found, f"no process with {words}: {self.processes()}")
        for pid, _start, _line in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it went with one before it
        return found

    def sessions(self):
        """ids of the conversations that claude and codex keep"""
        claude = glob.glob(os.path.join(self.home, ".claude/projects/*/*.jsonl"))
        codex = glob.glob(os.path.join(self.home, ".codex/sessions/*/*/*/rollout-*.jsonl"))
        return {os.path.basename(path)[:-6] for path in claude} | {os.path.basename(path)[-42:-6] for path in codex}

    # --- outlast
    def outlast(self, *args, seconds=60, **more):
        """(exit code, stdout, stderr)"""
        p = subprocess.run([BIN, *args], env={**self.env, **more}, cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
        return p.returncode, p.stdout, p.stderr

    def ok(self, *args, **more):
        code, out, err = self.outlast(*args, **more)
        self.assertEqual(code, 0, (args, out, err))
        return out

    def task(self, *args, **more):
        return self.ok("task", *args, **more)

    def do(self, *args, **more):
        return json.loads(self.task("do", "t", "--json", *args, **more))

    def add(self, *flags, **more):
        self.task("add", "t", "--work-dir", self.work, *flags, **more)

    def shown(self, **more):
        return json.loads(self.task("show", "t", "--json", **more))

    def notes(self, **more):
        return self.task("list", "--format", "tsv", **more)

    def events(self, run=None):
        """the run's log: [(index, type, the rest)]"""
        run = run or self.shown()["run_id"]
        return [tuple(line.split(None, 3)[i] if len(line.split(None, 3)) > i else "" for i in (0, 2, 3)) for line in self.ok("logs", run).splitlines()]

    def kinds(self, run=None):
        return [kind for _index, kind, _rest in self.events(run)]

    def status(self, run=None):
        return json.loads(self.ok("show", run or self.shown()["run_id"], "--json"))["status"]

    def kill_executor(self):
        """kill -9 of whoever executes the run now, and of its supervisor; their children are no business of this signal"""
        found = self.processes("outlast execute")
        for pid, _start, _line in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.until(lambda: not self.processes("outlast execute"), 10)
        return bool(found)

    @contextlib.contextmanager
    def server(self):
        """`outlast serve` on this home; its address"""
        child = subprocess.Popen([BIN, "serve", "--port", "0"], env=self.env, cwd=self.work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True)
        try:
            line = next(line for line in child.stderr if " on http://" in line)
            yield line.split(" on ")[1].strip()
        finally:
            child.terminate()
            child.wait(20)
            child.stderr.close()

    # --- waiting
    def until(self, what, seconds=30, say=lambda: ""):
        """the first true answer of what()"""
        end = time.monotonic() + seconds
        while True:
            answer = what()
            if answer:
                return answer
            if time.monotonic() > end:
                self.fail(f"it did not come about within {seconds} s: {say()} {self.processes()} {self.model.calls[-3:]}")
            time.sleep(0.05)

    def until_status(self, *wanted, seconds=40):
        return self.until(lambda: self.status() in wanted and self.status(), seconds, lambda: f"{self.status()} {self.events()}")

    # --- the model
    def asked(self, words):
        """the requests whose last words of the user hold these"""
        return [call for call in list(self.model.calls) if words in call["last"] and call["path"] != "verdict"]
