#!/usr/bin/env bash
# The search by itself: budgets, resume from the journal, its lock, spaces and searchers from files.
. "$(dirname "$0")/lib.bash"
nano nano
data=(--task nano/task.json --data nano)
run 0 finetune --pretrained nano/nano.snc "${data[@]}" --output t.snc --epochs 3 --lr 2e-3 --threads 1
run 0 supernet --teacher t.snc "${data[@]}" --output s.snc --supernet-lr 1e-3 --threads 1
holds out 'sentences/s'
holds err 'depth rule'
run 0 info s.snc --json
holds out '"rule":'
search=(search s.snc --teacher t.snc "${data[@]}" --target-latency 0.9x)

run 0 "${search[@]}" --evals 60 --output a
exists a/search.sqlite a/front.json a/config.json a/best.json a/latency.json
holds out '^60 evaluations'
holds out '^teacher on select'

# Killed and gone on: the same evaluations as in one go, on the same latency table.
mkdir b && cp a/latency.json* b
killed_when b/best.json "${search[@]}" --evals 60 --output b
run 0 "${search[@]}" --evals 60 --output b
holds out '^60 evaluations'
holds err 'b/latency.json is up to date'
same b/best.json a/best.json
# More evaluations than before: the first ones come from the journal.
run 0 "${search[@]}" --evals 90 --output b
holds out '^90 evaluations'

# One journal, one search at a time.
"$COMPRESS" "${search[@]}" --evals 1000000 --output d >first.txt 2>&1 &
CHILD=$!
for ((n = 0; n < 3000; n++)); do [ -e d/best.json ] && break; sleep 0.01; done
refused "d/search.sqlite: another search has this journal open" "${search[@]}" --evals 60 --output d
kill -INT "$CHILD"
wait "$CHILD"
equal "exit code of the interrupted one" $? 130
CHILD=""
# A journal answers for one supernet only, and has to be one.
run 0 supernet --teacher t.snc "${data[@]}" --output s2.snc --supernet-lr 5e-4 --threads 1
refused "a/search.sqlite: journal of another search: model is" search s2.snc --teacher t.snc "${data[@]}" --target-latency 0.9x --evals 5 --output a
mkdir e && echo 'no database at all, but some words' >e/search.sqlite
refused "e/search.sqlite" "${search[@]}" --evals 5 --output e

# A time budget ends it, whatever the searcher.
SECONDS=0
run 0 "${search[@]}" --searcher random --seed 7 --evals 1000000 --time-budget 1s --output f
less "seconds of a search of one second" "$SECONDS" 60

# Spaces and searchers from files.
echo '{"depth":[3],"hidden":[32],"heads":[4,2],"ffn":[64,32],"linear":["int8"],"embed":["int8"]}' >space.json
echo '{"name":"nsga2","population":8,"mutation":0.2}' >nsga2.json
run 0 "${search[@]}" --evals 20 --space space.json --searcher nsga2.json --output g
tr -d ' \t\n' <g/front.json >flat
equal "dtypes of Q, K and V" "$(grep -o '"qkv":"[a-z0-9]*"' flat | sort -u)" '"qkv":"int8"'
equal "hidden sizes" "$(grep -o '"hidden":[0-9]*' flat | sort -u)" '"hidden":32'
equal "FFN widths beyond the list" "$(grep -o '"ffn":[0-9]*' flat | grep -vc ':64$\|:32$')" 0
echo '{"depth":[3],"width":[32]}' >bad.json
refused "unknown key 'width'" "${search[@]}" --space bad.json --output i
echo '{"hidden":[33]}' >bad.json
refused "33" "${search[@]}" --space bad.json --output i
echo '{"hidden":[]}' >bad.json
refused "'hidden'" "${search[@]}" --space bad.json --output i
echo '{"name":"nsga2","popolation":8}' >bad.json
refused "unknown key 'popolation'" "${search[@]}" --searcher bad.json --output i
echo '{"name":"nsga3"}' >bad.json
refused "search 'nsga3'" "${search[@]}" --searcher bad.json --output i
refused "search: --teacher is missing" search s.snc "${data[@]}" --target-latency 0.9x --output i
refused "search: no target" search s.snc --teacher t.snc "${data[@]}" --output i
refused "nano/nano.snc" search s.snc --teacher nano/nano.snc "${data[@]}" --target-latency 0.9x --output i

# The latency table by itself, on one thread and another workload.
run 0 profile s.snc "${data[@]}" --batch 2 --seq-len 16 --output table.json
exists table.json
holds table.json '"host":'
refused "none/table.json" profile s.snc "${data[@]}" --output none/table.json
