"""What faultline is to reach, and whether a run saw it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    text: str
    scenario: str
    variant: str
    what: str
    limit: float
    unit: str
    figure: str = ""
    x: float = -1
    less: bool = True
    floor: str = ""  # the limit is so many times this variant's figure
    ratio: bool = False  # the limit is on the ratio to the scenario's floor
    without: str = ""  # this variant's figure is subtracted first


# Absolute figures drift with the machine's state, so what is a matter of nanoseconds is judged by its ratio to the floor
# in the same round: 2.0 ns beside a floor of 1.06 ns is 1.89 times the floor.
# callgrind counts the flusher's polling too, some tenths of an instruction a record: 32.5 stands for 32.
GOALS = [
    Goal("held, scope clock, A hot", "held", "faultline_scope", "A hot", 1.89, "x the floor", ratio=True),
    Goal("held, scope clock, A cold", "held", "faultline_scope", "A cold", 1.68, "x the floor", ratio=True),
    Goal("held, scope clock, B hot", "held", "faultline_scope", "B hot", 1.25, "x the floor", ratio=True),
    Goal("held, coarse clock, A hot", "held", "faultline_coarse", "A hot", 1.89, "x the floor", ratio=True),
    Goal("held, coarse clock, A cold", "held", "faultline_coarse", "A cold", 1.68, "x the floor", ratio=True),
    Goal("held, coarse clock, B hot", "held", "faultline_coarse", "B hot", 1.25, "x the floor", ratio=True),
    Goal("held, tsc clock, A hot, against rdtsc alone", "held", "faultline_tsc", "A hot", 1.1, "x", floor="floor_rdtsc"),
    Goal("p99.9 of a held call, scope clock", "latency", "faultline_scope", "A", 30, "ns", figure="p99.9"),
    Goal("instructions of a held record, scope clock", "instructions", "faultline_scope", "A", 32.5, "instructions/record",
         without="floor_loop"),
    Goal("all threads, scope clock", "cpu", "faultline_scope", "A", 1.58, "x the floor", ratio=True),
    Goal("ERROR call p50", "trip", "faultline_scope", "ERROR call", 50, "ns", figure="p50"),
    Goal("ERROR call p99.9", "trip", "faultline_scope", "ERROR call", 500, "ns", figure="p99.9"),
    Goal("text in the file p50, default", "trip", "faultline_scope", "text in the file", 1e6, "ns", figure="p50"),
    Goal("text in the file p50, spinning flusher", "trip", "faultline_spinning", "text in the file", 1e4, "ns",
         figure="p50"),
    Goal("writing everything, 1 thread", "written", "faultline_pass", "until in the file", 8, "million records/s", x=1,
         less=False),
    Goal("writing everything, 2 threads", "written", "faultline_pass", "until in the file", 5, "million records/s", x=2,
         less=False),
    Goal("disabled statement", "disabled", "faultline_scope", "A", 0.5, "ns/statement"),
    Goal("compile time of a statement", "build", "faultline", "statement", 1.5, "ms"),
    Goal("machine code of a statement", "build", "faultline", "code", 90, "bytes/statement"),
    Goal("#include <faultline/log.hpp>", "build", "faultline", "include", 0.5, "s"),
    Goal("idle", "idle", "faultline_scope", "idle", 0.1, "%"),
    Goal("order server, scope clock, of compiled out", "server", "held_scope", "of compiled out", 99, "%", less=False),
    Goal("order server, tsc clock, of compiled out", "server", "held_tsc", "of compiled out", 99, "%", less=False),
]


def find(results, scenario, variant, what, figure="", x=-1):
    for r in results:
        if (r["scenario"], r["variant"], r["what"]) == (scenario, variant, what) and figure in ("", r["figure"]) \
                and x in (-1, r["x"]):
            return r
    return None


def check(results):
    """(goal, what it comes to in this run, the figure, met) for each goal that the run measured."""
    checked = []
    for g in GOALS:
        row = find(results, g.scenario, g.variant, g.what, g.figure, g.x)
        if row is None:
            continue
        value = row["to_floor"] if g.ratio else row["median"]
        if value is None:
            continue
        if g.without:
            rest = find(results, g.scenario, g.without, g.what, g.figure, g.x)
            value -= rest["median"] if rest else 0
        if g.floor:
            floor = find(results, g.scenario, g.floor, g.what, g.figure, g.x)
            if floor is None:
                continue
            value /= floor["median"]
        met = value <= g.limit if g.less else value >= g.limit
        sign = "at most" if g.less else "at least"
        checked.append((g.text, f"{sign} {g.limit:g} {g.unit}", value, met))
    return checked
