"""Score against latency of one fine-tuned model, here and in its peers' runtimes: README's picture.

    python speed_score.py measure COMPRESS TEACHER.snc FILE.snc... --data DIR --csv speed_score.csv [--work DIR] [--rounds 5] [--seconds 3]
    python speed_score.py draw speed_score.csv speed-score.svg

`measure` has COMPRESS write the teacher as a Hugging Face folder, and makes of that, once, in --work: ONNX Runtime's fused graph with
dynamic INT8 weights (by channel; 7 bits where the CPU has no VNNI, as that runtime's manual has it), OpenVINO's INT8 by NNCF's
post-training quantization for transformers on 300 rows of train, and CTranslate2's int8. A round starts every program once, in a fresh
process, one after another: the dev rows of SST-2 one at a time in random order, tokens given, no padding, one thread. A round's latency is the
median of its calls; a row of the CSV has the median, least and most of the rounds, and the accuracy on all of dev. Each net of a FILE.snc is a
row. OpenVINO is there twice: with one network for all lengths, and with one compiled for every length that occurs.

`draw` needs the standard library alone, and nothing but the CSV. measure needs numpy, torch, transformers, onnx, onnxruntime, openvino, nncf
and ctranslate2.
"""
import argparse
import csv
import json
import math
import os
import random
import re
import statistics
import subprocess
import sys
import time

COLUMNS = ["program", "version", "file", "latency_ms", "low_ms", "high_ms", "score", "rows", "rounds", "threads", "machine"]
PEERS = {"ort": ("ONNX Runtime", "dynamic INT8"), "ov": ("OpenVINO", "INT8"), "ov-lengths": ("OpenVINO", "INT8, a network a length"),
         "ct2": ("CTranslate2", "int8")}


# ---- measuring ------------------------------------------------------------------------------------------------------------------------

def rows_of(path):
    with open(path, encoding="utf-8") as f:
        return [(line.split("\t")[0], int(line.split("\t")[1])) for line in f.read().split("\n")[1:] if line]


def flags():
    with open("/proc/cpuinfo") as f:
        return dict(re.split(r"\s*:\s*", line.strip(), maxsplit=1) for line in f if ":" in line)


def machine():
    info = flags()
    there = info.get("flags", info.get("Features", "")).split()
    names = {"avx2": "AVX2", "avx_vnni": "AVX-VNNI", "avx512f": "AVX-512", "avx512_vnni": "AVX-512 VNNI", "amx_int8": "AMX", "asimddp": "dotprod", "i8mm": "i8mm"}
    return "%s, %s" % (info.get("model name", os.uname().machine), " ".join([v for k, v in names.items() if k in there][-1:]))


def make(a):
    """The peers' files, and the ids of dev's rows."""
    import ctranslate2
    import nncf
    import numpy
    import openvino
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers import optimizer
    from onnxruntime.transformers.fusion_options import FusionOptions
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    os.makedirs(a.work, exist_ok=True)
    at = lambda name: os.path.join(a.work, name)
    subprocess.run([a.compress, "export", a.teacher, "--to", "hf", "--output", at("hf"), "--quiet"], check=True)
    model = AutoModelForSequenceClassification.from_pretrained(at("hf"), attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(at("hf"))
    ids = lambda text: tokenizer(text, truncation=True, max_length=128)["input_ids"]
    dev = rows_of(os.path.join(a.data, "SST-2", "dev.tsv"))
    with open(at("dev.json"), "w") as f:
        json.dump([(ids(text), label) for text, label in dev], f)
    numpy.savez(at("head.npz"), w=model.classifier.weight.detach().numpy(), b=model.classifier.bias.detach().numpy())
    names = ["input_ids", "attention_mask", "token_type_ids"]
    x = torch.randint(1000, 20000, (2, 16))
    torch.onnx.export(model, (x, torch.ones_like(x), torch.zeros_like(x)), at("m.onnx"), input_names=names, output_names=["logits"],
                      dynamic_axes={k: {0: "b", 1: "s"} for k in names}, opset_version=17, dynamo=False)
    fused = optimizer.optimize_model(at("m.onnx"), model_type="bert", num_heads=model.config.num_attention_heads,
                                     hidden_size=model.config.hidden_size, optimization_options=FusionOptions("bert"), opt_level=1)
    fused.save_model_to_file(at("fused.onnx"))
    quantize_dynamic(at("fused.onnx"), at("ort.onnx"), per_channel=True, reduce_range="vnni" not in flags().get("flags", ""),
                     weight_type=QuantType.QInt8, extra_options={"MatMulConstBOnly": True, "DefaultTensorType": 1})
    train = random.Random(42).sample(rows_of(os.path.join(a.data, "SST-2", "train.tsv")), 300)
    feed = lambda n: {"input_ids": n, "attention_mask": numpy.ones_like(n), "token_type_ids": numpy.zeros_like(n)}
    calibration = nncf.Dataset([feed(numpy.array([ids(text)], dtype=numpy.int64)) for text, _ in train])
    quantized = nncf.quantize(openvino.Core().read_model(at("m.onnx")), calibration, model_type=nncf.ModelType.TRANSFORMER, subset_size=300)
    openvino.save_model(quantized, at("ov.xml"))
    with open(at("hf/config.json")) as f:
        config = json.load(f)
    with open(at("hf/config.json"), "w") as f:
        json.dump({"position_embedding_type": "absolute", **config}, f, indent=2)  # a key that the converter asks for
    ctranslate2.converters.TransformersConverter(at("hf")).convert(at("ct2"), force=True)


def network(name, work, lengths):
    """A function of a row's ids that answers with its logits."""
    import numpy
    from peer_sessions import onnx_runtime, openvino
    at = lambda file: os.path.join(work, file)
    feed = lambda ids: {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": numpy.zeros_like(ids)}
    if name == "ct2":
        import ctranslate2
        encoder = ctranslate2.Encoder(at("ct2"), device="cpu", compute_type="int8", intra_threads=1, inter_threads=1)
        head = numpy.load(at("head.npz"))
        w, b = head["w"].T.copy(), head["b"]
        return lambda ids: numpy.array(encoder.forward_batch([ids], token_type_ids=[[0] * len(ids)]).pooler_output) @ w + b
    if name == "ov-lengths":
        each = {n: openvino(at("ov.xml"), shape=(1, n)) for n in lengths}
        run = lambda x: each[x["input_ids"].shape[1]](x)
    else:
        run = onnx_runtime(at("ort.onnx")) if name == "ort" else openvino(at("ov.xml"))
    return lambda ids: run(feed(numpy.array([ids], dtype=numpy.int64)))


def peer(a):
    """One round of a peer: its median and accuracy as a line of JSON."""
    import numpy
    with open(os.path.join(a.work, "dev.json")) as f:
        dev = json.load(f)
    run = network(a.name, a.work, sorted({len(ids) for ids, _ in dev}))
    warm = dev if a.seed == 0 else dev[:100]  # the first round scores all of them
    right = sum(int(numpy.argmax(run(ids))) == label for ids, label in warm)
    order, ms, start = random.Random(a.seed), [], time.perf_counter()
    while time.perf_counter() - start < a.seconds:
        for ids, _ in order.sample(dev, len(dev)):
            t = time.perf_counter()
            run(ids)
            ms.append((time.perf_counter() - t) * 1e3)
    package = {"ort": "onnxruntime", "ct2": "ctranslate2"}.get(a.name, "openvino")
    from importlib.metadata import version
    print(json.dumps({"ms": statistics.median(ms), "score": right / len(warm), "rows": len(dev), "version": version(package)}))


def said(command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout


def ours(a, file):
    """A round of one of our files: (which net, milliseconds, accuracy, rows) of each."""
    done = json.loads(said([a.compress, "bench", file, "--net", "all", "--tasks", "sst2", "--data", a.data, "-t", "1", "-o", "json", "--quiet",
                            "-s", "8", "--time-budget", "%gs" % a.seconds]))
    found = [r for r in done if r.get("task") == "sst2" and r["seq"] == "data"]
    if not found or any(r["error"] for r in found):
        sys.exit("%s: bench gave no latency" % file)
    return [(i, r["p50_ms"], r["value"], r["rows"]) for i, r in enumerate(found)]


def measure(a):
    if not os.path.exists(os.path.join(a.work, "ct2")):
        make(a)
    cells, about = {}, {}  # (program, file): a latency a round; (version, score, rows)

    def add(who, ms, *what):
        cells.setdefault(who, []).append(ms)
        about.setdefault(who, what)

    version = said([a.compress, "--version"]).split()[-1]
    for r in range(a.rounds):
        for name, who in PEERS.items():
            p = json.loads(said([sys.executable, os.path.abspath(__file__), "peer", name, "--work", a.work, "--seconds", str(a.seconds), "--seed", str(r)]))
            add(who, p["ms"], p["version"], p["score"], p["rows"])
        for file in a.files:
            nets = ours(a, file)
            for i, ms, score, rows in nets:
                name = os.path.splitext(os.path.basename(file))[0]
                add(("compress", name + (", net %d" % i if len(nets) > 1 else "")), ms, version, score, rows)
        print("round %d of %d: " % (r + 1, a.rounds) + ", ".join("%s %s %.3f" % (*k, v[-1]) for k, v in cells.items()), file=sys.stderr, flush=True)
    with open(a.csv + ".tmp", "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(COLUMNS)
        for (program, file), ms in cells.items():
            version, score, rows = about[program, file]
            out.writerow([program, version, file] + ["%.4f" % v for v in (statistics.median(ms), min(ms), max(ms), score)] +
                         [rows, a.rounds, 1, machine()])
    os.replace(a.csv + ".tmp", a.csv)


# ---- drawing --------------------------------------------------------------------------------------------------------------------------

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 440, 62, 24, 74, 92
# Colours that the colour-blind tell apart (Okabe and Ito's), a lighter set for dark pages; each program has a shape of its own besides.
STYLES = {"compress": ("circle", "#0072b2", "#56b4e9"), "ONNX Runtime": ("square", "#b35900", "#e69f00"),
          "OpenVINO": ("triangle", "#007a5a", "#2bc79a"), "CTranslate2": ("diamond", "#a8487f", "#e79fc6")}
SIZE = 12.5  # of labels


def shape(kind, x, y):
    r = 6.5
    if kind == "circle":
        return '<circle cx="%.1f" cy="%.1f" r="%.1f"/>' % (x, y, r)
    points = {"square": [(-1, -1), (1, -1), (1, 1), (-1, 1)], "triangle": [(0, -1.25), (1.15, 0.9), (-1.15, 0.9)],
              "diamond": [(0, -1.35), (1.35, 0), (0, 1.35), (-1.35, 0)]}[kind]
    return '<polygon points="%s"/>' % " ".join("%.1f,%.1f" % (x + r * 0.95 * u, y + r * 0.95 * v) for u, v in points)


def ticks_of_log(low, high):
    return [m * 10.0 ** e for e in range(-4, 5) for m in (1, 1.5, 2, 3, 5, 7) if low <= m * 10.0 ** e <= high]


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def gap(box, x, y):
    return math.dist((x, y), (min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3])))


def place(x, y, lines, taken, others):
    """The box of a label of two lines: beside its point and nearer to it than to others, on nothing that is there, which it joins."""
    w, h = 0.6 * SIZE * max(len(t) for t in lines), 2.25 * SIZE
    best = None
    for far in (12, 24, 38, 56):
        for u, v in ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1), (0.5, -1), (0.5, 1), (-0.5, -1), (-0.5, 1)):
            left, top = x + u * far + (u - 1) * w / 2, y + v * far * (0.9 if u else 1) + (v - 1) * h / 2
            box = (left, top, left + w, top + h)
            over = sum(max(0, min(box[2], o[2]) - max(box[0], o[0])) * max(0, min(box[3], o[3]) - max(box[1], o[1])) for o in taken)
            outside = max(0, LEFT - box[0]) + max(0, box[2] - WIDTH + 4) + max(0, TOP - 14 - box[1]) + max(0, box[3] - HEIGHT + BOTTOM)
            astray = sum(max(0, gap(box, x, y) + 8 - gap(box, *o)) for o in others)
            cost = over + 100 * outside + 10 * astray + far
            if best is None or cost < best[0]:
                best = (cost, box)
    taken.append(best[1])
    return best[1]


def obstacles(points):
    """Boxes over marks, and over the line from each to the next."""
    boxes = []
    for (x, y), (u, v) in zip(points, points[1:] + points[-1:]):
        boxes.append((x - 9, y - 9, x + 9, y + 9))
        boxes += [(x + (u - x) * k / 24 - 3, y + (v - y) * k / 24 - 3, x + (u - x) * k / 24 + 3, y + (v - y) * k / 24 + 3) for k in range(1, 24)]
    return boxes


def draw(a):
    with open(a.csv, newline="") as f:
        rows = list(csv.DictReader(f))
    if not rows or list(rows[0]) != COLUMNS:
        sys.exit("%s: expected rows of %s" % (a.csv, ",".join(COLUMNS)))
    for r in rows:
        for k in ("latency_ms", "low_ms", "high_ms", "score"):
            r[k] = float(r[k])
        if r["program"] not in STYLES:
            sys.exit("%s: program '%s': expected %s" % (a.csv, r["program"], ", ".join(STYLES)))
    x0, x1 = min(r["low_ms"] for r in rows) / 1.25, max(r["high_ms"] for r in rows) * 1.35
    scores = [100 * r["score"] for r in rows]
    step = next(s for s in (0.5, 1, 2, 5, 10, 20) if (max(scores) - min(scores) + 1) / s <= 7)
    y0, y1 = math.floor(min(scores) / step - 0.6) * step, math.ceil(max(scores) / step + 0.6) * step
    X = lambda ms: LEFT + (WIDTH - LEFT - RIGHT) * math.log(ms / x0) / math.log(x1 / x0)
    Y = lambda s: TOP + (HEIGHT - TOP - BOTTOM) * (y1 - s) / (y1 - y0)
    first = rows[0]
    n = int(first["rows"])
    p = statistics.median(scores) / 100
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="t d">' % (WIDTH, HEIGHT, WIDTH, HEIGHT),
           '<title id="t">Score against latency</title>',
           '<desc id="d">%s</desc>' % escape("; ".join("%s, %s: %.2f ms, %.1f %%" % (r["program"], r["file"], r["latency_ms"], 100 * r["score"]) for r in rows)),
           "<style>", "svg{--back:#ffffff;--ink:#1f2328;--faint:#59636e;--line:#d8dee4%s}" % "".join(";--c%d:%s" % (i, s[1]) for i, s in enumerate(STYLES.values())),
           "@media(prefers-color-scheme:dark){svg{--back:#0d1117;--ink:#e6edf3;--faint:#9198a1;--line:#30363d%s}}" % "".join(";--c%d:%s" % (i, s[2]) for i, s in enumerate(STYLES.values())),
           "text{font:%gpx system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:var(--ink)}.faint{fill:var(--faint)}" % SIZE,
           ".title{font-size:17px;font-weight:600}.who{font-weight:600}text{paint-order:stroke;stroke:var(--back);stroke-width:3px}",
           ".grid{stroke:var(--line);fill:none}.lead{stroke:var(--faint);fill:none}"] + \
          [".p%d{fill:var(--c%d);stroke:var(--c%d)}.p%d polygon,.p%d circle{stroke:var(--back);stroke-width:1}.p%d path{fill:none;stroke-width:1.6}" % ((i,) * 6) for i in range(len(STYLES))] + \
          ["</style>", '<rect width="%d" height="%d" fill="var(--back)"/>' % (WIDTH, HEIGHT)]
    text = lambda x, y, words, extra="": out.append('<text x="%.1f" y="%.1f"%s>%s</text>' % (x, y, extra, escape(words)))
    text(LEFT, 28, "One fine-tuned model: score against the latency of an answer", ' class="title"')
    text(LEFT, 50, "SST-2, accuracy on dev; one text at a time, one thread; up and to the left is better", ' class="faint"')
    for i in range(round((y1 - y0) / step) + 1):
        s = y0 + i * step
        out.append('<path class="grid" d="M%d %.1fH%d"/>' % (LEFT, Y(s), WIDTH - RIGHT))
        text(LEFT - 8, Y(s) + 4, "%g %%" % s, ' text-anchor="end" class="faint"')
    for ms in ticks_of_log(x0, x1):
        out.append('<path class="grid" d="M%.1f %dv5"/>' % (X(ms), HEIGHT - BOTTOM))
        text(X(ms), HEIGHT - BOTTOM + 20, "%g" % ms, ' text-anchor="middle" class="faint"')
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 40, "milliseconds, median over dev's real lengths (logarithmic)", ' text-anchor="middle" class="faint"')
    versions = {r["program"]: r["version"] for r in rows}
    text(LEFT, HEIGHT - 29, "%s. %s rounds in turn, bars: least to most of them. %d rows: a score is known to ±%.1f points (95 %%)." % (
        first["machine"], first["rounds"], n, 196 * math.sqrt(p * (1 - p) / n)), ' class="faint" style="font-size:11px"')
    text(LEFT, HEIGHT - 12, ", ".join("%s %s" % pair for pair in versions.items()) + "; the same checkpoint in all.", ' class="faint" style="font-size:11px"')
    spots = [(r, X(r["latency_ms"]), Y(100 * r["score"])) for r in rows]
    taken = obstacles(sorted((x, y) for r, x, y in spots if r["program"] == "compress"))
    taken += [(x - 9, y - 9, max(x + 9, X(r["high_ms"])), y + 9) for r, x, y in spots]
    for i, (program, (kind, _, _)) in enumerate(STYLES.items()):
        mine = sorted((x, y, k) for k, (r, x, y) in enumerate(spots) if r["program"] == program)
        out.append('<g class="p%d">' % i)
        if program == "compress" and len(mine) > 1:
            out.append('<path d="M%s"/>' % "L".join("%.1f %.1f" % (x, y) for x, y, _ in mine))
        for x, y, k in mine:
            r = spots[k][0]
            out.append('<path d="M%.1f %.1fH%.1f"/>' % (X(r["low_ms"]), y, X(r["high_ms"])))
            out.append(shape(kind, x, y))
        out.append("</g>")
    for r, x, y in sorted(spots, key=lambda s: -s[1]):
        lines = (r["program"], "%s, %.2f ms" % (r["file"], r["latency_ms"]))
        left, top, right, bottom = place(x, y, lines, taken, [(u, v) for o, u, v in spots if o is not r])
        anchor, at = ("start", left) if left > x else ("end", right) if right < x else ("middle", (left + right) / 2)
        if gap((left, top, right, bottom), x, y) > 20:
            out.append('<path class="lead" d="M%.1f %.1fL%.1f %.1f"/>' % (x, y, min(max(x, left), right), min(max(y, top), bottom)))
        for line, words in enumerate(lines):
            text(at, top + (1 + 1.15 * line) * SIZE - 1, words, ' text-anchor="%s"%s' % (anchor, ' class="who"' if line == 0 else ""))
    out.append("</svg>\n")
    with open(a.svg + ".tmp", "w", encoding="utf-8") as f:
        f.write("\n".join(out))
    os.replace(a.svg + ".tmp", a.svg)


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    of = ap.add_subparsers(dest="what", required=True)
    m, p, d = of.add_parser("measure"), of.add_parser("peer"), of.add_parser("draw")
    for word in ("compress", "teacher"):
        m.add_argument(word)
    m.add_argument("files", nargs="+")
    m.add_argument("--data", required=True)
    m.add_argument("--csv", required=True)
    m.add_argument("--rounds", type=int, default=5)
    p.add_argument("name", choices=PEERS)
    p.add_argument("--seed", type=int, default=0)
    for x in (m, p):
        x.add_argument("--work", default="speed_score.work")
        x.add_argument("--seconds", type=float, default=3)
    d.add_argument("csv")
    d.add_argument("svg")
    a = ap.parse_args()
    {"measure": measure, "peer": peer, "draw": draw}[a.what](a)


if __name__ == "__main__":
    main()
