"""Resuming streams of the AgentOS API, §7 of the contract and R1-R5, R12, R17, X1-X5, X8. Env OUTLAST_BIN names the binary."""
import http.client, json, threading, time, unittest, urllib.parse, urllib.request

from agentos_client import META, ServedTest, Stream
from agentos_shapes import recording, stream_differences


def exact(event):
    """a meta event as it was sent"""
    return f"event: {event.name}\ndata: {event.data}\n\n"


class Finished(ServedTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.events = list(cls.api.start("N=2", session_id="S4"))
        cls.run_id, cls.count = cls.events[0].json["run_id"], len(cls.events)

    def replays(self, last, missing, requested=None, **form):
        meta, events, stream = self.api.replay(self.run_id, last, **form)
        text = (f'event: replay\ndata: {{"event": "replay", "run_id": "{self.run_id}", "status": "COMPLETED", "total_events": {missing}, '
                f'"total_buffered": {self.count}, "last_event_index_requested": {last if requested is None else requested}, '
                f'"message": "Run COMPLETED. Replaying {missing} missed events (of {self.count} total)."}}\n\n')
        self.assertEqual([exact(m) for m in meta], [text])
        self.assertEqual([(e.id, e.name, e.data) for e in events], [(e.id, e.name, e.data) for e in self.events[self.count - missing:]], "byte for byte")
        self.assertTrue(stream.complete)
        self.assertEqual((stream.retry, meta[0].id), ("2000", None))
        return stream

    def test_every_index(self):
        for last in range(self.count):
            self.replays(last, self.count - 1 - last)

    def test_absent_empty_and_negative_mean_everything(self):
        self.replays(None, self.count, requested=-1)
        self.replays("", self.count, requested=-1)
        self.replays(-1, self.count)
        self.replays(-7, self.count)

    def test_beyond_the_last(self):
        self.replays(self.count + 40, 0)
        self.replays("99999999999999999999", 0, requested=2**63 - 1)

    def test_lenient_integers(self):
        for text in (" 1 ", "+1", "1.0", "01"):
            self.replays(text, self.count - 2, requested=1)

    def test_a_json_body_is_an_empty_form(self):
        response = self.api.open("POST", self.api.runs(self.run_id, "/resume"), body='{"last_event_index": 2}', headers={"content-type": "application/json"})
        events = list(Stream(response))
        self.assertEqual(len(events), self.count + 1)

    def test_shape_is_as_recorded(self):
        recorded = recording("agent-resume-finished")[2]
        _, events, _ = self.api.replay(self.run_id)
        self.assertEqual(stream_differences(events, [f for f in recorded.frames() if f[0] not in META]), [])

    def test_session_and_component_must_match(self):  # R12
        self.replays(1, self.count - 2, session_id="S4")
        unknown = f'event: error\ndata: {{"event": "error", "error": "Run {self.run_id} not found in buffer or database"}}\n\n'
        meta, events, _ = self.api.replay(self.run_id, session_id="S5")
        self.assertEqual(([exact(m) for m in meta], events), ([unknown], []))
        listed = [a["id"] for a in self.api.ask("GET", "/agents").json]
        if "other" in listed:
            meta, events, _ = self.api.replay(self.run_id, agent="other")
            self.assertEqual(([exact(m) for m in meta], events), ([unknown], []))

    def test_errors_as_recorded(self):
        for e in recording("agent-resume-errors")[:4]:
            answer = self.api.ask(e.method, e.path.replace("agents/a1", "agents/main"), body=e.body, headers=e.headers)
            self.assertEqual(answer.status, e.status)
            if e.status != 200:
                self.assertEqual(answer.json, e.json)
            else:
                self.assertEqual(answer.body.decode().replace("retry: 2000\n\n", "").strip(), e.answer.strip())
        for e in recording("form-coercion"):
            if e.status == 422 and e.path.endswith("/resume"):
                answer = self.api.ask(e.method, e.path.replace("agents/a1", "agents/main"), body=e.body, headers=e.headers)
                self.assertEqual((answer.status, answer.json), (422, e.json))
        strict = self.api.ask("POST", self.api.runs("nope", "/resume?strict=true"))  # X10
        self.assertEqual((strict.status, strict.detail), (404, "Run not found"))

    def test_get_for_a_browser(self):  # X2, X3
        path = self.api.runs(self.run_id, "/resume")
        for query, headers, missing in (("?last_event_index=3", {}, 3), ("?last_event_id=3&session_id=S4", {}, 3), ("", {"last-event-id": "3"}, 3),
                                        ("?last_event_index=4", {"last-event-id": "1"}, 2), ("", {}, 7), ("", {"last-event-id": "junk"}, 7)):
            events = list(Stream(self.api.open("GET", path + query, headers=headers)))
            self.assertEqual([e.name for e in events][0], "replay")
            self.assertEqual([e.data for e in events[1:]], [e.data for e in self.events[self.count - missing:]], (query, headers))
        for query, headers in ((f"?last_event_index={self.count - 1}", {}), ("", {"last-event-id": str(self.count - 1)}), ("?last_event_index=99999999999999999999", {})):
            answer = self.api.ask("GET", path + query, headers=headers)
            self.assertEqual((answer.status, answer.body), (204, b""), "nothing is missing: the browser stops coming back")
        self.assertEqual(self.api.ask("GET", path + "?last_event_index=x").status, 422)
        header = list(Stream(self.api.open("POST", path, {}, headers={"last-event-id": "3"})))
        self.assertEqual(len(header), 4, "on the POST form too")

    def test_a_fire_and_forget_run_has_its_events(self):  # R5
        run = self.api.launch("N=8 D=0.1", session_id="S5")
        live = self.api.resume(run["run_id"], session_id="S5")
        events = list(live)
        self.assertIn("subscribed", [e.name for e in events])
        run_events = [e for e in events if e.name not in META]
        self.assert_dense(run_events)
        self.assertEqual(run_events[-1].name, "RunCompleted")
        _, again, _ = self.api.replay(run["run_id"])
        self.assertEqual([e.data for e in again], [e.data for e in run_events])


class Running(ServedTest):
    def cut(self, message, count, **form):
        """a background stream that is dropped after `count` events"""
        stream = self.api.start(message, **form)
        events = stream.take(count)
        stream.close()
        return events[0].json["run_id"], events

    def test_catch_up_and_subscribe(self):
        run_id, head = self.cut("N=10 D=0.1", 3, session_id="S3")
        stream = self.api.resume(run_id, 1)
        events = list(stream)
        names = [e.name for e in events]
        self.assertEqual(names[0], "catch_up")
        at = names.index("subscribed")
        missed = events[1:at]
        count = events[0].json["current_event_count"]
        self.assertEqual(exact(events[0]), f'event: catch_up\ndata: {{"event": "catch_up", "run_id": "{run_id}", "status": "running", "missed_events": {len(missed)}, '
                                           f'"current_event_count": {count}, "message": "Catching up on {len(missed)} missed events."}}\n\n')
        self.assertEqual(exact(events[at]), f'event: subscribed\ndata: {{"event": "subscribed", "run_id": "{run_id}", "status": "running", '
                                            f'"current_event_count": {count}, "message": "Subscribed to agent run. Receiving live events."}}\n\n')
        self.assertEqual(count, 2 + len(missed))
        rest = missed + events[at + 1:]
        self.assert_dense(rest, 2)
        self.assertEqual(rest[0].data, head[2].data)
        self.assertEqual(rest[-1].name, "RunCompleted")
        self.assertTrue(stream.complete)
        recorded = [f for f in recording("agent-resume-running")[1].frames() if f[0] not in META]
        self.assertEqual(stream_differences(rest, recorded), [])

    def test_nothing_missed(self):
        run_id, head = self.cut("N=4 STALL=1", 3, session_id="S3c")
        stream = self.api.resume(run_id, head[-1].index)
        first = stream.take(1)[0]
        self.assertEqual((first.name, first.json["current_event_count"]), ("subscribed", 3))
        stream.close()
        self.api.cancel(run_id)

    def test_an_index_that_is_ahead(self):  # R3
        run_id, head = self.cut("N=12 D=0.1", 3, session_id="S3d")
        events = list(self.api.resume(run_id, 9999))
        gap, subscribed, rest = events[0], events[1], events[2:]
        self.assertEqual((gap.name, gap.json["reason"], gap.json["to_index"]), ("gap", "index_ahead", 9999))
        self.assertEqual((subscribed.name, subscribed.json["current_event_count"]), ("subscribed", gap.json["from_index"]))
        self.assert_dense(rest, gap.json["from_index"])
        self.assertEqual(rest[-1].name, "RunCompleted")

    def test_many_tails_read_the_same_bytes(self):
        run_id, _ = self.cut("N=30 D=0.03", 10, session_id="S3t")
        tails, threads = [], []

        def tail(last):
            tails.append((last, [e for e in self.api.resume(run_id, last) if e.name not in META]))

        for last in (None, 0, 1, 2, 3, 5, 8, -1):
            threads.append(threading.Thread(target=tail, args=(last,)))
            threads[-1].start()
        for t in threads:
            t.join(60)
        whole = next(events for last, events in tails if last is None)
        self.assert_dense(whole)
        for last, events in tails:
            self.assertEqual([e.data for e in events], [e.data for e in whole[max(-1 if last is None else last, -1) + 1:]], last)

    def test_any_cut_is_gapless(self):
        run_id, seen = self.cut("N=40 D=0.02", 5, session_id="S3g")
        cuts = 0
        while seen[-1].name != "RunCompleted":
            stream = self.api.resume(run_id, seen[-1].index, session_id="S3g")
            seen += [e for e in stream.take(4 + cuts % 5) if e.name not in META]
            stream.close()
            cuts += 1
        self.assertGreater(cuts, 3)
        self.assert_dense(seen)
        self.assertEqual(seen[-1].json["content"], "".join(f"w{i} " for i in range(40)))

    def test_comments_keep_silent_streams_alive(self):
        """15 s on both kinds of stream (AgentOS: 15 and 30); the server looks every 5 s."""
        stream = self.api.start("N=2 STALL=1", session_id="HB")
        run_id = stream.take(3)[0].json["run_id"]
        resumed = self.api.resume(run_id, 2)
        resumed.take(1)
        threads = [threading.Thread(target=list, args=(s,)) for s in (stream, resumed)]
        for t in threads:
            t.start()
        end = time.monotonic() + 25
        while not (stream.comments and resumed.comments) and time.monotonic() < end:
            time.sleep(0.1)
        self.model.release()
        for t in threads:
            t.join(20)
        self.assertEqual((stream.comments[0], resumed.comments[0]), (": keepalive", ": heartbeat"))
        self.assertTrue(stream.complete and resumed.complete)


class DocumentedClient(ServedTest):
    """Bar 3: the second Python example of AgentOS' documentation of background streaming, with urllib for httpx: start a stream with
    background=true and stream=true, remember event_index and run_id, lose the connection, resume until the run has completed."""

    def test_the_example_works_unchanged(self):
        base, session_id = f"http://127.0.0.1:{self.server.port}", "background-demo"
        run_id, last_event_index, events = None, None, []

        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        connection.request("POST", "/agents/main/runs",
                           urllib.parse.urlencode({"message": "N=20 D=0.05", "stream": "true", "background": "true", "session_id": session_id}),
                           {"content-type": "application/x-www-form-urlencoded"})
        response = connection.getresponse()
        for raw in response:
            line = raw.decode().strip()
            if not line.startswith("data: "):
                continue
            data = json.loads(line[6:])
            run_id = data.get("run_id") or run_id
            if data.get("event_index") is not None:
                last_event_index = data["event_index"]
            events.append(data)
            if len(events) >= 6:
                break
        response.close()
        connection.close()  # the page is reloaded, the network is gone
        self.assertIsNotNone(run_id)

        finished, resumes = False, 0
        while not finished:
            resumes += 1
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
            connection.request("POST", f"/agents/main/runs/{run_id}/resume",
                               urllib.parse.urlencode({"last_event_index": last_event_index, "session_id": session_id}),
                               {"content-type": "application/x-www-form-urlencoded"})
            response = connection.getresponse()
            for raw in response:
                line = raw.decode().strip()
                if not line.startswith("data: "):
                    continue
                data = json.loads(line[6:])
                event_type = data.get("event")
                if event_type in ("catch_up", "replay", "subscribed"):
                    continue
                if event_type == "error":
                    self.fail(data["error"])
                if data.get("event_index") is not None:
                    last_event_index = data["event_index"]
                events.append(data)
                if event_type == "RunCompleted":
                    finished = True
                    break
                if resumes == 1 and len(events) == 12:
                    break  # lost again
            response.close()
            connection.close()
        self.assertEqual(resumes, 2)
        self.assertEqual([e["event_index"] for e in events], list(range(len(events))))
        text = "".join(e["content"] for e in events if e["event"] == "RunContent")
        self.assertEqual((text, events[-1]["content"]), ("".join(f"w{i} " for i in range(20)),) * 2)
        with urllib.request.urlopen(f"{base}/agents/main/runs/{run_id}?session_id={session_id}") as answer:
            self.assertEqual(json.load(answer)["status"], "COMPLETED")


if __name__ == "__main__":
    unittest.main()
