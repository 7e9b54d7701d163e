#!/usr/bin/env bash
# Deployable files: uniform policies, a policy or a subnet from a file, the head and tokenizer that are not there.
. "$(dirname "$0")/lib.bash"
nano nano
data=(--task nano/task.json --data nano)
run 0 finetune --pretrained nano/nano.snc "${data[@]}" --output t.snc --epochs 3 --lr 2e-3 --threads 1

for policy in f32 bf16 int8 int4; do
    run 0 export t.snc --policy $policy --output $policy.snc
    equal "answer" "$(cat out)" "$policy.snc"
    run 0 eval $policy.snc "${data[@]}" --json
    less "0.8 and the accuracy of $policy" 0.8 "$(number out accuracy)"
    run 0 bench $policy.snc -s data -r 4 -o csv
    lines out 2
done
same_tensors t.snc f32.snc
less "bytes of bf16 and f32" "$(stat -c %s bf16.snc)" "$(stat -c %s f32.snc)"
less "bytes of int4 and int8" "$(stat -c %s int4.snc)" "$(stat -c %s int8.snc)"
less "bytes of int8 and bf16" "$(stat -c %s int8.snc)" "$(stat -c %s bf16.snc)"
run 0 export t.snc --output default.snc
same int8.snc default.snc
run 0 export --pretrained t.snc --policy int8 --output named.snc
same int8.snc named.snc
# The integers are the file's: exporting an INT8 file again gives them back.
run 0 export int8.snc --policy int8 --output again.snc
same_tensors int8.snc again.snc
run 0 info int8.snc
holds out 'int8 .*int8 .*int8 .*int8'
holds out '^label 1 positive$'
no_leftovers .

# ---- a policy or a subnet from a file -----------------------------------------------------------------------------------
row='{"qkv":"int8","o":"f32","ffn_in":"int8","ffn_out":"bf16"}'
policy="{\"embed\":\"f32\",\"pooler\":\"f32\",\"classifier\":\"f32\",\"layers\":[$row,$row,$row]}"
arch='{"hidden":24,"layers":[{"source":0,"heads":3,"ffn":48},{"source":2,"heads":2,"ffn":32}]}'
echo "$policy" >policy.json
run 0 export t.snc --policy policy.json --output mixed.snc
run 0 info mixed.snc --json
equal "INT8 matrices" "$(tr -d ' \t' <out | grep -o '"qkv":"int8"' | wc -l)" 3
equal "BF16 matrices" "$(tr -d ' \t' <out | grep -o '"ffn_out":"bf16"' | wc -l)" 3
# Halves that are skipped, in every dtype: the file has what is there, and is written again as it is.
echo '{"arch":{"hidden":32,"layers":[{"source":0,"heads":4,"ffn":0},{"source":1,"heads":0,"ffn":64},{"source":2,"heads":4,"ffn":64}]}}' >skips.json
for dtype in f32 bf16 int8 int4; do
    run 0 export t.snc --config skips.json --policy $dtype --output skips-$dtype.snc
    run 0 export skips-$dtype.snc --policy $dtype --output again-$dtype.snc
    [ $dtype = int4 ] || same_tensors skips-$dtype.snc again-$dtype.snc # which is fitted, not rounded
    run 0 info skips-$dtype.snc
    equal "matrices of $dtype" "$(head -5 out | tail -3 | grep -o "$dtype" | wc -l)" 12
    run 0 eval skips-$dtype.snc "${data[@]}" --json
    less "0.5 and the accuracy of $dtype" 0.5 "$(number out accuracy)"
done
echo "{\"arch\":$arch}" >subnet.json
run 0 export t.snc --config subnet.json --policy f32 --output subnet.snc
run 0 info subnet.snc --json
tr -d ' \t\n' <out >flat
holds flat '"hidden":24,"layers":\[{"source":0,"heads":3,"ffn":48},{"source":[12],"heads":2,"ffn":32}\]'
printf 'good film\nbad movie bad\n' >in
run 0 predict subnet.snc <in
lines out 2
run 0 export t.snc --config subnet.json --output small.snc
less "bytes of the subnet and the whole, INT8" "$(stat -c %s small.snc)" "$(stat -c %s int8.snc)"
run 0 predict small.snc --logits <in
check "two logits a line" awk -F'\t' 'NF != 4 { exit 1 }' out

# A uniform policy in a file; the shipped ones are of that kind.
for file in "$TESTS"/../configs/policies/*.json; do
    run 0 export t.snc --policy "$file" --output shipped.snc --overwrite
    run 0 predict shipped.snc <in
    lines out 2
done

# ---- fewer word pieces --------------------------------------------------------------------------------------------------
run 0 export t.snc --policy int8 --trim-vocab "${data[@]}" --output trimmed.snc
holds err 'vocabulary: [0-9]* of [0-9]* pieces kept; 0.00% of dev'
less "bytes of the trimmed file and the whole" "$(stat -c %s trimmed.snc)" "$(stat -c %s int8.snc)"
run 0 predict int8.snc --logits <in
cp out whole.out
run 0 predict trimmed.snc --logits <in
same out whole.out
run 0 info trimmed.snc --json
holds out '"dev_lost_percent"'
mkdir torn && cp nano/dev.tsv torn && sed '9s/\t.*/\tfine/' nano/train.tsv >torn/train.tsv
refused "torn/train.tsv:9" export t.snc --policy int8 --trim-vocab --task nano/task.json --data torn --output torn.snc
cp nano/train.tsv torn && sed '9s/\t.*/\tfine/' nano/dev.tsv >torn/dev.tsv
refused "torn/dev.tsv:9" export t.snc --policy int8 --trim-vocab --task nano/task.json --data torn --output torn.snc
equal "what is left of a refused export" "$(ls | grep -c '^torn\.')" 0
no_leftovers .

# ---- several nets in one file -------------------------------------------------------------------------------------------
run 0 export small.snc int8.snc --output family.snc
less "bytes of the family, and of its largest net and two kilobytes" "$(stat -c %s family.snc)" $(($(stat -c %s int8.snc) + 2048))
run 0 info family.snc
holds out '^net 1: 2 layers, hidden 24, multiply-adds at 128 tokens [0-9.]* M, 0 bytes of its own$'
run 0 info family.snc --json
holds out '"own_bytes":.*0'
for k in 0 1; do
    of=$([ $k = 0 ] && echo int8.snc || echo small.snc)
    run 0 export family.snc --net $k --output cut.snc --overwrite
    same cut.snc $of
    run 0 predict $of --logits <in
    cp out alone.out
    run 0 predict family.snc --net $k --logits <in
    same out alone.out
    run 0 eval $of "${data[@]}"
    cp out alone.out
    run 0 eval family.snc --net $k "${data[@]}"
    equal "scores of net $k" "$(grep -v seconds out | grep -v ' s$')" "$(grep -v seconds alone.out | grep -v ' s$')"
done
run 0 bench family.snc small.snc -s 8,16 -r 4 --net all -o csv
equal "models of a bench" "$(tail -n +2 out | cut -d, -f1 | uniq | paste -sd ' ')" "family.snc family.snc:1 small.snc"
lines out 7
run 0 bench family.snc -s 8 -r 4 --net 1,0 -o csv
equal "nets in the order asked" "$(tail -n +2 out | cut -d, -f1 | paste -sd ' ')" "family.snc:1 family.snc"
run 0 bench family.snc -s 8 -r 4 -o csv
lines out 2
run 0 export family.snc --policy f32 --output largest.snc --verbose
holds err 'family.snc: the largest of its 2 nets is taken'
run 0 export int8.snc --policy f32 --output whole.snc
same_tensors largest.snc whole.snc
run 0 export f32.snc small.snc --output apart.snc # of other dtypes: beside each other
less "bytes of f32.snc" "$(stat -c %s f32.snc)" "$(stat -c %s apart.snc)"
run 0 export apart.snc --net 1 --output cut.snc --overwrite
same cut.snc small.snc
run 0 export small.snc int8.snc --output family.snc # it is there
refused "--output family.snc: is another file (--overwrite makes it anew)" export small.snc f32.snc --output family.snc
refused "--net 2: family.snc has 2 nets, from 0 on" predict family.snc --net 2
refused "--net 1: small.snc has 1 net, from 0 on" eval small.snc --net 1 "${data[@]}"
refused "--net 2: family.snc has 2 nets, from 0 on" export family.snc --net 2 --output x.snc
refused "--net 2: family.snc has 2 nets" bench family.snc -s 8 --net 0,2
refused "--net one: expected all, or cascade and numbers from 0 on" bench family.snc -s 8 --net one
refused "export --net: it is cut out as it is: without --policy" export family.snc --net 1 --policy int8 --output x.snc
refused "export of several models: each goes as it is: without --policy" export small.snc int8.snc --policy int8 --output x.snc
refused "export --net: expected one model" export small.snc int8.snc --net 1 --output x.snc
refused "family.snc: expected a file of one net" export small.snc family.snc --output x.snc
refused "compute as much as each other: expected nets of several speeds" export int8.snc f32.snc --output x.snc
refused "small.snc: another tokenizer or vocabulary than trimmed.snc" export small.snc trimmed.snc --output x.snc
refused "hf: expected a .snc file" export int8.snc "$TESTS/golden/checkpoints/hf" --output x.snc
no_leftovers .

# ---- a folder for other programs --------------------------------------------------------------------------------------------
files() { (cd "$1" && find . -type f | sort | paste -sd ' '); }
onnx="./config.json ./onnx/model.onnx"
beside="./tokenizer.json ./tokenizer_config.json"
"$COMPRESS" export int8.snc --to onnx --output probe >/dev/null 2>err
if grep -q 'built without ONNX' err; then
    refused "--to onnx: built without ONNX: its schema and protobuf-c were not found" export int8.snc --to onnx --output x
else
    run 0 export int8.snc --to onnx --form f32,int8,qdq --output graphs
    equal "answer" "$(cat out)" graphs
    equal "files of a folder" "$(files graphs)" "$onnx ./onnx/model_qdq.onnx ./onnx/model_quantized.onnx $beside"
    less "bytes of INT8 and F32" "$(stat -c %s graphs/onnx/model_quantized.onnx)" "$(stat -c %s graphs/onnx/model.onnx)"
    equal "labels" "$(tr -d ' \t\n' <graphs/config.json | grep -o '"id2label":{[^}]*}')" '"id2label":{"0":"negative","1":"positive"}'
    equal "files without --form" "$(files probe)" "$onnx ./onnx/model_quantized.onnx $beside"
    same probe/onnx/model.onnx graphs/onnx/model.onnx
    # The folder's tokenizer is the file's.
    cut -f1 nano/dev.tsv | tail -n +2 >in
    run 0 tokenize --pretrained int8.snc <in
    cp out ids.out
    run 0 tokenize --pretrained graphs <in
    same out ids.out
    # Another policy is another file, which is not kept; a net of several is that net.
    run 0 export t.snc --to onnx --policy f32 --output plain
    equal "files of F32" "$(files plain)" "$onnx $beside"
    run 0 export t.snc --to onnx --policy int8 --output whole
    same whole/onnx/model_quantized.onnx graphs/onnx/model_quantized.onnx
    run 0 export family.snc --to onnx --net 1 --output narrow
    run 0 export small.snc --to onnx --output narrow.too
    same narrow/onnx/model_quantized.onnx narrow.too/onnx/model_quantized.onnx
    mkdir empty && run 0 export small.snc --to onnx --form int8 --overwrite --output empty
    holds err '^warning: --overwrite has no effect beside --to onnx$'
    equal "files of INT8" "$(files empty)" "./config.json ./onnx/model_quantized.onnx $beside"
    run 0 export t.snc --form int8 --policy int8 --output formless.snc
    holds err '^warning: --form has no effect without --to$'
    refused "--output graphs: the folder is not empty" export int8.snc --to onnx --output graphs
    refused "--output in: a file, expected a folder to make" export int8.snc --to onnx --output in
    refused "--form 'int4': expected a comma list of f32, int8 and qdq" export int8.snc --to onnx --form f32,int4 --output x
    refused "--form qdq: no matrix of f32.snc is INT8 or INT4; --policy int8 makes such" export f32.snc --to onnx --form qdq --output x
    refused "family.snc has 2 nets, and a folder is one: --net says which, 0 the largest" export family.snc --to onnx --output x
    refused "--net 2: family.snc has 2 nets, from 0 on" export family.snc --to onnx --net 2 --output x
    refused "--to onnx: a cascade is several nets" export small.snc int8.snc --cascade "${data[@]}" --to onnx --output x
    refused "--to onnx: without --measure" export family.snc --measure --to onnx --output x
    refused "--to onnx: expected one model" export small.snc int8.snc --to onnx --output x
    refused "nano/nano.snc: has no trained classifier" export nano/nano.snc --to onnx --output x
    refused "export: --output is missing" export int8.snc --to onnx
    mkdir -p y.draft && touch y.draft/mine
    refused "y.draft: is in the way of the draft of y" export int8.snc --to onnx --output y
    exists y.draft/mine
    rm -r y.draft && mkdir -p y.draft/onnx && touch y.draft/onnx/model.onnx # of one that was killed
    run 0 export int8.snc --to onnx --form f32 --output y
    equal "files after one that was killed" "$(files y)" "$onnx $beside"
    absent x x.draft y.draft probe.draft graphs.draft
    equal "drafts" "$(find . -name '*.draft*' | head -3)" ""
fi

# ---- Hugging Face's folder, and back ------------------------------------------------------------------------------------------
hf="./config.json ./model.safetensors $beside"
run 0 export f32.snc --to hf --output folder
equal "files of a folder" "$(files folder)" "$hf"
run 0 import --pretrained folder --output back.snc
cut -f1 nano/dev.tsv | tail -n +2 >in
run 0 predict f32.snc --logits <in
cp out there.out
run 0 predict back.snc --logits <in
same out there.out
# Narrower layers and skipped halves are zeros, which change no answer; of integers the values go.
printf 'good film\nbad movie bad\na\tgood\n' >in
for m in subnet skips-f32 skips-int8; do
    run 0 export $m.snc --to hf --output $m.folder
    run 0 export $m.snc --policy f32 --output $m.values.snc
    run 0 predict $m.values.snc --logits <in
    cp out values.out
    run 0 predict $m.folder --logits <in
    check "logits of $m" awk -F'\t' 'NR == FNR { want[NR] = $0; next } { n = split(want[FNR], w); if (n != NF || w[1] != $1) exit 1
        for (i = 2; i <= NF; i++) if (w[i] - $i > 1e-4 || $i - w[i] > 1e-4) exit 1 } END { exit FNR != 3 }' values.out out
    run 0 tokenize --pretrained $m.folder <in
    cp out ids.out
    run 0 tokenize --pretrained $m.snc <in
    same out ids.out
done
mkdir real && ln -s real link
run 0 export f32.snc --to hf --output link/
check "a link to a folder stays" test -L link
same real/model.safetensors folder/model.safetensors
run 0 export --pretrained folder --to hf --output again # another model's values
same again/model.safetensors folder/model.safetensors
run 0 export family.snc --to hf --net 1 --output narrow.folder
run 0 export small.snc --to hf --form int8 --overwrite --output narrow.too.folder
holds err '^warning: --form has no effect beside --to hf$'
holds err '^warning: --overwrite has no effect beside --to hf$'
same narrow.folder/model.safetensors narrow.too.folder/model.safetensors
odd='{"arch":{"hidden":20,"layers":[{"source":0,"heads":2,"ffn":48}]}}'
echo "$odd" >odd.json
refused "heads of 8 do not fill its hidden size 20, and bert has as many as do" export t.snc --config odd.json --to hf --output x
echo "${odd/20/16}" | sed 's/"heads":2/"heads":3/' >odd.json
refused "layer 0 has 3 heads of 8, and for bert its hidden size 16 has room for 2" export t.snc --config odd.json --to hf --output x
refused "family.snc has 2 nets, and a folder is one" export family.snc --to hf --output x
refused "--output folder: the folder is not empty" export f32.snc --to hf --output folder
absent x x.draft x.draft.snc
no_leftovers .

# ---- the smaller net answers what it is sure of -----------------------------------------------------------------------------
for try in 1 2 3 4 5 6; do # on a busy machine the smaller net may have seemed no faster
    "$COMPRESS" export small.snc int8.snc --cascade --measure --max-drop 20 "${data[@]}" --output cascade.snc >out 2>err && break
done
holds out '^net 1 answers from \(margin\|entropy\) [0-9.]* on, at temperature [0-9.]*: [0-9.]* us, [0-9.]*% of select, [0-9.]*% of dev$'
holds out '^net 0 answers what is left: [0-9.]* us, [0-9.]*% of select, [0-9.]*% of dev$'
holds out '^mean of a text [0-9.]* us, 0[.][0-9]*x of the largest net alone; p50 [0-9.]* us, p99 [0-9.]* us, [0-9.]*x of its$'
holds out '^select, on which thresholds were chosen: score [0-9.]*, -\?[0-9.]* under that of the largest net alone (at 95% at most [0-9.]*)$'
holds out '^dev: score [0-9.]*, '
equal "last line" "$(tail -1 out)" cascade.snc
cp cascade.snc before.snc
run 0 export small.snc int8.snc --cascade --max-drop 20 "${data[@]}" --output cascade.snc # it is there, whatever it took then
equal "answer" "$(cat out)" cascade.snc
same cascade.snc before.snc
refused "--output cascade.snc: was made with --max-drop 20, asked 30" export small.snc int8.snc --cascade --max-drop 30 "${data[@]}" --output cascade.snc
run 0 info cascade.snc
holds out '^cascade: net 1 answers from '
run 0 info cascade.snc --json
holds out '"cascade":'
for k in 0 1; do # nothing of it is in a net
    run 0 export cascade.snc --net $k --output cut.snc --overwrite
    same cut.snc "$([ $k = 0 ] && echo int8.snc || echo small.snc)"
done
# The first layers of the larger net: it goes on from them, and says what it does from the start.
echo '{"arch":{"hidden":32,"layers":[{"source":0,"heads":4,"ffn":64},{"source":1,"heads":4,"ffn":64}]}}' >two.json
run 0 export t.snc --config two.json --output first-two.snc
run 0 export first-two.snc int8.snc --output depth.snc
run 0 info depth.snc
holds out '^net 1: .*, 0 bytes of its own$'
holds out '^cascade: net 0 goes on with its layer 1 behind net 1$'
run 0 info depth.snc --json
check "early exits" grep -q '"early_exits":\[{"net":0,"behind":1,"layer":1}\]' <(tr -d ' \t\n' <out)
run 0 info family.snc
lacks out 'goes on with'
run 0 predict int8.snc --logits <in
cp out want.out
"$MAKE_NANO" --set depth.snc cascade '{"rule":"margin","temperature":[1,1],"threshold":[1]}' || exit 2
run 0 predict depth.snc --logits <in
same out want.out # all texts go on
for try in 1 2 3 4 5 6; do # on a busy machine the smaller net may have seemed no faster
    "$COMPRESS" export first-two.snc int8.snc --cascade --max-drop 100 "${data[@]}" --output exits.snc >out 2>err && break
done
holds out '^net 0 goes on with its layer 1 behind net 1: [0-9.]* us$'
# A threshold that parts the rows: each has the line that the net which answered it gives, whatever stands beside it.
cut -f1 nano/dev.tsv | tail -n +2 >in
for k in 0 1; do
    run 0 predict cascade.snc --net $k --logits <in
    cp out net$k.out
done
threshold=$(awk -F'\t' '{ printf "%.3f\n", 2 * $2 - 1 }' net1.out | sort -n | sed -n 100p)
"$MAKE_NANO" --set cascade.snc cascade "{\"rule\":\"margin\",\"temperature\":[1,1],\"threshold\":[$threshold]}" || exit 2
run 0 predict cascade.snc --logits <in
cp out all.out
run 0 predict cascade.snc -o jsonl <in
sed 's/.*"net":\([01]\)}$/\1/' out >by
paste by net0.out net1.out | awk -F'\t' -v OFS='\t' '{ o = $1 ? 4 : 0; print $(2 + o), $(3 + o), $(4 + o), $(5 + o) }' >want.out
same all.out want.out
sure() { awk -F'\t' -v t="$threshold" '{ m = 2 * $2 - 1 - t; print m > 1e-5 ? 1 : m < -1e-5 ? 0 : "?" }' net1.out; }
check "who answered" awk 'NR == FNR { by[NR] = $1; next } $1 != "?" && $1 != by[FNR] { exit 1 }' by <(sure)
check "both answered" test "$(sort -u by | wc -l)" -eq 2
run 0 eval cascade.snc "${data[@]}"
for k in 0 1; do holds out "net $k answered $(grep -c "^$k\$" by) rows, [0-9.]*%, as the largest would [0-9.]*% of them\$"; done
holds out 'net 0 .* as the largest would 100.00% of them$'
run 0 eval cascade.snc "${data[@]}" --json
check "shares" awk -v n="$(wc -l <by)" -v own="$(grep -c '^1$' by)" '{ split($0, s, /"net":1,"share":/); d = s[2] - own / n; if (d > 1e-9 || d < -1e-9) exit 1 }' out
accuracy=$(number out accuracy)
run 0 bench cascade.snc --net 1,0,cascade --tasks nano/task.json --data nano -r 50 -o csv
equal "models of a bench" "$(tail -n +2 out | cut -d, -f1 | paste -sd ' ')" "cascade.snc:1 cascade.snc cascade.snc:cascade"
run 0 bench cascade.snc --net cascade --tasks nano/task.json --data nano -r 50 -o json
equal "what it scores" "$(number out value)" "$accuracy"
equal "texts that were timed" "$(number out batches_timed)" 50
# Other rows than dev's, here the same in a file whose name says nothing of what it is.
sed 's/"text_a"/"format":"auto","text_a"/' nano/task.json >any.json
awk -F'\t' 'NR > 1 { printf "{\"sentence\":\"%s\",\"label\":\"%s\"}\n", $1, $2 }' nano/dev.tsv >told
run 0 bench cascade.snc --net cascade --tasks ./any.json --data nano/train.tsv --split told -r 50 -o json
equal "what it scores on them" "$(number out value)" "$accuracy"
refused "task nano has no split 'untold', and it is no file" bench cascade.snc --tasks nano/task.json --data nano --split untold
refused "bench --net cascade: --tasks is missing" bench cascade.snc --net cascade
refused "bench --net cascade: without --batch, --seq-len and --threads" bench cascade.snc --net cascade -s 8 --tasks nano/task.json --data nano
refused "--net cascade: family.snc has none" bench family.snc --net 0,cascade --tasks nano/task.json --data nano
for wrong in 'margin","temperature":[1,1],"threshold":[1.5]|threshold: expected numbers from 0 to 1, or null' \
    'margin","temperature":[1],"threshold":[0.5]|temperature: expected a list of 2' 'margim","temperature":[1,1],"threshold":[0.5]|rule '\''margim'\'' is unknown: did you mean margin?'; do
    cp before.snc wrong.snc
    "$MAKE_NANO" --set wrong.snc cascade "{\"rule\":\"${wrong%|*}}" || exit 2
    refused "wrong.snc: cascade: ${wrong#*|}" predict wrong.snc
done
refused "export --cascade: without --net" export cascade.snc --cascade --net 1 "${data[@]}" --output x.snc
refused "export --cascade: expected two models or more" export small.snc --cascade "${data[@]}" --output x.snc
refused "cascade.snc: expected a file of one net" export small.snc cascade.snc --cascade "${data[@]}" --output x.snc
refused "export --cascade: --task is missing" export small.snc int8.snc --cascade --output x.snc
refused "export --max-drop: has no use without --cascade" export small.snc int8.snc --max-drop 1 --output x.snc
refused "--cascade-limits: has no use without --cascade" export small.snc int8.snc --cascade-limits mean=1x --output x.snc
refused "--cascade-limits 'p99'" export small.snc int8.snc --cascade "${data[@]}" --cascade-limits p99 --output x.snc
refused "--cascade-limits 'p100=1x': expected such as mean=0.35x,p99=1.5ms" export small.snc int8.snc --cascade "${data[@]}" --cascade-limits p100=1x --output x.snc
refused "--cascade-limits '1': expected" export small.snc int8.snc --cascade "${data[@]}" --cascade-limits mean=1 --output x.snc
refused "--cascade-limits 'mean=1x,mean=2x': 'mean' twice" export small.snc int8.snc --cascade "${data[@]}" --cascade-limits mean=1x,mean=2x --output x.snc
refused "--cascade-limits mean=0.0001x: no thresholds keep them: the smallest net alone has a mean of" export small.snc int8.snc --cascade "${data[@]}" --cascade-limits mean=0.0001x --output x.snc
mkdir -p opposite && cp nano/task.json nano/dev.tsv opposite # a net that is wrong where the other is right
awk -F'\t' -v OFS='\t' 'NR > 1 { $2 = $2 == "positive" ? "negative" : "positive" } 1' nano/train.tsv >opposite/train.tsv
run 0 finetune --pretrained nano/nano.snc --task opposite/task.json --data opposite --output opposite.snc --epochs 3 --lr 2e-3 --threads 1
run 0 export opposite.snc --config subnet.json --output liar.snc
refused "--cascade-limits mean=9x: the largest net alone keeps them, and has the most right" \
    export liar.snc int8.snc --cascade "${data[@]}" --cascade-limits mean=9x --output x.snc
for try in 1 2 3 4 5 6; do # by right answers, not by a drop
    "$COMPRESS" export small.snc int8.snc --cascade "${data[@]}" --cascade-limits mean=0.99x,p99=9s --output limited.snc >out 2>err && break
done
holds out '^mean of a text [0-9.]* us, [0-9.]*x of the largest net alone; p50 [0-9.]* us, p99 [0-9.]* us, [0-9.]*x of its$'
run 0 export small.snc int8.snc --cascade "${data[@]}" --cascade-limits mean=0.99x,p99=9s --output limited.snc # it is there
equal "answer" "$(cat out)" limited.snc
refused "rows of select: more rows, or a larger --max-drop" export liar.snc int8.snc --cascade "${data[@]}" --output x.snc
no_leftovers .

# ---- the largest net that a budget of time allows ------------------------------------------------------------------------------
cp before.snc both.snc # a cascade, and times
run 0 export small.snc int8.snc --cascade --measure --max-drop 20 "${data[@]}" --output both.snc
equal "answer" "$(cat out)" both.snc
same both.snc before.snc
refused "--output both.snc: was made with --threads 1, asked 2" export small.snc int8.snc --cascade --measure --threads 2 --max-drop 20 "${data[@]}" --output both.snc
run 0 export both.snc --measure --threads 2 --output two.snc # the cascade stays
holds out 'threads 2, backend auto)$'
run 0 info two.snc # how many threads will be asked for is not known
equal "warnings of as many threads" "$(cat err)" ""
holds out '^cascade: net 1 answers from '
holds out '^net  1 '
run 0 predict two.snc --budget 1s -o jsonl <in # in place of the cascade
holds err '^warning: two.snc: times of its nets are of .*threads 2, backend auto), and this is .*threads 1, backend auto): a budget may not be kept$'
equal "nets of a second" "$(grep -c '"net":0,"over_budget":false}$' out)" "$(wc -l <in)"
run 0 export small.snc int8.snc --measure --output timed.snc
holds out '^times of a text by itself in us, median and 90th percentile, on .* (.*, threads 1, backend auto)$'
holds out '^tokens  *8  *16  *32$'
for k in 0 1; do holds out "^net  $k\( *[0-9.]*\)\{6\}\$"; done
equal "last line" "$(tail -1 out)" timed.snc
sed '$d' out >table
cp timed.snc before.snc
run 0 export small.snc int8.snc --measure --output timed.snc # it is there, whatever it took then
equal "answer" "$(cat out)" timed.snc
same timed.snc before.snc
refused "--output timed.snc: was made with --threads 1, asked 2" export small.snc int8.snc --measure --threads 2 --output timed.snc
run 0 info timed.snc
check "the table" test "$(grep -cxFf table out)" -eq "$(wc -l <table)"
run 0 info timed.snc --json
holds out '"p90":.*\[\[[0-9., ]*\], \[[0-9., ]*\]\]'
for k in 0 1; do # nothing of it is in a net
    run 0 export timed.snc --net $k --output cut.snc --overwrite
    same cut.snc "$([ $k = 0 ] && echo int8.snc || echo small.snc)"
done
# A table that parts the rows by their length: each has the line of the net that it falls to.
speeds() { # speeds P90 [CPU [TOKENS]]
    local cpu=${2:-an abacus} tokens=${3:-8,16,32}
    cp before.snc timed.snc
    "$MAKE_NANO" --set timed.snc speeds "{\"cpu\":\"$cpu\",\"isa\":\"avx2\",\"threads\":1,\"backend\":\"auto\",\"tokens\":[$tokens],\"median\":[[1,1,1],[1,1,1]],\"p90\":$1}" || exit 2
}
speeds '[[80,160,320],[40,80,160]]'
run 0 predict timed.snc --budget 100us --logits <in
holds err '^warning: timed.snc: times of its nets are of an abacus (avx2, threads 1, backend auto), and this is '
cp out all.out
awk '{ print NF + 2 <= 10 ? 0 : 1 }' in >by # a word is a piece
paste by net0.out net1.out | awk -F'\t' -v OFS='\t' '{ o = $1 ? 4 : 0; print $(2 + o), $(3 + o), $(4 + o), $(5 + o) }' >want.out
same all.out want.out
check "both answered" test "$(sort -u by | wc -l)" -eq 2
right=$(tail -n +2 nano/dev.tsv | cut -f2 | paste - all.out | awk '$1 == $2' | wc -l)
run 0 eval timed.snc "${data[@]}" --budget 100us # the same texts, and no word of the threads that it takes for them
equal "warnings of another CPU" "$(grep -c 'are of an abacus (avx2, threads 1, backend auto), and this is .*threads 1, backend auto)' err)" 1
for k in 0 1; do holds out "net $k answered $(grep -c "^$k\$" by) rows, [0-9.]*%, as the largest would [0-9.]*% of them\$"; done
run 0 eval timed.snc "${data[@]}" --budget 100us --json
check "what they score" awk -v a="$(number out accuracy)" -v n="$right" -v all="$(wc -l <in)" 'BEGIN { d = a - n / all; exit d > 1e-9 || d < -1e-9 }'
run 0 predict timed.snc --budget 0.06ms -o jsonl <in
awk '{ print NF + 2 <= 12 ? "\"net\":1,\"over_budget\":false}" : "\"net\":1,\"over_budget\":true}" }' in >want.out
sed 's/.*\("net":.*\)$/\1/' out >all.out
same all.out want.out
late=$(grep -c true want.out)
check "some are late" test "$late" -gt 0 -a "$late" -lt "$(wc -l <in)"
holds err "^warning: $late of $(wc -l <in) texts: by the file's times even the fastest net takes longer than 0.06ms\$"
run 0 info timed.snc
holds err 'times of its nets are of an abacus'
run 0 bench timed.snc --budget 100us --net 1,0 --tasks nano/task.json --data nano -r 50 -o csv
equal "models of a bench" "$(tail -n +2 out | cut -d, -f1 | paste -sd ' ')" "timed.snc:1 timed.snc timed.snc:100us timed.snc:100us"
run 0 bench timed.snc --budget 10s --tasks nano/task.json --data nano -r 50 -o json
equal "metrics of a budget" "$(grep -o '"metric":.*"' out | cut -d'"' -f4 | paste -sd ' ')" "within_budget accuracy"
equal "texts within ten seconds" "$(number out value)" 1
run 0 eval int8.snc "${data[@]}" --json
accuracy=$(number out accuracy)
run 0 bench timed.snc --budget 10s --tasks nano/task.json --data nano -r 50 -o csv
check "what it scores" awk -F, -v a="$accuracy" '/accuracy/ { for (i = 1; i <= NF; i++) if ($i == "accuracy") exit $(i + 1) == a ? 0 : 1 }' out
for wrong in '0us' '-1ms' '0.5x' '800' 'soon' 'nanus'; do
    refused "--budget '$wrong': expected a time such as 800us or 1.5ms" predict timed.snc --budget="$wrong"
    refused "--budget '$wrong': expected a time such as 800us or 1.5ms" eval timed.snc --budget="$wrong" "${data[@]}"
    refused "--budget '$wrong': expected a time such as 800us or 1.5ms" bench timed.snc --budget="$wrong" --tasks nano/task.json --data nano
done
refused "predict --budget: without --net: the budget says which one answers" predict timed.snc --budget 1ms --net 1
refused "eval --budget: without --net: the budget says which one answers" eval timed.snc --budget 1ms --net 1 "${data[@]}"
for k in family.snc int8.snc; do
    refused "--budget: $k: has no times of its nets: \`compress export FILE --measure --output F\` writes one that has" predict $k --budget 1ms
    refused "--budget: $k: has no times of its nets" bench $k --budget 1ms --tasks nano/task.json --data nano
done
refused "bench --budget: --tasks is missing" bench timed.snc --budget 1ms
refused "bench --budget: without --batch, --seq-len and --threads" bench timed.snc --budget 1ms -s 8 --tasks nano/task.json --data nano
refused "export --measure: int8.snc has one net, and nothing to choose from" export int8.snc --measure --output x.snc
refused "export --measure: without --net: a net alone leaves nothing to choose from" export timed.snc --measure --net 1 --output x.snc
refused "export --measure: the file stays as it is: without --policy" export timed.snc --measure --policy int8 --output x.snc
refused "export --measure: a model is missing" export --measure --pretrained timed.snc --output x.snc
for wrong in '[[80,160,320]]|p90: expected a list of 2 nets' '[[80,60,320],[40,80,160]]|p90 of net 0: a longer text takes less time than a shorter one' \
    '[[80,160,320],[40,null,160]]|p90 of net 1: expected numbers above 0, up to 1e+09' '[[80,160,320],[0.5,80,160]]|p90 of net 1: is below the median'; do
    speeds "${wrong%|*}"
    refused "timed.snc: speeds: ${wrong#*|}" predict timed.snc --budget 1ms
done
speeds '[[80,NaN,320],[40,80,160]]'
refused "timed.snc: __metadata__ speeds" predict timed.snc
speeds '[[80,160,320],[40,80,160]]' abacus 8,16,31
refused "timed.snc: speeds: tokens: end at 31, expected at least 32, where texts are cut" predict timed.snc
no_leftovers .

# ---- refused ------------------------------------------------------------------------------------------------------------
bad() { # bad TEXT CONFIG
    echo "$2" >bad.json
    refused "$1" export t.snc --config bad.json --output x.snc
}
bad "bad.json: expected 'arch', 'policy' or both" '{}'
bad "bad.json: not valid JSON" '{'
bad "hidden size 33, expected 1 to 32" '{"arch":{"hidden":33,"layers":[{"source":0,"heads":3,"ffn":48}]}}'
bad "heads" '{"arch":{"hidden":32,"layers":[{"source":0,"heads":5,"ffn":48}]}}'
bad "layer 0: neither heads nor FFN" '{"arch":{"hidden":32,"layers":[{"source":0,"heads":0,"ffn":0},{"source":1,"heads":1,"ffn":8}]}}'
bad "no layer has heads" '{"arch":{"hidden":32,"layers":[{"source":0,"heads":0,"ffn":48}]}}'
bad "source 3" '{"arch":{"hidden":32,"layers":[{"source":3,"heads":4,"ffn":48}]}}'
bad "ascend" '{"arch":{"hidden":32,"layers":[{"source":1,"heads":4,"ffn":48},{"source":0,"heads":4,"ffn":48}]}}'
bad "policy of 3 layers, expected 2" "{\"arch\":$arch,\"policy\":$policy}"
bad "'qkv' is 'int7', expected f32, bf16, int8 or int4" "{\"policy\":$(echo "$policy" | sed s/int8/int7/)}"
bad "missing key 'embed'" "{\"policy\":$(echo "$policy" | sed 's/"embed":"f32",//')}"
refused "export --trim-vocab: --task is missing" export t.snc --trim-vocab --output x.snc
bad "layer 1 ffn_out: int4 on 40 inputs, expected a multiple of 16" \
    '{"arch":{"hidden":32,"layers":[{"source":0,"heads":4,"ffn":48},{"source":1,"heads":4,"ffn":40}]},"policy":{"embed":"int4","pooler":"int4","classifier":"f32","linear":"int4"}}'
refused "none.json" export t.snc --policy none.json --output x.snc
refused "int9" export t.snc --policy int9 --output x.snc
refused "--to 'tflite': expected snc, onnx, hf or exe" export t.snc --policy int8 --to tflite --output x.snc
refused "export: --output is missing" export t.snc --policy int8
refused "export: a model or --pretrained is missing" export --policy int8 --output x.snc
absent x.snc

# ---- no head, no tokenizer: each said once --------------------------------------------------------------------------------
refused "nano/nano.snc: has no trained classifier" export nano/nano.snc --policy int8 --output headless.snc
absent headless.snc
run 0 export nano/nano.snc --policy int8 --output headless.snc --seeded-head
equal "lines about a missing head" "$(grep -c '^warning: .*classifier' err)" 1
cp -r "$TESTS/golden/checkpoints/hf" hf && chmod -R u+w hf && rm hf/vocab.txt hf/tokenizer*
run 0 export --pretrained hf --policy int8 --output bare.snc
equal "lines about a missing tokenizer" "$(grep -c '^warning: .*tokenizer' err)" 1
run 0 bench bare.snc -s 8 -r 4 -o csv
lines out 2
refused "bare.snc: has no tokenizer inside" predict bare.snc
refused "bare.snc" tokenize --pretrained bare.snc
run 0 import --pretrained "$TESTS/golden/checkpoints/hf" --output imported.snc
run 0 export imported.snc --policy f32 --output f32b.snc
same_tensors imported.snc f32b.snc
