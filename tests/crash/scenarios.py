"""The phases of a run's life, each as a script that a client may begin again from its first line: what was acknowledged is not
asked for twice, what was not is retried with the same key. A scenario is played by an armed process until it dies, then by others."""
import json, os, signal, time

from client import ENDED, Client, LogTail, Run
from promises import ByCommand, Verified, nothing_left, one_run_per_key, words
from world import WAIT_S, Died, Executor, expect, until

EDITED = 6  # files that the tools edit: "|" becomes "x|", once


def edit(n):
    return "Edit " + json.dumps({"file_path": f"t{n}.txt", "old_string": "|", "new_string": "x|"})


def bash(n, more="sleep 0.15"):
    return "Bash " + json.dumps({"command": f"echo x >> t{n}.txt; {more}", "description": "leaves one trace"})


TOOLS = "PAR {} | {} | {} | {}\nCALL {}\nN=5 D=0.01"


def edits():
    write, read = 'Write {"file_path":"w.txt","content":"w"}', 'Read {"file_path":"t5.txt"}'
    return TOOLS.format(edit(0), edit(1), write, read, edit(2))


class Scenario:
    name, server_words, calls_shell, statuses = "", (), False, ("COMPLETED",)
    places = None    # what ends a life here; None: every failpoint
    goes_on = False  # there is a next life also where the failpoint is not reached

    def __init__(self, world, variant):
        self.world, self.variant, self.client, self.progress_ms = world, variant, Client(world), None
        for n in range(EDITED):
            with open(os.path.join(world.work, f"t{n}.txt"), "w") as f:
                f.write("|")

    # --- what a phase is

    def script(self, c):
        raise NotImplementedError

    def verify(self, c):
        raise NotImplementedError

    # --- how it is played

    def play(self, failpoint):
        """whether the armed process died there; a broken promise is a Violation"""
        killed = self.first_life(failpoint)
        if killed or self.goes_on:
            self.next_life()
            self.verify(self.client)
            nothing_left(self.client)
        return killed

    def first_life(self, failpoint):
        return self.life_of(self.world.serve(failpoint, self.server_words))

    def life_of(self, server):
        """plays the script against an armed server; whether it was killed"""
        c = self.client
        c.armed = server
        try:
            if server.ready():
                self.script(c)
                until(c.dead, 0.3)  # what is done after the end: files, sealing
                self.verify(c)      # nothing is interrupted where nothing died
                server.stop()
        except Died:
            pass
        return self.died(server)

    def died(self, server):
        c = self.client
        for run in c.runs.values():
            for tail in run.tails:
                if not c.world.living():
                    tail.join(WAIT_S)
        if c.faults:
            raise c.faults[0]
        c.armed = None
        killed = server.poll() == -signal.SIGKILL
        if killed:
            c.died()
        return killed

    def next_life(self):
        started = [self.world.serve(None, self.server_words) for _ in range(1 + self.variant % 2)]
        for server in started:
            server.ready()
        self.script(self.client)
        self.client.alive()


class OwnerDies(Scenario):
    calls_shell = True

    def first_life(self, failpoint):
        """at a place of its own it is the command's owner that dies: its server lives on and says so"""
        if not failpoint.startswith("shim."):
            return super().first_life(failpoint)
        self.statuses = (*self.statuses, "ERROR")
        self.world.serve(failpoint).ready()
        self.script(self.client)
        self.client.deaths.append(time.time() * 1000)  # a shim's, since the calls began
        return any("ToolCallStarted" in run.names() for run in self.client.runs.values())


class Launch(Scenario):
    def script(self, c):
        run = c.launch("a", "N=4 D=0.01", mode=self.mode)
        if self.mode == "bg_poll":
            c.follow(run)
        c.settle(run)

    def verify(self, c):
        Verified(c, c.runs["a"], self.statuses, words(4))
        one_run_per_key(c, "a")


class LaunchBackgroundStream(Launch):
    name, mode = "launch background stream", "bg_stream"


class LaunchBackgroundPoll(Launch):
    name, mode = "launch background", "bg_poll"


class LaunchForegroundStream(Launch):
    name, mode = "launch stream", "fg_stream"


class LaunchForegroundWait(Launch):
    name, mode = "launch and wait", "fg_wait"


class Streaming(Scenario):
    name, tokens = "model streams", 40

    def script(self, c):
        run = c.launch("s", f"N={self.tokens} D=0.008")
        c.follow(run)
        c.settle(run)

    def verify(self, c):
        Verified(c, c.runs["s"], self.statuses, words(self.tokens))


class Crowd(Scenario):
    """Many runs share each commit."""
    name, runs = "many runs", 6

    def script(self, c):
        runs = [c.launch(f"n{n}", "N=20 D=0.008", mode="bg_stream" if n % 2 else "bg_poll") for n in range(self.runs)]
        for run in runs:
            c.follow(run)
        for run in runs:
            c.settle(run)

    def verify(self, c):
        for run in c.runs.values():
            Verified(c, run, self.statuses, words(20))


class Tools(Scenario):
    name, message, agent = "tools run", staticmethod(edits), "main"

    def script(self, c):
        c.settle(c.launch("t", self.message(), self.agent))

    def verify(self, c):
        Verified(c, c.runs["t"], self.statuses, words(5))


class Shell(OwnerDies, Tools):
    name, agent = "commands run", "shell"

    @staticmethod
    def message():
        return f"PAR {bash(0)} | {bash(1)}\nCALL {bash(2)}\nN=5 D=0.01"


class Approval(Scenario):
    name = "approval"

    def script(self, c):
        run = c.launch("p", f"PAR {edit(0)} | {edit(1)}\nN=5 D=0.01", "gated")
        c.until_shown(run, "RunPaused")
        c.decide(run, (True, False))
        c.settle(run)

    def verify(self, c):
        log = Verified(c, c.runs["p"], self.statuses, words(5))
        expect(log.names().count("RunPaused") == log.names().count("RunContinued") == 1, "P4", "decided", log.names())
        with open(os.path.join(self.world.work, "t1.txt")) as f:
            expect(f.read() == "|", "P6", "a rejected call was made")


class CancelPending(Scenario):
    name, server_words = "cancel pending", ("--max-concurrent-runs", "1")

    def script(self, c):
        holder = c.launch("h", "STALL=2 N=4")
        c.until_shown(holder, "RunContent")
        waiting = c.launch("w", "N=3", mode="bg_poll")
        c.cancel(waiting)
        c.cancel(holder)
        c.settle(waiting)
        c.settle(holder)

    def verify(self, c):
        Verified(c, c.runs["h"], ("CANCELLED",), words(4))
        Verified(c, c.runs["w"], ("CANCELLED", "COMPLETED"), words(3))


class CancelStreaming(Scenario):
    name = "cancel streaming"

    def script(self, c):
        run = c.launch("c", "N=3000 D=0.005")
        c.until_shown(run, "RunContent", 5)
        c.cancel(run)
        c.settle(run)

    def verify(self, c):
        Verified(c, c.runs["c"], ("CANCELLED",), words(3000))


class CancelTool(Scenario):
    name, agent, statuses = "cancel in tools", "main", ("CANCELLED", "COMPLETED")

    def __init__(self, world, variant):
        super().__init__(world, variant)
        for n in range(20):
            with open(os.path.join(world.work, f"big{n}.txt"), "w") as f:
                f.write("nothing to be found here, line by line\n" * 2000)

    def message(self):
        return "PAR " + " | ".join(['Grep {"pattern":"[a-z]+ zebra$"}'] * 16) + "\nN=3"

    def script(self, c):
        run = c.launch("g", self.message(), self.agent)
        c.until_shown(run, "ToolCallStarted")
        c.cancel(run)
        c.settle(run)

    def verify(self, c):
        Verified(c, c.runs["g"], self.statuses, words(3))


class CancelCommand(Shell):
    name, statuses = "cancel in commands", ("CANCELLED",)
    script, verify = CancelTool.script, CancelTool.verify

    @staticmethod
    def message():
        return f"PAR {bash(0, 'sleep 60')} | {bash(1, 'setsid sleep 60 & sleep 60')}\nN=3"


class End(Scenario):
    name = "end and sealing"

    def script(self, c):
        c.settle(c.launch("e", "N=60 D=0.003"))

    def verify(self, c):
        Verified(c, c.runs["e"], self.statuses, words(60))


class Drain(Scenario):
    """SIGTERM: the step under way may finish, the rest is handed over. Or twice: at once."""
    name, signals, shown, goes_on = "drain", 1, "ToolCallStarted", True

    def script(self, c):
        run = c.launch("d", self.message())
        c.settle(run)

    def message(self):
        return "\n".join(['CALL Read {"file_path":"t0.txt"}'] * 12 + ["N=5 D=0.01"])

    def first_life(self, failpoint):
        c, server = self.client, self.world.serve(failpoint)
        c.armed = server
        heir = self.world.serve() if self.variant % 2 else None
        try:
            if server.ready() and (not heir or heir.ready()):
                run = c.launch("d", self.message(), server=server)
                c.until_shown(run, self.shown, 2)
                c.handovers = 1
                for _ in range(self.signals):
                    server.process.send_signal(signal.SIGTERM)
                    time.sleep(0.03)
        except Died:
            pass
        expect(until(c.dead, WAIT_S), "P9", "a server did not stop")
        return self.died(server)

    def next_life(self):
        if not self.world.living():
            return super().next_life()
        self.script(self.client)

    def verify(self, c):
        Verified(c, c.runs["d"], self.statuses, words(5))


class DrainNow(Drain):
    name, signals, shown = "drain at once", 2, "RunContent"

    def message(self):
        return "N=60 D=0.01"

    def verify(self, c):
        Verified(c, c.runs["d"], self.statuses, words(60))


class Recovery(Scenario):
    """The server was killed with a run in a stream, one in its tools, one that waits for a person and one with a cancel that was
    acknowledged; its successor dies of the failpoint while it recovers."""
    name = "recovery"

    def script(self, c):
        s, t = c.launch("s", "N=50 D=0.01"), c.launch("t", edits())
        p = c.launch("p", f"PAR {edit(3)} | {edit(4)}\nN=4", "gated")
        k = c.launch("k", "STALL=2 N=4")
        c.until_shown(k, "RunContent")
        c.until_shown(p, "RunPaused")
        c.cancel(k)
        if self.client.deaths:
            c.decide(p, (True, False))
            for run in (p, s, t, k):
                c.settle(run)

    def first_life(self, failpoint):
        server = self.world.serve()
        server.ready()
        self.script(self.client)
        server.kill()
        self.client.died()
        for run in self.client.runs.values():
            for tail in run.tails:
                tail.join(WAIT_S)
        return super().first_life(failpoint)

    def verify(self, c):
        Verified(c, c.runs["s"], self.statuses, words(50))
        Verified(c, c.runs["t"], self.statuses, words(5))
        Verified(c, c.runs["p"], self.statuses, words(4))
        Verified(c, c.runs["k"], ("CANCELLED",), words(4))


class TwoServers(Scenario):
    """Two servers on one home. The one that executes dies, and a stream of the other goes on as if nothing had been."""
    name, tokens = "two servers", 60

    def script(self, c):
        executing = self.world.servers[0]
        run = c.launch("m", f"N={self.tokens} D=0.008", server=executing if executing.poll() is None else None)
        if not self.client.deaths:
            self.other = c.follow(run, self.world.servers[1])
        c.settle(run)

    def first_life(self, failpoint):
        self.other = None
        armed, other = self.world.serve(failpoint), self.world.serve()
        other.ready()
        return self.life_of(armed)

    def next_life(self):
        died = time.monotonic()
        self.script(self.client)
        if self.other:
            self.other.join(WAIT_S)
            self.client.alive()
            expect(not self.other.is_alive() and self.other.stream.complete, "P10", "the stream of the other server did not go on to the end")
            self.measure(died)

    def measure(self, died):
        """from the death to the first event that only the new executor can have made"""
        run = self.client.runs["m"]
        for index in sorted(run.shown):
            if run.shown[index][0] == "RunContentSuperseded":
                self.progress_ms = max(0, round((run.shown_at[index] - died) * 1000))

    def verify(self, c):
        Verified(c, c.runs["m"], self.statuses, words(self.tokens))


class Stopped(Scenario):
    """The executing server is stopped in the middle of a model's silence for longer than its lease, and goes on when another one
    has the run: what it then wants to append is refused. (Stopped within a commit it would hold the home's write lock.)"""
    name, places = "stopped server", ("SIGSTOP",)

    def play(self, failpoint):
        c, stopped, heir = self.client, self.world.serve(), self.world.serve()
        stopped.ready()
        heir.ready()
        run = c.launch("z", "STALL=5 N=30 D=0.02", server=stopped)
        c.until_shown(run, "RunContent", 5)
        stopped.process.send_signal(signal.SIGSTOP)
        c.handovers = 1
        try:
            c.follow(run, heir)
            c.until_shown(run, "RunContent", 10)
        finally:
            stopped.process.send_signal(signal.SIGCONT)
        self.world.model.release()
        Verified(c, run, self.statuses, words(30))
        nothing_left(c)
        return True


class CancelElsewhere(Scenario):
    """The server that is asked for the cancel is not the one that executes, and dies of it. A cancel that is bound ends the run,
    whether its caller heard of it or not."""
    name = "cancel by another server"

    def script(self, c):
        run = c.launch("x", "STALL=2 N=4", server=self.world.servers[0])
        c.until_shown(run, "RunContent")
        if c.deaths:
            self.bound(c, run)
        c.cancel(run, self.world.servers[1] if not c.deaths else None)
        c.settle(run)

    def bound(self, c, run):
        shown = json.loads(self.world.command("show", run.run_id, "--json").stdout)
        if shown["cancel_requested"]:
            ended = until(lambda: c.status(run)["status"] == "CANCELLED", 5)
            expect(ended, "P5", run, "has a cancel that is bound, and goes on")

    def first_life(self, failpoint):
        self.world.serve().ready()
        return self.life_of(self.world.serve(failpoint))

    def next_life(self):
        self.script(self.client)

    def verify(self, c):
        Verified(c, c.runs["x"], ("CANCELLED",), words(4))


class Command(Scenario):
    """`outlast agent --background`: the command and its detached executor are armed. Then somebody goes on with the run:
    `outlast resume --all`, a server, or whoever merely follows it."""
    name, tokens = "detached executor", 20

    def message(self):
        return edits().replace("N=5", f"N={self.tokens}")

    def start(self, failpoint):
        """the run, or nothing when the command died before it told its id"""
        run = Run("cli", self.message(), "command", "command")
        words_ = ("agent", "openai/scripted", run.message, "--background", "--json", "--yolo", "--cwd", self.world.work)
        result = self.world.command(*words_, failpoint=failpoint)
        if result.returncode == -signal.SIGKILL:
            return None
        expect(result.returncode == 0, "P1", "the command failed:", result.returncode, result.stderr)
        told = json.loads(result.stdout)
        run.run_id = told["run_id"]
        self.client.runs["cli"] = run
        return Executor(told["pid"])

    def first_life(self, failpoint):
        executor = self.start(failpoint)
        if executor:
            expect(until(lambda: executor.poll() is not None, WAIT_S), "P5", "an executor neither ended nor died")
        killed = not executor or executor.poll() == -signal.SIGKILL
        if executor and executor.poll() == Executor.UNKNOWN:
            killed = self.show()["status"] not in ENDED
        if killed:
            self.client.died()
        return killed

    def show(self):
        return json.loads(self.world.command("show", self.client.runs["cli"].run_id, "--json").stdout)

    def next_life(self):
        c, how = self.client, self.variant % 3
        run = c.runs.get("cli") or self.found(c)
        if not run:
            return
        follower = LogTail(c, run) if how == 2 else None
        if how == 0:
            self.world.command("resume", "--all")
        if how == 1:
            self.world.serve().ready()
        result = self.world.command("wait", run.run_id, "--timeout", str(WAIT_S))
        expect(result.returncode in (0, 1), "P5", run, "did not end:", result.returncode, result.stdout, result.stderr)
        if follower:
            follower.join(WAIT_S)
            follower.stop()

    def found(self, c):
        """a run that was made though its maker never told"""
        listed = json.loads(self.world.command("ls", "--json", "--all").stdout)
        expect(len(listed) <= 1, "P1", "one command made", len(listed), "runs")
        if not listed:
            return None
        run = c.runs["cli"] = Run("cli", "", "command", "command")
        run.run_id = listed[0]["run_id"]
        return run

    def verify(self, c):
        if "cli" in c.runs:
            ByCommand(c, c.runs["cli"], self.statuses, words(self.tokens))


class CancelCommandLine(Command):
    """`outlast cancel` dies; the executor lives, or has died before (then it is the cancel that takes the run over)."""
    name = "cancel on the command line"

    def message(self):
        return "STALL=2 N=4"

    def first_life(self, failpoint):
        c = self.client
        executor = self.start(None)
        run = c.runs["cli"]
        follower = LogTail(c, run)
        c.wait(lambda: any('"text"' in line for line in list(run.lines.values())), "P5", run, "told nothing")
        follower.stop()
        if self.variant % 2:
            os.kill(executor.pid, signal.SIGKILL)
            expect(until(lambda: executor.poll() is not None, 5), "P8", "the executor did not die")
            c.died()
        result = self.world.command("cancel", run.run_id, "--json", failpoint=failpoint)
        if result.returncode != -signal.SIGKILL:
            return False
        c.died()
        return True

    def next_life(self):
        c, run = self.client, self.client.runs["cli"]
        if self.show()["cancel_requested"] and not self.variant % 2:
            ended = until(lambda: self.show()["status"] == "CANCELLED", 5, 0.1)
            expect(ended, "P5", run, "has a cancel that is bound, and goes on")
        result = self.world.command("cancel", run.run_id)
        expect(result.returncode == 0, "P4", run, "cannot be cancelled:", result.returncode, result.stderr)
        run.cancelled = True

    def verify(self, c):
        ByCommand(c, c.runs["cli"], ("CANCELLED",), words(4))


SCENARIOS = [LaunchBackgroundStream, LaunchBackgroundPoll, LaunchForegroundStream, LaunchForegroundWait, Streaming, Crowd, Tools, Shell, Approval,
             CancelPending, CancelStreaming, CancelTool, CancelCommand, End, Drain, DrainNow, Recovery, TwoServers, Stopped, CancelElsewhere,
             Command, CancelCommandLine]
