#!/usr/bin/env python3
"""Holds a run against llama.cpp's own account of it. Python's standard library only.

usage: check.py RUN_FOLDER

llama.cpp counts `prompt_ms` from the moment a slot takes the request to the first token sampled, and `predicted_ms` from there to the
last token sampled; both come with the last chunk and are stored as `timing`. The tolerances below say how far our marks, which are
taken at the other end of a socket, may lie from them. A wide one holds for every reply, a tight one for the median of a target.
"""

import json
import pathlib
import statistics
import sys

# Ours minus theirs, ms: allowed is the larger of an absolute part and a share of theirs. (every reply, median)
TOLERANCE = {
    # The tag, the white space after it and a text held until it is clear what it is cost some tokens at the start.
    "first text - prompt_ms": ((150, 0.15), (60, 0.08)),
    "last text - first text - predicted_ms": ((30, 0.10), (30, 0.05)),
    "end of stream - prompt_ms - predicted_ms": ((150, 0.08), (60, 0.04)),
}
# Before its first token a server cannot have sent one: how much earlier than `prompt_ms` our first text may seem to be.
EARLIEST_MS = 1.0
# Tokens counted but not sent as text of their own: the tags, white space around them, characters made of several tokens.
HIDDEN_TOKENS = 16
EXACT_SHARE = 0.90


class Faults(list):
    def unless(self, fine, text):
        if not fine:
            self.append(text)


def within(difference, theirs, tolerance):
    absolute, share = tolerance
    return abs(difference) <= max(absolute, share * theirs)


def figures(answer):
    """What is compared of one reply, in ms."""
    line, timing, stamps = answer["timeline"], answer["timing"], answer["stamps"]
    at = [ns / 1e6 for ns in line["at_ns"]]
    phases = line["phase"]
    closed = (stamps["closed"] - stamps["first_write"]) / 1e6
    prompt, generation = timing["prompt_ms"], timing["gen_ms"]

    def speed(letter):
        times = [t for t, phase in zip(at, phases) if phase == letter]
        return (len(times) - 1) / (times[-1] - times[0]) * 1000 if len(times) > 1 and times[-1] > times[0] else None

    return {
        "first": at[0], "prompt_ms": prompt, "span": at[-1] - at[0], "predicted_ms": generation, "closed": closed,
        "first text - prompt_ms": (at[0] - prompt, prompt),
        "last text - first text - predicted_ms": (at[-1] - at[0] - generation, generation),
        "end of stream - prompt_ms - predicted_ms": (closed - prompt - generation, prompt + generation),
        "reasoning texts/s": speed("r"), "content texts/s": speed("c"), "tokens": timing["gen_tokens"], "texts": len(at),
        "exact": sum(width == 0 for width in line["width_ns"]) / len(at),
    }


def check_reply(name, answer, faults):
    line, usage, timing = answer["timeline"], answer.get("usage") or {}, answer.get("timing") or {}
    faults.unless(answer["ended"]["how"] == "complete", f"{name}: ended {answer['ended']}")
    faults.unless(answer.get("status") == 200 and not answer.get("error"), f"{name}: status {answer.get('status')}, error {answer.get('error')}")
    faults.unless("done" in answer.get("end_marks", []), f"{name}: no [DONE]")
    faults.unless((answer.get("finish") or {}).get("normal") in ("stop", "length"), f"{name}: finish {answer.get('finish')}")
    faults.unless(answer.get("unreadable", 0) == 0, f"{name}: {answer.get('unreadable')} unreadable frames")
    faults.unless(not answer.get("relabelled"), f"{name}: content was relabelled")
    phases = line["phase"]
    faults.unless(set(phases) == {"r", "c"} and "cr" not in phases, f"{name}: phases are {phases!r}")
    text = answer["text"]
    # Later in the content the small model may write a tag of its own; it is text there, and both splitters must leave it.
    faults.unless("think>" not in text["reasoning"] and not text["content"].lstrip().startswith(("<think>", "</think>")), f"{name}: a tag is left in the text")
    sizes = {"r": len(text["reasoning"].encode()), "c": len(text["content"].encode())}
    for letter, size in sizes.items():
        told = sum(n for n, phase in zip(line["bytes"], phases) if phase == letter)
        faults.unless(told == size, f"{name}: phase {letter} has {size} bytes of text, its events {told}")
    completion = usage.get("completion")
    faults.unless(completion is not None, f"{name}: no usage")
    faults.unless(completion == timing.get("gen_tokens"), f"{name}: usage says {completion} tokens, timings {timing.get('gen_tokens')}")
    if completion is not None:
        faults.unless(len(phases) <= completion <= len(phases) + HIDDEN_TOKENS, f"{name}: {completion} tokens in {len(phases)} texts")
    faults.unless(not usage.get("cached") and not timing.get("cached"), f"{name}: the prompt came from a cache")
    for key in ("prompt_ms", "gen_ms", "gen_tokens"):
        faults.unless(timing.get(key) is not None, f"{name}: timing lacks {key}")


def check_times(target, replies, faults):
    for name, figure in replies:
        faults.unless(figure["first"] >= figure["prompt_ms"] - EARLIEST_MS, f"{name}: first text {figure['first']:.1f} ms, before the server's first token at {figure['prompt_ms']:.1f} ms")
    for key, (every, median) in TOLERANCE.items():
        for name, figure in replies:
            difference, theirs = figure[key]
            faults.unless(within(difference, theirs, every), f"{name}: {key} is {difference:+.1f} ms of {theirs:.0f} ms")
        middle = statistics.median(figure[key][0] for _, figure in replies)
        theirs = statistics.median(figure[key][1] for _, figure in replies)
        faults.unless(within(middle, theirs, median), f"{target}: {key}, median {middle:+.1f} ms of {theirs:.0f} ms")
    exact = statistics.mean(figure["exact"] for _, figure in replies)
    faults.unless(exact >= EXACT_SHARE, f"{target}: only {exact:.0%} of the marks are exact")


def check_twins(answers, faults):
    """Both servers got the same bytes and sample nothing: our splitter must find the same thinking that llama.cpp's own finds."""
    same = pairs = 0
    for replies in answers.values():
        if len(replies) == 2:
            pairs += 1
            a, b = ((text["reasoning"].strip(), text["content"].strip()) for text in replies)
            same += a == b or (a[0] == b[0] and common(a[1], b[1]))
    faults.unless(pairs > 0 and same == pairs, f"the two servers' replies are split alike in {same} of {pairs} blocks")
    return same, pairs


def common(a, b):
    """One is the other's beginning: near max_tokens the two splitters may have let go of one token more or less."""
    return a.startswith(b) or b.startswith(a)


def print_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))))


def main():
    run = pathlib.Path(sys.argv[1])
    manifest = json.loads((run / "manifest.json").read_text())
    trials = [line for line in map(json.loads, (run / "records.jsonl").read_text().splitlines()) if line["kind"] == "trial" and line["role"] == "scored"]
    faults, replies, blocks = Faults(), {target["id"]: [] for target in manifest["targets"]}, {}
    faults.unless(not manifest.get("simulated"), "the run is marked simulated")
    planned = manifest["design"]["rounds"] * manifest["design"]["prompts"]
    for trial in trials:
        name = f"{trial['target']} {trial['round']}/{trial['prompt']}"
        if not trial.get("answer"):
            faults.append(f"{name}: not sent, {trial.get('not_sent')}")
            continue
        before = len(faults)
        check_reply(name, trial["answer"], faults)
        if len(faults) == before:
            replies[trial["target"]].append((name, figures(trial["answer"])))
            blocks.setdefault((trial["round"], trial["prompt"]), []).append(trial["answer"]["text"])
    rows = [["median of each target", "ok", "TTFT", "prompt_ms", "decode span", "predicted_ms", "whole", "texts/tokens", "exact", "reasoning/s", "content/s"]]
    for target, figured in replies.items():
        faults.unless(len(figured) == planned, f"{target}: {len(figured)} good replies of {planned}")
        if not figured:
            continue
        check_times(target, figured, faults)
        m = lambda key: statistics.median(f[key] for _, f in figured if f[key] is not None)
        ms = lambda key: f"{m(key):.1f}"
        rows.append([target, f"{len(figured)}/{planned}", ms("first"), ms("prompt_ms"), ms("span"), ms("predicted_ms"), ms("closed"), f"{m('texts'):.0f}/{m('tokens'):.0f}", f"{m('exact'):.0%}", ms("reasoning texts/s"), ms("content texts/s")])
    same, pairs = check_twins(blocks, faults)
    print(f"\nreal-model: our figures beside llama.cpp's own (ms; {manifest['tool']['name']} {manifest['tool']['version']})")
    print_table(rows)
    print(f"  thinking split as llama.cpp splits it: {same} of {pairs} blocks")
    for fault in faults:
        print(f"  DISAGREES  {fault}")
    print("real-model: " + (f"{len(faults)} disagree" if faults else "all agree within the tolerances of scripts/real_model/check.py"))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
