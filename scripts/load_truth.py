#!/usr/bin/env python3
"""Holds the figures of a load run against the truth log of the simulator that it loaded.

usage: load_truth.py TRUTH.jsonl RECORDS.jsonl RAMP.json [--stage 5] [--within 0.01] [--json]

TRUTH.jsonl is `photofinish sim --log` of a simulator that this run alone used, RECORDS.jsonl the run's own records, RAMP.json `photofinish ramp RUN --format json` of a closed loop of one
pass and one target, whose replies have no reasoning; of several stages `--stage` (from 1) is held, which must be the last that ran. Everything is computed anew here from the simulator's own times and words: the window from the
last user's first request to the first user's last end, tokens in it, and a reply across its edge by the share of its text inside. Of the records only the
moments of writing are taken, where a latency begins: how long a busy simulator lets a request lie before it reads it belongs to the server. Both processes
read one clock; requests and replies are paired by the order of their first texts.
Exit code 1 where a figure is farther off than `--within`.
"""

import argparse
import json
import statistics
import sys


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("truth")
    parser.add_argument("records")
    parser.add_argument("ramp")
    parser.add_argument("--stage", type=int, default=1)
    parser.add_argument("--within", type=float, default=0.01)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    written = []
    for line in map(json.loads, open(args.records)):
        if line["kind"] == "trial" and line["load"]["stage"] == args.stage and line.get("answer", {}).get("timeline", {}).get("at_ns"):
            first_write = line["answer"]["stamps"]["first_write"]
            written.append((first_write + line["answer"]["timeline"]["at_ns"][0], first_write))
    written.sort()
    # What the simulator read before the stage's first request belongs to earlier stages, whose replies have all ended by then.
    begun = min(first_write for _, first_write in written)
    lines = [line for line in map(json.loads, open(args.truth)) if begun <= line["received_ns"]]
    figures = json.load(open(args.ramp))["stages"][args.stage - 1]["figures"]

    replies, users = [], {}
    for line in lines:
        texts = [(at, n) for at, n, phase in zip(line["before_ns"], line["tokens"], line["phase"]) if phase == "c"]
        end = line["after_ns"][-1]
        replies.append((line["received_ns"], texts))
        users.setdefault(line["connection"], []).append((line["received_ns"], end))
    begin = max(min(start for start, _ in turns) for turns in users.values())
    stop = min(max(end for _, end in turns) for turns in users.values())
    seconds = (stop - begin) / 1e9
    share = tokens = 0
    for _, texts in replies:
        inside = sum(n for at, n in texts if begin <= at <= stop)
        tokens += inside
        share += inside / sum(n for _, n in texts)
    replies.sort(key=lambda reply: reply[1][0][0])
    assert len(replies) == len(written), "the run and the truth log do not hold the same requests"
    replies = [(start, texts) for (_, texts), (_, start) in zip(replies, written)]
    ttft = sorted((texts[0][0] - start) / 1e6 for start, texts in replies)
    latency = sorted((texts[-1][0] - start) / 1e6 for start, texts in replies)
    speed = [sum(n for _, n in texts[1:]) / ((texts[-1][0] - texts[0][0]) / 1e9) for _, texts in replies]
    type1 = lambda values, percent: values[-(-len(values) * percent // 100) - 1]
    truth = {
        "rps": share / seconds,
        "system_speed": tokens / seconds,
        "ttft_p50_ms": type1(ttft, 50),
        "ttft_p95_ms": type1(ttft, 95),
        "latency_mean_ms": statistics.mean(latency),
        "latency_p50_ms": type1(latency, 50),
        "latency_p95_ms": type1(latency, 95),
        "content_speed": statistics.median(speed),
    }
    off = {name: figures[name]["value"] / true - 1 for name, true in truth.items()}
    worst_of = max(off, key=lambda name: abs(off[name]))
    worst = abs(off[worst_of])
    if args.json:
        held = {name: {"seen": figures[name]["value"], "truth": true, "off": off[name]} for name, true in truth.items()}
        json.dump({"replies": len(replies), "users": len(users), "window_s": seconds, "worst": worst, "worst_of": worst_of, "figures": held}, sys.stdout)
        return 0 if worst <= args.within else 1
    print(f"{len(replies)} replies of {len(users)} users, window {seconds:.2f} s")
    for name, true in truth.items():
        print(f"{name:16} {figures[name]['value']:12.3f}  truth {true:12.3f}  {off[name]:+.3%}")
    return 0 if worst <= args.within else 1


if __name__ == "__main__":
    sys.exit(main())
