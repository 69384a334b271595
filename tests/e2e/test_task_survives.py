"""A task's agent when what is around it dies: started once (R1), which session (R3, R6), kill -9 of each and of all (R21, R22), history (R24), its log (R25).

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_task_survives.py"""
import concurrent.futures, json, os, signal, subprocess, threading, time, types, unittest

from task_home import BIN, TaskHome, alive, main
from test_mcp_http import McpServer

WORK = "RUN[[echo began >> trace; sleep 3; echo ended >> trace]] SAY over"


class Survivor(TaskHome):
    def begun(self, text=WORK, *flags):
        self.add()
        said = self.do("one", "--with", text, *flags)
        if "RUN[[" in text:
            self.until(self.commands, what="the command")
        return said

    def server(self):
        return McpServer(types.SimpleNamespace(directory=self.root, work=self.work, environment=self.env))

    def trace(self):
        with open(os.path.join(self.work, "trace")) as f:
            return f.read().split()

    def went_on(self, first, starts=1):
        """one conversation, one run, its work done once, its log whole"""
        run = self.ended(first["run_id"])
        self.assertEqual(run["status"], "COMPLETED", self.events(first["run_id"]))
        self.assertEqual([r["run_id"] for r in self.rows()], [first["run_id"]])
        self.assertEqual({s["session"] for s in self.told("session")}, {first["session_id"]})
        self.assertEqual((len(self.starts()), self.agents()), (starts, []))
        self.assertEqual(len(self.commands()), 1, "its command ran once")
        self.only_one_writer()
        return self.dense(first["run_id"])


class R01Once(Survivor):
    def at_once(self, count, *flags):
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda i: self.outlast("task", "do", "one", "--json", *[f.format(i) for f in flags], seconds=120), range(count)))

    def test_r01_twenty_at_once_start_one(self):
        self.add()
        self.switch("think_ms", 4000)
        done = self.at_once(20)
        self.assertEqual([code for code, _, _ in done], [0] * 20, [err for _, _, err in done if err])
        said = [json.loads(out) for _, out, _ in done]
        self.assertEqual(len({s["run_id"] for s in said}), 1)
        self.assertEqual({s["outcome"] for s in said} - {"started", "live"}, set())
        self.ended(said[0]["run_id"])
        self.assertEqual((len(self.rows()), len(self.starts())), (1, 1))
        self.assertEqual([e["type"] for e in self.history()], ["created", "started", "session"])

    def test_r01_at_once_with_something_to_say(self):
        self.add()
        self.switch("think_ms", 1000)
        done = self.at_once(8, "--with", "SAY text-{}-")
        self.assertEqual([code for code, _, _ in done], [0] * 8, [err for _, _, err in done if err])
        self.until(lambda: len(self.messages("SAY text-")) >= 8, 60, "the messages")
        self.until(lambda: all(run["status"] == "COMPLETED" for run in self.rows()), 60, "the end")
        for i in range(8):
            self.assertEqual(len(self.messages(f"text-{i}-")), 1)
        self.assertEqual(len({s["session"] for s in self.told("session")}), 1)
        self.only_one_writer()


class R03Sessions(Survivor):
    def test_r03_another_id_after_a_resume_is_the_sessions(self):
        first = self.begun("SAY over")
        self.ended(first["run_id"])
        self.switch("new_id_on_resume")
        again = self.do("one", "--with", "SAY more")
        self.assertNotEqual(again["session_id"], first["session_id"])
        self.ended(again["run_id"])
        self.assertEqual((self.shown()["session_id"], self.told("session")[-1]["session"]), (again["session_id"], again["session_id"]))
        self.assertEqual(self.sessions(), [(first["session_id"], None), (again["session_id"], first["session_id"])])
        third = self.do("one", "--with", "SAY last")
        self.ended(third["run_id"])
        self.assertEqual([s["resumed"] for s in self.told("session")], [None, first["session_id"], again["session_id"]])

    def test_r03_an_id_that_nobody_confirmed_is_none(self):
        """it is given to the program, which dies before it has said so"""
        self.config(start_timeout=1)
        self.switch("deaf")
        self.add()
        self.outlast("task", "do", "one", seconds=60)
        self.assertIsNone(self.shown()["session_id"])
        self.ended(self.shown()["run_id"])
        self.assertEqual((self.shown()["session_id"], self.sessions()), (None, []))

    def test_r06_one_writer(self):
        """while one works, no second is started on its session: not by do, not by a run that is continued"""
        first = self.begun("SLEEP 3 SAY over")
        for _ in range(3):
            self.assertEqual(self.do("one", "--with", "SAY again")["run_id"], first["run_id"])
        self.ended(first["run_id"])
        self.assertEqual(len(self.starts()), 1)
        self.only_one_writer()

    def test_r09_fresh_leaves_nothing_of_the_old_one(self):
        first = self.begun("FORK RUN[[sleep 275]]")
        self.do("one", "--fresh", "--with", "SLEEP 100")
        self.assertEqual((self.with_word("275"), [alive(line["child"]) for line in self.told("forked")]), ([], [False]))
        self.assertEqual(len(self.agents()), 1)
        self.assertEqual(self.show(first["run_id"])["status"], "CANCELLED")


class R21Kills(Survivor):
    def test_r21_the_executor_and_do_goes_on(self):
        first = self.begun()
        self.kill(self.executors())
        self.assertEqual(len(self.agents()), 1, "the agent works on")
        again = self.do("one")
        self.assertEqual((again["outcome"], again["run_id"]), ("live", first["run_id"]))
        self.went_on(first)
        self.assertEqual(self.trace(), ["began", "ended"])

    def test_r21_the_executor_and_a_server_goes_on(self):
        first = self.begun()
        self.kill(self.executors())
        server = self.server()
        self.went_on(first)
        server.end(signal.SIGTERM)
        self.assertEqual(self.trace(), ["began", "ended"])

    def test_r21_the_executor_twice(self):
        first = self.begun()
        for _ in range(2):
            self.kill(self.executors())
            self.assertEqual(self.do("one")["outcome"], "live")
        self.went_on(first)

    def test_r21_what_it_says_while_nobody_listens_is_not_lost(self):
        first = self.begun("RUN[[sleep 0.5]] THINK deep\nSAY over")
        self.kill(self.executors())
        self.until(lambda: not self.agents() or len(self.commands()) == 1, what="its end")
        time.sleep(1.5)
        self.do("one")
        events = self.went_on(first)
        self.assertEqual([e["text"] for e in events if e["type"] in ("thinking", "text")], ["deep", "over\n"])

    def test_r21_the_agent(self):
        first = self.begun("RUN[[echo began >> trace; sleep 276; echo ended >> trace]] SAY over")
        self.kill(self.agents())
        events = self.went_on(first, starts=2)
        self.assertEqual((self.trace(), self.with_word("276")), (["began"], []))
        self.assertEqual([e.get("why") for e in events if e["type"] == "harness_started"], [None, "signalled"])
        self.assertEqual(len(self.messages("You were interrupted")), 1)

    def test_r21_the_shim(self):
        first = self.begun("RUN[[echo began >> trace; sleep 277; echo ended >> trace]] SAY over")
        self.kill(self.shims())
        self.went_on(first, starts=2)
        self.assertEqual((self.trace(), self.with_word("277")), (["began"], []))

    def kill_all(self):
        """as a reboot does"""
        self.kill([*self.executors(), *self.shims(), *self.agents()])
        for pid in self.processes():
            if alive(pid):
                os.kill(pid, signal.SIGKILL)

    def test_r22_all_and_do_goes_on(self):
        first = self.begun("RUN[[echo began >> trace; sleep 278; echo ended >> trace]] SAY over")
        self.kill_all()
        self.assertEqual(self.shown()["state"], "running (no process now)")
        self.assertEqual(self.do("one")["run_id"], first["run_id"])
        self.went_on(first, starts=2)
        self.assertEqual((self.trace(), len(self.messages("You were interrupted"))), (["began"], 1), "it is told once what was cut")

    def test_r22_all_and_a_server_goes_on_by_itself(self):
        first = self.begun("RUN[[echo began >> trace; sleep 279; echo ended >> trace]] SAY over")
        self.kill_all()
        server = self.server()
        self.went_on(first, starts=2)
        server.end(signal.SIGTERM)
        self.assertEqual(len(self.messages("You were interrupted")), 1)

    def test_r22_all_with_a_message_under_way(self):
        """what was queued is told once, whenever everything dies"""
        for delay in (0, 0.3, 0.8):
            with self.subTest(delay=delay):
                slug = f"t{int(delay * 10)}"
                self.add(slug)
                first = self.do(slug, "--with", f"SLEEP 4 RUN[[echo {slug} >> trace]] SAY over")
                self.do(slug, "--with", f"SAY queued-{slug}-")
                time.sleep(delay)
                self.kill_all()
                self.do(slug)
                run = self.ended(first["run_id"])
                self.assertEqual(run["status"], "COMPLETED", self.events(first["run_id"]))
                self.assertEqual(len(self.messages(f"queued-{slug}-")), 1)
                self.dense(first["run_id"])
        self.only_one_writer()

    def test_r22_cut_work_is_gone_on_with_before_what_came_later(self):
        for program in ("claude", "opencode"):
            with self.subTest(program=program):
                self.add(program, "--harness", program)
                first = self.do(program, "--with", "RUN[[sleep 280]] SAY over")
                self.until(lambda: self.with_word("280"), what="the command")
                self.do(program, "--with", f"SAY queued-{program}-")
                self.kill_all()
                self.do(program)
                self.assertEqual(self.ended(first["run_id"])["status"], "COMPLETED", self.events(first["run_id"]))
                began, *told = [m for m in self.told("message", session=first["session_id"]) if not m.get("known")]
                told = [m["text"] for m in told if m["pid"] != began["pid"]]  # what the first had got, and not taken up, does not count
                self.assertEqual(["interrupted" in text for text in told], [True, False])
                self.assertIn(f"queued-{program}-", told[1])

    def test_r10_a_message_is_told_once_when_the_executor_dies(self):
        first = self.begun("SLEEP 2 SAY over")
        self.do("one", "--with", "SAY queued-1-")
        self.kill(self.executors())
        self.do("one", "--with", "SAY queued-2-")
        self.kill(self.executors())
        self.do("one")
        run = self.ended(first["run_id"])
        self.assertEqual(run["status"], "COMPLETED")
        for word in ("queued-1-", "queued-2-"):
            self.assertEqual(len(self.messages(word)), 1, word)
        heard = self.of_type(first["run_id"], "harness_heard")
        self.assertEqual((len(heard), len({e["message_id"] for e in heard})), (3, 3))
        self.assertEqual(len(self.starts()), 1)
        self.dense(first["run_id"])

    def test_r21_the_agent_of_the_background_is_not_ours_to_lose(self):
        self.add()
        first = self.do("one", "--with", "SLEEP 100", env=self.bg)
        (agent,) = self.agents()
        self.until(lambda: not self.executors(), 30, "the end of what started it")
        self.assertTrue(alive(agent))
        self.assertEqual(self.do("one", env=self.bg)["session_id"], first["session_id"])


class R24History(Survivor):
    def test_r24_history_only_grows(self):
        self.add()
        before, moments = [], 0
        steps = (["do", "one", "--with", "SAY a"], ["do", "one", "--with", "SAY b"], ["do", "one", "--fresh"], ["update", "one", "--due", "3d"],
                 ["done", "one", "--no-close-out"], ["reopen", "one"], ["do", "one"], ["stop", "one"])
        for step in steps:
            self.ok("task", *step, seconds=60)
            for run in self.rows():
                self.ended(run["run_id"])
            now = self.history()
            self.assertEqual(now[:len(before)], before, step)
            moments += len(now) > len(before)
            before = now
        self.assertEqual(moments, len(steps) - 1, "all but the stop of what is not there")
        self.assertEqual([e["type"] for e in before].count("started"), 4)
        self.assertEqual([run["status"] for run in self.rows()], ["COMPLETED"] * 4)
        self.assertEqual(len({e["data"]["run_id"] for e in before if e["type"] == "started"}), 4)

    def test_r25_a_log_that_is_followed_through_a_kill(self):
        first = self.begun()
        lines = []
        watching = subprocess.Popen([BIN, "logs", "-f", first["run_id"], "--json"], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(watching.kill)
        reader = threading.Thread(target=lambda: lines.extend(map(json.loads, watching.stdout)))
        reader.start()
        self.kill(self.executors())
        self.do("one")
        events = self.went_on(first)
        self.assertEqual(watching.wait(30), 0)
        reader.join(10)
        watching.stdout.close()
        self.assertEqual([(e["event_index"], e["type"]) for e in lines], [(e["event_index"], e["type"]) for e in events])

    def test_r29_list_and_show_start_nothing(self):
        for slug in ("a", "b", "c"):
            self.add(slug)
            self.do(slug, "--with", "SLEEP 100")
        before = len(self.told("call"))
        self.assertEqual([row["live"] for row in json.loads(self.task("list", "--format", "json"))], [True] * 3)
        for slug in ("a", "b", "c"):
            self.assertIn("running (pid ", self.shown(slug)["state"])
            self.task("transcript", slug)
        self.assertEqual(len(self.told("call")), before)


if __name__ == "__main__":
    main()
