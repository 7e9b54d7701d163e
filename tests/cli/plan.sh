#!/usr/bin/env bash
# What a job would take on ranks and cores that need not be there: with one rank here what compress says, every option, and bad input.
# Numbers of seconds are the machine's, so that what they are to each other is looked at.
. "$(dirname "$0")/lib.bash"
nano nano
from=(--pretrained nano/nano.snc --task nano/task.json --data nano)
before=$(find . | sort | grep -vE '/(out|err)[a-z.]*$')
column() { awk -F, -v name="$1" -v r="$2" -v c="$3" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) k = i } $1 == r && $2 == c { print $k }' out; } # NAME RANKS CORES
within() { check "$1: '$2' is not within $4 of '$3'" awk -v a="$2" -v b="$3" -v f="$4" 'BEGIN { exit !(a > 0 && b > 0 && a <= b * f && b <= a * f) }'; } # WHAT A B FACTOR
all_minutes() { sed -n 's/^estimate: .* s; \([0-9.]*\) minutes in all$/\1/p' "$1"; }

# ---- one rank with the cores that are here: what compress says before it starts ---------------------------------------------------
run 0 "${from[@]}" --target-latency 0.7x --output job --dry-run
compress=$(all_minutes out)
run 0 plan "${from[@]}" --target-latency 0.7x
within "minutes that plan says beside compress's estimate" "$(all_minutes out)" "$compress" 1.5
equal "lines of one plan" "$(grep -c '^| 1 | ' out)" 2
check "its speed-up is 1: $(grep '^| 1 | ' out | head -1)" grep -q '^| 1 | .* | 0\.0 % | 1\.00x |$' out
run 0 plan "${from[@]}" --cores "$(getconf _NPROCESSORS_ONLN)" --max-drop 1 # a baseline beside the teacher
check "a baseline takes time" test -n "$(all_minutes out)"

# ---- on paper, from rows by hand -----------------------------------------------------------------------------------------------------
run 0 plan --pretrained nano/nano.snc --rows 20000 --seq-len 24 --batch-size 64 --ranks 1,8,64 --cores 1,32 --network 25gbit/20us --quiet --log-json log.jsonl --format csv
lines out 7
check "parts add up to all" awk -F, 'NR > 1 { s = 0; for (i = 3; i <= 17; i++) s += $i; if (s - $18 > 0.02 || $18 - s > 0.02) exit 1 }' out
for ranks in 1 8 64; do
    equal "rows at once of $ranks ranks" "$(column rows_at_once $ranks 1)" $((64 / ranks))
    check "more cores are not slower with $ranks ranks" awk -v a="$(column all_s $ranks 32)" -v b="$(column all_s $ranks 1)" 'BEGIN { exit !(a <= b) }'
    for part in 'latency table' calibration proof; do equal "$part of $ranks ranks" "$(column "$part" $ranks 1)" "$(column "$part" 1 1)"; done
done
less "memory of training on 64 ranks beside 1" "$(column finetune_bytes 64 1)" "$(column finetune_bytes 1 1)"
equal "exchange of one rank" "$(column exchange_s 1 32)" 0.000
less "exchange of 8 ranks beside 64" "$(column exchange_s 8 32)" "$(column exchange_s 64 32)"
for part in 'teacher logits' search 'second look'; do less "$part of 64 ranks" "$(column "$part" 64 1)" "$(column "$part" 8 1)"; done
equal "scores, which are rank 0's, of 64 ranks" "$(column scores 64 1)" "$(column scores 1 1)"
equal "bytes of other ranks where there is none" "$(column other_bytes 1 1)" 0
check "another rank takes memory" test "$(column other_bytes 8 1)" -gt 1000000
equal "bytes of a machine with a rank of its own" "$(column machine_bytes 8 1)" "$(column most_bytes 8 1)"

run 0 plan "${from[@]}" --ranks 1,2 --cores 2 --network shared --memory-bandwidth 20GB --exchange bf16 -o json
half=$(number out exchanged_bytes)
equal "bandwidth that was said" "$(number out memory_bytes_per_s)" 20000000000
holds out '"shared":.*true'
equal "bytes that a backward pass hides where cores copy them" "$(number out layered_bytes)" 0
check "two ranks take the memory of the machine: $(grep -o '"machine":[^,}]*' out | tr '\n' ' ')" awk -F: '/"most":/ { m = $2 + 0 } /"machine":/ && ++n == 2 { ok = $2 + 0 > m } END { exit !ok }' out
run 0 plan "${from[@]}" --ranks 1,2 --cores 2 --network 1gbit --exchange f32 -o json
within "bytes in f32 beside bf16" "$(number out exchanged_bytes)" "$half" 2.01
less "bytes in bf16 beside f32" "$half" "$(number out exchanged_bytes)"
equal "bytes a second of 1 gbit" "$(number out bytes_per_s)" 125000000
less "bytes that a backward pass hides, of all" "$(number out layered_bytes)" "$(number out exchanged_bytes)"
check "bytes that a backward pass hides by a network" test "$(number out layered_bytes)" -gt 0

# ---- memory: what fits, rows of a step at a time -------------------------------------------------------------------------------------
run 0 plan "${from[@]}" --batch-size 256 --ranks 1 -o csv
much=$(column most_bytes 1 "$(tail -1 out | cut -d, -f2)")
most=$(column finetune_bytes 1 "$(tail -1 out | cut -d, -f2)")
run 0 plan "${from[@]}" --batch-size 256 --ranks 1 -o csv --max-memory $((much * 95 / 100))B
less "rows at once within 95 % of the memory" "$(tail -1 out | awk -F, '{ print $22 }')" 256
check "$(tail -1 out | cut -d, -f27) bytes are more than were allowed" test "$(tail -1 out | cut -d, -f27)" -lt $((much * 95 / 100))
refused 'memory: needs ' plan "${from[@]}" --max-memory 1MB

# ---- the other options, as compress takes them -----------------------------------------------------------------------------------------
tail -n +2 nano/train.tsv | awk -F'\t' 'BEGIN { OFS = "\t"; print "one", "two", "kind" } { print $1, "the film", $2 }' >pairs.tsv
awk -F'\t' 'BEGIN { OFS = "\t" } NR > 1 { print $1, "the film" }' nano/dev.tsv >texts.tsv
run 0 plan --pretrained nano/nano.snc --data pairs.tsv --text one --text-pair two --label kind --quoting none --max-train-samples 400 \
    --max-length 24 --eval dev --unlabeled texts.tsv --threads 1 --batch 1 --seq-len data --backend auto --fp auto --compute f32 --seed 7 \
    --effort quick --recipe default --teachers 2 --epochs 1 --batch-size 16 --supernet-epochs 1 --supernet-batch-size 8 --augment 1 \
    --hidden-weight 1 --sampler sandwich --weights mos --experts 2 --evals 20 --rank-share 0.5 --time-budget 10s --repair on --repair-epochs 1 \
    --share auto --target-latency 0.8x,0.5x --ranks 8 --verbose
equal "plans" "$(grep -c '^| 8 | ' out)" 2
run 0 finetune "${from[@]}" --epochs 1 --threads 1 --output teacher.snc --quiet
awk 'NR == 1 || NR > 200' nano/train.tsv | awk 'NR == FNR { seen[$0] = 1; next } FNR == 1 || !($0 in seen)' <(head -200 nano/train.tsv | tail -n +2) - >train.tsv
head -120 nano/train.tsv >rank.tsv
{ head -1 nano/train.tsv; sed -n 121,199p nano/train.tsv; } >select.tsv
run 0 plan --teacher teacher.snc --data train.tsv --text sentence --label label --rank rank.tsv --select select.tsv -o json
equal "seconds of fine-tuning a teacher that is there" "$(number out finetune)" 0

# ---- bad input -----------------------------------------------------------------------------------------------------------------------
refused 'plan: --pretrained is missing' plan --task nano/task.json --data nano
refused 'plan: --task is missing' plan --pretrained nano/nano.snc
refused 'plan: --data is missing' plan --pretrained nano/nano.snc --task nano/task.json
refused '--rows 1000: --seq-len is missing: tokens of a row' plan --pretrained nano/nano.snc --rows 1000
refused '--rows beside --task: one of the two' plan "${from[@]}" --rows 1000 --seq-len 8
refused '--rows beside --data: one of the two' plan --pretrained nano/nano.snc --data nano --rows 1000 --seq-len 8
refused '--rows' plan --pretrained nano/nano.snc --rows 10 --seq-len 8
refused 'expected at most 5e+08 in all' plan --pretrained nano/nano.snc --rows 50000000 --seq-len 32
refused 'positions' plan --pretrained nano/nano.snc --rows 1000 --seq-len 100000
refused "--seq-len '8,9'" plan --pretrained nano/nano.snc --rows 1000 --seq-len 8,9
refused '--ranks 64: more than the 32 rows of a batch (--batch-size)' plan "${from[@]}" --ranks 1,64
refused "--ranks '0'" plan "${from[@]}" --ranks 0
refused "--ranks 'two'" plan "${from[@]}" --ranks 1,two
refused "--cores '-1'" plan "${from[@]}" --cores -1
refused "--network 'fast': expected shared, or a rate and a latency such as 10gbit or 25gbit/20us" plan "${from[@]}" --network fast
refused "--network 'soon': expected a time" plan "${from[@]}" --network 10gbit/soon
refused "--target-latency 'soon'" plan "${from[@]}" --target-latency soon
refused "--memory-bandwidth 'much': expected a size" plan "${from[@]}" --memory-bandwidth much
refused "--exchange 'f16': expected f32 or bf16" plan "${from[@]}" --exchange f16
refused "--teacher nano/nano.snc: has no classifier that fits" plan --teacher nano/nano.snc --task nano/task.json --data nano
refused 'is not an option of' plan "${from[@]}" --output job
refused 'unexpected argument' plan nano/nano.snc "${from[@]}"
refused 'none.snc' plan --pretrained none.snc --rows 1000 --seq-len 8

rm -f log.jsonl {pairs,texts,train,rank,select}.tsv teacher.snc
equal "files that plan left" "$(find . | sort | grep -vE '/(out|err)[a-z.]*$')" "$before"
