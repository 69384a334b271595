"""App sessions over HTTP: turns in order, numbered events, tasks, approvals, abort, on the real binary with the scripted provider.
Env OUTLAST_BIN names it."""
import http.client, itertools, json, os, signal, threading, time, types, unittest

from agentos_client import Api, Server, Stream, carrying, until

APP = """\
app: {app_id: desk, name: Desk, version: "1.0.0"}
agents:
  - id: clerk
    role: assistant
    brain: {provider: demo, model: fast}
    modules: [filesystem, shell]
  - id: other
    role: assistant
    brain: {provider: demo, model: fast}
    delegate_to: [clerk]
tools:
  modules: {filesystem: {}, shell: {}, memory: {}, agent_spawn: {}}
  capabilities:
    default_policy: auto
    max_risk_level: high
    approve: [filesystem.write, filesystem.edit]
    grant:
      - {module: shell, actions: [bash]}
      - {module: context_builder, actions: [background_run, run_parallel, ask_user]}
"""
NUMBERS = itertools.count(1)


def call(tool, /, **arguments):
    return f"call {tool} {json.dumps(arguments)}"


def background(command, **more):
    return call("background_run", name="Bash", params={"command": command}, **more)


class Session:
    """one session of the app, made by its own POST"""

    def __init__(self, api, app="desk", user="", **body):
        self.api, self.user = api, f"?user_id={user}" if user else ""
        made = api.send("POST", f"/api/apps/{app}/sessions", {**body, **({"user_id": user} if user else {})})
        assert made.status == 201, made.body
        self.id, self.seq = made.json["session_id"], made.json["seq"]
        self.path = f"/api/apps/{app}/sessions/{self.id}"

    def post(self, tail, value, raw=None):
        return self.api.ask("POST", self.path + tail + self.user, body=json.dumps(value) if raw is None else raw,
                            headers={"content-type": "application/json"})

    def get(self, tail="", **query):
        more = "&".join(f"{k}={v}" for k, v in query.items())
        return self.api.ask("GET", self.path + tail + (self.user or "?") + ("&" if self.user and more else "") + more)

    def say(self, text, **more):
        answer = self.post("/messages", {"content": text, **more})
        assert answer.status == 202, (answer.status, answer.body)
        return answer.json

    def state(self):
        return self.get("/state").json

    def idle(self, seconds=20):
        return until(lambda: (s := self.state())["status"] == "idle" and not s["queued"] and s, seconds)

    def paused(self):
        return until(lambda: (s := self.state())["status"] == "paused" and s)

    def events(self):
        """all there are, by pages"""
        found, at = [], 0
        while True:
            page = self.get("/events", **{"from": at, "limit": 37}).json
            found += page["events"]
            at = page["next"]
            if at >= page["seq"]:
                return found

    def stream(self, from_=0, last=None):
        headers = {"accept": "text/event-stream", **({} if last is None else {"last-event-id": str(last)})}
        tail = f"{self.user or '?'}{'&' if self.user else ''}from={from_}"
        return Stream(self.api.open("GET", self.path + "/events" + tail, headers=headers))

    def roles(self):
        return [(m["role"], m["content"]) for m in self.get("/history").json["messages"]]


class AppTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(types.SimpleNamespace(port=9))
        with open(cls.server.app, "w") as f:
            f.write(APP)
        cls.server.start()
        cls.api = cls.server.api

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        log = cls.server.log()
        left = carrying(cls.server.directory)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        cls.server.remove()
        for word in ("Sanitizer", "runtime error", "Assertion"):
            if word in log:
                raise AssertionError(log[-4000:])
        if left:
            raise AssertionError(f"processes were left behind: {left}")

    def assert_dense(self, events):
        self.assertEqual([e["seq"] for e in events], list(range(len(events))))


class Messages(AppTest):
    def test_the_app(self):
        app, = self.api.ask("GET", "/api/apps").json
        self.assertEqual((app["app_id"], app["name"], app["version"], [a["id"] for a in app["agents"]]), ("desk", "Desk", "1.0.0", ["clerk", "other"]))

    def test_a_turn(self):
        s = Session(self.api, name="First")
        self.assertEqual(s.seq, 0)
        sent = s.say("tokens=3")
        self.assertEqual((sent["status"], sent["correlation_id"], sent["seq"]), ("queued", sent["run_id"], 0))
        s.idle()
        self.assertEqual(s.roles(), [("user", "tokens=3"), ("assistant", "w0 w1 w2 ")])
        events = s.events()
        self.assert_dense(events)
        self.assertEqual([e["type"] for e in events], ["run_started", "model_started", "text", "text", "text", "model_completed", "content_completed", "run_completed"])
        self.assertEqual({tuple(e) for e in events}, {("type", "seq", "kind", "app_id", "session_id", "payload", "ts")})
        self.assertEqual((events[0]["payload"]["message"], events[0]["payload"]["run_id"]), ("tokens=3", sent["run_id"]))
        shown = s.get().json
        self.assertEqual((shown["name"], shown["agent"], shown["status"], shown["turns"], shown["seq"]), ("First", "clerk", "idle", 1, len(events)))
        messages = s.get("/history").json["messages"]
        self.assertEqual([m["seq"] for m in messages], [0, 5])
        self.assertEqual({m["run_id"] for m in messages}, {sent["run_id"]})
        self.assertEqual(s.say("tokens=1")["seq"], len(events), "what follows begins behind it")

    def test_a_message_is_sent_once(self):
        s = Session(self.api)
        first = s.post("/messages", {"content": "tokens=4", "client_message_id": "m1"})
        for body in ({"content": "tokens=4", "client_message_id": "m1"}, {"text": "tokens=4", "client_message_id": "m1", "attachments": []}):
            again = s.post("/messages", body)
            self.assertEqual((again.status, again.json), (202, first.json))
        for body in ({"content": "tokens=5", "client_message_id": "m1"}, {"content": "tokens=4", "mode": "plan", "client_message_id": "m1"}):
            other = s.post("/messages", body)
            self.assertEqual((other.status, "client_message_id" in other.detail), (409, True))
        s.idle()
        self.assertEqual(s.state()["turns"], 1)
        self.assertEqual(s.post("/messages", {"content": "tokens=4", "client_message_id": "m1"}).json, first.json, "also when it is over")
        elsewhere = Session(self.api)
        self.assertNotEqual(elsewhere.say("tokens=4", client_message_id="m1")["run_id"], first.json["run_id"], "an id belongs to its session")

    def test_sent_at_the_same_time_it_is_one(self):
        s, answers = Session(self.api), []
        threads = [threading.Thread(target=lambda: answers.append(s.say("tokens=2", client_message_id="x")["run_id"])) for _ in range(12)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual((len(answers), len(set(answers))), (12, 1))

    def test_messages_wait_their_turn_and_know_what_was_said(self):
        s = Session(self.api)
        runs = [s.say(f"tokens=8 rate=20\nsay answer {i}")["run_id"] for i in range(4)]
        state = s.state()
        self.assertEqual((state["status"], state["active_run"], state["queued"], state["turns"]), ("running", runs[0], 3, 1))
        s.idle()
        self.assertEqual([c for r, c in s.roles() if r == "assistant"], [f"answer {i}" for i in range(4)])
        events = s.events()
        self.assert_dense(events)
        self.assertEqual([e["payload"]["run_id"] for e in events if e["type"] == "run_started"], runs)
        self.assertEqual([r for r, _ in itertools.groupby(e["payload"]["run_id"] for e in events)], runs, "no turn begins before the one before has ended")
        inputs = [e["payload"]["usage"]["input"] for e in events if e["type"] == "model_completed"]
        self.assertEqual(inputs, sorted(set(inputs)), "each has the ones before in its conversation")
        times = [e["ts"] for e in events]
        self.assertEqual(times, sorted(times))

    def test_time_in_the_queue_is_not_the_turns(self):
        s = Session(self.api)
        s.say("tokens=20 rate=20")
        s.say("tokens=1")
        s.idle()
        last = [e["payload"] for e in s.events() if e["type"] == "run_completed"][-1]
        self.assertLess(last["duration_ms"], 800)

    def test_a_paused_turn_is_waited_for(self):
        s = Session(self.api)
        s.say(call("Write", file_path="waits.txt", content="x"))
        s.paused()
        s.say("say after it")
        time.sleep(0.6)
        self.assertEqual((s.state()["status"], s.state()["queued"]), ("paused", 1))
        s.post(f"/approvals/{s.state()['pending_approvals'][0]['call_id']}", {"approved": True})
        s.idle()
        self.assertEqual(s.roles()[-1], ("assistant", "after it"))

    def test_the_queue_has_a_bound(self):
        s = Session(self.api)
        s.say("tokens=1000 rate=5")
        codes = [s.post("/messages", {"content": "tokens=1"}).status for _ in range(100)]
        self.assertEqual(codes, [202] * 99 + [429])
        aborted = s.post("/abort", {}).json
        self.assertEqual((aborted["queue_purged"], aborted["aborted"], aborted["still_ending"]), (99, True, 0))
        self.assertEqual(s.state()["queued"], 0)

    def test_hostile_bodies(self):
        s = Session(self.api)
        for raw, field in (("{", "0"), ("[]", "0"), ("", "content"), ("{}", "content"), ('{"content":""}', "content"), ('{"content":7}', "content"),
                           ('{"content":"a","text":"b"}', "text"), ('{"content":"a","attachments":[{"url":"file:///etc/passwd"}]}', "attachments"),
                           ('{"content":"a","attachments":"x"}', "attachments"), ('{"content":"a","client_message_id":[1]}', "client_message_id"),
                           ('{"content":"a","client_message_id":"' + "x" * 129 + '"}', "client_message_id"), ('{"content":"' + "x" * (1 << 20) + 'y"}', "content"),
                           ('{"content":"a","mode":{}}', "mode"), ("[" * 5000, "0"), ('{"content":"\\ud800"}', "0"), ("content=a", "0")):
            answer = s.post("/messages", None, raw)
            self.assertEqual(answer.status, 422, raw[:60])
            self.assertEqual(answer.detail[0]["loc"], ["body", field], raw[:60])
            self.assertLess(len(answer.body), 2_000)
        self.assertEqual(s.post("/messages", None, b'{"content":"\xff"}').status, 422)
        for raw in ("[]", '{"session_id":"a\\u0007"}', '{"session_id":5}', '{"agent":"nobody"}', '{"name":[]}'):
            answer = self.api.ask("POST", "/api/apps/desk/sessions", body=raw)
            self.assertEqual(answer.status, 422, raw)
        for raw in ("{}", '{"approved":"maybe"}', '{"approved":1}'):
            self.assertEqual(s.post("/approvals/x", None, raw).status, 422, raw)
        for query in ("from=-1", "from=x", "limit=0", "from=1e9"):
            self.assertEqual(self.api.ask("GET", f"{s.path}/events?{query}").status, 422, query)
        self.assertEqual(s.get("/events", **{"from": "9" * 30}).json["events"], [])
        self.assertEqual((s.state()["turns"], s.state()["queued"]), (0, 0))

    def test_unknown_and_others(self):
        mine = Session(self.api, user="ann")
        mine.say("tokens=1")
        for path in ("/api/apps/nope/sessions/x", "/api/apps/desk/sessions/nope", mine.path, mine.path + "?user_id=bob", mine.path + "/tasks", mine.path + "/events",
                     mine.path + "/history?user_id=", mine.path + "/state?user_id=ann2", mine.path + "/approvals"):
            answer = self.api.ask("GET", path)
            self.assertEqual((answer.status, "not found" in answer.detail), (404, True), path)
        for tail in ("/messages", "/abort", "/approvals/x", "/tasks/x/cancel"):
            self.assertEqual(self.api.send("POST", mine.path + tail, {"content": "a", "approved": True}).status, 404, tail)
        self.assertEqual(self.api.ask("DELETE", mine.path).status, 404)
        self.assertEqual(mine.get("/state").status, 200)
        self.api.send("POST", "/sessions", {"session_id": "not-an-apps", "agent_id": "clerk"})
        self.assertEqual(self.api.ask("GET", "/api/apps/desk/sessions/not-an-apps").status, 404, "it is no session of the app")
        self.assertEqual(self.api.ask("PUT", mine.path).status, 405)

    def test_a_session_that_is_there(self):
        s = Session(self.api, session_id="twice", agent="other", user="ann")
        s.say("tokens=1")
        s.idle()
        again = self.api.send("POST", "/api/apps/desk/sessions", {"session_id": "twice", "agent": "other", "user_id": "ann"})
        self.assertEqual((again.status, again.json), (200, {"session_id": "twice", "seq": 6}))
        for body in ({"session_id": "twice"}, {"session_id": "twice", "user_id": "bob", "agent": "other"}, {"session_id": "twice", "user_id": "ann"}):
            self.assertEqual(self.api.send("POST", "/api/apps/desk/sessions", body).status, 409, body)

    def test_it_is_an_agentos_session_too(self):
        s = Session(self.api)
        run = s.say("tokens=2")
        s.idle()
        self.assertEqual(self.api.ask("GET", f"/sessions/{s.id}").json["agent_id"], "clerk")
        self.assertEqual(self.api.ask("GET", f"/agents/clerk/runs/{run['run_id']}?session_id={s.id}").json["status"], "COMPLETED")

    def test_deleted(self):
        s = Session(self.api)
        s.say("tokens=1000 rate=5\n")
        s.say("tokens=1")
        stream = s.stream()
        stream.take(3)
        began = time.monotonic()
        answer = self.api.ask("DELETE", s.path)
        self.assertEqual((answer.status, answer.json), (200, {"session_id": s.id, "deleted": True}))
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(s.get("/state").status, 404)
        self.assertEqual(s.post("/messages", {"content": "x"}).status, 404)
        self.assertIn("run_cancelled", [e.name for e in stream])
        fresh = Session(self.api, session_id=s.id)
        self.assertEqual(fresh.events(), [])

    def test_what_is_noted_shows_in_the_state(self):
        s = Session(self.api, agent="other")
        self.assertNotIn("memory", s.state())
        s.say(call("set_goal", goal="ship it") + "\n" + call("task_create", subject="write it down") + "\n" + call("remember", content="it is blue"))
        memory = s.idle()["memory"]
        self.assertEqual((memory["goal"], [(t["content"], t["status"]) for t in memory["todos"]], memory["noted"]), ("ship it", [("write it down", "pending")], 3))

    def test_history_by_pages(self):
        s = Session(self.api)
        for i in range(5):
            s.say(f"say n{i}")
        s.idle()
        found, at, pages = [], 0, 0
        while at is not None:
            page = s.get("/history", **{"from": at, "limit": 3}).json
            found += [m["content"] for m in page["messages"]]
            at, pages = page.get("next"), pages + 1
        self.assertEqual((found, pages), ([x for i in range(5) for x in (f"say n{i}", f"n{i}")], 3), "whole turns, each once")


class Streams(AppTest):
    def test_live_across_turns(self):
        s = Session(self.api)
        stream = s.stream()
        s.say("tokens=5 rate=40")
        first = stream.take(10)
        self.assertEqual(first[-1].name, "run_completed")
        time.sleep(0.3)
        s.say("tokens=2")
        second = stream.take(7)
        self.assertEqual(second[-1].name, "run_completed", "it goes on with the next turn")
        self.assertEqual([int(e.id) for e in first + second], list(range(17)))
        self.assertEqual([e.json for e in first + second], s.events())
        self.assertEqual([e.name for e in first + second], [e["type"] for e in s.events()])
        stream.close()

    def test_resumed_anywhere_without_gap_or_duplicate(self):
        s = Session(self.api)
        for i in range(3):
            s.say("tokens=12 rate=60")
        seen, last = [], None
        while len(seen) < 51:
            stream = s.stream(0, last)
            for event in stream.take(min(7, 51 - len(seen))):
                seen.append(event.json)
                last = event.id
            stream.close()
        self.assert_dense(seen)
        self.assertEqual(seen, s.events())
        cut = s.stream(40)
        self.assertEqual([int(e.id) for e in cut.take(5)], [40, 41, 42, 43, 44])
        cut.close()
        both = s.stream(0, 47)
        self.assertEqual([int(e.id) for e in both.take(3)], [48, 49, 50], "the header is newer than the address")
        both.close()

    def test_many_readers_see_the_same(self):
        s = Session(self.api)
        streams = [s.stream() for _ in range(20)]
        s.say("tokens=200")
        seen = []
        threads = [threading.Thread(target=lambda x=x: seen.append([e.data for e in x.take(205)])) for x in streams]
        for t in threads:
            t.start()
        for t in threads:
            t.join(30)
        self.assertEqual((len(seen), len({tuple(x) for x in seen})), (20, 1))
        for x in streams:
            x.close()

    def test_a_cursor_beyond_the_end_begins_there(self):
        s = Session(self.api)
        s.say("tokens=1")
        s.idle()
        stream = s.stream(1_000_000)
        s.say("tokens=1")
        self.assertEqual([int(e.id) for e in stream.take(2)], [6, 7])
        stream.close()


class Tasks(AppTest):
    def test_tasks_of_a_session(self):
        s, other = Session(self.api), Session(self.api)
        s.say(background("echo begun; sleep 7201"))
        s.idle()
        listed = s.get("/tasks").json
        self.assertEqual((listed["session_id"], listed["count"], listed["live"]), (s.id, 1, 1))
        task, = listed["tasks"]
        self.assertEqual((task["name"], task["status"]), ("Bash", "running"))
        for key in ("log", "result", "arguments"):
            self.assertNotIn(key, task)
        shown = until(lambda: (t := s.get(f"/tasks/{task['task_id']}").json).get("log") and t)
        self.assertEqual((shown["task_id"], shown["status"], shown["log"]), (task["task_id"], "running", "begun\n"))
        self.assertEqual(s.state()["live_tasks"], 1)
        for path in (f"/tasks/{task['task_id']}", "/tasks/nope"):
            self.assertEqual(other.get(path).status, 404, "a task of another session")
        self.assertEqual(other.post(f"/tasks/{task['task_id']}/cancel", {}).status, 404)
        self.assertEqual(s.get("/tasks/" + s.get("/history").json["messages"][0]["run_id"]).status, 404, "a turn is no task")
        cancelled = s.post(f"/tasks/{task['task_id']}/cancel", {})
        self.assertEqual((cancelled.status, cancelled.json["cancelled"], cancelled.json["status"]), (200, True, "cancelled"))
        self.assertEqual(carrying("sleep 7201"), [])
        again = s.post(f"/tasks/{task['task_id']}/cancel", {}).json
        self.assertEqual((again["cancelled"], again["hint"]), (False, "Task already completed."))
        ended = s.get(f"/tasks/{task['task_id']}").json
        self.assertEqual((ended["status"], ended["result"]["stdout"]), ("cancelled", "begun\n"))
        time.sleep(3.5)
        self.assertEqual(s.state()["turns"], 1, "whoever cancelled it knows: nobody is woken")
        s.say("say next")
        s.idle()
        self.assertTrue(any(r == "system" and "CANCELLED" in c for r, c in s.roles()), "but it is told")

    def test_another_users_task(self):
        s = Session(self.api, user="ann")
        s.say(background("sleep 7202"))
        s.idle()
        task = s.get("/tasks").json["tasks"][0]["task_id"]
        for query in ("", "?user_id=bob"):
            self.assertEqual(self.api.ask("GET", f"{s.path}/tasks/{task}{query}").status, 404)
            self.assertEqual(self.api.send("POST", f"{s.path}/tasks/{task}/cancel{query}", {}).status, 404)
        self.assertNotEqual(carrying("sleep 7202"), [])
        self.assertTrue(self.api.ask("DELETE", s.path + s.user).json["deleted"])
        until(lambda: not carrying("sleep 7202"), 4)


class Aborts(AppTest):
    def test_everything_under_way_ends(self):
        """turn, queue, tasks, with what escaped into a session of its own; the session lives on"""
        s = Session(self.api)
        s.say(background("setsid sh -c 'trap \"\" TERM; sleep 7301; sleep 7301' & sleep 7301"))
        s.idle()
        s.say(call("Bash", command="echo started > a; setsid sleep 7302 & sleep 7302; echo finished > b"))
        queued = [s.say(f"say purged {i}")["run_id"] for i in range(2)]
        until(lambda: len(carrying("sleep 7302")) >= 2 and len(carrying("sleep 7301")) >= 2)
        began = time.monotonic()
        answer = s.post("/abort", {})
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(carrying("sleep 7301") + carrying("sleep 7302"), [], "gone when it is answered")
        body = answer.json
        self.assertEqual({k: body[k] for k in ("session_id", "was_active", "aborted", "task_cancelled", "bg_tasks_cleaned", "agents_cleaned", "approvals_cancelled",
                                               "queue_purged", "still_ending", "interrupted", "stopped")},
                         {"session_id": s.id, "was_active": True, "aborted": True, "task_cancelled": True, "bg_tasks_cleaned": 1, "agents_cleaned": 0,
                          "approvals_cancelled": 0, "queue_purged": 2, "still_ending": 0, "interrupted": True,
                          "stopped": {"turn": True, "agents": 0, "background": 1}})
        self.assertEqual(body["seq"], s.state()["seq"])
        self.assertFalse(os.path.exists(os.path.join(self.server.work, "b")))
        self.assertEqual([e["payload"]["run_id"] for e in s.events() if e["type"] == "run_cancelled"][-2:], queued)
        self.assert_dense(s.events())
        time.sleep(3)
        self.assertEqual(s.state()["status"], "idle", "nobody is woken to be told of it")
        s.say("say and on")
        s.idle()
        self.assertEqual(s.roles()[-1], ("assistant", "and on"))
        self.assertFalse([c for _, c in s.roles() if "purged" in c], "what was purged was never said")

    def test_specialists_end_too(self):
        """one that the turn waits for, one that goes on by itself, with the commands that they run"""
        s = Session(self.api, agent="other")
        work = lambda n: {"specialist": "clerk", "prompt": call("Bash", command=f"setsid sleep {n} & sleep {n}")}
        s.say(call("Agent", **work(7303), wait=False))
        s.idle()
        s.say(call("Agent", **work(7304)))
        until(lambda: len(carrying("sleep 7303")) >= 2 and len(carrying("sleep 7304")) >= 2)
        body = s.post("/abort", {}).json
        self.assertEqual((body["agents_cleaned"], body["stopped"], body["aborted"]), (2, {"turn": True, "agents": 2, "background": 0}, True))
        self.assertEqual(carrying("sleep 7303") + carrying("sleep 7304"), [])

    def test_nothing_under_way(self):
        s = Session(self.api)
        body = s.post("/abort", {}).json
        self.assertEqual((body["was_active"], body["task_cancelled"], body["queue_purged"], body["aborted"], body["seq"]), (False, False, 0, True, 0))

    def test_waiting_approvals_are_cancelled(self):
        s = Session(self.api)
        s.say("parallel Write " + json.dumps({"file_path": "p1", "content": "x"}) + " | Write " + json.dumps({"file_path": "p2", "content": "x"}))
        waiting = s.paused()["pending_approvals"]
        self.assertEqual(len(waiting), 2)
        body = s.post("/abort", {}).json
        self.assertEqual((body["approvals_cancelled"], body["task_cancelled"]), (2, True))
        self.assertEqual((s.state()["status"], s.state()["pending_approvals"]), ("idle", []))
        late = s.post(f"/approvals/{waiting[0]['call_id']}", {"approved": True})
        self.assertEqual(late.status, 404)
        self.assertEqual([n for n in os.listdir(self.server.work) if n in ("p1", "p2")], [])


class Approvals(AppTest):
    def write(self, *names):
        return "parallel " + " | ".join("Write " + json.dumps({"file_path": n, "content": n}) for n in names)

    def written(self, *names):
        return [n for n in names if os.path.exists(os.path.join(self.server.work, n))]

    def test_one_call_at_a_time(self):
        s = Session(self.api)
        run = s.say(self.write("a1", "a2"))["run_id"]
        first, second = s.paused()["pending_approvals"]
        self.assertEqual((first["run_id"], first["tool"], first["arguments"], first["reason"]), (run, "Write", {"file_path": "a1", "content": "a1"}, "run.paused.approval"))
        half = s.post(f"/approvals/{first['call_id']}", {"approved": True})
        self.assertEqual((half.status, half.json["status"], half.json["waiting"]), (200, "recorded", 1))
        self.assertEqual(s.post(f"/approvals/{first['call_id']}", {"approved": True}).json, half.json, "said again")
        self.assertEqual(s.post(f"/approvals/{first['call_id']}", {"approved": False}).status, 409)
        self.assertEqual(s.get("/approvals").json["approvals"][0]["decided"], {"approved": True, "note": ""})
        self.server.kill()
        self.server.start()
        self.assertEqual((s.state()["status"], self.written("a1", "a2")), ("paused", []), "asked together, done together")
        whole = s.post(f"/approvals/{second['call_id']}", {"approved": False, "note": "not this one"})
        self.assertEqual((whole.json["status"], whole.json["waiting"]), ("continued", 0))
        s.idle()
        self.assertEqual(self.written("a1", "a2"), ["a1"])
        self.assertIn(("tool", "not this one"), s.roles())
        self.assertEqual(s.post(f"/approvals/{second['call_id']}", {"approved": False, "note": "not this one"}).json, whole.json, "also when it goes on")
        self.assertEqual(s.post(f"/approvals/{second['call_id']}", {"approved": True}).status, 409)
        self.assertEqual(s.post("/approvals/nope", {"approved": True}).status, 404)
        self.assert_dense(s.events())

    def test_the_run_stands_for_all_its_calls(self):
        s = Session(self.api)
        run = s.say(self.write("b1", "b2"))["run_id"]
        s.paused()
        self.assertEqual(s.post(f"/approvals/{run}", {"approved": True}).json["status"], "continued")
        s.idle()
        self.assertEqual(self.written("b1", "b2"), ["b1", "b2"])

    def test_a_question_is_answered(self):
        s = Session(self.api, agent="other")
        s.say(call("ask_user", question="Which colour?", choices=["red", "blue"]))
        one, = s.paused()["pending_approvals"]
        self.assertEqual((one["tool"], one["question"], one["choices"], one["reason"]), ("ask_user", "Which colour?", ["red", "blue"], "run.paused.input"))
        for path in (one["call_id"], one["run_id"]):
            refused = s.post(f"/approvals/{path}", {"approved": True})
            self.assertEqual((refused.status, refused.detail[0]["loc"]), (422, ["body", "answer"]))
        self.assertEqual(s.post(f"/approvals/{one['call_id']}", {"answer": "blue"}).json["status"], "continued")
        s.idle()
        self.assertIn(("tool", '{"answer":"blue"}'), s.roles())

    def test_every_door_decides_the_same(self):
        """a half decision over one, the rest over AgentOS; another's half is kept"""
        s = Session(self.api)
        run = s.say(self.write("c1", "c2"))["run_id"]
        first, second = s.paused()["pending_approvals"]
        s.post(f"/approvals/{first['call_id']}", {"approved": False})
        both = lambda confirmed: json.dumps([{"tool_call_id": c["call_id"], "confirmed": confirmed(c)} for c in (first, second)])
        form = lambda tools: {"session_id": s.id, "stream": "false", "background": "true", "tools": tools}
        path = f"/agents/clerk/runs/{run}/continue"
        self.assertEqual(self.api.ask("POST", path, form(both(lambda c: True))).status, 409)
        self.assertEqual(self.api.ask("POST", path, form(both(lambda c: c is second))).status, 202)
        s.idle()
        self.assertEqual(self.written("c1", "c2"), ["c2"])

    def test_decided_at_once_by_many_it_is_made_once(self):
        s, answers = Session(self.api), []
        s.say(self.write("d1"))
        one, = s.paused()["pending_approvals"]
        threads = [threading.Thread(target=lambda: answers.append(s.post(f"/approvals/{one['call_id']}", {"approved": True}).status)) for _ in range(10)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(answers, [200] * 10)
        s.idle()
        self.assertEqual(len([e for e in s.events() if e["type"] == "run_continued"]), 1)


class Crashes(AppTest):
    def test_killed_between_the_answer_and_the_end(self):
        """queue, numbers and streams go on where they were; nothing runs twice"""
        s = Session(self.api)
        first = s.say("tokens=60 rate=30\n" + call("Bash", command="echo once >> trace"))
        rest = [s.say(f"tokens=10 rate=40\nsay reply {i}", client_message_id=f"c{i}") for i in range(3)]
        stream = s.stream()
        before = stream.take(12)
        self.server.kill()
        stream.close()
        self.server.start()
        self.assertEqual(s.post("/messages", {"content": "tokens=10 rate=40\nsay reply 0", "client_message_id": "c0"}).json["run_id"], rest[0]["run_id"])
        after, last = [e.json for e in before], before[-1].id
        stream = s.stream(0, last)
        for event in stream:
            after.append(event.json)
            if event.name == "run_completed" and event.json["payload"]["run_id"] == rest[-1]["run_id"]:
                break
        stream.close()
        self.assert_dense(after)
        self.assertEqual(after, s.events(), "what was shown before the crash is what is there now")
        self.assertEqual([r for r, _ in itertools.groupby(e["payload"]["run_id"] for e in after)], [first["run_id"]] + [r["run_id"] for r in rest])
        self.assertEqual([c for r, c in s.roles() if r == "assistant"][-3:], [f"reply {i}" for i in range(3)])
        with open(os.path.join(self.server.work, "trace")) as f:
            self.assertEqual(f.read(), "once\n")

    def test_killed_again_and_again_the_order_holds(self):
        s = Session(self.api)
        runs = [s.say(f"tokens=6 rate=30\nsay r{i}")["run_id"] for i in range(6)]
        for pause in (0.05, 0.3, 0.6):
            time.sleep(pause)
            self.server.kill()
            self.server.start()
        s.idle(30)
        events = s.events()
        self.assert_dense(events)
        self.assertEqual([r for r, _ in itertools.groupby(e["payload"]["run_id"] for e in events)], runs)
        self.assertEqual([c for r, c in s.roles() if r == "assistant"], [f"r{i}" for i in range(6)])

    def test_an_abort_binds_though_the_server_dies(self):
        """killed right after it is durable: nobody was answered, nothing was ended yet"""
        self.server.stop()
        self.server.environment["OUTLAST_FAILPOINT"] = "cancel.after_commit"
        try:
            self.server.start()
        finally:
            del self.server.environment["OUTLAST_FAILPOINT"]
        s = Session(self.api)
        s.say("tokens=1000 rate=5")
        s.say("say never")
        with self.assertRaises((OSError, http.client.HTTPException)):
            s.post("/abort", {})
        self.assertEqual(self.server.process.wait(10), -signal.SIGKILL)
        self.server.start()
        s.idle()
        self.assertEqual([e["type"] for e in s.events() if e["type"] == "run_cancelled"], ["run_cancelled"] * 2)
        self.assertFalse([c for _, c in s.roles() if "never" in c])


class Doors(unittest.TestCase):
    def test_a_key_is_asked_for_and_an_event_source_may_send_it_its_own_way(self):
        server = Server(types.SimpleNamespace(port=9), {"OS_SECURITY_KEY": "sekret"})
        try:
            with open(server.app, "w") as f:
                f.write(APP)
            server.start()
            with_key = Api(server.port, headers={"authorization": "Bearer sekret"})
            s = Session(with_key)
            s.say("tokens=1")
            s.idle()
            for tail in ("", "/state", "/events", "/history", "/tasks", "/state?access_token=sekret"):
                self.assertEqual(server.api.ask("GET", s.path + tail).status, 401, tail)
            self.assertEqual(server.api.send("POST", s.path + "/messages?access_token=sekret", {"content": "x"}).status, 401)
            stream = Stream(server.api.open("GET", s.path + "/events?access_token=sekret", headers={"accept": "text/event-stream"}))
            self.assertEqual(len(stream.take(6)), 6)
            stream.close()
        finally:
            server.remove()

    def test_a_foreign_page_changes_nothing(self):
        server = Server(types.SimpleNamespace(port=9))
        try:
            with open(server.app, "w") as f:
                f.write(APP)
            server.start()
            s = Session(server.api)
            self.assertEqual(server.api.send("POST", s.path + "/messages", {"content": "x"}).status, 202)
            answer = server.api.ask("POST", s.path + "/messages", body='{"content":"x"}', headers={"origin": "https://evil.example", "content-type": "text/plain"})
            self.assertEqual(answer.status, 403)
            self.assertEqual(server.api.ask("GET", s.path, headers={"host": "evil.example:80"}).status, 403)
        finally:
            server.remove()


if __name__ == "__main__":
    unittest.main()
