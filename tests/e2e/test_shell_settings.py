"""tools.modules.shell.config: what an app file says about commands takes effect, and no secret of their output reaches a model. Env
OUTLAST_BIN names the binary."""
import glob, json, os, stat, time, unittest

from agentos_client import carrying, until
from test_policy import APP, BACKGROUND, SHELL_GRANT, PolicyTest, tools

CALM = tools("shell: {{config: {{shell: /bin/sh, timeout_default: 2, max_output_lines: 8, allowed_roots: [sub, /usr]}}}}", grant=f"[{SHELL_GRANT}]")
LEAKY = tools("shell: {{config: {{foreground_limit: 1, extra_sensitive_patterns: ['ORD-[0-9]+']}}}}", grant=f"[{SHELL_GRANT}, {BACKGROUND}]")
# The command does not hold what it prints, so whatever holds it was output.
SECRET, TOKEN = "ORD-7771234", "ghp_" + "aB3" * 12
LEAK = "printf 'before\\nORD-%s ghp_%s\\nafter\\n' 7771234 " + "aB3" * 12


def call(tool, /, **arguments):
    return ("", tool, json.dumps(arguments))


class Settings(PolicyTest):
    APP = APP + CALM
    AT_ONCE = 1

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("sub"))
        os.symlink("/etc", self.path("sub/out"))

    def bash(self, command, **more):
        answer, = self.ask([call("Bash", command=command, cwd="sub", **more)])
        return json.loads(answer)

    def test_the_shell_its_time_and_its_lines(self):
        self.assertEqual(self.bash("echo $0")["stdout"], "/bin/sh\n")
        begun = time.monotonic()
        cut = self.bash("echo begun; sleep 7401")
        self.assertLess(time.monotonic() - begun, 20)
        self.assertEqual((cut["cause"], cut["timed_out"], cut["stdout"]), ("timeout", True, "begun\n"))
        self.assertEqual(self.bash("sleep 3; echo done", timeout=20)["stdout"], "done\n", "a call's own time wins")
        long = self.bash("seq 1 100")["stdout"]
        self.assertTrue(long.startswith("1\n2\n[… 92 lines, "), long)
        self.assertTrue(long.endswith("…]\n95\n96\n97\n98\n99\n100\n"), long)

    def test_commands_run_only_below_the_roots(self):
        self.assertEqual(self.bash("pwd")["stdout"], self.path("sub") + "\n")
        for cwd in (None, ".", "..", "sub/..", "sub/out", "/etc", self.server.home):
            answer, = self.ask([call("Bash", command="touch mark", **({"cwd": cwd} if cwd else {}))])
            self.assertIn("is not inside the directories where commands may run: sub, /usr", answer)
        self.assertEqual(json.loads(self.ask([call("Bash", command="pwd", cwd="/usr")])[0])["stdout"], "/usr\n")


class Redaction(PolicyTest):
    APP = APP + LEAKY
    AT_ONCE = 1

    def requests(self):
        with self.model.lock:
            return json.dumps(self.model.requests)

    def assert_hidden(self, asked, session="s"):
        """every answer shows that there was something, and nobody saw what"""
        answers = self.ask(asked, session)
        for (_, tool, arguments), answer in zip(asked, answers):
            self.assertIn("[REDACTED]", answer, (tool, arguments))
        self.assertEqual([word for word in (SECRET, TOKEN) if word in self.requests() + json.dumps(answers)], [])
        return answers

    def test_no_way_of_a_commands_output_shows_a_secret(self):
        running = LEAK + "; sleep 7402"
        asked = [call("Bash", command=LEAK), call("Bash", command=LEAK + " >&2; exit 3"),
                 call("background_run", name="Bash", params={"command": LEAK}, wait=True),
                 call("background_run", name="Bash", params={"command": LEAK + "; exit 3"}, wait=True),
                 call("run_parallel", actions=[{"name": "Bash", "params": {"command": LEAK}}] * 2),
                 call("Bash", command=running)]  # it takes long, and goes on as a task
        promoted = json.loads(self.assert_hidden(asked)[-1])
        task = promoted["task_id"]
        self.assert_hidden([call("Bash", task_id=task), call("Bash", task_id=task, wait=True, timeout=1), call("background_run", task_id=task),
                            call("background_run", task_id=task, tail_lines=2), call("background_run", task_id=task, wait=True, timeout=1),
                            call("background_run", task_id=task, wait_for="777", timeout=5), call("background_run", task_ids=[task], wait=True, timeout=1),
                            call("background_run", task_id=task, cancel=True), call("background_run", task_id=task), call("Bash", task_id=task)])
        until(lambda: not carrying("sleep 7402"))

    def test_notices_show_none(self):
        launched = self.ask([call("background_run", name="Bash", params={"command": "sleep 1; " + LEAK + "; sleep 1"}, notify_when=["777"]),
                             call("background_run", name="Bash", params={"command": "sleep 1; " + LEAK + "; exit 3"})])
        for answer in launched:
            self.assertEqual(json.loads(answer)["status"], "running", answer)
        # Nobody asks for these turns: the session is woken.
        until(lambda: all(f"[BACKGROUND TASK {event}]" in self.requests() for event in ("READY", "COMPLETED", "FAILED")), 30)
        told = self.requests()
        self.assertEqual([word for word in (SECRET, TOKEN) if word in told], [])
        self.assertIn("[REDACTED] [REDACTED]", told)

    def test_the_output_on_disk_is_whole_and_the_owners(self):
        self.assert_hidden([call("Bash", command=LEAK)])
        path, = (p for p in glob.glob(os.path.join(self.server.home, "children", "*", "*", "stdout")) if os.path.getsize(p))
        with open(path) as f:
            self.assertEqual(f.read(), f"before\n{SECRET} {TOKEN}\nafter\n")
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) & 0o077, 0)


if __name__ == "__main__":
    unittest.main()
