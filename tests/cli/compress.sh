#!/usr/bin/env bash
# The whole job on a nano model: killed in every stage and resumed, proven, asked again for something else, interrupted.
. "$(dirname "$0")/lib.bash"
nano nano
budget=(--epochs 10 --lr 2e-3 --supernet-epochs 4 --supernet-lr 1e-3 --checkpoint-every 10 --evals 60 --repair-epochs 0.3)
from=(--pretrained nano/nano.snc --task nano/task.json --data nano)
all=("${from[@]}" "${budget[@]}" --target-latency 0.9x --max-drop 100) # judged on select: two teachers

run 0 "${all[@]}" --output job --dry-run
holds out '^estimate: finetune .* in all$'
absent job

# ---- killed in both fine-tunings, in supernet training and in the search, then to the end ----------------------------------
killed_when job/teacher.snc.checkpoint "${all[@]}" --output job
absent job/teacher.snc job/compressed.snc
killed_when job/baseline.snc.checkpoint "${all[@]}" --output job
exists job/teacher.snc
absent job/teacher.snc.checkpoint job/baseline.snc
killed_when job/supernet.snc.checkpoint "${all[@]}" --output job
exists job/baseline.snc
absent job/baseline.snc.checkpoint job/supernet.snc
killed_when job/best.json "${all[@]}" --output job
exists job/supernet.snc job/search.sqlite
absent job/compressed.snc job/report.json
compress "${all[@]}" --output job >out.txt 2>err
code=$?
check "exit code $code, expected 0 or 3" test $code -eq 0 -o $code -eq 3
holds err 'finetune: job/teacher.snc is up to date'
holds err 'baseline: job/baseline.snc is up to date'
holds err 'supernet: job/supernet.snc is up to date'
exists job/compressed.snc job/report.json job/report.md job/report.csv job/front.json job/config.json
no_leftovers job
absent job/compressed.snc.draft job/compressed.snc.draft.repaired
equal "evaluations, those before the kill included" "$(number job/report.json evaluations)" 60

# ---- the report says what can be checked -------------------------------------------------------------------------------
case $code in
0) holds out.txt '^nano: every target holds$'; holds job/report.json '"all":.*true' ;;
3) holds out.txt '^nano: a target was MISSED'; holds job/report.json '"all":.*false' ;;
esac
holds out.txt '^file: job/compressed.snc'
holds job/report.md '^- at most -*[0-9.]* points worse than full INT8 at 95%; the difference is -*[0-9.]* points on 200 dev rows$'
lacks job/report.md 'margin of'
holds job/report.md "^- winner's curse: loss of the chosen net [0-9.]* on rank, where it was looked for, [0-9.]* on select"
holds job/report.md '^- at most -*[0-9.]* points worse than the teacher at 95%; the difference is -*[0-9.]* points on 200 dev rows$'
command=$(sed -n 's/^compress //p' job/report.md)
equal "the command in report.md" "$command" "--pretrained nano/nano.snc --task nano/task.json --data nano --output job --target-latency 0.9x --max-drop 100 --epochs 10 \
--lr 0.002 --checkpoint-every 10 --supernet-epochs 4 --supernet-lr 0.001 --evals 60 --repair-epochs 0.3"
for page in json html; do holds job/report.$page "compress $command"; done
for key in date options versions compiler sqlite supernet-epochs hidden-weight; do holds job/report.json "\"$key\":"; done
holds job/report.html '<h2>Command and options</h2>'
gfm job/report.md
for option in 'epochs | 10' 'alpha | 0.3' 'teacher | -'; do holds job/report.md "^| $option |$"; done
equal "options given, and others" "$(sed -n '/^Given/,/^All/p' job/report.md | grep -c '^| [a-z-]* | ') $(sed -n '/^All/,$p' job/report.md | grep -c '^| evals |')" "14 0"
exists job/report-{latency,size,loss,hypervolume,importance}.svg
run 0 $command --dry-run
lines job/report.csv 4
holds job/report.html '<h2>Proof</h2>'
check "columns of report.csv" awk -F, 'NF != 19 { exit 1 } NR > 1 && ($2 <= 0 || $3 > $2 || $4 < $2) { exit 1 }' job/report.csv
csv() { awk -F, -v m="$1" -v c="$2" '$1 == m { print $c }' job/report.csv; } # MODEL COLUMN
equal "bytes of compressed.snc" "$(csv compressed 8)" "$(stat -c %s job/compressed.snc)"
less "compressed and F32, bytes" "$(csv compressed 8)" "$(csv 'teacher F32' 8)"
less "INT8 and F32, bytes" "$(csv 'full INT8' 8)" "$(csv 'teacher F32' 8)"
check "drop is the difference of the scores" awk -v t="$(csv 'teacher F32' 9)" -v c="$(csv compressed 9)" -v d="$(csv compressed 10)" \
    'BEGIN { e = 100 * (t - c) - d; exit !(e < 0.01 && e > -0.01) }'
check "drop to full INT8 is the difference of the scores" awk -v i="$(csv 'full INT8' 9)" -v c="$(csv compressed 9)" -v d="$(csv compressed 15)" \
    'BEGIN { e = 100 * (i - c) - d; exit !(e < 0.01 && e > -0.01) }'
equal "ratio of full INT8 to itself" "$(csv 'full INT8' 6)" 1.0000
run 0 eval job/compressed.snc --task nano/task.json --data nano --json
equal "score of the file" "$(printf %.6f "$(number out accuracy)")" "$(csv compressed 9)"
for part in all train rank select dev; do check "$part is in the report" test "$(number job/report.json $part)" -ge 50; done
printf 'good film\nbad movie bad\n' >in
run 0 predict job/compressed.snc <in
check "answers of the file" grep -qE '^(positive|negative)	0\.[0-9]+|1\.0' out
lacks err 'tuned for'
# On less than what it was tuned for it says so and answers alike.
cp out answers
SNC_ISA=scalar run 0 predict job/compressed.snc <in
equal "labels" "$(cut -f1 out)" "$(cut -f1 answers)"
grep -aq '"isa\\":\\"scalar' job/compressed.snc || holds err 'job/compressed.snc: tuned for .*, but scalar is what there is'
run 0 bench job/compressed.snc -s data -r 5 -o csv
lines out 2
run 0 info job/compressed.snc --json
holds out '"tokenizer":.*true'

# ---- a run that was never killed finds the same -------------------------------------------------------------------------
mkdir once && cp job/run.json job/latency.json* once
killed_when once/compressed.snc "${all[@]}" --output once
same_tensors job/teacher.snc once/teacher.snc
same_tensors job/baseline.snc once/baseline.snc
same_tensors job/supernet.snc once/supernet.snc
same job/best.json once/best.json

# ---- another target in the same folder: nothing is trained again, nothing is timed again ----------------------------------
cp job/teacher.snc teacher.before && cp job/supernet.snc supernet.before
run 0,3 "${from[@]}" "${budget[@]}" --target-latency 0.85x --max-drop 100 --repair off --output job
holds err 'finetune: job/teacher.snc is up to date'
holds err 'supernet: job/supernet.snc is up to date'
holds err 'profile: job/latency.json is up to date'
same job/teacher.snc teacher.before
same job/supernet.snc supernet.before

# ---- several latencies: a file of as many nets, proven one by one ------------------------------------------------------------------
cp -r job family
several=("${from[@]}" "${budget[@]}" --target-latency 0.95x,0.7x --max-drop 100 --output family)
run 0,3 "${several[@]}" --share auto
holds out '^- net 1: latency \(holds\|MISSED\): 0'
holds out '^| net 1 |'
holds err '; 2 nets \(trained apart\|share their numbers\); loss on fresh rows trained together and apart [0-9.]* and [0-9.]*, [0-9.]* and '
lines family/report.csv 5
holds family/report.json '"latencies":.*\[0.95, *0.7\]'
holds family/report.md '^- net 1: `family/compressed.snc`, digest [0-9a-f:xh3-]* as `export --net` cuts it out$'
exists family/net-1/search.sqlite family/net-1/front.json
no_leftovers family
absent family/compressed.snc.draft0 family/compressed.snc.net-1.snc family/compressed.snc.apart1 family/compressed.snc.together2
run 0 info family/compressed.snc
holds out '^net 1: '
run 0,3 "${several[@]}" --share auto --nest any
holds err 'search: family/compressed.snc is up to date'
holds out '^- net 1: latency \(holds\|MISSED\): 0'
run 0,3 "${several[@]}" --share on --repair on
holds err 'repair kept: .*; 2 nets share their numbers$'
run 0 info family/compressed.snc
holds out '^net 1: .*, 0 bytes of its own$'
run 0 export family/compressed.snc --net 1 --output one.snc
run 0 eval one.snc --task nano/task.json --data nano --json
equal "score of net 1" "$(printf %.6f "$(number out accuracy)")" "$(awk -F, '$1 == "net 1" { print $9 }' family/report.csv)"
run 0,3 "${several[@]}" --share off --repair on
holds err 'repair kept: .*; 2 nets trained apart$'
run 0 info family/compressed.snc
lacks out '^net 1: .*, 0 bytes of its own$'
refused "--target-latency '0.6x,0.8x': expected each to be less than the one before" "${from[@]}" --target-latency 0.6x,0.8x --output new
refused "search takes one; compress takes several" search job/supernet.snc --teacher job/teacher.snc "${from[@]:2}" --target-latency 0.9x,0.8x --output new
refused "--share 'maybe'" "${several[@]}" --share maybe
refused "--nest 'wide': expected any or depth" "${several[@]}" --nest wide
refused "--nest depth: needs several latencies, a net for each: --target-latency 0.6x,0.3x, or --cascade" "${all[@]}" --nest depth --output new
refused "--nest depth: beside --share off" "${several[@]}" --nest depth --share off
refused "--measure: needs several latencies, a net for each" "${all[@]}" --measure --output new
refused "--cascade: needs several latencies, a net for each: --target-latency 0.6x,0.3x, or a mean that" "${all[@]}" --cascade --output new
refused "--cascade: needs several latencies" "${all[@]}" --cascade --cascade-limits p99=1x --output new
refused "--cascade: beside --batch 8 and --threads 1" "${several[@]}" --batch 8 --cascade
for try in 1 2 3 4; do # on a busy machine the smaller net may have seemed no faster
    rm -f family/compressed.snc
    run 0,3 "${several[@]}" --share on --repair on --cascade --max-drop 5 --cascade-limits p99=9x --measure
    grep -q 'the file has no cascade$' err || break
done
holds out '^net 0 answers what is left: '
holds out '^- cascade: mean of a text [0-9.]* ms, [0-9.]*x of the full-size INT8 model.s ([0-9.]*x to [0-9.]*x); p50 .* net 1 answers [0-9.]*%, net 0 answers [0-9.]*%$'
holds out '^| cascade | '
lacks out 'inf'
lines family/report.csv 6
holds family/report.json '"answered":'
check "net 1 has learnt no row of select" grep -q 'all 917 rows' err
holds out '^- net 1: latency'
run 0 predict family/compressed.snc --format jsonl <in
holds out '"net":'
run 0 predict family/compressed.snc --budget 1s --format jsonl <in # the job has measured them, as predict works
equal "nets of a second" "$(grep -c '"net":0,"over_budget":false}$' out)" "$(wc -l <in)"
equal "warnings" "$(cat err)" ""

# ---- one latency and a mean: the net that answers first is searched for by what both say together at it --------------------------------
cp -r job pair
pair=("${from[@]}" "${budget[@]}" --target-latency 0.95x --max-drop 100 --repair off --cascade --output pair)
for try in 1 2 3 4; do # on a busy machine the clock may have kept no mean
    rm -f pair/compressed.snc
    run 0,3 "${pair[@]}" --cascade-limits mean=0.9x
    grep -q 'the file has no cascade$' err || break
done
holds out '^- cascade: mean of a text '
holds out '^- net 1: latency \(holds\|MISSED\): .*, asked 0[.][0-9]*x of the full-size INT8 model$'
exists pair/net-1/search.sqlite pair/net-1/front.json
# How many configs a latency leaves within the larger net the clock decides; what losses are of, the larger net and the mean, is a key.
judged_with() { "$COMPRESS" search --export json --journal "$1/net-1/search.sqlite" | sed -n 's/^\t"teacher":\t"\(.*\)",$/\1/p'; }
first=$(judged_with pair)
check "a net that answers first is judged with the larger one" test -n "$first" -a "$first" != "$(judged_with family)"
run 0,3 "${pair[@]}" --cascade-limits mean=0.8x # what was said of a pair at another mean is of no use
check "evaluations at another mean" test -n "$(judged_with pair)" -a "$(judged_with pair)" != "$first"

# ---- the same by depth alone: the net that answers first is the first layers of the other, which goes on from it ------------------------
cp -r job exits
exits=("${from[@]}" "${budget[@]}" --target-latency 0.95x,0.8x --max-drop 100 --share on --nest depth --output exits)
run 0,3 "${exits[@]}"
layers_of() { "$COMPRESS" info "$1" | sed -n '/^layer /,/^[^ l]/ { /^ /p }'; }
run 0 info exits/compressed.snc
if grep -q '^net 1: ' out; then # else one net is the answer to both
    layers_of exits/compressed.snc >large
    run 0 export exits/compressed.snc --net 1 --output one.snc --overwrite
    layers_of one.snc >first
    check "layers of net 1" test -s first -a "$(wc -l <first)" -lt "$(wc -l <large)"
    head -n "$(wc -l <first)" large >want
    same first want
fi

# ---- what is missed: the nearest is kept and the code is 3. What no net can come near is refused before (preflight.sh), so this is a
# ---- size between the smallest net's weights, which the refusal names, and its file ------------------------------------------
refused "out of reach" "${from[@]}" --target-size 1KB --output new
near=$(grep -o 'needs [0-9.]*' err | awk '{ print $2 + 0.001 }')
run 3 "${from[@]}" "${budget[@]}" --target-size "${near}MB" --max-drop 100 --repair off --teachers 2 --output far
absent far/baseline-2.snc # whom nobody would learn from
holds err 'the targets are out of reach: the smallest net of the space needs size'
holds out 'MISSED'
holds out "^- size MISSED: .*, asked $(printf %.3f "$near") MB"
holds out '^- drop holds: '
holds far/report.json '"all":.*false'
run 0 predict far/compressed.snc <in
lines out 2

# ---- another process refits ------------------------------------------------------------------------------------------------------
rm job/compressed.snc
# Scored on two files, one of which has rows of train; the margin is as wide as an equal file needs, or not.
{ head -1 nano/dev.tsv; sed -n 2,41p nano/train.tsv; sed -n 102,161p nano/dev.tsv; } >more.tsv
run 0,3 "${from[@]}" "${budget[@]}" --target-latency 0.9x --target-macs 0.9x --max-drop 100 --repair on --eval dev,more.tsv --margin 50 --output job
holds out '^- multiply-adds holds: 0[.][0-9]*x (.* M), asked 0.900x of the full-size INT8 model$'
holds err "^repair kept: loss to the teacher of all $(number job/report.json all) rows "
holds err '^warning: \[shared-rows\] more.tsv: [0-9]* of 100 rows also stand in train$'
holds out '^- at most .* on 300 pooled rows$'
for model in 'the teacher' 'full INT8'; do holds out "^- not worse than $model by more than a margin of 50.00 points: shown at 95%, at most -*[0-9.]* worse$"; done
lines job/report.csv 10
rows_of() { awk -F, -v m="$1" -v r="$2" '$1 == m && $NF == r { print $9 }' job/report.csv; } # MODEL ROWS
check "the pooled score is of all rows" awk -v a="$(rows_of compressed dev)" -v b="$(rows_of compressed more.tsv)" -v p="$(rows_of compressed pooled)" \
    'BEGIN { e = (200 * a + 100 * b) / 300 - p; exit !(a > 0 && b > 0 && e < 1e-5 && e > -1e-5) }'
run 0 eval job/compressed.snc --task nano/task.json --data nano --split more.tsv --json
equal "score on the other file" "$(printf %.6f "$(number out accuracy)")" "$(rows_of compressed more.tsv)"
holds job/report.md '^| more.tsv | 100 | compressed | '
holds job/report.html '<h3>Set by set</h3>'
holds job/report.html 'by more than a margin of 50.00 points: <b>shown</b>'
holds job/report.json '"needs_rows":.*null'
# What ran is what the recipe says; half_state goes by the arithmetic of this CPU.
ran finetune job/teacher.snc epochs lr half_state min_steps
ran supernet job/supernet.snc epochs lr half_state min_steps hidden_map relations consistency_weight momentum_weight momentum group_weight pools data_sampler # off
ran augment job/supernet.snc least
ran importance job/supernet.snc
ran repair job/compressed.snc epochs lr min_steps

# ---- interrupted ----------------------------------------------------------------------------------------------------------
cp -r job int && rm int/best.json int/compressed.snc
"$COMPRESS" "${from[@]}" "${budget[@]}" --target-latency 0.8x --max-drop 100 --evals 1000000 --output int >out 2>err &
CHILD=$!
for ((n = 0; n < 3000; n++)); do [ -e int/best.json ] && break; sleep 0.01; done
refused "--output int: another run is in it (pid $CHILD)" "${all[@]}" --output int
refused "--output int: another run is in it" "${all[@]}" --output int --overwrite
refused "--output int: another run is in it" search int/supernet.snc --teacher int/teacher.snc --task nano/task.json --data nano --target-size 0.9x --output int
kill -INT "$CHILD"
wait "$CHILD"
equal "exit code of an interrupted run" $? 130
CHILD=""
holds err '^compress: search interrupted after'
exists int/best.json
run 0 export int/supernet.snc --config int/best.json --output best.snc
run 0 predict best.snc <in
lines out 2

# ---- folders --------------------------------------------------------------------------------------------------------------
refused "--output job: teacher.snc was made with --seed 42, asked 7" "${all[@]}" --seed 7 --output job
sed 's/"max_length":32/"max_length":24/' nano/task.json >task.json
refused "--output job: teacher.snc was made of another task; made anew would be teacher.snc, supernet.snc, search.sqlite, baseline.snc (--overwrite does so)" "${budget[@]}" --pretrained nano/nano.snc --task ./task.json --data nano --target-latency 0.9x --max-drop 100 --output job
refused "--output job: teacher.snc was made with rank and select held out, asked learnt, of other train rows; made anew would be teacher.snc, supernet.snc, search.sqlite" "${from[@]}" "${budget[@]}" --target-latency 0.9x --output job
mkdir mine && echo precious >mine/notes.txt
refused "--output mine: not empty and no run of this program" "${all[@]}" --output mine
equal "what is in a folder that was refused" "$(ls mine)" notes.txt
refused "nano/task.json: cannot make the folder" "${all[@]}" --output nano/task.json/x
cp -r job over && rm over/best.json
killed_when over/best.json "${all[@]}" --seed 7 --overwrite --output over
refused "--output over: teacher.snc was made with --seed 7, asked 42" "${all[@]}" --output over

# ---- what cannot be asked -------------------------------------------------------------------------------------------------
refused "no target" "${from[@]}" --output new
refused "--eval 'dev,': an empty name" "${all[@]}" --output new --eval dev,
refused "--eval: 'dev' twice" "${all[@]}" --output new --eval dev,dev
refused "--eval: more than 8 names" "${all[@]}" --output new --eval dev,train,more.tsv,./more.tsv,.//more.tsv,././more.tsv,nano/dev.tsv,nano/train.tsv,./nano/dev.tsv
refused "task nano has no split 'none.tsv', and it is no file" "${all[@]}" --output new --eval none.tsv
sed 's/positive/else/' more.tsv >odd.tsv
refused "odd.tsv:2: label 'else' is not one of the task's 2" "${all[@]}" --output new --eval dev,odd.tsv
refused "--margin '-1'" "${all[@]}" --output new --margin -1
refused "--target-latency '1.5'" "${from[@]}" --output new --target-latency 1.5
refused "--target-latency '0x'" "${from[@]}" --output new --target-latency 0x
refused "--target-latency '-1ms'" "${from[@]}" --output new --target-latency -1ms
refused "--target-latency 'fast'" "${from[@]}" --output new --target-latency fast
refused "--target-latency 3x" "${from[@]}" --output new --target-latency 3x
refused "--target-size '5'" "${from[@]}" --output new --target-size 5
refused "--target-macs '5': expected a share" "${from[@]}" --output new --target-macs 5
refused "--max-drop '-1'" "${from[@]}" --output new --max-drop -1
refused "--time-budget 'soon'" "${all[@]}" --output new --time-budget soon
refused "search 'none': expected " "${all[@]}" --output new --searcher none
refused "none.json" "${all[@]}" --output new --space none.json
refused "--repair 'maybe'" "${all[@]}" --output new --repair maybe
refused "--fp 'f16'" "${all[@]}" --output new --fp f16
refused "--sampler 'none'" "${all[@]}" --output new --sampler none
refused "--depth-rule 'none'" "${all[@]}" --output new --depth-rule none
refused "--batch" "${all[@]}" --output new --batch 1,8
refused "--seq-len" "${all[@]}" --output new --seq-len 99999
refused "--teacher nano/nano.snc: has no classifier that fits" --teacher nano/nano.snc --task nano/task.json --data nano --target-latency 0.9x --output new
absent new
