#!/usr/bin/env bash
# Makes results/example anew: one run of `photofinish demo --seed 1`, and what the reading commands write of it. The run is simulated
# and says so; the README shows its table, and tests/example.rs holds the reading commands to it.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --locked --release
photofinish=target/release/photofinish
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

"$photofinish" demo --seed 1 --results "$made"
rm -rf results/example
mkdir -p results
mv "$made"/20* results/example
chmod -R u=rwX,go=rX results/example

table() { "$photofinish" table results/example "$@"; }
table --width 80 --output results/example/table-80.txt
table --width 120 --output results/example/table-120.txt
table --format markdown --output results/example/table.md
table --format csv --output results/example/table.csv
table --format json --output results/example/table.json
cat results/example/table-80.txt
du -sh results/example
