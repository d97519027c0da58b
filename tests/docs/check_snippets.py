#!/usr/bin/env python3
"""What the docs show is what the suite runs.

A comment on the line above a fenced block says what the block is:

    <!-- examples/a.cpp -->             the whole of that program, without its lines from `// Outputs:` on
    <!-- output of examples/a.cpp -->   those lines, with any time, thread and duration in the places that differ
    <!-- part of examples/a.cpp -->     lines of that file, one after the other
    <!-- fragment -->                   C++ that is no program and is not built

A block with `int main` must be a whole program, and one that the suite runs. Other C++ needs one of the last two
comments, except in the folders of PLAIN, where such a block is a fragment. Links to files must lead somewhere, and a
link whose text is in quotes to a file that holds this text, such as a test's name.

check_snippets.py ROOT [--run FILE…] [--left-out FILE…]   prints what is wrong, and fails
check_snippets.py --control                                fails unless each kind of mistake is found
"""
import argparse
import pathlib
import re
import sys
import tempfile
import textwrap

PLAIN = ("README.md", "docs/guide/", "docs/design/", "docs/decisions/")
NOT_QUOTED = re.compile(r"^// (clang-format off|Exits with \d+|Outputs:)$", re.MULTILINE)


def normalised(text):
    """What differs from run to run, as examples/check_output.sh writes it."""
    for pattern, name in ((r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z", "<time>"), (r"thread=[0-9]+", "thread=<thread>"),
                          (r"duration=[0-9.]+ms", "duration=<duration>")):
        text = re.sub(pattern, name, text)
    return text.strip()


def program_of(source):
    return NOT_QUOTED.split(source)[0].strip()


def output_of(source):
    lines = source.partition("// Outputs:\n")[2].splitlines()
    return "\n".join(re.sub(r"^// ?", "", line) for line in lines).strip()


def blocks_of(text):
    """Of each fenced block: its line, the comment above it, its language, its text."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        begins = re.match(r"```+(\w*)", lines[number])
        number += 1
        if not begins:
            continue
        first = number
        while number < len(lines) and not lines[number].startswith("```"):
            number += 1
        above = re.fullmatch(r"<!-- (.*) -->", lines[first - 2]) if first > 1 else None
        yield first, above and above[1], begins[1], "\n".join(lines[first:number])
        number += 1


def holds_lines(source, part):
    """Whether the lines of `part` stand together in `source`, at any indentation."""
    wanted = textwrap.dedent(part).strip("\n").splitlines()
    lines = source.splitlines()
    return any(textwrap.dedent("\n".join(lines[i:i + len(wanted)])).splitlines() == wanted
               for i in range(len(lines) - len(wanted) + 1))


def check_block(root, run, comment, language, block):
    """What is wrong with one block, or nothing."""
    if language == "cpp" and "int main(" in block and (comment is None or not comment.startswith("examples/")):
        return "a program without the name of the example that it is"
    if comment is None or comment == "fragment":
        return None
    path = root / re.sub(r"^(output|part) of ", "", comment)
    if not path.is_file():
        return f"no such file: {path.relative_to(root)}"
    source = path.read_text(encoding="utf-8")
    if comment.startswith("part of "):
        return None if holds_lines(source, block) else f"not in {path.relative_to(root)}"
    if path.resolve() not in run:
        return f"{path.relative_to(root)} is not run by the suite"
    if comment.startswith("output of "):
        return None if normalised(block) == output_of(source) else f"not what {comment[10:]} writes"
    return None if block.strip() == program_of(source) else f"not the program {comment}"


def check_links(root, page, text, problems):
    without_code = re.sub(r"^```.*?^```", lambda m: "\n" * m[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    for link in re.finditer(r"\[([^\]]*)\]\(([^)#\s]+)(#[^)]*)?\)", without_code):
        if re.match(r"\w+:", link[2]):
            continue
        place = f"{page.relative_to(root)}:{without_code[:link.start()].count(chr(10)) + 1}"
        target = (page.parent / link[2]).resolve()
        if not target.exists():
            problems.append(f"{place}: a link to nothing: {link[2]}")
        elif quoted := re.fullmatch(r'"(.*)"', link[1], re.DOTALL):
            name = re.sub(r"\s+", " ", quoted[1]).replace('\\"', '"')
            held = re.sub(r'"\s*\n\s*"', "", target.read_text(encoding="utf-8")).replace('\\"', '"')
            if name not in held:
                problems.append(f"{place}: {link[2]} has no “{name}”")


def check(root, run):
    problems = []
    programs = 0
    for page in sorted([*root.glob("docs/**/*.md"), *root.glob("*.md")]):
        name = str(page.relative_to(root))
        text = page.read_text(encoding="utf-8")
        for line, comment, language, block in blocks_of(text):
            problem = check_block(root, run, comment, language, block)
            if language == "cpp" and comment is None and not problem and not name.startswith(PLAIN):
                problem = "C++ that does not say whether it is a program, a part of one, or a fragment"
            if problem:
                problems.append(f"{name}:{line}: {problem}")
            programs += language == "cpp" and "int main(" in block
        check_links(root, page, text, problems)
    return problems, programs


PROGRAM = 'int main() {\n  say("a");\n}\n'
GOOD = f"""<!-- examples/a.cpp -->
```cpp
{PROGRAM}```
<!-- output of examples/a.cpp -->
```
2026-11-22T07:43:38.207779Z thread=7 a
```
<!-- part of examples/a.cpp -->
```cpp
say("a");
```
See ["a test's name"](../tests/a.cpp).
"""
MISTAKES = {
    "a program that was changed": GOOD.replace('{\n  say("a")', '{\n  say("b")'),
    "a program without a comment": GOOD.replace("<!-- examples/a.cpp -->\n", ""),
    "a program that is called a fragment": GOOD.replace("<!-- examples/a.cpp -->", "<!-- fragment -->"),
    "a program that is not run": GOOD.replace("a.cpp -->", "idle.cpp -->"),
    "a program that is not there": GOOD.replace("a.cpp -->", "b.cpp -->"),
    "an output that was changed": GOOD.replace("thread=7 a", "thread=7 b"),
    "a part that is not in the file": GOOD.replace('```cpp\nsay("a")', '```cpp\nsay("b")'),
    "C++ without a comment": GOOD.replace("<!-- part of examples/a.cpp -->\n", ""),
    "a link to nothing": GOOD.replace("../tests/a.cpp", "../tests/b.cpp"),
    "a test's name that no test has": GOOD.replace("a test's name", "another test's name"),
}


def control():
    """The sound page is accepted, and each mistake is found."""
    wrong = []
    for mistake, text in {"nothing": GOOD, **MISTAKES}.items():
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name in ("docs", "examples", "tests"):
                (root / name).mkdir()
            source = PROGRAM + "\n// clang-format off\n// Outputs:\n// <time> thread=<thread> a\n"
            (root / "examples/a.cpp").write_text(source)
            (root / "examples/idle.cpp").write_text(source)
            (root / "tests/a.cpp").write_text('TEST_CASE("a test\'s "\n          "name")\n')
            (root / "docs/page.md").write_text(text)
            problems, _ = check(root, {(root / "examples/a.cpp").resolve()})
            if (not problems) != (mistake == "nothing"):
                wrong.append(f"{mistake}: {problems or 'not found'}")
    print("\n".join(wrong) if wrong else f"{len(MISTAKES)} mistakes of {len(MISTAKES)} found")
    return not wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", nargs="?", type=pathlib.Path)
    parser.add_argument("--run", nargs="*", default=[], type=pathlib.Path, help="programs that the suite runs")
    parser.add_argument("--left-out", nargs="*", default=[], type=pathlib.Path, help="programs it would, but for a package")
    parser.add_argument("--control", action="store_true")
    arguments = parser.parse_args()
    if arguments.control:
        sys.exit(0 if control() else 1)
    known = {path.resolve() for path in arguments.run + arguments.left_out}
    problems, programs = check(arguments.root.resolve(), known)
    print("\n".join(problems) if problems else f"{programs} whole programs in the docs, each of them run")
    if arguments.left_out:
        print("not here, for want of a package:", *(path.name for path in arguments.left_out))
    sys.exit(1 if problems or not programs else 0)


if __name__ == "__main__":
    main()
