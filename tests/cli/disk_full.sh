#!/usr/bin/env bash
# The whole job on a disk that fails one write (failing_writes.c): one line, exit code 2, nothing half-written, and the next run ends with
# the bits of a job that met no such disk.
#
#     WRITES=all tests/cli/disk_full.sh build/release/compress build/release/make_nano      every write, one after the other
#
# Without WRITES: a dozen of them, spread over the job, and a disk that stays full. The target is a size: then no clock decides what is
# chosen. A folder that is byte for byte one that was resumed already is not resumed again.
. "$(dirname "$0")/lib.bash"
FAILING=$(dirname "$MAKE_NANO")/failing_writes.so
[ -e "$FAILING" ] || { echo "skipped: failing_writes.so is not built here"; exit 77; }
nano nano
echo '{"depth":[3],"heads":[4,2],"ffn":[64,32],"linear":["int8"],"pooler":["int8"]}' >space.json
job=(--pretrained nano/nano.snc --task nano/task.json --data nano --epochs 2 --lr 2e-3 --supernet-epochs 0.3 --supernet-lr 1e-3 --checkpoint-every 20
     --evals 3 --repair on --repair-epochs 0.1 --augment 1 --target-size 0.9x --space space.json --quiet --output)

# Runs the job with write AT failing, ON=1: and all after it.
failing() { # AT ON FOLDER
    rm -f log
    SNC_FAIL_AT=$1 SNC_FAIL_ON=$2 SNC_FAIL_LOG=log env "$PRELOAD=$FAILING" "$COMPRESS" "${job[@]}" "$3" >out 2>err
}

ended() { grep -aq '"repair"' "$1/search.sqlite" 2>/dev/null && [ -e "$1/compressed.snc" ] && ! [ -s "$1/search.sqlite-journal" ]; } # FOLDER

# On to the file and the journal's end note; the proof after them changes neither and is not waited for.
resume() { # FOLDER
    "$COMPRESS" "${job[@]}" "$1" >resumed.out 2>resumed.err &
    CHILD=$!
    while kill -0 "$CHILD" 2>/dev/null && ! ended "$1"; do sleep 0.05; done
    kill -9 "$CHILD" 2>/dev/null
    wait "$CHILD" 2>/dev/null
    CHILD=""
    same "$1/compressed.snc" whole/compressed.snc
}

# What is there is whole: files with digests by them, the rest by its end.
check_whole() { # FOLDER
    local f
    no_leftovers "$1"
    for f in "$1"/*.snc; do [ -e "$f" ] && check "$f is whole" "$COMPRESS" verify "$f" >/dev/null; done
    for f in "$1"/*.json "$1"/*.inputs; do [ -e "$f" ] && check "$f is whole" test "$(tail -c 2 "$f" | tr -d '\n')" = "}"; done
    absent "$1/compressed.snc.draft" "$1/compressed.snc.draft.repaired"
    [ -e "$1/report.json" ] && check "the report is of the file that is there" grep -qF "$("$COMPRESS" verify "$1/compressed.snc" | sed 's/.*: ok //')" "$1/report.json"
}

one_failure() { # AT ON seeded|fresh
    local code state
    rm -rf job
    [ "$3" = seeded ] && mkdir job && cp seed/* job
    failing "$1" "$2" job
    code=$?
    grep -q "^$1 " log || fail "write $1 was not reached"
    check "$(head -1 log) failed: exit code $code, expected 2" test $code -eq 2
    lines err 1
    check "$(head -1 log) failed: the line does not begin with the program's name" test "$(head -c 10 err)" = "compress: "
    check_whole job
    echo "$(head -1 log): $(head -c 150 err)"
    state=$(cd job 2>/dev/null && find . -type f -exec md5sum {} + | sort | md5sum)
    grep -qF "$state" states && return
    echo "$state" >>states
    resume job
}

: >states
run 0 "${job[@]}" whole
mkdir seed && cp whole/run.json whole/latency.json whole/latency.json.inputs seed
cp -r seed counted && failing 0 0 counted
total=$(wc -l <log)
same counted/compressed.snc whole/compressed.snc
check "writes are counted" test "$total" -gt 100
if [ -n "${WRITES:-}" ]; then
    for ((k = 1; k <= total; k++)); do one_failure $k 0 seeded; done
    failing 0 0 fresh # the latency table's own writes: of a job that has none yet
    for k in $(grep 'latency.json' log | cut -d' ' -f1); do one_failure "$k" 0 fresh; done
else
    for ((k = 3; k <= total; k += total / 10)); do one_failure $k 0 seeded; done
    for at in 5 $((total / 2)) $((total - 8)); do one_failure $at 1 seeded; done
fi

# ---- a folder for other programs is there as a whole or not at all; what is left of one goes with the next ----------------------
for to in hf onnx; do
    "$COMPRESS" export whole/compressed.snc --to $to --output counted.$to >out 2>err || grep -q 'built without ONNX' err || fail "export --to $to"
    [ -e counted.$to ] || continue
    rm -f log
    SNC_FAIL_AT=0 SNC_FAIL_LOG=log env "$PRELOAD=$FAILING" "$COMPRESS" export whole/compressed.snc --to $to --output again.$to >out 2>err
    check "twice --to $to" diff -r counted.$to again.$to
    writes=$(wc -l <log)
    less "8 and the writes of --to $to" 8 "$writes"
    for ((k = 1; k <= writes; k += writes < 60 ? 3 : writes / 15)); do
        SNC_FAIL_AT=$k env "$PRELOAD=$FAILING" "$COMPRESS" export whole/compressed.snc --quiet --to $to --output broken >out 2>err
        check "write $k of --to $to failed: exit code" test $? -eq 2
        lines err 1
        absent broken broken.draft
    done
    SNC_FAIL_AT=$writes SNC_FAIL_LOG=last env "$PRELOAD=$FAILING" "$COMPRESS" export whole/compressed.snc --quiet --to $to --output broken >out 2>err
    holds last '^[0-9]* rename '
    absent broken broken.draft
done
no_leftovers .
echo "$total writes; $(wc -l <states) states resumed"
