#!/usr/bin/env bash
# One answer a line, in order, on standard output alone; the INT8 file answers like the F32 one.
. "$(dirname "$0")/lib.bash"
nano nano
run 0 finetune --pretrained nano/nano.snc --task nano/task.json --data nano --output t.snc --epochs 2 --lr 2e-3 --compute f32 --threads 1

printf 'good film\nbad movie\n\nvery good\tit is bad\n\t\nthe film was bad bad\r\n\xff\xfe good\nlast' >in
run 0 predict t.snc <in
lines out 8
equal "standard error" "$(cat err)" ""
check "every line is a label, a TAB and a probability" test "$(grep -cxP '(positive|negative)\t(0\.[5-9][0-9]*|1\.0+)' out)" -eq 8
cp out together
# Each line alone gives the same answer: batching neither mixes nor reorders.
while IFS= read -r line || [ -n "$line" ]; do
    printf '%s\n' "$line" >one
    run 0 predict t.snc <one
    cat out >>alone
done <in
check "answers alone and together" awk -F'\t' 'NR == FNR { l[NR] = $1; p[NR] = $2; n = NR; next }
    l[FNR] != $1 || p[FNR] - $2 > 1e-4 || $2 - p[FNR] > 1e-4 { exit 1 } END { if (FNR != n) exit 1 }' together alone

# --logits: two columns more; the probability is their softmax, the label the larger.
run 0 predict t.snc --logits <in
check "columns of --logits" awk -F'\t' 'NF != 4 { exit 1 } {
    best = $3 > $4 ? $3 : $4; p = 1 / (exp($3 - best) + exp($4 - best))
    if (p - $2 > 2e-6 || $2 - p > 2e-6 || ($1 == "positive") != ($4 > $3)) exit 1 }' out
cut -f1,2 out >columns
same columns together

# The task's 32 tokens are the limit: what lies behind them changes nothing, and one warning says so.
long=$(printf 'good %.0s' {1..40})
printf '%s\n%s bad bad bad\nbad\n' "$long" "$long" >in
run 0 predict t.snc --logits <in
lines out 3
equal "distinct answers to texts equal in 30 words" "$(sed -n 1,2p out | sort -u | wc -l)" 1
lines err 1
holds err '^warning: 2 .*cut to 32 tokens$'
run 0 predict t.snc --quiet <in
lines err 0
awk 'BEGIN { for (i = 0; i < 10000; i++) printf "good "; print "" }' >in
run 0 predict t.snc <in
lines out 1
lines err 1
holds err '^warning: 1 text was cut to 32 tokens$'

run 0 predict t.snc </dev/null
equal "answer to no input" "$(cat out)" ""
awk 'BEGIN { for (i = 0; i < 1000; i++) print i % 3 ? "good film " i % 10 : "bad movie " i % 10 }' >in
run 0 predict t.snc --threads 2 <in
lines out 1000
cut -f1 out >two
run 0 predict t.snc --backend ref <in
cut -f1 out >ref
same two ref

# The exported INT8 file.
run 0 export t.snc --policy int8 --output t8.snc
tail -n +2 nano/dev.tsv | cut -f1 >in
run 0 predict t.snc <in
cut -f1 out >f32
run 0 predict t8.snc <in
cut -f1 out >int8
lines int8 200
less "share of labels that INT8 changes" "$(paste f32 int8 | awk '$1 != $2' | wc -l)" 7

refused "none.snc" predict none.snc
