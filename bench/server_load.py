"""The scenario `server`: the order server's variants under wrk, through the demo's own load."""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "order_server"
sys.path.insert(0, str(EXAMPLE))
import load_rounds  # noqa: E402  (from the example)

# name of the row: (the server's variant, its clock)
ROWS = {
    "compiled_out": ("compiled_out", "tsc"),
    "held_scope": ("held", "scope"),
    "held_tsc": ("held", "tsc"),
    "spdlog": ("spdlog", "tsc"),
    "glog": ("glog", "tsc"),
}
BASE = "compiled_out"


def missing(build):
    """Why the scenario cannot run; None when it can."""
    if shutil.which("wrk") is None:
        return "wrk is not installed"
    if not (build / "examples/order_server/order_server_held").is_file():
        return "the order server was not built"
    return None


def rows(build, wanted):
    return [name for name, (variant, _) in ROWS.items()
            if name in wanted and (build / f"examples/order_server/order_server_{variant}").is_file()]


def measure(build, folder, names, turns):
    """Figures of one round."""
    servers, ratios = {}, {name: [] for name in names}
    rates, p99 = {name: [] for name in names}, {name: [] for name in names}
    figures = []

    def figure(name, what, kind, unit, value):
        figures.append({"scenario": "server", "variant": name, "what": what, "x": 0, "figure": kind, "unit": unit,
                        "value": value})
    try:
        for name in names:
            variant, clock = ROWS[name]
            options = SimpleNamespace(runs=Path(folder), servers=build / "examples/order_server", clock=clock)
            servers[name] = load_rounds.Server(options, variant, name)
            servers[name].turn()  # to warm up
        def turn(name):
            done = servers[name].turn()
            rates[name].append(done.rate)
            p99[name].append(done.p99_ms)
            return done.rate

        others = [name for name in names if name != BASE]
        for number in range(turns):
            for name in others:  # each beside a turn of the base, before or behind it in turns
                pair = (BASE, name) if number % 2 else (name, BASE)
                rate = {n: turn(n) for n in pair if n in servers}
                if BASE in rate:
                    ratios[name].append(rate[name] / rate[BASE])
        for name in names:
            counters = servers[name].stop()
            figure(name, "processor time", "a request", "us", 1e6 * counters["cpu_seconds"] / counters["requests"])
    finally:
        for server in servers.values():
            server.kill()
            server.log.unlink(missing_ok=True)
    for name in names:
        figure(name, "throughput", "rate", "requests/s", middle(rates[name]))
        figure(name, "latency", "p99", "ms", middle(p99[name]))
        if ratios[name]:
            figure(name, "of compiled out", "rate", "%", 100 * middle(ratios[name]))
    return figures


def middle(values):
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
