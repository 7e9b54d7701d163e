#!/usr/bin/env bash
# Models by their names on a hub: a server of the test's own stands in for it (hub_server.c says what each owner does wrong).
. "$(dirname "$0")/lib.bash"
not_emulated "the server is built for the architecture of the program"
unset HF_HUB_OFFLINE HF_TOKEN HF_HUB_CACHE HF_HOME http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY
golden=$TESTS/golden/checkpoints
mkdir -p models/two models/torch models/tf models/lora
cp -r "$golden/hf" models/nano
cp "$golden"/sharded/* "$golden/hf/vocab.txt" models/two
cp "$golden"/torch/* "$golden/hf/vocab.txt" models/torch
touch models/tf/{config.json,tf_model.h5}
sum=$(sha256sum <models/nano/model.safetensors | cut -d' ' -f1)
commit=0123456789abcdef0123456789abcdef01234567
mkfifo ports
"$(dirname "$MAKE_NANO")/hub_server" models "$sum" "$SCRATCH/log" >ports &
CHILD=$!
read -r first second <ports
: >log
export HF_HOME=$SCRATCH/home HF_HUB_DOWNLOAD_TIMEOUT=1 HF_ENDPOINT=http://127.0.0.1:$first
hub=home/hub
# of OWNER[/NAME]: its folder in the cache
of() { echo "$hub/models--${1%/*}--$([[ $1 == */* ]] && echo "${1#*/}" || echo nano)"; }
requests() { grep -c "$1" log; }
mine='/\(ok\|here\)/' # not of what runs beside

if ! "$COMPRESS" info none/nano >out 2>err && grep -q 'built without$' err; then # says what is missing, and is done
    refused "ok/nano: names of the Hub are fetched by libcurl, which this program was built without" import --pretrained ok/nano --output x.snc
    exit
fi

"$COMPRESS" info down/nano --quiet >down.out 2>down.err & # takes its time, and is looked at below
DOWN=$!

# ---- a name is the folder of its files ---------------------------------------------------------------------------------------
run 0 import --pretrained "$golden/hf" --output path.snc
run 0 import --pretrained ok/nano --output hub.snc
same_tensors path.snc hub.snc
at=$(of ok)
equal "the ref" "$(cat "$at/refs/main")" $commit
equal "files of the snapshot" "$(ls "$at/snapshots/$commit" | tr '\n' ' ')" "config.json model.safetensors tokenizer_config.json vocab.txt "
equal "the blob of the weights" "$(readlink "$at/snapshots/$commit/model.safetensors")" "../../blobs/$sum"
for f in models/nano/*; do same "$f" "$at/snapshots/$commit/$(basename "$f")"; done
equal "locks and pieces left" "$(find $hub -name '*.lock' -o -name '*.incomplete' -o -name '*.tmp*')" ""
holds err '^ok/nano: 0.0 MB fetched, '
# ---- what is there is used without network -----------------------------------------------------------------------------------
asked=$(requests "$mine")
for name in ok/nano ok/nano@main ok/nano@$commit; do run 0 info $name; done
HF_HUB_OFFLINE=1 run 0 tokenize --pretrained ok/nano </dev/null
equal "requests for what is there" "$(requests "$mine")" "$asked"
HF_HUB_OFFLINE=yes refused "ok/nano@v1: no such file or folder, nor a whole model in" info ok/nano@v1
run 0 info ok/nano@v1
equal "the ref of a tag" "$(cat "$at/refs/v1")" $commit
equal "requests for a tag" "$(requests "$mine")" $((asked + 5)) # the list and what each of four files is; no body
refused "ok/nano@nowhere: 127.0.0.1:$first has no revision 'nowhere' of ok/nano" info ok/nano@nowhere
mkdir -p here && cp -r models/nano here/nano
asked=$(requests "$mine")
run 0 info here/nano # a path first
equal "requests for a path" "$(requests "$mine")" "$asked"

run 0 export --teacher ok/nano --seeded-head --policy int8 --output e.snc
run 0 import --pretrained ok/nano,ok/two --time-budget 0.02
equal "models compared" "$(tail -n +3 out | cut -d' ' -f1 | tr '\n' ' ')" "ok/nano ok/two "
run 0 info moved/nano # by its old name, under which it is kept
exists "$(of moved)/refs/main"

# ---- shards, PyTorch's files, nothing that is read -----------------------------------------------------------------------------
run 0 import --pretrained ok/two --output two.snc
same_tensors path.snc two.snc
rm "$(of ok/two)/snapshots/$commit/model-00002-of-00002.safetensors" # no whole model any more
run 0 info ok/two
run 0 bench ok/torch --seeded-head -s 16 -r 1
refused "ok/tf: 127.0.0.1:$first has no model.safetensors or pytorch_model.bin of ok/tf" info ok/tf
refused "'../../../../x' is no name of a shard" info climb/two

# ---- connections that break -----------------------------------------------------------------------------------------------------
size=$(wc -c <models/nano/model.safetensors)
for owner in drop stall deaf busy; do
    run 0 import --pretrained $owner/nano --output $owner.snc
    same_tensors path.snc $owner.snc
    cp err $owner.err
done
holds log "^GET /drop/nano/.* second from $((size / 2))$"
holds log "^GET /drop/nano/.* second from $((size / 2 + (size - size / 2) / 2))$"
holds stall.err '^127.0.0.1:[0-9]*: nothing came for 1 s: once more in 0.25 s$'
holds busy.err 'answers 503: once more in 0.25 s$'
wait $DOWN
equal "exit code where a hub is never ready" $? 2
holds down.err "^compress: down/nano: 127.0.0.1:$first answers 503 to down/nano; what is fetched is kept, run the command again$"
equal "tries at most" "$(requests /api/models/down/)" 5

# ---- answers that contradict themselves ---------------------------------------------------------------------------------------
refused "long/nano: 127.0.0.1:$first says that model.safetensors has $size bytes, and sends one of $((size + 100))" info long/nano
refused "more/nano: 127.0.0.1:$first sends more of model.safetensors than its $size bytes" info more/nano
refused "shift/nano: 127.0.0.1:$first sends another part of model.safetensors than was asked for" info shift/nano
refused "wrong/nano: model.safetensors has a wrong checksum (sha256 ${sum:0:12}..., expected ffffffffffff...) and is deleted" info wrong/nano
for owner in long more shift wrong; do absent "$(of $owner)"/blobs/*incomplete "$(of $owner)/refs" "$(of $owner)/blobs/$sum"; done
refused "less/nano: model.safetensors ended after $((size - 9)) of $size bytes; what is fetched is kept" info less/nano
equal "bytes kept" "$(wc -c <"$(of less)/blobs/$sum.incomplete")" $((size - 9))
refused "loop/nano: model.safetensors: 127.0.0.1:$first: redirects without end" info loop/nano
refused "MB are to be fetched, " info big/nano
refused "bare/nano: 127.0.0.1:$first gives no ETag or no size of" info bare/nano
refused "path/nano: 127.0.0.1:$first gives no ETag" info path/nano
refused "list/nano: 127.0.0.1:$first answers with no list of a model's files" info list/nano

# ---- who may read -----------------------------------------------------------------------------------------------------------------
refused "none/nano: no such file or folder, and 127.0.0.1:$first has no none/nano (404)" info none/nano
refused "gated/nano: a gated model (403): accept its terms on http://127.0.0.1:$first/gated/nano and set HF_TOKEN" info gated/nano
refused "secret/nano: no such file or folder, and on 127.0.0.1:$first no model that all may read (401)" info secret/nano
HF_TOKEN=hf_another refused "127.0.0.1:$first does not take this HF_TOKEN for secret/nano (401)" info secret/nano
HF_TOKEN=$'hf\nX-Evil: 1' refused "HF_TOKEN: holds a blank or a control character" info secret/nano
HF_TOKEN=hf_of_the_test run 0 info secret/nano
holds log '^GET /secret/nano/resolve/.*model.safetensors token$'
equal "tokens that other hosts saw" "$(requests 'token.*second')" 0

# ---- where the hub is -------------------------------------------------------------------------------------------------------------
kept=$HF_ENDPOINT
HF_ENDPOINT=ftp://x refused "HF_ENDPOINT 'ftp://x': expected http://HOST or https://HOST" info new/nano
HF_ENDPOINT=http://127.0.0.1:1/ refused "new/nano: no such file or folder, and the Hub is not reached (127.0.0.1:1: " info new/nano
holds err 'pip install huggingface_hub && hf download new/nano --local-dir DIR, then give DIR$'
HF_HUB_DOWNLOAD_TIMEOUT=soon refused "HF_HUB_DOWNLOAD_TIMEOUT 'soon': expected seconds" info new/nano
HF_ENDPOINT=http://hub.invalid/ http_proxy=$kept HF_HUB_CACHE=$SCRATCH/elsewhere run 0 info ok/nano
exists elsewhere/models--ok--nano/refs/main

# ---- interrupted, gone on with; two at once ------------------------------------------------------------------------------------------
"$COMPRESS" info slow/nano >out 2>err &
PID=$!
for ((i = 0; i < 1000; i++)); do [ -s "$(of slow)/blobs/$sum.incomplete" ] && break; grep -q '^GET /slow.*second' log && sleep 0.3 && break; sleep 0.01; done
kill -INT $PID
wait $PID
equal "exit code of an interrupted fetch" $? 130
equal "lines that say so" "$(grep -c '^compress: .*interrupted' err)" 1
equal "bytes kept" "$(wc -c <"$(of slow)/blobs/$sum.incomplete")" 1000
"$COMPRESS" info slow/nano >a 2>a.err &
PID=$!
sleep 0.2
run 0 info slow/nano
wait $PID
equal "exit code of the first of two" $? 0
same a out
holds err '^slow/nano: model.safetensors is fetched by another process, which is waited for'
equal "bodies of the two" "$(requests '^GET /slow.* second')" 2
holds log '^GET /slow.* second from 1000$'
kill $CHILD
CHILD=""
