"""What becomes of a turn: lines that are no lines (R4), states and outcomes (R13-R17), money (R18), no crash loops (R23).

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_task_outcomes.py"""
import glob, json, os, time, unittest

from task_home import TaskHome, alive, main, within


class Turn(TaskHome):
    def begun(self, text, *flags):
        self.add()
        self.outlast("task", "do", "one", "--with", text, *flags, seconds=60)
        return self.shown()["run_id"]

    def after(self, text, *flags):
        """the run's end"""
        return self.ended(self.begun(text, *flags))

    def outcome(self, text, status, reason, *flags, starts=1):
        run = self.after(text, *flags)
        self.assertEqual((run["status"], run["reason"]), (status, reason), self.events(run["run_id"]))
        self.assertEqual(len(self.starts()), starts)
        self.assertEqual(self.agents(), [])
        self.dense(run["run_id"])
        self.only_one_writer()
        return run

    def processes_of(self, run_id):
        """why each process of the run ended"""
        return [e["why"] for e in self.of_type(run_id, "harness_ended")]

    def output_of(self, run_id):
        (path,) = glob.glob(os.path.join(self.home, "children", run_id, "*", "stdout"))
        with open(path, "rb") as f:
            return f.read()


class R04Lines(Turn):
    def test_r04_garbage_between_the_lines(self):
        run = self.outcome("GARBAGE RUN[[echo hi]] GARBAGE SAY fine", "COMPLETED", "run.completed.ok")
        self.assertEqual(run["content"], "fine\n")
        self.assertEqual(self.output_of(run["run_id"]).count(b"}{ this is no JSON"), 2, "every byte is kept")

    def test_r04_a_line_in_pieces(self):
        run = self.outcome("SPLIT RUN[[echo hi]] SPLIT THINK well\nSPLIT SAY fine", "COMPLETED", "run.completed.ok")
        self.assertEqual(run["content"], "fine\n")
        self.assertEqual([e["text"] for e in self.of_type(run["run_id"], "thinking")], ["well"])

    def test_r04_a_huge_line(self):
        run = self.outcome("HUGE SAY fine", "COMPLETED", "run.completed.ok")
        texts = [e["text"] for e in self.of_type(run["run_id"], "text")]
        self.assertEqual((set(texts[0].split("\n")[0]), texts[-1]), ({"x"}, "fine\n"))
        self.assertIn(b"x" * 1_000_000, self.output_of(run["run_id"]))

    def test_r04_standard_error_is_no_protocol(self):
        self.add("one", "--harness", "gemini")
        said = self.do("one", "--with", "SAY fine")
        self.assertEqual(self.ended(said["run_id"])["content"], "fine\n")
        self.assertNotIn(b"Loaded cached credentials", self.output_of(said["run_id"]))
        with open(glob.glob(os.path.join(self.home, "children", said["run_id"], "*", "stderr"))[0]) as f:
            self.assertIn("Loaded cached credentials", f.read())


class R13States(Turn):
    def test_r13_a_state_says_why(self):
        run_id = self.begun("SLEEP 100")
        (agent,) = self.agents()
        self.assertEqual(self.shown()["state"], f"running (pid {agent})")
        self.kill([*self.executors(), *self.shims(), agent])
        self.assertEqual(self.shown()["state"], "running (no process now)")
        self.assertEqual(self.shown()["live"], False)
        self.task("stop", "one")
        self.assertEqual(self.shown()["state"], "ended: cancelled, run.cancelled.manual_kill")
        self.assertEqual(self.show(run_id)["status"], "CANCELLED")

    def test_r07_another_process_with_its_number_is_not_it(self):
        run_id = self.begun("SLEEP 100")
        self.kill([*self.executors(), *self.shims(), *self.agents()])
        (path,) = glob.glob(os.path.join(self.home, "children", run_id, "*", "process"))
        with open(path) as f:
            identity = f.read()
        old = json.loads(identity)["pid"]
        with open(path, "w") as f:
            f.write(identity.replace(str(old), str(os.getpid()), 1))
        self.assertEqual(self.shown()["live"], False)
        self.task("stop", "one")
        self.assertTrue(alive(os.getpid()))

    def test_r14_stopped_is_no_success(self):
        """claude ends with 0 after INT, gemini after TERM"""
        for program in ("claude", "gemini"):
            self.add(program, "--harness", program)
            said = self.do(program, "--with", "SLEEP 100")
            self.until(lambda: self.told("message"), what="the message")
            os.kill(self.agents()[0], 2 if program == "claude" else 15)
            self.until(lambda: self.processes_of(said["run_id"]), 30, "the end of it")
            self.task("stop", program)
            self.assertEqual(self.show(said["run_id"])["status"] in ("CANCELLED", "ERROR"), True, program)
            self.assertEqual([e for e in self.of_type(said["run_id"], "harness_turn") if e["outcome"] == "done"], [])


class R15Outcomes(Turn):
    def test_r15_ok(self):
        self.assertEqual(self.outcome("SAY fine", "COMPLETED", "run.completed.ok")["error"], None)

    def test_r15_an_error_with_subtype_success(self):
        run = self.outcome("ERR 400", "ERROR", "run.failed.harness")
        self.assertIn("API Error: 400", json.dumps(run["error"]))
        self.assertIn('"subtype": "success"', self.output_of(run["run_id"]).decode())

    def test_r15_no_result(self):
        run = self.outcome("SLEEP 1 NO_RESULT", "ERROR", "run.failed.no_result")
        self.assertIn("without a result", json.dumps(run["error"]))

    def test_r15_an_exit_code(self):
        self.assertIn("exit code 7", json.dumps(self.outcome("SLEEP 1 EXIT 7", "ERROR", "run.failed.harness")["error"]))

    def test_r15_after_an_exit_the_task_can_go_on(self):
        first = self.outcome("THINK x\nEXIT 7", "ERROR", "run.failed.harness")
        again = self.ended(self.do("one", "--with", "SAY better")["run_id"])
        self.assertEqual((again["status"], again["content"]), ("COMPLETED", "better\n"))
        self.assertNotEqual(first["run_id"], again["run_id"])


class R16Deadlines(Turn):
    def test_r16_after_the_result(self):
        self.config(after_result_timeout=1)
        run = self.outcome("HANG_AFTER_RESULT SAY fine", "COMPLETED", "run.completed.ok")
        self.assertEqual((run["content"], self.processes_of(run["run_id"])), ("fine\n", ["after_result"]))

    def test_r16_idle(self):
        """ended, and gone on with: what it had heard is not told again"""
        self.config(idle_timeout=1.5)
        run = self.outcome("THINK heard\nSILENT", "COMPLETED", "run.completed.ok", starts=2)
        self.assertEqual(self.processes_of(run["run_id"]), ["idle", "exited"])
        self.assertEqual(len(self.messages("You were interrupted")), 1)
        self.assertEqual(len(self.messages("SILENT")), 1)

    def test_r16_idle_with_a_message_that_it_knew_and_had_not_confirmed(self):
        """the same message is no turn a second time: it is told to go on at once"""
        self.config(idle_timeout=1.5)
        run = self.outcome("SILENT", "COMPLETED", "run.completed.ok", starts=2)
        self.assertEqual((self.processes_of(run["run_id"]), len(self.messages("SILENT")), len(self.messages("You were interrupted"))), (["idle", "exited"], 1, 1))

    def test_r16_a_command_may_be_silent(self):
        self.config(idle_timeout=1)
        run = self.outcome("RUN[[sleep 3]] SAY fine", "COMPLETED", "run.completed.ok")
        self.assertEqual(self.processes_of(run["run_id"]), ["exited"])

    def test_r16_a_question_may_wait(self):
        self.config(idle_timeout=1)
        run_id = self.begun("ASK[[true]] SAY fine")
        self.paused(run_id)
        time.sleep(2.5)
        self.assertEqual((self.show(run_id)["status"], len(self.agents())), ("PAUSED", 1))
        self.task("approve", "one")
        self.assertEqual(self.ended(run_id)["content"], "fine\n")
        self.assertEqual(len(self.starts()), 1)

    def test_r16_start(self):
        self.config(start_timeout=2)
        self.switch("deaf")
        run = self.after("SAY never")
        self.assertEqual((run["status"], run["reason"], self.agents()), ("ERROR", "run.failed.worker_lost", []))
        self.assertEqual(self.processes_of(run["run_id"]), ["start"] * 3)
        self.assertIsNone(self.shown()["session_id"])

    def test_r16_who_ignores_term_is_killed(self):
        self.config(idle_timeout=1)
        run = self.outcome("IGNORE_TERM THINK x\nSILENT", "COMPLETED", "run.completed.ok", starts=2)
        self.assertEqual(self.of_type(run["run_id"], "harness_ended")[0]["signal"], 9)

    def test_r16_who_ignores_term_is_stopped(self):
        run_id = self.begun("IGNORE_TERM SLEEP 200")
        self.until(lambda: self.told("message"), what="the message")
        time.sleep(0.5)
        self.task("stop", "one")
        self.assertEqual((self.show(run_id)["status"], self.agents()), ("CANCELLED", []))

    def forked(self):
        return [line["child"] for line in self.told("forked")]

    def test_r16_what_it_left_behind_ends_with_it(self):
        self.outcome("FORK SAY fine", "COMPLETED", "run.completed.ok")
        (child,) = self.forked()
        self.assertTrue(within(5, lambda: not alive(child)))

    def test_r16_what_it_left_behind_ends_when_it_is_stopped(self):
        self.begun("FORK RUN[[sleep 271]]")
        self.until(lambda: self.forked() and self.commands(), what="its child")
        self.assertTrue(alive(self.forked()[0]))
        self.task("stop", "one")
        self.assertEqual(([alive(child) for child in self.forked()], self.with_word("271"), self.agents()), ([False], [], []))

    def test_r16_what_a_killed_one_left_behind_ends_before_the_next_begins(self):
        run_id = self.begun("FORK RUN[[sleep 272]]")
        self.until(lambda: self.forked() and self.commands(), what="its child")
        self.kill(self.agents())
        self.assertEqual(self.ended(run_id)["status"], "COMPLETED")
        self.assertEqual(([alive(child) for child in self.forked()], self.with_word("272")), ([False], []))


class R17Retries(Turn):
    def test_r17_no_login_is_not_tried_again(self):
        run = self.outcome("ERR 401", "ERROR", "run.failed.provider_auth")
        self.assertIn("401", json.dumps(run["error"]))
        self.assertEqual(len(self.messages("ERR 401")), 1)

    def test_r17_a_passing_failure_is(self):
        began = time.monotonic()
        run = self.outcome("THINK x\nERR 529", "COMPLETED", "run.completed.ok", starts=2)
        (wait,) = self.of_type(run["run_id"], "harness_waits")
        self.assertTrue(wait["why"].startswith("again: "), wait)
        self.assertGreater(time.monotonic() - began, 1.5)
        self.assertEqual(len(self.messages("ERR 529")), 1)

    def test_r17_a_limit_is_waited_for(self):
        self.add("one", "--harness", "codex")
        said = self.do("one", "--auto", "--with", "SLEEP 1 ERR 429")
        self.until(lambda: self.of_type(said["run_id"], "harness_waits"), 30, "the wait")
        (wait,) = self.of_type(said["run_id"], "harness_waits")
        self.assertTrue(wait["why"].startswith("limit: "), wait)
        self.ended(said["run_id"])
        starts = self.of_type(said["run_id"], "harness_started")
        self.assertEqual([e.get("why") for e in starts], [None, "limit"])
        self.assertGreaterEqual(starts[1]["at"], wait["until_ms"])
        self.assertEqual([e["outcome"] for e in self.of_type(said["run_id"], "harness_turn")], ["limited", "done"])
        self.assertEqual(len(set(m["session"] for m in self.told("message"))), 1)

    def test_r17_a_limit_of_which_only_the_next_try_is_known(self):
        """the program names a tenth of a second, its own next try: that is no reason to hurry"""
        run_id = self.begun("SLEEP 1 ERR 429")
        self.until(lambda: self.of_type(run_id, "harness_waits"), 30, "the wait")
        (wait,) = self.of_type(run_id, "harness_waits")
        self.assertGreaterEqual(wait["until_ms"] - wait["at"], 1_500)
        self.assertEqual(self.ended(run_id)["status"], "COMPLETED", "a limit is no failure")
        starts = self.of_type(run_id, "harness_started")
        self.assertEqual([e.get("why") for e in starts], [None, "limit"])
        self.assertGreaterEqual(starts[1]["at"], wait["until_ms"])

    def test_r23_who_always_dies_is_given_up(self):
        self.switch("think_ms", 100_000)
        run_id = self.begun("SAY never")
        for number in range(1, 4):
            self.until(lambda: len(self.told("session")) == number, 30, f"process {number}")
            self.kill(self.agents())
        run = self.ended(run_id)
        self.assertEqual((run["status"], run["reason"]), ("ERROR", "run.failed.worker_lost"))
        self.assertIn("3 times", json.dumps(run["error"]))
        time.sleep(1.5)
        self.assertEqual((len(self.starts()), self.executors()), (3, []), "what has ended is not begun again")

    def test_r23_a_users_stop_wins(self):
        self.config(idle_timeout=1)
        run_id = self.begun("SILENT")
        self.until(lambda: self.processes_of(run_id), 30, "the first end")
        self.task("stop", "one")
        starts = len(self.starts())
        time.sleep(3)
        self.assertEqual((self.show(run_id)["status"], len(self.starts()), self.agents()), ("CANCELLED", starts, []))


class R18Money(Turn):
    def test_r18_what_a_killed_turn_has_used_is_estimated(self):
        self.add()
        run = self.do("one", "--with", "THINK of much\nRUN[[echo hi]] SLEEP 60", "--dangerously-skip-permissions")["run_id"]
        self.until(lambda: self.of_type(run, "tool_completed"), 40, "the call")
        self.task("stop", "one")
        (ended,) = self.of_type(run, "harness_ended")
        self.assertGreater(ended["used_about"]["input"], 0)
        self.assertGreater(self.show(run)["usage"]["output_tokens"], 0)
        self.assertIn("(used about ", self.ok("logs", run))

    def test_r18_money_and_tokens_are_those_of_the_turn(self):
        run_id = self.begun("SLEEP 2 SAY one")
        self.ok("task", "send", "one", "RUN[[true]] SAY two")
        run = self.ended(run_id)
        turns = [(e["usage"], e["cost_micros"]) for e in self.of_type(run_id, "harness_turn")]
        self.assertEqual(turns, [({"input": 100, "output": 10}, 500), ({"input": 200, "output": 20}, 1000)])
        self.assertEqual(self.events(run_id)[-1]["usage"], {"input": 300, "output": 30, "cost_micros": 1500})
        self.assertEqual(run["content"], "one\ntwo\n")
        again = self.do("one", "--with", "SAY three")["run_id"]
        self.ended(again)
        self.assertEqual([(e["usage"], e["cost_micros"]) for e in self.of_type(again, "harness_turn")], [({"input": 100, "output": 10}, 500)], "not what the session has cost")

    def test_r18_a_budget_ends_it_and_its_session_is_gone_on_with(self):
        self.add()
        for budget, reason, why in ((("--max-cost", "0.0005"), "run.failed.cost_limit", "$0.0005"), (("--max-tokens", "100"), "run.failed.token_limit", "100 tokens")):
            run_id = self.do("one", "--with", "SLEEP 2 SAY one", *budget, "--dangerously-skip-permissions")["run_id"]
            self.ok("task", "send", "one", "SLEEP 100 SAY two")
            run = self.ended(run_id)
            self.assertEqual((run["status"], run["reason"]), ("ERROR", reason))
            self.assertIn(why, json.dumps(run["error"]))
            self.assertEqual(self.agents(), [])
            self.assertEqual(self.ended(self.do("one", "--with", "SAY three")["run_id"])["status"], "COMPLETED")
        self.assertEqual(len(set(m["session"] for m in self.told("message"))), 1)

    def test_r18_a_budget_that_cannot_be_kept_is_refused(self):
        self.add()
        for words, why in ((("--harness", "codex", "--max-cost", "1"), "codex does not tell what it costs"), (("--max-cost", "0"), "above 0")):
            code, _, err = self.outlast("task", "do", "one", *words)
            self.assertEqual(code, 2)
            self.assertIn(why, err)
        self.assertEqual(self.starts(), [])


if __name__ == "__main__":
    main()
