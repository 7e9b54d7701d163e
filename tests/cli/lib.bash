# lib.bash: what the scripts beside it share. Each begins with
#
#     . "$(dirname "$0")/lib.bash"
#
# and is then in an empty scratch folder with COMPRESS and MAKE_NANO set. A check that does not hold prints what it saw and
# is counted; the script goes on, and its exit code is 1 at the end. Output of the last command: ./out and ./err.
set -u
export LC_ALL=C
export HF_HUB_OFFLINE=1 # no test asks a hub that it has not started
export OMP_WAIT_POLICY=passive # threads that wait by spinning starve each other on a busy machine
[ $# -eq 2 ] || { echo "usage: $0 COMPRESS MAKE_NANO" >&2; exit 2; }
COMPRESS=$1 MAKE_NANO=$2
TESTS=$(cd "$(dirname "$0")/.." && pwd)
SCRATCH=$(mktemp -d) || exit 2
FAILED=0 CHECKS=0 CHILD=""
cd "$SCRATCH" || exit 2
[ -z "${SNC_TEST_LOG:-}" ] || : >"$SNC_TEST_LOG"

# not_emulated WHY: the script is skipped where an emulator runs the program (tests/cli/emulated.sh.in).
not_emulated() { [[ $COMPRESS != */emulated-* ]] || { echo "skipped under an emulator: $*"; trap - EXIT; rm -rf "$SCRATCH"; exit 77; }; }

# How many times as long as by itself a step may take.
[[ $COMPRESS == */emulated-* ]] && PACE=10 || PACE=1

# What names a library that the program is to have preloaded: the shell around an emulated one cannot load it itself.
[[ $COMPRESS == */emulated-* ]] && PRELOAD=SNC_PRELOAD || PRELOAD=LD_PRELOAD

# on_arm: whether the program is of 64-bit Arm, emulated or not.
on_arm() { case $(uname -m)$COMPRESS in aarch64* | */emulated-*) ;; *) false ;; esac; }

finish() {
    local status=$?
    [ -n "$CHILD" ] && kill -9 "$CHILD" 2>/dev/null
    cd / && rm -rf "$SCRATCH"
    [ "$status" -eq 0 ] && [ "$FAILED" -gt 0 ] && status=1
    [ "$status" -eq 0 ] && [ "$CHECKS" -eq 0 ] && { echo "no checks ran" >&2; status=1; }
    echo "$CHECKS checks, $FAILED failed"
    exit "$status"
}
trap finish EXIT

# fail WHAT...: counts a failure and says where in the script it came from.
fail() {
    local i=0
    while [ $((i + 1)) -lt ${#BASH_SOURCE[@]} ] && [[ ${BASH_SOURCE[$i]} == */lib.bash ]]; do i=$((i + 1)); done
    echo "line ${BASH_LINENO[$((i - 1))]}: $*" >&2
    [ -s err ] && sed 's/^/    stderr: /' err | tail -2 >&2
    FAILED=$((FAILED + 1))
}

# check WHAT COMMAND...: the command must succeed.
check() {
    local what=$1
    shift
    CHECKS=$((CHECKS + 1))
    "$@" || fail "$what"
}

# compress ARG...: the program in the foreground. Its exit code and arguments are a line of SNC_TEST_LOG, from which walk.sh
# tells what no test runs to the end; a command whose options count there is run by this or by `run`.
compress() {
    local code
    "$COMPRESS" "$@"
    code=$?
    [ -z "${SNC_TEST_LOG:-}" ] || (IFS=$'\t'; echo "$code"$'\t'"${*//[$'\t\n']/ }") >>"$SNC_TEST_LOG"
    return $code
}

# run CODE[,CODE] ARG...: the program must end with one of these codes. Standard input passes through.
run() {
    local want=$1 got
    shift
    CHECKS=$((CHECKS + 1))
    compress "$@" >out 2>err
    got=$?
    [[ ,$want, == *,$got,* ]] || fail "compress $*: exit code $got, expected $want"
    return 0
}

# refused TEXT ARG...: exit 2, nothing on standard output, and one line on standard error that holds the text.
refused() {
    local text=$1
    shift
    run 2 "$@" --quiet </dev/null
    [ ! -s out ] || fail "compress $*: refused, but printed $(head -c 200 out)"
    [ "$(wc -l <err)" -eq 1 ] || fail "compress $*: $(wc -l <err) lines on standard error, expected 1"
    [ "$(head -c 10 err)" = "compress: " ] || fail "compress $*: the line does not begin with the program's name"
    grep -qF -- "$text" err || fail "compress $*: the line does not hold '$text'"
}

exists() { local f; for f; do check "$f is not there" test -e "$f"; done; }
absent() { local f; for f; do check "$f was left behind" test ! -e "$f"; done; }
same() { check "$1 and $2 differ" cmp -s "$1" "$2"; }
holds() { check "$1 has no line with '$2'" grep -qe "$2" "$1"; }
lacks() { CHECKS=$((CHECKS + 1)); if grep -qe "$2" "$1"; then fail "$1 has a line with '$2'"; fi; }
lines() { check "$1 has $(wc -l <"$1") lines, expected $2" test "$(wc -l <"$1")" -eq "$2"; }
equal() { check "$1: '$2', expected '$3'" test "$2" = "$3"; }
less() { check "$1: '$2' is not below '$3'" awk -v a="$2" -v b="$3" 'BEGIN { exit !(a != "" && b != "" && a + 0 < b + 0) }'; }
no_leftovers() { equal "temporary files in $1" "$(find "$1" -name '*.tmp*' | head -3)" ""; }

# Bytes before the data of a safetensors file; its data, that is the tensors bit for bit; where in the file one begins.
head_size() { echo $(($(head -c 8 "$1" | od -An -t u8 --endian=little) + 8)); }
tensors() { tail -c +$(($(head_size "$1") + 1)) "$1"; }
offset() {
    local at
    at=$(head -c "$(head_size "$1")" "$1" | grep -oa "\"$2\":{[^}]*" | sed 's/.*"data_offsets":\[\([0-9]*\).*/\1/')
    echo $((at + $(head_size "$1")))
}
digest() { "$COMPRESS" verify "$1" 2>/dev/null | sed 's/.*: ok //'; }
same_tensors() {
    tensors "$1" >a.tensors
    tensors "$2" >b.tensors
    check "$1 has no tensors" test -s a.tensors
    same a.tensors b.tensors
}

# poke FILE OFFSET BYTES: overwrites bytes in place; BYTES is a printf format.
poke() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

# number JSON KEY: the first number under the key in a JSON text of any layout.
number() { tr -d '\n\t ' <"$1" | grep -oE "\"$2\":-?[0-9.]+(e[-+]?[0-9]+)?" | head -1 | sed 's/.*://'; }

# killed_when FILE ARG...: starts the program and kills it, without a chance to clean up, as soon as the file is there.
killed_when() {
    local file=$1 i
    shift
    "$COMPRESS" "$@" >out 2>err &
    CHILD=$!
    for ((i = 0; i < 30000; i++)); do # on a busy machine too
        [ -e "$file" ] && break
        kill -0 "$CHILD" 2>/dev/null || break
        sleep 0.01
    done
    CHECKS=$((CHECKS + 1))
    if [ -e "$file" ] && kill -9 "$CHILD" 2>/dev/null; then
        wait "$CHILD" 2>/dev/null
        [ $? -eq 137 ] || fail "compress $*: ended by itself before it could be killed"
    else
        wait "$CHILD" 2>/dev/null
        fail "compress $*: ended by itself, or $file did not appear"
    fi
    CHILD=""
}

# helper NAME: the path of a small program of the tests, or of the script that has an emulator run it.
helper() {
    local beside
    beside=$(dirname "$MAKE_NANO")
    if [ -e "$beside/emulated-$1" ]; then echo "$beside/emulated-$1"; else echo "$beside/$1"; fi
}

# ran SECTION FILE [KEY...]: the model was made as the default recipe says, but for keys that the command said.
ran() {
    local section=$1 file=$2 code
    shift 2
    "$COMPRESS" info "$file" --json >info.json 2>err
    "$(helper recipe_ran)" "$TESTS/../configs/recipes/default.json" "$section" info.json "$@" >otherwise
    code=$?
    equal "exit code of what ran of $section in $file: $(cat otherwise)" $code 0
}

# gfm FILE: it renders on GitHub as it was meant: rows of a table have as many cells as its head, tables and headings stand by themselves,
# fences are closed, and there is no HTML.
gfm() {
    CHECKS=$((CHECKS + 1))
    awk '
        function wrong(what) { print FILENAME ":" NR ": " what ": " substr($0, 1, 120); bad = 1 }
        function cells(line) { gsub(/\\\\/, "", line); gsub(/\\\|/, "", line); return gsub(/\|/, "|", line) - 1 }
        function fence(line) { return match(line, /^```+/) ? RLENGTH : 0 }
        open_fence { if (fence($0) >= open_fence && $0 ~ /^`+ *$/) { open_fence = 0; before = "fence" } next }
        {
            kind = $0 == "" ? "" : $0 ~ /^\|/ ? "row" : $0 ~ /^#/ ? "heading" : fence($0) ? "fence" : "text"
            if (kind != "row" && before == "row" && kind != "") wrong("a table goes on")
            if (before == "heading" && kind != "") wrong("a heading has no blank line behind it")
            if (kind == "heading" && (before != "" || $0 !~ /^##?#? [^ ]/)) wrong("no heading")
            if (kind == "fence" && before == "row") wrong("a table goes on")
            if (kind == "row") {
                if (before != "row") { if (before != "") wrong("a table begins within a paragraph"); width = cells($0); rows = 0; tables++ }
                if (++rows == 2 && $0 !~ /^\|(---\|)+$/) wrong("no line below the head")
                if ($0 !~ /\| *$/ || cells($0) != width) wrong(cells($0) " cells, expected " width)
            } else if (before == "row" && rows < 2) wrong("a table without rows")
            bare = $0
            gsub(/\\./, "", bare)
            gsub(/`[^`]*`/, "", bare)
            if (bare ~ /<[A-Za-z\/!?]/) wrong("HTML")
            if ($0 ~ /^    /) wrong("indented")
            if (kind == "fence") open_fence = fence($0)
            before = kind
            headings += kind == "heading"
        }
        END {
            if (open_fence) wrong("a fence is not closed")
            if (!headings || !tables) wrong("no heading or no table")
            exit bad
        }' "$1" >gfm.said || fail "$(head -3 gfm.said)"
}

# reseal FILE: the digest of a .snc that was changed in place is right again.
reseal() { "$MAKE_NANO" --reseal "$1" || exit 2; }
nano() { "$MAKE_NANO" "$1" || exit 2; } # FOLDER
