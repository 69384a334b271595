"""A client that outlives servers: it launches, follows, cancels and decides, keeps every byte that it was shown with the time,
and retries what was not acknowledged. What contradicts a promise on the way is a Violation at its next step."""
import http.client, json, subprocess, threading, time

from world import BINARY, META, WAIT_S, Died, Stream, Violation, expect, until

ENDED = ("COMPLETED", "ERROR", "CANCELLED")
LAST = ("RunCompleted", "RunError")
MODES = {"bg_stream": (True, True), "bg_poll": (True, False), "fg_stream": (False, True), "fg_wait": (False, False)}


class Run:
    """One run as its client knows it."""

    def __init__(self, key, message, agent, mode, session=None):
        self.key, self.message, self.agent, self.mode, self.session = key, f"TAG={key};\n{message}", agent, mode, session or key
        self.run_id, self.cancelled, self.ended = None, False, None
        self.shown, self.shown_at = {}, {}  # index -> (name, bytes); index -> when it was first shown
        self.lines = {}                     # the same of `outlast logs --json`
        self.tails = []

    def names(self):
        return [self.shown[i][0] for i in sorted(self.shown)]

    def last(self):
        return max(self.shown, default=None)

    def finished(self):
        return bool(self.shown) and self.shown[self.last()][0] in LAST and "RunPaused" != self.shown[self.last()][0]

    def __repr__(self):
        return f"run {self.run_id} ({self.key})"


class Tail(threading.Thread):
    """Reads one stream to its end or its cut."""

    def __init__(self, client, run, stream, first=None):
        super().__init__(daemon=True)
        self.client, self.run_, self.stream, self.next, self.last_at = client, run, stream, first, time.monotonic()
        run.tails.append(self)
        self.start()

    def run(self):
        try:
            for event in self.stream:
                if event.name not in META:
                    self.see(event)
        except Violation as violation:
            self.client.faults.append(violation)

    def see(self, event):
        run, index = self.run_, event.index
        with self.client.lock:
            expect(self.next in (None, index), "P3", run, "a stream went on with", index, "instead of", self.next)
            self.next, self.last_at = index + 1, time.monotonic()
            self.client.told_id(run, event.json["run_id"])
            if index not in run.shown:
                run.shown_at[index] = time.monotonic()
            known = run.shown.setdefault(index, (event.name, event.data))
            expect(known == (event.name, event.data), "P2", run, "event", index, "was", known, "and is now", (event.name, event.data))


class LogTail(threading.Thread):
    """`outlast logs -f --json`, line by line. It needs no server, and sees to it that the run ends."""

    def __init__(self, client, run):
        super().__init__(daemon=True)
        self.client, self.run_ = client, run
        world = client.world
        self.process = subprocess.Popen([BINARY, "logs", "-f", run.run_id, "--json"], env=world.environment, cwd=world.work, text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.start()

    def run(self):
        with self.process.stdout:
            for line in self.process.stdout:
                if not line.endswith("\n"):
                    return
                with self.client.lock:
                    self.run_.lines[json.loads(line)["event_index"]] = line

    def stop(self):
        self.process.kill()
        self.process.wait(WAIT_S)
        self.join(WAIT_S)


class Client:
    def __init__(self, world):
        self.world, self.runs, self.faults, self.lock = world, {}, [], threading.RLock()
        self.armed = None  # the process whose death ends this life
        self.handovers = 0  # how often a server was asked to stop
        self.deaths = []    # when a life was found to have ended: wall clock in ms

    # --- the state of the world

    def dead(self):
        return self.armed is not None and self.armed.poll() is not None

    def died(self):
        self.deaths.append(time.time() * 1000)

    def alive(self):
        if self.faults:
            raise self.faults[0]
        if self.dead():
            raise Died

    def call(self, request, server=None):
        """request(api); a connection that breaks is the armed process' death, or a violation"""
        self.alive()
        living = self.world.living()
        if not living:
            raise Died
        try:
            return request((server or living[0]).api)
        except (OSError, http.client.HTTPException) as broken:
            if until(self.dead, 4):
                raise Died from broken
            raise Violation(f"P9: a connection broke though its server lives: {broken!r}") from broken

    def wait(self, found, promise, *facts, seconds=WAIT_S):
        end = time.monotonic() + seconds
        while not (value := found()):
            self.alive()
            expect(time.monotonic() < end, promise, *facts, "- not within", seconds, "s")
            time.sleep(0.005)
        return value

    def told_id(self, run, run_id):
        expect(run.run_id in (None, run_id), "P1", run, "launched again with its key is", run_id)
        run.run_id = run_id

    # --- what a client does; all of it may be repeated

    def launch(self, key, message, agent="main", mode="bg_stream", server=None, session=None):
        run = self.runs.setdefault(key, Run(key, message, agent, mode, session))
        background, stream = MODES[mode]
        form = {"message": run.message, "session_id": run.session, "background": str(background).lower(), "stream": str(stream).lower()}
        headers = {"Idempotency-Key": f"key-{key}"}
        if mode == "fg_wait":
            return self.launch_and_wait(run, form, headers, server)
        response = self.call(lambda api: api.open("POST", api.runs(agent=agent), form, headers=headers), server)
        if stream:
            expect(response.status == 200, "P1", run, "was refused:", response.status)
            tail = Tail(self, run, Stream(response))
            self.wait(lambda: run.run_id or not tail.is_alive(), "P1", run, "showed no first event")
            if not run.run_id:
                self.cut("a new stream ended before its first event")
            return run
        body = self.call(lambda _: response.read())
        response.connection.close()
        expect(response.status == 202, "P1", run, "was refused:", response.status, body)
        self.told_id(run, json.loads(body)["run_id"])
        return run

    def launch_and_wait(self, run, form, headers, server):
        answers = []

        def ask():
            try:
                answers.append(self.call(lambda api: api.ask("POST", api.runs(agent=run.agent), form, headers=headers), server))
            except (Died, Violation) as broken:
                answers.append(broken)

        threading.Thread(target=ask, daemon=True).start()
        answer = self.wait(lambda: answers, "P5", run, "was not answered")[0]
        if isinstance(answer, Exception):
            raise answer
        expect(answer.status == 200, "P1", run, "was refused:", answer.status, answer.body)
        self.told_id(run, answer.json["run_id"])
        self.see_status(run, answer.json["status"])
        return run

    def cut(self, what):
        """a stream was cut: by the death that this life waits for, or by nothing that is allowed to"""
        if until(self.dead, 4):
            raise Died
        raise Violation(f"P9: {what} though its server lives")

    def follow(self, run, server=None):
        """the run's stream from where this client is, in a thread"""
        last = run.last()
        form = {"session_id": run.session}
        stream = self.call(lambda api: api.resume(run.run_id, last, agent=run.agent, **form), server)
        expect(stream.response.status == 200, "P10", run, "cannot be followed:", stream.response.status)
        return Tail(self, run, stream, 0 if last is None else last + 1)

    def see_status(self, run, status):
        expect(run.ended in (None, status), "P4", run, "was", run.ended, "and is now", status)
        if status in ENDED:
            run.ended = status

    def status(self, run, wait=0, server=None):
        answer = self.call(lambda api: api.get(run.run_id, run.session, run.agent, f"&wait={wait}"), server)
        expect(answer.status == 200, "P1", run, "is not known any more:", answer.status, answer.body)
        self.see_status(run, answer.json["status"])
        return answer.json

    def settle(self, run, also=()):
        """the run once it has ended"""
        end = time.monotonic() + WAIT_S
        while (body := self.status(run, wait=1))["status"] not in (*ENDED, *also):
            expect(time.monotonic() < end, "P5", run, "is still", body["status"], "after", WAIT_S, "s")
        return body

    def until_shown(self, run, name, count=1):
        """until the event is shown that often, or the run is over"""
        self.wait(lambda: run.names().count(name) >= count or run.finished() or not any(t.is_alive() for t in run.tails), "P5", run, "showed no", name)
        if run.names().count(name) < count and not run.finished():
            self.cut("a stream ended in the middle of its run")

    def cancel(self, run, server=None):
        if run.cancelled:
            return
        answer = self.call(lambda api: api.cancel(run.run_id, f"?session_id={run.session}", run.agent), server)
        expect(answer.status == 200, "P4", run, "cannot be cancelled:", answer.status, answer.body)
        if answer.json["cancel"] == "already_finished":
            expect(answer.json["status"] in ENDED, "P4", run, "is said to have ended:", answer.body)
        else:
            run.cancelled = True

    def decide(self, run, confirmed):
        """answers the run's first pause: `confirmed` by call, in order"""
        paused = next(json.loads(data) for name, data in (run.shown[i] for i in sorted(run.shown)) if name == "RunPaused")
        decisions = [{"tool_call_id": tool["tool_call_id"], "confirmed": yes} for tool, yes in zip(paused["tools"], confirmed)]
        response = self.call(lambda api: api.continues(run.run_id, run.session, decisions, run.agent, stream="true", background="true"))
        expect(response.status == 200, "P4", run, "refuses the decision:", response.status)
        return Tail(self, run, Stream(response))
