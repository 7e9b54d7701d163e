"""What INT8 loses of an ALBERT, or of a BERT's sentence vectors, by matrix, and what other ways of making its integers would lose: fake
quantization in PyTorch.

    python tests/ref/int8_losses.py FOLDER             of families_golden.py --model: config.json and model.safetensors of an ALBERT
    python tests/ref/int8_losses.py FOLDER TEXTS       of a BERT with vocab.txt, and a file with a text a line, more than 256

Of ALBERT it prints correlation of logits with F32's over 64 texts of 1 to 40 random pieces (seed 7), and the root mean square of
differences over the logits' spread; of BERT the mean and the least cosine, with F32's, of the means over tokens, of all texts but the first
256, and the same differences. Attention, norms and activations are F32, so that what is left is the integers' own. A matrix is in one of

    f    F32                          w    weights alone in INT8            x    activations alone
    q    both: as the runtime does    a    activations between their least and their largest value, 255 steps
    2    activations in two INT8 parts: 16 bits                             sE   columns scaled by max|x|^E / max|W|^(1-E) (SmoothQuant,
                                                                                 arXiv 2211.10438), of 32 other texts, or of those 256
    +    behind any of them: what is lost in the mean over those texts the bias gives back (arXiv 1906.04721, section 4.2)
"""
import json
import math
import random
import sys

import torch
from safetensors.torch import load_file

ALBERT = "albert.encoder.albert_layer_groups.0.albert_layers.0."
SITES = {"albert": {"q": ALBERT + "attention.query", "k": ALBERT + "attention.key", "v": ALBERT + "attention.value", "o": ALBERT + "attention.dense",
                    "ffn_in": ALBERT + "ffn", "ffn_out": ALBERT + "ffn_output", "pooler": "albert.pooler",
                    "embed": "albert.encoder.embedding_hidden_mapping_in"},
         "bert": {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value", "o": "attention.output.dense",
                  "ffn_in": "intermediate.dense", "ffn_out": "output.dense"}}


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
        self.w = {k.removeprefix("bert."): v.float() for k, v in load_file(folder + "/model.safetensors").items()}
        self.albert = self.c["model_type"] == "albert"
        self.sites = SITES[self.c["model_type"]]
        self.top, self.made, self.lost = {}, {}, {}

    def name(self, site, layer):
        return self.sites[site] if self.albert else "encoder.layer.%d.%s" % (layer, self.sites[site])

    def scaled(self, site, layer, power):
        key = (site, layer, power)
        if key not in self.made:
            group = ("q", "k", "v") if site in "qkv" else (site,)
            most = torch.stack([self.w[self.name(g, layer) + ".weight"].abs().amax(0) for g in group]).amax(0).clamp(min=1e-5)
            s = self.top[site, layer].clamp(min=1e-4) ** power / most ** (1 - power)
            self.made[key] = s, rows(self.w[self.name(site, layer) + ".weight"] * s)
        return self.made[key]

    def product(self, site, layer, x, how):
        W = self.w[self.name(site, layer) + ".weight"]
        if how[0] == "s":
            s, Q = self.scaled(site, layer, float(how[1:]))
            return rows(x / s) @ Q.T
        if how in "fx":
            return (rows(x) if how == "x" else x) @ W.T
        part = rows(x)
        return {"q": lambda: part, "w": lambda: x, "a": lambda: between(x), "2": lambda: part + rows(x - part)}[how]() @ rows(W).T

    def linear(self, site, layer, x, way, note):
        how = way(site, layer)
        y = self.product(site, layer, x, how.rstrip("+")) + self.w[self.name(site, layer) + ".bias"]
        if note == "top":
            self.top[site, layer] = torch.maximum(x.abs().amax(0), self.top.get((site, layer), torch.zeros(1)))
        if how[-1] == "+" and note == "lost":
            self.lost[site, layer, how] = (self.product(site, layer, x, "f") + self.w[self.name(site, layer) + ".bias"] - y).mean(0)
        return y + self.lost[site, layer, how] if how[-1] == "+" else y

    def norm(self, x, name):
        return torch.nn.functional.layer_norm(x, (x.shape[-1],), self.w[name + ".weight"], self.w[name + ".bias"], self.c["layer_norm_eps"])

    def out(self, texts, way, note=None):
        """Logits of an ALBERT, means over tokens of a BERT."""
        c, w, E = self.c, self.w, "albert.embeddings." if self.albert else "embeddings."
        at = [0]
        for t in texts:
            at.append(at[-1] + len(t))
        first, D = torch.tensor(at[:-1]), c["hidden_size"] // c["num_attention_heads"]
        ids, places = torch.tensor([i for t in texts for i in t]), torch.tensor([i for t in texts for i in range(len(t))])
        act = "none" if c["hidden_act"] == "gelu" else "tanh"
        h = w[E + "word_embeddings.weight"][ids] + w[E + "position_embeddings.weight"][places] + w[E + "token_type_embeddings.weight"][0]
        h = self.norm(h, E + "LayerNorm")
        if self.albert:
            h = self.linear("embed", 0, h, way, note)
        for l in range(c["num_hidden_layers"]):
            norms = (ALBERT + "attention.LayerNorm", ALBERT + "full_layer_layer_norm") if self.albert else \
                    ["encoder.layer.%d.%soutput.LayerNorm" % (l, part) for part in ("attention.", "")]
            q, k, v = (self.linear(s, l, h, way, note).view(len(ids), -1, D).transpose(0, 1) for s in "qkv")
            m = torch.cat([torch.softmax(q[:, a:b] @ k[:, a:b].transpose(1, 2) / math.sqrt(D), -1) @ v[:, a:b] for a, b in zip(at, at[1:])], 1)
            m = m.transpose(0, 1).reshape(len(ids), -1)
            if self.albert and l == c["num_hidden_layers"] - 1:
                m, h = m[first], h[first]
            u = self.norm(self.linear("o", l, m, way, note) + h, norms[0])
            a = torch.nn.functional.gelu(self.linear("ffn_in", l, u, way, note), approximate=act)
            h = self.norm(self.linear("ffn_out", l, a, way, note) + u, norms[1])
        if not self.albert:
            return torch.stack([h[a:b].mean(0) for a, b in zip(at, at[1:])])
        return torch.tanh(self.linear("pooler", 0, h, way, note)) @ w["classifier.weight"].T + w["classifier.bias"]


def drawn(count, seed, vocab):
    r = random.Random(seed)
    return [[r.randrange(3, vocab) for _ in range(r.randint(1, 40))] for _ in range(count)]


def read(path, folder):
    from transformers import AutoTokenizer
    tok = AutoTokenizer.from_pretrained(folder)
    return [tok(line.rstrip("\n"), truncation=True, max_length=128)["input_ids"] for line in open(path, encoding="utf-8")]


def main():
    torch.set_num_threads(1)
    net = Net(sys.argv[1])
    texts, others = (drawn(n, seed, net.c["vocab_size"]) for n, seed in ((64, 7), (32, 99))) if net.albert else \
                    (lambda t: (t[256:], t[:256]))(read(sys.argv[2], sys.argv[1]))
    net.out(others, lambda s, l: "f", "top")
    want = net.out(texts, lambda s, l: "f")

    def report(name, way):
        if any(way(s, 0)[-1] == "+" for s in net.sites):
            net.lost.clear()
            net.out(others, way, "lost")
        got = net.out(texts, way)
        x, y, spread = want - want.mean(), got - got.mean(), want - want.mean(0)
        near = torch.nn.functional.cosine_similarity(got, want, -1)
        said = "correlation %.5f" % ((x * y).sum() / (x.norm() * y.norm())) if net.albert else "cosine %.5f least %.4f" % (near.mean(), near.min())
        print("%-36s %s  differences %.4f" % (name, said, (got - want).norm() / spread.norm()), flush=True)

    for how in ("q", "w", "x", "2", "s0.5", "s0.6", "s0.7") + (() if net.albert else ("q+", "s0.5+", "a")):
        report("all " + how, lambda s, l: how)
    for site in net.sites:
        for how in ("q", "w", "x") + (("a", "s0.5") if site == "ffn_out" else ("s0.5",) if site == "pooler" else ()):
            report("%s alone %s" % (site, how), lambda s, l: how if s == site else "f")
    if net.albert:
        report("all q, pooler s0.5", lambda s, l: "s0.5" if s == "pooler" else "q")
        report("all q, pooler s0.5, ffn_out a", lambda s, l: {"pooler": "s0.5", "ffn_out": "a"}.get(s, "q"))
        return
    for how in ("f", "2", "s0.5", "s0.5+"): # what a norm gives goes past these matrices, too
        report("Q, K and V %s, else q" % how, lambda s, l: how if s in "qkv" else "q")
        report("Q, K, V and FFN in %s, else q" % how, lambda s, l: how if s in "qkv" or s == "ffn_in" else "q")


if __name__ == "__main__":
    with torch.no_grad():
        main()
