#!/usr/bin/env bash
# A model as a program of its own: predict's lines, from one file, with nothing around it.
. "$(dirname "$0")/lib.bash"
STUB=$(dirname "$COMPRESS")/libexec/snc/classify
nano nano
data=(--task nano/task.json --data nano)
run 0 finetune --pretrained nano/nano.snc "${data[@]}" --output t.snc --epochs 3 --lr 2e-3 --threads 1
run 0 export t.snc --policy int8 --output int8.snc
if [ ! -e "$STUB" ]; then
    refused "--to exe: built without the static program that carries a model" export int8.snc --to exe --output x
    absent x
    finish
fi

# talk PROGRAM: it answers `in` as predict answers by FILE.
talk() { # PROGRAM FILE [OPTION...]
    "$COMPRESS" predict "${@:2}" <in >want 2>/dev/null
    CHECKS=$((CHECKS + 1))
    "$1" <in >got 2>err || fail "$1: exit code $?"
    same got want
    equal "what $1 says beside its answers" "$(cat err)" ""
}
{ tail -n +2 nano/dev.tsv | cut -f1; printf 'good film\tbad movie\n\nfilm\r\nfi\xfflm good\n%s\n' "$(yes good | head -3000 | tr '\n' ' ')"; printf 'no line feed'; } >in
run 0 export int8.snc --to exe --output answers
equal "answer" "$(cat out)" answers
talk ./answers int8.snc
no_leftovers .
less "bytes beside the model's" "$(($(stat -c %s answers) - $(stat -c %s int8.snc)))" 1500000
equal "mode" "$(stat -c %a answers)" "$(printf %o $((0777 & ~$(umask))))"
if command -v readelf >/dev/null; then equal "libraries that it needs" "$(readelf -d answers | grep -c NEEDED)" 0; fi
printf 'go\0od film\n' | ./answers >got # no text has a byte of value zero
printf 'good film\n' | ./answers >want
same got want
# By other names, from elsewhere, and where there is nothing else at all.
mkdir bin empty && ln -s ../answers bin/by-name && cp answers empty
(PATH=$PWD/bin:$PATH && cd / && by-name) <in >got
"$COMPRESS" predict int8.snc <in >want 2>/dev/null
same got want
if [ "$(id -u)" = 0 ] && chroot empty /answers </dev/null; then
    chroot empty /answers <in >got
    same got want
fi
# A line is answered when no more wait.
mkfifo to from
./answers <to >from &
exec 7>to 8<from
printf 'good film\n' >&7
check "an answer while more may come" read -t 20 -r line <&8
printf 'bad movie\ngood\n' >&7
check "and the next" read -t 20 -r line <&8
exec 7>&- 8<&-
wait

# ---- it is a file of ours to every reader, and is not made twice ---------------------------------------------------------------------
run 0 info answers
holds out '^label 1 positive$'
run 0 verify answers
run 0 eval answers "${data[@]}" --json
accuracy=$(number out accuracy)
run 0 eval int8.snc "${data[@]}" --json
equal "what it scores" "$accuracy" "$(number out accuracy)"
run 0 export answers --policy int8 --output back.snc
same_tensors back.snc int8.snc
touch -d '2001-01-01' answers
run 0 export int8.snc --to exe --output answers
equal "year of a program that is there" "$(date -r answers +%Y)" 2001
refused "--output answers: is another file (--overwrite makes it anew)" export t.snc --to exe --policy f32 --output answers
run 0 export t.snc --to exe --policy f32 --output answers --overwrite
"$COMPRESS" export t.snc --policy f32 --output f32.snc >out
talk ./answers f32.snc
run 0 export answers --to exe --output again # of a program
same again answers
run 0 export f32.snc --to exe --output again --overwrite
refused "--output again: is a program that carries it (--overwrite makes it anew)" export t.snc --policy f32 --output again
echo mine >mine
refused "--output mine" export int8.snc --to exe --output mine
equal "what is not ours" "$(cat mine)" mine

# ---- several nets, values, any number of labels ----------------------------------------------------------------------------------------
arch='{"hidden":24,"layers":[{"source":0,"heads":2,"ffn":32}]}'
echo "{\"arch\":$arch}" >subnet.json
run 0 export t.snc --config subnet.json --output small.snc
run 0 export small.snc int8.snc --output family.snc
run 0 export family.snc --to exe --output all
talk ./all family.snc
run 0 export family.snc --to exe --net 1 --output one
talk ./one small.snc
cp family.snc cascade.snc
"$MAKE_NANO" --set cascade.snc cascade '{"rule":"margin","temperature":[1,1],"threshold":[0.9]}' || exit 2
run 0 export cascade.snc --to exe --output sure
talk ./sure cascade.snc
sed 's/,"labels":.*"metrics":.*,/,"type":"regression","metrics":["pearson"],/; s/"nano"/"graded"/' nano/task.json >graded.json
mkdir graded sets
for split in train dev; do awk -F'\t' -v OFS='\t' 'NR > 1 { $2 = $2 == "positive" ? 1.5 : -0.5 } 1' nano/$split.tsv >graded/$split.tsv; done
run 0 finetune --pretrained nano/nano.snc --task ./graded.json --data graded --output graded.snc --epochs 1 --threads 1
run 0 export graded.snc --output graded8.snc
run 0 export graded8.snc --to exe --output value
talk ./value graded8.snc
for split in train dev; do
    awk -F'\t' 'NR > 1 { printf "{\"text\":\"%s\",\"labels\":[%s]}\n", $1, $2 == "positive" ? "\"praise\",\"film\"" : NR % 2 ? "\"blame\"" : "" }' nano/$split.tsv >sets/$split.jsonl
done
run 0 finetune --pretrained nano/nano.snc --task custom-multilabel --data sets --output sets.snc --epochs 3 --lr 2e-3 --threads 1
run 0 export sets.snc --output sets8.snc
run 0 export sets8.snc --to exe --output sets.exe
talk ./sets.exe sets8.snc
check "some lines have several labels" grep -q '^2	' want

# ---- what is refused ---------------------------------------------------------------------------------------------------------------------
# says PROGRAM LINE [ARG...]: one line on standard error, nothing else, exit code 2.
says() {
    local code
    CHECKS=$((CHECKS + 1))
    "$1" "${@:3}" <in >got 2>err
    code=$?
    [ $code -eq 2 ] || fail "$*: exit code $code"
    lines err 1
    lines got 0
    holds err "$2"
}
says ./answers '^answers: takes no arguments; --help says more$' --fast
says "$STUB" '^classify: no model lies behind this program: has it been cut?'
head -c -7 answers >cut && chmod +x cut
says ./cut '^cut: no model lies behind this program: has it been cut?'
cp answers damaged
poke damaged $(($(stat -c %s damaged) - 20000)) x
says ./damaged '^damaged: ./damaged: '
check "--version" test "$(./answers --version)" = "$("$COMPRESS" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -1)"
check "--help" grep -q '^usage: answers < lines$' <(./answers --help)
CHECKS=$((CHECKS + 1))
./answers <in >/dev/full 2>err
[ $? -eq 2 ] || fail "a full disk: not exit code 2"
holds err '^answers: standard output: write failed$'
refused "--to exe: expected one model, as it is" export small.snc int8.snc --to exe --output x
refused "--to exe: expected one model, as it is" export family.snc --to exe --measure --output x
refused "--net 2: family.snc has 2 nets, from 0 on" export family.snc --to exe --net 2 --output x
refused "no trained classifier" export nano/nano.snc --to exe --output x
refused "none/x: cannot write" export int8.snc --to exe --output none/x
absent x x.draft x.draft.snc
no_leftovers .
