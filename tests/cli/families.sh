#!/usr/bin/env bash
# Families through fine-tuning, export, answers and back from a folder of Hugging Face's; what a file is stands in info.
. "$(dirname "$0")/lib.bash"

for family in distilbert electra roberta albert mpnet modernbert; do
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
