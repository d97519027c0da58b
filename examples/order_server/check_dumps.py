#!/usr/bin/env python3
"""Checks the log of one run of order_server_held against the counters that the server printed.

    check_dumps.py LOG COUNTERS

Each failed request is one dump, each dump tells its request from the first step to the failing one with none missing,
no healthy request left a line, and the library's ledgers close with nothing lost. Prints one line and exits with 0, or
prints what is wrong and exits with 1.
"""

import json
import re
import sys

BEGIN = re.compile(r"--- dump (?P<id>\d+) (?P<facts>.*)")
END = re.compile(r"--- end of dump (?P<id>\d+)")
RECORD = re.compile(r"~?\d{4}-\d\d-\d\dT[\d:.]+Z (?P<level>[A-Z]+) +(?P<logger>[\w.]+) (?P<message>.*)")
STEP = re.compile(r"request (?P<request>\d+) step (?P<step>\d+): (?P<text>.*)")
ALWAYS_WRITTEN = re.compile(r"serving orders on port \d+ with \d+ threads|served \d+ requests, \d+ failed")
HEADER = re.compile(r"order \d+ of customer \S+ to \S+: (?P<lines>\d+) lines")

# How a request may fail, and at which stage of the story below each failure stands. `call failed` has an exception.
FAILURES = {
    r"malformed order: ": ("parsed", "header", "read"),
    r"customer \S+ is unknown": ("customer",),
    r"no \S* delivery to ": ("delivery",),
    r"line \d+: article \S+ is not in the catalogue": ("article",),
    r"line \d+: quantity -?\d+ of \S+ is not from 1 to \d+": ("article",),
    r"\d+ cents are beyond the credit limit": ("credit",),
}
CALL_FAILED = re.compile(r"call failed \| \S*runtime_error\S*: line (?P<line>\d+): warehouse \S+ does not answer; caused by std::system_error: .*")
CALL_FAILED_AT = ("reserve",)


def story(lines):
    """The stages of a request that succeeds: (name, pattern, whether every request has it)."""
    yield "received", r"received \d+ bytes", True
    yield "parsed", r"parsed \d+ fields", True
    yield "header", HEADER.pattern, True
    for i in range(1, lines + 1):
        yield "read", rf"line {i}: article \S+ quantity -?\d+", True
    yield "customer", r'customer \S+ is ".*" with a discount of \d+ per mille', True
    yield "delivery", r"\w+ delivery to \w+ in zone \d", True
    for i in range(1, lines + 1):
        yield "article", rf'line {i}: \S+ is ".*", at most \d+ an order', True
    for i in range(1, lines + 1):
        yield "amount", rf"line {i}: \d+ x \d+ cents = \d+ cents", True
        yield "discount", rf"line {i}: discount of \d+ per mille = \d+ cents", True
        yield "tax", rf"line {i}: \d+ % tax on \d+ cents = \d+ cents", True
    yield "goods", r"goods \d+ cents, tax \d+ cents, \d+ g", True
    yield "coupon", r"coupon \w+: \d+ cents", False
    yield "shipping", r"shipping \d+ g to zone \d, \w+: \d+ cents", True
    yield "total", r"total \d+ cents", True
    yield "credit", r"\d+ cents are within the credit limit of \d+ cents", True
    for i in range(1, lines + 1):
        yield "reserve", rf"line {i}: \d+ pieces of \S+ reserved in warehouse \w+", True
    yield "taken", r"order \d+ is taken", True


class Mismatch(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Mismatch(what)


def check_steps(texts, failure_stages, failed_line, where):
    """The texts are the story's stages one after the other, and the next one is where the failure may stand."""
    headers = [HEADER.fullmatch(text) for text in texts]
    lines = next((int(h["lines"]) for h in headers if h), 9)
    stages = list(story(lines))
    at = 0
    for text in texts:
        while not re.fullmatch(stages[at][1], text):
            expect(not stages[at][2], f'{where}: expected the step "{stages[at][0]}", found: {text}')
            at += 1
        at += 1
    while not stages[at][2] and stages[at][0] not in failure_stages:
        at += 1
    name, pattern, _ = stages[at]
    in_place = name in failure_stages and (failed_line is None or pattern.startswith(f"line {failed_line}:"))
    expect(in_place, f'{where}: the step "{name}" is missing before the failure')


def check_dump(facts, records, where):
    """One dump's facts and records; returns its request."""
    expect(f" records={len(records)} forgotten=0 truncated=0 " in f" {facts} ", f"{where}: has {len(records)} records, "
           f"and its first line says: {facts}")
    request = re.search(r" fields\.request=(\d+)", facts)
    expect(request, f"{where}: no request number")
    expect(re.search(r" trace_id=[0-9a-f]{32} span_id=[0-9a-f]{16} ", facts), f"{where}: no trace id")
    request = int(request[1])
    where = f"{where} of request {request}"

    *steps, failure = records
    expect(failure["level"] == "ERROR", f"{where}: does not end with an ERROR")
    escaped = CALL_FAILED.fullmatch(failure["message"])
    numbered = steps if escaped else records
    texts = []
    for number, record in enumerate(numbered, start=1):
        step = STEP.fullmatch(record["message"])
        expect(step, f"{where}: not a step: {record['message']}")
        expect(int(step["request"]) == request, f"{where}: holds a step of request {step['request']}")
        expect(int(step["step"]) == number, f"{where}: step {number} is missing before step {step['step']}")
        texts.append(step["text"])
    expect(all(r["level"] == "DEBUG" for r in steps), f"{where}: more than its last record is no DEBUG")
    if escaped:
        stages, line = CALL_FAILED_AT, escaped["line"]
    else:
        failed = texts.pop()
        stages = next((s for pattern, s in FAILURES.items() if re.match(pattern, failed)), None)
        expect(stages, f"{where}: an unknown failure: {failed}")
        line = m[1] if (m := re.match(r"line (\d+): ", failed)) else None
    check_steps(texts, stages, line, where)
    return request


def check_log(lines):
    """The number of dumps and of records in the log, every line of which is accounted for."""
    dumps, records, requests = 0, 0, set()
    facts, held, always = None, [], []
    for number, line in enumerate(lines, start=1):
        where = f"line {number}"
        if begin := BEGIN.fullmatch(line):
            expect(facts is None, f"{where}: a dump begins within another")
            facts, held, dump = begin["facts"], [], begin["id"]
            continue
        if end := END.fullmatch(line):
            expect(facts is not None and end["id"] == dump, f"{where}: ends a dump that did not begin")
            request = check_dump(facts, held, f"dump {dump}")
            expect(request not in requests, f"dump {dump}: request {request} has another one")
            requests.add(request)
            dumps, facts = dumps + 1, None
            continue
        record = RECORD.fullmatch(line)
        expect(record, f"{where}: no record: {line}")
        records += 1
        if facts is not None:
            held.append(record)
        else:
            expect(record["level"] == "INFO" and ALWAYS_WRITTEN.fullmatch(record["message"]),
                   f"{where}: stands in no dump: {line}")
            always.append(record["message"])
    expect(facts is None, "the last dump does not end")
    expect(len(always) == 2, f"{len(always)} records outside dumps instead of the first and the last")
    return dumps, records


def check_counters(counters, dumps, records):
    expect(dumps == counters["failed"], f"{dumps} dumps, and {counters['failed']} requests failed")
    c = counters["logging"]
    expect(c["dumps"] == dumps, f"the library counted {c['dumps']} dumps, the log has {dumps}")
    expect(c["written"] == records, f"the library counted {c['written']} records written, the log has {records}")
    expect(c["logged"] == c["handed_over"] + c["passed_only"] + c["discarded"] + c["lost"],
           f"the threads' ledger does not close: {c}")
    expect(c["taken"] == c["written"] + c["suppressed"] + c["skipped"] + c["flusher_lost"],
           f"the flusher's ledger does not close: {c}")
    for name in ("lost", "forgotten", "suppressed", "flusher_lost", "in_flight", "contexts_refused",
                 "contexts_suppressed", "outbox_full", "reentered", "after_stop", "scopes_refused",
                 "scopes_abandoned", "handler_errors", "format_errors", "handler_lost"):
        expect(c[name] == 0, f"{name} is {c[name]}")


def main():
    log, counters_path = sys.argv[1:]
    try:
        with open(counters_path, encoding="utf-8") as f:
            counters = json.loads(f.read().splitlines()[-1])
        with open(log, encoding="utf-8") as f:
            dumps, records = check_log(f.read().splitlines())
        check_counters(counters, dumps, records)
    except Mismatch as mismatch:
        print(f"{log}: {mismatch}")
        return 1
    print(f"{dumps} failed requests, {dumps} dumps, {records} records, "
          f"{counters['logging']['discarded']} held records forgotten")
    return 0


if __name__ == "__main__":
    sys.exit(main())
