"""The house rules that a machine can check: layers, sizes, banned constructs. See ARCHITECTURE.md."""
import os, re, subprocess, unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What each layer may include, besides itself. An include points only downwards.
LAYERS = {
    "base": [],
    "aio": ["base"],
    "run": ["base"],
    "store": ["base", "aio", "run"],
    "net": ["base", "aio"],
    "process": ["base", "aio"],
    "harness": ["base", "run"],
    "llm": ["base", "aio", "run", "net"],
    "mcp": ["base", "aio", "net", "process"],
    "tool": ["base", "aio", "run", "process", "mcp"],
    "app": ["base", "aio", "run", "process", "llm", "mcp", "tool"],
    "engine": ["base", "aio", "run", "store", "process", "harness", "llm", "tool", "app"],
    "api": ["base", "aio", "run", "store", "net", "process", "harness", "llm", "mcp", "tool", "app", "engine"],
    "cli": ["base", "aio", "run", "store", "net", "process", "harness", "llm", "mcp", "tool", "app", "engine", "api"],
}
FILE_LINES_MAX = 400
TEST_FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70

# (pattern, why, paths where it is allowed)
BANNED = [
    (r"\basio::detached\b", "every task belongs to a group", ()),
    (r"\bstd::regex\b", "patterns from outside blow its stack; use RE2", ()),
    (r"\bstd::this_thread::sleep", "nothing blocks; sleep on aio::Time", ()),
    (r"\bstd::system\(|\bpopen\(", "no shell", ()),
    (r"experimental::channel", "loses messages in this Asio", ()),
    (r"\bTODO\b|\bFIXME\b|\bXXX\b", "do it or leave it out and say so", ()),
    (r"\busing namespace std\b", "", ()),
    (r"#include [<\"](boost/beast|spdlog/|sqlite3\.h|CLI/|libpq-fe\.h|curl/|valijson/|yaml-cpp/)", "heavy libraries stay out of headers",
     ("*.cc", "src/app/yaml.h", "src/cli/option_parser.h", "src/net/curl_library.h")),
]


def sources():
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "src", "sim", "tests/disk"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [f for f in files if f.endswith((".h", ".cc")) and os.path.exists(os.path.join(ROOT, f))]


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


class Tidy(unittest.TestCase):
    def test_includes_point_down_the_layers(self):
        wrong = []
        for path in sources():
            parts = path.split("/")
            if parts[0] != "src" or len(parts) < 3:
                continue
            allowed = {parts[1], *LAYERS[parts[1]]}
            if path.endswith(("_test.cc", "_fixture.h")):  # a test wires what its subject is given: anything below
                allowed |= set(list(LAYERS)[:list(LAYERS).index(parts[1])])
            for included in re.findall(r'^#include "([a-z_]+)/', text_of(path), re.M):
                if included not in allowed:
                    wrong.append(f"{path} includes {included}/")
        self.assertEqual(wrong, [])

    def test_the_run_layer_sees_no_io(self):
        for path in sources():
            if path.startswith("src/run/") and not path.endswith("_test.cc"):
                self.assertIsNone(re.search(r"#include <(boost/asio|sys/|unistd|fstream|thread|mutex|chrono)", text_of(path)), path)

    def test_files_hold_one_idea(self):
        long = []
        for path in sources():
            lines, limit = text_of(path).count("\n"), TEST_FILE_LINES_MAX if path.endswith("_test.cc") else FILE_LINES_MAX
            if lines > limit:
                long.append(f"{path}: {lines} lines")
        self.assertEqual(long, [])

    def test_functions_fit_a_page(self):
        long = []
        for path in sources():
            start = None
            for number, line in enumerate(text_of(path).split("\n"), 1):
                # A definition at namespace or class level ends with a brace in its own column (clang-format).
                if re.match(r"^(  )?[A-Za-z_~\[].*[)\w] (const |override |noexcept )*\{$", line) and not re.match(r"^\s*(namespace|class|struct|enum|extern|union)\b", line):
                    start, indent = number, len(line) - len(line.lstrip())
                elif start and line.startswith(" " * indent + "}") and len(line) - len(line.lstrip()) == indent:
                    if number - start > FUNCTION_LINES_MAX:
                        long.append(f"{path}:{start}: {number - start} lines")
                    start = None
        self.assertEqual(long, [])

    def test_banned_constructs(self):
        found = []
        for path in sources():
            if path.endswith("_test.cc"):
                continue
            code = re.sub(r"//[^\n]*", "", text_of(path))
            for pattern, why, allowed in BANNED:
                if any(path == a or (a.startswith("*") and path.endswith(a[1:])) for a in allowed):
                    continue
                for match in re.finditer(pattern, text_of(path) if "TODO" in pattern else code):
                    line = code[:match.start()].count("\n") + 1
                    found.append(f"{path}:{line}: {match.group(0)} ({why})")
        self.assertEqual(found, [])

    def test_headers_say_their_purpose(self):
        silent = [p for p in sources() if p.endswith(".h") and not re.match(r"#pragma once\n// \S", text_of(p))]
        self.assertEqual(silent, [])


if __name__ == "__main__":
    unittest.main()
