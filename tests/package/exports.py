#!/usr/bin/env python3
"""exports.py LIBRARY…: the shared libraries export what include/faultline/export.hpp says and no more: public names, and of
faultline::detail exactly what the headers' macros and templates call. exports.py --control: the check objects to what is wrong."""
import re
import subprocess
import sys

# What a statement, a scope and a field call, the thread's cursor, and what a logger is before it is made.
INTERNAL = {
    "current_cursor", "unmade_node", "prepare", "reserve", "attend", "format_argument", "format_named_argument", "measure_c_string", "add_field", "adopt",
}
# Classes of the headers whose members are compiled.
INTERNAL_CLASSES = {"exception_story", "stream_record", "line_buffer", "interval_limit"}
PUBLIC_CLASSES = {
    "callback_handler", "configuration", "configuration_error", "error_scope", "formatter", "handler", "handler_ref", "logger",
    "memory_handler", "runtime", "smtp_handler", "trace_context",
}
PUBLIC_FUNCTIONS = re.compile(
    r"(make_\w+|read_json(_file)?|current_trace|default_runtime|failed_rotations|flush|get_logger|log_text|parse_level|parse_traceparent|start|stats|stop"
    r"|to_string)(\[abi:cxx11\])?\(")
# Instances of others' templates and inline functions, which every library has.
OTHERS = re.compile(r"_Z(T[VIS]|GV|Z|T?hn?\d*_)*(NK?)?(St|S[absiod]|9__gnu_cxx|3fmt|6spdlog|6google)")


def name_of(symbol):
    """The qualified name without what the demangler puts before and behind it."""
    return re.sub(r"^(typeinfo name|typeinfo|vtable|guard variable|non-virtual thunk) (for|to) ", "", symbol)


def objection(kind, mangled, symbol):
    """Why that symbol should not be there, or None."""
    name = name_of(symbol)
    if kind in "WVu" and OTHERS.match(mangled):
        return None
    internal = re.match(r"faultline::detail::(\w+)", name)
    if internal:
        return None if internal[1] in INTERNAL | INTERNAL_CLASSES else "is internal"
    public = re.match(r"faultline::(\w+)::", name) or re.match(r"faultline::(\w+)$", name)
    if public:
        return None if public[1] in PUBLIC_CLASSES else "is of a class that is not public"
    if name.startswith("faultline::"):
        return None if PUBLIC_FUNCTIONS.match(name[len("faultline::"):]) else "is a function that is not public"
    return "is not faultline's"


def check(libraries):
    """libraries: {name: [(kind, mangled, demangled)]}. Returns what is wrong."""
    problems = []
    internal = []
    for library, symbols in libraries.items():
        for kind, mangled, symbol in symbols:
            why = objection(kind, mangled, symbol)
            if why:
                problems.append(f"{library}: '{symbol}' {why}")
            found = re.match(r"faultline::detail::(\w+)", symbol)
            if found:
                internal.append(found[1])
    for name in sorted(INTERNAL):
        if internal.count(name) != 1:
            problems.append(f"faultline::detail::{name} is exported {internal.count(name)} times, not once")
    return problems


def demangled(mangled):
    return subprocess.run(["c++filt"], input="\n".join(mangled), check=True, capture_output=True, text=True).stdout.splitlines()


def symbols_of(library):
    """(kind, mangled, demangled) of each exported symbol."""
    lines = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout.splitlines()
    kinds, mangled = zip(*(line[17:].split(" ", 1) for line in lines))
    return list(zip(kinds, mangled, demangled(mangled)))


def control():
    good = {"core": [("T", "", f"faultline::detail::{name}") for name in INTERNAL] + [
        ("T", "", "faultline::get_logger(std::string_view)"), ("T", "", "faultline::runtime::stop()"),
        ("V", "_ZTIN9faultline7handlerE", "typeinfo for faultline::handler"),
        ("W", "_ZNSt6vectorIiSaIiEE7_M_growEv", "void std::vector<int>::_M_grow()"),
        ("W", "_ZSteqIN9faultline6detail4nodeEEbRKT_S5_", "bool std::operator==<faultline::detail::node>(…)")]}
    wrong = [("T", "", "faultline::detail::dictionary::enter(int)"), ("T", "", "faultline::file_handler::write()"),
             ("T", "", "faultline::spool::put()"), ("T", "", "faultline::helper(int)"), ("T", "ZSTD_compress", "ZSTD_compress"),
             ("T", "_ZNSt6vectorIiSaIiEE4growEv", "std::vector<int>::grow()"),
             ("W", "_ZN9faultline6detail4sortISt6vectorIiSaIiEEEvRT_", "void faultline::detail::sort<std::vector<int> >(…)"),
             ("B", "", "faultline::detail::current_cursor")]
    if check(good):
        return [f"a good library is refused: {check(good)}"]
    failures = [f"'{symbol[2]}' is accepted" for symbol in wrong if not check({"core": good["core"] + [symbol]})]
    if not check({"core": good["core"][1:]}):
        failures.append("a missing name is not missed")
    return failures


if __name__ == "__main__":
    found = control() if sys.argv[1:] == ["--control"] else check({path: symbols_of(path) for path in sys.argv[1:]})
    print("\n".join(found) or "good")
    sys.exit(1 if found else 0)
