#!/usr/bin/env bash
# Scores that cannot fool: what each class got stands beside the mean, one answer to every row is said in words, and class weights
# make rare classes count.
. "$(dirname "$0")/lib.bash"
nano nano
# One row in twenty has three bad words at its end.
rows() { # N SEED
    awk -v n="$1" -v seed="$2" 'BEGIN { srand(seed); split("the film is it was movie of very a i good bad", w, " "); print "text\tlabel"
        for (i = 0; i < n; i++) { s = ""; for (k = 0; k < 5 + int(5 * rand()); k++) s = s w[1 + int(10 * rand())] " "
            print i % 20 ? s "\tham" : s "bad bad bad\tspam" } }'
}
rows 1500 1 >train.tsv
rows 300 2 >dev.tsv
data=(--task custom --data .)
m=nano/nano.snc
tuned=(--batch-size 8 --lr 1e-3 --compute f32 --threads 1)
job=(--epochs 1 --target-size 0.99x --supernet-epochs 0.2 --augment 0 --evals 6 --repair off)

# ---- a model that answers one class ------------------------------------------------------------------------------------
# Trained for too short a while: ham it is.
run 0,3 --pretrained $m "${data[@]}" "${tuned[@]}" "${job[@]}" --output run
equal "exit code" "$(grep -c 'MISSED' out)" 0
holds out "^custom: every target holds, but the file gives one answer to every row$"
holds out "^- compressed answers 'ham' to every dev row"
holds out "^- teacher F32 answers 'ham' to every dev row"
holds err "^warning: run/teacher.snc answers 'ham' to every row of select, the label of [89][0-9.]*% of them: it tells no classes apart$"
holds run/report.md "^# custom: every target holds, but the file gives one answer"
holds run/report.md "^One answer to every row, 'ham' (95.00% of them), scores 95.00.$"
holds run/report.md "^| class | rows | teacher F32: answered | precision | recall | F1 | compressed: answered | precision | recall | F1 |$"
holds run/report.md "^| ham | 285 | 300 | 95.00 | 100.00 | 97.44 | 300 | 95.00 | 100.00 | 97.44 |$"
holds run/report.md "^| spam | 15 | 0 | 0.00 | 0.00 | 0.00 | 0 | 0.00 | 0.00 | 0.00 |$"
holds run/report.md "^| spam | 15 | 0 | $"
gfm run/report.md
holds run/report.html "<h2>Classes</h2>"
holds run/report.html "<b>compressed answers 'ham' to every row.</b>"
tr -d '\n\t ' <run/report.json >report
holds report '"majority":{"label":"ham","share":0.95,"score":0.9'
equal "one answer each" "$(grep -o '"one_answer":"ham"' report | wc -l)" 3
equal "confusion" "$(grep -o '"confusion":\[[^]]*\],\[[^]]*\]\]' report | sort -u)" '"confusion":[[285,0],[15,0]]'
run 0 eval run/compressed.snc "${data[@]}"
holds err "^warning: run/compressed.snc answers 'ham' to every row of dev, the label of 95.00% of them: it tells no classes apart$"
holds out "^custom dev majority 95.00 (one answer to every row, 'ham', 95.00% of them)$"
holds out "^custom dev class 'spam' rows 15 answered 0 precision 0.00 recall 0.00 f1 0.00$"
run 0 eval run/compressed.snc "${data[@]}" --json
holds out '"one_answer":"ham"'
run 0 bench run/compressed.snc --tasks custom --data . -o json
holds err "^warning: run/compressed.snc answers 'ham' to every row of dev"

# ---- class weights -------------------------------------------------------------------------------------------------------
tuned=(finetune --pretrained $m "${data[@]}" "${tuned[@]}" --epochs 2)
run 0 "${tuned[@]}" --output plain.snc
run 0 "${tuned[@]}" --class-weights balanced --output balanced.snc
lacks err 'one answer\|tells no classes'
sed 's/\["accuracy"\]/["macro_f1","micro_f1","balanced_accuracy","matthews"]/' "$TESTS/../configs/tasks/custom.json" >scores.json
run 0 eval balanced.snc --task ./scores.json --data . --json
lacks out 'one_answer'
for metric in macro_f1 micro_f1 balanced_accuracy matthews; do less "0 and $metric" 0 "$(number out $metric)"; done
balanced=$(number out balanced_accuracy)
equal "balanced accuracy is the mean recall" "$(printf %.6f "$balanced")" \
    "$(tr -d '\n\t ' <out | grep -o '"recall":[0-9.]*' | sed 's/.*://' | awk '{ s += $1 } END { printf "%.6f", s / NR }')"
run 0 eval plain.snc --task ./scores.json --data . --json
less "balanced accuracy without and with weights" "$(number out balanced_accuracy)" "$balanced"
refused "plain.snc: was made with --class-weights none, asked balanced" "${tuned[@]}" --class-weights balanced --output plain.snc
refused "--class-weights 'even': expected none or balanced" "${tuned[@]}" --class-weights even --output other.snc
printf '{"name":"values","files":{"train":"values.tsv","dev":"values.tsv"},"text_a":"text","label":"label","type":"regression","metrics":["pearson"]}' >values.json
sed 's/ham$/1.5/; s/spam$/4/' train.tsv >values.tsv
refused "--class-weights balanced: values is a regression, without classes" finetune --pretrained $m --task ./values.json --data . --class-weights balanced --output other.snc
absent other.snc
