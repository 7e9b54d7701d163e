#!/usr/bin/env bash
# The search by itself: budgets, resume from the journal, its lock, spaces and searchers from files.
. "$(dirname "$0")/lib.bash"
nano nano
data=(--task nano/task.json --data nano)
run 0 finetune --pretrained nano/nano.snc "${data[@]}" --output t.snc --epochs 3 --lr 2e-3 --threads 1
run 0 supernet --teacher t.snc "${data[@]}" --output s.snc --supernet-lr 1e-3 --threads 1
holds out 'sentences/s'
holds err 'depth rule'
run 0 info s.snc --json
holds out '"rule":'
search=(search s.snc --teacher t.snc "${data[@]}" --target-size 0.9x) # what bytes allow does not depend on the clock

run 0 "${search[@]}" --evals 60 --output a
exists a/search.sqlite a/front.json a/config.json a/best.json a/latency.json a/report.html
holds out '^60 evaluations'
holds out '^teacher on select'
holds out '^front of 60 evaluations: '
equal "what the page asks others for" "$(grep -oE '<script|<link|<img|src=|href=|url\(|https?:' a/report.html | head -3)" ""
equal "plots of the page" "$(grep -o '<svg' a/report.html | wc -l) $(grep -o '</svg>' a/report.html | wc -l)" "5 5"
equal "points of the page" "$(grep -o '<title>evaluation' a/report.html | wc -l)" "$(grep -c '<title>evaluation' a/report.html)"
holds a/report.html '<table class="heat">'
holds a/report.html '<pre>compress search s.snc --teacher t.snc .*--evals 60</pre>'
holds a/report.html '<h2>What the search keeps</h2>'
holds a/front.json '"holds_inner":'
holds a/report.html '<h2>What was read</h2>'
lacks a/report.html '[^a-z]nan[^a-z]'

# ---- finalists that are all slower than the table says: those are asked that keep the latency by the clock ------------------------
LATE=$(dirname "$MAKE_NANO")/late_clock.so
if [ -e "$LATE" ]; then
    for try in 4:0.9 4:1 4:1.15 4:1.3 6:1 6:1.3 9:1.3; do # how far from its table a busy machine is besides, nobody knows
        rm -rf late && cp -r a late
        share=${try#*:}
        limit=$(awk -v us="$(number a/front.json full_int8_us)" -v s=$share 'BEGIN { printf "%.0f", s * us }')
        export "$PRELOAD=$LATE" SNC_LATE=${try%:*}
        run 0,3 search s.snc --teacher t.snc "${data[@]}" --target-latency "${limit}us" --evals 60 --output late
        unset "$PRELOAD" SNC_LATE
        holds err 'profile: late/latency.json is up to date'
        bound=$(awk -v l="$limit" 'BEGIN { print 0.8 * l }') # by a slower clock
        chosen=$(number late/config.json latency_us)
        # Those asked later may be late too when the machine was busier just then: the first ones are kept, rightly.
        grep -q 'none keeps the latency on the clock' err && awk "BEGIN { exit !($chosen < $bound) }" && break
    done
    holds err '^finalists: none keeps the latency on the clock; [0-9]* more, of at most [0-9]* us by the table$'
    less "what the chosen net takes by the table, and the limit by a slower clock" "$chosen" "$bound"
fi

# ---- what a journal holds -------------------------------------------------------------------------------------------------
rows() { "$COMPRESS" search --export csv --journal "$1" 2>/dev/null | tail -n +2; } # JOURNAL
run 0 search --export csv --output a
lines out 61
equal "columns" "$(head -1 out)" id,config,source,loss,metric,latency_us,bytes,macs,front
check "every row is whole" awk -F, 'NR > 1 && (NF != 9 || $1 != NR - 1 || $3 != "linas" || $4 <= 0 || $5 > 1 || $6 <= 0 || $7 <= 0 || $8 <= 0) { exit 1 }' out
check "the front is what nothing beats" awk -F, 'NR > 1 { l[NR] = $4; t[NR] = $6; b[NR] = $7; f[NR] = $9; n++ }
    END { for (i in l) { beaten = 0
            for (k in l) if (l[k] <= l[i] && t[k] <= t[i] && b[k] <= b[i] && (l[k] < l[i] || t[k] < t[i] || b[k] < b[i])) beaten = 1
            if (f[i] == beaten) exit 1 }
          exit n != 60 }' out
equal "rows of the front" "$(grep -c ',1$' out)" "$(tr -d ' \t\n' <a/front.json | sed 's/.*"front"://' | grep -o '"config"' | wc -l)"
cp out a.csv
run 0 search --export json --journal a/search.sqlite
for key in schema model teacher task 'rank rows' space genes evaluations notes; do holds out "\"$key\":"; done
equal "evaluations" "$(grep -c '"config":' out)" 60
refused "--export 'xml': expected csv or json" search --export xml --output a
refused "none.sqlite: no such file" search --export csv --journal none.sqlite
refused "search --export: --journal is missing" search --export csv
refused "s.snc" search --export csv --journal s.snc

# ---- killed again and again, at whatever point it is, then to the end: the same evaluations in the same order ---------------
mkdir b && cp a/latency.json* b
cut_short=0
for pause in 0.02 0.05 0.08 0.03 0.12 0.06 0.2 0.04; do
    "$COMPRESS" "${search[@]}" --evals 60 --output b >/dev/null 2>&1 &
    CHILD=$!
    for ((n = 0; n < 3000; n++)); do [ -s b/search.sqlite ] && break; sleep 0.01; done
    sleep "$pause"
    kill -9 "$CHILD" 2>/dev/null
    wait "$CHILD" 2>/dev/null
    CHILD=""
    rows b/search.sqlite >part
    check "a killed search's rows are the first of the whole one's" diff -q part <(tail -n +2 a.csv | head -"$(wc -l <part)" | cut -d, -f1-8 | paste -d, - <(cut -d, -f9 part))
    [ "$(wc -l <part)" -lt 60 ] && cut_short=$((cut_short + 1))
done
check "no search was killed before its end" test "$cut_short" -gt 0
run 0 "${search[@]}" --evals 60 --output b
holds out '^60 evaluations'
holds err 'b/latency.json is up to date'
same b/best.json a/best.json
run 0 search --export csv --output b
same out a.csv
# More evaluations than before: the first ones come from the journal.
run 0 "${search[@]}" --evals 90 --output b
holds out '^90 evaluations'
equal "the first 60 of 90" "$(rows b/search.sqlite | head -60 | cut -d, -f1-5)" "$(tail -n +2 a.csv | cut -d, -f1-5)"
# --journal: elsewhere than in the folder.
run 0 "${search[@]}" --evals 60 --journal b/search.sqlite --output elsewhere
holds out '^90 evaluations'
absent elsewhere/search.sqlite

# ---- begun with the evaluations of another ---------------------------------------------------------------------------------
echo '{"name":"nsga2","population":8}' >small.json
mkdir warm && cp a/latency.json* warm
run 0 "${search[@]}" --evals 80 --searcher small.json --warm-start a/search.sqlite --output warm
holds err '^warm start: 60 evaluations of a/search.sqlite, '
equal "taken over" "$(rows warm/search.sqlite | grep -c ',warm start,')" 60
check "nothing is evaluated twice" test "$(rows warm/search.sqlite | cut -d, -f2 | sort | uniq -d | wc -l)" -eq 0
check "it went on" test "$(rows warm/search.sqlite | grep -c ',nsga2,')" -gt 0
lowest() { rows "$1" | cut -d, -f4 | sort -g | head -1; }
check "no worse than what it began with" awk -v a="$(lowest warm/search.sqlite)" -v b="$(lowest a/search.sqlite)" 'BEGIN { exit !(a > 0 && a <= b) }'
refused "--warm-start a/search.sqlite: is this search's own journal" "${search[@]}" --evals 60 --warm-start a/search.sqlite --output a
refused "--warm-start none: no such file" "${search[@]}" --evals 60 --warm-start none --output w2
echo '{"heads":[4,2]}' >narrow.json
refused "a/search.sqlite: journal of another search: space is" "${search[@]}" --evals 60 --space narrow.json --warm-start a/search.sqlite --output w3

# ---- what is traded against what ---------------------------------------------------------------------------------------------
for objectives in loss,macs score,latency loss,size,latency macs,loss,size; do
    rm -rf o && mkdir o && cp a/latency.json* o
    run 0 "${search[@]}" --evals 30 --objectives "$objectives" --output o
    holds out '^30 evaluations'
done
refused "--objectives 'latency,size'" "${search[@]}" --objectives latency,size --output i
refused "--objectives 'loss'" "${search[@]}" --objectives loss --output i
refused "--objectives 'loss,score': one of loss and score, once" "${search[@]}" --objectives loss,score --output i
refused "--objectives 'loss,size,size': size twice" "${search[@]}" --objectives loss,size,size --output i
refused "--objectives 'loss,fun'" "${search[@]}" --objectives loss,fun --output i
refused "--objectives 'loss,size,macs,latency': more than three" "${search[@]}" --objectives loss,size,macs,latency --output i

# ---- a target that cannot be met by far is refused; one that is near is said, and the nearest net is kept ----------------------
refused "--target-size 0.001 MB: out of reach: the smallest net of the space needs" search s.snc --teacher t.snc "${data[@]}" --target-size 1KB --output far
absent far
near=$(grep -o 'needs [0-9.]*' err | awk '{ print $2 + 0.001 }') # between the weights alone and the file
run 3 search s.snc --teacher t.snc "${data[@]}" --target-size "${near}MB" --evals 30 --output far
holds err 'the targets are out of reach: the smallest net of the space needs size '
holds out '^MISSED: the chosen net is the nearest to what was asked'
holds out "^- size .*, asked $(printf %.3f "$near")"
holds far/front.json '"meets":.*false'
run 0 export s.snc --config far/config.json --output far.snc
run 0 search s.snc --teacher t.snc "${data[@]}" --max-drop 50 --evals 40 --output drop
bound=$(tr -d ' \t\n' <drop/front.json | grep -o '"select_drop_at_most":[-0-9.]*' | head -1 | cut -d: -f2)
less "bound of the chosen net's drop" "$bound" 50
for f in out drop/report.html; do holds $f "[Ww]inner's curse: loss of the chosen net [0-9.]* on rank, where it was looked for, [0-9.]* on select ([-+][0-9.]* %), [0-9.]* on fresh rows"; done
less "loss on fresh rows and its bound" "$(number drop/front.json fresh_loss)" "$(number drop/front.json fresh_at_most)"
run 3 search s.snc --teacher t.snc "${data[@]}" --max-drop 0 --target-size 0.35x --target-latency 2x --evals 40 --output tight
holds out '^- drop .* points on select with upper bound .* points, asked at most 0.00'
# A drop is kept by what the rows can show: 120 of them cannot show two points of a net that is no worse.
# Its rows are labelled as the teacher answers them: no net has more right.
mkdir -p own && cp nano/task.json own
for split in train dev; do
    cut -f1 nano/$split.tsv | tail -n +2 >texts
    run 0 predict t.snc <texts
    { head -1 nano/$split.tsv; cut -f1 out | paste texts -; } >own/$split.tsv
done
run 3 search s.snc --teacher t.snc --task own/task.json --data own --max-drop 2 --evals 40 --output few
holds out '^- drop .* on select with upper bound .*, asked at most 2.00 points; 120 rows are too few to show it of an equal model that differs as often: that needs about [0-9,]* rows$'
holds few/front.json '"meets":.*false'

# ---- a full disk: one line, the journal whole, the best so far kept -------------------------------------------------------------
mkdir full && cp a/latency.json* full
CHECKS=$((CHECKS + 1))
(ulimit -f 40; exec "$COMPRESS" "${search[@]}" --evals 5000 --output full --quiet) >out 2>err
[ $? -eq 2 ] || fail "a full disk: not exit code 2"
lines err 1
holds err '^compress: full/search.sqlite: '
exists full/best.json
no_leftovers full
rows full/search.sqlite >part
check "evaluations before the disk was full" test "$(wc -l <part)" -gt 60
equal "the first 60 before the disk was full" "$(head -60 part | cut -d, -f1-5)" "$(tail -n +2 a.csv | cut -d, -f1-5)"
run 0 "${search[@]}" --evals "$(($(wc -l <part) + 8))" --output full
holds out "^$(($(wc -l <part) + 8)) evaluations"

# One journal, one search at a time.
"$COMPRESS" "${search[@]}" --evals 1000000 --output d >first.txt 2>&1 &
CHILD=$!
for ((n = 0; n < 3000; n++)); do [ -e d/best.json ] && break; sleep 0.01; done
refused "--output d: another run is in it (pid $CHILD)" "${search[@]}" --evals 60 --output d
refused "d/search.sqlite: another search has this journal open" "${search[@]}" --evals 60 --journal d/search.sqlite --output elsewhere
kill -INT "$CHILD"
wait "$CHILD"
equal "exit code of the interrupted one" $? 130
CHILD=""
absent d/run.json
# A journal answers for one supernet only, and has to be one.
run 0 supernet --teacher t.snc "${data[@]}" --output s2.snc --supernet-lr 5e-4 --threads 1
refused "a/search.sqlite: journal of another search: model is" search s2.snc --teacher t.snc "${data[@]}" --target-size 0.9x --evals 5 --output a
refused "a/search.sqlite: journal of another search: model is" search s2.snc --teacher t.snc "${data[@]}" --target-size 0.9x --warm-start a/search.sqlite --evals 5 --output i
mkdir e && echo 'no database at all, but some words' >e/search.sqlite
refused "e/search.sqlite" "${search[@]}" --evals 5 --output e

# A time budget ends it, whatever the searcher; no clock that can be set is asked but for the date of a log line and of a report.
equal "wall clocks in the sources" "$(grep -rnE 'CLOCK_REALTIME|gettimeofday|[^_a-z]time\((NULL|0|&)' "$TESTS/../src" "$TESTS/../models" --include=*.c | grep -vE '/base/clock.c:.* now = time.NULL|/cli/terminal.c:' | head -3)" ""
SECONDS=0
run 0 "${search[@]}" --searcher random --seed 7 --evals 1000000 --time-budget 1s --output f
less "seconds of a search of one second" "$SECONDS" 60

# Compared on a share of rank's rows: other evaluations, and nobody else's journal; fewer fresh rows to judge finalists by.
run 0 "${search[@]}" --evals 20 --rank-share 0.3 --output share --verbose
holds out '^20 evaluations'
holds out '^front of 20 evaluations: '
check "rows that a share compares on, and all" test "$(rows share/search.sqlite | sed -n 2p)" != "$(rows a/search.sqlite | sed -n 2p)"
run 0 "${search[@]}" --evals 20 --rank-share 0.3 --output share
refused "share/search.sqlite: journal of another search: rank rows is" "${search[@]}" --evals 20 --output share
refused "share/search.sqlite: journal of another search: rank rows is" "${search[@]}" --evals 20 --rank-share 0.4 --output share
refused "a/search.sqlite: journal of another search: rank rows is" "${search[@]}" --rank-share 0.3 --warm-start a/search.sqlite --output i
for wrong in 0 1.1 nan all; do refused "--rank-share" "${search[@]}" --rank-share $wrong --output i; done

# Spaces and searchers from files.
echo '{"depth":[3],"hidden":[32],"heads":[4,2],"ffn":[64,32],"linear":["int8"],"embed":["int8"]}' >space.json
echo '{"name":"nsga2","population":8,"mutation":0.2}' >nsga2.json
run 0 "${search[@]}" --evals 20 --space space.json --searcher nsga2.json --output g
tr -d ' \t\n' <g/front.json >flat
equal "dtypes of Q, K and V" "$(grep -o '"qkv":"[a-z0-9]*"' flat | sort -u)" '"qkv":"int8"'
equal "hidden sizes" "$(grep -o '"hidden":[0-9]*' flat | sort -u)" '"hidden":32'
equal "FFN widths beyond the list" "$(grep -o '"ffn":[0-9]*' flat | grep -vc ':64$\|:32$')" 0
# What a supernet was not trained for is not searched.
echo '{"depth":[3,1],"depth_layers":{"1":[1]},"heads":[4,1]}' >gaps.json
run 0 supernet --teacher t.snc "${data[@]}" --output gaps.snc --space gaps.json --supernet-epochs 0.2 --threads 1
run 0 search gaps.snc --teacher t.snc "${data[@]}" --target-size 0.9x --evals 20 --space gaps.json --output gaps
tr -d ' \t\n' <gaps/front.json | grep -o '"layers":\[{[^]]*\]' | grep -o '"source":[0-9]*' | sort -u >flat
check "layers of depth 1 are the file's" grep -q '"source":1' flat
refused "gaps.snc: was not trained for these layers at depth 2" search gaps.snc --teacher t.snc "${data[@]}" --target-size 0.9x --output i
echo '{"depth":[3,1],"heads":[4,1]}' >bad.json
refused "gaps.snc: was not trained for these layers at depth 1" search gaps.snc --teacher t.snc "${data[@]}" --target-size 0.9x --space bad.json --output i
echo '{"depth":[3,1],"depth_layers":{"1":[1]},"heads":[4,2]}' >bad.json
refused "gaps.snc: was not trained for heads 2" search gaps.snc --teacher t.snc "${data[@]}" --target-size 0.9x --space bad.json --output i
echo '{"depth":[3],"width":[32]}' >bad.json
refused "unknown key 'width'" "${search[@]}" --space bad.json --output i
echo '{"hidden":[33]}' >bad.json
refused "33" "${search[@]}" --space bad.json --output i
echo '{"hidden":[]}' >bad.json
refused "'hidden'" "${search[@]}" --space bad.json --output i
echo '{"name":"nsga2","popolation":8}' >bad.json
refused "unknown key 'popolation'" "${search[@]}" --searcher bad.json --output i
echo '{"name":"nsga3"}' >bad.json
refused "search 'nsga3'" "${search[@]}" --searcher bad.json --output i
refused "search: --teacher is missing" search s.snc "${data[@]}" --target-latency 0.9x --output i
refused "search: no target: give --target-latency, --target-size, --target-macs or --max-drop" search s.snc --teacher t.snc "${data[@]}" --output i
refused "nano/nano.snc: has no trained classifier" search s.snc --teacher nano/nano.snc "${data[@]}" --target-latency 0.9x --output i
absent i

# ---- a space that reaches further: halves skipped, layers chosen singly ----------------------------------------------------------
wide=$TESTS/../configs/spaces/wide.json
run 0 supernet --teacher t.snc "${data[@]}" --output wide.snc --space "$wide" --supernet-epochs 0.3 --threads 1
run 0 search wide.snc --teacher t.snc "${data[@]}" --target-size 0.7x --evals 40 --space "$wide" --output wide
holds err '^search: linas over 10^'
run 0 search --export json --output wide
tr -d ' \t\n' <out >flat
equal "genes of layers" "$(grep -o '{"gene":"layer","layer":[0-9],"options":\[[01,]*\]}' flat | tr '\n' ' ')" \
    '{"gene":"layer","layer":0,"options":[0,1]} {"gene":"layer","layer":1,"options":[0,1]} {"gene":"layer","layer":2,"options":[1]} '
check "nets of every set of layers that has the last" test "$(rows wide/search.sqlite | cut -d, -f2 | cut -d. -f3,4 | sort -u | wc -l)" -eq 4
# A layer that is not the last has no heads, or both: all three with theirs are beyond the limit.
echo '{"depth":[3],"heads":[0,4],"ffn":[64],"always":[2]}' >halves.json
run 0 search wide.snc --teacher t.snc "${data[@]}" --target-macs 0.9x --evals 20 --space halves.json --output halves
tr -d ' \t\n' <halves/config.json >flat
check "a layer of the net has no heads" grep -q '"heads":0,"ffn":64' flat
check "and one has" grep -q '"heads":4,"ffn":64' flat
run 0 export wide.snc --config halves/config.json --output halves.snc
run 0 info halves.snc
check "what is skipped has no dtypes" grep -qE '^ +[0-9] +[0-9] +0 +64 +- +- +- +- +[a-z0-9]+ +[a-z0-9]+$' out
run 0 verify halves.snc
run 0 eval halves.snc "${data[@]}" --split dev --json
run 0 bench halves.snc -s 8 -r 3 --profile -o json
for bad in '{"heads":[0,4],"ffn":[0,64]}' '{"reach":"wide","depth":[3,1],"layers":"rule","always":[1]}'; do
    echo "$bad" >bad.json
    refused "a net may have no layer at work" supernet --teacher t.snc "${data[@]}" --space bad.json --output i
done
refused "s.snc: was not trained for layers chosen singly" search s.snc --teacher t.snc "${data[@]}" --target-size 0.9x --space "$wide" --output i

# The latency table by itself, on one thread and another workload.
run 0 profile s.snc "${data[@]}" --batch 2 --seq-len 16 --output table.json
exists table.json
holds table.json '"host":'
refused "none/table.json" profile s.snc "${data[@]}" --output none/table.json
