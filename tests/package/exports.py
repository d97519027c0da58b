#!/usr/bin/env python3
"""exports.py LIBRARY…: the shared libraries export what include/faultline/export.hpp says and no more: public names, and of
faultline::detail exactly what the headers' macros and templates call. exports.py --control: the check objects to what is wrong."""
import re
import subprocess
import sys

# What a statement, a scope and a field call, and the thread's cursor.
INTERNAL = {
    "current_cursor", "prepare", "reserve", "attend", "format_argument", "measure_c_string", "add_field", "adopt",
}
PUBLIC_CLASSES = {
    "callback_handler", "configuration_error", "error_scope", "formatter", "handler", "handler_ref", "logger",
    "memory_handler", "runtime", "smtp_handler",
}
PUBLIC_FUNCTIONS = re.compile(r"(make_\w+|default_runtime|flush|get_logger|parse_level|start|stats|stop)\(")
# Instances of others' templates and inline functions, which every library has.
OTHERS = re.compile(r"\b(std|fmt|spdlog|google|__gnu_cxx)::")


def name_of(symbol):
    """The qualified name without what the demangler puts before and behind it."""
    return re.sub(r"^(typeinfo name|typeinfo|vtable|guard variable|non-virtual thunk) (for|to) ", "", symbol)


def objection(kind, symbol):
    """Why that symbol should not be there, or None."""
    name = name_of(symbol)
    internal = re.match(r"faultline::detail::(\w+)", name)
    if internal:
        return None if internal[1] in INTERNAL else "is internal"
    public = re.match(r"faultline::(\w+)::", name) or re.match(r"faultline::(\w+)$", name)
    if public:
        return None if public[1] in PUBLIC_CLASSES else "is of a class that is not public"
    if name.startswith("faultline::"):
        return None if PUBLIC_FUNCTIONS.match(name[len("faultline::"):]) else "is a function that is not public"
    if kind in "WVu" and OTHERS.search(name):
        return "is of the inside of the library" if "faultline::detail::" in name else None
    return "is not faultline's"


def check(libraries):
    """libraries: {name: [(kind, demangled)]}. Returns what is wrong."""
    problems = []
    internal = []
    for library, symbols in libraries.items():
        for kind, symbol in symbols:
            why = objection(kind, symbol)
            if why:
                problems.append(f"{library}: '{symbol}' {why}")
            found = re.match(r"faultline::detail::(\w+)", symbol)
            if found:
                internal.append(found[1])
    for name in sorted(INTERNAL):
        if internal.count(name) != 1:
            problems.append(f"faultline::detail::{name} is exported {internal.count(name)} times, not once")
    return problems


def symbols_of(library):
    text = subprocess.run(["nm", "-D", "-C", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    return [tuple(line[17:].split(" ", 1)) for line in text.splitlines()]


def control():
    good = {"core": [("T", f"faultline::detail::{name}") for name in INTERNAL] + [
        ("T", "faultline::get_logger(std::string_view)"), ("T", "faultline::runtime::stop()"),
        ("V", "typeinfo for faultline::handler"), ("W", "void std::vector<int>::_M_grow()")]}
    wrong = [("T", "faultline::detail::dictionary::enter(int)"), ("T", "faultline::file_handler::write()"),
             ("T", "faultline::spool::put()"), ("T", "faultline::helper(int)"), ("T", "ZSTD_compress"),
             ("W", "std::vector<faultline::detail::node>::push_back()"), ("B", "faultline::detail::current_cursor")]
    if check(good):
        return [f"a good library is refused: {check(good)}"]
    failures = [f"'{symbol}' is accepted" for kind, symbol in wrong if not check({"core": good["core"] + [(kind, symbol)]})]
    if not check({"core": good["core"][1:]}):
        failures.append("a missing name is not missed")
    return failures


if __name__ == "__main__":
    found = control() if sys.argv[1:] == ["--control"] else check({path: symbols_of(path) for path in sys.argv[1:]})
    print("\n".join(found) or "good")
    sys.exit(1 if found else 0)
