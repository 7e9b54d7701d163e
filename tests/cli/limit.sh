#!/usr/bin/env bash
# --time-limit and --effort: what is given up is said and kept in mind, what does not fit is refused with the least that does, what was
# asked for by name stays.
. "$(dirname "$0")/lib.bash"
nano nano
from=(--pretrained nano/nano.snc --task nano/task.json --data nano --target-size 0.9x --lr 2e-3 --supernet-lr 1e-3)
seconds() { awk -v t="$1" 'BEGIN { n = 0; while (match(t, /^[0-9]+[hms]/)) { u = substr(t, RLENGTH, 1); n += substr(t, 1, RLENGTH - 1) * (u == "h" ? 3600 : u == "m" ? 60 : 1); t = substr(t, RLENGTH + 1) } print n }'; }

# ---- what cannot be asked ------------------------------------------------------------------------------------------------------
least='this job takes at least [0-9hms]* here (teacher [0-9hms]*, supernet [0-9hms]*, search [0-9hms]*, the rest [0-9hms]*)$'
refused "--time-limit 10s: this job takes at least " "${from[@]}" --time-limit 10s --output job
holds err "^compress: --time-limit 10s: $least"
refused "--time-limit 10: " "${from[@]}" --time-limit 10 --output job
for wrong in -5m 0s 20x soon nanm m 5m5m 5s3m 5m-3s 5ms 1h30; do refused "--time-limit '$wrong': expected a time such as" "${from[@]}" --time-limit=$wrong --output job; done
refused "--effort 'slow': expected quick, normal or thorough" "${from[@]}" --effort slow --output job
refused "--time-limit 20m: this job with --epochs 1000, --evals 1000000 takes at least " "${from[@]}" --epochs 1000 --evals 1000000 --time-limit 20m --output job
refused "--time-limit is not an option of 'finetune'" finetune --time-limit 5m
absent job

# ---- a limit a little above the least: killed on the way, resumed with the plan that was made, proven -------------------------------
refused "--time-limit 1s: this job takes at least " "${from[@]}" --effort thorough --time-limit 1s --output job
limit=$(($(seconds "$(sed -n 's/.*at least \([0-9hms]*\) here.*/\1/p' err)") + 10))
job=("${from[@]}" --effort thorough --time-limit "${limit}s" --output job)
killed_when job/supernet.snc.checkpoint "${job[@]}" --checkpoint-every 1
holds out '^to end in [0-9hms]*: .*[0-9]* evaluations instead of 800'
holds job/run.json "\"time_limit_s\":.*$limit"
# However late it is by then: what is in the making keeps its plan, and the rest gives way.
cp -r job late
sed -i "s/\"time_limit_s\":[^0-9]*$limit/\"time_limit_s\": 1/" late/run.json
killed_when late/supernet.snc "${from[@]}" --effort thorough --time-limit 1s --output late
holds err '^warning: --time-limit 1s: late: the least that is left takes '
holds err '^supernet: resumed at step [0-9]'
compress "${job[@]}" >out 2>err
code=$?
check "exit code $code, expected 0 or 3" test $code -eq 0 -o $code -eq 3
holds out '^to end in [0-9hms]*, as planned before: .* evaluations instead of 800'
holds err 'finetune: job/teacher.snc is up to date'
holds err '^supernet: resumed at step [0-9]'
holds job/report.md "^- time: [0-9]* s of a limit of $limit s; given up: .*--evals [0-9]* instead of 800 (the later evaluations find the least)"
for key in gave_up time_limit_s took_s effort; do holds job/report.json "\"$key\":"; done
holds job/report.html '<h2>Effort and time</h2>'
check "evaluations: $(number job/report.json evaluations), no more than planned" test "$(number job/report.json evaluations)" -le "$(number job/run.json --evals)"
command=$(sed -n 's/^compress //p' job/report.md)
check "the command says the plan and no limit: $command" grep -q -e "--effort thorough .*--evals $(number job/run.json --evals)" <(echo "$command")
check "the command has a limit" test "${command/--time-limit/}" = "$command"

# ---- again: what the clock says today makes nothing anew -----------------------------------------------------------------------------
cp job/compressed.snc before.snc
run 0,3 "${job[@]}"
holds out '^to end in [0-9hms]*, as planned before: '
for f in 'finetune: job/teacher.snc' 'supernet: job/supernet.snc' 'search: job/compressed.snc'; do holds err "$f is up to date"; done
same job/compressed.snc before.snc
# Its command without a clock asks for what is there; another limit keeps what is made; the options alone ask for something else.
run 0 $command --dry-run
run 0 "${job[@]}" --time-limit 20m --dry-run
holds out '^to end in 20m: [0-9.]* supernet epochs instead of 2'
lacks out '^to end in 20m: .* evaluations instead of'
refused "--output job: supernet.snc was made with --supernet-epochs" "${from[@]}" --effort thorough --output job

# ---- presets; time to spare changes nothing ---------------------------------------------------------------------------------------------
run 0 "${from[@]}" --output new --dry-run --time-limit 0h60m
holds out '^to end in 1h: nothing has to be given up$'
run 0,3 "${from[@]}" --effort quick --time-limit 1h --max-memory 8GB --recompute on --exchange f32 --rank-timeout 5m --profile-on "$(uname -n)" --output quick
holds quick/report.md '^- time: [0-9]* s of a limit of 3600 s; given up: nothing$'
equal "evaluations of a quick job" "$(number quick/report.json evaluations)" 200
for option in '"epochs":.*2' '"supernet-epochs":.*0.5' '"augment":.*1' '"repair-epochs":.*0.5'; do holds quick/report.json "$option"; done
cp quick/compressed.snc before.snc
run 0,3 "${from[@]}" --effort normal --time-limit 20m --epochs 2 --supernet-epochs 0.5 --augment 1 --evals 200 --repair-epochs 0.5 --output quick
holds err 'search: quick/compressed.snc is up to date'
same quick/compressed.snc before.snc
