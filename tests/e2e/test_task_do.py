"""`outlast task do`: every state of a task's session, supervised, with and without something to say; refusals, exit codes, JSON.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_task_do.py"""
import json, os, unittest, uuid

from task_home import BIN, MARKER, TaskHome, fake_agent, main

ANSWER = ["task", "outcome", "session_id", "run_id", "message"]


class FirstStart(TaskHome):
    def test_none_yet(self):
        task = self.add()
        said = self.do("one")
        self.assertEqual(list(said), ANSWER)
        self.assertEqual((said["task"], said["outcome"]), ("one", "started"))
        uuid.UUID(said["session_id"])
        run = self.ended(said["run_id"])
        self.assertEqual((run["status"], run["reason"]), ("COMPLETED", "run.completed.ok"))
        shown = self.shown()
        self.assertEqual((shown["status"], shown["harness"], shown["session_id"], shown["run_id"]), ("in-progress", "claude", said["session_id"], said["run_id"]))
        self.assertTrue(shown["session_started"])
        self.assertIsNone(shown["session_last_resumed"])
        (call,), (message,) = self.told("call"), self.told("message")
        self.assertEqual(call["cwd"], task["work_dir"])
        self.assertEqual(call["argv"][-2:], ["--session-id", said["session_id"]])
        self.assertIn(task["brief"], message["text"])
        self.assertNotIn(MARKER, message["text"])
        for character in "\"'`$":
            self.assertNotIn(character, message["text"])
        self.assertEqual({k: v for k, v in call["env"].items() if k in ("OUTLAST_TASK", "OUTLAST_RUN_ID")}, {"OUTLAST_TASK": "one", "OUTLAST_RUN_ID": said["run_id"]})

    def test_none_yet_with(self):
        self.add()
        said = self.do("one", "--with", "  SAY forty-two \n")
        self.assertEqual(self.ended(said["run_id"])["content"], "forty-two\n")
        (message,) = self.told("message")
        self.assertTrue(message["text"].endswith(f"\n\n{MARKER}\nSAY forty-two"), message["text"])

    def test_none_yet_with_file(self):
        self.add()
        with open(os.path.join(self.work, "what to do.md"), "w") as f:
            f.write("SAY this is not pasted")
        said = self.do("one", "--with-file", "what to do.md")
        self.ended(said["run_id"])
        self.assertTrue(self.told("message")[0]["text"].endswith(f"{MARKER}\nread instructions at {self.work}/what to do.md"))

    def test_the_words_on_standard_output(self):
        self.add()
        out = self.task("do", "one").splitlines()
        shown = self.shown()
        self.assertEqual(out, [f"Started one (session {shown['session_id']})", f"  follow: outlast logs -f {shown['run_id']} · stop: outlast cancel {shown['run_id']}"])
        self.ended(shown["run_id"])
        out = self.task("do", "--with", "SAY more", "one").splitlines()
        self.assertEqual(out[0], f"Resumed one (session {shown['session_id']})", "the task may stand behind the flags")

    def test_a_callers_session_is_not_passed_on(self):
        self.add()
        outer = {"CLAUDECODE": "1", "CLAUDE_CODE_SESSION_ID": str(uuid.uuid4()), "CLAUDE_CODE_ENTRYPOINT": "cli", "OUTLAST_TASK": "other"}
        self.ended(self.do("one", env={**self.env, **outer})["run_id"])
        given = self.told("call")[0]["env"]
        self.assertEqual([name for name in outer if given.get(name) == outer[name]], [])

    def test_an_alias_of_a_shell_and_a_directory_elsewhere_do_not_count(self):
        other = os.path.join(self.root, "else where")
        os.mkdir(other)
        self.task("add", "two", "--work-dir", other)
        said = self.do("two", "--with", "RUN[[pwd]]")
        self.ended(said["run_id"])
        self.assertEqual(self.told("call")[0]["cwd"], os.path.realpath(other))
        self.assertEqual(self.of_type(said["run_id"], "tool_completed")[0]["result"].strip(), os.path.realpath(other))

    def test_a_start_that_fails_leaves_no_session(self):
        self.add()
        os.unlink(os.path.join(self.bin, "claude"))
        err = self.refused(1, "do", "one")
        self.assertIn("did not start", err)
        self.assertIn("outlast logs ", err)
        shown = self.shown()
        self.assertEqual((shown["status"], shown["session_id"]), ("backlog", None))
        self.assertIn("ended: error", shown["state"])
        fake_agent.install(self.bin, self.state)
        said = self.do("one")
        self.assertEqual(said["outcome"], "started")
        self.assertEqual(self.ended(said["run_id"])["status"], "COMPLETED")


class Fresh(TaskHome):
    def test_fresh_of_an_ended_session(self):
        self.add()
        first = self.do("one", "--with", "SAY first")
        self.ended(first["run_id"])
        code, out, err = self.outlast("task", "do", "one", "--fresh", "--with", "SAY second")
        self.assertEqual(code, 0, err)
        shown = self.shown()
        self.assertNotEqual(shown["session_id"], first["session_id"])
        self.assertIn(f"discarded session {first['session_id']}", err)
        self.assertEqual(out.splitlines()[0], f"Started one (session {shown['session_id']})")
        self.assertEqual(self.ended(shown["run_id"])["content"], "second\n")
        self.assertEqual(self.sessions(), [(first["session_id"], None), (shown["session_id"], None)])
        self.assertEqual([e["data"]["session_id"] for e in self.history() if e["type"] == "discarded"], [first["session_id"]])
        self.assertEqual([run["run_id"] for run in self.rows()], [first["run_id"], shown["run_id"]], "the old run is there")

    def test_fresh_of_a_live_session_ends_it(self):
        self.add()
        first = self.do("one", "--with", "RUN[[sleep 300]]")
        self.until(lambda: self.commands(), what="the command")
        second = self.do("one", "--fresh")
        self.assertEqual(second["outcome"], "started")
        self.assertEqual(self.show(first["run_id"])["status"], "CANCELLED")
        self.assertNotEqual(second["session_id"], first["session_id"])
        self.ended(second["run_id"])
        self.assertEqual(len(self.starts()), 2)
        self.only_one_writer()

    def test_fresh_where_there_is_none(self):
        self.add()
        code, _, err = self.outlast("task", "do", "one", "--fresh", "--json")
        self.assertEqual((code, err), (0, ""))


class Live(TaskHome):
    def busy(self, text="SLEEP 3 SAY over"):
        self.add()
        said = self.do("one", "--with", text)
        self.until(lambda: self.told("message"), what="the first message")
        return said

    def test_busy(self):
        first = self.busy()
        again = self.do("one")
        self.assertEqual(list(again), ANSWER)
        self.assertEqual((again["outcome"], again["session_id"], again["run_id"]), ("live", first["session_id"], first["run_id"]))
        self.assertEqual(again["message"], f"one is at work (session {first['session_id']})")
        self.assertEqual(self.ended(first["run_id"])["status"], "COMPLETED")
        self.assertEqual((len(self.starts()), len(self.told("message"))), (1, 1))

    def test_busy_with(self):
        first = self.busy()
        queued = [self.do("one", "--with", f"SAY second {i}") for i in range(2)]
        self.assertEqual([q["outcome"] for q in queued], ["queued"] * 2)
        self.assertEqual(self.ended(first["run_id"])["status"], "COMPLETED")
        self.assertEqual(len(self.starts()), 1)
        for i in range(2):
            (text,) = self.messages(f"second {i}")
            self.assertEqual(text, f"{MARKER}\nSAY second {i}")
        self.assertEqual(len(self.of_type(first["run_id"], "harness_heard")), 3)
        self.assertEqual([run["run_id"] for run in self.rows()], [first["run_id"]])

    def test_idle_after_its_last_word(self):
        """a program that has answered and does not leave: its session is still one, and what is said then is told once"""
        self.add()
        self.config(after_result_timeout=8)
        first = self.do("one", "--with", "HANG_AFTER_RESULT SAY one")
        self.until(lambda: self.of_type(first["run_id"], "harness_turn"), what="the answer")
        self.assertEqual(self.do("one")["outcome"], "live")
        self.assertEqual(self.do("one", "--with", "SAY later")["outcome"], "queued")
        self.assertEqual(self.ended(first["run_id"])["status"], "COMPLETED")
        self.assertEqual(len(self.messages("SAY later")), 1)
        self.assertEqual(set(m["session"] for m in self.told("message")), {first["session_id"]})
        self.only_one_writer()

    def test_waiting_for_approval(self):
        first = self.busy("ASK[[echo yes > said]] SAY over")
        self.paused(first["run_id"])
        again = self.do("one")
        self.assertEqual((again["outcome"], again["message"]),
                         ("live", f"one waits for a decision; see `outlast task show one` (session {first['session_id']})"))
        self.assertEqual(self.do("one", "--with", "SAY and more")["outcome"], "queued")
        self.task("approve", "one")
        self.ended(first["run_id"])
        self.until(lambda: self.messages("and more"), what="the message")
        self.ended(self.shown()["run_id"])
        self.assertTrue(os.path.exists(os.path.join(self.work, "said")))
        self.assertEqual((len(self.messages("and more")), len(self.starts())), (1, 1))

    def test_a_session_of_which_nothing_is_known_yet_is_live(self):
        self.add()
        self.switch("deaf")
        first = self.do("one", seconds=90)
        self.assertEqual(self.do("one", "--with", "SAY hello")["outcome"], "queued")
        self.assertEqual((len(self.starts()), self.do("one")["run_id"]), (1, first["run_id"]))


class NotLive(TaskHome):
    def after(self, text, **more):
        self.add()
        first = self.do("one", "--with", text, **more)
        return first, self.ended(first["run_id"])

    def resumed(self, first, *flags):
        again = self.do("one", *flags)
        self.assertEqual((again["outcome"], again["session_id"]), ("resumed", first["session_id"]))
        self.assertNotEqual(again["run_id"], first["run_id"])
        self.assertEqual(self.ended(again["run_id"])["status"], "COMPLETED")
        self.assertEqual(self.starts()[-1][-2:], ["--resume", first["session_id"]])
        self.assertTrue(self.shown()["session_last_resumed"])
        self.only_one_writer()
        return again

    def test_done(self):
        first, run = self.after("SAY done")
        self.assertEqual(run["status"], "COMPLETED")
        self.resumed(first)
        self.assertEqual(self.told("message")[-1]["text"].split(".")[0], "Go on with the task one")
        self.assertEqual(len(self.starts()), 2)

    def test_done_with(self):
        first, _ = self.after("SAY done")
        self.resumed(first, "--with", "SAY two")
        self.assertEqual(self.told("message")[-1]["text"], f"{MARKER}\nSAY two")

    def test_failed(self):
        self.add()
        code, out, err = self.outlast("task", "do", "one", "--with", "EXIT 3")
        run = self.shown()
        self.ended(run["run_id"])
        self.assertIn("ended: error", self.shown()["state"])
        self.resumed({"session_id": run["session_id"], "run_id": run["run_id"]})

    def test_failed_with(self):
        first, run = self.after("SLEEP 1 EXIT 3")
        self.assertEqual((run["status"], run["reason"]), ("ERROR", "run.failed.harness"))
        self.resumed(first, "--with", "SAY better")
        self.assertEqual(len(self.messages("SAY better")), 1)

    def stopped(self):
        self.add()
        first = self.do("one", "--with", "RUN[[sleep 300]]")
        self.until(lambda: self.commands(), what="the command")
        self.task("stop", "one")
        self.assertEqual(self.show(first["run_id"])["status"], "CANCELLED")
        return first

    def test_stopped(self):
        self.resumed(self.stopped())

    def test_stopped_with(self):
        self.resumed(self.stopped(), "--with", "SAY go on")
        self.assertEqual(len(self.messages("SAY go on")), 1)

    def test_absent_without_a_transcript(self):
        first, _ = self.after("SAY done")
        directory = os.path.join(self.root, ".claude", "projects")
        for path in [os.path.join(d, n) for d, _, names in os.walk(directory) for n in names]:
            os.unlink(path)
        for flags in ([], ["--with", "SAY more"]):
            self.assertIn("outlast task do one --fresh", self.refused(1, "do", "one", *flags))
        self.assertEqual((len(self.starts()), len(self.rows())), (1, 1))
        self.assertNotEqual(self.do("one", "--fresh")["session_id"], first["session_id"])

    def test_a_transcript_of_another_directory_is_one(self):
        first, _ = self.after("SAY done")
        projects = os.path.join(self.root, ".claude", "projects")
        (name,) = os.listdir(projects)
        os.rename(os.path.join(projects, name), os.path.join(projects, "-parent-repository"))
        self.resumed(first)


class TaskDone(TaskHome):
    def test_refused_and_reopened_by_something_to_say(self):
        self.add()
        first = self.do("one")
        self.ended(first["run_id"])
        self.task("done", "one", "--no-close-out")
        self.assertIn("outlast task reopen one", self.refused(1, "do", "one"))
        self.assertEqual((len(self.starts()), self.shown()["status"]), (1, "done"))
        code, out, err = self.outlast("task", "do", "one", "--with", "SAY once more", "--json")
        self.assertEqual(code, 0, err)
        self.assertIn("it is in progress again", err)
        self.assertEqual(json.loads(out)["outcome"], "resumed")
        self.ended(json.loads(out)["run_id"])
        self.assertEqual(self.shown()["status"], "in-progress")
        self.assertEqual([e["data"] for e in self.history() if e["type"] == "status"][-1], {"from": "done", "to": "in-progress"})

    def test_without_a_work_directory(self):
        self.add()
        os.rename(self.work, self.work + "-moved")
        os.mkdir(self.work + "-else")
        self.assertIn("is not there", self.refused(1, "do", "one", cwd=self.work + "-else"))
        self.assertEqual(self.told("call"), [])


class Here(TaskHome):
    def inside(self, sid, name="CLAUDE_CODE_SESSION_ID"):
        return {**self.env, name: sid}

    def test_here(self):
        self.add()
        self.assertIn("this is no session", self.refused(1, "do", "one", "--here"))
        sid, other = str(uuid.uuid4()), str(uuid.uuid4())
        said = self.do("one", "--here", env=self.inside(sid))
        self.assertEqual((said["outcome"], said["session_id"], said["run_id"]), ("bound", sid, ""))
        self.assertEqual((self.shown()["status"], self.shown()["harness"]), ("in-progress", "claude"))
        self.assertIn("--here --force", self.refused(1, "do", "one", "--here", env=self.inside(other)))
        self.assertEqual(self.shown()["session_id"], sid)
        self.assertEqual(self.do("one", "--here", env=self.inside(sid))["session_id"], sid)
        self.assertEqual(self.do("one", "--here", "--force", env=self.inside(other))["session_id"], other)
        self.assertEqual(self.sessions()[-1], (other, sid))
        self.assertEqual(self.told("call"), [])

    def test_here_of_another_program_needs_force(self):
        self.add("one", "--harness", "claude")
        codex = self.inside("01a1fbe2-380c-7892-8000-000000000001", "CODEX_THREAD_ID")
        self.assertIn("pinned to claude", self.refused(1, "do", "one", "--here", env=codex))
        self.do("one", "--here", "--force", env=codex)
        self.assertEqual(self.shown()["harness"], "codex")

    def test_here_between_two_sessions(self):
        self.add()
        both = {**self.inside("s-1"), "GEMINI_SESSION_ID": "s-2"}
        self.assertIn("--harness", self.refused(1, "do", "one", "--here", env=both))
        self.assertEqual(self.do("one", "--here", "--harness", "gemini", env=both)["session_id"], "s-2")

    def test_here_starts_nothing(self):
        self.add()
        for flags in (["--with", "x"], ["--with-file", BIN], ["--auto"]):
            self.refused(2, "do", "one", "--here", *flags, env=self.inside("s-1"))
        self.assertIsNone(self.shown()["session_id"])


class Auto(TaskHome):
    def test_ended_without_task_done(self):
        self.add()
        said = self.do("one", "--auto", "--with", "SLEEP 2")
        self.assertEqual(self.shown()["auto_run"], "running")
        run = self.ended(said["run_id"])
        self.assertEqual((run["status"], run["reason"]), ("ERROR", "run.failed.not_marked_done"))
        shown = self.shown()
        self.assertEqual((shown["auto_run"], shown["auto_run_log"], shown["status"], shown["unattended"]), ("failed", f"outlast logs {said['run_id']}", "in-progress", True))
        self.assertIn("--dangerously-skip-permissions", self.starts()[0])
        self.assertNotIn("--permission-prompt-tool", self.starts()[0])
        self.assertIn("outlast task done one", self.told("message")[0]["text"])

    def test_ended_with_task_done(self):
        self.add()
        said = self.do("one", "--auto", "--with", f"RUN[['{BIN}' task done]] SAY all done")
        run = self.ended(said["run_id"])
        self.assertEqual((run["status"], run["content"]), ("COMPLETED", "all done\n"), self.events(said["run_id"]))
        self.assertEqual((self.shown()["auto_run"], self.shown()["status"]), ("completed", "done"))
        self.assertEqual(len(self.rows()), 1, "no closing turn: the agent itself was at work")

    def test_it_asks_nothing(self):
        self.add()
        said = self.do("one", "--auto", "--with", "SLEEP 2 ASK[[echo x]] SAY over")
        run = self.ended(said["run_id"])
        self.assertEqual((run["reason"], self.of_type(said["run_id"], "run_paused")), ("run.failed.not_marked_done", []))

    def test_skipped_permissions_without_auto(self):
        self.add()
        self.assertEqual(self.ended(self.do("one", "--dangerously-skip-permissions")["run_id"])["status"], "COMPLETED")
        self.assertIn("--dangerously-skip-permissions", self.starts()[0])
        self.assertNotIn("--permission-prompt-tool", self.starts()[0])


class Refusals(TaskHome):
    def test_usage(self):
        self.add()
        cases = [(2, ["--with", "a", "--with-file", "b"], "error: --with and --with-file are mutually exclusive\n"), (2, ["--with", "  \n"], "empty"), (2, ["--with-file", " "], "empty"),
                 (1, ["--with-file", "missing.md"], f"there is no file {self.work}/missing.md"), (1, ["--with-file", "."], "there is no file"), (2, ["--odd"], "--odd"),
                 (1, ["--harness", "emacs"], "there are: claude, codex, gemini, opencode")]
        for code, flags, said in cases:
            self.assertIn(said, self.refused(code, "do", "one", *flags))
        self.refused(2, "do")
        self.assertIn("none", self.refused(1, "do", "none"))
        self.assertEqual((self.told("call"), self.rows(), self.shown()["session_id"]), ([], [], None))

    def test_a_pin_is_for_ever(self):
        self.add("one", "--harness", "gemini")
        self.assertIn("pinned to gemini", self.refused(1, "do", "one", "--harness", "claude"))
        self.ended(self.do("one", "--harness", "gemini")["run_id"])
        self.assertEqual({call["program"] for call in self.told("call")}, {"gemini"})
        self.add("two")
        self.ended(self.do("two", "--harness", "opencode")["run_id"])
        self.assertEqual(self.shown("two")["harness"], "opencode")
        self.assertIn("pinned to opencode", self.refused(1, "do", "two", "--harness", "codex"))

    def test_the_program_around_the_command_is_taken(self):
        self.add()
        self.ended(self.do("one", env={**self.env, "CODEX_THREAD_ID": "t-1"})["run_id"])
        self.assertEqual(self.shown()["harness"], "codex")
        self.add("two")
        self.ended(self.do("two", env={**self.env, "CODEX_THREAD_ID": "t-1", "GEMINI_SESSION_ID": "g-1"})["run_id"])
        self.assertEqual(self.shown("two")["harness"], "claude", "two of them are none")

    def test_archived_and_ambiguous(self):
        self.add("one-a"), self.add("one-b")
        self.refused(1, "do", "one")
        self.task("update", "one-a", "--archive")
        self.assertEqual(self.do("one")["task"], "one-b")


if __name__ == "__main__":
    main()
