"""The end of a session on the real binary: what becomes of its background tasks (runtime.background.on_end), and its hooks of session_end.
Env OUTLAST_BIN names it."""
import http.client, json, os, signal, subprocess, time, types, unittest

from agentos_client import BINARY, Server, carrying, until
from test_app_sessions import Session, background, call

APP = """\
app: {app_id: desk, name: Desk, version: "1.0.0"}
runtime:
  background: {ON_END}
  hooks: [HOOKS]
agents:
  - id: clerk
    role: assistant
    brain: {provider: demo, model: fast}
  - id: other
    role: assistant
    brain: {provider: demo, model: fast}
    delegate_to: [clerk]
tools:
  modules: {filesystem: {}, shell: {}, agent_spawn: {}}
  capabilities:
    default_policy: auto
    max_risk_level: high
    grant:
      - {module: shell, actions: [bash]}
      - {module: context_builder, actions: [background_run, run_parallel]}
"""


class EndTest(unittest.TestCase):
    ON_END, HOOKS = "", ""

    def setUp(self):
        self.server = Server(types.SimpleNamespace(port=9))
        with open(self.server.app, "w") as f:
            f.write(APP.replace("ON_END", self.ON_END).replace("HOOKS", self.HOOKS))
        self.server.start()
        self.api = self.server.api

    def tearDown(self):
        self.server.stop()
        log = self.server.log()
        left = carrying(self.server.directory)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        self.server.remove()
        for word in ("Sanitizer", "runtime error", "Assertion"):
            self.assertNotIn(word, log)
        self.assertEqual(left, [], "processes were left behind")

    def cli(self, *words):
        done = subprocess.run([BINARY, *words], env=self.server.environment, cwd=self.server.work, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout

    def result(self, task):
        """what its call was answered"""
        code, out = self.cli("logs", task, "--json")
        self.assertEqual(code, 0, out)
        return json.loads(next(e["result"] for e in map(json.loads, out.splitlines()) if e["type"] == "tool_completed"))

    def delete(self, s):
        answer = self.api.ask("DELETE", s.path)
        self.assertEqual((answer.status, answer.json), (200, {"session_id": s.id, "deleted": True}))
        self.assertEqual(s.get("/state").status, 404)

    def start(self, s, command, **more):
        """the id of a background command of the session, once it is at work"""
        before = {t["task_id"] for t in s.get("/tasks").json["tasks"]}
        s.say(background(command, **more))
        s.idle()
        return until(lambda: [t["task_id"] for t in s.get("/tasks").json["tasks"] if t["task_id"] not in before])[0]

    def row(self, task):
        """of GET /runs, or None"""
        rows = self.api.ask("GET", "/runs?component_type=tool&limit=100").json["data"]
        return next((r for r in rows if r["run_id"] == task), None)

    def ended(self, task, seconds=20):
        return until(lambda: (r := self.row(task)) and r["status"] not in ("PENDING", "RUNNING") and r, seconds)

    def told(self, s, task):
        return [c for r, c in s.roles() if r == "system" and task in c]


class Cancel(EndTest):
    def test_without_a_policy_they_end(self):
        s = Session(self.api)
        task = self.start(s, "setsid sleep 7401 & sleep 7401")
        until(lambda: len(carrying("sleep 7401")) >= 2)
        self.delete(s)
        self.assertEqual(carrying("sleep 7401"), [])
        self.assertIsNone(self.row(task))


class Detach(EndTest):
    ON_END = "on_end: detach"

    def test_it_outlives_its_session_and_is_known(self):
        s = Session(self.api)
        task = self.start(s, "echo one; sleep 2.5; echo two; exit 3")
        done = self.start(s, "echo quick", wait=True)
        s.say(call("Bash", command="sleep 7402"))
        until(lambda: carrying("sleep 7402"))
        self.delete(s)
        self.assertEqual(carrying("sleep 7402"), [], "what a turn waits for ends with it")
        self.assertIsNone(self.row(done))
        row = self.row(task)
        self.assertRegex(row["session_id"], "^" + s.id + r"\.detached-[0-9a-f]{24}$")
        self.assertEqual(row["status"], "RUNNING")
        self.assertIn(task, self.cli("ls", "--tasks")[1])
        self.server.kill()  # it is a task like every other: the next server goes on with it
        self.server.start()
        self.assertEqual(self.ended(task)["status"], "ERROR")
        self.assertIn(self.cli("wait", task)[0], (1, 3))
        result = self.result(task)
        self.assertEqual((result["stdout"], result["exit_code"]), ("one\ntwo\n", 3))
        time.sleep(3.5)
        agents = self.api.ask("GET", "/runs?component_type=agent&limit=100").json["data"]
        self.assertEqual(agents, [], "nobody is woken")
        self.assertNotIn(row["session_id"], self.api.ask("GET", "/sessions?limit=100").body.decode())

    def test_parallel_calls_and_specialists_go_on(self):
        s = Session(self.api, agent="other")
        actions = [{"name": "Bash", "params": {"command": c}} for c in ("echo a", "sleep 3; echo b")]
        s.say(call("background_run", name="run_parallel", params={"actions": actions}))
        s.say(call("Agent", specialist="clerk", prompt=call("Bash", command="sleep 3; echo specialist > done.txt"), wait=False))
        s.idle()
        both = [t["task_id"] for t in s.get("/tasks").json["tasks"]]
        self.assertEqual(len(both), 2)
        until(lambda: len(carrying("sleep 3;")) >= 2)
        self.delete(s)
        for task in both:
            self.assertEqual(self.ended(task)["status"], "COMPLETED")
        together = next(r for r in map(self.result, both) if "results" in r)
        self.assertEqual([r["result"]["stdout"] for r in together["results"]], ["a\n", "b\n"])
        self.assertTrue(os.path.exists(os.path.join(self.server.work, "done.txt")))

    def test_its_session_can_be_deleted_and_it_be_cancelled(self):
        s = Session(self.api)
        first, second = self.start(s, "sleep 7403"), self.start(s, "sleep 7404")
        self.delete(s)
        self.assertEqual(self.cli("cancel", first)[0], 0)
        until(lambda: not carrying("sleep 7403"))
        self.assertEqual(self.ended(first)["status"], "CANCELLED")
        self.assertEqual(self.api.ask("DELETE", f"/sessions/{self.row(second)['session_id']}").status, 204)
        self.assertEqual(carrying("sleep 7404"), [])
        self.assertIsNone(self.row(second))

    def test_an_abort_leaves_it_alone(self):
        s = Session(self.api)
        task = self.start(s, "sleep 2; echo over")
        s.say("tokens=1000 rate=5")
        until(lambda: s.state()["status"] == "running")
        body = s.post("/abort", {}).json
        self.assertEqual((body["task_cancelled"], body["bg_tasks_cleaned"], body["still_ending"], body["aborted"]), (True, 0, 0, True))
        self.assertEqual(s.state()["live_tasks"], 1)
        self.assertEqual(self.ended(task)["status"], "COMPLETED")
        s.say("say next")
        s.idle()
        self.assertEqual(len(self.told(s, task)), 1)


class Adopt(EndTest):
    ON_END = "on_end: adopt"

    def test_another_session_is_told(self):
        older, stranger, other = Session(self.api), Session(self.api, user="bob"), Session(self.api, agent="other")
        heir, s = Session(self.api), Session(self.api)
        heir.say("say used last")
        heir.idle()
        for one in (stranger, other):
            one.say("say hello")
            one.idle()
        task = self.start(s, "sleep 1.5; echo inherited")
        self.delete(s)
        self.assertEqual([t["task_id"] for t in heir.get("/tasks").json["tasks"]], [task])
        self.ended(task)
        until(lambda: self.told(heir, task))  # it is idle, so it is woken
        self.assertIn("inherited", self.told(heir, task)[0])
        for one in (older, other, stranger):
            self.assertEqual(self.told(one, task), [])
            self.assertEqual(one.get("/tasks").json["tasks"], [])

    def test_without_another_it_is_detached(self):
        s = Session(self.api)
        task = self.start(s, "sleep 1; echo alone")
        self.delete(s)
        self.assertIn(".detached-", self.row(task)["session_id"])
        self.assertEqual(self.ended(task)["status"], "COMPLETED")

    def test_an_abort_leaves_it_alone(self):
        heir, s = Session(self.api), Session(self.api)
        task = self.start(s, "sleep 1; echo mine")
        body = s.post("/abort", {}).json
        self.assertEqual((body["bg_tasks_cleaned"], body["still_ending"]), (0, 0))
        self.assertEqual([t["task_id"] for t in s.get("/tasks").json["tasks"]], [task])
        self.assertEqual(heir.get("/tasks").json["tasks"], [])
        self.assertEqual(self.ended(task)["status"], "COMPLETED")

    def test_it_binds_though_the_server_dies(self):
        """killed right after the removal is durable"""
        self.server.stop()
        self.server.environment["OUTLAST_FAILPOINT"] = "cancel.after_commit"
        try:
            self.server.start()
        finally:
            del self.server.environment["OUTLAST_FAILPOINT"]
        heir, s = Session(self.api), Session(self.api)
        task = self.start(s, "sleep 2; echo kept")
        s.say("tokens=1000 rate=5")
        until(lambda: s.state()["status"] == "running")
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.api.ask("DELETE", s.path)
        self.assertEqual(self.server.process.wait(10), -signal.SIGKILL)
        self.server.start()
        self.assertEqual([t["task_id"] for t in heir.get("/tasks").json["tasks"]], [task])
        self.assertEqual(self.ended(task)["status"], "COMPLETED")
        self.delete(s)


class Hooks(EndTest):
    HOOKS = """
    {id: noted, on: session_end, condition: always, action: {type: shell, command: "echo {{session.id}} {{input}} >> ends.txt"}},
    {id: waited, on: session_end, condition: {type: expression, expr: "turns == 2"}, action: {type: module_action_inject, module: filesystem, action: write, params: {file_path: "w.txt", content: "{{output}}"}}},
    {id: fails, on: session_end, condition: always, action: {type: shell, command: "sleep 7405 & exit 1"}},
    {id: slow, on: session_end, condition: {type: content_contains, keyword: slow}, timeout: 1, action: {type: shell, command: "sleep 7406"}}
  """

    def file(self, name):
        path = os.path.join(self.server.work, name)
        if not os.path.exists(path):
            return None
        with open(path) as f:
            return f.read()

    def test_once_before_it_is_gone(self):
        s = Session(self.api)
        s.say("say first")
        s.say("say bye")
        s.idle()
        s.post("/abort", {})
        self.assertIsNone(self.file("ends.txt"), "an abort is no end")
        self.delete(s)
        self.assertEqual(self.file("ends.txt"), f"{s.id} say bye\n")
        self.assertEqual(self.file("w.txt"), "bye")
        self.assertEqual(carrying("sleep 7405"), [], "what a command leaves behind ends with it")
        self.delete(Session(self.api))
        self.assertEqual(self.file("ends.txt").count("\n"), 1, "a session without turns has no hooks")

    def test_a_slow_one_is_cut_and_agentos_sessions_have_them_too(self):
        run = self.api.launch("say slow", agent="clerk", session_id="plain")
        until(lambda: self.api.ask("GET", f"/agents/clerk/runs/{run['run_id']}?session_id=plain").json["status"] == "COMPLETED")
        began = time.monotonic()
        self.assertEqual(self.api.ask("DELETE", "/sessions/plain").status, 204)
        self.assertLess(time.monotonic() - began, 6)
        self.assertEqual(carrying("sleep 7406"), [])
        self.assertEqual(self.file("ends.txt"), "plain say slow\n")
        self.assertEqual(self.api.ask("GET", "/sessions/plain").status, 404)

    def test_a_removal_that_is_cut_and_asked_for_again(self):
        """the server dies when the removal is bound and its turn not ended; two clients ask for it again at once"""
        self.server.stop()
        self.server.environment["OUTLAST_FAILPOINT"] = "cancel.after_commit"
        try:
            self.server.start()
        finally:
            del self.server.environment["OUTLAST_FAILPOINT"]
        s = Session(self.api)
        s.say("tokens=1000 rate=5")
        until(lambda: s.state()["status"] == "running" and s.state()["seq"] > 3)
        with self.assertRaises((OSError, http.client.HTTPException)):
            self.api.ask("DELETE", s.path)
        self.assertEqual(self.server.process.wait(10), -signal.SIGKILL)
        self.assertEqual(self.file("ends.txt").count("\n"), 1)
        self.server.start()
        self.delete(s)
        self.assertEqual(self.file("ends.txt").count("\n"), 1)


if __name__ == "__main__":
    unittest.main()
