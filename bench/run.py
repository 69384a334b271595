"""Measures and reports: JSON lines on stdout, a table on stderr. scripts/bench builds first and then comes here."""
import argparse, datetime, json, os, platform, shutil, subprocess, sys, tempfile, time

import report
from figures import ALL
from harness import ROOT, Bench, Missing, say


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures Outlast against bare limits.")
    parser.add_argument("--quick", action="store_true", help="a short run: whether the benchmarks work; its figures say little")
    parser.add_argument("--write-docs", action="store_true", help="fill the table in docs/performance.md")
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help="of " + " ".join(ALL) + " (default: all)")
    given = parser.parse_args()
    unknown = [name for name in given.figures if name not in ALL]
    if unknown:
        parser.error(f"no figure {unknown[0]}; there are {' '.join(ALL)}")
    if given.write_docs and given.figures:
        parser.error("--write-docs writes the whole table: name no figures with it")
    return given


def first_match(path, key):
    with open(path) as f:
        return next((line.split(":", 1)[1].strip() for line in f if line.startswith(key)), "unknown")


def machine(directory, bench):
    """The conditions that hold for the whole run."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    system = subprocess.run(["stat", "-f", "-c", "%T", directory], capture_output=True, text=True).stdout.strip()
    return {"date": datetime.date.today().isoformat(), "commit": commit or "unknown", "cpus": os.cpu_count(),
            "cpu": first_match("/proc/cpuinfo", "model name"), "kernel": platform.release(), "file_system": system,
            "repeats": bench.repeats, "quick": bench.quick}


def measure_all(bench, names, conditions):
    lines = []
    for name in names:
        began, load = time.monotonic(), round(os.getloadavg()[0], 2)
        now = dict(conditions, load=load)

        def emit(line):
            print(line, flush=True)
            lines.append(json.loads(line))

        try:
            for figure in ALL[name](bench):
                emit(report.json_line(figure, now))
        except (Missing, RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            emit(json.dumps({"figure": name, "error": str(error), "conditions": now}))
        say(f"{name}: {time.monotonic() - began:.0f} s (load average before it: {load})")
    return lines


def main():
    given = arguments()
    directory = tempfile.mkdtemp(prefix="outlast-bench-")
    try:
        bench = Bench(directory, given.quick)
        lines = measure_all(bench, given.figures or list(ALL), machine(directory, bench))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    say("\n" + report.table(lines))
    if given.write_docs:
        report.write_docs(os.path.join(ROOT, "docs", "performance.md"), lines)
    return 1 if any("error" in line for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
