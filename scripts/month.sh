#!/usr/bin/env bash
# How long a month of hourly rounds takes to read, cold and warm, and how much memory that needs.
# Makes the run under target/month (about 6 GB), times `photofinish` on it, checks its quantiles by pandas, and deletes it.
# KEEP=1 keeps the run. Needs /usr/bin/time (GNU) and Python 3 with venv.
set -euo pipefail
cd "$(dirname "$0")/.."
run=target/month
cargo build --locked --release
cargo bench --locked --bench month -- --out "$run" "$@"
photofinish=target/release/photofinish
read_it() {
    local words="$1"
    shift
    /usr/bin/time -f "$words: %e s, %M kB at most" "$photofinish" "$@" --output "$run/out.txt"
}
rm -f "$run/index.bin"
read_it "league, cold" league "$run" --metric e2e
read_it "league, warm" league "$run" --metric e2e
read_it "league of every metric, warm" league "$run"
read_it "table, warm" table "$run"
read_it "table, every byte anew" table "$run" --no-index
ls -l "$run/index.bin"
"$photofinish" table "$run" --format csv --output "$run/table.csv"
test -d target/quantiles-venv || python3 -m venv target/quantiles-venv
target/quantiles-venv/bin/pip install --quiet pandas
target/quantiles-venv/bin/python scripts/quantiles_check.py "$run" "$run/table.csv"
test -n "${KEEP:-}" || rm -rf "$run"
