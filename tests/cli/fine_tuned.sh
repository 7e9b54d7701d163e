#!/usr/bin/env bash
# A model that is fine-tuned already is compressed as it is: no step of fine-tuning, its weights unchanged, in any form it may have.
. "$(dirname "$0")/lib.bash"
nano nano
task=(--task nano/task.json --data nano)
rest=(--supernet-epochs 0.5 --supernet-lr 1e-3 --augment 0 --evals 40 --repair off --target-size 0.9x)
run 0 finetune --pretrained nano/nano.snc "${task[@]}" --lr 2e-3 --epochs 4 --threads 1 --output t.snc
run 0 eval t.snc "${task[@]}" --json
teacher=$(number out accuracy)
"$MAKE_NANO" --hf t.snc hf || exit 2

# weights FILE: all tensors before the tokenizer's, bit for bit; a folder's tokenizer is another text of the same.
weights() { head -c "$(offset "$1" tokenizer.config)" "$1" | tail -c +$(($(head_size "$1") + 1)); }

# compressed OUT FROM...: the whole job, and what every form of it must show.
compressed() {
    local dir=$1
    shift
    run 0 "$@" "${task[@]}" "${rest[@]}" --output "$dir" --dry-run
    holds out '^estimate: finetune 0 s'
    absent "$dir"
    run 0,3 "$@" "${task[@]}" "${rest[@]}" --output "$dir"
    holds err "^teacher: $2 as it is, fine-tuned already: score on select [0-9]"
    lacks err '^finetune: '
    lacks err '\[memorised\]'
    absent "$dir/baseline.snc"
    exists "$dir/teacher.snc" "$dir/compressed.snc" "$dir/report.json"
    weights t.snc >a.weights
    weights "$dir/teacher.snc" >b.weights
    same a.weights b.weights
    check "fine-tuning is in the report's stages" test -z "$(number "$dir/report.json" finetune)"
    run 0 eval "$dir/teacher.snc" "${task[@]}" --json
    equal "score of the teacher" "$(number out accuracy)" "$teacher"
    equal "score of the teacher in the report" "$(awk -F, '$1 == "teacher F32" { print $9 }' "$dir/report.csv")" "$(printf %.6f "$teacher")"
}
compressed a --teacher t.snc
compressed b --pretrained t.snc
compressed c --pretrained hf
check "weights" test "$(wc -c <a.weights)" -gt 100000
rm a/compressed.snc
killed_when a/compressed.snc --teacher t.snc "${task[@]}" "${rest[@]}" --output a
holds err 'teacher: a/teacher.snc is up to date'

# The search asks it by the names of its classes too.
for teacher in t.snc hf; do
    run 0 search a/supernet.snc --teacher $teacher "${task[@]}" --max-drop 100 --evals 5 --output s-$teacher
    grep '^teacher on select' out >said-$teacher
done
same said-t.snc said-hf

refused "--teacher nano/nano.snc: has no classifier that fits" --teacher nano/nano.snc "${task[@]}" "${rest[@]}" --output new
absent new

# A head that fits by chance is told by its score, one that does not fit is not taken for a teacher.
sed 's/"negative","positive"/"bad","good"/' nano/task.json >other.json
sed -i 's/positive$/bad/; s/negative$/good/' nano/train.tsv nano/dev.tsv
run 0 finetune --pretrained t.snc --task ./other.json --data nano --epochs 0.1 --output more.snc
holds err 'finetune: t.snc is fine-tuned already; its classifier is trained on'
holds err "t.snc: its labels (negative, ...) are not the task's (bad, ...)"
killed_when e/supernet.snc --teacher t.snc --task ./other.json --data nano "${rest[@]}" --output e
holds err 't.snc: on select no better than one answer to every row'

# One that knows by heart what it is judged on, labels that nobody can guess, is told by its loss on rows that it has not seen.
mkdir -p heart && cp nano/dev.tsv heart
awk -F'\t' 'BEGIN { OFS = FS; srand(5) } NR > 1 { $NF = rand() < 0.5 ? "good" : "bad" } NR < 302' nano/train.tsv >heart/train.tsv
awk -F'\t' 'BEGIN { OFS = FS; srand(6) } NR > 1 { $NF = rand() < 0.5 ? "good" : "bad" } 1' nano/dev.tsv >heart/dev.tsv
run 0 finetune --pretrained nano/nano.snc --task ./other.json --data heart --hold-out 0 --epochs 60 --batch-size 8 --lr 2e-3 --threads 1 --output heart.snc
run 0,3 --teacher heart.snc --task ./other.json --data heart "${rest[@]}" --output f
holds err '^warning: \[memorised\] heart.snc has likely learnt the rows of rank and select: its loss is 0\.[0-9]* on select, [0-9.]* on dev;'
holds f/report.md '^- warning `memorised`: '

# Labelled rows that it has not seen take their place.
head -1 nano/dev.tsv | tee rank.tsv >select.tsv
awk -F'\t' 'BEGIN { OFS = FS; srand(7) } NR > 301 && NR < 402 { $1 = $1 " fresh"; $NF = rand() < 0.5 ? "good" : "bad"; print >> (NR % 2 ? "rank.tsv" : "select.tsv") }' nano/train.tsv
run 0,3 --teacher heart.snc --task ./other.json --data heart "${rest[@]}" --rank rank.tsv --select select.tsv --output g
lacks err '\[memorised\]'
equal "rows of rank and select" "$(number g/report.json rank) $(number g/report.json select)" "50 50"
equal "rows of train" "$(number g/report.json train)" "$(number g/report.json all)"
own=(--task ./other.json --data heart --rank rank.tsv --select select.tsv)
run 0 finetune --pretrained nano/nano.snc "${own[@]}" --epochs 0.2 --output o.snc
run 0 supernet --teacher o.snc "${own[@]}" --supernet-epochs 0.2 --augment 0 --output so.snc
holds err 'train 300 rows, rank 50, select 50 (0 rows contained in those left train)'
run 0 profile so.snc "${own[@]}" --output lat.json
run 0,3 search so.snc --teacher o.snc "${own[@]}" --target-size 0.95x --evals 4 --output os
run 0 study so.snc --teacher o.snc "${own[@]}" --protocols hypervolume --searchers random --seeds 1 --evals 50 --output ost
refused "--rank: --select is missing" --teacher heart.snc --task ./other.json --data heart "${rest[@]}" --rank rank.tsv --output h
tail -1 heart/train.tsv >>select.tsv
refused "select.tsv:52: the same text stands in train" --teacher heart.snc --task ./other.json --data heart "${rest[@]}" --rank rank.tsv --select select.tsv --output h
tail -1 heart/dev.tsv >>rank.tsv && sed -i '$d' select.tsv
refused "rank.tsv:52: the same text stands in dev" --teacher heart.snc --task ./other.json --data heart "${rest[@]}" --rank rank.tsv --select select.tsv --output h
refused "--rank rank.tsv: has no use beside --hold-out 0" finetune --pretrained nano/nano.snc --task ./other.json --data heart --rank rank.tsv --select select.tsv --hold-out 0 --output h.snc
