#!/usr/bin/env bash
# A month of hourly rounds (360 000 trials of 500 marks, 6 GB), made, read and held against DuckDB: how long the reading commands take from
# cold (no index) and from warm, in how much memory, and whether they count right. Needs 7 GB of disk; deletes what it made.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --locked --release
folder=target/month
trap 'rm -rf "$folder/run"' EXIT
rm -rf "$folder/run"
cargo bench --locked --bench month -- --out "$PWD/$folder/run" "$@"

measured() { # name, command …
    python3 - "$@" <<'PYTHON'
import os, subprocess, sys, time
began = time.time()
process = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
print(f"{sys.argv[1]:<28} {time.time() - began:7.2f} s, {used.ru_utime + used.ru_stime:7.1f} s of processor, {used.ru_maxrss / 1024:5.0f} MiB")
sys.exit(os.waitstatus_to_exitcode(status))
PYTHON
}
tool=target/release/photofinish
measured 'league, cold' "$tool" league "$folder/run" --metric e2e
measured 'league, warm' "$tool" league "$folder/run" --metric e2e
measured 'four leagues, warm' "$tool" league "$folder/run"
measured 'compare all pairs, warm' "$tool" compare "$folder/run"
measured 'hours, warm' "$tool" hours "$folder/run"
measured 'table, warm' "$tool" table "$folder/run"

"$tool" table "$folder/run" --format csv --output "$folder/table.csv"
python3 -m venv "$folder/venv"
if "$folder/venv/bin/pip" -q install 'duckdb==1.4.1'; then
    "$folder/venv/bin/python" scripts/quantiles_check.py "$folder/run" "$folder/table.csv"
else
    echo 'skipped: DuckDB cannot be had here'
fi
