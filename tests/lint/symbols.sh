#!/usr/bin/env bash
# Holds the libraries to the layer law by what they link: a name that a folder uses is its own or of a folder below it, so that a
# bare prototype in place of an include does not get past. usage: symbols.sh ROOT BUILD; prints each breach, exits 1 when there is one.
set -u
build=$2
# The folders, each above all that stand before it; those of a line do not know each other.
levels=(
    base
    "core tokenizer http"
    "quant data"
    models
    "runtime interop train search hub"
    "artifact serve"
    candidate
    report
    stage
)
rank=0 list=""
for level in "${levels[@]}"; do
    rank=$((rank + 1))
    for name in $level; do
        [ ! -f "$build/libsnc_$name.a" ] || list+="$rank $name"$'\n'
    done
done
[ -f "$build/libsnc_stage.a" ] || { echo "skipped: no libsnc_stage.a in $build"; exit 77; }
while read -r rank name; do nm -A "$build/libsnc_$name.a" 2>/dev/null | sed "s/^/$rank $name /"; done <<<"${list%$'\n'}" | awk '
    { kind = $(NF - 1); symbol = $NF }
    kind ~ /^[TDBRVWC]$/ { home[symbol] = $2; level[symbol] = $1; next }
    kind == "U" { use[++n] = $0; }
    END {
        if (n < 1000) { print "lint: nm told of " n " uses: too few to be all"; exit 1 }
        for (i = 1; i <= n; i++) {
            split(use[i], f, " ")
            symbol = f[length(f)]
            if (!(symbol in home) || home[symbol] == f[2] || level[symbol] < f[1]) continue
            file = f[3]; sub(/^.*libsnc_[a-z]*\.a:/, "", file); sub(/\.o:.*$/, "", file)
            print "lint: " f[2] "/" file " uses " symbol " of " home[symbol] ", which is not below it"
            bad = 1
        }
        exit bad
    }'
