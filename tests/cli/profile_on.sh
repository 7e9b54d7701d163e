#!/usr/bin/env bash
# --profile-on: jobs on two hosts of two kinds that have no file in common. Each has its table, its clock for finalists and its proof; the
# worse of them decides; what is wrong is said before the work, and what ends in the middle leaves nothing there.
. "$(dirname "$0")/lib.bash"
. "$TESTS/cli/two_hosts.bash"
export FAR_ISA=scalar # slower than the first host in whatever it does
scalar() { grep -l '; scalar; 1 threads;' job/latency-*.json; } # node-b's table

nano nano
data=(--task nano/task.json --data nano)
job=(--pretrained nano/nano.snc "${data[@]}" --epochs 2 --lr 2e-3 --supernet-epochs 1 --repair-epochs 1 --evals 20 --threads 1)

# ---- what is refused -----------------------------------------------------------------------------------------------------------------
refused "--profile-on 'elsewhere': this machine is '$(uname -n)', and mpirun has started no ranks on others" "${job[@]}" --target-latency 1s --profile-on elsewhere --output job
wrong() { # TEXT NAMES ARG...
    hosts 2 "${job[@]}" --target-latency 1s --quiet --output job --profile-on "${@:2}"
    check "$2: $(grep -a '^compress:' err)" grep -qF -- "compress: $1" err
    absent job
}
wrong "--profile-on 'node-c': no rank is on a host of that name; expected of node-a.test, node-b" node-b,node-c
wrong "--profile-on '': no rank is on a host of that name" node-b,
wrong "--profile-on 'node-a.tes': no rank" node-a.tes
wrong "--profile-on: 'node-a' is named twice" node-a.test,node-a

# ---- both hosts ----------------------------------------------------------------------------------------------------------------------
hosts 0 "${job[@]}" --target-latency 1s --profile-on node-a,node-b --output job
equal "tables" "$(ls job | grep -c '^latency.*json$')" 2
absent job/latency.json
exists "$(scalar)"
holds out '^- latency holds: .* ms on node-b'
holds out '^| node-a.test | .* | compressed | .* |  |$'
holds out '^| node-b | .*, scalar | compressed | .* | decides |$'
holds out '^| node-b | .*, scalar | teacher F32 | .* |  |$'
holds job/report.md '^| node-b | .*, scalar | compressed | .* | decides |$'
gfm job/report.md
holds job/report.html '<h3>By host</h3>'
equal "hosts that say so of the finalist" "$(tr -d '\n\t' <job/front.json | grep -o '"chosen":.*"finalists"' | grep -o '"hosts":\[[^]]*' | grep -o '"name":"[^"]*"' | xargs)" "name:node-a.test name:node-b"
# The row of a model, of one host: its milliseconds.
ms() { awk -F' [|] ' -v h="| $1" -v m="$2" '$1 == h && $3 == m { split($4, v, " "); print v[1] }' job/report.md; }
less "ms of node-a and node-b" "$(ms node-a.test compressed)" "$(ms node-b compressed)"
equal "ms that are reported" "$(awk -F' [|] ' '$1 == "| compressed" { split($2, v, " "); print v[1] }' job/report.md)" "$(ms node-b compressed)"

# A target that one of them keeps is none that holds. With one of them alone the same command makes the file for its kind, of what is there.
target=$(awk -v a="$(ms node-a.test compressed)" 'BEGIN { print 1.5 * a "ms" }')
less "that target, and what the other host needs" "${target%ms}" "$(ms node-b compressed)"
cp -r job one
hosts 0 "${job[@]}" --target-latency "$target" --profile-on node-a --output one
holds err 'finetune: one/teacher.snc is up to date'
holds err 'supernet: one/supernet.snc is up to date'
holds err "profile: $(grep -L '; scalar;' one/latency-*.json) is up to date"
holds out '^- latency holds: .* ms on node-a.test'
lacks one/report.md '^| node-b'
hosts 2 "${job[@]}" --target-latency "$target" --profile-on node-a,node-b --output job
holds err '^compress: node-b: --target-latency .*: out of reach'

# ---- one host, by the other verbs ----------------------------------------------------------------------------------------------------
hosts 0 profile job/supernet.snc "${data[@]}" --threads 3 --seq-len 4 --profile-on node-b --output table.json
made=$(cat out)
holds "$made" '; scalar; 3 threads;'
holds err '^warning: node-b: --threads 3, and this process may use [12] of '
equal "tables of profile" "$(ls table* | xargs)" "$made $made.inputs"
hosts 0 search job/supernet.snc --teacher job/teacher.snc "${data[@]}" --threads 1 --target-latency 1s --evals 10 --profile-on node-b --output found
equal "tables of search" "$(ls found | grep -c '^latency.*json$')" 1
less "shares on node-b" 0 "$(tr -d '\n\t' <found/front.json | grep -o '"hosts":\[[^]]*' | head -1 | sed 's/.*"measured_ratio":\([0-9.]*\).*/\1/')"

# ---- ends in the middle ----------------------------------------------------------------------------------------------------------------
# ended_in STAGE SIGNAL RANK ARG...: ended_when, as soon as the log says that the stage is under way.
ended_in() {
    rm -f log
    ended_when "grep -qs '\"stage\":\"$1\"' log" "$2" "$3" on_two_hosts "$COMPRESS" "${@:4}" --log-json log
    nothing_there
}
on_b=("${job[@]}" --target-latency 1s --profile-on node-b --output job)
ended_in proof INT 0 "${on_b[@]}"
equal "exit code of one interrupted in the proof" "$CODE" 130
absent job/report.json
ended_in proof KILL 1 "${on_b[@]}"
check "killed: exit code $CODE" test "$CODE" -ne 0
absent job/report.json
hosts 0 "${job[@]}" --target-latency 1s --profile-on node-a --output job
exists job/report.json
rm job/latency-*
ended_in 'latency table' INT 0 "${on_b[@]}"
equal "exit code of one interrupted at the table" "$CODE" 130
absent job/latency-*.json
