"""Commands of the Bash tool across crashes, cancels and hand-overs, on the real binary. Env OUTLAST_BIN names it."""
import json, os, signal, sqlite3, time, unittest

from agentos_client import Api, OwnServerTest, carrying, free_port, until

APP = """\
app: {{app_id: os1, name: OS, version: "1.0.0"}}
agents:
  - id: main
    role: assistant
    brain: {brain}
    modules: [shell]
tools:
  modules: {{shell: {{}}}}
  capabilities: {{default_policy: auto, max_risk_level: high}}
"""


class Shell(OwnServerTest):
    APP = APP

    def run_command(self, command, **more):
        return self.api.launch("CALL Bash " + json.dumps({"command": command, **more}), session_id="s")

    def result(self, run):
        body = self.api.settled(run, seconds=40)
        _, events, _ = self.api.replay(run["run_id"], session_id="s")
        results = [json.loads(e.json["tool"]["result"]) for e in events if e.name == "ToolCallCompleted"]
        self.assertEqual(len(results), 1, events)
        return body, results[0]

    def path(self, name):
        return os.path.join(self.server.work, name)

    def test_output_exit_code_and_place(self):
        os.mkdir(self.path("sub"))
        body, result = self.result(self.run_command("pwd; echo err >&2; printf '\\033[31mred\\033[0m\\n'; exit 3", cwd="sub"))
        self.assertEqual(body["status"], "COMPLETED")
        self.assertEqual((result["stdout"], result["stderr"]), (self.path("sub") + "\nred\n", "err\n"))
        self.assertEqual((result["exit_code"], result["cause"], result["cwd"]), (3, "exited", self.path("sub")))

    def test_a_command_knows_no_keys(self):
        _, result = self.result(self.run_command("env"))
        self.assertNotIn("not-a-secret", result["stdout"])
        self.assertIn("OUTLAST_HOME=" + self.server.home, result["stdout"])

    def test_long_output_is_cut_with_honest_counts_and_kept_whole(self):
        _, result = self.result(self.run_command("seq 1 100000"))
        head, _, rest = result["stdout"].partition("[… ")
        counts, _, tail = rest.partition("…]\n")
        lines, total = int(counts.split(" ")[0]), sum(len(str(i)) + 1 for i in range(1, 100001))
        self.assertEqual(head.count("\n") + lines + tail.count("\n"), 100_000)
        self.assertIn(f"of {total} bytes", counts)
        with open(counts.rsplit(" in ", 1)[1].strip()) as f:
            self.assertEqual(f.read(), "".join(f"{i}\n" for i in range(1, 100001)))

    def test_timeouts_signals_and_missing_programs_are_told_apart(self):
        for command, more, cause in (("echo begun; sleep 60", {"timeout": 1}, "timeout"), ("kill -9 $$", {}, "signalled"),
                                     ("true", {"cwd": "nowhere"}, "spawn_failed")):
            _, result = self.result(self.run_command(command, **more))
            self.assertEqual((result["cause"], result["exit_code"]), (cause, None), result)
            self.assertTrue(result["error"])

    def test_the_output_goes_with_the_session(self):
        """at once, and after a server that died in between"""
        kept, gone, later = (self.api.launch('CALL Bash {"command":"echo out"}', session_id=f"D{i}") for i in range(3))
        directory = lambda run: os.path.join(self.server.home, "children", run["run_id"])
        for run in (kept, gone, later):
            self.api.settled(run)
            self.assertTrue(os.path.isdir(directory(run)))
        self.assertEqual(self.api.ask("DELETE", "/sessions/D1").status, 204)
        until(lambda: not os.path.exists(directory(gone)))
        self.server.kill()
        with sqlite3.connect(os.path.join(self.server.home, "outlast.db")) as db:
            db.execute("DELETE FROM run WHERE run_id = ?", (later["run_id"],))
        db.close()
        self.server.start()
        until(lambda: not os.path.exists(directory(later)))
        self.assertTrue(os.path.isdir(directory(kept)))

    def test_a_command_outlives_its_server_and_runs_once(self):
        run = self.run_command("echo once >> trace; for i in 1 2 3 4 5 6; do echo out-$i; sleep 0.3; done; exit 7")
        until(lambda: os.path.exists(self.path("trace")))
        self.server.kill()
        time.sleep(0.5)
        self.server.start()
        _, result = self.result(run)
        self.assertEqual((result["exit_code"], result["stdout"]), (7, "".join(f"out-{i}\n" for i in range(1, 7))))
        with open(self.path("trace")) as f:
            self.assertEqual(f.read(), "once\n")

    def test_a_command_that_ended_while_no_server_lived_is_known(self):
        run = self.run_command("sleep 0.5; echo done; exit 4")
        until(lambda: carrying("sleep 0.5"))
        self.server.kill()
        until(lambda: not carrying("sleep 0.5"))
        self.server.start()
        _, result = self.result(run)
        self.assertEqual((result["exit_code"], result["stdout"]), (4, "done\n"))

    def test_cancel_ends_the_whole_tree_before_it_is_told(self):
        run = self.run_command("(setsid sh -c 'trap \"\" TERM; sleep 7001; sleep 7001' &); sleep 7001")
        until(lambda: len(carrying("sleep 7001")) >= 3)
        self.api.cancel(run["run_id"])
        self.assertEqual(self.api.settled(run)["status"], "CANCELLED")
        self.assertEqual(carrying("sleep 7001"), [])

    def test_a_cancel_after_a_crash_ends_what_the_dead_server_began(self):
        run = self.run_command("setsid sleep 7002 & sleep 7002")
        until(lambda: len(carrying("sleep 7002")) >= 3)
        self.server.kill()
        self.assertGreaterEqual(len(carrying("sleep 7002")), 2)
        self.server.start()
        self.api.cancel(run["run_id"])
        self.assertEqual(self.api.settled(run)["status"], "CANCELLED")
        self.assertEqual(carrying("sleep 7002"), [])

    def test_what_a_command_leaves_in_the_background_ends_with_its_run(self):
        body, result = self.result(self.run_command("sleep 7003 >/dev/null 2>&1 & echo started"))
        self.assertEqual((body["status"], result["stdout"]), ("COMPLETED", "started\n"))
        self.assertEqual(carrying("sleep 7003"), [])

    def test_a_stopped_server_that_comes_back_leaves_the_command_to_its_new_owner(self):
        run = self.run_command("sleep 9; echo whole")
        until(lambda: carrying("sleep 9"))
        self.server.process.send_signal(signal.SIGSTOP)
        first, port = self.server.process, self.server.port
        self.server.port = free_port()
        self.server.api = self.api = Api(self.server.port)
        self.server.start()
        try:
            until(lambda: "adopted a run" in self.server.log(), 20)
            first.send_signal(signal.SIGCONT)
            _, result = self.result(run)
            self.assertEqual((result["exit_code"], result["stdout"]), (0, "whole\n"))
            self.assertEqual(Api(port).get(run["run_id"], "s").json["status"], "COMPLETED")
        finally:
            first.kill()
            first.wait(10)

    def test_an_orderly_stop_leaves_the_command_to_the_next_server(self):
        run = self.run_command("echo once >> trace; sleep 11; echo whole")
        until(lambda: os.path.exists(self.path("trace")))
        self.server.stop()
        self.server.start()
        _, result = self.result(run)
        self.assertEqual((result["exit_code"], result["stdout"]), (0, "whole\n"))
        with open(self.path("trace")) as f:
            self.assertEqual(f.read(), "once\n")


if __name__ == "__main__":
    unittest.main()
