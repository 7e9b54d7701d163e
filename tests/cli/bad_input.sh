#!/usr/bin/env bash
# Broken models, tasks, rows and options: one line that names the file, the field or the line; nothing half-written.
. "$(dirname "$0")/lib.bash"
golden=$TESTS/golden/checkpoints
nano nano
m=nano/nano.snc
size=$(stat -c %s $m)

# ---- model files --------------------------------------------------------------------------------------------------
refused "none.snc" info none.snc
mkdir empty
refused "empty: no model.safetensors" info empty
: >zero.snc
refused "zero.snc: the file is empty" info zero.snc
printf 'not a model at all\n' >text.snc
refused "text.snc: " info text.snc
for cut in 4 100 2000 $((size / 2)) $((size - 1)); do
    head -c "$cut" $m >cut.snc
    refused "cut.snc: " info cut.snc
done
{ cat $m; printf x; } >long.snc
refused "long.snc: 1 bytes after the last tensor" info long.snc

# damaged NAME TEXT SED: a copy with its header edited, no byte longer or shorter.
damaged() {
    sed "$3" $m >"$1.snc"
    equal "size of $1.snc" "$(stat -c %s "$1.snc")" "$size"
    CHECKS=$((CHECKS + 1))
    if cmp -s "$1.snc" $m; then fail "$1.snc was not damaged"; fi
    refused "$2" info "$1.snc"
    grep -qF "$1.snc" err || fail "the line does not name $1.snc"
    refused "$2" export "$1.snc" --policy int8 --output x.snc
    absent x.snc
}
damaged newer 'format 9 is newer than this program reads (5)' 's/"snc_format":"1"/"snc_format":"9"/'
damaged version "snc_format 'x'" 's/"snc_format":"1"/"snc_format":"x"/'
damaged dtype "tensor 'classifier.bias'" 's/"classifier.bias":{"dtype":"F32"/"classifier.bias":{"dtype":"F64"/'
damaged type "tensor 'classifier.bias': unknown dtype 'F99'" 's/"classifier.bias":{"dtype":"F32"/"classifier.bias":{"dtype":"F99"/'
damaged half "tensor 'embeddings.norm.bias'" 's/"shape":\[32\],"data_offsets":\[264,392\]/"shape":[64],"data_offsets":[264,392]/'
damaged swapped "tensor 'classifier.weight'" 's/"shape":\[2,32\],"data_offsets":\[8,264\]/"shape":[32,2],"data_offsets":[8,264]/'
damaged overlap "tensors 'classifier.bias' and 'classifier.weight' overlap" 's/"data_offsets":\[8,264\]/"data_offsets":[0,256]/'
damaged outside "tensor 'classifier.bias'" 's/"data_offsets":\[0,8\]/"data_offsets":[8,0]/'
damaged absent "tensor 'pooler.bias' is missing" 's/"pooler.bias"/"poolex.bias"/'
damaged twice "key 'classifier.bias' appears twice" 's/"classifier.weight":/"classifier.bias"  :/'
damaged vocab '97' 's/\\"vocab\\":97/\\"vocab\\":98/'
damaged width 'config' 's/\\"hidden\\":32,\\"layers\\":3/\\"hidden\\":-2,\\"layers\\":3/'
damaged heads "tensor 'layer.0.attention.q.weight' is [32, 32], expected [16, 32]" 's/\\"heads\\":4,\\"head_width\\":8/\\"heads\\":8,\\"head_width\\":4/'
damaged act "'act'" 's/\\"act\\":\\"gelu\\"/\\"act\\":\\"gelo\\"/'
damaged json 'JSON' 's/"__metadata__":{/"__metadata__":[/'
cp $m length.snc
poke length.snc 0 '\xff\xff\xff\xff\xff\xff\xff\x7f'
refused "length.snc: safetensors header length" info length.snc

# Damage that leaves every part plausible: a weight, a letter of a word piece, a number of the metadata.
whole() { run 0 verify "$1" && holds out "^$1: ok xxh3-64:[0-9a-f]\{16\}$"; }
whole $m
for tensor in classifier.weight embeddings.word.weight; do
    cp $m bit.snc && poke bit.snc $(($(offset bit.snc $tensor) + 40)) '\x11'
    refused "bit.snc: damaged: its digest is xxh3-64:" verify bit.snc
    refused "bit.snc: damaged: its digest is xxh3-64:" info bit.snc
    refused "bit.snc: damaged: its digest is xxh3-64:" verify bit.snc $m
    reseal bit.snc && whole bit.snc
done
damaged letter "damaged: its digest is" 's/##ing/##ong/'
damaged epsilon "damaged: its digest is" 's/\\"hidden_dropout\\":0.1/\\"hidden_dropout\\":0.2/'
damaged key "damaged: its digest is" 's/"digest"/"dugest"/'
sed 's/"digest":"[^"]*",//' $m >short.snc && cp $m none.snc
pad=$(printf '%*s' $((size - $(stat -c %s short.snc))) '')
sed "s/\"digest\":\"[^\"]*\",/$pad/" $m >none.snc
run 0 verify none.snc && holds out "^none.snc: has no digest"
run 0 info none.snc && rm none.snc

# Any one byte of the header changed: an answer or a refusal, never a crash.
header=$(head_size $m)
for ((i = 0; i < 60; i++)); do
    cp $m poked.snc
    poke poked.snc $(((i * 7919) % header)) "\\x$(printf %02x $((i * 37 % 256)))"
    "$COMPRESS" info poked.snc >out 2>err
    code=$?
    CHECKS=$((CHECKS + 1))
    [ $code -eq 2 ] || cmp -s poked.snc $m || fail "byte $(((i * 7919) % header)): exit code $code"
    [ $code -eq 0 ] || [ "$(wc -l <err)" -eq 1 ] || fail "byte $(((i * 7919) % header)): $(wc -l <err) lines"
done

# ---- folders of others --------------------------------------------------------------------------------------------
copy() { rm -rf hf && cp -r "$golden/$1" hf && chmod -R u+w hf; }
copy hf
run 0 import --pretrained hf --output ok.snc
lacks err error
copy hf && rm hf/config.json
refused "config.json" import --pretrained hf --output x.snc
copy hf && sed -i 's/"hidden_size": *[0-9]*/"hidden_size": 64/' hf/config.json
refused "hf" import --pretrained hf --output x.snc
copy hf && echo more >>hf/vocab.txt
refused "a vocabulary of" import --pretrained hf --output x.snc
copy hf && sed -i 's/"hidden_act": *"[a-z_]*"/"hidden_act": "swish"/' hf/config.json
refused "hidden_act 'swish'" import --pretrained hf --output x.snc
copy hf && printf '{' >hf/config.json
refused "config.json: not valid JSON" import --pretrained hf --output x.snc
copy sharded && rm hf/model-00002-of-00002.safetensors
refused "model-00002-of-00002.safetensors" import --pretrained hf --output x.snc
copy hf && rm hf/model.safetensors && cp "$golden/refused/module.bin" hf/pytorch_model.bin
refused "pytorch_model.bin" import --pretrained hf --output x.snc
copy hf && rm hf/model.safetensors && cp "$golden/refused/pickle.bin" hf/pytorch_model.bin
refused "pytorch_model.bin: a bare pickle" import --pretrained hf --output x.snc
# What people give in place of a model is named whichever verb meets it first.
mkdir -p lora run/checkpoint-20 run/checkpoint-100
echo '{}' >lora/adapter_config.json
for what in "bert-base-uncased|hf download" "lora|AutoPeftModelForSequenceClassification" "run|(checkpoint-20, checkpoint-100)"; do
    for verb in "info" "predict" "tokenize --pretrained" "bench -s 16" "export --policy int8 --output x.snc"; do
        refused "${what#*|}" $verb "${what%|*}"
    done
    refused "${what#*|}" --pretrained "${what%|*}" --task nano/task.json --data nano --target-latency 1ms --output x
done
copy hf && printf 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n' | tee hf/vocab.txt >hf/model.safetensors
refused "model.safetensors: a Git LFS pointer" info hf
refused "vocab.txt: a Git LFS pointer" tokenize --pretrained hf
absent x.snc x

# ---- tasks and rows -----------------------------------------------------------------------------------------------
train=(finetune --pretrained $m --output t.snc --epochs 1 --threads 1)
task() { # task TEXT SED: the task file edited
    sed "$2" nano/task.json >task.json
    refused "$1" "${train[@]}" --task ./task.json --data nano
    grep -qF task.json err || fail "the line does not name task.json"
}
task "unknown key 'lables'" 's/"labels"/"lables"/'
task "'label' is missing" 's/"label":"label",//'
task "'metrics'" 's/accuracy/acuracy/'
task "not valid JSON" 's/}$//'
task "'max_length' must be" 's/"max_length":32/"max_length":2/'
task "one label, 'negative', expected 2" 's/"negative","positive"/"negative"/'
refused "task 'sst3'" "${train[@]}" --task sst3 --data nano
refused "none.json" "${train[@]}" --task ./none.json --data nano
refused "none: " "${train[@]}" --task nano/task.json --data none
refused "empty: no " eval $m --seeded-head --task nano/task.json --data empty
refused "task nano has no split 'test'" eval $m --seeded-head --task nano/task.json --data nano --split test

rows() { # rows TEXT SED: the train file edited
    mkdir -p data && cp nano/dev.tsv data
    sed "$2" nano/train.tsv >data/train.tsv
    refused "$1" "${train[@]}" --task nano/task.json --data data
}
rows "train.tsv:7: 1 column, expected at least 2" '7s/\t.*//'
rows "train.tsv:9: label 'great' is not one of the task's 2: negative, positive" '9s/\t.*/\tgreat/'
rows "train.tsv:1: no column 'label'" '1s/label/lable/'
rows "train.tsv: no rows" '2,$d'
rows "train.tsv: no rows" '1,$d'
rows "train.tsv: " '5,$d'
absent t.snc t.snc.checkpoint
printf 'a\tb\tc\n' >unlabeled.txt
run 0 "${train[@]}" --task nano/task.json --data nano --lr 2e-3
sed 's/positive/neutral/' nano/task.json >three.json && sed -i 's/"negative",/"negative","positive",/' three.json
refused "has 2 classes, task nano has 3" eval t.snc --task ./three.json --data nano
elastic=(supernet --teacher t.snc --task nano/task.json --data nano --output s.snc --threads 1)
refused "unlabeled.txt:1: " "${elastic[@]}" --unlabeled unlabeled.txt
refused "none.txt" "${elastic[@]}" --unlabeled none.txt
refused "is not fine-tuned for nano" supernet --teacher $m --task nano/task.json --data nano --output s.snc
refused "--sampler 'none'" "${elastic[@]}" --sampler none
refused "--depth-rule 'none'" "${elastic[@]}" --depth-rule none
absent s.snc s.snc.checkpoint

# ---- outputs and options ------------------------------------------------------------------------------------------
refused "x.snc" export t.snc --policy int8 --output nano/task.json/x.snc
refused "x.snc" export t.snc --policy int8 --output none/x.snc
refused "nano: is a folder" export t.snc --policy int8 --output nano
refused "x.snc" "${train[@]}" --task nano/task.json --data nano --output none/x.snc
absent none
refused "none/log: cannot write" info t.snc --log-json none/log
refused "--backend 'fast'" bench t.snc --backend fast
refused "--threads '0'" "${train[@]}" --task nano/task.json --data nano --threads 0
refused "--threads" "${train[@]}" --task nano/task.json --data nano --threads 1,2
refused "--compute 'f16'" "${train[@]}" --output y.snc --task nano/task.json --data nano --compute f16
export SNC_ISA=sse9
refused "SNC_ISA=sse9: expected one of scalar, " info t.snc
refused "SNC_ISA=sse9: expected one of scalar, " bench t.snc -s 8
if on_arm; then SNC_ISA=amx; else SNC_ISA=i8mm; fi # no machine has both
refused "SNC_ISA=$SNC_ISA: this CPU has scalar" info t.snc
refused "SNC_ISA=$SNC_ISA: this CPU has scalar" bench t.snc -s 8
refused "SNC_ISA=$SNC_ISA: this CPU has scalar" predict t.snc
unset SNC_ISA
printf 'good film\n' | SNC_ISA=scalar "$COMPRESS" predict t.snc >scalar 2>err || fail "SNC_ISA=scalar"
lines scalar 1
no_leftovers .
