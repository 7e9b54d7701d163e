#!/usr/bin/env bash
# The report in a real browser, at 390, 1024 and 1920 pixels, light and dark, and as paper has it: it renders without a complaint, asks
# nobody for anything, nothing is wider than the screen, no two labels of a picture overlap, and series are told apart by people of every
# colour vision. What a browser measures is in page.html beside this script. The pictures of it are kept beside the program (report.png,
# report-dark.png). Skipped where no Chromium is installed (Debian: chromium).
BROWSER=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || { echo "skipped: no chromium, chromium-browser or google-chrome"; exit 77; }
. "$(dirname "$0")/lib.bash"
nano nano
data=(--task nano/task.json --data nano)
run 0,3 --pretrained nano/nano.snc "${data[@]}" --epochs 2 --lr 2e-3 --supernet-epochs 0.5 --supernet-lr 1e-3 --evals 60 --repair off --target-latency 0.9x --output job
run 0 search job/supernet.snc --teacher job/teacher.snc "${data[@]}" --target-size 0.9x --output a --evals 90 --searcher random
run 0 search job/supernet.snc --teacher job/teacher.snc "${data[@]}" --target-size 0.9x --output a --evals 110
PICTURES="latency size loss hypervolume importance"
for p in $PICTURES; do
    exists a/report-$p.svg
    check "report-$p.svg is not named on the page" grep -q "<code>report-$p.svg</code>" a/report.html
    equal "what report-$p.svg asks others for" "$(grep -oE '<script|<link|<image|href=|url\(|https?:' a/report-$p.svg)" "http:" # its namespace
done
holds a/report.html '<details><summary>Predictors of the search: [0-9]* rounds</summary>'
check "evaluations with a tooltip" test "$(grep -o '<title>evaluation' a/report.html | wc -l)" -gt 200

# What paper has, on a screen: the rules of print for all, those of the screen for none.
sed 's/@media print/@media all/; s/@media screen[^{]*{/@media not all{/' a/report.html >paper.html
cp "$TESTS/cli/page.html" .
browse() { # OPTION...: with no network, no profile of the user's, and whatever the page complains of on standard error
    timeout 120 "$BROWSER" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --user-data-dir="$SCRATCH/profile" \
        --allow-file-access-from-files --host-resolver-rules='MAP * ~NOTFOUND' --enable-logging=stderr --log-level=0 --virtual-time-budget=3000 \
        --window-size=3400,1400 "$@" "file://$SCRATCH/page.html"
}
for look in light dark; do
    picture=report.png dark=
    [ $look = light ] || { picture=report-dark.png; dark=--blink-settings=preferredColorScheme=0; }
    browse ${dark:+$dark} --screenshot="$SCRATCH/$picture" --dump-dom >dom 2>err
    check "the browser failed" test $? -eq 0
    lacks err 'CONSOLE'
    sed -n '/<pre id="said">/,/<\/pre>/p' dom | sed 's/<[^>]*>//g' | grep . >said
    while read -r line; do fail "$look: $line"; done < <(grep -v '^ok ' said)
    # Two pages at three widths, the paper, and the files by themselves.
    equal "$look: what was measured" "$(grep -c "^ok $look " said)" 12
    check "$picture is no picture" test "$(head -c 8 "$picture" 2>/dev/null | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a
    check "$picture is empty" test "$(stat -c %s "$picture" 2>/dev/null || echo 0)" -gt 40000
    cp "$picture" "$(dirname "$COMPRESS")/$picture"
done
check "dark looks like light" test "$(cmp -s report.png report-dark.png; echo $?)" -eq 1
