"""What the demo's runs come to: a table, and what holding costs."""

import statistics

GOAL = 0.97
NAMES = {"compiled_out": "DEBUG compiled out", "held": "DEBUG held by faultline", "spdlog": "all written by spdlog"}


class Turn:
    """One server under load for a fraction of a second."""

    def __init__(self, rate, p99_ms):
        self.rate = rate
        self.p99_ms = p99_ms


class Result:
    """One variant in all rounds."""

    def __init__(self):
        self.turns = []
        self.requests = self.failed = self.dumps = self.lines = 0
        self.cpu_seconds = 0.0

    def add(self, turns, counters, lines):
        self.turns += turns
        self.requests += counters["requests"]
        self.failed += counters["failed"]
        self.dumps += counters["logging"].get("dumps", 0)
        self.lines += lines
        self.cpu_seconds += counters["cpu_seconds"]


def median_rate(turns):
    return statistics.median(t.rate for t in turns)


def row(name, r):
    return (name, f"{median_rate(r.turns):,.0f}", f"{statistics.median(t.p99_ms for t in r.turns):.2f}",
            f"{r.requests:,}", f"{r.lines:,}", f"{r.failed:,}", f"{r.dumps:,}", f"{r.cpu_seconds:.1f}",
            f"{r.cpu_seconds / r.requests * 1e6:.1f}")


def print_table(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    for number, cells in enumerate(rows):
        print("  ".join([cells[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(cells[1:], widths[1:])]))
        if number == 0:
            print("  ".join("-" * w for w in widths))


def print_ratio(results, base):
    """Held against another variant, turn by turn: what disturbs the machine disturbs neighbours alike."""
    ratios = sorted(held.rate / other.rate for held, other in zip(results["held"].turns, results[base].turns))
    median = statistics.median(ratios)
    quarter = len(ratios) // 4
    print(f"requests/s, {NAMES['held']} / {NAMES[base]}: {100 * median:.1f} %, the median of {len(ratios)} turns; half of them "
          f"from {100 * ratios[quarter]:.1f} to {100 * ratios[-1 - quarter]:.1f} %")
    return median


def print_report(results):
    print_table([("variant", "requests/s", "p99 ms", "requests", "lines written", "failed", "dumps", "CPU s", "CPU us/request")]
                + [row(NAMES[variant], result) for variant, result in results.items()])
    print()
    ratio = print_ratio(results, "compiled_out")
    print_ratio(results, "spdlog")
    print(f"The goal is {100 * GOAL:.0f} % of the requests/s with DEBUG compiled out: {'met' if ratio >= GOAL else 'missed'}.")
