"""Goldens of the families: checkpoints as Transformers writes them, of seeded weights and odd shapes, with logits and gradients in float64.

    python tests/ref/families_golden.py tests/golden/families            the ones of the tests
    python tests/ref/families_golden.py FOLDER --sweep 84                as many more, of shapes drawn at random
    python tests/ref/families_golden.py FOLDER --model CHECKPOINT        one of trained weights, with a head drawn at random, for
    SNC_TEST_FAMILIES=FOLDER build/release/golden_models_families        which reads them all

Versions: torch 2.15.0, transformers 5.23.0, safetensors 0.8.0; seed 4321.

A folder each: config.json and model.safetensors (F16, whose numbers PyTorch computes with in float64), and golden.safetensors with the
batch (ids, types, offsets), logits [B, K], dlogits and, where it is small enough, "g.NAME": gradients of sum(logits * dlogits).
Sequences are run one at a time, unpadded. Pooling layers that no classifier reads and masked-language heads are left out.
"""
import json
import os
import random
import sys

import torch
from safetensors.torch import save_file
import transformers as hf

LENGTHS = [1, 2, 13, 5, 20, 9]
FAMILIES = {
    "distilbert": ("DistilBert", {"hidden": "dim", "layers": "n_layers", "heads": "n_heads", "ffn": "hidden_dim", "act": "activation"}, 0),
    "roberta": ("Roberta", {}, 2), "xlm-roberta": ("XLMRoberta", {}, 2), "camembert": ("Camembert", {}, 2),
    "electra": ("Electra", {}, 0), "albert": ("Albert", {}, 0), "bert": ("Bert", {}, 0),
}
KEYS = {"hidden": "hidden_size", "layers": "num_hidden_layers", "heads": "num_attention_heads", "ffn": "intermediate_size", "act": "hidden_act",
        "embedding": "embedding_size"}
# Head sizes 16, 24 and 8, FFNs that are no multiple of 32.
TESTS = [
    ("distilbert", "distilbert", dict(hidden=32, heads=2, ffn=40, act="gelu")),
    ("roberta", "roberta", dict(hidden=48, heads=2, ffn=24, act="gelu", types=1)),
    ("xlm_roberta", "xlm-roberta", dict(hidden=24, heads=1, ffn=36, act="gelu", types=1)),
    ("camembert", "camembert", dict(hidden=24, heads=3, ffn=20, act="relu", types=1)),
    ("electra", "electra", dict(hidden=48, heads=3, ffn=40, act="gelu", types=2, embedding=72)),
    ("electra_plain", "electra", dict(hidden=24, heads=1, ffn=20, act="gelu_new", types=2, embedding=24)),
    ("albert", "albert", dict(hidden=48, heads=2, ffn=40, act="gelu_new", types=2, embedding=20, layers=3)),
    ("albert_square", "albert", dict(hidden=16, heads=1, ffn=20, act="gelu", types=2, embedding=16)),
]


def drawn(count):
    r = random.Random(4321)
    for i in range(count):
        family = list(FAMILIES)[i % len(FAMILIES)]
        width, heads = r.choice([8, 16, 24, 32, 64]), r.randint(1, 12)
        shape = dict(hidden=width * heads, heads=heads, ffn=r.choice([4 * r.randint(3, 90), 1152]), act=r.choice(["gelu", "gelu_new", "relu"]),
                     types=1 if FAMILIES[family][2] else 2, layers=r.randint(1, 4), embedding=r.choice([8 * r.randint(1, 40), width * heads]))
        if family == "distilbert":
            shape["act"] = r.choice(["gelu", "relu"])
        yield f"{i:02}_{family}", family, shape


def config_of(family, shape):
    name, keys, base = FAMILIES[family]
    keys = {**KEYS, **keys}
    sizes = {keys[k]: v for k, v in {"layers": 2, **shape}.items() if k in keys and (k != "embedding" or family in ("electra", "albert"))}
    if family != "distilbert":
        sizes["type_vocab_size"] = shape["types"]
    return getattr(hf, name + "Config")(vocab_size=40, max_position_embeddings=22 + base, num_labels=3, **sizes)


def trained(folder, checkpoint):
    model = hf.AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=3, attn_implementation="eager").double().eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "classif" in name or "pooler" in name:
                p.copy_(torch.randn_like(p) * 0.1)
            p.copy_(p.half().double())
    finish(folder, model.config.model_type, model.config, model, {"types": getattr(model.config, "type_vocab_size", 1)}, False)


def write(folder, family, shape, small):
    config = config_of(family, shape)
    config._attn_implementation = "eager"
    model = getattr(hf, FAMILIES[family][0] + "ForSequenceClassification")(config).double().eval()
    deep = 0.15 if shape["hidden"] <= 48 else 0.15 * (48 / shape["hidden"]) ** 0.5
    with torch.no_grad():
        for name, p in model.named_parameters():
            norm = "norm" in name.lower() and name.endswith("weight")
            p.copy_((torch.randn_like(p) * deep + (1.0 if norm else 0.0)).half().double())
    finish(folder, family, config, model, shape, small)


def finish(folder, family, config, model, shape, small):
    lengths = torch.tensor(LENGTHS)
    offsets = torch.cat([torch.zeros(1, dtype=torch.long), lengths.cumsum(0)])
    ids = torch.randint(3, config.vocab_size, (int(offsets[-1]),))  # no padding among them
    types = torch.cat([(torch.arange(n) >= (n + 1) // 2).long() * (shape.get("types", 1) - 1) for n in LENGTHS])
    dlogits = torch.randn(len(LENGTHS), 3, dtype=torch.float64).float().double()
    logits = []
    for lo, hi in zip(offsets, offsets[1:]):
        more = {} if family == "distilbert" else {"token_type_ids": types[None, lo:hi]}
        logits.append(model(input_ids=ids[None, lo:hi], attention_mask=torch.ones(1, int(hi - lo)), **more).logits[0])
    logits = torch.stack(logits)
    (logits * dlogits).sum().backward()
    out = {"ids": ids.int(), "types": types.int(), "offsets": offsets.int(), "logits": logits.detach().float(), "dlogits": dlogits.float()}
    if small:
        out.update({"g." + n: p.grad.float() for n, p in model.named_parameters() if p.grad is not None})
    os.makedirs(folder, exist_ok=True)
    state = {n: p.detach().half().contiguous() for n, p in model.named_parameters()}
    save_file(state, f"{folder}/model.safetensors", {"format": "pt"})
    save_file({n: t.contiguous() for n, t in out.items()}, f"{folder}/golden.safetensors")
    keep = {k: v for k, v in config.to_dict().items() if k not in ("transformers_version", "_name_or_path", "torch_dtype", "dtype") and v is not None}
    keep["architectures"] = [FAMILIES[family][0] + "ForSequenceClassification"]
    with open(f"{folder}/config.json", "w", encoding="utf-8") as f:
        f.write(json.dumps(keep, indent=1, sort_keys=True) + "\n")
    print(folder, family, {k: v for k, v in shape.items()})


def main(root, sweep, checkpoint):
    torch.manual_seed(4321)
    if checkpoint:
        return trained(os.path.join(root, "trained"), checkpoint)
    for name, family, shape in drawn(sweep) if sweep else TESTS:
        write(os.path.join(root, name), family, shape, shape["hidden"] <= (400 if sweep else 32) or name in ("electra", "albert"))


if __name__ == "__main__":
    option = dict([sys.argv[2:4]] if sys.argv[2:] else [])
    main(sys.argv[1], int(option.get("--sweep", 0)), option.get("--model"))
