#!/usr/bin/env bash
# Paths that the documents name are there. A word in capitals (NAME, OUT, ISA) stands for something of the reader's.
# usage: docs.sh ROOT; prints each breach, exits 1 when there is one.
set -u
cd "$1"
bad=0 seen=0
for doc in CONTRIBUTING.md README.md models/MODEL.md tests/ref/README.md; do
    while read -r path; do
        seen=$((seen + 1))
        compgen -G "${path%/}" >/dev/null || { echo "lint: $doc names $path, which is not there"; bad=1; }
    done < <(grep -oE '`(src|models|quant|tokenizer|tests|configs|examples|packaging|python|cmake)/[A-Za-z0-9_./*-]*' "$doc" | tr -d '`' | grep -vE '[A-Z]{2,}[^.]|[A-Z]{2,}\.[a-ln-z]|_ISA' | sort -u)
done
[ $seen -ge 40 ] || { echo "lint: the documents name $seen paths: the pattern misses them"; bad=1; }
exit $bad
