"""`outlast check` from outside: problems with their places, the recordings' apps, and files that want to hurt.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_check.py"""
import json, os, resource, shutil, subprocess, tempfile, time, unittest

from hostile_apps import AGENT, CASES, HEAD

BIN = os.path.abspath(os.environ.get("OUTLAST_BIN", "build/release/outlast"))
APPS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "app-yaml")

# The one recording that is wrong, and its one reason: a literal `...` where the brain would be.
WRONG = {"middleware__secure-assistant__13": ("agents[0].brain", {"DGT-E0100", "DGT-E0101"})}
# Fragments: they load, there is nobody to run.
WITHOUT_AGENTS = {"02-app-config__chat__3", "02-app-config__my-app__1", "22-composition__build-test-deploy__1"}


# Of the processor, for one file: a build with sanitizers on a busy machine takes a multiple of what the program does.
SECONDS = 5


class Check(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="outlast-check-")
        self.env = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_BASE_URL"))}
        self.env.update(OUTLAST_HOME=os.path.join(self.root, "home"), HOME=self.root, PWD=self.root)

    def tearDown(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def write(self, name, text):
        path = os.path.join(self.root, name)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return path

    def check(self, *args):
        p = subprocess.run([BIN, "check", *args], env=self.env, cwd=self.root, capture_output=True, text=True, timeout=60)
        return p.returncode, p.stdout, p.stderr

    def test_every_problem_has_its_place_code_and_guess(self):
        self.write("app.yaml", "app: {app_id: x, name: X}\nruntime:\n  max_turns: 0\n" + AGENT.replace("model:", "modle:") + "teams: {}\nflow: {id: f, entry: a}\n")
        code, out, err = self.check("app.yaml")
        self.assertEqual((code, err), (1, ""))
        self.assertEqual(out.splitlines(), [
            "error: runtime.max_turns: must be at least 1 (app.yaml:3:14, DGT-E0103)",
            "error: agents[0].brain.model: is required (app.yaml:6:12, DGT-E0100)",
            "error: agents[0].brain.modle: unknown key, did you mean 'model'? (app.yaml:6:31, DGT-E0101)",
            "warning: teams: is not available yet (app.yaml:7:8)",
            "warning: flow: has no effect yet (app.yaml:8:7)",
            "wrong: 3 errors, 2 warnings"])
        code, out, _ = self.check("app.yaml", "--json")
        told = json.loads(out)
        self.assertEqual((code, told["ok"]), (1, False))
        self.assertEqual(told["files"][0]["errors"][0], {"path": "runtime.max_turns", "message": "must be at least 1", "line": 3, "column": 14, "code": "DGT-E0103"})
        self.assertEqual(told["files"][0]["agents"], [])

    def test_a_good_file_shows_what_the_policy_made_of_its_agents(self):
        self.write("app.yaml", HEAD + AGENT + "  - id: other\n    modules: [filesystem]\n    brain: {provider: openai, model: m2}\n"
                   "tools:\n  modules: {filesystem: {}, shell: {}}\n  capabilities:\n    grant: [filesystem.read]\n    deny: [filesystem.edit]\n    approve: [shell.bash]\n    default_policy: block\n")
        code, out, err = self.check("app.yaml")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out.splitlines(), ["agent main: openai/m, Read, Bash (approve) [entry agent]", "agent other: openai/m2, Read", "ok: 1 file, 2 agents, no warnings"])
        agents = json.loads(self.check("app.yaml", "--json")[1])["files"][0]["agents"]
        self.assertEqual(agents[0], {"id": "main", "name": "main", "model": "openai/m", "entry": True, "tools": [{"name": "Read", "gate": "auto"}, {"name": "Bash", "gate": "approve"}]})

    def test_strict_makes_warnings_errors(self):
        self.write("app.yaml", HEAD + AGENT + "workflows: [x]\n")
        self.assertEqual(self.check("app.yaml")[0], 0)
        code, out, _ = self.check("app.yaml", "--strict")
        self.assertEqual(code, 1)
        self.assertIn("--strict", out.splitlines()[-1])
        self.assertFalse(json.loads(self.check("app.yaml", "--strict", "--json")[1])["ok"])

    def test_usage(self):
        self.assertEqual(self.check()[0], 2)
        code, out, err = self.check("none.yaml")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("'none.yaml' does not exist", err)
        self.assertEqual(self.check(self.root)[0], 2)

    def test_files_are_checked_together(self):
        self.write("app.yaml", HEAD + AGENT)
        self.write("main.md", "---\nmodel: openai/m\n---\nYou are main.\n")
        code, out, _ = self.check("app.yaml", "main.md")
        self.assertEqual(code, 1)
        self.assertIn("agent 'main' is defined in app.yaml too", out)
        self.write("reviewer.md", "---\nmodel: openai/m\ntools: [Read, Edit]\n---\nYou review.\n")
        code, out, _ = self.check("app.yaml", "reviewer.md")
        self.assertEqual(code, 0, out)
        self.assertIn("agent reviewer: openai/m, Read, Edit (approve)\n", out)

    def test_no_key_is_ever_shown(self):
        self.write("app.yaml", HEAD + AGENT.replace("model: m}", "model: m, config: {api_key: sk-verysecret, bse_url: sk-verysecret}}").replace("id: main", "id: main\n    colour: '{{env.SECRET}}'"))
        self.env["SECRET"] = "sk-verysecret"
        for flags in ((), ("--json",)):
            self.assertNotIn("verysecret", "".join(map(str, self.check("app.yaml", *flags))))

    def test_every_recording_loads_or_fails_for_its_one_reason(self):
        names = sorted(f[:-5] for f in os.listdir(APPS) if f.endswith(".yaml"))
        self.assertEqual(len(names), 30)
        for name in names:
            with self.subTest(name):
                code, out, err = self.check(os.path.join(APPS, name + ".yaml"), "--json")
                told = json.loads(out)["files"][0]
                self.assertEqual(err, "")
                if name in WRONG:
                    where, codes = WRONG[name]
                    self.assertEqual(code, 1)
                    self.assertTrue(all(e["path"].startswith(where) for e in told["errors"]), told["errors"])
                    self.assertEqual({e["code"] for e in told["errors"]}, codes)
                    self.assertEqual(len({e["line"] for e in told["errors"]}), 1)
                    continue
                self.assertEqual((code, told["errors"]), (0, []))
                self.assertEqual(told["agents"] == [], name in WITHOUT_AGENTS)
                self.assertEqual("DGT-E0406" in [w["code"] for w in told["warnings"]], name in WITHOUT_AGENTS)

    def test_hostile_files_are_refused_at_once_with_their_place(self):
        self.assertGreaterEqual(len(CASES), 20)
        for name, (text, expected) in CASES.items():
            with self.subTest(name):
                path = self.write("app.yaml", text)
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                began = time.monotonic()
                code, out, err = self.check(path, "--json")
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                self.assertEqual((code, err), (1, ""))
                self.assertLess(len(out), 1_000_000)
                errors = json.loads(out)["files"][0]["errors"]
                self.assertIn(expected, [e["code"] for e in errors], errors[:3])
                for error in errors:
                    self.assertTrue(error["line"] and error["column"], error)
                # Processor time, so that a busy machine fails nobody; the wall clock only catches what hangs.
                self.assertLess(used, SECONDS, name)
                self.assertLess(time.monotonic() - began, 20, name)
                code, out, _ = self.check(path)
                self.assertEqual(code, 1)
                self.assertNotIn("\x1b", out)


if __name__ == "__main__":
    unittest.main()
