"""Codex, Gemini CLI and opencode through `outlast task do --harness`: start, answer, go on in the same session, approvals, steering, stop.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_task_programs.py"""
import json, os, unittest

from task_home import MARKER, TaskHome, main


class Program(TaskHome):
    def begun(self, program, text, *flags):
        self.add("one", "--harness", program)
        said = self.do("one", "--with", text, *flags)
        return said["run_id"]

    def start_and_go_on(self, program, *, usage):
        run = self.ended(self.begun(program, "SAY first"))
        self.assertEqual((run["status"], run["content"]), ("COMPLETED", "first\n"), self.events(run["run_id"]))
        sid = self.shown()["session_id"]
        self.assertEqual((self.shown()["harness"], self.told("session")[0]["session"]), (program, sid))
        again = self.do("one", "--with", "SAY second")
        self.assertEqual((again["outcome"], again["session_id"]), ("resumed", sid))
        run = self.ended(again["run_id"])
        self.assertEqual((run["status"], run["content"]), ("COMPLETED", "second\n"), self.events(run["run_id"]))
        self.assertEqual([(s["session"], s["resumed"]) for s in self.told("session")], [(sid, None), (sid, sid)])
        self.assertEqual(self.messages("SAY second"), [f"{MARKER}\nSAY second"])
        for run in self.rows():
            self.dense(run["run_id"])
            (turn,) = self.of_type(run["run_id"], "harness_turn")
            self.assertEqual(turn.get("usage"), usage, run)
            self.assertEqual(len(self.of_type(run["run_id"], "harness_heard")), 1)
        self.only_one_writer()

    def busy_with(self, program):
        """what cannot be said to it while it works begins its next turn, in the same session"""
        run_id = self.begun(program, "SLEEP 2 SAY first")
        self.assertEqual(self.do("one", "--with", "SAY second")["outcome"], "queued")
        self.assertEqual(self.ended(run_id)["status"], "COMPLETED")
        self.assertEqual((len(self.messages("SAY second")), len(self.rows())), (1, 1))
        self.assertEqual(len({s["session"] for s in self.told("session")}), 1)
        self.only_one_writer()

    def stopped(self, program, *flags):
        run_id = self.begun(program, "RUN[[sleep 273]] SAY over", *flags)
        self.until(lambda: self.commands(), what="the command")
        self.task("stop", "one")
        self.assertEqual((self.show(run_id)["status"], self.agents(), self.with_word("273")), ("CANCELLED", [], []))


class Codex(Program):
    def test_start_and_go_on(self):
        self.start_and_go_on("codex", usage={"input": 100, "output": 10})
        self.assertEqual([call["argv"][:1] for call in self.told("call")], [["app-server"]] * 2)

    def test_approval(self):
        run_id = self.begun("codex", "ASK[[echo a >> trace]] ASK[[echo b >> trace]] SAY over")
        for number, action in enumerate(("approve", "deny")):
            self.until(lambda: len(self.of_type(run_id, "run_paused")) == number + 1, what="the question")
            self.paused(run_id)
            self.task(action, "one")
        self.assertEqual(self.ended(run_id)["content"], "over\n")
        with open(os.path.join(self.work, "trace")) as f:
            self.assertEqual(f.read(), "a\n")
        self.assertEqual([line["line"]["result"]["decision"] for line in self.told("answer")], ["accept", "decline"])

    def test_an_approval_after_kill_9(self):
        run_id = self.begun("codex", "ASK[[echo a >> trace; sleep 2]] SAY over")
        self.paused(run_id)
        self.task("approve", "one")
        self.until(self.commands, what="the command")
        self.kill(self.executors())
        self.assertEqual(self.do("one")["outcome"], "live")
        self.assertEqual((self.ended(run_id)["content"], len(self.told("answer")), len(self.starts())), ("over\n", 1, 1))
        self.dense(run_id)

    def test_steered_while_it_works(self):
        run_id = self.begun("codex", "RUN[[sleep 2]] SAY over")
        self.until(lambda: self.commands(), what="the command")
        self.assertEqual(self.do("one", "--with", "RUN[[echo steered >> trace]]")["outcome"], "queued")
        self.assertEqual(self.ended(run_id)["status"], "COMPLETED")
        (message,) = self.told("message", method="turn/steer")
        self.assertIn("echo steered", message["text"])
        with open(os.path.join(self.work, "trace")) as f:
            self.assertEqual(f.read(), "steered\n")
        self.assertEqual((len(self.starts()), len(self.of_type(run_id, "harness_heard"))), (1, 2))

    def test_stopped(self):
        self.stopped("codex")

    def test_unattended(self):
        run = self.ended(self.begun("codex", "SLEEP 1 ASK[[echo a >> trace]] SAY over", "--auto"))
        self.assertEqual(run["reason"], "run.failed.not_marked_done")
        self.assertEqual((self.told("call")[0]["argv"][0], self.commands()), ("exec", ["echo a >> trace"]))

    def test_no_login(self):
        self.add("one", "--harness", "codex")
        self.outlast("task", "do", "one", "--with", "ERR 401", seconds=60)
        self.assertEqual((self.ended(self.shown()["run_id"])["reason"], len(self.starts())), ("run.failed.provider_auth", 1))

    def test_killed_and_gone_on_with(self):
        run_id = self.begun("codex", "RUN[[sleep 274]] SAY over")
        self.until(lambda: self.commands(), what="the command")
        self.kill(self.agents())
        run = self.ended(run_id)
        self.assertEqual((run["status"], self.with_word("274")), ("COMPLETED", []))
        self.assertEqual([e.get("why") for e in self.of_type(run_id, "harness_started")], [None, "signalled"])
        self.assertEqual(len({s["session"] for s in self.told("session")}), 1)


class Gemini(Program):
    def test_start_and_go_on(self):
        self.start_and_go_on("gemini", usage={"input": 100, "output": 10})

    def test_busy_with(self):
        self.busy_with("gemini")

    def test_without_permissions_it_has_no_shell(self):
        run = self.ended(self.begun("gemini", "RUN[[echo a]] SAY over"))
        self.assertEqual((run["status"], self.commands()), ("COMPLETED", []))
        self.assertIs(self.of_type(run["run_id"], "tool_completed")[0]["is_error"], True)

    def test_stopped(self):
        """TERM leaves its command behind, and it ends with 0: neither is success"""
        self.stopped("gemini", "--dangerously-skip-permissions")

    def test_an_error_is_told_by_its_words(self):
        self.add("one", "--harness", "gemini")
        self.outlast("task", "do", "one", "--with", "ERR 400", seconds=60)
        run = self.ended(self.shown()["run_id"])
        self.assertEqual((run["reason"], len(self.starts())), ("run.failed.harness", 1), self.events(run["run_id"]))
        self.assertIn("the provider said so", json.dumps(run["error"]))


class Opencode(Program):
    def test_start_and_go_on(self):
        self.start_and_go_on("opencode", usage={"input": 100, "output": 10})

    def test_busy_with(self):
        self.busy_with("opencode")

    def test_stopped(self):
        self.stopped("opencode")

    def test_silence_is_caught(self):
        """its errors are tried again for ever, in silence"""
        self.config(idle_timeout=1.5)
        run_id = self.begun("opencode", "ERR 500")
        self.assertEqual(self.ended(run_id)["status"], "COMPLETED")
        self.assertEqual([e["why"] for e in self.of_type(run_id, "harness_ended")], ["idle", "exited"])
        self.assertEqual((len(self.messages("ERR 500")), len({s["session"] for s in self.told("session")})), (1, 1))

    def test_without_a_last_word(self):
        self.config(after_result_timeout=1, idle_timeout=1.5)
        run = self.ended(self.begun("opencode", "SLEEP 0.5 NO_RESULT"))
        self.assertEqual(run["reason"], "run.failed.no_result")


if __name__ == "__main__":
    main()
