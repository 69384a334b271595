"""Some cells of the crash matrix (tests/crash; `make crash` plays all): SIGKILL at a named place in a phase of a run, then P1-P10."""
import concurrent.futures, os, sys, unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "crash"))
import background_scenarios  # noqa: E402
import scenarios  # noqa: E402
from matrix import Cell  # noqa: E402
from world import World, adopt_orphans  # noqa: E402

JOBS = 3
CELLS = [(scenarios.LaunchBackgroundStream, "launch.before_commit", 1), (scenarios.LaunchBackgroundPoll, "launch.after_commit", 1),
         (scenarios.LaunchForegroundStream, "append.after_commit", 2), (scenarios.LaunchForegroundWait, "model.before_call", 1),
         (scenarios.Streaming, "append.before_commit", 3), (scenarios.Streaming, "append.before_commit", 5),
         (scenarios.Streaming, "append.after_publish", 4), (scenarios.Crowd, "append.after_commit", 8),
         (scenarios.Tools, "append.after_commit", 3), (scenarios.Tools, "tool.before_call", 2), (scenarios.Tools, "tool.after_call", 2),
         (scenarios.Tools, "model.after_call", 2), (scenarios.Approval, "claim.after_commit", 1), (scenarios.Approval, "tool.before_call", 1),
         (scenarios.CancelPending, "cancel.after_commit", 1), (scenarios.CancelStreaming, "cancel.before_end", 1),
         (scenarios.CancelTool, "cancel.before_commit", 1), (scenarios.End, "end.before_commit", 1), (scenarios.End, "seal.after_commit", 1),
         (scenarios.DrainNow, "handover.before_release", 1), (scenarios.Recovery, "claim.after_commit", 2),
         (scenarios.Recovery, "append.after_commit", 5), (scenarios.TwoServers, "append.after_publish", 5),
         (scenarios.CancelElsewhere, "cancel.after_commit", 1), (scenarios.Command, "projection.after_write", 1),
         (scenarios.CancelCommandLine, "cancel.after_commit", 1), (background_scenarios.Background, "end.after_commit", 1),
         (background_scenarios.Background, "tool.after_call", 2), (background_scenarios.Parallel, "append.before_commit", 5)]


class Crash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        adopt_orphans()
        World.probe()
        cls.pool = concurrent.futures.ThreadPoolExecutor(JOBS)
        cls.played = {cell: cls.pool.submit(Cell(*cell).play) for cell in CELLS}

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown()


def test_of(key):
    def test(self):
        cell = self.played[key].result()
        self.assertIsNone(cell.violation, cell.line())
        self.assertTrue(cell.killed, f"not reached: {cell.line()}")
    return test


for key in CELLS:
    setattr(Crash, f"test_{key[0].__name__}_{key[1].replace('.', '_')}_{key[2]}", test_of(key))

if __name__ == "__main__":
    unittest.main()
