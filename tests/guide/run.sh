#!/usr/bin/env bash
# Runs what a document tells its reader to: every shell block, in their order, in one shell and one scratch folder, on the nano model.
# usage: run.sh DOCUMENT COMPRESS MAKE_NANO
#
#     ```sh               is run; any exit code but 0 fails, and so does 3 (a target was missed) unless the block asks for it by ||
#     ```text             right behind it: what lines of its output have, in this order ("..." is anything); numbers and words of the model may be others
#     ```json score.json  (any language) is what the reader has in this file from here on
#
# A shell block that begins with "# not run by the tests: WHY" is checked in another manner: its syntax, the options of our commands,
# what build.sh is told; and it has to be listed in elsewhere.txt, which may list no other. No other block is allowed. tests/guide/NAME.bash
# makes what the reader of NAME.md has before the first block: a model, rows, files of earlier chapters. What cannot be had everywhere
# (curl, an ONNX schema) it asks for by `without`, which leaves blocks out and says so.
document=$(realpath "$1")
shift
. "$(dirname "$0")/../cli/lib.bash"
not_emulated "what the program says is tested elsewhere, and a guide has many commands"
ROOT=$(cd "$TESTS/.." && pwd)
NAME=$(basename "$document" .md)
BLOCKS=$SCRATCH/.blocks
mkdir "$BLOCKS" "$SCRATCH/reader"

# ---- the document's blocks, a file each: NN.run, NN.elsewhere, NN.file (and its name in NN.name), NN.expect; NN.line ----------------------
awk -v to="$BLOCKS" '
    function open_block(kind) { n++; file = sprintf("%s/%03d.%s", to, n, kind); printf "%s:%d", name, FNR > (file ".at"); printf "" > file; last = kind }
    /^```/ && !inside {
        inside = 1
        split(substr($0, 4), word, / /)
        if (word[2] != "") { open_block("file"); print word[2] > (file ".name") }
        else if (word[1] == "sh") { open_block("run"); fresh = 1 }
        else if (word[1] == "text") { if (last != "run") print name ":" FNR ": output of no command" > (to "/odd"); sub(/run$/, "expect", file); last = "expect" }
        else { print name ":" FNR ": a block of \"" word[1] "\" without a file" > (to "/odd"); file = to "/odd.block" }
        next
    }
    /^```/ { inside = 0; close(file); next }
    inside && fresh && /^# not run by the tests: / { fresh = 0; at = file ".at"; sub(/run$/, "elsewhere", file); printf "%s:%d", name, FNR > (file ".at"); last = "elsewhere"; print > file; next }
    inside { fresh = 0; print > file; next }
    /[^ ]/ && !/^[ |]/ { last = "" }
    /^    [^ ]/ && !/^     *[-*] / { print name ":" FNR ": indented code, which is not run" > (to "/odd") }
    END { if (inside) print name ": a block without an end" > (to "/odd") }
' name="$(basename "$document")" "$document"
for f in "$BLOCKS"/*.elsewhere; do [ ! -e "$f" ] || rm -f "${f%.elsewhere}.run" "${f%.elsewhere}.run.at"; done
check "$document has commands" test -n "$(ls "$BLOCKS")"
equal "blocks that are neither run nor checked" "$(cat "$BLOCKS/odd" 2>/dev/null)" ""

# ---- what cannot be run here -------------------------------------------------------------------------------------------------------------
elsewhere() { local f; for f in "$BLOCKS"/*.elsewhere; do [ ! -e "$f" ] || echo "$NAME: $(sed -n 2p "$f")"; done; }
equal "blocks that are not run" "$(elsewhere)" "$(grep "^$NAME: " "$TESTS/guide/elsewhere.txt")"
for block in "$BLOCKS"/*.elsewhere; do
    [ -e "$block" ] || continue
    at=$(cat "$block.at")
    check "$at: syntax" bash -n "$block"
    while read -r program rest; do # of ours: the parser takes its options
        rest=${rest%%[<>|&;#]*}
        case $program in
        */build.sh) [ -z "${rest%% *}" ] || check "$at: build.sh has ${rest%% *}" grep -qE "^ *${rest%% *}\)" "$ROOT/build.sh" ;;
        *) eval "set -- $rest"; run 0 "$@" --help ;;
        esac
    done < <(sed -e :a -e '/\\$/N; s/\\\n//; ta' "$block" | sed -nE 's/^(sudo )?((build\/release\/)?compress|snc|\.\/build\.sh) /\2 /p')
done

# ---- what is run --------------------------------------------------------------------------------------------------------------------------
mkdir "$SCRATCH/bin"
cat >"$SCRATCH/bin/compress" <<'W'
#!/usr/bin/env bash
# The program. Jobs that do not say how long they search do it briefly. On a nano model the clock alone decides whether a latency is
# kept: where a reader has it kept, 3 is 0.
case "$1 $*" in
*' --help'* | *' --dry-run'* | *' --evals'* | *' --export'*) brief=() ;;
search*) brief=(--evals 12 --searcher random) ;;
--* | compress*) brief=(--evals 12 --searcher random --repair off) ;;
*) brief=() ;;
esac
[ "$1" != serve ] || exec "$COMPRESS" "$@" # which is told to end
"$COMPRESS" "$@" "${brief[@]}" || { code=$?; [ $code -eq 3 ] && [ "${MISSES-0}" = 0 ] && exit 0; exit $code; }
W
chmod +x "$SCRATCH/bin/compress"
ln -s compress "$SCRATCH/bin/snc"
mkdir -p "$SCRATCH/reader/build/release"
ln -s "$SCRATCH/bin/compress" "$SCRATCH/reader/build/release/compress"
for path in build.sh configs examples python src tests; do ln -s "$ROOT/$path" "$SCRATCH/reader/$path"; done
export COMPRESS MAKE_NANO ROOT PATH="$SCRATCH/bin:$PATH" BUILD=$(dirname "$MAKE_NANO")
if grep -q 8080 "$document"; then # a port that is free here
    for ((port = 20000 + RANDOM % 20000; ; port++)); do (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break; done
fi
cd "$SCRATCH/reader" || exit 2
. "$TESTS/guide/have.bash"
[ ! -e "$TESTS/guide/$NAME.bash" ] || . "$TESTS/guide/$NAME.bash"
{
    echo "set -eE -o pipefail; exec 9>&2"
    echo 'trap '\''code=$?; echo "$AT: exit code $code of: $BASH_COMMAND" >&9; tail -4 "$OUT" >&9; exit 1'\'' ERR'
    echo 'trap '\''kill $(jobs -p) 2>/dev/null || true'\'' EXIT'
    for block in "$BLOCKS"/*.run "$BLOCKS"/*.file; do [ ! -e "$block" ] || echo "$block"; done | sort | while read -r block; do
        if [ "${block##*.}" = file ]; then
            echo "cp '$block' '$(cat "$block.name")'"
            continue
        fi
        MISSES=0
        grep -q '||' "$block" && MISSES=1
        echo "AT=$(cat "$block.at") OUT=$block.out MISSES=$MISSES; export MISSES"
        echo "{"
        sed "s/8080/${port-8080}/g" "$block"
        echo "} >$block.out 2>&1"
        echo "touch $block.done"
    done
} >"$SCRATCH/script"
check "the blocks of $document" bash "$SCRATCH/script" </dev/null
for block in "$BLOCKS"/*.run; do
    [ -e "$block" ] || continue
    check "$(cat "$block.at") was run" test -e "$block.done"
    # Its output, line by line: what is shown stands there in this order.
    [ ! -e "${block%.run}.expect" ] || check "$(cat "$block.at"): output: $(diff "${block%.run}.expect" "$block.out" | head -20)" awk '
        function shape(line) {
            gsub(/[-+]?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?/, "N", line)
            gsub(/negative|positive/, "LABEL", line)
            gsub(/holds|MISSED|met|missed/, "VERDICT", line)
            gsub(/[ \t|:-]+/, " ", line)
            return line
        }
        function has(line, pieces,    part, k, at, n) { # in their order
            n = split(pieces, part, /\.\.\./)
            for (k = 1; k <= n; k++) {
                if (!(at = index(line, shape(part[k])))) return 0
                line = substr(line, at + length(shape(part[k])))
            }
            return 1
        }
        NR == FNR { if ($0 != "...") want[++n] = $0; next }
        i < n && has(shape($0), want[i + 1]) { i++ }
        END { if (i < n) print "not in the output: " want[i + 1] > "/dev/stderr"; exit i < n }' "${block%.run}.expect" "$block.out"
done
