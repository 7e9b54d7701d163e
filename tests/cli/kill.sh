#!/usr/bin/env bash
# The whole job, killed without warning at moments drawn by a seed: every folder resumes to the bits of a job that nobody killed, and
# at no moment does a report speak of another file than the one that is there.
#
#     KILLS=100 [SEED=11] tests/cli/kill.sh build/release/compress build/release/make_nano      a hundred jobs, each killed once and resumed
#
# Without KILLS: one job, killed ten times on its way. The target is a size: then no clock decides what is chosen.
. "$(dirname "$0")/lib.bash"
nano nano
echo '{"depth":[3],"heads":[0,4],"ffn":[64,32],"always":[1],"linear":["int8"]}' >space.json # what is small enough skips a half
job=(--pretrained nano/nano.snc --task nano/task.json --data nano --epochs 2 --lr 2e-3 --supernet-epochs 0.5 --supernet-lr 1e-3 --checkpoint-every 5
     --evals 12 --teachers 2 --repair on --repair-epochs 0.2 --target-size 0.84x --space space.json --quiet --output)
RANDOM=${SEED:-11}


# Every report there is speaks of the files there are.
check_reports() { # FOLDER
    local f name
    for name in compressed full-int8 teacher; do
        for f in "$1/report.json" "$1/report.md"; do
            [ -e "$f" ] && check "$f speaks of another $name.snc" grep -qF "$(digest "$1/$name.snc" || echo none)" "$f"
        done
    done
    for f in "$1/report.csv" "$1/report.html" "$1"/report-*.svg; do [ -e "$f" ] && check "$f speaks of a file that is gone" test -e "$1/compressed.snc"; done
}

# Starts the job, kills it after SECONDS, and says whether there was something left to kill.
killed_after() { # SECONDS FOLDER
    "$COMPRESS" "${job[@]}" "$2" >out 2>err &
    CHILD=$!
    sleep "$1"
    kill -9 "$CHILD" 2>/dev/null
    wait "$CHILD" 2>/dev/null
    local code=$?
    CHILD=""
    check "a job that was not killed ended with $code" test $code -eq 137 -o $code -eq 0
    [ $code -eq 137 ]
}

moment() { awk -v r=$((RANDOM * 32768 + RANDOM)) -v most="$1" 'BEGIN { printf "%.4f", r / 1073741824 * most }'; } # MOST

start=$(date +%s.%N)
run 0 "${job[@]}" whole
took=$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { print b - a }')
check_reports whole
check "the net skips a half" grep -q '"heads":0,' <(tr -d ' \t\n' <whole/config.json)
cut_short=0
if [ -n "${KILLS:-}" ]; then
    for ((k = 1; k <= KILLS; k++)); do
        rm -rf job
        killed_after "$(moment "$took")" job && cut_short=$((cut_short + 1))
        left=$(find job -mindepth 1 -printf '%f ' 2>/dev/null)
        check_reports job
        run 0 "${job[@]}" job
        check_reports job
        same job/compressed.snc whole/compressed.snc
        no_leftovers job
        echo "kill $k: left $left"
    done
else
    for ((k = 1; k <= 10; k++)); do
        killed_after "$(moment "$(awk -v t="$took" 'BEGIN { print t / 3 }')")" job && cut_short=$((cut_short + 1))
        check_reports job
    done
    run 0 "${job[@]}" job
    check_reports job
    no_leftovers job
fi
for f in teacher baseline-2 supernet full-int8 compressed; do same job/$f.snc whole/$f.snc; done
check "no job was killed before its end" test "$cut_short" -gt 0
echo "$cut_short killed before their end"
