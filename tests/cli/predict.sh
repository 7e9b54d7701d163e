#!/usr/bin/env bash
# One answer a line, in order, on standard output alone; the INT8 file answers like the F32 one.
. "$(dirname "$0")/lib.bash"
nano nano
run 0 finetune --pretrained nano/nano.snc --task nano/task.json --data nano --output t.snc --epochs 2 --lr 2e-3 --compute f32 --threads 1

printf 'good film\nbad movie\n\nvery good\tit is bad\n\t\nthe film was bad bad\r\n\xff\xfe good\nlast' >in
run 0 predict t.snc <in
lines out 8
equal "standard error" "$(cat err)" "warning: 1 text was no UTF-8: bytes that are none were read as U+FFFD"
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

# ---- in a pipe: an answer as soon as no more lines wait, also to one that is there in part ---------------------------------------------
# piped ARG...: the program between the descriptors `to` and `from`.
piped() {
    mkfifo pipe.in pipe.out
    "$COMPRESS" "$@" <pipe.in >pipe.out 2>err &
    CHILD=$!
    exec {to}>pipe.in {from}<pipe.out
    rm pipe.in pipe.out
}
talk() { # TEXT...: writes each and waits for an answer
    local text
    for text; do
        printf "$text" >&"$to"
        check "no answer to '$text'" read -r -t 60 ANSWER <&"$from"
    done
}
hung_up() { # COUNT: no more input; so many answers are left
    exec {to}>&-
    equal "answers after the last" "$(wc -l <&"$from")" "$1"
    exec {from}<&-
    wait $CHILD
    equal "exit code at the end of a pipe" $? 0
    CHILD=""
    equal "standard error" "$(cat err)" ""
}
piped predict t.snc
talk 'good film\n' 'bad movie\n' '\n' 'good\r\ngo' 'od film\nbad' # the last two: lines in two parts
printf 'good film\n' >in
run 0 predict t.snc <in
equal "a line in two parts" "$ANSWER" "$(cat out)"
hung_up 1 # of a line without an end
piped tokenize --pretrained t.snc
talk 'good film\n' 'bad movie\n'
hung_up 0
# Lines longer than what is read at once, and many of them.
awk 'BEGIN { for (i = 0; i < 400; i++) { n = i % 7 ? i % 5 : 30000; for (k = 0; k < n; k++) printf "good "; print "film" } }' >in
cat in | "$COMPRESS" predict t.snc >out 2>err
run 0 predict t.snc --format text <in
cp out all
cat in | { sleep 0.1; cat; } | "$COMPRESS" predict t.snc >out 2>err
lines out 400
same <(cut -f1 all) <(cut -f1 out)

# ---- --format jsonl: an object a line, all classes by name ---------------------------------------------------------------------------
printf 'good film\n\nbad \xff "movie"\n%s\n' "$long" >in
run 0 predict t.snc <in
cp out text
run 0 predict t.snc --format jsonl <in
number='(0|1|[0-9.]+(e-[0-9]+)?)' bool='(true|false)'
object="\{\"line\":[1-4],\"label\":\"(negative|positive)\",\"probability\":$number,\"probabilities\":\{\"negative\":$number,\"positive\":$number\}"
check "objects" test "$(grep -cxE "$object,\"cut\":$bool,\"invalid_utf8\":$bool\}" out)" -eq 4
equal "line numbers" "$(grep -o '"line":[0-9]*' out | tr '\n' ' ')" '"line":1 "line":2 "line":3 "line":4 '
equal "what was cut" "$(grep '"cut":true' out | cut -c1-10)" '{"line":4,'
equal "what was no UTF-8" "$(grep '"invalid_utf8":true' out | cut -c1-10)" '{"line":3,'
same <(cut -f1 text) <(sed 's/.*"label":"\([a-z]*\)".*/\1/' out)
check "probabilities are those of the other format" awk -F'[\t]' 'NR == FNR { p[NR] = $2; next } { split($0, f, /"probability":/); x = f[2] + 0
    if (p[FNR] - x > 1e-5 || x - p[FNR] > 1e-5) exit 1 }' text out
run 0 predict t.snc -o jsonl --logits <in
check "objects with logits" test "$(grep -cxE "$object,\"logits\":\{\"negative\":-?$number,\"positive\":-?$number\},\"cut\":$bool,\"invalid_utf8\":$bool\}" out)" -eq 4
refused "--format 'json': expected text or jsonl" predict t.snc --format json
# Names that JSON writes otherwise, and two classes of one name.
cp t.snc odd.snc
"$MAKE_NANO" --set odd.snc labels '["say \"no\" \\ or é","say \"no\" \\ or é"]' || exit 2
run 0 predict odd.snc -o jsonl <in
holds out '"probabilities":{"say \\"no\\" \\\\ or é":[0-9.e-]*,"say \\"no\\" \\\\ or é#1":[0-9.e-]*},'
# A regression: its value, as in the other format.
awk -F'\t' -v OFS='\t' 'NR > 1 { $2 = NR % 3 } 1' nano/train.tsv >train.tsv && awk -F'\t' -v OFS='\t' 'NR > 1 { $2 = NR % 3 } 1' nano/dev.tsv >dev.tsv
sed 's/,"labels":.*"metrics":.*,/,"type":"regression","metrics":["pearson"],/' nano/task.json >graded.json
run 0 finetune --pretrained nano/nano.snc --task ./graded.json --data . --output graded.snc --epochs 0.1 --threads 1
run 0 predict graded.snc <in
cp out text
run 0 predict graded.snc -o jsonl <in
check "values" test "$(grep -cxE "\{\"line\":[1-4],\"value\":-?$number,\"cut\":$bool,\"invalid_utf8\":$bool\}" out)" -eq 4
check "values are those of the other format" awk 'NR == FNR { v[NR] = $1; next } { split($0, f, /"value":/); x = f[2] + 0
    if (v[FNR] - x > 1e-6 || x - v[FNR] > 1e-6) exit 1 }' text out
# One text without a number for an answer: the others have theirs, and it is said.
cp t.snc nan.snc
movie=$(printf 'movie\n' | "$COMPRESS" tokenize --pretrained t.snc | cut -d' ' -f2)
poke nan.snc $(($(offset nan.snc embeddings.word.weight) + movie * 32 * 4)) '\x00\x00\xc0\x7f'
reseal nan.snc
printf 'good film\nbad movie\nthe film\n' >in
run 2 predict nan.snc -o jsonl <in
lines out 3
equal "the object of a failure" "$(sed -n 2p out)" '{"line":2,"error":"its logits are not finite"}'
check "the others" test "$(grep -c '"label"' out)" -eq 2
equal "standard error" "$(cat err)" "compress: nan.snc: 1 of 3 lines have no answer: their logits are not finite"
run 2 predict nan.snc <in
lines out 1
equal "standard error" "$(cat err)" "compress: nan.snc: line 2: its logits are not finite"

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

# Files of every format that there has been, each written by the program that had it last (tests/golden/formats).
formats=$TESTS/golden/formats
for f in 1 2 3 4 5 5:1; do # FORMAT:NET
    file=$formats/${f%:*}.snc net=${f##*:}
    run 0 predict "$file" $([ "$net" = "$f" ] || echo "--net $net") <"$formats/texts.txt"
    check "answers of format $f" awk -F'\t' -v f=$f 'NR == FNR { if ($1 == f) { n++; l[n] = $2; p[n] = $3 } next }
        l[FNR] != $1 || p[FNR] - $2 > 2e-3 || $2 - p[FNR] > 2e-3 { exit 1 } END { if (FNR != n || n != 4) exit 1 }' "$formats/answers.tsv" out
    check "the format of $file" grep -aq "\"snc_format\":\"${f%:*}\"" "$file"
done
check "the newest format has a file" grep -q "SNC_FORMAT_VERSION = ${f%:*}\b" "$TESTS/../models/snc_file.h"
