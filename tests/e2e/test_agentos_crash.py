"""What a client of the AgentOS API sees when its server dies: R1, R2, R4, R17, R19-R21, X8, X13. Env OUTLAST_BIN names the binary."""
import os, signal, socket, sqlite3, time, unittest

import agentos_model
from agentos_client import META, Server


def words(n):
    return "".join(f"w{i} " for i in range(n))


def counted(events):
    """the text that counts: deltas of superseded ranges left out"""
    text = {}
    for e in events:
        if e.name == "RunContent":
            text[e.index] = e.json["content"]
        elif e.name == "RunContentSuperseded":
            for index in range(e.json["from_index"], e.json["to_index"] + 1):
                text.pop(index, None)
    return "".join(text[i] for i in sorted(text))


class Crash(unittest.TestCase):
    def setUp(self):
        self.model = agentos_model.Model()
        self.server = Server(self.model).start()
        self.api = self.server.api

    def tearDown(self):
        self.model.release()
        self.server.remove()
        self.model.stop()

    def restart(self, number=signal.SIGKILL):
        self.server.kill(number)
        self.server.start()

    def assert_dense(self, events, first=0):
        self.assertEqual([e.index for e in events], list(range(first, first + len(events))), events)

    def test_an_unfinished_run_goes_on(self):  # R2, X13
        stream = self.api.start("N=40 D=0.05", session_id="C1")
        seen = stream.take(12)
        run_id = seen[0].json["run_id"]
        self.server.kill()
        seen += list(stream)
        self.assertFalse(stream.complete, "a cut stream shows that it was cut")
        self.server.start()
        began = time.monotonic()
        rest = []
        for event in self.api.resume(run_id, seen[-1].index, session_id="C1"):
            if event.name not in META:
                rest.append(event)
                if len(rest) == 1:
                    self.assertLess(time.monotonic() - began, 5)
        whole = seen + rest
        self.assert_dense(whole)
        self.assertEqual([e.name for e in whole].count("RunContentSuperseded"), 1)
        self.assertEqual((whole[-1].name, whole[-1].json["content"], counted(whole)), ("RunCompleted", words(40), words(40)))
        again = self.api.replay(run_id)[1]
        self.assertEqual([e.data for e in again], [e.data for e in whole], "what was seen was never taken back")
        body = self.api.get(run_id, "C1").json
        self.assertEqual((body["status"], body["content"]), ("COMPLETED", words(40)))

    def test_a_death_while_it_waits_to_be_tried_again_is_no_crash_of_the_step(self):
        """a server that is killed a dozen times in a row must not park what it never got to do"""
        run_id = self.api.start("N=40 D=0.05", session_id="C1").take(6)[0].json["run_id"]

        def facts(kind):
            with sqlite3.connect(os.path.join(self.server.home, "outlast.db")) as db:
                (count,) = db.execute("SELECT count(*) FROM fact WHERE type = ?", (kind,)).fetchone()
            db.close()
            return count

        for death in range(1, 13):
            self.restart()
            end = time.monotonic() + 10
            while facts("taken_over") < death and time.monotonic() < end:
                time.sleep(0.01)
            self.assertEqual(facts("taken_over"), death)
        self.assertGreater(facts("rests"), facts("tries_again"))
        self.restart()
        events = [e for e in self.api.resume(run_id, session_id="C1") if e.name not in META]
        self.assertEqual((events[-1].name, events[-1].json["content"]), ("RunCompleted", words(40)))

    def test_finished_runs_are_replayed_to_the_byte(self):  # R1, R4
        runs = [list(self.api.start(message, session_id="C2")) for message in ("N=5", "boom", 'CALL Read {"file_path":"no"}')]
        cancelled = self.api.start("N=50 D=0.05", session_id="C2")
        head = cancelled.take(5)
        self.api.cancel(head[0].json["run_id"])
        runs.append(head + list(cancelled))
        self.restart()
        for events in runs:
            run_id = events[0].json["run_id"]
            for last in (None, 0, 2):
                meta, again, stream = self.api.replay(run_id, last)
                self.assertEqual([(e.id, e.name, e.data) for e in again], [(e.id, e.name, e.data) for e in events[0 if last is None else last + 1:]])
                self.assertTrue(stream.complete)
            status = self.api.get(run_id, "C2").json["status"]
            self.assertEqual(meta[0].json["status"], status)
            self.assertEqual(status, {"RunError": "ERROR"}.get(events[-1].name, "CANCELLED" if events[-2].name == "RunCancelled" else "COMPLETED"))

    def test_an_acknowledged_run_is_on_disk(self):  # R19
        runs = [self.api.launch(f"N=3 D=0.02 SAYS{i}", session_id=f"C3-{i}") for i in range(5)]
        self.restart()
        for run in runs:
            self.assertEqual(self.api.settled(run)["content"], words(3))

    def test_a_key_names_the_same_run_after_a_crash(self):
        key = {"Idempotency-Key": "crash"}
        run = self.api.launch("N=3", session_id="C4", headers=key)
        self.restart()
        self.assertEqual(self.api.launch("N=3", session_id="C4", headers=key)["run_id"], run["run_id"])

    def test_an_acknowledged_cancel_binds(self):  # R10
        run = self.api.launch("N=60 D=0.05", session_id="C5")
        while self.api.get(run["run_id"], "C5").json.get("last_event_index", 0) < 4:
            time.sleep(0.02)
        self.assertEqual(self.api.cancel(run["run_id"]).json["cancel"], "accepted")
        self.restart()
        self.assertEqual(self.api.settled(run)["status"], "CANCELLED")
        names = [e.name for e in self.api.replay(run["run_id"])[1]]
        self.assertEqual((names.count("RunCancelled"), names.count("RunCompleted"), names[-1]), (1, 1, "RunCompleted"))

    def test_a_finished_step_is_not_repeated(self):  # R20
        run = self.api.launch('CALL Write {"file_path":"once.txt","content":"x"}\nN=30 D=0.05', session_id="C6")
        stream = self.api.resume(run["run_id"])
        for event in stream:
            if event.name == "ToolCallCompleted":
                break
        stream.close()
        self.restart()
        self.assertEqual(self.api.settled(run)["content"], words(30))
        events = self.api.replay(run["run_id"])[1]
        self.assertEqual([e.name for e in events].count("ToolCallStarted"), 1)
        first_turns = [r for r in self.model.asked("once.txt") if r["messages"][-1]["role"] == "user"]
        self.assertEqual(len(first_turns), 1, "the model call that asked for the tool")

    def test_a_stop_is_no_cancel(self):  # R21
        background, foreground = self.api.start("N=400 D=0.05", session_id="C7"), self.api.start("N=400 D=0.05", session_id="C7", background=False)
        runs = [{"run_id": s.take(5)[0].json["run_id"], "session_id": "C7"} for s in (background, foreground)]
        self.server.process.terminate()
        for stream in (background, foreground):
            list(stream)
            self.assertFalse(stream.complete, "cut without the final chunk: the client knows to resume")
        self.assertEqual(self.server.process.wait(20), 0)
        self.server.start()
        for run in runs:
            live = self.api.resume(run["run_id"])
            self.assertIn("subscribed", (e.name for e in live), "it is still going on")
            live.close()
            self.assertEqual(self.api.get(run["run_id"], "C7").json["status"], "RUNNING")
            self.api.cancel(run["run_id"])

    def test_what_retention_gave_up_is_said(self):  # R17, X8
        with open(os.path.join(self.server.home, "config.yaml"), "w") as f:
            f.write("retention: {keep_days: 1}\n")
        events = list(self.api.start("N=2", session_id="C8"))
        run_id, count = events[0].json["run_id"], len(events)
        self.server.stop()
        with sqlite3.connect(os.path.join(self.server.home, "outlast.db")) as db:
            db.execute("UPDATE run SET ended_ms = 1 WHERE run_id = ?", (run_id,))
        db.close()
        self.server.start()
        end = time.monotonic() + 5
        while (stream := self.api.resume(run_id)).response.headers["x-outlast-first-event-index"] == "0" and time.monotonic() < end:
            stream.close()
            time.sleep(0.1)
        replay, gap = list(stream)
        self.assertEqual((replay.json["total_events"], replay.json["total_buffered"]), (0, count))
        self.assertEqual((gap.json["reason"], gap.json["from_index"], gap.json["to_index"]), ("retention", 0, count - 1))
        body = self.api.get(run_id, "C8").json
        self.assertEqual((body["status"], body["last_event_index"]), ("COMPLETED", count - 1), "the run stays listed")
        self.assertEqual(self.api.ask("GET", "/runs?session_id=C8").json["meta"]["total_count"], 1)

    def test_launches_beyond_the_backlog_are_refused(self):
        """one executes, two wait, the next is refused and leaves nothing; a retry of one that waits is no new launch"""
        self.server.stop()
        with open(os.path.join(self.server.home, "config.yaml"), "w") as f:
            f.write("serve: {max_concurrent_runs: 1, max_pending_runs: 2}\n")
        self.server.start()
        runs = [self.api.launch("N=400 D=0.05", session_id=f"P{i}", headers={"idempotency-key": f"p{i}"}) for i in range(3)]
        form = {"message": "N=1", "stream": "false", "background": "true", "session_id": "P3"}
        refused = self.api.ask("POST", self.api.runs(), form)
        self.assertEqual(refused.status, 429, refused.body)
        self.assertGreaterEqual(int(refused.headers["retry-after"]), 1)
        self.assertIn("nothing was started", refused.detail)
        self.assertEqual(self.api.ask("GET", "/sessions/P3?type=agent").status, 404)
        self.assertIn("outlast_launches_refused_total 1", self.api.ask("GET", "/metrics").body.decode())
        again = self.api.launch("N=400 D=0.05", session_id="P2", headers={"idempotency-key": "p2"})
        self.assertEqual(again["run_id"], runs[2]["run_id"])
        self.api.cancel(runs[0]["run_id"])
        end = time.monotonic() + 10
        while (answer := self.api.ask("POST", self.api.runs(), form)).status == 429 and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(answer.status, 202, "a place became free")
        for run in runs:
            self.api.cancel(run["run_id"])

    def test_a_slow_reader_is_bounded(self):  # R18
        """it is not read at all: the server keeps one write in flight for it and goes on"""
        run = self.api.launch("N=3000 D=0", session_id="C9")
        with socket.create_connection(("127.0.0.1", self.server.port)) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(f"POST /agents/main/runs/{run['run_id']}/resume HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n".encode())
            self.assertEqual(self.api.settled(run, seconds=60)["content"], words(3000))
            self.assertEqual(len(self.api.replay(run["run_id"])[1]), 3005)

    def test_a_reader_of_a_removed_run_is_cut(self):
        """and the server does not look for the events for ever"""
        run = self.api.launch("N=20000 D=0", session_id="C10")
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", self.server.port))
            slow.sendall(f"POST /agents/main/runs/{run['run_id']}/resume HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n".encode())
            self.assertEqual(self.api.settled(run, seconds=60)["status"], "COMPLETED")
            self.assertEqual(self.api.ask("DELETE", "/sessions/C10").status, 204)
            slow.settimeout(20)
            tail, total = b"", 0
            while data := slow.recv(1 << 16):
                tail, total = (tail + data)[-4096:], total + len(data)
        self.assertLess(total, 5_000_000, "it was behind when the run went")
        self.assertFalse(tail.endswith(b"0\r\n\r\n"), "cut without the final chunk")
        with open(f"/proc/{self.server.process.pid}/stat") as f:
            before = sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))
        time.sleep(1)
        with open(f"/proc/{self.server.process.pid}/stat") as f:
            self.assertLess(sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13])) - before, 50, "it rests (ticks of 10 ms)")


if __name__ == "__main__":
    unittest.main()
