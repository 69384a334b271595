"""What a session notes, from outside: tools of module `memory` on the real binary, what the model is shown, crashes, forks.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_memory.py"""
import json, os, unittest

from test_apps import Apps
from test_cli import Home

APP = """\
app: {{app_id: notes, name: Notes}}
agents:
  - id: main
    brain: {{provider: openai, model: scripted, config: {{api_key: "{key}", base_url: "http://127.0.0.1:{port}/v1"}}}}
    system_prompt: You are main.
  - id: without
    brain: {{provider: openai, model: scripted, config: {{api_key: "{key}", base_url: "http://127.0.0.1:{port}/v1"}}}}
    modules: [filesystem]
  - id: hooked
    brain: {{provider: openai, model: scripted, config: {{api_key: "{key}", base_url: "http://127.0.0.1:{port}/v1"}}}}
    modules: [filesystem]
    hooks:
      - id: remember_bg_tasks
        "on": tool_end
        condition: {{type: tool_name, match: background_run}}
        action: {{type: pipe, to: memory.remember, map: {{content: "Background task launched: {{{{tool.result.task_id}}}} ({{{{tool.params.name}}}})"}}, on_error: ignore}}
tools:
  modules: {{memory: {{}}, filesystem: {{}}}}
  capabilities: {{default_policy: auto, deny: [memory.forget], grant: [context_builder.background_run]}}
"""
TOOLS = "remember,set_goal,task_create,task_update,recall,forget"


def call(name, /, **arguments):
    return f"CALL {name} {json.dumps(arguments)}"


class Shown(Apps):
    """What the model is shown before its calls."""

    def write_app(self, name="app.yaml", key="{{env.APP_KEY}}"):
        path = os.path.join(self.work, name)
        with open(path, "w") as f:
            f.write(APP.format(key=key, port=self.model.port))
        self.env["APP_KEY"] = self.key
        return path

    def talk(self, *lines, session="s", agent="main"):
        return json.loads(self.ok("run", self.app, "\n".join(lines), "--json", "--session", session, "--agent", agent))

    def results(self, run):
        return [e["result"] for e in self.events(run["run_id"]) if e["type"] == "tool_completed"]

    def shown(self, said):
        """the memory's message of the newest request with these words, or None"""
        messages = self.model.asked(said)[-1]["messages"]
        noted = [m["content"] for m in messages if m["role"] == "system" and m["content"].startswith("[MEMORY]")]
        self.assertLessEqual(len(noted), 1)
        if noted:
            before = [m["role"] for m in messages[:[m["content"] for m in messages].index(noted[0])]]
            self.assertNotIn("user", before, "it stands in front of the conversation")
        return noted[0] if noted else None

    def test_what_is_noted_in_a_run_is_shown_in_the_next(self):
        self.talk(call("remember", content="the build needs clang 19", category="build"), call("set_goal", goal="a release"), call("task_create", title="notes"),
                  call("task_create", subject="tag"), call("task_update", id=3, status="in_progress"), "SAY one")
        self.assertEqual(self.model.asked("SAY one")[0]["messages"][1]["role"], "user", "nothing was noted then")
        noted = ("[MEMORY] What was noted in this session:\nGoal: a release\nTasks:\n- #3 [in_progress] notes\n- #4 [pending] tag\n"
                 "Facts, newest first:\n- #1 the build needs clang 19 (build)")
        self.assertEqual(self.shown("SAY one"), noted, "the same run sees it at its next model call")
        self.talk("SAY two")
        self.assertEqual(self.shown("SAY two"), noted)
        run = self.talk(call("task_update", id=3, status="completed"), call("task_update", id=4, status="cancelled"), call("set_goal", goal="another"), "SAY three")
        self.assertEqual(json.loads(self.results(run)[0])["status"], "completed")
        self.assertEqual(self.shown("SAY three"), "[MEMORY] What was noted in this session:\nGoal: another\nFacts, newest first:\n- #1 the build needs clang 19 (build)")
        self.talk("SAY elsewhere", session="t")
        self.assertIsNone(self.shown("SAY elsewhere"))

    def test_an_agent_without_its_tools_is_shown_nothing(self):
        self.talk(call("remember", content="secret to the other"))
        run = self.talk(call("remember", content="x"), "SAY without", agent="without")
        self.assertIsNone(self.shown("SAY without"))
        self.assertIn("not found", self.results(run)[0])

    def test_policy_holds_and_a_task_notes_for_its_session(self):
        run = self.talk(call("forget", id=1), call("background_run", name="forget", params={"id": 1}),
                        call("background_run", name="memory.remember", params={"content": "by a task"}, wait=True), "SAY done")
        results = self.results(run)
        self.assertEqual([r.startswith("Tool 'forget' not found.") for r in results[:2]], [True, True])
        self.assertEqual(json.loads(results[2])["result"]["remembered"], True)
        self.assertIn("by a task", self.shown("SAY done"))

    def test_a_hook_notes_for_the_agent(self):
        run = self.talk(call("background_run", name="Glob", params={"pattern": "*.none"}), "SAY hooked", agent="hooked")
        task = json.loads(self.results(run)[0])["task_id"]
        self.until(lambda: self.show(run["run_id"])["memory"]["facts"], what="the note")
        self.talk("SAY next", agent="hooked")
        self.assertTrue(self.shown("SAY next").endswith(f" Background task launched: {task} (Glob)"))

    def test_much_is_bounded_and_the_newest_comes_first(self):
        facts = [f"fact-{i} " + "ü" * 1_500 for i in range(12)]
        self.talk(*(call("remember", content=fact) for fact in facts), "SAY much")
        noted = self.shown("SAY much")
        self.assertLessEqual(len(noted.encode()), 16 << 10)
        self.assertLess(noted.index("fact-11"), noted.index("fact-10"))
        self.assertNotIn("fact-0 ", noted)
        self.assertRegex(noted, r"\[\d+ more are left out here\]$")
        found = json.loads(self.results(self.talk(call("recall", query="FACT-0")))[0])
        self.assertEqual([e["content"] for e in found["entries"]], facts[:1])

    def test_a_fork_has_what_was_noted_by_then(self):
        first = self.talk(call("remember", content="kept"), call("task_create", subject="later done"), "SAY one")
        self.talk(call("remember", content="of the future"), call("task_update", id=2, content="still open"), "SAY two")
        branch = json.loads(self.ok("fork", first["run_id"], "--json"))["branch_id"]
        run = json.loads(self.ok("run", self.app, "\n".join((call("remember", content="of the fork"), "SAY forked")), "--json", "-r", branch))
        self.assertEqual(json.loads(self.results(run)[0])["id"], 4, "no number of the origin's is given again")
        self.assertEqual([f["content"] for f in self.show(run["run_id"])["memory"]["facts"]], ["of the fork", "kept"])
        self.assertIn("- #2 [pending] still open", self.shown("SAY forked"))
        self.talk("SAY three")
        self.assertNotIn("of the fork", self.shown("SAY three"))


class Kept(Home):
    """On the scripted demo provider: what is kept, and what people see of it."""

    def agent(self, *lines, flags=("demo/fast",), **more):
        return json.loads(self.ok("agent", *flags, "\n".join(lines), "--json", "--tools", TOOLS, **more))

    def memory(self, run):
        return self.show(run["run_id"])["memory"]

    def test_kill_9_between_the_call_and_its_answer_notes_once(self):
        for place in ("tool.before_call", "tool.after_call"):
            with self.subTest(place):
                run = self.background('call remember {"content":"once"}\nparallel task_create {"subject":"a"} | task_create {"subject":"b"}\nsay done', "--tools", TOOLS,
                                      env={**self.env, "OUTLAST_FAILPOINT": place})
                self.until(lambda: self.show(run["run_id"])["status"] == "COMPLETED", what="the end")
                self.assertIn("taken_over", [f["type"] for f in self.show(run["run_id"])["facts"]], "it was killed")
                memory = self.memory(run)
                self.assertEqual(([f["content"] for f in memory["facts"]], sorted(t["content"] for t in memory["todos"])), (["once"], ["a", "b"]))

    def test_people_see_it(self):
        run = self.agent('call set_goal {"goal":"a release"}', 'call task_create {"subject":"write","description":"all of it"}', 'call task_update {"id":2,"status":"completed"}',
                         'call remember {"content":"two cores","importance":3}', "say done")
        text = self.ok("show", run["run_id"])
        for line in (r"goal +#1  a release", r"todo +#2 \[completed\]  write all of it", r"remembered +#3  two cores"):
            self.assertRegex(text, rf"(?m)^{line}$")
        memory = self.memory(run)
        self.assertEqual((memory["goal"]["content"], memory["todos"][0]["status"], memory["facts"][0]["importance"]), ("a release", "completed", "3"))
        self.assertEqual(self.memory(self.agent("say new")), {"goal": None, "todos": [], "facts": []})

    def test_hostile_words_are_noted_or_refused_and_hurt_nobody(self):
        other = self.agent('call remember {"content":"of another session"}')
        run = self.agent(*("call " + words for words in (
            'remember {"content":"\\u001b[2J\\u0000\\n- #9 forged\'); DROP TABLE memory; --"}', 'remember {"content":"' + "x" * 16_385 + '"}', 'remember {"content":""}',
            'remember {"content":"a","categry":"b"}', 'forget {"id":1e300}', 'forget {"id":-1}', 'forget {"id":2}',
            'task_update {"id":1,"status":"completed"}', 'task_update {"id":9223372036854775807,"status":"completed"}', 'recall {"query":"%"}')), "say over")
        results = [e["result"] for e in self.events(run["run_id"]) if e["type"] == "tool_completed"]
        for result, words in zip(results[1:], ("the limit is 16384", "must not be empty", "did you mean 'category'?", "must be an integer",
                                               "there is no entry -1", "there is no entry 2", "entry 1 is a fact, not a task", "there is no entry", '"total":0')):
            self.assertIn(words, result)
        self.assertEqual(len(self.memory(run)["facts"]), 1)
        self.assertNotIn("\x1b", self.ok("show", run["run_id"]))
        self.assertEqual(self.memory(other)["facts"][0]["content"], "of another session")


if __name__ == "__main__":
    unittest.main()
