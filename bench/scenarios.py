"""The scenarios by name: their titles, how to read their plots, and how often they run. The C++ scenarios are in scenarios/;
`build`, `instructions` and `server` are driven from Python."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    how_to_read: str
    plot: str  # bars | lines | quantiles
    less_is_better: bool = True
    x_title: str = ""
    log_y: bool = True
    quick_rounds: int = 3
    full_rounds: int = 7
    floors: tuple = ()  # what ratios are formed with, first found first


SCENARIOS = [
    Scenario("held", "A held record, by clock and peer",
             "ns of its thread for one DEBUG record of a request of 32 that succeeds, its share of entering and leaving the "
             "request included. A has a uint64, a uint32 and a double; B a string of 24 characters and an int. Hot: requests "
             "one after the other, timed in batches of 64. Cold: before each request 64 KiB of other memory are written, and "
             "each request is timed alone between fenced clock readings, whose own cost is subtracted. Peers with a busy back "
             "end are given time to work it off between batches, so this is what the call costs while no queue is full. "
             "Shorter is better; the axis is logarithmic.",
             "bars", floors=("floor_store",)),
    Scenario("latency", "Latency of a call",
             "Each statement A on its own between two fenced readings of the clock, whose median cost with nothing between "
             "them is subtracted; recorded in a log-linear histogram (256 linear buckets, then 128 a power of two). The "
             "clock's step is a quantum below which nothing can be told: see its row. `nop` and the floors show what the "
             "machine itself adds: preemption and the hypervisor are in every tail. Lower is better; to the right are rarer "
             "calls.",
             "quantiles", x_title="percentile", floors=("floor_store",)),
    Scenario("trip", "The failing request: 32 DEBUG and an ERROR",
             "`ERROR call`: the time of the ERROR statement on its thread, each with an idle back end and a free buffer. "
             "`text in the file`: from before that statement until another reader finds its line in the file, for failures "
             "that come at no fixed time. A variant that holds writes the request's 32 records with it; one that writes "
             "everything has written most of them before.",
             "quantiles", x_title="percentile", floors=("floor_hand_over",)),
    Scenario("written", "Writing everything",
             "Million records a second from the first statement until the text of all is in a file on tmpfs, nothing dropped, "
             "by one thread and by two on two processors, which they then share with the back end. The lines in the file are "
             "counted. Producers whose queue is full wait; faultline's has 512 KiB. Longer is better.",
             "bars", less_is_better=False, log_y=False, floors=("floor_stamped_write",), full_rounds=5),
    Scenario("cpu", "Processor time of all threads for a record, saturated",
             "One thread makes requests of 32 records at full speed; the processor time of the whole process, back ends "
             "included, divided by the records. A back end that spins costs its whole processor. Shorter is better.",
             "bars", floors=("floor_store",)),
    Scenario("threads", "A record's own cost as threads grow",
             "Processor time of the logging threads for a record, with more threads than processors. What is shared shows "
             "itself by a line that rises.",
             "lines", x_title="threads", floors=("floor_store",), quick_rounds=2, full_rounds=5),
    Scenario("scope_size", "A held record as the records of a scope grow",
             "One request makes as many records; its entering and leaving are shared by them, so lines fall to the left. "
             "Where a buffer or a ring is full, its oldest records are forgotten.",
             "lines", x_title="records a request", floors=("floor_store",), quick_rounds=2, full_rounds=5),
    Scenario("argument_bytes", "A record as a string argument grows",
             "Statement B with a string of so many bytes. faultline keeps 1,024 bytes of an argument by default.",
             "lines", x_title="bytes", floors=("floor_store",), quick_rounds=2, full_rounds=5),
    Scenario("error_rate", "Requests a second as more of them fail",
             "Each request does 10 us of other work and logs 32 DEBUG records; so many per cent of them log an ERROR besides; "
             "until the text of all is in the file. 100,000 a second is what the work allows. faultline does not wait when a "
             "thread has no free buffer: the share of failures that lost their context, or even their ERROR, is in the "
             "second table. Higher is better.",
             "lines", less_is_better=False, log_y=False, x_title="failing requests (%)", quick_rounds=1, full_rounds=3),
    Scenario("disabled", "A disabled statement",
             "ns for a DEBUG statement whose logger stands at INFO. Shorter is better.",
             "bars", log_y=False, floors=("floor_disabled",)),
    Scenario("empty_scope", "A scope entered and left",
             "ns for a scope in which nothing is logged, the reading of the clock included (compare `floor_rdtsc`).",
             "bars", log_y=False, floors=("floor_rdtsc",)),
    Scenario("instructions", "Instructions of a held record",
             "Counted by callgrind, exactly: the difference between 1,000 requests of 64 and of 32 statements A, divided by the "
             "records between them. The loop around the statements is in it: `floor_loop` is that loop alone. Where "
             "records are written, the instructions of all threads are counted.",
             "bars", log_y=False, floors=("floor_store",), quick_rounds=1, full_rounds=1),
    Scenario("build", "Compile time and code size of a statement",
             "A file with 100 statements and one with 200 (half A, half B, all texts different) are compiled; the "
             "differences, divided by 100, are a statement's. `include` is a file with nothing but the header.",
             "bars", log_y=False, quick_rounds=1, full_rounds=1),
    Scenario("churn", "Memory under thread churn",
             "Short-lived threads, four at a time, each with one request of 32 records. Resident memory of the process and, "
             "where the library says it, the memory of its threads' buffers. A level line is right.",
             "lines", x_title="threads so far", log_y=False, quick_rounds=1, full_rounds=1),
    Scenario("idle", "Processor time of a process with nothing to do",
             "Per cent of one processor, after a request and a rest. A back end that spins takes all of its processor.",
             "bars", log_y=False, quick_rounds=1, full_rounds=3),
    Scenario("server", "The real server",
             "The order server of examples/order_server under wrk (see docs/guide/demo.md): one processor for the server "
             "with all its threads, one for wrk; turns of a quarter of a second, interleaved. Requests a second, the median "
             "of turns; the ratio is to a turn of `compiled_out` directly before or after.",
             "bars", less_is_better=False, log_y=False, quick_rounds=1, full_rounds=3, floors=("compiled_out",)),
]

BY_NAME = {s.name: s for s in SCENARIOS}
