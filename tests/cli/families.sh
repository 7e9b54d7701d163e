#!/usr/bin/env bash
# Families through fine-tuning, export, answers and back from a folder of Hugging Face's; what a file is stands in info.
. "$(dirname "$0")/lib.bash"

for family in distilbert electra roberta albert mpnet modernbert deberta-v2; do
    "$MAKE_NANO" $family $family || exit 2
    rows=(--task $family/task.json --data $family)
    run 0 finetune --pretrained $family/nano.snc "${rows[@]}" --output $family.snc --epochs 2 --lr 3e-3 --threads 1
    run 0 export $family.snc --policy int8 --output int8.snc --overwrite
    run 0 eval int8.snc "${rows[@]}" --json
    less "0.8 and the accuracy of $family" 0.8 "$(number out accuracy)"
    printf 'a good film\nbad\tvery bad\n' >in
    run 0 predict int8.snc <in
    equal "answers of $family" "$(cut -f1 out | tr '\n' ' ')" "positive negative "
    run 0 info int8.snc --json
    holds out "\"family\":.*\"$family\""
    run 0 info int8.snc
    holds out "^int8.snc: $family of 3 layers, hidden 32"
done

# A folder is the same model as the file it was written of, and its classifier goes on being trained.
for family in distilbert electra roberta; do
    rows=(--task $family/task.json --data $family)
    "$MAKE_NANO" --hf $family.snc hf-$family || exit 2
    run 0 predict hf-$family --logits <in
    awk -F'\t' '{ print $4, $3 }' out >folder
    run 0 predict $family.snc --logits <in
    awk -F'\t' '{ print $3, $4 }' out >file
    same folder file
    run 0 finetune --pretrained hf-$family "${rows[@]}" --output more-$family.snc --epochs 0.1 --threads 1
    holds err 'is fine-tuned already'
done

# Tables of another width are as wide as the family has them in every net that is trained and cut.
rows=(--task electra/task.json --data electra --threads 1)
echo '{"arch":{"hidden":24,"layers":[{"source":0,"heads":3,"ffn":48},{"source":2,"heads":2,"ffn":32}]}}' >cut.json
run 0 supernet --teacher electra.snc "${rows[@]}" --supernet-epochs 0.5 --output s.snc
refused "int4 on rows of 20, expected a multiple of 16" export electra.snc --policy int4 --output int4.snc
for policy in f32 int8; do
    run 0 export s.snc --config cut.json --policy $policy --output cut-$policy.snc
    run 0 info cut-$policy.snc
    holds out 'electra of 2 layers, hidden 24 from tables of 20,'
    run 0 eval cut-$policy.snc "${rows[@]}" --json
    less "0.5 and the accuracy in $policy" 0.5 "$(number out accuracy)"
done

# Of a net without its middle layer the last one is a local one still, and first tokens or means are pooled as the file says.
rows=(--task modernbert/task.json --data modernbert --threads 1)
run 0 supernet --teacher modernbert.snc "${rows[@]}" --supernet-epochs 0.5 --output m.snc
for policy in f32 int8; do
    run 0 export m.snc --config cut.json --policy $policy --output cut-$policy.snc --overwrite
    grep -aq '\\"local\\":\[1\]' cut-$policy.snc || fail "a local layer of cut-$policy.snc"
    run 0 eval cut-$policy.snc "${rows[@]}" --json
    less "0.5 and the accuracy in $policy" 0.5 "$(number out accuracy)"
done

# RoBERTa as it comes, with byte-level pieces in place of word pieces: trained, stored, cut to what the rows need, and read again.
"$MAKE_NANO" --hf roberta.snc bytes || exit 2
rm bytes/vocab.txt
awk 'BEGIN {
    n = split("<s> <pad> </s> <unk> <mask> \304\240 a b c d e f g h i j k l m n o p q r s t u v w x y z " \
              "go goo good ba bad fi fil film \304\240good \304\240bad \304\240film zz", piece, " ")
    for (i = 1; i <= n; i++) printf "%s\"%s\":%d", (i > 1 ? "," : "{"), piece[i], i - 1
    print "}"
}' >bytes/vocab.json
printf '#version: 0.2\n' >bytes/merges.txt
printf '%s\n' 'g o' 'go o' 'goo d' 'b a' 'ba d' 'f i' 'fi l' 'fil m' $'\304\240 good' $'\304\240 bad' $'\304\240 film' 'z z' >>bytes/merges.txt
rows=(--task roberta/task.json --data roberta --threads 1)
run 0 finetune --pretrained bytes "${rows[@]}" --output bytes.snc --epochs 1 --lr 3e-3
run 0 export bytes.snc --policy int8 --trim-vocab "${rows[@]}" --output cut.snc
holds err '43 of 97 pieces kept; 0.00% of dev'
for model in bytes bytes.snc cut.snc; do
    printf 'a good film\nbad\t  bad\nno <mask>good\n' >in
    run 0 tokenize --pretrained $model <in
    equal "ids of $model" "$(tr '\n' '/' <out)" "0 6 40 42 2/0 36 2 2 5 41 2/0 19 20 5 4 34 2/"
done
printf 'zz\n' >in
run 0 tokenize --pretrained bytes.snc <in
equal "a piece that no row has" "$(cat out)" "0 43 2"
run 0 tokenize --pretrained cut.snc <in
equal "its parts in the file that was cut" "$(cat out)" "0 31 31 2"
printf 'a good film\nbad\tbad\n' >in
run 0 predict cut.snc <in
lines out 2
run 0 info cut.snc
holds out 'vocabulary 43,'
printf 'go  o\n' >>bytes/merges.txt
refused "bytes/merges.txt: merge 13: 'go  o' is not two parts" tokenize --pretrained bytes
