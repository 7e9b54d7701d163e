#!/usr/bin/env bash
# Training and a whole job on several ranks that mpirun starts here, and the ways such a job ends.
. "$(dirname "$0")/lib.bash"
not_emulated "mpirun starts processes of the machine itself"
if ! grep -q 'libmpi\.so' "$COMPRESS"; then
    OMPI_COMM_WORLD_SIZE=2 refused 'started among other ranks by a build without MPI' info nothing.snc
    exit
fi
. "$TESTS/cli/ranks.bash"
command -v mpirun >/dev/null || skip "no mpirun"
nano nano
data=(--task nano/task.json --data nano --threads 1)
train=(finetune --pretrained nano/nano.snc "${data[@]}" --lr 2e-3 --compute f32)

# ranks N CODE ARG...: the program on so many ranks; output as of `run`.
ranks() {
    local n=$1 want=$2 code
    shift 2
    timeout 120 mpirun --allow-run-as-root --oversubscribe --bind-to none -n "$n" "$COMPRESS" "$@" >out 2>err
    code=$?
    [ -z "${SNC_TEST_LOG:-}" ] || (IFS=$'\t'; echo "$code"$'\t'"$*") >>"$SNC_TEST_LOG"
    check "mpirun -n $n compress $* ended with $code, expected $want" test $code -eq "$want"
}
loss() { sed -n 's/.*epoch 2 of 2, loss \([0-9.]*\),.*/\1/p' err; }

# The same numbers on any number of ranks, to the digits that are shown, in f32; nearly the same where gradients are rounded on their way.
ranks 1 0 "${train[@]}" --epochs 2 --output one.snc
alone=$(loss)
for n in 2 4; do
    ranks $n 0 "${train[@]}" --epochs 2 --exchange f32 --rank-timeout 1m --output $n.snc
    equal "loss on $n ranks" "$(loss)" "$alone"
    holds err "what can be shared is shared by $n ranks"
    equal "an epoch is told once" "$(grep -c 'epoch 2 of 2' err)" 1
done
ranks 2 0 "${train[@]}" --epochs 2 --exchange bf16 --output half.snc
check "loss $(loss) by bf16, $alone by f32" awk -v a="$(loss)" -v b="$alone" 'BEGIN { exit !(a > 0.95 * b && a < 1.05 * b) }'
check "bf16 changed nothing" test "$(digest half.snc)" != "$(digest 2.snc)"
ranks 3 0 eval one.snc "${data[@]:0:4}" # what is not shared rank 0 does
holds out 'dev'

# Before the start the memory of all ranks of the machine is counted, whatever cores they are bound to.
needs() { sed -n "s/^memory: needs \([0-9]*\) MB ${1:+$1 }beside .*/\1/p" err; }
ranks 1 0 "${train[@]}" --max-steps 1 --verbose --output counted.snc
one=$(needs)
timeout 60 mpirun --allow-run-as-root --oversubscribe --bind-to none -n 1 taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" \
    "$COMPRESS" "${train[@]}" --max-steps 1 --verbose --output bound.snc : -n 1 "$COMPRESS" "${train[@]}" --max-steps 1 --verbose --output bound.snc >out 2>err
check "two ranks on cores of their own ended with $?" test $? -eq 0
less "MB of one process beside two: $(grep -a 'memory: needs' err)" "$one" "$(needs 'for 2 ranks of this machine')"

# A part of it, then the rest on another number of ranks.
ranks 2 0 "${train[@]}" --epochs 2 --max-steps 7 --output parts.snc
absent parts.snc
ranks 3 0 "${train[@]}" --epochs 2 --output parts.snc
equal "loss of two parts" "$(loss)" "$alone"

# Bad input is said once, by rank 0.
ranks 4 2 "${train[@]}" --batch-size 3 --output bad.snc
equal "what is said" "$(grep -a compress: err)" "compress: batches of 3 rows for 4 ranks: expected at least a row for each"
ranks 2 2 "${train[@]}" --nonsense
equal "lines of ours" "$(grep -ac compress: err)" 1
refused "--exchange" "${train[@]}" --exchange f16 --output bad.snc
refused "--rank-timeout" "${train[@]}" --rank-timeout soon --output bad.snc
cp "$COMPRESS" other
echo more >>other
timeout 60 mpirun --allow-run-as-root --oversubscribe -n 1 "$COMPRESS" info one.snc : -n 1 ./other info one.snc >out 2>err
check "two builds ended with $?" test $? -eq 2
holds err 'compress: rank 1 runs another build of this program than rank 0'

# started LONG...: a run that lasts, in the background, once it has begun to train.
started() {
    : >err
    mpirun --allow-run-as-root --oversubscribe --bind-to none -n 2 "$COMPRESS" "${train[@]}" --epochs 900 --checkpoint-every 5 "$@" >out 2>err &
    CHILD=$!
    for _ in $(seq 300); do grep -aq 'epoch 1 of' err && return; sleep 0.1; done
    fail "it did not begin"
}
ended() { # WANT
    wait "$CHILD"
    local code=$?
    CHILD=""
    check "it ended with $code, expected $1" test $code -eq "$1"
}

# mpirun is told to stop: rank 0 keeps what there is. A rank is killed: the checkpoint of before is there.
started --output stopped.snc
kill -TERM "$CHILD"
ended 1
holds err 'compress: finetune: interrupted at step [0-9]* of [0-9]*; the checkpoint is saved'
exists stopped.snc.checkpoint
started --output killed.snc
kill -9 "$(pid_of 1)"
ended 137
exists killed.snc.checkpoint
ranks 2 0 "${train[@]}" --epochs 900 --checkpoint-every 5 --output killed.snc --max-steps 20
holds err 'resumed at step'

# A rank that stands still is named.
started --rank-timeout 2s --output still.snc
kill -STOP "$(pid_of 1)"
ended 2
holds err 'compress: rank 1 has not answered rank 0 for 2 s: its process or the network stands still'
absent still.snc

# A whole job.
echo '{"depth":[3],"heads":[4,2],"ffn":[64,32],"linear":["int8"]}' >space.json
ranks 2 0 compress --pretrained nano/nano.snc --task nano/task.json --data nano --epochs 1 --lr 2e-3 --supernet-epochs 0.3 --supernet-lr 1e-3 --evals 8 \
    --repair-epochs 0.2 --target-size 0.9x --space space.json --output job
holds job/report.md 'compressed'
ranks 2 0 compress --pretrained nano/nano.snc --task nano/task.json --data nano --epochs 1 --lr 2e-3 --supernet-epochs 0.3 --supernet-lr 1e-3 --evals 8 \
    --repair-epochs 0.2 --target-size 0.9x --space space.json --output job # and nothing is made again
holds err 'is up to date'
