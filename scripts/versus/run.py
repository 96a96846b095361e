#!/usr/bin/env python3
"""Runs every tool against `photofinish sim` and writes target/versus/results.json. Use scripts/versus/run.sh.

Each run of a tool has a simulator of its own, and its truth from that simulator's log. Levels and the reasoning stream are run one after the other;
the conformance cases, in which times matter less, three at a time. Every run is under a time limit, and the whole under --budget.
"""

import argparse
import concurrent.futures
import contextlib
import datetime
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import time

import tools
import truth

REPLIES_A_STREAM = 5
AT_LEAST = 20  # replies of a level
LIMIT_S = 150  # of one run of a tool, its start included, besides its replies
LEVELS = str(tools.HERE / "behaviour.yaml")
CASES = [
    "eof-half", "error-in-200", "error-then-done", "budget-gone", "keep-alives-first", "reasoning-field", "both-names", "think-inline", "null-choices",
    "usage-missing", "usage-reasoning-zero", "whole-answer-at-once", "rate-limited-once",
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", default="1,10,64,300", help="streams at once; empty for the conformance cases alone")
    parser.add_argument("--tools", default=",".join(tools.TOOLS))
    parser.add_argument("--cases", default=",".join(CASES), help="conformance cases; empty for none")
    parser.add_argument("--budget", type=float, default=960, help="seconds after which nothing more is begun")
    args = parser.parse_args()
    end = time.monotonic() + args.budget
    names = args.tools.split(",")
    results = {"conditions": conditions(), "versions": versions(names), "levels": [], "reasoning": [], "cases": []}

    def keep():
        (tools.ROOM / "results.json").write_text(json.dumps(results, indent=1) + "\n")

    for streams in map(int, filter(None, args.streams.split(","))):
        for name in names:
            requests = max(streams * REPLIES_A_STREAM, AT_LEAST)
            results["levels"].append(measure(name, LEVELS, spread(streams), streams, requests, 64, end))
            keep()
    for name in names if args.streams else []:
        results["reasoning"].append(measure(name, "builtin:peers", "peers", 10, 40, 256, end))
        keep()
    asked = [(name, "builtin:peers", case, 2, 10, 256, end) for case in filter(None, args.cases.split(",")) for name in names]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for done in pool.map(lambda job: measure(*job), asked):
            results["cases"].append(done)
            keep()
    results["conditions"]["took_s"] = round(args.budget - (end - time.monotonic()))
    keep()
    lost = [row for part in ("levels", "reasoning") for row in results[part] if "went_wrong" in row]
    for row in lost:
        print(f"versus: {row['tool']} at {row['streams']}: {row['went_wrong']}", file=sys.stderr)
    return 1 if lost else 0


def spread(streams):
    """The system of behaviour.yaml for so many streams."""
    return "steady" if streams == 1 else "narrow" if streams < 50 else "wide"


def measure(name, behaviour, system, streams, requests, max_tokens, end):
    """One run of one tool: what it reported, what was true, and what it cost; or what went wrong."""
    row = {"tool": name, "system": system, "streams": streams, "requests": requests}
    if time.monotonic() > end:
        return row | {"went_wrong": "not begun: the time for all was used up"}
    folder = tools.ROOM / "runs" / f"{system}-{streams}-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    warmup = streams if name in tools.WARMS_UP and system not in CASES else 0
    ask, read = tools.TOOLS[name]
    with simulator(behaviour, folder) as base:
        job = tools.Job(f"{base}/{system}", system, streams, requests, warmup, max_tokens, folder, own_count=system in CASES)
        command = ask(job)
        row["command"] = " ".join(command).replace(str(tools.ROOM.parent.parent) + "/", "").replace(os.environ["PHOTOFINISH"], "photofinish")
        row |= bounded(command, folder, limit=LIMIT_S + 3 * requests / streams)
    try:
        row["reported"] = read(job)
    except Exception as problem:  # a tool's report may be missing or of another shape: that is a result, too
        row["went_wrong"] = row.get("went_wrong") or f"no report: {problem!r}"
    lines = truth.replies(folder / "truth.jsonl", warmup)
    row["answered"] = len(lines)
    if lines and system not in CASES:
        row["truth"] = truth.figures(lines)
    print(f"versus: {system} × {streams}, {name}: {row.get('went_wrong') or 'done'} in {row.get('seconds', 0):.0f} s", flush=True)
    return row


@contextlib.contextmanager
def simulator(behaviour, folder):
    """`photofinish sim`, on the first processor and before everyone else where the machine permits it; the address to use. It ends with the block."""
    command = [*first(), os.environ["PHOTOFINISH"], "sim", "--port", "0", "--behaviour", behaviour, "--parent", str(os.getpid())]
    server = subprocess.Popen([*command, "--log", str(folder / "truth.jsonl")], stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(server.stdout.readline().removeprefix("READY "))["base"]
    finally:
        server.terminate()
        server.wait(10)


def first():
    """The command that puts the simulator first, or nothing."""
    command = ["chrt", "-f", "60", "taskset", "-c", "0"]
    try:
        permitted = subprocess.run([*command, "true"], capture_output=True).returncode == 0
    except OSError:
        permitted = False
    return command if permitted else []


def bounded(command, folder, limit):
    """Runs a command in a process group of its own; seconds, processor seconds of it and its children, and what went wrong."""
    begin = time.monotonic()
    with open(folder / "stdout", "w") as out, open(folder / "stderr", "w") as err:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder, env=tools.environment(), start_new_session=True)
        wrong = None
        while True:
            done, status, used = os.wait4(child.pid, os.WNOHANG)
            if done:
                break
            if time.monotonic() - begin > limit:
                wrong = f"stopped after {limit:.0f} s"
                os.killpg(child.pid, signal.SIGKILL)
                _, status, used = os.wait4(child.pid, 0)
                break
            time.sleep(0.02)
    child.returncode = os.waitstatus_to_exitcode(status)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # what it left running
    if wrong is None and child.returncode not in (0, 1):
        wrong = f"exit code {child.returncode}"
    row = {"seconds": round(time.monotonic() - begin, 2), "processor_s": round(used.ru_utime + used.ru_stime, 2), "exit": child.returncode}
    return row | ({"went_wrong": wrong} if wrong else {})


def versions(names):
    ours = subprocess.run([os.environ["PHOTOFINISH"], "--version"], capture_output=True, text=True).stdout.split()
    packages = {"guidellm": "guidellm", "aiperf": "aiperf", "evalscope": "evalscope", "seed": "openai"}
    return {name: tools.version(name, packages[name]) if name in packages else ours[-1] for name in names}


def conditions():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"), "processor": model, "processors": os.cpu_count(),
        "kernel": platform.release(), "python": platform.python_version(), "load_before": round(os.getloadavg()[0], 2),
        "simulator_first": bool(first()),
    }


if __name__ == "__main__":
    sys.exit(main())
