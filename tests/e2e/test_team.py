"""Teams from outside: `outlast team`, the store behind it, the file that shows it; crashes and crowds.

    OUTLAST_BIN=build/default/outlast python3 tests/e2e/test_team.py"""
import fcntl, json, os, resource, signal, sqlite3, subprocess, threading, unittest

from test_cli import BIN, Home

TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"


class Teams(Home):
    def team(self, *args, **more):
        return self.ok("team", *args, **more)

    def create(self, name="review", members="a,b"):
        return json.loads(self.team("create", name, "-m", members, "--json"))

    def shown(self, team):
        return json.loads(self.team("show", team["id"], "--json"))

    def view(self, team):
        return json.loads(self.file("teams", team["id"] + ".json"))

    def refused(self, *args, code, **more):
        got, out, err = self.outlast("team", *args, **more)
        self.assertEqual((got, out), (code, ""), err)
        return err


class Texts(Teams):
    def test_create_says_id_members_and_file(self):
        self.assertEqual(self.team("list"), "No teams.\n")
        out = self.team("create", "review", "-m", "a, b,,a")
        self.assertRegex(out, r"^Created team 'review' \([0-9a-f]{12}\)\n  Members: a, b\n  File: .*\n$")
        path = out.splitlines()[2].removeprefix("  File: ")
        self.assertEqual(os.path.dirname(path), os.path.join(self.home, "teams"))
        with open(path) as f:
            view = json.load(f)
        self.assertEqual(list(view), ["id", "name", "members", "created_at", "messages"])
        self.assertEqual((view["name"], view["members"], view["messages"], os.path.basename(path)), ("review", ["a", "b"], [], view["id"] + ".json"))
        self.assertEqual(os.listdir(os.path.dirname(path)), [view["id"] + ".json"])

    def test_without_members_there_is_no_team(self):
        for args in (("-m", ""), ("-m", " , "), ()):
            self.assertEqual(self.refused("create", "x", *args, code=1), "error: --members requires at least one name\n")
        for args in (("create", "x", "-m", "a,all"), ("create", "", "-m", "a"), ("create", "x" * 129, "-m", "a"), ("create", "x", "-m", "b" * 129), ("create", "x\n", "-m", "a\x1b")):
            self.assertTrue(self.refused(*args, code=2).startswith("error: "))
        self.assertEqual(self.team("ls"), "No teams.\n")

    def test_list_is_newest_first(self):
        first, second = self.create("one"), self.create("two", "x")
        self.team("send", "hi", "-t", "one", "--to", "all")
        self.assertEqual(self.team("list"), f"  {second['id']}  {'two':20}  [x]  0 msgs\n  {first['id']}  {'one':20}  [a, b]  1 msgs\n")
        self.assertEqual(self.team("ls"), self.team("list"))
        listed = json.loads(self.team("list", "--json"))
        self.assertEqual([(t["name"], t["message_count"]) for t in listed], [("two", 0), ("one", 1)])
        self.assertEqual(json.loads(self.outlast("team", "list", "--json", env={**self.env, "OUTLAST_HOME": self.home + "2"})[1]), [])

    def test_a_team_is_named_by_id_beginning_or_name_and_never_guessed(self):
        first, second, third = self.create("twin"), self.create("twin"), self.create("single")
        for word in (third["id"], third["id"][:8], "single"):
            self.assertEqual(json.loads(self.team("show", word, "--json"))["id"], third["id"])
        err = self.refused("send", "x", "-t", "twin", "--to", "all", code=2)
        self.assertTrue(err.startswith("error: 'twin' is ambiguous"), err)
        self.assertIn(first["id"], err)
        self.assertIn(second["id"], err)
        for command in (("show", "x"), ("receive", "-t", "x"), ("send", "t", "-t", "x", "--to", "a")):
            self.assertEqual(self.refused(*command, code=1), "error: No team found matching 'x'\n")

    def test_everybody_is_all_in_any_case(self):
        team = self.create()
        for word in ("all", "ALL", "All"):
            self.assertEqual(self.team("send", "t", "-t", team["id"], "--to", word), "Sent to all in 'review'\n")
        self.assertEqual(self.team("send", "t", "-t", "review", "--to", "a, b"), "Sent to a, b in 'review'\n")
        self.assertEqual([m["to"] for m in self.view(team)["messages"]], [["*"]] * 3 + [["a", "b"]])
        self.assertEqual({m["from"] for m in self.view(team)["messages"]}, {"_cli"})

    def test_what_is_sent_is_received_once_and_shown(self):
        team = self.create()
        self.team("send", "first\nsecond", "-t", "review", "--to", "b", "--from", "a", "--from-op", "o1")
        whole = r"\[" + TIMESTAMP + r"\] a op=o1 → b\n  first\n  second\n\n"
        self.assertRegex(self.team("receive", "-t", "review"), "^" + whole + r"\(1 message\)\n$")
        self.assertRegex(self.team("recv", "-t", "review", "--as", "b"), "^" + whole + r"\(1 message\)\n$")
        self.assertEqual(self.team("receive", "-t", "review", "--as", "b"), "No new messages.\n")
        self.assertEqual(self.team("receive", "-t", "review", "--as", "a"), "No new messages.\n")
        self.assertRegex(self.team("receive", "-t", "review"), whole, "everything, read or not")
        self.team("send", "to all", "-t", "review", "--to", "all")
        self.team("send", "more", "-t", "review", "--to", "all")
        self.assertRegex(self.team("receive", "-t", "review", "--as", "b"), r"\(2 messages\)\n$")
        self.assertRegex(self.team("show", "review"), rf"^Team: review \({team['id']}\)\nCreated: {TIMESTAMP}\S*\nMembers: a, b\n\n─{{60}}\n  \[{TIMESTAMP}\] a op=o1 → b  \(read by: b\)\n    first\n    second\n"
                         rf"  \[{TIMESTAMP}\] _cli → all  \(read by: b\)\n    to all\n")
        message = self.view(team)["messages"][0]
        self.assertEqual((message["from"], message["from_op"], list(message["read_by"])), ("a", "o1", ["b"]))
        self.assertRegex(message["read_by"]["b"], TIMESTAMP)
        self.assertEqual(self.view(team), self.shown(team))

    def test_an_empty_team_has_no_messages(self):
        self.create()
        self.assertEqual(self.team("receive", "-t", "review"), "No messages.\n")
        self.assertEqual(self.team("receive", "-t", "review", "--as", "a"), "No new messages.\n")

    def test_outsiders_are_let_in_and_said(self):
        team = self.create()
        code, out, err = self.outlast("team", "send", "hello", "-t", "review", "--to", "a,zoe")
        self.assertEqual((code, out, err), (0, "Sent to a, zoe in 'review'\n", "warning: 'zoe' is not a team member\n"))
        code, out, err = self.outlast("team", "receive", "-t", team["id"], "--as", "zoe")
        self.assertEqual((code, err), (0, "warning: 'zoe' is not a member of 'review'\n"))
        self.assertIn("hello", out)
        self.assertEqual(list(self.view(team)["messages"][0]["read_by"]), ["zoe"])

    def test_json_of_send_and_receive(self):
        team = self.create()
        sent = json.loads(self.team("send", "hello", "-t", "review", "--to", "all", "--json"))
        self.assertEqual((sent["team_id"], sent["team"], sent["message"]["content"]), (team["id"], "review", "hello"))
        got = json.loads(self.team("receive", "-t", "review", "--as", "b", "--json"))
        self.assertEqual((got["as"], [m["id"] for m in got["messages"]]), ("b", [sent["message"]["id"]]))
        self.assertEqual(json.loads(self.team("receive", "-t", "review", "--as", "b", "--json"))["messages"], [])
        everything = json.loads(self.team("receive", "-t", "review", "--json"))
        self.assertEqual((everything["as"], everything["messages"]), (None, self.view(team)["messages"]))

    def test_usage(self):
        self.assertIn("did you mean 'send'?", self.refused("sned", code=2))
        self.refused(code=2)
        self.assertIn("--bogus", self.refused("list", "--bogus", code=2))
        self.assertIn("outlast team send --help", self.refused("send", "x", "--to", "a", code=2))
        self.assertIn("the message is empty", self.refused("send", " ", "-t", "x", "--to", "a", code=2))
        for action in ("create", "list", "show", "send", "receive"):
            self.assertRegex(self.team("--help"), rf"(?m)^\s*{action}\b")
            self.assertIn(f"Usage: outlast team {action}", self.team(action, "--help"))
        self.create()
        self.team("send", "-", "-t", "review", "--to", "all", stdin="from\nstdin")
        self.team("send", "[a,b]", "-t", "review", "--to", "all")
        self.team("send", "-t", "review", "--to", "all", "--", "--dashes")
        self.assertEqual([m["content"] for m in json.loads(self.team("receive", "-t", "review", "--json"))["messages"]], ["from\nstdin", "[a,b]", "--dashes"])

    def test_hostile_words(self):
        team = self.create("'; DROP TABLE team; --", "a'b,\"c\",ü")
        text = "\x1b[2J x\n[2026-01-01T00:00:00] boss → all\n  obey"
        self.team("send", text, "-t", team["id"], "--to", "a'b,\"c\",ü", "--from", "ü")
        self.assertEqual(json.loads(self.team("receive", "-t", team["id"], "--as", '"c"', "--json"))["messages"][0]["content"], text)
        lines = self.team("receive", "-t", team["id"]).splitlines()
        self.assertEqual(len([line for line in lines if line.startswith("[")]), 1, "no text looks like a message")

    def test_agents_are_not_offered_the_tools(self):
        code, _, err = self.outlast("agent", "demo/fast", "hi", "--tools", "team_send")
        self.assertEqual(code, 2)
        self.assertNotIn("team_receive", err)


class Durable(Teams):
    def test_two_senders_at_once_lose_nothing(self):
        team = self.create()
        failures = []

        def send(name):
            for i in range(50):
                code, _, err = self.outlast("team", "send", f"{name}{i}", "-t", team["id"], "--to", "all", "--from", name, seconds=120)
                if code or err:
                    failures.append(err)

        threads = [threading.Thread(target=send, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        for messages in (self.shown(team)["messages"], self.view(team)["messages"]):
            said = [m["content"] for m in messages]
            self.assertEqual(len(said), 100)
            for name in "ab":
                self.assertEqual([s for s in said if s.startswith(name)], [f"{name}{i}" for i in range(50)])

    def test_two_readers_of_one_name_share_its_mail(self):
        team = self.create()
        for i in range(10):
            self.team("send", str(i), "-t", team["id"], "--to", "b")
        readers = [subprocess.Popen([BIN, "team", "receive", "-t", team["id"], "--as", "b", "--json"], env=self.env, stdout=subprocess.PIPE) for _ in range(4)]
        got = [m["content"] for r in readers for m in json.loads(r.communicate(timeout=60)[0])["messages"]]
        self.assertEqual(sorted(got), [str(i) for i in range(10)])

    def test_kill_9_between_the_message_and_its_file(self):
        team = self.create()
        held = os.open(os.path.join(self.home, "teams"), os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        sender = subprocess.Popen([BIN, "team", "send", "kept", "-t", team["id"], "--to", "all"], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.until(lambda: len(self.shown(team)["messages"]) == 1, what="the message")
        sender.send_signal(signal.SIGKILL)
        sender.wait()
        self.assertEqual(sender.stdout.read(), b"", "it was killed before it said so")
        sender.stdout.close()
        os.close(held)
        self.assertEqual(self.view(team)["messages"], [])
        self.assertEqual(self.team("receive", "-t", team["id"], "--as", "a").splitlines()[-1], "(1 message)")
        self.assertEqual([m["content"] for m in self.view(team)["messages"]], ["kept"])
        os.remove(os.path.join(self.home, "teams", team["id"] + ".json"))
        self.team("receive", "-t", team["id"], "--as", "a")
        self.assertEqual(len(self.view(team)["messages"]), 1)

    def test_a_file_that_cannot_be_written_is_only_said(self):
        team = self.create()
        os.rename(os.path.join(self.home, "teams"), os.path.join(self.home, "moved"))
        with open(os.path.join(self.home, "teams"), "w"):
            pass
        code, out, err = self.outlast("team", "send", "kept", "-t", team["id"], "--to", "all")
        self.assertEqual((code, out), (0, "Sent to all in 'review'\n"))
        self.assertIn("warning: the team's file is not up to date", err)
        os.remove(os.path.join(self.home, "teams"))
        self.team("send", "too", "-t", team["id"], "--to", "all")
        self.assertEqual([m["content"] for m in self.view(team)["messages"]], ["kept", "too"])

    def test_what_a_file_says_decides_nothing(self):
        team = self.create()
        with open(os.path.join(self.home, "teams", team["id"] + ".json"), "w") as f:
            json.dump({**team, "name": "forged", "messages": [{"id": "1", "from": "x", "to": ["*"], "content": "forged", "timestamp": "", "read_by": []}]}, f)
        self.assertEqual(self.team("receive", "-t", "review"), "No messages.\n")
        self.team("send", "true", "-t", "review", "--to", "all")
        self.assertEqual([m["content"] for m in self.view(team)["messages"]], ["true"])

    def test_ten_thousand_messages_stay_quick(self):
        team = self.create()
        with sqlite3.connect(os.path.join(self.home, "outlast.db")) as db:
            number = db.execute("SELECT id FROM team").fetchone()[0]
            db.executemany("INSERT INTO team_message(team, message_id, sender, recipients, content, at_ms, from_op, kind, artifacts, key) VALUES(?, ?, 'a', ?, ?, ?, '', '', '', ?)",
                           ((number, f"{i:012x}", '["*"]' if i % 2 else '["a","b"]', f"message {i}", 1_700_000_000_000 + i, str(i)) for i in range(10_000)))
            db.execute("UPDATE team SET message_count = 10000")
        db.close()
        self.assertIn("(10000 messages)", self.team("receive", "-t", "review", "--as", "b"))
        base = self.took("--version")
        for args in (("list",), ("send", "x", "-t", "review", "--to", "all"), ("receive", "-t", "review", "--as", "b"), ("show", "review")):
            took = min(self.took("team", *args) for _ in range(5))
            slack = 20 if base > 0.03 else 4  # sanitizers, or no optimizer
            self.assertLess(took, base + 0.05 * slack, args)
        self.assertEqual(len(self.view(team)["messages"]), 10_005)

    def took(self, *args):
        """seconds of processor time: what a busy machine adds is not the command's"""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.ok(*args)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Agents(Teams):
    """What an agent does with its seat. Nothing on the command line gives one, so a run that waits for a person is given it meanwhile."""

    def seated(self, *lines, seat=None, env=None):
        run = self.background("\n".join(('call ask_user {"question":"ready?"}', *lines, "say done")), "--tools", "ask_user")
        self.until(lambda: self.show(run["run_id"])["status"] == "PAUSED", what="the pause")
        with sqlite3.connect(os.path.join(self.home, "outlast.db")) as db:
            number, spec = db.execute("SELECT p.run, p.spec FROM run_spec p JOIN run r ON r.id = p.run WHERE r.run_id = ?", (run["run_id"],)).fetchone()
            spec = json.loads(spec)
            spec["tools"] += [{"name": "team_send"}, {"name": "team_receive"}, {"name": "background_run"}]
            if seat:
                spec["seat"] = seat
            db.execute("UPDATE run_spec SET spec = ? WHERE run = ?", (json.dumps(spec), number))
        db.close()
        self.ok("approve", run["run_id"], "--answer", "yes", env=env)
        self.until(lambda: self.show(run["run_id"])["status"] == "COMPLETED", what="the end")
        return run["run_id"], [e["result"] for e in self.events(run["run_id"]) if e["type"] == "tool_completed"]

    def test_agents_write_to_each_other(self):
        team = self.create()
        self.team("send", "from a person", "-t", team["id"], "--to", "a")
        _, results = self.seated('call team_receive {}', 'call team_send {"to":["b","zoe"],"content":"from a"}', 'call team_send {"to":"all","content":"to all"}', 'call team_receive {}',
                                 'call background_run {"name":"team_send","params":{"to":"b","content":"by a task"},"wait":true}', seat={"team": team["id"], "member": "a"})
        self.assertEqual([m["content"] for m in json.loads(results[0])["messages"]], ["from a person"])
        self.assertIn("not members of the team: zoe", json.loads(results[1])["warning"])
        self.assertEqual(json.loads(results[2])["sent"], True)
        self.assertEqual(json.loads(results[3]), {"messages": []}, "its own words are no news")
        self.assertEqual([(m["from"], m["to"]) for m in self.view(team)["messages"]], [("_cli", ["a"]), ("a", ["b", "zoe"]), ("a", ["*"]), ("a", ["b"])])
        _, results = self.seated('call team_receive {}', seat={"team": team["id"], "member": "b"})
        self.assertEqual([(m["from"], m["to"], m["content"]) for m in json.loads(results[0])["messages"]], [("a", "b", "from a"), ("a", "all", "to all"), ("a", "b", "by a task")])
        self.assertEqual(self.view(team), self.shown(team))

    def test_without_a_seat_it_is_told_so(self):
        _, results = self.seated('call team_send {"to":"all","content":"x"}', 'call team_receive {}')
        for result, name in zip(results, ("team_send", "team_receive")):
            self.assertEqual(result, name + ": this run is not a member of a team, so it has no mail")

    def test_kill_9_around_the_calls_sends_once_and_loses_nothing(self):
        for place in ("tool.before_call:1", "tool.after_call:1", "tool.after_call:2"):
            with self.subTest(place):
                team = self.create("t" + place)
                self.team("send", "news", "-t", team["id"], "--to", "a")
                run, results = self.seated('call team_send {"to":"b","content":"once"}', 'call team_receive {}', seat={"team": team["id"], "member": "a"}, env={**self.env, "OUTLAST_FAILPOINT": place})
                self.assertIn("taken_over", [f["type"] for f in self.show(run)["facts"]], "it was killed")
                self.assertEqual([m["content"] for m in self.view(team)["messages"]], ["news", "once"])
                self.assertEqual([m["content"] for m in json.loads(results[1])["messages"]], ["news"])


if __name__ == "__main__":
    unittest.main()
