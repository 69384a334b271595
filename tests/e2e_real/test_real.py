"""`outlast task` with the real Claude Code and the real Codex, as a user would type it, against a scripted model on loopback.

    scripts/e2e-real            (make e2e-real)      or, with the programs in $E2E_DIR/bin already:
    OUTLAST_BIN=build/quick/outlast python3 tests/e2e_real/test_real.py [Test.name ...]"""
import json, os, re, subprocess, time, unittest, urllib.parse, urllib.request

from world import BIN, World

CLAUDE, CODEX = "claude-code-linux-x64/claude -p", "bin/codex app-server"


class Talk(World):
    """What both programs are put through; `harness`, `program` and how they are told to run a command differ."""
    harness, program, asks = None, None, False

    def add(self, *flags, **more):
        super().add("--harness", self.harness, *flags, **more)

    def agents(self):
        return [pid for pid, _start, _line in self.processes(self.program)]

    def tools(self, words):
        """the processes of a tool under way"""
        return [one for one in self.processes(words) if self.program not in one[2]]

    def until_idle(self):
        """nothing of this world is left running"""
        self.until(lambda: not self.processes(), 20, lambda: "left over")

    def bring(self, text, *flags):
        """`task do --with`; in what it answers, the run"""
        return self.do("--with", text, *flags)["run_id"]

    def until_it_asks(self):
        self.until_status("PAUSED")
        return self.shown()

    def begin_tool(self, words):
        """the tool under way; who asks for it is allowed to"""
        def runs():
            if self.asks and self.status() == "PAUSED":
                self.outlast("task", "approve", "t")
            return self.tools(words)
        return self.until(runs, 30, lambda: self.events())


class Sessions:
    """start, talk, stop, bring back"""

    def test_a_session_is_started_talked_to_stopped_and_brought_back(self):
        slow, quick = "RUN[[sleep 7 && echo once >> ran]] SAY first", "SAY and back"
        self.add()
        first = self.do("--with", slow)
        sid = self.until(lambda: self.shown()["session_id"], 20)
        self.assertRegex(first["session_id"] or sid, "^" + sid)
        self.assertIn("[live]", self.notes())
        self.begin_tool("sleep 7")
        before = self.agents()
        again = self.do()
        self.assertEqual((again["outcome"], again["run_id"], again["session_id"]), ("live", first["run_id"], sid))
        self.assertEqual(self.agents(), before)
        self.assertEqual(len(before), 1)
        told = self.do("--with", "SAY told while at work")
        self.assertEqual((told["outcome"], told["run_id"]), ("queued", first["run_id"]))
        self.until_status("COMPLETED")
        self.assertEqual(self.lines("ran"), ["once"])
        said = "".join(rest for _i, kind, rest in self.events() if kind == "text")
        self.assertIn("told while at work", said)
        self.until_idle()
        self.assertNotIn("[live]", self.notes())
        # stop, in the middle of a tool
        self.bring(slow.replace("once", "twice"))
        self.begin_tool("sleep 7")
        self.assertIn("Stopped", self.task("stop", "t"))
        self.until_idle()
        self.assertEqual(self.lines("ran"), ["once"])
        self.assertEqual(self.shown()["session_id"], sid)
        self.assertEqual(self.status(), "CANCELLED")
        # and back: the same conversation, and nothing of it is done again
        back = self.do("--with", quick)
        self.assertEqual((back["outcome"], back["session_id"]), ("resumed", sid))
        self.until_status("COMPLETED")
        self.assertEqual(self.lines("ran"), ["once"])
        request = self.asked("SAY and back")[-1]
        self.assertTrue(any("told while at work" in text for text in request["texts"]), request["texts"])
        self.assertEqual(self.sessions(), {sid})
        shown = self.shown()
        self.assertEqual(shown["session_id"], sid)
        self.assertTrue(shown["session_last_resumed"])
        transcript = self.task("transcript", "t")
        for words in ("─── User ───", "─── Assistant ───", "told while at work", "and back"):
            self.assertIn(words, transcript)
        self.assertIn("t is done", self.task("done", "t", "--no-close-out"))
        self.assertEqual(self.shown()["status"], "done")


class Approvals:
    """what it may not do by itself: in manual mode (claude), untrusted (codex)"""
    note_is_told = True

    def ask(self):
        self.add()
        self.do("--with", "RUN[[echo once >> ran]] SAY that is all")
        shown = self.until_it_asks()
        self.assertIn("run.paused.approval", shown["state"])
        self.assertEqual(len(shown["asks"]), 1)
        self.assertIn("echo once >> ran", shown["asks"][0]["arguments"]["command"])
        self.assertRegex(self.task("show", "t"), r"(?m)^asks_for: .*echo once >> ran.*outlast task approve t")
        self.assertRegex(self.ok("ls"), r"(?m)^\* .*PAUSED")
        self.assertEqual(self.lines("ran"), [])
        return shown

    def through(self, shown, before):
        self.until_status("COMPLETED")
        self.assertIn("that is all", "".join(rest for _i, kind, rest in self.events() if kind == "text"))
        self.assertEqual(self.kinds().count("harness_started"), 1, "the process that asked went on")
        self.assertEqual(self.shown()["session_id"], shown["session_id"])
        self.until_idle()

    def test_an_approval_outlives_its_executor_and_is_given_on_the_command_line(self):
        self.add()
        self.do("--with", "SLEEP 1 RUN[[echo once >> ran]] SAY that is all")
        self.assertTrue(self.kill_executor())
        before = self.agents()
        time.sleep(2)  # it asks when nobody is there to hear it
        self.do()  # somebody looks: an executor is there again
        shown = self.until_it_asks()
        self.kill_executor()
        self.assertEqual(self.agents(), before)
        self.assertEqual(self.status(), "PAUSED")
        self.assertIn("approved", self.task("approve", "t"))
        self.through(shown, before)
        self.assertEqual(self.lines("ran"), ["once"])

    def test_an_approval_is_given_over_http(self):
        shown, before = self.ask(), self.agents()
        run = json.loads(self.ok("show", shown["run_id"], "--json"))
        with self.server() as url:
            path = f"{url}/agents/{self.harness}/runs/{run['run_id']}"
            with urllib.request.urlopen(f"{path}?session_id={run['session_id']}", timeout=10) as answer:
                paused = json.load(answer)
            self.assertEqual(paused["status"], "PAUSED")
            tools = json.dumps([{"tool_call_id": shown["asks"][0]["call_id"], "confirmed": True}])
            form = urllib.parse.urlencode({"session_id": run["session_id"], "stream": "false", "tools": tools}).encode()
            with urllib.request.urlopen(path + "/continue", form, timeout=40) as answer:
                self.assertEqual(json.load(answer)["status"], "COMPLETED")
        self.through(shown, before)
        self.assertEqual(self.lines("ran"), ["once"])

    def test_a_refusal_is_told_and_nothing_is_done(self):
        shown, before = self.ask(), self.agents()
        self.assertIn("denied", self.task("deny", "t", "--note", "not in this directory"))
        self.through(shown, before)
        self.assertEqual(self.lines("ran"), [])
        told = [text for kind, text in self.model.calls[-1]["steps"] if kind == "result"]
        self.assertEqual(len(told), 1)
        if self.note_is_told:
            self.assertIn("not in this directory", told[0])

    def test_a_program_that_is_killed_while_it_waits_goes_on_after_the_decision(self):
        shown = self.ask()
        self.kill(self.program)
        self.assertEqual(self.status(), "PAUSED")
        self.assertIn("approved", self.task("approve", "t"))
        self.until_status("COMPLETED")
        # The call that was allowed has gone with the process that asked: it is told so, and may ask again.
        self.assertEqual((self.lines("ran"), self.sessions()), ([], {shown["session_id"]}))
        self.assertIn("You were interrupted", self.model.calls[-1]["last"])
        self.until_idle()

    def test_what_waits_for_a_person_can_be_stopped(self):
        self.ask()
        self.assertIn("Stopped", self.task("stop", "t"))
        self.until_idle()
        self.assertEqual((self.status(), self.lines("ran")), ("CANCELLED", []))


class Failures:
    """limits, keys, kills"""

    def test_a_limit_is_waited_for(self):
        self.add()
        begun = time.time()
        self.do("--with", self.limited)
        self.until(lambda: "harness_waits" in self.kinds(), 30, lambda: self.events())
        shown = self.shown()
        self.assertRegex(shown["state"], r"^waiting: limit: .*(429|usage limit).*, until \d{4}-\d\d-\d\dT")
        self.assertFalse(shown["live"])
        self.until_status("COMPLETED", seconds=60)
        self.assertGreater(time.time() - begun, 3)
        self.assertEqual(self.sessions(), {shown["session_id"]})
        self.assertIn("The usage limit is over", "".join(self.model.calls[-1]["texts"]))
        self.until_idle()

    def test_a_refused_key_is_not_tried_again(self):
        self.add()
        self.outlast("task", "do", "t", "--with", "ERR 401")
        self.until_status("ERROR")
        run = json.loads(self.ok("show", self.shown()["run_id"], "--json"))
        self.assertRegex(run["reason"], "auth")
        self.assertEqual(self.kinds().count("harness_started"), 1)
        self.assertLessEqual(len(self.asked("ERR 401")), 4)
        self.until_idle()

    def start_slow_tool(self):
        self.add()
        first = self.do("--with", "RUN[[echo begun >> ran && sleep 8 && echo ended >> ran]] SAY that is all")
        self.begin_tool("sleep 8")
        self.until(lambda: self.lines("ran") == ["begun"], 10)
        return first

    def test_a_killed_program_goes_on_in_the_same_session_and_repeats_nothing(self):
        self.start_slow_tool()
        sid = self.shown()["session_id"]
        self.kill(self.program)
        self.until_status("COMPLETED")
        self.assertEqual(self.kinds().count("harness_started"), 2)
        self.assertEqual(self.tools("sleep 8"), [])
        self.assertEqual(self.sessions(), {sid})
        time.sleep(8)  # the tool that was cut would have ended by now
        self.assertEqual(self.lines("ran"), ["begun"])
        last = self.model.calls[-1]
        self.assertIn("You were interrupted", last["last"])
        self.assertEqual(len([text for text in last["texts"] if "echo begun" in text]), 1)
        self.until_idle()

    def test_a_killed_executor_loses_nothing(self):
        first = self.start_slow_tool()
        before = self.agents()
        self.assertTrue(self.kill_executor())
        self.until(lambda: self.lines("ran") == ["begun", "ended"], 20)
        self.assertEqual(self.agents(), before)
        self.until(lambda: self.asked("echo begun")[-1]["step"] == 1, 10)
        again = self.do()  # gives the run an executor again
        self.assertEqual(again["run_id"], first["run_id"])
        self.until_status("COMPLETED")
        kinds = self.kinds()
        self.assertEqual([kinds.count(one) for one in ("harness_started", "tool_started", "tool_completed", "harness_turn")], [1, 1, 1, 1])
        self.assertIn("that is all", "".join(rest for _i, kind, rest in self.events() if kind == "text"))
        self.assertEqual([int(index) for index, _kind, _rest in self.events()], list(range(len(kinds))))
        self.assertEqual(self.lines("ran"), ["begun", "ended"])
        self.until_idle()

    def test_both_killed_in_a_tool_is_one_session_that_goes_on(self):
        self.start_slow_tool()
        sid = self.shown()["session_id"]
        self.do("--with", "SAY told just before")
        self.kill_executor()
        self.kill(self.program)
        self.do()
        self.until_status("COMPLETED")
        self.assertEqual((self.sessions(), self.lines("ran")), ({sid}, ["begun"]))
        texts = self.model.calls[-1]["texts"]
        self.assertEqual([sum(words in text for text in texts) for words in ("told just before", "echo begun")], [1, 1], texts)
        self.until_idle()

    def test_two_commands_at_once_start_one(self):
        self.add()
        both = [subprocess.Popen([BIN, "task", "do", "t", "--json", "--with", f"SAY from {i}"], env=self.env, cwd=self.work, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for i in range(2)]
        said = [child.communicate(timeout=60) for child in both]
        self.assertEqual([child.returncode for child in both], [0, 0], said)
        self.until_status("COMPLETED")
        self.assertEqual(self.sessions(), {self.shown()["session_id"]})
        texts = self.model.calls[-1]["texts"]
        self.assertEqual([sum(f"SAY from {i}" in text for text in texts) for i in range(2)], [1, 1], texts)
        self.until_idle()

    def test_nobody_is_asked_unattended_and_it_closes_the_task_itself(self):
        with open(os.path.join(self.home, ".bash_profile"), "w") as f:
            f.write('PATH="$HOME/bin:$PATH"\n')  # codex' commands run in a login shell, which has a PATH of its own
        self.add()
        self.do("--auto", "--with", "RUN[[echo once >> ran]] RUN[[outlast task done t]] SAY that is all")
        self.until_status("COMPLETED", "ERROR")
        shown = self.shown()
        self.assertEqual((shown["status"], shown["auto_run"], self.status()), ("done", "completed", "COMPLETED"), self.events())
        self.assertEqual(self.lines("ran"), ["once"])
        self.until_idle()
        # and one that does not say that it is done has failed; the session is the same
        self.task("reopen", "t")
        self.do("--auto", "--with", "SAY given up")
        self.until_status("COMPLETED", "ERROR")
        again = self.shown()
        self.assertEqual((again["session_id"], again["auto_run"], self.status()), (shown["session_id"], "failed", "ERROR"))
        self.assertIn("not_marked_done", again["state"])
        self.until_idle()

    def test_stop_leaves_no_process_of_the_tree(self):
        self.add()
        self.do("--with", "RUN[[setsid sleep 61 & sleep 62]] SAY no")
        self.begin_tool("sleep 62")
        self.until(lambda: self.processes("sleep 61"), 10)
        self.assertIn("Stopped", self.task("stop", "t"))
        self.assertEqual([line for _pid, _start, line in self.processes() if not line.startswith("outlast execute")], [])
        self.until_idle()
        self.assertIn("nothing of task 't' is at work", self.task("stop", "t"))


class ClaudeSessions(Sessions, Talk):
    harness, program = "claude", CLAUDE

    def setUp(self):
        super().setUp()
        self.allow_bash()


class ClaudeApprovals(Approvals, Talk):
    harness, program = "claude", CLAUDE


class ClaudeFailures(Failures, Talk):
    harness, program = "claude", CLAUDE
    limited = "ERR 429 x2 AFTER 3 SAY limited"

    def setUp(self):
        super().setUp()
        self.allow_bash()
        self.env["CLAUDE_CODE_MAX_RETRIES"] = "1"


class CodexSessions(Sessions, Talk):
    harness, program, asks = "codex", CODEX, True


class CodexApprovals(Approvals, Talk):
    harness, program, note_is_told = "codex", CODEX, False


class CodexFailures(Failures, Talk):
    harness, program, asks = "codex", CODEX, True
    limited = "ERR 429 x2 AFTER 3 SAY limited"


class ClaudeBackground(Talk):
    """OUTLAST_TERM=bg: the agents are Claude's own, in its daemon"""
    harness, program = "claude", CLAUDE

    def setUp(self):
        super().setUp()
        self.allow_bash()
        self.env["OUTLAST_TERM"] = "bg"

    def tearDown(self):
        subprocess.run(["claude", "daemon", "stop", "--any"], env=self.env, cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True, timeout=30,
                       executable=os.path.join(os.environ.get("E2E_DIR", "/tmp/e2e-real"), "bin/claude"))
        super().tearDown()

    def claude(self, *args):
        p = subprocess.run(["claude", *args], env=self.env, cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                           executable=os.path.join(os.environ.get("E2E_DIR", "/tmp/e2e-real"), "bin/claude"))
        self.assertEqual(p.returncode, 0, (args, p.stdout, p.stderr))
        return p.stdout

    def registry(self):
        return [one for one in json.loads(self.claude("agents", "--json", "--all")) if one["kind"] == "background"]

    def until_at_rest(self):
        """the one agent has done its turn and waits"""
        def rests():
            found = self.registry()
            return len(found) == 1 and found[0].get("pid") and found[0].get("status") == "idle" and found[0]
        return self.until(rests, 40, self.registry)

    def test_a_session_in_the_background(self):
        self.add()
        first = self.do("--with", "RUN[[sleep 6 && echo once >> ran]] SAY first")
        sid = first["session_id"]
        self.assertEqual(first["outcome"], "started")
        self.assertRegex(first["message"], rf"^Spawned t in background \(session {sid}\) — {sid[:8]} · t$")
        self.assertEqual(self.shown()["session_id"], sid)
        self.assertEqual(len(self.registry()), 1)
        self.until(lambda: "[live]" in self.notes(), 90)  # the registry is given 2 s, which a busy machine may not keep
        again = self.do()
        self.assertEqual((again["outcome"], again["session_id"]), ("live", sid))
        self.assertRegex(again["message"], rf"^t is open in your Agent View \({sid[:8]}, \w+/\w+\) — run `claude agents` to view or reply$")
        self.assertEqual(len(self.registry()), 1)
        # to one at work: told when its turn is over
        told = self.do("--with", "SAY told while at work")
        self.assertEqual(told["outcome"], "queued")
        self.until(lambda: self.asked("told while at work"), 60, self.registry)
        self.assertEqual(self.lines("ran"), ["once"])
        self.until_at_rest()
        self.assertEqual(self.shown()["session_id"], sid)
        # to one at rest: at once
        self.do("--with", "SAY told at rest")
        self.until(lambda: self.asked("told at rest"), 40, self.registry)
        self.assertEqual([len(self.asked(words)) for words in ("told while at work", "told at rest")], [1, 1])
        self.until_at_rest()
        self.assertRegex(self.shown()["bg_status"], rf"^idle/\w+ \(pid \d+, id {sid[:8]}\)$")
        # stop, and back
        self.assertIn("Stopped", self.task("stop", "t"))
        self.assertNotIn("[live]", self.notes())
        back = self.do()
        self.assertEqual(back["outcome"], "resumed")
        sid = back["session_id"]
        self.assertEqual(self.shown()["session_id"], sid)
        self.until(lambda: "[live]" in self.notes(), 90)  # the registry is given 2 s, which a busy machine may not keep
        # removed from the registry: the conversation is brought back all the same
        self.task("stop", "t")
        self.claude("rm", next(one["id"] for one in self.registry() if one["sessionId"] == sid))
        self.assertEqual(self.registry(), [])
        self.assertIn("absent", self.shown()["bg_status"])
        back = self.do("--with", "SAY after it was removed")
        self.assertEqual(back["outcome"], "resumed")
        asked = self.until(lambda: self.asked("after it was removed"), 40, self.registry)
        self.assertTrue(any("told at rest" in text for text in asked[-1]["texts"]), asked[-1]["texts"])
        self.assertEqual(self.shown()["session_id"], self.until_at_rest()["sessionId"])
        self.assertEqual(self.lines("ran"), ["once"])
        transcript = self.task("transcript", "t")
        for words in ("─── User ───", "─── Assistant ───", "told at rest", "after it was removed"):
            self.assertIn(words, transcript)
        self.assertIn("t is done", self.task("done", "t", "--no-close-out"))
        self.assertEqual(self.shown()["status"], "done")


if __name__ == "__main__":
    unittest.main(verbosity=2)
