#!/usr/bin/env python3
"""read_back.py JOURNALD JOURNALCTL WRITER [--control]: runs journald in this mount namespace, over an empty /run, lets WRITER write
to it with a restart in between, and compares what journalctl reads back. With --control it looks for an entry that nobody wrote."""
import glob
import json
import os
import signal
import subprocess
import sys
import time


def private(folder):
    subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)


def start(words, **streams):
    """A program that ends with this one, however this one ends."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *words], **streams)


class Journal:
    def __init__(self, program):
        self.process = start([program], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        limit = time.monotonic() + 20
        while not os.path.exists("/run/systemd/journal/socket"):
            assert self.process.poll() is None, "journald ended"
            assert time.monotonic() < limit, "journald does not listen"
            time.sleep(0.01)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        for path in glob.glob("/run/systemd/journal/*socket*"):
            os.unlink(path)


def entries(journalctl):
    found = subprocess.run([journalctl, "-D", glob.glob("/run/log/journal/*")[0], "-o", "json", "--all", "--no-pager",
                            "SYSLOG_IDENTIFIER=faultline-test"], check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in found.stdout.splitlines()]


def text(value):
    """journalctl shows values that are not plain text as a list of bytes."""
    return bytes(value).decode() if isinstance(value, list) else value


def wait_for(journalctl, count):
    limit = time.monotonic() + 20
    while len(found := entries(journalctl)) < count:
        assert time.monotonic() < limit, f"{len(found)} entries of {count}"
        time.sleep(0.05)
    return found


def main():
    journald, journalctl, writer = sys.argv[1:4]
    private("/run")
    if os.path.isdir("/var/log/journal"):
        private("/var/log/journal")
    journal = Journal(journald)
    child = start([writer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "written\n", child.wait()
    found = wait_for(journalctl, 4)
    envelope, debug, error, large = found
    journal.stop()
    child.stdin.write("\n")
    child.stdin.flush()
    assert child.stdout.readline() == "waiting\n", child.wait()
    journal = Journal(journald)
    child.stdin.write("\n")
    child.stdin.flush()
    status = child.wait(20)
    assert status == 0, status
    later = wait_for(journalctl, 6)[4:]
    journal.stop()

    def expect(entry, **fields):
        for name, value in fields.items():
            assert text(entry.get(name)) == value, f"{name}: {str(entry.get(name))[:200]} is not {value[:200]}"

    expect(envelope, MESSAGE="dump 1 of order: 2 records, 0 forgotten, trigger level (ERROR)", PRIORITY="3",
           FAULTLINE_DUMP_ID="1", FAULTLINE_TRIGGER="level", FAULTLINE_RECORDS="2", USER="4711", FIELD_MESSAGE="true")
    expect(debug, MESSAGE="two\\nlines, ünïcode", PRIORITY="7", FAULTLINE_LOGGER="shop.order", FAULTLINE_SCOPE="order",
           FAULTLINE_DUMP_ID="1", CODE_FUNC="main", TID=str(child.pid), USER="4711")
    assert debug["CODE_FILE"].endswith("journald_writer.cpp") and int(debug["CODE_LINE"]) > 10, debug
    age = int(debug["__REALTIME_TIMESTAMP"]) - int(debug["FAULTLINE_TIME"])
    assert 0 <= age < 60_000_000, age
    expect(error, MESSAGE="no stock", PRIORITY="3")
    expect(large, MESSAGE="x" * 600_000, CODE_FILE="/src/shop/order.cpp", CODE_LINE="42")
    expect(later[1], MESSAGE="in between", FAULTLINE_DUMP_ID="2")
    if "--control" in sys.argv:
        expect(later[1], MESSAGE="nobody wrote this")


if __name__ == "__main__":
    main()
