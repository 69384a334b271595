"""The command line from outside: the real binary (OUTLAST_BIN) on a temporary home, with the scripted demo provider.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_cli.py

Standard library only. Ends only processes that it started: those that have its temporary home in their environment."""
import json, os, pty, re, select, signal, shutil, stat, subprocess, sys, tempfile, time, unittest

BIN = os.path.abspath(os.environ.get("OUTLAST_BIN", "build/release/outlast"))
RUN_ID = re.compile(r"^\d{8}T\d{6}-[0-9a-f]{12}$")
UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


def words(n):
    return "".join(f"w{i} " for i in range(n)).strip()


def supervisor_of(pid):
    with open(f"/proc/{pid}/stat") as f:
        return int(f.read().rpartition(")")[2].split()[1])


class Home(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="outlast-cli-")
        self.home = os.path.join(self.root, "home")
        self.work = os.path.join(self.root, "work")
        os.mkdir(self.work)
        self.env = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_BASE_URL", "_RUN_ID"))}
        self.env.update(OUTLAST_HOME=self.home, HOME=self.root, TERM="xterm")

    def tearDown(self):
        for _ in range(5):
            left = self.processes()
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not left:
                break
            time.sleep(0.05)
        shutil.rmtree(self.root, ignore_errors=True)

    def processes(self):
        """the live processes that were started on this test's home"""
        mark, found = f"OUTLAST_HOME={self.home}".encode(), []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if mark in f.read().split(b"\0") and int(pid) != os.getpid():
                        found.append(int(pid))
            except OSError:
                continue
        return found

    def outlast(self, *args, seconds=40, env=None, cwd=None, stdin=None):
        p = subprocess.run([BIN, *args], env=env or self.env, cwd=cwd or self.work, capture_output=True, text=True, timeout=seconds,
                           input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL)
        return p.returncode, p.stdout, p.stderr

    def ok(self, *args, **more):
        code, out, err = self.outlast(*args, **more)
        self.assertEqual(code, 0, (args, out[-500:], err[-500:]))
        return out

    def background(self, prompt, *flags, model="demo/fast", **more):
        return json.loads(self.ok("agent", model, prompt, "--background", "--json", *flags, **more))

    def show(self, run_id):
        return json.loads(self.ok("show", run_id, "--json"))

    def events(self, run_id, *flags):
        return [json.loads(line) for line in self.ok("logs", run_id, "--json", *flags).splitlines()]

    def until(self, true, seconds=15, what="it"):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if true():
                return
            time.sleep(0.02)
        self.fail(f"{what} did not happen in {seconds} s")

    def file(self, *parts):
        with open(os.path.join(self.home, *parts), encoding="utf-8") as f:
            return f.read()

    def manifest(self, run_id):
        return json.loads(self.file("runs", run_id, "run.json"))


class Surface(Home):
    def test_version_says_what_demo_is(self):
        out = self.ok("--version")
        self.assertRegex(out.splitlines()[0], r"^outlast \d+\.\d+\.\d+")
        self.assertIn("scripted", out)
        self.assertIn("version", json.loads(self.ok("--version", "--json")))

    def test_help_lists_every_command_and_each_explains_itself(self):
        out = self.ok("--help")
        for command in ("agent", "run", "flow", "fanout", "play", "chat", "ls", "show", "status", "monitor", "logs", "attach", "wait", "cancel", "kill", "approve", "fork", "resume", "rm", "check", "serve", "doctor", "completion"):
            self.assertRegex(out, rf"(?m)^  {command} +\S")
            self.assertIn(f"Usage: outlast {command}", self.ok(command, "--help"))
            self.assertEqual(self.ok("help", command), self.ok(command, "--help"))

    def test_unknown_command_and_option_are_usage_errors_with_a_guess(self):
        code, out, err = self.outlast("agnet", "x")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("did you mean 'agent'?", err)
        self.assertTrue(err.startswith("error: "))
        code, out, err = self.outlast("ls", "--jsn")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("did you mean '--json'?", err)
        self.assertEqual(self.outlast()[0], 2)

    def test_usage_errors_of_agent_keep_their_texts(self):
        cases = {("agent", "hello"): "error: model or --agent is required unless --resume / -r or --continue-last / -c is set",
                 ("agent", "-r", "x", "-c", "hello"): "error: --resume / -r and --continue-last / -c are mutually exclusive."}
        for args, text in cases.items():
            code, out, err = self.outlast(*args)
            self.assertEqual((code, out, err), (1, "", text + "\n"))

    def test_bad_input_is_refused_before_anything_is_written(self):
        cases = [(("agent",), 2, "a prompt is required"), (("agent", "demo/story"), 2, "after the model"), (("agent", "nope/x", "hi"), 2, "unknown provider 'nope'"),
                 (("agent", "gemini-code/x-low", "hi"), 2, "does not support effort levels"), (("agent", "demo/fast", " "), 2, "prompt is empty"),
                 (("agent", "demo/fast", "hi", "--cwd", "/nowhere"), 2, "--cwd /nowhere"), (("agent", "demo/fast", "hi", "--tools", "Raed"), 2, "did you mean 'Read'?"),
                 (("agent", "demo/fast", "hi", "--effort", "huge"), 2, "--effort huge"), (("agent", "demo/fast", "hi", "--timeout", "0"), 2, "--timeout"),
                 (("agent", "-a", "ghost", "hi"), 2, "Agent profile 'ghost' not found"), (("agent", "openai/gpt-5.1", "hi"), 78, "OPENAI_API_KEY"),
                 (("agent", "-r", "b7f2a1", "hi"), 2, "No branch log found for id 'b7f2a1'"), (("agent", "-c", "hi"), 2, "No last-branch pointer at"),
                 (("agent", "demo/fast", "tell", "me"), 2, "in quotes"), (("ls", "-n", "0"), 2, "-n"), (("ls", "--status", "odd"), 2, "--status odd"),
                 (("show", "zzzz"), 2, "zzzz"), (("logs", "zzzz"), 2, "zzzz"), (("fork", "a@b"), 2, "RUN@EVENT"), (("resume",), 2, "--all")]
        for args, code, text in cases:
            with self.subTest(args=args):
                got, out, err = self.outlast(*args)
                self.assertEqual((got, out), (code, ""), err)
                self.assertTrue(err.startswith("error: "), err)
                self.assertIn(text, err)
        self.assertEqual(json.loads(self.ok("ls", "--json")), [])
        self.assertFalse(os.path.exists(os.path.join(self.home, "runs")))

    def test_unusable_home_is_78(self):
        blocked = os.path.join(self.root, "file")
        open(blocked, "w").close()
        env = dict(self.env, OUTLAST_HOME=blocked + "/home")
        for args in (("ls",), ("agent", "demo/fast", "hi"), ("wait", "x")):
            code, out, err = self.outlast(*args, env=env)
            self.assertEqual((code, out), (78, ""), err)
            self.assertIn("OUTLAST_HOME", err)

    def test_closed_and_full_outputs_are_said(self):
        with open("/dev/full", "w") as full:
            p = subprocess.run([BIN, "--help"], env=self.env, stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(p.returncode, 1)
        self.assertIn("cannot be written", p.stderr)
        p = subprocess.run(["sh", "-c", f'"{BIN}" ls <&- >&- 2>&-'], env=self.env)
        self.assertEqual(p.returncode, 0)

    def test_doctor(self):
        report = json.loads(self.ok("doctor", "--json"))
        self.assertTrue(report["ok"])
        self.assertEqual({c["name"] for c in report["checks"]} >= {"home", "writable", "disk", "inotify", "database", "config"}, True)
        demo = next(p for p in report["providers"] if p["name"] == "demo")
        self.assertTrue(demo["usable"] and "scripted" in demo["detail"])
        env = dict(self.env, OPENAI_API_KEY="sk-very-secret")
        out = self.ok("doctor", "--json", env=env) + self.ok("doctor", env=env)
        self.assertIn("OPENAI_API_KEY", out)
        self.assertNotIn("sk-very-secret", out)
        blocked = os.path.join(self.root, "file")
        open(blocked, "w").close()
        code, out, _ = self.outlast("doctor", "--json", env=dict(self.env, OUTLAST_HOME=blocked))
        self.assertEqual((code, json.loads(out)["ok"]), (1, False))

    def test_completion_knows_every_option(self):
        scripts = {shell: self.ok("completion", shell) for shell in ("bash", "zsh", "fish")}
        for command in re.findall(r"(?m)^  ([a-z]+) {2,}", self.ok("--help")):
            for option in re.findall(r"(?m)^  (?:-\w,)?--([a-z-]+)", self.ok(command, "--help")):
                if option == "help":
                    continue
                self.assertIn(f"--{option}", scripts["bash"].split(f" {command}) options=")[1].split("\n")[0] if command != "completion" else "--" + option)
                self.assertRegex(scripts["fish"], rf"__fish_seen_subcommand_from {command}' -l {option}\b")
                self.assertRegex(scripts["zsh"], rf"(?m)^    {command}\)\n.*--{option}\b")
        self.assertEqual(self.outlast("completion", "tcsh")[0], 2)
        for shell in ("bash", "zsh", "fish"):
            if shutil.which(shell):
                checked = subprocess.run([shell, "-n"], input=scripts[shell], text=True, capture_output=True)
                self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_bash_completion_completes_ids(self):
        run = self.background("tokens=3")
        script = self.ok("completion", "bash")
        ask = 'COMP_WORDS=(outlast show 2); COMP_CWORD=2; _outlast; echo "${COMPREPLY[@]}"'
        env = dict(self.env, PATH=os.path.dirname(BIN) + ":" + self.env["PATH"])
        if os.path.basename(BIN) != "outlast":
            self.skipTest("the binary has another name")
        out = subprocess.run(["bash", "-c", script + ask], env=env, capture_output=True, text=True).stdout
        self.assertIn(run["run_id"], out)


class Runs(Home):
    def test_piped_foreground_run_prints_exactly_the_result(self):
        code, out, err = self.outlast("agent", "demo/fast", "tokens=30")
        self.assertEqual((code, out.strip()), (0, words(30)))
        self.assertRegex(err.splitlines()[-1], r'^\[to resume\] outlast agent -r [0-9a-f-]{36} "\.\.\."$')

    def test_foreground_json_is_one_object(self):
        result = json.loads(self.ok("agent", "demo/fast", "tokens=5", "--json"))
        self.assertEqual((result["status"], result["reason"], result["content"].strip()), ("COMPLETED", "run.completed.ok", words(5)))
        self.assertRegex(result["run_id"], RUN_ID)
        self.assertRegex(result["branch_id"], UUID)
        self.assertGreater(result["usage"]["output_tokens"], 0)

    def test_flags_anywhere_and_dashes_end_them(self):
        self.assertIn("w2", self.ok("agent", "--json", "demo/fast", "--effort=low", "tokens=3"))
        self.assertIn("--json", self.ok("agent", "demo/fast", "--", "say --json"))
        self.assertIn("[a,b]", self.ok("agent", "demo/fast", "say [a,b]"))
        self.assertIn("from stdin", self.ok("agent", "demo/fast", "-", stdin="say from stdin"))

    def test_background_run_is_durable_and_ends_by_itself(self):
        run = self.background("tokens=100 rate=100")
        self.assertEqual(set(run), {"run_id", "branch_id", "pid", "status", "run_dir"})
        self.assertRegex(run["run_id"], RUN_ID)
        self.assertEqual(os.getsid(run["pid"]), supervisor_of(run["pid"]), "a session of their own")
        self.assertEqual(self.manifest(run["run_id"])["status"], "running")
        self.assertIn("* " + run["run_id"], self.ok("ls"))
        code, out, _ = self.outlast("wait", run["run_id"][:20])
        directory = os.path.join(self.home, "runs", run["run_id"])
        self.assertEqual(code, 0)
        self.assertEqual(out, f"{run['run_id']}\tstatus=completed\treason=run.completed.ok\tartifact_dir={directory}/artifacts\texit_code=0\n")
        self.assertEqual(self.show(run["run_id"])["attempts"], 1)

    def test_background_in_words(self):
        code, out, err = self.outlast("agent", "demo/fast", "tokens=3", "--background")
        self.assertEqual(code, 0)
        run_id = re.search(r"\d{8}T\d{6}-[0-9a-f]{12}", out)[0]
        self.assertIn(f"outlast logs -f {run_id}", out)
        self.assertIn("[to resume] outlast agent -r ", err)

    def test_logs_are_dense_and_follow_ends_with_the_run(self):
        run = self.background("tokens=60 rate=60")
        follower = subprocess.Popen([BIN, "logs", run["run_id"], "-f", "--json"], env=self.env, stdout=subprocess.PIPE, text=True)
        live = [json.loads(line) for line in follower.communicate(timeout=30)[0].splitlines()]
        self.assertEqual(follower.returncode, 0)
        self.assertEqual([e["event_index"] for e in live], list(range(len(live))))
        self.assertEqual(live, self.events(run["run_id"]))
        self.assertEqual((live[0]["type"], live[-1]["type"]), ("run_started", "run_completed"))
        self.assertEqual(self.events(run["run_id"], "--from", "10"), live[10:])
        self.assertEqual(len(self.ok("logs", run["run_id"]).splitlines()), len(live))
        self.assertEqual(self.ok("logs", run["run_id"], "-f", "--from", "9999"), "")

    def test_list_show_and_prefixes(self):
        first, second = self.background("tokens=3"), self.background("say second words")
        self.ok("wait", first["run_id"], second["run_id"])
        listed = json.loads(self.ok("ls", "--json"))
        self.assertEqual([r["run_id"] for r in listed], [second["run_id"], first["run_id"]])
        self.assertEqual(set(listed[0]), {"run_id", "status", "reason", "note", "kind", "agent", "model", "session_id", "created_at", "updated_at", "ended_at", "event_count"})
        self.assertEqual(len(json.loads(self.ok("ls", "--json", "-n", "1"))), 1)
        self.assertEqual(json.loads(self.ok("ls", "--json", "--status", "running")), [])
        self.assertEqual([r["run_id"] for r in json.loads(self.ok("ls", "--json", "--session", first["branch_id"][:8]))], [first["run_id"]])
        shown = json.loads(self.ok("show", second["branch_id"][:10], "--json"))
        self.assertEqual((shown["run_id"], shown["content"], shown["prompt"]), (second["run_id"], "second words", "say second words"))
        self.assertIn("second words", self.ok("show", second["run_id"]))
        code, _, err = self.outlast("show", first["run_id"][:6])
        self.assertEqual(code, 2)
        self.assertIn("ambiguous", err)
        self.assertIn(first["run_id"], err)
        self.assertIn("second words", self.ok("attach", second["run_id"]))

    def test_failed_and_empty_and_timed_out_runs_have_their_codes(self):
        code, out, err = self.outlast("agent", "demo/fast", "error 401")
        self.assertEqual(code, 1)
        self.assertIn("error: ", err)
        code, out, err = self.outlast("agent", "demo/fast", "tokens=0")
        self.assertEqual((code, out), (1, ""), err)
        began = time.monotonic()
        code, out, err = self.outlast("agent", "demo/fast", "tokens=1000 rate=10", "--timeout", "1.5")
        self.assertEqual(code, 124, err)
        self.assertLess(time.monotonic() - began, 10)
        self.assertIn("w3", out, "what there was is kept")
        run_id = json.loads(self.ok("ls", "--json", "-n", "1"))[0]["run_id"]
        self.assertIn("status=timed_out\treason=run.timed_out.deadline", self.outlast("wait", run_id)[1])
        self.assertEqual(self.manifest(run_id)["exit_code"], 124)

    def test_wait_codes(self):
        good, bad, slow = self.background("tokens=3"), self.background("error 401"), self.background("tokens=1000 rate=10")
        self.assertEqual(self.outlast("wait", good["run_id"], bad["run_id"])[0], 1)
        code, out, _ = self.outlast("wait", good["run_id"], "zzzz")
        self.assertEqual((code, out.count("status=completed")), (2, 1))
        code, out, err = self.outlast("wait", slow["run_id"], "--timeout", "0.3")
        self.assertEqual((code, out), (3, ""), err)
        self.assertEqual(json.loads(self.ok("wait", good["run_id"], "--json"))["status"], "COMPLETED")

    def test_cancel_ends_the_run_and_says_so(self):
        run = self.background("tokens=1000 rate=20")
        self.until(lambda: len(self.events(run["run_id"])) > 5)
        self.assertEqual(self.ok("cancel", run["run_id"]), f"{run['run_id']}  CANCELLED\n")
        shown = self.show(run["run_id"])
        self.assertEqual((shown["status"], shown["reason"]), ("CANCELLED", "run.cancelled.manual_kill"))
        self.assertIn("w1", shown["content"])
        self.assertEqual(self.outlast("wait", run["run_id"])[0], 1)
        self.assertEqual(json.loads(self.ok("cancel", run["run_id"], "--json"))["outcome"], "cancelled")
        self.until(lambda: self.manifest(run["run_id"])["status"] == "cancelled")
        done = self.background("tokens=1")
        self.ok("wait", done["run_id"])
        self.assertEqual(self.outlast("cancel", done["run_id"])[0], 1)

    def test_sigterm_to_the_executor_cancels(self):
        run = self.background("tokens=1000 rate=20")
        os.kill(run["pid"], signal.SIGHUP)
        os.kill(run["pid"], signal.SIGTERM)
        self.assertIn("status=cancelled", self.outlast("wait", run["run_id"])[1])
        self.assertEqual(self.manifest(run["run_id"])["exit_code"], 143)

    def test_rm_removes_finished_runs_only(self):
        run = self.background("tokens=1000 rate=20")
        code, _, err = self.outlast("rm", run["run_id"])
        self.assertEqual(code, 1)
        self.assertIn("--force", err)
        self.ok("rm", "--force", run["run_id"])
        self.assertEqual(self.outlast("show", run["run_id"])[0], 2)
        time.sleep(0.5)
        self.assertEqual(os.listdir(os.path.join(self.home, "runs")), [])

    def test_tools_are_confined_and_listed(self):
        with open(os.path.join(self.work, "hello.txt"), "w") as f:
            f.write("hello from a file\n")
        out = self.ok("agent", "demo/tools", "look", "-v")
        self.assertIn("Glob", out)
        run_id = json.loads(self.ok("ls", "--json"))[0]["run_id"]
        self.assertEqual(self.show(run_id)["tools"], ["Read", "Glob", "Grep"])
        self.assertEqual(self.show(run_id)["tool_calls"], 2)
        prompt = 'call Write {"file_path": "new.txt", "content": "x"}\nsay done'
        self.ok("agent", "demo/fast", prompt)
        self.assertFalse(os.path.exists(os.path.join(self.work, "new.txt")))
        self.ok("agent", "demo/fast", prompt, "--yolo")
        self.assertTrue(os.path.exists(os.path.join(self.work, "new.txt")))


class Branches(Home):
    def run_of(self, *args):
        return json.loads(self.ok("agent", *args, "--json"))

    def messages(self, run):
        return json.loads(self.file("runs", run["run_id"], "branches", run["branch_id"] + ".json"))["messages"]

    def test_resume_by_prefix_keeps_the_branch_and_its_settings(self):
        first = self.run_of("demo/fast", "say one", "--system", "Be brief", "--tools", "Grep")
        code, out, err = self.outlast("agent", "-r", first["branch_id"][:8], "say two", "--json")
        self.assertIn(f"[resume] prefix-matched {first['branch_id'][:8]} → {first['branch_id']}", err)
        second = json.loads(out)
        self.assertEqual(second["branch_id"], first["branch_id"])
        self.assertNotEqual(second["run_id"], first["run_id"])
        self.assertEqual([(m["role"], m["content"]) for m in self.messages(second)],
                         [("user", "say one"), ("assistant", "one"), ("user", "say two"), ("assistant", "two")])
        self.assertEqual((self.show(second["run_id"])["tools"], self.show(second["run_id"])["model"]), (["Grep"], "demo/fast"))
        third = self.run_of("-r", second["run_id"], "demo/story", "say three")
        self.assertEqual((third["branch_id"], self.show(third["run_id"])["model"]), (first["branch_id"], "demo/story"))
        self.assertEqual(json.loads(self.file("runs", third["run_id"], "branches", third["branch_id"] + ".json"))["system"], "Be brief")
        # A prefix works any number of times (R12).
        self.assertEqual(self.run_of("-r", first["branch_id"][:8], "say four")["branch_id"], first["branch_id"])

    def test_continue_last_is_per_project_then_global(self):
        other = os.path.join(self.root, "other")
        os.makedirs(os.path.join(other, ".git"))
        os.makedirs(os.path.join(other, "deep"))
        here = self.run_of("demo/fast", "say here")
        there = json.loads(self.ok("agent", "demo/fast", "say there", "--json", cwd=other))
        self.assertEqual(self.run_of("-c", "say more")["branch_id"], here["branch_id"])
        inner = json.loads(self.ok("agent", "-c", "say more", "--json", cwd=os.path.join(other, "deep")))
        self.assertEqual(inner["branch_id"], there["branch_id"])
        elsewhere = json.loads(self.ok("agent", "-c", "say more", "--json", cwd="/"))
        self.assertEqual(elsewhere["branch_id"], there["branch_id"])
        pointer = json.loads(self.file("last_branch.json"))
        self.assertEqual(pointer["run_id"], elsewhere["run_id"])

    def test_a_live_branch_is_not_resumed(self):
        run = self.background("tokens=1000 rate=20")
        code, out, err = self.outlast("agent", "-r", run["branch_id"], "say more")
        self.assertEqual((code, out), (1, ""))
        self.assertIn(run["run_id"], err)
        self.assertIn("outlast attach", err)
        self.assertEqual(len(json.loads(self.ok("ls", "--json"))), 1)

    def test_only_one_of_many_legs_at_once_runs(self):
        first = self.run_of("demo/fast", "say one")
        legs = [subprocess.Popen([BIN, "agent", "-r", first["branch_id"], "tokens=40 rate=20", "--background", "--json"], env=self.env, cwd=self.work,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(5)]
        codes = sorted((leg.communicate(timeout=60), leg.returncode)[1] for leg in legs)
        self.assertEqual(codes, [0, 1, 1, 1, 1])
        self.assertEqual(len(json.loads(self.ok("ls", "--json"))), 2)

    def test_fork_remembers_up_to_an_event(self):
        first = self.run_of("demo/fast", "say one")
        second = self.run_of("-r", first["branch_id"], "say two")
        whole = json.loads(self.ok("fork", first["run_id"], "--json"))
        forked = self.run_of("-r", whole["branch_id"], "say other")
        self.assertEqual([m["content"] for m in self.messages(forked)], ["say one", "one", "say other", "other"])
        part = self.ok("fork", second["run_id"] + "@1").strip()
        forked = self.run_of("-r", part, "say cut")
        self.assertEqual([m["content"] for m in self.messages(forked)], ["say one", "one", "say two", "say cut", "cut"])
        self.assertEqual(self.outlast("fork", second["run_id"] + "@999")[0], 2)

    def test_profile_gives_model_prompt_and_tools(self):
        os.makedirs(os.path.join(self.work, ".outlast/agents"))
        with open(os.path.join(self.work, ".outlast/agents/critic.md"), "w") as f:
            f.write("---\nmodel: demo/fast\ntools: [Read]\n---\nYou are a critic.\n")
        run = self.run_of("-a", "critic", "say harsh")
        shown = self.show(run["run_id"])
        self.assertEqual((shown["agent"], shown["model"], shown["tools"]), ("critic", "demo/fast", ["Read"]))
        snapshot = json.loads(self.file("runs", run["run_id"], "branches", run["branch_id"] + ".json"))
        self.assertEqual(snapshot["system"].strip(), "You are a critic.")

    def test_a_gated_tool_waits_for_a_decision(self):
        os.makedirs(os.path.join(self.work, ".outlast/agents"))
        with open(os.path.join(self.work, ".outlast/agents/writer.md"), "w") as f:
            f.write("---\nmodel: demo/fast\n---\nYou write.\n")
        prompt = 'call Write {"file_path": "new.txt", "content": "x"}\nsay done'
        for reject in (True, False):
            code, out, err = self.outlast("agent", "-a", "writer", prompt)
            self.assertEqual(code, 3, err)
            self.assertIn("outlast approve", err)
            run_id = json.loads(self.ok("ls", "--json"))[0]["run_id"]
            self.assertEqual(self.show(run_id)["status"], "PAUSED")
            self.assertIn("Write", self.ok("approve", run_id, *(["--reject", "--note", "not now"] if reject else [])))
            self.assertEqual(self.outlast("wait", run_id)[0], 0)
            self.assertEqual(self.show(run_id)["content"], "done")
            self.assertEqual(os.path.exists(os.path.join(self.work, "new.txt")), not reject)
            self.assertEqual(self.outlast("approve", run_id)[0], 1)
            stream = [json.loads(line) for line in self.file("runs", run_id, "stream", os.listdir(os.path.join(self.home, "runs", run_id, "stream"))[0]).splitlines()]
            self.assertEqual([line["event_index"] for line in stream], list(range(len(stream))))


class Directory(Home):
    def stream(self, run, directory=None):
        text = self.file("runs", directory or run["run_id"], "stream", run["branch_id"] + ".buffer.jsonl")
        return [json.loads(line) for line in text.splitlines()]

    def test_files_of_a_finished_run(self):
        run = self.background('call Glob {"pattern": "*"}\nthinking 3\ntokens=5')
        self.ok("wait", run["run_id"])
        self.until(lambda: self.manifest(run["run_id"])["status"] == "completed")
        manifest = self.manifest(run["run_id"])
        for key in ("run_id", "kind", "status", "reason", "exit_code", "state_root", "artifact_root", "command", "cwd", "host", "pid", "pid_start_time",
                    "boot_id", "prompt", "model_spec", "model", "provider", "branches", "started_at", "ended_at"):
            self.assertIn(key, manifest)
        self.assertEqual(manifest["command"][:2], ["outlast", "agent"])
        self.assertEqual([b["id"] for b in manifest["branches"]], [run["branch_id"]])
        self.assertIn('\n  "run_id"', self.file("runs", run["run_id"], "run.json"))
        lines = self.stream(run)
        self.assertEqual([line["event_index"] for line in lines], list(range(len(self.events(run["run_id"])))))
        self.assertEqual({line["type"] for line in lines}, {"system", "thinking", "text", "tool_use", "tool_result", "result"})
        use = next(line for line in lines if line["type"] == "tool_use")
        self.assertEqual((use["tool_name"], use["tool_input"]), ("Glob", {"pattern": "*"}))
        self.assertEqual(lines[0]["metadata"]["session_id"], run["branch_id"])
        roles = [m["role"] for m in json.loads(self.file("runs", run["run_id"], "branches", run["branch_id"] + ".json"))["messages"]]
        self.assertEqual(roles, ["user", "assistant", "tool", "assistant"])
        self.assertEqual(os.listdir(os.path.join(self.home, "runs")), [run["run_id"]])
        for at, directories, files in os.walk(os.path.join(self.home, "runs")):
            for name in directories:
                self.assertEqual(stat.S_IMODE(os.stat(os.path.join(at, name)).st_mode), 0o700)
            for name in files:
                self.assertEqual(stat.S_IMODE(os.stat(os.path.join(at, name)).st_mode), 0o600, name)

    def test_the_newest_directory_is_the_newest_run(self):
        slow = self.background("tokens=20 rate=20")
        time.sleep(0.05)
        quick = self.background("tokens=1")
        self.ok("wait", quick["run_id"], slow["run_id"])
        self.until(lambda: self.manifest(slow["run_id"])["status"] == "completed")
        newest = max(os.listdir(os.path.join(self.home, "runs")), key=lambda d: os.stat(os.path.join(self.home, "runs", d)).st_mtime_ns)
        self.assertEqual(newest, quick["run_id"])

    def test_a_joined_run_adds_itself(self):
        first = self.background("tokens=5")
        self.ok("wait", first["run_id"])
        self.until(lambda: self.manifest(first["run_id"])["status"] == "completed")
        second = self.background("say joined", env=dict(self.env, OUTLAST_RUN_ID=first["run_id"]))
        self.ok("wait", second["run_id"])
        self.until(lambda: self.manifest(first["run_id"])["invocations"][0]["status"] == "completed")
        manifest = self.manifest(first["run_id"])
        self.assertEqual((manifest["prompt"], manifest["status"]), ("tokens=5", "completed"))
        self.assertEqual([i["run_id"] for i in manifest["invocations"]], [second["run_id"]])
        self.assertEqual([b["id"] for b in manifest["branches"]], [first["branch_id"], second["branch_id"]])
        self.assertEqual(self.stream(second, first["run_id"])[-1]["content"], "joined")
        self.assertEqual(os.listdir(os.path.join(self.home, "runs")), [first["run_id"]])
        made = self.background("say made", env=dict(self.env, LIONAGI_RUN_ID="my-group"))
        self.assertEqual(made["run_id"], "my-group")
        third = self.background("say third", env=dict(self.env, LIONAGI_RUN_ID="my-group"))
        self.ok("wait", "my-group", third["run_id"])
        self.until(lambda: self.manifest("my-group").get("invocations", [{}])[0].get("status") == "completed")
        code, out, err = self.outlast("agent", "demo/fast", "hi", env=dict(self.env, OUTLAST_RUN_ID="../evil"))
        self.assertEqual((code, out), (2, ""))
        self.assertIn("OUTLAST_RUN_ID", err)

    def test_a_killed_executor_is_started_again_by_its_supervisor(self):
        run = self.background("tokens=60 rate=20")
        self.until(lambda: len(self.events(run["run_id"])) > 8)
        before = self.events(run["run_id"])
        os.kill(run["pid"], signal.SIGKILL)
        self.until(lambda: len(self.events(run["run_id"])) > len(before) + 5)  # nobody looks after it
        self.assertEqual(self.ok("wait", run["run_id"]).split("\t")[0], run["run_id"])
        self.assertEqual(self.show(run["run_id"])["content"].strip(), words(60))

    def test_an_executor_and_its_supervisor_are_replaced_and_nothing_is_told_twice(self):
        run = self.background("tokens=60 rate=20")
        self.until(lambda: len(self.events(run["run_id"])) > 8)
        before = self.events(run["run_id"])
        os.kill(supervisor_of(run["pid"]), signal.SIGKILL)
        os.kill(run["pid"], signal.SIGKILL)
        self.until(lambda: json.loads(self.ok("ls", "--json"))[0]["note"] == "waiting for an executor")
        self.assertIn("! " + run["run_id"], self.ok("ls"))
        path = os.path.join(self.home, "runs", run["run_id"], "stream", run["branch_id"] + ".buffer.jsonl")
        with open(path, "ab") as f:
            f.write(b'{"event_index":999,"run_id":"torn')
        code, out, err = self.outlast("wait", run["run_id"])
        self.assertEqual(code, 0, err)
        self.assertIn("another one goes on", err)
        after = self.events(run["run_id"])
        self.assertEqual(after[:len(before)], before)
        self.assertEqual(self.show(run["run_id"])["content"].strip(), words(60))
        self.assertEqual(self.show(run["run_id"])["attempts"], 2)
        self.until(lambda: self.manifest(run["run_id"])["status"] == "completed")
        lines = self.stream(run)
        self.assertEqual([line["event_index"] for line in lines], list(range(len(after))))

    def test_files_that_a_crash_left_behind_are_completed_by_the_next_look(self):
        run = self.background("tokens=5")
        self.ok("wait", run["run_id"])
        directory = os.path.join(self.home, "runs", run["run_id"])
        manifest = self.manifest(run["run_id"])
        manifest.update(status="running", reason=None, exit_code=None, ended_at=None)
        with open(os.path.join(directory, "run.json"), "w") as f:
            json.dump(manifest, f)
        path = os.path.join(directory, "stream", run["branch_id"] + ".buffer.jsonl")
        with open(path) as f:
            lines = f.readlines()
        with open(path, "w") as f:
            f.writelines(lines[:4] + [lines[4][:20]])
        self.show(run["run_id"])
        told = self.manifest(run["run_id"])
        self.assertEqual((told["status"], told["exit_code"], told["pid"]), ("completed", 0, manifest["pid"]))
        with open(path) as f:
            self.assertEqual([json.loads(line) for line in f], [json.loads(line) for line in lines])

    def test_cancel_takes_a_dead_executors_run_over(self):
        run = self.background("tokens=1000 rate=20")
        self.until(lambda: len(self.events(run["run_id"])) > 4)
        os.kill(run["pid"], signal.SIGKILL)
        self.assertIn("CANCELLED", self.ok("cancel", run["run_id"]))
        self.assertEqual(self.manifest(run["run_id"])["status"], "cancelled")

    def test_resume_all_starts_executors(self):
        runs = [self.background("tokens=40 rate=40") for _ in range(2)]
        for run in runs:
            # Its supervisor first, or that would start the next one.
            with open(f"/proc/{run['pid']}/stat") as f:
                os.kill(int(f.read().rpartition(")")[2].split()[1]), signal.SIGKILL)
            os.kill(run["pid"], signal.SIGKILL)
        self.until(lambda: all(r["note"] for r in json.loads(self.ok("ls", "--json"))))
        out = self.ok("resume", "--all")
        self.assertEqual(sorted(out.split()), sorted(["resumed"] * 2 + [r["run_id"] for r in runs]))
        self.ok("wait", *[r["run_id"] for r in runs])
        self.assertIn("nothing to resume", self.outlast("resume", "--all")[2])

    def test_a_run_nobody_can_continue_ends_the_wait_with_a_verdict(self):
        env = dict(self.env, OPENAI_BASE_URL="http://127.0.0.1:9/v1", OPENAI_API_KEY="x")
        run = json.loads(self.ok("agent", "openai/x", "hi", "--background", "--json", env=env))
        os.kill(run["pid"], signal.SIGKILL)
        code, out, err = self.outlast("wait", run["run_id"])
        if "status=failed" in out:
            self.skipTest("it failed before it could be killed")
        self.assertEqual(code, 3, (out, err))
        self.assertIn("reason=run.waiting.no_executor", out)
        self.assertIn("OPENAI_API_KEY", err)


class Terminal(Home):
    """a person at a terminal"""

    def start(self, *args):
        try:
            pid, fd = pty.fork()
        except OSError as error:
            self.skipTest(f"no terminal to be had here: {error}")
        if pid == 0:
            os.chdir(self.work)
            os.execve(BIN, [BIN, *args], self.env)
        self.text = ""
        return pid, fd

    def read(self, fd, seconds=20, until=None):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (until and re.search(until, self.text)):
            if select.select([fd], [], [], 0.1)[0]:
                try:
                    data = os.read(fd, 65536)
                except OSError:
                    return self.text
                if not data:
                    return self.text
                self.text += data.decode(errors="replace")
        return self.text

    def end(self, pid, fd):
        self.read(fd)
        os.close(fd)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def test_text_streams_as_it_comes(self):
        pid, fd = self.start("agent", "demo/fast", "tokens=40 rate=20")
        self.read(fd, until="w3")
        self.assertNotIn("w30", self.text)
        self.assertEqual(self.end(pid, fd), 0)
        self.assertIn("w39", self.text)

    def test_first_interrupt_detaches(self):
        pid, fd = self.start("agent", "demo/fast", "tokens=80 rate=20")
        self.read(fd, until="w3")
        os.write(fd, b"\x03")
        self.assertEqual(self.end(pid, fd), 130)
        self.assertIn("outlast attach", self.text)
        run_id = json.loads(self.ok("ls", "--json"))[0]["run_id"]
        self.assertEqual(self.show(run_id)["status"], "RUNNING")
        self.assertEqual(self.outlast("wait", run_id)[0], 0)
        self.assertEqual(self.show(run_id)["content"].strip(), words(80))

    def test_second_interrupt_cancels(self):
        pid, fd = self.start("agent", "demo/fast", "tokens=1000 rate=20")
        self.read(fd, until="w3")
        os.write(fd, b"\x03")
        self.read(fd, until="Detached")
        os.write(fd, b"\x03")
        self.assertEqual(self.end(pid, fd), 130)
        self.assertEqual(json.loads(self.ok("ls", "--json"))[0]["status"], "CANCELLED")

    def test_sigterm_cancels_and_hangup_detaches(self):
        pid, fd = self.start("agent", "demo/fast", "tokens=1000 rate=20")
        self.read(fd, until="w3")
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(self.end(pid, fd), 143)
        self.assertEqual(json.loads(self.ok("ls", "--json"))[0]["status"], "CANCELLED")
        pid, fd = self.start("agent", "demo/fast", "tokens=60 rate=20")
        self.read(fd, until="w3")
        os.close(fd)  # the terminal goes away
        os.waitpid(pid, 0)
        run_id = json.loads(self.ok("ls", "--json"))[0]["run_id"]
        self.assertEqual(self.outlast("wait", run_id)[0], 0)

    def test_cut_text_is_said_and_the_pipe_gets_it_once(self):
        prompt = "tokens=20\ncut 10 x1"
        code, out, _ = self.outlast("agent", "demo/fast", prompt)
        self.assertEqual((code, out.strip()), (0, words(20)))
        pid, fd = self.start("agent", "demo/fast", prompt)
        self.assertEqual(self.end(pid, fd), 0)
        self.assertIn("begins again", self.text)

    def test_output_cannot_command_the_terminal(self):
        pid, fd = self.start("agent", "demo/fast", "say before\x1b]0;title\x07after")
        self.end(pid, fd)
        self.assertIn("before", self.text)
        self.assertNotIn("\x1b]0;", self.text)


if __name__ == "__main__":
    unittest.main(verbosity=2 if "-v" in sys.argv else 1)
