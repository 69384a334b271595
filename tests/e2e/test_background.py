"""background_run, run_parallel and Bash's tasks as a model uses them, on the real binary. Env OUTLAST_BIN names it."""
import json, os, re, time, unittest

from agentos_client import OwnServerTest, carrying, until

APP = """\
app: {{app_id: os1, name: OS, version: "1.0.0"}}
agents:
  - id: main
    role: assistant
    brain: {brain}
  - id: careful
    role: assistant
    brain: {brain}
    capabilities:
      default_policy: auto
      max_risk_level: high
      approve: [{{module: shell, actions: [bash]}}]
      grant: [{{module: context_builder, actions: [background_run, run_parallel]}}]
  - id: barred
    role: assistant
    brain: {brain}
    modules: [filesystem]
tools:
  modules: {{shell: {{config: {{foreground_limit: 1}}}}, filesystem: {{}}}}
  capabilities:
    default_policy: auto
    max_risk_level: high
    grant:
      - {{module: shell, actions: [bash]}}
      - {{module: context_builder, actions: [background_run, run_parallel]}}
"""
SLEEPER = {"command": "sleep 1 && echo COMPLETED"}
NOTICE = re.compile(r"\[BACKGROUND TASK (\w+)\] task_id=(\S+) tool=(\S+) elapsed=([\d.]+)s")


def call(tool="background_run", /, **arguments):
    return f"CALL {tool} {json.dumps(arguments)}"


def with_tasks(model):
    """the model puts task ids of earlier results where $TASK1, $TASK2 ... stand"""
    plain = model.answer

    def answer(handler, body):
        seen = []
        for message in body["messages"]:
            if message["role"] == "tool":
                for found in re.findall(r'"task_id\\*": *\\*"([^"\\]+)', message["content"]):
                    if found not in seen:
                        seen.append(found)
        user = next(m for m in reversed(body["messages"]) if m["role"] == "user")
        for n, task in enumerate(seen, 1):
            user["content"] = user["content"].replace(f"$TASK{n}", task)
        plain(handler, body)

    model.answer = answer
    return model


class Background(OwnServerTest):
    APP = APP

    def make_model(self):
        return with_tasks(super().make_model())

    def results(self, run, session, agent=None):
        """what the calls answered, in order, as objects where they are JSON"""
        answer = self.api.settled(run, agent=agent, seconds=40)
        events = list(self.api.resume(run["run_id"], agent=agent, session_id=session))
        texts = [e.json["tool"]["result"] for e in events if e.name == "ToolCallCompleted"]
        return answer, [self.parsed(t) for t in texts]

    @staticmethod
    def parsed(text):
        try:
            return json.loads(text)
        except ValueError:
            return text

    def talk(self, *calls, session="s", agent=None):
        run = self.api.launch("\n".join(("N=1",) + calls), session_id=session, agent=agent)
        return self.results(run, session, agent)[1]

    def notices(self):
        """of the newest model call: [(what, task, tool)]"""
        with self.model.lock:
            messages = self.model.requests[-1]["messages"]
        return [m for text in (x["content"] for x in messages if x["role"] == "system") for m in NOTICE.findall(text or "")]

    def test_the_five_modes(self):
        launch, status, listed, waited, again, cancelled = self.talk(
            call(name="Bash", params=SLEEPER), call(task_id="$TASK1"), call(list_tasks=True), call(task_id="$TASK1", wait=True, timeout=30),
            call("Bash", task_id="$TASK1"), call(task_id="$TASK1", cancel=True))
        task = launch["task_id"]
        self.assertEqual((launch["status"], launch["state"], launch["elapsed_seconds"]), ("running", "running", 0))
        self.assertEqual((status["task_id"], status["status"]), (task, "running"))
        self.assertIn("to check again", status["hint"])
        self.assertEqual([(t["task_id"], t["name"], t["status"]) for t in listed], [(task, "Bash", "running")])
        self.assertNotIn("result", listed[0])
        self.assertEqual((waited["status"], waited["exit_code"], waited["result"]["stdout"]), ("completed", 0, "COMPLETED\n"))
        self.assertGreaterEqual(waited["elapsed_seconds"], 0.9)
        self.assertEqual((again["status"], again["exit_code"], again["stdout"]), ("finished", 0, "COMPLETED\n"))
        self.assertEqual((cancelled["cancelled"], cancelled["hint"]), (False, "Task already completed."))
        self.talk("SAY next")
        self.assertEqual(self.notices(), [], "the waiter had the result")

    def test_synonyms_text_and_nonsense(self):
        answers = self.talk(
            'CALL bg_run {"tool":"shell.bash","args":"{\\"command\\":\\"echo hi\\",\\"run_in_background\\":true}","wait":"true"}',
            call(name="Bash", params="{oops"), call(name="Nope", params={}), call(), call(task_id="no-such"), call(cancel=True), call(params={"a": 1}),
            call(list=1))
        self.assertEqual((answers[0]["status"], answers[0]["result"]["stdout"]), ("completed", "hi\n"))
        for answer, words in zip(answers[1:7], ("is not valid JSON", "Tool 'Nope' not found.", "Provide either", "Task 'no-such' not found.",
                                                "'task_id' is required", "'name' is required")):
            self.assertIn(words, answer)
        self.assertEqual(len(answers[7]), 1, "one launch, one task")

    def test_a_failure_is_told_at_once_and_a_timeout_carries_the_state(self):
        failed, timed = self.talk(call(name="Bash", params={"command": "echo oops >&2; exit 3"}, settle_seconds=8),
                                  call(name="Bash", params={"command": "echo begun; sleep 30"}, wait=True, timeout=1))
        self.assertIn("Background task failed immediately: oops", failed["error"])
        self.assertEqual((failed["status"], failed["exit_code"]), ("failed", 3))
        self.assertEqual((timed["status"], timed["log"], timed["log_lines"], timed["timed_out"]), ("running", "begun\n", 1, True))
        self.assertIn("Timeout after 1s — task still running.", timed["message"])
        self.assertEqual(self.api.ask("DELETE", "/sessions/s").status, 204)

    def test_a_cancel_ends_the_whole_tree(self):
        launch, cancelled, after = self.talk(call(name="Bash", params={"command": "echo seen; (setsid sh -c 'trap \"\" TERM; sleep 7101; sleep 7101' &); sleep 7101"}),
                                             call(task_id="$TASK1", cancel=True), call(task_id="$TASK1"))
        self.assertEqual((cancelled["cancelled"], cancelled["status"], cancelled["task_id"]), (True, "cancelled", launch["task_id"]))
        self.assertEqual(carrying("sleep 7101"), [])
        self.assertEqual((after["status"], after["result"]["stdout"]), ("cancelled", "seen\n"))

    def test_races(self):
        """two tasks, the first that ends wins, the loser is cancelled"""
        *_, first, both = self.talk(call(name="Bash", params={"command": "sleep 7102"}), call(name="Bash", params={"command": "sleep 0.8; echo won"}),
                                    call(task_ids=["$TASK1", "$TASK2"], wait=True, mode="any", timeout=20), call(task_id="$TASK1", cancel=True))
        self.assertEqual(([t["status"] for t in first["tasks"]], len(first["done"]), len(first["pending"])), (["running", "completed"], 1, 1))
        self.assertTrue(both["cancelled"])
        all_done, = self.talk(call(task_ids=first["done"] + first["pending"], wait=True))
        self.assertEqual((sorted(t["status"] for t in all_done["tasks"]), all_done["timed_out"]), (["cancelled", "completed"], False))

    def test_tasks_that_follow_others(self):
        first, second, third, listed, done, refused = self.talk(
            call(name="Bash", params={"command": "sleep 0.8; echo one >> order.txt"}),
            call(name="Bash", params={"command": "echo two >> order.txt"}, after=["$TASK1"]),
            call(name="Bash", params={"command": "echo three >> order.txt"}, after="$TASK2", wait="true"), call(list_tasks=True),
            call(task_ids=["$TASK1", "$TASK2", "$TASK3"], wait=True, timeout=20), call(name="Bash", params={"command": "true"}, after=["nope"]))
        self.assertEqual((second["status"], second["waits_for"], third["status"]), ("running", "tasks that come first", "completed"))
        with open(os.path.join(self.server.work, "order.txt")) as f:
            self.assertEqual(f.read(), "one\ntwo\nthree\n")
        self.assertIn("Task 'nope' not found", refused)
        failed, skipped, made = self.talk(
            call(name="Bash", params={"command": "sleep 0.5; exit 4"}), call(name="Bash", params={"command": "touch never"}, after=["$TASK1"], wait=True),
            call(name="Bash", params={"command": "echo all the same"}, after=["$TASK1"], after_failure=True, wait=True), session="f")
        self.assertEqual((skipped["status"], skipped["result"]), ("failed", f"Not run: task '{failed['task_id']}', which had to succeed first, failed."))
        self.assertFalse(os.path.exists(os.path.join(self.server.work, "never")))
        self.assertEqual(made["result"]["stdout"], "all the same\n")

    def test_a_watch_tells_what_changes_and_ends_with_its_pattern(self):
        path = os.path.join(self.server.work, "state")
        with open(path, "w") as f:
            f.write("starting 'quoted' $(touch broken)\n")
        launched, = self.talk(call(watch=True, command="cat state", interval=1, until="^ready"))
        self.assertEqual(launched["status"], "running")
        time.sleep(1.2)
        with open(path, "w") as f:
            f.write("loading\n")
        told = lambda: [m["content"] for r in self.model.requests[-1:] for m in r["messages"] if m["role"] == "system"]
        until(lambda: any("[WATCHER UPDATE]" in t and "loading" in t for t in told()), 20)
        with open(path, "w") as f:
            f.write("ready now\n")
        waited, cut = self.talk(call(task_id=launched["task_id"], wait=True, timeout=20), call(watch=True, command="echo x", interval=0, max_checks=2, until="y", wait=True))
        self.assertEqual((waited["status"], waited["result"]["matched"], waited["result"]["line"]), ("completed", True, "ready now"))
        self.assertEqual((cut["status"], cut["result"]["checks"]), ("failed", 2))
        self.assertFalse(os.path.exists(os.path.join(self.server.work, "broken")))

    def test_input_and_signals(self):
        answers = self.talk(call("Bash", command="read line; echo got $line; cat", run_in_background=True), call(task_id="$TASK1", stdin="first\n"),
                            call("Bash", task_id="$TASK1", stdin_text="second"), call(task_id="$TASK1", stdin_end=True),
                            call(task_id="$TASK1", wait=True, timeout=20),
                            call(name="Bash", params={"command": "trap 'echo stopped; exit 9' INT; echo up; while :; do sleep 0.1; done"}),
                            call(task_id="$TASK2", signal="SIGINT"), call(task_id="$TASK2", wait=True, timeout=20), call(task_id="$TASK2", signal="SIGHUP"))
        self.assertIn("started (PID", answers[0]["message"])
        self.assertEqual(answers[1]["bytes"], 6)
        self.assertEqual(answers[4]["result"]["stdout"], "got first\nsecond\n")
        self.assertEqual((answers[7]["exit_code"], answers[7]["status"], answers[7]["result"]["stdout"]), (9, "failed", "up\nstopped\n"))
        self.assertIn("unsupported signal", answers[8])

    def test_a_task_outlives_the_turn_and_the_server_and_is_told_once(self):
        launch, = self.talk(call(name="Bash", params={"command": "for i in 1 2 3 4; do echo tick-$i; sleep 0.2; done; exit 5"}))
        self.server.kill()
        time.sleep(1)
        self.server.start()
        self.talk("SAY next")
        self.assertEqual([n[:3] for n in self.notices()], [("FAILED", launch["task_id"], "shell.bash")])
        result, = self.talk(call(task_id=launch["task_id"], wait=True))
        self.assertEqual((result["status"], result["exit_code"]), ("failed", 5))
        self.assertEqual(result["result"]["stdout"], "".join(f"tick-{i}\n" for i in range(1, 5)))
        self.assertEqual(len(self.notices()), 1, "told once, and kept in the conversation")

    def test_an_idle_session_is_woken_once(self):
        self.talk(call(name="Bash", params={"command": "sleep 0.5; echo one"}), call(name="Bash", params={"command": "sleep 0.6; echo two"}))
        until(lambda: len(self.notices()) == 2, 20)
        time.sleep(2.5)
        runs = self.api.ask("GET", "/runs?session_id=s").json
        self.assertEqual(runs["meta"]["total_count"], 2, "both endings bought one turn")

    def test_the_session_ends_its_tasks(self):
        self.talk(call(name="Bash", params={"command": "setsid sleep 7103 & sleep 7103"}))
        self.assertGreaterEqual(len(carrying("sleep 7103")), 2)
        self.assertEqual(self.api.ask("DELETE", "/sessions/s").status, 204)
        until(lambda: not carrying("sleep 7103"), 4)
        self.assertEqual(self.api.ask("GET", "/sessions/s?type=agent").status, 404)

    def test_parallel_calls(self):
        actions = [{"name": "Bash", "params": {"command": c}} for c in ("sleep 0.6; echo a", "exit 4", "sleep 0.6; echo c")]
        first, later, nested, refused = self.talk(call("run_parallel", actions=actions),
                                                  call("run_parallel", tasks=[{"tool": "bash", "args": {"command": "echo later"}}, {"tool": "Nope"}]),
                                                  call("run_parallel", actions=[{"name": "run_parallel", "params": {"actions": actions}}]),
                                                  call("run_parallel", actions=[{"name": "Bash", "params": {}}] * 51))
        self.assertEqual([(r["index"], r["name"], r["success"], r["status"]) for r in first["results"]],
                         [(0, "shell.bash", True, "completed"), (1, "shell.bash", False, "errored"), (2, "shell.bash", True, "completed")])
        self.assertEqual([first["results"][i]["result"]["stdout"] for i in (0, 2)], ["a\n", "c\n"])
        self.assertLess(first["elapsed_ms"], 1_150)
        self.assertEqual([r["success"] for r in later["results"]], [True, False])
        self.assertIn("nested run_parallel is not allowed", nested)
        self.assertIn("1 to 50", refused)
        listed, = self.talk(call(list_tasks=True))
        self.assertEqual(listed, [], "what is waited for in its own call is no task to look after")

    def test_patterns(self):
        """waited for across pieces of a line; told of once, also after a crash; an end without it is said"""
        command = "printf 'server li'; sleep 0.6; echo 'stens on 80'; sleep 2.5; echo over"
        launch, seen = self.talk(call(name="Bash", params={"command": command}, notify_when=["lis+tens on \\d+", "["]), call(task_id="$TASK1", wait_for="server listens", timeout=20))
        self.assertEqual((seen["status"], seen["matched"], seen["line"]), ("running", "server listens", "server listens on 80"))
        time.sleep(0.5)
        self.talk("SAY next")
        ready = [("READY", launch["task_id"])]
        self.assertEqual([n[:2] for n in self.notices()], ready)
        self.server.kill()
        self.server.start()
        ended, = self.talk(call(task_id=launch["task_id"], wait_for="never", timeout=20))
        self.assertEqual((ended["status"], ended["note"]), ("completed", 'task ended before pattern "never" was seen'))
        self.assertEqual([n[:2] for n in self.notices()], ready, "told once, though it was looked for again")

    def test_a_long_command_goes_on_as_a_task(self):
        """a short one answers as ever; one that takes longer has the id under which it is told of"""
        short, long, waited = self.talk(call("Bash", command="echo short; exit 3"), call("Bash", command="echo begun; sleep 1.5; echo done"),
                                        call(task_id="$TASK1", wait=True, timeout=20))
        self.assertEqual((short["exit_code"], short["stdout"], short["cause"]), (3, "short\n", "exited"))
        self.assertEqual((long["status"], long["promoted"], long["stdout"]), ("running", True, "begun\n"))
        self.assertEqual((waited["task_id"], waited["status"], waited["result"]["stdout"]), (long["task_id"], "completed", "begun\ndone\n"))
        long, = self.talk(call("Bash", command="sleep 1.2; echo later"))
        time.sleep(0.5)
        self.talk("SAY next")
        self.assertEqual([n[:2] for n in self.notices()], [("COMPLETED", long["task_id"])])
        run = self.api.launch("N=1\n" + call("Bash", command="setsid sleep 7105 & sleep 7105"), session_id="s")
        until(lambda: len(carrying("sleep 7105")) >= 2)
        self.api.cancel(run["run_id"])
        self.api.settled(run)
        self.assertEqual(carrying("sleep 7105"), [], "the run waited for it")

    def test_a_cancelled_run_ends_what_it_waits_for(self):
        actions = [{"name": "Bash", "params": {"command": "setsid sleep 7104 & sleep 7104"}}] * 2
        run = self.api.launch("N=1\n" + call("run_parallel", actions=actions), session_id="s")
        until(lambda: len(carrying("sleep 7104")) >= 4)
        self.api.cancel(run["run_id"])
        self.assertEqual(self.api.settled(run)["status"], "CANCELLED")
        self.assertEqual(carrying("sleep 7104"), [])

    def test_calls_at_the_same_time_survive_a_crash_and_run_once(self):
        actions = [{"name": "Bash", "params": {"command": f"echo {i} >> trace; sleep 1; echo end-{i}"}} for i in range(3)]
        run = self.api.launch("N=1\n" + call("run_parallel", actions=actions), session_id="s")
        until(lambda: len(carrying("sleep 1")) >= 3)
        self.server.kill()
        time.sleep(1.5)
        self.server.start()
        _, (result,) = self.results(run, "s")
        self.assertEqual([r["result"]["stdout"] for r in result["results"]], [f"end-{i}\n" for i in range(3)])
        with open(os.path.join(self.server.work, "trace")) as f:
            self.assertEqual(sorted(f.read().split()), ["0", "1", "2"])

    def test_policy_holds_for_what_is_wrapped(self):
        barred = self.talk(call(name="Bash", params={"command": "touch barred"}), call("run_parallel", actions=[{"name": "shell.bash", "params": {"command": "touch barred"}}]),
                           call(name="run_parallel", params={"actions": [{"name": "bash.run", "params": {"command": "touch barred"}}]}, wait=True), agent="barred", session="b")
        for answer in barred:
            self.assertIn("not found", json.dumps(answer))
        for i, wrapped in enumerate((call(name="Bash", params={"command": "touch careful"}),
                                     call("run_parallel", tasks=[{"tool": "shell__bash", "args": {"command": "touch careful"}}]),
                                     call(name="run_parallel", params={"actions": [{"name": "BASH", "params": {"command": "touch careful"}}]}))):
            run = self.api.launch("N=1\n" + wrapped, session_id=f"c{i}", agent="careful")
            self.assertEqual(self.api.settled(run, agent="careful")["status"], "PAUSED", wrapped)
        self.assertEqual([n for n in os.listdir(self.server.work) if n in ("barred", "careful")], [])

    def test_the_cap_counts_live_tasks(self):
        """a hundred quick ones leave room for more; the hundred-and-first live one is refused"""
        quick = [{"name": "Bash", "params": {"command": "true"}}] * 50
        done = self.talk(call("run_parallel", actions=quick), call("run_parallel", actions=quick), call("run_parallel", actions=quick[:3]))
        self.assertEqual([d["succeeded"] for d in done], [50, 50, 3])


class Settings(OwnServerTest):
    """`runtime.background` of the app file"""
    APP = APP + "runtime: {{background: {{cap: 2, keep_count: 2, keep_hours: 0.001}}}}\n"
    results, talk, parsed = Background.results, Background.talk, staticmethod(Background.parsed)

    def make_model(self):
        return with_tasks(super().make_model())

    def test_the_cap_is_for_what_goes_on_by_itself(self):
        first, second, refused, beside, together, ended, third = self.talk(
            call(name="Bash", params={"command": "sleep 7106"}), call("Bash", command="sleep 7106", run_in_background=True), call(name="Bash", params={"command": "true"}),
            call("Bash", command="echo beside"), call("run_parallel", actions=[{"name": "Bash", "params": {"command": "true"}}] * 3),
            call(task_id="$TASK1", cancel=True), call(name="Bash", params={"command": "sleep 7106"}))
        self.assertEqual([t["status"] for t in (first, second, third)], ["running"] * 3)
        self.assertIn("cap reached (2 live tasks)", refused)
        self.assertEqual((beside["stdout"], together["succeeded"], ended["cancelled"]), ("beside\n", 3, True))
        self.assertEqual(self.api.ask("DELETE", "/sessions/s").status, 204)
        until(lambda: not carrying("sleep 7106"))

    def test_ended_ones_are_listed_for_a_while_and_found_for_ever(self):
        *made, listed, live, now = self.talk(*(call(name="Bash", params={"command": f"echo {i}"}, wait=True) for i in range(3)), call(list_tasks=True),
                                             call(name="Bash", params={"command": "sleep 7107"}), call(list_tasks=True))
        ids = [task["task_id"] for task in made]
        self.assertEqual([t["task_id"] for t in listed], [ids[2], ids[1]], "those that ended last")
        self.assertEqual([t["task_id"] for t in now], [live["task_id"], ids[2], ids[1]])
        time.sleep(3.7)
        later, old = self.talk(call(list_tasks=True), call(task_id=ids[0]))
        self.assertEqual([t["task_id"] for t in later], [live["task_id"]])
        self.assertEqual(old["result"]["stdout"], "0\n")
        self.assertEqual(self.api.ask("DELETE", "/sessions/s").status, 204)


if __name__ == "__main__":
    unittest.main()
