"""The phases of a flow's life on the command line: it is planned, its operations begin and end, some of them at the same time."""
import json, os

from scenarios import Command
from client import Run
from promises import command_json
from world import Executor, expect, until


def op(id_, agent, *depends_on):
    command = json.dumps({"command": f"echo {id_} >> ../trace; sleep 0.05"})
    return {"id": id_, "agent_id": agent, "instruction": f"call Bash {command}\nsay {id_}", "depends_on": list(depends_on)}


class Flow(Command):
    """`outlast flow --background`: the command and the flow's process are armed. Each operation leaves one line in a file."""
    name = "flow"
    PLAN = {"agents": [{"id": a, "role": "worker"} for a in "abc"], "synthesis": True,
            "operations": [op("o1", "a"), op("o2", "b", "o1"), op("o3", "c", "o1"), op("o4", "a", "o2", "o3")]}

    def save(self):
        return os.path.join(self.world.work, "out")

    def start(self, failpoint):
        plan = os.path.join(self.world.directory, "plan.json")
        with open(plan, "w") as f:
            json.dump(self.PLAN, f)
        result = self.world.command("flow", "demo/fast", "say all of it", "--plan", plan, "--background", "--save", self.save(), "--json", failpoint=failpoint)
        if result.returncode < 0:
            return None
        expect(result.returncode == 0, "P1", "the command failed:", result.returncode, result.stderr)
        told = json.loads(result.stdout)
        run = self.client.runs["cli"] = Run("cli", "", "command", "command")
        run.run_id = told["run_id"]
        return Executor(told["pid"])

    def verify(self, c):
        run = c.runs.get("cli")
        if not run:
            return
        (shown,), _ = command_json(c, "show", run.run_id, "--json")
        expect(shown["status"] == "COMPLETED", "P5", run, "is", shown["status"], shown["error"])
        with open(os.path.join(self.save(), "trace")) as f:
            done = f.read().split()
        expect(sorted(done) == ["o1", "o2", "o3", "o4"], "P6", run, "did", done)
        events, _ = command_json(c, "logs", run.run_id, "--json")
        expect([e["event_index"] for e in events] == list(range(len(events))), "P3", run, "has the indices", [e["event_index"] for e in events])
        for type_ in ("op_started", "op_ended"):
            told = sorted(e["op"] for e in events if e["type"] == type_)
            expect(told == ["@synthesis", "o1", "o2", "o3", "o4"], "P6", run, type_, told)
        self.verify_files(run, shown)

    def verify_files(self, run, shown):
        def manifest():
            with open(os.path.join(shown["run_dir"], "run.json")) as f:
                return json.load(f)

        expect(until(lambda: manifest()["status"] == "completed", 6), "P9", run, "ended, and run.json says", manifest()["status"])
        expect([o["status"] for o in manifest()["operations"]] == ["completed"] * 4, "P9", run, "run.json says", manifest()["operations"])
        with open(os.path.join(self.save(), "flow.log")) as f:
            log = f.read()
        counts = [log.count(what) for what in ("▶", "✓", "✗", "Synthesis done", "Total:")]
        expect(counts == [4, 4, 0, 1, 1], "P9", run, "flow.log says", log)


FLOW_SCENARIOS = [Flow]
