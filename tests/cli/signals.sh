#!/usr/bin/env bash
# Every verb, asked to stop in the middle of its work or while it waits: exit code 130 in about a second (three are allowed, the
# machine may be busy), one line, and nothing half-written. And readers of the answer that go away.
. "$(dirname "$0")/lib.bash"
not_emulated "/proc tells of the emulator's handlers"
nano nano
data=(--task nano/task.json --data nano)
WALKED=""

# Whether the process $1 is the program, no longer a shell that becomes it, and takes the signals itself (SIGTERM is bit 14).
listens() { [ "/proc/$1/exe" -ef "$COMPRESS" ] && awk '/^SigCgt/ { exit !(substr($2, 13, 1) ~ /[4-7c-f]/) }' "/proc/$1/status" 2>/dev/null; }

# stop SIGNAL UNTIL ARG...: starts the program, waits until the shell command UNTIL holds, and sends the signal.
stop() {
    local signal=$1 until=$2 i t0 got ms
    shift 2
    WALKED="$WALKED $1 "
    "$COMPRESS" "$@" >out 2>err <&3 &
    CHILD=$!
    for ((i = 0; i < 6000; i++)); do
        listens $CHILD && eval "$until" && break
        kill -0 $CHILD 2>/dev/null || break
        sleep 0.01
    done
    equal "name of a running compress $*" "$(cat /proc/$CHILD/comm)" compress
    t0=$(date +%s%N)
    CHECKS=$((CHECKS + 1))
    kill "-$signal" $CHILD 2>/dev/null || fail "compress $*: ended by itself before '$until'"
    wait $CHILD 2>/dev/null
    got=$?
    CHILD=""
    ms=$((($(date +%s%N) - t0) / 1000000))
    equal "exit code of compress $* after SIG$signal" "$got" 130
    check "compress $*: ended $ms ms after SIG$signal" test "$ms" -lt 3000
    equal "lines that say so, of compress $*" "$(grep -c '^compress: .*interrupted' err)" 1
    no_leftovers .
    equal "children left by compress $*" "$(pgrep -f "$SCRATCH" | grep -cvx $$)" 0
}
soon() { sleep 0.3; }

mkfifo wait
sleep 1000 >wait & # keeps the pipe open: no input, and no end of it
HOLDER=$!
exec 3<wait

# ---- training: in the middle of it ------------------------------------------------------------------------------------
long=(--epochs 1000 --lr 2e-3 --supernet-epochs 1000 --checkpoint-every 20 --threads 1)
stop INT '[ -e t.snc.checkpoint ]' finetune --pretrained nano/nano.snc "${data[@]}" "${long[@]:0:4}" "${long[@]:6}" --output t.snc
exists t.snc.checkpoint
absent t.snc
run 0 finetune --pretrained nano/nano.snc "${data[@]}" --output t.snc --epochs 1 --lr 2e-3 --threads 1 --overwrite
stop INT 'grep -q "epoch 1 of" err' import --pretrained nano/nano.snc,t.snc "${data[@]}" --epochs 1000
equal "answers of an interrupted import" "$(cat out)" ""
stop INT soon plan --pretrained nano/nano.snc --rows 20000 --seq-len 32 --batch-size 4096 --ranks 1,2
equal "answers of an interrupted plan" "$(cat out)" ""
stop TERM '[ -e s.snc.checkpoint ]' supernet --teacher t.snc "${data[@]}" "${long[@]:4}" --output s.snc
exists s.snc.checkpoint
absent s.snc
run 0 supernet --teacher t.snc "${data[@]}" --output s.snc --threads 1 --augment 0 --overwrite

# ---- the latency table, the search, studies -----------------------------------------------------------------------------
stop TERM soon profile s.snc "${data[@]}" --batch 64 --seq-len 32 --output table.json
absent table.json table.json.inputs
search=(s.snc --teacher t.snc "${data[@]}" --target-size 0.9x --evals 1000000)
stop INT '[ -e d/best.json ]' search "${search[@]}" --output d
holds err '^compress: search interrupted after'
stop TERM '[ -e p/hv-42.sqlite ] || [ -e p/random-42.sqlite ]' study s.snc --teacher t.snc "${data[@]}" --protocols hypervolume --searchers random --seeds 2 --evals 1000000 --output p
awk 'BEGIN { printf "{"; for (i = 0; i < 6561; i++) { s = ""; for (k = i; length(s) < 8; k = int(k / 3)) s = s k % 3
    printf "%s\"%s\":{\"mean_acc\":%.3f}", i ? "," : "", s, 80 + i % 977 / 50 } print "}" }' >nas-bench-macro_cifar10.json
stop INT soon study --tabular . --seeds 100000
echo '{"nets":2,"variants":[{"name":"long","recipe":{"supernet":{"epochs":1000}}},{"name":"default"}]}' >two.json
stop TERM 'grep -q "^supernet: epoch 1 of" err' study --ablate two.json --teacher t.snc "${data[@]}" --augment 0 --output ab
exists ab/ablation.json
absent ab/report.json

# ---- the proof: its child ends with it ---------------------------------------------------------------------------------
job=(--pretrained nano/nano.snc "${data[@]}" --target-size 0.9x --epochs 1 --lr 2e-3 --supernet-epochs 0.2 --augment 0 --evals 30 --repair off)
stop INT '[ -e job/supernet.snc ]' compress "${job[@]}" --output job
stop TERM 'grep -q "^proof " err' compress "${job[@]}" --output job
exists job/compressed.snc
absent job/report.json
echo '{"name":"one","tasks":["nano/task.json"],"options":{"lr":2e-3,"epochs":1000,"checkpoint-every":20}}' >suite.json
stop TERM '[ -e many/nano/seed-42/teacher.snc.checkpoint ]' suite ./suite.json --pretrained nano/nano.snc --data nano --target-latency 0.9x --output many

# ---- scores and latency --------------------------------------------------------------------------------------------------
mkdir big
{ head -1 nano/dev.tsv; for ((n = 0; n < 11; n++)); do tail -n +2 nano/dev.tsv; done; } >some.tsv
{ head -1 nano/dev.tsv; for ((n = 0; n < 300; n++)); do tail -n +2 some.tsv; done; } >big/dev.tsv
cp nano/train.tsv big
stop TERM soon eval t.snc --task nano/task.json --data big
equal "answers of an interrupted eval" "$(cat out)" ""
stop INT soon bench t.snc -s 32 -r 1000000
equal "answers of an interrupted bench" "$(cat out)" ""

# ---- waiting for input -----------------------------------------------------------------------------------------------------
for signal in INT TERM; do
    stop $signal soon predict t.snc
    holds err '^compress: interrupted while waiting for input$'
    stop $signal soon tokenize --pretrained t.snc
done

# ---- what is over in a moment here: ended, or all of it is there ---------------------------------------------------------------
for verb in "info t.snc" "verify t.snc" "export t.snc --policy int8 --output e.snc" "import --pretrained t.snc --output i.snc"; do
    WALKED="$WALKED ${verb%% *} "
    for ((n = 0; n < 5; n++)); do
        "$COMPRESS" $verb >out 2>err &
        CHILD=$!
        until listens $CHILD || ! kill -0 $CHILD 2>/dev/null; do :; done
        kill -TERM $CHILD 2>/dev/null
        wait $CHILD 2>/dev/null
        got=$?
        CHILD=""
        check "exit code of compress $verb: $got, expected 0 or 130" test $got -eq 0 -o $got -eq 130
        no_leftovers .
    done
done
for f in e.snc i.snc; do [ ! -e $f ] || run 0 info $f; done

# ---- a server: that is how it ends (serve.sh) ------------------------------------------------------------------------------------
for signal in INT TERM; do
    : >err
    "$COMPRESS" serve t.snc --port 0 >out 2>err &
    CHILD=$!
    until grep -q '^serve: http\|libmicrohttpd' err || ! kill -0 $CHILD 2>/dev/null; do sleep 0.01; done
    kill -$signal $CHILD 2>/dev/null
    wait $CHILD
    got=$?
    CHILD=""
    grep -q libmicrohttpd err || equal "exit code of a server that is told to end by $signal" $got 0
    WALKED="$WALKED serve "
done

for verb in $("$COMPRESS" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
    check "$verb was never interrupted" grep -q " $verb " <<<"$WALKED"
done

# ---- handlers have a stack of their own: below the other one vendor kernels keep data ------------------------------------------
OWN_STACK=$(dirname "$MAKE_NANO")/own_stack.so
if [ -e "$OWN_STACK" ]; then
    LD_PRELOAD=$OWN_STACK run 0 info t.snc
    LD_PRELOAD=$OWN_STACK bash -c 'trap : TERM' 2>err
    equal "exit code of a program that does otherwise" $? 99
fi

# ---- where a call does not come back in time, the process leaves nothing all the same ------------------------------------------------
SLOW_LOCK=$(dirname "$MAKE_NANO")/slow_lock.so
if [ -e "$SLOW_LOCK" ]; then
    mkdir tables
    LD_PRELOAD=$SLOW_LOCK stop TERM '[ -e tables/t.json.lock ]' profile s.snc "${data[@]}" --output tables/t.json
    equal "files left by it" "$(ls -A tables)" ""
fi

# ---- a signal that comes twice at once, as from timeout(1), is one; a second one does not wait ---------------------------------------
"$COMPRESS" finetune --pretrained nano/nano.snc "${data[@]}" "${long[@]:0:4}" "${long[@]:6}" --output u.snc 2>err >out &
CHILD=$!
for ((i = 0; i < 6000; i++)); do [ -e u.snc.checkpoint ] && break; sleep 0.01; done
kill -INT $CHILD && kill -INT $CHILD 2>/dev/null
wait $CHILD 2>/dev/null
equal "exit code after one signal twice" $? 130
CHILD=""
holds err '^compress: finetune: interrupted at step '
if [ -e "$SLOW_LOCK" ]; then
    LD_PRELOAD=$SLOW_LOCK "$COMPRESS" finetune --pretrained nano/nano.snc "${data[@]}" --output slow.snc 2>err &
    CHILD=$!
    for ((i = 0; i < 600; i++)); do [ -e slow.snc.lock ] && break; sleep 0.01; done
    t0=$(date +%s%N)
    kill -INT $CHILD
    sleep 0.8
    kill -INT $CHILD
    wait $CHILD 2>/dev/null
    equal "exit code after a second signal" $? 130
    ms=$((($(date +%s%N) - t0) / 1000000)) CHILD=""
    check "ended $ms ms after the first of two signals, expected less than a slow lock takes" test "$ms" -lt 5000
    rm -f slow.snc.lock
fi

# ---- a closed or full standard output is said --------------------------------------------------
kill $HOLDER
exec 3<&-
yes good | "$COMPRESS" predict t.snc 2>err | head -1 >out
equal "exit code when the reader has gone" "${PIPESTATUS[1]}" 2
equal "what is said then" "$(cat err)" "compress: standard output: write failed: Broken pipe"
for verb in "info t.snc" "--help" "eval --help" "--version"; do
    "$COMPRESS" $verb >/dev/full 2>err
    equal "exit code of $verb on a full device" $? 2
    holds err '^compress: standard output: write failed: No space left on device$'
    "$COMPRESS" $verb >&- 2>err
    equal "exit code of $verb without a standard output" $? 2
    holds err '^compress: standard output: write failed: '
done
"$COMPRESS" export t.snc --policy int8 --output closed.snc >&- 2>err # the answer must not go into the file
run 0 info closed.snc
