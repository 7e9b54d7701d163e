#!/usr/bin/env bash
# Every verb explains itself, and everything that is no verb, option or value is refused in one line.
. "$(dirname "$0")/lib.bash"

run 0 --version
check "--version: $(cat out)" grep -qxE 'compress [0-9]+\.[0-9]+\.[0-9]+' out
for overview in --help -h help; do
    run 0 "$overview"
    for verb in compress suite plan import finetune supernet profile search export bench predict serve eval info verify tokenize study; do
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
compress --pretrained --teacher --task --data --text --text-pair --label --quoting --unlabeled --output --overwrite --target-latency --target-size --max-drop --margin --eval --batch --seq-len --threads --percentile --backend --compute --seed --dry-run --watch --epochs --lr --batch-size --max-train-samples --max-length --supernet-epochs --sampler --space --searcher --evals --time-budget --time-limit --effort --repair
suite --pretrained --data --output --overwrite --target-latency --effort --time-limit --dry-run --watch --backend --seed --tasks --seeds --predictions --models
plan --pretrained --teacher --task --data --rows --seq-len --ranks --cores --network --memory-bandwidth --exchange --max-memory --format --batch-size --target-latency
import --pretrained --output --task --data --text --batch --seq-len --threads --percentile --epochs --lr --batch-size --max-train-samples --json
finetune --pretrained --task --data --output --epochs --lr --batch-size --seed --max-train-samples --hold-out --checkpoint-every --max-steps --watch
supernet --teacher --task --data --output --supernet-epochs --supernet-lr --alpha --temperature --hidden-weight --sampler --inplace-teacher --depth-rule --unlabeled --watch
profile --output --batch --seq-len --threads --space
search --teacher --task --data --target-latency --target-size --max-drop --output --evals --time-budget --searcher --space --seed --watch
export --pretrained --policy --output --config --to --form
bench --batch --seq-len --threads --percentile --tasks --data --format --repeats --profile
predict --logits --threads --backend
serve --host --port --max-batch --batch-wait --queue --max-body --timeout --max-connections --token-file --tls-cert --tls-key --budget --threads
eval --task --data --split --json
info --json
verify --verbose
tokenize --pretrained --max-length
study --tabular --searchers --seeds --format --protocols --ablate --pretrained --teacher --task --data --output --target-latency --searcher --evals --watch
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
refused "help 'none': expected a verb, --json, --man [VERB] or --completion SHELL" help none
run 0 help --json
equal "verbs" "$(grep -c '"verb":' out)" "$("$COMPRESS" help | grep -c '^  [a-z]')"
equal "options of every verb" "$(tr -d '\t\n ' <out | sed 's/{"verb":/\n&/g' | grep -c '"--verbose".*"--quiet".*"--log-json"')" "$(grep -c '"verb":' out)"
holds out '"max":.*4096'

refused "study: --tabular, --protocols or --ablate is missing" study
refused "none/none.json" study --tabular none/none.json
echo '[1]' >list.json
refused "list.json: no networks" study --tabular list.json
refused "unknown verb 'frobnicate' (compress --help lists them)" frobnicate
refused "unknown verb 'finetun'; nearest is 'finetune'" finetun
refused "unknown option '--target-latenzy=1ms'; nearest is --target-latency (compress search --help lists them)" search --target-latenzy=1ms
refused "task 'sst-2': nearest is 'sst2'; no tasks/sst-2.json in " eval m.snc --task sst-2 --data .
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
# Three examples a verb, each of which the parser takes.
for verb in $("$COMPRESS" help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
    "$COMPRESS" $verb --help | sed -n 's/^  compress //p' >examples
    lines examples 3
    while read -r line; do
        set -- ${line%<*}
        run 0 "$@" --help
        holds out "^usage: compress .*$verb"
    done <examples
done

# ---- manual pages, completions ---------------------------------------------------------------------------------------------------
for verb in "" $("$COMPRESS" help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
    run 0 help --man $verb
    holds out '^\.TH COMPRESS'
    holds out '^\.SH EXIT STATUS$'
    check "no bare dash, which is a hyphen to roff" test "$(grep -v '^[.]' out | grep -c '[^\\]-')" -eq 0
    equal "requests of the page of $verb that man(7) has not" "$(grep -oE '^\.[A-Za-z]+' out | sort -u | grep -vxE '\.(TH|SH|TP|PP|B|BR|I|nf|fi)' | tr '\n' ' ')" ""
    ! command -v mandoc >/dev/null || check "mandoc takes the page of $verb" mandoc -T lint -W error out
done
run 0 help --man search
for option in $("$COMPRESS" search --help | grep -oE '^ +(-[a-z], )?--[a-z-]*' | grep -oE '\-\-[a-z-]*'); do check "the page names $option" grep -qF "\\fB${option//-/\\-}\\fR" out; done
run 0 help --completion bash
cp out completion.bash
completes() { # WORDS... -> what the last one may become
    bash -c '. ./completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _compress; printf "%s\n" "${COMPREPLY[@]}"' _ compress "$@" | sort | tr '\n' ' '
}
equal "verbs with an s" "$(completes s)" "search serve study suite supernet "
equal "options of predict with --b" "$(completes predict --b)" "--backend --budget "
equal "options of a job without its verb" "$(completes --target-l)" "--target-latency "
equal "values of --repair" "$(completes compress --repair '')" "auto off on "
touch model.snc
equal "files" "$(completes info mod)" "model.snc "
run 0 help --completion zsh
holds out '^#compdef compress snc$'
! command -v zsh >/dev/null || check "zsh takes its completion" zsh -n out
run 0 help --completion fish
holds out "__fish_seen_subcommand_from serve' -l max-batch -r -d "
! command -v fish >/dev/null || check "fish takes its completion" fish -n out
refused "help --completion 'csh': expected bash, zsh or fish" help --completion csh
refused "help 'none': expected a verb" help --man none

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
