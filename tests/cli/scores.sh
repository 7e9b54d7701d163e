#!/usr/bin/env bash
# Numbers that are none are an error that names the file and the row; eval cuts texts where predict does, and says so.
. "$(dirname "$0")/lib.bash"
nano nano
data=(--task nano/task.json --data nano)
run 0 finetune --pretrained nano/nano.snc "${data[@]}" --output t.snc --epochs 1 --lr 2e-3 --threads 1
run 0 export t.snc --policy int8 --output t8.snc

# ---- weights that are not finite ---------------------------------------------------------------------------------------
printf 'good film\nbad movie\n' >in
for bits in '\x00\x00\xc0\x7f' '\x00\x00\x80\xff'; do # NaN, minus infinity
    for m in t t8; do
        cp $m.snc bad.snc
        poke bad.snc "$(offset bad.snc classifier.weight)" "$bits"
        reseal bad.snc
        refused "bad.snc: row " eval bad.snc "${data[@]}"
        holds err 'bad.snc: row [0-9]* of 200: its logits are not finite$'
        refused "bad.snc: row " bench bad.snc --tasks nano/task.json --data nano
        refused "bad.snc: sequence 1 of 1: its logits are not finite" bench bad.snc -s 8 -r 3
        run 2 predict bad.snc --quiet <in
        lines out 0
        holds err '^compress: bad.snc: line 1: its logits are not finite$'
    done
    cp t.snc bad.snc # what would be trained or exported is refused before, by the tensor's name
    poke bad.snc "$(($(offset bad.snc layer.1.ffn.in.weight) + 400))" "$bits"
    reseal bad.snc
    refused "bad.snc: tensor 'layer.1.ffn.in.weight' holds NaN or infinity" export bad.snc --policy int8 --output new.snc
    refused "bad.snc: tensor 'layer.1.ffn.in.weight'" import --pretrained bad.snc --output new.snc
    refused "bad.snc: tensor 'layer.1.ffn.in.weight'" finetune --pretrained bad.snc "${data[@]}" --output new.snc
    refused "bad.snc: tensor 'layer.1.ffn.in.weight'" --pretrained bad.snc "${data[@]}" --target-latency 0.9x --output new
done
absent new.snc new
# The answers before the line stand; the line is named by its number. A table of one word that is none: only texts with it fail.
cp t.snc bad.snc
good=$(printf 'good\n' | "$COMPRESS" tokenize --pretrained nano/nano.snc | tr ' ' '\n' | sed -n 2p)
poke bad.snc "$(($(offset bad.snc embeddings.word.weight) + 4 * 32 * good))" '\x00\x00\xc0\x7f'
reseal bad.snc
awk 'BEGIN { for (i = 1; i <= 100; i++) print i == 70 ? "good film" : "bad film" }' >in
run 2 predict bad.snc --quiet <in
lines out 69
holds err '^compress: bad.snc: line 70: its logits are not finite$'

# ---- eval cuts as predict does -----------------------------------------------------------------------------------------
# More than the model's 40 positions are asked for, and the file was trained for 32 tokens: 32 it is.
awk 'BEGIN { print "sentence\tlabel"; for (i = 0; i < 60; i++) { s = i % 2 ? "good" : "bad"; for (k = 0; k < (i % 3 ? 4 : 50); k++) s = s " film"
    print s (i % 5 ? "" : " bad bad bad bad") "\t" (i % 2 ? "positive" : "negative") } }' >long.tsv
sed 's/"max_length":32/"max_length":64/; s/dev.tsv/long.tsv/' nano/task.json >long.json
cp nano/train.tsv long.tsv . 2>/dev/null
run 0 eval t.snc --task ./long.json --data . --json
equal "rows that were cut" "$(number out cut)" 20
score=$(number out accuracy)
holds err '^warning: t.snc: 20 of 60 rows were cut to 32 tokens$'
tail -n +2 long.tsv | cut -f1 >in
run 0 predict t.snc <in
holds err '^warning: 20 texts were cut to 32 tokens$'
equal "accuracy of what predict says" "$(paste <(cut -f1 out) <(tail -n +2 long.tsv | cut -f2) | awk '$1 == $2 { n++ } END { printf "%.6f", n / NR }')" \
    "$(printf %.6f "$score")"
run 0 eval t.snc --task ./long.json --data . --max-length 16 --json
holds err '^warning: t.snc: 20 of 60 rows were cut to 16 tokens$'
run 0 bench t.snc --tasks ./long.json --data .
holds err '^warning: t.snc: 20 of 60 rows were cut to 32 tokens$'
# A model that was trained for no length: its positions.
run 0 eval nano/nano.snc --seeded-head --task ./long.json --data . --json
holds err '^warning: nano/nano.snc: 20 of 60 rows were cut to 40 tokens$'
run 0 eval t.snc "${data[@]}" --json
equal "rows that were cut" "$(number out cut)" 0

# Labels of other names are taken in order, and said.
sed 's/"negative","positive"/"no","yes"/' nano/task.json >other.json
for f in train dev; do sed 's/negative$/no/; s/positive$/yes/' nano/$f.tsv >$f.tsv; done
run 0 eval t.snc --task ./other.json --data .
holds err '^warning: t.snc: its labels (negative, ...) are not the task.s (no, ...): taken in order$'
