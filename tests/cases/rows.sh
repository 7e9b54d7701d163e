#!/usr/bin/env bash
# Files of rows as people have them, a folder a case beside this script: what a command says of them, and its exit code.
. "$(dirname "$0")/../cli/lib.bash"
CASES=$TESTS/cases/rows
nano nano

# expect CASE CODE TEXT...: fine-tuning for a step on the case's rows ends with the code and says each text (extended regular expressions).
expect() {
    local name=$1 code=$2
    shift 2
    tried=$((tried + 1))
    say "$name" "$code" finetune --pretrained nano/nano.snc --task custom --data "$CASES/$name" --output out.snc --overwrite --epochs 0.05 --threads 1 -- "$@"
}
# say CASE CODE ARG... -- TEXT...
say() {
    local name=$1 code=$2 args=()
    shift 2
    while [ "$1" != -- ]; do args+=("$1") && shift; done
    shift
    run "$code" "${args[@]}"
    [ "$code" -ne 2 ] || { lines out 0; equal "lines of the refusal of $name" "$(grep -c '^compress: ' err)" 1; }
    for text; do check "$name: nothing says '$text'" grep -qE -- "$text" out err; done
}
dev() { say "$1" "$2" --pretrained nano/nano.snc --task custom --data "$CASES/$1" --target-size 0.9x --output run --dry-run -- "${@:3}"; }
tried=0

# ---- read as they are meant ------------------------------------------------------------------------------------------------------
two='train +100 rows: negative [0-9]+, positive [0-9]+ \(majority 5[0-9]\.[0-9]%\)'
expect 60-base 0 "train.tsv: TSV, quotes are text; text 'text', label 'label'; 200 rows" "$two"
expect 61-csv-only 0 "train.csv: CSV, quotes undone" "$two"
expect 62-tsv-pandas-quotes 0 "train.tsv: TSV, quotes undone" "$two"
expect 64-bom 0 "text 'text', label 'label'" "$two"
expect 66-crlf 0 "$two; 0 cut"
expect 70-int-labels 0 'rows: 0 [0-9]+, 1 [0-9]+ \('
expect 72-json-bool 0 'train.jsonl: JSON lines' 'rows: false [0-9]+, true [0-9]+ \('
expect 73-json-float-int-mix 0 'rows: 0 [0-9]+, 1 [0-9]+ \('
expect 81-json-array 0 'train.json: JSON list' "$two"
expect 82-hf-names-text-label 0 "text 'text', label 'labels'" "$two"
expect 83-validation-csv-hf 0 "$two"
dev 83-validation-csv-hf 0 'validation.csv: CSV' 'dev +40 rows'
expect 84-no-dev 0 'no dev file: 5[0-9] of its rows are dev, by class'
dev 84-no-dev 0 'dev +5[0-9] rows: negative 2[0-9], positive 2[0-9] .*, 0 also in train'
expect 85-tsv-comma-header 0 "parted by ','; text 'text', label 'label'" "$two"
expect 91-three 0 'rows: maybe [0-9]+, neg [0-9]+, pos [0-9]+ \('
expect 92-250-classes 0 ', and 242 more \(majority'
expect 95-pair-file 0 "text 'text_a', second text 'text_b', label 'label'"

# ---- read, and said ---------------------------------------------------------------------------------------------------------------
expect 75-minus-one 0 'rows: -1 [0-9]+, 0 [0-9]+, 1 [0-9]+ ' "warning: .no-label. '-1' stands among the classes"
expect 90-empty-text 0 '; 200 rows, 23 empty, 0 duplicate$'
expect 96-imbalance 0 '\(majority 9[67]\.[0-9]%\)'
tried=$((tried + 1))
say 94-long-rows 0 finetune --pretrained nano/nano.snc --task custom --data "$CASES/94-long-rows/dev.tsv" --output out.snc --overwrite --epochs 0.05 --threads 1 \
    -- 'train +[0-9]+ rows: .* [1-9][0-9]* cut at 40 tokens'
say 94-long-rows 0 eval out.snc --task custom --data "$CASES/94-long-rows/dev.tsv" -- 'warning: .* rows were cut to 40 tokens'
tried=$((tried + 1))
expect 60-base 0 && tried=$((tried - 1))
say 99-permuted 0 eval out.snc --task custom --data "$CASES/99-permuted" -- 'warning: .*labels .negative, .* are not the task.s'
say 99-permuted 0 finetune --pretrained nano/nano.snc --task custom --data "$CASES/99-permuted" --output out.snc --overwrite --epochs 0.05 --threads 1 -- 'alpha .*, beta '

# ---- refused, by line and name ----------------------------------------------------------------------------------------------------
expect 65-utf16 2 "train.tsv: is UTF-16, expected UTF-8 text: iconv -f UTF-16 -t UTF-8 "
expect 74-missing-labels-train 2 'train.tsv:2: an empty label'
expect 86-tsv-no-header 2 "train.tsv:1: no column 'text' in the header; it has 'plot dull plot 779 camera', 'negative'"
expect 89-one-label 2 "train.tsv: one label, 'x', expected 2 to 1000"
expect 93-lone-surrogate 2 'train.jsonl:121: not valid JSON at byte [0-9]*: the escape \\ud[89a-f][0-9a-f]{2}'
expect 93b-int-text 2 "train.jsonl:1: 'text' must be a string"
expect 93c-null-text 2 "train.jsonl:61: no key 'text'"
expect 97-conflict 2 'too few that no other row contains'
expect 98-tiny 2 'train.tsv: 3 rows, too few'
expect 78-dev-new-label 0
dev 78-dev-new-label 2 "dev.tsv:42: label '.*' is not one of the task's 2: negative, positive"
equal "cases tried" "$tried" "$(find "$CASES" -mindepth 1 -maxdepth 1 -type d | wc -l)"
no_leftovers .
