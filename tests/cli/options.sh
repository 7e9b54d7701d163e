#!/usr/bin/env bash
# Options that no other script runs to the end (walk.sh lists what lacks), each with what it changes.
. "$(dirname "$0")/lib.bash"
nano nano
m=nano/nano.snc
data=(--task nano/task.json --data nano)
tail -n +2 nano/train.tsv | head -100 | cut -f1 >more.txt
printf 'good film\nbad movie bad\nthe film is it very good of the movie was bad\n' >in
noted() { holds log "$1"; } # what --log-json has written

# ---- import, tokenize, info, predict ------------------------------------------------------------------------------------
run 0 import --pretrained $m --output i.snc --verbose --seed 7 --log-json=log
noted '"level":"debug"'
run 0 import --pretrained $m --output i.snc --overwrite --quiet
lines err 0
run 0 tokenize --pretrained i.snc --verbose --log-json log <in
noted '"level":"debug"'
run 0 tokenize --pretrained i.snc --quiet <in
lines err 0
run 0 info i.snc --verbose --log-json log
noted '"level":"debug"'
run 0 info i.snc -q
lines err 0
run 0 verify i.snc --verbose --log-json log
noted '"level":"debug"'
run 0 verify i.snc --quiet
lines err 0

# ---- finetune ---------------------------------------------------------------------------------------------------------------
train=(finetune --pretrained $m "${data[@]}" --epochs 1 --lr 2e-3 --threads 1 --compute f32)
run 0 "${train[@]}" --output t.snc --epochs 3 --verbose
holds err '^snc [0-9.]*, .* 1 thread'
differs() { # WHAT FILE ARG...: trains with the arguments: other weights than FILE
    local what=$1 file=$2
    shift 2
    run 0 "$@" --output differs.snc --overwrite --quiet
    lines err 0
    check "$what changes nothing" test "$(tensors "$file" | cksum)" != "$(tensors differs.snc | cksum)"
}
run 0 "${train[@]}" --output base.snc --backend native --log-json log
noted '"stage":"finetune"'
for option in '--weight-decay 0.9' '--warmup 0.5' '--batch-size 16' '--max-length 8' '--max-train-samples 400' '--hold-out 0' '--seed 1' \
    '--epochs 0.5' '--lr 1e-3' '--class-weights balanced'; do
    differs "$option" base.snc "${train[@]}" $option
done
# A recipe: the default one is what holds without it; a file's values hold where no option is given, be it with its default.
run 0 "${train[@]}" --recipe default --output recipe.snc
same_tensors base.snc recipe.snc
run 0 "${train[@]}" --output recipe.snc
holds err 'recipe.snc is up to date'
echo '{"finetune":{"lr":1e-3,"batch_size":16}}' >slow.json
differs "--recipe" base.snc "${train[@]}" --recipe slow.json
run 0 "${train[@]}" --recipe slow.json --batch-size 32 --output recipe.snc --backend native --overwrite
same_tensors base.snc recipe.snc
echo '{"finetune":{"clip":0.01}}' >clip.json
differs "a recipe's clip" base.snc "${train[@]}" --recipe clip.json
refused "--output differs.snc: was made of another recipe" "${train[@]}" --output differs.snc
refused "--output base.snc: was made of another recipe" "${train[@]}" --backend native --recipe clip.json --output base.snc
holds <(run 0 info differs.snc --json; cat out) '"clip":.*0.01'
echo '{"finetune":{"clip":1,"epoch":2}}' >unknown.json
refused "unknown.json: 'finetune': unknown key 'epoch': nearest is 'epochs'" "${train[@]}" --recipe unknown.json --output new.snc
echo '{"epochs":2}' >flat.json
refused "flat.json: unknown section 'epochs': expected some of finetune, supernet" "${train[@]}" --recipe flat.json --output new.snc
echo '{"finetune":{"epochs":2000}}' >long.json
refused "long.json: 'epochs' 2000: expected a number from 0 to 1000" finetune --pretrained $m "${data[@]}" --recipe long.json --output new.snc
echo '{"finetune":{"sampler":"full"}}' >other.json
refused "other.json: 'finetune' has no 'sampler'" "${train[@]}" --recipe other.json --output new.snc
refused "recipe 'none': no recipes/none.json in" "${train[@]}" --recipe none --output new.snc
refused "--output slow.json: " "${train[@]}" --recipe slow.json --output slow.json --overwrite
absent new.snc

run 0 "${train[@]}" --output bf16.snc --compute bf16
run 0 info bf16.snc --json
holds out '"--compute":.*"bf16"'
ran finetune bf16.snc epochs lr min_steps
run 0 "${train[@]}" --output auto.snc --compute auto --hold-out 1 --backend auto --class-weights none
for backend in blas onednn; do # left out where it is not built in
    "$COMPRESS" predict t.snc --backend $backend <in >out 2>err || { holds err "built without"; continue; }
    run 0 predict t.snc --backend $backend --verbose --log-json log <in
    noted "backend $backend"
done

# ---- supernet -----------------------------------------------------------------------------------------------------------------
elastic=(supernet --teacher t.snc "${data[@]}" --threads 1 --compute f32 --supernet-lr 1e-3 --supernet-epochs 0.5 --augment 0 --depth-rule last)
run 0 "${elastic[@]}" --output base.snc --overwrite --backend auto --fp f32 --max-length 32 --verbose --log-json log
noted '"level":"debug"'
for option in '--alpha 1' '--temperature 4' '--hidden-weight 2' '--inplace-teacher' '--sampler full' '--sampler instatune' '--sampler near' '--sampler uniform' '--sampler fair' '--sampler target' '--sampler subbatch' '--sampler stages' '--sampler pada' '--sampler sandwich --seed 1' \
    '--depth-rule first' '--depth-rule even' '--augment 1' '--unlabeled more.txt' '--weight-decay 0.9' '--warmup 0.5' '--batch-size 16' \
    '--supernet-batch-size 16' '--max-train-samples 300' '--supernet-lr 5e-4' '--supernet-epochs 0.25' '--class-weights balanced'; do
    differs "$option" base.snc "${elastic[@]}" $option
done
run 0 "${elastic[@]}" --recipe default --output recipe.snc --overwrite
same_tensors base.snc recipe.snc
run 0 "${elastic[@]}" --batch-size 16 --output own.snc
run 0 "${elastic[@]}" --supernet-batch-size 16 --batch-size 8 --output recipe.snc --overwrite
same_tensors own.snc recipe.snc
run 0 "${elastic[@]}" --sampler instatune --inplace-teacher --output own.snc --overwrite
run 0 "${elastic[@]}" --recipe instatune --output recipe.snc --overwrite
same_tensors own.snc recipe.snc
run 0 "${elastic[@]}" --recipe instatune --sampler full --output recipe.snc --overwrite
holds err 'inplace-teacher has no effect beside --sampler full'
echo '{"supernet":{"random_nets":1,"alpha":0.9}}' >nets.json
differs "--recipe" base.snc "${elastic[@]}" --alpha 0.3 --recipe nets.json
run 2 "${elastic[@]}" --alpha 0.3 --output differs.snc
holds err 'differs.snc: was made of another recipe'
echo '{"supernet":{"sampler":"near","near":0.9}}' >near.json
run 0 "${elastic[@]}" --sampler near --output own.snc --overwrite
other=$(sed -n '/"supernet"/,/"repair"/p' "$TESTS/../configs/recipes/default.json" | grep -q '"dropout": true' && echo false || echo true)
for section in '"supernet":{"relation_weight":10}' '"supernet":{"subnet_dropout":true}' '"supernet":{"in_place":true,"largest_by_labels":true}' \
    "\"supernet\":{\"dropout\":$other}" '"supernet":{"batch_size":8}'; do
    echo "{$section}" >keys.json
    differs "$section" base.snc "${elastic[@]}" --recipe keys.json
done
# Objectives and data samplers that are off by default, one by one; a part of one that is on.
for section in '"consistency_weight":1' '"momentum_weight":1' '"momentum_weight":1,"momentum":0.5' '"group_weight":1' \
    '"data_sampler":"focal"' '"data_sampler":"pada"' '"data_sampler":"confusion"' '"relation_weight":10,"relations":{"kk":1}' '"hidden_weight":2,"hidden_map":"last"'; do
    echo "{\"supernet\":{$section}}" >keys.json
    differs "$section" base.snc "${elastic[@]}" --recipe keys.json
done
differs "a share of multiply-adds" own.snc "${elastic[@]}" --recipe near.json
# Samplers that learn say what; they tell as many budgets apart as a recipe says.
echo '{"supernet":{"pools":3}}' >pools.json
for learns in 'pss nets in each pool, and the least loss above the largest net' 'shift share of each budget:' 'mcts a tree of [0-9]* nodes'; do
    run 0 "${elastic[@]}" --sampler ${learns%% *} --output own.snc --overwrite
    holds err "supernet: sampler ${learns%% *}: ${learns#* }"
    differs "pools of ${learns%% *}" own.snc "${elastic[@]}" --sampler ${learns%% *} --recipe pools.json
done
run 0 "${elastic[@]}" --augment 1 --output own.snc --overwrite
for section in '"augment":{"neighbours":3}' '"augment":{"whole_words":true,"neighbours":3}' '"importance":{"soft":1}'; do
    echo "{$section}" >keys.json
    differs "$section" own.snc "${elastic[@]}" --augment 1 --recipe keys.json
done
# Experts: one is the plain supernet bit for bit; several are kept by the file, which is nothing to those who ask for a model.
for weights in '--weights dense' '--weights mos --experts 1'; do
    run 0 "${elastic[@]}" $weights --output recipe.snc --overwrite
    same_tensors base.snc recipe.snc
done
differs "--weights mos" base.snc "${elastic[@]}" --weights mos
run 0 "${elastic[@]}" --weights mos --experts 3 --output own.snc --overwrite
holds err 'supernet: experts are [0-9.e-]* apart, the routing of 20 nets spreads by 0\.[0-9]*$'
run 0 info own.snc
holds out "^a supernet of 3 experts of the FFN's matrices, routed by layer$"
run 0 "${elastic[@]}" --weights mos --supernet-lr 1e-9 --output dead.snc
holds err '^warning: the generator is dead: its experts are 0\.00[0-9]* apart, the routing of 20 nets spreads by 0\.[0-9]*$'
echo '{"weights":{"kind":"mos","rank":2,"neuron":true,"attention":true}}' >keys.json
differs "a recipe's experts" own.snc "${elastic[@]}" --recipe keys.json
run 0 info differs.snc
holds out '^a supernet of 2 experts of every matrix of a layer (low rank), routed by output row$'
run 0 info differs.snc --json
holds out '"rank":.*2'
# At least so many steps, and made rows, where no option says how long.
echo '{"finetune":{"min_steps":100}}' >steps.json
run 0 finetune --pretrained $m "${data[@]}" --lr 2e-3 --threads 1 --compute f32 --recipe steps.json --exchange f32 --rank-timeout 1m --output steps.snc
run 0 info steps.snc --json
check "$(number out steps) steps, expected 100 or a little more" test "$(number out steps)" -ge 100 -a "$(number out steps)" -lt 110
echo '{"supernet":{"min_steps":100,"batch_size":64},"augment":{"least":4000}}' >steps.json
run 0 supernet --teacher t.snc "${data[@]}" --threads 1 --compute f32 --supernet-lr 1e-3 --depth-rule last --recipe steps.json --max-memory 8GB --recompute on --exchange bf16 --rank-timeout 1m --output steps.snc --overwrite
run 0 info steps.snc --json
check "$(number out steps) steps, expected 100 or a little more" test "$(number out steps)" -ge 100 -a "$(number out steps)" -lt 110
check "$(number out rows) made rows for each, expected more than three" awk -v n="$(number out rows)" 'BEGIN { exit !(n > 3) }'
echo '{"augment":{"replace":0.5}}' >rows.json
differs "the recipe's made rows" base.snc "${elastic[@]}" --augment 1 --recipe rows.json
run 2 "${elastic[@]}" --augment 1 --output differs.snc
holds err 'differs.snc: was made of another recipe'

echo '{"depth":[3,2],"hidden":[32,16],"heads":[4,2],"ffn":[64,32],"linear":["int8","f32"],"embed":["int8"]}' >space.json
differs "--space" base.snc "${elastic[@]}" --space space.json
run 0 supernet --pretrained t.snc "${data[@]}" --threads 1 --output pretrained.snc --supernet-epochs 0.2 --max-steps 2
holds out 'stopped early'
exists pretrained.snc.checkpoint
run 0 supernet --pretrained t.snc "${data[@]}" --threads 1 --output pretrained.snc --supernet-epochs 0.2 --checkpoint-every 2
run 0 "${elastic[@]}" --output s.snc --space space.json --depth-rule auto

# Without the option a search of that supernet keeps to it as well; a folder is then written of any of its nets.
run 0 "${elastic[@]}" --output fit.snc --space space.json --hf-compatible
fits() { # FOLDER: with the narrow hidden size, which has room for two heads, no net has four
    run 0 search --export csv --output "$1"
    check "nets of $1" awk -F, 'NR > 1 { split($2, o, "."); narrow += o[2] == 0; wrong += o[2] == 0 && o[3] + o[9] + o[15] } END { exit !(NR > 8 && narrow && !wrong) }' out
}

# ---- profile --------------------------------------------------------------------------------------------------------------------
run 0 profile s.snc "${data[@]}" --output table.json --profile-on "$(uname -n)" --space space.json --batch 1 --seq-len data --threads 2 --percentile 80 --backend native --fp f32 \
    --seed 3 --max-length 16 --verbose --log-json log
noted '"level":"debug"'
holds table.json '; 2 threads; native;'
run 0 profile s.snc "${data[@]}" --output table.json --space space.json --hf-compatible --overwrite --quiet
lines err 0

# ---- search -----------------------------------------------------------------------------------------------------------------------
search=(search s.snc --teacher t.snc "${data[@]}" --space space.json)
run 0 "${search[@]}" --target-size 90KB --evals 8 --output a
for searcher in linas weaknas evolution mcts greedy-bits random; do
    rm -f a/search.sqlite
    run 0,3 "${search[@]}" --searcher $searcher --target-latency 100ms --evals 12 --output a
    holds out '^12 evaluations'
    run 0 search --export csv --output a
    holds out ",$searcher,"
done
for from in "fit.snc" "s.snc --hf-compatible"; do
    run 0,3 search $from --teacher t.snc "${data[@]}" --space space.json --target-size 60KB --evals 12 --output "${from%%.*}.found"
    fits "${from%%.*}.found"
    run 0 export ${from%%.*}.snc --config "${from%%.*}.found/config.json" --to hf --output "${from%%.*}.folder"
done
rm -rf b
run 0,3 "${search[@]}" --target-latency 2000us --target-size 0.09MB --target-macs 0.9x --max-drop 60 --trim-vocab --output b --overwrite --batch 2 \
    --seq-len 16 --threads 2 --percentile 90 --backend native --fp bf16 --seed 3 --max-train-samples 300 --max-length 16 --depth-rule auto --evals 10 \
    --time-budget 1m --objectives score,macs --verbose --log-json log
noted '"level":"debug"'
noted 'train 300 rows'
holds b/config.json '"source"'
run 0 "${search[@]}" --target-size 90KB --evals 8 --time-budget 1h --rank-timeout 1m --profile-on "$(uname -n)" --output a --overwrite --quiet --fp auto
lines err 0

# ---- export -----------------------------------------------------------------------------------------------------------------------
run 0 export --pretrained i.snc --teacher t.snc "${data[@]}" --output e.snc --policy int8 --seeded-head --to snc --threads 2 --backend native --fp f32 --seed 3 --verbose \
    --log-json log
noted '"level":"debug"'
run 0 export t.snc --policy int8 --trim-vocab "${data[@]}" --unlabeled more.txt --output e.snc --overwrite --quiet
lines err 0

# ---- bench, eval, predict -----------------------------------------------------------------------------------------------------------
run 0 bench e.snc -s 8 -r 20 --percentile 99 --backend native -o json --verbose --log-json log
noted '"level":"debug"'
check "percentile 99 is not below the median" awk -v p="$(number out percentile_ms)" -v m="$(number out p50_ms)" 'BEGIN { exit !(p >= m && m > 0) }'
run 0 bench e.snc -s 8 -r 3 --quiet -o md
run 0 bench e.snc -s 8 --time-budget 0.1s -o json
less "seconds in samples of a budget of 0.1 s" "$(awk -v n="$(number out samples)" -v ms="$(number out p50_ms)" 'BEGIN { print n * ms / 1e3 }')" 0.3
lines err 0
for split in train rank select dev; do
    run 0 eval t.snc "${data[@]}" --split $split --json --threads 2 --backend native --seed 42 --max-length 32 --verbose --log-json log
    noted '"level":"debug"'
    equal "split" "$(tr -d ' \t\n' <out | grep -o '"split":"[a-z]*"')" "\"split\":\"$split\""
done
run 0 eval t.snc "${data[@]}" --quiet
lines err 0
run 0 predict t.snc --verbose --log-json log <in
noted '"level":"debug"'

# ---- study ----------------------------------------------------------------------------------------------------------------------------
# A table of its own: every network of five layers with three options, better the more its digits sum to.
awk 'BEGIN { printf "{"; for (i = 0; i < 243; i++) { n = ""; s = 0; for (k = 81; k >= 1; k /= 3) { d = int(i / k) % 3; n = n d; s += d }
    printf "%s\"%s\":{\"mean_acc\":%.3f}", i ? "," : "", n, 60 + 3 * s + i % 7 / 10 } print "}" }' >nas-bench-macro_cifar10.json
for format in md json csv; do
    run 0 study --tabular . --searchers random,nsga2 --seeds 3 --seed 5 --format $format --threads 1 --backend auto --verbose --log-json log
    holds out 'nsga2'
    noted '"level":"debug"'
done
equal "rows of the csv" "$(grep -c ',3,' out)" 6
run 0 study s.snc --teacher t.snc "${data[@]}" --space space.json --protocols joint --searcher nsga2 --seeds 1 --evals 12 --output p --quiet --max-memory 8GB --recompute auto --exchange f32 --rank-timeout 1m --batch 2 --seq-len 16 \
    --threads 1 --percentile 90 --fp f32 --compute f32 --seed 4 --max-train-samples 300 --max-length 16 --augment 0 --depth-rule auto --repair-epochs 0.2
lines err 0
holds p/study.json '"joint"'

# ---- the whole job with nearly every option at once, begun with what its verbs find one by one -------------------------------------------
rows=("${data[@]}" --seed 7 --max-train-samples 600 --max-length 16 --compute f32 --backend native)
teach=(--epochs 2 --lr 2e-3)
train=(--batch-size 16 --weight-decay 0.05 --warmup 0.1)
stretch=(--supernet-epochs 1 --supernet-lr 1e-3 --alpha 0.5 --temperature 2 --augment 1 --hidden-weight 0.5 --supernet-batch-size 24 --sampler full --inplace-teacher --depth-rule last \
    --unlabeled more.txt --space space.json --hf-compatible --weights mos --experts 2)
weights=(--class-weights balanced)
look=(--searcher nsga2 --objectives loss,latency,size --fp f32 --batch 2 --seq-len 16 --percentile 90)
run 0 finetune --pretrained $m "${rows[@]}" "${train[@]}" "${teach[@]}" "${weights[@]}" --output t7.snc --threads 1
run 0 supernet --teacher t7.snc "${rows[@]}" "${train[@]}" "${stretch[@]}" "${weights[@]}" --output s7.snc --threads 1
run 0 search s7.snc --teacher t7.snc "${data[@]}" --seed 7 --max-train-samples 600 --max-length 16 --backend native --space space.json --depth-rule last "${look[@]}" \
    --threads 1 --target-size 90KB --evals 20 --output seven
plain="s7.snc: a supernet whose matrices are mixed for each net, not a model: export takes a net out of it"
refused "$plain" eval s7.snc "${data[@]}"
refused "$plain" predict s7.snc
refused "$plain" bench s7.snc -s 8 -r 1
refused "$plain" import --pretrained s7.snc --output new.snc
refused "$plain" finetune --pretrained s7.snc "${data[@]}" --output new.snc
refused "$plain" supernet --teacher s7.snc "${data[@]}" --output new.snc
refused "$plain" search s7.snc --teacher s7.snc "${data[@]}" --target-size 90KB --output new
refused "$plain" --pretrained s7.snc "${data[@]}" --target-size 90KB --output new
absent new new.snc
run 0 export s7.snc --policy f32 --output e7.snc
run 0 eval e7.snc "${data[@]}"
job=(--pretrained $m "${rows[@]}" "${train[@]}" "${teach[@]}" "${stretch[@]}" "${weights[@]}" "${look[@]}" --threads 1 --output job)
run 0 "${job[@]}" --dry-run --target-latency 2000us
absent job
run 0 "${job[@]}" --overwrite --target-latency 2000us --target-size 90KB --max-drop 60 --trim-vocab --checkpoint-every 10 --evals 30 --time-budget 1m \
    --warm-start seven/search.sqlite --repair auto --repair-epochs 0.2 --teachers 2 --verbose --quiet --log-json log
lines err 0
noted '"level":"debug"'
noted '"stage":"proof"'
noted '"line":"warm start: 20 evaluations of seven/search.sqlite'
noted '"line":"vocabulary: [0-9]* of 97 pieces kept'
noted '"line":"search: nsga2 '
noted '"stage":"repair'
noted '"line":"repair [a-z]*: loss to the teachers of all [0-9]* rows '
holds job/report.md 'percentile 90 of a call, batch 2, sequence length 16, 1 thread'
holds job/report.md 'Seed 7'
holds job/report.md '^- size holds: .* asked 0.090 MB'
holds job/report.md '^- drop holds: .* at most 60.00'
# Text without labels is for the supernet: the teacher is that of a fine-tuning without it.
same_tensors t7.snc job/teacher.snc
same_tensors s7.snc job/supernet.snc
# What is delivered is a plain file.
run 0 info job/compressed.snc --json
lacks out '"mixture"'
lacks <(head -c "$(head_size job/compressed.snc)" job/compressed.snc) 'expert\|router'
run 0 export job/compressed.snc --to hf --output job.folder
# What people have without a search: a teacher of all rows. Another of these differs by its seed.
run 0 finetune --pretrained $m "${rows[@]}" "${train[@]}" "${teach[@]}" "${weights[@]}" --hold-out 0 --output all7.snc --threads 1
same_tensors all7.snc job/baseline.snc
check "two teachers of all rows" test "$(digest job/baseline.snc)" != "$(digest job/baseline-2.snc)"
no_leftovers .
