#!/usr/bin/env bash
# Any number of labels a row, from the rows through the whole job to the answers.
. "$(dirname "$0")/lib.bash"
nano nano
m=nano/nano.snc
# Two words that each bring a label of their own, and a third label for a digit; a third of the rows has none.
rows() { # N SEED json|tsv
    awk -v n="$1" -v seed="$2" -v form="$3" 'BEGIN { srand(seed); split("the film is it was movie of very a i", w, " ")
        if (form == "tsv") print "text\ttags"
        for (i = 0; i < n; i++) { s = ""; g = rand() < 0.4; b = rand() < 0.4; d = rand() < 0.15
            for (k = 0; k < 4 + int(4 * rand()); k++) s = s w[1 + int(10 * rand())] " "
            if (g) s = s "good good "; if (b) s = s "bad bad "; if (d) s = s "9 9 "
            if (form == "tsv") print s "\t" (g ? "praise" : "") (g && (b || d) ? ", " : "") (b ? "blame" : "") (b && d ? ", " : "") (d ? "figure" : "")
            else print "{\"text\":\"" s "\",\"labels\":[" (g ? "\"praise\"" : "") (g && (b || d) ? "," : "") (b ? "\"blame\"" : "") (b && d ? "," : "") (d ? "\"figure\"" : "") "]}" } }'
}
mkdir json tsv
rows 1200 1 json >json/train.jsonl
rows 200 2 json >json/dev.jsonl
rows 100 3 json | tac >json/more.jsonl # its first rows have other sets of labels than those of dev
rows 1200 1 tsv >tsv/train.tsv
rows 200 2 tsv >tsv/dev.tsv
task=(--task custom-multilabel --data json)
tuned=(--batch-size 8 --epochs 3 --lr 2e-3 --compute f32 --threads 1)

# ---- the whole job ------------------------------------------------------------------------------------------------------
run 0,3 --pretrained $m "${task[@]}" "${tuned[@]}" --target-size 0.99x --supernet-epochs 1 --supernet-lr 1e-3 --augment 1 --evals 20 --repair on --repair-epochs 0.2 \
    --class-weights none --eval dev,more.jsonl --margin 100 --output run
holds run/report.json '"drop_points"'
gfm run/report.md
holds run/report.md '^One answer to every row, '
of() { awk -F, -v r="$1" '$1 == "compressed" && $NF == r { print $9 }' run/report.csv; } # ROWS
for rows in dev more.jsonl pooled; do less "0.8 and the score on $rows" 0.8 "$(of $rows)"; done
check "the pooled score is near the mean of both" awk -v a="$(of dev)" -v b="$(of more.jsonl)" -v p="$(of pooled)" 'BEGIN { e = (2 * a + b) / 3 - p; exit !(e < 0.02 && e > -0.02) }'
run 0 eval run/compressed.snc "${task[@]}" --split more.jsonl --json
check "score on the other file" awk -v a="$(of more.jsonl)" -v micro="$(number out micro_f1)" -v macro="$(number out macro_f1)" 'BEGIN { e = (micro + macro) / 2 - a; exit !(e < 1e-5 && e > -1e-5) }'
holds run/report.md '^| praise | [0-9]* | '
lacks run/report.json '"confusion"'
run 0 eval run/compressed.snc "${task[@]}" --json
for metric in micro_f1 macro_f1; do less "0.9 and $metric" 0.9 "$(number out $metric)"; done
holds out '"classes":\[{"label":"blame"'
run 0 eval run/teacher.snc "${task[@]}"
holds out "^custom-multilabel dev class 'praise' rows [0-9]* answered "
run 0 info run/compressed.snc
holds out '^any number of labels a text, from a probability of 0\.[0-9]* on$'
for f in run/teacher.snc run/full-int8.snc run/compressed.snc; do
    [ -e $f ] || continue
    run 0 info $f --json
    less "0 and the threshold of $f" 0 "$(number out threshold)"
done
run 0 bench run/compressed.snc --tasks custom-multilabel --data json -o json
holds out '"micro_f1"'

# The same rows as TSV, with a separator and blanks: the same training, to the bit.
run 0 finetune --pretrained $m "${task[@]}" "${tuned[@]}" --output json.snc
run 0 finetune --pretrained $m --task custom-multilabel --data tsv "${tuned[@]}" --output tsv.snc
same_tensors json.snc tsv.snc

# ---- answers -----------------------------------------------------------------------------------------------------------
printf 'the film good good was bad bad\nthe film\nmovie is good good\n' >in
run 0 predict run/compressed.snc <in
equal "labels" "$(awk -F'\t' '{ s = $1; for (i = 2; i < NF; i += 2) l[(i / 2)] = $i; print s }' out | tr '\n' ' ')" "2 0 1 "
check "labels of the first line" grep -qP '^2\t(praise\t[0-9.]+\tblame|blame\t[0-9.]+\tpraise)\t[0-9.]+$' out
check "the most probable first" awk -F'\t' 'NR == 1 { exit !($3 >= $5) }' out
check "label of the third" grep -qP '^1\tpraise\t0\.[0-9]+$' out
run 0 predict run/compressed.snc --format jsonl --logits <in
holds out '^{"line":2,"labels":\[\],"probabilities":{"blame":0\.'
run 0 predict run/compressed.snc --logits <in
check "logits behind" awk -F'\t' 'NR == 2 { exit !(NF == 4 && $1 == 0) }' out
"$MAKE_NANO" --meta run/compressed.snc threshold 0.000001
reseal run/compressed.snc
run 0 predict run/compressed.snc <in
equal "labels from hardly any probability on" "$(cut -f1 out | sort -u)" 3
"$MAKE_NANO" --meta run/compressed.snc threshold 1.5
reseal run/compressed.snc
refused "threshold" predict run/compressed.snc

# ---- class weights, kinds of tasks --------------------------------------------------------------------------------------
run 0 finetune --pretrained $m "${task[@]}" "${tuned[@]}" --class-weights balanced --output balanced.snc
check "class weights change nothing" test "$(tensors json.snc | cksum)" != "$(tensors balanced.snc | cksum)"
run 0 finetune --pretrained $m --task nano/task.json --data nano --epochs 0.2 --output classes.snc
refused "classes.snc: gives one class, but task custom-multilabel has any number of labels a row" eval classes.snc "${task[@]}"
refused "json.snc: gives any number of labels, but task nano has one a row" eval json.snc --task nano/task.json --data nano

# ---- rows that are none --------------------------------------------------------------------------------------------------
bad() { # MESSAGE LINE
    printf '%s\n' "$2" | cat json/train.jsonl - >bad/train.jsonl
    cp json/dev.jsonl bad/
    refused "$1" finetune --pretrained $m --task ./some.json --data bad --output bad.snc
}
mkdir -p bad
sed 's/"labels": "auto"/"labels": ["praise", "blame", "figure"]/' "$TESTS/../configs/tasks/custom-multilabel.json" >some.json
bad "train.jsonl:1201: label 'loud' is not one of the task's 3: praise, blame, figure" '{"text":"a","labels":["loud"]}'
bad "train.jsonl:1201: an empty label in a list of labels" '{"text":"a","labels":["praise",""]}'
bad "train.jsonl:1201: an empty label in a list of labels" '{"text":"a","labels":"praise,,blame"}'
bad "train.jsonl:1201: 'labels' must be a string or a number, or a list of those" '{"text":"a","labels":[["praise"]]}'
bad "train.jsonl:1201: no key 'labels'" '{"text":"a"}'
refused "lists need \"type\": \"multilabel\"" finetune --pretrained $m --task custom --data json --output bad.snc
awk 'BEGIN { for (i = 0; i < 200; i++) print "{\"text\":\"film " i "\",\"labels\":[]}" }' >bad/train.jsonl
refused "no row with a label" finetune --pretrained $m --task custom-multilabel --data bad --output bad.snc
refused "every row has an empty list of labels" finetune --pretrained $m --task ./some.json --data bad --output bad.snc
absent bad.snc
