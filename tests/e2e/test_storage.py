"""Homes that cannot be written, and files that are none of ours: the real binary (OUTLAST_BIN) on disks that are full, read-only or damaged.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_storage.py

Standard library only; loopback only. Small disks of its own are mounted where that is allowed (root), else those tests say that they are skipped."""
import http.client, json, os, resource, shutil, signal, socket, subprocess, tempfile, time, unittest, urllib.parse

BIN = os.path.abspath(os.environ.get("OUTLAST_BIN", "build/release/outlast"))
DISK_MIB = 8


def mount(*args):
    return subprocess.run(["mount", *args], capture_output=True).returncode == 0


class Storage(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="outlast-storage-")
        self.disk = os.path.join(self.root, "disk")
        self.home = os.path.join(self.disk, "home")
        os.mkdir(self.disk)
        self.mounted = False
        self.servers = []
        self.env = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_BASE_URL", "_RUN_ID"))}
        self.env.update(OUTLAST_HOME=self.home, HOME=self.root)

    def tearDown(self):
        for server in self.servers:
            if server.poll() is None:
                server.kill()
            server.wait()
        if self.mounted:
            subprocess.run(["umount", "-l", self.disk], check=True)
        shutil.rmtree(self.root, ignore_errors=True)

    def small_disk(self):
        if not mount("-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0700", "tmpfs", self.disk):
            self.skipTest("a small disk can only be mounted by root")
        self.mounted = True

    def outlast(self, *args, seconds=40):
        p = subprocess.run([BIN, *args], env=self.env, cwd=self.root, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
        return p.returncode, p.stdout, p.stderr

    def ok(self, *args):
        code, out, err = self.outlast(*args)
        self.assertEqual(code, 0, (args, out, err))
        return out

    def serve(self, **more):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.log = open(os.path.join(self.root, "server.log"), "w+")
        self.addCleanup(self.log.close)
        server = subprocess.Popen([BIN, "serve", "--port", str(self.port)], env=self.env, cwd=self.root, stdout=self.log, stderr=self.log, **more)
        self.servers.append(server)
        for _ in range(400):
            try:
                return self.request("GET", "/health")
            except OSError:
                self.assertIsNone(server.poll(), "the server ended")
                time.sleep(0.05)
        self.fail("the server did not start")

    def request(self, method, path, form=None, seconds=60):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        headers = {"content-type": "application/x-www-form-urlencoded"} if form is not None else {}
        connection.request(method, path, urllib.parse.urlencode(form or {}), headers)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response.status, body

    def launch(self, message, **form):
        status, body = self.request("POST", "/agents/demo/runs", {"message": message, "background": "true", "stream": "false", **form})
        return status, json.loads(body)

    def log_has(self, text):
        with open(self.log.name, encoding="utf-8") as f:
            return text in f.read()

    def until(self, true, what, seconds=30):
        end = time.monotonic() + seconds
        while not true():
            self.assertLess(time.monotonic(), end, f"{what} did not happen in {seconds} s")
            time.sleep(0.05)

    def assert_whole(self, run_id, words):
        """the run is complete: dense, each word of the model there, ended once"""
        events = [json.loads(line) for line in self.ok("logs", run_id, "--json").splitlines()]
        self.assertEqual([event["event_index"] for event in events], list(range(len(events))))
        self.assertEqual(events[-1]["type"], "run_completed")
        self.assertEqual(events[-1]["content"].split(), [f"w{i}" for i in range(words)])
        self.assertEqual([event["type"] for event in events].count("run_completed"), 1)

    def assert_unusable(self, *args, path, fix):
        code, out, err = self.outlast(*args)
        self.assertEqual((code, out), (78, ""), err)
        self.assertIn(path, err)
        self.assertIn(fix, err)


class FullDisk(Storage):
    def fill(self):
        """takes all the space there is, to the last byte"""
        self.filler = os.path.join(self.disk, "filler")
        with open(self.filler, "wb", buffering=0) as f:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        f.write(b"x" * size)
                except OSError:
                    pass

    def test_a_streaming_run_waits_for_space_and_ends_complete(self):
        self.small_disk()
        self.serve()
        run_id = self.launch("tokens=400 rate=100")[1]["run_id"]
        self.fill()
        self.until(lambda: self.log_has("tries again"), "a refused append")
        # Meanwhile nothing new is acknowledged, and what is there can be read.
        self.assertEqual(self.launch("tokens=1", session_id="refused")[0], 503)
        self.assertEqual(json.loads(self.ok("show", run_id, "--json"))["status"], "RUNNING")
        os.unlink(self.filler)
        self.ok("wait", run_id, "--timeout", "40")
        self.assert_whole(run_id, 400)
        self.assertEqual(self.request("GET", "/sessions/refused")[0], 404)
        self.assertEqual(self.launch("tokens=1")[0], 202)

    def test_a_command_that_starts_on_a_full_disk_says_so_and_starts_nothing(self):
        self.small_disk()
        self.ok("agent", "demo/fast", "say hello")
        self.fill()
        code, _, err = self.outlast("agent", "demo/fast", "say no", "--background")
        self.assertEqual(code, 78, err)
        self.assertIn(self.home, err)
        self.assertEqual(len(json.loads(self.ok("ls", "--json", "--all"))), 1)
        os.unlink(self.filler)
        self.ok("agent", "demo/fast", "say yes")

    def test_files_that_may_not_grow_are_a_full_disk(self):  # without root: a limit of the server's own
        self.serve(preexec_fn=lambda: (resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 10, resource.RLIM_INFINITY)), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)))
        run_id = self.launch("tokens=600 rate=200")[1]["run_id"]
        self.until(lambda: self.log_has("tries again"), "a refused append")
        resource.prlimit(self.servers[0].pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.ok("wait", run_id, "--timeout", "60")
        self.assert_whole(run_id, 600)


class ReadOnlyHome(Storage):
    def make_read_only(self):
        if os.geteuid() == 0:
            # Busy as long as a process that is about to end holds a file of it open for writing.
            end = time.monotonic() + 10
            while not (done := mount("-o", "remount,ro", self.disk)) and time.monotonic() < end:
                time.sleep(0.05)
            self.assertTrue(done, "the disk stays busy")
        else:
            os.chmod(self.home, 0o500)
            self.addCleanup(os.chmod, self.home, 0o700)

    def test_it_is_said_with_the_fix_and_nothing_is_half_started(self):
        if os.geteuid() == 0:
            self.small_disk()
        self.ok("agent", "demo/fast", "say hello")
        before = sorted(os.listdir(os.path.join(self.home, "runs")))
        self.make_read_only()
        for args in (("ls",), ("agent", "demo/fast", "say no", "--background"), ("agent", "demo/fast", "say no"), ("cancel", before[0]), ("wait", before[0])):
            with self.subTest(args=args):
                self.assert_unusable(*args, path=self.home, fix="set OUTLAST_HOME to a writable directory")
        code, _, err = self.outlast("serve", "--port", "0")
        self.assertEqual(code, 78, err)
        self.assertIn("set OUTLAST_HOME", err)
        self.assertEqual(sorted(os.listdir(os.path.join(self.home, "runs"))), before)
        if os.geteuid() == 0:
            self.assertTrue(mount("-o", "remount,rw", self.disk))
            self.assertEqual(len(json.loads(self.ok("ls", "--json", "--all"))), 1)


class DamagedDatabase(Storage):
    def test_a_file_that_is_no_database_is_said_with_the_fix_and_left_alone(self):
        self.ok("agent", "demo/fast", "say hello")
        database = os.path.join(self.home, "outlast.db")
        with open(database, "rb") as f:
            whole = f.read()
        for name, content in {"garbage": os.urandom(len(whole)), "a text": b"not a database, but of some length " * 9, "cut off": whole[:len(whole) // 2]}.items():
            with self.subTest(content=name):
                with open(database, "wb") as f:
                    f.write(content)
                for log in (database + "-wal", database + "-shm"):
                    if os.path.exists(log):
                        os.unlink(log)
                for args in (("ls",), ("agent", "demo/fast", "say no", "--background"), ("show", "x")):
                    self.assert_unusable(*args, path=database, fix="move it away")
                self.assertEqual(self.outlast("serve", "--port", "0")[0], 78)
                with open(database, "rb") as f:
                    self.assertEqual(f.read(), content)
        with open(database, "wb") as f:
            f.write(whole)
        self.assertEqual(len(json.loads(self.ok("ls", "--json", "--all"))), 1)


if __name__ == "__main__":
    unittest.main()
