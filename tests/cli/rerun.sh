#!/usr/bin/env bash
# A folder that is used again: what is still what was asked is kept, what is not is named and refused, --overwrite makes anew what
# depends on what differs and nothing else; damage is seen; the report says which file it speaks of.
. "$(dirname "$0")/lib.bash"
nano nano
echo '{"heads":[4,2],"ffn":[64,32],"linear":["int8"]}' >space.json
from=(--pretrained nano/nano.snc --task nano/task.json --data nano)
with=(--epochs 2 --lr 2e-3 --supernet-epochs 0.3 --supernet-lr 1e-3 --evals 20 --repair off --target-size 0.9x)
job=("${from[@]}" "${with[@]}" --space space.json --output job)
run 0 "${job[@]}"
holds err "teacher: job/teacher.snc: score on select [0-9.]*, whose rows it has learnt"
what() { (cd "$1" && md5sum ./* | grep -v 'sqlite-journal$'); } # FOLDER

# ---- the report and the journal's end say which file they speak of -----------------------------------------------------------
for f in compressed full-int8 teacher; do check "the report says the digest of $f.snc" grep -q "\"$(digest job/$f.snc)\"" job/report.json; done
check "the page for people does" grep -q "$(digest job/compressed.snc)" job/report.md
run 0 search --export json --output job
check "the journal's end does" grep -q "\"digest\":.*\"$(digest job/compressed.snc)\"" out

# ---- the same again: nothing is made; the file is proven again --------------------------------------------------------------
cp job/compressed.snc before.snc
run 0 "${job[@]}" --recipe default
absent job/baseline.snc # the teacher has learnt every row, and is compared with
holds job/report.md "rank, 120 select while a net was found, by the same teacher: "
for f in teacher supernet; do holds err "$f.snc is up to date"; done
holds err 'profile: job/latency.json is up to date'
holds err 'search: job/compressed.snc is up to date'
same job/compressed.snc before.snc

# ---- other options and inputs: named, with what they would take along; nothing is touched --------------------------------------
what job >before
differs() { # TEXT ANEW ARG...
    local text=$1 anew=$2
    shift 2
    refused "--output job: $text; made anew would be $anew (--overwrite does so)" "${job[@]}" "$@"
}
all="teacher.snc, supernet.snc, search.sqlite"
differs "teacher.snc was made with --epochs 2, asked 3" "$all" --epochs 3
differs "teacher.snc was made with --lr 0.002, asked 0.001" "$all" --lr 1e-3
differs "teacher.snc was made with --weight-decay 0.01, asked 0.02" "$all" --weight-decay 0.02
differs "teacher.snc was made with --backend auto, asked ref" "teacher.snc, supernet.snc, latency.json, search.sqlite" --backend ref
differs "teacher.snc was made of other train rows" "$all" --max-train-samples 500
differs "supernet.snc was made with --supernet-epochs 0.3, asked 0.2" "supernet.snc, search.sqlite" --supernet-epochs 0.2
differs "supernet.snc was made with --hidden-weight 0, asked 1" "supernet.snc, search.sqlite" --hidden-weight 1
differs "supernet.snc was made with --sampler sandwich, asked full" "supernet.snc, search.sqlite" --sampler full
differs "supernet.snc was made with --weights dense, asked mos" "supernet.snc, search.sqlite" --weights mos
differs "supernet.snc was made with --inplace-teacher off, asked on" "supernet.snc, search.sqlite" --inplace-teacher
differs "latency.json was made with --batch 1, asked 2" "latency.json" --batch 2
differs "latency.json was made with --percentile 50, asked 90" "latency.json" --percentile 90
sed 's/"max_length":32/"max_length":24/' nano/task.json >task.json
differs "teacher.snc was made of another task" "$all" --task ./task.json
# A space file by what is in it, wherever it lies.
sed 's/,/ , /g' space.json >other.json
what job >after
same after before
run 0 "${job[@]}" --space other.json --dry-run
sed -i 's/4,2/4,1/' space.json
differs "supernet.snc was made of another space" "supernet.snc, latency.json, search.sqlite"
sed -i 's/4,1/4,2/' space.json
what job >after
same after before

# ---- another target asks for none of it ----------------------------------------------------------------------------------------
cp job/teacher.snc teacher.before && cp job/supernet.snc supernet.before && cp job/latency.json table.before
run 0 "${job[@]}" --target-size 0.8x --evals 24 --repair on --repair-epochs 0.1 --batch-size 32
for f in teacher supernet; do same "job/$f.snc" $f.before; done
same job/latency.json table.before
check "the report speaks of the new file" grep -q "\"$(digest job/compressed.snc)\"" job/report.json
check "which is another one" test "$(digest job/compressed.snc)" != "$(digest before.snc)"

# ---- --overwrite: what depends on what differs, and nothing else ------------------------------------------------------------------
other=(--alpha 0.5 --weights mos --supernet-lr 1e-9)
run 0 "${job[@]}" "${other[@]}" --overwrite
holds err 'job: supernet.snc was made with .*--alpha 0.3, asked 0.5.*: made anew'
dead='the generator is dead: its experts are 0\.00[0-9]* apart'
holds err "^warning: \[generator\] $dead"
holds job/report.md "$dead"
holds err 'finetune: job/teacher.snc is up to date'
holds err 'profile: job/latency.json is up to date'
same job/teacher.snc teacher.before
check "the supernet is another one" test "$(digest job/supernet.snc)" != "$(digest supernet.before)"
run 0 "${job[@]}" "${other[@]}"
holds err 'search: job/compressed.snc is up to date'
holds err "^warning: \[generator\] $dead"
# Killed in it and run again without the option: nothing stale is left to be refused.
killed_when job/teacher.snc.checkpoint "${job[@]}" --epochs 20 --checkpoint-every 1 --overwrite
equal "reports" "$(find job -name 'report*')" ""
absent job/answers.tsv job/compressed.snc job/search.sqlite job/supernet.snc job/teacher.snc
refused "--output job: teacher.snc.checkpoint was made with --epochs 20, asked 2" "${job[@]}"
run 0 "${job[@]}" --epochs 20 --checkpoint-every 1 --dry-run
run 0 "${job[@]}" --overwrite
same job/teacher.snc teacher.before
same job/supernet.snc supernet.before

# ---- damage is seen, and mended by making it again ---------------------------------------------------------------------------------
cp job/compressed.snc whole.snc
hurt() { head -c 3000 /dev/zero | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; } # FILE OFFSET
hurt job/teacher.snc 40000
run 0 "${job[@]}"
holds err 'warning: job: teacher.snc is no .snc file that is whole: made anew'
same job/teacher.snc teacher.before
holds err 'supernet.snc is up to date'
hurt job/supernet.snc 40000
hurt job/compressed.snc 10000
hurt job/full-int8.snc 10000
hurt job/lesson.logits 2000
run 0 "${job[@]}"
same job/supernet.snc supernet.before
same job/compressed.snc whole.snc
run 0 verify job/teacher.snc job/supernet.snc job/full-int8.snc job/compressed.snc
lacks err 'lesson.logits is up to date'
sed -i 's/"factor":.*[0-9]/&1/; s/[0-9]\.[0-9]/9.9/' job/latency.json
run 0 "${job[@]}"
holds err 'warning: job: latency.json is no latency table that is whole: made anew'

# ---- one verb, one file: the same rule ------------------------------------------------------------------------------------------
tune=(finetune "${from[@]}" --lr 2e-3 --threads 1 --output t.snc)
run 0 "${tune[@]}" --epochs 1
cp t.snc t.before
refused "--output t.snc: was made with --epochs 1, asked 2 (--overwrite makes it anew)" "${tune[@]}" --epochs 2
refused "--output t.snc: was made with --seed 42, asked 7, of other train rows" "${tune[@]}" --epochs 1 --seed 7
refused "--output t.snc: is what --teacher of the same command names" supernet --teacher t.snc --task nano/task.json --data nano --output t.snc
refused "--output t.snc: was made by finetune, not by supernet" supernet --teacher t.before --task nano/task.json --data nano --output t.snc
cp nano/train.tsv mine.tsv
refused "--output mine.tsv: is there and was not written by this program" finetune "${from[@]}" --epochs 1 --output mine.tsv
same mine.tsv nano/train.tsv
same t.snc t.before
run 0 "${tune[@]}" --epochs 2 --overwrite
net=(supernet --teacher t.snc --task nano/task.json --data nano --supernet-epochs 0.1 --threads 1 --output s.snc)
run 0 "${net[@]}"
refused "--output s.snc: was made with --temperature 1, asked 2" "${net[@]}" --temperature 2
refused "--output s.snc: was made of another space" "${net[@]}" --space space.json
refused "--output s.snc: was made of another teacher" "${net[@]}" --teacher t.before
run 0 profile s.snc --task nano/task.json --data nano --output p.json
refused "--output p.json: was made with --seq-len data, asked 8" profile s.snc --task nano/task.json --data nano --seq-len 8 --output p.json
refused "--output mine.tsv: is there and was not written by this program" profile s.snc --task nano/task.json --data nano --output mine.tsv
seek=(search s.snc --teacher t.snc --task nano/task.json --data nano --target-size 0.9x --evals 10 --output found)
run 0 "${seek[@]}"
what found >before
refused "--output found/latency.json: was made with --percentile 50, asked 95" "${seek[@]}" --percentile 95
refused "found/search.sqlite: journal of another search: teacher is" "${seek[@]}" --teacher t.before
refused "found/search.sqlite: journal of another search: space is" "${seek[@]}" --space space.json
what found >after
same after before
run 0 "${seek[@]}" --teacher t.before --overwrite
holds out '^10 evaluations'
holds err 'profile: found/latency.json is up to date'
