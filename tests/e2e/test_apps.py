"""`outlast run` and `outlast chat` from outside: real app files, a scripted model on loopback, temporary homes.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_apps.py

Ends only processes that it started: those that have its temporary home in their environment."""
import json, os, pty, re, select, signal, subprocess, time, unittest

import agentos_model
from test_cli import BIN, Home, supervisor_of

APPS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "app-yaml")
KEY = "sk-test-0123456789abcdef-apps"

APP = """\
app: {{app_id: demo, name: Demo App}}
runtime: {{entry_agent: main, timeout: 60}}
agents:
  - id: main
    brain: {{provider: openai, model: scripted, config: {{api_key: "{key}", base_url: "http://127.0.0.1:{port}/v1"}}}}
    system_prompt: "You are main. Topic: {{{{input.topic}}}}."
  - id: other
    brain: {{provider: openai, model: scripted-2, config: {{api_key: "{key}", base_url: "http://127.0.0.1:{port}/v1"}}}}
    system_prompt: You are other.
tools:
  modules: {{shell: {{}}}}
  capabilities:
    default_policy: auto
    max_risk_level: high
    approve: [shell.bash]
    grant: [context_builder.background_run]
"""


class Apps(Home):
    def setUp(self):
        super().setUp()
        self.model = agentos_model.Model()
        self.key = KEY
        self.app = self.write_app()

    def tearDown(self):
        self.model.release()
        super().tearDown()
        self.model.stop()

    def write_app(self, name="app.yaml", key="{{env.APP_KEY}}"):
        path = os.path.join(self.work, name)
        with open(path, "w") as f:
            f.write(APP.format(key=key, port=self.model.port))
        self.env["APP_KEY"] = self.key
        return path

    def bg_bot(self):
        """the recording, with nothing replaced but where it calls"""
        with open(os.path.join(APPS, "advanced-09-background-run__bg-bot__0.yaml"), encoding="utf-8") as f:
            text = f.read()
        self.assertIn("https://api.deepseek.com/v1", text)
        path = os.path.join(self.work, "bg-bot.yaml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("https://api.deepseek.com/v1", f"http://127.0.0.1:{self.model.port}/v1"))
        self.env["DEEPSEEK_API_KEY"] = self.key
        return path

    def files_with_the_key(self):
        found = []
        for directory, _, names in os.walk(self.home):
            for name in filter(lambda n: os.path.isfile(os.path.join(directory, n)), names):
                with open(os.path.join(directory, name), "rb") as f:
                    if self.key.encode() in f.read():
                        found.append(os.path.join(directory, name))
        return found

    def command_lines_with_the_key(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if self.key.encode() in f.read():
                        found.append(pid)
            except OSError:
                pass
        return found

    def launched(self, *args, app=None, **more):
        return json.loads(self.ok("run", app or self.app, *args, "--background", "--json", **more))

    def ended(self, run_id, status="COMPLETED", seconds=30):
        def over():
            self.model.release()  # whatever stalls: also a call that is made again only now
            return self.show(run_id)["status"] not in ("PENDING", "RUNNING")

        self.until(over, seconds, "the run's end")
        shown = self.show(run_id)
        self.assertEqual(shown["status"], status, shown)
        return shown


class Run(Apps):
    def test_a_run_answers_on_stdout_and_says_how_to_go_on(self):
        code, out, err = self.outlast("run", self.app, "SAY hello there")
        self.assertEqual((code, out), (0, "hello there\n"), err)
        self.assertIn(f"[to resume] outlast run {self.app} -r ", err)
        request = self.model.asked("SAY hello there")[0]
        self.assertEqual(request["model"], "scripted")
        self.assertEqual([t["function"]["name"] for t in request["tools"]], ["Bash", "background_run"])

    def test_json_agent_session_and_continuing(self):
        first = json.loads(self.ok("run", self.app, "SAY one", "--json", "--session", "my-session", "--agent", "other"))
        self.assertEqual((first["content"], first["branch_id"], first["status"]), ("one", "my-session", "COMPLETED"))
        self.assertEqual(self.model.asked("SAY one")[0]["model"], "scripted-2")
        # The session's agent goes on where none is named.
        second = json.loads(self.ok("run", self.app, "SAY two", "--json", "-r", "my-sess"))
        self.assertEqual(second["branch_id"], "my-session")
        request = self.model.asked("SAY two")[0]
        self.assertEqual(request["model"], "scripted-2")
        self.assertEqual([m["content"] for m in request["messages"] if m["role"] == "user"], ["SAY one", "SAY two"])
        third = json.loads(self.ok("run", self.app, "SAY three", "--json", "-c", "--agent", "main"))
        self.assertEqual(third["branch_id"], "my-session")
        self.assertEqual(self.model.asked("SAY three")[0]["model"], "scripted")
        # `agent -r` finds the key too: it is where the app file is.
        code, out, err = self.outlast("agent", "-r", "my-session", "SAY four")
        self.assertEqual((code, out), (0, "four\n"), err)

    def test_inputs_stand_where_they_are_asked_for(self):
        out = self.ok("run", self.app, "SAY about {{input.topic}}", "--input", "topic=DNS", "--input", "depth=[a,b]=2")
        self.assertEqual(out, "about DNS\n")
        messages = self.model.asked("about DNS")[0]["messages"]
        self.assertEqual(messages[0]["content"], "You are main. Topic: DNS.")
        self.assertEqual(messages[-1]["content"], "SAY about DNS\ndepth: [a,b]=2")
        self.ok("run", self.app, "--input", "depth=3")
        self.assertEqual(self.model.asked("depth: 3")[0]["messages"][-1]["content"], "depth: 3")

    def test_standard_input_and_usage(self):
        self.assertEqual(self.ok("run", self.app, "-", stdin="SAY piped"), "piped\n")
        for args, said in [((), "a message is required"), (("",), "prompt is empty"), (("a", "b"), "quote words"), (("x", "--input", "novalue"), "key=value"),
                           (("x", "--agent", "mian"), "did you mean 'main'?"), (("x", "--timeout", "0"), "--timeout"), (("x", "--recovery", "no"), "--recovery"),
                           (("x", "--cwd", "/nowhere"), "--cwd"), (("x", "-r", "nobody"), "nobody")]:
            code, out, err = self.outlast("run", self.app, *args)
            self.assertEqual((code, out), (2, ""), (args, err))
            self.assertIn(said, err)
        self.assertEqual(self.outlast("run", os.path.join(self.work, "none.yaml"), "x")[0], 2)
        self.assertEqual(self.outlast("run", self.app, "x", "-c", "-r", "y")[0], 1)

    def test_a_wrong_file_and_one_without_agents_and_a_missing_key_launch_nothing(self):
        with open(self.app, "a") as f:
            f.write("agnets: []\n")
        code, out, err = self.outlast("run", self.app, "x")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("agnets: unknown key, did you mean 'agents'?", err)
        code, _, err = self.outlast("run", os.path.join(APPS, "02-app-config__my-app__1.yaml"), "x")
        self.assertEqual(code, 2)
        self.assertIn("DGT-E0406", err)
        code, _, err = self.outlast("run", os.path.join(APPS, "advanced-09-background-run__bg-bot__0.yaml"), "x")
        self.assertEqual(code, 78, err)
        self.assertIn("DEEPSEEK_API_KEY", err)
        self.assertEqual(json.loads(self.ok("ls", "--json")), [])

    def test_failure_and_timeout_have_their_codes(self):
        code, out, err = self.outlast("run", self.app, "boom")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("error: ", err)
        self.assertEqual(self.outlast("run", self.app, "N=9 STALL=2", "--timeout", "1")[0], 124)

    def test_bg_bot_unchanged(self):
        app = self.bg_bot()
        call = "CALL background_run " + json.dumps({"name": "Bash", "params": {"command": "sleep 1; echo COMPLETED"}, "wait": True})
        code, out, err = self.outlast("run", app, call)
        self.assertEqual((code, out), (0, "w0 w1 w2 \n"), err)
        self.assertNotIn("warning", err)
        request = self.model.requests[-1]
        self.assertEqual((request["model"], request["temperature"], request["max_tokens"]), ("deepseek-chat", 0, 300))
        result = [m for m in request["messages"] if m["role"] == "tool"][0]["content"]
        self.assertIn("COMPLETED", result)
        self.assertEqual(self.files_with_the_key(), [])


    HOOK = """  hooks:
    - id: remember_bg_tasks
      "on": tool_end
      condition:
        type: tool_name
        match: background_run
      action:
        type: pipe
        to: memory.remember
        map:
          content: "Background task launched: {{tool.result.task_id}} ({{tool.params.name}})"
        on_error: ignore
"""

    def test_bg_bot_with_the_hook_that_remembers(self):
        app = self.bg_bot()
        with open(app, encoding="utf-8") as f:
            text = f.read()
        with open(app, "w", encoding="utf-8") as f:
            f.write(text.replace("  timeout: 60\n", "  timeout: 60\n" + self.HOOK))
        launch = "CALL background_run " + json.dumps({"tool": "bash", "args": {"command": "sleep 2 && echo COMPLETED_AFTER_2S", "run_in_background": True}})
        code, _, err = self.outlast("run", app, launch + "\nN=1")
        self.assertEqual(code, 0, err)
        self.assertNotIn("warning", err)
        said = [m["content"] or "" for m in self.model.requests[-1]["messages"]]
        task = next(json.loads(c) for c in said if '"task_id"' in c)["task_id"]
        session = json.loads(self.ok("ls", "--tasks", "--json"))[0]["session_id"]
        shown = json.loads(self.ok("show", session, "--json"))
        self.assertIn(f"Background task launched: {task} (bash)", json.dumps(shown["memory"]))
        self.ok("wait", task, "--timeout", "20")


class Keys(Apps):
    def test_the_key_is_nowhere_but_in_the_app_file(self):
        self.write_app(key=KEY)
        run = self.launched("N=30 D=0.05 " + "topic")
        seen = []
        while self.show(run["run_id"])["status"] in ("PENDING", "RUNNING"):
            seen += self.command_lines_with_the_key()
        self.assertEqual(seen, [])
        self.ended(run["run_id"])
        self.assertEqual(self.files_with_the_key(), [])
        for command in (("show", run["run_id"], "--json"), ("logs", run["run_id"], "--json"), ("check", self.app, "--json")):
            self.assertNotIn(KEY, self.ok(*command))

    def test_kill_9_in_mid_stream_goes_on(self):
        run = self.launched("N=20 D=0.02 STALL=2")
        self.until(lambda: any(e.get("type") == "text" for e in self.events(run["run_id"])), what="the first text")
        os.kill(run["pid"], signal.SIGKILL)
        self.until(lambda: len(self.model.asked("STALL=2")) == 2, what="the second call")
        shown = self.ended(run["run_id"])
        self.assertEqual(shown["content"], "".join(f"w{i} " for i in range(20)))
        self.assertEqual(self.files_with_the_key(), [])

    def gone(self, run):
        """kills executor and supervisor, so that nobody goes on"""
        supervisor = supervisor_of(run["pid"])
        for pid in (supervisor, run["pid"]):
            os.kill(pid, signal.SIGKILL)
        self.until(lambda: self.show(run["run_id"])["note"], what="an orphan")

    def test_a_run_whose_app_file_is_gone_waits_and_says_so(self):
        run = self.launched("N=20 D=0.02 STALL=2")
        self.until(lambda: self.model.asked("STALL=2"), what="the model call")
        os.rename(self.app, self.app + ".away")
        # The supervisor's next executor finds no key: the run waits, it does not fail.
        os.kill(run["pid"], signal.SIGKILL)
        self.until(lambda: "its app file cannot be read" in (self.show(run["run_id"])["note"] or ""), what="the reason")
        code, _, err = self.outlast("resume", run["run_id"])
        self.assertEqual(code, 78, err)
        self.assertIn("its app file cannot be read", err)
        self.assertIn(self.app, err)
        # A server of the same home does not take it either.
        os.rename(self.app + ".away", self.app)
        self.ok("resume", "--all")
        self.assertEqual(self.ended(run["run_id"])["content"].split()[-1], "w19")

    def test_a_file_that_calls_elsewhere_now_gives_no_key(self):
        run = self.launched("N=20 D=0.02 STALL=2")
        self.until(lambda: self.model.asked("STALL=2"), what="the model call")
        with open(self.app) as f:
            text = f.read()
        with open(self.app, "w") as f:
            f.write(text.replace("127.0.0.1", "127.0.0.2"))
        self.gone(run)
        code, _, err = self.outlast("resume", run["run_id"])
        self.assertEqual(code, 78)
        self.assertIn("calls another provider or base_url now", err)

    def test_a_server_of_the_home_adopts_it_with_the_key_of_the_file(self):
        run = self.launched("N=20 D=0.02 STALL=2")
        self.until(lambda: self.model.asked("STALL=2"), what="the model call")
        self.gone(run)
        server = subprocess.Popen([BIN, "serve", "--port", "0"], env=self.env, cwd=self.work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.until(lambda: len(self.model.asked("STALL=2")) == 2, what="the adoption")
            self.ended(run["run_id"])
        finally:
            server.terminate()
            server.wait(20)


class Terminal:
    """a chat on a terminal of its own"""

    def __init__(self, *args, env, cwd):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(cwd)
                os.execve(BIN, [BIN, *args], env)
            finally:
                os._exit(127)
        self.seen = ""

    def expect(self, pattern, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = re.search(pattern, self.seen)
            if found:
                self.seen = self.seen[found.end():]
                return found
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    break
        raise AssertionError(f"{pattern!r} was not seen in {self.seen!r}")

    def send(self, text):
        os.write(self.fd, text.encode())

    def end(self, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    pass
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError(f"the chat did not end: {self.seen!r}")


class Chat(Apps):
    def chat(self, *args, app=None):
        return Terminal("chat", app or self.app, *args, env=self.env, cwd=self.work)

    def test_each_line_is_a_message_and_each_answer_stands_on_stdout(self):
        code, out, err = self.outlast("chat", self.app, stdin="SAY one\n\nSAY two\n/nonsense\n//help SAY three\n")
        self.assertEqual((code, out), (0, "one\ntwo\nthree\n"), err)
        self.assertIn("unknown command /nonsense", err)
        last = self.model.requests[-1]
        self.assertEqual([m["content"] for m in last["messages"] if m["role"] in ("user", "assistant")], ["SAY one", "one", "SAY two", "two", "/help SAY three"])
        session = re.search(r"\[to resume\] outlast chat \S+ -r (\S+)", err)[1]
        code, out, err = self.outlast("chat", self.app, "-r", session, stdin="SAY four")
        self.assertEqual((code, out), (0, "four\n"), err)
        self.assertEqual(len([m for m in self.model.requests[-1]["messages"] if m["role"] == "user"]), 4)
        self.assertEqual(len(json.loads(self.ok("ls", "--json", "--session", session))), 4)

    def test_a_failure_is_said_and_the_next_line_still_answered(self):
        code, out, err = self.outlast("chat", self.app, stdin="boom\nSAY fine\n")
        self.assertEqual((code, out), (1, "fine\n"), err)

    def test_approvals_are_asked_for_in_line(self):
        ask = "CALL Bash " + json.dumps({"command": "echo did it > made.txt"})
        code, out, err = self.outlast("chat", self.app, stdin=f"{ask}\ny\n")
        self.assertEqual((code, out), (0, "w0 w1 w2 \n"), err)
        self.assertIn("‖ Bash", err)
        self.assertTrue(os.path.exists(os.path.join(self.work, "made.txt")))
        code, out, err = self.outlast("chat", self.app, stdin=f"{ask}\nnot on a Friday\n")
        self.assertEqual(code, 0, err)
        self.assertIn("not on a Friday", json.dumps(self.model.requests[-1]["messages"]))
        code, out, err = self.outlast("chat", self.app, stdin=ask)
        self.assertEqual(code, 3, err)
        self.assertIn("outlast approve", err)

    def test_at_a_terminal(self):
        chat = self.chat()
        chat.expect("Demo App: /help")
        chat.expect("> ")
        chat.send("SAY hello you\n")
        chat.expect("hello you\r\n(?!.*SAY)")
        chat.expect("> ")
        chat.send("/tasks\n")
        chat.expect("no background tasks")
        chat.send("/help\n")
        chat.expect("/cancel")
        chat.send("N=100 D=0.05 long\n")
        chat.expect("w3")
        chat.send("/cancel\n")
        chat.expect("Cancelling run")
        chat.expect(r"\[cancelled\]")
        chat.expect("> ")
        chat.send("N=100 D=0.05 longer\n")
        chat.expect("w3")
        chat.send("\x03")
        chat.expect("Cancelling run")
        chat.expect(r"\[cancelled\]")
        chat.expect("> ")
        chat.send("\x04")
        chat.expect(r"\[to resume\] outlast chat")
        self.assertEqual(chat.end(), 0)

    def test_a_question_is_not_answered_by_what_was_typed_before_it(self):
        chat = self.chat()
        chat.expect("> ")
        ask = "N=2 D=0.3\nCALL Bash " + json.dumps({"command": "echo no > typed.txt"})
        chat.send(ask.replace("\n", " ").replace("N=2 D=0.3 ", "") + "\ny\n")
        chat.expect("allow it")
        time.sleep(0.5)
        self.assertFalse(os.path.exists(os.path.join(self.work, "typed.txt")))
        chat.send("n\n")
        chat.expect("> ")
        chat.send("/quit\n")
        chat.end()

    def test_news_of_a_task_is_told_to_an_idle_user(self):
        chat = self.chat(app=self.bg_bot())
        chat.expect("> ")
        chat.send("CALL background_run " + json.dumps({"name": "Bash", "params": {"command": "sleep 2; echo done"}}) + "\n")
        chat.expect("> ")
        chat.send("/tasks\n")
        chat.expect("RUNNING.*Bash")
        chat.expect("✉ task .* ended: COMPLETED", 30)
        chat.send("SAY thanks\n")
        chat.expect("thanks\r\n")
        chat.send("/quit\n")
        self.assertEqual(chat.end(), 0)
        self.assertIn("BACKGROUND TASK", json.dumps(self.model.requests[-1]["messages"]))

    def test_a_server_that_wakes_the_session_is_heard(self):
        app = self.bg_bot()
        server = subprocess.Popen([BIN, "serve", "--port", "0"], env=self.env, cwd=self.work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            chat = self.chat(app=app)
            chat.expect("> ")
            chat.send("CALL background_run " + json.dumps({"name": "Bash", "params": {"command": "sleep 2; echo done"}}) + "\n")
            chat.expect("w0 w1 w2")
            chat.expect("the session goes on by itself", 40)
            chat.expect("w0 w1 w2")
            chat.send("/quit\n")
            self.assertEqual(chat.end(), 0)
            self.assertEqual(len(json.loads(self.ok("ls", "--json"))), 2)
            self.assertEqual(self.files_with_the_key(), [])
        finally:
            server.terminate()
            server.wait(20)

    def test_a_second_chat_shows_what_is_under_way(self):
        run = self.launched("N=20 D=0.1 slow", "--session", "shared")
        chat = self.chat("--session", "shared")
        chat.expect("w19")
        chat.expect("> ")
        chat.send("SAY after\n")
        chat.expect("after\r\n")
        chat.send("/quit\n")
        self.assertEqual(chat.end(), 0)
        self.ended(run["run_id"])

    def test_wrong_files_are_refused_before_the_first_word(self):
        code, out, err = self.outlast("chat", os.path.join(APPS, "middleware__secure-assistant__13.yaml"), stdin="hi\n")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("DGT-E0101", err)


if __name__ == "__main__":
    unittest.main()
