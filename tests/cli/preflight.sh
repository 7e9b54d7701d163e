#!/usr/bin/env bash
# What can be checked is checked before anything is trained, by a dry run as by a real one, and the folder stays as it was.
. "$(dirname "$0")/lib.bash"
nano nano
m=nano/nano.snc
task=(--task nano/task.json --data nano)
from=(--pretrained $m "${task[@]}" --supernet-epochs 0.2 --epochs 0.5 --augment 0 --evals 8 --repair off)

# never TEXT ARG...: refused with the text, with --dry-run and without it, before a folder is made.
never() {
    refused "$1" "${@:2}" --output new --dry-run
    refused "$1" "${@:2}" --output new
    absent new
}

# ---- rows that are read at the end ------------------------------------------------------------------------------------
copy() { rm -rf "$1" && cp -r nano "$1"; }
copy label && sed -i '42s/[a-z]*$/neutral/' label/dev.tsv
never "label/dev.tsv:42: label 'neutral'" --pretrained $m --task nano/task.json --data label --target-latency 0.9x
copy none && rm none/dev.tsv
never "out of reach" "${from[@]}" --data none --target-size 1KB # its dev rows are of train: nothing else is wrong
printf 'sentence\tlabel\ngood\tpositive\nbad\tnegative\n' >none/train.tsv
never "none/train.tsv: 2 rows, too few" --pretrained $m --task nano/task.json --data none --target-latency 0.9x
copy short && echo oops >>short/dev.tsv
never "short/dev.tsv:202: 1 column, expected at least 2" --pretrained $m --task nano/task.json --data short --target-latency 0.9x
copy header && sed -i '1s/label/lable/' header/dev.tsv
never "header/dev.tsv:1: no column 'label'" --pretrained $m --task nano/task.json --data header --target-latency 0.9x
refused "label/dev.tsv:42: label 'neutral'" export $m --seeded-head --policy int8 --trim-vocab --task nano/task.json --data label --output trimmed.snc
absent trimmed.snc

# ---- targets out of reach -----------------------------------------------------------------------------------------------
never "--target-latency 0.000 ms: out of reach: the smallest net of the space needs" "${from[@]}" --target-latency 0.1us
never "--target-latency 0.01x: out of reach: the smallest net of the space needs" "${from[@]}" --target-latency 0.01x
never "--target-size 0.001 MB: out of reach: the smallest net of the space needs" "${from[@]}" --target-size 1KB
never "--target-size 0.1x: out of reach" "${from[@]}" --target-size 0.1x --target-latency 1x

# ---- numbers and options against each other -------------------------------------------------------------------------------
all=("${from[@]}" --target-latency 0.9x)
for option in --epochs --supernet-epochs --lr --supernet-lr; do never "$option 0: expected a positive number" "${all[@]}" $option 0; done
never "--weight-decay 1: with a learning rate of 1" "${all[@]}" --weight-decay 1 --lr 1
never "--repair on: --repair-epochs 0" "${from[@]}" --target-latency 0.9x --repair-epochs 0 --repair on
never "--max-length 41: $m has 40 positions" "${all[@]}" --max-length 41
never "nano/task.json: file is not a database" "${all[@]}" --warm-start nano/task.json
never "--depth-rule 'middle'" "${all[@]}" --depth-rule middle
never "--experts '0': expected a" "${all[@]}" --weights mos --experts 0
never "--experts '17': expected a" "${all[@]}" --weights mos --experts 17
never "--weights 'mix': expected" "${all[@]}" --weights mix
never "--experts 2: --weights dense has none" "${all[@]}" --weights dense --experts 2
never "--experts 3: --weights dense has none" "${all[@]}" --experts 3
echo '{"weights":{"kind":"mos","rank":500}}' >bad.json
never "experts of rank 500, expected 0 to the hidden size" "${all[@]}" --recipe bad.json
echo '{"weights":{"experts":4}}' >bad.json
never "bad.json: 'weights': 'experts' makes no sense beside 'kind' 'dense'" "${all[@]}" --recipe bad.json
echo '{"supernet":{"momentum_weight":1}}' >bad.json
never "momentum weight 1 beside sampler 'full': there are no subnets to teach" "${all[@]}" --recipe bad.json --sampler full
echo '{"supernet":{"consistency_weight":1}}' >bad.json
never "consistency weight 1: needs two random nets a step; sampler 'instatune' draws 1" "${all[@]}" --recipe bad.json --sampler instatune
echo '{"supernet":{"data_sampler":"pada"}}' >bad.json
never "data sampler 'pada' weighs rows by their logits: not beside a hidden weight" "${all[@]}" --recipe bad.json --hidden-weight 1
echo '{"supernet":{"group_weight":1}}' >bad.json
never "group weight 1 beside --weights mos: units that are mixed have no weights of their own" "${all[@]}" --recipe bad.json --weights mos
echo '{"name":"linas","inner":-3}' >bad.json
never "bad.json" "${all[@]}" --searcher bad.json
refused "--tabular beside --protocols: one of the two" study --tabular . --protocols tau
said() { # TEXT ARG...: a warning, and the job goes on as far as a dry run does
    run 0 "${@:2}" --output new --dry-run
    holds err "$1"
    absent new
}
said '^warning: --repair-epochs has no effect beside --repair off' "${all[@]}" --repair-epochs 2
said '^warning: --teachers has no effect beside --repair off' "${all[@]}" --teachers 2
said '^warning: --inplace-teacher has no effect beside --sampler full' "${all[@]}" --inplace-teacher --sampler full
said '^checked in [0-9.]* s' "${all[@]}" --max-memory 8GB

# A task's own limit above the positions: rows end where the model's positions end.
sed 's/"max_length":32/"max_length":128/' nano/task.json >long.json
run 0 --pretrained $m --task ./long.json --data nano --target-latency 0.9x --output new --dry-run
holds err "^nano: rows end at 40 tokens, the positions of $m (the task allows 128)"

# ---- other verbs -----------------------------------------------------------------------------------------------------------
refused "--epochs 0" finetune --pretrained $m "${task[@]}" --epochs 0 --output new.snc
refused "--max-length 41" finetune --pretrained $m "${task[@]}" --max-length 41 --output new.snc
run 0 finetune --pretrained $m "${task[@]}" --epochs 0.5 --output t.snc
run 0 supernet --teacher t.snc --pretrained $m "${task[@]}" --supernet-epochs 0.1 --max-steps 1 --max-memory 8GB --output s.snc
holds err '^warning: --pretrained has no effect beside --teacher'
refused "--depth-rule 'middle'" supernet --teacher t.snc "${task[@]}" --depth-rule middle --output new.snc
refused '--inplace-teacher beside --sampler fair: it draws no largest net to learn from' supernet --teacher t.snc "${task[@]}" --inplace-teacher --sampler fair --output new.snc
refused "--sampler 'none'" supernet --teacher t.snc "${task[@]}" --sampler none --output new.snc
refused "none.json" supernet --teacher t.snc "${task[@]}" --space none.json --output new.snc
refused "--target-macs 0.01x: out of reach" search t.snc --teacher t.snc "${task[@]}" --target-macs 0.01x --output new
refused "--time-budget 'soon'" search t.snc --teacher t.snc "${task[@]}" --max-drop 5 --time-budget soon --output new
refused "--batch '1,8'" search t.snc --teacher t.snc "${task[@]}" --max-drop 5 --batch 1,8 --output new
refused "search 'none'" study t.snc --teacher t.snc "${task[@]}" --protocols hypervolume --searchers random,none --output new
refused "nowhere/x.snc: cannot write" export t.snc --policy int8 --output nowhere/x.snc
absent new new.snc

# ---- memory: steps in parts, and what is refused by number ----------------------------------------------------------------------
big=(finetune --pretrained $m "${task[@]}" --epochs 0.1 --output big.snc)
limited() { (ulimit -v 600000; exec "$COMPRESS" "${big[@]}" "$@") >out 2>err; }
check "4096 rows of a step in 600 MB of addresses" limited --batch-size 4096
holds err '[0-9]* of the 4096 rows of a step are computed at once'
exists big.snc
at_once() { sed -n 's/.* \([0-9]*\) of the 4096 rows of a step are computed at once.*/\1/p' err | head -1; }
kept=$(at_once)
check "the same, activations twice" limited --batch-size 4096 --recompute on --overwrite
twice=$(at_once)
check "more rows than $kept at once: ${twice:-all}" [ "${twice:-4096}" -gt "$kept" ]
for recompute in off on; do
    run 0 finetune --pretrained $m "${task[@]}" --epochs 0.5 --recompute $recompute --output $recompute.snc
    run 0 supernet --teacher t.snc "${task[@]}" --supernet-epochs 0.1 --hidden-weight 1 --recompute $recompute --output $recompute-s.snc
done
same on.snc off.snc
same on-s.snc off-s.snc
refused "--recompute 'twice': expected auto, on or off" finetune --pretrained $m "${task[@]}" --recompute twice --output beyond.snc
run 0 finetune --pretrained $m "${task[@]}" --epochs 0.1 --max-memory 8GB --output within.snc
lacks err 'are computed at once'
refused "--max-memory leaves 0 MB: even a row of a step at a time needs " finetune --pretrained $m "${task[@]}" --max-memory 1MB --output beyond.snc
refused "--max-memory 'much'" finetune --pretrained $m "${task[@]}" --max-memory much --output beyond.snc
# Every verb that trains says it before it does.
least="--max-memory leaves 0 MB: even a row of a step at a time needs "
refused "$least" supernet --teacher t.snc "${task[@]}" --max-memory 1MB --output beyond.snc
refused "$least" "${all[@]}" --max-memory 1MB --output beyond
refused "$least" study t.snc --teacher t.snc "${task[@]}" --protocols joint --searchers random --max-memory 1MB --output beyond
refused "$least" study --ablate quick --teacher t.snc --task nano/task.json --data nano --max-memory 1MB --output beyond
absent beyond.snc beyond
