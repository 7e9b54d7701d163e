"""Median milliseconds of the peers at the base shape of a family, random weights: what beside_peers.py reads as LATENCY.

    python family_peers.py --model distilbert --threads 1 --shapes 1x16,8x128 [--only ort-dyn8,ov-int8-s] [--seconds 0.5] [--home DIR]

Prints, for each peer, "t1 distilbert ort-dyn8  1x16  1.234  8x128  2.345". The first call for a family makes what the peers read, in
the folder named by --home or PEERS_HOME, and takes some minutes: an ONNX file by PyTorch, from it ONNX Runtime's fused graph with
dynamic INT8 (matrices by channel) and OpenVINO's INT8 by NNCF's post-training quantization for transformers. Needs the packages torch,
transformers, onnx, onnxruntime, openvino and nncf.
"""
import argparse, os, statistics, time
import numpy as np
from peer_sessions import onnx_runtime, openvino

ap = argparse.ArgumentParser()
ap.add_argument("--model", required=True, choices=["bert", "distilbert", "roberta", "xlm-roberta"])
ap.add_argument("--threads", type=int, default=1)
ap.add_argument("--shapes", default="1x16,1x32,1x128,8x128,32x128")
ap.add_argument("--only", default="")
ap.add_argument("--seconds", type=float, default=0.5)
ap.add_argument("--home", default=os.environ.get("PEERS_HOME", os.path.expanduser("~/.cache/snc-peers")))
a = ap.parse_args()
os.chdir(a.home)
stem = f"family-{a.model}"
types = a.model == "bert"  # the others have none, or one that is not asked for
names = ["input_ids", "attention_mask"] + (["token_type_ids"] if types else [])
rng = np.random.default_rng(0)


def feed(b, s):
    x = rng.integers(1000, 20000, (b, s)).astype(np.int64)
    return dict(zip(names, (x, np.ones_like(x), np.zeros_like(x))))


def make():
    import nncf, openvino as ov, torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers import optimizer
    from onnxruntime.transformers.fusion_options import FusionOptions
    from transformers import AutoConfig, AutoModelForSequenceClassification
    torch.manual_seed(0)
    shape = {"vocab_size": 250002, "max_position_embeddings": 514} if a.model == "xlm-roberta" else \
            {"vocab_size": 50265, "max_position_embeddings": 514} if a.model == "roberta" else {}
    config = AutoConfig.for_model(a.model, num_labels=2, **shape)
    m = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager").eval()
    x = {k: torch.tensor(v) for k, v in feed(2, 16).items()}
    torch.onnx.export(m, tuple(x[n] for n in names), f"{stem}.onnx", input_names=names, output_names=["logits"],
                      dynamic_axes={n: {0: "b", 1: "s"} for n in names}, opset_version=17, dynamo=False)
    o = optimizer.optimize_model(f"{stem}.onnx", model_type="bert", num_heads=12, hidden_size=768,
                                 optimization_options=FusionOptions("bert"), opt_level=1)
    o.save_model_to_file(f"{stem}-opt.onnx")
    quantize_dynamic(f"{stem}-opt.onnx", f"{stem}-dyn8.onnx", per_channel=True, weight_type=QuantType.QInt8,
                     extra_options={"MatMulConstBOnly": True, "DefaultTensorType": 1})
    data = nncf.Dataset([feed(1, int(n)) for n in rng.integers(8, 64, 100)])
    q = nncf.quantize(ov.Core().read_model(f"{stem}.onnx"), data, model_type=nncf.ModelType.TRANSFORMER, subset_size=100)
    ov.save_model(q, f"{stem}-ov8.xml")


def ort(path, b, s):
    f, x = onnx_runtime(path, a.threads), feed(b, s)
    return lambda: f(x)


def ov(path, b, s, static):
    f, x = openvino(path, a.threads, (b, s) if static else None), feed(b, s)
    return lambda: f(x)


def median_ms(f):
    for _ in range(3):
        f()
    ms, start = [], time.perf_counter()
    while time.perf_counter() - start < a.seconds or len(ms) < 5:
        t = time.perf_counter()
        f()
        ms.append((time.perf_counter() - t) * 1e3)
    return statistics.median(ms)


peers = {"ort-dyn8": lambda b, s: ort(f"{stem}-dyn8.onnx", b, s), "ov-int8": lambda b, s: ov(f"{stem}-ov8.xml", b, s, False),
         "ov-int8-s": lambda b, s: ov(f"{stem}-ov8.xml", b, s, True), "ov-bf16-s": lambda b, s: ov(f"{stem}.onnx", b, s, True)}
if not os.path.exists(f"{stem}-ov8.xml"):
    make()
for name, run in peers.items():
    if not a.only or name in a.only.split(","):
        cells = ((s, median_ms(run(*map(int, s.split("x"))))) for s in a.shapes.split(","))
        print(f"t{a.threads} {a.model} {name:10s}", "  ".join(f"{s} {ms:9.3f}" for s, ms in cells), flush=True)
