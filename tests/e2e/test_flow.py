"""Flows from outside: the real binary (OUTLAST_BIN), plans of the scripted demo provider and of files.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_flow.py

Standard library only. Ends only processes that it started."""
import json, os, pty, random, re, shutil, signal, subprocess, time, unittest

from test_cli import BIN, Home, UUID
from test_status import sleepers, with_argument

LOG = ["Planning DAG...", "Plan done (S): 3 agents, 3 ops — o1:r1 | o2:i1 ← o1 | o3:rv1 ← o2", "Executing DAG: 3 agents / 3 ops...",
       "  ▶ r1 started", "  ✓ r1 done (S)", "  ▶ i1 started", "  ✓ i1 done (S)", "  ▶ rv1 started", "  ✓ rv1 done (S)", "Saved to DIR", "Total: S"]


def op(id_, agent, instruction, *depends_on, **more):
    return {"id": id_, "agent_id": agent, "instruction": instruction, "depends_on": list(depends_on), **more}


def trace(word, *more):
    """an operation that leaves one line in ../trace each time it is really done"""
    return "\n".join(["call Bash " + json.dumps({"command": f"echo {word} >> ../trace"}), *more])


def letter(to, *lines):
    return "call team_send " + json.dumps({"to": to, "content": "\n".join(lines)})


class Flows(Home):
    MAIL = (("o1", "a", trace("o1", "say first")),
            ("o2", "b", trace("o2", letter("worker", trace("letter", letter("worker-2", "say thanks to you"), "say read it")), "say second"), "o1"))

    def setUp(self):
        super().setUp()
        self.save = os.path.join(self.work, "out")

    def plan(self, *operations, **more):
        agents = sorted({o["agent_id"] for o in operations})
        path = os.path.join(self.work, f"plan{random.random()}.json")
        with open(path, "w") as f:
            json.dump({"agents": [{"id": a, "role": "worker"} for a in agents], "operations": operations, **more}, f)
        return path

    def start(self, *flags, model="demo/fast", prompt="the task", env=None):
        return json.loads(self.ok("flow", model, prompt, "--background", "--save", self.save, "--json", *flags, env=env))

    def log(self):
        return self.made("flow.log")

    def ended(self, seconds=40):
        self.until(lambda: "Total:" in self.log(), seconds, "the end of the flow")
        return self.log()

    def made(self, *parts):
        """what a file below the directory holds; "" where there is none"""
        try:
            with open(os.path.join(self.save, *parts), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def at_a_terminal(self, *args, look=lambda text: None):
        try:
            pid, fd = pty.fork()
        except OSError as error:
            self.skipTest(f"no terminal to be had here: {error}")
        if pid == 0:
            os.chdir(self.work)
            os.execve(BIN, [BIN, *args], self.env)
        shown, end = b"", time.monotonic() + 30
        while time.monotonic() < end:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            shown += data
            look(shown.decode(errors="replace"))
        os.close(fd)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        return shown.decode()

    def traced(self):
        return self.made("trace").split()

    def expect_lines(self):
        lines = re.sub(r"\d+\.\ds", "S", self.log()).splitlines()
        self.assertEqual(lines[:len(LOG)], [line.replace("DIR", os.path.realpath(self.save)) for line in LOG])
        self.assertEqual(sum(line.startswith("Total:") for line in lines), 1)


class Session(Flows):
    def test_word_for_word(self):
        code, out, err = self.outlast("o", "flow", "demo/plan", "Audit the auth module, find security gaps, draft fixes", "--background", "--save", "./out/")
        self.assertEqual(code, 0, err)
        self.assertRegex(out, r"\AFlow running in background \(PID \d+\)\nOutput: out/flow\.log\nMonitor: tail -f out/flow\.log\n\Z")
        self.ended()
        self.expect_lines()
        newest = max(os.listdir(os.path.join(self.home, "runs")), key=lambda d: os.stat(os.path.join(self.home, "runs", d)).st_mtime)
        run = self.manifest(newest)
        self.until(lambda: self.manifest(newest)["status"] == "completed", 5)
        run = self.manifest(newest)
        self.assertEqual([b["name"] for b in run["branches"]], ["orchestrator", "researcher", "implementer", "reviewer"])
        self.assertEqual([(o["id"], o["status"]) for o in run["operations"]], [("o1", "completed"), ("o2", "completed"), ("o3", "completed")])
        self.assertEqual(os.listdir(os.path.join(self.home, "runs")), [newest], "operations have no directory of their own")
        self.assertIn("no limit on failed logins", self.made("r1/findings.md"))
        for branch in run["branches"]:
            self.assertRegex(branch["id"], UUID)
            snapshot = json.loads(self.file("runs", newest, "branches", branch["id"] + ".json"))
            self.assertIn("assistant", [m["role"] for m in snapshot["messages"]])
        self.assertEqual(len(json.loads(self.ok("ls", "--json"))), 1)
        self.assertEqual(self.outlast("status", newest)[0], 0)
        self.assertIn(f"\tartifact_dir={os.path.realpath(self.save)}\t", self.ok("wait", newest))
        # The directory goes; the agents stay.
        shutil.rmtree(self.save)
        reviewer = run["branches"][3]["id"]
        for _ in range(5):
            code, out, err = self.outlast("agent", "-r", reviewer[:8], "say again")
            self.assertEqual((code, out.strip()), (0, "again"), err)
            self.assertIn(f"[resume] prefix-matched {reviewer[:8]} → {reviewer}", err)
        self.assertIn("last", self.ok("agent", "-c", "say last"))
        code, _, err = self.outlast("agent", "-r", f"{newest}/i1", "say hi")
        self.assertEqual(code, 0, err)
        code, out, err = self.outlast("agent", "-r", newest, "say the orchestrator")
        self.assertEqual((code, out.strip()), (0, "the orchestrator"), err)

    def test_in_the_foreground(self):
        code, out, err = self.outlast("flow", "demo/plan", "task", "--save", "out")
        self.assertEqual(code, 0, err)
        self.assertIn("  ✓ rv1 done", err)
        self.assertRegex(out, r"═{60}\n  o2 \(i1\)  \[demo/plan\]  deps: o1\n  \d+ms\n═{60}\nA fix for each")
        self.assertRegex(err, r"\n\[orchestrator\] outlast agent -r [0-9a-f-]{36} \"\.\.\.\"\n\[researcher\]      outlast agent -r ")
        self.expect_lines()
        out = json.loads(self.ok("flow", "demo/plan", "task", "--save", "out2", "--output", "json"))
        self.assertEqual([w["id"] for w in out["workers"]], ["o1", "o2", "o3"])
        self.assertEqual(out["status"], "completed")

    def test_a_run_is_joined(self):
        env = {**self.env, "OUTLAST_RUN_ID": "batch-1"}
        self.ok("agent", "demo/fast", "say first", env=env)
        self.start("--plan", self.plan(op("o1", "a", "say x")), env=env)
        self.ended()
        self.until(lambda: self.manifest("batch-1").get("invocations", [{}])[0].get("status") == "completed", 5)
        joined = self.manifest("batch-1")["invocations"][0]
        self.assertEqual((joined["kind"], len(joined["operations"])), ("flow", 1))

    def test_what_is_said_before_anything_runs(self):
        for code, words, message in [
                (1, ["flow", "demo/plan", "x", "--background"], "error: --background requires --save"),
                (1, ["flow", "x y"], "error: model or --agent is required"),
                (2, ["flow", "demo/plan", "x", "--sav", "y"], "did you mean '--save'?"),
                (2, ["flow", "nowhere/model", "x"], "unknown provider"),
                (2, ["flow", "demo/plan", "x", "--cwd", "/no/such"], "--cwd /no/such"),
                (1, ["flow", "demo/fast", "x", "--plan", self.plan(op("o1", "a", "x", "o2"), op("o2", "b", "x", "o1"))], "wait for each other in a circle"),
                (2, ["flow", "--resume", "20200101"], "20200101"),
                (2, ["o", "nothing"], "outlast o flow")]:
            with self.subTest(words=words):
                got, out, err = self.outlast(*words)
                self.assertEqual((got, out), (code, ""), err)
                self.assertIn(message, err)
        self.assertEqual(os.listdir(self.home + "/runs") if os.path.exists(self.home + "/runs") else [], [])

    def test_dry_run_and_graph(self):
        out = self.ok("flow", "demo/plan", "task", "--dry-run", "--show-graph", "--graph-format", "mermaid")
        self.assertTrue(out.startswith("FlowPlan (3 agents, 3 ops, synthesis=False)\n\nAgents:\n  r1: researcher\n    guidance: Scripted plan: keep it short....\n"), out)
        self.assertIn("Model resolution:\n  r1: demo/plan (default)\n", out)
        (flow,) = json.loads(self.ok("ls", "--json"))
        self.assertIn("researcher", self.file("runs", flow["run_id"], "artifacts", "flow_dag.mmd"))
        self.assertEqual(len(json.loads(self.ok("ls", "--json", "--tasks"))), 2, "the flow and its planner")
        self.start("--plan", self.plan(op("o1", "a", "say x")), "--show-graph", "--graph-format", "dot")
        self.ended()
        self.until(lambda: "digraph" in self.made("flow_dag.dot"), 5)

    def test_a_planner_that_answers_badly(self):
        code, out, err = self.outlast("flow", "demo/fast", "say no plan at all")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("error: Orchestrator produced no flow plan.\n", err)
        bad = json.dumps({"agents": [{"id": "../a", "role": "x"}], "operations": [{"id": "o1", "agent_id": "../a", "instruction": "x"}]})
        code, out, err = self.outlast("flow", "demo/fast", "say " + bad)
        self.assertEqual(code, 1)
        self.assertIn("Invalid plan", err)
        self.assertEqual(len(json.loads(self.ok("ls", "--json", "--tasks"))), 2 * 3, "each planner was asked twice, and nothing ran")


class Endings(Flows):
    def test_failures_and_what_depends_on_them(self):
        self.start("--plan", self.plan(op("o1", "a", "error 400"), op("o2", "b", trace("o2"), "o1"),
                                       op("o3", "c", trace("o3"), {"op": "o1", "on_failure": "run-with-error"}), op("o4", "d", trace("o4"))))
        log = self.ended()
        self.assertEqual(sorted(self.traced()), ["o3", "o4"])
        self.assertRegex(log, r"\n  ✗ a FAILED \(\d+\.\ds\)\n")
        self.assertRegex(log, r"\nerror: 2 of 4 operations failed or were not done; o1: .*\nSaved to .*\nTotal: ")
        run = json.loads(self.ok("ls", "--json"))[0]
        self.assertEqual(self.outlast("wait", run["run_id"])[0], 1)
        # Resumed, what failed stays failed; with --retry-failed it is done again, and all behind it.
        self.assertEqual(self.outlast("flow", "--resume", run["run_id"], "--save", self.save)[0], 1)
        self.assertEqual(len(self.traced()), 2)
        self.outlast("flow", "--resume", run["run_id"], "--retry-failed", "--save", self.save)
        self.assertEqual(sorted(self.traced()), ["o3", "o3", "o4"])
        self.assertEqual(sorted(f for f in os.listdir(self.save) if f.startswith("flow.log")), ["flow.log", "flow.log.1", "flow.log.2"])

    def test_killed_and_resumed(self):
        mark, sleep = sleepers()
        run = self.start("--plan", self.plan(op("o1", "a", trace("o1")), op("o2", "b", sleep, "o1"), op("o3", "c", trace("o3"), "o2")))
        self.until(lambda: len(with_argument(mark)) == 2, what="the command")
        self.assertEqual(self.outlast("status", run["run_id"])[0], 3)
        code, out, err = self.outlast("flow", "--resume", run["run_id"])
        self.assertEqual(code, 1)
        self.assertIn("is still running", err)
        code, out, err = self.outlast("flow", "demo/fast", "x", "--save", self.save)
        self.assertEqual(code, 1, "two flows in one directory")
        self.ok("kill", run["run_id"])
        self.assertEqual(with_argument(mark), [])
        code, out, _ = self.outlast("wait", run["run_id"])
        self.assertEqual(code, 1)
        self.assertRegex(out, rf"\A{run['run_id']}\tstatus=cancelled\t")
        self.assertIn("error: the flow was cancelled\n", self.ended())
        # The plan of a resumed flow is the old one; only what was not done is done. The sleep is made short.
        subprocess.run(["sed", "-i", "s/^Total/total/", self.save + "/flow.log"], check=True)
        again = json.loads(self.ok("flow", "--resume", run["run_id"], "--background", "--save", self.save, "--json"))
        self.until(lambda: len(with_argument(mark)) == 2, what="the command, again")
        for pid in with_argument(mark):
            os.kill(pid, signal.SIGKILL)
        self.ended()
        self.assertEqual(self.traced(), ["o1", "o3"])
        self.assertEqual(self.manifest(again["run_id"])["resumes"], run["run_id"])

    def test_a_time_limit_keeps_what_is_done(self):
        code, out, err = self.outlast("flow", "demo/fast", "x", "--save", "out", "--timeout", "1.5", "--plan",
                                      self.plan(op("o1", "a", "say early"), op("o2", "b", "tokens=1000 rate=10", "o1")))
        self.assertEqual(code, 124)
        self.assertIn("error: Flow timed out after 1s\n", err)
        self.assertIn("early", out)

    def test_a_budget_ends_it_resumable(self):
        run = self.start("--max-tokens", "200", "--plan", self.plan(op("o1", "a", trace("o1", "tokens=100")), op("o2", "b", trace("o2"), "o1")))
        self.assertIn("error: the flow's budget of 200 tokens is used up\n", self.ended())
        self.assertEqual(self.traced(), ["o1"])
        self.ok("flow", "--resume", run["run_id"], "--save", self.save)
        self.assertEqual(self.traced(), ["o1", "o2"])

    def two(self):
        return self.plan(op("o1", "a", trace("o1", "tokens=100")), op("o2", "b", trace("o2"), "o1"))

    def price(self, lines="prices:\n  demo/*: {input: 3, output: 15}\n"):
        os.makedirs(self.home, exist_ok=True)
        with open(os.path.join(self.home, "config.yaml"), "w") as f:
            f.write(lines)

    def test_an_operation_may_not_use_more_than_is_left(self):
        run = self.start("--max-tokens", "50", "--plan", self.two())
        self.assertIn("error: the flow's budget of 50 tokens is used up\n", self.ended())
        self.until(lambda: self.manifest(run["run_id"])["status"] == "failed", 5)
        self.assertEqual([o["status"] for o in self.manifest(run["run_id"])["operations"]], ["cancelled", "waiting"], "its second call was one too many")
        self.ok("flow", "--resume", run["run_id"], "--save", self.save)
        self.assertEqual(self.traced()[-1:], ["o2"])

    def test_a_budget_in_money(self):
        self.price()
        run = self.start("--max-cost", "0.002", "--plan", self.two())
        self.assertIn("error: the flow's budget of $0.0020 is used up\n", self.ended())
        self.assertEqual(self.traced(), ["o1"])
        self.until(lambda: self.manifest(run["run_id"])["status"] == "failed", 5)
        usage = json.loads(self.outlast("status", run["run_id"], "--json")[1])["data"]["usage"]
        self.assertAlmostEqual(usage["cost_usd"], (usage["input_tokens"] * 3 + usage["output_tokens"] * 15) / 1e6)
        self.assertEqual(self.manifest(run["run_id"])["usage"]["cost_usd"], usage["cost_usd"])
        self.assertIn(f", ${usage['cost_usd']:.4f}", self.outlast("status", run["run_id"])[1])
        self.ok("flow", "--resume", run["run_id"], "--max-cost", "1", "--save", self.save)
        self.assertEqual(self.traced(), ["o1", "o2"])

    def test_a_budget_in_money_needs_prices(self):
        self.price("prices:\n  demo/plan: {input: 3, output: 15}\n")
        for model, why in (("demo/fast", "what demo/fast costs is not known"), ("codex/gpt-5", "codex does not tell what it costs")):
            code, _, err = self.outlast("flow", model, "task", "--plan", self.two(), "--max-cost", "1", "--save", "out")
            self.assertEqual(code, 2)
            self.assertIn(why, err)
        self.assertEqual(json.loads(self.ok("ls", "--json")), [])
        code, _, err = self.outlast("flow", "demo/plan", "task", "--plan", self.plan(op("o1", "a", "say x"), agents=[{"id": "a", "role": "worker", "model": "demo/fast"}]), "--max-cost", "1")
        self.assertEqual(code, 1)
        self.assertIn("agent 'a': what demo/fast costs is not known", err)
        self.assertEqual(self.outlast("flow", "demo/plan", "task", "--max-cost", "-1")[0], 2)

    def test_promised_files(self):
        os.makedirs(os.path.join(self.work, ".outlast/playbooks"))
        with open(os.path.join(self.work, ".outlast/playbooks/audit.playbook.yaml"), "w") as f:
            f.write("description: audits\nmodel: demo/plan\nargs:\n  module: {type: string, required: true}\nprompt: 'Audit {module}. {input}'\nsave: out\n"
                    "artifacts:\n  expected:\n    - {id: report, path: r1/findings.md, required: true, description: what was found}\n")
        self.ok("play", "audit", "--module", "auth", "be quick")
        run = json.loads(self.ok("ls", "--json"))[0]
        self.assertEqual(self.manifest(run["run_id"])["prompt"], "Audit auth. be quick")
        self.assertEqual(self.outlast("play", "audit")[0], 2, "an argument is missing")
        with open(os.path.join(self.work, ".outlast/playbooks/audit.playbook.yaml"), "a") as f:
            f.write("    - {id: other, path: r1/none.md, required: true, description: never made}\n")
        code, _, err = self.outlast("play", "audit", "--module", "auth")
        self.assertEqual(code, 1)
        self.assertIn("error: promised, but not there: r1/none.md\n", err)


class Parts(Flows):
    def test_agents_remember_and_see_each_others_files(self):
        self.start("--plan", self.plan(op("o1", "a", 'call Write {"file_path": "x.txt", "content": "from a"}\nsay one'),
                                       op("o2", "b", 'call Read {"file_path": "../a/x.txt"}\ncall Read {"file_path": "../../secret"}\nsay two', "o1"), op("o3", "a", "say three", "o2")))
        with open(os.path.join(self.root, "secret"), "w") as f:
            f.write("no agent's business")
        self.ended()
        run = json.loads(self.ok("ls", "--json"))[0]
        self.until(lambda: self.manifest(run["run_id"])["status"] == "completed", 5)
        branches = {b["name"]: b["id"] for b in self.manifest(run["run_id"])["branches"]}
        self.assertEqual(sorted(branches), ["orchestrator", "worker", "worker-2"])
        heard = json.loads(self.file("runs", run["run_id"], "branches", branches["worker"] + ".json"))["messages"]
        self.assertEqual([m["content"] for m in heard if m["role"] == "assistant" and m["content"]], ["one", "three"])
        results = [m["content"] for m in json.loads(self.file("runs", run["run_id"], "branches", branches["worker-2"] + ".json"))["messages"] if m["role"] == "tool"]
        self.assertIn("from a", results[0])
        self.assertNotIn("business", results[1])

    def test_rounds(self):
        verdict = json.dumps({"should_continue": False, "reason": "fine"})
        self.start("--plan", self.plan(op("o1", "a", "say x"), op("k", "judge", "say " + verdict, control=True)))
        log = re.sub(r"\d+\.\ds", "S", self.ended())
        self.assertIn("Executing DAG: 2 agents / 1 ops (1 control)...\n  ▶ a started\n  ✓ a done (S)\nDAG done (S).\nControl [k via judge]: evaluating...\n  ▶ judge started\n"
                      "  ✓ judge done (S)\nControl [k] done (S): continue=False\nSaved to ", log)

    def test_fan_out_with_synthesis(self):
        requests = json.dumps({"requests": [{"instruct": {"instruction": f"say part {i}"}} for i in (1, 2, 3)]})
        code, out, err = self.outlast("fanout", "demo/fast", "say " + requests, "-n", "3", "--with-synthesis", "--synthesis-prompt", "say all of it", "--save", "out")
        self.assertEqual(code, 0, err)
        lines = re.sub(r"\d+\.\ds", "S", err).splitlines()
        self.assertEqual(lines[:9], ["Phase 1: Orchestrator decomposing task into 3 agent requests...", "Phase 1 done (S): 3 requests generated.",
                                     "Phase 2: Fanning out to 3 workers: [demo/fast, demo/fast, demo/fast]", "Phase 2 done (S).",
                                     f"Saved 3 worker results to {os.path.realpath(self.save)}", "Phase 3: Synthesis [demo/fast]...", "Phase 3 done (S).",
                                     f"Saved to {os.path.realpath(self.save)}", "Total: S"])
        self.assertIn("  Worker 2/3  [demo/fast]\n", out)
        self.assertEqual(self.made("worker_2.md"), "part 2\n")
        self.assertEqual(self.made("synthesis.md"), "all of it\n")

    def test_a_team_gets_every_answer(self):
        self.start("--team-mode=crew", "--plan", self.plan(op("o1", "a", "say the first answer"), op("o2", "b", "call team_receive {}\nsay second", "o1")))
        log = self.ended()
        (team,) = json.loads(self.ok("team", "list", "--json"))
        self.assertIn(f"\nTeam 'crew' created ({team['id']})\n", log)
        self.assertEqual(team["members"], ["orchestrator", "worker", "worker-2"])
        mails = json.loads(self.ok("team", "show", "crew", "--json"))["messages"]
        self.assertEqual([(m["from"], m.get("from_op"), m["content"]) for m in mails], [("worker", "o1", "the first answer"), ("worker-2", "o2", "second")])
        self.assertNotIn("woke", log, "what the flow itself tells wakes nobody")

    def test_idle_members_are_woken_by_mail(self):
        """the first answers a letter that came after its work, which wakes the second one in turn"""
        run = self.start("--team-mode=crew", "--with-synthesis", "--plan", self.plan(*[op(*o) for o in self.MAIL]))
        log = re.sub(r"\d+\.\ds", "S", self.ended())
        self.assertIn("  ✓ b done (S)\n↻ team round 1: woke a\n  ▶ a started\n  ✓ a done (S)\n↻ team round 2: woke b\n  ▶ b started\n  ✓ b done (S)\nDAG done (S).\nSynthesis [demo/fast]...\n", log)
        self.assertEqual(self.traced(), ["o1", "o2", "letter"])
        self.until(lambda: self.manifest(run["run_id"])["status"] == "completed", 5)
        self.assertEqual([(o["id"], o["agent_id"], o["status"]) for o in self.manifest(run["run_id"])["operations"]],
                         [("o1", "a", "completed"), ("o2", "b", "completed"), ("@mail1-a", "a", "completed"), ("@mail2-b", "b", "completed")])
        self.assertIn("5 done", self.outlast("status", run["run_id"])[1])
        mails = json.loads(self.ok("team", "show", "crew", "--json"))["messages"]
        self.assertEqual([(m["from"], m["content"], sorted(m["read_by"])) for m in mails if m.get("kind") != "done"],
                         [("worker-2", mails[1]["content"], ["worker"]), ("worker", "say thanks to you", ["worker-2"])])
        branch = next(b["id"] for b in self.manifest(run["run_id"])["branches"] if b["name"] == "worker")
        heard = json.loads(self.file("runs", run["run_id"], "branches", branch + ".json"))["messages"]
        self.assertEqual([m["content"] for m in heard if m["role"] == "assistant" and m["content"]], ["first", "read it"], "one conversation")

    def test_letters_about_letters_end(self):
        """each answers the other's letter, for ever if it could"""
        ping = letter("all", "say pong")
        for _ in range(6):
            ping = letter("all", ping)
        self.start("--team-mode=crew", "--plan", self.plan(op("o1", "a", "say x"), op("o2", "b", ping + "\nsay y", "o1")))
        self.assertEqual(re.findall("↻ team round .*", self.ended()), ["↻ team round 1: woke a", "↻ team round 2: woke b", "↻ team round 3: woke a"])

    def test_a_person_can_wake_a_member(self):
        run = self.start("--team-mode=crew", "--plan", self.plan(op("o1", "a", "say x"), op("o2", "b", "tokens=40 rate=20", "o1")))
        self.until(lambda: "▶ b" in self.log())
        self.ok("team", "send", "say heard you", "-t", "crew", "--to", "worker")
        self.assertIn("↻ team round 1: woke a\n", self.ended())
        self.assertIn("heard you", self.ok("team", "receive", "-t", "crew"))
        self.assertEqual(self.outlast("wait", run["run_id"])[0], 0)

    def test_a_team_that_is_there_is_joined(self):
        self.ok("team", "create", "old", "-m", "me")
        self.start("--team-attach", "old", "--plan", self.plan(op("o1", "a", "say for the old team")))
        self.assertNotIn("Team '", self.ended())
        (mail,) = json.loads(self.ok("team", "receive", "-t", "old", "--as", "me", "--json"))["messages"]
        self.assertEqual((mail["from"], mail["content"]), ("worker", "for the old team"))

    def test_it_is_removed_with_its_operations(self):
        run = self.start("--plan", self.plan(op("o1", "a", "say x"), op("o2", "b", "say y")))
        self.ended()
        self.until(lambda: self.manifest(run["run_id"])["status"] == "completed", 5)
        kept = self.manifest(run["run_id"])["branches"][1]["id"]
        self.ok("agent", "-r", kept, "say more")
        self.ok("rm", run["run_id"])
        left = json.loads(self.ok("ls", "--json", "--tasks", "--all"))
        self.assertEqual({r["session_id"] if "session_id" in r else r["branch_id"] for r in left}, {kept})
        self.assertEqual(len(left), 2)

    def test_profiles_are_roles(self):
        os.makedirs(os.path.join(self.work, ".outlast/agents"))
        with open(os.path.join(self.work, ".outlast/agents/worker.md"), "w") as f:
            f.write("---\nmodel: demo/story\ntools: [Read]\n---\nYou work.\n")
        plan = self.plan(op("o1", "a", "say x"))
        self.assertIn("  a: demo/story (profile)\n", self.ok("flow", "demo/fast", "x", "--plan", plan, "--dry-run"))
        self.assertIn("  a: demo/fast (bare)\n", self.ok("flow", "demo/fast", "x", "--plan", plan, "--dry-run", "--bare"))


class Told(Flows):
    """--notify, --invocation, --project"""

    NOTE = "printf '%s\\n' {status} {invocation_id} {payload} >> told"

    def told(self):
        try:
            with open(os.path.join(self.work, "told")) as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    def test_the_end_is_told_once_with_what_it_was(self):
        run = self.start("--plan", self.plan(op("o1", "a", "say it's done")), "--notify", self.NOTE, "--invocation", "it's $HOME", "--project", "atlas")
        self.until(lambda: len(self.told()) >= 3, 20, "the notification")
        status, invocation, payload = self.told()
        payload = json.loads(payload)
        self.assertEqual((status, invocation), ("completed", "it's $HOME"))
        self.assertEqual({k: payload[k] for k in ("run_id", "kind", "status", "reason", "exit_code", "invocation_id", "project", "artifact_dir")},
                         {"run_id": run["run_id"], "kind": "flow", "status": "completed", "reason": "run.completed.ok", "exit_code": 0, "invocation_id": "it's $HOME", "project": "atlas", "artifact_dir": os.path.realpath(self.save)})
        self.assertGreaterEqual(payload["ended_at"], payload["started_at"])
        manifest = self.manifest(run["run_id"])
        self.assertEqual((manifest["invocation_id"], manifest["project"]), ("it's $HOME", "atlas"))
        self.assertIn("project   atlas\n", self.ok("status", run["run_id"]))
        data = json.loads(self.ok("status", run["run_id"], "--json"))["data"]
        self.assertEqual((data["invocation_id"], data["project"]), ("it's $HOME", "atlas"))
        self.assertEqual(len(json.loads(self.ok("ls", "--json"))), 1, "the command is no run of its own to whoever looks for runs")

    def test_every_kind_of_end_is_told(self):
        plan = self.plan(op("o1", "a", "tokens=4000 rate=20"))
        run = self.start("--plan", plan, "--notify", self.NOTE)["run_id"]
        self.until(lambda: "▶ a" in self.log())
        self.ok("kill", run)
        self.until(lambda: len(self.told()) >= 3, 10, "the notification")
        self.assertEqual(self.told()[0], "cancelled", "a kill ends the flow, and not the word of it")
        # What goes on from it tells its end like the first one, without being asked again.
        code, out, _ = self.outlast("flow", "--resume", run, "--save", "again", "--timeout", "1", "--json")
        self.assertEqual(code, 124)
        self.until(lambda: len(self.told()) >= 6, 10, "the second notification")
        self.assertEqual((self.told()[3], json.loads(self.told()[5])["run_id"]), ("timed_out", json.loads(out)["run_id"]))
        self.ok("fanout", "demo/fast", "say " + json.dumps({"requests": [{"instruct": {"instruction": "say x"}}]}), "-n", "1", "--notify", self.NOTE)
        self.until(lambda: len(self.told()) >= 9, 10, "the third notification")
        self.assertEqual(json.loads(self.told()[8])["kind"], "fanout")

    def test_a_crash_repeats_and_loses_none(self):
        for place in ("end.before_commit:2", "end.after_commit:2", "flow.before_end", "launch.before_commit:2", "launch.after_commit:2", "tool.before_call:1", "tool.after_call:1", "child.after_spawn:1"):
            with self.subTest(place=place):
                before = len(self.told())
                self.save = os.path.join(self.work, "at " + place)
                self.start("--plan", self.plan(op("o1", "a", "say x")), "--notify", self.NOTE, "--invocation", place, env={**self.env, "OUTLAST_FAILPOINT": place})
                self.until(lambda: len(self.told()) >= before + 3, 20, "the notification")
                time.sleep(0.5)
                self.assertEqual(self.told()[before:before + 2], ["completed", place])
                self.assertEqual(len(self.told()), before + 3)

    def test_what_cannot_be_is_refused(self):
        for flags, word in ((("--notify", " "), "--notify"), (("--invocation", ""), "--invocation"), (("--project", "a\nb"), "--project")):
            code, _, err = self.outlast("flow", "demo/plan", "x", "--save", "out", *flags)
            self.assertEqual(code, 2, err)
            self.assertIn(word, err)
        self.assertFalse(os.path.exists(self.save))

    def test_a_dry_run_tells_nobody(self):
        self.ok("flow", "demo/fast", "x", "--plan", self.plan(op("o1", "a", "say x")), "--dry-run", "--notify", self.NOTE)
        time.sleep(1)
        self.assertEqual(self.told(), [])


class Verbose(Flows):
    def test_what_agents_say_and_do_in_place_of_progress_and_result(self):
        code, out, err = self.outlast("flow", "demo/fast", "task", "-v", "--save", "out", "--plan", self.plan(op("o1", "a", 'call Write {"file_path": "x.txt", "content": "x"}\nsay one'), op("o2", "b", "say two", "o1")))
        self.assertEqual((code, out.splitlines()), (0, ["[o1 a] one", "[o2 b] two"]), err)
        self.assertIn("[o1 a] · Write {", err)
        self.assertIn("[o1 a] ✓ Write (", err)
        for absent in ("Planning", "▶", "Total:", "Saved to"):
            self.assertNotIn(absent, err)
        self.assertIn("[worker]      outlast agent -r ", err)
        self.assertIn("Total:", self.log(), "flow.log is what it always is")

    def test_a_failure_is_said(self):
        code, out, err = self.outlast("flow", "demo/fast", "task", "-v", "--plan", self.plan(op("o1", "a", "error 400")))
        self.assertEqual((code, out), (1, ""))
        self.assertIn("error: 1 of 1 operations failed or were not done", err)
        self.assertIn("[o1 a] ✗ ", err)


class Gated(Flows):
    """agents whose tools a person must approve"""

    def setUp(self):
        super().setUp()
        os.makedirs(os.path.join(self.work, ".outlast/agents"))
        with open(os.path.join(self.work, ".outlast/agents/worker.md"), "w") as f:
            f.write("---\nmodel: demo/fast\n---\nYou write.\n")
        self.gated = self.plan(op("o1", "a", 'call Write {"file_path": "x.txt", "content": "x"}\nsay one'), op("o2", "b", "say two"))

    def paused(self):
        return [r for r in json.loads(self.ok("ls", "--json", "--all")) if r["status"] == "PAUSED"]

    def test_status_says_what_waits_and_how_it_is_answered(self):
        run = self.start("--plan", self.gated)["run_id"]
        self.until(lambda: json.loads(self.outlast("status", run, "--json")[1])["data"]["decisions"], 10, "an operation that waits")
        code, out, err = self.outlast("status", run, "--json")
        (decision,) = json.loads(out)["data"]["decisions"]
        self.assertEqual((code, decision["agent"], decision["reason"]), (3, "a", "run.paused.approval"))
        out = self.outlast("status", run)[1]
        self.assertIn(f"waits for a decision: a, run {decision['run_id']}\n", out)
        self.assertIn(f"next      outlast show {decision['run_id']}, then: outlast approve {decision['run_id']}\n", out)
        self.ok("approve", decision["run_id"])
        log = re.sub(r"\d+\.\ds", "S", self.ended())
        self.assertEqual(log.splitlines()[:3] + sorted(log.splitlines()[3:7]), ["Planning DAG...", "Plan done (S): 2 agents, 2 ops — o1:a | o2:b", "Executing DAG: 2 agents / 2 ops...", "  ▶ a started", "  ▶ b started",
                                                          "  ✓ a done (S)", "  ✓ b done (S)"], "the log's lines are what they always are")
        self.assertEqual(self.outlast("wait", run)[0], 0)
        self.assertEqual(json.loads(self.ok("status", run, "--json"))["data"]["decisions"], [])
        self.assertEqual(self.made("a", "x.txt"), "x")

    def test_a_terminal_says_it_too(self):
        approved = []

        def approve(text):
            if not approved and (named := re.search(r"\? outlast approve (\S+) a", text)):
                approved.append(named.group(1))
                self.ok("approve", named.group(1))

        text = self.at_a_terminal("flow", "demo/fast", "task", "--plan", self.gated, "--save", "out", look=approve)
        self.assertIn("waits for a decision", text)
        self.assertTrue(approved)
        self.assertNotIn("approve", self.log())


class AtATerminal(Flows):
    def test_what_runs_stands_below_the_lines_that_stay(self):
        text = self.at_a_terminal("flow", "demo/plan", "task", "--save", "out")
        self.assertRegex(text, "\x1b\\[2m● o2 i1 \\d")
        self.assertRegex(text, "1/3 done")
        self.assertNotIn("\ufffd", text)
        self.assertNotIn("●", self.log(), "the board is for people, not for flow.log")
        self.expect_lines()


class Crashes(Flows):
    OPS = (("o1", "a"), ("o2", "b", "o1"), ("o3", "c", "o1"), ("o4", "a", "o2", "o3"))

    def chain(self, *then):
        return self.plan(*[op(id_, agent, trace(id_, *then, f"say {id_}"), *deps) for id_, agent, *deps in self.OPS])

    def expect_all_once(self, run_id):
        log = self.ended()
        self.assertEqual(sorted(self.traced()), ["o1", "o2", "o3", "o4"])
        self.until(lambda: self.manifest(run_id)["status"] == "completed", 5)
        self.assertEqual(self.outlast("status", run_id)[0], 0)
        self.assertEqual((log.count("▶"), log.count("✓"), log.count("✗"), log.count("Total:")), (4, 4, 0, 1), log)

    def test_killed_at_every_place(self):
        places = [f"flow.after_launch:{n}" for n in (1, 2, 3, 4)] + ["flow.before_end", "end.before_commit:2", "end.after_commit:2", "tool.after_call:2", "child.after_spawn:3",
                  "model.before_call:3", "append.after_commit:9"]
        for place in places:
            self.expect_survived(place, self.chain(), 2 if place != "child.after_spawn:3" else 1)

    def test_killed_while_its_files_are_written(self):
        # files follow the log: each operation waits, so that a slow writer cannot have its second write after the end
        for place in ("flow_log.after_write:2", "projection.after_write:2"):
            self.expect_survived(place, self.chain("call Bash " + json.dumps({"command": "sleep 0.5"})), 2)

    def expect_survived(self, place, plan, attempts):
        with self.subTest(place=place):
            self.save = os.path.join(self.work, "at " + place)
            run = self.start("--plan", plan, env={**self.env, "OUTLAST_FAILPOINT": place})
            self.expect_all_once(run["run_id"])
            self.assertGreater(self.manifest(run["run_id"])["attempt"], attempts, "nothing was killed")

    def test_killed_while_members_are_woken(self):
        for place in ("flow.after_launch:3", "flow.after_launch:4", "launch.before_commit:4", "tool.after_call:3", "tool.before_call:4", "append.after_commit:16", "flow.before_end"):
            with self.subTest(place=place):
                self.save = os.path.join(self.work, "at " + place)
                run = self.start("--team-mode=" + place, "--plan", self.plan(*[op(*o) for o in self.MAIL]), env={**self.env, "OUTLAST_FAILPOINT": place})
                log = self.ended()
                self.assertEqual(self.traced(), ["o1", "o2", "letter"])
                self.assertEqual(re.findall("↻ team round .*", log), ["↻ team round 1: woke a", "↻ team round 2: woke b"])
                self.assertEqual((log.count("▶"), log.count("✓"), log.count("Total:")), (4, 4, 1), log)
                letters = [m["content"] for m in json.loads(self.ok("team", "show", place, "--json"))["messages"] if m.get("kind") != "done"]
                self.assertEqual(len(letters), 2, letters)
                self.until(lambda: self.manifest(run["run_id"])["status"] == "completed", 5)
                self.assertGreater(self.manifest(run["run_id"])["attempt"], 2, "nothing was killed")

    def test_killed_between_its_end_and_its_last_file_the_files_are_completed(self):
        run = self.start("--plan", self.chain(), env={**self.env, "OUTLAST_FAILPOINT": "projection.after_write:4"})
        self.expect_all_once(run["run_id"])
        manifest = self.manifest(run["run_id"])
        for branch in manifest["branches"][1:]:
            with open(os.path.join(self.home, "runs", run["run_id"], "branches", branch["id"] + ".json")) as f:
                self.assertEqual(json.load(f)["metadata"]["status"], "COMPLETED", branch)

    def test_killed_with_its_supervisor_another_goes_on(self):
        run = self.start("--plan", self.plan(op("o1", "a", trace("o1")), op("o2", "b", "tokens=30 rate=20", "o1"), op("o3", "c", trace("o3"), "o2")))
        self.until(lambda: "o1" in self.traced())
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.until(lambda: not self.processes(), 10, "their deaths")
        self.ok("resume", "--all")
        self.ended()
        self.assertEqual(self.traced(), ["o1", "o3"])


if __name__ == "__main__":
    unittest.main()
