#!/usr/bin/env python3
"""Prints target/versus/results.json as the Markdown tables of docs/versus.md.

usage: report.py [--write docs/versus.md]     puts them between the two marks there, instead of printing them
"""

import argparse
import json
import pathlib
import sys

RESULTS = pathlib.Path(__file__).resolve().parent.parent.parent / "target" / "versus" / "results.json"
BEGIN, END = "<!-- versus: begin, written by scripts/versus/report.py -->", "<!-- versus: end -->"
NAMES = {"photofinish": "photofinish", "guidellm": "guidellm", "aiperf": "aiperf", "evalscope": "evalscope", "seed": "seed's method"}
CORRECT = {
    "eof-half": "failed",
    "error-in-200": "failed",
    "error-then-done": "failed",
    "budget-gone": "good, no answer, 20 tokens",
    "keep-alives-first": "good, 40 tokens",
    "reasoning-field": "good, first answer 1000 ms, 40 tokens",
    "both-names": "good, 40 tokens",
    "think-inline": "good, first answer 1000 ms, 40 tokens",
    "null-choices": "good, 40 tokens",
    "usage-missing": "good, 40 tokens, of its own counting",
    "usage-reasoning-zero": "good, first answer 1000 ms, 40 tokens",
    "whole-answer-at-once": "good, no decode speed",
    "rate-limited-once": "9 good, 1 rate-limited",
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", type=pathlib.Path)
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS)
    args = parser.parse_args()
    made = "\n".join(report(json.load(open(args.results))))
    if args.write is None:
        print(made)
        return 0
    text = args.write.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        print(f"report: {args.write} has no place between {BEGIN!r} and {END!r}", file=sys.stderr)
        return 2
    before, rest = text.split(BEGIN)
    args.write.write_text(before + BEGIN + "\n" + made + "\n" + END + rest.split(END)[1])
    return 0


def report(results):
    yield from conditions(results)
    if results["levels"]:
        yield from levels(results["levels"])
    if results["reasoning"]:
        yield from reasoning(results["reasoning"])
    if results["cases"]:
        yield from cases(results["cases"], list(results["versions"]))


def conditions(results):
    c = results["conditions"]
    versions = " · ".join(f"{NAMES[name]} {'(openai ' + v + ')' if name == 'seed' else v}" for name, v in results["versions"].items())
    place = "the simulator first on processor 0 (`chrt -f 60 taskset -c 0`)" if c["simulator_first"] else "the simulator at ordinary priority"
    yield f"{versions}. {c['date']}; {c['processor']}, {c['processors']} processors, Linux {c['kernel']}, Python {c['python']}; loopback; {place}, the tools at"
    yield f"ordinary priority; load average before the start {c['load_before']}; {round(c.get('took_s', 0) / 60)} minutes in all."
    yield ""


def levels(rows):
    yield "**64 tokens, one in each chunk, one each 20 ms**; the first after 210 ms (1 stream), 208–212 ms (10), 200–220 ms (64 and more). Each cell is"
    yield "*reported* / *true*; a dash is a figure that the tool does not report. p99 where there are at least 300 replies. Times in ms, speeds in tokens a"
    yield "second; processor seconds are the tool's own, its start included."
    yield ""
    yield "| streams | tool | good of sent | TTFT p50 | TTFT p95 | TTFT p99 | a token, p50 | a token, p95 | one stream | all streams | processor s |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        if "reported" not in row:
            yield f"| {row['streams']} | {NAMES[row['tool']]} | no report: {row.get('went_wrong')} |" + " |" * 8
            continue
        seen, true = row["reported"], row.get("truth", {})
        limited = " ‡" if seen.get("client_limited") else ""
        cells = [str(row["streams"]) + limited, NAMES[row["tool"]], f"{seen['ok']} of {row['requests']}"]
        cells += [both(seen, true, name, 2) for name in ("ttft_p50_ms", "ttft_p95_ms")]
        cells += [both(seen, true, "ttft_p99_ms", 2) if row["requests"] >= 300 else "–"]
        cells += [both(seen, true, name, 2) for name in ("tpot_p50_ms", "tpot_p95_ms", "stream_tok_s")]
        yield "| " + " | ".join([*cells, system(row), number(row.get("processor_s"), 1)]) + " |"
    yield ""
    if any(row.get("reported", {}).get("client_limited") for row in rows):
        yield "‡ photofinish says of itself that it was at its limit there."
        yield ""


def reasoning(rows):
    yield "**The reasoning stream**, 10 streams: a role chunk at 200 ms; 20 tokens of reasoning from 500 ms to 880 ms; 20 tokens of answer in 10 chunks from"
    yield "1000 ms to 1360 ms; finish at 1380 ms; usage and `[DONE]` at 1500 ms."
    yield ""
    yield "| tool | good of sent | TTFT p50 | first answer p50 | tokens a reply | a token, p50 | one stream | all streams |"
    yield "|---|---|---|---|---|---|---|---|"
    first = next((row["truth"] for row in rows if row.get("truth")), None)
    if first:
        speeds = "50 reasoning, 50 answer, 45.3 both"
        yield f"| *truth* | | {number(first['ttft_p50_ms'], 1)} | {number(first['answer_p50_ms'], 1)} | 40 | {number(first['tpot_p50_ms'], 2)} | {speeds} | |"
    for row in rows:
        if "reported" not in row:
            yield f"| {NAMES[row['tool']]} | no report: {row.get('went_wrong')} |" + " |" * 6
            continue
        seen = row["reported"]
        cells = [NAMES[row["tool"]], f"{seen['ok']} of {row['requests']}", number(seen.get("ttft_p50_ms"), 1), number(seen.get("answer_p50_ms"), 1)]
        stream = number(seen.get("stream_tok_s"), 1)
        if seen.get("reasoning_tok_s"):
            stream = f"{number(seen['reasoning_tok_s'], 1)} reasoning, {stream} answer"
        yield "| " + " | ".join([*cells, number(seen.get("tokens"), 0), number(seen.get("tpot_p50_ms"), 2), stream, system(row)]) + " |"
    yield ""


def cases(rows, names):
    yield "**What each calls a stream that went wrong, or an odd one** (10 requests each; the stream is the one above, with one thing changed, as `docs/sim.md`"
    yield "lists them)."
    yield ""
    yield "| case | correct | " + " | ".join(NAMES[name] for name in names) + " |"
    yield "|---|---|" + "---|" * len(names)
    by_case = {}
    for row in rows:
        by_case.setdefault(row["system"], {})[row["tool"]] = row
    for case, found in by_case.items():
        yield f"| `{case}` | {CORRECT.get(case, '')} | " + " | ".join(verdict(found.get(name)) for name in names) + " |"
    yield ""


def verdict(row):
    """What a tool calls a case, in few words: how many good, and then first answer, tokens and speed as it tells them."""
    if row is None:
        return ""
    if "reported" not in row:
        return "no report"
    seen, words = row["reported"], []
    if seen["ok"]:
        words.append(f"{seen['ok']} good")
    if seen["failed"]:
        called = seen.get("called")
        words.append(f"{seen['failed']} failed" + (f" ({', '.join(called)})" if isinstance(called, dict) and called else ""))
    if not words:
        return "nothing counted"
    if seen["ok"]:
        if seen.get("answer_p50_ms"):
            words.append(f"answer {number(seen['answer_p50_ms'], 0)} ms")
        if seen.get("tokens"):
            words.append(f"{number(seen['tokens'], 0)} tok")
        if seen.get("stream_tok_s"):
            words.append(f"{number(seen['stream_tok_s'], 1)} tok/s")
    return ", ".join(words)


def system(row):
    """Rate of all streams, beside the true one by the tool's own window: photofinish counts while all users run, the others from first to last."""
    name = "window_tok_s" if row["tool"] == "photofinish" else "whole_tok_s"
    seen = row["reported"].get("system_tok_s")
    return f"{number(seen, 1)} / {number(row.get('truth', {}).get(name), 1)}" if seen is not None else "–"


def both(seen, true, name, digits):
    return f"{number(seen[name], digits)} / {number(true.get(name), digits)}" if seen.get(name) is not None else "–"


def number(value, digits):
    return "–" if value is None else f"{value:.{digits}f}"


if __name__ == "__main__":
    sys.exit(main())
