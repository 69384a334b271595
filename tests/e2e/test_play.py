"""`outlast play list` and `outlast play check` from outside.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_play.py"""
import json, os, re, shutil, subprocess, tempfile, unittest

BIN = os.path.abspath(os.environ.get("OUTLAST_BIN", "build/release/outlast"))
DOCS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "docs", "playbooks.md")
AUDIT = """description: Audits a module
model: openai/gpt-5.1
args:
  module: {required: true}
  depth: {type: int, default: 3}
  style: {type: choice, choices: [short, long]}
prompt: Audit {module}, {depth}, {style}. {input}
artifacts:
  expected:
    - {id: report, path: report.md}
    - {id: notes, path: notes.md, required: false}
"""


class Play(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="outlast-play-")
        self.work = os.path.join(self.root, "work")
        os.mkdir(self.work)
        self.env = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_BASE_URL"))}
        self.env.update(OUTLAST_HOME=os.path.join(self.root, "home"), HOME=self.root, PWD=self.work)

    def tearDown(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def write(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def play(self, *args):
        p = subprocess.run([BIN, "play", *args], env=self.env, cwd=self.work, capture_output=True, text=True, timeout=60)
        return p.returncode, p.stdout, p.stderr

    def test_list_shows_what_can_be_found(self):
        code, out, err = self.play("list")
        self.assertEqual((code, out), (0, ""))
        self.assertIn("No playbooks.", err)
        self.assertEqual(json.loads(self.play("list", "--json")[1]), {"playbooks": []})
        audit = self.write("work/.outlast/playbooks/audit.playbook.yaml", AUDIT)
        self.write("home/playbooks/audit.playbook.yaml", "description: another\n")
        self.write("home/playbooks/bad.playbook.yaml", "promt: x\n")
        self.write("work/.lionagi/playbooks/old.playbook.yaml", "description: \"An \\e[31mold one\"\n")
        code, out, err = self.play("list")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out.splitlines(), [
            "audit                 Audits a module",
            "                      module [depth:int=3] [style:choice(short|long)]",
            "bad                   (wrong: outlast play check bad)",
            "old                   An \ufffd[31mold one"])
        told = json.loads(self.play("list", "--json")[1])["playbooks"]
        self.assertEqual([(p["name"], p["ok"]) for p in told], [("audit", True), ("bad", False), ("old", True)])
        self.assertEqual((told[0]["file"], told[0]["description"], told[0]["kind"], told[0]["model"]), (audit, "Audits a module", "flow", "openai/gpt-5.1"))
        self.assertEqual(told[0]["args"][1], {"name": "depth", "type": "int", "required": False, "default": "3", "help": ""})
        self.assertEqual(told[0]["args"][2]["choices"], ["short", "long"])

    def test_check_summarizes_a_good_one(self):
        self.write("work/.outlast/playbooks/audit.playbook.yaml", AUDIT)
        for name in ("audit", ".outlast/playbooks/audit.playbook.yaml"):
            code, out, err = self.play("check", name)
            self.assertEqual((code, err), (0, ""))
            self.assertEqual(out.splitlines(), [
                "playbook audit: flow, openai/gpt-5.1",
                "args: module [depth:int=3] [style:choice(short|long)]",
                "artifact report: report.md",
                "artifact notes: notes.md (may be missing)",
                "ok: no warnings"])
        told = json.loads(self.play("check", "audit", "--json")[1])
        self.assertEqual((told["ok"], told["errors"], told["warnings"]), (True, [], []))
        self.assertEqual(told["playbook"]["artifacts"][0], {"id": "report", "path": "report.md", "required": True, "description": ""})

    def test_check_tells_every_problem_with_its_place(self):
        self.write("work/bad.yaml", "kind: agent\nworkers: 3\nmodle: x\nagent: critic\nprompt: Look at {modul}\nargs: {module: {}}\npack: x\n")
        code, out, err = self.play("check", "bad.yaml")
        self.assertEqual((code, err), (1, ""))
        self.assertEqual(out.splitlines(), [
            "error: workers: has no effect in a playbook of kind agent (bad.yaml:2:10, DGT-E0104)",
            "error: modle: unknown key, did you mean 'model'? (bad.yaml:3:1, DGT-E0101)",
            "error: prompt: there is no argument 'modul', did you mean 'module'? (braces that are meant are written {{modul}}) (bad.yaml:5:17, DGT-E0209)",
            "error: pack: has no effect in a playbook of kind agent (bad.yaml:7:7, DGT-E0104)",
            "warning: pack: has no effect yet (bad.yaml:7:7)",
            "wrong: 4 errors, 1 warning"])
        code, out, _ = self.play("check", "bad.yaml", "--json")
        told = json.loads(out)
        self.assertEqual((code, told["ok"], told["playbook"]), (1, False, None))
        self.assertEqual(told["errors"][1], {"path": "modle", "message": "unknown key, did you mean 'model'?", "line": 3, "column": 1, "code": "DGT-E0101"})

    def test_check_looks_for_the_profile(self):
        self.write("work/x.yaml", "agent: critic\n")
        self.write("work/.outlast/agents/amy.md", "x")
        code, out, _ = self.play("check", "./x.yaml")
        self.assertEqual(code, 1)
        self.assertIn("error: agent: Agent profile 'critic' not found; Available: amy (./x.yaml:1:8, DGT-E0300)\n", out)
        self.write("work/.outlast/agents/critic.md", "---\nmodle: x\n---\n")
        self.assertIn("its profile is wrong: outlast check ", self.play("check", "x.yaml")[1])
        self.write("work/.outlast/agents/critic.md", "Be critical.")
        self.assertEqual(self.play("check", "x.yaml")[:2], (0, "playbook x: flow, profile critic\nok: no warnings\n"))

    def test_usage(self):
        self.write("home/playbooks/a.playbook.yaml", "{}")
        self.write("home/playbooks/b.playbook.yaml", "{}")
        self.assertEqual(self.play("check", "x"), (2, "", "error: Playbook 'x' not found\nAvailable: a, b\n"))
        self.assertEqual(self.play("check", "x.yaml")[0], 2)
        for words in ((), ("check",), ("list", "x"), ("list", "--jsn"), ("check", "a", "b")):
            code, out, err = self.play(*words)
            self.assertEqual((code, out), (2, ""), words)
            self.assertTrue(err.startswith("error: "), err)

    def test_the_page_for_users_shows_a_playbook_that_is_right(self):
        with open(DOCS, encoding="utf-8") as f:
            example = re.search(r"```yaml\n(.*?)```", f.read(), re.S).group(1)
        self.write("work/audit.playbook.yaml", example)
        code, out, err = self.play("check", "audit.playbook.yaml")
        self.assertEqual((code, err), (0, ""), out)
        self.assertTrue(out.endswith("ok: no warnings\n"), out)

    def test_profiles_with_unknown_keys_are_refused_before_anything_starts(self):
        self.write("work/.outlast/agents/critic.md", "---\nmodel: demo/fast\ntimout: 3\n---\nx\n")
        p = subprocess.run([BIN, "agent", "-a", "critic", "hello"], env=self.env, cwd=self.work, capture_output=True, text=True, timeout=60)
        self.assertEqual((p.returncode, p.stdout), (2, ""))
        self.assertIn("timout: unknown key, did you mean 'timeout'?", p.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.root, "home", "runs")))


if __name__ == "__main__":
    unittest.main()
