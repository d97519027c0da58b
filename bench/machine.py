"""What the figures were measured on and with."""

import os
import platform
import re
import subprocess
from pathlib import Path


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()
    except OSError:
        return ""


def first_match(pattern, text, default="unknown"):
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1).strip() if found else default


def package_version(name):
    return output_of("dpkg-query", "-W", "-f=${Version}", name) or "unknown"


def source_version(folder, header, pattern):
    path = Path(folder) / header
    return ".".join(re.findall(pattern, path.read_text())) if folder and path.is_file() else "unknown"


def cache_value(cache, name):
    return first_match(rf"^{name}:\w+=(.*)$", cache, "")


def busy_seconds():
    """Processor time that was not idle since the machine started, what the hypervisor took included."""
    user, nice, system, _, _, irq, soft, steal = map(int, Path("/proc/stat").read_text().split(None, 9)[1:9])
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    """Of that, this program's and its ended children's."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def collect(root, build):
    cache = (build / "CMakeCache.txt").read_text()
    compiler = cache_value(cache, "CMAKE_CXX_COMPILER")
    quill = cache_value(cache, "FAULTLINE_BENCH_QUILL_DIR")
    return {
        "processor": first_match(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text()),
        "processors": os.cpu_count(),
        "hypervisor": first_match(r"^Hypervisor vendor:\s*(.*)$", output_of("lscpu"), "none"),
        "memory": first_match(r"^MemTotal:\s*(.*)$", Path("/proc/meminfo").read_text()),
        "system": f"{platform.system()} {platform.release()}",
        "load average at the start": "%.2f" % os.getloadavg()[0],
        "compiler": output_of(compiler, "--version").splitlines()[0],
        "flags": cache_value(cache, "CMAKE_CXX_FLAGS_RELEASE") + " -std=gnu++20",
        "faultline": output_of("git", "-C", str(root), "describe", "--always", "--dirty"),
        "versions": {
            "fmt": package_version("libfmt-dev"),
            "concurrentqueue": package_version("libconcurrentqueue-dev"),
            "Google Benchmark": package_version("libbenchmark-dev"),
            "spdlog": package_version("libspdlog-dev"),
            "glog": package_version("libgoogle-glog-dev"),
            "boost_log": package_version("libboost-log-dev"),
            "lttng": package_version("liblttng-ust-dev"),
            "quill": source_version(quill, "include/quill/Backend.h", r"Version(?:Major|Minor|Patch)\{(\d+)\}"),
        },
    }
