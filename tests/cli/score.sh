#!/usr/bin/env bash
# A score between 0 and 1, as cross-encoders give it of a pair: from the rows to the answers of every form of the file.
. "$(dirname "$0")/lib.bash"
nano nano
m=nano/nano.snc
# A text fits another the better the more of its four words stand there too; each word is one of six.
pairs() { # N SEED SCALE
    awk -v n="$1" -v seed="$2" -v scale="$3" 'BEGIN { srand(seed); split("good bad film movie very was", w, " "); print "query\tpassage\tscore"
        for (i = 0; i < n; i++) { a = b = ""; s = 0; k = int(5 * rand()); x = 1 + int(6 * rand())
            for (j = 0; j < 4; j++) { y = j < k ? x : 1 + (x + 1 + int(4 * rand())) % 6; a = a w[x] " "; b = b w[y] " "; s += y == x }
            print a "\t" b "\t" scale * s / 4 } }'
}
mkdir rows wrong
pairs 1500 1 1 >rows/train.tsv
pairs 200 2 1 >rows/dev.tsv
pairs 60 3 5 >wrong/train.tsv
cp rows/dev.tsv wrong
task() { # TYPE
    echo '{"name":"fits","files":{"train":"train.tsv","dev":"dev.tsv"},"text_a":"query","text_b":"passage","label":"score","type":"'"$1"'","metrics":["pearson"]}'
}
task score >score.json
task regression >value.json
data=(--task score.json --data rows)
tuned=(--batch-size 16 --epochs 4 --lr 3e-3 --threads 1)
tail -n +2 rows/dev.tsv | cut -f1,2 >in

# ---- the whole job ------------------------------------------------------------------------------------------------------
run 0,3 --pretrained $m "${data[@]}" "${tuned[@]}" --target-size 0.99x --supernet-epochs 1 --supernet-lr 1e-3 --augment 1 --evals 12 --repair on --repair-epochs 0.2 --output run
run 0 info run/compressed.snc
holds out '^a score between 0 and 1 a text$'
run 0 predict run/teacher.snc --logits <in
check "a score is the sigmoid of its logit" awk -F'\t' '{ e = $1 - 1 / (1 + exp(-$2)); bad += e > 2e-6 || e < -2e-6; low += $1 < 0.3; high += $1 > 0.7 } END { exit !(NR == 200 && !bad && low > 20 && high > 20) }' out
cut -f1 out >scores
run 0 eval run/teacher.snc "${data[@]}" --json
pearson=$(number out pearson)
less "0.7 and the correlation" 0.7 "$pearson"
check "it is that of the scores, not of the logits: $pearson" awk -v p="$pearson" 'NR == FNR { y[NR] = $1; next } { n++; x = $1; v = y[FNR]; sx += x; sy += v; xx += x * x; yy += v * v; xy += x * v }
    END { r = (n * xy - sx * sy) / sqrt((n * xx - sx * sx) * (n * yy - sy * sy)); e = r - p; exit !(e < 1e-4 && e > -1e-4) }' <(tail -n +2 rows/dev.tsv | cut -f3) scores
run 0 predict run/compressed.snc -o jsonl <in
holds out '^{"line":1,"value":0\.[0-9]*,'
check "answers of the report are scores" awk -F'\t' 'NR > 1 { for (i = 1; i <= NF; i++) if ($i ~ /^-?[0-9.e-]+$/ && $i + 0 < 0) bad++ } END { exit bad > 0 }' run/answers.tsv

# ---- other forms of the file ---------------------------------------------------------------------------------------------------
run 0 export run/teacher.snc --to hf --output folder
holds folder/config.json '"activation_fn":.*Sigmoid'
run 0 predict folder <in
same out scores
if [ -e "$(dirname "$COMPRESS")/libexec/snc/classify" ]; then
    run 0 export run/teacher.snc --policy f32 --to exe --output rate
    ./rate <in >out # by products of its own
    check "scores of a program" awk 'NR == FNR { s[NR] = $1; next } { e = $1 - s[FNR]; bad += e > 2e-6 || e < -2e-6 } END { exit !(FNR == 200 && !bad) }' scores out
fi
sed ':a;N;$!ba;s/"sentence_transformers":[^}]*}/"sbert_ce_default_activation_function":"torch.nn.modules.activation.Sigmoid"/' folder/config.json >one && cp one folder/config.json
run 0 predict folder <in
same out scores
sed -i 's/activation.Sigmoid/linear.Identity/' folder/config.json # then the logit is the value
run 0 predict folder --logits <in
run 0 export --pretrained folder --policy f32 --output value.snc
run 0 export value.snc --to hf --output value.folder
holds value.folder/config.json '"activation_fn":.*linear.Identity'
run 0 predict value.folder --logits <in
check "values of an identity" awk -F'\t' '{ e = $1 - $2; bad += e > 1e-6 || e < -1e-6 } END { exit !(NR == 200 && !bad) }' out

# ---- what does not go together -----------------------------------------------------------------------------------------------------
refused 'run/teacher.snc: gives a score between 0 and 1, but task fits has "type": "regression"' eval run/teacher.snc --task value.json --data rows
refused 'folder: gives a value of any size, but task fits has "type": "score"' eval folder "${data[@]}"
refused 'is no score between 0 and 1, as task fits has them' finetune --pretrained $m --task score.json --data wrong --output no.snc
task scores >unknown.json
refused "'type' must be \"classes\", \"regression\", \"score\", \"multilabel\", \"embedding\" or \"tags\"" finetune --pretrained $m --task unknown.json --data rows --output no.snc
absent no.snc
