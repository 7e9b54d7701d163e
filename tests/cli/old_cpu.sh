#!/usr/bin/env bash
# A CPU without AVX, as QEMU shows it: program, library and Python package start there and answer as anywhere.
. "$(dirname "$0")/lib.bash"
skip() { echo "skipped: $*"; trap - EXIT; rm -rf "$SCRATCH"; exit 77; }
not_emulated "an emulator of its own is what it is about"
[ "$(uname -m)" = x86_64 ] || skip "of x86-64 alone"
command -v qemu-x86_64 >/dev/null || skip "no qemu-x86_64"
BUILD=$(dirname "$COMPRESS")
ulimit -c 0
old() { qemu-x86_64 -cpu "${CPU:-Nehalem}" "$@"; }

# What this emulator takes for an AVX2 instruction, to be told from one that lets everything pass.
echo 'int main(void) { __asm__ volatile("vpaddd %%ymm0, %%ymm0, %%ymm0" ::: "xmm0"); return 0; }' >vector.c
check "a compiler" gcc -o vector vector.c
(old ./vector) >/dev/null 2>&1
equal "exit code of an AVX2 instruction" $? 132

nano nano
run 0 finetune --pretrained nano/nano.snc --task nano/task.json --data nano --epochs 2 --lr 2e-3 --threads 1 --output t.snc
run 0 export t.snc --policy int8 --output m.snc
printf 'good film\nbad movie\nvery bad\n' >in
for model in t m; do
    SNC_ISA=scalar run 0 predict $model.snc <in
    awk -F'\t' '{ printf "%s\t%.3f\n", $1, $2 }' out >want
    for program in "$COMPRESS" "$BUILD/compress-plain"; do
        check "${program##*/} of $model.snc" old "$program" predict $model.snc --quiet <in >out 2>err
        awk -F'\t' '{ printf "%s\t%.3f\n", $1, $2 }' out >got
        same got want
    done
    CPU=qemu64 check "the library on $model.snc" old "$BUILD/example_classify" $model.snc <in >got 2>err
    same got want
done

# A Python that is itself a program of this machine, such as the wheel's test has.
python=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null)
if [ -n "$python" ] && old "$python" -c 'import ctypes' 2>/dev/null; then
    cat >ask.py <<'P'
import snc, sys
with snc.Classifier("m.snc") as model:
    for a in model.classify([line.rstrip("\n") for line in open("in")]):
        print("%s\t%.3f" % (a.label, a.score))
P
    export PYTHONPATH=$TESTS/../python PYTHONDONTWRITEBYTECODE=1 SNC_LIBRARY=$BUILD/libsnc.so.0
    check "the package" old "$python" ask.py >got 2>err
    same got want
else
    echo "no Python that the emulator runs"
fi
