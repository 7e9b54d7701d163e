#!/usr/bin/env bash
# tests/bench/capped.c, which shows programs a lesser CPU: what they and their children see of it, and that they run on what is left.
. "$(dirname "$0")/lib.bash"
CAPPED=$(dirname "$MAKE_NANO")/capped.so
[ -e "$CAPPED" ] || { echo "skipped: capped.so is not built here"; exit 77; }
nano nano
"$COMPRESS" export nano/nano.snc --policy int8 --seeded-head --output t.snc >/dev/null || fail "export"
printf 'good film\nbad film\n' >texts

capped() { LD_PRELOAD=$CAPPED CPU_CAP=$1 "${@:2}"; } # CAP COMMAND

# The levels that the CPU is said to have, by the refusal of one that it has not.
seen() { capped "$1" env SNC_ISA=i8mm "$COMPRESS" info t.snc 2>&1 | sed 's/.*this CPU has//; s/$/,/' >levels; } # CAP

capped avx9 env 2>err && fail "an unknown cap is taken"
holds err 'expected CPU_CAP='
seen bf16
holds levels ' scalar,'
lacks levels ' amx,'
grep -q cpuid_fault /proc/cpuinfo || exit 0 # then bf16 is the only cap
# CAP, and what it must not show
lesser() {
    seen "$1"
    holds levels ' scalar,'
    for level in "${@:2}"; do lacks levels " $level,"; done
    check "predict under $1" capped "$1" "$COMPRESS" predict t.snc --seeded-head <texts >out 2>err
    lines out 2
}
lesser vnni bf16 amx
lesser avxvnni avx512 vnni bf16 amx
lesser avx2 avxvnni avx512 vnni bf16 amx
