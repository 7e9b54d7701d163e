#!/usr/bin/env bash
# The nano pipeline by reference kernels alone, number for number: tests/golden/results.csv has what every step of it came to,
# so that a change of any shows up as a line of a diff. SNC_RECORD=1 writes that file anew.
#
#     net      score  in percent on dev        loss  mean cross entropy on dev; of the search, the least loss on rank within its limit
#     bytes    of the file                     macs  multiply-adds of a sequence of the model's 32 positions; of the search, of 128 tokens
. "$(dirname "$0")/lib.bash"
export SNC_ISA=scalar
nano nano
rows=(--task nano/task.json --data nano)
ref=(--backend ref --threads 1)

cat >space.json <<'J'
{"depth":[3,2],"hidden":[32],"heads":[4,2],"ffn":[64,32],"linear":["int8","f32"],"pooler":["int8"],"classifier":["f32"],"embed":["int8"]}
J
cat >net.json <<'J'
{"arch":{"hidden":24,"layers":[{"source":0,"heads":3,"ffn":48},{"source":2,"heads":1,"ffn":16}]},
 "policy":{"embed":"bf16","pooler":"f32","classifier":"f32","layers":[{"q":"int8","k":"int8","v":"f32","o":"int8","ffn_in":"bf16","ffn_out":"int8"},
           {"qkv":"bf16","o":"f32","ffn_in":"int8","ffn_out":"int8"}]}}
J
run 0 finetune --pretrained nano/nano.snc "${rows[@]}" "${ref[@]}" --compute f32 --seed 7 --epochs 1.5 --lr 1e-3 --output teacher.snc
run 0 supernet --teacher teacher.snc "${rows[@]}" "${ref[@]}" --compute f32 --seed 7 --space space.json --supernet-epochs 1 \
    --supernet-lr 5e-4 --augment 1 --output supernet.snc
run 0,3 search supernet.snc --teacher teacher.snc "${rows[@]}" "${ref[@]}" --fp f32 --seed 7 --space space.json --objectives loss,macs \
    --target-macs 0.7x --evals 30 --output search
run 0 search --export csv --journal search/search.sqlite
cp out journal.csv
for policy in f32 bf16 int8 int4; do run 0 export teacher.snc --policy $policy "${ref[@]}" --output teacher-$policy.snc; done
run 0 export supernet.snc --config net.json "${ref[@]}" --output subnet.snc
cut -f 2 nano/dev.tsv | tail -n +2 >labels
cut -f 1 nano/dev.tsv | tail -n +2 >texts

# net NAME FILE: its line.
net() {
    run 0 info "$2" --json
    local bytes macs
    bytes=$(number out total) macs=$(number out macs_128)
    run 0 predict "$2" "${ref[@]}" <texts
    paste labels out | awk -F '\t' -v name="$1" -v bytes="$bytes" -v macs="$macs" '
        { right += $1 == $2; loss -= log($1 == $2 ? $3 : 1 - $3) }
        END { printf "%s,%.1f,%.4f,%d,%d\n", name, 100 * right / NR, loss / NR, bytes, macs }'
}
{
    echo "net,score,loss,bytes,macs"
    net teacher teacher.snc
    net supernet supernet.snc
    for policy in f32 bf16 int8 int4; do net teacher-$policy teacher-$policy.snc; done
    net subnet subnet.snc
    awk -F , 'NR > 1 && $8 <= 0.7 * 6291456 && (best == "" || $4 < best) { best = $4; row = sprintf("%.1f,%.4f,%d,%d", 100 * $5, $4, $7, $8) }
              END { print "search," row }' journal.csv
} >results.csv
[ -z "${SNC_RECORD:-}" ] || cp results.csv "$TESTS/golden/results.csv"
CHECKS=$((CHECKS + 1))
if on_arm; then # its C library rounds exp and tanh another way: the last digit of a loss may differ, nothing else
    paste -d , "$TESTS/golden/results.csv" results.csv | awk -F , '
        $1 != $6 || $2 != $7 || ($3 - $8) ^ 2 > 1.1e-4 ^ 2 || $4 != $9 || $5 != $10 { print; bad = 1 } END { exit bad }'
else
    diff "$TESTS/golden/results.csv" results.csv
fi >&2 || fail "the nano pipeline comes to other numbers than tests/golden/results.csv"
