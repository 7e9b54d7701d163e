"""Median milliseconds of ONNX files in ONNX Runtime, side by side: what `export --to onnx` wrote beside what a user has without it.

    python tests/bench/onnx_speed.py THREADS PEER.onnx OTHER.onnx... [--seconds 10] [--shapes 1x16,1x32,1x128,8x128]

Every file is asked three times in turn until the seconds of a shape (batch x tokens, no padding, drawn ids) are over; behind each
median stands how many times faster than the first file it is. Needs onnxruntime.
"""
import argparse
import statistics
import time

import numpy as np
from peer_sessions import onnx_runtime

ap = argparse.ArgumentParser()
ap.add_argument("threads", type=int)
ap.add_argument("files", nargs="+")
ap.add_argument("--seconds", type=float, default=10)
ap.add_argument("--shapes", default="1x16,1x32,1x128,8x128")
a = ap.parse_args()
rng = np.random.default_rng(0)
runs = [onnx_runtime(f, a.threads) for f in a.files]

for shape in a.shapes.split(","):
    ids = rng.integers(1000, 20000, tuple(map(int, shape.split("x")))).astype(np.int64)
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    for run in runs * 3:
        run(feed)
    times, end = [[] for _ in runs], time.perf_counter() + a.seconds
    while time.perf_counter() < end or len(times[0]) < 9:
        for run, t in zip(runs, times):
            for _ in range(3):
                begin = time.perf_counter()
                run(feed)
                t.append((time.perf_counter() - begin) * 1e3)
    medians = [statistics.median(t) for t in times]
    print(shape, "  ".join(f"{m:.3f} ({medians[0] / m:.2f}x)" for m in medians), flush=True)
