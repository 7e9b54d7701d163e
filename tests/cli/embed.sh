#!/usr/bin/env bash
# Texts become vectors: a model that has them is the teacher as it is, nets learn its directions from text without labels, and pairs of
# dev are compared by cosines; the answers of every form of the file.
. "$(dirname "$0")/lib.bash"
nano nano
m=nano/nano.snc
# Two texts of four words each; the more of them they share the more they mean the same.
pairs() { # N SEED
    awk -v n="$1" -v seed="$2" 'BEGIN { srand(seed); split("good bad film movie very was", w, " "); print "sentence1\tsentence2\tscore"
        for (i = 0; i < n; i++) { a = b = ""; s = 0; k = int(5 * rand()); x = 1 + int(6 * rand())
            for (j = 0; j < 4; j++) { y = j < k ? x : 1 + (x + 1 + int(4 * rand())) % 6; a = a w[x] " "; b = b w[y] " "; s += y == x }
            print a "\t" b "\t" s } }'
}
texts() { # N SEED
    awk -v n="$1" -v seed="$2" 'BEGIN { srand(seed); split("good bad film movie very was", w, " ")
        for (i = 0; i < n; i++) { t = ""; m = 4 + int(9 * rand()); for (j = 0; j < m; j++) t = t w[1 + int(6 * rand())] " "; print t } }'
}
mkdir rows pairs alone
texts 900 1 >rows/train.txt
pairs 150 2 >rows/dev.tsv
pairs 400 3 >pairs/train.tsv
cp rows/dev.tsv pairs
cp rows/train.txt alone
data=(--task embed --data rows)
tuned=(--threads 1 --supernet-epochs 2 --supernet-lr 1e-3 --augment 1 --batch-size 16)
tail -n +2 rows/dev.tsv | cut -f1 >first
tail -n +2 rows/dev.tsv | cut -f2 >second

# ---- the whole job, without a label to learn from ------------------------------------------------------------------------
run 0,3 --pretrained $m "${data[@]}" "${tuned[@]}" --target-size 0.7x --evals 20 --rank-share 0.6 --repair on --repair-epochs 1 --output run
holds err '^teacher: .*: vectors of [0-9]* numbers, of the mean of all tokens$'
holds out '^  train *[0-9]* rows; '
holds out '^  dev *150 rows: 0 to 4; '
lacks err '[^a-z]nan[^a-z]'
lacks out '[^a-z]nan[^a-z]'
lacks run/report.html '[^a-z]nan[^a-z]'
exists run/compressed.snc run/full-int8.snc run/teacher.snc
run 0 info run/compressed.snc
holds out '^a vector of [0-9]* numbers a text, of the mean of all tokens$'
width=$(sed -n 's/^a vector of \([0-9]*\) numbers.*/\1/p' out)
run 0 predict run/compressed.snc <first
cp out one
check "vectors of length 1" awk -F'\t' -v w="$width" '{ s = 0; for (i = 1; i <= NF; i++) s += $i * $i; bad += NF != w || s < 0.99999 || s > 1.00001 } END { exit !(NR == 150 && !bad) }' one
run 0 predict run/compressed.snc <second
cp out two
# What eval says is the rank correlation of their cosines with the scores.
run 0 eval run/compressed.snc "${data[@]}" --json
spearman=$(number out spearman)
paste one two <(tail -n +2 rows/dev.tsv | cut -f3) | awk -F'\t' -v w="$width" '{ c = 0; for (i = 1; i <= w; i++) c += $i * $(w + i); printf "%.5f\t%s\n", c, $NF }' >cosines
ranks() { sort -t$'\t' -g -k"$1,$1" | awk -F'\t' -v k="$1" '{ line[NR] = $0; v[NR] = $k } END { for (i = 1; i <= NR; i = j) { for (j = i; j <= NR && v[j] == v[i]; j++); for (m = i; m < j; m++) print line[m] "\t" (i + j - 1) / 2 } }'; }
mine=$(ranks 1 <cosines | ranks 2 | awk -F'\t' '{ n++; x = $3; y = $4; sx += x; sy += y; xx += x * x; yy += y * y; xy += x * y } END { printf "%.6f", (n * xy - sx * sy) / sqrt((n * xx - sx * sx) * (n * yy - sy * sy)) }')
check "Spearman's correlation $spearman, of the vectors themselves $mine" awk -v a="$spearman" -v b="$mine" 'BEGIN { e = a - b; exit !(e < 1e-3 && e > -1e-3) }'
less "0.4 and what the teacher's vectors know of shared words" 0.4 "$(run 0 eval run/teacher.snc "${data[@]}" --json >/dev/null; number out spearman)"
run 0 predict run/compressed.snc -o jsonl <first
holds out '^{"line":1,"vector":\[-\?[0-9.e-]*,'
run 0 bench run/compressed.snc run/full-int8.snc --tasks embed --data rows -s 8 -o json --time-budget 0.05
holds out '"spearman"'
# Vectors of INT8 point where those of F32 do.
run 0 predict run/teacher.snc <first
cp out full
run 0 predict run/full-int8.snc <first
check "INT8 beside F32" awk -F'\t' -v w="$width" 'NR == FNR { for (i = 1; i <= w; i++) v[FNR, i] = $i; next } { c = 0; for (i = 1; i <= w; i++) c += v[FNR, i] * $i; s += c; bad += c < 0.99 } END { exit !(FNR == 150 && !bad && s / 150 > 0.998) }' full out

# ---- pairs to learn from are texts, twice as many; a search by itself --------------------------------------------------------
run 0 supernet --teacher run/teacher.snc --task embed --data pairs "${tuned[@]}" --output s.snc
holds err '^  train *[0-9]* rows; '
run 0 search s.snc --teacher run/teacher.snc --task embed --data pairs --target-size 0.8x --evals 12 --output found
lacks out '[^a-z]nan[^a-z]'
run 0 export s.snc --config found/config.json --output small.snc
run 0 predict small.snc <first

# ---- other forms of the file -------------------------------------------------------------------------------------------------
run 0 export run/teacher.snc --to hf --output folder
exists folder/modules.json folder/1_Pooling/config.json folder/2_Dense/config.json folder/2_Dense/model.safetensors
holds folder/config.json '"BertModel"'
run 0 export --pretrained folder --policy f32 --output back.snc
run 0 predict back.snc <first
same out full
if [ -e "$(dirname "$COMPRESS")/libexec/snc/classify" ]; then
    run 0 export run/teacher.snc --policy f32 --to exe --output vectors
    ./vectors <first >out # by products of its own
    check "vectors of a program" awk -F'\t' -v w="$width" 'NR == FNR { for (i = 1; i <= w; i++) v[FNR, i] = $i; next } { for (i = 1; i <= w; i++) { e = v[FNR, i] - $i; bad += e > 1e-5 || e < -1e-5 } } END { exit !(FNR == 150 && !bad) }' full out
fi
# Pooled by the first token, which is another vector.
sed -i 's/"pooling_mode_cls_token":.*/"pooling_mode_cls_token": true,/; s/"pooling_mode_mean_tokens":.*/"pooling_mode_mean_tokens": false,/' folder/1_Pooling/config.json
run 0 export --pretrained folder --policy f32 --output first.snc
run 0 info first.snc
holds out '^a vector of [0-9]* numbers a text, of the first token$'

# ---- what does not go together -------------------------------------------------------------------------------------------------
sed -i 's/"pooling_mode_max_tokens":.*/"pooling_mode_max_tokens": true,/; s/"pooling_mode_cls_token":.*/"pooling_mode_cls_token": false,/' folder/1_Pooling/config.json
refused 'folder/1_Pooling/config.json: pooling_mode_max_tokens is not supported: the mean of all tokens or the first one' --pretrained folder "${data[@]}" --target-size 0.7x --output no
sed -i 's/models.Pooling/models.LSTM/' folder/modules.json
refused "folder/modules.json: module 'LSTM' is not supported" --pretrained folder "${data[@]}" --target-size 0.7x --output no
refused 'finetune: task embed has no labels to learn' finetune --pretrained $m "${data[@]}" --output no.snc
refused '--max-drop: vectors have no score on rows that are held out' --pretrained $m "${data[@]}" --max-drop 1 --output no
refused '--cascade: task embed has' --pretrained $m "${data[@]}" --target-latency 0.9x,0.5x --cascade --output no
refused 'no dev file of task embed' --pretrained $m --task embed --data alone --target-size 0.7x --output no
refused 'eval: split train of task embed has texts, no pairs whose vectors are compared' eval run/teacher.snc "${data[@]}" --split train
refused 'run/teacher.snc: gives vectors, but task nano asks for classes or numbers' eval run/teacher.snc --task nano/task.json --data nano
run 0 finetune --pretrained $m --task nano/task.json --data nano --epochs 1 --threads 1 --output classes.snc
refused 'classes.snc: gives no vectors, but task embed asks for them' eval classes.snc "${data[@]}"
awk -F'\t' -v OFS='\t' 'NR == 1 { print; next } { $3 = NR == 5 ? "much" : $3; print }' rows/dev.tsv >alone/dev.tsv
refused "alone/dev.tsv:5: 'much' is not a finite number" --pretrained $m --task embed --data alone --target-size 0.7x --output no
absent no no.snc
