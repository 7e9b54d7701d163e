#!/usr/bin/env bash
# The live page: what status.json says while verbs work and as they end, who is refused, and the page in a real browser.
. "$(dirname "$0")/lib.bash"
not_emulated "the page's threads are its host's"
"$COMPRESS" search --export csv --watch 0 2>&1 | grep -q libmicrohttpd && { echo "skipped: no libmicrohttpd here"; trap - EXIT; rm -rf "$SCRATCH"; exit 77; }
nano nano
data=(--task nano/task.json --data nano)

# watched ARG...: in the background with a page; its port is in $port once it listens.
watched() {
    WATCHED="$* --watch 0"
    : >log
    "$COMPRESS" "$@" --watch 0 >answer 2>log &
    CHILD=$!
    port=""
    for ((i = 0; i < 3000; i++)); do
        port=$(sed -n 's|^watch: http://127.0.0.1:\([0-9]*\)$|\1|p' log)
        [ -n "$port" ] && break
        kill -0 "$CHILD" 2>/dev/null || break
        sleep 0.01
    done
    check "compress $WATCHED says where its page is: $(cat log)" test -n "$port"
    [ -n "$port" ] || exit 1
}
# ended CODE[,CODE]: it has.
ended() {
    local got
    wait "$CHILD"
    got=$?
    CHILD=""
    check "exit code $got of compress $WATCHED, expected $1: $(tail -1 log)" test -z "${1##*$got*}"
    [ -z "${SNC_TEST_LOG:-}" ] || printf '%s\t%s\n' $got "${WATCHED// /$'\t'}" >>"$SNC_TEST_LOG"
    code=$got
}
# get METHOD PATH [HEADER...]: an answer's headers in ./head, its body in ./body; Host is the page's own where no header says it.
get() {
    local method=$1 path=$2 h
    shift 2
    [[ "$*" == *[Hh]ost:* ]] || set -- "Host: 127.0.0.1:$port" "$@"
    { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
    {
        printf '%s %s HTTP/1.1\r\nConnection: close\r\n' "$method" "$path"
        for h; do printf '%s\r\n' "$h"; done
        printf '\r\n'
    } | cat >&3 2>/dev/null # which a page that has gone may end, and not this script
    cat <&3 >raw 2>/dev/null
    exec 3>&-
    sed '/^\r$/q' raw | tr -d '\r' >head
    sed '1,/^\r$/d' raw >body
    [ -s head ]
}
asked() { # STATUS METHOD PATH [HEADER...]
    local want=$1
    shift
    check "$1 $2 is answered" get "$@"
    equal "status of $*" "$(awk 'NR == 1 { print $2 }' head)" "$want"
}

# ---- refused before any work ------------------------------------------------------------------------------------------------------------
tune=(finetune --pretrained nano/nano.snc "${data[@]}" --lr 2e-3 --threads 1)
for wrong in 70000 -1 http 80.5 ''; do refused "--watch" "${tune[@]}" --output x.snc --watch "$wrong"; done
holds err '^compress: --watch: empty value$'
refused "--watch '65536': expected a port, 1 to 65535, or 0 for one that is free" "${tune[@]}" --output x.snc --watch 65536
refused "--watch is not an option of 'info'" info nano/nano.snc --watch 0
absent x.snc

# ---- who may ask, and for what ------------------------------------------------------------------------------------------------------------
watched "${tune[@]}" --epochs 1000 --checkpoint-every 0 --output t.snc
refused "--watch $port: Address already in use" "${tune[@]}" --output x.snc --watch "$port"
absent x.snc
asked 200 GET /
holds head '^Content-Type: text/html; charset=utf-8$'
holds head "^Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; .*frame-ancestors 'none'\$"
for file in $(grep -oE '(href|src)="[^"]*"' body | cut -d'"' -f2 | grep -v -e '^data:' -e json); do
    asked 200 GET "/$file"
    check "/$file holds something" test -s body
    lacks body '\(http\|https\|ws\):/\{2\}[^w]' # but the name of a namespace
done
asked 200 HEAD /status.json
check "HEAD has no body" test ! -s body
for method in POST OPTIONS; do
    asked 405 $method /status.json 'Content-Length: 0'
    holds head '^Allow: GET, HEAD$'
done
for path in /nothing /../etc/passwd; do asked 404 GET $path; done
for host in "Localhost:$port" "[::1]:$port"; do asked 200 GET /status.json "Host: $host"; done
for host in "evil.example:$port" "127.0.0.1.evil.example:$port" "127.0.0.1" "localhost:1" "127.0.0.1:$port.evil.example"; do
    asked 403 GET /status.json "Host: $host"
    lacks body seconds
done
check "nobody else can reach it" test -z "$(awk -v p="$(printf %04X "$port")" '$4 == "0A" && $2 ~ ":" p "$" && $2 !~ /^0100007F:/' /proc/net/tcp /proc/net/tcp6)"
# It is told to end: the page hears it, and how.
for ((i = 0; i < 600; i++)); do get GET /status.json && grep -q '"stage":{"name":"finetune"' body && break; sleep 0.02; done
holds body '"ended":null,"stage":{"name":"finetune","note":"[^"]*","done":[0-9]*,"total":[0-9]*,'
kill -INT "$CHILD"
for ((i = 0; i < 600; i++)); do get GET /status.json || break; cp body last; sleep 0.02; done
ended 130
holds last '"ended":{"exit_code":130,"text":"finetune: interrupted at step '
run 2 "${tune[@]/nano\/nano.snc/none.snc}" --output x.snc --watch 0 --quiet # before the first line of it, the page too
holds err '^compress: none.snc: No such file'
lines err 2
absent x.snc

# ---- the whole job, its stages longer than a look takes: evaluations, the log ------------------------------------------------------------
odd='<b>"job"</b>'
watched --pretrained nano/nano.snc "${data[@]}" --target-size 0.9x --epochs 30 --lr 2e-3 --supernet-epochs 4 --augment 0 --evals 50 --rank-share 0.2 --repair off --output "$odd"
for ((i = 0; i < 30000; i++)); do
    get GET /status.json || break
    cp body last
    grep -o '"stage":{"name":"[^"]*"' body >>stages
    grep -o '"all_left_s":[0-9.e+]*' body >>left
    sleep 0.02
done
ended 0,3
holds last "\"ended\":{\"exit_code\":$code,\"text\":\"\"}"
check "stages: $(sort -u stages | tr '\n' ' ')" test "$(sort -u stages | wc -l)" -ge 4
holds stages '"finetune"'
equal "evaluations at the end" "$(number last evaluations)" 50
check "the time left of the job is known" test -s left
holds last '"objectives":\["loss","size"\]'
points() { grep -o "\"$1\":\[\(\[[^]]*\],*\)*" last | grep -o '\[[0-9]*,' | wc -l; }
equal "points on the front and beside it" $(($(points front) + $(points others))) 50
holds last '"level":"info","line":"checked in '
holds last '"level":"result","line":"file: <b>\\"job\\"</b>/compressed.snc '
# The page is no part of what was made.
lacks "$odd/report.json" "--watch"

# ---- the other verbs ---------------------------------------------------------------------------------------------------------------------
run 0 "${tune[@]}" --epochs 3 --output t.snc --overwrite --watch 0
holds err '^watch: http://127.0.0.1:[0-9]*$'
run 0 "${tune[@]}" --epochs 3 --output t.snc --overwrite --watch 0 --quiet
check "--quiet leaves where the page is, alone: $(cat err)" grep -qx 'watch: http://127\.0\.0\.1:[0-9]*' err
lines err 1
run 0 supernet --teacher t.snc "${data[@]}" --supernet-lr 1e-3 --threads 1 --augment 0 --output s.snc --watch 0
search=(search s.snc --teacher t.snc "${data[@]}" --target-size 0.9x --output a)
run 0 "${search[@]}" --evals 30 --watch 0
awk 'BEGIN { printf "{"; for (i = 0; i < 6561; i++) { s = ""; for (k = i; length(s) < 8; k = int(k / 3)) s = s k % 3
    printf "%s\"%s\":{\"mean_acc\":%.3f}", i ? "," : "", s, 80 + i % 977 / 50 } print "}" }' >nas-bench-macro_cifar10.json
run 0 study --tabular . --searchers random --seeds 2 --watch 0
echo '{"name":"one","tasks":["nano/task.json"],"options":{"watch":"0"}}' >suite.json # the suite itself: suite.sh
refused "'watch' is no option of a suite's jobs" suite ./suite.json --pretrained nano/nano.snc --data nano --output many

# ---- a search that goes on, and on: evaluations grow; in a browser, light and dark, and its end --------------------------------------------
watched "${search[@]}" --evals 1000000
: >evaluations
for ((i = 0; i < 3000; i++)); do
    get GET /status.json
    number body evaluations >>evaluations
    [ "$(tail -1 evaluations)" -ge 60 ] 2>/dev/null && [ "$(uniq evaluations | wc -l)" -ge 3 ] && break
    sleep 0.05
done
check "evaluations grow: $(uniq evaluations | tr '\n' ' ')" test "$(uniq evaluations | wc -l)" -ge 3
equal "and never fall" "$(cat evaluations)" "$(sort -n evaluations)"
equal "the first, of an earlier run, is there once" "$(grep -o '\[1,[0-9.e+-]*,' body | wc -l)" 1
BROWSER=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || { echo "no browser: nothing is said about the page" >&2; exit; }
browse() { # BUDGET OPTION...: milliseconds of the page's own clock, which passes as fast as its requests are answered
    timeout 120 "$BROWSER" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --user-data-dir="$SCRATCH/profile" \
        --host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE 127.0.0.1' --enable-logging=stderr --log-level=0 --virtual-time-budget="$1" "${@:2}" "http://127.0.0.1:$port/" 2>err
    check "the browser failed" test $? -eq 0
    lacks err CONSOLE
}
for look in "" dark; do
    picture=watch${look:+-$look}.png
    browse 1500 ${look:+--blink-settings=preferredColorScheme=0} --window-size=1200,1100 --screenshot="$SCRATCH/$picture" >/dev/null
    check "$picture is no picture" test "$(head -c 8 "$picture" 2>/dev/null | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a
    check "$picture is empty" test "$(stat -c %s "$picture" 2>/dev/null || echo 0)" -gt 20000
    cp "$picture" "$(dirname "$COMPRESS")/$picture"
done
(sleep 1 && kill -INT "$CHILD") &
browse 600000 --dump-dom >dom
ended 130
holds dom '<span class="badge no" id="state">ended: interrupted</span>'
holds dom '<b id="stage">search</b>'
check "evaluations are circles" test "$(grep -o '<circle class="all"[^>]*><title>evaluation' dom | wc -l)" -gt 20
check "those of the front are diamonds" test "$(grep -o '<path class="diamond"[^>]*><title>evaluation' dom | wc -l)" -ge 1
holds dom 'Exit code 130: search interrupted after '
