#!/usr/bin/env bash
# Whether the cache of compress and that of huggingface_hub are one: each program's is used offline by the other, and the trees are equal.
# usage: hub_cache.sh BUILD PYTHON
set -euo pipefail
[ $# -eq 2 ] || { sed -n 2,3p "$0"; exit 2; }
build=$(realpath "$1") python=$2
checkpoint=$(realpath "$(dirname "$0")/../golden/checkpoints/hf")
work=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill $server; rm -rf "$work"' EXIT
cd "$work"
mkdir models && cp -r "$checkpoint" models/nano
mkfifo ports
"$build/hub_server" models "$(sha256sum <models/nano/model.safetensors | cut -d' ' -f1)" "$work/log" >ports &
server=$!
read -r port _ <ports
export HF_ENDPOINT=http://127.0.0.1:$port HF_HUB_DISABLE_XET=1 HF_HUB_DISABLE_TELEMETRY=1

HF_HOME=$work/ours "$build/compress" info ok/nano --quiet >ours.txt
HF_HOME=$work/ours HF_HUB_OFFLINE=1 "$python" -c "
from transformers import AutoModel
AutoModel.from_pretrained('ok/nano')" 2>/dev/null
HF_HOME=$work/theirs "$python" -c "
from huggingface_hub import hf_hub_download
for f in ('config.json', 'vocab.txt', 'tokenizer_config.json', 'model.safetensors'):
    hf_hub_download('ok/nano', f)" 2>/dev/null
HF_HOME=$work/theirs HF_HUB_OFFLINE=1 "$build/compress" info ok/nano --quiet >theirs.txt
tree() { (cd "$1/hub" && find . ! -name '*.lock' ! -name CACHEDIR.TAG -printf '%p %l\n' | sort); }
diff <(tree ours) <(tree theirs)
diff -r ours/hub/models--ok--nano theirs/hub/models--ok--nano
echo "one cache: $("$python" -c 'import huggingface_hub; print("huggingface_hub", huggingface_hub.__version__)')"
