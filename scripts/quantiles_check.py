#!/usr/bin/env python3
"""Holds the quantiles of `photofinish table RUN --format csv` against DuckDB's over the same records.

Usage: quantiles_check.py RUN TABLE.csv        (needs `pip install duckdb`)

Over all scored requests: a good reply's time, a failure never arriving. The quantile is the inverse of the distribution function (type 1),
which DuckDB calls quantile_disc. For runs of one attempt a block without void blocks, real time scale, and a plan that allows capped replies,
such as scripts/month.sh makes: what else may befall a request is judged by the tool, not here.
"""
import csv
import sys

import duckdb

run, table = sys.argv[1:]
rows = duckdb.sql(
    f"""
    with trials as (
        select target, answer.timeline.at_ns as at_ns, answer.timeline.phase as phase,
               answer.ended.how = 'complete' and answer.status = 200 and answer.error is null as good
        from read_json('{run}/records.jsonl', format = 'newline_delimited', maximum_object_size = 67108864, columns = {{
            kind: 'VARCHAR', target: 'VARCHAR', role: 'VARCHAR',
            answer: 'STRUCT(status INTEGER, error JSON, ended STRUCT(how VARCHAR), timeline STRUCT(at_ns BIGINT[], phase VARCHAR))'}})
        where kind = 'trial' and role = 'scored'
    ), times as (
        select target, good,
               case when good then at_ns[1] / 1e6 else 'infinity'::double end as ttft,
               case when good then at_ns[strpos(phase, 'c')] / 1e6 else 'infinity'::double end as ttfa,
               case when good then at_ns[-1] / 1e6 else 'infinity'::double end as e2e
        from trials
    )
    select target, count(*) filter (good), count(*), quantile_disc(ttft, 0.5), quantile_disc(ttfa, 0.5), quantile_disc(e2e, 0.5),
           quantile_disc(e2e, 0.95)
    from times group by target order by target
    """
).fetchall()
names = ["ok", "sent", "ttft_p50_ms", "ttfa_p50_ms", "e2e_p50_ms", "e2e_p95_ms"]
with open(table, newline="") as file:
    ours = {row["target"]: row for row in csv.DictReader(file)}
worst, compared = 0.0, 0
for target, *theirs in rows:
    for name, value in zip(names, theirs):
        mine = ours[target][name]
        mine = float("inf") if mine == "never" else float(mine)
        off = 0.0 if mine == value else abs(mine - value) / abs(value)
        worst, compared = max(worst, off), compared + 1
        if 1e-12 < off:
            print(f"{target} {name}: {mine} here, {value} in DuckDB")
if len(rows) != len(ours):
    sys.exit(f"{len(rows)} targets in DuckDB, {len(ours)} in the table")
print(f"DuckDB {duckdb.__version__}: {compared} figures of {len(rows)} targets compared, largest relative difference {worst:.1e}")
sys.exit(1e-12 < worst)
