"""MCP servers of an app file as its agents' tools, on the real binary with the scripted provider. Env OUTLAST_BIN names it.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_mcp_client.py

Ends only processes that it started: those that have its temporary home in their environment."""
import json, os, signal, sys, time, unittest

import mcp_server
from test_cli import Home

SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mcp_server.py")
APP = """\
app: {{app_id: mcp, name: MCP}}
agents:
  - id: main
    brain: {{provider: demo, model: fast}}
tools:
  modules:
    filesystem: {{}}
    mcp: {{config: {{servers: {servers}}}}}
  capabilities: {capabilities}
"""
PRIMITIVES = "context_builder.background_run, context_builder.run_parallel"
ALLOWED = "{default_policy: auto, grant: [" + PRIMITIVES + "]}"
TOKEN = "s3cret-0123456789"


def call(name, /, **arguments):
    """a directive of the scripted model, which takes an offered tool of the same last part where there is none of that name"""
    return f"call {name} {json.dumps(arguments)}"


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Servers(Home):
    def setUp(self):
        super().setUp()
        self.env["TOKEN"] = TOKEN
        self.log = os.path.join(self.root, "mcp.log")

    def stdio(self, *words, **more):
        return {"command": sys.executable, "args": [SERVER, *words], "env": {"MCP_LOG": self.log, "SECRET_TOKEN": "{{env.TOKEN}}"}, **more}

    def app(self, servers=None, capabilities=ALLOWED, name="app.yaml"):
        path = os.path.join(self.work, name)
        with open(path, "w") as f:
            f.write(APP.format(servers=json.dumps(servers or {"fake": self.stdio()}), capabilities=capabilities))
        return path

    def launch(self, app, *lines):
        return json.loads(self.ok("run", app, "\n".join((*lines, "say done")), "--background", "--json"))["run_id"]

    def results(self, run_id, status="completed"):
        """[(text, is an error)] of the calls, when the run has ended"""
        waited = self.outlast("wait", run_id, "--timeout", "60")
        self.assertIn("status=" + status, waited[1], waited)
        return [(e["result"], e.get("is_error", False)) for e in self.events(run_id) if e["type"] == "tool_completed"]

    def talk(self, app, *lines):
        return self.results(self.launch(app, *lines))

    def heard(self, method):
        """what the server heard of this kind"""
        if not os.path.exists(self.log):
            return []
        with open(self.log) as f:
            return [m for m in map(json.loads, f) if m.get("method") == method]

    def facts(self, run_id):
        return [f["data"] for f in self.show(run_id)["facts"] if f["type"] == "mcp_servers"]


class Stdio(Servers):
    def test_tools_of_a_server_are_called_under_all_their_names(self):
        results = self.talk(self.app(), call("mcp_fake__echo", text="hi"), call("mcp_fake.echo", text="again"), call("MCP_FAKE.Echo", text="third"))
        self.assertEqual(results, [("hi", False), ("again", False), ("third", False)])
        hello = self.heard("initialize")[0]["params"]
        self.assertEqual((hello["protocolVersion"], hello["clientInfo"]["name"]), ("2025-11-25", "outlast"))
        self.assertEqual(len(self.heard("initialize")), 1, "one server for the whole run")

    def test_what_results_become(self):
        (structured, _), (image, _), fail, refused, invalid = self.talk(
            self.app(), *(call("mcp_fake__" + name) for name in ("structured", "image", "fail", "refuse")), call("mcp_fake__echo", txt="x"))
        self.assertEqual(json.loads(structured), {"answer": 42})
        self.assertEqual(image, "[image, image/png, 5 bytes]")
        self.assertEqual(fail, ("it went wrong", True))
        self.assertEqual(refused, ("MCP server 'fake': it answered: not like this (-32602)", True))
        self.assertTrue(invalid[1])
        self.assertIn("'text' is required", invalid[0])

    def test_a_server_gets_what_is_configured_and_no_keys_of_its_host(self):
        self.env.update(OPENAI_API_KEY="sk-not-for-servers", OS_SECURITY_KEY="nor-this", PRIVATE="nor this")
        (text, _), (where, _) = self.talk(self.app(), call("mcp_fake__environment"), call("mcp_fake__pid"))
        seen, where = json.loads(text), json.loads(where)
        self.assertEqual((seen["SECRET_TOKEN"], seen["PATH"]), (TOKEN, self.env["PATH"]))
        for name in ("OPENAI_API_KEY", "OS_SECURITY_KEY", "PRIVATE", "TOKEN"):
            self.assertNotIn(name, seen)
        self.assertEqual((where["sid"], where["cwd"]), (where["pid"], self.work))

    def test_a_server_that_dies_is_said_to_have_and_started_again_by_the_next_call(self):
        (first, _), died, (second, error) = self.talk(self.app(), call("mcp_fake__pid"), call("mcp_fake__die"), call("mcp_fake__pid"))
        self.assertTrue(died[1])
        self.assertIn("MCP server 'fake': the server ended; it wrote: out of luck, token was ***", died[0])
        self.assertIn("The outcome of the call is unknown", died[0])
        self.assertFalse(error)
        self.assertNotEqual(json.loads(first)["pid"], json.loads(second)["pid"])

    def test_noise_and_answers_of_ten_megabytes(self):
        noise, huge, after = self.talk(self.app(), call("mcp_fake__garbage"), call("mcp_fake__huge"), call("mcp_fake__echo", text="still here"))
        self.assertEqual(noise, ("after the noise", False))
        self.assertTrue(huge[1])
        self.assertIn("more than 4194304 bytes", huge[0])
        self.assertEqual(after, ("still here", False))
        self.assertEqual(len(self.heard("initialize")), 1, "the same server")

    def test_names_that_are_no_names_and_names_of_others(self):
        run = self.launch(self.app(), call("mcp_fake.weird,name!"), call("mcp_fake.dotted.name"), call("mcp_fake." + "x" * 100),
                          call("mcp_fake.trap", n=5), *(call("background_run", name=name, params={}) for name in ("Bash", "bash", "echo")), call("mcp_fake.Bash"))
        results = self.results(run)
        self.assertEqual([json.loads(text)["called"] for text, _ in results[:4]], ["weird,name!", "dotted.name", "x" * 100, "trap"])
        for text, error in results[4:7]:
            self.assertTrue(error)
            self.assertIn("not found", text)
        self.assertEqual(json.loads(results[7][0])["called"], "Bash")

    def test_a_changed_list_is_listed_again(self):
        missing, changed, fresh = self.talk(self.app(), call("mcp_fake__fresh"), call("mcp_fake__change"), call("mcp_fake__fresh"))
        self.assertIn("not found", missing[0])
        self.assertEqual(changed, ("changed", False))
        self.assertEqual(json.loads(fresh[0])["called"], "fresh")

    def test_a_call_that_takes_too_long_is_cancelled(self):
        (text, error), = self.talk(self.app({"fake": self.stdio(timeout=0.5)}), call("mcp_fake__slow", seconds=30))
        self.assertTrue(error)
        self.assertIn("did not answer within 1 s; the call was cancelled, its outcome is unknown", text)
        self.until(lambda: self.heard("notifications/cancelled"), what="the cancel")
        self.assertEqual(self.heard("notifications/cancelled")[0]["params"]["requestId"], self.heard("tools/call")[0]["id"])

    def test_cancelling_the_run_cancels_the_call_and_ends_the_server_with_its_children(self):
        run = self.launch(self.app(), call("mcp_fake__child"), call("mcp_fake__slow", seconds=60))
        self.until(lambda: len(self.heard("tools/call")) == 2, what="the slow call")
        self.ok("cancel", run)
        (text, _), *_ = self.results(run, "cancelled")
        self.until(lambda: self.heard("notifications/cancelled"), what="the cancel")
        pids = json.loads(text)
        self.until(lambda: not alive(pids["pid"]) and not alive(pids["server"]), what="the end of the server and its child")

    def test_kill_9_of_the_executor_ends_the_server(self):
        app = self.app()
        started = json.loads(self.ok("run", app, "\n".join((call("mcp_fake__pid"), call("mcp_fake__slow", seconds=60))), "--background", "--json"))
        self.until(lambda: len(self.heard("tools/call")) == 2, what="the slow call")
        first = next(json.loads(e["result"]) for e in self.events(started["run_id"]) if e["type"] == "tool_completed")
        for pid in self.processes():
            if pid != first["pid"]:
                os.kill(pid, signal.SIGKILL)
        self.until(lambda: not alive(first["pid"]), what="the end of the server")

    def test_older_revisions_and_a_revision_that_is_unknown(self):
        servers = {"old": self.stdio("version=2024-11-05"), "odd": self.stdio("version=1999-01-01")}
        run = self.launch(self.app(servers), call("mcp_old__echo", text="hi"), call("background_run", name="mcp_odd__echo", params={"text": "hi"}))
        old, odd = self.results(run)
        self.assertEqual(old, ("hi", False))
        self.assertIn("not found", odd[0])
        self.assertIn("no revision of MCP", json.dumps(self.facts(run)))

    def test_what_cannot_be_started_is_left_out_and_recorded(self):
        servers = {"none": {"command": "no-such-program"}, "unset": self.stdio(), "fake": self.stdio()}
        servers["unset"] = {"command": sys.executable, "env": {"A": "{{secret.NOT_SET_HERE}}"}}
        run = self.launch(self.app(servers), call("mcp_fake__echo", text="hi"), call("mcp_none__x"))
        results = self.results(run)
        self.assertEqual(results[0], ("hi", False))
        self.assertIn("not found", results[1][0])
        facts = json.dumps(self.facts(run))
        self.assertIn("none: cannot run no-such-program", facts)
        self.assertIn("unset: its configuration names NOT_SET_HERE, which is not set here", facts)

    def test_secrets_are_in_no_file_event_or_command_line(self):
        run = self.launch(self.app(), call("mcp_fake__echo", text="hi"), call("mcp_fake__die"))
        self.results(run)
        for directory, _, names in os.walk(self.home):
            for name in names:
                path = os.path.join(directory, name)
                if os.path.isfile(path):
                    with open(path, "rb") as f:
                        self.assertNotIn(TOKEN.encode(), f.read(), path)
        self.assertNotIn(TOKEN, json.dumps(self.show(run)))


class Tasks(Servers):
    def test_a_tool_that_must_be_a_task_is_one(self):
        self.assertEqual(self.talk(self.app(), call("mcp_fake__job", seconds=0.3)), [("the job is done", False)])
        self.assertIn("task", self.heard("tools/call")[0]["params"])
        self.assertGreaterEqual(len(self.heard("tasks/get")), 2)

    def test_one_that_may_be_is_one_in_the_background_alone(self):
        plain, task = self.talk(self.app(), call("mcp_fake__maybe_job", seconds=0.2),
                                call("background_run", name="mcp_fake.maybe_job", params={"seconds": 0.2}, wait=True, timeout=20))
        self.assertEqual(json.loads(plain[0])["called"], "maybe_job")
        task = json.loads(task[0])
        self.assertEqual((task["status"], task["result"]), ("completed", "the job is done"))
        self.assertEqual(["task" in m["params"] for m in self.heard("tools/call")], [False, True])

    def test_a_lost_task_is_reported_as_failed(self):
        (plain, error), (waited, _) = self.talk(self.app(), call("mcp_fake__lost_job"),
                                                call("background_run", name="mcp_fake__lost_job", params={}, wait=True, timeout=20))
        self.assertTrue(error)
        self.assertIn("its task was lost: the server does not know it any more (unknown task)", plain)
        task = json.loads(waited)
        self.assertEqual(task["status"], "failed")
        self.assertIn("was lost", json.dumps(task))

    def test_cancelling_the_background_task_cancels_the_one_behind_it(self):
        _, cancelled = self.talk(self.app(), call("background_run", name="mcp_fake__job", params={"seconds": 60}, settle_seconds=1),
                                 call("background_run", task_id="$TASK1", cancel=True))
        self.assertTrue(json.loads(cancelled[0])["cancelled"])
        self.until(lambda: self.heard("tasks/cancel"), what="the cancel")


class Policy(Servers):
    RULES = ("{default_policy: block, grant: [mcp_fake.echo, mcp_fake.look, " + PRIMITIVES + "], approve: [mcp_fake.pid], deny: [mcp_fake.danger]}")
    DENIED = "{default_policy: auto, grant: [" + PRIMITIVES + "], deny: [mcp_fake.danger]}"

    def every_way(self, name):
        return (call(name), call("background_run", name=name, params={}, wait=True), call("run_parallel", actions=[{"name": name, "params": {}}]))

    def test_what_is_denied_is_not_found_whoever_calls(self):
        for capabilities, names in ((self.DENIED, ("mcp_fake__danger", "mcp_fake.danger", "MCP_FAKE.DANGER")), (self.RULES, ("mcp_fake__danger", "mcp_fake__slow"))):
            app = self.app(capabilities=capabilities)
            for name in names:
                for text, error in self.talk(app, *self.every_way(name)):
                    self.assertTrue(error, (name, text))
                    self.assertIn("not found", text)
        self.assertEqual(self.heard("tools/call"), [])

    def test_what_is_granted_by_name_works_in_every_way(self):
        results = self.talk(self.app(capabilities=self.RULES), *self.every_way("mcp_fake.look"))
        self.assertEqual([error for _, error in results], [False] * 3)
        self.assertEqual(len(self.heard("tools/call")), 3)

    def test_what_needs_approval_waits_for_it(self):
        for line in self.every_way("mcp_fake.pid"):
            run = self.launch(self.app(capabilities=self.RULES), line)
            self.until(lambda: self.show(run)["status"] == "PAUSED", what="the pause")
        self.assertEqual(self.heard("tools/call"), [])
        self.ok("approve", run)
        (text, error), = self.results(run)
        self.assertFalse(error, text)
        self.assertEqual(len(self.heard("tools/call")), 1)

    def test_check_lists_servers_and_gates(self):
        checked = json.loads(self.ok("check", self.app(capabilities=self.RULES), "--json"))["files"][0]
        self.assertEqual(checked["mcp_servers"], [{"name": "fake", "transport": "stdio"}])
        gates = {t["name"]: t["gate"] for t in checked["agents"][0]["tools"]}
        self.assertEqual(gates["mcp_fake__echo"], "auto")
        self.assertEqual(gates["mcp_fake__pid"], "approve")
        self.assertNotIn("mcp_fake__danger", gates)
        gates = {t["name"]: t["gate"] for t in json.loads(self.ok("check", self.app(capabilities=self.DENIED), "--json"))["files"][0]["agents"][0]["tools"]}
        self.assertEqual((gates["mcp_fake__*"], gates["mcp_fake__danger"]), ("auto", "deny"))
        code, out, _ = self.outlast("check", self.app({"github": {}}))
        self.assertEqual(code, 1)
        self.assertIn("unknown MCP server 'github': give it a command or a url", out)
        self.assertIn("DGT-E0312", out)


class OverHttp(Servers):
    def setUp(self):
        super().setUp()
        self.http = mcp_server.Http(token=TOKEN)
        self.url = self.http.start()

    def tearDown(self):
        self.http.stop()
        super().tearDown()

    def app(self, servers=None, **more):
        return super().app(servers or {"fake": {"url": self.url, "auth": "{{env.TOKEN}}"}}, **more)

    def test_calls_tasks_and_the_farewell(self):
        results = self.talk(self.app(), call("mcp_fake__echo", text="hi"), call("mcp_fake__job", seconds=0.2), call("mcp_fake__fail"))
        self.assertEqual(results, [("hi", False), ("the job is done", False), ("it went wrong", True)])
        self.until(lambda: {"method": "DELETE"} in self.http.heard, what="the end of the session")

    def test_a_session_that_the_server_forgets_is_begun_again(self):
        run = self.launch(self.app(), call("mcp_fake__slow", seconds=2), call("mcp_fake__echo", text="hi"))
        self.until(lambda: any(m.get("method") == "tools/call" for m in self.http.heard), what="the slow call")
        self.http.forget()
        self.assertEqual(self.results(run), [("slow is done", False), ("hi", False)])
        self.assertEqual(sum(m.get("method") == "initialize" for m in self.http.heard), 2)

    def test_refused_credentials_are_said_without_them(self):
        self.env["TOKEN"] = "wrong-" + TOKEN
        run = self.launch(self.app(), call("mcp_fake__echo", text="hi"))
        (text, error), = self.results(run)
        self.assertTrue(error)
        facts = json.dumps(self.facts(run))
        self.assertIn("refused the credentials (401)", facts)
        self.assertNotIn(TOKEN, facts)

    def test_a_server_that_comes_back_is_used_again(self):
        self.http.down = True
        run = self.launch(self.app(), call("mcp_fake__echo", text="early"), "rate=1", "tokens=3")
        self.assertIn("not found", self.results(run)[0][0])
        self.assertIn("status 503", json.dumps(self.facts(run)))
        self.http.down = False
        self.assertEqual(self.talk(self.app(), call("mcp_fake__echo", text="late")), [("late", False)])

    def test_nobody_listens(self):
        run = self.launch(self.app({"fake": {"url": "http://127.0.0.1:9/mcp"}}), call("mcp_fake__echo", text="hi"))
        self.assertIn("not found", self.results(run)[0][0])
        self.assertIn("127.0.0.1:9", json.dumps(self.facts(run)))


class Team(Servers):
    TEAM = """\
app: {{app_id: team, name: Team}}
runtime: {{entry_agent: main}}
agents:
  - id: main
    brain: {{provider: demo, model: fast}}
    modules: [agent_spawn]
  - id: helper
    brain: {{provider: demo, model: fast}}
    modules: [mcp_fake]
tools:
  modules:
    agent_spawn: {{}}
    mcp: {{config: {{servers: {servers}}}}}
  capabilities: {{default_policy: auto, max_risk_level: high, grant: [agent_spawn.agent]}}
"""

    def test_an_agent_that_is_asked_has_its_own_servers(self):
        path = os.path.join(self.work, "team.yaml")
        with open(path, "w") as f:
            f.write(self.TEAM.format(servers=json.dumps({"fake": self.stdio()})))
        (text, error), = self.talk(path, call("Agent", specialist="helper", prompt=call("mcp_fake__echo", text="from the helper") + "\nsay I am done", wait=True))
        self.assertFalse(error, text)
        self.assertEqual([m["params"]["arguments"] for m in self.heard("tools/call")], [{"text": "from the helper"}])


class Served(Servers):
    def test_agents_that_are_served_have_their_servers_and_share_them(self):
        from agentos_client import Api, free_port, until
        import subprocess
        port, app = free_port(), self.app()
        server = subprocess.Popen([os.environ["OUTLAST_BIN"], "serve", app, "--port", str(port), "--log-level", "error"], env=self.env, cwd=self.work,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            api = Api(port)

            def up():
                try:
                    return api.ask("GET", "/health").status == 200
                except OSError:
                    return False
            self.until(up, what="the server")
            runs = [api.launch("\n".join((call("background_run", name="mcp_fake.pid", params={}, wait=True, timeout=20), "say done")), session_id=f"s{n}") for n in range(3)]
            pids = set()
            for n, run in enumerate(runs):
                api.settled(run, seconds=40)
                events = list(api.resume(run["run_id"], session_id=f"s{n}"))
                text = next(e.json["tool"]["result"] for e in events if e.name == "ToolCallCompleted")
                pids.add(json.loads(json.loads(text)["result"])["pid"] if isinstance(json.loads(text)["result"], str) else json.loads(text)["result"]["pid"])
            self.assertEqual(len(pids), 1, "one server for all")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
        self.until(lambda: not any(alive(pid) for pid in pids), what="the end of the MCP server")


if __name__ == "__main__":
    unittest.main()
