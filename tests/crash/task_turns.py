"""A named task's start, killed with SIGKILL at every failpoint that it passes through, with both backends; then a plain `outlast task do`
finds exactly one agent and one session, bound to the task, and the work was done once.  The coding agent is tests/harness/fake_agent.py.

    task_turns.py [--quick] [--verbose] [--jobs N] [--failpoint WORD] [--backend supervised|bg]; env OUTLAST_BIN names the binary.

A cell is failpoint:visit with a backend. The visits of one failpoint are tried in order until one is not reached."""
import argparse, concurrent.futures, json, os, shutil, signal, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "harness"))
import fake_agent  # noqa: E402

BINARY = os.path.abspath(os.environ["OUTLAST_BIN"])
WAIT_S = 60
BEGINS = ("task.", "harness.", "background.", "child.", "shim.", "append.", "launch.", "claim.", "end.", "seal.")
VISITS = {"append": (1, 2, 3, 5, 8), "child": (1, 2, 3), "harness": (1, 2)}
OURS = ("task.", "harness.", "background.")  # nobody else plays them (matrix.py): each must be reached
QUICK = [("supervised", "task.after_launch", 1), ("supervised", "launch.before_commit", 1), ("supervised", "harness.before_start", 1), ("supervised", "child.after_spawn", 1),
         ("supervised", "shim.after_start", 1), ("supervised", "harness.after_session", 1), ("supervised", "append.after_commit", 2), ("supervised", "harness.after_process", 1),
         ("supervised", "harness.before_end", 1), ("bg", "task.after_launch", 1), ("bg", "harness.before_start", 1), ("bg", "child.after_spawn", 1),
         ("bg", "background.after_start", 1), ("bg", "harness.after_session", 1)]


class Broken(AssertionError):
    pass


def expect(ok, *facts):
    if not ok:
        raise Broken(" ".join(str(fact) for fact in facts))


class Desk:
    """a home with one task, and the stand-in for its agent"""

    def __init__(self, backend):
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="outlast-turns-"))
        self.home, self.work, self.state = (os.path.join(self.root, name) for name in ("home", "work", "state"))
        os.mkdir(self.work)
        path = fake_agent.install(os.path.join(self.root, "bin"), self.state)
        with open(os.path.join(self.state, "no_pid_ms"), "w") as f:
            f.write("0")
        with open(os.path.join(self.root, ".claude.json"), "w") as f:
            json.dump({"projects": {self.root: {"hasTrustDialogAccepted": True}}}, f)
        self.environment = {"HOME": self.root, "OUTLAST_HOME": self.home, "PATH": f"{path}:/usr/bin:/bin", "IS_SANDBOX": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        if backend == "bg":
            self.environment["OUTLAST_TERM"] = "bg"

    def command(self, *words, **more):
        return subprocess.run([BINARY, *words], env={**self.environment, **more}, cwd=self.work, capture_output=True, text=True, timeout=2 * WAIT_S, stdin=subprocess.DEVNULL)

    def asked(self, *words):
        result = self.command(*words)
        expect(result.returncode == 0, words, "ended with", result.returncode, result.stderr)
        return result.stdout

    def told(self, kind):
        try:
            with open(os.path.join(self.state, "log.jsonl")) as f:
                return [line for line in map(json.loads, f) if line["kind"] == kind]
        except FileNotFoundError:
            return []

    def rows(self):
        runs = [run for run in json.loads(self.asked("ls", "--all", "--json") or "[]") if run["kind"] == "harness"]
        return sorted(runs, key=lambda run: run["created_at"])

    def shown(self):
        return json.loads(self.asked("task", "show", "one", "--history", "--json"))

    def trace(self):
        try:
            with open(os.path.join(self.work, "trace")) as f:
                return f.read().split()
        except FileNotFoundError:
            return []

    def agents(self):
        names = os.listdir(os.path.join(self.state, "live"))
        return [int(name) for name in names if name.isdigit() and os.path.exists(f"/proc/{name}/environ")]

    def ours(self):
        mark, found = self.root.encode(), []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if mark in f.read():
                        found.append(int(pid))
            except OSError:
                continue
        return found

    def close(self, keep):
        for _ in range(3):
            for pid in self.ours():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.02)
        if not keep:
            shutil.rmtree(self.root, ignore_errors=True)


class Cell:
    def __init__(self, backend, failpoint, visit):
        self.backend, self.failpoint, self.visit = backend, failpoint, visit
        self.killed, self.problem, self.kept, self.seconds = False, None, None, 0

    def play(self):
        began = time.monotonic()
        desk = Desk(self.backend)
        try:
            self.story(desk)
        except Broken as broken:
            self.problem = str(broken)
        except Exception as error:  # a fault of the test itself must not pass for a promise that held
            self.problem = f"the test failed: {type(error).__name__}: {error}"
        self.kept = desk.root if self.problem else None
        desk.close(keep=bool(self.problem))
        self.seconds = time.monotonic() - began
        return self

    def story(self, desk):
        desk.asked("task", "add", "one", "--work-dir", desk.work)
        armed = desk.command("task", "do", "one", "--with", "RUN[[echo done >> trace]] SAY over", OUTLAST_FAILPOINT=f"{self.failpoint}:{self.visit}")
        # Else nothing of it is durable, and nothing of it may have been done; or the caller was told that it failed.
        owed = bool(desk.rows()) and armed.returncode != 1
        again = self.do(desk)
        expect(again["outcome"] in ("started", "resumed", "live"), "task do says", again)
        self.settle(desk)
        shown = desk.shown()
        self.killed = armed.returncode < 0 or self.was_cut(desk)
        self.one_agent(desk, shown)
        self.work_once(desk, owed)
        for run in desk.rows():
            events = [json.loads(line) for line in desk.asked("logs", run["run_id"], "--json").splitlines()]
            expect([e["event_index"] for e in events] == list(range(len(events))), run["run_id"], "has the indices", [e["event_index"] for e in events])
        last = self.do(desk)
        self.settle(desk)
        expect(last["session_id"] == shown["session_id"] == desk.shown()["session_id"], "later it is another session:", last["session_id"], shown["session_id"])
        self.one_agent(desk, desk.shown())

    def do(self, desk):
        return json.loads(desk.asked("task", "do", "one", "--json"))

    def settle(self, desk):
        """all runs have ended, and the agent that lives on rests"""
        for run in desk.rows():
            desk.command("wait", run["run_id"], "--timeout", str(WAIT_S))
            status = json.loads(desk.asked("show", run["run_id"], "--json"))["status"]
            expect(status in ("COMPLETED", "ERROR"), run["run_id"], "is", status)
        end = time.monotonic() + WAIT_S
        while self.backend == "bg" and time.monotonic() < end and any(entry["status"] != "idle" for entry in self.registry(desk)):
            time.sleep(0.05)
        expect(desk.rows()[-1]["status"] == "COMPLETED", "the last run is", desk.rows()[-1])

    def registry(self, desk):
        try:
            with open(os.path.join(desk.state, "registry.json")) as f:
                return json.load(f)
        except FileNotFoundError:
            return []

    def was_cut(self, desk):
        for run in desk.rows():
            shown = json.loads(desk.asked("show", run["run_id"], "--json"))
            if any(fact["type"] == "taken_over" for fact in shown["facts"]) or shown["attempts"] > 1 or run["status"] == "ERROR":
                return True
            if '"why":"lost"' in desk.asked("logs", run["run_id"], "--json"):
                return True
        return self.failpoint.startswith("shim.")  # its end shows nowhere where nothing depended on it

    def one_agent(self, desk, shown):
        if self.backend == "bg":
            entries = self.registry(desk)
            sessions = {line["session"] for line in desk.told("background")}
            expect(len(entries) == 1, len(entries), "agents in the registry")
            expect(len(desk.agents()) == 1, len(desk.agents()), "agents live")
        else:
            sessions = {line["session"] for line in desk.told("session")}
            expect(not desk.agents(), "agents were left behind:", desk.agents())
        expect(sessions == {shown["session_id"]}, "the task is bound to", shown["session_id"], "and there are", sessions)
        expect(not desk.told("second_writer"), "two processes worked on one session")
        expect({entry["data"]["session_id"] for entry in shown["history"] if entry["type"] == "session"} == sessions, "the history says", shown["history"])

    def work_once(self, desk, owed):
        commands = len(desk.told("command"))
        expect(desk.trace() == ["done"] * commands, "the trace is", desk.trace(), "after", commands, "commands")
        cut = any("interrupted" in message["text"] for message in desk.told("message"))
        expect(commands == 1 or (commands == 0 and (cut or not owed)), "its work was done", commands, "times")

    def line(self):
        word = "BROKEN" if self.problem else "killed" if self.killed else "not reached"
        return f"{word:11}  {self.backend:10}  {self.failpoint + ':' + str(self.visit):24}  {self.seconds:5.2f} s" + (f"  {self.problem}\n  kept: {self.kept}" if self.problem else "")


def failpoints():
    names = subprocess.run([BINARY, "doctor", "--failpoints"], capture_output=True, text=True, check=True, timeout=60).stdout.split()
    return [name for name in names if name.startswith(BEGINS)]


def row(backend, failpoint, tell):
    cells = []
    for visit in VISITS.get(failpoint.split(".")[0], (1,)):
        cells.append(Cell(backend, failpoint, visit).play())
        tell(cells[-1])
        if not cells[-1].killed:
            break
    return cells


def play(options, tell):
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        if options.quick:
            jobs = [pool.submit(lambda key: [Cell(*key).play()], key) for key in QUICK]
        else:
            jobs = [pool.submit(row, backend, name, tell) for name in failpoints() for backend in ("supervised", "bg")
                    if options.failpoint in name and options.backend in ("", backend)]
        return [cell for job in jobs for cell in job.result()]


def main():
    options = argparse.ArgumentParser(description="kills the start of a task's agent at every failpoint")
    options.add_argument("--quick", action="store_true", help="some of the cells")
    options.add_argument("--verbose", action="store_true", help="a line for each cell")
    options.add_argument("--jobs", type=int, default=3, help="cells at once")
    options.add_argument("--failpoint", default="", help="failpoints whose name holds this")
    options.add_argument("--backend", default="", help="supervised or bg only")
    options = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # cells under way end and clean up
    began = time.monotonic()
    cells = play(options, lambda cell: (options.verbose or cell.problem) and print(cell.line(), flush=True))
    broken = [cell for cell in cells if cell.problem]
    unreached = sorted({c.failpoint for c in cells} - {c.failpoint for c in cells if c.killed})
    if options.quick:
        for cell in cells if options.verbose else broken:
            print(cell.line())
    whole = not (options.quick or options.failpoint or options.backend)
    missed = [name for name in unreached if name.startswith(OURS)] if whole else []
    print(json.dumps({"ok": not broken and not missed, "cells": len(cells), "killed": sum(c.killed for c in cells), "broken": len(broken), "unreached_failpoints": unreached,
                      "seconds": round(time.monotonic() - began, 1)}))
    return 1 if broken or missed else 0


if __name__ == "__main__":
    sys.exit(main())
