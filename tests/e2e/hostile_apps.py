"""App files that want to hurt whoever loads them: name -> (bytes, code of an error that must be told). For test_apps.py.

Each is refused by `outlast check` with line and column, and within a second."""

HEAD = "app: {app_id: x, name: X}\n"
AGENT = "agents:\n  - id: main\n    brain: {provider: openai, model: m}\n"


def bomb(levels, width):
    """each level holds the one before `width` times"""
    lines = ["a0: &a0 [x, x]"]
    for i in range(1, levels):
        lines.append(f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * width) + "]")
    return HEAD + "dev:\n  variables:\n    " + "\n    ".join(lines) + "\n"


def variables(pairs):
    return HEAD + "dev:\n  variables:\n" + "".join(f"    {k}: '{v}'\n" for k, v in pairs)


def wrong_types():
    """every section is of a kind that it is not"""
    return ("app: [1, 2]\nruntime: yes\nagents: {id: main}\ntools: 7\nsecurity: [x]\nui: no\ndev: [a]\nflow: 3\n"
            "context: hello\nexecution: []\nschema_version: {}\n")


CASES = {
    "alias bomb": (bomb(30, 10), "DGT-E0001"),
    "alias bomb in merge keys": (HEAD + "dev:\n  variables:\n    b0: &b0 {k: v}\n" +
                                 "".join(f"    b{i}: &b{i} {{x: *b{i - 1}, y: *b{i - 1}, z: *b{i - 1}}}\n" for i in range(1, 40)), "DGT-E0001"),
    "alias to itself": (HEAD + "dev: &d\n  variables: *d\n", "DGT-E0001"),
    "unknown alias": (HEAD + "dev: *nowhere\n", "DGT-E0001"),
    "10,000 lists deep": (HEAD + "templates: " + "[" * 10_000 + "]" * 10_000 + "\n", "DGT-E0001"),
    "10,000 maps deep": (HEAD + "templates: " + "{a: " * 10_000 + "}" * 10_000 + "\n", "DGT-E0001"),
    "10,000 block lists deep": (HEAD + "templates: \n  " + "- " * 10_000 + "x\n", "DGT-E0001"),
    "1,000 indents deep": (HEAD + "templates:\n" + "".join(" " * (i + 1) + "a:\n" for i in range(1_000)), "DGT-E0001"),
    "never closed, a million times": (HEAD + "templates: " + "[" * 1_000_000, "DGT-E0003"),
    "10 MB string": (HEAD + "agents:\n  - id: main\n    system_prompt: " + "x" * 10_000_000 + "\n", "DGT-E0001"),
    "10 MB of lines": (HEAD + "# filler\n" * 1_200_000, "DGT-E0001"),
    "4 MB key": ("? " + "k" * 4_000_000 + "\n: v\n", "DGT-E0101"),
    "a million keys": (HEAD + "dev:\n  variables:\n" + "".join(f"    k{i}: v\n" for i in range(250_000)), "DGT-E0001"),
    "a hundred thousand unknown keys": (HEAD + "".join(f"key{i}: v\n" for i in range(49_000)), "DGT-E0101"),
    "a key twice": (HEAD + "runtime:\n  max_turns: 3\n  max_turns: 4\n", "DGT-E0002"),
    "one key 40,000 times": (HEAD + "runtime:\n" + "  timeout: 3\n" * 40_000, "DGT-E0002"),
    "templates in a circle": (variables([("a", "{{b}}"), ("b", "{{a}}")]) + "ui: {greeting: '{{a}}'}\n", "DGT-E0208"),
    "a template of itself": (variables([("a", "{{a}}{{a}}")]), "DGT-E0208"),
    "template bomb": (variables([("v0", "x" * 100)] + [(f"v{i}", f"{{{{v{i - 1}}}}}" * 100) for i in range(1, 10)]), "DGT-E0208"),
    "templates eleven deep": (variables([("v0", "x")] + [(f"v{i}", f"{{{{v{i - 1}}}}}") for i in range(1, 14)]), "DGT-E0208"),
    "wrong types everywhere": (wrong_types(), "DGT-E0102"),
    "a list": ("- a\n- b\n", "DGT-E0003"),
    "a word": ("hello\n", "DGT-E0003"),
    "nothing": ("", "DGT-E0004"),
    "NUL bytes": (HEAD + "agents: \0\0\0\n", "DGT-E0001"),
    "invalid UTF-8": (HEAD.encode() + b"ui: {greeting: \xff\xfe\xc0\x80}\n", "DGT-E0001"),
    "UTF-16": ("app: {app_id: x}\n".encode("utf-16"), "DGT-E0001"),
    "binary": (bytes(range(256)) * 40, "DGT-E0001"),
    "huge integer": (HEAD + "runtime: {max_turns: " + "9" * 400 + "}\n", "DGT-E0102"),
    "huge number": (HEAD + "runtime: {timeout: 1e999999}\n", "DGT-E0102"),
    "not a number": (HEAD + "runtime: {timeout: .nan}\n", "DGT-E0102"),
    "negative turns": (HEAD + "runtime: {max_turns: -9223372036854775808}\n", "DGT-E0103"),
    "python object": (HEAD + "dev: !!python/object/apply:os.system ['true']\n", "DGT-E0003"),
    "own tag": (HEAD + "ui: {greeting: !include /etc/passwd}\n", "DGT-E0003"),
    "merge of a word": (HEAD + "runtime:\n  <<: hello\n", "DGT-E0003"),
    "merge of unknown keys": ("base: &b {evil: 1}\n" + HEAD + "runtime:\n  <<: *b\n", "DGT-E0101"),
    "several documents": (HEAD + "---\n" + HEAD, "DGT-E0001"),
    "a list as key": (HEAD + "? [a, b]\n: c\n", "DGT-E0003"),
    "template not quoted": (HEAD + "ui:\n  greeting: {{name}}\n", "DGT-E0003"),
    "quote not closed": (HEAD + "ui: {greeting: \"hello\n", "DGT-E0001"),
    "tabs": ("app:\n\tapp_id: x\n", "DGT-E0001"),
    "10,000 agents": (HEAD + "agents:\n" + "".join(f"  - {{id: a{i}, brain: {{provider: openai, model: m}}}}\n" for i in range(6_000)), "DGT-E0103"),
    "the same agent again": (HEAD + AGENT + "  - id: main\n    brain: {provider: openai, model: m}\n", "DGT-E0400"),
    "an id of 100 kB": (HEAD + "agents:\n  - id: " + "i" * 100_000 + "\n    brain: {provider: openai, model: m}\n", "DGT-E0103"),
    "granted and denied": (HEAD + AGENT + "tools:\n  modules: {shell: {}}\n  capabilities:\n    grant: [shell.bash]\n    deny: [shell.bash]\n", "DGT-E0500"),
    "unknown module": (HEAD + AGENT + "tools:\n  modules: {rootkit: {}}\n", "DGT-E0301"),
    "no such entry agent": (HEAD + "runtime: {entry_agent: mian}\n" + AGENT, "DGT-E0300"),
    "terminal commands in a key": (HEAD + "\"\\e[31mred\\a\": 1\n", "DGT-E0101"),
    "4 MB of brackets and quotes": (HEAD + "templates: " + "['\"{[" * 700_000, "DGT-E0001"),
    "4 MB of colons": (HEAD + "templates: " + "a: " * 1_300_000, "DGT-E0001"),
    "4 MB of question marks": (HEAD + "? " * 2_000_000, "DGT-E0003"),
    "4 MB of anchors": (HEAD + "templates: " + "&a " * 1_300_000, "DGT-E0001"),
    "4 MB of dashes": (HEAD + "-" * 4_000_000, "DGT-E0101"),
    "a million flow entries": (HEAD + "templates: [" + "a," * 1_900_000 + "]\n", "DGT-E0001"),
    "a comma without end": (HEAD + "templates: {" + "," * 1_000_000 + "}\n", "DGT-E0002"),
}
