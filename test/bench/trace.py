#!/usr/bin/env python3
"""trace - the breakdown by step of what BRYO_TRACE recorded

usage: test/bench/trace.py FILE

For each process of the trace, in the order of their first events: the steps with their number and the time that each took by
itself (what is nested in it is listed on its own), and the time that no step covers. Processes work at the same time, and
one waits for the other, so each has its own sum. The share is of the time from the first event to the last. The same
file opens in Perfetto or chrome://tracing.
"""
import json
import sys


def load(file):
    """The events; a file that several processes wrote ends without a bracket."""
    text = open(file).read().strip().rstrip(",")
    return json.loads(text if text.endswith("]") else text + "]")


def own_times(events):
    """[(name, own microseconds, ts)] of one process, and the part of it that no event covers."""
    rows, stack, covered = [], [], 0
    for event in sorted(events, key=lambda e: (e["ts"], -e["dur"])):
        while stack and event["ts"] >= stack[-1][1]:
            stack.pop()
        row = [event["name"], event["dur"], event["ts"]]
        if stack:
            stack[-1][0][1] -= event["dur"]
        else:
            covered += event["dur"]
        rows.append(row)
        stack.append((row, event["ts"] + event["dur"]))
    begin, end = min(e["ts"] for e in events), max(e["ts"] + e["dur"] for e in events)
    return rows, end - begin - covered


def add_up(rows):
    """{name: [number, microseconds]} in the order of their begin."""
    steps = {}
    for name, own, _ in sorted(rows, key=lambda row: row[2]):
        step = steps.setdefault(name, [0, 0.0])
        step[0] += 1
        step[1] += own
    return steps


def breakdown(events, begin=None, end=None, out=sys.stdout):
    """begin and end: when the command was started and had ended, by the monotonic clock in microseconds."""
    spans = [e for e in events if e["ph"] == "X"]
    if not spans:
        sys.exit("trace: no span")
    names = {e["pid"]: e["args"]["name"] for e in events if e["ph"] == "M"}
    first, last = min(e["ts"] for e in spans), max(e["ts"] + e["dur"] for e in spans)
    whole = (end or last) - (begin or first)
    processes = {}
    for span in sorted(spans, key=lambda e: e["ts"]):
        processes.setdefault(span["pid"], []).append(span)

    def line(name, number, time):
        print(f"  {name:<40} {number:>4} {time:9.0f} {100 * time / whole:6.1f} %", file=out)
    print(f"{'':<42} {'':>4} {'us':>9} {'share':>8}", file=out)
    if begin:
        line("program start, until the first step", "", first - begin)
    for pid, events_of in processes.items():
        print(f"{names.get(pid, 'a process')} ({pid})", file=out)
        rows, rest = own_times(events_of)
        for name, (number, time) in add_up(rows).items():
            line(name, number, time)
        line("between the steps", "", rest)
    if end:
        line("program end, after the last step", "", end - last)
    line("all", "", whole)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.split("usage: ")[1].split("\n")[0])
    breakdown(load(sys.argv[1]))
