#!/usr/bin/env python3
"""Branch coverage, folder by folder. `branches.py ROOT REPORT.json` reads gcovr's JSON report of a run of the tests, and
docs/design/coverage.md, which justifies branches that no test takes: it fails where a branch of FOLDERS is neither taken nor
justified, and where a justification is about nothing. `branches.py --control` runs the checks over reports made to offend them."""
import json
import pathlib
import re
import sys
import tempfile

FOLDERS = ("src/buffer", "src/record", "src/handover", "src/flusher", "src/format", "include/faultline/detail")
JUSTIFICATIONS = "docs/design/coverage.md"
# | `file` | `the line's text` | how many branches | why |
ROW = re.compile(r"\| `([^`]+)` \| `([^`]+)` \| (\d+) \| (.+) \|$")


def justifications(root):
    """{(file, text of the line): (how many branches at least, at most)}. A line that moves stays justified, one that is edited does
    not. A reason that begins with "race:" is about branches that some runs take."""
    found = {}
    for line in (root / JUSTIFICATIONS).read_text(encoding="utf-8").splitlines():
        row = ROW.match(line)
        if row:
            key = row[1], row[2].replace("\\|", "|")
            least, most = found.get(key, (0, 0))
            found[key] = least + (0 if row[4].startswith("race:") else int(row[3])), most + int(row[3])
    return found


def lines_with_branches(root, report):
    """(file, line number, the line's text, taken or not for each of its branches) for all lines that have some."""
    for entry in report["files"]:
        name = entry["file"]
        if not name.startswith(tuple(folder + "/" for folder in FOLDERS)):
            continue
        text = (root / name).read_text(encoding="utf-8").splitlines()
        for line in entry["lines"]:
            if line["branches"]:
                number = line["line_number"]
                yield name, number, text[number - 1].strip(), [branch["count"] > 0 for branch in line["branches"]]


def check(root, report):
    """The table's rows, and what is wrong."""
    justified = justifications(root)
    counts = {folder: [0, 0, 0] for folder in FOLDERS}  # branches, taken, justified
    untaken = {}
    for name, number, text, branches in lines_with_branches(root, report):
        folder = counts[next(folder for folder in FOLDERS if name.startswith(folder + "/"))]
        folder[0] += len(branches)
        folder[1] += sum(branches)
        if not all(branches):
            untaken.setdefault((name, text), []).append((number, branches.count(False)))
    problems = []
    for (name, text), places in untaken.items():
        missing = sum(count for _, count in places)
        allowed = justified.get((name, text), (0, 0))[1]
        folder = counts[next(folder for folder in FOLDERS if name.startswith(folder + "/"))]
        folder[2] += min(missing, allowed)
        if missing > allowed:
            numbers = ",".join(str(number) for number, _ in places)
            problems.append(f"{name}:{numbers}: {missing} not taken, {allowed} justified: {text}")
    for (name, text), (least, _) in justified.items():
        missing = sum(count for _, count in untaken.get((name, text), []))
        if missing < least:
            problems.append(f"{JUSTIFICATIONS}: {name}: {least} justified, {missing} not taken: {text}")
    for folder, (branches, _, _) in counts.items():
        if branches == 0:
            problems.append(f"{folder}: the report has no branch of it")
    return counts, problems


def table(counts):
    rows = [f"{'folder':<26} | branches |  taken | justified |       %"]
    for folder, (branches, taken, justified) in [*counts.items(), ("all", [sum(c) for c in zip(*counts.values())])]:
        rows.append(f"{folder:<26} | {branches:>8} | {taken:>6} | {justified:>9} | {100 * taken / max(branches, 1):>7.2f}")
    return "\n".join(rows)


def control():
    """A report without fault passes, and each that is made to offend is objected to."""
    line = "if (a || b) return;"
    row = f"| `src/buffer/f.hpp` | `{line.replace('|', chr(92) + '|')}` | 1 | never |"
    # what is expected, the line's branches, the source line, the justifications
    cases = [
        ("good", [1, 3], line, ""),
        ("good", [1, 0], line, row),
        ("bad", [1, 0], line, ""),
        ("bad", [0, 0], line, row),
        ("bad", [1, 3], line, row),
        ("good", [1, 3], line, row.replace("never", "race: seldom")),
        ("bad", [0, 0], line, row.replace("never", "race: seldom")),
        ("bad", [1, 0], line.replace("b", "c"), row),
        ("bad", [1, 0], line, row.replace("f.hpp", "g.hpp")),
        ("bad", [], line, ""),
    ]
    right = 0
    for expected, branches, text, rows in cases:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            report = {"files": []}
            for place in FOLDERS:
                (root / place).mkdir(parents=True)
                (root / place / "f.hpp").write_text(f"\n  {text}\n")
                mine = branches if place == FOLDERS[0] else [1]
                report["files"].append({"file": f"{place}/f.hpp", "lines": [
                    {"line_number": 2, "branches": [{"count": count} for count in mine]}]})
            (root / JUSTIFICATIONS).parent.mkdir(parents=True)
            (root / JUSTIFICATIONS).write_text(rows)
            problems = check(root, report)[1]
        if bool(problems) == (expected == "bad"):
            right += 1
        else:
            print(f"not {expected}: {branches}, {text}, {rows}: {problems}")
    print(f"{right} of {len(cases)} reports judged as they should be")
    return right == len(cases)


def main():
    if sys.argv[1] == "--control":
        sys.exit(0 if control() else 1)
    counts, problems = check(pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")))
    print(table(counts))
    print("\n".join(problems) if problems else "each branch is taken or justified")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
