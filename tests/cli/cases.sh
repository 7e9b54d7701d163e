#!/usr/bin/env bash
# Small inputs that were once misread, each with what has to come of it. They are made here; where a folder of such files lies
# beside the repository (../shared/cases/snc), those are tried as well.
. "$(dirname "$0")/lib.bash"
CASES=$TESTS/../../shared/cases/snc
nano nano
data=(--task nano/task.json --data nano)
run 0 finetune --pretrained nano/nano.snc "${data[@]}" --output t.snc --epochs 1 --lr 2e-3 --threads 1
printf 'good film\nbad movie\n' >in

# edited NAME SED: a copy of t.snc with its metadata edited, no byte longer or shorter, under a digest that is right.
edited() {
    sed -E "$2" t.snc >"$1"
    equal "size of $1" "$(stat -c %s "$1")" "$(stat -c %s t.snc)"
    check "$1 is t.snc" test "$(cksum <"$1")" != "$(cksum <t.snc)"
    reseal "$1"
}
# shared NAME TEXT VERB ARG...: the same refusal of the file beside the repository.
shared() {
    local name=$1 text=$2 verb=$3
    shift 3
    [ -e "$CASES/$name" ] || return 0
    cp "$CASES/$name" "shared-$name"
    refused "$text" "$verb" "shared-$name" "$@"
}

# ---- labels that would part a line ------------------------------------------------------------------------------------------------
odd="label 'neg...' goes on with the control character 0x09"
edited label.snc 's/\\"negative\\"/\\"neg\\\\tve\\"/'
for verb in info predict "bench -s 8" "export --policy int8 --output x.snc" "eval ${data[*]}"; do
    set -- $verb
    refused "label.snc: $odd" "$1" label.snc "${@:2}"
done
shared label_tab_newline.snc "$odd" predict
cp -r "$TESTS/golden/checkpoints/hf" hf && chmod -R u+w hf
for end in '\\n' '\\u007f' '\\r'; do
    sed -E "s/(\"id2label\": *\{[^}]*\"0\": *)\"[^\"]*\"/\1\"neg$end\"/" "$TESTS/golden/checkpoints/hf/config.json" | tr -d '\n' |
        sed -E "s/(\"id2label\": *\{[^}]*\"0\": *)\"[^\"]*\"/\1\"neg$end\"/" >hf/config.json
    refused "config.json: " import --pretrained hf --output x.snc
done
sed 's/"negative","positive"/"negative","pos\\nitive"/' nano/task.json >task.json
refused "task.json: label 'pos...' goes on with the control character 0x0a" finetune --pretrained nano/nano.snc --task ./task.json --data nano --output x.snc
mkdir rows
awk -F'\t' 'NR > 1 { printf "{\"text\":\"%s\",\"label\":\"%s\"}\n", $1, $2 == "positive" ? "pos\\titive" : $2 }' nano/train.tsv >rows/train.jsonl
refused "train.jsonl: label 'pos...' goes on with the control character 0x09" finetune --pretrained nano/nano.snc --task custom --data rows --output x.snc
absent x.snc

# ---- two at once ----------------------------------------------------------------------------------------------------------------------
# both ARG... : the same command twice at one time; each ends by itself with 0 or 3, or is refused by the number of the other.
both() {
    local one code other
    "$COMPRESS" "$@" --quiet >out.1 2>err.1 &
    one=$!
    "$COMPRESS" "$@" --quiet >out.2 2>err.2
    other=$?
    wait "$one"
    code=$?
    CHECKS=$((CHECKS + 1))
    [[ "$code $other" =~ ^([03]\ [023]|2\ [03])$ ]] || fail "$*: exit codes $code and $other"
    cat err.1 err.2 >err
    [ $code -ne 2 ] && [ $other -ne 2 ] || { lines err 1; holds err ': another '; }
}
tune=(finetune --pretrained nano/nano.snc "${data[@]}" --lr 2e-3 --epochs 4 --threads 1 --checkpoint-every 3)
run 0 "${tune[@]}" --output alone.snc
both "${tune[@]}" --output two.snc
same_tensors alone.snc two.snc
both --pretrained nano/nano.snc "${data[@]}" --epochs 2 --lr 2e-3 --supernet-epochs 0.5 --supernet-lr 1e-3 --evals 20 --repair off --target-size 0.9x --threads 1 \
    --output job
equal "bytes in the report" "$(awk -F, '$1 == "compressed" { print $8 }' job/report.csv)" "$(stat -c %s job/compressed.snc)"
run 0 verify job/compressed.snc
no_leftovers .
