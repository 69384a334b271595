"""Pauses and decisions of the AgentOS API, §10 of the contract and R8, R9, R13. Env OUTLAST_BIN names the binary.

Needs an agent 'gated' whose tool Write waits for a person; a server without one skips these tests."""
import copy, json, os, threading, time, unittest, urllib.parse

from agentos_client import META, Answer, ServedTest, Stream
from agentos_shapes import differences, recording, stream_differences

# A decision is no part of a call's later events, and AgentOS loses a continued tool's times.
NULLABLE = ("metrics", "requires_confirmation", "confirmed")


class Continue(ServedTest):
    def setUp(self):
        self.require("gated")
        self.name = f"{self._testMethodName}.txt"
        self.path = os.path.join(self.server.work, self.name)
        self.session = "S-" + self._testMethodName

    def pause(self, more="", **form):
        """a run that waits for one Write: (its events, the tool objects of its pause)"""
        message = more or f'CALL Write {{"file_path":"{self.name}","content":"one\\n"}}'
        events = list(self.api.start(message, agent="gated", session_id=self.session, **form))
        self.assertEqual(events[-1].name, "RunPaused", events)
        return events, events[-1].json["tools"]

    @staticmethod
    def decided(tools, confirmed=True, note=None):
        tools = copy.deepcopy(tools)
        for tool in tools:
            tool["confirmed"], tool["confirmation_note"] = confirmed, note
        return tools

    def go_on(self, run_id, tools, **form):
        return Answer(self.api.continues(run_id, self.session, tools, **form))

    def writes(self, run_id):
        """how often the tool was called"""
        return [e.name for e in self.api.replay(run_id, agent="gated")[1]].count("ToolCallStarted")

    def test_pause_and_continue_in_the_background(self):
        paused, polled, _, continued, whole = recording("agent-pause-and-continue")
        events, tools = self.pause()
        run_id = events[0].json["run_id"]
        self.assertEqual(stream_differences(events, paused.frames()), [])
        self.assertFalse(os.path.exists(self.path))
        body = self.api.get(run_id, self.session, "gated").json
        self.assertEqual(differences(body, polled.json, "RunOutput"), [])
        self.assertEqual((body["status"], body["content"], body["tools"]), ("PAUSED", "I have tools to execute, but I need confirmation.", tools))
        meta, again, _ = self.api.replay(run_id, 2, agent="gated")
        self.assertEqual(([m.json["status"] for m in meta], [e.data for e in again]), (["PAUSED"], [e.data for e in events[3:]]))

        leg = list(Stream(self.api.continues(run_id, self.session, self.decided(tools), background="true")))
        self.assertEqual(stream_differences(leg, continued.frames(), NULLABLE), [])
        self.assertEqual(leg[0].name, "RunContinued")
        self.assert_dense(leg, len(events))
        with open(self.path) as f:
            self.assertEqual(f.read(), "one\n")
        body = self.api.get(run_id, self.session, "gated").json
        self.assertEqual(differences(body, recording("agent-pause-and-reject")[1].json, "RunOutput", (*NULLABLE, "result", "confirmation_note")), [])
        self.assertEqual((body["status"], body["tools"][0]["confirmed"], body["requirements"][0]["tool_execution"]["confirmed"]), ("COMPLETED", True, True))
        meta, again, _ = self.api.replay(run_id, 3, agent="gated")
        self.assertEqual([e.data for e in again], [e.data for e in (events + leg)[4:]], "history belongs to /resume")
        self.assertEqual(stream_differences(again, [f for f in whole.frames() if f[0] not in META], (*NULLABLE, "result", "tool_call_error")), [],
                         "AgentOS shows the result in the replayed start already")

    def test_reject(self):
        events, tools = self.pause()
        run_id = events[0].json["run_id"]
        answer = self.go_on(run_id, self.decided(tools, False, "too risky"), stream="false")
        self.assertEqual((answer.status, differences(answer.json, recording("agent-pause-and-reject")[1].json, "RunOutput")), (200, []))
        body = answer.json
        self.assertEqual((body["status"], body["tools"][0]["confirmed"], body["tools"][0]["confirmation_note"]), ("COMPLETED", False, "too risky"))
        self.assertEqual([m["content"] for m in body["messages"] if m["role"] == "tool"], ["too risky"], "the model is given the note")
        self.assertFalse(os.path.exists(self.path))
        self.assertEqual(self.writes(run_id), 0)

    def test_all_modes(self):
        for form, status in (({"stream": "true"}, 200), ({"stream": "false"}, 200), ({"stream": "true", "background": "true"}, 200),
                             ({"stream": "false", "background": "true"}, 202)):
            events, tools = self.pause()
            run = {"run_id": events[0].json["run_id"], "session_id": self.session}
            answer = self.go_on(run["run_id"], self.decided(tools), **form)
            self.assertEqual(answer.status, status, form)
            if status == 202:
                self.assertEqual(answer.json, {**run, "status": "PENDING"})
            elif form["stream"] == "false":
                self.assertEqual(answer.json["status"], "COMPLETED")
            else:
                self.assertIn(b"event: RunCompleted", answer.body)
            self.assertEqual(self.api.settled(run, "gated")["status"], "COMPLETED")

    def test_without_a_decision(self):  # R8
        events, tools = self.pause()
        run_id = events[0].json["run_id"]
        for given in (None, [], tools):
            form = {"session_id": self.session, "stream": "false"}
            if given is not None:
                form["tools"] = json.dumps(given)
            answer = self.api.ask("POST", self.api.runs(run_id, "/continue", "gated"), form)
            self.assertEqual((answer.status, answer.detail), (409, "Cannot continue run - unresolved requirements: ['Write']"))
        for given in ([{"tool_call_id": "nope", "confirmed": True}], self.decided(tools) * 2):
            self.assertEqual(self.go_on(run_id, given).status, 422)
        for key, value in (("tool_args", {"file_path": "other.txt", "content": "one\n"}), ("tool_name", "Edit")):
            changed = self.decided(tools)
            changed[0][key] = value
            self.assertEqual(self.go_on(run_id, changed).status, 422, "a decision is about the call that was shown")
        self.assertEqual(self.api.get(run_id, self.session, "gated").json["status"], "PAUSED")
        self.assertEqual(self.writes(run_id), 0)

    def test_half_a_decision(self):  # R8
        events, tools = self.pause('PAR Write {"file_path":"h1.txt","content":"x"} | Write {"file_path":"h2.txt","content":"x"}')
        run_id = events[0].json["run_id"]
        self.assertEqual(len(tools), 2)
        self.assertEqual(self.go_on(run_id, self.decided(tools[:1])).status, 422)
        answer = self.go_on(run_id, self.decided(tools[:1]) + self.decided(tools[1:], False, "no"), stream="false")
        self.assertEqual([t["confirmed"] for t in answer.json["tools"]], [True, False])
        self.assertEqual([os.path.exists(os.path.join(self.server.work, n)) for n in ("h1.txt", "h2.txt")], [True, False])

    def test_the_same_decision_twice(self):  # R9
        for stream in ("true", "false"):
            events, tools = self.pause()
            run_id = events[0].json["run_id"]
            first = self.go_on(run_id, self.decided(tools), stream=stream)
            again = self.go_on(run_id, self.decided(tools), stream=stream)
            self.assertEqual((first.status, again.status), (200, 200))
            self.assertEqual(first.body, again.body, "its leg, or its result")
            self.assertEqual(self.writes(run_id), 1)
            other = self.go_on(run_id, self.decided(tools, False), stream=stream)
            self.assertEqual(other.status, 409, "another decision")
            self.assertEqual(self.writes(run_id), 1)

    def test_two_at_once(self):  # R9
        for _ in range(5):
            events, tools = self.pause()
            run_id, legs = events[0].json["run_id"], []
            threads = [threading.Thread(target=lambda: legs.append([e.data for e in Stream(self.api.continues(run_id, self.session, self.decided(tools), background="true"))]))
                       for _ in range(4)]
            for t in threads:
                t.start()
            for t in threads:
                t.join(30)
            self.assertEqual(len(legs), 4)
            self.assertEqual([len(leg) for leg in legs], [len(legs[0])] * 4, legs)
            self.assertTrue(all(leg == legs[0] for leg in legs), "one leg")
            self.assertEqual(self.writes(run_id), 1)

    def test_two_pauses(self):
        events, first = self.pause('CALL Write {"file_path":"p1.txt","content":"x"}\nCALL Write {"file_path":"p2.txt","content":"x"}')
        run_id = events[0].json["run_id"]
        leg = list(Stream(self.api.continues(run_id, self.session, self.decided(first))))
        self.assertEqual(leg[-1].name, "RunPaused")
        second = leg[-1].json["tools"]
        self.assertEqual(second[0]["tool_args"]["file_path"], "p2.txt")
        late = list(Stream(self.api.continues(run_id, self.session, self.decided(first))))
        self.assertEqual([e.data for e in late], [e.data for e in leg], "a late retry meets its own leg, and decides nothing")
        self.assertEqual(self.api.get(run_id, self.session, "gated").json["status"], "PAUSED")
        last = list(Stream(self.api.continues(run_id, self.session, self.decided(second))))
        self.assertEqual(last[-1].name, "RunCompleted")
        whole = self.api.replay(run_id, agent="gated")[1]
        self.assertEqual([e.data for e in whole], [e.data for e in events + leg + last])
        self.assertEqual(self.writes(run_id), 2)

    def test_resume_of_a_continued_run_that_still_runs(self):
        events, tools = self.pause(f'CALL Write {{"file_path":"{self.name}","content":"x"}}\nN=10 D=0.1')
        run_id = events[0].json["run_id"]
        self.go_on(run_id, self.decided(tools), stream="false", background="true")
        seen = [e for e in self.api.resume(run_id, agent="gated") if e.name not in META]
        self.assert_dense(seen)
        self.assertEqual(seen[-1].name, "RunCompleted", "the pause in its past is no end")

    def test_refusals_as_recorded(self):
        run_id = self.pause()[0][0].json["run_id"]
        for e in recording("agent-continue-refusals")[:4]:
            body = e.body.replace("S11", urllib.parse.quote(self.session))
            answer = self.api.ask("POST", self.api.runs(run_id, "/continue", "gated"), body=body, headers=e.headers)
            self.assertEqual(answer.status, e.status, e.body)
            if "'int' object" not in e.answer:
                self.assertEqual(answer.json, e.json)
        answer = self.api.ask("POST", "/agents/nope/runs/x/continue", {"session_id": "s"})
        self.assertEqual((answer.status, answer.detail), (404, "Agent not found"))

    def test_unknown_runs_stay_unknown(self):  # R13
        for stream in ("true", "false"):
            answer = self.api.ask("POST", self.api.runs("no-such-run", "/continue", "gated"), {"session_id": "s", "stream": stream})
            self.assertEqual((answer.status, answer.detail), (404, "No runs found for run ID no-such-run"))
        self.assertEqual([m.name for m in self.api.replay("no-such-run", agent="gated")[0]], ["error"])
        self.assertEqual(self.api.ask("GET", "/sessions/s").status, 404)
        run_id = self.pause()[0][0].json["run_id"]
        for path, session in ((self.api.runs(run_id, "/continue", "main"), self.session), (self.api.runs(run_id, "/continue", "gated"), "foreign")):
            self.assertEqual(self.api.ask("POST", path, {"session_id": session}).status, 404)

    def test_states_that_do_not_wait(self):
        events, tools = self.pause()
        run = {"run_id": events[0].json["run_id"], "session_id": self.session}
        self.assertEqual(self.api.cancel(run["run_id"], agent="gated").json["cancel"], "accepted")
        self.assertEqual(self.api.settled(run, "gated")["status"], "CANCELLED")
        names = [e.name for e in self.api.replay(run["run_id"], agent="gated")[1]]
        self.assertEqual(names[-3:], ["RunPaused", "RunCancelled", "RunCompleted"])
        answer = self.go_on(run["run_id"], self.decided(tools))
        self.assertEqual((answer.status, answer.detail), (409, f"Cannot continue run {run['run_id']}: run is cancelled"))
        for message, word in (("N=1", "run is completed"), ("boom", "run has errored")):
            done = self.api.launch(message, agent="gated", session_id=self.session)
            self.api.settled(done, "gated")
            answer = self.go_on(done["run_id"], [])
            self.assertEqual(answer.status, 409)
            self.assertIn(f"Cannot continue run {done['run_id']}: {word}", answer.detail)
        running = self.api.launch("N=5 STALL=1", agent="gated", session_id=self.session)
        answer = self.go_on(running["run_id"], [])
        self.assertEqual((answer.status, answer.detail), (409, f"Cannot continue run {running['run_id']}: run is running"))
        self.api.cancel(running["run_id"], agent="gated")
        paused, tools = self.pause()
        self.assertEqual(self.go_on(paused[0].json["run_id"], self.decided(tools), fork="true").status, 409, "not supported, and said")

    def test_cancel_and_resume_of_a_paused_run(self):
        """a stream that is opened between the cancel and the end sees the end"""
        for _ in range(10):
            events, _ = self.pause()
            run_id = events[0].json["run_id"]
            self.api.cancel(run_id, agent="gated")
            seen = [e for e in self.api.resume(run_id, agent="gated") if e.name not in META]
            self.assertEqual([e.name for e in seen][-2:], ["RunCancelled", "RunCompleted"])

    def test_leaving_a_foreground_leg_cancels_it(self):
        events, tools = self.pause(f'CALL Write {{"file_path":"{self.name}","content":"x"}}\nN=60 D=0.1')
        run = {"run_id": events[0].json["run_id"], "session_id": self.session}
        leg = Stream(self.api.continues(run["run_id"], self.session, self.decided(tools)))
        leg.take(6)
        leg.close()
        self.assertEqual(self.api.settled(run, "gated")["status"], "CANCELLED")

    def test_a_pause_outlasts_kill_9(self):
        events, tools = self.pause()
        run_id = events[0].json["run_id"]
        self.server.kill()
        self.server.start()
        self.assertEqual(self.api.get(run_id, self.session, "gated").json["status"], "PAUSED")
        leg = list(Stream(self.api.continues(run_id, self.session, self.decided(tools))))
        self.assertEqual(leg[-1].name, "RunCompleted")
        self.server.kill()
        self.server.start()
        again = list(Stream(self.api.continues(run_id, self.session, self.decided(tools))))
        self.assertEqual([e.data for e in again], [e.data for e in leg], "consumed once, also after a restart")
        self.assertEqual(self.writes(run_id), 1)


if __name__ == "__main__":
    unittest.main()
