"""The crash matrix: at every failpoint of the binary, in every phase of a run, the process is killed with SIGKILL; then P1-P10
(docs/crash-proof.md) are checked through clients alone. Env OUTLAST_BIN names the binary. Standard library only, loopback only.

    matrix.py [--verbose] [--jobs N] [--only WORD] [--failpoint WORD]

A cell is failpoint:visit in a phase. The visits of one failpoint in one phase are tried in order until one is not reached.
The last line is a JSON object; exit 1 when a promise was broken, or when a failpoint was reached nowhere."""
import argparse, concurrent.futures, json, os, signal, statistics, subprocess, sys, threading, time, traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import scenarios  # noqa: E402
from background_scenarios import BACKGROUND_SCENARIOS  # noqa: E402
from flow_scenarios import FLOW_SCENARIOS  # noqa: E402
from world import BINARY, Violation, World, adopt_orphans  # noqa: E402

SCENARIOS = [*scenarios.SCENARIOS, *BACKGROUND_SCENARIOS, *FLOW_SCENARIOS]
VISITS = {"append": (1, 2, 3, 5, 8, 13, 21), "projection": (1, 2, 4, 8), "launch": (1, 2), "end": (1, 2), "shim": (1,), "flow": (1, 2, 3, 4, 5)}
LINGER_MS = 25  # in every other cell the thread that is there stops for so long, and the others go on
PROGRESS_MS = 1000
ELSEWHERE = ("task.", "harness.", "background.")  # of tasks' coding agents: task_turns.py plays them, and fails where it reaches one nowhere
OTHERS = ("SIGSTOP",)  # ends of a life that are no failpoints; each has its phases


class Cell:
    def __init__(self, scenario, failpoint, visit):
        self.scenario, self.failpoint, self.visit = scenario, failpoint, visit
        # Fixed for a cell, and different along each row and column.
        self.variant = sum(map(ord, scenario.name + failpoint)) + visit
        self.killed, self.violation, self.kept, self.progress_ms, self.seconds = False, None, None, None, 0

    def armed(self):
        return f"{self.failpoint}:{self.visit}" + (f":{LINGER_MS}" if self.variant // 2 % 2 else "")

    def play(self):
        began = time.monotonic()
        world = World(self.scenario.__name__.lower())
        try:
            scenario = self.scenario(world, self.variant)
            self.killed = scenario.play(self.armed())
            self.progress_ms = scenario.progress_ms
        except Violation as violation:
            self.violation = str(violation)
        except Exception:  # a fault of the test itself must not pass for a promise that held
            self.violation = "the test failed: " + traceback.format_exc()
        if self.violation:
            self.kept = world.directory
        world.close(keep=bool(self.violation))
        self.seconds = time.monotonic() - began
        return self

    def line(self):
        word = "VIOLATION" if self.violation else "killed" if self.killed else "not reached"
        return f"{word:11}  {self.scenario.name:26}  {self.armed():32}  {self.seconds:5.2f} s" + (f"  {self.violation}\n  kept: {self.kept}" if self.violation else "")


def failpoints():
    names = subprocess.run([BINARY, "doctor", "--failpoints"], capture_output=True, text=True, check=True, timeout=60).stdout.split()
    names = [n for n in names if not n.startswith(ELSEWHERE)]
    # Places of child processes are reached by commands only.
    left_out = [] if World.shell else [n for n in names if n.startswith(("child.", "shim."))]
    return [n for n in names if n not in left_out] + [*OTHERS], left_out


def takes(scenario, place):
    return place in scenario.places if scenario.places else place not in OTHERS


def row(scenario, failpoint, stop, tell):
    """the cells of one failpoint in one phase, one after the other"""
    cells = []
    for visit in (1,) if failpoint in OTHERS else VISITS.get(failpoint.split(".")[0], (1, 2, 3)):
        if stop.is_set():
            break
        cell = Cell(scenario, failpoint, visit).play()
        cells.append(cell)
        tell(cell)
        if not cell.killed:
            break
    return cells


def play(scenarios, names, jobs, tell):
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        rows = [pool.submit(row, s, n, stop, tell) for s in scenarios for n in names if takes(s, n)]
        try:
            return [cell for done in rows for cell in done.result()]
        except BaseException:
            stop.set()
            raise


def table(cells, scenarios, names):
    """kills by failpoint (lines) and phase (columns); · = not reached, ! = a violation"""
    print()
    for number, scenario in enumerate(scenarios):
        print(f"  {chr(ord('a') + number)}  {scenario.name}")
    print(f"\n  {'':24}" + "".join(f"{chr(ord('a') + n):>4}" for n in range(len(scenarios))))
    for name in names:
        found = []
        for scenario in scenarios:
            here = [c for c in cells if c.failpoint == name and c.scenario is scenario]
            killed = sum(c.killed for c in here)
            found.append("!" if any(c.violation for c in here) else str(killed) if killed else "·")
        print(f"  {name:24}" + "".join(f"{f:>4}" for f in found))


def main():
    options = argparse.ArgumentParser(description="kills Outlast at every failpoint in every phase of a run")
    options.add_argument("--verbose", action="store_true", help="a line for each cell")
    options.add_argument("--jobs", type=int, default=3, help="cells at once")
    options.add_argument("--only", default="", help="phases whose name holds this")
    options.add_argument("--failpoint", default="", help="failpoints whose name holds this")
    options = options.parse_args()
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # cells under way end and clean up
    adopt_orphans()
    World.probe()
    names, left_out = failpoints()
    names = [n for n in names if options.failpoint in n]
    scenarios = [s for s in SCENARIOS if options.only in s.name and (World.shell or not s.calls_shell)]
    if not World.shell:
        print(f"left out, because this binary's agents have no shell: {', '.join([s.name for s in SCENARIOS if s.calls_shell] + left_out)}")
    cells = play(scenarios, names, options.jobs, lambda cell: (options.verbose or cell.violation) and print(cell.line(), flush=True))
    table(cells, scenarios, names)
    whole = not options.only and not options.failpoint
    broken = [c for c in cells if c.violation]
    unreached = [n for n in names if not any(c.killed for c in cells if c.failpoint == n)]
    progress = [c.progress_ms for c in cells if c.progress_ms is not None]
    slow = progress and statistics.median(progress) >= PROGRESS_MS
    for name in unreached if whole else ():
        print(f"reached in no phase: {name}")
    if progress:
        print(f"after a death the other server's stream went on within {statistics.median(progress):.0f} ms (median of {len(progress)}, longest {max(progress)} ms)"
              + (": TOO SLOW" if slow else ""))
    for cell in broken:
        print(cell.line())
    ok = not broken and not slow and not (whole and unreached)
    print(json.dumps({"ok": ok, "cells": len(cells), "killed": sum(c.killed for c in cells), "not_reached": sum(not c.killed and not c.violation for c in cells),
                      "violations": len(broken), "unreached_failpoints": unreached, "progress_ms": statistics.median(progress) if progress else None,
                      "seconds": round(time.monotonic() - began, 1)}))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
