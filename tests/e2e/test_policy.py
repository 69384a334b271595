"""What an agent may not call it cannot call, however it asks: every policy against every way to ask. Env OUTLAST_BIN names the binary.

A policy is an entry of POLICIES, a tool under a policy an entry of TARGETS, a way to ask an entry of forms(). Each way is also tried
where nothing forbids it: there it must work, or the rest would prove nothing."""
import json, os, re, unittest

import agentos_model
from agentos_client import Answer, OwnServerTest, carrying, until

APP = """\
app: {{app_id: os1, name: OS, version: "1.0.0"}}
runtime: {{max_turns: 200}}
agents:
  - id: main
    role: assistant
    brain: {brain}
tools:
"""
BACKGROUND = "{{module: context_builder, actions: [background_run, run_parallel]}}"
SHELL_GRANT = "{{module: shell, actions: [bash]}}"


def tools(modules="shell: {{}}, filesystem: {{}}", **capabilities):
    capabilities = {"default_policy": "auto", "max_risk_level": "high", "grant": f"[{BACKGROUND}]", **capabilities}
    return f"  modules: {{{{{modules}}}}}\n  capabilities:\n" + "".join(f"    {key}: {value}\n" for key, value in capabilities.items())


# What is called: all its names, and the arguments with which it makes the file `mark`.
TARGETS = {
    "shell": (["Bash", "bash", "BASH", "bAsH", "shell.bash", "shell__bash", "Shell.Bash", "bash.run", "bash__run", " Bash ", "shell.bash\t"],
              lambda mark: {"command": f"touch {mark}"}),
    "mcp": (["mcp_m__mark", "mcp_m.mark", "MCP_M__MARK", "Mcp_m.Mark", " mcp_m__mark "], lambda mark: {"file": mark}),
}
SERVER = "mcp: {{config: {{servers: {{m: {{command: python3, args: ['" + os.path.join(os.path.dirname(os.path.abspath(__file__)), "mcp_mark.py") + "']}}}}}}}}"

NOT_FOUND = r"[Nn]ot found"
# name: (target, tools of the app file, what the model is told)
POLICIES = {
    "denied": ("shell", tools(deny="[shell.bash]"), NOT_FOUND),
    "denied_as_a_module": ("shell", tools(deny="[shell]"), NOT_FOUND),
    "hidden": ("shell", tools(hidden_actions="[shell.Bash]"), NOT_FOUND),
    "hidden_as_a_module": ("shell", tools(hidden_modules="[shell]"), NOT_FOUND),
    "blocked_by_a_constraint": ("shell", tools("shell: {{constraints: {{blocked_actions: [Bash]}}}}, filesystem: {{}}"), NOT_FOUND),
    "over_the_risk_cap": ("shell", tools(max_risk_level="medium"), NOT_FOUND),
    "not_granted": ("shell", tools(default_policy="block"), NOT_FOUND),
    "not_declared": ("shell", tools("filesystem: {{}}"), NOT_FOUND),
    "blocked_command": ("shell", tools("shell: {{config: {{blocked_commands: [touch]}}}}"), r"blocked: 'touch' is a blocked command here"),
    "not_an_allowed_command": ("shell", tools("shell: {{constraints: {{allowed_commands: [ls]}}}}"), r"not allowed: 'touch'"),
    "read_only": ("shell", tools("shell: {{constraints: {{readonly: true}}}}"), r"not allowed: 'touch'"),
    "outside_the_paths": ("shell", tools("shell: {{constraints: {{allowed_paths: [elsewhere]}}}}"), r"not allowed: .* is not inside"),
    "mcp_denied": ("mcp", tools(SERVER, deny="[mcp_m.mark]"), NOT_FOUND),
    "mcp_denied_as_a_module": ("mcp", tools(SERVER, deny="[mcp_m]"), NOT_FOUND),
    "mcp_hidden": ("mcp", tools(SERVER, hidden_actions="[mcp_m.mark]"), NOT_FOUND),
    "mcp_over_the_risk_cap": ("mcp", tools(SERVER, max_risk_level="low"), NOT_FOUND),
    "mcp_not_granted": ("mcp", tools(SERVER, default_policy="block"), NOT_FOUND),
    "outside_the_roots": ("shell", tools("shell: {{config: {{allowed_roots: [elsewhere]}}}}"), r"not allowed: .* is not inside"),
}

NAME_KEYS = ["name", "tool", "tool_name", "action"]
ARGUMENT_KEYS = ["params", "args", "arguments", "input", "parameters"]
LIST_KEYS = ["actions", "tasks", "calls", "tools", "invocations", "steps", "items"]
BACKGROUND_NAMES = ["background_run", "BackgroundRun", "BACKGROUND_RUN", "bg_run", "async_run", "context_builder.background_run", "context_builder__background_run", " background_run"]
PARALLEL_NAMES = ["run_parallel", "RunParallel", "parallel", "context_builder.run_parallel", "context_builder__run_parallel"]


def forms(target, mark):
    """(label, tool, arguments as text): each makes its own file, named by `mark` of the form's number"""
    names, arguments = TARGETS[target]
    made = []

    def add(label, tool, make, text=json.dumps):
        made.append((label, tool, text(make(arguments(mark(len(made)))))))

    def twice(value):
        return json.dumps(json.dumps(value))

    for name in names:
        add(f"directly as {name!r}", name, lambda a: a)
    add("directly, the arguments as text once more", names[0], lambda a: a, twice)
    if target == "shell":
        add("run_in_background", names[0], lambda a: {**a, "run_in_background": True})
        add("run_in_background as text", names[0], lambda a: {**a, "run_in_background": "true"})
        add("a watch", "background_run", lambda a: {"watch": True, "command": a["command"], "until": "never", "max_checks": 1, "wait": True})
    background = "background_run"
    for outer in BACKGROUND_NAMES:
        add(f"through {outer!r}", outer, lambda a: {"name": names[0], "params": a, "wait": True})
    for name in names:
        add(f"through background_run as {name!r}", background, lambda a: {"name": name, "params": a, "wait": True})
    for key in NAME_KEYS:
        add(f"through background_run, {key}", background, lambda a: {key: names[0], "params": a, "wait": 1})
    for key in ARGUMENT_KEYS:
        add(f"through background_run, {key}", background, lambda a: {"name": names[0], key: a, "wait": "true"})
        add(f"through background_run, {key} as text", background, lambda a: {"name": names[0], key: json.dumps(a), "wait": True})
    add("through background_run, all as text", background, lambda a: {"name": names[0], "params": a, "wait": True}, twice)
    add("through background_run, with run_in_background", background, lambda a: {"name": names[0], "params": {**a, "run_in_background": True}, "wait": True})
    add("background_run in background_run", background, lambda a: {"name": background, "params": {"name": names[0], "params": a, "wait": True}, "wait": True})
    add("background_run in background_run as text", background, lambda a: {"tool": "bg_run", "args": json.dumps({"tool": names[0], "args": json.dumps(a), "wait": True}), "wait": True})
    for outer in PARALLEL_NAMES:
        add(f"through {outer!r}", outer, lambda a: {"actions": [{"name": names[0], "params": a}]})
    for key in LIST_KEYS:
        add(f"through run_parallel, {key}", "run_parallel", lambda a: {key: [{"name": names[0], "params": a}]})
        add(f"through run_parallel, {key} as text", "run_parallel", lambda a: {key: json.dumps([{"tool": names[0], "args": a}])})
    for name_key, argument_key in zip(NAME_KEYS + NAME_KEYS[:1], ARGUMENT_KEYS):
        add(f"through run_parallel, {name_key} and {argument_key}", "run_parallel", lambda a: {"actions": [{name_key: names[0], argument_key: a}]})
    add("through run_parallel, all as text", "run_parallel", lambda a: {"actions": [{"name": names[0], "params": a}]}, twice)
    add("run_parallel in background_run", background, lambda a: {"name": "run_parallel", "params": {"tasks": [{"tool": names[0], "args": a}]}, "wait": True})
    add("background_run in run_parallel", "run_parallel", lambda a: {"actions": [{"name": background, "params": {"name": names[0], "params": a, "wait": True}}]})
    return made


class Caller(agentos_model.Model):
    """Makes the calls of the lines DO [[tool, arguments], ...], one line a turn, with names and arguments exactly as they stand."""

    def answer(self, handler, body):
        text, turn = agentos_model.last_user_text(body.get("messages", []))
        lines = re.findall(r"^DO (.+)$", text, re.M)
        if turn >= len(lines):
            return super().answer(handler, body)
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        self.chunk(handler, {"role": "assistant", "content": ""})
        for i, (name, arguments) in enumerate(json.loads(lines[turn])):
            self.chunk(handler, {"tool_calls": [{"index": i, "id": f"call_{turn}_{i}", "type": "function", "function": {"name": name, "arguments": arguments}}]})
        self.end(handler, "tool_calls")


class PolicyTest(OwnServerTest):
    AT_ONCE = 16

    def make_model(self):
        return Caller()

    def path(self, name):
        return os.path.join(self.server.work, name)

    def launch(self, asked, session="s"):
        turns = [asked[i:i + self.AT_ONCE] for i in range(0, len(asked), self.AT_ONCE)]
        return self.api.launch("\n".join("DO " + json.dumps([[tool, arguments] for _, tool, arguments in turn]) for turn in turns) + "\nSAY done", session_id=session)

    def events(self, run, session="s"):
        return [e for e in self.api.resume(run["run_id"], session_id=session) if e.name not in ("catch_up", "replay", "subscribed")]

    def ask(self, asked, session="s"):
        """what each call was answered, in the order asked; the run went on to its end"""
        run = self.launch(asked, session)
        self.assertEqual(self.api.settled(run, seconds=120)["status"], "COMPLETED")
        events = self.events(run, session)
        self.assertIn("done", "".join(e.json.get("content") or "" for e in events if e.name == "RunContent"), "the run goes on")
        told = {e.json["tool"]["tool_call_id"]: e.json["tool"]["result"] for e in events if e.name == "ToolCallCompleted"}
        return [told[f"call_{i // self.AT_ONCE}_{i % self.AT_ONCE}"] for i in range(len(asked))]


class Policies(PolicyTest):
    """One test for each policy, and one without any."""

    @property
    def APP(self):
        name = self._testMethodName.removeprefix("test_")
        free = tools(SERVER, grant=f"[mcp_m.mark, {BACKGROUND}]") if name.endswith("_of_mcp_works") else tools(grant=f"[{SHELL_GRANT}, {BACKGROUND}]")
        return APP + (POLICIES[name][1] if name in POLICIES else free)

    def refused(self, name):
        target, _, says = POLICIES[name]
        asked = forms(target, lambda n: f"mark-{n}")
        for (label, _, _), answer in zip(asked, self.ask(asked)):
            self.assertRegex(answer, says, label)
        self.assertEqual([f for f in os.listdir(self.server.work) if f.startswith("mark")], [], "no process has run")

    def test_without_a_policy_every_form_works(self):
        self.every_form_works("shell", 70)

    def test_without_a_policy_every_form_of_mcp_works(self):
        self.every_form_works("mcp", 60)

    def every_form_works(self, target, at_least):
        asked = forms(target, lambda n: f"mark-{n}")
        self.assertGreater(len(asked), at_least)
        answers = self.ask(asked)
        for n, (label, _, _) in enumerate(asked):
            if not label.startswith("run_in_background"):  # these only start it
                self.assertTrue(os.path.exists(self.path(f"mark-{n}")), (label, answers[n]))
        for n in range(len(asked)):
            until(lambda: os.path.exists(self.path(f"mark-{n}")))


for policy in POLICIES:
    setattr(Policies, f"test_{policy}", lambda self, policy=policy: self.refused(policy))


class Approval(PolicyTest):
    """What needs a person's word waits for it in every form, and a no holds."""
    APP = APP + tools(approve=f"[{SHELL_GRANT}]")
    AT_ONCE = 100

    def test_nothing_runs_before_it_is_approved(self):
        asked = forms("shell", lambda n: f"mark-{n}")
        run = self.launch(asked)
        self.assertEqual(self.api.settled(run, seconds=60)["status"], "PAUSED")
        waiting = next(e.json for e in self.events(run) if e.name == "RunPaused")["tools"]
        self.assertEqual({t["tool_call_id"] for t in waiting}, {f"call_0_{i}" for i in range(len(asked))}, [a[0] for a in asked])
        decisions = [{**t, "confirmed": False} for t in waiting]
        Answer(self.api.continues(run["run_id"], "s", decisions, agent="main", background="true", stream="false"))
        self.assertEqual(self.api.settled(run, seconds=60)["status"], "COMPLETED")
        self.assertEqual([f for f in os.listdir(self.server.work) if f.startswith("mark")], [])


class OtherSessions(PolicyTest):
    """A task of another session is not there, whatever is asked of it."""
    APP = APP + tools(grant=f"[{SHELL_GRANT}, {BACKGROUND}]")

    def test_its_tasks_are_not_found(self):
        other = self.ask([("", "Bash", json.dumps({"command": "echo begun; exec sleep 7301", "run_in_background": True}))], session="other")
        task = json.loads(other[0])["task_id"]
        of_bash = [{}, {"wait": True, "timeout": 1}, {"kill": True}, {"stdin_text": "x"}, {"command": "touch mark"}]
        of_background = [{}, {"wait": True, "timeout": 1}, {"cancel": True}, {"stdin": "x"}, {"signal": "SIGTERM"}, {"wait_for": "begun", "timeout": 1}]
        asked = [("", name, json.dumps({"task_id": task, **more})) for more in of_bash for name in ("Bash", "shell.bash", "bash__run")]
        asked += [("", name, json.dumps({"task_id": task, **more})) for more in of_background for name in ("background_run", "bg_run")]
        asked += [("", "background_run", json.dumps({"task_ids": [task], "wait": True, "timeout": 1})),
                  ("", "run_parallel", json.dumps({"actions": [{"name": "Bash", "params": {"task_id": task, "kill": True}}]})),
                  ("", "background_run", json.dumps({"name": "Bash", "params": {"task_id": task, "kill": True}, "wait": True})),
                  ("", "background_run", json.dumps({"name": "background_run", "params": {"task_id": task, "cancel": True}, "wait": True}))]
        for (_, tool, arguments), answer in zip(asked, self.ask(asked)):
            self.assertRegex(answer, f"Task '{task}' not found", (tool, arguments))
        listed, = self.ask([("", "background_run", json.dumps({"list_tasks": True}))])
        self.assertNotIn(task, listed)
        self.assertEqual(len(carrying("sleep 7301")) > 0, True, "it goes on")
        self.assertFalse(os.path.exists(self.path("mark")))
        self.assertEqual(self.api.ask("DELETE", "/sessions/other").status, 204)
        until(lambda: not carrying("sleep 7301"))


class Hooks(PolicyTest):
    """A hook is the app's own, and may call what its rules allow the app; what they withhold it cannot call either."""

    @property
    def APP(self):
        name = self._testMethodName.removeprefix("test_")
        hooks = [{"id": f"h{n}", "on": "turn_start", "condition": "always", "action": {"type": "pipe", "to": tool, "map": json.loads(arguments)}}
                 for n, (_, tool, arguments) in enumerate(self.asked())]
        under = POLICIES[name][1] if name in POLICIES else tools(grant=f"[{SHELL_GRANT}, {BACKGROUND}]")
        written = json.dumps(hooks).replace("{", "{{").replace("}", "}}")
        return APP.replace("max_turns: 200", "max_turns: 200, hooks: " + written) + under

    @staticmethod
    def asked():
        """the forms that a file can hold: a name that app files do not know is refused when the file is loaded"""
        unknown = ("bash.run", "bash__run", "BackgroundRun", "bg_run", "async_run", "RunParallel", "parallel")
        return [form for form in forms("shell", lambda n: f"mark-{n}") if form[2].startswith("{") and form[1] == form[1].strip() and form[1] not in unknown]

    def run_once(self):
        run = self.api.launch("SAY done", session_id="s")
        self.assertEqual(self.api.settled(run, seconds=120)["status"], "COMPLETED", "a hook's failure never harms the run")
        return [f for f in os.listdir(self.server.work) if f.startswith("mark")]

    def test_without_a_policy_every_form_works(self):
        made = len(self.asked())
        self.assertGreater(made, 60)
        self.run_once()
        until(lambda: len([f for f in os.listdir(self.server.work) if f.startswith("mark")]) == made)


for policy in (name for name, (target, _, _) in POLICIES.items() if target == "shell"):
    setattr(Hooks, f"test_{policy}", lambda self: self.assertEqual(self.run_once(), []))


if __name__ == "__main__":
    unittest.main()
