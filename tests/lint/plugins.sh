#!/usr/bin/env bash
# A path sampler, an objective, a family and a searcher more are a new file and a row each: tests/plugins has a toy of each as a
# patch. Every patch must be that and no more; then all of them are applied to a copy of the sources, what they touch is compiled and
# linked with this build's libraries, and a command is run through each.
# usage: plugins.sh ROOT BUILD; exits 1 when one is more than a file and a row, does not build or does not work.
set -u
root=$1 build=$2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
bad=0
complain() { echo "lint: $*"; bad=1; }
command -v patch >/dev/null && command -v ninja >/dev/null && [ -f "$build/build.ninja" ] && [ -x "$build/make_nano" ] ||
    { echo "skipped: no patch(1), or no programs made by ninja in $build"; exit 77; }

cd "$root" || exit 2
cp -r src models quant tokenizer configs "$work/"
for kind in sampler objective family searcher; do
    p=$root/tests/plugins/$kind.patch
    [ -f "$p" ] || { complain "tests/plugins/$kind.patch is not there"; continue; }
    [ "$(grep -c '^--- /dev/null' "$p")" -eq 1 ] || complain "$kind.patch: not one new file"
    changed=$(awk '/^--- /{new = $2 == "/dev/null"} !new && /^[-+]/ && !/^(---|\+\+\+) /{n++} END {print n + 0}' "$p")
    [ "$(grep -c '^--- a/' "$p")" -eq 1 ] && [ "$changed" -eq 1 ] || complain "$kind.patch: $changed lines of files that are there, expected a row"
    patch -d "$work" -p1 -s --no-backup-if-mismatch <"$p" || complain "$kind.patch does not apply: make it anew (git diff)"
done
[ $bad -eq 0 ] || exit 1

# Each file that a patch names is compiled as this build compiles the one that gains a row, -O1 and in the copy; the linker takes these
# objects before it looks into the libraries, which hold the others.
step() { ninja -C "$build" -t commands compress | grep -E "$1" | tail -1; }
cd "$build" || exit 2
objects=()
for kind in sampler objective family searcher; do
    p=$root/tests/plugins/$kind.patch
    row=$(sed -n 's,^--- a/,,p' "$p")
    for source in $(sed -n 's,^+++ b/,,p' "$p"); do
        object=$work/$(basename "$source").o
        line=$(step " -c $root/$row\$" | sed "s,$root/$row,$work/$source,; s,$root,$work,g; s, -o [^ ]*, -o $object -O1," | sed 's/ -M[DTF] [^ ]*//g; s/ -MD//')
        [ -n "$line" ] && sh -c "$line" >>"$work/log" 2>&1 || { tail -20 "$work/log"; complain "$source of $kind.patch is not compiled"; exit 1; }
        objects+=("$object")
    done
done
sh -c "$(step ' -o compress ' | sed "s, -o compress , -o $work/compress ${objects[*]} ,")" >>"$work/log" 2>&1 || { tail -20 "$work/log"; complain "the toys do not link"; exit 1; }
mkdir -p "$work/share/snc" && ln -s "$work/configs" "$work/share/snc/configs"
compress() { "$work/compress" "$@" >"$work/out" 2>"$work/err" || { tail -2 "$work/err"; complain "compress $1 with a toy fails"; }; }
cd "$work" || exit 2
"$build/make_nano" nano >/dev/null || exit 2
rows=(--task nano/task.json --data nano --threads 1)
cat >space.json <<'J'
{"depth":[3,2],"hidden":[32],"heads":[4,2],"ffn":[64,32],"linear":["int8","f32"],"pooler":["int8"],"classifier":["f32"],"embed":["int8"]}
J
# The family: a fine-tuned net of this build's own, as a Hugging Face folder whose encoder goes by the toy's names.
"$build/compress" finetune --pretrained nano/nano.snc "${rows[@]}" --epochs 0.5 --output plain.snc >out 2>err || complain "finetune fails"
"$build/make_nano" --hf plain.snc hf >/dev/null || exit 2
sed -i 's/"bert"/"toy"/' hf/config.json && sed -i 's/"bert\./"toyb./g' hf/model.safetensors
if "$build/compress" import --pretrained hf --output hf.snc >out 2>err; then complain "this build reads the toy family"; fi
compress import --pretrained hf --output hf.snc
# The objective has a share in every training.
compress finetune --pretrained nano/nano.snc "${rows[@]}" --epochs 0.5 --output t.snc
if cmp -s t.snc plain.snc; then complain "the toy objective changes nothing"; fi
compress supernet --teacher t.snc "${rows[@]}" --sampler alternate --supernet-epochs 0.5 --space space.json --output s.snc
grep -aq 'sampler[\\":]*alternate' s.snc || complain "the supernet does not name the toy sampler"
compress search s.snc --teacher t.snc "${rows[@]}" --space space.json --target-macs 0.9x --objectives loss,macs --searcher inorder \
    --evals 12 --output found
compress search --export csv --journal found/search.sqlite
[ "$(sed -n 3p out | cut -d , -f 3)" = inorder ] || complain "the search was not the toy's"
exit $bad
