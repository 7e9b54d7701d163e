#!/usr/bin/env bash
# Searches by several ranks that mpirun starts here: they come to what one process comes to, end when a rank is killed, and go on.
. "$(dirname "$0")/lib.bash"
. "$TESTS/cli/ranks.bash"
not_emulated "Open MPI starts programs of this machine"
grep -q 'libmpi\.so' "$COMPRESS" || skip "a build without MPI"
command -v mpirun >/dev/null || skip "no mpirun"
grep -q __tsan_init "$COMPRESS" && skip "Open MPI's library is not built for the thread sanitizer"
export ASAN_OPTIONS=detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS} # Open MPI leaves blocks behind
several=(mpirun --allow-run-as-root --oversubscribe --bind-to none -n)

# ranks N CODE ARG...: as `run`, by N ranks.
ranks() {
    local n=$1 want=$2 got
    shift 2
    CHECKS=$((CHECKS + 1))
    timeout 120 "${several[@]}" "$n" "$COMPRESS" "$@" >out 2>err
    got=$?
    [ "$got" -eq "$want" ] || fail "$n ranks, compress $*: exit code $got, expected $want"
}
nobody_left() { equal "ranks that are left" "$(pid_of 0)$(pid_of 1)" ""; }

nano nano
data=(--task nano/task.json --data nano --threads 1)
run 0 finetune --pretrained nano/nano.snc "${data[@]}" --output t.snc --epochs 3 --lr 2e-3
run 0 supernet --teacher t.snc "${data[@]}" --output s.snc --supernet-lr 1e-3

# ---- search: the same proposals, scores and choice, whatever the ranks ----------------------------------------------------------
search=(search s.snc --teacher t.snc "${data[@]}" --target-size 0.9x --evals 60) # what bytes allow does not depend on the clock
run 0 "${search[@]}" --output one
rows() { run 0 search --export csv --journal "$1/search.sqlite"; mv out "$2"; }
rows one one.csv
begun() { rm -rf "$1"; mkdir "$1"; cp one/latency.json* "$1"; }
for n in 2 3; do
    begun several
    ranks $n 0 "${search[@]}" --output several
    holds out '^60 evaluations'
    rows several several.csv
    same several.csv one.csv
    same several/best.json one/best.json
    same several/config.json one/config.json
done

# A rank that is killed ends the job; what was scored is there, in order, and the same command goes on. So does one that is interrupted.
begun cut
on_two=("${several[@]}" 2 "$COMPRESS" "${search[@]}" --output cut)
ended_when '[ -e cut/best.json ]' KILL 1 "${on_two[@]}"
nobody_left
check "killed: exit code $CODE" test "$CODE" -ne 0
rows cut part.csv
check "no row was written before the end" test "$(wc -l <part.csv)" -gt 1
check "the search was over" test "$(wc -l <part.csv)" -lt 61
columns() { cut -d, -f1-8 "$1"; } # but for who is on the front so far
columns part.csv >part
check "rows before the end are not the first" diff -q part <(columns one.csv | head -"$(wc -l <part)")
rm cut/best.json
ended_when '[ -e cut/best.json ]' INT 0 "${on_two[@]}"
nobody_left
equal "exit code of the interrupted one" "$CODE" 130
holds err '^compress: search interrupted after [0-9]* evaluations'
no_leftovers cut
ranks 2 0 "${search[@]}" --output cut
rows cut cut.csv
same cut.csv one.csv
same cut/config.json one/config.json
