"""Compares the p50 and p95 of `photofinish table --format csv` with those that pandas computes from the same records.

Usage: quantiles_check.py RUN TABLE.csv. It knows nothing of photofinish but the record's format (docs/record.md): a good reply has status
200, a finish reason and at least one text of an answer; its times are those of its first and last text; anything else never came.
For runs without void or repeated blocks, such as benches/month.rs writes. Needs pandas.
"""

import csv
import json
import math
import sys
from pathlib import Path

import pandas


def times(answer):
    """First text, first text of the answer, last text, ms; infinite where the request failed."""
    timeline = answer.get("timeline") or {}
    at, phases = timeline.get("at_ns", []), timeline.get("phase", "")
    answered = next((i for i, phase in enumerate(phases) if phase != "r"), None)
    good = answer.get("status") == 200 and answer.get("finish") and not answer.get("error") and answer["ended"]["how"] == "complete"
    if not good or answered is None:
        return (math.inf,) * 3
    return at[0] / 1e6, at[answered] / 1e6, at[-1] / 1e6


def main(run, table):
    rows = []
    with (Path(run) / "records.jsonl").open(encoding="utf-8") as records:
        for text in records:
            line = json.loads(text)
            if line["kind"] == "trial" and line["role"] == "scored":
                rows.append((line["target"], *times(line["answer"])))
    frame = pandas.DataFrame(rows, columns=["target", "ttft", "ttfa", "e2e"])
    wanted = [("ttft_p50_ms", "ttft", 0.5), ("ttfa_p50_ms", "ttfa", 0.5), ("e2e_p50_ms", "e2e", 0.5), ("e2e_p95_ms", "e2e", 0.95)]
    compared, worst = 0, 0.0
    with open(table, encoding="utf-8") as file:
        for row in csv.DictReader(file):
            of_target = frame[frame.target == row["target"].removeprefix("sim:")]
            for column, name, p in wanted:
                # The smallest value that at least the share p does not exceed: type 1.
                told = of_target[name].sort_values(ignore_index=True).iloc[math.ceil(len(of_target) * p - 1e-9) - 1]
                ours = math.inf if row[column] == "never" else float(row[column])
                off = 0.0 if told == ours else abs(told / ours - 1)
                compared, worst = compared + 1, max(worst, off)
                if 1e-9 < off:
                    print(f"{row['target']} {column}: photofinish {ours}, pandas {told}")
    print(f"{len(frame)} requests, {compared} quantiles compared, largest relative difference {worst:.1e}")
    return 0 if compared and worst <= 1e-9 else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
