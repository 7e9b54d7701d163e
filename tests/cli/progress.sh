#!/usr/bin/env bash
# What is seen while a verb works: a line at least every two seconds (four are allowed, the machine may be busy), of the part and of
# the whole; within the width of the terminal; as JSON lines with absolute times.
. "$(dirname "$0")/lib.bash"
nano nano
mkdir big
{ head -1 nano/train.tsv; for ((n = 0; n < 100; n++)); do tail -n +2 nano/train.tsv; done; } >big/train.tsv
cp nano/dev.tsv big
tune=(finetune --pretrained nano/nano.snc --task nano/task.json --data big --hold-out 0 --lr 2e-3 --threads 1 --epochs 1000)

# ---- a file or a pipe: plain lines ----------------------------------------------------------------------------------------------
"$COMPRESS" "${tune[@]}" --output t.snc --log-json log.json 2>err &
CHILD=$!
for ((i = 0; i < 600; i++)); do [ "$(grep -c '^finetune [0-9]*/[0-9]*  ' err)" -ge 3 ] && break; sleep 0.1; done
kill -INT $CHILD
wait $CHILD
CHILD=""
check "lines of progress: $(grep -c '^finetune [0-9]*/[0-9]*  ' err), expected at least 2" test "$(grep -c '^finetune [0-9]*/[0-9]*  ' err)" -ge 2
lacks err $'[\r\033]'
lacks err ' 0.0/s'
lacks err ' 0 s left'
holds err '^finetune [0-9]*/[0-9]*  [0-9.]*/s  [0-9.]* [a-z]* left  loss '
# Every line has its time; numbers that are not known yet are null.
time='"time":"20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]\{3\}Z","elapsed":[0-9.]*,'
equal "JSON lines without a time" "$(grep -cv "^{$time.*}$" log.json)" 0
holds log.json "$time\"stage\":\"finetune\",\"done\":0,\"total\":[0-9]*,\"part\":[0-9]*,\"parts\":[0-9]*,\"per_second\":null,\"left_s\":null,"
holds log.json '"per_second":[0-9.]*,"left_s":[0-9.e+]*,"share":'
holds log.json '"level":"error","line":"finetune: interrupted at step '
check "seconds between two lines" awk -F'"elapsed":' -v most=$((4 * PACE)) '{ t = $2 + 0; if (NR > 1 && t - last > most) { print "a gap of", t - last; exit 1 } last = t }' log.json

# ---- a terminal: one line, never wider than it is ---------------------------------------------------------------------------------
redraws() { tr '\r' '\n' <raw | grep -c "^$(printf '\033')\[J"; }
shown() { grep -c '^finetune [0-9]*/[0-9]*  ' raw; }
# A terminal of 30 columns, until its raw bytes have enough of what is counted.
narrow() { # TERM COUNT
    rm -f pid
    TERM=$1 script -qfec "bash narrow.sh" /dev/null </dev/null >raw 2>&1 &
    for ((i = 0; i < 600; i++)); do [ "$($2)" -ge 3 ] && break; sleep 0.1; done
    kill -INT "$(cat pid)"
    wait $!
}
if command -v script >/dev/null; then
    printf 'stty cols %s; echo $$ >pid; exec "%s" %s\n' 30 "$COMPRESS" "${tune[*]} --output tty.snc" >narrow.sh
    narrow xterm redraws
    check "redraws: $(redraws)" test "$(redraws)" -ge 3
    check "a line is wider than the terminal" awk '/\[J/ { sub(/.*\[J/, ""); if (length($0) > 29) { print; exit 1 } }' <(tr '\r' '\n' <raw)
    narrow dumb shown
    lacks raw $'\033'
    holds raw '^finetune [0-9]*/[0-9]*  '
else
    echo "script is not installed: nothing is said about terminals" >&2
fi

# ---- the whole job: its estimate is the plan that progress is told by ------------------------------------------------------------
"$COMPRESS" --pretrained nano/nano.snc --task nano/task.json --data nano --target-latency 0.9x --output job --log-json log.json 2>err >out &
CHILD=$!
for ((i = 0; i < 6000; i++)); do grep -q '"stage":"latency table"' log.json 2>/dev/null && break; sleep 0.01; done
holds out '^estimate: finetune .* in all$'
holds log.json '"stage":"latency table",.*"part":1,"parts":15,.*"share":[0-9.]*,"all_left_s":[0-9.]*,'
kill -9 $CHILD
wait $CHILD 2>/dev/null
CHILD=""
