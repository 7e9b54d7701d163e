#!/usr/bin/env bash
# The whole job over tasks and seeds: refused before any work, one task failing, killed and resumed, seeds pooled, others joined.
. "$(dirname "$0")/lib.bash"
nano nano
mkdir -p data/a data/b data/c none
for t in a b c; do
    head -400 nano/train.tsv >data/$t/train.tsv
    cp nano/dev.tsv data/$t
done
sed 's/"nano"/"tiny","folder":"TINY"/' nano/task.json >task.json
options='"options":{"epochs":10,"lr":2e-3,"supernet-epochs":0.2,"supernet-lr":1e-3,"augment":0,"evals":20,"repair":"off"}'
cat >suite.json <<JSON
{"name":"three","tasks":[{"task":"task.json","name":"a","data":"a"},{"task":"task.json","name":"c","data":"c"},
 {"task":"task.json","name":"b","data":"b","options":{"max-length":24}}],$options}
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
refused "--tasks 'd': not in suite three (a, c, b)" suite ./suite.json "${at[@]}" --tasks a,d
refused "--seeds '0'" suite ./suite.json "${at[@]}" --seeds 0
mkdir sub && echo x >sub/taken
refused "suite needs a folder" suite ./suite.json "${at[@]}" --output sub/taken --overwrite
refused "a seed 42: compress: no target" suite ./suite.json "${at[@]}"
refused "--target-latency 'fast'" suite ./suite.json "${at[@]}" --target-latency fast
refused "a seed 42: memory: needs " suite ./suite.json "${at[@]}" --target-latency 2x --max-memory 1MB

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
mkdir own glue && cp other/a.tsv own/tiny.tsv && cp other/a.tsv glue/TINY-m.tsv # by the task's name, and as GLUE calls MNLI's
run 0 suite ./suite.json "${at[@]}" --target-latency 2x --predictions own=own,glue=glue --dry-run
lacks err 'no answers to'
holds out '^a seed 42: estimate: '
holds out '^b seed 42: estimate: '
holds out '^suite .*: about [1-9][0-9ms]* for all that is not done$'
absent many

# ---- killed in the first job, and on: two jobs in one process ----------------------------------------------------------------------------
all=(suite ./suite.json "${at[@]}" "${with[@]}" --max-memory 8GB --recompute off)
mkdir many && echo mine >many/notes
refused "not empty and no suite of this program" "${all[@]}"
rm many/notes
killed_when many/a/seed-7/supernet.snc "${all[@]}"
absent many/a/seed-7/compressed.snc many/report.json
watch=(--watch 0) # where there is libmicrohttpd (watch.sh)
"$COMPRESS" search --export csv "${watch[@]}" 2>&1 | grep -q libmicrohttpd && watch=()
run 0,3 "${all[@]}" --tasks b,a --overwrite --log-json log "${watch[@]}"
holds err 'a seed 7: finetune: many/a/seed-7/teacher.snc is up to date'
holds log '"stage":"b seed 7 finetune"'
exists many/a/seed-7/compressed.snc many/b/seed-7/compressed.snc many/report.csv many/report.html
lines many/a/seed-7/answers.tsv 201
holds many/a/seed-7/answers.tsv '^index	label	compressed	full INT8	teacher F32$'
no_leftovers many

# ---- a task that fails costs itself: its folder is on a disk that is not there -------------------------------------------------------------
cp many/a/seed-7/compressed.snc a.snc
ln -s nowhere many/c
run 2 "${all[@]}"
holds err '^compress: suite three: 1 failed: c seed 7: '
for t in a b; do holds err "$t seed 7: done before" && holds out "^| $t | 200 | 1 | "; done
holds out '^three: 1 of 3 jobs failed$'
holds out '^| c | 200 | 0 | - | - | - | - |'
gfm many/report.md
holds many/report.md '^| c | 7 | failed: c seed 7: '
same many/a/seed-7/compressed.snc a.snc
run 0 verify many
equal "files of the jobs that are done" "$(grep -c '^many/[ab]/seed-7/.*: ok ' out)" 6

# ---- two seeds: pooled, from what is kept of them; the second is a copy of the first that errs on ten rows more ------------------------------
job=$(tr -d '\n\t' <many/suite.json | grep -oE '\{"task":"a"[^}]*\}[^}]*\}')
cp many/suite.json before.json
printf '{"suite":"three","jobs":[%s,%s]}' "$job" "${job//\"seed\":7/\"seed\":8}" >many/suite.json
cp -r many/a/seed-7 many/a/seed-8
awk -F'\t' -v OFS='\t' 'NR > 1 && n < 10 && $2 == $3 && $4 == $2 { $3 = $2 == "positive" ? "negative" : "positive"; n++ } 1' many/a/seed-7/answers.tsv >many/a/seed-8/answers.tsv
run 0,3 "${all[@]}" --tasks a --seeds 2
holds out '^| a | 200 | 2 | '
pooled() { awk -F, -v m="$1" -v c="$2" '$1 == "a" && $2 == m { print $c }' many/report.csv; } # MODEL COLUMN
score() { awk -F, -v m="$1" '$1 == m { print $9 }' many/a/seed-7/report.csv; }
check "mean score: $(pooled compressed 6)" awk -v p="$(pooled compressed 6)" -v s="$(score compressed)" 'BEGIN { e = p - (s - 0.025); exit !(e < 1e-5 && e > -1e-5) }'
equal "mean score of full INT8" "$(pooled 'full INT8' 6)" "$(score 'full INT8')"
check "mean drop: $(pooled compressed 8)" awk -v p="$(pooled compressed 8)" -v i="$(score 'full INT8')" -v s="$(score compressed)" \
    'BEGIN { e = p - 100 * (i - s + 0.025); exit !(e < 1e-3 && e > -1e-3) }'
equal "standard error by seeds, of two that are 5 points apart" "$(pooled compressed 12)" 2.5000
check "and by rows" awk -v e="$(pooled compressed 11)" 'BEGIN { exit !(e > 0.3 && e < 3) }'
rm -r many/a/seed-8 && mv before.json many/suite.json

# ---- nothing is left to do: one report, with what others say and with another file ---------------------------------------------------
run 0,3 "${all[@]}" --tasks a,b --predictions peer=other --models b=a.snc --quiet
lines err 0
check "four models a task and their average: $(cut -d, -f1,2 many/report.csv | tr '\n' ' ')" test "$(cut -d, -f1,2 many/report.csv | tr '\n' ' ')" = \
    "task,model a,teacher F32 a,full INT8 a,compressed a,peer b,teacher F32 b,full INT8 b,compressed b,a.snc average,teacher F32 average,full INT8 average,compressed "
run 0 eval many/b/seed-7/compressed.snc --task task.json --data data/b --max-length 24 --json
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
holds out '^suite .*: about [1-9][0-9ms]* for all that is not done$'
