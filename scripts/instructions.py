#!/usr/bin/env python3
"""Holds instruction counts against the committed ones.

usage: instructions.py COUNTED.json BASELINE.tsv [--most 5] [--renew]

COUNTED.json is what `cargo bench --bench instructions -- --output-format=json` printed: a JSON object a benchmark. BASELINE.tsv has a line a
benchmark: its name, a tab, its instructions. Exit code 1 where one takes more than `--most` per cent more than the baseline, or is missing in
either. `--renew` writes the baseline anew: commit it with the change that explains it. Counts depend on compiler and C library, not on the
machine's speed or load.
"""

import argparse
import json
import os
import sys


def instructions(summary):
    """Instructions of the new run."""
    callgrind = next(profile for profile in summary["profiles"] if profile["tool"].lower() == "callgrind")
    return int(callgrind["data"]["total"]["metrics"]["Ir"]["values"]["new"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("counted")
    parser.add_argument("baseline")
    parser.add_argument("--most", type=float, default=5.0, metavar="PERCENT")
    parser.add_argument("--renew", action="store_true")
    args = parser.parse_args()
    counted = {}
    for line in open(args.counted):
        if line.startswith("{"):
            summary = json.loads(line)
            counted[f"{summary['function_name']} {summary.get('id') or ''}".strip()] = instructions(summary)
    if not counted:
        sys.exit(f"{args.counted}: no counts in it; did the bench run under valgrind?")
    if args.renew:
        with open(args.baseline, "w") as file:
            file.writelines(f"{name}\t{count}\n" for name, count in counted.items())
        print(f"{args.baseline}: {len(counted)} counts")
        return 0
    if not os.path.exists(args.baseline):
        for name, count in counted.items():
            print(f"{name:36} {count:>12} instructions")
        sys.exit(f"{args.baseline} is not there: --renew writes it")
    baseline = dict(line.rstrip("\n").split("\t") for line in open(args.baseline))
    failed = False
    for name in sorted(counted.keys() | baseline.keys()):
        if name not in counted or name not in baseline:
            print(f"{name:36} {'not counted' if name not in counted else 'not in the baseline: --renew'}")
            failed = True
            continue
        more = 100.0 * (counted[name] / int(baseline[name]) - 1.0)
        verdict = "  MORE" if args.most < more else "  less: --renew" if more < -args.most else ""
        print(f"{name:36} {counted[name]:>12} instructions  {more:+6.2f} %{verdict}")
        failed |= args.most < more
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
