#!/usr/bin/env bash
# No circle of files in the folders of what the verbs are made of: file A uses a symbol of B and B one of A, also through others.
# Read off the object files. usage: circles.sh ROOT BUILD; prints each circle, exits 1 when there is one.
set -u
cd "$1"
build=$2
folders="artifact candidate report stage"
objects=()
for folder in $folders; do
    for source in src/$folder/*.c; do
        object=$build/CMakeFiles/snc_$folder.dir/$source.o
        [ -f "$object" ] || { echo "lint: $object: not built"; exit 77; }
        objects+=("$object")
    done
done
# A line a symbol: who has it (D), who wants it (U). Then the files are taken away that want nothing of those left: circles stay.
nm -A "${objects[@]}" | awk '
    { sub(/^.*\/src\//, ""); sub(/\.c\.o:[^ ]*/, ".c"); file = $1 }
    NF == 3 && $2 == "U" { wants[file, $3] = 1; files[file]; next }
    NF >= 3 && $(NF - 1) ~ /^[TDRBC]$/ { has[$NF] = file; files[file] }
    END {
        for (key in wants) {
            split(key, k, SUBSEP)
            if (k[2] in has && has[k[2]] != k[1]) uses[k[1], has[k[2]]] = k[2]
        }
        do {
            gone = 0
            for (f in files) {
                out = inn = 0
                for (e in uses) { split(e, k, SUBSEP); if (k[1] == f) out = 1; if (k[2] == f) inn = 1 }
                if (out && inn) continue
                delete files[f]
                gone = 1
                for (e in uses) { split(e, k, SUBSEP); if (k[1] == f || k[2] == f) delete uses[e] }
            }
        } while (gone)
        for (e in uses) { split(e, k, SUBSEP); print "lint: a circle of files: " k[1] " uses " uses[e] " of " k[2]; bad = 1 }
        exit bad
    }'
