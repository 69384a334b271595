"""What the figures stand on: the bench program, servers beside it, and samples. Ends only what it started."""
import contextlib, http.client, json, os, resource, shutil, socket, statistics, subprocess, sys, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
START_SECONDS = 20


class Missing(Exception):
    """Something that a figure needs is not here; the figure says so instead of a value."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    """One run of the benchmarks: its programs, its scratch directory, how long and how often things are done."""

    def __init__(self, directory, quick):
        self.directory, self.quick = directory, quick
        self.program = os.environ.get("OUTLAST_BENCH", os.path.join(ROOT, "build/bench/bench/outlast_bench"))
        self.outlast = os.environ.get("OUTLAST_BIN", os.path.join(ROOT, "build/bench/outlast"))
        self.repeats = 1 if quick else 3

    def seconds(self, full):
        return full / 4 if self.quick else full

    @contextlib.contextmanager
    def scratch(self, name):
        """A directory of its own for one measurement, gone after it."""
        path = os.path.join(self.directory, name)
        os.makedirs(path)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def measure(self, command, timeout=300, **arguments):
        """Runs one measurement of the bench program; its samples."""
        argv = [self.program, command]
        for key, value in arguments.items():
            argv += ["--" + key.replace("_", "-"), str(value)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip() or f"{command} exited with {done.returncode}")
        return Samples(json.loads(line) for line in done.stdout.splitlines())


class Samples(list):
    """Samples of one or more measurements, in the order in which they were taken."""

    def values(self, name, side, field="value"):
        return [s[field] for s in self if s["sample"] == name and s["side"] == side]

    def median(self, name, side, field="value"):
        return statistics.median(self.values(name, side, field))


class Server:
    """`outlast serve` on a home of its own, with the scripted agent `demo`."""

    def __init__(self, bench, home):
        self.bench, self.home, self.port, self.process = bench, home, free_port(), None

    def __enter__(self):
        """Starts and waits for the first answer."""
        if not os.access(self.bench.outlast, os.X_OK):
            raise Missing(f"no program at {self.bench.outlast}")
        os.makedirs(self.home, exist_ok=True)
        self.log = open(os.path.join(self.bench.directory, "server.log"), "a")
        environment = dict(os.environ, OUTLAST_HOME=self.home)
        environment.pop("OS_SECURITY_KEY", None)
        self.began = time.monotonic()
        self.process = subprocess.Popen([self.bench.outlast, "serve", "--port", str(self.port), "--log-level", "error"],
                                        env=environment, stdout=self.log, stderr=self.log, preexec_fn=raise_fd_limit)
        while True:
            try:
                self.get("/health")
                self.start_seconds = time.monotonic() - self.began
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() - self.began > START_SECONDS:
                    self.__exit__()
                    raise RuntimeError("the server did not start: " + tail_of(self.log.name)) from None
                time.sleep(0.001)

    @property
    def pid(self):
        return self.process.pid

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def metric(self, name):
        for line in self.get("/metrics").splitlines():
            if line.startswith(f"outlast_{name} "):
                return float(line.split()[1])
        raise RuntimeError(f"no metric {name}")

    def launch(self, message):
        """A background run; its id once it has ended."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", "/agents/demo/runs", f"message={message}&stream=false&background=true&session_id=bench",
                               {"content-type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            run_id = json.loads(answer.read())["run_id"]
            while True:
                connection.request("GET", f"/agents/demo/runs/{run_id}?session_id=bench&wait=50")
                run = json.loads(connection.getresponse().read())
                if run["status"] not in ("PENDING", "RUNNING"):
                    return run_id
        finally:
            connection.close()

    def resident_mib(self):
        with open(f"/proc/{self.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:")) / 1024

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def raise_fd_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def tail_of(path):
    with open(path) as f:
        return f.read()[-500:]


def installed(program, package):
    """The program's path, installing its Debian package where this script is allowed to; None without it."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if found or os.geteuid() != 0 or not shutil.which("apt-get"):
        return found
    say(f"installing {package} to measure against")
    guard = "/usr/sbin/policy-rc.d"  # without it the package would start a service that nobody asked for
    guarded = not os.path.exists(guard)
    if guarded:
        with open(os.open(guard, os.O_WRONLY | os.O_CREAT, 0o755), "w") as f:
            f.write("#!/bin/sh\nexit 101\n")
    try:
        environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        for argv in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", package]):
            subprocess.run(["apt-get", *argv], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=180,
                           check=False)
    except subprocess.TimeoutExpired:
        pass
    finally:
        if guarded:
            os.unlink(guard)
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


@contextlib.contextmanager
def beside(argv, port):
    """A server of somebody else, from when it listens to the end of the block."""
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        began = time.monotonic()
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() - began > START_SECONDS:
                    raise Missing(f"{argv[0]} did not start") from None
                time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def redis(bench):
    """Redis with every command synced, on a port and directory of its own; its port, or 0 where there is none."""
    program = installed("redis-server", "redis-server")
    if not program:
        yield 0
        return
    port = free_port()
    with bench.scratch("redis") as directory:
        argv = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--appendonly", "yes",
                "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0", "--daemonize", "no"]
        with beside(argv, port):
            yield port


NGINX = """
{user}
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{ listen 127.0.0.1:{port}; root {directory}/www; }}
}}
"""


@contextlib.contextmanager
def nginx(directory):
    """nginx serving `directory`/www; (port, process ids), or (0, "") where there is none."""
    program = installed("nginx", "nginx-light")
    if not program:
        yield 0, ""
        return
    port, config = free_port(), os.path.join(directory, "nginx.conf")
    with open(config, "w") as f:
        f.write(NGINX.format(directory=directory, port=port, user="user root;" if os.geteuid() == 0 else ""))
    with beside([program, "-c", config, "-e", os.path.join(directory, "error.log")], port) as process:
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as f:
            workers = f.read().split()
        yield port, ",".join([str(process.pid), *workers])
