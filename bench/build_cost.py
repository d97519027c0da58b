"""Compile time and code size of a statement: files with N and with 2N statements, compiled as the peer's adapter is."""

import json
import resource
import shlex
import subprocess
import tempfile
from pathlib import Path

STATEMENTS = 100

# variant: (its executable's peer, headers, what stands before the function, statement A, statement B)
SOURCES = {
    "faultline": ("faultline", "#include <faultline/log.hpp>", "extern const faultline::logger lg;",
                  'FAULTLINE_DEBUG(lg, "request {{}} handled {{}} bytes in {{}} us {n}", x, y, z);',
                  'FAULTLINE_DEBUG(lg, "user {{}} shard {{}} {n}", s, i);'),
    "spdlog": ("spdlog", "#include <spdlog/spdlog.h>", "extern spdlog::logger& lg;",
               'lg.debug("request {{}} handled {{}} bytes in {{}} us {n}", x, y, z);',
               'lg.debug("user {{}} shard {{}} {n}", s, i);'),
    "glog": ("glog", "#include <glog/logging.h>", "",
             'VLOG(1) << "request " << x << " handled " << y << " bytes in " << z << " us {n}";',
             'VLOG(1) << "user " << s << " shard " << i << " {n}";'),
    "boost_log": ("boost_log", "#define BOOST_LOG_DYN_LINK 1\n#include <boost/log/sources/record_ostream.hpp>\n"
                  "#include <boost/log/sources/severity_logger.hpp>",
                  "extern boost::log::sources::severity_logger<int> lg;",
                  'BOOST_LOG_SEV(lg, 1) << "request " << x << " handled " << y << " bytes in " << z << " us {n}";',
                  'BOOST_LOG_SEV(lg, 1) << "user " << s << " shard " << i << " {n}";'),
    "quill": ("quill", "#include <quill/LogMacros.h>\n#include <quill/Logger.h>", "extern quill::Logger* lg;",
              'LOG_DEBUG(lg, "request {{}} handled {{}} bytes in {{}} us {n}", x, y, z);',
              'LOG_DEBUG(lg, "user {{}} shard {{}} {n}", s, i);'),
    "xtr": ("xtr", "#include <xtr/logger.hpp>", "extern xtr::sink& lg;",
            'XTR_LOGL(info, lg, "request {{}} handled {{}} bytes in {{}} us {n}", x, y, z);',
            'XTR_LOGL(info, lg, "user {{}} shard {{}} {n}", s, i);'),
}

FUNCTION_SIZE = 10  # statements a function


class Failed(Exception):
    pass


def source(headers, before, a, b, statements):
    lines = [headers, "#include <cstdint>", "#include <string>", before]
    for n in range(statements):
        if n % FUNCTION_SIZE == 0:
            lines.append(f"void work_{n}(std::uint64_t x, std::uint32_t y, double z, const std::string& s, int i) {{")
        lines.append("  " + (a if n % 2 == 0 else b).format(n=n))
        if n % FUNCTION_SIZE == FUNCTION_SIZE - 1:
            lines.append("}")
    return "\n".join(lines) + "\n"


def compile_command(build, peer):
    """The adapter's own command without its warnings, its source and its outputs."""
    commands = json.loads((build / "compile_commands.json").read_text())
    entry = next(c for c in commands if c["file"].endswith(f"/bench/peers/{peer}.cpp"))
    words = shlex.split(entry["command"])
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in ("-o", "-c", "-MF", "-MT"):
            skip = True
        elif not word.startswith(("-W", "-MD", "-MMD")):
            kept.append(word)
    return kept + ["-w"]


def compile_once(command, text, folder):
    """Seconds of processor time, and bytes of machine code."""
    path = Path(folder) / "statements.cpp"
    path.write_text(text)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*command, "-c", str(path), "-o", f"{path}.o"], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise Failed(done.stderr.splitlines()[0] if done.stderr else "the compiler failed")
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sizes = subprocess.run(["size", "-A", f"{path}.o"], capture_output=True, text=True).stdout
    code = sum(int(line.split()[1]) for line in sizes.splitlines() if line.startswith(".text"))
    return seconds, code


def measure(build, variant, repetitions):
    """Figures of one variant, in the form that the executables print: differences of the shortest of several compilations."""
    peer, headers, before, a, b = SOURCES[variant]
    command = compile_command(build, peer)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        texts = [headers + "\n", *(source(headers, before, a, b, n) for n in (STATEMENTS, 2 * STATEMENTS))]
        done = [[compile_once(command, text, folder) for text in texts] for _ in range(repetitions)]
    (include, _), (once, code_once), (twice, code_twice) = (min(column) for column in zip(*done))

    def figure(what, name, unit, value):
        return {"scenario": "build", "variant": variant, "what": what, "x": 0, "figure": name, "unit": unit,
                "value": value}
    return [figure("statement", "compile time", "ms", (twice - once) * 1000 / STATEMENTS),
            figure("code", ".text", "bytes/statement", (code_twice - code_once) / STATEMENTS),
            figure("include", "compile time", "s", include)]
