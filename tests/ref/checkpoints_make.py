"""Tiny Hugging Face and PyTorch checkpoints of one seeded BERT, in the forms that the importer must read alike.

    python tests/ref/checkpoints_make.py

Writes tests/golden/checkpoints/*. Needs torch, transformers and safetensors; versions are noted in expected.json.
"""

import json
import pickle
import shutil
from pathlib import Path

import safetensors
import torch
import transformers
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification

OUT = Path(__file__).resolve().parent.parent / "golden" / "checkpoints"
SEED, V, P, C, L, H, F = 7, 60, 20, 16, 2, 2, 32
LABELS = ["negative", "neutral", "positive"]


def make_model():
    torch.manual_seed(SEED)
    config = BertConfig(
        vocab_size=V, max_position_embeddings=P, hidden_size=C, num_hidden_layers=L, num_attention_heads=H,
        intermediate_size=F, id2label=dict(enumerate(LABELS)), label2id={n: i for i, n in enumerate(LABELS)},
        hidden_act="gelu_new", layer_norm_eps=1e-7)
    model = BertForSequenceClassification(config).eval()
    with torch.no_grad():
        for p in model.parameters():
            # Values that F16 and BF16 hold exactly: every form must give the same bits.
            p.copy_((torch.randn_like(p) * 32).round().clamp(-100, 100) / 256)
    return model


def write_config(folder, model, **changes):
    config = json.loads(model.config.to_json_string(use_diff=True))
    config["architectures"] = ["BertForSequenceClassification"]
    config["vocab_size"] = V
    config["model_type"] = "bert"
    config.update(changes)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def write_tokenizer(folder):
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces += [chr(c) for c in range(ord("a"), ord("z") + 1)] + ["##" + chr(c) for c in range(ord("a"), ord("z") + 1)]
    pieces += ["good", "bad", "film"]
    assert len(pieces) == V
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}\n')


def fresh(name):
    folder = OUT / name
    folder.mkdir(parents=True)
    return folder


def our_names(state):
    fixed = {"embeddings.word_embeddings": "embeddings.word", "embeddings.position_embeddings": "embeddings.position",
             "embeddings.token_type_embeddings": "embeddings.type", "embeddings.LayerNorm": "embeddings.norm",
             "pooler.dense": "pooler", "classifier": "classifier", "attention.self.query": "attention.q",
             "attention.self.key": "attention.k", "attention.self.value": "attention.v",
             "attention.output.dense": "attention.o", "attention.output.LayerNorm": "attention.norm",
             "intermediate.dense": "ffn.in", "output.dense": "ffn.out", "output.LayerNorm": "ffn.norm"}
    for name, t in state.items():
        stem, kind = name.removeprefix("bert.").rsplit(".", 1)
        layer = ""
        if stem.startswith("encoder.layer."):
            _, _, n, stem = stem.split(".", 3)
            layer = f"layer.{n}."
        yield f"{layer}{fixed[stem]}.{kind}", t


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    model = make_model()
    state = {k: v.contiguous() for k, v in model.state_dict().items() if "position_ids" not in k}

    folder = fresh("hf")
    write_config(folder, model)
    write_tokenizer(folder)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})

    for name, dtype in (("f16", torch.float16), ("bf16", torch.bfloat16)):
        folder = fresh(name)
        write_config(folder, model)
        save_file({k: v.to(dtype) for k, v in state.items()}, folder / "model.safetensors", metadata={"format": "pt"})

    folder = fresh("sharded")
    write_config(folder, model)
    names, weight_map = list(state), {}
    for i, part in enumerate((names[: len(names) // 2], names[len(names) // 2 :]), 1):
        file = f"model-{i:05d}-of-00002.safetensors"
        save_file({k: state[k] for k in part}, folder / file, metadata={"format": "pt"})
        weight_map.update({k: file for k in part})
    index = {"metadata": {"total_size": sum(v.nbytes for v in state.values())}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")

    folder = fresh("torch")
    write_config(folder, model)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")

    # A training loop's file: wrapped, parallel, Parameters, half of the matrices stored transposed.
    folder = fresh("wrapped")
    write_config(folder, model)
    odd = {}
    for i, (k, v) in enumerate(model.state_dict().items()):
        if v.dim() == 2 and i % 2:
            v = v.t().contiguous().t()
        odd["module." + k] = torch.nn.Parameter(v) if i % 3 == 0 else v
    torch.save({"epoch": 3, "lr": 1e-3, "note": None, "state_dict": odd}, folder / "bert.bin", pickle_protocol=4)

    # The form before PyTorch 1.6, as a training loop wrote it: views of one storage, a transposed matrix, an optimizer's numbers between.
    folder = fresh("legacy")
    write_config(folder, model)
    odd = {}
    for i, (k, v) in enumerate(model.state_dict().items()):
        if v.dim() == 2 and i % 2:
            v = v.t().contiguous().t()
        elif v.dim() == 1:
            v = torch.cat([torch.ones(3), v])[3:]
        odd[k] = torch.nn.Parameter(v) if i % 3 == 0 else v
    moments = {0: {"step": 5, "exp_avg": torch.ones(7, dtype=torch.float64), "seen": torch.zeros(3, dtype=torch.int64)}}
    torch.save({"optimizer": {"state": moments}, "lr": 1e-3, "model_state_dict": odd}, folder / "pytorch_model.bin",
               _use_new_zipfile_serialization=False)

    # As the first BERT checkpoints: no prefix, gamma and beta, extras, no classifier, no pooler.
    folder = fresh("old")
    write_config(folder, model, architectures=["BertModel"])
    old = {}
    for k, v in state.items():
        if k.startswith("bert.") and "pooler" not in k:
            k = k.removeprefix("bert.")
            old[k.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")] = v
    old["embeddings.position_ids"] = torch.arange(P).unsqueeze(0)
    old["cls.predictions.bias"] = torch.zeros(V)
    old["cls.seq_relationship.weight"] = torch.zeros(2, C)
    save_file(old, folder / "model.safetensors")

    folder = fresh("refused")
    (folder / "pickle.bin").write_bytes(pickle.dumps({"a": [1.0, 2.0]}, protocol=2))
    torch.save(torch.nn.Linear(2, 2), folder / "module.bin")

    for file in OUT.rglob("*.safetensors"):
        file.chmod(0o644)

    params = {}
    for name, t in our_names(state):
        flat = t.flatten().double()
        params[name] = {"shape": list(t.shape), "first": flat[0].item(), "second": flat[1].item(), "last": flat[-1].item(),
                        "sum": flat.sum().item()}
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "safetensors": safetensors.__version__}
    text = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in params.items())
    (OUT / "expected.json").write_text(
        f'{{"seed": {SEED}, "versions": {json.dumps(versions)},\n "params": {{\n{text}\n }}}}\n')


main()
