#!/usr/bin/env bash
# Protocols on a supernet: each runs, says its table, keeps its journals, and goes on where it stopped.
. "$(dirname "$0")/lib.bash"
nano nano
data=(--task nano/task.json --data nano)
run 0 finetune --pretrained nano/nano.snc "${data[@]}" --output t.snc --epochs 3 --lr 2e-3 --threads 1
run 0 supernet --teacher t.snc "${data[@]}" --output s.snc --supernet-lr 1e-3 --threads 1
study=(study s.snc --teacher t.snc "${data[@]}" --augment 0 --repair-epochs 0.5)

run 0 "${study[@]}" --protocols hypervolume --searchers random,linas --seeds 2 --evals 60 --output a
holds out '^hypervolume up to loss .*, 2 runs; evaluations to what random has at its end$'
holds out '^| random | [0-9.]* ± [0-9.]* | [0-9.]* |$'
holds out '^| linas | [0-9.]* ± [0-9.]* | '
exists a/random-42.sqlite a/random-43.sqlite a/linas-42.sqlite a/linas-43.sqlite a/study.json a/latency.json
check "a volume is above 0" awk -F'|' '/^\| random/ { exit !($3 + 0 > 0) }' out
for f in a/*.sqlite; do
    "$COMPRESS" search --export csv --journal "$f" >rows
    check "$f has its evaluations" test "$(wc -l <rows)" -ge 55
done
cp out first.txt
run 0 "${study[@]}" --protocols hypervolume --searchers random,linas --seeds 2 --evals 60 --output a
same out first.txt # from the journals

run 0 "${study[@]}" --recipe default --protocols tau,joint --target-latency 0.8x --seeds 3 --evals 24 --output b
equal "nets" "$(grep -c '^| [0-9]* | [0-9.]* | [0-9.]* | [0-9.]* | [0-9.]* | [0-9.]* |$' out)" 12
holds out "^Kendall's tau over 12 nets of [0-9]* to [0-9]* us, in the supernet against alone from the teacher's weights: loss -*[01][.][0-9]* (.* to .*), score"
holds out '^multiply-adds alone against the loss alone -*[01][.][0-9]* (.* to .*); the loss in the supernet is ahead by '
check "nets of one latency" awk -F'|' '/^\| [0-9]+ \|/ { if (!n++) low = high = $2; if ($2 < low) low = $2; if ($2 > high) high = $2 } END { exit !(n == 12 && low + 1 >= 0.95 * high) }' out
holds out '^| joint | '
holds out '^| uniform INT8 | .* % (95%: '
holds out '^| FP, then INT8 | .* % (95%: '
holds b/study.json '"tau":'
# Each arm offers its matrices one dtype: three layers of qkv, o, ffn_in, ffn_out.
one_dtype() { "$COMPRESS" search --export json --journal "$1" | tr -d '\n\t ' | grep -oE '"dtype","layer":[0-9]+,"options":\["'"$2"'"\]' | wc -l; }
equal "matrices that are INT8 alone" "$(one_dtype b/joint-int8-42.sqlite int8)" 12
equal "matrices that are FP alone" "$(one_dtype b/joint-fp-42.sqlite '(bf16|f32)')" 12
absent b/net.snc

run 0 "${study[@]}" --protocols improvement --target-latency 0.9x --evals 30 --output c
holds out '^relative improvement at .* us, 8 searched against 8 random nets, repaired, on select: '
holds out '^relative improvement over the best even net within it ([0-9]* us), repaired the same: '
holds out '^| searched | '
holds out '^| best even | [0-9.]* | [0-9.]* |$'
run 0 "${study[@]}" --protocols cascade --target-latency 0.8x --seeds 2 --evals 48 --output c
equal "rows of two seeds" "$(grep -c '^| 4[23] | [0-9.]* | [0-9.]* | [0-9.]* | [0-9.]* | [0-9]* and [0-9]* | [0-9.]* | [0-9.]* | [0-9]* and [0-9]* |$' out)" 2
holds out '^at a mean of [0-9]* us, 2 runs of 48 evaluations, on select$'
holds out "^the pair's loss in percent of the single net's [-+][0-9.]* (95 %: [-+][0-9.]* to [-+][0-9.]*)$"
holds out "^the pair's score in points against the single net's [-+]"
holds out "^by depth its loss in percent of the single net's [-+]"
holds c/study.json '"cascade":'
holds c/study.json '"depth":'
exists c/cascade-single-42.sqlite c/cascade-larger-43.sqlite
cp out first.txt
run 0 "${study[@]}" --protocols cascade --target-latency 0.8x --seeds 2 --evals 48 --output c
same out first.txt # from the journals

refused "the protocol 'tau' needs --target-latency" "${study[@]}" --protocols tau --output d
refused "the protocol 'improvement' needs --target-latency" "${study[@]}" --protocols improvement --output d
refused "--protocols 'fun'" "${study[@]}" --protocols fun --output d
refused "--protocols 'tau,tau'" "${study[@]}" --protocols tau,tau --output d
refused "--seeds 33: --protocols takes at most 32" "${study[@]}" --protocols joint --seeds 33 --output d
refused "study --protocols: --teacher is missing" study s.snc "${data[@]}" --protocols joint --output d
refused "--searchers: two are called linas.json" "${study[@]}" --protocols hypervolume --searchers linas.json,other/linas.json --output d

# ---- recipes against each other -------------------------------------------------------------------------------------------------------
task=(--data nano --augment 0)
tuned='{"finetune":{"epochs":1,"lr":2e-3}}'
cat >two.json <<'JSON'
{"tasks":["nano/task.json"],"seeds":[1,2],"rows":300,"go_on":1,"nets":4,"repair":{"nets":2,"epochs":0.2},
 "variants":[{"name":"plain","recipe":{"supernet":{"lr":1e-3}}},
             {"name":"experts","recipe":{"supernet":{"lr":1e-3,"epochs":0.5},"weights":{"kind":"mos"}}}]}
JSON
ablate=(study --ablate two.json --pretrained nano/nano.snc "${task[@]}" --recipe "$tuned")
seconds() { number e/ablation.json seconds; }
killed_when e/report.json "${ablate[@]}" --output e
before=$(seconds)
run 0 "${ablate[@]}" --output e
equal "seconds of the cell that was done before" "$(seconds)" "$before"
holds err '^nano seed 1, plain: done before$'
holds err '^teacher: e/full/nano/seed-2/logits.bin is up to date$' # asked once for all variants
equal "files of answers that are left" "$(find e -name logits.bin)" ""
holds out '^| slice | nano | plain | 2 of 2 | [0-9.]* | [0-9.]* | [0-9.]* | [0-9.]* | [0-9.]* |.*| - | - | - |$'
holds out '^| slice | nano | experts | 2 of 2 |.*| [+-][0-9.]* ([+-][0-9.]* to [+-][0-9.]*) | [+-].* |$'
# Updates are those of the first variant, whatever a recipe says of epochs; nets are the same, and each repaired one has both scores.
equal "steps of a stage's cells" "$(tr -d '\n\t ' <e/ablation.json | grep -oE '"steps":[0-9]+' | sort -u | wc -l)" 2
holds out '^| full | nano | experts | 2 of 2 |'
lines e/report.csv 49
equal "nets of the variants" "$(awk -F, '$1 $4 == "sliceplain" && $3 == 1 { print $5 $6 $7 }' e/report.csv)" "$(awk -F, '$1 $4 == "sliceexperts" && $3 == 1 { print $5 $6 $7 }' e/report.csv)"
equal "repaired nets" "$(grep -cE ',[0-9.]+,[0-9.]+,[0-9.]+,[0-9.]+$' e/report.csv)" 16
check "shares rise from 0.25 to 0.75" awk -F, '$1 $4 == "sliceplain" && $3 == 1 && $6 != "" { ok = ok + ($6 > last); last = $6 } END { exit !(ok == 4 && last > 0.7 && last < 0.8) }' e/report.csv
cp e/report.csv first.csv
run 0 "${ablate[@]}" --output e
equal "cells done before" "$(grep -c ': done before$' err)" 8
same e/report.csv first.csv
gfm e/report.md
holds e/report.md '^# Ablation two.json: equal updates$'
sed -i 's/"lr":1e-3,"epochs"/"lr":2e-3,"epochs"/' two.json # another recipe: its cells alone are made anew
run 0 "${ablate[@]}" --output e
equal "cells done before" "$(grep -c 'plain: done before$' err)" 4
check "other cells are others" test "$(cmp e/report.csv first.csv | wc -l)" -eq 1
same <(grep plain e/report.csv) <(grep plain first.csv)

# Equal time; a variant that diverges, for the teacher's last states are huge and it alone looks at them.
cp t.snc huge.snc
poke huge.snc "$(offset huge.snc layer.2.ffn.norm.weight)" '\xca\xf2\x49\x71' && reseal huge.snc
cat >three.json <<'JSON'
{"equal":"time","nets":2,"variants":[{"name":"plain"},{"name":"broken","recipe":{"supernet":{"hidden_weight":1}}},{"name":"longer","times":100}]}
JSON
ablate=(study --ablate three.json --teacher huge.snc --task nano/task.json "${task[@]}" --max-train-samples 100 --output f)
run 2 "${ablate[@]}"
holds err '^compress: ablation three.json: 1 failed: broken: step 1: the loss of .* is not finite'
holds out '^| full | nano | plain | 1 of 1 |.*| - | [0-9]* | [0-9.]* | [0-9]* | - | - | - |$'
holds out '^| full | nano | broken | 0 of 1 | - | - |'
holds out '^- failed: full, nano seed 42, broken: step 1: the loss of .* is not finite'
check "more time is more steps" awk -F'|' '/ plain / { n = $15 } / longer / { exit !($15 > 3 * n) }' out
run 2 "${ablate[@]}"
equal "cells that are made again" "$(grep -c '^ablation: ' err)" 0
# With tau, by the latency table that is there: nets of one latency, each distilled alone once for all variants.
cp a/latency.json f/full/nano/seed-42
sed 's/\("target of size or latency":\t"\)one/\1none/' a/latency.json.inputs >f/full/nano/seed-42/latency.json.inputs
sed -i 's/"nets":2,/"nets":2,"tau":{"nets":4,"latency":0.8},"repair":{"epochs":0.1},/; s/,{"name":"broken[^}]*}}}//; s/"times":20/"times":1/' three.json
run 0 "${ablate[@]}"
equal "nets that were distilled alone" "$(grep -c '^alone: epoch 1' err)" 4
holds err '^profile: .* is up to date$'
holds err '^tau: 4 of [0-9]* nets that take [0-9]* to [0-9]* us$'
equal "rows with a tau" "$(grep -cE '^\| full \| nano \| (plain|longer) \| 1 of 1 \|.*\| -?[01]\.[0-9]+ \| [0-9]+ \| [0-9.]+ \| [0-9]+ \|' out)" 2
run 0 "${ablate[@]}"
equal "nets that were distilled alone" "$(grep -c '^alone: ' err)" 0
run 0 study --ablate quick --teacher t.snc --task nano/task.json "${task[@]}" --max-train-samples 100 --output g --quiet
equal "rows of what is shipped" "$(grep -c '^| slice | nano | .* | 3 of 3 |' out)" 3

# Before any work: what the file says wrong.
ablate=(study --ablate bad.json --teacher t.snc --data nano --output h)
bad() { # TEXT JSON
    printf '%s' "$2" >bad.json
    refused "$1" "${ablate[@]}"
}
some='"tasks":["nano/task.json"],"variants":[{"name":"a"},{"name":"b"'
bad "bad.json: no 'variants' to compare" '{"tasks":["nano/task.json"],"variants":[]}'
bad "one variant alone" '{"tasks":["nano/task.json"],"variants":[{"name":"a"}]}'
bad "two variants are called 'b'" "{$some},{\"name\":\"b\"}]}"
bad "unknown key 'net'" "{$some}],\"net\":3}"
bad "unknown key 'time'" "{$some,\"time\":2}]}"
bad "bad.json: variant b: recipe: 'supernet': unknown key 'samplr': nearest is 'sampler'" "{$some,\"recipe\":{\"supernet\":{\"samplr\":1}}}]}"
bad "sandwich" "{$some,\"recipe\":{\"supernet\":{\"sampler\":\"sandwitch\"}}}]}"
bad "bad.json: variant b: recipe: 'weights': 'rank' makes no sense beside 'kind' 'dense'" "{$some,\"recipe\":{\"weights\":{\"rank\":2}}}]}"
bad "bad.json: variant b: experts of rank 64" "{$some,\"recipe\":{\"weights\":{\"kind\":\"mos\",\"rank\":64}}}]}"
bad "teacher and repair are the same for all" "{$some,\"recipe\":{\"repair\":{\"lr\":1e-3}}}]}"
bad "'repair': unknown key 'netz'" "{$some}],\"repair\":{\"netz\":2}}"
bad "'equal' \"luck\": expected updates or time" "{$some}],\"equal\":\"luck\"}"
bad "'go_on' 2 without 'rows'" "{$some}],\"go_on\":2}"
bad "'seeds': 3 stands there twice" "{$some}],\"seeds\":[3,3]}"
bad "task 'none'" '{"tasks":["none"],"variants":[{"name":"a"},{"name":"b"}]}'
bad "variant 'a/b': expected letters" '{"tasks":["nano/task.json"],"variants":[{"name":"a/b"},{"name":"b"}]}'
bad "study --ablate: --task is missing, and bad.json has no 'tasks'" '{"variants":[{"name":"a"},{"name":"b"}]}'
printf '{%s}]}' "$some" >bad.json
refused "--task nano/task.json beside 'tasks' of bad.json" "${ablate[@]}" --task nano/task.json
refused "--ablate beside --protocols" "${ablate[@]}" --protocols tau
refused "study --ablate: --pretrained or --teacher is missing" study --ablate bad.json --data nano --output h
refused "study --ablate: s.snc: it makes its supernets itself" study s.snc "${ablate[@]:1}"
refused "is not fine-tuned for nano" study --ablate bad.json --teacher nano/nano.snc --data nano --output h
refused "not empty and no ablation of this program" study --ablate bad.json --teacher t.snc --data nano --output a
absent h
