#!/usr/bin/env bash
# The report in a real browser: it renders without a complaint, asks nobody for anything, and the picture is kept beside the
# program (report.png, report-dark.png). Skipped where no Chromium is installed (Debian: chromium).
BROWSER=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || { echo "skipped: no chromium, chromium-browser or google-chrome"; exit 77; }
. "$(dirname "$0")/lib.bash"
nano nano
data=(--task nano/task.json --data nano)
run 0 finetune --pretrained nano/nano.snc "${data[@]}" --output t.snc --epochs 3 --lr 2e-3 --threads 1
run 0 supernet --teacher t.snc "${data[@]}" --output s.snc --supernet-lr 1e-3 --threads 1
search=(search s.snc --teacher t.snc "${data[@]}" --target-size 0.9x --output a)
run 0 "${search[@]}" --evals 90 --searcher random
run 0 "${search[@]}" --evals 120

browse() { # OPTION...: with no network, no profile of the user's, and whatever the page complains of on standard error
    timeout 120 "$BROWSER" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --user-data-dir="$SCRATCH/profile" \
        --host-resolver-rules='MAP * ~NOTFOUND' --enable-logging=stderr --log-level=0 --virtual-time-budget=1000 "$@" "file://$SCRATCH/a/report.html"
}
browse --dump-dom >dom 2>err
check "the browser failed" test $? -eq 0
equal "plots" "$(grep -o '<svg' dom | wc -l)" 4
check "evaluations with a tooltip" test "$(grep -o '<circle[^>]*><title>evaluation' dom | wc -l)" -gt 100
lacks err 'CONSOLE'
for look in "" dark; do
    picture=report${look:+-$look}.png
    browse ${look:+--blink-settings=preferredColorScheme=0} --window-size=1200,2600 --screenshot="$SCRATCH/$picture" >/dev/null 2>err
    check "$picture is no picture" test "$(head -c 8 "$picture" 2>/dev/null | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a
    check "$picture is empty" test "$(stat -c %s "$picture" 2>/dev/null || echo 0)" -gt 40000
    cp "$picture" "$(dirname "$COMPRESS")/$picture"
done
check "dark looks like light" test "$(cmp -s report.png report-dark.png; echo $?)" -eq 1
