"""The stand-ins for the coding-agent programs do what docs/harnesses.md says of the real ones."""
import json, os, shutil, signal, subprocess, sys, tempfile, time, unittest, uuid

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "harness"))
import fake_agent  # noqa: E402

STREAM = "-p --input-format stream-json --output-format stream-json --verbose --replay-user-messages".split()
ASKING = [*STREAM, "--permission-prompt-tool", "stdio", "--permission-mode", "manual"]


class Process:
    """one invocation whose lines are read as they come"""

    def __init__(self, argv, env, cwd, stdin=subprocess.PIPE):
        self.child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = []

    def send(self, line):
        self.child.stdin.write(json.dumps(line) + "\n")
        self.child.stdin.flush()

    def until(self, wanted):
        """reads on until a line satisfies it"""
        for line in self.child.stdout:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.lines.append({"garbage": line})
            if wanted(self.lines[-1]):
                return self.lines[-1]
        raise AssertionError(f"never said; {self.lines[-3:]} {self.child.stderr.read()}")

    def end(self):
        """(exit code, stderr), with its input closed"""
        if self.child.stdin:
            self.child.stdin.close()
        for line in self.child.stdout:
            self.lines.append(json.loads(line) if line.startswith("{") else {"garbage": line})
        errors = self.child.stderr.read()
        self.child.stdout.close(), self.child.stderr.close()
        return self.child.wait(10), errors


class FakeAgent(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="fake-")
        self.state, self.home, self.work = (os.path.join(self.root, name) for name in ("state", "home", "work"))
        os.makedirs(self.home), os.makedirs(self.work)
        self.bin = fake_agent.install(os.path.join(self.root, "bin"), self.state)
        self.env = {"HOME": self.home, "PATH": self.bin + ":/usr/bin:/bin", "OUTLAST_RUN_ID": "run_1", "IRRELEVANT": "1"}

    def tearDown(self):
        for name in os.listdir(os.path.join(self.state, "live")):
            try:
                os.kill(int(name), signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.root)

    def start(self, *argv, stdin=subprocess.PIPE):
        return Process(list(argv), self.env, self.work, stdin)

    def run_(self, *argv):
        """(exit code, lines, stderr)"""
        process = self.start(*argv, stdin=subprocess.DEVNULL)
        code, errors = process.end()
        return code, process.lines, errors

    def claude(self, *more):
        process = self.start("claude", *ASKING, *more)
        process.send({"type": "control_request", "request_id": "initialize", "request": {"subtype": "initialize", "hooks": {}}})
        return process

    def user(self, text, id=None):
        return {"type": "user", "uuid": id or str(uuid.uuid4()), "message": {"role": "user", "content": text}}

    def log(self, kind):
        with open(os.path.join(self.state, "log.jsonl")) as f:
            return [line for line in map(json.loads, f) if line["kind"] == kind]

    def switch(self, name, value=""):
        with open(os.path.join(self.state, name), "w") as f:
            f.write(value)


def result(line):
    return line.get("type") == "result"


def done(line):
    return line.get("type") == "command_lifecycle" and line["state"] == "completed"


class Claude(FakeAgent):
    def test_an_approved_and_a_refused_call(self):
        for behaviour, said in (("allow", "hi"), ("deny", "not now")):
            process = self.claude()
            process.send(self.user("ASK[[echo hi]] SAY over"))
            asked = process.until(lambda line: line.get("type") == "control_request")
            process.send({"type": "control_response", "response": {"subtype": "success", "request_id": asked["request_id"],
                                                                   "response": {"behavior": behaviour, "message": "not now"}}})
            ended = process.until(lambda line: line.get("type") == "user" and isinstance(line["message"]["content"], list))
            self.assertEqual(ended["message"]["content"][0]["content"], said)
            self.assertEqual(process.until(result)["result"], "over")
            self.assertEqual(process.end()[0], 0)

    def test_a_session_id_is_taken_once_and_found_again(self):
        id, message = str(uuid.uuid4()), str(uuid.uuid4())
        process = self.claude("--session-id", id)
        process.send(self.user("SAY one", message))
        process.until(done)
        process.end()
        code, _, errors = self.run_("claude", *STREAM, "--session-id", id)
        self.assertEqual((code, errors.strip()), (1, f"Error: Session ID {id} is already in use."))
        directory = os.path.join(self.home, ".claude", "projects", "".join(c if c.isalnum() and c.isascii() else "-" for c in self.work))
        self.assertTrue(os.path.exists(os.path.join(directory, id + ".jsonl")))
        again = self.claude("--resume", id)
        again.send(self.user("SAY one", message))
        self.assertEqual(again.until(done)["command_uuid"], message)
        again.send(self.user("SAY two"))
        self.assertEqual(again.until(result)["result"], "two")
        again.end()
        self.assertEqual(len([line for line in again.lines if result(line)]), 1)
        self.assertEqual(again.lines[-2]["total_cost_usd"], 0.001)

    def test_an_unknown_session_has_a_result_that_says_so(self):
        code, lines, errors = self.run_("claude", *STREAM, "--resume", str(uuid.uuid4()))
        self.assertEqual((code, lines[0]["is_error"]), (1, True))
        self.assertIn("No conversation found", errors)

    def test_a_message_during_a_command_joins_the_turn(self):
        process = self.claude()
        process.send(self.user("RUN[[sleep 0.5]] SAY one"))
        process.until(lambda line: line.get("type") == "assistant")
        process.send(self.user("SAY both"))
        self.assertEqual(process.until(result)["result"], "both")
        process.until(done), process.until(done)
        process.end()
        self.assertEqual(sum(map(result, process.lines)), 1)

    def test_an_interrupt_ends_the_turn_and_not_the_process(self):
        process = self.claude()
        process.send(self.user("SILENT"))
        process.until(lambda line: line.get("subtype") == "init")
        process.send({"type": "control_request", "request_id": "r2", "request": {"subtype": "interrupt"}})
        self.assertEqual(process.until(result)["terminal_reason"], "aborted_streaming")
        process.send(self.user("SAY alive"))
        self.assertEqual(process.until(result)["result"], "alive")
        self.assertEqual(process.end()[0], 0)

    def test_signals(self):
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 0), (signal.SIGHUP, 129)):
            process = self.claude()
            process.send(self.user("SILENT"))
            process.until(lambda line: line.get("subtype") == "init")
            process.child.send_signal(number)
            self.assertEqual(process.end()[0], code, number)

    def test_provider_errors_are_results(self):
        process = self.claude()
        process.send(self.user("ERR 529"))
        process.until(lambda line: line.get("subtype") == "api_retry")
        last = process.until(result)
        self.assertEqual((last["subtype"], last["is_error"], last["api_error_status"]), ("success", True, 529))
        self.assertEqual(process.end()[0], 1)

    def test_misbehaviour(self):
        process = self.claude()
        process.send(self.user("GARBAGE HUGE SPLIT SAY fine"))
        self.assertEqual(process.until(result)["result"], "fine")
        self.assertTrue(any("garbage" in line for line in process.lines))
        self.assertTrue(any(len(json.dumps(line)) > 1_000_000 for line in process.lines))
        process.end()
        for text, code in (("NO_RESULT", 0), ("EXIT 7", 7)):
            process = self.claude()
            process.send(self.user(text))
            self.assertEqual(process.end()[0], code)
            self.assertFalse(any(map(result, process.lines)))

    def test_it_may_hang_after_the_result_and_ignore_term(self):
        process = self.claude()
        process.send(self.user("IGNORE_TERM FORK HANG_AFTER_RESULT SAY x"))
        process.until(done)
        process.child.stdin.close()
        process.child.terminate()
        with self.assertRaises(subprocess.TimeoutExpired):
            process.child.wait(0.3)
        process.child.kill()
        process.child.wait()
        process.child.stdout.close(), process.child.stderr.close()
        child = self.log("forked")[0]["child"]
        os.kill(child, signal.SIGKILL)

    def test_calls_are_recorded_with_what_matters_of_the_environment(self):
        self.run_("claude", "--version")
        call = self.log("call")[0]
        self.assertEqual((call["program"], call["argv"], call["cwd"], call["env"]), ("claude", ["--version"], self.work, {"OUTLAST_RUN_ID": "run_1"}))

    def test_background_agents(self):
        code, _, errors = self.run_("claude", "--bg", "hello")
        self.assertEqual((code, errors.startswith("Workspace not trusted")), (1, True))
        with open(os.path.join(self.home, ".claude.json"), "w") as f:
            json.dump({"projects": {self.work: {"hasTrustDialogAccepted": True}}}, f)
        self.switch("no_pid_ms", "100")
        code, lines, _ = self.run_("claude", "--bg", "--name", "p/t", "SAY x")
        self.assertEqual(code, 0)
        self.assertIn("backgrounded · \x1b[36m", lines[0]["garbage"])
        for _ in range(100):
            entry = json.loads(subprocess.run(["claude", "agents", "--json", "--all"], env=self.env, stdout=subprocess.PIPE).stdout)[0]
            if entry.get("status") == "idle":
                break
            time.sleep(0.05)
        self.assertEqual((entry["name"], entry["state"], entry["kind"], entry["sessionId"][:8]), ("p/t", "done", "background", entry["id"]))
        self.assertEqual(self.run_("claude", *STREAM, "--resume", entry["sessionId"])[0], 1)
        _, _, errors = self.run_("claude", "--bg", "--resume", entry["sessionId"], "SAY y")
        self.assertIn("started a copy", errors)
        self.assertEqual(self.run_("claude", "stop", entry["id"])[0], 0)
        _, _, errors = self.run_("claude", "--bg", "--resume", entry["sessionId"], "SAY y")
        self.assertIn("woke session", errors)
        for one in json.loads(subprocess.run(["claude", "agents", "--json", "--all"], env=self.env, stdout=subprocess.PIPE).stdout):
            self.assertEqual(self.run_("claude", "rm", one["id"])[0], 0)
        self.assertEqual(self.run_("claude", "stop", "00000000")[0], 1)
        self.switch("agents_fail")
        self.assertEqual(self.run_("claude", "agents", "--json")[0], 1)


class Codex(FakeAgent):
    def request(self, process, id, method, **params):
        process.send({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
        return process.until(lambda line: line.get("id") == id and "method" not in line)

    def server(self):
        process = self.start("codex", "app-server")
        self.request(process, "initialize", "initialize", clientInfo={"name": "test", "version": "1"})
        process.send({"jsonrpc": "2.0", "method": "initialized"})
        return process, self.request(process, "thread", "thread/start", cwd=self.work)["result"]["thread"]["id"]

    def test_exec_and_resume(self):
        code, _, errors = self.run_("codex", "exec", "--json", "x")
        self.assertEqual((code, "skip-git-repo-check" in errors), (1, True))
        code, lines, _ = self.run_("codex", "exec", "-C", self.work, "--json", "--skip-git-repo-check", "--", "RUN[[echo hi]] SAY one")
        self.assertEqual((code, lines[-1]["usage"]["input_tokens"]), (0, 200))
        thread = lines[0]["thread_id"]
        code, lines, _ = self.run_("codex", "exec", "-s", "workspace-write", "resume", thread, "--json", "--skip-git-repo-check", "--", "SAY two")
        self.assertEqual((lines[0]["thread_id"], lines[-1]["usage"]["input_tokens"]), (thread, 300))
        code, _, errors = self.run_("codex", "exec", "resume", "nope", "--json", "--skip-git-repo-check", "--", "x")
        self.assertEqual((code, "no rollout found for thread id" in errors), (1, True))
        code, lines, _ = self.run_("codex", "exec", "fork", thread, "--json", "--skip-git-repo-check", "--", "ERR 401")
        self.assertEqual((code, lines[-1]["type"], lines[0]["thread_id"] == thread), (1, "turn.failed", False))

    def test_a_server_asks_is_steered_and_interrupted(self):
        process, thread = self.server()
        text = lambda words: [{"type": "text", "text": words}]  # noqa: E731
        turn = self.request(process, "turn:a", "turn/start", threadId=thread, input=text("ASK[[echo hi]] SAY one"))["result"]["turn"]["id"]
        asked = process.until(lambda line: line.get("method") == "item/commandExecution/requestApproval")
        self.assertEqual(asked["id"], 0)
        self.request(process, "steer:b", "turn/steer", threadId=thread, input=text("SAY both"), expectedTurnId=turn)
        process.send({"jsonrpc": "2.0", "id": 0, "result": {"decision": "accept"}})
        said = process.until(lambda line: line.get("method") == "item/completed" and line["params"]["item"]["type"] == "agentMessage")
        self.assertEqual(said["params"]["item"]["text"], "both")
        process.until(lambda line: line.get("method") == "turn/completed")
        self.assertIn("error", self.request(process, "steer:c", "turn/steer", threadId=thread, input=text("x"), expectedTurnId=turn))
        turn = self.request(process, "turn:d", "turn/start", threadId=thread, input=text("SILENT"))["result"]["turn"]["id"]
        process.until(lambda line: line.get("method") == "turn/started")
        process.send({"jsonrpc": "2.0", "id": "i", "method": "turn/interrupt", "params": {"threadId": thread, "turnId": turn}})
        self.assertEqual(process.until(lambda line: line.get("method") == "turn/completed")["params"]["turn"]["status"], "interrupted")
        self.assertEqual(process.end()[0], 0)

    def test_signals(self):
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 1)):
            process, _ = self.server()
            process.child.send_signal(number)
            self.assertEqual(process.end()[0], code)


class Others(FakeAgent):
    GEMINI = ["gemini", "--skip-trust", "--output-format", "stream-json"]

    def test_gemini(self):
        self.assertEqual(self.run_("gemini", "-p", "x")[0], 55)
        id = str(uuid.uuid4())
        code, lines, _ = self.run_(*self.GEMINI, "-y", "--session-id", id, "-p", "RUN[[echo hi]] SAY fine")
        self.assertEqual((code, lines[0]["session_id"], lines[-1]["status"]), (0, id, "success"))
        code, lines, _ = self.run_(*self.GEMINI, "--resume", id, "-p", "RUN[[echo hi]] ERR 400")
        self.assertEqual((code, lines[0]["session_id"], lines[3]["status"], lines[-1]["status"]), (144, id, "error", "error"))
        self.assertEqual(self.run_(*self.GEMINI, "--resume", "nope", "-p", "x")[0], 42)

    def test_opencode(self):
        code, lines, _ = self.run_("opencode", "run", "--format", "json", "--", "RUN[[echo hi]] SAY fine")
        self.assertEqual((code, lines[-1]["part"]["reason"]), (0, "stop"))
        session = lines[0]["sessionID"]
        self.assertEqual(self.run_("opencode", "run", "--format", "json", "-s", session, "--", "SAY x")[1][0]["sessionID"], session)
        self.assertNotEqual(self.run_("opencode", "run", "--format", "json", "-s", session, "--fork", "--", "SAY x")[1][0]["sessionID"], session)
        self.assertEqual(self.run_("opencode", "run", "--format", "json", "-s", "ses_nope", "--", "x")[0], 1)

    def test_term(self):
        for argv, code in (([*self.GEMINI, "-p", "SILENT"], 0), (["opencode", "run", "--format", "json", "ERR 500"], 143)):
            process = self.start(*argv, stdin=subprocess.DEVNULL)
            process.until(lambda line: line.get("type") in ("message", "step_start"))
            process.child.terminate()
            self.assertEqual(process.end()[0], code)


if __name__ == "__main__":
    unittest.main()
