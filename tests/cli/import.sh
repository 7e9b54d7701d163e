#!/usr/bin/env bash
# What models are and would cost, against the files that they become; and several in order of what they learn.
. "$(dirname "$0")/lib.bash"
nano nano
soon=(--time-budget 0.02)
hf=$TESTS/golden/checkpoints/hf
run 0 finetune --pretrained nano/nano.snc --task nano/task.json --data nano --output t.snc --epochs 2 --lr 2e-3 --threads 1

# ---- one model, nothing written ----------------------------------------------------------------------------------------------
run 0 import --pretrained t.snc "${soon[@]}"
equal "what it is" "$(sed -n 1,2p out)" "t.snc: bert, 3 layers, hidden 32, 4 heads of 8, FFN 64, vocabulary 97 (wordpiece), 40 tokens at most
a trained classifier of 2 classes: negative, positive"
holds out '^policy        MB         ms   (a call of 1 x 128 tokens, 1 thread, percentile 50)$'
for policy in f32 bf16 int8 int4; do holds out "^$policy  *[0-9.]*  *[0-9]*\.[0-9]*$"; done
for policy in f32 bf16 int8 int4; do
    run 0 export t.snc --policy $policy --output $policy.snc
done
run 0 import --pretrained t.snc -s 16 -b 4 -t 2 --percentile 90 --json "${soon[@]}"
cp out cost.json
equal "its parameters" "$(number cost.json parameters)" "$("$COMPRESS" info t.snc --json >info.json && number info.json parameters)"
equal "its multiply-adds" "$(number cost.json macs_128)" "$(number info.json macs_128)"
for policy in f32 bf16 int8 int4; do # the header is what nobody knows before it is written
    bytes=$(tr -d ' \n\t' <cost.json | grep -o "\"policy\":\"$policy\",\"bytes\":[0-9]*" | sed 's/.*://')
    size=$(wc -c <$policy.snc)
    check "$policy: told $bytes bytes, the file has $size" test "$bytes" -ge "$size" -a "$bytes" -lt $((size + 24000))
done
run 0 import --pretrained nano/nano.snc "${soon[@]}"
holds out '^no trained classifier'
equal "files that looking left" "$(ls)" "$(printf '%s\n' bf16.snc cost.json err f32.snc info.json int4.snc int8.snc nano out t.snc)"
refused "--seq-len 64: the model has 40 positions" import --pretrained t.snc -s 64 "${soon[@]}"
refused "--seq-len data: real lengths are a task's" import --pretrained t.snc -s data "${soon[@]}"
refused "--time-budget 'long'" import --pretrained t.snc --time-budget long
refused "import: --data is missing" import --pretrained t.snc --task nano/task.json "${soon[@]}"
# Written, it says the same but for the times, which it does not take.
run 0 import --pretrained t.snc --output w.snc --batch 2
holds err '^warning: --batch has no effect beside --output$'
same <(sed -n '2,$p' out) <("$COMPRESS" import --pretrained t.snc "${soon[@]}" 2>/dev/null | sed -E 's/^policy.*/policy        MB/; s/^([bfint]+[0-9]+ +[0-9.]+) .*/\1/')
run 0 import --pretrained t.snc --output w.snc --json
equal "parameters of what is written" "$(number out parameters)" "$(number info.json parameters)"
refused "none.snc,t.snc: No such file" import --pretrained none.snc,t.snc --output w.snc --overwrite

# ---- several -----------------------------------------------------------------------------------------------------------------
learn=(--task nano/task.json --data nano --epochs 1 --lr 1e-4 --batch-size 16 --max-train-samples 200 --max-length 20 --seed 7)
run 0 import --pretrained "$hf,nano/nano.snc,t.snc" "${learn[@]}" "${soon[@]}"
equal "models in order" "$(sed -n '4s/ .*//p' out)" t.snc
holds out '^score: [0-9]* rank rows, the same of all'
lines out 6
equal "points under the best" "$(tail -n +4 out | grep -c ' (.* to .*)$')" 2
cp out several
run 0 import --pretrained "$hf,nano/nano.snc,t.snc" "${learn[@]}" "${soon[@]}"
score() { tail -n +4 "$1" | awk '{ print $1, $8, $9 }'; } # the times are the clock's
same <(score out) <(score several)
run 0 import --pretrained t.snc "${learn[@]}" "${soon[@]}"
holds out '^score [0-9.]* on [0-9]* rank rows after '
run 0 import --pretrained t.snc,nano/nano.snc "${learn[@]:0:4}" --epochs 0 "${soon[@]}"
lacks out score
holds out "^latency of a call of 1 x the task's tokens"
run 2 import --pretrained t.snc,none.snc "${soon[@]}"
holds out '^none.snc *none.snc: No such file'
holds out '^t.snc  *[0-9.]* '
holds err '^compress: import: 1 of 2 models cannot be had: their rows say why$'
refused "expected up to 32 models" import --pretrained t.snc,,t.snc
# A table of the user's own.
mkdir own
awk -F'\t' 'NR == 1 { print "a,b,c" } NR > 1 && NR < 400 { print "\"" $1 "\",the film," $2 }' nano/train.tsv >own/train.csv
run 0 import --pretrained nano/nano.snc --data own --text a --text-pair b --label c --quoting csv --epochs 1 --json "${soon[@]}"
less "a score"  0 "$(number out score)"
