#!/usr/bin/env python3
"""How fast the `tokenizers` package reads a text file on one thread: the peer of tests/bench/tokenizer_speed.c.

    python tests/bench/tokenizers_speed.py FOLDER FILE

FOLDER holds a tokenizer.json. Prints lines/s and MB/s (10^6 bytes) of the fastest of five rounds, one line a call and in batches.
"""
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import tokenizers
from tokenizers import Tokenizer

ROUNDS, BATCH = 5, 1000


def best_of(fn):
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        tokens = fn()
        times.append(time.perf_counter() - start)
    return min(times), tokens


def main(folder, path):
    tok = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    tok.no_padding()
    tok.no_truncation()
    data = open(path, "rb").read()
    lines = data.decode("utf-8", errors="replace").split("\n")
    if not lines[-1]:
        lines.pop()
    batches = [lines[i:i + BATCH] for i in range(0, len(lines), BATCH)]
    ways = {
        "one line a call": lambda: sum(len(tok.encode(x).ids) for x in lines),
        "batches of %d" % BATCH: lambda: sum(len(e.ids) for b in batches for e in tok.encode_batch(b)),
    }
    if hasattr(tok, "encode_batch_fast"):
        ways["batches of %d, without offsets" % BATCH] = lambda: sum(len(e.ids) for b in batches for e in tok.encode_batch_fast(b))
    print("tokenizers", tokenizers.__version__)
    for name, fn in ways.items():
        t, n = best_of(fn)
        print("%s, %s: %d lines, %d tokens, %.1f MB: %.0f lines/s, %.2f MB/s"
              % (path, name, len(lines), n, len(data) * 1e-6, len(lines) / t, len(data) * 1e-6 / t))


if __name__ == "__main__":
    main(*sys.argv[1:3])
