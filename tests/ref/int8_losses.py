"""What INT8 loses of an ALBERT, by matrix, and what other ways of making its integers would lose: fake quantization in PyTorch.

    python tests/ref/int8_losses.py FOLDER        of families_golden.py --model: config.json and model.safetensors

Prints correlation of logits with F32's over 64 texts of 1 to 40 random pieces (seed 7), and the root mean square of differences over the
logits' spread. Attention, norms and activations are F32, so that what is left is the integers' own. A matrix is in one of

    f    F32                          w    weights alone in INT8            x    activations alone
    q    both: as the runtime does    a    activations between their least and their largest value, 255 steps
    2    activations in two INT8 parts: 16 bits                             sE   columns scaled by max|x|^E / max|W|^(1-E) (SmoothQuant,
                                                                                 arXiv 2211.10438), of 32 other texts
"""
import json
import math
import random
import sys

import torch
from safetensors.torch import load_file

LAYER = "albert.encoder.albert_layer_groups.0.albert_layers.0."
SITES = {"q": LAYER + "attention.query", "k": LAYER + "attention.key", "v": LAYER + "attention.value", "o": LAYER + "attention.dense",
         "ffn_in": LAYER + "ffn", "ffn_out": LAYER + "ffn_output", "pooler": "albert.pooler",
         "embed": "albert.encoder.embedding_hidden_mapping_in"}


def rows(x):
    s = (x.abs().amax(-1, keepdim=True) / 127).clamp(min=1e-30)
    return (x / s).round() * s


def between(x):
    lo, hi = x.amin(-1, keepdim=True).clamp(max=0), x.amax(-1, keepdim=True).clamp(min=0)
    s = ((hi - lo) / 254).clamp(min=1e-30)
    return ((x - lo) / s).round() * s + lo


class Net:
    def __init__(self, folder):
        self.c = json.load(open(folder + "/config.json"))
        self.w = {k: v.float() for k, v in load_file(folder + "/model.safetensors").items()}
        self.top, self.made = {}, {}

    def scaled(self, site, layer, power):
        key = (site, layer, power)
        if key not in self.made:
            group = ("q", "k", "v") if site in "qkv" else (site,)
            most = torch.stack([self.w[SITES[g] + ".weight"].abs().amax(0) for g in group]).amax(0).clamp(min=1e-5)
            s = self.top[site, layer].clamp(min=1e-4) ** power / most ** (1 - power)
            self.made[key] = s, rows(self.w[SITES[site] + ".weight"] * s)
        return self.made[key]

    def linear(self, site, layer, x, way, note):
        W, b, how = self.w[SITES[site] + ".weight"], self.w[SITES[site] + ".bias"], way(site, layer)
        if note:
            self.top[site, layer] = x.abs().amax(0)
        if how[0] == "s":
            s, Q = self.scaled(site, layer, float(how[1:]))
            return rows(x / s) @ Q.T + b
        if how in "fx":
            return (rows(x) if how == "x" else x) @ W.T + b
        part = rows(x)
        return {"q": lambda: part, "w": lambda: x, "a": lambda: between(x), "2": lambda: part + rows(x - part)}[how]() @ rows(W).T + b

    def norm(self, x, name):
        return torch.nn.functional.layer_norm(x, (x.shape[-1],), self.w[name + ".weight"], self.w[name + ".bias"], self.c["layer_norm_eps"])

    def logits(self, texts, way, note=False):
        c, w, E = self.c, self.w, "albert.embeddings."
        at = [0]
        for t in texts:
            at.append(at[-1] + len(t))
        first, D = torch.tensor(at[:-1]), c["hidden_size"] // c["num_attention_heads"]
        ids, places = torch.tensor([i for t in texts for i in t]), torch.tensor([i for t in texts for i in range(len(t))])
        act = "none" if c["hidden_act"] == "gelu" else "tanh"
        h = w[E + "word_embeddings.weight"][ids] + w[E + "position_embeddings.weight"][places] + w[E + "token_type_embeddings.weight"][0]
        h = self.linear("embed", 0, self.norm(h, E + "LayerNorm"), way, note)
        for l in range(c["num_hidden_layers"]):
            q, k, v = (self.linear(s, l, h, way, note).view(len(ids), -1, D).transpose(0, 1) for s in "qkv")
            m = torch.cat([torch.softmax(q[:, a:b] @ k[:, a:b].transpose(1, 2) / math.sqrt(D), -1) @ v[:, a:b] for a, b in zip(at, at[1:])], 1)
            m = m.transpose(0, 1).reshape(len(ids), -1)
            if l == c["num_hidden_layers"] - 1:
                m, h = m[first], h[first]
            u = self.norm(self.linear("o", l, m, way, note) + h, LAYER + "attention.LayerNorm")
            a = torch.nn.functional.gelu(self.linear("ffn_in", l, u, way, note), approximate=act)
            h = self.norm(self.linear("ffn_out", l, a, way, note) + u, LAYER + "full_layer_layer_norm")
        return torch.tanh(self.linear("pooler", 0, h, way, note)) @ w["classifier.weight"].T + w["classifier.bias"]


def drawn(count, seed, vocab):
    r = random.Random(seed)
    return [[r.randrange(3, vocab) for _ in range(r.randint(1, 40))] for _ in range(count)]


def main():
    torch.set_num_threads(1)
    net = Net(sys.argv[1])
    texts = drawn(64, 7, net.c["vocab_size"])
    net.logits(drawn(32, 99, net.c["vocab_size"]), lambda s, l: "f", True)
    want = net.logits(texts, lambda s, l: "f")

    def report(name, way):
        got = net.logits(texts, way)
        x, y, spread = want - want.mean(), got - got.mean(), want - want.mean(0)
        print("%-36s correlation %.5f  differences %.4f" % (name, (x * y).sum() / (x.norm() * y.norm()), (got - want).norm() / spread.norm()), flush=True)

    for how in ("q", "w", "x", "2", "s0.5", "s0.6", "s0.7"):
        report("all " + how, lambda s, l: how)
    for site in SITES:
        for how in ("q", "w", "x") + (("a", "s0.5") if site == "ffn_out" else ("s0.5",) if site == "pooler" else ()):
            report("%s alone %s" % (site, how), lambda s, l: how if s == site else "f")
    report("all q, pooler s0.5", lambda s, l: "s0.5" if s == "pooler" else "q")
    report("all q, pooler s0.5, ffn_out a", lambda s, l: {"pooler": "s0.5", "ffn_out": "a"}.get(s, "q"))


if __name__ == "__main__":
    with torch.no_grad():
        main()
