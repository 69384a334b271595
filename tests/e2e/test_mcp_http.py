"""MCP over HTTP (/mcp), both revisions, and tasks across a kill -9 of the server. Env OUTLAST_BIN names the binary."""
import json, os, signal, subprocess, time, unittest

from agentos_client import BINARY, Api, Stream, free_port
from test_mcp import LATEST, NEWEST, Place, meta, text_of, value_of
from test_shell import until

BOTH = "application/json, text/event-stream"
SLEEPER = {"name": "Bash", "params": {"command": "sleep 1.5; echo out"}}


class McpServer:
    def __init__(self, place, *options, **environment):
        self.place, self.port = place, free_port()
        self.options, self.environment = options, {**place.environment, **environment}
        self.start()

    def start(self):
        self.log = open(os.path.join(self.place.directory, "server.log"), "ab")
        self.process = subprocess.Popen([BINARY, "serve", "--port", str(self.port), *self.options], env=self.environment, cwd=self.place.work,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until(self.answers)

    def answers(self):
        try:
            return Api(self.port).ask("GET", "/health").status == 200
        except OSError:
            return False

    def end(self, number=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(20)
        self.log.close()


class Http:
    """a client of one revision"""

    def __init__(self, server, version=LATEST, path="/mcp", **headers):
        self.api, self.version, self.path, self.headers, self.next_id, self.session = Api(server.port), version, path, headers, 1, None

    def post(self, message, version="own", **headers):
        sent = {"content-type": "application/json", "accept": BOTH, **self.headers}
        if version == "own":
            sent["mcp-protocol-version"] = self.version
        if self.session:
            sent["mcp-session-id"] = self.session
        body = message if isinstance(message, (str, bytes)) else json.dumps(message)
        sent.update({k.replace("_", "-"): v for k, v in headers.items()})
        return self.api.open("POST", self.path, body=body, headers={k: v for k, v in sent.items() if v is not None})

    def message(self, method, params=None):
        self.next_id += 1
        params = dict(params or {})
        if self.version == NEWEST:
            params.setdefault("_meta", meta())
        return {"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}

    def open(self, method, params=None, **headers):
        message = self.message(method, params)
        if self.version == NEWEST:
            headers.setdefault("mcp_method", method)
            name = message["params"].get("name") or message["params"].get("taskId")
            if name:
                headers.setdefault("mcp_name", name)
        return self.post(message, **headers)

    def ask(self, method, params=None, **headers):
        """(status, the answer's message)"""
        response = self.open(method, params, **headers)
        if response.getheader("content-type", "").startswith("text/event-stream"):
            return response.status, [e.json for e in Stream(response)][-1]
        body = response.read()
        response.connection.close()
        self.given = response.getheader("mcp-session-id")
        return response.status, json.loads(body) if body else None

    def result(self, method, params=None):
        status, answer = self.ask(method, params)
        if status != 200 or "error" in answer:
            raise AssertionError((status, answer))
        return answer["result"]

    def begin(self):
        result = self.result("initialize", {"protocolVersion": self.version, "capabilities": {}, "clientInfo": {"name": "e2e", "version": "1"}})
        self.session = self.given
        return result

    def tool(self, name, /, **arguments):
        return self.result("tools/call", {"name": name, "arguments": arguments})


class OverHttp(unittest.TestCase):
    options, environment = ("--mcp-tools", "Bash,Read,Write,Edit,Glob,Grep"), {}

    def setUp(self):
        self.place = Place()
        self.server = McpServer(self.place, *self.options, **self.environment)

    def tearDown(self):
        self.server.end()
        self.place.remove()

    def client(self, version=LATEST, **more):
        client = Http(self.server, version, **more)
        if version != NEWEST:
            client.begin()
        return client

    def restart(self):
        self.server.end()
        self.server.start()


class Handshake(OverHttp):
    def test_a_session_and_its_end(self):
        client = Http(self.server)
        self.assertEqual(client.begin()["protocolVersion"], LATEST)
        self.assertTrue(client.session)
        self.assertEqual(client.post({"jsonrpc": "2.0", "method": "notifications/initialized"}).status, 202)
        self.assertEqual(len(client.result("tools/list")["tools"]), 8)
        self.assertEqual(client.result("ping"), {})
        self.assertEqual(client.ask("no/such")[1]["error"]["code"], -32601)
        self.assertEqual(client.ask("ping", mcp_session_id=None)[0], 400)
        self.assertEqual(client.ask("ping", mcp_session_id="another")[0], 404)
        for version in ("2025-06-18", "2025-03-26", None):
            self.assertEqual(client.ask("ping", mcp_protocol_version=version)[0], 200)
        self.assertEqual(client.ask("ping", mcp_protocol_version="2099-01-01")[0], 400)
        self.assertEqual(client.api.ask("GET", "/mcp").status, 405)
        self.assertEqual(client.api.ask("DELETE", "/mcp", headers={"mcp-session-id": client.session}).status, 204)
        self.assertEqual(client.ask("ping")[0], 404)

    def test_tasks_survive_a_kill_of_the_server_between_create_and_get(self):
        client = self.client()
        made = client.result("tools/call", {"name": "background_run", "arguments": SLEEPER, "task": {"ttl": 1000}})["task"]
        self.server.end()
        time.sleep(2)  # it ends while nobody watches
        self.server.start()
        self.assertIn(client.result("tasks/get", {"taskId": made["taskId"]})["status"], ("working", "completed"))
        result = client.result("tasks/result", {"taskId": made["taskId"]})
        self.assertEqual((value_of(result)["result"]["stdout"], value_of(result)["status"]), ("out\n", "completed"))

    def test_a_session_that_ended_stays_ended_and_its_work_goes_on(self):
        client = self.client()
        client.tool("background_run", name="Bash", params={"command": "sleep 1; echo > marker"})
        self.assertEqual(client.api.ask("DELETE", "/mcp", headers={"mcp-session-id": client.session}).status, 204)
        self.restart()
        self.assertEqual(client.ask("ping")[0], 404)
        until(lambda: os.path.exists(os.path.join(self.place.work, "marker")))

    def test_another_client_finds_nothing(self):
        first, second = self.client(), self.client()
        task = value_of(first.tool("background_run", name="Bash", params={"command": "true"}, wait=True))["task_id"]
        self.assertEqual(second.ask("tasks/get", {"taskId": task})[1]["error"]["code"], -32602)
        self.assertIn("not found", text_of(second.tool("background_run", task_id=task)))
        self.assertEqual(value_of(second.tool("background_run", list_tasks=True)), [])
        run = first.result("tools/call", {"name": "run_start", "task": {}, "arguments": {"message": "tokens=3"}})["task"]["taskId"]
        self.assertEqual(second.ask("tasks/get", {"taskId": run})[1]["error"]["code"], -32602)
        self.assertEqual(first.ask("tasks/get", {"taskId": run})[0], 200)

    def test_a_named_session_outlives_connections(self):
        task = value_of(self.client(path="/mcp?session=desk").tool("background_run", name="Bash", params={"command": "true"}, wait=True))["task_id"]
        for version in (LATEST, NEWEST):
            later = self.client(version, path="/mcp?session=desk")
            self.assertEqual([t["task_id"] for t in value_of(later.tool("background_run", list_tasks=True))], [task])
        self.assertEqual(self.client().ask("ping")[0], 200)
        self.assertEqual(Http(self.server, path="/mcp?session=%01").ask("initialize")[0], 400)

    def test_a_long_call_shows_that_it_lives(self):
        client = self.client()
        call = {"name": "background_run", "arguments": {"name": "Bash", "params": {"command": "sleep 7; echo out"}, "wait": True}, "_meta": {"progressToken": "p"}}
        events = [e.json for e in Stream(client.open("tools/call", call))]
        self.assertEqual((events[0]["method"], events[0]["params"]["progressToken"]), ("notifications/progress", "p"))
        self.assertEqual(value_of(events[-1]["result"])["result"]["stdout"], "out\n")

    def test_a_request_is_given_up_by_a_notification(self):
        client = self.client()
        task = value_of(client.tool("background_run", name="Bash", params={"command": "sleep 3"}))["task_id"]
        began = time.monotonic()
        response = client.message("tools/call", {"name": "background_run", "arguments": {"task_id": task, "wait": True}})
        import threading
        waiting = threading.Thread(target=lambda: client.post(response).read())
        waiting.start()
        time.sleep(0.3)
        self.assertEqual(client.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": response["id"]}}).status, 202)
        waiting.join(10)
        self.assertLess(time.monotonic() - began, 2)

    def test_batches_are_of_one_revision(self):
        batch = [{"jsonrpc": "2.0", "id": 1, "method": "ping"}, {"jsonrpc": "2.0", "method": "notifications/x"}, {"jsonrpc": "2.0", "id": 2, "method": "nope"}, 5]
        old = self.client("2025-03-26")
        answers = json.loads(old.post(batch).read())
        self.assertEqual([a.get("id") for a in answers], [1, 2, None])
        self.assertEqual(self.client().post(batch).status, 400)
        self.assertEqual(old.post([]).status, 400)
        self.assertEqual(old.post([{}] * 33).status, 400)

    def test_doors(self):
        client = self.client()
        for origin in ("http://evil.example", "https://agno.com", "null"):
            self.assertEqual(client.ask("ping", origin=origin)[0], 403, origin)
        self.assertEqual(client.ask("ping", origin="http://localhost:3000")[0], 200)
        self.assertEqual(client.api.ask("POST", "/mcp", body="{}", headers={"host": "evil.example", "content-type": "application/json"}).status, 403)
        for content_type in ("text/plain", "application/x-www-form-urlencoded", ""):
            self.assertEqual(client.ask("ping", content_type=content_type)[0], 415)

    def test_hostile_bodies(self):
        client = self.client()
        for body, status, code in ((b"{", 400, -32700), (b"", 400, -32700), (b"\xff\xfe", 400, -32700), (b"[" * 9000, 400, -32700), (b"7", 400, -32600),
                                   (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', 400, -32600), (b" " * 5_000_000, 413, -32600)):
            response = client.post(body)
            self.assertEqual((response.status, json.loads(response.read())["error"]["code"]), (status, code), body[:40])
        self.assertEqual(client.result("ping"), {})


class Stateless(OverHttp):
    def test_tasks_survive_a_kill_of_the_server_between_create_and_get(self):
        client = self.client(NEWEST)
        made = client.result("tools/call", {"name": "background_run", "arguments": {**SLEEPER, "wait": True}})
        self.assertEqual((made["resultType"], made["status"]), ("task", "working"))
        self.restart()
        got = client.result("tasks/get", {"taskId": made["taskId"]})
        self.assertEqual(got["status"], "working")
        got = until(lambda: (lambda t: t if t["status"] != "working" else None)(client.result("tasks/get", {"taskId": made["taskId"]})))
        self.assertEqual((got["status"], value_of(got["result"])["result"]["stdout"]), ("completed", "out\n"))
        self.assertEqual(client.result("tasks/cancel", {"taskId": made["taskId"]})["resultType"], "complete")
        self.assertEqual(client.result("tasks/update", {"taskId": made["taskId"], "inputResponses": {}})["resultType"], "complete")

    def test_a_lost_task_is_failed_and_says_so(self):
        client = self.client(NEWEST)
        made = client.result("tools/call", {"name": "background_run", "arguments": {"name": "Bash", "params": {"command": "kill -9 $PPID; sleep 5"}, "wait": True}})
        got = until(lambda: (lambda t: t if t["status"] != "working" else None)(client.result("tasks/get", {"taskId": made["taskId"]})))
        self.assertEqual((got["status"], got["error"]["code"]), ("failed", -32603))
        self.assertNotIn("result", got)

    def test_a_cancel_ends_the_whole_tree(self):
        client = self.client(NEWEST)
        made = client.result("tools/call", {"name": "background_run", "arguments": {"name": "Bash", "params": {"command": "setsid sleep 77 & sleep 77"}, "wait": True}})
        self.assertEqual(client.result("tasks/cancel", {"taskId": made["taskId"]}).keys(), {"resultType", "_meta"})
        until(lambda: client.result("tasks/get", {"taskId": made["taskId"]})["status"] == "cancelled")
        self.assertEqual([p for p in self.place.processes() if b"sleep" in open(f"/proc/{p}/cmdline", "rb").read()], [])

    def test_what_a_request_must_say(self):
        client = self.client(NEWEST)
        def refused(params, **headers):
            status, answer = client.ask("tools/list", params, **headers)
            return status, answer["error"]["code"]
        self.assertEqual(refused({"_meta": {}}), (400, -32602))
        self.assertEqual(refused({}, mcp_protocol_version=None), (400, -32020))
        self.assertEqual(refused({}, mcp_protocol_version=LATEST), (400, -32020))
        self.assertEqual(refused({}, mcp_method="tools/call"), (400, -32020))
        self.assertEqual(refused({}, mcp_method=None), (400, -32020))
        other = {**meta(), "io.modelcontextprotocol/protocolVersion": "2099-01-01"}
        status, answer = client.ask("tools/list", {"_meta": other}, mcp_protocol_version="2099-01-01")
        self.assertEqual((status, answer["error"]["code"], answer["error"]["data"]["requested"]), (400, -32022, "2099-01-01"))
        self.assertIn(NEWEST, answer["error"]["data"]["supported"])
        self.assertEqual(client.ask("tools/call", {"name": "run_status", "arguments": {}}, mcp_name="run_wait")[1]["error"]["code"], -32020)
        for method in ("initialize", "ping", "tasks/list", "tasks/result", "logging/setLevel"):
            status, answer = client.ask(method, {"taskId": "x"}, mcp_name=None)
            self.assertEqual((status, answer["error"]["code"]), (404, -32601), method)
        status, answer = client.ask("tasks/get", {"taskId": "x", "_meta": meta(tasks=False)})
        self.assertEqual((status, answer["error"]["data"]), (400, {"requiredCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}}}))

    def test_listening(self):
        client = self.client(NEWEST)
        made = client.result("tools/call", {"name": "background_run", "arguments": {**SLEEPER, "wait": True}})
        stream = Stream(client.open("subscriptions/listen", {"notifications": {"taskIds": [made["taskId"], "nobody"], "toolsListChanged": True}}))
        events = [e.json for e in stream.take(3)]
        self.assertEqual(events[0]["params"]["notifications"], {"taskIds": [made["taskId"]]})
        self.assertEqual([e["params"]["status"] for e in events[1:]], ["working", "completed"])
        self.assertEqual(len({e["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] for e in events}), 1)
        stream.close()
        self.assertEqual(client.ask("subscriptions/listen", {"notifications": {"taskIds": []}, "_meta": meta(tasks=False)})[1]["error"]["code"], -32021)


class Closed(OverHttp):
    options = ()

    def test_a_server_offers_no_tasks_unless_its_owner_says_so(self):
        client = self.client()
        self.assertNotIn("background_run", [tool["name"] for tool in client.result("tools/list")["tools"]])
        self.assertEqual(text_of(client.tool("background_run", name="Bash", params={"command": "true"})), "Tool 'Bash' not found.")


class Keyed(OverHttp):
    environment = {"OS_SECURITY_KEY": "sekret"}
    options = ("--mcp-tools", "Read")

    def test_the_key_and_the_list_of_tools(self):
        self.assertEqual(Http(self.server).ask("initialize")[0], 401)
        client = self.client(authorization="Bearer sekret")
        self.assertEqual(text_of(client.tool("background_run", name="Bash", params={"command": "true"})), "Tool 'Bash' not found.")
        self.assertIn("Tools that can run: Read;", client.result("tools/list")["tools"][0]["description"])


if __name__ == "__main__":
    unittest.main()
