"""Recordings of AgentOS (tests/data/agentos) and the comparison of shapes: same keys, same types. Ids, times and figures vary."""
import json, os

DIRECTORY = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "agentos")

# What Outlast adds and leaves out (docs/formats/agentos.md), by the object it is in: the outermost one's name, else the key that holds it.
ADDITIVE = {
    "RunOutput": {"last_event_index", "reason"},
    "event": {"event_index", "time_to_first_token"},
    "metrics": {"input_tokens", "output_tokens", "total_tokens", "details", "time_to_first_token"},
    "model": {"input_tokens", "output_tokens", "total_tokens"},
    "info": {"outlast_version"},
    "config": {"name", "description"},
    "agent": {"description", "role"},
    "tools": {"requires_confirmation"},
    "system_message": {"system_message", "description"},
}
LEFT_OUT = {"data": {"metrics", "total_tokens"}, "metrics": {"time_to_first_token"}, "event": {"time_to_first_token"}}


class Exchange:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body
        self.status, self.answer_headers, self.answer = None, {}, ""

    @property
    def json(self):
        return json.loads(self.answer)

    def frames(self):
        """[(event name, data)] of a stream"""
        found, name = [], None
        for line in self.answer.split("\n"):
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                found.append((name, line[6:]))
        return found


def headers_from(lines):
    headers = {}
    while lines and lines[0] and not lines[0].startswith("<<<"):
        key, _, value = lines.pop(0).partition(": ")
        headers[key.lower()] = value
    return headers


def body_from(lines):
    if lines and not lines[0]:
        lines.pop(0)
    body = []
    while lines and not lines[0].startswith(("<<< ", "--- end", "--- client closed")):
        body.append(lines.pop(0))
    return "\n".join(body)


def recording(name):
    with open(os.path.join(DIRECTORY, name + ".txt"), newline="") as f:
        lines = f.read().split("\n")
    exchanges = []
    while lines:
        line = lines.pop(0)
        if not line.startswith(">>> "):
            continue
        method, _, path = line[4:].partition(" ")
        one = Exchange(method, path, headers_from(lines), body_from(lines))
        if lines and lines[0].startswith("<<< "):
            one.status = int(lines.pop(0)[4:7])
            one.answer_headers = headers_from(lines)
            one.answer = body_from(lines)
        exchanges.append(one)
    return exchanges


def kind(value):
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def differences(ours, theirs, place, nullable=(), path=""):
    """What is not as recorded. `place` names the outermost object in ADDITIVE; keys of `nullable` may be null on one side."""
    found = []
    if kind(ours) != kind(theirs):
        return [f"{path}: {kind(ours)} {ours!r} instead of {kind(theirs)} {theirs!r}"[:300]]
    if isinstance(theirs, list):
        if bool(ours) != bool(theirs):
            found.append(f"{path}: {len(ours)} items instead of {len(theirs)}")
        for a, b in zip(ours, theirs):
            found += differences(a, b, place, nullable, path + "[]")
        return found
    if not isinstance(theirs, dict):
        return found
    allowed = ADDITIVE.get(place, set())
    for key in theirs.keys() - ours.keys() - LEFT_OUT.get(place, set()):
        found.append(f"{path}: '{key}' is missing")
    for key in ours.keys() - theirs.keys() - allowed:
        found.append(f"{path}: '{key}' is not declared")
    for key in theirs.keys() & ours.keys():
        if key in nullable and (ours[key] is None) != (theirs[key] is None):
            continue
        if key in ("tool_args", "parameters", "session_state", "metadata"):  # of the caller's making
            found += [] if kind(ours[key]) == kind(theirs[key]) else [f"{path}.{key}: {ours[key]!r} instead of {theirs[key]!r}"]
            continue
        inner = {"metrics": "metrics", "model": "model", "events": "event", "system_message": "system_message", "agents": "agent"}.get(key, key)
        found += differences(ours[key], theirs[key], inner, nullable, f"{path}.{key}")
    return found


def collapsed(names):
    """event names with repeats of RunContent folded"""
    out = []
    for name in names:
        if not (out and name == "RunContent" == out[-1]):
            out.append(name)
    return out


def stream_differences(events, frames, nullable=()):
    """`events` (Event) against recorded frames: the order of names, and each event against the first recorded one of its name"""
    names = [e.name for e in events]
    recorded = collapsed([n for n, _ in frames])
    found = [] if collapsed(names) == recorded else [f"{collapsed(names)} instead of {recorded}"]
    by_name = {}
    for name, data in frames:
        by_name.setdefault(name, json.loads(data))
    for e in events:
        if e.name in by_name:
            found += differences(e.json, by_name[e.name], "event", nullable, e.name)
    return found
