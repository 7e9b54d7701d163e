#!/usr/bin/env bash
# Documents: paths that they name are there, and so are files and parts that they link to; the guide names every option, and every chapter
# is in it. A word in capitals (NAME, OUT, ISA) stands for something of the reader's.
# usage: docs.sh ROOT; prints each breach, exits 1 when there is one.
set -u
cd "$1"
bad=0 seen=0 links=0
breach() { echo "lint: $*"; bad=1; }
for doc in CONTRIBUTING.md README.md docs/*.md models/MODEL.md tests/ref/README.md; do
    while read -r path; do
        seen=$((seen + 1))
        compgen -G "${path%/}" >/dev/null || breach "$doc names $path, which is not there"
    done < <(grep -oE '`(src|models|quant|tokenizer|tests|configs|examples|packaging|python|cmake|docs)/[A-Za-z0-9_./*-]*' "$doc" | tr -d '`' | grep -vE '[A-Z]{2,}[^.]|[A-Z]{2,}\.[a-ln-z]|_ISA' | sort -u)
done
[ $seen -ge 40 ] || breach "the documents name $seen paths: the pattern misses them"

parts() { sed '/^```/,/^```/d' "$1" | sed -n 's/^##* //p' | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9_\n-'; } # FILE: its headings as links name them
for doc in README.md docs/*.md; do
    while read -r link; do
        links=$((links + 1))
        file=$doc part=${link#*#}
        [ "${link%%#*}" = "" ] || file=$(dirname "$doc")/${link%%#*}
        [ -e "$file" ] || { breach "$doc links to $link, which is not there"; continue; }
        [[ $link != *#* ]] || parts "$file" | grep -qxF -- "$part" || breach "$doc links to $link: $file has no such part"
    done < <(sed '/^```/,/^```/d' "$doc" | grep -oE '\]\([^)]*\)' | sed 's/^](//; s/)$//' | grep -v '^https*://')
done
[ $links -ge 30 ] || breach "the documents have $links links: the pattern misses them"
twice=$(for doc in docs/*.md; do parts "$doc"; done | sort | uniq -d) # one page has them all
[ -z "$twice" ] || breach "headings of two chapters: $twice"

for doc in docs/*.md; do
    name=$(basename "$doc" .md)
    grep -qE "^chapters=.*[\" ]$name[\" ]" build.sh || breach "$doc is none of build.sh's chapters"
    grep -qF "($doc)" README.md || breach "README.md does not lead to $doc"
done

options=$(grep -oE '^    \{"--[a-z-]+"' src/artifact/option_table.c | grep -oE -- '--[a-z-]+' | sort -u)
[ "$(wc -l <<<"$options")" -ge 80 ] || breach "option_table.c has $(wc -l <<<"$options") options: the pattern misses them"
for option in $options; do grep -qE -- "$option([^a-z-]|\$)" docs/*.md || breach "no chapter of docs names $option"; done
exit $bad
