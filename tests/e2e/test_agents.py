"""agents that give work to other agents of their app. Env OUTLAST_BIN names the binary."""
import json, unittest

from agentos_client import OwnServerTest, until

APP = """\
app: {{app_id: os1, name: OS, version: "1.0.0"}}
agents:
  - {{id: main, role: coordinator, brain: {brain}, delegate_to: [worker, lead]}}
  - {{id: worker, role: worker, specialty: "does the work", brain: {brain}, modules: [shell]}}
  - {{id: lead, role: specialist, brain: {brain}, delegate_to: [worker, lead]}}
  - {{id: hermit, role: worker, brain: {brain}}}
tools:
  modules: {{shell: {{}}, agent_spawn: {{}}}}
  capabilities:
    default_policy: auto
    max_risk_level: high
    grant:
      - {{module: shell, actions: [bash]}}
      - {{module: context_builder, actions: [background_run, run_parallel]}}
"""


def call(tool, /, **arguments):
    return f"CALL {tool} {json.dumps(arguments)}"


class Agents(OwnServerTest):
    APP = APP

    def talk(self, *lines, session="s"):
        run = self.api.launch("\n".join(("N=1",) + lines), session_id=session)
        answer = self.api.settled(run, seconds=60)
        events = list(self.api.resume(run["run_id"], session_id=session))
        return answer, [self.parsed(e.json["tool"]["result"]) for e in events if e.name == "ToolCallCompleted"]

    @staticmethod
    def parsed(text):
        try:
            return json.loads(text)
        except ValueError:
            return text

    def runs(self, **query):
        return self.api.ask("GET", "/runs?" + "&".join(f"{k}={v}" for k, v in query.items())).json["data"]

    def test_work_is_done_by_a_specialist_in_a_conversation_of_its_own(self):
        _, (done, refused) = self.talk(call("Agent", specialist="worker", prompt="SAY done it"), call("Agent", specialist="hermit", prompt="x"))
        self.assertEqual((done["agent"], done["status"], done["content"]), ("worker", "COMPLETED", "done it"))
        self.assertIn("there is no specialist 'hermit'. Specialists: worker (does the work); lead", refused)
        with self.model.lock:
            child = next(r for r in self.model.requests if r["messages"][-1]["content"] == "SAY done it")
            parent = self.model.requests[0]
        self.assertEqual([m["role"] for m in child["messages"]], ["user"], "it sees nothing else")
        self.assertEqual([t["function"]["name"] for t in child.get("tools", [])], ["Bash", "background_run", "run_parallel"])
        described = next(t["function"]["description"] for t in parent["tools"] if t["function"]["name"] == "Agent")
        self.assertIn("Specialists: worker (does the work); lead", described)

    def test_in_the_background_and_in_parallel(self):
        _, (started, done, both) = self.talk(
            call("background_run", name="agent", params={"specialist": "worker", "prompt": "N=1 D=0.6"}),
            call("background_run", name="agent_spawn.agent", params={"agent": "worker", "task": "SAY waited"}, wait=True),
            call("run_parallel", actions=[{"name": "Agent", "params": {"specialist": w, "prompt": f"SAY {w}"}} for w in ("worker", "lead")]))
        self.assertEqual(started["status"], "running")
        self.assertEqual((done["status"], done["result"]["content"]), ("completed", "waited"))
        self.assertEqual([r["data"]["content"] for r in both["results"]], ["worker", "lead"])

    def test_a_specialist_asks_in_turn_and_a_circle_ends(self):
        _, (answer,) = self.talk(call("Agent", specialist="lead", prompt=call("Agent", specialist="worker", prompt="SAY deep")))
        self.assertEqual(answer["status"], "COMPLETED")
        prompt = "SAY bottom"
        for _ in range(10):
            prompt = call("Agent", specialist="lead", prompt=prompt)
        answer, _ = self.talk(prompt, session="deep")
        self.assertEqual(answer["status"], "COMPLETED")
        with self.model.lock:
            texts = json.dumps(self.model.requests)
        self.assertIn("nested deeper than 8", texts)

    def test_a_cancel_reaches_the_specialist(self):
        run = self.api.launch(call("Agent", specialist="worker", prompt=call("Bash", command="sleep 7401")), session_id="c")
        child = until(lambda: [r for r in self.runs(component_id="worker") if r["status"] == "RUNNING"])[0]
        self.api.ask("POST", f"/agents/main/runs/{run['run_id']}/cancel?session_id=c")
        self.assertEqual(self.api.settled(run, seconds=30)["status"], "CANCELLED")
        until(lambda: [r for r in self.runs(component_id="worker") if r["run_id"] == child["run_id"]][0]["status"] == "CANCELLED")

    def test_a_kill_starts_no_second_specialist(self):
        run = self.api.launch(call("Agent", specialist="worker", prompt=call("Bash", command="sleep 1; echo x >> once.txt")), session_id="k")
        until(lambda: [r for r in self.runs(component_id="worker") if r["status"] == "RUNNING"])
        self.server.kill()
        self.server.start()
        self.assertEqual(self.api.settled(run, seconds=60)["status"], "COMPLETED")
        with open(self.server.work + "/once.txt") as f:
            self.assertEqual(f.read(), "x\n")
        self.assertEqual(len(self.runs(component_id="worker")), 1)


if __name__ == "__main__":
    unittest.main()
