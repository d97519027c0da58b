#!/usr/bin/env python3
"""Runs the benchmarks, interleaved over several rounds, and writes JSON, CSV and a report. Called by scripts/bench.

    run.py --build FOLDER --out FOLDER [--quick] [--rounds N] [--scenario NAME]… [--peer NAME]… [--list]

Exits with 2 for an unknown name, with 1 when a variant writes a wrong text or fails.
"""

import argparse
import contextlib
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import build_cost
import html_report
import lttng_session
import machine
import plots
import server_load
from scenarios import BY_NAME, SCENARIOS

ROOT = Path(__file__).resolve().parent.parent
HIDDEN = {"control"}  # peers that stand for themselves in no report


class Failure(Exception):
    pass


class Variant:
    def __init__(self, peer, program, facts):
        self.peer = peer
        self.program = program
        self.name = facts["variant"]
        self.records = facts["records"]
        self.scenarios = facts["scenarios"]


def read_peers(build):
    """All variants of the peers that were built, and why the others were not."""
    variants, absent = [], {}
    for line in (build / "bench/peers.txt").read_text().splitlines():
        peer, _, state = line.partition(" ")
        if state == "not installed":
            absent[peer] = state
            continue
        program = build / "bench" / state
        listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout
        variants += [Variant(peer, program, json.loads(entry)) for entry in listed.splitlines()]
    return variants, absent


def parse_options():
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--build", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, required=True, help="folder of the report (default build/bench/report)")
    parser.add_argument("--quick", action="store_true", help="short and few rounds: under three minutes")
    parser.add_argument("--rounds", type=int, help="at most so many rounds of a scenario")
    parser.add_argument("--scenario", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--peer", action="append", default=[], help="only this peer or variant; may be repeated")
    parser.add_argument("--list", action="store_true", help="name scenarios, peers and variants")
    return parser.parse_args()


def exit_with(line):
    print(f"bench: {line}", file=sys.stderr)
    sys.exit(2)


def check_names(options, variants, absent):
    """Fails for a name that is none, naming those that are."""
    choices = sorted({v.peer for v in variants} | {v.name for v in variants} | set(absent) | set(server_load.ROWS))
    for name in options.scenario:
        if name not in BY_NAME:
            exit_with(f"unknown scenario {name}; there are: {', '.join(BY_NAME)}")
    for name in options.peer:
        if name not in choices:
            exit_with(f"unknown peer {name}; there are: {', '.join(c for c in choices if 'control' not in c)}")


def print_list(variants, absent):
    print("scenarios:")
    for s in SCENARIOS:
        print(f"  {s.name:16} {s.title}")
    print("peers and their variants:")
    for peer in dict.fromkeys(v.peer for v in variants if v.peer not in HIDDEN):
        print(f"  {peer:16} {' '.join(v.name for v in variants if v.peer == peer)}")
    for peer, why in absent.items():
        print(f"  {peer:16} {why}")


class Suite:
    def __init__(self, options, variants, absent, folder):
        self.options = options
        self.folder = folder
        self.absent = dict(absent)  # peer or variant: why it is not there
        self.variants = [v for v in variants if self.wants(v)]
        self.runs = []  # figures, each with its round
        self.repeated = 0  # runs that other programs disturbed
        self.started = time.monotonic()

    def wants(self, v):
        named = self.options.peer
        if not named:
            return v.peer not in HIDDEN
        return v.name in named or v.peer in named

    def say(self, text):
        print(f"[{time.monotonic() - self.started:5.0f} s] {text}", flush=True)

    def run_undisturbed(self, variant, scenario):
        """The figures of one run; of two runs the less disturbed, where other programs take more than a
        tenth of a processor during the first. A quick run takes the first."""
        best, least = None, None
        for _ in range(1 if self.options.quick else 2):
            busy, own, wall = machine.busy_seconds(), machine.own_seconds(), time.monotonic()
            figures = self.run_program(variant, scenario)
            others = machine.busy_seconds() - busy - (machine.own_seconds() - own)
            disturbed = others / (time.monotonic() - wall)
            if least is None or disturbed < least:
                best, least = figures, disturbed
            if figures is None or disturbed < 0.1:
                break
            self.repeated += 1
        return best or []

    def run_program(self, variant, scenario, environment=None):
        """The lines that one run prints; None when the variant is not available."""
        done = subprocess.run(
            [variant.program, scenario, variant.name, "quick" if self.options.quick else "full", self.folder],
            capture_output=True, text=True, timeout=600, env=environment)
        why = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
        if done.returncode == 3:
            self.leave_out(variant.name, why[0])
            return None
        if done.returncode != 0:
            raise Failure(f"{variant.name} in {scenario}: {why[0]}")
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def leave_out(self, name, why):
        self.absent[name] = why
        self.variants = [v for v in self.variants if v.name != name]
        self.say(f"{name}: left out: {why}")

    def check_texts(self):
        """Each variant must write what it was told before its time counts."""
        checked = [v for v in self.variants if "text" in v.scenarios]
        for v in checked:
            self.run_program(v, "text")
        self.say(f"the texts of {len(checked)} variants are right")

    def check_trace(self, session, variant):
        self.run_program(variant, "instructions", dict(os.environ, BENCH_RECORDS="40"))
        text = session.snapshot_text()
        if text is None:
            self.say("lttng: its records are not checked: babeltrace2 is not installed")
        elif text.count("bench:request_handled") < 40 or "request = 39, bytes = 39, us = 39" not in text:
            raise Failure(f"{variant.name}: wrong records in the snapshot")

    def rounds_of(self, scenario):
        usual = scenario.quick_rounds if self.options.quick else scenario.full_rounds
        return min(self.options.rounds, usual) if self.options.rounds else usual

    def add(self, figures, number):
        self.runs += [dict(f, round=number) for f in figures]

    def run_round(self, scenario, number):
        if scenario.name == "build":
            return self.run_build(number)
        if scenario.name == "server":
            return self.run_server(number)
        taking_part = [v for v in self.variants if scenario.name in v.scenarios]
        turn = number % max(1, len(taking_part))
        for v in taking_part[turn:] + taking_part[:turn]:
            if scenario.name == "instructions":
                self.count_instructions(v, number)
                continue
            self.add(self.run_undisturbed(v, scenario.name), number)
        return len(taking_part)

    def count_instructions(self, variant, number):
        counts = []
        for records in (32, 64):
            done = subprocess.run(
                ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", variant.program, "instructions",
                 variant.name, "quick", self.folder],
                capture_output=True, text=True, env=dict(os.environ, BENCH_RECORDS=str(records)))
            if done.returncode == 3:
                return
            counts += [int(line.split()[-1]) for line in done.stderr.splitlines() if "Collected" in line]
        if len(counts) != 2:
            raise Failure(f"{variant.name}: callgrind did not count")
        self.add([{"scenario": "instructions", "variant": variant.name, "what": "A", "x": 0, "figure": "count",
                   "unit": "instructions/record", "value": (counts[1] - counts[0]) / 32_000}], number)

    def run_build(self, number):
        peers = {v.peer for v in self.variants}
        wanted = [name for name, facts in build_cost.SOURCES.items() if facts[0] in peers]
        for name in wanted:
            self.add(build_cost.measure(self.options.build, name, 2 if self.options.quick else 4), number)
        return len(wanted)

    def run_server(self, number):
        why = server_load.missing(self.options.build)
        if why:
            self.absent["server"] = why
            return 0
        wanted = set(server_load.ROWS)
        if self.options.peer:
            wanted = {row for row in wanted if row in self.options.peer or
                      any(peer in (row, "faultline") and (peer == row or row.startswith("held"))
                          for peer in self.options.peer)} | {"compiled_out"}
        names = server_load.rows(self.options.build, wanted)
        self.add(server_load.measure(self.options.build, self.folder, names, 4 if self.options.quick else 12), number)
        return len(names)

    def run(self, scenarios):
        self.check_texts()
        rounds = max(self.rounds_of(s) for s in scenarios)
        for number in range(rounds):
            for s in scenarios:
                if number >= self.rounds_of(s):
                    continue
                before = time.monotonic()
                count = self.run_round(s, number)
                self.say(f"round {number + 1} of {self.rounds_of(s)}: {s.name}, {count} variants, "
                         f"{time.monotonic() - before:.1f} s")


def ratio_to_floor(runs_of_figure, by_round):
    """The median over rounds of the figure divided by its floor's in the same round; None without a floor. Processors
    change their speed between rounds more than within one."""
    first = runs_of_figure[0]
    for floor in BY_NAME[first["scenario"]].floors:
        ratios = []
        for r in runs_of_figure:
            base = by_round.get((r["scenario"], floor, r["what"], r["x"], r["figure"], r["round"]))
            if base:
                ratios.append(r["value"] / base)
        if ratios:
            return statistics.median(ratios)
    return None


def summarise(runs):
    """One row for each figure: median, least and greatest over the rounds, and the ratio to the scenario's floor."""
    names = ("scenario", "variant", "what", "x", "figure", "unit")
    groups = {}
    for r in runs:
        groups.setdefault(tuple(r[n] for n in names), []).append(r)
    by_round = {(r["scenario"], r["variant"], r["what"], r["x"], r["figure"], r["round"]): r["value"] for r in runs}
    rows = []
    for key, of_figure in groups.items():
        values = [r["value"] for r in of_figure]
        rows.append(dict(zip(names, key), median=statistics.median(values), least=min(values), greatest=max(values),
                         rounds=len(values), to_floor=ratio_to_floor(of_figure, by_round)))
    return rows


def write_results(out, document):
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    with open(out / "results.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, ["scenario", "variant", "what", "x", "figure", "unit", "median", "least", "greatest",
                                     "rounds", "to_floor"])
        rows.writeheader()
        rows.writerows(document["results"])
    html_report.write(out / "report.html", document)
    if headline := plots.headline(document["results"]):
        (out / "headline.svg").write_text(headline, encoding="utf-8")


def main():
    options = parse_options()
    variants, absent = read_peers(options.build)
    check_names(options, variants, absent)
    if options.list:
        return print_list(variants, absent)
    scenarios = [s for s in SCENARIOS if not options.scenario or s.name in options.scenario]
    facts = machine.collect(ROOT, options.build)
    busy, own, wall = machine.busy_seconds(), machine.own_seconds(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faultline_bench.", dir="/dev/shm") as folder, contextlib.ExitStack() as stack:
        suite = Suite(options, variants, absent, folder)
        tracer = next((v for v in suite.variants if v.peer == "lttng"), None)
        if tracer:
            try:
                session = stack.enter_context(lttng_session.LttngSession())
                suite.check_trace(session, tracer)
            except lttng_session.Unavailable as why:
                suite.leave_out(tracer.name, str(why))
        suite.run(scenarios)
    others = (machine.busy_seconds() - busy - (machine.own_seconds() - own)) / (time.monotonic() - wall)
    facts["taken by other programs"] = f"{max(0, 100 * others):.0f} % of a processor; {suite.repeated} runs repeated for it"
    document = {"facts": facts, "quick": options.quick, "absent": suite.absent,
                "variants": {v.name: {"peer": v.peer, "records": v.records} for v in suite.variants},
                "results": summarise(suite.runs), "runs": suite.runs}
    write_results(options.out, document)
    html_report.print_summary(document)
    suite.say(f"report: {options.out / 'report.html'}")
    return None


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        sys.exit(1)
