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

example() { local command=$1 file=$2; shift 2; "$photofinish" "$command" results/example --output "results/example/$file" "$@"; }
example table table-80.txt --width 80
example table table-120.txt --width 120
example table table.md --format markdown
example table table.csv --format csv
example table table.json --format json
example league league-80.txt --width 80 --metric content_speed
example league league.zh.txt --width 80 --metric content_speed --lang zh
example league league.json --format json --metric content_speed
example compare compare-80.txt --width 80 --baseline sim-d
example brief brief.md
example brief brief.zh.md --lang zh
cat results/example/table-80.txt
du -sh results/example
