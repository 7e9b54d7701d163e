#!/usr/bin/env bash
# --profile-on beside --cascade and --measure: times that thresholds are chosen by, those that go into the file, and real texts through it
# are another host's, which is of another kind and has none of the job's files.
. "$(dirname "$0")/lib.bash"
. "$TESTS/cli/two_hosts.bash"
export FAR_ISA=scalar
nano nano
job=(--pretrained nano/nano.snc --task nano/task.json --data nano --epochs 2 --lr 2e-3 --supernet-epochs 1 --repair off --evals 20 --threads 1 --max-drop 100
    --target-latency 0.95x,0.5x --cascade --cascade-limits p99=9x --measure --output job)

hosts 2 "${job[@]}" --profile-on node-a,node-b
holds err '^compress: --cascade: beside --profile-on node-a,node-b: thresholds are chosen by times on one host'
absent job
for try in 1 2 3 4; do # as in compress.sh
    rm -f job/compressed.snc
    hosts 0,3 "${job[@]}" --profile-on node-b
    grep -q 'the file has no cascade$' err || break
done
holds out '^net 0 answers what is left: '
holds out '^- cascade: mean of a text [0-9.]* ms, .* net 1 answers [0-9.]*%, net 0 answers [0-9.]*%$'
holds job/report.md '^| node-b | .*, scalar | cascade | '
SNC_ISA=scalar run 0 info job/compressed.snc
holds out '^cascade: net 1 answers from '
lacks err 'times of its nets are of'
run 0 info job/compressed.snc
holds err 'times of its nets are of .* (scalar, threads 1, backend '
