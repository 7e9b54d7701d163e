#!/usr/bin/env bash
# Holds every C file to its shape: at most 600 lines, an opening comment that says what it is, functions of at most 60 lines.
# Generated tables are apart. usage: shape.sh ROOT; prints each breach, exits 1 when there is one.
set -u
cd "$1"
find src models quant tokenizer tests packaging -name '*.[ch]' -o -name '*.cc' | grep -v unicode_tables | xargs awk '
    function complain(what) { print "lint: " FILENAME ":" FNR ": " what; bad = 1 }
    FNR == 1 { opened = 0; body = 0; if ($0 !~ /^\/\*/) complain("no comment opens it: say what the file is for") }
    FNR == 601 { complain("over 600 lines: one file, one noun") }
    /^{/ && !body { body = FNR; next }
    /^}/ && body { if (FNR - body + 1 > 60) complain("the function that ends here has " FNR - body + 1 " lines, over 60"); body = 0 }
    END { exit bad }'
