"""The promise from outside: the real binary, real sockets, kill -9. Needs OUTLAST_BIN; the scripted provider; loopback only."""
import http.client, json, os, shutil, signal, socket, subprocess, tempfile, time, unittest, urllib.parse

BINARY = os.environ["OUTLAST_BIN"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Outlast(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="outlast-e2e-")
        self.env = dict(os.environ, OUTLAST_HOME=self.home)
        self.port, self.server = free_port(), None

    def tearDown(self):
        if self.server:
            self.stop()
        for run in json.loads(self.command("ls", "--json", "--all").stdout or "[]"):
            if run["status"] in ("RUNNING", "PENDING"):
                self.command("cancel", run["run_id"])
        shutil.rmtree(self.home, ignore_errors=True)

    def command(self, *args, timeout=60):
        return subprocess.run([BINARY, *args], env=self.env, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)

    def serve(self):
        self.server = subprocess.Popen([BINARY, "serve", "--port", str(self.port), "--log-level", "error"], env=self.env, stderr=subprocess.DEVNULL)
        for _ in range(400):
            try:
                self.request("GET", "/health").read()
                return
            except OSError:
                self.assertIsNone(self.server.poll(), "the server ended")
                time.sleep(0.05)
        self.fail("the server did not start")

    def stop(self, number=signal.SIGTERM):
        self.server.send_signal(number)
        self.server.wait(30)
        self.server = None

    def request(self, method, path, form=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"content-type": "application/x-www-form-urlencoded"} if form is not None else {}
        connection.request(method, path, urllib.parse.urlencode(form or {}), headers)
        return connection.getresponse()

    def events(self, response, count=None):
        found, name = [], None
        try:
            for line in response:
                line = line.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    found.append((name, json.loads(line[6:])))
                    if len(found) == count:
                        break
        except (OSError, http.client.HTTPException):
            pass
        response.close()
        return found

    def test_a_run_outlasts_kill_9_of_its_server(self):
        self.serve()
        first = self.events(self.request("POST", "/agents/demo/runs", {"message": "tokens=60 rate=40", "background": "true", "session_id": "s"}), 15)
        run_id, last = first[-1][1]["run_id"], first[-1][1]["event_index"]
        self.stop(signal.SIGKILL)
        self.serve()
        rest = self.events(self.request("POST", f"/agents/demo/runs/{run_id}/resume", {"last_event_index": last}))
        indexed = [(name, data) for name, data in first + rest if "event_index" in data]
        self.assertEqual([data["event_index"] for _, data in indexed], list(range(len(indexed))))
        self.assertEqual(indexed[-1][0], "RunCompleted")
        self.assertEqual(indexed[-1][1]["content"].split(), [f"w{i}" for i in range(60)])
        self.assertIn("RunContentSuperseded", [name for name, _ in indexed])

    def test_a_command_line_run_is_followed_to_its_last_event(self):
        started = self.command("agent", "demo/fast", "tokens=40 rate=40", "--background", "--json")
        self.assertEqual(started.returncode, 0, started.stderr)
        run = json.loads(started.stdout)
        followed = self.command("logs", "-f", run["run_id"], "--json")
        lines = [json.loads(line) for line in followed.stdout.splitlines()]
        self.assertEqual([line["event_index"] for line in lines], list(range(len(lines))))
        self.assertEqual(lines[-1]["type"], "run_completed")
        waited = self.command("wait", run["run_id"])
        self.assertEqual(waited.returncode, 0)
        self.assertIn("status=completed", waited.stdout)
        shown = json.loads(self.command("show", run["run_id"][:20], "--json").stdout)
        self.assertEqual((shown["run_id"], shown["status"]), (run["run_id"], "COMPLETED"))

    def test_a_server_goes_on_with_a_run_whose_process_was_killed(self):
        self.serve()
        run = json.loads(self.command("agent", "demo/fast", "tokens=80 rate=40", "--background", "--json").stdout)
        time.sleep(0.5)
        os.kill(run["pid"], signal.SIGKILL)
        waited = self.command("wait", run["run_id"], "--timeout", "40")
        self.assertEqual(waited.returncode, 0, waited.stdout + waited.stderr)
        lines = [json.loads(line) for line in self.command("logs", run["run_id"], "--json").stdout.splitlines()]
        self.assertEqual([line["event_index"] for line in lines], list(range(len(lines))))
        self.assertEqual(lines[-1]["content"].split(), [f"w{i}" for i in range(80)])

    def test_a_foreground_run_prints_its_answer_and_can_be_continued(self):
        first = self.command("agent", "demo/fast", "say forty-two")
        self.assertEqual((first.returncode, first.stdout.strip()), (0, "forty-two"), first.stderr)
        self.assertIn("[to resume]", first.stderr)
        second = self.command("agent", "-c", "say and more")
        self.assertEqual((second.returncode, second.stdout.strip()), (0, "and more"), second.stderr)

    def test_a_cancel_from_the_command_line_holds(self):
        run = json.loads(self.command("agent", "demo/fast", "tokens=2000 rate=20", "--background", "--json").stdout)
        cancelled = self.command("cancel", run["run_id"])
        self.assertEqual(cancelled.returncode, 0, cancelled.stderr)
        waited = self.command("wait", run["run_id"])
        self.assertEqual(waited.returncode, 1)
        self.assertIn("status=cancelled", waited.stdout)

    def test_an_unusable_home_is_said_before_anything_starts(self):
        file = os.path.join(self.home, "file")
        open(file, "w").close()
        self.env = dict(self.env, OUTLAST_HOME=os.path.join(file, "home"))
        result = self.command("agent", "demo/fast", "say no", "--background")
        self.assertEqual(result.returncode, 78, result.stderr)
        self.assertTrue(result.stderr.startswith("error:"), result.stderr)
        self.env = dict(self.env, OUTLAST_HOME=self.home)


if __name__ == "__main__":
    unittest.main()
