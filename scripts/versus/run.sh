#!/usr/bin/env bash
# Side by side: guidellm, aiperf, evalscope, the seed's method and photofinish against one simulator whose truth is known (docs/versus.md).
#
# usage: scripts/versus/run.sh [--streams 1,10,64,300] [--tools photofinish,guidellm,aiperf,evalscope,seed] [--cases eof-half,…]
#        PHOTOFINISH=path/to/binary, else target/release/photofinish, built if it is missing
#
# Installs the tools from PyPI under target/versus/ once (2 GB), runs each on loopback, writes target/versus/results.json and prints the tables.
# About a quarter of an hour on an otherwise idle machine of two processors. Not part of CI.
#
# Exit codes: 0 every tool reported; 1 some did not (the tables say which); 2 no binary or no Python.
set -euo pipefail
cd "$(dirname "$0")/../.."

export PHOTOFINISH=${PHOTOFINISH:-target/release/photofinish}
if [ ! -x "$PHOTOFINISH" ] && [ "$PHOTOFINISH" = target/release/photofinish ]; then cargo build --locked --release; fi
PHOTOFINISH=$(realpath "$PHOTOFINISH")
[ -x "$PHOTOFINISH" ] || { echo "versus: no binary at $PHOTOFINISH" >&2; exit 2; }
bash scripts/versus/install.sh
ulimit -Sn "$(ulimit -Hn)" 2>/dev/null || true
status=0
target/versus/seed/bin/python scripts/versus/run.py "$@" || status=$?
target/versus/seed/bin/python scripts/versus/report.py
exit "$status"
