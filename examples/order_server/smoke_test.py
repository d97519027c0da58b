#!/usr/bin/env python3
"""Sends a few hundred orders to order_server_held from several connections and checks its log.

    smoke_test.py SERVER

Afterwards the check itself is checked: a log with any one of its lines missing must be refused.
"""

import http.client
import json
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import check_dumps

CONNECTIONS = 4
ROUNDS = 10
SOUND_BETWEEN = 3  # so many times all sound orders before each that fails: a thread has buffers for so many failures only


def order(quantity=2, article="C-200", customer="K-1002"):
    lines = [{"article": "B-100", "quantity": 12}, {"article": article, "quantity": quantity}]
    return json.dumps({"order": 7, "customer": customer, "country": "DE", "delivery": "express", "lines": lines})


SOUND = [order(), order(quantity=30), order(article="B-101"), order(customer="K-1004")]
FAILING = [order()[:-30], order(quantity="two"), order(article="X-999"), order(quantity=5000), order(quantity=0),
           order(article="D-301", quantity=3, customer="K-1006"), order(article="D-301", customer="K-1", quantity=1),
           order(article="Z-900", quantity=1), "{}", ""]


def send_orders(port, connection_number, unexpected):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"traceparent": f"00-{connection_number + 1:032x}-{7:016x}-01"}
    sequence = [(body, fails) for failing in FAILING
                for body, fails in [(b, False) for b in SOUND * SOUND_BETWEEN] + [(failing, True)]]
    for _ in range(ROUNDS):
        for body, fails in sequence:
            connection.request("POST", "/order", body, headers)
            answer = connection.getresponse()
            answer.read()
            if (answer.status >= 500) != fails:
                unexpected.append((body, answer.status))
    connection.close()


def run(server, log):
    process = subprocess.Popen([server, "--log", log, "--threads", str(CONNECTIONS)], stdout=subprocess.PIPE, text=True)
    unexpected = []
    try:
        port = json.loads(process.stdout.readline())["port"]
        clients = [threading.Thread(target=send_orders, args=(port, i, unexpected)) for i in range(CONNECTIONS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    check_dumps.expect(process.returncode == 0, f"the server ended with status {process.returncode}")
    check_dumps.expect(not unexpected, f"answers that were not expected: {unexpected[:3]}")
    return json.loads(output.splitlines()[-1])


def check_the_check(lines):
    """The first dumps only: there is one line of each kind in them."""
    for i in range(min(len(lines), 200)):
        try:
            check_dumps.check_log(lines[:i] + lines[i + 1:])
        except check_dumps.Mismatch:
            continue
        raise check_dumps.Mismatch(f"a log without its line {i + 1} was accepted: {lines[i]}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "held.log"
        counters = run(sys.argv[1], str(log))
        lines = log.read_text(encoding="utf-8").splitlines()
        try:
            dumps, records = check_dumps.check_log(lines)
            check_dumps.check_counters(counters, dumps, records)
        except check_dumps.Mismatch:
            print(counters)
            raise
        check_dumps.expect(dumps == CONNECTIONS * ROUNDS * len(FAILING), f"{dumps} dumps")
        check_the_check(lines)
    print(f"{counters['requests']} requests, {dumps} failed, {dumps} dumps, {records} records")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except check_dumps.Mismatch as mismatch:
        sys.exit(str(mismatch))
