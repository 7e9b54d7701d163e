#!/usr/bin/env python3
"""Text in, label out, one sentence at a time on one thread: the peers of tests/bench/runtime_text_speed.c.

    python tests/bench/peer_text.py FOLDER MODELS TSV [--only NAME,...] [--seconds 2]

FOLDER holds a tokenizer.json; MODELS holds minilm-dyn8.onnx, minilm-opt.onnx and minilm-ov8.xml (the same network in the forms
that ONNX Runtime and OpenVINO like best); TSV is a dev.tsv with the sentence in its first column. Each call tokenizes one
sentence with the `tokenizers` package, runs the network without padding and takes the larger logit. OpenVINO runs with
dynamic shapes, and once more (`ov-int8-s`) with one compiled static network for every length that occurs. Prints median, p90
and mean milliseconds of a sentence over whole passes.
"""
import argparse
import os
import statistics
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
from tokenizers import Tokenizer

from peer_sessions import onnx_runtime, openvino


def of_lengths(path, lengths):
    """One compiled network for every length that occurs."""
    one = {n: openvino(path, shape=(1, n)) for n in lengths}
    return lambda feed: one[feed["input_ids"].shape[1]](feed)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("folder")
    ap.add_argument("models")
    ap.add_argument("tsv")
    ap.add_argument("--only", default="")
    ap.add_argument("--seconds", type=float, default=2.0)
    a = ap.parse_args()
    tok = Tokenizer.from_file(os.path.join(a.folder, "tokenizer.json"))
    tok.no_padding()
    tok.enable_truncation(128)
    texts = [line.split("\t")[0] for line in open(a.tsv, encoding="utf-8").read().split("\n")[1:] if line]
    lengths = sorted({len(tok.encode(t).ids) for t in texts})
    file = lambda name: os.path.join(a.models, name)
    peers = {
        "ort-f32": lambda: onnx_runtime(file("minilm-opt.onnx")),
        "ort-dyn8": lambda: onnx_runtime(file("minilm-dyn8.onnx")),
        "ov-int8": lambda: openvino(file("minilm-ov8.xml")),
        "ov-int8-s": lambda: of_lengths(file("minilm-ov8.xml"), lengths),
    }
    for name, make in peers.items():
        if a.only and name not in a.only.split(","):
            continue
        run = make()

        def classify(text):
            ids = np.array([tok.encode(text).ids], dtype=np.int64)
            feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
            return int(np.argmax(run(feed)))

        for t in texts[:50]:
            classify(t)
        ms, start = [], time.perf_counter()
        while not ms or time.perf_counter() - start < a.seconds:
            for t in texts:
                before = time.perf_counter()
                classify(t)
                ms.append((time.perf_counter() - before) * 1e3)
        ms.sort()
        print("%-10s %d sentences: median %.3f ms, p90 %.3f, mean %.3f" % (name, len(texts), ms[len(ms) // 2],
              ms[len(ms) * 9 // 10], statistics.mean(ms)), flush=True)


if __name__ == "__main__":
    main()
