"""Named tasks from outside: the commands of `outlast task` that start nothing, on a temporary home; `claude` is a script that counts.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_task_desk.py"""
import datetime, json, os, re, sqlite3, subprocess, threading, time, unittest

from test_cli import BIN, Home

SID = "c738d8d5-26b5-4c1c-9d53-0123456789ab"
KEYS = ("slug name project status state priority due work_dir waiting_on assignee tags harness session_id session_started "
        "session_last_resumed run_id auto_run auto_run_log created updated brief updates transcript").split()
SESSION_VARIABLES = ("OUTLAST_TERM", "OUTLAST_TASK", "OUTLAST_RUN_ID", "CLAUDE", "CODEX_", "GEMINI_", "OPENCODE")


class Tasks(Home):
    def setUp(self):
        super().setUp()
        for name in [n for n in self.env if n.startswith(SESSION_VARIABLES)]:
            del self.env[name]
        self.bin = os.path.join(self.root, "bin")
        os.mkdir(self.bin)
        self.env["PATH"] = f"{self.bin}:{self.env['PATH']}"
        self.claude("echo '[]'")

    def claude(self, script):
        """a `claude` that counts its calls and does this"""
        path = os.path.join(self.bin, "claude")
        with open(path, "w") as f:
            f.write(f"#!/bin/sh\necho \"$*\" >> '{self.root}/calls'\n{script}\n")
        os.chmod(path, 0o755)

    def registry(self, *entries):
        with open(os.path.join(self.root, "registry.json"), "w") as f:
            json.dump(entries, f)
        self.claude(f"cat '{self.root}/registry.json'")

    def calls(self):
        try:
            with open(os.path.join(self.root, "calls")) as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    def task(self, *args, **more):
        return self.ok("task", *args, **more)

    def refused(self, code, *args, **more):
        got, out, err = self.outlast("task", *args, **more)
        self.assertEqual((got, out), (code, ""), (args, err))
        self.assertRegex(err, r"(?m)^error: ")
        return err

    def add(self, name, *flags, **more):
        return json.loads(self.task("add", name, "--json", *flags, **more))

    def shown(self, *args, **more):
        """the `key: value` lines of `task show`"""
        return dict(line.split(": ", 1) for line in self.task("show", *args, **more).splitlines() if ": " in line)

    def rows(self, *flags, **more):
        return json.loads(self.task("list", "--format", "json", *flags, **more))

    def slugs(self, *flags, **more):
        return [row["slug"] for row in self.rows(*flags, **more)]

    def bind(self, slug, session=SID, **fields):
        """what `task do` would have written down"""
        with sqlite3.connect(os.path.join(self.home, "outlast.db"), timeout=10) as db:
            (text,) = db.execute("SELECT fields FROM assignment WHERE slug = ?", (slug,)).fetchone()
            db.execute("UPDATE assignment SET session_id = ?, version = version + 1, fields = ? WHERE slug = ?",
                       (session, json.dumps({**json.loads(text), "harness": "claude", **fields}), slug))
        db.close()

    def set_status(self, slug, number):
        with sqlite3.connect(os.path.join(self.home, "outlast.db"), timeout=10) as db:
            db.execute("UPDATE assignment SET status = ?, version = version + 1 WHERE slug = ?", (number, slug))
        db.close()

    def transcript(self, project, *lines, age=0, session=SID, config=".claude"):
        directory = os.path.join(self.root, config, "projects", project)
        os.makedirs(directory, exist_ok=True)
        path = os.path.join(directory, f"{session}.jsonl")
        with open(path, "w") as f:
            f.write("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
        os.utime(path, (time.time() - age,) * 2)
        return path


class Adding(Tasks):
    def test_a_task_has_its_own_directory_brief_and_updates(self):
        self.assertEqual(self.task("list"), "")
        out = self.task("add", "Fix the Login!")
        task = self.shown("fix-the-login")
        directory = os.path.join(self.home, "tasks", "fix-the-login")
        self.assertEqual(list(task), KEYS)
        self.assertEqual((task["status"], task["state"], task["priority"], task["project"], task["session_id"]), ("backlog", "never started", "medium", "-", "-"))
        self.assertEqual((task["work_dir"], task["brief"], task["updates"]), tuple(os.path.join(directory, n) for n in ("workspace", "brief.md", "updates")))
        self.assertTrue(os.path.isdir(task["work_dir"]) and os.path.isdir(task["updates"]))
        self.assertTrue(self.file("tasks", "fix-the-login", "brief.md").startswith("# Fix the Login!\n"))
        for said in ("Added fix-the-login", task["work_dir"], task["brief"], "outlast task do fix-the-login"):
            self.assertIn(said, out)

    def test_a_slug_is_unique_and_so_is_an_alias(self):
        self.assertEqual([self.add("Same name")["slug"] for _ in range(3)], ["same-name", "same-name-2", "same-name-3"])
        self.assertEqual(self.add("x", "--slug", "mine", "--alias", "m")["alias"], "m")
        self.assertIn("choose another --slug", self.refused(1, "add", "y", "--slug", "mine"))
        self.assertIn("choose another --slug", self.refused(1, "add", "y", "--slug", "m"))
        self.assertIn("choose another --alias", self.refused(1, "add", "y", "--alias", "m"))
        self.assertIn("choose another --alias", self.refused(1, "add", "y", "--alias", "mine"))
        self.assertEqual(self.add("M")["slug"], "m-2", "a word that is an alias is taken too")
        self.assertEqual(len(self.rows()), 5)

    def test_many_at_once_get_slugs_of_their_own(self):
        done = []
        threads = [threading.Thread(target=lambda: done.append(self.outlast("task", "add", "Crowd", "--json", seconds=90))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([code for code, _, _ in done], [0] * 6, done)
        slugs = [json.loads(out)["slug"] for _, out, _ in done]
        self.assertEqual(sorted(slugs), sorted(["crowd"] + [f"crowd-{i}" for i in range(2, 7)]))
        for slug in slugs:
            self.assertTrue(self.file("tasks", slug, "brief.md").startswith("# Crowd\n"))

    def test_the_work_directory_is_whole_and_real(self):
        os.mkdir(os.path.join(self.work, "real dir"))
        os.symlink("real dir", os.path.join(self.work, "link"))
        self.assertEqual(self.add("a", "--work-dir", "link")["work_dir"], os.path.realpath(os.path.join(self.work, "real dir")))
        self.assertIn("--mkdir makes it", self.refused(1, "add", "b", "--work-dir", "missing/deep"))
        with open(os.path.join(self.work, "file"), "w"):
            pass
        self.refused(1, "add", "b", "--work-dir", "file")
        self.refused(1, "add", "b", "--work-dir", "file", "--mkdir")
        self.assertEqual(self.add("b", "--work-dir", "missing/deep", "--mkdir")["work_dir"], os.path.realpath(os.path.join(self.work, "missing", "deep")))
        self.assertFalse(os.path.exists(os.path.join(self.home, "tasks", "b", "workspace")))

    def test_a_brief_is_never_overwritten(self):
        path = os.path.join(self.home, "tasks", "kept", "brief.md")
        os.makedirs(os.path.dirname(path))
        with open(path, "w") as f:
            f.write("mine")
        self.add("kept")
        self.assertEqual(self.file("tasks", "kept", "brief.md"), "mine")
        self.assertEqual(sorted(os.listdir(os.path.dirname(path))), ["brief.md", "updates", "workspace"])

    def test_words_are_kept_as_they_are(self):
        task = self.add("Ünïcode \"name\" $x", "--project", "web", "--priority", "HIGH", "--due", "2031-05-06", "--assignee", "ada",
                        "--tag", "api", "--tag", "[a]", "--tag", "api", "--harness", "codex")
        self.assertEqual((task["slug"], task["name"], task["project"], task["priority"], task["due"], task["assignee"], task["tags"], task["harness"]),
                         ("n-code-name-x", "Ünïcode \"name\" $x", "web", "high", "2031-05-06", "ada", ["api", "[a]"], "codex"))
        self.assertEqual(self.shown("n-code")["tags"], "api, [a]")

    def test_due_days(self):
        today = datetime.date.today()
        for word, day in (("today", today), ("tomorrow", today + datetime.timedelta(1)), ("3d", today + datetime.timedelta(3))):
            self.assertIn(self.add(word, "--due", word)["due"], (str(day), str(day + datetime.timedelta(1))))
        self.assertEqual(datetime.date.fromisoformat(self.add("m", "--due", "Monday")["due"]).weekday(), 0)

    def test_wrong_words_make_nothing(self):
        for flags in (("--slug", "Has Space"), ("--slug", "-x"), ("--slug", "../x"), ("--alias", "ä"), ("--priority", "urgent"), ("--due", "someday"),
                      ("--due", "2026-02-30"), ("--tag", "a,b"), ("--tag", ""), ("--assignee", "a\nb"), ("--slug", "x" * 65), ("--slug", "same", "--alias", "same")):
            self.refused(2, "add", "x", *flags)
        self.refused(2, "add", "")
        self.refused(2, "add", " \n ")
        self.refused(2, "add", "x" * 2000)
        self.refused(2, "add")
        self.refused(2, "add", "two", "words")
        err = self.refused(2, "add", "x", "--harness", "emacs")
        for name in ("claude", "codex", "gemini", "opencode"):
            self.assertIn(name, err)
        self.assertEqual(self.rows("--include-done", "--include-archived"), [])
        self.assertFalse(os.path.exists(os.path.join(self.home, "tasks")))


class Looking(Tasks):
    def test_unknown_tasks_name_the_commands_that_help(self):
        for command in (("show", "nope"), ("transcript", "nope"), ("reopen", "nope"), ("update", "nope", "--due", "none")):
            err = self.refused(1, *command)
            self.assertIn("outlast task list", err)
            self.assertIn("outlast task add", err)
        for slug in ("fix-a", "fix-b"):
            self.add(slug)
        err = self.refused(1, "show", "fix")
        self.assertTrue("fix-a" in err and "fix-b" in err, err)
        self.assertEqual(self.shown("fix-b")["slug"], "fix-b")

    def test_the_task_of_the_session_around_us(self):
        self.add("Mine", "--alias", "m")
        self.bind("mine")
        self.assertIn("outlast task list", self.refused(2, "show"))
        for name in ("CLAUDE_CODE_SESSION_ID",):
            self.assertEqual(self.shown(env={**self.env, name: SID})["slug"], "mine")
        self.assertEqual(self.shown(env={**self.env, "OUTLAST_TASK": "mine"})["slug"], "mine")
        self.assertEqual(self.shown(env={**self.env, "OUTLAST_TASK": "mine", "CLAUDE_CODE_SESSION_ID": "other"})["slug"], "mine")
        self.add("Other")
        self.assertEqual(self.shown(env={**self.env, "OUTLAST_TASK": "other", "CLAUDE_CODE_SESSION_ID": SID})["slug"], "mine", "the session knows better than what it inherited")
        err = self.refused(1, "show", env={**self.env, "CLAUDE_CODE_SESSION_ID": "stranger"})
        self.assertIn("CLAUDE_CODE_SESSION_ID=stranger", err)

    def test_list_filters(self):
        self.add("a", "--project", "web", "--priority", "low", "--tag", "x")
        self.add("b", "--project", "web", "--priority", "high", "--tag", "x", "--tag", "y")
        self.add("c", "--tag", "y", "--due", "2020-01-01", "--assignee", "ada")
        self.assertEqual(self.slugs(), ["b", "c", "a"])
        self.assertEqual(self.slugs("--project", "web"), ["b", "a"])
        self.assertEqual(self.slugs("--tag", "x", "--tag", "y"), ["b"])
        self.assertEqual(self.slugs("--priority", "low"), ["a"])
        self.assertEqual(self.slugs("--since", "today"), ["b", "c", "a"])
        self.set_status("a", 2)
        self.task("update", "c", "--archive")
        self.assertEqual(self.slugs(), ["b"])
        self.assertEqual(self.slugs("--status", "done"), ["a"])
        self.assertEqual(self.slugs("--include-done", "--include-archived"), ["b", "c", "a"])
        for flags in (("--status", "odd"), ("--priority", "odd"), ("--since", "odd"), ("--format", "xml"), ("--bogus",)):
            self.refused(2, "list", *flags)
        table = self.task("list", "--include-archived").splitlines()
        self.assertEqual(table[0].split(), "STATUS PRIORITY SLUG PROJECT AGE DUE AUTO NOTES".split())
        self.assertRegex(table[2], r"^backlog +medium +c +- +\d+s +2020-01-01 +- +\[overdue\] \[archived\] @ada #y$")
        tsv = [line.split("\t") for line in self.task("list", "--format", "tsv").splitlines()]
        self.assertEqual([len(row) for row in tsv], [8, 8])
        self.assertEqual((tsv[1][2], tsv[1][5], tsv[1][7]), ("b", "", "#x #y"))
        self.assertEqual(self.task("ls"), self.task("list"))

    def test_json_is_the_same_everywhere(self):
        added, listed, shown = self.add("one"), self.rows()[0], json.loads(self.task("show", "one", "--json"))
        for key, value in added.items():
            self.assertEqual((listed[key], shown[key]), (value, value), key)
        self.assertEqual((listed["live"], shown["live"], shown["state"], shown["bg_status"]), (False, False, "never started", None))
        history = json.loads(self.task("show", "one", "--json", "--history"))["history"]
        self.assertEqual([(h["type"], h["data"]) for h in history], [("created", {"name": "one"})])

    def test_texts_cannot_look_like_rows(self):
        self.add("x", "--project", "p", "--assignee", "two  words")
        self.assertEqual(len(self.task("list").splitlines()), 2)
        self.refused(2, "update", "x", "--waiting-on", "a\nbacklog high fake")

    def test_two_thousand_tasks_are_listed_fast(self):
        self.add("first")
        with sqlite3.connect(os.path.join(self.home, "outlast.db"), timeout=10) as db:
            (fields,) = db.execute("SELECT fields FROM assignment").fetchone()
            db.executemany("INSERT INTO assignment(version, slug, alias, status, priority, project, session_id, archived, created_ms, updated_ms, fields) "
                           "VALUES(1, ?, '', 0, 1, 'p', '', 0, 1, 1, ?)", [(f"t-{i}", fields) for i in range(2000)])
        db.close()
        self.assertEqual(len(self.rows()), 2001)
        took = []
        for _ in range(5):
            began = time.monotonic()
            self.task("list")
            took.append(time.monotonic() - began)
        self.assertLess(min(took), 1.0, "generous: this may be a build with sanitizers on a busy machine")
        self.assertEqual(self.calls(), [])


class Live(Tasks):
    BG = {"OUTLAST_TERM": "bg"}

    def bg(self):
        return {**self.env, **self.BG}

    def test_outside_bg_mode_no_harness_is_asked(self):
        self.registry({"id": "c738d8d5", "sessionId": SID, "kind": "background", "pid": 7, "status": "idle", "state": "done"})
        self.add("one")
        self.task("list", env=self.bg())
        self.assertNotIn("bg_status", self.shown("one", env=self.bg()))
        self.assertEqual(self.calls(), [], "no task has such a session")
        self.bind("one", background=True)
        for env in (self.env, {**self.env, "OUTLAST_TERM": "BG"}, {**self.env, "OUTLAST_TERM": ""}):
            self.assertNotIn("[live]", self.task("list", env=env))
            shown = self.shown("one", env=env)
            self.assertNotIn("bg_status", shown)
            self.assertIn("OUTLAST_TERM=bg", shown["state"])
        self.assertEqual(self.calls(), [])

    def test_in_bg_mode_the_registry_is_asked_once(self):
        for i in range(4):
            self.add(f"t-{i}")
            self.bind(f"t-{i}", f"s-{i}", background=True)
        self.registry({"id": "aaaaaaaa", "sessionId": "s-0", "kind": "background", "pid": 23274, "status": "idle", "state": "done"},
                      {"id": "bbbbbbbb", "sessionId": "s-1", "kind": "background", "state": "stopped"},
                      {"id": "cccccccc", "sessionId": "s-2", "kind": "interactive", "pid": 9, "status": "busy"})
        lines = self.task("list", env=self.bg()).splitlines()
        self.assertEqual(self.calls(), ["agents --json --all"])
        self.assertEqual({line.split()[2]: "[live]" in line for line in lines[1:]}, {"t-0": True, "t-1": False, "t-2": False, "t-3": False})
        shown = [self.shown(f"t-{i}", env=self.bg()) for i in range(4)]
        self.assertEqual(len(self.calls()), 5)
        self.assertEqual([s["bg_status"] for s in shown[:2]], ["idle/done (pid 23274, id aaaaaaaa)", "stopped (id bbbbbbbb)"])
        for s in shown[2:]:
            self.assertRegex(s["bg_status"], "^absent")

    def test_a_registry_that_fails_or_hangs_is_only_noted(self):
        self.add("one")
        self.bind("one", background=True)
        for script, words in (("echo broken >&2; exit 1", "exit code 1: broken"), ("sleep 60", "gave no answer"), ("echo '{}'", "no list")):
            self.claude(script)
            for command in (("list",), ("show", "one")):
                began = time.monotonic()
                code, out, err = self.outlast("task", *command, env=self.bg())
                self.assertLess(time.monotonic() - began, 5)
                self.assertEqual(code, 0, err)
                self.assertIn(words, err)
                self.assertIn("one", out)
                self.assertNotIn("[live]", out)
                self.assertNotIn("(pid", out)
        self.assertEqual(self.shown("one", env=self.bg())["session_id"], SID)


class Transcript(Tasks):
    USER = {"type": "user", "message": {"role": "user", "content": "please"}}
    THOUGHT = {"type": "assistant", "message": {"content": [{"type": "thinking", "thinking": "hm"}]}}
    CALL = {"type": "assistant", "message": {"content": [{"type": "tool_use", "name": "Bash", "input": {"command": "seq 1 400"}}]}}
    RESULT = {"type": "user", "message": {"content": [{"type": "tool_result", "content": "\n".join(map(str, range(1, 401)))}]}}
    ANSWER = {"type": "assistant", "message": {"content": [{"type": "text", "text": "the answer"}]}}

    def setUp(self):
        super().setUp()
        self.add("told", "--work-dir", self.work)
        self.project = re.sub("[^A-Za-z0-9]", "-", os.path.realpath(self.work))

    def test_headings(self):
        self.bind("told")
        path = self.transcript(self.project, self.USER, self.THOUGHT, '{"type":"assistant","message":{"con\n', {"type": "odd", "message": {"content": "NEVER"}}, "\n",
                               self.CALL, self.RESULT, self.ANSWER)
        self.assertEqual(self.shown("told")["transcript"], path)
        out = self.task("transcript", "told")
        cut = "\n".join(map(str, range(1, 401)))[:500]
        self.assertEqual(out, "─── User ───\nplease\n\n─── Thinking ───\nhm\n\n─── Tool: Bash ───\ncommand: seq 1 400\n\n"
                              f"─── Result ───\n{cut}…\n\n─── Assistant ───\nthe answer\n\n")
        self.assertEqual(self.task("transcript", "told", "--compact"), "─── User ───\nplease\n\n─── Tool: Bash ───\ncommand: seq 1 400\n\n─── Assistant ───\nthe answer\n\n")
        whole = json.loads(self.task("transcript", "told", "--json"))
        self.assertEqual((whole["slug"], whole["session_id"], whole["path"], [e["kind"] for e in whole["entries"]]),
                         ("told", SID, path, ["user", "thinking", "tool", "result", "assistant"]))
        self.assertEqual(self.task("transcript", env={**self.env, "CLAUDE_CODE_SESSION_ID": SID}), out)

    def test_long_lines(self):
        self.bind("told")
        long_answer = {"type": "assistant", "message": {"content": [{"type": "text", "text": "x" * 9_000_000}]}}
        too_long = {"type": "assistant", "message": {"content": [{"type": "text", "text": "y" * 11_000_000}]}}
        self.transcript(self.project, long_answer, too_long, self.ANSWER, json.dumps(self.USER))
        out = self.task("transcript", "told")
        self.assertIn("x" * 9_000_000, out)
        self.assertNotIn("yyy", out)
        self.assertTrue(out.endswith("─── Assistant ───\nthe answer\n\n─── User ───\nplease\n\n"), "a last line without its end is read too")

    def test_where_it_is_looked_for(self):
        self.bind("told")
        err = self.refused(1, "transcript", "told")
        projects = os.path.join(self.root, ".claude", "projects")
        self.assertIn(f"{projects}/{self.project}/{SID}.jsonl", err)
        self.assertIn(f"{projects}/*/{SID}.jsonl", err)
        self.transcript("-old", self.USER, age=900)
        self.transcript("-new", self.ANSWER, age=10)
        self.assertIn("the answer", self.task("transcript", "told"))
        self.transcript(self.project, self.THOUGHT, age=5000)
        self.assertIn("Thinking", self.task("transcript", "told"), "its own directory comes first")
        self.transcript("-other", self.CALL, config="config")
        self.assertIn("Tool: Bash", self.task("transcript", "told", env={**self.env, "CLAUDE_CONFIG_DIR": os.path.join(self.root, "config")}))

    def test_tasks_without_one_say_what_to_do(self):
        self.assertIn("outlast task do told", self.refused(1, "transcript", "told"))
        self.bind("told", harness="codex", run_id="20260420T140312-0123456789ab")
        self.assertIn("no run of task 'told' is left", self.refused(1, "transcript", "told"))


class Changing(Tasks):
    def test_update_changes_and_remembers(self):
        self.add("one", "--tag", "a", "--tag", "b", "--due", "3d")
        self.task("update", "one", "--name", "The one", "--alias", "o", "--project", "web", "--priority", "high", "--due", "2031-05-06", "--assignee", "ada",
                  "--waiting-on", "the bank", "--tag", "c", "--untag", "a")
        task = self.shown("o")
        self.assertEqual((task["name"], task["alias"], task["project"], task["priority"], task["due"], task["assignee"], task["waiting_on"], task["tags"]),
                         ("The one", "o", "web", "high", "2031-05-06", "ada", "the bank", "b, c"))
        task = json.loads(self.task("update", "o", "--due", "none", "--waiting-on", "", "--alias", "", "--project", "", "--json"))
        self.assertEqual((task["due"], task["waiting_on"], task["alias"], task["project"], task["name"]), (None, None, None, None, "The one"))
        history = json.loads(self.task("show", "one", "--json", "--history"))["history"]
        self.assertEqual([h["type"] for h in history], ["created", "updated", "updated"])
        self.assertEqual(history[1]["data"]["tags"], {"from": ["a", "b"], "to": ["b", "c"]})
        self.assertEqual(history[2]["data"]["due"], {"from": "2031-05-06", "to": ""})
        self.assertIn("  updated  ", self.task("show", "one", "--history"))

    def test_archived_tasks_are_named_by_their_whole_slug(self):
        self.add("put-away", "--alias", "p")
        self.task("update", "p", "--archive")
        self.assertEqual(self.slugs(), [])
        self.refused(1, "show", "p")
        self.assertEqual(self.shown("put-away")["archived"], "yes")
        self.task("update", "put-away", "--unarchive")
        self.assertEqual(self.slugs(), ["put-away"])

    def test_reopen(self):
        self.add("one")
        self.assertIn("not done", self.task("reopen", "one"))
        self.set_status("one", 2)
        self.assertEqual(self.shown("one")["status"], "done")
        self.assertIn("outlast task do one", self.task("reopen", "one"))
        self.assertEqual(self.shown("one")["status"], "in-progress")
        history = json.loads(self.task("show", "one", "--json", "--history"))["history"]
        self.assertEqual((history[-1]["type"], history[-1]["data"]), ("status", {"from": "done", "to": "in-progress"}))

    def test_wrong_words_change_nothing(self):
        self.add("one")
        self.add("two", "--alias", "t")
        before = self.task("show", "one", "--json", "--history")
        for flags in ((), ("--priority", "odd"), ("--due", "odd"), ("--name", " "), ("--alias", "A"), ("--tag", ""), ("--archive", "--unarchive"), ("--bogus",)):
            self.refused(2, "update", "one", *flags)
        self.assertIn("choose another", self.refused(1, "update", "one", "--alias", "t"))
        self.assertIn("choose another", self.refused(1, "update", "one", "--alias", "two"))
        self.refused(2, "update", "one", "--alias", "one")
        self.assertEqual(self.task("show", "one", "--json", "--history"), before)

    def test_two_who_change_one_task_both_count(self):
        self.add("one")
        failed = []

        def tag(name):
            for i in range(8):
                code, _, err = self.outlast("task", "update", "one", "--tag", f"{name}{i}", seconds=90)
                if code:
                    failed.append(err)
        threads = [threading.Thread(target=tag, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])
        self.assertEqual(sorted(self.rows()[0]["tags"]), sorted(f"{n}{i}" for n in "ab" for i in range(8)))

    def test_help(self):
        self.assertIn("did you mean 'show'?", self.refused(2, "shwo"))
        self.refused(2)
        whole = self.task("--help")
        for action in ("add", "show", "list", "transcript", "update", "reopen"):
            self.assertRegex(whole, rf"(?m)^\s*{action}\b")
            self.assertIn(f"Usage: outlast task {action}", self.task(action, "--help"))
        self.assertIn("outlast task add --help", self.refused(2, "add", "x", "--bogus"))


if __name__ == "__main__":
    unittest.main()
