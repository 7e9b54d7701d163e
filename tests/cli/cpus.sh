#!/usr/bin/env bash
# The CPUs that a process may use: its affinity and the quota of its control group are counted, and more threads than that are said.
. "$(dirname "$0")/lib.bash"
not_emulated "what may be used is the emulator's"
nano nano
tune=(finetune --pretrained nano/nano.snc --task nano/task.json --data nano --epochs 0.1 --lr 2e-3 --verbose --overwrite)
threads() { sed -n 's/^.*, \([0-9]*\) threads\{0,1\}, backend .*/\1/p' err | head -1; }

run 0 "${tune[@]}" --output all.snc
all=$(threads)
check "threads without --threads: '$all'" test "$all" -ge 1

# ---- affinity ------------------------------------------------------------------------------------------------------------------------
if command -v taskset >/dev/null && [ "$all" -ge 2 ]; then
    last=$(taskset -cp $$ | sed 's/.*[-,: ]//')
    pinned() { taskset -c "$last" "$COMPRESS" "$@" >out 2>err; }
    check "fine-tuning on one CPU" pinned "${tune[@]}" --output one.snc
    equal "threads on one CPU" "$(threads)" 1
    holds err "1 thread: this process may use 1 of [0-9]* CPUs: affinity"
    check "more threads than CPUs" pinned "${tune[@]}" --output many.snc --threads 8
    equal "threads asked for" "$(threads)" 8
    holds err "warning: --threads 8, and this process may use 1 of [0-9]* CPUs: affinity: threads will wait for each other, and a latency says nothing"
    check "a timing of more threads than CPUs" pinned bench nano/nano.snc --batch 1 --seq-len 8 --threads 1,8 --repeats 2
    equal "warnings" "$(grep -c 'threads will wait for each other' err)" 1
    same_tensors one.snc all.snc
    same_tensors many.snc all.snc
else
    echo "no taskset, or one CPU: affinity not tested"
fi

# ---- a quota, where a control group can be made ----------------------------------------------------------------------------------------
for base in /sys/fs/cgroup/cpu /sys/fs/cgroup; do
    group=$base/snc-test-$$
    [ "$all" -ge 2 ] && mkdir "$group" 2>/dev/null || continue
    if echo 50000 >"$group/cpu.cfs_quota_us" || echo "50000 100000" >"$group/cpu.max"; then
        (echo $BASHPID >"$group/cgroup.procs" && exec "$COMPRESS" "${tune[@]}" --output half.snc >out 2>err) && ran=1 || ran=0
        [ "$ran" = 1 ] && equal "threads of half a CPU" "$(threads)" 1
        [ "$ran" = 1 ] && holds err "1 thread: this process may use 1 of [0-9]* CPUs: cgroup quota 0.5"
    fi 2>/dev/null
    for ((i = 0; i < 50; i++)); do rmdir "$group" 2>/dev/null && break; sleep 0.1; done
    break
done
