"""The figures: what is measured, against what, and the target. Each function yields Figure objects."""
import json, os, statistics, subprocess, time
from dataclasses import dataclass, field

from harness import Missing, Server, nginx, redis


@dataclass
class Target:
    of: str      # "ratio" or "value"
    sign: str    # "<=" or ">="
    bound: float

    def met(self, figure):
        measured = getattr(figure, self.of)
        if measured is None:
            return None
        return measured <= self.bound if self.sign == "<=" else measured >= self.bound

    def text(self, unit):
        sign = "≤" if self.sign == "<=" else "≥"
        return f"{sign} {self.bound:g} × base" if self.of == "ratio" else f"{sign} {self.bound:,.0f} {unit}"


@dataclass
class Figure:
    name: str
    value: float | None
    unit: str
    base: str = ""
    base_value: float | None = None
    ratio: float | None = None
    target: Target | None = None
    more: dict = field(default_factory=dict)  # figures beside the figure


def compare(name, unit, values, base, base_values, target=None, **more):
    """Medians of both sides; the ratio is the median of the repeats' own ratios, for each had its own minute."""
    ratios = [value / other for value, other in zip(values, base_values)]
    more["range"] = [min(values), max(values)]
    value, base_value = statistics.median(values), statistics.median(base_values)
    return Figure(name, value, unit, base, base_value, statistics.median(ratios), target, more)


def launch(bench):
    with bench.scratch("launch") as directory, Server(bench, os.path.join(directory, "home")) as server:
        samples = bench.measure("launch", port=server.port, dir=directory, seconds=bench.seconds(2),
                                repeats=bench.repeats)
    for which, offset in (("kept", 0), ("fresh", 1)):
        for percentile, target in (("value", Target("ratio", "<=", 3)), ("p99", None)):
            values = samples.values(f"launch.{which}_connection", "outlast", percentile)
            bare = samples.values("launch.bare_commit", "base", percentile)[offset::2]
            name = f"launch_{which}_{percentile.replace('value', 'p50')}"
            yield compare(name, "us", values, "one synced SQLite commit", bare, target)


def tail(bench):
    with bench.scratch("tail") as directory, Server(bench, os.path.join(directory, "home")) as server:
        samples = bench.measure("tail", dir=directory, home=server.home, port=server.port, seconds=bench.seconds(2),
                                repeats=bench.repeats)
    for which in ("one_process", "two_processes"):
        for percentile, target in (("value", Target("ratio", "<=", 2)), ("p99", None)):
            commits = samples.values("tail.bare_commit", "base", percentile)
            trips = samples.values("tail.bare_round_trip", "base", percentile)
            name = f"tail_{which}_{percentile.replace('value', 'p50')}"
            yield compare(name, "us", samples.values(f"tail.{which}", "outlast", percentile),
                          "one synced commit + one loopback round trip", [c + t for c, t in zip(commits, trips)], target,
                          commit=statistics.median(commits), round_trip=statistics.median(trips))


def appends(bench):
    for events in (1, 64):
        for runs in (1, 16, 256):
            with bench.scratch("appends") as directory, redis(bench) as port:
                samples = bench.measure("appends", dir=directory, runs=runs, events=events, redis_port=port,
                                        seconds=bench.seconds(1.5), repeats=bench.repeats)
            name, sample = f"appends_{runs}_runs_x{events}", f"appends.{runs}x{events}"
            ours, file = samples.values(sample, "outlast"), samples.values(sample, "file")
            more = {key: samples.median(sample, "outlast", key) for key in ("p50_us", "p99_us")}
            more["plain_file"] = statistics.median(file)
            more["of_plain_file"] = statistics.median(o / f for o, f in zip(ours, file))
            # With one run there is nothing to group: each append is a sync of its own, here as there.
            target = Target("ratio", ">=", 3) if runs > 1 else None
            if port:
                yield compare(name, "events/s", ours, "Redis XADD, appendfsync always", samples.values(sample, "redis"),
                              target, **more)
            else:
                yield Figure(name, statistics.median(ours), "events/s", "base missing: redis-server", None, None, target,
                             more)


def layouts(bench):
    with bench.scratch("layouts") as directory:
        samples = bench.measure("layouts", dir=directory, seconds=bench.seconds(0.8), repeats=bench.repeats)
    for per_commit in (16, 256):
        for what in ("write", "read"):
            sample = f"layouts.{what}.{per_commit}"
            others = ("rowid_int", "packed", "wr_int") + (("file",) if what == "write" else ())
            yield compare(f"layout_{what}_{per_commit}_per_commit", "events/s", samples.values(sample, "chunk_rowid"),
                          "a row per event (rowid_int)", samples.values(sample, "rowid_int"), Target("ratio", ">=", 0.9),
                          **{other: samples.median(sample, other) for other in others})


def catch_up(bench):
    tokens = 20_000 if bench.quick else 100_000
    with bench.scratch("catch_up") as directory, Server(bench, os.path.join(directory, "home")) as server:
        run = server.launch(f"tokens%3D{tokens}+rate%3D0")
        time.sleep(1)  # the finished run's blocks are merged
        os.makedirs(os.path.join(directory, "www"))
        path = os.path.join(directory, "www", "run")
        target = f"/agents/demo/runs/{run}/resume"
        events = bench.measure("fetch", port=server.port, target=target, out=path)[0]["value"]
        with nginx(directory) as (port, pids):
            samples = bench.measure("catch_up", port=server.port, target=target, pid=server.pid, static_port=port,
                                    static_target="/run", static_pids=pids, file=path, events=int(events),
                                    fetches=5 if bench.quick else 20, repeats=bench.repeats)
    side = "nginx" if port else "sendfile"
    values = [v / 1e6 for v in samples.values("catch_up.outlast", "outlast")]
    bare = [v / 1e6 for v in samples.values("catch_up.static", side)]
    base = "nginx, the same bytes as a file" if port else "base missing: nginx; a bare sendfile loop"
    more = {key: samples.median("catch_up.outlast", "outlast", key) for key in ("bytes", "events_per_second", "server_cpu_ms")}
    yield compare("catch_up", "MB/s", values, base, bare, Target("ratio", ">=", 0.5), events=events, **more,
                  base_cpu_ms=samples.median("catch_up.static", side, "server_cpu_ms"))


def memory(bench):
    resident = []
    for _ in range(bench.repeats):
        with bench.scratch("idle") as directory, Server(bench, os.path.join(directory, "home")) as server:
            time.sleep(bench.seconds(2))
            resident.append(server.resident_mib())
    yield Figure("idle_server", statistics.median(resident), "MiB", target=Target("value", "<=", 25),
                 more={"range": [min(resident), max(resident)]})
    for count in (1_000,) if bench.quick else (1_000, 10_000):
        yield streams(bench, count)


def streams(bench, count):
    process, slab, after, bare = [], [], [], []
    for _ in range(bench.repeats):
        with bench.scratch("streams") as directory, Server(bench, os.path.join(directory, "home")) as server:
            one, base = bench.measure("streams", home=server.home, port=server.port, pid=server.pid, count=count)
        if one["whole_streams"] != count:
            raise RuntimeError(f"{count - one['whole_streams']:.0f} streams lost events")
        process.append(one["process_bytes"] / 1024)
        after.append(one["process_bytes_after_events"] / 1024)
        slab.append(one["slab_bytes_of_both_ends"] / 1024)
        bare.append(base["value"] / 1024)
    # The client's sockets lie in the same kernel: half of the slab is the server's end.
    each = [p + s / 2 for p, s in zip(process, slab)]
    return compare(f"stream_memory_{count}", "KiB", each, "an idle loopback connection (kernel, one end)",
                   [b / 2 for b in bare], Target("value", "<=", 12), process_kib=statistics.median(process),
                   slab_kib_of_both_ends=statistics.median(slab), process_kib_after_5_events=statistics.median(after), lost=0,
                   out_of_order=0)


def cli(bench):
    runs, count = (2_000, 20) if bench.quick else (20_000, 50)
    with bench.scratch("cli") as directory:
        bench.measure("fill", home=directory, count=runs)
        for name, arguments, bound in (("version", ["--version"], 15), ("ls", ["ls"], 30), ("ls_json", ["ls", "--json"], 30)):
            words = dict(zip(("first", "second"), arguments))
            samples = bench.measure("spawn", program=bench.outlast, name=name, home=directory, count=count, **words)
            milliseconds = [v / 1000 for v in samples.values(name, "outlast")]
            yield compare(f"cli_{name}", "ms", milliseconds, "/bin/true", [v / 1000 for v in samples.values(name, "base")],
                          Target("value", "<=", bound), p99_ms=samples.median(name, "outlast", "p99") / 1000,
                          cpu_ms=samples.median(name + ".cpu", "outlast") / 1000,
                          **({} if name == "version" else {"runs": runs}))


def one_stream(bench):
    tokens = 20_000 if bench.quick else 100_000
    with bench.scratch("one_stream") as directory, Server(bench, os.path.join(directory, "home")) as server:
        samples = bench.measure("one_stream", port=server.port, pid=server.pid, tokens=tokens, dir=directory,
                                repeats=bench.repeats)
    yield compare("one_stream", "events/s", samples.values("one_stream", "outlast"), "sync + send loop, 256 events a batch",
                  samples.values("one_stream", "base"), Target("value", ">=", 50_000), tokens=tokens,
                  server_cpu_us_per_event=samples.median("one_stream", "outlast", "server_cpu_us_per_event"))


def crowd(bench):
    for processes in (2, 8) if bench.quick else (2, 8, 32):
        with bench.scratch("crowd") as directory:
            samples = bench.measure("crowd", dir=directory, processes=processes, seconds=bench.seconds(3), repeats=bench.repeats)
        sample = f"crowd.{processes}"
        more = {}
        for side, prefix in (("outlast", ""), ("busy", "base_")):
            for key in ("p50_us", "worst_p99_us", "fewest", "most"):
                more[prefix + key] = samples.median(sample, side, key)
        yield compare(f"crowd_{processes}_processes", "commits/s", samples.values(sample, "outlast"),
                      "SQLite's own waiting (busy timeout)", samples.values(sample, "busy"), **more)


def until(server, holds):
    """Milliseconds from the server's start until something holds."""
    while not holds():
        if time.monotonic() - server.began > 60:
            raise RuntimeError("the interrupted runs were not taken up within 60 s")
        time.sleep(0.005)
    return (time.monotonic() - server.began) * 1000


def recovery(bench):
    count = 200 if bench.quick else 10_000
    ready, bare, progress, done, at_once = [], [], [], [], [0]

    def all_completed(server):
        at_once.append(server.metric("runs_executing"))
        return server.metric("runs_completed_total") >= count

    for _ in range(bench.repeats):
        with bench.scratch("recovery") as directory:
            home = os.path.join(directory, "home")
            bench.measure("interrupt", home=home, count=count, input="tokens=3")
            with Server(bench, home) as server:
                ready.append(server.start_seconds * 1000)
                progress.append(until(server, lambda: server.metric("events_appended_total") > 0))
                done.append(until(server, lambda: all_completed(server)))
            with Server(bench, os.path.join(directory, "empty")) as other:
                bare.append(other.start_seconds * 1000)
    yield compare("recovery_ready", "ms", ready, "the same start without interrupted runs", bare, Target("value", "<=", 2000),
                  interrupted_runs=count)
    yield Figure("recovery_progress", statistics.median(progress), "ms", target=Target("value", "<=", 1000),
                 more={"interrupted_runs": count, "all_completed_ms": statistics.median(done), "executing_at_once": max(at_once),
                       "range": [min(progress), max(progress)]})


def flow_plan(wide, deep):
    """Each operation answers 20 ms after it is asked, and depends on all of the level before."""
    names = [[f"o{level}_{place}" for place in range(wide)] for level in range(deep)]
    return {"agents": [{"id": name, "role": "worker"} for level in names for name in level],
            "operations": [{"id": name, "agent_id": name, "instruction": "tokens=3 rate=100",
                            "depends_on": names[level - 1] if level else []} for level in range(deep) for name in names[level]]}


def one_flow(bench, directory, wide, deep):
    """Milliseconds from launch to end, as run.json says."""
    os.makedirs(directory)
    plan, home = os.path.join(directory, "plan.json"), os.path.join(directory, "home")
    with open(plan, "w") as f:
        json.dump(flow_plan(wide, deep), f)
    subprocess.run([bench.outlast, "flow", "demo/story", "tokens=3", "--plan", plan, "--save", os.path.join(directory, "out")],
                   env=dict(os.environ, OUTLAST_HOME=home), cwd=directory, check=True, timeout=60, capture_output=True)
    (name,) = os.listdir(os.path.join(home, "runs"))
    with open(os.path.join(home, "runs", name, "run.json")) as f:
        run = json.load(f)
    if sum(op["status"] == "completed" for op in run["operations"]) != wide * deep:
        raise RuntimeError("not all operations completed")
    return (run["ended_at"] - run["started_at"]) * 1000


def wide_flow(bench):
    """The whole command, with its detached executor. Comes first, and removes nothing until its end: for a while after many files were removed
    ext4 looks long for places of new ones, and that is not what is measured."""
    wide, deep = 10, 5 if bench.quick else 20
    if not os.access(bench.outlast, os.X_OK):
        raise Missing(f"no program at {bench.outlast}")
    with bench.scratch("flow") as directory:
        took = [one_flow(bench, os.path.join(directory, str(i)), wide, deep) for i in range(3 * bench.repeats)]
    yield compare("wide_flow", "ms", took, "its critical path", [20 * deep] * len(took), Target("ratio", "<=", 1.25),
                  operations=wide * deep)


ALL = {f.__name__: f for f in (wide_flow, launch, tail, appends, layouts, catch_up, memory, cli, one_stream, crowd, recovery)}
