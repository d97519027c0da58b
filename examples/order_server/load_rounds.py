#!/usr/bin/env python3
"""Puts the three servers under load in turns, checks their logs, and prints the demo's table. See docs/guide/demo.md.

    load_rounds.py --servers FOLDER --runs FOLDER [--seconds N] [--rounds N] [--clock tsc|scope]

The servers of a round are fresh processes; within a round they take turns of a quarter of a second, so that whatever else
the machine does meets all of them alike. Exits with 1 when a log does not agree with what its server counted.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import check_dumps
import report

VARIANTS = ["compiled_out", "held", "spdlog"]
ORDERS = [["compiled_out", "held", "spdlog"], ["held", "compiled_out", "spdlog"]]  # neither profits from its neighbours
CONNECTIONS = 8
TURN_SECONDS = 0.25
LOAD = Path(__file__).with_name("load.lua")


class Failure(Exception):
    pass


def pinned(processor):
    """The words before a command that keep it on one processor; none where there are not two."""
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2 or shutil.which("taskset") is None:
        return []
    return ["taskset", "--cpu-list", str(usable[processor])]


class Server:
    def __init__(self, options, variant, number):
        self.variant = variant
        self.log = options.runs / f"{variant}-{number}.log"
        program = options.servers / f"order_server_{variant}"
        # httplib keeps a thread on each connection until the client closes it: twice as many for the next turn's.
        self.process = subprocess.Popen(
            pinned(0) + [program, "--log", self.log, "--threads", str(2 * CONNECTIONS), "--clock", options.clock],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"the {variant} server did not start")
        self.port = json.loads(line)["port"]

    def turn(self):
        """Load for one turn, the requests a second and their 99th percentile as wrk saw them. wrk takes whole seconds
        only, so that a signal ends the turn."""
        load = subprocess.Popen(
            pinned(1) + ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", "60s", "--script", LOAD,
                         f"http://127.0.0.1:{self.port}/order"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if load.stderr.readline() != "ready\n":
            raise Failure(f"wrk did not start: {load.communicate()}")
        time.sleep(TURN_SECONDS)
        load.send_signal(signal.SIGINT)
        output, _ = load.communicate(timeout=60)
        result = json.loads(output.splitlines()[-1]) if load.returncode == 0 else None
        if not result or result["socket_errors"]:
            raise Failure(f"wrk failed on the {self.variant} server: {output}")
        return report.Turn(result["requests"] / result["seconds"], result["p99_us"] / 1000)

    def stop(self):
        """Ends the server; its counters."""
        self.process.send_signal(signal.SIGTERM)
        output, _ = self.process.communicate(timeout=60)
        if self.process.returncode != 0:
            raise Failure(f"the {self.variant} server ended with status {self.process.returncode}")
        return json.loads(output)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def count_lines(path):
    """All lines of a log, and those of records at ERROR."""
    error = re.compile(rb"\S+ +error ", re.IGNORECASE)
    lines = errors = 0
    with open(path, "rb") as log:
        for line in log:
            lines += 1
            errors += error.match(line) is not None
    return lines, errors


def check(server, counters, lines, errors):
    """Raises check_dumps.Mismatch where the log is not what the counters say."""
    if server.variant == "held":
        dumps, records = check_dumps.check_log(server.log.read_text(encoding="utf-8").splitlines())
        check_dumps.check_counters(counters, dumps, records)
        return
    failed = counters["failed"]
    check_dumps.expect(errors == failed, f"{errors} errors, and {failed} requests failed")
    if server.variant == "compiled_out":
        check_dumps.expect(lines == failed + 2, f"{lines} lines for {failed} failures and two INFO records")


def check_the_check(log):
    """A check that cannot fail proves nothing: a log without one step of a request, and one with a line more, must be
    refused."""
    lines = log.read_text(encoding="utf-8").splitlines()
    step = next(i for i, line in enumerate(lines) if " DEBUG " in line)
    for changed in (lines[:step] + lines[step + 1:], lines + [lines[step]]):
        try:
            check_dumps.check_log(changed)
        except check_dumps.Mismatch:
            continue
        raise Failure("the check accepted a log that had been changed")


def run_round(options, number, results):
    """One round; the number of mismatches found in it."""
    servers = {}
    mismatches = 0
    turns = {variant: [] for variant in VARIANTS}
    try:
        for variant in VARIANTS:
            servers[variant] = Server(options, variant, number)
        for server in servers.values():
            server.turn()  # to warm up
        for turn in range(max(1, round(options.seconds / options.rounds / TURN_SECONDS))):
            for variant in ORDERS[turn % 2]:
                turns[variant].append(servers[variant].turn())
        for variant, server in servers.items():
            counters = server.stop()
            lines, errors = count_lines(server.log)
            try:
                check(server, counters, lines, errors)
            except check_dumps.Mismatch as mismatch:
                print(f"\n{server.log}: {mismatch}\n{counters}", file=sys.stderr)
                mismatches += 1
            if variant == "spdlog":
                server.log.unlink()  # tens of megabytes a second
            results[variant].add(turns[variant], counters, lines)
    finally:
        for server in servers.values():
            server.kill()
    rates = "  ".join(f"{variant} {report.median_rate(turns[variant]):,.0f}/s" for variant in VARIANTS)
    print(f"Round {number} of {options.rounds}: {rates}", flush=True)
    return mismatches


def show_a_dump(log):
    """The first dump whose request got far before it failed."""
    lines = log.read_text(encoding="utf-8").splitlines()
    begin = 0
    for i, line in enumerate(lines):
        if check_dumps.BEGIN.fullmatch(line):
            begin = i
        elif check_dumps.END.fullmatch(line) and i - begin > 25:
            print("\nOne failed request, as it stands in the log of the second variant:\n")
            print("\n".join(lines[begin:i + 1]))
            return


def parse_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--servers", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clock", choices=["tsc", "scope"], default="tsc")
    return parser.parse_args()


def main():
    options = parse_options()
    shutil.rmtree(options.runs, ignore_errors=True)
    options.runs.mkdir(parents=True)
    results = {variant: report.Result() for variant in VARIANTS}
    print(f"Three servers, {options.seconds:g} seconds of load each, in {options.rounds} rounds:", flush=True)
    mismatches = sum(run_round(options, n, results) for n in range(1, options.rounds + 1))
    first_log = options.runs / "held-1.log"
    if not mismatches:
        check_the_check(first_log)
    show_a_dump(first_log)
    print()
    report.print_report(results)
    if mismatches:
        raise Failure(f"{mismatches} logs do not agree with what their servers counted")
    print("Checked in every round: a dump for each failed request and none besides, every step of the request in it, no\n"
          f"line of a healthy request, every record accounted for. The logs are in {options.runs}.")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"demo: {failure}")
