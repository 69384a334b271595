"""What the tests of coding agents share: a home with the stand-ins (tests/harness/fake_agent.py) first in PATH, and cases that run at the same time."""
import concurrent.futures, json, os, signal, sys, time, unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "harness"))
import fake_agent  # noqa: E402
from test_cli import BIN, Home, supervisor_of  # noqa: E402,F401: the tests take BIN from here

SESSION_VARIABLES = ("OUTLAST_TERM", "OUTLAST_TASK", "OUTLAST_RUN_ID", "OUTLAST_FAILPOINT", "CLAUDE", "CODEX_", "GEMINI_", "OPENCODE")
MARKER = "[via outlast task do --with]"
JOBS = 5
WAIT_S = 60  # no single wait is longer


class TaskHome(Home):
    def setUp(self):
        super().setUp()
        for name in [n for n in self.env if n.startswith(SESSION_VARIABLES)]:
            del self.env[name]
        self.work = os.path.realpath(self.work)
        self.state = os.path.join(self.root, "state")
        self.bin = fake_agent.install(os.path.join(self.root, "bin"), self.state)
        self.env.update(PATH=f"{self.bin}:/usr/bin:/bin", IS_SANDBOX="1", PYTHONDONTWRITEBYTECODE="1")
        self.bg = dict(self.env, OUTLAST_TERM="bg")
        with open(os.path.join(self.root, ".claude.json"), "w") as f:
            json.dump({"projects": {os.path.realpath(self.root): {"hasTrustDialogAccepted": True}}}, f)

    def config(self, **seconds):
        """deadlines: start_timeout=, idle_timeout=, after_result_timeout="""
        os.makedirs(self.home, exist_ok=True)
        with open(os.path.join(self.home, "config.yaml"), "w") as f:
            f.write("harness: " + json.dumps(seconds) + "\n")

    def switch(self, name, value=""):
        """of the stand-ins; None: off"""
        path = os.path.join(self.state, name)
        if value is None:
            os.unlink(path)
            return
        with open(path, "w") as f:
            f.write(str(value))

    # --- what the stand-ins have done
    def told(self, kind, **facts):
        try:
            with open(os.path.join(self.state, "log.jsonl")) as f:
                lines = [json.loads(line) for line in f if line.endswith("\n")]
        except FileNotFoundError:
            return []
        return [line for line in lines if line["kind"] == kind and all(line.get(k) == v for k, v in facts.items())]

    def starts(self):
        """the argument lists of the processes that were to work: without those that only asked"""
        return [call["argv"] for call in self.told("call") if call["argv"][:1] not in (["agents"], ["stop"], ["--version"])]

    def messages(self, word):
        """the texts with that word in them that a program worked on; one that died before it had taken a message up is given it again"""
        told = [m for m in self.told("message") if not m.get("known") and word in m["text"]]
        return [m["text"] for number, m in enumerate(told) if not m["uuid"] or m["uuid"] not in [n["uuid"] for n in told[:number]]]

    def commands(self):
        return [line["command"] for line in self.told("command")]

    # --- tasks
    def task(self, *args, **more):
        return self.ok("task", *args, **more)

    def refused(self, code, *args, **more):
        got, out, err = self.outlast("task", *args, seconds=WAIT_S, **more)
        self.assertEqual((got, out), (code, ""), (args, out, err))
        self.assertRegex(err, r"(?m)^error: ")
        return err

    def add(self, slug="one", *flags):
        return json.loads(self.task("add", slug, "--work-dir", self.work, "--json", *flags))

    def do(self, slug="one", *flags, **more):
        return json.loads(self.ok("task", "do", slug, "--json", *flags, **{"seconds": WAIT_S, **more}))

    def shown(self, slug="one", *flags, **more):
        return json.loads(self.task("show", slug, "--json", *flags, **more))

    def history(self, slug="one"):
        return self.shown(slug, "--history")["history"]

    def sessions(self, slug="one"):
        """what the history says of sessions: (session, the one before it)"""
        return [(e["data"]["session_id"], e["data"].get("before")) for e in self.history(slug) if e["type"] == "session"]

    def rows(self, status=None):
        """the runs of coding agents, the oldest first"""
        runs = [run for run in json.loads(self.ok("ls", "--all", "--json")) if run["kind"] == "harness"]
        return sorted(runs, key=lambda run: run["created_at"]) if not status else [run for run in runs if run["status"] == status]

    # --- processes
    def with_word(self, word):
        """the live processes of this home that were started with that word"""
        found = []
        for pid in self.processes():
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    words = f.read().split(b"\0")
            except OSError:
                continue
            if word.encode() in words and alive(pid):
                found.append(pid)
        return found

    def executors(self):
        return self.with_word("execute")

    def shims(self):
        """the owners of the agents' processes"""
        return [owner for owner in map(supervisor_of, self.agents()) if owner != 1]

    def agents(self):
        return [int(name) for name in os.listdir(os.path.join(self.state, "live")) if name.isdigit() and alive(int(name))]

    def kill(self, pids):
        """SIGKILL, and they are gone"""
        self.assertTrue(pids, "nobody to kill")
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.until(lambda: not any(alive(pid) for pid in pids), what="the end of those killed")

    # --- runs
    def ended(self, run_id, seconds=WAIT_S):
        """`show` of a run, when it has ended"""
        self.outlast("wait", run_id, "--timeout", str(seconds), seconds=seconds + 20)
        run = self.show(run_id)
        self.assertNotIn(run["status"], ("RUNNING", "PENDING", "PAUSED"), run)
        return run

    def paused(self, run_id, seconds=WAIT_S):
        self.until(lambda: self.show(run_id)["status"] == "PAUSED", seconds, f"a question of {run_id}")
        return run_id

    def dense(self, run_id):
        """the events of a run, which have no gap and none twice"""
        events = self.events(run_id)
        self.assertEqual([e["event_index"] for e in events], list(range(len(events))), run_id)
        return events

    def of_type(self, run_id, type_):
        return [e for e in self.events(run_id) if e["type"] == type_]

    def only_one_writer(self):
        self.assertEqual(self.told("second_writer"), [], "two processes worked on one session at once")


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def within(seconds, true):
    """whether it comes true"""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.03)
    return True


def cases_of(suite):
    for one in suite:
        yield from cases_of(one) if isinstance(one, unittest.TestSuite) else (one,)


def apart(case):
    own = unittest.TestResult()
    case.run(own)
    return own


class Together(unittest.TestSuite):
    """Runs its cases at the same time: they mostly wait, each in a home of its own."""

    def run(self, result, debug=False):
        cases = list(cases_of(self))
        with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
            for case, own in zip(cases, pool.map(apart, cases)):
                result.startTest(case)
                result.failures += own.failures
                result.errors += own.errors
                result.skipped += own.skipped
                if own.wasSuccessful():
                    result.addSuccess(case)
                result.stopTest(case)
        return result


def main():
    loader = unittest.TestLoader()
    loader.suiteClass = Together
    unittest.main(testLoader=loader)
