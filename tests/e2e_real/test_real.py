"""`outlast task` with the real Claude Code and the real Codex, as a user would type it, against a scripted model on loopback.

    scripts/e2e-real            (make e2e-real)      or, with the programs in $E2E_DIR/bin already:
    OUTLAST_BIN=build/quick/outlast python3 tests/e2e_real/test_real.py [Test.name ...]"""
import json, os, re, subprocess, time, unittest, urllib.parse, urllib.request

from world import BIN, World

CLAUDE, CODEX = "claude-code-linux-x64/claude", "vendor/x86_64-unknown-linux-musl/bin/codex"


class Talk(World):
    """What both programs are put through; `harness`, `program` and how they are told to run a command differ."""
    harness, program = None, None

    def add(self, *flags, **more):
        super().add("--harness", self.harness, *flags, **more)

    def agents(self):
        return [pid for pid, _start, _line in self.processes(self.program)]

    def tools(self, words):
        """the processes of a tool under way"""
        return [one for one in self.processes(words) if self.program not in one[2]]

    def until_idle(self):
        """nothing of this world is left running"""
        self.until(lambda: not self.processes(), 20, lambda: "left over")

    def bring(self, text, *flags):
        """`task do --with`; in what it answers, the run"""
        return self.do("--with", text, *flags)["run_id"]

    def until_asked_for(self):
        self.until(lambda: self.status() == "PAUSED", 30, lambda: self.events())
        return self.shown()


class Sessions(Talk):
    """start, talk, stop, bring back"""

    def session(self, slow, quick):
        self.add()
        first = self.do("--with", slow)
        sid = self.until(lambda: self.shown()["session_id"], 20)
        self.assertRegex(first["session_id"] or sid, "^" + sid)
        self.assertIn("[live]", self.notes())
        self.until(lambda: self.tools("sleep 7"), 20)
        before = self.agents()
        again = self.do()
        self.assertEqual((again["outcome"], again["run_id"], again["session_id"]), ("live", first["run_id"], sid))
        self.assertEqual(self.agents(), before)
        self.assertEqual(len(before), 1)
        told = self.do("--with", "SAY told while at work")
        self.assertEqual((told["outcome"], told["run_id"]), ("queued", first["run_id"]))
        self.until_status("COMPLETED")
        self.assertEqual(self.lines("ran"), ["once"])
        self.assertEqual(len([call for call in self.model.calls if "told while at work" in "".join(call["texts"])]) > 0, True)
        said = "".join(rest for _i, kind, rest in self.events() if kind == "text")
        self.assertIn("told while at work", said)
        self.until_idle()
        self.assertNotIn("[live]", self.notes())
        # stop, in the middle of a tool
        self.bring(slow.replace("once", "twice"))
        self.until(lambda: self.tools("sleep 7"), 20)
        self.assertIn("Stopped", self.task("stop", "t"))
        self.until_idle()
        self.assertEqual(self.lines("ran"), ["once"])
        self.assertEqual(self.shown()["session_id"], sid)
        self.assertEqual(self.status(), "CANCELLED")
        # and back: the same conversation, and nothing of it is done again
        back = self.do("--with", quick)
        self.assertEqual((back["outcome"], back["session_id"]), ("resumed", sid))
        self.until_status("COMPLETED")
        self.assertEqual(self.lines("ran"), ["once"])
        request = self.asked("SAY and back")[-1]
        self.assertTrue(any("told while at work" in text for text in request["texts"]), request["texts"])
        self.assertEqual(self.sessions(), {sid})
        shown = self.shown()
        self.assertEqual(shown["session_id"], sid)
        self.assertTrue(shown["session_last_resumed"])
        transcript = self.task("transcript", "t")
        for words in ("─── User ───", "─── Assistant ───", "told while at work", "and back"):
            self.assertIn(words, transcript)
        self.assertIn("t is done", self.task("done", "t", "--no-close-out"))
        self.assertEqual(self.shown()["status"], "done")


class ClaudeSessions(Sessions):
    harness, program = "claude", CLAUDE

    def setUp(self):
        super().setUp()
        self.allow_bash()

    def test_a_session_is_started_talked_to_stopped_and_brought_back(self):
        self.session("RUN[[sleep 7 && echo once >> ran]] SAY first", "SAY and back")


if __name__ == "__main__":
    unittest.main(verbosity=2)
