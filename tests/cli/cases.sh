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

# ---- numbers inside a model file ----------------------------------------------------------------------------------------------
edited lengths_zero.snc 's/(\\"lengths\\":\[)[0-9]{2},/\1 0,/;s/(\\"lengths\\":\[)[0-9],/\10,/'
edited lengths_long.snc 's/(\\"lengths\\":\[)[0-9]{2},/\199,/;s/(\\"lengths\\":\[)[0-9],([0-9],|[0-9]{2},)/\199\2/'
edited lengths_none.snc 's/(\\"lengths\\":\[)[0-9]/\1-/'
edited maxlen_-1.snc 's/(\\"max_length\\":)32/\1-1/'
cp t.snc maxlen_1.5.snc && "$MAKE_NANO" --meta maxlen_1.5.snc max_length 1.5
edited maxlen_0.snc 's/(\\"max_length\\":)32/\100/'
edited maxlen_2.snc 's/(\\"max_length\\":)32/\1 2/'
for bad in lengths_zero lengths_long; do
    refused "$bad.snc: 'lengths' must be a whole number from 1 to 40" bench $bad.snc -s data -r 3
done
refused "lengths_none.snc: " bench lengths_none.snc -s data -r 3
shared lengths_zero.snc "'lengths' must be a whole number from 1 to 40" bench -s data -r 3
for bad in maxlen_-1 maxlen_1.5 maxlen_2; do
    for verb in predict "eval ${data[*]}" "bench --tasks nano/task.json --data nano"; do
        set -- $verb
        refused "max_length" "$1" $bad.snc "${@:2}"
        holds err "$bad.snc"
    done
done
shared maxlen_-1.snc "max_length" predict
shared maxlen_1.5.snc "max_length" predict

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

# ---- weights that are no numbers ----------------------------------------------------------------------------------------------------
for tensor in classifier.weight classifier.bias pooler.bias; do
    cp t.snc nan.snc
    poke nan.snc "$(offset nan.snc $tensor)" '\x00\x00\xc0\x7f'
    reseal nan.snc
    "$COMPRESS" predict nan.snc <in >out 2>err
    equal "exit code of predict with a NaN in $tensor" $? 2
    lines err 1
    holds err 'nan.snc'
    lacks out nan
    refused "nan.snc" eval nan.snc "${data[@]}"
done
shared nan_classifier.snc "shared-nan_classifier.snc" eval "${data[@]}"

# ---- a space and rows that were half read ---------------------------------------------------------------------------------------------
elastic=(supernet --teacher t.snc "${data[@]}" --output x.snc --threads 1)
echo '{"depth":[2],"depth_layers":{"2":[0.5,1.5]}}' >frac.json
refused "frac.json: " "${elastic[@]}" --space frac.json
echo '{"depth":[2],"depth_layers":{"2":[0,1],"99":[0,1]}}' >unknown.json
refused "unknown.json: " "${elastic[@]}" --space unknown.json
echo '{"depth":[2],"depth":[3]}' >twice.json
refused "twice.json: " "${elastic[@]}" --space twice.json
[ -e "$CASES/space_frac.json" ] && refused "space_frac.json: " "${elastic[@]}" --space "$CASES/space_frac.json"
mkdir -p two && cp nano/dev.tsv two
sed 's/"train.tsv"/"train.jsonl"/;s/"dev.tsv"/"dev.jsonl"/;s/"text_a"/"format":"auto","text_a"/' nano/task.json >jsonl.json
awk -F'\t' 'NR > 1 { printf "{\"sentence\":\"%s\",\"label\":\"%s\"}%s", $1, $2, NR == 8 ? "" : "\n" }' nano/train.tsv >two/train.jsonl
refused "train.jsonl:7: " finetune --pretrained nano/nano.snc --task ./jsonl.json --data two --output x.snc --threads 1
for after in ' x' ' {' ' null' ','; do
    awk -F'\t' -v after="$after" 'NR > 1 { printf "{\"sentence\":\"%s\",\"label\":\"%s\"}%s\n", $1, $2, NR == 8 ? after : "" }' nano/train.tsv >two/train.jsonl
    refused "train.jsonl:7: " finetune --pretrained nano/nano.snc --task ./jsonl.json --data two --output x.snc --threads 1
done
absent x.snc x.snc.checkpoint

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
run 0 verify job
lines out 3
mkdir moved && cp job/report.json job/*.snc moved
run 0 verify moved
cp moved/teacher.snc moved/compressed.snc
refused "moved/compressed.snc: is not the file that the report speaks of" verify moved
refused "nano: no report.json in it" verify nano t.snc
no_leftovers .
