#!/usr/bin/env bash
# Fine-tuning learns; the same seed gives the same bits; stopping, killing and resuming change none of them.
. "$(dirname "$0")/lib.bash"
nano nano
train=(finetune --pretrained nano/nano.snc --task nano/task.json --data nano --lr 2e-3 --threads 1)

run 0 "${train[@]}" --epochs 4 --output a.snc
holds out '[0-9.]* sentences/s'
lines out 1
absent a.snc.checkpoint
no_leftovers .
run 0 eval a.snc --task nano/task.json --data nano --json
equal "rows of dev" "$(number out n)" 200
less "0.8 and the accuracy" 0.8 "$(number out accuracy)"
for key in '"task":"nano"' '"split":"dev"' '"metrics":{"accuracy":' '"seconds":'; do holds out "$key"; done

# The same command again has nothing to do and touches nothing.
cp a.snc before.snc
run 0 "${train[@]}" --epochs 4 --output a.snc
same a.snc before.snc
holds err 'up to date'
equal "answer of a run that was skipped" "$(cat out)" ""

run 0 "${train[@]}" --epochs 4 --output b.snc
same_tensors a.snc b.snc
same a.snc b.snc
run 0 "${train[@]}" --epochs 4 --output c.snc --seed 7
check "another seed gives other bits" test "$(tensors a.snc | cksum)" != "$(tensors c.snc | cksum)"

# Stopped twice, once inside an epoch.
for steps in 7 40; do
    run 0 "${train[@]}" --epochs 4 --output d.snc --max-steps $steps
    holds out 'stopped early'
    exists d.snc.checkpoint
    absent d.snc
done
# Other inputs are not mixed into a checkpoint; --overwrite begins anew.
refused "d.snc.checkpoint: checkpoint of other inputs: lr was 0.002, now 0.001" "${train[@]}" --lr 1e-3 --epochs 4 --output d.snc
exists d.snc.checkpoint
cp d.snc.checkpoint saved
run 0 "${train[@]}" --epochs 4 --output d.snc
holds err 'resumed at step 40'
same_tensors a.snc d.snc
absent d.snc.checkpoint
cp saved e.snc.checkpoint
run 0 "${train[@]}" --lr 1e-3 --epochs 1 --output e.snc --overwrite
absent e.snc.checkpoint

# Killed without warning, then run again.
long=("${train[@]}" --epochs 20 --batch-size 8 --checkpoint-every 20)
run 0 "${long[@]}" --output whole.snc
killed_when k.snc.checkpoint "${long[@]}" --output k.snc
absent k.snc
run 0 "${long[@]}" --output k.snc
holds err 'resumed at step'
same_tensors whole.snc k.snc

# Asked to stop: the checkpoint is kept, exit 130, and the next run ends the same.
"$COMPRESS" "${long[@]}" --output i.snc >out 2>err &
CHILD=$!
for ((n = 0; n < 3000; n++)); do [ -e i.snc.checkpoint ] && break; sleep 0.01; done
kill -INT "$CHILD"
wait "$CHILD"
equal "exit code of an interrupted run" $? 130
CHILD=""
exists i.snc.checkpoint
absent i.snc
holds err '^compress: finetune: interrupted at step'
run 0 "${long[@]}" --output i.snc
same_tensors whole.snc i.snc

# Two at once on one output: the second is refused by the number of the first, which goes on to its end.
"$COMPRESS" "${long[@]}" --output two.snc >first 2>&1 &
CHILD=$!
for ((n = 0; n < 3000; n++)); do [ -e two.snc.checkpoint ] && break; sleep 0.01; done
refused "--output two.snc: another process is writing it (pid $CHILD)" "${long[@]}" --output two.snc
refused "--output two.snc: another process is writing it (pid $CHILD)" supernet --teacher a.snc --task nano/task.json --data nano --output two.snc
wait "$CHILD"
equal "exit code of the first" $? 0
CHILD=""
same_tensors whole.snc two.snc
absent two.snc.checkpoint two.snc.lock

# Fewer rows; every row; a damaged checkpoint is named, not believed.
run 0 "${train[@]}" --epochs 1 --max-train-samples 64 --output f.snc
holds err 'train 64 rows'
run 0 "${train[@]}" --epochs 0.1 --hold-out 0 --output g.snc
holds err 'train 1200 rows, rank 0, select 0'
run 0 "${train[@]}" --epochs 2 --max-steps 3 --output h.snc
head -c 1000 h.snc.checkpoint >cut && mv cut h.snc.checkpoint
refused "h.snc.checkpoint: " "${train[@]}" --epochs 2 --output h.snc
absent h.snc
# What cannot be written is found out before the training, not after it.
refused "none/x.snc: cannot write" "${train[@]}" --output none/x.snc
refused "nano: is a folder" "${train[@]}" --output nano
absent none

# Numbers that overflow: training stops at once and writes nothing. A weight that is no number is refused before.
cp nano/nano.snc huge.snc
poke huge.snc "$(offset huge.snc embeddings.norm.weight)" '\xff\xff\x7f\x7f' && reseal huge.snc
refused "step 1: the loss of 'hard' is not finite" finetune --pretrained huge.snc --task nano/task.json --data nano --output n.snc --threads 1
absent n.snc n.snc.checkpoint
cp nano/nano.snc nan.snc
poke nan.snc "$(offset nan.snc pooler.bias)" '\x00\x00\xc0\x7f' && reseal nan.snc
refused "nan.snc: tensor 'pooler.bias' holds NaN or infinity" finetune --pretrained nan.snc --task nano/task.json --data nano --output n.snc
