"""Sessions and lists of runs of the AgentOS API, §11 of the contract and X7. Env OUTLAST_BIN names the binary."""
import json, re, time, unittest, urllib.parse

from agentos_client import ServedTest
from agentos_shapes import differences, recording

ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")


class Sessions(ServedTest):
    def test_as_recorded(self):
        """the recording's exchanges, one after the other"""
        recorded = recording("sessions")
        for e in recorded[:3]:
            self.exchange(e)
        self.api.settled({"run_id": self.api.launch("hi N=1", session_id="CRUD1", user_id="u1")["run_id"], "session_id": "CRUD1"})
        run_id = self.api.ask("GET", "/sessions/CRUD1/runs").json[0]["run_id"]
        for e in recorded[3:]:
            if "sort_order=asc" not in e.path:  # of 34 sessions that are not here
                self.exchange(e, run_id)

    def exchange(self, e, run_id=""):
        path = e.path.replace("fb17effd-9b28-4c15-acfd-d8a58b3f68f9", run_id).replace("component_id=a1", "component_id=main")
        body = e.body.replace('"agent_id":"a1"', '"agent_id":"main"') or None
        answer = self.api.ask(e.method, path, body=body, headers=e.headers)
        self.assertEqual(answer.status, e.status, (path, answer.body[:300]))
        if e.status == 204:
            return self.assertEqual(answer.body, b"")
        if e.status >= 400:
            return self.assertEqual(answer.json, e.json, path)
        ours, theirs = answer.json, e.json
        if isinstance(theirs, dict) and theirs.get("data"):
            theirs["data"] = theirs["data"][:1]
        self.assertEqual(differences(ours, theirs, "SessionSchema"), [], path)
        if "user_id=u1" not in path and isinstance(theirs, dict) and "data" not in theirs:
            self.assertEqual(set(ours) - {"session_state"}, set(theirs) - {"session_state"}, path)

    def test_details_keep_or_drop_nulls(self):
        self.api.send("POST", "/sessions?type=agent", {"session_id": "N1", "agent_id": "main"})
        self.assertNotIn(None, self.api.ask("GET", "/sessions/N1").json.values())
        renamed = self.api.send("POST", "/sessions/N1/rename", {"session_name": "n"}).json
        self.assertEqual((renamed["session_summary"], renamed["agent_data"], renamed["session_name"]), (None, None, "n"))
        patched = self.api.send("PATCH", "/sessions/N1", {"session_name": "m", "metadata": {"a": [1]}, "summary": {}}).json
        self.assertEqual((patched["session_name"], patched["metadata"], patched["session_state"]), ("m", {"a": [1]}, None))
        for key in ("created_at", "updated_at"):
            self.assertRegex(patched[key], ISO)

    def test_a_run_makes_its_session(self):
        run = self.api.launch("tell me about it N=2", session_id="made", user_id="u7")
        self.api.settled(run)
        detail = self.api.ask("GET", "/sessions/made").json
        self.assertEqual((detail["session_name"], detail["agent_id"], detail["user_id"], detail["total_tokens"]), ("tell me about it N=2", "main", "u7", 12))
        self.assertEqual([(m["role"], m["content"]) for m in detail["chat_history"]], [("user", "tell me about it N=2"), ("assistant", "w0 w1 ")])
        self.assertEqual(detail["metrics"]["details"]["model"][0]["total_tokens"], 12)
        self.api.settled(self.api.launch("more N=1", session_id="made"))
        detail = self.api.ask("GET", "/sessions/made").json
        self.assertEqual((len(detail["chat_history"]), detail["total_tokens"]), (4, 24))
        asked = self.model.asked("more N=1")[0]["messages"]
        self.assertEqual([m["role"] for m in asked], ["system", "user", "assistant", "user"], "the session's past is the run's past")

    def test_type_must_match(self):
        self.api.send("POST", "/sessions?type=team", {"session_id": "T1", "team_id": "t1"})
        for path, detail in (("/sessions/T1?type=agent", "Agent Session with id 'T1' not found"), ("/sessions/T1?type=workflow", "Workflow Session with id 'T1' not found"),
                             ("/sessions/T2", "Session with id 'T2' not found"), ("/sessions/T1/runs?type=agent", "Session with ID T1 not found")):
            answer = self.api.ask("GET", path)
            self.assertEqual((answer.status, answer.detail), (404, detail))
        self.assertEqual(self.api.ask("GET", "/sessions/T1?type=team").json["team_id"], "t1")
        self.assertEqual(self.api.send("POST", "/sessions/T1/rename?type=agent", {"session_name": "x"}).status, 404)
        self.assertEqual(self.api.ask("GET", "/sessions?type=team").json["data"][0]["session_type"], "team")

    def test_bad_bodies(self):
        for method, path, body, status in (("POST", "/sessions", "{", 422), ("POST", "/sessions", "[]", 422), ("POST", "/sessions", '{"session_state":"x"}', 422),
                                           ("POST", "/sessions", '{"session_name":5}', 422), ("POST", "/sessions", '{"session_id":"a\\nb"}', 422),
                                           ("POST", "/sessions?type=zzz", "{}", 422), ("PATCH", "/sessions/nope", '{"metadata":[]}', 422),
                                           ("POST", "/sessions/nope/rename", '{"session_name":null}', 422), ("DELETE", "/sessions", "{}", 422),
                                           ("DELETE", "/sessions", '{"session_ids":[],"session_types":["agent"]}', 400),
                                           ("DELETE", "/sessions", '{"session_ids":["x"],"session_types":["zzz"]}', 422),
                                           ("DELETE", "/sessions", '{"session_ids":[5],"session_types":["agent"]}', 422),
                                           ("DELETE", "/sessions", '{"session_ids":[],"session_types":[]}', 204)):
            answer = self.api.ask(method, path, body=body, headers={"content-type": "application/json"})
            self.assertEqual(answer.status, status, (method, path, body))
            if status == 422:
                self.assertEqual(set(answer.detail[0]) - {"ctx"}, {"type", "loc", "msg", "input"})

    def test_paging_and_sorting(self):
        for i in range(5):
            self.api.send("POST", "/sessions", {"session_id": f"P{i}", "session_name": f"name {4 - i}", "agent_id": "main", "user_id": "pager"})
            time.sleep(0.002)
        ids = lambda query: [s["session_id"] for s in self.api.ask("GET", "/sessions?user_id=pager" + query).json["data"]]
        self.assertEqual(ids(""), ["P4", "P3", "P2", "P1", "P0"])
        self.assertEqual(ids("&sort_order=asc"), ["P0", "P1", "P2", "P3", "P4"])
        self.assertEqual(ids("&sort_by=session_name&sort_order=asc"), ["P4", "P3", "P2", "P1", "P0"])
        self.assertEqual(ids("&limit=2&page=2"), ["P2", "P1"])
        self.assertEqual(ids("&session_name=NAME+3"), ["P1"])
        meta = self.api.ask("GET", "/sessions?user_id=pager&limit=2").json["meta"]
        self.assertEqual((meta["page"], meta["limit"], meta["total_pages"], meta["total_count"]), (1, 2, 3, 5))
        self.assertEqual(self.api.ask("GET", "/sessions?page=0").status, 422)
        self.assertEqual(self.api.ask("GET", "/sessions?limit=x").status, 422)

    def test_runs_by_time(self):
        run = self.api.launch("N=1", session_id="when")
        self.api.settled(run)
        now = int(time.time())
        counts = [len(self.api.ask("GET", f"/sessions/when/runs?{query}").json) for query in
                  ("", f"created_after={now - 60}", f"created_after={now + 60}", f"created_before={now + 60}", f"created_before={now - 60}")]
        self.assertEqual(counts, [1, 1, 0, 1, 0])
        self.assertEqual(self.api.ask("GET", "/sessions/when/runs?created_after=soon").status, 422)

    def test_removal(self):
        self.api.settled(self.api.launch("N=1", session_id="gone"))
        self.assertEqual(self.api.ask("DELETE", "/sessions/gone").status, 204)
        self.assertEqual(self.api.ask("GET", "/sessions/gone").status, 404)
        for id_ in ("R1", "R2"):
            self.api.send("POST", "/sessions", {"session_id": id_})
        both = {"session_ids": ["R1", "R2", "never"], "session_types": ["agent", "team", "agent"]}
        self.assertEqual(self.api.send("DELETE", "/sessions", both).status, 204)
        self.assertEqual([self.api.ask("GET", f"/sessions/{i}").status for i in ("R1", "R2")], [404, 200], "only what is of the type that was named")

    def test_removal_ends_what_still_runs(self):
        run = self.api.launch("N=60 D=0.1", session_id="live")
        stream = self.api.resume(run["run_id"])
        stream.take(3)
        began = time.monotonic()
        self.assertEqual(self.api.ask("DELETE", "/sessions/live").status, 204)
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(self.api.ask("GET", "/sessions/live").status, 404)
        self.assertEqual(self.api.get(run["run_id"], "live").status, 404)
        names = [e.name for e in stream]
        self.assertIn(names[-2:], (["RunCancelled", "RunCompleted"], []), "a stream sees the end, or is cut")


class Runs(ServedTest):
    def test_across_sessions(self):  # X7
        runs = [self.api.launch("N=1", session_id=f"X{i}", user_id="u" if i % 2 else "") for i in range(5)]
        for run in runs:
            self.api.settled(run)
        failed = self.api.launch("boom", session_id="X9")
        self.api.settled(failed)
        listed = self.api.ask("GET", "/runs").json
        self.assertEqual(set(listed), {"data", "meta"})
        self.assertEqual(set(listed["data"][0]), {"run_id", "component_type", "component_id", "session_id", "user_id", "status", "created_at", "updated_at", "last_event_index"})
        self.assertEqual(listed["data"][0]["run_id"], failed["run_id"], "newest first")
        self.assertEqual(listed["meta"]["total_count"], 6)
        count = lambda query: self.api.ask("GET", "/runs?" + query).json["meta"]["total_count"]
        self.assertEqual([count(q) for q in ("status=ERROR", "status=COMPLETED", "user_id=u", "session_id=X1", "component_id=main", "component_id=nope", "component_type=agent",
                                             "component_type=team")], [1, 5, 2, 1, 6, 0, 6, 0])
        page = self.api.ask("GET", "/runs?limit=2&page=2&sort_order=asc").json
        self.assertEqual([r["run_id"] for r in page["data"]], [runs[2]["run_id"], runs[3]["run_id"]])
        for query in ("status=zzz", "limit=0", "sort_order=up"):
            self.assertEqual(self.api.ask("GET", "/runs?" + query).status, 422)
        item = next(r for r in listed["data"] if r["run_id"] == runs[0]["run_id"])
        self.assertEqual((item["status"], item["last_event_index"], item["user_id"], item["component_type"]), ("COMPLETED", 5, "", "agent"))
        self.assertRegex(item["created_at"], ISO)

    def test_metrics(self):
        text = self.api.ask("GET", "/metrics")
        self.assertIn("text/plain", text.headers["content-type"])
        self.assertIn(b"outlast_events_appended_total", text.body)


if __name__ == "__main__":
    unittest.main()
