"""A folder of `export --to onnx` or `--to hf` beside the .snc that it was made of, by onnx.checker, ONNX Runtime, tokenizers and transformers.

    python folder_check.py COMPRESS MODEL.snc FOLDER ROWS.tsv [--rows N] [--batch 16]

ROWS.tsv has a header and texts in its first column, or in its first two (--pair). Every model file of the folder is checked and answers
all rows in padded batches, through the folder's own tokenizer. Printed for each: how far its logits are from this program's with the
values of MODEL in F32, and of how many rows the answer is MODEL's own. Needs numpy, transformers, onnx, onnxruntime; for hf torch.
"""
import argparse, os, subprocess, sys, tempfile
import numpy as np
from transformers import AutoConfig, AutoTokenizer

ap = argparse.ArgumentParser()
for name in ("compress", "model", "folder", "rows_file"):
    ap.add_argument(name)
ap.add_argument("--rows", type=int, default=0)
ap.add_argument("--batch", type=int, default=16)
ap.add_argument("--pair", action="store_true")
a = ap.parse_args()

with open(a.rows_file, encoding="utf-8") as f:
    texts = [line.rstrip("\n").split("\t")[:2 if a.pair else 1] for line in f][1:]
texts = texts[:a.rows or len(texts)]


def ours(model):
    """Logits in the order of the classes."""
    lines = "".join("\t".join(t) + "\n" for t in texts)
    out = subprocess.run([a.compress, "predict", model, "--logits"], input=lines, capture_output=True, text=True, check=True).stdout
    return np.array([[float(x) for x in line.split("\t")[-classes:]] for line in out.splitlines()])


config, tokenizer = AutoConfig.from_pretrained(a.folder), AutoTokenizer.from_pretrained(a.folder)
classes = len(config.id2label)


def batches():
    for i in range(0, len(texts), a.batch):
        part = texts[i:i + a.batch]
        yield tokenizer([t[0] for t in part], [t[1] for t in part] if a.pair else None, padding=True, truncation=True, return_tensors="np")


def labels(z):
    if config.problem_type == "regression":
        return np.zeros(len(z))
    return z > 0 if config.problem_type == "multi_label_classification" else z.argmax(1)


def report(name, z):
    same = (labels(z).reshape(len(z), -1) == labels(own).reshape(len(z), -1)).all(1).mean()
    print(f"{name:32s} {np.abs(z - f32).max():.2e} {100 * same:.2f} %")


def by_onnx(path):
    import onnx, onnxruntime
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    return np.concatenate([session.run(None, {n: x[n].astype(np.int64) for n in names})[0] for x in batches()])


def by_torch():
    import torch
    from transformers import AutoModelForSequenceClassification, pipeline
    m, info = AutoModelForSequenceClassification.from_pretrained(a.folder, output_loading_info=True)
    if info["missing_keys"] or info["unexpected_keys"] or info["mismatched_keys"]:
        sys.exit(f"{a.folder}: {info}")
    m.eval()
    with torch.no_grad():
        z = np.concatenate([m(**{k: torch.tensor(v) for k, v in x.items()}).logits.numpy() for x in batches()])
    first = {"text": texts[0][0], **({"text_pair": texts[0][1]} if a.pair else {})}
    answer = pipeline("text-classification", model=a.folder, tokenizer=a.folder)(first)
    print("pipeline:", answer)
    return z


with tempfile.TemporaryDirectory() as d:
    expanded = os.path.join(d, "f32.snc")
    subprocess.run([a.compress, "export", a.model, "--policy", "f32", "--output", expanded, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    own, f32 = ours(a.model), ours(expanded)
print(f"{len(texts)} rows of {classes} classes; largest difference to F32, answers as {os.path.basename(a.model)}")
report("the .snc itself", own)
graphs = os.path.join(a.folder, "onnx")
for name in sorted(os.listdir(graphs)) if os.path.isdir(graphs) else []:
    if name.endswith(".onnx"):
        report(name, by_onnx(os.path.join(graphs, name)))
if os.path.isfile(os.path.join(a.folder, "model.safetensors")):
    report("transformers", by_torch())
