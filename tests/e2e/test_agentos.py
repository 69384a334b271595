"""The AgentOS API from outside: launching, streams, reading, cancel, idempotency, discovery, errors. Env OUTLAST_BIN names the binary.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_agentos.py

Shapes are compared with the recordings in tests/data/agentos; R and X numbers are those of docs/formats/agentos.md."""
import http.client, json, os, re, socket, threading, time, unittest, urllib.parse

from agentos_client import ENDS, META, Api, ServedTest
from agentos_shapes import differences, recording, stream_differences

RUN_ID = re.compile(r"^\d{8}T\d{6}-[0-9a-f]{12}$")
UUID4 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


class Discovery(ServedTest):
    def test_root_health_info(self):
        root, health, info = (self.api.ask("GET", p).json for p in ("/", "/health", "/info"))
        self.assertEqual(set(root), {"name", "id", "version", "health", "info", "docs"})
        recorded = {e.path: e.json for e in recording("discovery") if e.path in ("/health", "/info")}
        self.assertEqual(differences(health, recorded["/health"], "health"), [])
        self.assertRegex(health["instantiated_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")
        self.assertEqual(differences(info, recorded["/info"], "info"), [])
        self.assertEqual(info["auth_mode"], "none")
        self.assertGreaterEqual(info["agent_count"], 1)

    def test_config_and_agents(self):
        recorded = {e.path: e for e in recording("discovery")}
        config = self.api.ask("GET", "/config").json
        theirs = recorded["/config"].json
        theirs["available_models"] = []
        for lists in ("teams", "workflows"):
            theirs[lists] = []
        for domain in ("metrics", "memory", "learning", "evals", "traces"):
            theirs[domain] = {"dbs": []}
        theirs["agents"] = theirs["agents"][:1]
        theirs["agents"][0].pop("description")
        self.assertEqual(differences(config, theirs, "config"), [])
        agents = self.api.ask("GET", "/agents").json
        theirs = recorded["/agents/a1"].json
        for key in ("description", "system_message"):  # where an agent has them
            theirs.pop(key)
        theirs["tools"]["tools"] = theirs["tools"]["tools"][:1]
        for agent in agents:
            agent.pop("system_message", None)
            self.assertEqual(differences(agent, theirs, "agent"), [])
            self.assertEqual({**self.api.ask("GET", f"/agents/{agent['id']}").json, "system_message": 0}, {**agent, "system_message": 0})
        self.assertIn("main", [a["id"] for a in agents])

    def test_lists_of_what_is_not_there(self):
        for path in ("/teams", "/workflows"):
            self.assertEqual((self.api.ask("GET", path).status, self.api.ask("GET", path).json), (200, []))
        models = self.api.ask("GET", "/models").json
        self.assertEqual([set(m) for m in models], [{"id", "provider"}])

    def test_every_route_of_an_unknown_component_says_so(self):
        for kind, detail in (("agents", "Agent not found"), ("teams", "Team not found"), ("workflows", "Workflow not found")):
            for method, tail in (("GET", ""), ("POST", "/runs"), ("GET", "/runs?session_id=s"), ("GET", "/runs/r?session_id=s"),
                                 ("POST", "/runs/r/resume"), ("GET", "/runs/r/resume"), ("POST", "/runs/r/cancel"), ("POST", "/runs/r/continue")):
                answer = self.api.ask(method, f"/{kind}/nope{tail}", {"message": "hi"} if method == "POST" else None)
                self.assertEqual((answer.status, answer.json), (404, {"detail": detail}), (method, kind, tail))
        for path in ("/agents/nope/runs/r/checkpoints", "/teams/nope/runs/r/checkpoints/3"):
            self.assertEqual(self.api.ask("GET", path).status, 404)
        self.assertEqual(self.api.ask("GET", "/agents/main/runs/r/checkpoints").status, 409)

    def test_request_errors_as_recorded(self):
        for e in recording("request-errors"):
            form = dict(urllib.parse.parse_qsl(e.body)) if e.body else None
            answer = self.api.ask(e.method, e.path, form)
            self.assertEqual(answer.status, e.status, e.path)
            self.assertEqual(answer.headers.get("content-type"), "application/json")
            self.assertEqual(answer.headers.get("allow"), e.answer_headers.get("allow"), e.path)
            if e.method == "HEAD":
                self.assertEqual(answer.body, b"")
            elif e.path != "/health/":
                self.assertEqual(answer.json, e.json)
        self.assertEqual(self.api.ask("GET", "/docs").status, 404)
        self.assertEqual(self.api.ask("GET", "/openapi.json").status, 404)

    def test_cors_and_host(self):
        for e in recording("cors"):
            answer = self.api.ask(e.method, e.path, headers=e.headers)
            self.assertEqual(answer.status, e.status)
            for key, value in e.answer_headers.items():
                if key.startswith("access-control") or key == "vary":
                    self.assertEqual(answer.headers.get(key), value, key)
            self.assertEqual("access-control-allow-origin" in answer.headers, "access-control-allow-origin" in e.answer_headers)
        for host, status in (("127.0.0.1.evil.example", 403), ("evil.example", 403), ("localhost:1", 200)):
            self.assertEqual(self.api.ask("GET", "/health", headers={"host": host}).status, status, host)
        answer = self.api.ask("POST", self.api.runs(), {"message": "hi"}, headers={"origin": "https://evil.example"})
        self.assertEqual(answer.status, 403)


class Launch(ServedTest):
    def test_background_stream(self):
        stream = self.api.start("hi N=3", session_id="S1")
        events = list(stream)
        self.assertEqual(stream_differences(events, recording("agent-background-stream")[0].frames()), [])
        self.assert_dense(events)
        self.assertTrue(stream.complete)
        head = stream.response.headers
        self.assertEqual(head["content-type"], "text/event-stream; charset=utf-8")
        self.assertEqual((head["cache-control"], head["x-accel-buffering"]), ("no-cache, no-transform", "no"))  # X5
        self.assertEqual(head["x-outlast-first-event-index"], "0")
        self.assertEqual(stream.retry, "2000")  # X4
        self.assertEqual([e.id for e in events], [str(e.index) for e in events])  # X1
        self.assertEqual([e.name for e in events], [e.json["event"] for e in events])
        self.assertRegex(events[0].json["run_id"], RUN_ID)
        text = "".join(e.json["content"] for e in events if e.name == "RunContent")
        self.assertEqual(events[-1].json["content"], text)
        for e in events:  # one line of compact JSON whose last key is the index
            self.assertEqual(json.dumps(e.json, separators=(",", ":"), ensure_ascii=False).split(",")[0], e.data.split(",")[0])
            self.assertEqual(list(e.json)[-1], "event_index")

    def test_foreground_stream_has_indices_too(self):  # X11
        events = list(self.api.start("hi N=3", background=False))
        self.assertEqual(stream_differences(events, recording("agent-plain-stream")[0].frames()), [])
        self.assert_dense(events)

    def test_foreground_json(self):
        answer = self.api.ask("POST", self.api.runs(), {"message": "hi N=1", "stream": "false", "session_id": "S14", "user_id": "u1"})
        self.assertEqual(answer.status, 200)
        theirs = recording("agent-plain-json")[0].json
        theirs.pop("tools")  # AgentOS' empty list
        body = answer.json
        self.assertIn("events", body)
        body.pop("events")
        self.assertEqual(differences(body, theirs, "RunOutput"), [])
        self.assertEqual((body["status"], body["content"], body["user_id"], body["session_id"]), ("COMPLETED", "w0 ", "u1", "S14"))

    def test_background_poll(self):
        launched, running, done, listed = recording("agent-background-poll")[:4]
        run = self.api.launch("hi N=8 D=0.1", session_id="S2")
        self.assertEqual(differences(run, launched.json, "launched"), [])
        self.assertEqual((run["status"], run["session_id"]), ("PENDING", "S2"))
        while (body := self.api.get(run["run_id"], "S2").json).get("last_event_index", 0) < 3:
            time.sleep(0.02)
        self.assertEqual(body["status"], "RUNNING")
        self.assertTrue(body["content"].startswith("w0 "), "X9: the content so far")
        body.pop("content")
        self.assertEqual(differences(body, running.json, "RunOutput"), [])
        self.assertEqual((body["metrics"], body["events"]), ({}, []))
        body = self.api.settled(run)
        self.assertEqual(body["status"], "COMPLETED")
        body["events"] = []
        self.assertEqual(differences(body, done.json, "RunOutput"), [])
        self.assertEqual([m["role"] for m in body["messages"]], ["system", "user", "assistant"])
        listing = self.api.ask("GET", self.api.runs() + "?session_id=S2").json
        self.assertEqual(differences(listing, listed.json, "RunSchema"), [])
        self.assertEqual(set(listing[0]), set(listed.json[0]), "nulls are kept")

    def test_reading_refuses_as_recorded(self):
        run = self.api.launch("hi N=1", session_id="S2r")
        self.api.settled(run)
        for e in recording("agent-background-poll")[4:]:
            path = e.path.replace("agents/a1", "agents/main").replace("5dbf6702-8b04-4512-9772-5d646e27799f", run["run_id"]).replace("=S2", "=S2r")
            answer = self.api.ask(e.method, path)
            self.assertEqual((answer.status, answer.json), (e.status, e.json), path)
        for status, count in (("COMPLETED", 1), ("completed", 0), ("REGENERATED", 0), ("zzz", 0), ("", 1)):
            listed = self.api.ask("GET", self.api.runs() + f"?session_id=S2r&status={status}")
            self.assertEqual((listed.status, len(listed.json)), (200, count), status)

    def test_stored_events_leave_out_deltas(self):
        events = list(self.api.start("hi N=3", session_id="Sev"))
        body = self.api.get(events[0].json["run_id"], "Sev").json
        self.assertEqual(body["events"], [e.json for e in events if e.name != "RunContent"])
        self.assertEqual(body["last_event_index"], events[-1].index)

    def test_wait(self):  # X6
        run = self.api.launch("hi N=10 D=0.1", session_id="Sw")
        began = time.monotonic()
        early = self.api.get(run["run_id"], "Sw", more="&wait=0")
        self.assertEqual(early.json["status"], "RUNNING")
        self.assertLess(time.monotonic() - began, 0.9)
        short = self.api.get(run["run_id"], "Sw", more="&wait=60")
        self.assertEqual(short.json["status"], "COMPLETED")
        self.assertEqual(short.headers["x-outlast-last-event-index"], str(short.json["last_event_index"]))
        stalled = self.api.launch("N=5 STALL=1", session_id="Sw")
        began = time.monotonic()
        self.assertEqual(self.api.get(stalled["run_id"], "Sw", more="&wait=1").json["status"], "RUNNING")
        self.assertTrue(0.9 < time.monotonic() - began < 3, "waits as long as was asked")
        self.api.cancel(stalled["run_id"])
        self.assertEqual(self.api.get(run["run_id"], "Sw", more="&wait=x").status, 422)

    def test_multipart(self):
        recorded = recording("agent-multipart-form")[0]
        answer = self.api.ask("POST", self.api.runs(), body=recorded.body.encode(), headers=recorded.headers)
        self.assertEqual((answer.status, differences(answer.json, recorded.json, "launched")), (202, []))
        self.assertEqual(self.api.settled(answer.json)["input"]["input_content"], "hi N=1")

    def test_session_is_made(self):
        run = self.api.launch("hi N=1")
        self.assertRegex(run["session_id"], UUID4)
        self.assertEqual(self.api.settled(run)["status"], "COMPLETED")

    def test_stream_events_false(self):
        events = list(self.api.start("hi N=2", stream_events="false", session_id="S15"))
        self.assertEqual([e.name for e in events], ["RunContent", "RunContent", "RunCompleted"], "content and the terminal group")
        whole, _ = [e.json["content"] for e in events[:2]], None
        self.assertEqual(whole, ["w0 ", "w1 "])
        self.assertEqual([e.index for e in events], [2, 3, 6])
        _, again, _ = self.api.replay(events[0].json["run_id"], stream_events="false")
        self.assertEqual([e.data for e in again], [e.data for e in events])

    def test_tool_call_and_tool_error(self):
        self.file("a.txt")
        done = list(self.api.start('CALL Read {"file_path":"a.txt"}'))
        self.assertEqual(stream_differences(done, recording("agent-tool-call")[0].frames()), [])
        failed = list(self.api.start('CALL Read {"file_path":"not-there.txt"}'))
        self.assertEqual(stream_differences(failed, recording("agent-tool-error")[0].frames()), [])
        error = next(e.json for e in failed if e.name == "ToolCallError")
        completed = next(e.json for e in failed if e.name == "ToolCallCompleted")
        self.assertEqual(error["tool"]["metrics"], completed["tool"]["metrics"])
        self.assertEqual((error["error"], error["tool"]["tool_call_error"]), (error["tool"]["result"], True))
        body = self.api.get(done[0].json["run_id"], done[0].json["session_id"]).json
        self.assertEqual([m["role"] for m in body["messages"]][1:], ["user", "assistant", "tool", "assistant"])
        self.assertEqual(body["messages"][3]["tool_args"], {"file_path": "a.txt"})
        self.assertNotIn("content", body["messages"][2], "it only called a tool")
        self.assertEqual(body["tools"][0]["tool_name"], "Read")

    def test_deep_arguments_can_be_read_back(self):
        deep = "1"
        for _ in range(50):
            deep = '{"a":' + deep + "}"
        events = list(self.api.start("CALL Read " + deep, session_id="Sdeep"))
        answer = self.api.get(events[0].json["run_id"], "Sdeep")
        self.assertEqual((answer.status, answer.json["status"]), (200, "COMPLETED"))

    def test_parallel_tools(self):
        self.file("a.txt")
        events = list(self.api.start('PAR Read {"file_path":"a.txt"} | Glob {"pattern":"*.txt"}'))
        names = [e.name for e in events]
        self.assertEqual((names.count("ToolCallStarted"), names.count("ToolCallCompleted"), names[-1]), (2, 2, "RunCompleted"))
        self.assert_dense(events)

    def test_a_failing_run(self):
        streamed, polled, _, plain = recording("agent-run-error")
        events = list(self.api.start("boom", session_id="S7"))
        self.assertEqual(stream_differences(events, streamed.frames()), [])
        body = self.api.get(events[0].json["run_id"], "S7").json
        self.assertEqual(differences(body, polled.json, "RunOutput"), [])
        self.assertEqual((body["status"], body["content"]), ("ERROR", events[-1].json["content"]))
        meta, again, _ = self.api.replay(events[0].json["run_id"])
        self.assertEqual(meta[0].json["status"], "ERROR")
        self.assertEqual([e.data for e in again], [e.data for e in events])
        answer = self.api.ask("POST", self.api.runs(), {"message": "boom", "stream": "false"})
        body = answer.json
        body.pop("events")
        self.assertEqual((answer.status, differences(body, plain.json, "RunOutput")), (200, []), "a run that failed is still 200")
        self.assertNotIn("not-a-secret", json.dumps(answer.json))

    def test_unicode(self):
        stream = self.api.start("SAY grün € 😀", session_id="Sü €")
        events = list(stream)
        self.assertEqual(events[0].json["session_id"], "Sü €")
        self.assertIn("grün € 😀".encode(), stream.raw, "raw UTF-8")
        self.assertEqual(self.api.settled({"run_id": events[0].json["run_id"], "session_id": "Sü €"})["content"], "grün € 😀")

    def test_a_timeout_ends_the_run(self):  # X12
        began = time.monotonic()
        events = list(self.api.start("N=9 STALL=1", timeout_seconds="1"))
        self.assertEqual((events[-1].name, events[-1].json["error_type"]), ("RunError", "RunTimeout"))
        self.assertLess(time.monotonic() - began, 6)

    def test_refusals_as_recorded(self):
        for e in recording("form-coercion"):
            if e.status != 422:
                continue
            path = e.path.replace("agents/a1", "agents/main")
            answer = self.api.ask(e.method, path, body=e.body, headers=e.headers)
            self.assertEqual((answer.status, answer.json), (422, e.json), e.body)

    def test_every_spelling_of_a_boolean(self):
        for text, kind in (("1", 200), ("yes", 200), ("ON", 200), ("t", 200), ("0", 202), ("no", 202), ("FALSE", 202), ("", 200)):
            response = self.api.open("POST", self.api.runs(), {"message": "N=1", "background": "y", "stream": text})
            self.assertEqual(response.status, kind, text)
            response.close()
            response.connection.close()
        self.assertEqual(self.api.ask("POST", self.api.runs(), {"message": "N=1", "stream": "n", "background": "on", "whatever": "x"}).status, 202)

    def test_what_cannot_be_done_is_refused(self):
        for form, status in (({"metadata": "[1]"}, 400), ({"images": '[{"url":"x"}]'}, 400), ({"images": "{}"}, 422), ({"run_id": "a/b"}, 422),
                             ({"run_id": "x" * 65}, 422), ({"timeout_seconds": "0"}, 422)):
            self.assertEqual(self.api.ask("POST", self.api.runs(), {"message": "hi", **form}).status, status, form)

    def test_hostile_requests_get_an_answer(self):
        for path in ("/agents/%00", "/agents/main/runs/%00?session_id=s", "/agents/%ff%fe", "/agents/main/runs/" + "x" * 5000 + "?session_id=s"):
            self.assertIn(self.api.ask("GET", path).status, (400, 404), path[:40])
        answer = self.api.ask("POST", self.api.runs(), body=b"message=%ff%00x&stream=false", headers={"content-type": "application/x-www-form-urlencoded"})
        self.assertEqual(answer.status, 200)
        self.assertEqual(self.api.ask("POST", self.api.runs(), body=b"--X\r\nno", headers={"content-type": "multipart/form-data; boundary=X"}).status, 400)

    def test_a_foreground_client_that_leaves_cancels_its_run(self):
        stream = self.api.start("N=40 D=0.1", background=False, session_id="S13b")
        run = {"run_id": stream.take(4)[0].json["run_id"], "session_id": "S13b"}
        stream.close()
        body = self.api.settled(run)
        self.assertEqual(body["status"], "CANCELLED")
        self.assertIn("w0 ", body["content"])
        self.assertEqual([e["event"] for e in body["events"]][-2:], ["RunCancelled", "RunCompleted"])

    def test_a_json_client_that_leaves_cancels_its_run(self):
        body = urllib.parse.urlencode({"message": "N=40 D=0.1", "stream": "false", "session_id": "S13j", "run_id": "left-json"}).encode()
        with socket.create_connection(("127.0.0.1", self.server.port)) as s:
            s.sendall(b"POST /agents/main/runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            while self.api.get("left-json", "S13j").json.get("last_event_index", 0) < 3:
                time.sleep(0.02)
        self.assertEqual(self.api.settled({"run_id": "left-json", "session_id": "S13j"})["status"], "CANCELLED")

    def test_a_background_client_that_leaves_changes_nothing(self):
        stream = self.api.start("N=12 D=0.05", session_id="Sb")
        run = {"run_id": stream.take(4)[0].json["run_id"], "session_id": "Sb"}
        stream.close()
        self.assertEqual(self.api.settled(run)["content"], "".join(f"w{i} " for i in range(12)))

    def test_runs_that_share_a_session(self):  # R6
        runs = [self.api.launch(f"N={n} D=0.05", session_id="S17") for n in range(2, 8)]
        for n, run in zip(range(2, 8), runs):
            self.assertEqual(self.api.settled(run)["content"], "".join(f"w{i} " for i in range(n)))
        listed = self.api.ask("GET", self.api.runs() + "?session_id=S17").json
        self.assertEqual([r["run_id"] for r in listed], [r["run_id"] for r in runs])


class Idempotency(ServedTest):
    def test_a_repeated_key_is_the_same_run(self):
        form = {"message": "N=6 D=0.1", "stream": "false", "background": "true", "session_id": "Q1"}
        first, again = (self.api.ask("POST", self.api.runs(), form, headers={"Idempotency-Key": "k1"}) for _ in range(2))
        self.assertEqual((first.status, again.status), (202, 202))
        self.assertEqual(first.json["run_id"], again.json["run_id"])
        self.assertEqual((first.json["status"], again.json["status"]), ("PENDING", "RUNNING"))
        self.api.settled(first.json)
        last = self.api.ask("POST", self.api.runs(), form, headers={"Idempotency-Key": "k1"})
        self.assertEqual((last.json["run_id"], last.json["session_id"], last.json["status"]), (first.json["run_id"], "Q1", "COMPLETED"))

    def test_a_repeated_stream_attaches(self):
        form = {"session_id": "Q2", "headers": {"Idempotency-Key": "k2"}}
        first = self.api.start("N=6 D=0.1", **form)
        head = first.take(3)
        again = list(self.api.start("N=6 D=0.1", **form))
        whole = head + list(first)
        self.assertEqual([e.data for e in again], [e.data for e in whole], "the stream from its beginning")
        meta, events, _ = self.split(self.api.start("N=6 D=0.1", **form))
        self.assertEqual([m.name for m in meta], ["replay"], "a finished one as /resume shows it")
        self.assertEqual([e.data for e in events], [e.data for e in whole])

    @staticmethod
    def split(stream):
        events = list(stream)
        return [e for e in events if e.name in META], [e for e in events if e.name not in META], stream

    def test_leaving_a_repeated_foreground_stream_leaves_the_run(self):
        first = self.api.start("N=15 D=0.1", session_id="Q3", headers={"Idempotency-Key": "k3"})
        run = {"run_id": first.take(2)[0].json["run_id"], "session_id": "Q3"}
        first.close()
        for stream in ("true", "false"):
            body = urllib.parse.urlencode({"message": "N=15 D=0.1", "session_id": "Q3", "stream": stream}).encode()
            with socket.create_connection(("127.0.0.1", self.server.port)) as s:
                s.sendall(b"POST /agents/main/runs HTTP/1.1\r\nhost: localhost\r\nidempotency-key: k3\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
                time.sleep(0.3)
        self.assertEqual(self.api.settled(run)["status"], "COMPLETED")

    def test_conflicts(self):
        run = self.api.launch("N=1", session_id="Q4", headers={"Idempotency-Key": "k4"})
        form = {"message": "other", "stream": "false", "background": "true", "session_id": "Q4"}
        answer = self.api.ask("POST", self.api.runs(), form, headers={"Idempotency-Key": "k4"})
        self.assertEqual((answer.status, answer.detail), (409, "Idempotency-Key was already used with a different request body"))
        too_long = recording("queue-idempotency-key")[5]
        answer = self.api.ask("POST", self.api.runs(), form, headers={"Idempotency-Key": "x" * 513})
        self.assertEqual((answer.status, answer.json), (too_long.status, too_long.json))
        other_user = self.api.launch("N=1", session_id="Q4", user_id="u", headers={"Idempotency-Key": "k4"})
        self.assertNotEqual(other_user["run_id"], run["run_id"], "another user's key is another key")
        none = [self.api.launch("N=1", session_id="Q4", headers={"Idempotency-Key": ""})["run_id"] for _ in range(2)]
        self.assertNotEqual(*none)

    def test_another_component(self):
        self.require("other")
        self.api.launch("N=1", session_id="Q5", headers={"Idempotency-Key": "k5"})
        answer = self.api.ask("POST", self.api.runs(agent="other"), {"message": "N=1", "session_id": "Q5"}, headers={"Idempotency-Key": "k5"})
        self.assertEqual((answer.status, answer.json), (409, recording("queue-idempotency-key")[3].json))

    def test_many_at_once_are_one_run(self):
        ids, threads = [], []
        for _ in range(16):
            threads.append(threading.Thread(target=lambda: ids.append(self.api.launch("N=2", session_id="Q6", headers={"Idempotency-Key": "k6"})["run_id"])))
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual((len(ids), len(set(ids))), (16, 1))

    def test_a_callers_run_id(self):  # R7
        id_ = "0c2f1c1e-0000-4000-8000-000000000001"
        run = self.api.launch("N=1", session_id="S16", run_id=id_)
        self.assertEqual(run["run_id"], id_)
        self.assertEqual(self.api.launch("N=1", session_id="S16", run_id=id_)["run_id"], id_, "the same again is a retry")
        for form in ({"message": "N=2", "session_id": "S16"}, {"message": "N=1", "session_id": "S16x"}):
            answer = self.api.ask("POST", self.api.runs(), {"stream": "false", "background": "true", "run_id": id_, **form})
            self.assertEqual((answer.status, answer.detail), (409, "run_id already exists"))
        body = self.api.settled(run)
        self.assertEqual((body["content"], body["session_id"]), ("w0 ", "S16"), "never overwritten")
        self.assertEqual(self.api.get(id_, "S16x").status, 404)


class Cancel(ServedTest):
    def test_while_streaming(self):
        recorded = recording("agent-cancel-while-streaming")
        stream = self.api.start("N=40 D=0.1", session_id="S6")
        head = stream.take(4)
        run_id = head[0].json["run_id"]
        answer = self.api.cancel(run_id)
        self.assertEqual((answer.status, answer.json), (200, {"run_id": run_id, "status": "RUNNING", "cancel": "accepted"}))  # R10
        events = head + list(stream)
        self.assertEqual(stream_differences(events, recorded[0].frames()), [])
        self.assertEqual([e.name for e in events[-2:]], ["RunCancelled", "RunCompleted"])
        self.assertEqual(events[-2].json["reason"], f"Run {run_id} was cancelled")
        text = "".join(e.json["content"] for e in events if e.name == "RunContent")
        self.assertEqual([e.json["content"] for e in events[-2:]], [text, text], "the partial content is kept")
        body = self.api.get(run_id, "S6").json
        self.assertEqual(differences(body, recorded[2].json, "RunOutput"), [])
        self.assertEqual(body["status"], "CANCELLED")
        meta, again, _ = self.api.replay(run_id, 2)
        self.assertEqual(meta[0].json["status"], "CANCELLED")
        self.assertEqual([e.data for e in again], [e.data for e in events[3:]])
        self.assertEqual(self.api.cancel(run_id).json, {"run_id": run_id, "status": "CANCELLED", "cancel": "already_finished"})

    def test_a_silent_model_is_cut_at_once(self):  # R22
        run = self.api.launch("N=9 STALL=2", session_id="S6s")
        while self.api.get(run["run_id"], "S6s").json.get("last_event_index", 0) < 3:
            time.sleep(0.02)
        began = time.monotonic()
        self.api.cancel(run["run_id"])
        self.assertEqual(self.api.settled(run)["status"], "CANCELLED")
        self.assertLess(time.monotonic() - began, 2)

    def test_finished_and_unknown(self):
        run = self.api.launch("N=1", session_id="S6b")
        self.api.settled(run)
        answer = self.api.cancel(run["run_id"], "?session_id=S6b")
        self.assertEqual((answer.status, answer.json["cancel"], answer.json["status"]), (200, "already_finished", "COMPLETED"))
        self.assertEqual(self.api.settled(run)["status"], "COMPLETED")
        answer = self.api.cancel("nope")
        self.assertEqual((answer.status, answer.json), (200, {"run_id": "nope", "status": None, "cancel": "intent_stored"}))
        self.assertEqual(self.api.cancel(run["run_id"], "?strict=true").status, 409)  # X10
        self.assertEqual((self.api.cancel("nope2", "?strict=true").status, self.api.cancel("nope2", "?strict=true").detail), (404, "Run not found"))
        self.assertEqual(self.api.cancel(run["run_id"], "?session_id=foreign").status, 404)
        self.assertEqual(self.api.cancel("not%20an%20id").json, {}, "no run can have this id")

    def test_before_the_run_is_there(self):
        self.assertEqual(self.api.cancel("early-bird").json["cancel"], "intent_stored")
        run = self.api.launch("N=40 D=0.1", session_id="S6e", run_id="early-bird")
        self.assertEqual(self.api.settled(run)["status"], "CANCELLED")
        self.assertEqual(self.model.asked("early-bird"), [])

    def test_many_cancels_make_one_end(self):
        run = self.api.launch("N=40 D=0.05", session_id="S6m")
        threads = [threading.Thread(target=self.api.cancel, args=(run["run_id"],)) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.api.settled(run)
        names = [e.name for e in self.api.replay(run["run_id"])[1]]
        self.assertEqual([names.count(n) for n in ("RunCancelled", "RunCompleted", "RunError")], [1, 1, 0])
        self.assertEqual(names[-2:], ["RunCancelled", "RunCompleted"])


class SecurityKey(ServedTest):
    environment = {"OS_SECURITY_KEY": "sekret"}

    def test_as_recorded(self):
        for e in recording("auth-security-key"):
            answer = self.api.ask(e.method, e.path.replace("agents/a1", "agents/main"), body=e.body or None, headers=e.headers)
            self.assertEqual(answer.status, e.status, e.path)
            if e.status == 401:
                self.assertEqual(answer.json, e.json)
                self.assertNotIn("www-authenticate", answer.headers)
        self.assertEqual(self.api.ask("GET", "/info").json["auth_mode"], "security_key")

    def test_with_the_key(self):
        api = Api(self.server.port, headers={"authorization": "Bearer sekret"})
        run = api.launch("N=2", session_id="K")
        self.assertEqual(api.settled(run)["status"], "COMPLETED")
        path = api.runs(run["run_id"], "/resume?session_id=K")
        for query, headers, status in (("&access_token=sekret", {}, 200), ("&token=sekret", {}, 200), ("", {"cookie": "access_token=sekret"}, 200),
                                       ("&access_token=bad", {}, 401), ("", {}, 401)):  # X3: the browser's EventSource
            self.assertEqual(self.api.ask("GET", path + query, headers=headers).status, status, (query, headers))
        self.assertEqual(self.api.ask("POST", api.runs(run["run_id"], "/cancel?access_token=sekret")).status, 401)
        self.assertNotIn("sekret", self.server.log())


if __name__ == "__main__":
    unittest.main()
