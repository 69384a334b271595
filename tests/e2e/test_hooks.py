"""hooks of app files on the real binary: events, conditions, actions, crashes. Env OUTLAST_BIN names it."""
import json, os, time, unittest

from agentos_client import OwnServerTest, carrying, until

APP = """\
app: {{app_id: os1, name: OS, version: "1.0.0"}}
runtime:
  max_stop_retries: 1
  hooks:
    - {{id: blocked, on: tool_start, condition: {{type: tool_name, match: Write}}, action: {{type: gate, reason: "no writing to {{{{tool.params.file_path}}}}"}}}}
    - {{id: faster, on: pre_tool_use, condition: {{type: tool_name, match: [bash]}},
        action: {{type: transform_params, transformation: {{set: {{timeout: 7}}, remove: [description]}}}}}}
    - id: noted
      "on": tool_end
      condition: {{type: all_of, conditions: [{{type: tool_name, match: "shell.*|Glob"}}, {{type: not, condition: tool_failed}}]}}
      action: {{type: transform_result, transformation: {{inject_note: "traced {{{{tool.name}}}} {{{{tool.params.command}}}}", append_to_result: "--"}}}}
    - id: audit
      event: tool_end
      condition: {{type: tool_name, match: Bash}}
      action: {{type: shell, command: "echo \\"end of {{{{tool.params.command}}}}\\" >> audit.txt"}}
    - {{id: greets, on: turn_start, condition: {{type: content_contains, keyword: greet}}, action: {{type: inject_message, content: "say hello first", role: system}}}}
    - {{id: once, on: turn_start, condition: always, max_fires: 1, action: {{type: shell, command: "echo first >> once.txt"}}}}
    - {{id: more, on: stop, condition: {{type: content_contains, keyword: unfinished}}, action: {{type: inject_message, content: "go on", role: user}}}}
    - {{id: sorry, on: error, condition: {{type: error_type, match: "Provider*"}}, action: {{type: shell, command: "echo {{{{error.type}}}} >> errors.txt"}}}}
    - {{id: slow, on: tool_start, condition: {{type: tool_name, match: Grep}}, timeout: 0.3, action: {{type: module_action_inject, module: shell, action: bash, params: {{command: sleep 7301}}}}}}
    - {{id: tasks, on: background_end, condition: always, action: {{type: shell, command: "echo {{{{task.status}}}} {{{{task.name}}}} >> tasks.txt"}}}}
    - {{id: begun, on: background_start, condition: always, action: {{type: shell, command: "echo begun >> tasks.txt"}}}}
    - {{id: ticks, on: periodic, cooldown: 1, condition: always, action: {{type: shell, command: "echo {{{{task.log}}}} >> ticks.txt"}}}}
    - {{id: denied, on: turn_end, condition: {{type: content_contains, keyword: sneak}}, action: {{type: chain, actions: [
         {{type: pipe, to: filesystem.edit, map: {{file_path: a, old_string: a, new_string: b}}}},
         {{type: pipe, to: background_run, map: {{name: Edit, params: {{file_path: once.txt, old_string: first, new_string: changed}}}}}}]}}}}
    - {{id: never, on: turn_start, condition: always, enabled: false, action: {{type: shell, command: "touch never.txt"}}}}
agents:
  - id: main
    role: assistant
    brain: {brain}
    hooks:
      - {{id: many, on: turn_end, condition: {{type: expression, expr: "tools >= 2 and not (turn > 9)"}}, action: {{type: shell, command: "echo {{{{tools}}}} >> many.txt"}}}}
tools:
  modules: {{shell: {{}}, filesystem: {{}}}}
  capabilities:
    default_policy: auto
    max_risk_level: high
    deny: [{{module: filesystem, actions: [edit]}}]
    grant:
      - {{module: shell, actions: [bash]}}
      - {{module: context_builder, actions: [background_run, run_parallel]}}
"""


def call(tool, /, **arguments):
    return f"CALL {tool} {json.dumps(arguments)}"


class Hooks(OwnServerTest):
    APP = APP

    def talk(self, *lines, session="s"):
        run = self.api.launch("\n".join(("N=1",) + lines), session_id=session)
        answer = self.api.settled(run, seconds=40)
        events = list(self.api.resume(run["run_id"], session_id=session))
        return answer, events

    def results(self, events):
        return [e.json["tool"]["result"] for e in events if e.name == "ToolCallCompleted"]

    def file(self, name):
        path = os.path.join(self.server.work, name)
        if not os.path.exists(path):
            return ""
        with open(path) as f:
            return f.read()

    def asked(self):
        with self.model.lock:
            return self.model.requests[-1]["messages"]

    def test_a_call_can_be_refused_and_changed(self):
        _, events = self.talk(call("Write", file_path="x.txt", content="x"), call("Bash", command="echo a 'b'", description="d"))
        refused, made = self.results(events)
        self.assertEqual(refused, "Blocked by hook 'blocked': no writing to x.txt")
        self.assertFalse(os.path.exists(os.path.join(self.server.work, "x.txt")))
        self.assertTrue(made.endswith("\n--"), made)
        self.assertEqual(json.loads(made[:-3])["stdout"], "a b\n")
        self.assertEqual([m["content"] for m in self.asked() if m["role"] == "system"], ["traced Bash echo a 'b'"])
        roles = [m["role"] for m in self.asked()]
        self.assertEqual(roles, ["user", "assistant", "tool", "assistant", "tool", "system"], "what a hook says follows the results")
        until(lambda: self.file("audit.txt"))
        self.assertEqual(self.file("audit.txt"), "end of echo a 'b'\n", "values are words, whatever they hold")
        self.assertEqual(self.file("many.txt"), "2\n")

    def test_templates_in_commands_cannot_break_out(self):
        self.talk(call("Bash", command="echo \"$(touch pwned)\" '; touch pwned2'; true \" `touch pwned3`\" ; rm -f pwned*"))
        self.assertTrue(self.file("audit.txt").startswith("end of echo \"$(touch pwned)\" '; touch pwned2'"))
        self.assertEqual([n for n in os.listdir(self.server.work) if n.startswith("pwned")], [])

    def test_turns(self):
        self.talk("greet me", "SAY hi")
        self.assertEqual([m["content"] for m in self.asked() if m["role"] == "system"], ["say hello first"])
        self.talk("SAY again")
        self.assertEqual(self.file("once.txt"), "first\n", "once in a session")
        self.talk("SAY other", session="t")
        self.assertEqual(self.file("once.txt"), "first\nfirst\n")
        self.assertFalse(os.path.exists(os.path.join(self.server.work, "never.txt")))

    def test_a_run_that_would_end_goes_on_as_often_as_it_may(self):
        before = len(self.model.requests)
        answer, _ = self.talk("SAY unfinished")
        self.assertEqual(answer["status"], "COMPLETED")
        self.assertEqual(len(self.model.requests) - before, 2, "one retry")
        self.assertEqual(self.asked()[-1], {"role": "user", "content": "go on"})

    def test_errors_and_slow_hooks_harm_nothing(self):
        answer, _ = self.talk("boom")
        self.assertEqual(answer["status"], "ERROR")
        self.assertEqual(self.file("errors.txt"), "ProviderAuth\n")
        began = time.time()
        answer, events = self.talk(call("Grep", pattern="x", path="."), session="slow")
        self.assertEqual(answer["status"], "COMPLETED")
        self.assertLess(time.time() - began, 15)
        until(lambda: not carrying("sleep 7301"))

    def test_background_tasks(self):
        _, events = self.talk(call("background_run", name="Bash", params={"command": "echo working; sleep 2.5"}, wait=True))
        self.assertEqual(json.loads(self.results(events)[0])["status"], "completed")
        until(lambda: self.file("tasks.txt").count("\n") == 2)
        self.assertEqual(self.file("tasks.txt"), "begun\ncompleted Bash\n")
        self.assertIn("working", self.file("ticks.txt"))
        until(lambda: "end of echo working; sleep 2.5" in self.file("audit.txt"))
        self.assertEqual(self.file("audit.txt").count("\n"), 1)

    def test_what_is_denied_is_denied_to_hooks(self):
        self.talk("greet", "SAY x")
        answer, _ = self.talk("SAY sneak")
        self.assertEqual(answer["status"], "COMPLETED")
        self.assertEqual(self.file("once.txt"), "first\n")

    def test_a_kill_neither_repeats_nor_forgets_a_hook(self):
        run = self.api.launch("N=1\n" + call("Bash", command="echo one; sleep 1.2") + "\nSAY done", session_id="k")
        until(lambda: carrying("sleep 1.2"))
        self.server.kill()
        self.server.start()
        self.assertEqual(self.api.settled(run, seconds=40)["status"], "COMPLETED")
        until(lambda: self.file("audit.txt"))
        self.assertEqual(self.file("audit.txt"), "end of echo one; sleep 1.2\n")
        self.assertEqual(self.file("once.txt"), "first\n")


if __name__ == "__main__":
    unittest.main()
