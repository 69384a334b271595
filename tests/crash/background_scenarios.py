"""Phases with background tasks: a command that outlives the turn, calls at the same time, and what the model is told of them."""
import json

from client import ENDED
from promises import Verified, words
from scenarios import OwnerDies, bash
from world import expect


def task_call(n, more):
    _, arguments = bash(n, more).split(" ", 1)
    return "CALL background_run " + json.dumps({"name": "Bash", "params": json.loads(arguments)})


class Background(OwnerDies):
    """A task ends between two turns, or in one; the second turn comes when it has."""
    name, agent = "background task", "tasks"

    def script(self, c):
        c.settle(c.launch("b", task_call(0, "sleep 0.2; echo told; exit 5") + "\nN=3 D=0.01", self.agent))
        self.task = c.wait(lambda: self.ended_task(c), "P5", "the task has not ended")
        c.settle(c.launch("next", "N=3 D=0.01", self.agent, session="b"))

    def ended_task(self, c):
        listed = c.call(lambda api: api.ask("GET", "/runs?component_type=tool&session_id=b")).json["data"]
        expect(len(listed) <= 1, "P6", "one launch has made", len(listed), "tasks")
        return next((task for task in listed if task["status"] in ENDED), None)

    def verify(self, c):
        Verified(c, c.runs["b"], self.statuses, words(3))
        Verified(c, c.runs["next"], self.statuses, words(3))
        with open(f"{self.world.work}/t0.txt") as f:
            times = f.read().count("x")
        interrupted = self.task["status"] == "ERROR" and times == 0
        expect(times == 1 or interrupted, "P6", "the task's command was run", times, "times")
        self.check_notices(c)

    def check_notices(self, c):
        """once in the conversation of the last turn, and in as many of its events; a launch that saw the end has told it"""
        task = self.task["run_id"]
        runs = c.call(lambda api: api.ask("GET", "/runs?session_id=b&sort_order=asc")).json["data"]
        told = []
        for run in runs:
            events = c.call(lambda api: api.replay(run["run_id"], agent=self.agent, session_id="b")[1])
            told += [e for e in events if e.name == "CustomEvent" and e.json.get("task_id") == task]
            told += [e for e in events if e.name == "ToolCallCompleted" and "failed immediately" in e.json["tool"]["result"]]
        expect(len(told) == 1, "P6", "the model was told", len(told), "times of the end of", task, told)


class Parallel(OwnerDies):
    """Three calls at the same time; each leaves one trace."""
    name, agent = "calls at the same time", "tasks"

    def script(self, c):
        actions = [{"name": "Bash", "params": json.loads(bash(n).split(" ", 1)[1])} for n in range(3)]
        c.settle(c.launch("p", "CALL run_parallel " + json.dumps({"actions": actions}) + "\nN=3 D=0.01", self.agent))

    def verify(self, c):
        log = Verified(c, c.runs["p"], self.statuses, words(3)).log
        result = json.loads(next(e.json["tool"]["result"] for e in log if e.name == "ToolCallCompleted"))
        for one in result["results"]:
            with open(f"{self.world.work}/t{one['index']}.txt") as f:
                times = f.read().count("x")
            expect(times == 1 or (times == 0 and not one["success"]), "P6", "call", one["index"], "was made", times, "times:", one)


BACKGROUND_SCENARIOS = [Background, Parallel]
