"""MCP over standard input and over HTTP, on the real binary: background work that outlives its client and its server.
Env OUTLAST_BIN names the binary."""
import json, os, queue, shutil, signal, subprocess, tempfile, threading, time, unittest

from agentos_client import BINARY, Api, free_port
from test_shell import carrying, until

NEWEST, LATEST, TASKS = "2026-07-28", "2025-11-25", "io.modelcontextprotocol/tasks"
TERMINAL = ("completed", "failed", "cancelled")


def meta(tasks=True, **more):
    return {"io.modelcontextprotocol/protocolVersion": NEWEST, "io.modelcontextprotocol/clientInfo": {"name": "e2e", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {"extensions": {TASKS: {}}} if tasks else {}, **more}


def text_of(result):
    return result["content"][0]["text"]


def value_of(result):
    return json.loads(text_of(result))


class Place:
    """a home and a work directory of their own"""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="outlast-mcp-")
        self.home, self.work = os.path.join(self.directory, "home"), os.path.join(self.directory, "work")
        os.mkdir(self.home)
        os.mkdir(self.work)
        keep = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_BASE_URL")) and k not in ("OS_SECURITY_KEY", "OUTLAST_RUN_ID")}
        self.environment = {**keep, "OUTLAST_HOME": self.home, "HOME": self.directory}

    def processes(self):
        return carrying(self.directory)

    def remove(self):
        """what is still there, by pid; none should be but what a test left on purpose"""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.directory, ignore_errors=True)


class Client:
    """one `outlast mcp` and the messages with it"""

    def __init__(self, place, *options):
        self.log = open(os.path.join(place.directory, "mcp.log"), "ab")
        self.process = subprocess.Popen([BINARY, "mcp", *options], env=place.environment, cwd=place.work, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log)
        self.messages, self.told, self.next_id = queue.Queue(), [], 1
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.messages.put(json.loads(line))
        self.messages.put(None)

    def write(self, value):
        text = value if isinstance(value, str) else json.dumps(value)
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def next(self, seconds=30):
        message = self.messages.get(timeout=seconds)
        if message is None:
            raise AssertionError("the server has closed its output")
        return message

    def send(self, method, params=None, id_=None):
        id_ = self.next_id if id_ is None else id_
        self.next_id += 1
        self.write({"jsonrpc": "2.0", "id": id_, "method": method, **({} if params is None else {"params": params})})
        return id_

    def answer(self, id_, seconds=30):
        while True:
            message = self.next(seconds)
            if message.get("id") == id_ and "method" not in message:
                return message
            self.told.append(message)

    def ask(self, method, params=None):
        return self.answer(self.send(method, params))

    def result(self, method, params=None):
        answer = self.ask(method, params)
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["result"]

    def begin(self, version=LATEST):
        result = self.result("initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "e2e", "version": "1"}})
        self.write({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return result

    def tool(self, name, /, **arguments):
        return self.result("tools/call", {"name": name, "arguments": arguments})

    def close(self, seconds=10):
        self.process.stdin.close()
        return self.process.wait(seconds)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        for stream in (self.process.stdin, self.process.stdout, self.log):
            try:
                stream.close()
            except OSError:
                pass


class Stdio(unittest.TestCase):
    def setUp(self):
        self.place, self.clients = Place(), []

    def tearDown(self):
        for client in self.clients:
            client.end()
        self.place.remove()

    def client(self, *options, version=LATEST):
        client = Client(self.place, *options)
        self.clients.append(client)
        if version:
            client.begin(version)
        return client

    def test_a_handshake_a_list_and_a_background_command(self):
        client = self.client(version=None)
        result = client.begin()
        self.assertEqual(result["protocolVersion"], LATEST)
        self.assertEqual(result["serverInfo"]["name"], "outlast")
        self.assertIn("tasks", result["capabilities"])
        tools = {t["name"]: t for t in client.result("tools/list")["tools"]}
        self.assertEqual(set(tools), {"background_run", "run_parallel", "run_start", "run_status", "run_wait", "run_events", "run_cancel", "run_continue"})
        self.assertEqual(tools["background_run"]["execution"], {"taskSupport": "optional"})
        self.assertEqual(tools["background_run"]["inputSchema"]["type"], "object")
        launched = value_of(client.tool("background_run", name="Bash", params={"command": "sleep 1; echo done; pwd"}))
        self.assertEqual(launched["status"], "running")
        waited = value_of(client.tool("background_run", task_id=launched["task_id"], wait=True, timeout=20))
        self.assertEqual((waited["status"], waited["result"]["stdout"]), ("completed", f"done\n{self.place.work}\n"))
        self.assertEqual(client.result("ping"), {})
        self.assertEqual(client.close(), 0)

    def test_older_clients_get_their_own_revision(self):
        for asked, given in (("2025-06-18", "2025-06-18"), ("2025-03-26", "2025-03-26"), ("2024-11-05", "2024-11-05"), ("1999-01-01", LATEST), (NEWEST, LATEST)):
            client = self.client(version=None)
            result = client.begin(asked)
            self.assertEqual(result["protocolVersion"], given)
            self.assertEqual("tasks" in result["capabilities"], given == LATEST)
            if given != LATEST:
                self.assertEqual(client.ask("tasks/list")["error"]["code"], -32601)
            self.assertEqual(client.close(), 0)

    def test_work_goes_on_when_the_client_leaves(self):
        client = self.client()
        task = value_of(client.tool("background_run", name="Bash", params={"command": "sleep 2; echo finished > marker; echo out"}))["task_id"]
        began = time.monotonic()
        self.assertEqual(client.close(), 0)
        self.assertIsNone(client.messages.get(timeout=1))  # its output is closed: nothing that goes on holds it
        self.assertLess(time.monotonic() - began, 1.5, "the client had to wait for its background work")
        until(lambda: os.path.exists(os.path.join(self.place.work, "marker")))
        until(lambda: not self.place.processes())  # nothing stays when the work is done
        again = self.client()
        listed = value_of(again.tool("background_run", list_tasks=True))
        self.assertEqual([(t["task_id"], t["status"]) for t in listed], [(task, "completed")])
        self.assertEqual(value_of(again.tool("background_run", task_id=task))["result"]["stdout"], "out\n")

    def test_a_client_killed_with_all_its_processes(self):
        client = self.client()
        task = value_of(client.tool("background_run", name="Bash", params={"command": "sleep 3; echo out"}))["task_id"]
        for pid in self.place.processes():  # everything but the command and its owner, the shim
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if b"mcp" in f.read().split(b"\0")[1:2]:
                    os.kill(pid, signal.SIGKILL)
        client.process.wait(10)
        again = self.client()
        waited = value_of(again.tool("background_run", task_id=task, wait=True, timeout=20))
        self.assertEqual((waited["status"], waited["result"]["stdout"]), ("completed", "out\n"))

    def test_a_killed_parent_is_a_client_that_has_left(self):
        client = self.client()
        task = value_of(client.tool("background_run", name="Bash", params={"command": "sleep 1; echo out"}))["task_id"]
        client.process.kill()
        client.process.wait(10)
        until(lambda: not self.place.processes())
        self.assertEqual(value_of(self.client().tool("background_run", task_id=task))["status"], "completed")

    def test_a_session_of_another_name_sees_nothing(self):
        first, second = self.client("--session", "one"), self.client("--session", "two")
        task = value_of(first.tool("background_run", name="Bash", params={"command": "true"}, wait=True))["task_id"]
        self.assertIn("not found", text_of(second.tool("background_run", task_id=task)))
        self.assertEqual(second.ask("tasks/get", {"taskId": task})["error"]["code"], -32602)
        self.assertEqual(value_of(second.tool("background_run", list_tasks=True)), [])
        self.assertEqual(first.result("tasks/get", {"taskId": task})["status"], "completed")

    def test_only_tools_of_the_list_run(self):
        client = self.client("--tools", "Read,Glob")
        refused = client.tool("background_run", name="Bash", params={"command": "true"})
        self.assertEqual((refused["isError"], text_of(refused)), (True, "Tool 'Bash' not found."))
        with open(os.path.join(self.place.work, "a.txt"), "w") as f:
            f.write("hello\n")
        self.assertIn("hello", text_of(client.tool("background_run", name="Read", params={"path": "a.txt", "file_path": "a.txt"}, wait=True)))

    def test_run_parallel(self):
        client = self.client()
        result = client.tool("run_parallel", actions=[{"name": "Bash", "params": {"command": f"echo {n}; exit {n}"}} for n in (0, 3)])
        value = value_of(result)
        self.assertEqual((value["total"], value["succeeded"], [r["success"] for r in value["results"]]), (2, 1, [True, False]))
        self.assertTrue(client.tool("run_parallel", actions=[])["isError"])

    def test_runs_of_an_agent(self):
        client = self.client()
        started = value_of(client.tool("run_start", message="tokens=20 rate=40"))
        self.assertEqual(started["agent"], "demo")
        waited = value_of(client.tool("run_wait", run_id=started["run_id"], timeout=20))
        self.assertEqual(waited["status"], "COMPLETED")
        self.assertTrue(waited["content"].startswith("w0 w1"), waited)
        seen, next_ = [], 0
        while next_ < waited["event_count"]:
            page = value_of(client.tool("run_events", run_id=started["run_id"], **{"from": next_, "limit": 7}))
            seen += [e["index"] for e in page["events"]]
            next_ = page["next"]
        self.assertEqual(seen, list(range(waited["event_count"])))
        endless = value_of(client.tool("run_start", message="tokens=10000 rate=5"))
        cancelled = value_of(client.tool("run_cancel", run_id=endless["run_id"]))
        self.assertEqual((cancelled["cancelled"], cancelled["status"]), (True, "CANCELLED"))
        self.assertEqual(value_of(client.tool("run_status", run_id=endless["run_id"]))["status"], "CANCELLED")
        self.assertTrue(client.tool("run_status", run_id="nobody")["isError"])
        self.assertTrue(client.tool("run_start", message="x", agent="nobody")["isError"])
        self.assertTrue(client.tool("run_start")["isError"])

    def gated(self):
        """an app whose agent may write what a person allows"""
        with open(os.path.join(self.place.directory, "gated.yaml"), "w") as f:
            f.write("app: {app_id: gated, name: Gated}\nagents:\n  - {id: clerk, role: assistant, brain: {provider: demo, model: fast}, modules: [filesystem]}\n"
                    "tools:\n  modules: {filesystem: {}}\n  capabilities: {default_policy: auto, approve: [filesystem.write]}\n")
        return f.name

    def test_decisions_about_waiting_calls(self):
        """in both revisions: shown with name and arguments, decided one by one or all at once"""
        client, app = None, self.gated()
        writes = lambda *names: "parallel " + " | ".join(f'Write {{"file_path": "{n}", "content": "x"}}' for n in names)
        for stateless in (False, True):
            client = self.client(app, version=None if stateless else LATEST)
            tool = lambda name, **arguments: client.result("tools/call", {"name": name, "arguments": arguments, **({"_meta": meta(tasks=False)} if stateless else {})})
            names = [f"{n}{int(stateless)}" for n in ("a", "b", "c", "d")]
            run = value_of(tool("run_start", message=writes(*names[:2])))["run_id"]
            paused = value_of(tool("run_wait", run_id=run, timeout=20))
            self.assertEqual((paused["status"], [(c["name"], c["arguments"]["file_path"]) for c in paused["waiting_calls"]]), ("PAUSED", [("Write", n) for n in names[:2]]))
            first, second = [c["call_id"] for c in paused["waiting_calls"]]
            for wrong in ({}, {"decisions": [], "approve": True}, {"decisions": [{"call_id": "nope", "approved": True}]}, {"decisions": [{"call_id": first}]}, {"approve": "perhaps"}):
                self.assertTrue(tool("run_continue", run_id=run, **wrong)["isError"], wrong)
            self.assertTrue(tool("run_continue", run_id="nobody", approve=True)["isError"])
            half = value_of(tool("run_continue", run_id=run, decisions=[{"call_id": second, "approved": False, "note": "not that"}]))
            self.assertEqual((half["status"], [c["call_id"] for c in half["waiting_calls"]]), ("PAUSED", [first]))
            self.assertEqual([c["call_id"] for c in value_of(tool("run_status", run_id=run))["waiting_calls"]], [first])
            self.assertTrue(tool("run_continue", run_id=run, decisions=[{"call_id": second, "approved": True}])["isError"], "it was rejected")
            self.assertEqual(value_of(tool("run_continue", run_id=run, approve=True))["waiting_calls"], [])
            done = value_of(tool("run_wait", run_id=run, timeout=20))
            self.assertEqual((done["status"], "waiting_calls" in done), ("COMPLETED", False))
            self.assertTrue(tool("run_continue", run_id=run, approve=True)["isError"], "it waits no more")
            run = value_of(tool("run_start", message=writes(*names[2:])))["run_id"]
            value_of(tool("run_wait", run_id=run, timeout=20))
            tool("run_continue", run_id=run, approve=True)
            self.assertEqual(value_of(tool("run_wait", run_id=run, timeout=20))["status"], "COMPLETED")
            self.assertEqual([n for n in names if os.path.exists(os.path.join(self.place.work, n))], [names[0], names[2], names[3]])
            client.close()

    def test_tasks_with_a_handshake(self):
        client = self.client()
        made = client.result("tools/call", {"name": "background_run", "task": {"ttl": 60000}, "arguments": {"name": "Bash", "params": {"command": "sleep 0.5; echo hi; exit 4"}}})["task"]
        self.assertEqual((made["status"], made["ttl"]), ("working", None))
        got = client.result("tasks/get", {"taskId": made["taskId"]})
        self.assertEqual(got["taskId"], made["taskId"])
        result = client.result("tasks/result", {"taskId": made["taskId"]})
        self.assertTrue(result["isError"])
        self.assertEqual(result["_meta"]["io.modelcontextprotocol/related-task"], {"taskId": made["taskId"]})
        self.assertEqual(value_of(result)["result"]["exit_code"], 4)
        self.assertEqual(client.result("tasks/get", {"taskId": made["taskId"]})["status"], "failed")
        self.assertEqual(client.ask("tasks/cancel", {"taskId": made["taskId"]})["error"]["code"], -32602)
        long = client.result("tools/call", {"name": "background_run", "task": {}, "arguments": {"name": "Bash", "params": {"command": "sleep 60"}}})["task"]
        self.assertEqual(client.result("tasks/cancel", {"taskId": long["taskId"]})["status"], "cancelled")
        self.assertTrue(client.result("tasks/result", {"taskId": long["taskId"]})["isError"])
        run = client.result("tools/call", {"name": "run_start", "task": {}, "arguments": {"message": "tokens=5"}})["task"]
        self.assertEqual(value_of(client.result("tasks/result", {"taskId": run["taskId"]}))["status"], "COMPLETED")
        listed, cursor = [], {}
        while cursor is not None:
            page = client.result("tasks/list", cursor)
            listed += [t["taskId"] for t in page["tasks"]]
            cursor = {"cursor": page["nextCursor"]} if "nextCursor" in page else None
        self.assertEqual(listed, [long["taskId"], made["taskId"], run["taskId"]])
        self.assertEqual(client.ask("tasks/list", {"cursor": "x"})["error"]["code"], -32602)
        self.assertEqual(client.ask("tasks/get", {"taskId": "nobody"})["error"]["code"], -32602)
        self.assertEqual(client.ask("tools/call", {"name": "run_status", "task": {}, "arguments": {"run_id": "x"}})["error"]["code"], -32601)

    def test_tasks_without_a_handshake(self):
        client = self.client(version=None)
        found = client.result("server/discover", {"_meta": meta()})
        self.assertEqual((found["resultType"], found["supportedVersions"][0]), ("complete", NEWEST))
        self.assertIn(TASKS, found["capabilities"]["extensions"])
        call = {"name": "background_run", "arguments": {"name": "Bash", "params": {"command": "sleep 1; exit 3"}, "wait": True}}
        made = client.result("tools/call", {**call, "_meta": meta()})
        self.assertEqual((made["resultType"], made["status"], made["ttlMs"]), ("task", "working", None))
        listen = client.send("subscriptions/listen", {"notifications": {"taskIds": [made["taskId"]]}, "_meta": meta()})
        acknowledged = client.next()
        self.assertEqual((acknowledged["method"], acknowledged["params"]["notifications"]), ("notifications/subscriptions/acknowledged", {"taskIds": [made["taskId"]]}))
        told = [client.next()["params"] for _ in range(2)]
        self.assertEqual([t["status"] for t in told], ["working", "completed"])
        self.assertTrue(told[1]["result"]["isError"])
        client.write({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": listen, "_meta": meta()}})
        got = client.result("tasks/get", {"taskId": made["taskId"], "_meta": meta()})
        self.assertEqual((got["status"], got["result"]["isError"], got["resultType"]), ("completed", True, "complete"))
        plain = client.result("tools/call", {**call, "_meta": meta(tasks=False)})
        self.assertEqual((plain["resultType"], plain["isError"]), ("complete", False))
        self.assertEqual(client.ask("tasks/get", {"taskId": made["taskId"], "_meta": meta(tasks=False)})["error"]["code"], -32021)
        self.assertEqual(client.ask("tasks/list", {"_meta": meta()})["error"]["code"], -32601)
        self.assertEqual(client.ask("ping", {"_meta": meta()})["error"]["code"], -32601)
        self.assertEqual(client.ask("server/discover")["error"]["code"], -32602)

    def test_a_request_is_given_up_and_its_task_goes_on(self):
        client = self.client()
        task = value_of(client.tool("background_run", name="Bash", params={"command": "sleep 2; echo out"}))["task_id"]
        waiting = client.send("tools/call", {"name": "background_run", "arguments": {"task_id": task, "wait": True}})
        client.write({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": waiting}})
        self.assertEqual(value_of(client.tool("background_run", task_id=task))["status"], "running")
        self.assertEqual(value_of(client.tool("background_run", task_id=task, wait=True))["status"], "completed")
        self.assertNotIn(waiting, [m.get("id") for m in client.told])

    def test_a_key_makes_a_repeated_call_the_same_task(self):
        client = self.client()
        call = {"name": "background_run", "arguments": {"name": "Bash", "params": {"command": "echo once >> log"}, "wait": True}, "_meta": {"outlast/idempotency-key": "k1"}}
        first, second = (value_of(client.result("tools/call", call)) for _ in range(2))
        self.assertEqual(first["task_id"], second["task_id"])
        with open(os.path.join(self.place.work, "log")) as f:
            self.assertEqual(f.read(), "once\n")

    def test_hostile_lines(self):
        client = self.client()
        cases = (("{", -32700), ("[]", -32600), ("[1]", -32600), ("1", -32600), ('{"id":1,"method":"ping"}', -32600), ('{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
                 ('{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600), ('{"jsonrpc":"2.0","id":1,"method":5}', -32600), ('{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32602),
                 ('{"jsonrpc":"2.0","id":1,"method":"no/such"}', -32601), ('{"jsonrpc":"2.0","id":1,"method":"tools/call"}', -32602),
                 ('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"no_such"}}', -32602), ('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"run_wait","arguments":7}}', -32602),
                 ("[" * 5000, -32700), ('{"a":' * 3000, -32700), ("x" * 5_000_000, -32600), ('"\\ud800"', -32700))
        for line, code in cases:
            client.write(line)
            self.assertEqual(client.next()["error"]["code"], code, line[:60])
        client.write("")
        client.write('{"jsonrpc":"2.0","method":"notifications/nobody"}')
        client.write('{"jsonrpc":"2.0","id":9,"result":{}}')
        self.assertEqual(client.result("ping"), {})

    def test_a_flood_is_refused_and_a_client_that_does_not_read_is_not_read(self):
        client = self.client()
        waits = [client.send("tools/call", {"name": "background_run", "arguments": {"name": "Bash", "params": {"command": "sleep 2"}, "wait": True}}) for _ in range(90)]
        answers = [client.next() for _ in waits]
        self.assertGreaterEqual(sum("error" in a for a in answers), 20)
        self.assertEqual({a["id"] for a in answers}, set(waits))
        for number in range(20_000):
            client.process.stdin.write(b'{"jsonrpc":"2.0","id":%d,"method":"nobody"}\n' % (10_000 + number))
        client.process.stdin.flush()
        self.assertEqual(len({client.next()["id"] for _ in range(20_000)}), 20_000)
        self.assertEqual(client.result("ping"), {})

    def test_no_stream_of_the_client_stays_open(self):
        client = subprocess.Popen([BINARY, "mcp"], env=self.place.environment, cwd=self.place.work, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "background_run", "arguments": {"name": "Bash", "params": {"command": "sleep 6"}}}}
        began = time.monotonic()
        out, err = client.communicate(json.dumps(call).encode() + b"\n", timeout=5)
        self.assertEqual((client.returncode, json.loads(out)["id"], err), (0, 1, b""))
        self.assertLess(time.monotonic() - began, 4)

    def test_input_from_a_file(self):
        lines = [{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": LATEST}},
                 {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "background_run", "arguments": {"name": "Bash", "params": {"command": "echo hi"}, "wait": True}}}]
        path = os.path.join(self.place.directory, "in")
        with open(path, "w") as f:
            f.write("\n".join(map(json.dumps, lines)))
        with open(path) as f:
            done = subprocess.run([BINARY, "mcp"], env=self.place.environment, cwd=self.place.work, stdin=f, capture_output=True, timeout=30)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual((done.returncode, [a["id"] for a in answers]), (0, [1, 2]), done.stderr)
        self.assertEqual(value_of(answers[1]["result"])["result"]["stdout"], "hi\n")


if __name__ == "__main__":
    unittest.main()
