"""How each tool is asked, with its documented settings, and where its report has the figures.

A tool is a command and a reader. What a tool does not report is left out; nothing is computed for it from its raw data, except where `read_guidellm`
says so.
"""

import json
import os
import pathlib
import subprocess
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
ROOM = HERE.parent.parent / "target" / "versus"


@dataclass
class Job:
    """What is asked of a tool: so many requests over so many streams of one simulated system, after so many that are to warm up."""

    base: str  # of the system, without /v1
    model: str
    streams: int
    requests: int
    warmup: int
    max_tokens: int
    folder: pathlib.Path  # of this run's files
    own_count: bool = False  # whether replies may bring no usage, so that the tool needs a tokenizer


def environment():
    """No hub, no proxy, no caches outside target/versus."""
    return os.environ | {
        "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HOME": str(ROOM / "cache"),
        "MODELSCOPE_CACHE": str(ROOM / "cache"), "TIKTOKEN_CACHE_DIR": str(ROOM / "tiktoken"), "DO_NOT_TRACK": "1", "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1", "PYTHONWARNINGS": "ignore", "COLUMNS": "160",
    }


def version(tool, package):
    asked = [str(ROOM / tool / "bin" / "python"), "-c", f"import importlib.metadata as m; print(m.version({package!r}))"]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip() or None


def prompts(path, rows, name):
    """The prompts of the data set short-en, repeated to so many rows; `name` is the key of the JSON, or None for plain lines."""
    texts = [" ".join(json.loads(line)["prompt"].split()) for line in open(HERE.parent.parent / "datasets" / "short-en.jsonl")]
    with open(path, "w") as out:
        for index in range(rows):
            text = texts[index % len(texts)]
            out.write((json.dumps({name: text}) if name else text) + "\n")
    return str(path)


# photofinish: connections are opened before a stage begins, so there is nothing to warm up.


def ask_photofinish(job):
    return [
        os.environ["PHOTOFINISH"], "load", "--target", f"{job.base}/v1={job.model}", "--stages", str(job.streams), "--requests", str(job.requests),
        "--passes", "1", "--rest", "0s", "--dataset", "short-en", "--max-tokens", str(job.max_tokens), "--results", str(job.folder / "results"),
        "--format", "json", "--output", str(job.folder / "ramp.json"),
    ]


def read_photofinish(job):
    stage = json.load(open(job.folder / "ramp.json"))["stages"][0]
    figure = lambda name: stage["figures"][name].get("value")
    counts, tokens = stage["counts"], []
    for line in map(json.loads, open(next(job.folder.glob("results/*/records.jsonl")))):
        answer = line.get("answer") or {}
        if line["kind"] == "trial" and answer.get("ended", {}).get("how") == "complete" and answer.get("usage"):
            tokens.append(answer["usage"].get("completion"))
    read = {
        "ok": counts["ok"], "failed": sum(counts["failed"].values()), "called": counts["failed"], "answer_p50_ms": figure("ttfa_p50_ms"),
        "tpot_p50_ms": figure("tpot_p50_ms"), "tpot_p95_ms": figure("tpot_p95_ms"), "stream_tok_s": figure("content_speed"),
        "reasoning_tok_s": figure("reasoning_speed"), "overall_tok_s": figure("overall_speed"), "system_tok_s": figure("system_speed"),
        "tokens": sum(tokens) / len(tokens) if tokens and None not in tokens else None, "client_limited": bool(stage["client_limited"]),
    }
    return read | {name: figure(name) for name in ("ttft_p50_ms", "ttft_p95_ms", "ttft_p99_ms")}


# guidellm: as many worker processes as streams, 10 at most (its default, GUIDELLM__MAX_WORKER_PROCESSES, shown by `guidellm env`).


def ask_guidellm(job):
    rows = job.requests + job.warmup
    data = prompts(job.folder / "prompts.jsonl", rows, "prompt")
    asked = [
        str(ROOM / "guidellm/bin/guidellm"), "run", "--disable-console-interactive",
        "--backend", f"kind=openai_http,target={job.base},model={job.model},max_tokens={job.max_tokens},validate_backend=false",
        "--profile", f"kind=concurrent,streams={job.streams},warmup={job.warmup}", "--constraint", f"kind=max_requests,count={rows}",
        "--data", f"kind=json_file,path={data}", "--data-loader", f"kind=pytorch,samples={rows}",
        "--output", f"kind=json,path={job.folder / 'guidellm.json'}",
    ]
    if job.own_count:
        asked += ["--tokenizer", f"kind=hf_auto,model={ROOM / 'tokenizer'}"]
    return asked


def read_guidellm(job):
    benchmark = json.load(open(job.folder / "guidellm.json"))["benchmarks"][0]
    metrics, totals = benchmark["metrics"], benchmark["scheduler_state"]  # the totals of its metrics leave out replies at the edge of the warm-up

    def figure(name, percentile):
        good = metrics[name]["successful"]
        return good["percentiles"][percentile] if good.get("count") else None

    good = metrics["output_token_count"]["successful"]
    errors = [request.get("info", {}).get("error") for request in benchmark["requests"].get("errored") or []]
    return {
        "ok": totals["successful_requests"] - job.warmup, "failed": totals["errored_requests"] + totals["cancelled_requests"], "called": sorted({short(error) for error in errors if error}),
        "ttft_p50_ms": figure("time_to_first_token_ms", "p50"), "ttft_p95_ms": figure("time_to_first_token_ms", "p95"),
        "ttft_p99_ms": figure("time_to_first_token_ms", "p99"), "answer_p50_ms": figure("time_to_first_output_token_ms", "p50"),
        "tpot_p50_ms": figure("inter_token_latency_ms", "p50"), "tpot_p95_ms": figure("inter_token_latency_ms", "p95"),
        "system_tok_s": metrics["output_tokens_per_second"]["successful"]["mean"], "tokens": good["mean"] if good.get("count") else None,
    }


# aiperf: its own choice of workers, min(streams, processors × 0.75 − 1) and at least one (`aiperf profile --help`, --workers-max).


def ask_aiperf(job):
    return [
        str(ROOM / "aiperf/bin/aiperf"), "profile", "--model", job.model, "--url", job.base, "--endpoint-type", "chat", "--streaming",
        "--tokenizer", "builtin", "--input-file", prompts(job.folder / "prompts.jsonl", 30, "text"), "--custom-dataset-type", "single_turn",
        "--concurrency", str(job.streams), "--request-count", str(job.requests),
        *(["--warmup-request-count", str(job.warmup)] if job.warmup else []), "--extra-inputs", f"max_completion_tokens:{job.max_tokens}",
        "--ui", "none", "--no-gpu-telemetry", "--no-server-metrics", "--output-artifact-dir", str(job.folder / "aiperf"),
    ]


def read_aiperf(job):
    report = json.load(open(job.folder / "aiperf/profile_export_aiperf.json"))
    figure = lambda name, stat: (report.get(name) or {}).get(stat)
    failed = sum(entry["count"] for entry in report.get("error_summary") or [])
    return {
        "ok": int(figure("request_count", "avg") or 0), "failed": failed,
        "called": sorted({short(entry["error_details"].get("message") or entry["error_details"].get("type")) for entry in report.get("error_summary") or []}),
        "ttft_p50_ms": figure("time_to_first_token", "p50"), "ttft_p95_ms": figure("time_to_first_token", "p95"),
        "ttft_p99_ms": figure("time_to_first_token", "p99"), "answer_p50_ms": figure("time_to_first_output_token", "p50"),
        "tpot_p50_ms": figure("inter_token_latency", "p50"), "tpot_p95_ms": figure("inter_token_latency", "p95"),
        "stream_tok_s": figure("output_token_throughput_per_user", "p50"), "system_tok_s": figure("output_token_throughput", "avg"),
        "tokens": figure("output_sequence_length", "avg"),
    }


# evalscope perf: one process; --parallel is its number of streams, --warmup-num the number that it advises itself for so many.


def ask_evalscope(job):
    asked = [
        str(ROOM / "evalscope/bin/evalscope"), "perf", "--model", job.model, "--url", f"{job.base}/v1/chat/completions", "--api", "openai",
        "--dataset", "line_by_line", "--dataset-path", prompts(job.folder / "prompts.txt", 30, None), "--parallel", str(job.streams),
        "--number", str(job.requests), "--warmup-num", str(job.warmup), "--max-tokens", str(job.max_tokens), "--stream", "--no-test-connection",
        "--outputs-dir", str(job.folder), "--no-timestamp", "--name", "evalscope",
    ]
    return asked + (["--tokenizer-path", str(ROOM / "tokenizer")] if job.own_count else [])


def read_evalscope(job):
    folder = next((job.folder / "evalscope").glob("parallel_*"))
    summary = json.load(open(folder / "benchmark_summary.json"))
    rows = {row["Percentiles"]: row for row in json.load(open(folder / "benchmark_percentile.json"))}
    any_good = summary["Success Requests"] > 0  # else its figures are -1 and NaN
    figure = lambda percent, name: (rows.get(percent) or {}).get(name) if any_good else None
    return {
        "ok": summary["Success Requests"], "failed": summary["Failed Requests"], "ttft_p50_ms": figure("50%", "TTFT (ms)"),
        "ttft_p95_ms": figure("95%", "TTFT (ms)"), "ttft_p99_ms": figure("99%", "TTFT (ms)"), "tpot_p50_ms": figure("50%", "TPOT (ms)"),
        "tpot_p95_ms": figure("95%", "TPOT (ms)"), "stream_tok_s": figure("50%", "Decode (tok/s)"),
        "system_tok_s": summary["Output Throughput (tok/s)"], "tokens": summary["Avg Output Tokens"] if any_good else None,
    }


# The seed's method: one process, no warm-up.


def ask_seed(job):
    data = prompts(job.folder / "prompts.jsonl", 30, "prompt")
    numbers = [str(job.streams), str(job.requests), str(job.max_tokens)]
    return [str(ROOM / "seed/bin/python"), str(HERE / "seed_method.py"), f"{job.base}/v1", job.model, data, *numbers]


def read_seed(job):
    report = json.loads((job.folder / "stdout").read_text().strip().splitlines()[-1])
    ttft = [value * 1000 if value is not None else None for value in report["ttft_s"]]
    return {
        "ok": report["ok"], "failed": report["requests"] - report["ok"], "ttft_p50_ms": ttft[0], "ttft_p95_ms": ttft[1], "ttft_p99_ms": ttft[2],
        "stream_tok_s": report["tps_mean"], "tokens": report["chunks"],
    }


def short(text):
    return " ".join(str(text).split())[:120]


TOOLS = {
    "photofinish": (ask_photofinish, read_photofinish),
    "guidellm": (ask_guidellm, read_guidellm),
    "aiperf": (ask_aiperf, read_aiperf),
    "evalscope": (ask_evalscope, read_evalscope),
    "seed": (ask_seed, read_seed),
}
WARMS_UP = {"guidellm", "aiperf", "evalscope"}
