"""Where a task's agent works and who hears of it: git worktrees of a task's own (R27), checks before work counts (R19), sessions of
others (R30), commands that are told (R31).

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_task_place.py"""
import glob, json, os, shutil, subprocess, time, unittest, uuid

from task_home import TaskHome, main, within

ALL = "--dangerously-skip-permissions"


@unittest.skipUnless(shutil.which("git"), "git is not installed")
class Worktree(TaskHome):
    def setUp(self):
        super().setUp()
        self.env.update(GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@example.org", GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@example.org",
                        GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null")
        self.repository = os.path.join(self.work, "repo")
        os.mkdir(self.repository)
        self.git("init", "-q", "-b", "main")
        with open(os.path.join(self.repository, "a.txt"), "w") as f:
            f.write("a\n")
        self.git("add", ".")
        self.git("commit", "-q", "-m", "first")
        self.directory = os.path.join(os.path.realpath(self.home), "tasks", "one", "worktree")

    def git(self, *words, where=None):
        return subprocess.run(["git", "-C", where or self.repository, *words], env=self.env, check=True, capture_output=True, text=True).stdout.strip()

    def add_worktree(self):
        return json.loads(self.task("add", "one", "--work-dir", self.repository, "--worktree", "--json"))

    def turn(self, text, *flags, **more):
        return self.ended(self.do("one", "--with", text, ALL, *flags, **more)["run_id"])

    def gone(self):
        return within(20, lambda: not os.path.exists(self.directory))

    def test_r27_a_task_works_in_a_worktree_of_its_own(self):
        task = self.add_worktree()
        self.assertEqual((task["work_dir"], task["repository"], task["branch"]), (self.directory, os.path.realpath(self.repository), "outlast/one"))
        self.assertFalse(os.path.exists(self.directory), "adding starts nothing")
        self.assertEqual(self.turn("RUN[[pwd > where; git branch --show-current >> where]]")["status"], "COMPLETED")
        with open(os.path.join(self.directory, "where")) as f:
            self.assertEqual(f.read().split(), [self.directory, "outlast/one"])
        self.assertEqual(os.listdir(self.repository).count("where"), 0)
        self.assertIn("branch outlast/one", self.task("show", "one"))
        # Once more in the same place.
        self.assertEqual(self.turn("RUN[[cat where > again]]")["status"], "COMPLETED")
        self.assertTrue(os.path.exists(os.path.join(self.directory, "again")))
        self.assertEqual(self.git("worktree", "list").count("\n"), 1)

    def test_r27_a_clean_one_goes_when_the_task_is_done(self):
        self.add_worktree()
        self.turn("SAY fine")
        self.task("done", "one", "--no-close-out")
        self.assertFalse(os.path.exists(self.directory))
        self.assertEqual(self.git("branch", "--list", "outlast/*"), "")
        self.assertEqual(self.git("worktree", "list").count("\n"), 0)
        # And is made again where the task goes on.
        self.task("reopen", "one")
        self.assertEqual(self.turn("RUN[[cat a.txt > b.txt]]")["status"], "COMPLETED")
        self.assertTrue(os.path.exists(os.path.join(self.directory, "b.txt")))

    def test_r27_it_goes_after_the_closing_update(self):
        self.add_worktree()
        self.turn("SAY fine")
        self.task("done", "one")
        self.assertTrue(self.gone())

    def test_r27_uncommitted_work_is_kept(self):
        self.add_worktree()
        self.turn("RUN[[echo new > new.txt]]")
        code, _, err = self.outlast("task", "done", "one", "--no-close-out")
        self.assertEqual(code, 0)
        self.assertRegex(err, r"worktree .* was kept: it has changes that are not committed")
        self.assertTrue(os.path.exists(os.path.join(self.directory, "new.txt")))

    def test_r27_commits_that_are_nowhere_else_are_kept(self):
        self.add_worktree()
        self.turn("RUN[[echo new > new.txt; git add .; git commit -q -m new]]")
        _, _, err = self.outlast("task", "done", "one", "--no-close-out")
        self.assertRegex(err, r"was kept: branch outlast/one has commits that are on no other branch")
        self.assertTrue(os.path.exists(self.directory))
        self.git("merge", "-q", "outlast/one")
        self.task("update", "one", "--archive")
        self.assertFalse(os.path.exists(self.directory))
        self.assertEqual(self.git("branch", "--list", "outlast/*"), "")

    def test_r27_a_branch_that_the_agent_left_is_kept(self):
        self.add_worktree()
        self.turn("RUN[[echo new > new.txt; git add .; git commit -q -m new; git checkout -q -b aside HEAD~1]]")
        _, _, err = self.outlast("task", "done", "one", "--no-close-out")
        self.assertIn("was kept", err)
        self.assertEqual(len(self.git("branch", "--list", "outlast/one").split()), 1)

    def test_r27_what_cannot_be_made_is_said(self):
        self.add_worktree()
        shutil.move(self.repository, self.repository + "-moved")
        self.assertIn("cannot be made: fatal: cannot change to", self.refused(1, "do", "one", "--with", "SAY fine", ALL))
        self.assertEqual(self.starts(), [])
        self.assertEqual(self.ended(self.shown()["run_id"])["status"], "ERROR")
        shutil.move(self.repository + "-moved", self.repository)
        self.assertEqual(self.turn("SAY fine")["status"], "COMPLETED")

    def test_r27_bad_places(self):
        self.assertIn("--work-dir", self.refused(2, "add", "one", "--worktree"))
        self.assertIn("not in a git repository", self.refused(1, "add", "one", "--worktree", "--work-dir", self.work))
        os.mkdir(os.path.join(self.repository, "sub"))
        self.assertIn("give --work-dir", self.refused(1, "add", "one", "--worktree", "--work-dir", os.path.join(self.repository, "sub")))
        empty = os.path.join(self.work, "empty")
        os.mkdir(empty)
        self.git("init", "-q", where=empty)
        self.assertIn("no commit", self.refused(1, "add", "one", "--worktree", "--work-dir", empty))
        self.assertEqual(json.loads(self.task("list", "--format", "json")), [])

    def test_r27_in_the_background_too(self):
        self.add_worktree()
        self.ok("task", "do", "one", "--with", "SLEEP 60", env=self.bg, seconds=60)
        self.assertEqual(len(self.starts()), 1)
        self.assertTrue(os.path.exists(os.path.join(self.directory, "a.txt")))
        _, _, err = self.outlast("task", "done", "one", env=self.bg)
        self.assertRegex(err, r"was kept: its background agent is there; end it first")
        self.task("stop", "one", env=self.bg)
        self.task("update", "one", "--archive")
        self.assertFalse(os.path.exists(self.directory))


class Check(TaskHome):
    def test_r19_work_counts_when_its_check_passes(self):
        self.add("one", "--check", "test -e ready || { echo no file ready; exit 1; }")
        run = self.ended(self.do("one", "--with", "SAY fine", ALL)["run_id"])
        self.assertEqual((run["status"], run["reason"]), ("ERROR", "run.failed.check"))
        self.assertIn("no file ready", " ".join(m for m in self.messages("check of your work failed")))
        self.task("update", "one", "--check", "true")
        self.assertEqual(self.ended(self.do("one", "--with", "SAY fine", ALL)["run_id"])["status"], "COMPLETED")

    def test_r19_an_agent_is_not_done_while_its_check_fails(self):
        self.add("one", "--check", "test -e ready")
        inside = dict(self.env, OUTLAST_TASK="one")
        run = self.do("one", "--with", "SAY fine", ALL)["run_id"]
        self.ended(run)
        code, _, err = self.outlast("task", "done", "one", env=inside)
        self.assertEqual(code, 1)
        self.assertIn("not marked as done: its check fails", err)
        self.assertEqual(self.shown()["status"], "in-progress")
        open(os.path.join(self.work, "ready"), "w").close()
        self.ok("task", "done", "one", env=inside)
        self.assertEqual(self.shown()["status"], "done")

    def test_r19_a_persons_word_is_enough(self):
        self.add("one", "--check", "false")
        self.ended(self.do("one", "--with", "SAY fine", ALL)["run_id"])
        self.task("done", "one")
        self.assertEqual(self.shown()["status"], "done")
        closing = self.shown()["run_id"]
        self.assertEqual(self.ended(closing)["status"], "COMPLETED", "the closing update is not checked")

    def test_r19_bad_commands(self):
        self.assertIn("--check", self.refused(2, "add", "one", "--check", "x" * 5000))
        self.add()
        self.assertIn("--notify", self.refused(2, "update", "one", "--notify", "x" * 5000))


class Notify(TaskHome):
    def heard(self, count):
        path = os.path.join(self.root, "heard")

        def lines():
            try:
                with open(path) as f:
                    return [json.loads(line) for line in f]
            except FileNotFoundError:
                return []
        within(30, lambda: len(lines()) >= count)
        return lines()

    def add_told(self):
        path = os.path.join(self.root, "heard")
        self.add("one", "--notify", f"printf '%s\\n' '{{payload}}' >> {path}")

    def test_r31_the_end_is_told_once(self):
        self.add_told()
        run = self.do("one", "--with", "SAY fine", ALL)["run_id"]
        self.ended(run)
        (told,) = self.heard(1)
        self.assertEqual((told["run_id"], told["task"], told["status"], told["why"], told["harness"]), (run, "one", "completed", None, "claude"))

    def test_r31_a_question_is_told_and_then_the_end(self):
        self.add_told()
        run = self.do("one", "--with", "ASK[[echo hi > made]]")["run_id"]
        self.assertEqual([one["status"] for one in self.heard(1)], ["waiting"])
        self.assertEqual(self.heard(1)[0]["why"], "approval")
        within(20, lambda: self.shown()["asks"])
        self.task("approve", "one")
        self.ended(run)
        self.assertEqual([one["status"] for one in self.heard(2)], ["waiting", "completed"])

    def test_r31_a_failure_has_its_reason(self):
        self.add_told()
        run = self.do("one", "--with", "ERR 401", ALL)["run_id"]
        end = self.ended(run)
        (told,) = self.heard(1)
        self.assertEqual(told["status"], "failed", end)
        self.assertTrue(told["why"])


class Foreign(TaskHome):
    """sessions that were not started here (R30)"""

    def setUp(self):
        super().setUp()
        self.id = str(uuid.uuid4())

    def begun_elsewhere(self, where=None, age=600):
        """a session of the user's own, at rest for so many seconds"""
        subprocess.run([os.path.join(self.bin, "claude"), "-p", "SAY hello", "--session-id", self.id], env=self.env, cwd=where or self.work, check=True, capture_output=True, timeout=60)
        (path,) = glob.glob(os.path.join(self.root, ".claude", "projects", "*", self.id + ".jsonl"))
        old = time.time() - age
        os.utime(path, (old, old))

    def listed(self):
        return json.loads(self.task("sessions", "--json"))

    def test_r30_they_are_shown_and_left_alone(self):
        self.begun_elsewhere()
        rollout = os.path.join(self.root, ".codex", "sessions", "2026", "11", "30", "rollout-2026-11-30T01-02-03-" + str(uuid.uuid4()) + ".jsonl")
        os.makedirs(os.path.dirname(rollout))
        with open(rollout, "w") as f:
            f.write(json.dumps({"type": "session_meta", "payload": {"cwd": "/elsewhere"}}) + "\n")
        with open(os.path.join(os.path.dirname(rollout), "rollout-notes.jsonl"), "w") as f:
            f.write("{}\n")
        starts = len(self.starts())
        shown = self.listed()
        self.assertEqual([(s["harness"], s["directory"], s["external"], s["task"]) for s in shown], [("codex", "/elsewhere", True, None), ("claude", self.work, True, None)])
        self.assertEqual(len(self.starts()), starts, "they are read from files")
        self.assertRegex(self.task("sessions"), r"(?m)^10m +claude +" + self.id + " +external +" + self.work)

    def test_r30_taking_one_over_is_explicit(self):
        self.begun_elsewhere()
        self.add()
        said = self.do("one", "--session", self.id[:8], "--with", "SAY again", ALL)
        run = self.ended(said["run_id"])
        self.assertEqual((run["status"], run["content"]), ("COMPLETED", "again\n"))
        self.assertEqual(self.shown()["session_id"], self.id)
        self.assertIn("--resume", self.starts()[-1])
        self.assertIn('"taken_over":true', self.task("show", "one", "--history"))
        self.assertEqual([(s["external"], s["task"]) for s in self.listed()], [(False, "one")])
        self.add("two")
        self.assertIn("bound to task 'one'", self.refused(1, "do", "two", "--session", self.id))

    def test_r30_not_while_somebody_may_be_in_it(self):
        self.begun_elsewhere(age=2)
        self.add()
        self.assertIn("may be at work", self.refused(1, "do", "one", "--session", self.id, "--with", "SAY no"))
        self.assertIsNone(self.shown()["session_id"])
        self.ended(self.do("one", "--session", self.id, "--force", "--with", "SAY yes", ALL)["run_id"])
        self.assertEqual(self.shown()["session_id"], self.id)

    def test_r30_what_does_not_fit_is_refused(self):
        elsewhere = os.path.join(self.root, "elsewhere")
        os.mkdir(elsewhere)
        self.begun_elsewhere(elsewhere)
        self.add()
        self.assertIn("works in " + os.path.realpath(elsewhere), self.refused(1, "do", "one", "--session", self.id))
        self.assertIn("no such session", self.refused(1, "do", "one", "--session", str(uuid.uuid4())))
        self.assertIn("cannot be combined", self.refused(2, "do", "one", "--session", self.id, "--fresh"))


if __name__ == "__main__":
    main()
