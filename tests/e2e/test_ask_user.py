"""ask_user: a run that asks a person waits, and goes on with the answer. Env OUTLAST_BIN names the binary."""
import json, os, subprocess, unittest

from agentos_client import BINARY, OwnServerTest

APP = """\
app: {{app_id: os1, name: OS, version: "1.0.0"}}
agents:
  - {{id: main, role: assistant, brain: {brain}}}
tools:
  capabilities: {{default_policy: auto, grant: [{{module: context_builder, actions: [ask_user, background_run]}}]}}
"""
ASK = 'CALL ask_user {"question":"Which one?","choices":["red","blue"]}'


class AskUser(OwnServerTest):
    APP = APP

    def told(self):
        with self.model.lock:
            return [m["content"] for m in self.model.requests[-1]["messages"] if m["role"] == "tool"]

    def paused(self, text, session="s"):
        run = self.api.launch(text, session_id=session)
        answer = self.api.settled(run, seconds=30)
        self.assertEqual(answer["status"], "PAUSED")
        return run, answer

    def outlast(self, *words):
        return subprocess.run([BINARY, *words], env=self.server.environment, capture_output=True, text=True, timeout=30)

    def decide(self, run, tools):
        return self.api.ask("POST", f"/agents/main/runs/{run['run_id']}/continue", {"session_id": "s", "stream": "false", "tools": json.dumps(tools)})

    def test_answered_over_http_as_user_input(self):
        run, answer = self.paused(ASK)
        tool, = answer["tools"]
        self.assertEqual((tool["requires_user_input"], tool["requires_confirmation"], tool["answered"]), (True, None, False))
        field, = tool["user_input_schema"]
        self.assertEqual((field["name"], field["description"], field["options"], field["value"]), ("answer", "Which one?", ["red", "blue"], None))
        field["value"] = "blue"
        self.assertEqual(self.decide(run, [tool]).status, 200)
        answer = self.api.settled(run, seconds=30)
        self.assertEqual(answer["status"], "COMPLETED")
        self.assertEqual(self.told(), ['{"answer":"blue"}'])
        self.assertEqual((answer["tools"][0]["answered"], answer["tools"][0]["user_input_schema"][0]["value"]), (True, "blue"))

    def test_answered_at_the_command_line_after_a_crash(self):
        run, _ = self.paused(ASK)
        self.server.kill()
        asked = self.outlast("approve", run["run_id"])
        self.assertEqual(asked.returncode, 2)
        self.assertIn("asks: Which one?", asked.stderr)
        self.assertIn("run.paused.input", self.outlast("show", run["run_id"], "--json").stdout)
        self.assertEqual(self.outlast("approve", run["run_id"], "--answer", "it's red").returncode, 0)
        self.server.start()
        self.assertEqual(self.api.settled(run, seconds=30)["status"], "COMPLETED")
        self.assertEqual(self.told(), ['{"answer":"it\'s red"}'])

    def test_yes_or_no(self):
        run, _ = self.paused('CALL ask_user {"question":"Sure?","response_type":"approval"}')
        self.assertEqual(self.outlast("approve", run["run_id"], "--reject", "--note", "later").returncode, 0)
        self.assertEqual(self.api.settled(run, seconds=30)["status"], "COMPLETED")
        self.assertEqual(self.told(), ['{"approved":false,"note":"later"}'])

    def test_not_granted_is_not_found(self):
        with open(self.server.app) as f:
            text = f.read()
        with open(self.server.app, "w") as f:
            f.write(text.replace("ask_user, ", ""))
        self.server.stop()
        self.server.start()
        run = self.api.launch(ASK, session_id="n")
        self.assertEqual(self.api.settled(run, seconds=30)["status"], "COMPLETED")
        self.assertIn("not found", self.told()[0])


if __name__ == "__main__":
    unittest.main()
