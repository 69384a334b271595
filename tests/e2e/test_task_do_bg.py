"""`OUTLAST_TERM=bg outlast task do`: the sessions are background agents of the harness; every state that its registry may tell of one.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_task_do_bg.py"""
import concurrent.futures, json, os, signal, unittest, uuid

from task_home import MARKER, TaskHome, alive, main

NO_BACKGROUND = ('error: $OUTLAST_TERM=bg requested a background agent, but harness "codex" has no background-session support — '
                 "unset OUTLAST_TERM to start a supervised run instead\n")
BOTH = "error: $OUTLAST_TERM=bg cannot be combined with --auto (both spawn their own session; pick one)\n"


class Background(TaskHome):
    def setUp(self):
        super().setUp()
        self.switch("no_pid_ms", 0)

    def bg_do(self, *flags, slug="one"):
        return self.do(slug, *flags, env=self.bg)

    def bg_starts(self, resumed=None):
        return [line for line in self.told("background") if resumed is None or bool(line["resumed"]) == resumed]

    def registry(self):
        with open(os.path.join(self.state, "registry.json")) as f:
            return json.load(f)

    def write_registry(self, entries):
        with open(os.path.join(self.state, "registry.json"), "w") as f:
            json.dump(entries, f)

    def agent(self, sid):
        return next(entry for entry in self.registry() if entry["sessionId"] == sid)

    def rests(self, sid):
        self.until(lambda: self.agent(sid)["status"] == "idle", 30, "rest")

    def started(self, *flags):
        self.add()
        said = self.bg_do(*flags)
        self.assertEqual(said["outcome"], "started")
        return said


class FirstStart(Background):
    def test_none_yet(self):
        task = self.add("one", "--project", "web")
        out = self.task("do", "one", env=self.bg)
        sid = self.shown()["session_id"]
        self.assertEqual(out.splitlines()[0], f"Spawned one in background (session {sid}) — {sid[:8]} · web/one")
        self.assertIn("claude agents", out)
        (start,) = self.bg_starts()
        self.assertEqual((start["session"], start["resumed"], start["name"]), (sid, None, "web/one"), "the id is the one that the program has minted")
        self.assertEqual(self.agent(sid)["cwd"], task["work_dir"])
        self.assertNotIn("--session-id", self.starts()[0])
        shown = self.shown()
        self.assertEqual((shown["status"], shown["harness"], shown["background"]), ("in-progress", "claude", True))
        self.assertIn(task["brief"], start["prompt"])
        self.assertNotIn(MARKER, start["prompt"])
        self.assertTrue(alive(self.agent(sid)["worker"][0]), "it outlives the run that started it")
        self.assertEqual(self.ended(shown["run_id"])["status"], "COMPLETED")

    def test_none_yet_with(self):
        self.started("--with", "SAY hello")
        (start,) = self.bg_starts()
        self.assertTrue(start["prompt"].endswith(f"\n\n{MARKER}\nSAY hello"))

    def test_the_title_is_short(self):
        self.task("add", "x", "--slug", "a-very-long-slug-of-a-task", "--project", "Ünïcode project", "--work-dir", self.work)
        self.bg_do(slug="a-very-long-slug-of-a-task")
        name = self.bg_starts()[0]["name"]
        self.assertEqual((name, len(name)), ("Ünïcode project/a-very-long-s…", 30))

    def test_chatter_before_the_banner_and_a_session_without_a_pid(self):
        self.switch("no_pid_ms", 2500)
        said = self.started("--with", "SLEEP 1")
        self.assertEqual(self.agent(said["session_id"])["id"], said["session_id"][:8])
        again = self.bg_do()
        self.assertEqual((again["outcome"], again["session_id"]), ("live", said["session_id"]), "no pid yet is starting, not gone (R5)")
        self.assertEqual(len(self.bg_starts()), 1)

    def test_r02_a_start_whose_agent_could_not_be_found_out_leaves_no_second_one(self):
        """the banner came, and the registry gave no answer: that start has failed, and its agent does not work beside the next one"""
        self.add()
        self.switch("agents_fail")
        self.assertIn("could not be asked", self.refused(1, "do", "one", "--with", "SLEEP 300", env=self.bg))
        self.assertEqual((len(self.bg_starts()), self.shown()["session_id"]), (1, None))
        self.switch("agents_fail", None)
        said = self.bg_do("--with", "SAY better")
        self.assertEqual(said["outcome"], "started")
        lives = [entry["sessionId"] for entry in self.registry() if alive(entry["worker"][0])]
        self.assertEqual((lives, len(self.agents())), ([said["session_id"]], 1))

    def test_an_untrusted_directory_is_an_error(self):
        os.unlink(os.path.join(self.root, ".claude.json"))
        self.add()
        err = self.refused(1, "do", "one", env=self.bg)
        self.assertIn("Workspace not trusted", err)
        self.assertEqual((self.shown()["session_id"], self.shown()["status"]), (None, "backlog"))
        with open(os.path.join(self.root, ".claude.json"), "w") as f:
            json.dump({"projects": {os.path.realpath(self.root): {"hasTrustDialogAccepted": True}}}, f)
        self.assertEqual(self.bg_do()["outcome"], "started", "the next try begins clean")


class Fresh(Background):
    def test_fresh(self):
        first = self.started("--with", "SLEEP 60")
        worker = self.agent(first["session_id"])["worker"][0]
        code, out, err = self.outlast("task", "do", "one", "--fresh", "--json", env=self.bg, seconds=60)
        self.assertEqual(code, 0, err)
        second = json.loads(out)
        self.assertEqual(second["outcome"], "started")
        self.assertNotEqual(second["session_id"], first["session_id"])
        self.assertIn(f"discarded session {first['session_id']}", err)
        self.assertFalse(alive(worker), "the old one was stopped")
        self.assertIn(first["session_id"], [e["data"]["session_id"] for e in self.history() if e["type"] == "discarded"])
        self.assertEqual(self.shown()["session_id"], second["session_id"])


class Live(Background):
    def test_busy(self):
        first = self.started("--with", "SLEEP 60")
        again = self.bg_do()
        sid = first["session_id"]
        self.assertEqual((again["outcome"], again["message"]),
                         ("live", f"one is open in your Agent View ({sid[:8]}, busy/working) — run `claude agents` to view or reply"))
        self.assertEqual((len(self.bg_starts()), len(self.rows())), (1, 1))

    def test_busy_with(self):
        first = self.started("--with", "SLEEP 4 SAY over")
        queued = self.bg_do("--with", "SAY second")
        self.assertEqual((queued["outcome"], queued["session_id"]), ("queued", first["session_id"]))
        self.assertEqual(self.bg_starts(resumed=True), [], "it is let come to rest first")
        self.assertEqual(self.ended(queued["run_id"])["status"], "COMPLETED")
        (again,) = self.bg_starts(resumed=True)
        self.assertEqual((again["session"], again["resumed"], again["prompt"]), (first["session_id"], first["session_id"], f"{MARKER}\nSAY second"))
        self.rests(first["session_id"])
        self.assertEqual(len(self.messages("SAY second")), 1)
        self.only_one_writer()

    def test_idle(self):
        first = self.started()
        self.rests(first["session_id"])
        again = self.bg_do()
        self.assertEqual(again["outcome"], "live")
        self.assertIn("idle/done", again["message"])
        self.assertEqual(len(self.bg_starts()), 1)

    def test_idle_with(self):
        first = self.started()
        self.rests(first["session_id"])
        worker = self.agent(first["session_id"])["worker"][0]
        again = self.bg_do("--with", "SAY second")
        sid = first["session_id"]
        self.assertEqual((again["outcome"], again["message"]), ("resumed", f"Resumed one in background ({sid[:8]} · session {sid})"))
        self.assertFalse(alive(worker))
        self.rests(sid)
        self.assertEqual(len(self.messages("SAY second")), 1)
        self.assertEqual(self.sessions()[-1][0], sid, "no copy was made of it")
        self.only_one_writer()

    def test_waiting(self):
        first = self.started("--with", "SLEEP 60")
        entries = self.registry()
        entries[0].update(status="waiting", state="blocked", waitingFor="permission prompt")
        self.write_registry(entries)
        self.assertIn("waiting/blocked", self.bg_do()["message"])
        queued = self.bg_do("--with", "SAY second")
        self.assertEqual(queued["outcome"], "queued")
        self.assertEqual(self.bg_starts(resumed=True), [])
        entries[0].update(status="idle", state="done")
        self.write_registry(entries)
        self.ended(queued["run_id"])
        self.assertEqual([start["resumed"] for start in self.bg_starts(resumed=True)], [first["session_id"]])


class NotLive(Background):
    def at_rest(self, state, *flags):
        """the agent is in the registry, without a process; then `do`"""
        first = self.started()
        sid = first["session_id"]
        self.rests(sid)
        self.ok_stop(sid)
        entries = self.registry()
        entries[0]["state"] = state
        self.write_registry(entries)
        again = self.bg_do(*flags)
        self.assertEqual((again["outcome"], again["session_id"]), ("resumed", sid))
        (start,) = self.bg_starts(resumed=True)
        self.assertEqual((start["resumed"], start["session"]), (sid, sid))
        self.assertTrue(self.shown()["session_last_resumed"])
        self.only_one_writer()
        return start

    def ok_stop(self, sid):
        os.kill(self.agent(sid)["worker"][0], signal.SIGKILL)
        self.until(lambda: not alive(self.agent(sid)["worker"][0]))

    def test_stopped(self):
        self.assertEqual(self.at_rest("stopped")["prompt"], "")

    def test_stopped_with(self):
        self.assertEqual(self.at_rest("stopped", "--with", "SAY x")["prompt"], f"{MARKER}\nSAY x")

    def test_failed(self):
        self.assertEqual(self.at_rest("failed")["prompt"], "")

    def test_failed_with(self):
        self.assertEqual(self.at_rest("failed", "--with", "SAY x")["prompt"], f"{MARKER}\nSAY x")

    def test_done(self):
        self.assertEqual(self.at_rest("done")["prompt"], "")

    def test_done_with(self):
        self.at_rest("done", "--with", "SAY x")
        self.until(lambda: self.messages("SAY x"), what="the message")
        self.assertEqual(len(self.messages("SAY x")), 1)

    def test_a_resumed_session_under_another_id_is_recorded(self):
        """R3: the chain of sessions is in the history"""
        first = self.started()
        self.rests(first["session_id"])
        self.ok_stop(first["session_id"])
        self.switch("new_id_on_resume")
        again = self.bg_do("--with", "SAY x")
        self.assertNotEqual(again["session_id"], first["session_id"])
        self.assertEqual(self.sessions(), [(first["session_id"], None), (again["session_id"], first["session_id"])])
        self.assertEqual(self.shown()["session_id"], again["session_id"])
        self.rests(again["session_id"])
        self.assertEqual(self.bg_do()["session_id"], again["session_id"])

    def test_absent_with_a_transcript(self):
        for flags in ([], ["--with", "SAY x"]):
            with self.subTest(flags=flags):
                slug = "with" if flags else "without"
                self.add(slug)
                first = self.bg_do(slug=slug)
                self.rests(first["session_id"])
                self.ok("task", "stop", slug, env=self.bg)
                self.write_registry([e for e in self.registry() if e["sessionId"] != first["session_id"]])
                again = self.bg_do(*flags, slug=slug)
                self.assertEqual((again["outcome"], again["session_id"]), ("resumed", first["session_id"]))

    def test_absent_without_a_transcript(self):
        first = self.started()
        self.rests(first["session_id"])
        self.ok("task", "stop", "one", env=self.bg)
        self.write_registry([])
        for directory, _, names in os.walk(os.path.join(self.root, ".claude")):
            for name in names:
                os.unlink(os.path.join(directory, name))
        for flags in ([], ["--with", "SAY x"]):
            self.assertIn("outlast task do one --fresh", self.refused(1, "do", "one", *flags, env=self.bg))
        self.assertEqual((len(self.bg_starts()), self.shown()["session_id"]), (1, first["session_id"]))

    def test_a_registry_that_cannot_be_asked(self):
        first = self.started()
        self.rests(first["session_id"])
        self.switch("agents_fail")
        for flags in ([], ["--with", "SAY x"], ["--fresh"]):
            err = self.refused(1, "do", "one", *flags, env=self.bg)
            self.assertIn("ECONNREFUSED", err)
        self.assertEqual((len(self.bg_starts()), self.shown()["session_id"], len(self.rows())), (1, first["session_id"], 1), "not known is not absent")
        self.assertIn("could not be asked", self.refused(1, "do", "one"), "neither for a supervised turn of that session")
        self.switch("agents_fail", None)
        self.assertEqual(self.bg_do()["outcome"], "live")


class Refusals(Background):
    def test_codex_has_none(self):
        self.add()
        self.assertEqual(self.refused(1, "do", "one", "--harness", "codex", env=self.bg), NO_BACKGROUND)
        self.add("two", "--harness", "codex")
        self.assertEqual(self.refused(1, "do", "two", "--with", "x", env=self.bg), NO_BACKGROUND)
        for program in ("gemini", "opencode"):
            self.assertEqual(self.refused(1, "do", "one", "--harness", program, env=self.bg), NO_BACKGROUND.replace("codex", program))
        self.assertEqual((self.told("call"), self.rows()), ([], []))

    def test_auto_is_refused(self):
        self.add()
        self.assertEqual(self.refused(2, "do", "one", "--auto", env=self.bg), BOTH)

    def test_the_selector_is_exact(self):
        self.add()
        for value in ("BG", "bg ", "1", ""):
            said = self.do("one", env={**self.env, "OUTLAST_TERM": value})
            self.assertIn(said["outcome"], ("started", "resumed"))
            self.ended(said["run_id"])
        self.assertEqual(self.bg_starts(), [])

    def test_done(self):
        self.started()
        self.task("done", "one", "--no-close-out", env=self.bg)
        for flags in ([], ["--with", "SAY x"]):
            self.assertIn("outlast task reopen one", self.refused(1, "do", "one", *flags, env=self.bg))
        self.assertEqual(len(self.bg_starts()), 1)
        self.task("reopen", "one")
        self.assertEqual(self.bg_do()["outcome"], "live")

    def test_here_binds_and_asks_nobody(self):
        self.add()
        said = self.do("one", "--here", env={**self.bg, "CLAUDE_CODE_SESSION_ID": str(uuid.uuid4())})
        self.assertEqual((said["outcome"], self.told("call")), ("bound", []))

    def test_a_supervised_turn_of_a_session_that_lives_in_the_background_is_refused(self):
        first = self.started("--with", "SLEEP 60")
        for flags in ([], ["--with", "SAY x"]):
            err = self.refused(1, "do", "one", *flags)
            self.assertIn("OUTLAST_TERM=bg", err)
            self.assertIn(f"claude stop {first['session_id'][:8]}", err)
        self.assertEqual(len(self.starts()), 1)

    def test_a_supervised_run_that_is_not_over_is_not_taken(self):
        self.add()
        self.do("one", "--with", "SLEEP 60")
        for flags in ([], ["--with", "SAY x"]):
            self.assertIn("supervised run that is not over", self.refused(1, "do", "one", *flags, env=self.bg))


class Commands(Background):
    def test_list_and_show_ask_only_in_bg_mode_and_only_once(self):
        for slug in ("one", "two", "three"):
            self.add(slug)
        self.bg_do()
        self.bg_do(slug="two")
        self.ended(self.do("three")["run_id"])
        before = len(self.told("call"))
        self.task("list")
        self.shown(), self.shown("three")
        self.task("transcript", "one")
        self.assertEqual(len(self.told("call")), before, "without bg mode no program is started")
        self.shown("three", env=self.bg)
        self.assertEqual(len(self.told("call")), before, "it has no background session")
        notes = {row["slug"]: row["live"] for row in json.loads(self.task("list", "--format", "json", env=self.bg))}
        self.assertEqual(notes, {"one": True, "two": True, "three": False})
        self.assertEqual([call["argv"] for call in self.told("call")[before:]], [["agents", "--json", "--all"]])
        self.switch("agents_fail")
        code, out, err = self.outlast("task", "list", env=self.bg)
        self.assertEqual((code, out.count("[live]")), (0, 0))
        self.assertIn("no live information", err)
        self.assertIsNone(self.shown(env=self.bg)["live"])

    def test_send_stop_and_done(self):
        first = self.started("--with", "SAY one")
        sid = first["session_id"]
        self.rests(sid)
        sent = json.loads(self.ok("task", "send", "one", "SAY sent", "--json", env=self.bg, seconds=60))
        self.assertEqual((sent["outcome"], sent["session_id"]), ("resumed", sid))
        self.rests(sid)
        self.assertEqual(len(self.messages("SAY sent")), 1)
        worker = self.agent(sid)["worker"][0]
        self.assertIn(sid[:8], self.task("stop", "one"))
        self.assertFalse(alive(worker))
        self.assertIn("nothing of task 'one' is at work", self.task("stop", "one"))
        code, out, err = self.outlast("task", "done", "one")
        self.assertEqual((code, "is done" in out), (0, True))
        self.assertIn("closing update is not being written", err)
        self.assertEqual(self.shown()["status"], "done")

    def test_two_at_once_start_one(self):
        self.add()
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            done = list(pool.map(lambda _: self.outlast("task", "do", "one", "--json", env=self.bg, seconds=90), range(6)))
        self.assertEqual([code for code, _, _ in done], [0] * 6, done)
        self.assertEqual(len({json.loads(out)["session_id"] for _, out, _ in done}), 1)
        self.assertEqual((len(self.bg_starts()), len(self.rows())), (1, 1))


if __name__ == "__main__":
    main()
