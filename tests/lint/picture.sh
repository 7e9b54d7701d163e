#!/usr/bin/env bash
# README's picture is what its measurements draw, and a picture of any is whole: well formed, every row with its label, none on another.
# usage: picture.sh ROOT; prints each breach, exits 1 when there is one.
set -u
cd "$1" || exit 2
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
export PYTHONDONTWRITEBYTECODE=1
scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
bad=0
draw() { python3 tests/bench/speed_score.py draw "$1" "$2"; }
if [ -e docs/speed-score.svg ] || [ -e tests/bench/speed_score.csv ]; then
    draw tests/bench/speed_score.csv "$scratch/now.svg" && cmp "$scratch/now.svg" docs/speed-score.svg ||
        { echo "lint: docs/speed-score.svg is not what tests/bench/speed_score.csv draws"; bad=1; }
fi
{
    echo program,version,file,latency_ms,low_ms,high_ms,score,rows,rounds,threads,machine
    i=0
    for who in "ONNX Runtime,1,dynamic INT8" "OpenVINO,1,INT8" 'OpenVINO,1,"INT8, a network a length"' CTranslate2,1,int8 'compress,1,"a, net 0"' 'compress,1,"a, net 1"' compress,1,full; do
        i=$((i + 1))
        echo "$who,$i.5,$i.4,$i.7,0.88$((i * 3 % 7)),872,5,1,\"A & B, <AVX>\""
    done
} >"$scratch/some.csv"
draw "$scratch/some.csv" "$scratch/some.svg" || bad=1
python3 - "$scratch/some.svg" <<'P' || bad=1
import sys, xml.dom.minidom
doc = xml.dom.minidom.parse(sys.argv[1])
bad, boxes = [], []
texts = doc.getElementsByTagName("text")
words = [t.firstChild.data for t in texts]
for want in ("ONNX Runtime", "dynamic INT8, 1.50 ms", "INT8, 2.50 ms", "INT8, a network a length, 3.50 ms", "int8, 4.50 ms", "a, net 1, 6.50 ms", "full, 7.50 ms"):
    if words.count(want) != 1:
        bad.append("'%s' stands %d times" % (want, words.count(want)))
for t in texts:
    w, x, y = 6 * len(t.firstChild.data), float(t.getAttribute("x")), float(t.getAttribute("y"))
    x -= {"middle": w / 2, "end": w}.get(t.getAttribute("text-anchor"), 0)
    boxes.append((x, y - 9, x + w, y, t.firstChild.data))
for i, a in enumerate(boxes):
    bad += ["'%s' stands on '%s'" % (a[4], b[4]) for b in boxes[:i] if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]]
    if a[0] < 0 or a[2] > 760:
        bad.append("'%s' stands outside" % a[4])
if "prefers-color-scheme:dark" not in doc.getElementsByTagName("style")[0].firstChild.data:
    bad.append("it has no dark colours")
if (len(doc.getElementsByTagName("circle")), len(doc.getElementsByTagName("polygon"))) != (3, 4):
    bad.append("a mark is missing")
for line in bad:
    print("lint: picture: " + line)
sys.exit(bool(bad))
P
echo "program,ms" >"$scratch/other.csv"
draw "$scratch/other.csv" "$scratch/other.svg" 2>/dev/null && { echo "lint: picture: other columns are drawn"; bad=1; }
exit $bad
