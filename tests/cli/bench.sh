#!/usr/bin/env bash
# Every cell of the comma lists in every format, and scores on tasks.
. "$(dirname "$0")/lib.bash"
nano nano
cells=(bench nano/nano.snc -b 1,8 -s 8,40 -t 1,2 -r 4)

run 0 "${cells[@]}" -o csv
lines out 9
columns=model,batch,seq,threads,p50_ms,p90_ms,p99_ms,tokens_per_s,sentences_per_s,percentile_ms,percentile_low_ms,percentile_high_ms,samples,batches_timed,task,rows,metric,value,error
holds out "^$columns,host_cpu,host_isa,"
check "cells of the csv" awk -F, 'NR == 1 { columns = NF; next }
    NF != columns || $5 <= 0 || $5 > $6 || $6 > $7 || $8 <= 0 { exit 1 }
    seen[$2 "," $3 "," $4]++ { exit 1 } END { for (b = 1; b <= 8; b += 7) for (t = 1; t <= 2; t++)
        if (!((b ",8," t) in seen) || !((b ",40," t) in seen)) exit 1 }' out
equal "standard error" "$(grep -v '^bench ' err)" ""

run 0 "${cells[@]}" -o json
for key in model batch seq threads p50_ms p90_ms p99_ms tokens_per_s sentences_per_s cpu isa; do
    equal "times '$key' stands in the list" "$(grep -c "\"$key\":" out)" 8
done
check "the answer is one list" awk 'NR == 1 && $0 != "[{" { exit 1 } { last = $0 } END { exit last != "\t}]" }' out
equal "samples of a cell" "$(number out samples)" 4

run 0 "${cells[@]}"
lines out 12
check "columns of the table" awk '/^\| nano/ { n++ } /^\|/ && gsub(/\|/, "") != 10 { bad = 1 } END { exit bad || n != 8 }' out
holds out '^host: {.*"cpu":'

# Long and short names, underscores and '=' say the same.
run 0 bench nano/nano.snc --batch=2 --seq_len 8 --threads 1 --format csv --repeats 4
lines out 2

# Scores of two models, one of them INT8; with --tasks alone there are no cells.
run 0 finetune --pretrained nano/nano.snc --task nano/task.json --data nano --output t.snc --epochs 2 --lr 2e-3 --threads 1
run 0 export t.snc --policy int8 --output t8.snc
run 0 bench t.snc t8.snc --tasks nano/task.json --data nano -o csv
lines out 3
check "scores" awk -F, 'NR == 1 { next } $2 != 1 || $3 != "data" || $4 != 1 || $5 <= 0 || $15 != "nano" || $16 != 200 || $17 != "accuracy" || $18 < 0.8 ||
    $19 != "" { exit 1 }' out
value=$(printf %.6f "$(awk -F, 'NR == 2 { print $18 }' out)")
run 0 eval t.snc --task nano/task.json --data nano --json
equal "score of eval" "$(printf %.6f "$(number out accuracy)")" "$value"
# Labels go by their names: a task that lists them the other way round scores the same.
sed 's/"negative","positive"/"positive","negative"/' nano/task.json > turned.json
run 0 bench t.snc t8.snc --tasks nano/task.json,turned.json --data nano -o csv
equal "scores by either order of labels" "$(awk -F, '$15 == "nano" { print $1, $18 }' out | sort -u | wc -l)" 2
equal "scores" "$(grep -c ,nano, out)" 4
run 0 bench t.snc --tasks nano/task.json --data nano -s 8 -r 3 -o csv
lines out 3
keys() { awk -F'"' '/^\t\t"/ { k = k " " $2 } /^\t}/ { print k; k = "" }' out; } # of each row of the list
run 0 bench t.snc t8.snc --tasks nano/task.json --data nano -b 1,2 -s 8 -r 3 --profile -o json
equal "kinds of rows, of latency and of scores" "$(keys | grep -c . ) $(keys | sort -u | wc -l)" "6 1"

# Where the time goes: seven parts a cell, whose shares make one.
run 0 bench t8.snc -b 1,2 -s 8 -r 5 --profile -o csv
check "parts" awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /^profile_.*_share$/) share[i] = 1; next } { for (i in share) { n++; sum += $i } }
    END { exit n != 14 || sum < 1.999 || sum > 2.001 }' out
run 0 bench t8.snc -s 8 -r 5 --profile -o json
holds out '"kernel_peak_tops":'
equal "parts of the list" "$(grep -c '"of_peak":' out)" 7
run 0 bench t8.snc -s 8 -r 5 --profile
holds out '^| t8.snc | 1 | 8 | 1 | ffn_in | '

refused "-s data needs a file" bench nano/nano.snc -s data
refused "-s 41: the model has 40 positions" bench nano/nano.snc -s 8,41
refused "--batch '0'" bench nano/nano.snc -b 0
refused "--batch 'x'" bench nano/nano.snc -b 1,x
refused "--batch ''" bench nano/nano.snc -b 1,
refused "--seq-len '-3'" bench nano/nano.snc -s -3
refused "--threads '0'" bench nano/nano.snc -t 0
refused "--format 'xml'" bench nano/nano.snc -o xml
refused "bench: --data is missing" bench t.snc --tasks nano/task.json
refused "task 'none'" bench t.snc --tasks none --data nano
# The last of several is looked at before the first is timed, which would take minutes here.
SECONDS=0
refused "none.snc" bench nano/nano.snc none.snc -s 8 -r 1000000
refused "-s 41: the model has 40 positions" bench nano/nano.snc t.snc -s 8,41 -r 1000000
refused "-s data needs a file" bench t.snc nano/nano.snc -s 8,data -r 1000000
refused "bench: --data is missing" bench t.snc --tasks nano/task.json -s 8 -r 1000000
less "seconds of four refusals" "$SECONDS" 20

# ---- what does not fit is a row that says so, and the exit code at the end ------------------------------------------------------------
sed 's/"negative","positive"/"negative","neutral","positive"/; s/"nano"/"three"/' nano/task.json >three.json
sed 's/,"labels":.*"metrics":.*,/,"type":"regression","metrics":["pearson"],/; s/"nano"/"graded"/' nano/task.json >graded.json
mkdir -p mixed && cp nano/train.tsv nano/dev.tsv mixed
awk -F'\t' -v OFS='\t' 'NR > 1 { $2 = NR % 3 } 1' nano/dev.tsv >mixed/graded.tsv
sed -i 's/"dev.tsv"/"graded.tsv"/' graded.json
"$MAKE_NANO" --hf t.snc hf && mkdir mute && cp hf/config.json hf/model.safetensors mute
tasks=(--tasks nano/task.json,./three.json,./graded.json --data mixed)
# A model that says of which of the tasks it is has no row of the others; one of none of them, or that does not say, has rows of all.
sed 's/"nano"/"twin"/' nano/task.json >twin.json
cp t8.snc twin.snc && "$MAKE_NANO" --meta twin.snc task '"twin"'
cp t.snc any.snc && "$MAKE_NANO" --meta any.snc task null
run 0 bench t.snc twin.snc any.snc --tasks nano/task.json,./twin.json --data nano -r 3
holds out '^| score | nano | twin |$'
holds out '^| t.snc | [0-9.]* | - |$'
holds out '^| twin.snc | - | [0-9.]* |$'
holds out '^| any.snc | [0-9.]* | [0-9.]* |$'
run 0 bench twin.snc --tasks nano/task.json --data nano -r 3 -o csv
holds out '^twin.snc,.*,nano,200,accuracy,'
for m in t t8; do "$MAKE_NANO" --meta $m.snc task null; done
run 2 bench t.snc mute nano/nano.snc t8.snc "${tasks[@]}" -s 8 -r 3 -o csv
lines out 17
equal "widths of the table" "$(grep -v '"' out | awk -F, '{ print NF }' | sort -u | wc -l)" 1
equal "rows with numbers" "$(awk -F, 'NR > 1 && $19 == ""' out | wc -l)" 6
for why in 't.snc,1,data,1,,.*,three,,,,"t.snc: has 2 classes, task three has 3",' ',graded,,,,"t.snc: tells classes apart, but task graded asks for a number",' \
    ',nano,,,,mute: has no tokenizer inside,' ',three,,,,mute: has no tokenizer inside,' ',graded,,,,"nano/nano.snc: has no trained classifier'; do
    holds out "$why"
done
holds err '^compress: 10 of 16 rows have no numbers: t.snc: has 2 classes, task three has 3$'
run 2 bench t.snc mute "${tasks[@]}" -s 8 -r 3 -o json
equal "kinds of rows" "$(keys | grep -c .) $(keys | sort -u | wc -l)" "8 1"
equal "rows without numbers" "$(grep -c '"error":.*null' out) $(grep -c '"p50_ms":.*null' out)" "3 5"
run 2 bench t.snc mute "${tasks[@]}" -s 8 -r 3
holds out '^| mute | three | 1 | data | 1 | mute: has no tokenizer inside |$'
cp t.snc nan.snc && poke nan.snc "$(offset nan.snc pooler.bias)" '\x00\x00\xc0\x7f' && reseal nan.snc
run 2 bench nan.snc t.snc -s 8 -r 3 --tasks nano/task.json --data nano -o csv
equal "rows of a model without numbers" "$(grep -c 'not finite' out)" 2
equal "rows of the other" "$(awk -F, '$1 == "t.snc" && $5 > 0' out | wc -l)" 2
# Names with commas and quotes are one column.
cp t.snc 'a "b", c.snc'
run 0 bench 'a "b", c.snc' -s 8 -r 3 -o csv
holds out '^"a ""b"", c.snc",1,8,1,'
mkdir -p oops && cp nano/train.tsv oops && { cat nano/dev.tsv; echo oops; } >oops/dev.tsv
refused "oops/dev.tsv:202: 1 column" bench t.snc --tasks nano/task.json --data oops -s 8 -r 1000000

# Real lengths, more than there is time for: some of them, spread over the sizes, and it is said; all of them otherwise.
run 0 bench t.snc -s data -o json --time-budget 0.0002s
holds err '^t.snc: [0-9]* of 120 batches timed, spread over their sizes: percentile 50 is [0-9.]* ms (95%: [0-9.]* to [0-9.]*)$'
less "batches timed" "$(number out batches_timed)" 120
run 0 bench t.snc -s data -o json
equal "batches timed" "$(number out batches_timed)" 120
equal "standard error" "$(grep -v '^bench ' err)" ""
