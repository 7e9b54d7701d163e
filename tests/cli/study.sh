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
refused "the protocol 'tau' needs --target-latency" "${study[@]}" --protocols tau --output d
refused "the protocol 'improvement' needs --target-latency" "${study[@]}" --protocols improvement --output d
refused "--protocols 'fun'" "${study[@]}" --protocols fun --output d
refused "--protocols 'tau,tau'" "${study[@]}" --protocols tau,tau --output d
refused "--seeds 33: --protocols takes at most 32" "${study[@]}" --protocols joint --seeds 33 --output d
refused "study --protocols: --teacher is missing" study s.snc "${data[@]}" --protocols joint --output d
refused "--searchers: two are called linas.json" "${study[@]}" --protocols hypervolume --searchers linas.json,other/linas.json --output d
