#!/usr/bin/env bash
# Rows as people have them, without a task file: columns by name, one file without a dev split, quotes that are text and quotes that are not.
. "$(dirname "$0")/lib.bash"
nano nano
train=(--epochs 1 --lr 2e-3 --threads 1)
quick=(--supernet-epochs 0.2 --supernet-lr 1e-3 --augment 0)

# ---- one CSV of pairs through every verb that reads rows --------------------------------------------------------------------
awk -F'\t' 'NR == 1 { print "id,first part,second part,verdict"; next }
    { gsub(/"/, "\"\"", $1); n = index($1, " "); printf "%d,\"%s\",\"%s\",%s\n", NR, substr($1, 1, n - 1), substr($1, n + 1), $2 }' nano/train.tsv >pairs.csv
rows=(--data pairs.csv --text "first part" --text-pair "second part" --label verdict --quoting csv)
run 0 finetune --pretrained nano/nano.snc "${rows[@]}" "${train[@]}" --output t.snc
holds err 'pairs.csv: no dev file: 1[12][0-9] rows of it are dev'
cp err first.txt
run 0 finetune --pretrained nano/nano.snc "${rows[@]}" "${train[@]}" --output other.snc --seed 7
equal "dev of another seed" "$(grep -o 'no dev file: [0-9]* rows' err)" "$(grep -o 'no dev file: [0-9]* rows' first.txt)"
run 0 eval t.snc "${rows[@]}" --json
held=$(number out n)
equal "rows of dev" "no dev file: $held rows" "$(grep -o 'no dev file: [0-9]* rows' first.txt)"
run 0 eval t.snc "${rows[@]}" --seed 7
cp out seeded.txt
run 0 eval t.snc "${rows[@]}"
equal "score with another seed" "$(head -1 out)" "$(head -1 seeded.txt)"
run 0 supernet --teacher t.snc "${rows[@]}" "${quick[@]}" --threads 1 --output s.snc
run 0 profile s.snc "${rows[@]}" --output table.json
run 0,3 search s.snc --teacher t.snc "${rows[@]}" --target-size 0.9x --evals 12 --output found
run 0 study s.snc --teacher t.snc "${rows[@]}" --augment 0 --protocols hypervolume --searchers random --seeds 1 --evals 8 --output studied
run 0 export t.snc --policy int8 --trim-vocab "${rows[@]}" --output trimmed.snc
run 0 bench t.snc --tasks custom "${rows[@]}" -o csv
holds out 'custom'
job=(--pretrained nano/nano.snc "${rows[@]}" --epochs 1 --lr 2e-3 "${quick[@]}" --evals 12 --repair off --target-size 0.9x --threads 1 --output job)
run 0 "${job[@]}"
holds job/report.json "\"dev\":.*$held"
run 0 finetune --pretrained nano/nano.snc "${rows[@]}" "${train[@]}" --output t.snc
holds err 't.snc is up to date'

# ---- columns --------------------------------------------------------------------------------------------------------------------
tune() { finetune=(finetune --pretrained nano/nano.snc --threads 1 --epochs 0.1 --output x.snc --overwrite "$@"); }
tune --data pairs.csv --text "first part"
refused "pairs.csv:1: no column 'label'" "${finetune[@]}"
tune --data pairs.csv --text nothing --label verdict
refused "pairs.csv:1: no column 'nothing'" "${finetune[@]}"
tune --data none.csv --label verdict
refused "none.csv: no such folder or file" "${finetune[@]}"
tune --data pairs.csv --task custom --label verdict --text "first part" --quoting rfc
refused "--quoting 'rfc': expected auto, none or csv" "${finetune[@]}"
# `custom` takes both texts where both are there.
mkdir both && sed '1s/.*/id,text_a,text_b,label/' pairs.csv >both/train.csv
run 0 finetune --pretrained nano/nano.snc --task custom --data both "${train[@]}" --output both.snc
same_tensors both.snc t.snc
run 0 finetune --pretrained nano/nano.snc --task custom-pair --data both "${train[@]}" --output both.snc --overwrite
same_tensors both.snc t.snc

# ---- quotes ----------------------------------------------------------------------------------------------------------------------
mkdir quoted && awk -F'\t' 'NR == 1 { print "text\tlabel"; next } { printf "\"%s\"\t%s\n", $1, $2 }' nano/train.tsv >quoted/train.tsv
for quoting in auto none csv; do
    run 0 finetune --pretrained nano/nano.snc --task custom --data quoted --quoting $quoting "${train[@]}" --output $quoting.snc
done
same_tensors auto.snc none.snc # nothing in the file needs its quotes
tensors csv.snc >a.tensors && tensors none.snc >b.tensors
check "quotes undone make no difference" test "$(cksum <a.tensors)" != "$(cksum <b.tensors)"
no_leftovers .
