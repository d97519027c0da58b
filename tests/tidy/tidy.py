#!/usr/bin/env python3
"""Checks of the house that no compiler makes: which room includes which, file sizes, atomics with a reason, one file for the
queue's header, test points where races are tested, words that do not belong. `tidy.py ROOT` prints what is wrong and fails; `tidy.py --control` runs the checks over
doctored files and fails unless each is caught."""
import pathlib
import re
import sys
import tempfile

# A room may include the rooms before it in this list that are named beside it.
ROOMS = {
    "base": {"base"},
    "record": {"base", "record"},
    "buffer": {"base", "record", "buffer"},
    "handover": {"handover", "base/test_point.hpp"},
    "format": {"base", "record", "format"},
    "handlers": {"base", "format", "handlers"},
    "smtp": {"smtp", "base/sigpipe_guard.hpp", "base/descriptor_identity.hpp", "base/whole_characters.hpp"},
    "front": {"base", "record", "buffer", "handover", "front", "handlers/handler_access.hpp"},
    "flusher": {"base", "record", "buffer", "handover", "format", "front", "handlers/handler_access.hpp", "flusher"},
    "runtime": {"base", "record", "buffer", "handover", "format", "handlers", "front", "flusher", "runtime"},
    # Optional components link against the core's public symbols: beside those, each sees its own room only.
    "syslog": {"syslog", "base/descriptor_identity.hpp", "base/whole_characters.hpp"},
    "journald": {"journald", "base/descriptor_identity.hpp", "base/whole_characters.hpp"},
    "spdlog": {"spdlog"},
    "glog": {"glog"},
    "settings": {"settings", "base/whole_characters.hpp"},
}
MOST_LINES = {".hpp": 330, ".cpp": 420}
LIGHT_HEADERS = {"log.hpp", "logger.hpp", "scope.hpp", "level.hpp", "detail/codec.hpp", "detail/statement.hpp",
                 "detail/site.hpp", "detail/node.hpp", "detail/cursor.hpp", "detail/checked_format.hpp",
                 "detail/named_format.hpp", "detail/choice.hpp", "detail/story.hpp", "statements.hpp", "kv.hpp", "secret.hpp", "trace.hpp", "bridge.hpp",
                 "hex.hpp"}
HEAVY_INCLUDES = {"fmt/format.h", "fmt/chrono.h", "iostream", "mutex", "functional", "vector", "map", "thread",
                  "faultline/handler.hpp", "faultline/runtime.hpp", "faultline/record.hpp"}
EMPTY_NAMES = re.compile(r"(util|utils|manager|helper|helpers|impl|misc|common)(_|\.|$)")


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines()


def check_includes(path, room, problems):
    for number, line in enumerate(lines_of(path), 1):
        found = re.match(r'#include "([^"]+)"', line)
        if found and found[1] not in ROOMS[room] and found[1].split("/")[0] not in ROOMS[room]:
            problems.append(f"{path}:{number}: room {room} may not include {found[1]}")


def check_atomics(path, problems):
    """An atomic's declaration, or the block of declarations it is in, carries a comment."""
    lines = lines_of(path)
    for number, line in enumerate(lines):
        if not re.match(r"\s*(alignas\(\d+\) )?(mutable )?(static )?std::atomic<.*>&? ?\w+.*[;{]", line) or "(" in line.split("{")[0].split(";")[0].replace("alignas(64)", ""):
            continue
        above = number - 1
        while above >= 0 and re.match(r"\s*std::atomic<", lines[above]):
            above -= 1
        before = lines[above].strip() if above >= 0 else ""
        block = any("//" in previous for previous in lines[max(0, above - 6):above + 1])
        if "//" not in line and not before.startswith("//") and not block:
            problems.append(f"{path}:{number + 1}: an atomic without a comment")


def check_test_points(root, problems):
    """tests/races compiles the files with test points again, all of them: a header with points would mean two things there."""
    users = {str(path.relative_to(root)) for path in root.glob("src/*/*.?pp")
             if '#include "base/test_point.hpp"' in path.read_text(encoding="utf-8")}
    list_of_races = root / "tests/races/CMakeLists.txt"
    listed = set(re.findall(r"src/\w+/\w+\.cpp", list_of_races.read_text(encoding="utf-8"))) if list_of_races.exists() else set()
    for name in sorted(users ^ listed):
        problems.append(f"{name}: has test points and is not among the sources of tests/races, or the other way round")
    for path in sorted(root.glob("src/*/*.?pp")):
        text = path.read_text(encoding="utf-8")
        if str(path.relative_to(root)) not in users and path.name != "test_point.hpp" and re.search(r"\b(test_point|is_planted)\(", text):
            problems.append(f"{path}: test points without their header")


def check(root):
    problems = []
    queue_users = []
    for path in sorted(root.glob("src/*/*.?pp")):
        room = path.parent.name
        if room not in ROOMS:
            problems.append(f"{path}: no such room")
            continue
        check_includes(path, room, problems)
        check_atomics(path, problems)
        if "concurrentqueue.h" in path.read_text(encoding="utf-8"):
            queue_users.append(path)
    check_test_points(root, problems)
    if len(queue_users) != 1:
        problems.append(f"the queue's header is named by {len(queue_users)} files, not one: {queue_users}")
    for path in sorted(root.glob("include/faultline/**/*.hpp")):
        relative = str(path.relative_to(root / "include/faultline"))
        check_atomics(path, problems)
        for number, line in enumerate(lines_of(path), 1):
            found = re.match(r"#include <([^>]+)>", line)
            if found and relative in LIGHT_HEADERS and found[1] in HEAVY_INCLUDES:
                problems.append(f"{path}:{number}: call sites include this header: {found[1]} is too heavy")
    for folder in ("src", "include", "tests", "examples", "bench"):
        for path in sorted(root.glob(f"{folder}/**/*.?pp")):
            lines = len(lines_of(path))
            if lines > MOST_LINES.get(path.suffix, 420) + (180 if folder == "tests" else 0):
                problems.append(f"{path}: {lines} lines")
            if EMPTY_NAMES.search(path.stem):
                problems.append(f"{path}: the name says nothing")
    return problems


def control():
    """Each check must object to a file made to offend it."""
    offences = {
        "src/front/a.cpp": '#include "flusher/round.hpp"\n',
        "src/syslog/g.cpp": '#include "base/system_calls.hpp"\n',
        "src/base/b.hpp": "struct s {\n\n\n\n\n\n\n\n  std::atomic<int> x{0};\n};\n",
        "src/nowhere/c.cpp": "\n",
        "include/faultline/log.hpp": "#include <iostream>\n",
        "src/base/d.cpp": "\n" * 1000,
        "src/base/utils.cpp": "\n",
        "src/base/e.cpp": "#include <concurrentqueue.h>\n",
        "src/handover/f.cpp": "#include <concurrentqueue.h>\n",
        "src/base/h.hpp": '#include "base/test_point.hpp"\n',
        "src/base/i.cpp": "test_point(race_point::slot_made);\n",
    }
    caught = 0
    for name, text in offences.items():
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            if not name.endswith(("e.cpp", "f.cpp")):
                (root / "src/handover").mkdir(parents=True)
                (root / "src/handover/q.cpp").write_text("#include <concurrentqueue.h>\n")
            else:
                (root / "src/handover").mkdir(parents=True)
                (root / "src/handover/q.cpp").write_text("#include <concurrentqueue.h> // one more\n")
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            if check(root):
                caught += 1
            else:
                print(f"not caught: {name}")
    print(f"{caught} of {len(offences)} offences caught")
    return caught == len(offences)


def main():
    if sys.argv[1] == "--control":
        sys.exit(0 if control() else 1)
    problems = check(pathlib.Path(sys.argv[1]))
    print("\n".join(problems) if problems else "tidy")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
