#!/usr/bin/env bash
# Code that runs before the instruction set is known runs on any x86-64: no flag of the compiler's asks for more, and instructions beyond SSE2
# stand in files alone that say so function by function. usage: baseline.sh ROOT BUILD; prints each breach, exits 1 when there is one.
set -u
cd "$1" || exit 2
build=$2
[ "$(uname -m)" = x86_64 ] && command -v objdump >/dev/null || { echo "skipped: no x86-64, or no objdump"; exit 77; }
[ -f "$build/libsnc_models.a" ] && [ -f "$build/compile_commands.json" ] || { echo "skipped: nothing built in $build"; exit 77; }
bad=0 seen=0
if grep -oE ' -(march|mtune|mcpu|mavx|mfma|msse|mbmi|mf16c|mamx|mlzcnt|mpopcnt|mmovbe)[^ "\\]*' "$build/compile_commands.json" | sort -u | grep .; then
    echo "lint: the compiler is asked for more than any x86-64 has"
    bad=1
fi
# says FILE...: whether one of them, or a header that it includes, names a target.
says() {
    grep -q '__attribute__((target(' "$@" && return 0
    local headers
    headers=$(sed -n 's/^#include "\(.*\)"/\1/p' "$@" | sort -u | while read -r h; do ls "src/$h" "$h" 2>/dev/null; done)
    [ -n "$headers" ] && says $headers
}
while read -r object; do
    seen=$((seen + 1))
    source=$(find src models quant tokenizer -name "${object%.o}")
    says "$source" || { echo "lint: ${source:-$object} has instructions beyond SSE2 and names no target"; bad=1; }
done < <(for a in "$build"/libsnc_*.a; do objdump -d --no-show-raw-insn "$a"; done |
    awk '/file format/ { f = $1; sub(/:$/, "", f) } /%[yz]mm|%k[0-7]|%tmm|\tv[a-z0-9]+ +.*%xmm|\t(mulx|pdep|pext|andn|shlx|sarx|shrx|rorx|bzhi|popcnt|movbe|pshufb|pmulld|crc32[bwlq]) / { if (!(f in told)) { told[f] = 1; print f } }')
[ $seen -ge 15 ] || { echo "lint: $seen files with vector code: the pattern misses them"; bad=1; }
exit $bad
