"""What the simulator wrote, and when: the truth of one run, from the simulator's own log (docs/sim.md names its fields).

A time to first token counts from the read that brought the request's last byte to the write of the first text. The simulator runs at a real-time
priority where it may, so that this read follows the client's write within tens of microseconds.
"""

import json
import statistics


def replies(log, leave_out=0):
    """The replies of a log in the order of their requests, without the first `leave_out`: those warmed up."""
    lines = sorted((json.loads(line) for line in open(log)), key=lambda line: line["received_ns"])
    return lines[leave_out:]


def quantile(values, percent):
    """The smallest value that at least so many percent do not exceed (type 1)."""
    ordered = sorted(values)
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None


def figures(lines):
    """The figures that tools report, computed from the writes. `window_tok_s` is the rate while all users were running; `whole_tok_s` that of the
    whole run from the first request to the last byte."""
    ttft, answer, per_token, speed, tokens = [], [], [], [], []
    for line in lines:
        texts = [(at, n) for at, n, phase in zip(line["before_ns"], line["tokens"], line["phase"]) if phase != "-"]
        if not texts:
            continue
        ttft.append((texts[0][0] - line["received_ns"]) / 1e6)
        answers = [at for at, phase in zip(line["before_ns"], line["phase"]) if phase in "cb"]
        if answers:
            answer.append((answers[0] - line["received_ns"]) / 1e6)
        tokens.append(sum(n for _, n in texts))
        span = texts[-1][0] - texts[0][0]
        if span > 0:
            per_token.append(span / 1e6 / (tokens[-1] - 1))
            speed.append((tokens[-1] - texts[0][1]) / (span / 1e9))
    return {
        "replies": len(lines),
        "ttft_p50_ms": quantile(ttft, 50),
        "ttft_p95_ms": quantile(ttft, 95),
        "ttft_p99_ms": quantile(ttft, 99),
        "answer_p50_ms": quantile(answer, 50),
        "tpot_p50_ms": quantile(per_token, 50),
        "tpot_p95_ms": quantile(per_token, 95),
        "stream_tok_s": statistics.median(speed) if speed else None,
        "tokens": statistics.mean(tokens) if tokens else None,
        "whole_tok_s": rate_of_the_whole(lines),
        "window_tok_s": rate_in_the_window(lines),
    }


def rate_of_the_whole(lines):
    seconds = (max(line["after_ns"][-1] for line in lines) - lines[0]["received_ns"]) / 1e9
    return sum(sum(line["tokens"]) for line in lines) / seconds


def rate_in_the_window(lines):
    """From the last connection's first request to the first connection's last end, as `photofinish ramp` counts."""
    begins, ends = {}, {}
    for line in lines:
        begins.setdefault(line["connection"], line["received_ns"])
        ends[line["connection"]] = line["after_ns"][-1]
    begin, end = max(begins.values()), min(ends.values())
    if end <= begin:
        return None
    inside = sum(n for line in lines for at, n in zip(line["before_ns"], line["tokens"]) if begin <= at <= end)
    return inside / ((end - begin) / 1e9)
