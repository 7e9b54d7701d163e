#!/usr/bin/env bash
# Holds every C file to .clang-format, as its version 14 reads it (others break lines elsewhere), and every line to 140 characters.
# usage: format.sh ROOT; prints each breach, exits 1 when there is one, 77 where that version is not installed.
set -u
cd "$1"
mapfile -t files < <(find src models quant tokenizer tests packaging -name '*.[ch]')
awk 'length($0) > 140 && FILENAME !~ /unicode_tables/ {print "lint: " FILENAME ":" FNR ": " length($0) " characters, over 140"; bad = 1} END {exit bad}' "${files[@]}" || exit 1
for tool in clang-format-14 clang-format; do
    "$tool" --version 2>/dev/null | grep -q 'version 14\.' && exec "$tool" --dry-run -Werror "${files[@]}"
done
echo "skipped: clang-format 14 is not installed"
exit 77
