#!/usr/bin/env bash
# The whole job over tasks and seeds: refused before any work, one task failing, killed and resumed, seeds pooled, others joined.
. "$(dirname "$0")/lib.bash"
nano nano
mkdir -p data/a data/b none
for t in a b; do
    head -400 nano/train.tsv >data/$t/train.tsv
    cp nano/dev.tsv data/$t
done
sed 's/"nano"/"tiny"/' nano/task.json >task.json
options='"options":{"epochs":10,"lr":2e-3,"supernet-epochs":0.2,"supernet-lr":1e-3,"augment":0,"evals":20,"repair":"off"}'
cat >suite.json <<JSON
{"name":"two","tasks":[{"task":"task.json","name":"a","data":"a"},{"task":"task.json","name":"b","data":"b","options":{"max-length":24}}],$options}
JSON
at=(--pretrained nano/nano.snc --data data --output many)
with=(--target-latency 2x --effort quick --time-limit 1h --backend native --seed 7 --verbose)

# ---- one clear line before any work ------------------------------------------------------------------------------------
bad() { # TEXT SUITE ARG...
    local text=$1
    printf '%s' "$2" >bad.json
    shift 2
    refused "$text" suite ./bad.json "${at[@]}" "$@"
}
refused "suite: a suite is missing" suite --pretrained nano/nano.snc
refused "suite: --pretrained is missing" suite ./suite.json
refused "suite: --data is missing" suite ./suite.json --pretrained nano/nano.snc
refused "suite: --output is missing" suite ./suite.json --pretrained nano/nano.snc --data data
refused "suite 'none': no suites/none.json" suite none "${at[@]}"
refused "cola: " suite glue "${at[@]}"
bad "./bad.json: task 'none': no tasks/none.json" '{"name":"x","tasks":["sst2","none"]}'
bad "expected either 'tasks' or 'folders'" '{"name":"x"}'
bad "'tasks' must be a list, and not empty" '{"name":"x","tasks":[]}'
bad "unknown key 'seed'" '{"name":"x","tasks":["sst2"],"seed":1}'
bad "'name' is missing" '{"tasks":["sst2"]}'
bad "two tasks are called 'sst2'" '{"name":"x","tasks":["sst2","sst2"]}'
bad "task '../x': expected a name of letters" '{"name":"x","tasks":[{"task":"sst2","name":"../x"}]}'
bad "'options': 'tasks' is no option of a suite's jobs" '{"name":"x","tasks":[{"task":"task.json","data":"a"}],"options":{"tasks":"a"}}'
bad "'options': 'output' is no option of a suite's jobs" '{"name":"x","tasks":[{"task":"task.json","data":"a"}],"options":{"output":"a"}}'
bad "'options': 'lr' 2: expected a number from 0 to 1" '{"name":"x","tasks":[{"task":"task.json","data":"a","options":{"lr":2}}]}'
bad "'options': 'lr': expected a number" '{"name":"x","tasks":[{"task":"task.json","data":"a","options":{"lr":"2"}}]}'
bad "tiny: " '{"name":"x","tasks":[{"task":"task.json","data":"none"}]}'
bad "--data none: no folders in it" '{"name":"x","folders":"custom"}' --data none
refused "--tasks 'c': not in suite two (a, b)" suite ./suite.json "${at[@]}" --tasks a,c
refused "--seeds '0'" suite ./suite.json "${at[@]}" --seeds 0
mkdir sub && echo x >sub/taken
refused "suite needs a folder" suite ./suite.json "${at[@]}" --output sub/taken --overwrite
refused "a seed 42: compress: no target" suite ./suite.json "${at[@]}"
refused "--target-latency 'fast'" suite ./suite.json "${at[@]}" --target-latency fast

# Other programs' answers: of every row, with labels of the task.
mkdir -p other few odd
awk -F'\t' 'BEGIN { print "index\tprediction" } NR > 1 { print NR - 2 "\t" (NR % 10 ? $2 : "negative") }' nano/dev.tsv >other/a.tsv
head -100 other/a.tsv >few/a.tsv
sed '7s/\t.*/\tgreat/' other/a.tsv >odd/a.tsv
refused "few/a.tsv: 99 answers, and tiny has 200 dev rows" suite ./suite.json "${at[@]}" --predictions peer=few
refused "odd/a.tsv:7: 'great' is no label of tiny (negative, positive)" suite ./suite.json "${at[@]}" --predictions peer=other,odd=odd
refused "--predictions peer=none: no answers to a task of the suite in it" suite ./suite.json "${at[@]}" --predictions peer=none
refused "--predictions peer=nowhere: no such folder" suite ./suite.json "${at[@]}" --predictions peer=nowhere
refused "--predictions 'other': expected NAME=DIR" suite ./suite.json "${at[@]}" --predictions other
refused "'compressed' is what the suite's own files are called" suite ./suite.json "${at[@]}" --predictions compressed=other
refused "nano/nano.snc: says no task that it is of" suite ./suite.json "${at[@]}" --models nano/nano.snc
absent many
run 0 suite ./suite.json "${at[@]}" --target-latency 2x --dry-run
holds out '^a seed 42: estimate: '
holds out '^b seed 42: estimate: '
absent many

# ---- a task that fails costs itself: here its folder is on a disk that is not there -----------------------------------------------
all=(suite ./suite.json "${at[@]}" "${with[@]}")
mkdir many && ln -s nowhere many/b
run 2 "${all[@]}"
holds err 'not empty and no suite of this program'
run 2 "${all[@]}" --overwrite
holds err '^compress: suite two: 1 failed: b seed 7: '
holds out '^two: 1 of 2 jobs failed$'
holds out '^| a | 200 | 1 | '
holds out '^| b | 200 | 0 | - | - | - | - |'
holds many/report.md '^| b | 7 | failed: b seed 7: '
exists many/a/seed-7/compressed.snc many/a/seed-7/answers.tsv many/report.csv many/report.html
lines many/a/seed-7/answers.tsv 201
holds many/a/seed-7/answers.tsv '^index	label	compressed	full INT8	teacher F32$'
rm many/b

# ---- killed in the other, and on -----------------------------------------------------------------------------------------------------
cp many/a/seed-7/compressed.snc a.snc
killed_when many/b/seed-7/supernet.snc "${all[@]}"
run 0,3 "${all[@]}" --tasks b --overwrite --quiet
lines err 0
lacks out '^| a '

# ---- another seed of one of them: pooled, and what was done stays --------------------------------------------------------------------
run 0,3 "${all[@]}" --tasks a --seeds 2 --log-json log
holds err 'a seed 7: done before'
holds log '"stage":"a seed 8 finetune"'
same many/a/seed-7/compressed.snc a.snc
exists many/a/seed-8/compressed.snc
holds out '^| a | 200 | 2 | '
check "both sources of variance" test "$(awk -F, '$1 == "a" && $2 == "compressed" && $5 == 2 && $11 > 0 && $12 >= 0 && $9 <= $8 && $8 <= $10' many/report.csv | wc -l)" -eq 1
mean() { awk -F, -v m="$1" '$1 == m { print $9 }' many/a/seed-7/report.csv many/a/seed-8/report.csv | awk '{ s += $1 } END { printf "%.4f", s / NR }'; }
for m in compressed 'full INT8' 'teacher F32'; do
    equal "score of $m over seeds" "$(awk -F, -v m="$m" '$1 == "a" && $2 == m { printf "%.4f", $6 }' many/report.csv)" "$(mean "$m")"
done

# ---- nothing is left to do: one report, with what others say and with another file ---------------------------------------------------
run 0,3 "${all[@]}" --predictions peer=other --models b=a.snc
lacks err 'finetune'
holds err 'b seed 7: done before'
check "four models a task and their average: $(cut -d, -f1,2 many/report.csv | tr '\n' ' ')" test "$(cut -d, -f1,2 many/report.csv | tr '\n' ' ')" = \
    "task,model a,teacher F32 a,full INT8 a,compressed a,peer b,teacher F32 b,full INT8 b,compressed b,a.snc average,teacher F32 average,full INT8 average,compressed "
run 0 eval many/b/seed-7/compressed.snc --task task.json --data data/b --json
equal "score of b" "$(awk -F, '$1 == "b" && $2 == "compressed" { print $6 }' many/report.csv)" "$(printf %.6f "$(number out accuracy)")"
right=$(awk -F'\t' 'NR == FNR { is[FNR] = $2; next } FNR > 1 { n += is[FNR] == $2 } END { printf "%.6f", n / 200 }' nano/dev.tsv other/a.tsv)
equal "score of the other program" "$(awk -F, '$2 == "peer" { print $6 }' many/report.csv)" "$right"
check "latency and size of the other file" test "$(awk -F, '$2 == "a.snc" && $16 > 0 && $18 > 0' many/report.csv | wc -l)" -eq 1
holds many/report.html '<h2>Jobs</h2>'
for key in command options versions tasks average; do holds many/report.json "\"$key\":"; done
refused "none.snc: " suite ./suite.json "${at[@]}" "${with[@]}" --models b=none.snc

# Other rows under the same names are noticed, though every job is done.
tail -300 nano/train.tsv >>data/a/train.tsv
refused "a seed 7: --output many/a/seed-7: teacher.snc was made of other train rows" "${all[@]}" --tasks a

# ---- a folder of folders ---------------------------------------------------------------------------------------------------------------
cp task.json data/b
run 0 suite folders --pretrained nano/nano.snc --data data --output all --dry-run
holds out '^a seed 42: estimate: '
holds out '^b seed 42: estimate: '
