#!/usr/bin/env bash
# Every verb explains itself, and everything that is no verb, option or value is refused in one line.
. "$(dirname "$0")/lib.bash"

run 0 --version
check "--version: $(cat out)" grep -qxE 'compress [0-9]+\.[0-9]+\.[0-9]+' out
for overview in --help -h help; do
    run 0 "$overview"
    for verb in compress suite import finetune supernet profile search export bench predict eval info verify tokenize study; do
        holds out "^  $verb  "
    done
done
run 2
holds out '^  finetune'

# VERB: options that its help must name
while read -r verb options; do
    for flag in --help -h; do
        run 0 "$verb" $flag
        holds out "^usage: compress .*$verb"
        equal "lines on standard error of $verb $flag" "$(wc -l <err)" 0
        for option in $options --verbose --quiet --log-json; do holds out "^  .*$option"; done
    done
done <<'LIST'
compress --pretrained --teacher --task --data --text --text-pair --label --quoting --unlabeled --output --overwrite --target-latency --target-size --max-drop --margin --eval --batch --seq-len --threads --percentile --backend --compute --seed --dry-run --epochs --lr --batch-size --max-train-samples --max-length --supernet-epochs --sampler --space --searcher --evals --time-budget --time-limit --effort --repair
suite --pretrained --data --output --overwrite --target-latency --effort --time-limit --dry-run --backend --seed --tasks --seeds --predictions --models
import --pretrained --output --task --data --text --batch --seq-len --threads --percentile --epochs --lr --batch-size --max-train-samples --json
finetune --pretrained --task --data --output --epochs --lr --batch-size --seed --max-train-samples --hold-out --checkpoint-every --max-steps
supernet --teacher --task --data --output --supernet-epochs --supernet-lr --alpha --temperature --hidden-weight --sampler --inplace-teacher --depth-rule --unlabeled
profile --output --batch --seq-len --threads --space
search --teacher --task --data --target-latency --target-size --max-drop --output --evals --time-budget --searcher --space --seed
export --pretrained --policy --output --config --to --form
bench --batch --seq-len --threads --percentile --tasks --data --format --repeats --profile
predict --logits --threads --backend
eval --task --data --split --json
info --json
verify --verbose
tokenize --pretrained --max-length
study --tabular --searchers --seeds --format --protocols --ablate --pretrained --teacher --task --data --output --target-latency --searcher --evals
LIST
# The tasks that are shipped are named wherever one is asked for.
for task in "$TESTS"/../configs/tasks/*.json; do
    for verb in compress finetune eval export; do check "--task of $verb names $task" grep -q "^  --task T .* $(basename "$task" .json)[ ,]" <("$COMPRESS" $verb --help); done
    check "--tasks names $task" grep -q "^  --tasks A,B .* $(basename "$task" .json)[ ,]" <("$COMPRESS" bench --help)
done
# The job without its verb is the same verb.
"$COMPRESS" compress --help >with.txt
"$COMPRESS" --pretrained x --help >without.txt
same with.txt without.txt

run 0 help bench
same out <("$COMPRESS" bench --help)
refused "help 'none': expected a verb or --json" help none
run 0 help --json
equal "verbs" "$(grep -c '"verb":' out)" "$("$COMPRESS" help | grep -c '^  [a-z]')"
equal "options of every verb" "$(tr -d '\t\n ' <out | sed 's/{"verb":/\n&/g' | grep -c '"--verbose".*"--quiet".*"--log-json"')" "$(grep -c '"verb":' out)"
holds out '"max":.*4096'

refused "study: --tabular, --protocols or --ablate is missing" study
refused "none/none.json" study --tabular none/none.json
echo '[1]' >list.json
refused "list.json: no networks" study --tabular list.json
refused "unknown verb 'frobnicate'" frobnicate
refused "unknown option '--frobnicate'" finetune --frobnicate
refused "unknown option '-x'" bench -x
refused "unknown option '--frobnicate'" --frobnicate
refused "--logits is not an option of 'eval'" eval m.snc --logits
refused "--tasks is not an option of 'compress'" --tasks sst2
refused "--dry-run takes no value" --dry-run=yes
refused "--epochs 'three': expected a number" finetune --epochs three
refused "--epochs '3x': expected a number" finetune --epochs=3x
refused "--epochs '-1': expected a number from 0" finetune --epochs -1
refused "--epochs 'nan': expected a number" finetune --epochs nan
refused "--lr '2': expected a number from 0 to 1" finetune --lr 2
refused "--batch-size '0': expected a number from 1" finetune --batch-size 0
refused "--batch-size '1.5': expected a whole number" finetune --batch-size 1.5
refused "--seed '-1': expected a number" finetune --seed -1
refused "--output: empty value" finetune --output=
refused "unexpected argument 'b.snc'" info a.snc b.snc
refused "unexpected argument 'a.snc'" finetune a.snc
for suite in "$TESTS"/../configs/suites/*.json; do check "usage of suite names $suite" grep -q "^usage: .*[ |]$(basename "$suite" .json)|" <("$COMPRESS" suite --help); done
for ablation in "$TESTS"/../configs/ablations/*.json; do check "usage of study names $ablation" grep -q "^usage: .*[ |]$(basename "$ablation" .json)|" <("$COMPRESS" study --help); done
for verb in finetune supernet; do refused "$verb: " $verb; done
refused "finetune: --pretrained is missing" finetune
refused "x: No such file" import --pretrained x
for verb in bench predict eval info; do refused "$verb: a model is missing" $verb; done
refused "verify: a .snc file or a folder is missing" verify
refused "--pretrained is missing" compress
# An option at the end without its value.
"$COMPRESS" finetune --epochs >out 2>err
equal "exit code of a missing value" $? 2
holds err "^compress: --epochs: a value is missing$"
"$COMPRESS" finetune --log-json >out 2>err
equal "exit code of a missing file name" $? 2
equal "lines on standard error" "$(wc -l <err)" 1
# Underscores are dashes, '=' and a space are the same.
nano nano
refused "task 'none'" finetune --pretrained nano/nano.snc --output=o.snc --task=none --data=. --batch_size=8 --max_train_samples 4
absent o.snc
