"""Goldens of the training engine: logits, hidden states and all gradients of a nano BERT, from PyTorch in float64.

Made with: python tests/ref/bert_golden.py tests/golden/bert_nano.safetensors
Versions:  torch 2.15.0, transformers 5.23.0, safetensors; seed 1234

One file: weights "w.NAME" in our names; the batch (ids, types, offsets); for each activation CASE
  CASE.logits [B, K]  CASE.hidden.I [T, C]  CASE.g.NAME  gradients of sum(logits * dlogits) + sum(hidden.I * dhidden.I)
where dlogits is in the file and dhidden.I is used by the case "gelu" alone. Sequences are run one at a time, unpadded.
"""
import sys

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification

CASES = {"gelu": "gelu", "gelu_tanh": "gelu_new", "relu": "relu"}
LENGTHS = [1, 2, 13, 5, 20]
SIZES = dict(vocab_size=50, max_position_embeddings=20, type_vocab_size=2, hidden_size=24, num_hidden_layers=2,
             num_attention_heads=3, intermediate_size=40, num_labels=3)


def our_name(name):
    fixed = {
        "bert.embeddings.word_embeddings.weight": "embeddings.word.weight",
        "bert.embeddings.position_embeddings.weight": "embeddings.position.weight",
        "bert.embeddings.token_type_embeddings.weight": "embeddings.type.weight",
    }
    if name in fixed:
        return fixed[name]
    for a, b in [("bert.encoder.", ""), ("bert.", ""), ("embeddings.LayerNorm", "embeddings.norm"), ("pooler.dense", "pooler"),
                 ("attention.self.query", "attention.q"), ("attention.self.key", "attention.k"),
                 ("attention.self.value", "attention.v"), ("attention.output.dense", "attention.o"),
                 ("attention.output.LayerNorm", "attention.norm"), ("intermediate.dense", "ffn.in"),
                 ("output.dense", "ffn.out"), ("output.LayerNorm", "ffn.norm")]:
        name = name.replace(a, b)
    return name


def main(path):
    torch.manual_seed(1234)
    out = {}
    weights = None
    lengths = torch.tensor(LENGTHS)
    offsets = torch.cat([torch.zeros(1, dtype=torch.long), lengths.cumsum(0)])
    total = int(offsets[-1])
    ids = torch.randint(0, SIZES["vocab_size"], (total,))
    types = torch.cat([(torch.arange(n) >= (n + 1) // 2).long() for n in LENGTHS])
    dlogits = torch.randn(len(LENGTHS), SIZES["num_labels"], dtype=torch.float64).float().double()
    dhidden = [torch.randn(total, SIZES["hidden_size"], dtype=torch.float64).float().double() * 0.1
               for _ in range(SIZES["num_hidden_layers"] + 1)]
    dhidden = [d.float().double() for d in dhidden]
    out.update({"ids": ids.int(), "types": types.int(), "offsets": offsets.int(), "dlogits": dlogits.float()})
    out.update({f"dhidden.{i}": d.float() for i, d in enumerate(dhidden)})

    for case, act in CASES.items():
        config = BertConfig(hidden_act=act, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **SIZES)
        config._attn_implementation = "eager"
        model = BertForSequenceClassification(config).double().eval()
        if weights is None:
            weights = {}
            for name, p in model.named_parameters():
                w = torch.randn_like(p) * 0.3 + (1.0 if name.endswith("LayerNorm.weight") else 0.0)
                weights[name] = w.float().double()
            out.update({"w." + our_name(n): w.float() for n, w in weights.items()})
        with torch.no_grad():
            for name, p in model.named_parameters():
                p.copy_(weights[name])
        loss, logits, hidden = 0.0, [], [[] for _ in dhidden]
        for b, n in enumerate(LENGTHS):
            lo, hi = int(offsets[b]), int(offsets[b + 1])
            r = model(input_ids=ids[None, lo:hi], token_type_ids=types[None, lo:hi], attention_mask=torch.ones(1, n),
                      output_hidden_states=True)
            logits.append(r.logits[0])
            loss = loss + (r.logits[0] * dlogits[b]).sum()
            for i, h in enumerate(r.hidden_states):
                hidden[i].append(h[0])
                if case == "gelu":
                    loss = loss + (h[0] * dhidden[i][lo:hi]).sum()
        loss.backward()
        out[f"{case}.logits"] = torch.stack(logits).detach().float()
        if case == "gelu":
            out.update({f"{case}.hidden.{i}": torch.cat(h).detach().float() for i, h in enumerate(hidden)})
        for name, p in model.named_parameters():
            out[f"{case}.g.{our_name(name)}"] = p.grad.float()
    save_file({k: v.contiguous() for k, v in out.items()}, path)


if __name__ == "__main__":
    main(sys.argv[1])
