"""A background task whose server is killed while it runs and again right as it ends, N times at seeded moments: afterwards the exit code and
the whole output are there, and the model is told exactly once.  task_kills.py [--seeds N] [--first SEED] [--jobs N]; env OUTLAST_BIN names the binary."""
import argparse, concurrent.futures, json, os, random, re, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import agentos_model
from agentos_client import Server, carrying, until

APP = """\
app: {{app_id: os1, name: OS, version: "1.0.0"}}
agents:
  - {{id: main, role: assistant, brain: {brain}}}
tools:
  modules: {{shell: {{}}}}
  capabilities:
    default_policy: auto
    max_risk_level: high
    grant: [{{module: shell, actions: [bash]}}, {{module: context_builder, actions: [background_run]}}]
"""
BRAIN = "{{provider: openai, model: m, backend: openai_compat, config: {{base_url: 'http://127.0.0.1:{port}/v1', api_key: k}}}}"
LINES = 400


def told(model, task):
    """how often the conversation of the newest request names the task's end"""
    with model.lock:
        messages = model.requests[-1]["messages"]
    text = "\n".join(str(m["content"]) for m in messages if m["role"] == "system")
    return len(re.findall(r"\[BACKGROUND TASK FAILED\] task_id=" + re.escape(task), text))


def one(seed):
    rng = random.Random(seed)
    lasts = rng.uniform(0.6, 1.4)
    command = f"for i in $(seq {LINES}); do echo line $i; done; sleep {lasts:.3f}; echo end; exit 7"
    model = agentos_model.Model()
    model.server.handle_error = lambda *_: None  # its clients are killed
    server = Server(model)
    with open(server.app, "w") as f:
        f.write(APP.format(brain=BRAIN.format(port=model.port)))
    try:
        server.start()
        began = time.monotonic()
        launch = json.dumps({"name": "Bash", "params": {"command": command}, "settle_seconds": 0})
        run = server.api.launch(f"N=1\nCALL background_run {launch}", session_id="s")
        until(lambda: server.api.ask("GET", "/runs?component_type=tool").json["data"], 20)
        time.sleep(rng.uniform(0, lasts / 2))
        server.kill()
        time.sleep(rng.choice((0, rng.uniform(0, 0.2))))
        server.start()
        # Right as it ends: from a little before to a little after.
        time.sleep(max(0, began + lasts + rng.uniform(-0.15, 0.25) - time.monotonic()))
        server.kill()
        server.start()
        server.api.settled(run, seconds=30)
        task = server.api.ask("GET", "/runs?component_type=tool").json["data"]
        assert len(task) == 1, f"{len(task)} tasks of one launch"
        task = task[0]["run_id"]
        # It may be told by the woken turn, or by this one.
        until(lambda: server.api.ask("GET", "/runs?component_type=tool").json["data"][0]["status"] == "ERROR", 30)
        server.api.settled(server.api.launch("SAY anything new?", session_id="s"), seconds=30)
        times = told(model, task)
        assert times == 1, f"the model was told {times} times"
        wait = json.dumps({"task_id": task, "wait": True})
        run = server.api.launch(f"N=1\nCALL background_run {wait}", session_id="s")
        server.api.settled(run, seconds=30)
        answer = next(json.loads(e.json["tool"]["result"]) for e in server.api.resume(run["run_id"], session_id="s") if e.name == "ToolCallCompleted")
        assert (answer["status"], answer["exit_code"]) == ("failed", 7), answer
        out = answer["result"]["stdout"]
        assert out == "".join(f"line {i}\n" for i in range(1, LINES + 1)) + "end\n", f"{len(out)} bytes: {out[-200:]}"
        assert told(model, task) == 1, "and once more later"
        return None
    except Exception as error:
        return f"seed {seed}: {type(error).__name__}: {error}"
    finally:
        model.release()
        server.remove()
        model.stop()
        for pid in carrying(server.directory):
            os.kill(pid, 9)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=3)
    options = parser.parse_args()
    began, failed = time.monotonic(), 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for problem in pool.map(one, range(options.first, options.first + options.seeds)):
            if problem:
                failed += 1
                print(problem, flush=True)
    print(f"{options.seeds} tasks, each killed twice: {options.seeds - failed} passed, {failed} failed, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
