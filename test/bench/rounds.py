#!/usr/bin/env python3
"""rounds - measure commands against each other, in alternating rounds

usage: test/bench/run [-r ROUNDS] [-w WARM-UP] [-j FILE] [-b NAME] NAME=COMMAND [NAME=COMMAND...]

Each COMMAND is a shell word list (no shell is started). One round runs each command once, in an order that is shuffled
anew; so whatever else the machine does falls on all of them. For each command and round it takes

    wall    from before fork until the command ended, by the monotonic clock
    cpu     user and system time of the command and of every descendant that ended: getrusage(RUSAGE_CHILDREN), with this
            program as the reaper of orphans (PR_SET_CHILD_SUBREAPER), so that helpers that detach are counted when they
            end within the round

and prints medians, the 10th percentile, and ratios to the first command (or to -b). Times are in milliseconds. A command
that fails stops the measurement: nothing is worth measuring that does not work. -j writes all readings as JSON.

A benchmark of its own (test/bench/startup, ...) imports measure() and report() from here.
"""
import argparse, ctypes, json, os, random, resource, shlex, signal, statistics, sys, time

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(seconds):
    """Waits for detached descendants to end; those that stay (monitors of -d containers) are left alone."""
    end = time.monotonic() + seconds
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            if time.monotonic() >= end:
                return
            time.sleep(0.0005)


def once(argv, env=None, settle=0.3, expect=0):
    """Runs argv once: {"wall": ms, "cpu": ms}."""
    null = os.open(os.devnull, os.O_RDWR)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1)]
    pid = os.posix_spawnp(argv[0], argv, env if env is not None else os.environ, file_actions=actions)
    _, status = os.waitpid(pid, 0)
    wall = time.monotonic() - start
    os.close(null)
    reap_orphans(settle)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = os.waitstatus_to_exitcode(status)
    if code != expect:
        sys.exit(f"bench: {shlex.join(argv)}: ended with {code}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall * 1e3, "cpu": cpu * 1e3}


def measure(commands, rounds=20, warm_up=2, env=None, before=None, after=None, settle=0.3):
    """commands: {name: argv}. before(name) and after(name) prepare and clean up outside the measured time."""
    adopt_orphans()
    readings = {name: [] for name in commands}
    for number in range(-warm_up, rounds):
        order = list(commands)
        random.shuffle(order)
        for name in order:
            if before:
                before(name)
            reading = once(commands[name], env, settle)
            if after:
                after(name)
            if number >= 0:
                readings[name].append(reading)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number + 1}/{rounds} ")
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    return readings


def low(values):
    return sorted(values)[len(values) // 10]


def report(readings, base=None, out=sys.stdout):
    base = base or next(iter(readings))
    width = max(len(name) for name in readings)
    median = {name: {key: statistics.median(r[key] for r in rows) for key in rows[0]} for name, rows in readings.items()}
    print(f"{'':{width}}  {'wall':>9} {'p10':>9} {'ratio':>7}  {'cpu':>9} {'p10':>9} {'ratio':>7}", file=out)
    for name, rows in readings.items():
        m, b = median[name], median[base]
        print(f"{name:{width}}  {m['wall']:9.2f} {low([r['wall'] for r in rows]):9.2f} {m['wall'] / b['wall']:7.2f}  "
              f"{m['cpu']:9.2f} {low([r['cpu'] for r in rows]):9.2f} {m['cpu'] / max(b['cpu'], 1e-6):7.2f}", file=out)
    return median


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    parser.add_argument("-r", "--rounds", type=int, default=20)
    parser.add_argument("-w", "--warm-up", type=int, default=2)
    parser.add_argument("-j", "--json")
    parser.add_argument("-b", "--base")
    parser.add_argument("commands", nargs="+")
    options = parser.parse_args()
    commands = {}
    for text in options.commands:
        name, separator, command = text.partition("=")
        if not separator or not shlex.split(command):
            parser.error(f"{text}: expected NAME=COMMAND")
        commands[name] = shlex.split(command)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    readings = measure(commands, options.rounds, options.warm_up)
    report(readings, options.base)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(readings, file)


if __name__ == "__main__":
    main()
