"""Talking to a task's agent: messages (R10), approvals (R11), stop (R12), the last words of `task done`, and the JSON of it all.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_task_talk.py"""
import json, os, signal, subprocess, types, unittest

from task_home import BIN, MARKER, TaskHome, main
from test_mcp import NEWEST
from test_mcp_http import Http, McpServer


class Talk(TaskHome):
    def begun(self, text):
        self.add()
        said = self.do("one", "--with", text)
        self.until(lambda: self.told("message"), what="the first message")
        return said

    def send(self, text, **more):
        return json.loads(self.ok("task", "send", "one", text, "--json", seconds=60, **more))

    def over(self):
        """all runs of the task have ended"""
        self.until(lambda: all(run["status"] in ("COMPLETED", "CANCELLED", "ERROR") for run in self.rows()), 60, "the end of all runs")

    def once(self, word, session):
        """the agent has been told that, in that session, once"""
        told = [m for m in self.told("message") if word in m["text"] and not m.get("known")]
        self.assertEqual([m["session"] for m in told], [session], word)
        heard = [m for run in self.rows() for m in self.of_type(run["run_id"], "harness_heard")]
        self.assertEqual(len({m["message_id"] for m in heard}), len(heard), "a receipt is given once")
        self.only_one_writer()

    def paused_at(self, text):
        said = self.begun(text)
        self.paused(said["run_id"])
        return said


class R10Messages(Talk):
    def test_r10_busy(self):
        first = self.begun("SLEEP 2 SAY over")
        said = self.send("SAY sent")
        self.assertEqual(list(said), ["task", "outcome", "session_id", "run_id", "message"])
        self.assertEqual((said["outcome"], said["run_id"]), ("queued", first["run_id"]))
        self.assertEqual(self.ended(first["run_id"])["content"], "over\nsent\n")
        self.once("SAY sent", first["session_id"])
        self.assertEqual(self.messages("SAY sent"), [f"{MARKER}\nSAY sent"])

    def test_r10_in_the_middle_of_a_command(self):
        first = self.begun("RUN[[sleep 2]] SAY over")
        self.until(lambda: self.commands(), what="the command")
        self.send("RUN[[echo folded >> trace]]")
        self.ended(first["run_id"])
        self.once("echo folded", first["session_id"])
        with open(os.path.join(self.work, "trace")) as f:
            self.assertEqual(f.read(), "folded\n")
        self.assertEqual(len(self.starts()), 1)

    def test_r10_waiting(self):
        first = self.paused_at("ASK[[echo a >> trace]] SAY over")
        self.assertEqual(self.send("SAY sent")["outcome"], "queued")
        self.task("approve", "one")
        self.over()
        self.once("SAY sent", first["session_id"])

    def test_r10_finished(self):
        first = self.begun("SAY over")
        self.ended(first["run_id"])
        self.assertEqual(self.send("SAY sent")["outcome"], "resumed")
        self.over()
        self.once("SAY sent", first["session_id"])

    def test_r10_stopped(self):
        first = self.begun("SLEEP 100")
        self.task("stop", "one")
        self.assertEqual(self.send("SAY sent")["outcome"], "resumed")
        self.over()
        self.once("SAY sent", first["session_id"])

    def test_r10_just_as_it_ends(self):
        """whatever falls into the moment of its end: no message is lost, none is told twice"""
        self.add()
        first = self.do("one", "--with", "SLEEP 1 SAY over")
        for i in range(8):
            self.assertIn(self.send(f"SAY word-{i}-")["outcome"], ("queued", "resumed"))
        self.until(lambda: len(self.messages("SAY word-")) >= 8, 60, "the messages")
        self.over()
        for i in range(8):
            self.once(f"word-{i}-", first["session_id"])

    def test_r10_to_one_that_never_began(self):
        self.add()
        self.assertEqual(self.send("SAY sent")["outcome"], "started")
        self.over()
        self.assertEqual(len(self.messages("SAY sent")), 1)

    def test_r10_undeliverable_is_an_error(self):
        self.add()
        self.refused(2, "send", "one", "  ")
        self.refused(1, "send", "nobody", "hello")
        self.ended(self.do("one")["run_id"])
        self.task("done", "one", "--no-close-out")
        os.unlink(os.path.join(self.bin, "claude"))
        self.refused(1, "send", "one", "SAY hello")


class R11Approvals(Talk):
    def asked(self, run_id):
        (event,) = self.of_type(run_id, "run_paused")
        (call,) = event["calls"]
        return call

    def trace(self):
        with open(os.path.join(self.work, "trace")) as f:
            return f.read().split()

    def test_r11_approved_on_the_command_line(self):
        first = self.paused_at("ASK[[echo a >> trace]] SAY over")
        call = self.asked(first["run_id"])
        shown = self.shown()
        self.assertIn("paused", shown["state"])
        self.assertEqual(shown["live"], True)
        said = json.loads(self.task("approve", "one", "--json"))
        self.assertEqual({**said, "call_id": None}, {"task": "one", "run_id": first["run_id"], "call_id": None, "tool": "Bash", "decision": "approved"})
        self.assertEqual(self.ended(first["run_id"])["content"], "over\n")
        self.assertEqual(self.trace(), ["a"])
        (answer,) = [line["line"]["response"]["response"] for line in self.told("answer")]
        self.assertEqual((answer["behavior"], answer.get("updatedInput", {}).get("command")), ("allow", "echo a >> trace"))
        (continued,) = self.of_type(first["run_id"], "run_continued")
        self.assertEqual((continued["decisions"][0]["approved"], json.loads(call["arguments"])["command"]), (True, "echo a >> trace"))
        self.dense(first["run_id"])
        self.assertIn("is completed", self.refused(1, "approve", "one") + " is completed")

    def test_r11_denied_with_a_note(self):
        first = self.paused_at("ASK[[echo a >> trace]] SAY over")
        said = json.loads(self.task("deny", "one", "--note", "not on a Friday", "--json"))
        self.assertEqual(said["decision"], "denied")
        self.assertEqual(self.ended(first["run_id"])["status"], "COMPLETED")
        (result,) = self.of_type(first["run_id"], "tool_completed")
        self.assertIn("not on a Friday", result["result"])
        self.assertFalse(os.path.exists(os.path.join(self.work, "trace")))

    def test_r11_several_questions_of_one_turn(self):
        first = self.begun("ASK[[echo a >> trace]] ASK[[echo b >> trace]] ASK[[echo c >> trace]] SAY over")
        for number, action in enumerate(("approve", "deny", "approve")):
            self.until(lambda: len(self.of_type(first["run_id"], "run_paused")) == number + 1, what="the next question")
            self.paused(first["run_id"])
            self.task(action, "one")
        self.assertEqual(self.ended(first["run_id"])["status"], "COMPLETED")
        self.assertEqual(self.trace(), ["a", "c"])

    def test_r11_by_outlast_approve(self):
        first = self.paused_at("ASK[[echo a >> trace]] SAY over")
        self.ok("approve", first["run_id"])
        self.assertEqual(self.ended(first["run_id"])["status"], "COMPLETED")
        self.assertEqual(self.trace(), ["a"])

    def test_r11_over_http(self):
        """`outlast serve`: run_continue of /mcp decides it"""
        first = self.paused_at("ASK[[echo a >> trace]] SAY over")
        server = self.server()
        try:
            status, told = Http(server, NEWEST).ask("tools/call", {"name": "run_continue", "arguments": {"run_id": first["run_id"], "approve": True}})
            self.assertEqual((status, told.get("error"), told["result"].get("isError")), (200, None, False), told)
            self.assertEqual(self.ended(first["run_id"])["status"], "COMPLETED")
        finally:
            server.end(signal.SIGTERM)
        self.assertEqual(self.trace(), ["a"])

    def test_r11_expires_as_declared(self):
        self.add()
        server = self.server()
        try:
            first = self.do("one", "--approval-timeout", "1", "--with", "ASK[[echo a >> trace]] SAY over")
            run = self.ended(first["run_id"])
        finally:
            server.end(signal.SIGTERM)
        self.assertEqual(run["content"], "over\n")
        (result,) = self.of_type(first["run_id"], "tool_completed")
        self.assertIn("No decision within 1 s", result["result"])
        self.assertFalse(os.path.exists(os.path.join(self.work, "trace")))
        self.assertIn("--approval-timeout", self.refused(2, "do", "one", "--approval-timeout", "-1"))
        self.assertGreater(run["usage"]["total_tokens"], 0)

    def server(self):
        return McpServer(types.SimpleNamespace(directory=self.root, work=self.work, environment=self.env))

    def survives(self, after_decision):
        """kill -9 of whoever executes it, while it waits (nobody needs to) and after the decision"""
        first = self.paused_at("ASK[[echo a >> trace; sleep 2]] SAY over")
        self.until(lambda: not self.executors(), what="a run that waits for a person and costs no process of ours")
        agents = self.agents()
        self.server().end(signal.SIGKILL)
        self.assertEqual(self.agents(), agents, "the agent waits on")
        self.assertEqual(self.do("one")["outcome"], "live")
        server = self.server() if after_decision == "serve" else None
        self.task("approve", "one")
        self.until(self.commands, what="the command")
        if server:
            server.end(signal.SIGKILL)
            server = self.server()
        else:
            self.kill(self.executors())
            self.assertEqual(self.do("one")["outcome"], "live")
        self.assertEqual(self.ended(first["run_id"])["status"], "COMPLETED")
        if server:
            server.end(signal.SIGTERM)
        self.assertEqual((self.trace(), len(self.told("answer")), len(self.starts()), self.agents()), (["a"], 1, 1, []))
        self.dense(first["run_id"])

    def test_r11_survives_kill_9_of_the_executor(self):
        self.survives("do")

    def test_r11_survives_kill_9_of_a_server(self):
        self.survives("serve")

    def test_r11_the_agent_dies_while_it_waits(self):
        """the question of a process that is gone is none of the next one, which is told that it was interrupted"""
        first = self.paused_at("ASK[[echo a >> trace]] SAY over")
        self.kill(self.agents())
        self.task("approve", "one")
        self.assertEqual(self.ended(first["run_id"])["status"], "COMPLETED")
        self.assertEqual((len(self.of_type(first["run_id"], "run_paused")), self.commands()), (1, []), "what was asked for is not done unasked")
        self.assertEqual(len(self.messages("You were interrupted")), 1)
        self.dense(first["run_id"])
        self.only_one_writer()

    def test_r11_where_there_is_no_question(self):
        self.add()
        self.assertIn("outlast task do one", self.refused(1, "approve", "one"))
        self.do("one", "--with", "SLEEP 100")
        for action in ("approve", "deny"):
            self.assertIn("waits for no decision", self.refused(1, action, "one"))


class R12Stop(Talk):
    def test_r12_stop_is_one_thing_and_no_longer_watching_another(self):
        first = self.begun("RUN[[sleep 200]]")
        self.until(lambda: self.commands(), what="the command")
        watching = subprocess.Popen([BIN, "logs", "-f", first["run_id"]], env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(watching.kill)
        watching.send_signal(signal.SIGINT)
        watching.wait(20)
        self.assertEqual(self.show(first["run_id"])["status"], "RUNNING", "whoever watches may go")
        said = json.loads(self.task("stop", "one", "--json"))
        self.assertEqual((said["outcome"], said["session_id"], said["run_id"]), ("stopped", first["session_id"], first["run_id"]))
        run = self.show(first["run_id"])
        self.assertEqual((run["status"], len(self.of_type(first["run_id"], "run_cancelled"))), ("CANCELLED", 1))
        self.assertEqual(self.agents(), [])
        self.assertEqual([p for p in self.with_word("sleep")], [], "its command has ended with it")
        again = json.loads(self.task("stop", "one", "--json"))
        self.assertEqual((again["outcome"], again["message"]), ("stopped", "nothing of task 'one' is at work"))
        self.assertEqual(self.events(first["run_id"])[-1]["type"], "run_completed")
        self.assertIn("ended: cancelled", self.shown()["state"])

    def test_r12_stop_while_it_waits(self):
        first = self.paused_at("ASK[[echo a >> trace]]")
        self.task("stop", "one")
        self.assertEqual((self.show(first["run_id"])["status"], self.agents(), self.commands()), ("CANCELLED", [], []))

    def test_r12_stop_before_anything_began(self):
        self.add()
        self.assertIn("nothing of task 'one' is at work", self.task("stop", "one"))
        self.refused(1, "stop", "nobody")


class Done(Talk):
    def test_never_had_a_session(self):
        self.add()
        err = self.refused(1, "done", "one")
        self.assertIn("outlast task do one", err)
        self.assertIn("--here", err)
        self.assertEqual(self.shown()["status"], "backlog")

    def test_r20_a_close_out_is_a_run_of_its_own(self):
        first = self.begun("SAY over")
        self.ended(first["run_id"])
        said = json.loads(self.task("done", "one", "--json"))
        self.assertEqual((said["outcome"], said["message"], said["session_id"]), ("done", "one is done", first["session_id"]))
        self.over()
        self.assertEqual(len(self.rows()), 2)
        closing = self.rows()[1]
        self.assertEqual((closing["status"], closing["run_id"], self.shown()["status"]), ("COMPLETED", self.shown()["run_id"], "done"))
        text = self.told("message")[-1]["text"]
        self.assertIn(os.path.join(self.home, "tasks", "one", "updates"), text)
        self.assertEqual(len(self.told("session", session=first["session_id"])), 2)
        self.assertEqual(self.task("done", "one").splitlines()[0], "one was done already")
        self.assertEqual(len(self.rows()), 2)

    def test_without_a_close_out(self):
        first = self.begun("SAY over")
        self.ended(first["run_id"])
        self.assertEqual(self.task("done", "one", "--no-close-out"), "one is done\n")
        self.assertEqual((len(self.rows()), self.shown()["status"]), (1, "done"))

    def test_a_close_out_that_fails_undoes_nothing(self):
        first = self.begun("SAY over")
        self.ended(first["run_id"])
        os.unlink(os.path.join(self.bin, "claude"))
        self.task("done", "one")
        self.over()
        self.assertEqual((self.rows()[-1]["status"], self.shown()["status"]), ("ERROR", "done"))

    def test_while_it_works(self):
        """the agent at work is told to write its last words, in the same session"""
        first = self.begun("SLEEP 2 SAY over")
        self.task("done", "one")
        self.over()
        self.assertEqual((len(self.rows()), len(self.starts())), (1, 1))
        self.once("Write a closing update", first["session_id"])

    def test_the_task_around_the_command(self):
        first = self.begun("SAY over")
        self.ended(first["run_id"])
        inside = {**self.env, "CLAUDE_CODE_SESSION_ID": first["session_id"]}
        self.assertIn("slug: one", self.task("show", env=inside))
        self.task("done", "--no-close-out", env=inside)
        self.assertEqual(self.shown()["status"], "done")


if __name__ == "__main__":
    main()
