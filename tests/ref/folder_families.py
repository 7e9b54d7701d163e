"""Every family's golden checkpoint, written by `export --to onnx` and `--to hf`, beside what Transformers computes of the checkpoint itself.

    python folder_families.py COMPRESS [SCRATCH]

A padded batch of random ids through Transformers in F32, through ONNX Runtime, and through Transformers again of the folder that was
written, all of whose tensors must be wanted. Prints the largest difference of logits. Needs numpy, torch, transformers, onnx, onnxruntime.
"""
import glob, os, subprocess, sys, tempfile
import numpy as np, onnx, onnxruntime, torch
from transformers import AutoModelForSequenceClassification

compress, golden = os.path.abspath(sys.argv[1]), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")
scratch = sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp()


def export(folder, *how):
    out = os.path.join(scratch, os.path.basename(folder) + "." + how[-1])
    subprocess.run([compress, "export", folder, "--policy", "f32", *how, "--output", out, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return out


def load(folder):
    m, info = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    return m.eval(), {k: info[k] for k in ("missing_keys", "unexpected_keys", "mismatched_keys") if info[k]}


for folder in sorted(glob.glob(golden + "/families/*") + glob.glob(golden + "/modern/*")):
    model, _ = load(folder)
    rng, mask = np.random.default_rng(1), np.ones((3, 11), np.int64)
    ids = rng.integers(5, model.config.vocab_size, mask.shape)
    mask[1, 7:] = mask[2, 3:] = 0
    ids[mask == 0] = min(model.config.pad_token_id or 0, model.config.vocab_size - 1)
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(mask)}
    with torch.no_grad():
        x = {k: torch.tensor(feed[k]) for k in ("input_ids", "attention_mask")}
        want = model(**x).logits.numpy()
        again, wrong = load(export(folder, "--to", "hf"))
        hf = again(**x).logits.numpy()
    path = export(folder, "--to", "onnx") + "/onnx/model.onnx"
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    got = session.run(None, {i.name: feed[i.name] for i in session.get_inputs()})[0]
    print(f"{os.path.basename(folder):16s} onnx {abs(got - want).max():.1e}  hf {abs(hf - want).max():.1e}  {wrong or ''}", flush=True)
