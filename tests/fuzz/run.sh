#!/usr/bin/env bash
# Fuzzes whole verbs with libFuzzer, ASan and UBSan: tests/fuzz/run.sh [SECONDS [VERB...]], each verb for so long (60), two at a
# time (JOBS). Needs build/fuzz (./build.sh fuzz builds it and runs this). Corpora grow in build/fuzz/corpus, what breaks a verb
# is kept in build/fuzz/found, logs and table.md in build/fuzz/log. Exit code 1 when anything was found.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
program=build/fuzz/fuzz_verbs
[ -x "$program" ] || { echo "$program is not built: ./build.sh fuzz" >&2; exit 2; }
verbs=${*:-$("$program" --list)}
TMPDIR=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")") # files in memory
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
mkdir -p build/fuzz/found build/fuzz/log
export ASAN_OPTIONS=allocator_may_return_null=1:quarantine_size_mb=64:detect_leaks=1
export UBSAN_OPTIONS=print_stacktrace=1

# One run for what is left of the time, its log appended; 0: nothing was found.
once() { # once VERB SECONDS
    local kept=tests/fuzz/corpus/$1
    nice -n 19 "$program" --verb="$1" -max_total_time="$2" -max_len=131072 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/found/$1-" "build/fuzz/corpus/$1" $([ -d "$kept" ] && echo "$kept") >>"build/fuzz/log/$1" 2>&1
}

# libFuzzer's limit of 10 s is one of the wall clock: what ends in time when it is run again was held up by the machine.
fuzz() { # fuzz VERB
    local log=build/fuzz/log/$1 end=$((SECONDS + seconds)) verdict=none slow
    mkdir -p "build/fuzz/corpus/$1"
    : >"$log"
    "$program" --verb="$1" --seeds="build/fuzz/corpus/$1" >/dev/null 2>&1
    while [ $SECONDS -lt $end ] && ! once "$1" $((end - SECONDS)); do
        slow=$(sed -n 's/^artifact_prefix.*Test unit written to \(.*-timeout-.*\)/\1/p' "$log" | tail -1)
        if [ -n "$slow" ] && [ -f "$slow" ] && "$program" --verb="$1" -timeout=10 "$slow" >/dev/null 2>&1; then
            rm "$slow"
            continue
        fi
        verdict=$(grep -oE 'ERROR: .*|runtime error: .*|^allocation: .*|was not checked.*|left .* behind|, but .* was written' "$log" | head -1)
        break
    done
    echo "${verdict:-ended early}" >"$log.verdict"
}
export -f fuzz once
export program seconds
printf '%s\n' $verbs | xargs -P "${JOBS:-2}" -I{} bash -c 'fuzz {}'

# Of all runs of a verb: the sum (sum), or the largest (max), of a statistic.
stat() { # stat VERB NAME sum|max
    grep -oE "stat::$2: *[0-9]+" "build/fuzz/log/$1" | awk -v how="$3" '{ n += $2; if ($2 > m) m = $2 } END { print how == "sum" ? n : m + 0 }'
}
{
    echo "| verb | executions | seconds | edges | inputs kept | slowest, s | finding |"
    echo "|---|---|---|---|---|---|---|"
    for v in $verbs; do
        last=$(grep -E '^#[0-9]+.* cov: ' "build/fuzz/log/$v" | tail -1)
        echo "| $v | $(stat "$v" number_of_executed_units sum) | $seconds | $(grep -oE 'cov: [0-9]+' <<<"$last" | cut -c6-) |" \
            "$(grep -oE 'corp: [0-9]+' <<<"$last" | cut -c7-) | $(stat "$v" slowest_unit_time_sec max) | $(cat "build/fuzz/log/$v.verdict") |"
    done
    echo
    echo "commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
} | tee build/fuzz/log/table.md
! grep -vE '^\| verb|^\|---|\| none \|$|^$|^commit' build/fuzz/log/table.md >/dev/null
