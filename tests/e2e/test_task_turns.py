"""Some cells of tests/crash/task_turns.py (`make crash ARGS=--turns` plays all): SIGKILL where a task's agent is started, then a plain `task do`."""
import concurrent.futures, os, sys, unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "crash"))
from task_turns import QUICK, Cell  # noqa: E402

JOBS = 4


class TaskTurns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pool = concurrent.futures.ThreadPoolExecutor(JOBS)
        cls.played = {key: cls.pool.submit(Cell(*key).play) for key in QUICK}

    @classmethod
    def tearDownClass(cls):
        cls.pool.shutdown()


def test_of(key):
    def test(self):
        cell = self.played[key].result()
        self.assertIsNone(cell.problem, cell.line())
        self.assertTrue(cell.killed, f"not reached: {cell.line()}")
    return test


for key in QUICK:
    setattr(TaskTurns, f"test_{key[0]}_{key[1].replace('.', '_')}_{key[2]}", test_of(key))

if __name__ == "__main__":
    unittest.main()
