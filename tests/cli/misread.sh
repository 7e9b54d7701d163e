#!/usr/bin/env bash
# What would be read as something else than it says is refused: second objects on a line, keys and columns that are there twice,
# numbers that are no whole ones or out of range, names that break a line of the answer.
. "$(dirname "$0")/lib.bash"
nano nano
train=(finetune --pretrained nano/nano.snc --output t.snc --epochs 1 --threads 1)

# ---- rows ---------------------------------------------------------------------------------------------------------
mkdir rows && cp nano/dev.tsv rows/dev.tsv
sed 's/"train.tsv"/"train.jsonl"/; s/"max_length"/"format":"auto","max_length"/' nano/task.json >rows/task.json
awk -F'\t' 'NR > 1 { printf "{\"sentence\": \"%s\", \"label\": \"%s\"}\n", $1, $2 }' nano/train.tsv >rows.jsonl
jsonl() { # jsonl TEXT SED: the rows edited
    sed "$2" rows.jsonl >rows/train.jsonl
    refused "$1" "${train[@]}" --task rows/task.json --data rows
}
jsonl 'train.jsonl:2: text after the JSON value' '2s/$/ {"sentence": "bad", "label": "negative"}/'
jsonl 'train.jsonl:3: text after the JSON value' '3s/$/,/'
jsonl "train.jsonl:4: key 'label' appears twice" '4s/}$/, "label": "negative"}/'
jsonl 'train.jsonl:5: not valid JSON at byte' '5s/good\|bad\|film/\\ud800/'
jsonl "train.jsonl:6: key 'b' appears twice" '6s/}$/, "x": [{"a": 1, "b": 2, "b": 3}]}/'
jsonl 'train.jsonl:7: expected a JSON object' '7s/.*/[1]/'
mkdir two && cp nano/dev.tsv two/dev.tsv
sed '1s/.*/sentence\tlabel\tlabel/; 2,$s/$/\tnegative/' nano/train.tsv >two/train.tsv
refused "train.tsv:1: column 'label' appears twice in the header" "${train[@]}" --task nano/task.json --data two
sed '1s/.*/sentence\tlabel\t\t/; 2,$s/$/\t\t/' nano/train.tsv >two/train.tsv # nameless columns are many people's
run 0 "${train[@]}" --task nano/task.json --data two --max-steps 1
sed 's/"label":"label"/"label":"label","label":"sentence"/' nano/task.json >task.json
refused "task.json: key 'label' appears twice" "${train[@]}" --task ./task.json --data nano
sed 's/"label":"label"/"label":[0.5]/' nano/task.json >task.json
refused "task.json: 'label' must be a column name, or an index" "${train[@]}" --task ./task.json --data nano
sed 's/"max_length":32/"max_length":32.5/' nano/task.json >task.json
refused "'max_length' must be a whole number" "${train[@]}" --task ./task.json --data nano

# ---- model files --------------------------------------------------------------------------------------------------
rm -rf t.snc*
run 0 "${train[@]}" --task nano/task.json --data nano --lr 2e-3
# meta TEXT KEY JSON: a fine-tuned file whose meta says so, refused by every verb that reads it.
meta() {
    cp t.snc odd.snc && "$MAKE_NANO" --meta odd.snc "$2" "$3" || exit 2
    refused "odd.snc: $1" bench odd.snc -s data -r 1
    refused "odd.snc: $1" bench odd.snc -s 8 -r 1
    refused "odd.snc: $1" predict odd.snc
    refused "odd.snc: $1" info odd.snc
    refused "odd.snc: $1" export odd.snc --policy int8 --output x.snc
    refused "odd.snc: $1" eval odd.snc --task nano/task.json --data nano
}
for lengths in '[0]' '[5,0]' '[5,6,7,-1]' '[1.5]' '["5"]' '[5,null]' '[1e9]' '[41]' '[[5]]'; do
    meta "'lengths' must be a whole number from 1 to 40" lengths "$lengths"
done
meta "'lengths' must be a list" lengths '{"0":5}'
meta "'lengths' must be a list" lengths 5
for length in -1 0 1.5 '"32"' 1e99 '[32]'; do meta "'max_length' must be a whole number from 3 to 65536" max_length "$length"; done
cp t.snc odd.snc && "$MAKE_NANO" --meta odd.snc lengths '[5,6,7]' && run 0 bench odd.snc -s data -r 1
# text TEXT KEY VALUE: the same of a text of its metadata
text() {
    cp t.snc odd.snc && "$MAKE_NANO" --set odd.snc "$2" "$3" || exit 2
    refused "$1" info odd.snc
    grep -qF "odd.snc: " err || fail "the line does not name odd.snc"
    refused "$1" predict odd.snc
}
text "config: 'positions' must be a whole number" config '{"vocab":97,"positions":40.5,"types":2,"hidden":32,"layers":3,"heads":4,"head_width":8,"ffn":64,"classes":2}'
text "config: 'vocab' must be a whole number" config '{"vocab":-97,"positions":40,"types":2,"hidden":32,"layers":3,"heads":4,"head_width":8,"ffn":64,"classes":2}'
text "arch: 'heads' must be a whole number" arch '{"hidden":32,"layers":[{"heads":4.5,"ffn":64}]}'
text "arch: 'source' must be a whole number" arch '{"hidden":32,"layers":[{"source":0.5,"heads":4,"ffn":64}]}'
text "arch: key 'hidden' appears twice" arch '{"hidden":32,"layers":[{"heads":4,"ffn":64}],"hidden":16}'
text "policy: key 'o' appears twice" policy '{"embed":"f32","pooler":"f32","classifier":"f32","layers":[{"qkv":"f32","o":"f32","o":"int8","ffn_in":"f32","ffn_out":"f32"}]}'
text "meta: key 'seed' appears twice" meta '{"seed":1,"seed":2}'
absent x.snc

# ---- files of options ---------------------------------------------------------------------------------------------
space() { # space TEXT JSON
    printf '%s\n' "$2" >space.json
    refused "space.json: $1" supernet --teacher t.snc --task nano/task.json --data nano --space space.json --output s.snc
}
space "'depth_layers' must be a whole number from 0 to 2" '{"depth": [2, 3], "depth_layers": {"2": [0.5, 2]}}'
space "'depth_layers' must be a whole number from 0 to 2" '{"depth": [2, 3], "depth_layers": {"2": [0, 3]}}'
space "'depth_layers' of 2 must ascend" '{"depth": [2, 3], "depth_layers": {"2": [2, 1]}}'
space "'depth_layers' of 2 must name 2 layers" '{"depth": [2, 3], "depth_layers": {"2": {"a": 0, "b": 1}}}'
space "'depth_layers' has '99', which is no option of 'depth'" '{"depth": [2, 3], "depth_layers": {"99": [0, 1]}}'
space "'depth_layers' has '1', which is no option of 'depth'" '{"depth": [2, 3], "depth_layers": {"1": [0]}}'
space "'depth_layers' has '02', which is no option of 'depth'" '{"depth": [2, 3], "depth_layers": {"02": [0, 1]}}'
space "'depth_layers' must be an object of lists" '{"depth": [2, 3], "depth_layers": [[0, 1]]}'
space "key 'depth' appears twice" '{"depth": [2, 3], "depth": [3]}'
space "key '2' appears twice" '{"depth": [2, 3], "depth_layers": {"2": [0, 1], "2": [1, 2]}}'
config() { # config TEXT JSON
    printf '%s\n' "$2" >config.json
    refused "$1" export t.snc --policy int8 --config config.json --output x.snc
    grep -qF config.json err || fail "the line does not name config.json"
}
config "'ffn' must be a whole number" '{"arch": {"hidden": 32, "layers": [{"heads": 4, "ffn": 31.5}]}}'
config "'hidden' must be a whole number" '{"arch": {"hidden": 1e12, "layers": [{"heads": 4, "ffn": 32}]}}'
config "key 'arch' appears twice" '{"arch": {"hidden": 32, "layers": [{"heads": 4, "ffn": 32}]}, "arch": {"hidden": 16, "layers": [{"heads": 4, "ffn": 32}]}}'
absent x.snc s.snc

# ---- folders of others --------------------------------------------------------------------------------------------
hf() { # hf TEXT SED: config.json edited
    rm -rf hf && cp -r "$TESTS/golden/checkpoints/hf" hf && chmod -R u+w hf && sed -i "$2" hf/config.json
    refused "hf/config.json: $1" import --pretrained hf --output x.snc
}
hf "'num_hidden_layers' must be a whole number" 's/"num_hidden_layers": *[0-9]*/"num_hidden_layers": 1.5/'
hf "'vocab_size' must be a whole number" 's/"vocab_size": *[0-9]*/"vocab_size": -5/'
hf "key 'hidden_size' appears twice" 's/"hidden_size": *\([0-9]*\)/"hidden_size": \1, "hidden_size": \1/'
absent x.snc
no_leftovers .
