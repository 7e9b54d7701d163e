#!/usr/bin/env bash
# What a model may come without, each by itself: tokenizer, classifier, pooler, names of classes, lengths. Every verb that takes a
# model does its work, or is refused in one line that says what is missing.
. "$(dirname "$0")/lib.bash"
nano nano
data=(--task nano/task.json --data nano)
run 0 finetune --pretrained nano/nano.snc "${data[@]}" --output t.snc --epochs 1 --lr 2e-3 --threads 1
"$MAKE_NANO" --hf t.snc hf || exit 2
printf 'good film\nbad movie\n' >in

# hf FOLDER FROM TO: the same folder with a tensor under another name of the same length.
renamed() {
    cp -r hf "$1"
    sed -i "s/\"$2/\"$3/g" "$1/model.safetensors"
    check "$1 has another tensor" test "$(cksum <"$1/model.safetensors")" != "$(cksum <hf/model.safetensors)"
}

# ---- without a tokenizer ------------------------------------------------------------------------------------------------------
mkdir mute && cp hf/config.json hf/model.safetensors mute
run 0 import --pretrained mute --output mute.snc
for m in mute mute.snc; do
    refused "$m: has no tokenizer inside" predict $m
    refused "$m: has no tokenizer inside" predict $m --logits
    refused "$m: has no tokenizer inside" eval $m "${data[@]}"
    run 0 info $m
    holds out '^no tokenizer inside$'
    run 0 bench $m -s 8 -r 3 -o csv
    lines out 2
    run 0 export $m --policy int8 --output x.snc --overwrite
    holds err '^warning: .*okenizer'
    refused "x.snc: has no tokenizer inside" predict x.snc
done
for m in mute/model.safetensors mute; do # a file has its vocabulary beside it
    refused "no vocab.txt and no tokenizer.json" tokenize --pretrained $m
    refused "no vocab.txt and no tokenizer.json" finetune --pretrained $m "${data[@]}" --output y.snc
    refused "no vocab.txt and no tokenizer.json" supernet --teacher $m "${data[@]}" --output y.snc
done
refused "mute.snc: has no tokenizer inside" tokenize --pretrained mute.snc
refused "mute.snc: has no tokenizer inside" finetune --pretrained mute.snc "${data[@]}" --output y.snc
refused "mute.snc: has no tokenizer inside" supernet --teacher mute.snc "${data[@]}" --output y.snc
refused "mute.snc: has no tokenizer inside" profile mute.snc "${data[@]}" --output y.json
refused "mute.snc: has no tokenizer inside" --pretrained mute.snc "${data[@]}" --target-size 0.9x --output job
refused "mute.snc: has no tokenizer inside" search mute.snc --teacher t.snc "${data[@]}" --target-size 0.9x --output job
refused "mute.snc: " export mute.snc --policy int8 --trim-vocab "${data[@]}" --output y.snc
absent y.snc y.json job/compressed.snc

# ---- without a trained classifier: none, one under another name, one on a pooler that is not there ------------------------------------
renamed fc classifier other_name
renamed nopool bert.pooler.dense bert.poole2.dense
for m in nano/nano.snc fc nopool; do
    for verb in predict "eval ${data[*]}" "export --policy int8 --output y.snc"; do
        set -- $verb
        refused "$m: has no trained classifier" "$1" $m "${@:2}"
    done
    absent y.snc
    run 0 predict $m --seeded-head <in
    lines out 2
    holds err 'seeded one'
    run 0 eval $m "${data[@]}" --seeded-head --json
    equal "rows of eval" "$(number out n)" 200
    run 0 export $m --policy int8 --output seeded.snc --seeded-head --overwrite
    refused "seeded.snc: has no trained classifier" predict seeded.snc
    run 0 bench $m seeded.snc -s 8 -r 3 -o csv
    lines out 3
    run 0 bench $m seeded.snc --tasks nano/task.json --data nano --seeded-head -o csv
    lines out 3
    refused "$m: is not fine-tuned for nano: it has no matching classifier" supernet --teacher $m "${data[@]}" --output y.snc
    refused "--teacher $m: has no " search t.snc --teacher $m "${data[@]}" --target-size 0.9x --output found
    refused "--teacher $m: has no " --teacher $m "${data[@]}" --target-size 0.9x --output job
done
run 0 predict t.snc --seeded-head <in # takes nothing away
lines err 0

# ---- without names of classes ----------------------------------------------------------------------------------------------------
cp -r hf unnamed && sed -i 's/,"id2label":{[^}]*}//' unnamed/config.json
run 0 import --pretrained unnamed --output unnamed.snc
for m in unnamed unnamed.snc; do
    run 0 predict $m <in
    check "$m answers by number" test "$(grep -cP '^[01]\t0\.' out)" -eq 2
    run 0 eval $m "${data[@]}"
    holds err "^warning: $m: its classes have no names: taken in the order of the task's (negative, ...)$"
    run 0 export $m --policy int8 --output named.snc --overwrite
    run 0 predict named.snc <in
    run 0 info $m --json
    holds out '"labels":.*\[\]'
    run 0 finetune --pretrained $m "${data[@]}" --output y.snc --epochs 0.1 --threads 1 --overwrite
    holds err "^warning: $m: its classes have no names"
done
# Other names, the first of which is the same; names that differ in case alone.
sed 's/"POSITIVE"/"negative"/;s/"NEGATIVE"/"odd"/' hf/config.json >unnamed/config.json
run 0 eval unnamed "${data[@]}"
holds err "^warning: unnamed: its labels (odd, ...) are not the task's (positive, ...): taken in order$"
run 0 bench unnamed --tasks nano/task.json --data nano -o csv
holds err "^warning: unnamed: its labels (odd, ...) are not the task's (positive, ...): taken in order$"
run 0 eval hf "${data[@]}"
equal "warnings where they are the same" "$(cat err | grep -c warning)" 0

# ---- without lengths ------------------------------------------------------------------------------------------------------------------
for m in hf unnamed.snc; do refused "$m: knows no real lengths" bench $m -s data; done
