"""Figures as JSON lines, as a table for people, and as the table in docs/performance.md."""
import json

BEGIN, END = "<!-- figures: written by scripts/bench --write-docs -->", "<!-- end of figures -->"


def json_line(figure, conditions):
    line = {"figure": figure.name, "value": rounded(figure.value), "unit": figure.unit, "base": figure.base or None,
            "base_value": rounded(figure.base_value), "ratio": rounded(figure.ratio),
            "target": figure.target.text(figure.unit) if figure.target else None,
            "met": figure.target.met(figure) if figure.target else None}
    line.update((key, rounded(value)) for key, value in figure.more.items())
    line["conditions"] = conditions
    return json.dumps(line, ensure_ascii=False)


def rounded(value):
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def number(value):
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def row(line):
    """One line of JSON as the cells of the table."""
    if "error" in line:
        return [line["figure"], "not measured: " + line["error"].splitlines()[0][:120], "", "", "", ""]
    base = line["base"] or "–"
    if line["base_value"] is not None:
        base = f"{number(line['base_value'])} ({base})"
    verdict = {True: "met", False: "**missed**", None: "–"}[line["met"]]
    unit = "µs" if line["unit"] == "us" else line["unit"]
    return [line["figure"], f"{number(line['value'])} {unit}", base, number(line["ratio"]), line["target"] or "–", verdict]


HEADERS = ["figure", "value", "base", "ratio", "target", "verdict"]


def table(lines):
    """For a terminal."""
    rows = [HEADERS, *map(row, lines)]
    widths = [max(len(cells[i]) for cells in rows) for i in range(len(HEADERS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip() for cells in rows)


def beside(line):
    """What was measured along with a figure, in words."""
    known = {"figure", "value", "unit", "base", "base_value", "ratio", "target", "met", "conditions", "range", "error"}
    return "; ".join(f"{key.replace('_', ' ')} {number(value) if isinstance(value, (int, float)) else value}"
                     for key, value in line.items() if key not in known and value is not None)


def markdown(lines):
    out = ["| " + " | ".join(HEADERS) + " |", "|---" * len(HEADERS) + "|"]
    out += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row(line)) + " |" for line in lines]
    notes = [f"- `{line['figure']}`: {beside(line)}" for line in lines if beside(line)]
    if notes:
        out += ["", "Measured along with them:", "", *notes]
    conditions = next((line["conditions"] for line in lines), None)
    if conditions:
        loads = [line["conditions"]["load"] for line in lines]
        out += ["", f"Conditions: {conditions['date']}, {conditions['commit']}, {conditions['cpus']} CPUs ({conditions['cpu']}), "
                    f"Linux {conditions['kernel']}, {conditions['file_system']}, {conditions['repeats']} repeats; "
                    f"load average before each figure {min(loads):.1f}–{max(loads):.1f}."]
    return "\n".join(out)


def write_docs(path, lines):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    with open(path, "w", encoding="utf-8") as f:
        f.write(before + BEGIN + "\n\n" + markdown(lines) + "\n\n" + END + after)
