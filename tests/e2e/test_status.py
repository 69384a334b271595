"""status, kill and monitor from outside: the real binary (OUTLAST_BIN), the scripted demo provider, processes that are stopped or dead.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_status.py

Standard library only. Ends only processes that it started."""
import json, os, pty, random, re, select, signal, sqlite3, subprocess, time, unittest

from test_cli import BIN, Home, supervisor_of


def with_argument(mark):
    """the processes that have this word in their command line"""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if mark.encode() in f.read().split(b"\0"):
                    found.append(int(pid))
        except OSError:
            continue
    return found


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def sleepers():
    """a command that leaves a process behind, and the mark of both"""
    mark = f"{random.randint(7000, 99000)}.5"
    return mark, "call Bash " + json.dumps({"command": f"setsid sleep {mark} & sleep {mark}"})


class Runs(Home):
    def json_of(self, *args, code=0):
        got, out, err = self.outlast(*args, "--json")
        self.assertEqual(got, code, (args, out[-500:], err[-500:]))
        answer = json.loads(out)
        self.assertEqual((len(out.splitlines()), answer["contract_version"]), (1, 1))
        return answer

    def status(self, run_id, code=0):
        return self.json_of("status", run_id, code=code)["data"]

    def fill(self, count, ended_s_ago=60):
        """as if so many runs had been made: copies of one that was"""
        run = self.background("say seed")
        self.ok("wait", run["run_id"])
        with sqlite3.connect(os.path.join(self.home, "outlast.db")) as db:
            (number,) = db.execute("SELECT id FROM run WHERE run_id = ?", (run["run_id"],)).fetchone()
            columns = [row[1] for row in db.execute("PRAGMA table_info(run)") if row[1] not in ("id", "run_id", "launch_key", "ended_ms")]
            kept = ", ".join(columns)
            db.execute(f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO run(run_id, ended_ms, {kept}) "
                       f"SELECT printf('20200101T000000-%012x', i), ended_ms - ? * i, {kept} FROM n, run WHERE run.id = ?", (count, ended_s_ago * 1000, number))
            db.execute("INSERT INTO run_spec(run, spec, digest) SELECT r.id, s.spec, s.digest FROM run r, run_spec s WHERE s.run = ? AND r.id <> ?", (number, number))
        db.close()
        return run


class Status(Runs):
    def test_each_state_has_its_exit_code(self):
        done = self.background("say hello")
        failed = self.background("error 400")
        running = self.background("tokens=2000 rate=20")
        os.makedirs(os.path.join(self.work, ".outlast/agents"))
        with open(os.path.join(self.work, ".outlast/agents/writer.md"), "w") as f:
            f.write("---\nmodel: demo/fast\n---\nYou write.\n")
        paused = json.loads(self.ok("agent", "-a", "writer", 'call Write {"file_path": "new.txt", "content": "x"}', "--background", "--json"))
        self.ok("wait", done["run_id"])
        self.outlast("wait", failed["run_id"])
        self.until(lambda: self.show(paused["run_id"])["status"] == "PAUSED")
        for run, code, word in ((done, 0, "completed"), (failed, 1, "failed"), (running, 3, "running"), (paused, 3, "paused")):
            with self.subTest(word=word):
                got, out, err = self.outlast("status", run["run_id"])
                self.assertEqual(got, code, (out, err))
                self.assertRegex(out, rf"(?m)^status +{word}\b")
                self.assertEqual(self.status(run["run_id"], code)["status"], word)
        self.assertRegex(self.outlast("status", paused["run_id"])[1], r"(?m)^waits for +waiting for a decision since .*\n(?s:.*)^next .*outlast approve ")
        self.ok("cancel", running["run_id"])
        self.assertEqual(self.status(running["run_id"], 1)["exit_code"], 143)
        self.ok("kill", paused["run_id"])
        self.assertEqual(self.status(paused["run_id"], 1)["status"], "cancelled")

    def test_json_is_one_object_with_all_keys(self):
        run = self.background("tokens=2000 rate=20")
        self.until(lambda: len(self.events(run["run_id"])) > 3)
        d = self.status(run["run_id"], 3)
        self.assertEqual(set(d), {"run_id", "kind", "agent", "status", "reason", "exit_code", "started_at", "ended_at", "duration_s", "branch_id", "parent_run_id",
                                  "executor", "waits_for", "cancel_requested", "children", "usage", "state_root", "artifact_dir", "decisions", "invocation_id", "project"})
        self.assertEqual((d["kind"], d["exit_code"], d["ended_at"], d["branch_id"]), ("agent", None, None, run["branch_id"]))
        self.assertEqual((d["executor"]["pid"], d["executor"]["alive"]), (run["pid"], True))
        self.assertEqual(d["waits_for"], "a model call is under way")
        self.assertEqual(d["children"], {"pending": 0, "running": 0, "completed": 0, "failed": 0})
        self.assertTrue(os.path.isdir(d["state_root"]))
        self.ok("kill", run["run_id"])
        d = self.status(run["run_id"], 1)
        self.assertEqual((d["status"], d["reason"], d["executor"], d["waits_for"]), ("cancelled", "run.cancelled.manual_kill", None, None))
        self.assertGreater(d["duration_s"], 0)

    def test_any_name_of_a_run_will_do(self):
        run = self.background("tokens=2000 rate=20")
        agent = self.show(run["run_id"])["agent"]
        for name in (run["run_id"][:-3], run["branch_id"], run["branch_id"][:13], str(run["pid"]), f"{run['run_id']}/{agent}"):
            with self.subTest(name=name):
                self.assertEqual(self.status(name, 3)["run_id"], run["run_id"])
        self.ok("kill", str(run["pid"]))
        self.assertEqual(self.outlast("status", str(run["pid"]))[0], 2)

    def test_unknown_and_ambiguous_ids_are_errors(self):
        for _ in range(2):
            self.ok("wait", self.background("say x")["run_id"])
        code, out, err = self.outlast("status", "zzzz")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("zzzz", err)
        self.assertEqual(self.json_of("status", "zzzz", code=2)["error"]["kind"], "not_found")
        ambiguous = self.json_of("status", "20", code=2)
        self.assertEqual((ambiguous["ok"], ambiguous["error"]["kind"]), (False, "invalid_input"))
        self.assertEqual(ambiguous["error"]["message"].count("COMPLETED"), 2)
        env = dict(self.env, OUTLAST_HOME="/dev/null/home")
        code, out, err = self.outlast("status", "x", "--json", env=env)
        self.assertEqual((code, json.loads(out)["error"]["kind"]), (78, "unavailable"), err)

    def test_kinds_are_opaque(self):
        run = self.background("say x")
        self.ok("wait", run["run_id"])
        with sqlite3.connect(os.path.join(self.home, "outlast.db")) as db:
            db.execute("UPDATE run SET kind = 'flow'")
        db.close()
        self.assertEqual(self.status(run["run_id"])["kind"], "flow")
        self.assertIn("status=completed", self.ok("wait", run["run_id"]))
        self.assertRegex(self.ok("monitor").splitlines()[1], rf"^  {run['run_id']}  flow  completed")
        self.assertIn("had ended already: completed", self.ok("kill", run["run_id"]))

    def test_a_run_whose_executor_is_dead_is_not_said_to_run(self):
        run = self.background("tokens=2000 rate=20")
        os.kill(supervisor_of(run["pid"]), signal.SIGKILL)
        os.kill(run["pid"], signal.SIGKILL)
        self.until(lambda: not alive(run["pid"]))
        code, out, err = self.outlast("status", run["run_id"])
        self.assertEqual(code, 3, err)
        self.assertRegex(out, r"(?m)^status +running, but nobody executes it$")
        self.assertRegex(out, rf"(?m)^executor +nobody: process {run['pid']} on \S+ is gone; .*outlast resume {run['run_id']}$")
        d = self.status(run["run_id"], 3)
        self.assertEqual((d["executor"]["pid"], d["executor"]["alive"]), (run["pid"], False))
        self.assertTrue(d["waits_for"].startswith("waiting for an executor"), d)
        self.assertEqual(self.processes(), [])  # it only looks

    def test_children_are_counted(self):
        mark = sleepers()[0]
        run = self.background("call background_run " + json.dumps({"tool": "Bash", "arguments": {"command": f"sleep {mark}"}}) + "\ntokens=2000 rate=20",
                              "--tools", "Bash,background_run", "--yolo")
        self.until(lambda: with_argument(mark), what="the task")
        self.assertEqual(self.status(run["run_id"], 3)["children"]["running"], 1)
        self.assertRegex(self.outlast("status", run["run_id"])[1], r"(?m)^children +1 running, 0 done, 0 failed")
        table = self.ok("monitor", run["run_id"]).splitlines()
        self.assertRegex(table[1], rf"^\* {run['run_id']} .* 0/1 ")
        self.assertRegex(table[2], r"^\*   \d{8}T\S+ +tool +running .*Bash")
        self.assertEqual(len(self.ok("monitor").splitlines()), 2)  # tasks are told by their run's line
        out = self.ok("kill", run["run_id"])
        self.assertEqual(len(re.findall(r"(?m)^killed \S+  (agent|tool)", out)), 2, out)
        self.assertEqual(with_argument(mark), [])


class Kill(Runs):
    def start_sleepers(self, *flags):
        mark, prompt = sleepers()
        run = self.background(prompt, "--tools", "Bash", "--yolo", *flags)
        self.until(lambda: len(with_argument(mark)) >= 2, what="the command")
        return run, mark

    def assert_gone(self, run, mark):
        self.assertEqual(with_argument(mark), [])
        self.assertFalse(alive(run["pid"]))
        self.assertEqual(self.status(run["run_id"], 1)["status"], "cancelled")
        self.assertEqual(self.manifest(run["run_id"])["status"], "cancelled")

    def test_the_whole_tree_is_gone_when_it_answers(self):
        run, mark = self.start_sleepers()
        out = self.ok("kill", run["run_id"][:-2], "--reason", "wrong branch")
        self.assertRegex(out, rf"^killed {run['run_id']}  agent")
        self.assert_gone(run, mark)
        self.assertIn({"reason": "wrong branch"}, [fact["data"] for fact in self.show(run["run_id"])["facts"] if fact["type"] == "kill_requested"])
        code, out, err = self.outlast("wait", run["run_id"])
        self.assertEqual(code, 1)
        self.assertRegex(out, rf"^{run['run_id']}\tstatus=cancelled\treason=\S+\tartifact_dir=\S+\texit_code=143\n$")
        out = self.ok("kill", run["run_id"])
        self.assertEqual(out, f"{run['run_id']} had ended already: cancelled\n")
        self.assertEqual(self.json_of("kill", run["run_id"])["data"]["outcome"], "already_ended")

    def test_a_dry_run_ends_nothing(self):
        run, mark = self.start_sleepers()
        self.assertRegex(self.ok("kill", run["run_id"], "--dry-run"), rf"^would kill {run['run_id']}  agent")
        data = self.json_of("kill", run["run_id"], "--dry-run")["data"]
        self.assertEqual((data["outcome"], [r["run_id"] for r in data["live"]], data["ended"]), ("would_kill", [run["run_id"]], []))
        self.assertEqual(self.status(run["run_id"], 3)["status"], "running")
        data = self.json_of("kill", run["run_id"])["data"]
        self.assertEqual((data["outcome"], data["status"], [r["run_id"] for r in data["ended"]]), ("killed", "cancelled", [run["run_id"]]))
        self.assert_gone(run, mark)

    def test_a_stopped_executor_is_killed_within_the_graces(self):
        run, mark = self.start_sleepers()
        os.kill(run["pid"], signal.SIGSTOP)
        began = time.monotonic()
        code, out, err = self.outlast("kill", run["run_id"], "--grace", "0.5")
        self.assertEqual(code, 0, (out, err))
        self.assertIn(f"process {run['pid']} did not end by itself: SIGKILL", err)
        self.assertLess(time.monotonic() - began, 20)
        self.assert_gone(run, mark)

    def test_a_dead_executor_and_supervisor_leave_nothing(self):
        run, mark = self.start_sleepers()
        os.kill(supervisor_of(run["pid"]), signal.SIGKILL)
        os.kill(run["pid"], signal.SIGKILL)
        self.until(lambda: not alive(run["pid"]))
        self.assertEqual(len(with_argument(mark)), 2)
        self.assertRegex(self.ok("kill", run["run_id"]), rf"^killed {run['run_id']}")
        self.assert_gone(run, mark)

    def test_a_server_is_never_signalled(self):
        with open(os.path.join(self.work, "app.yaml"), "w") as f:
            f.write("app: {app_id: a, name: A, version: '1.0.0'}\nagents:\n  - {id: main, role: assistant, brain: {provider: demo, model: fast}}\n")
        run = json.loads(self.ok("agent", "demo/fast", "tokens=4000 rate=20", "--background", "--json"))
        other = json.loads(self.ok("agent", "demo/fast", "tokens=4000 rate=20", "--background", "--json"))
        server = subprocess.Popen([BIN, "serve", "--port", "0"], env=self.env, cwd=self.work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for one in (run, other):
                os.kill(supervisor_of(one["pid"]), signal.SIGKILL)
                os.kill(one["pid"], signal.SIGKILL)
            self.until(lambda: all((self.status(one["run_id"], 3)["executor"] or {}).get("pid") == server.pid for one in (run, other)), what="the adoption")
            code, out, err = self.outlast("status", str(server.pid))
            self.assertEqual(code, 2, out)
            self.assertIn("ambiguous", err)
            self.ok("kill", run["run_id"], "--grace", "0")
            self.assertIsNone(server.poll())
            self.assertEqual(self.status(other["run_id"], 3)["status"], "running")
        finally:
            server.terminate()
            server.wait(20)

    def test_unknown_ids_do_not_keep_the_others_alive(self):
        run, mark = self.start_sleepers()
        code, out, err = self.outlast("kill", "zzzz", run["run_id"])
        self.assertEqual(code, 2, err)
        self.assertIn("zzzz", err)
        self.assert_gone(run, mark)
        self.assertEqual(self.json_of("kill", "zzzz", code=2)["error"]["kind"], "not_found")
        self.assertEqual(self.outlast("kill", run["run_id"], "--grace", "-1")[0], 2)


class Monitor(Runs):
    def test_a_table_of_what_goes_on(self):
        self.assertIn("no runs yet", self.outlast("monitor")[2])
        done = self.background("say one\nsecond line")
        self.ok("wait", done["run_id"])
        live = self.background("tokens=4000 rate=20")
        lines = self.ok("monitor").splitlines()
        self.assertRegex(lines[0], r"^  RUN +KIND +STATUS +AGE +TIME +AGENT MODEL +CHILDREN +TEXT$")
        self.assertRegex(lines[1], rf"^\* {live['run_id']}  agent  running ")
        self.assertRegex(lines[2], rf"^  {done['run_id']}  agent  completed .*demo/fast.* say one second line$")
        data = self.json_of("monitor")["data"]
        self.assertEqual([r["run_id"] for r in data["runs"]], [live["run_id"], done["run_id"]])
        self.assertEqual((data["runs"][0]["status"], data["runs"][0]["depth"], data["more"]), ("running", 0, 0))
        self.assertEqual(self.outlast("monitor", "zzzz")[0], 2)
        self.assertEqual(self.outlast("monitor", "--since", "soon")[0], 2)
        self.assertEqual(self.outlast("monitor", "-w", "--refresh", "0")[0], 2)

    def test_watching_ends_with_the_last_run_and_prints_changes_alone(self):
        run = self.background("tokens=30 rate=20")
        code, out, err = self.outlast("monitor", run["run_id"], "-w", "--refresh", "0.1")
        self.assertEqual(code, 0, err)
        tables = out.count("  RUN ")
        self.assertTrue(1 <= tables <= 3, out)
        self.assertRegex(out.splitlines()[-1], rf"^  {run['run_id']}  agent  completed ")

    def test_ctrl_c_leaves_the_watch(self):
        run = self.background("tokens=4000 rate=20")
        watch = subprocess.Popen([BIN, "monitor", "-w", "--refresh", "30"], env=self.env, stdout=subprocess.PIPE, text=True)
        self.assertIn("RUN", watch.stdout.readline())
        watch.send_signal(signal.SIGINT)
        self.assertEqual(watch.wait(10), 130)
        watch.stdout.close()
        self.assertEqual(self.status(run["run_id"], 3)["status"], "running")

    def test_a_terminal_is_repainted(self):
        run = self.background("tokens=20 rate=20")
        try:
            pid, fd = pty.fork()
        except OSError as error:
            self.skipTest(f"no terminal to be had here: {error}")
        if pid == 0:
            os.execve(BIN, [BIN, "monitor", "-w", "--refresh", "0.1"], self.env)
        text, end = "", time.monotonic() + 20
        while time.monotonic() < end:
            if select.select([fd], [], [], 0.1)[0]:
                try:
                    data = os.read(fd, 65536)
                except OSError:
                    break
                text += data.decode(errors="replace")
        os.close(fd)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        self.assertGreater(text.count("\x1b[H\x1b[2J"), 2)
        self.assertIn(run["run_id"], text)

    def test_two_thousand_runs_are_quick_and_bounded(self):
        self.fill(2000)
        run = self.background("tokens=4000 rate=20")

        def quickest(*args):
            best = 9.0
            for _ in range(5):
                began = time.monotonic()
                self.outlast(*args)
                best = min(best, time.monotonic() - began)
            return best
        bare = quickest("--version")
        for args in (("monitor",), ("monitor", "--since", "10d"), ("status", run["run_id"]), ("monitor", run["run_id"]), ("kill", run["run_id"], "--dry-run")):
            self.assertLess(quickest(*args) - bare, 0.5, args)  # a few milliseconds; sanitizers and a loaded machine are given room
        lines = self.ok("monitor").splitlines()
        self.assertEqual((len(lines), lines[-1]), (1 + 21 + 1, "… and 1981 more"))
        lines = self.ok("monitor", "--since", "10d").splitlines()
        self.assertEqual((len(lines), lines[-1]), (1 + 200 + 1, "… and 1802 more"))
        # One a minute: the one that was made, those of the last ten minutes, and the live one.
        self.assertIn(len(self.ok("monitor", "--since", "10m").splitlines()), (1 + 10 + 1, 1 + 11 + 1))
        self.assertEqual(self.json_of("monitor", "--since", "0s")["data"]["more"], 0)


if __name__ == "__main__":
    unittest.main()
