"""P1-P10 of a run that is over, checked through clients only: every server's stream and status, and the command line."""
import glob, json, os, re

from client import ENDED, LAST
from world import expect, until

TYPES = {"text": "RunContent", "run_started": "RunStarted", "model_started": "ModelRequestStarted", "thinking": "ReasoningContentDelta",
         "superseded": "RunContentSuperseded", "model_completed": "ModelRequestCompleted", "tool_started": "ToolCallStarted",
         "tool_completed": "ToolCallCompleted", "tool_error": "ToolCallError", "content_completed": "RunContentCompleted",
         "run_completed": "RunCompleted", "run_error": "RunError", "run_cancelled": "RunCancelled", "run_paused": "RunPaused",
         "run_continued": "RunContinued", "notice": "CustomEvent"}
REASONS = {"COMPLETED": "run.completed", "CANCELLED": "run.cancelled.manual_kill", "ERROR": "run."}


def words(n):
    return "".join(f"w{i} " for i in range(n))


def counted(events):
    """the text that counts: superseded deltas left out"""
    text = {}
    for e in events:
        if e.name == "RunContent":
            text[e.index] = e.json["content"]
        elif e.name == "RunContentSuperseded":
            for index in range(e.json["from_index"], e.json["to_index"] + 1):
                text.pop(index, None)
    return "".join(text[i] for i in sorted(text))


def command_json(client, *words_):
    result = client.world.command(*words_)
    expect(result.returncode == 0, "P10", "outlast", *words_, "ended with", result.returncode, result.stderr)
    return [json.loads(line) for line in result.stdout.splitlines()], result.stdout.splitlines(keepends=True)


class Told:
    """An event as `outlast logs --json` tells it, with the names of the API."""

    def __init__(self, line):
        self.data, o = line, json.loads(line)
        self.name, self.index, self.json = TYPES.get(o["type"]), o["event_index"], o
        if "text" in o:
            o["content"] = o["text"]
        if o["type"] == "superseded":
            o["from_index"], o["to_index"] = o["from"], o["to"]
        if "call_id" in o:
            o["tool"] = {"tool_call_id": o["call_id"], "tool_name": o["name"], "tool_args": json.loads(o["arguments"]),
                         "tool_call_error": o.get("is_error"), "result": o.get("result")}

    def __repr__(self):
        return f"{self.name}#{self.index}"


class Verified:
    """One run's final log, after everything that holds for any run was checked."""

    def __init__(self, client, run, statuses, content=None):
        self.client, self.run = client, run
        self.status = self.settled()
        status = self.status["status"]
        expect(status in statuses, "P4", run, "ended", status, "instead of", statuses, self.status.get("content"))
        if run.cancelled:
            expect(status == "CANCELLED", "P4", run, "had an acknowledged cancel and ended", status)
        self.log = self.read_log()
        self.check_log()
        self.check_content(content)
        self.check_other_servers()
        self.check_command_line()
        self.check_model_calls()
        self.check_tool_calls()

    def settled(self):
        return self.client.settle(self.run)

    def read_log(self):
        return self.replay(self.client.world.living()[0])

    def replay(self, server):
        return self.client.call(lambda api: api.replay(self.run.run_id, agent=self.run.agent, session_id=self.run.session)[1], server)

    def names(self):
        return [e.name for e in self.log]

    def check_log(self):
        run, status = self.run, self.status["status"]
        expect([e.index for e in self.log] == list(range(len(self.log))), "P3", run, "has the indices", [e.index for e in self.log])
        for index, shown in run.shown.items():
            expect(index < len(self.log), "P2", run, "event", index, "was shown and is not in the log of", len(self.log), ":", shown)
            kept = (self.log[index].name, self.log[index].data)
            expect(kept == shown, "P2", run, "event", index, "was shown as", shown, "and is", kept)
        ends = [e.name for e in self.log if e.name in LAST]
        expect(len(ends) == 1 and self.log[-1].name == ends[0], "P4", run, "has the ends", ends, "and closes with", self.log[-1])
        expect(("RunCancelled" in self.names()) == (status == "CANCELLED"), "P4", run, "is", status, "with", self.names())
        expect((ends == ["RunError"]) == (status == "ERROR"), "P4", run, "is", status, "with", ends)

    def check_content(self, content):
        text, run = counted(self.log), self.run
        if self.log[-1].name == "RunCompleted":
            expect(self.log[-1].json["content"] == text, "P9", run, "ends with", self.log[-1].json["content"], "and its deltas are", text)
            expect((self.status.get("content") or "") == text, "P4", run, "has the content", self.status.get("content"), "and its deltas are", text)
        if content is not None and self.status["status"] == "COMPLETED":
            expect(text == content, "P9", run, "says", text, "instead of", content)
        if content is not None and self.status["status"] == "CANCELLED":
            expect(content.startswith(text), "P9", run, "was cancelled and says", text)

    def check_other_servers(self):
        for server in self.client.world.living()[1:]:
            other = [(e.name, e.data) for e in self.replay(server)]
            expect(other == [(e.name, e.data) for e in self.log], "P10", self.run, "is another log in another server:", other)
            status = self.client.status(self.run, server=server)["status"]
            expect(status == self.status["status"], "P4", self.run, "is", self.status["status"], "and in another server", status)

    def check_command_line(self):
        run = self.run
        (shown,), _ = command_json(self.client, "show", run.run_id, "--json")
        expect(shown["status"] == self.status["status"], "P4", run, "is", self.status["status"], "and `show` says", shown["status"])
        expect(shown["reason"].startswith(REASONS[shown["status"]]), "P9", run, "is", shown["status"], "with the reason", shown["reason"])
        expect(shown["content"] == counted(self.log), "P4", run, "`show` says", shown["content"])
        events, lines = command_json(self.client, "logs", run.run_id, "--json")
        self.check_interruptions(events)
        expect([TYPES.get(e["type"]) for e in events] == self.names(), "P10", run, "`logs` tells", [e["type"] for e in events])
        for index, line in run.lines.items():
            expect(index < len(lines) and lines[index] == line, "P2", run, "`logs -f` told", line, "and `logs` tells", lines[index:index + 1])
        if any("that made this model call died" in e.data for e in self.log):
            expect(any(f["type"] == "taken_over" for f in shown["facts"]), "P9", run, "was taken over and its facts are", shown["facts"])
        if shown["run_dir"]:
            self.check_directory(shown)

    def check_interruptions(self, events):
        """a call is interrupted by a death that came after its start, and by nothing else"""
        begun = {e["call_id"]: e["at"] for e in events if e["type"] == "tool_started"}
        for e in events:
            if e["type"] == "tool_completed" and "nterrupted" in e["result"]:
                deaths = [at for at in self.client.deaths if begun[e["call_id"]] <= at]
                expect(deaths, "P9", self.run, e["name"], "is said to be interrupted, and nothing died since its start")

    def check_directory(self, shown):
        """the files of a command's run: soon after the end they hold the whole log, each event once"""
        def manifest():
            with open(os.path.join(shown["run_dir"], "run.json")) as f:
                return json.load(f)["status"]

        settled = {"COMPLETED": "completed", "CANCELLED": "cancelled", "ERROR": "failed"}[shown["status"]]
        expect(until(lambda: manifest().startswith(settled), 6), "P9", self.run, "ended", shown["status"], "and run.json says", manifest())
        for path in glob.glob(os.path.join(shown["run_dir"], "stream", "*.jsonl")):
            with open(path) as f:
                indices = [json.loads(line)["event_index"] for line in f]
            expect(indices == list(range(len(self.log))), "P3", self.run, "its stream file has the indices", indices)

    def check_model_calls(self):
        """no request for a turn after its end was shown, and never more than one for each life"""
        lives = 1 + len(self.client.deaths) + self.client.handovers
        ended = [i for i, e in enumerate(self.log) if e.name == "ModelRequestCompleted"]
        for turn, times in self.client.world.model.turns(f"TAG={self.run.key};").items():
            expect(len(times) <= lives, "P6", self.run, "asked the model", len(times), "times for turn", turn, "in", lives, "lives")
            if turn < len(ended) and ended[turn] in self.run.shown_at:
                late = [at for at in times if at > self.run.shown_at[ended[turn]]]
                expect(not late, "P6", self.run, "asked the model", len(late), "times more for turn", turn, "whose answer was shown")
        open_ = self.names().count("ModelRequestStarted") - len(ended)
        expect(open_ in (0, 1), "P6", self.run, "has", open_, "open model calls:", self.names())

    def check_tool_calls(self):
        """each call begins once and ends once; what is said to be done has left its trace exactly once"""
        starts, ends = {}, {}
        for e in self.log:
            if e.name in ("ToolCallStarted", "ToolCallCompleted"):
                into = starts if e.name == "ToolCallStarted" else ends
                into.setdefault(e.json["tool"]["tool_call_id"], []).append(e.json["tool"])
        for id_, started in starts.items():
            ended = ends.get(id_, [])
            expect(len(started) == 1 and len(ended) <= 1, "P6", self.run, "call", id_, "began", len(started), "times and ended", len(ended))
            if ended and ended[0]["tool_name"] in ("Edit", "Bash"):
                self.check_trace(ended[0])

    def check_trace(self, tool):
        arguments, result, run = tool["tool_args"], tool["result"], self.run
        path = arguments.get("file_path") or re.search(r">> (\S+?);", arguments["command"])[1]
        with open(os.path.join(self.client.world.work, path)) as f:
            times = f.read().count("x")
        failed = bool(tool.get("tool_call_error"))
        expect(times <= 1, "P6", run, tool["tool_name"], path, "was done", times, "times")
        expect(failed or times == 1, "P9", run, tool["tool_name"], path, "is said to be done and was done", times, "times:", result)
        said = result if tool["tool_name"] == "Bash" else "nterrupted" in result
        expect(not failed or self.run.cancelled or said, "P9", run, tool["tool_name"], path, "failed:", result)


class ByCommand(Verified):
    """The same of a command's run, which may be on a home without any server."""

    def settled(self):
        (shown,), _ = command_json(self.client, "show", self.run.run_id, "--json")
        self.client.see_status(self.run, shown["status"])
        return shown

    def read_log(self):
        return [Told(line) for line in command_json(self.client, "logs", self.run.run_id, "--json")[1]]

    def check_other_servers(self):
        pass


def one_run_per_key(client, key):
    """P1: however often it was asked for, and whatever broke in between"""
    listed = client.call(lambda api: api.ask("GET", f"/runs?session_id={key}")).json
    expect(listed["meta"]["total_count"] == 1, "P1", "the key", key, "made", listed["meta"]["total_count"], "runs")


def nothing_left(client):
    """P8: after the runs' ends no process carries this home but its servers; and none of them executes anything"""
    servers = {s.process.pid for s in client.world.living()}
    until(lambda: not set(client.world.ours()) - servers, 8, 0.05)
    expect(not client.world.complaints(), "P9", "a server complained:", client.world.complaints())
    left = {pid: line for pid, line in client.world.ours().items() if pid not in servers}
    expect(not left, "P8", "processes are left:", left)
    for run in json.loads(client.world.command("ls", "--json", "--all").stdout):
        expect(run["status"] in ENDED, "P5", run["run_id"], "is", run["status"], run["note"])
