#!/usr/bin/env bash
# Rows as people have them, without a task file: columns by name, one file without a dev split, quotes that are text and quotes that are not.
. "$(dirname "$0")/lib.bash"
nano nano
train=(--epochs 1 --lr 2e-3 --threads 1)
quick=(--supernet-epochs 0.2 --supernet-lr 1e-3 --augment 0)

# ---- one CSV of pairs through every verb that reads rows --------------------------------------------------------------------
awk -F'\t' 'NR == 1 { print "id,first part,second part,verdict"; next }
    { n = index($1, " "); printf "%d,\"%s\",\"%s\",%s\n", NR, substr($1, 1, n - 1), substr($1, n + 1), NR < 6 ? "None" : NR < 60 ? "-1" : $2 }
    END { print "x,\"caf\xc3\xa9 \xff\",\" \",positive"; print "y, ,,negative" }' nano/train.tsv >pairs.csv
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
holds err "no dev file: [0-9]* of its rows are dev"
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
for warning in no-label few-rows; do
    holds job/report.json "\"name\":.*\"$warning\""
    holds job/report.md "^- warning .$warning.: "
    holds err "warning: .$warning. "
done
holds job/report.md "^pairs.csv: CSV, quotes undone; text 'first part', second text 'second part', label 'verdict'; ignored: id; [0-9]* rows, 1 empty, [0-9]* duplicate; invalid UTF-8 bytes replaced: 1; no dev file"
holds job/report.md "^dev  *$held rows: .*; 0 cut at 40 tokens, [0-9]* empty, 0 duplicate, 0 also in train$"
gfm job/report.md
holds job/report.html '<h2>What was read</h2>'
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

# ---- what was read, before the work and in the report ------------------------------------------------------------------------------
awk 'BEGIN { print "id,when,review,stars"
    for (i = 0; i < 2000; i++) {
        k = int(i * 7 / 5) % 3; l = k == 0 ? "good" : k == 1 ? "bad" : "so so"
        if (i % 11 == 0) l = toupper(l); if (i % 13 == 0) l = " " l "  "; if (i % 17 == 0) l = "\"" l "\""
        printf "%d,2024,%s%s the %s %s film %d%s,%s\n", i, i % 5 ? "" : "\"He said \"\"", k == 0 ? "good" : k == 1 ? "bad" : "is", i % 7 ? "very" : "", i % 3 ? "movie" : "a", i, \
            i % 5 ? "" : "\"\", so\nit was\"", l
        if (i % 50 == 0) print ""
        if (i % 100 == 0) print ",,,"
    } }' >messy.csv
messy=(--pretrained nano/nano.snc --data messy.csv --text review --label stars)
run 0 "${messy[@]}" --target-size 0.9x --output run --dry-run
holds out '^What I read$'
holds out "messy.csv: CSV, quotes undone; text 'review', label 'stars'; ignored: id, when; 2000 rows, 0 empty, 0 duplicate; no dev file: [0-9]* of its rows are dev"
holds out '^  train  *[0-9]* rows: bad [0-9]*, good [0-9]*, so so [0-9]* (majority 3[345].[0-9]%); [0-9]* cut at 40 tokens, 0 empty, 0 duplicate$'
holds out '^  dev  *20[01] rows: .*, 0 also in train$'
holds err 'warning: .labels-alike. messy.csv: labels that differ only in case'
check "the block stands before the estimate" awk '/^What I read/ { seen = NR } /^estimate/ { exit !seen }' out
mkdir faults && sed '1s/.*/text\ttext_b\tlabel/;2,$s/\t/\tsame\t/' nano/dev.tsv >faults/train.tsv
run 0 finetune --pretrained nano/nano.snc --data faults --text text "${train[@]}" --output warned.snc
holds err "warning: .second-text-ignored. faults/train.tsv: column 'text_b' is not read: --text-pair 'text_b' makes pairs of it"
run 0 finetune --pretrained nano/nano.snc --task custom --data quoted --text text "${train[@]}" --output warned.snc --overwrite
holds err 'warning: .quoted-texts. quoted/train.tsv: every text begins and ends with a quote'

# ---- what does not fit -----------------------------------------------------------------------------------------------------------------
mkdir large && { head -1 nano/train.tsv; head -c 290000000 /dev/zero | tr '\0' x; printf '\tpositive\n'; } >large/train.tsv
(ulimit -v 1000000; exec "$COMPRESS" finetune --pretrained nano/nano.snc --task custom --data large --output large.snc --quiet) >out 2>err
equal "exit code for rows that memory has no room for" $? 2
lines err 1
holds err "large/train.tsv: 0.29 GB of rows take about 1.16 GB of memory, 0.[0-9]* GB are free"
rm -r large
no_leftovers .
