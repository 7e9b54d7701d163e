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

fuzz() { # fuzz VERB
    local corpus=build/fuzz/corpus/$1 kept=tests/fuzz/corpus/$1
    mkdir -p "$corpus"
    "$program" --verb="$1" --seeds="$corpus" >/dev/null 2>&1
    nice -n 19 "$program" --verb="$1" -max_total_time="$seconds" -max_len=131072 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/found/$1-" "$corpus" $([ -d "$kept" ] && echo "$kept") >"build/fuzz/log/$1" 2>&1 &&
        echo none >"build/fuzz/log/$1.verdict" || echo "$(grep -oE 'ERROR: .*|runtime error: .*|^allocation: .*|was not checked.*|left .* behind' "build/fuzz/log/$1" | head -1)" >"build/fuzz/log/$1.verdict"
}
export -f fuzz
export program seconds
printf '%s\n' $verbs | xargs -P "${JOBS:-2}" -I{} bash -c 'fuzz {}'

stat() { grep -oE "stat::$2: *[0-9]+" "build/fuzz/log/$1" | grep -oE '[0-9]+$' | tail -1 | grep . || echo '?'; }
found=0
{
    echo "| verb | executions | seconds | edges | inputs kept | slowest, s | finding |"
    echo "|---|---|---|---|---|---|---|"
    for v in $verbs; do
        last=$(grep -E '^#[0-9]+.* cov: ' "build/fuzz/log/$v" | tail -1)
        echo "| $v | $(stat "$v" number_of_executed_units) | $seconds | $(grep -oE 'cov: [0-9]+' <<<"$last" | cut -c6-) |" \
            "$(grep -oE 'corp: [0-9]+' <<<"$last" | cut -c7-) | $(stat "$v" slowest_unit_time_sec) | $(cat "build/fuzz/log/$v.verdict") |"
    done
} | tee build/fuzz/log/table.md
grep -q '| none |$' build/fuzz/log/table.md && ! grep -vE '^\| verb|^\|---|\| none \|$' build/fuzz/log/table.md >/dev/null || found=1
exit $found
