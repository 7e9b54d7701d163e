#!/usr/bin/env bash
# Every option of every verb, and every value that is a kind of its own, is run to the end by a test. ctest runs the other scripts
# first (-R cli/walk too); each has left a log of its commands.
. "$(dirname "$0")/lib.bash"
WALK=$(helper option_walk)
"$COMPRESS" help --json >table.json
# No test can run what this build has not got.
nano nano
: >without
for backend in blas onednn; do
    "$COMPRESS" bench nano/nano.snc --seeded-head -s 8 -r 1 --backend $backend >out 2>err || ! grep -q "backend $backend: built without" err || echo "--backend $backend" >>without
done
"$COMPRESS" export nano/nano.snc --seeded-head --policy int8 --to exe --output program >out 2>err || ! grep -q 'to exe: built without' err || echo '--to exe' >>without
walked() { # LOG...
    "$WALK" table.json "$@" >all
    [ $? -le 1 ] || return 2
    grep -vxF -f without all >missing || [ $? -eq 1 ] && [ ! -s missing ]
}
if [ -n "${SNC_TEST_LOG:-}" ]; then
    logs=()
    for script in "$TESTS"/cli/*.sh; do
        log=$(dirname "$SNC_TEST_LOG")/$(basename "$script" .sh).log
        [ "$log" != "$SNC_TEST_LOG" ] && [ -e "$log" ] && logs+=("$log")
    done
    walked "${logs[@]}"
    equal "exit code of the walk" $? 0
    equal "options and values that no test runs to the end" "$(cat missing)" ""
    # The walk can fail: without the commands that have an option, it is missing.
    for option in bench:--percentile study:--tabular supernet:--hidden-weight; do
        verb=${option%:*} name=${option#*:}
        cat "${logs[@]}" | grep -vP "^\d+\t$verb\t.*$name" >less.log
        walked less.log
        equal "exit code of the walk without $verb $name" $? 1
        check "$verb $name is named" grep -qx -- "$verb $name" missing
    done
fi

# A table and a log of its own, whole and with each line taken away.
walked /dev/null
equal "exit code of the walk without a log" $? 1
option() { printf '{"name":"%s","brief":"%s","kind":"%s","values":["auto","ref","blas","onednn","native","FILE"],"help":"of what"}' "$@"; }
printf '[{"verb":"compress","options":[%s,%s]},{"verb":"bench","options":[%s,%s]}]' "$(option --lr -l real)" "$(option --dry-run -d flag)" \
    "$(option --max-rows -m integer)" "$(option --backend -B string)" >table.json
own() { "$WALK" table.json "$1" | grep -v -e 'its help' | grep -E '^(compress|bench) |^--backend' | tr '\n' ';'; }
lines=('0\t--lr\t1' '0\tcompress\t--dry-run' '3\tbench\tm\t--max_rows=3' '0\tbench\t-B\tauto' '0\tbench\t-B\tref,blas' '0\tbench\t--backend=onednn'
    '0\tbench\t--backend\tnative')
lacking=('compress --lr;' 'compress --dry-run;' 'bench --max-rows;' '--backend auto;' '--backend ref;--backend blas;' '--backend onednn;' '--backend native;')
for ((i = -1; i < ${#lines[@]}; i++)); do
    for ((k = 0; k < ${#lines[@]}; k++)); do [ $k -eq $i ] || printf "${lines[$k]}\n"; done >own.log
    equal "what lacks without line $i" "$(own own.log)" "$([ $i -lt 0 ] || echo "${lacking[$i]}")"
done
# What was refused, was only asked for help, or stopped early, was not run to the end.
printf '2\t--lr\t1\n130\t--lr\t1\n0\t--lr\t1\t--help\n0\t--lr\t1\t--dry-run\n0\tbench\t--lr\t1\n' >own.log
check "what does not count: $(own own.log)" grep -q '^compress --lr;bench ' <(own own.log)
