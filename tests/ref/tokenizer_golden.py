#!/usr/bin/env python3
"""Writes the tokenizer's goldens from the `tokenizers` package; no vocabulary of others is in them.

    python tests/ref/tokenizer_golden.py tests/golden [FOLDER]

tokenizer_sweep.txt         FNV-1a of the ids of every code point in three contexts, a hash for each 4096 of them, for lowercase
                            true/false x strip_accents unset/true/false; the vocabulary has every character of planes 0 to 2 as a piece
tokenizer_nasty_vocab.txt   a small vocabulary made from a seed
tokenizer_nasty.txt         texts (hex), limits and ids over it; with FOLDER (MiniLM's tokenizer.json) one hash over its real vocabulary
"""
import json
import os
import random
import sys

import tokenizers
from tokenizers import AddedToken, Tokenizer
from tokenizers import normalizers as N
from tokenizers import pre_tokenizers as P
from tokenizers.models import WordPiece
from tokenizers.processors import TemplateProcessing

from tokenizer_compare import FLAGS, SEED, decode, nasty

MASK, PRIME, BASIS = (1 << 64) - 1, 0x100000001B3, 0xCBF29CE484222325
SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
SWEEP = [c for c in range(0x30000) if not 0xD800 <= c <= 0xDFFF] + list(range(0xE0000, 0xE1000)) + list(range(0xF0000, 0xF0100)) + list(
    range(0x10FF00, 0x110000))


def fold(h, v):
    return ((h ^ v) * PRIME) & MASK


def make(pieces, lower, strip, added):
    tok = Tokenizer(WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tok.normalizer = N.BertNormalizer(lowercase=lower, strip_accents=strip)
    tok.pre_tokenizer = P.BertPreTokenizer()
    tok.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    for t in added:
        (tok.add_special_tokens if t.special else tok.add_tokens)([t])
    return tok


def config(lower, strip, added):
    entry = lambda t: dict(content=t.content, normalized=t.normalized, single_word=t.single_word, lstrip=t.lstrip, rstrip=t.rstrip)
    return json.dumps({"lowercase": lower, "strip_accents": strip, "added": [entry(t) for t in added]}, separators=(",", ":"))


def header(f, what):
    f.write("# %s: tests/ref/%s, tokenizers %s, seed %d\n" % (what, os.path.basename(sys.argv[0]), tokenizers.__version__, SEED))


def sweep(path):
    chars = [chr(c) for c in range(1, 0x30000) if c != 10 and not 0xD800 <= c <= 0xDFFF]
    pieces = SPECIAL[:3] + chars + ["##" + c for c in chars]
    contexts = (lambda c: c, lambda c: "a" + c + "b", lambda c: "x \u302e" + c + "\u0327\u302a" + c + "e")
    with open(path, "w") as f:
        header(f, "flags context block hash")
        for k, (lower, strip) in enumerate(FLAGS):
            tok = make(pieces, lower, strip, [])
            for x, context in enumerate(contexts):
                for at in range(0, len(SWEEP), 4096):
                    h = BASIS
                    for e in tok.encode_batch([context(chr(c)) for c in SWEEP[at:at + 4096]]):
                        ids = e.ids
                        h = fold(h, len(ids))
                        for i in ids:
                            h = fold(h, i)
                    f.write("%d %d %d %016x\n" % (k, x, at // 4096, h))


def small_vocabulary(rng):
    base = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEISX.,!?'-[]()$+#%"
    other = "éàçåñüÉÅßøıİσςΣίЯяйשלוםمرحبकखहिน中文日本北京각한ᄀᄁ가ﬁǆ①½²ªº\u0301\u0300\u0327\u0308\u0323\u05b8\u05c1\u3099\u302e\u302a\U0001d165\U0001d16d\U0001f44d\U0001f468"
    pieces, seen = [], set()
    words = "the of naive cafe façade straße istanbul angstrom unaffable don mail family right left world text token ing ed er est tion".split()
    frags = {w[a:a + n] for w in words for n in (2, 3, 4, 9) for a in range(len(w))}
    for p in SPECIAL + list(base) + list(other) + ["##" + c for c in base + other if c.isalnum() or ord(c) > 127] + words + rng.sample(sorted(frags), 80) + [
            "##" + x for x in rng.sample(sorted(frags), 120)]:
        if p not in seen:
            seen.add(p)
            pieces.append(p)
    return pieces


def case(tok, a, b, limit):
    tok.no_truncation()
    full = tok.encode(decode(a), None if b is None else decode(b))
    cut = full
    if limit:
        tok.enable_truncation(limit)
        cut = tok.encode(decode(a), None if b is None else decode(b))
    return "%s %s %d %d %d %s\n" % (a.hex() or ".", "-" if b is None else b.hex() or ".", limit, len(full.ids) - len(cut.ids), sum(cut.type_ids),
                                     ",".join(map(str, cut.ids)))


def small(folder, model):
    rng = random.Random(SEED)
    pieces = small_vocabulary(rng)
    with open(os.path.join(folder, "tokenizer_nasty_vocab.txt"), "w", newline="\n") as f:
        f.write("".join(p + "\n" for p in pieces))
    special = [AddedToken(t, normalized=False, special=True) for t in SPECIAL]
    flagged = special + [AddedToken("İstanbul" if "İstanbul" in pieces else "istanbul", normalized=True, single_word=True), AddedToken("É", normalized=True, rstrip=True),
                         AddedToken("text", normalized=False, lstrip=True), AddedToken("the", normalized=True, lstrip=True, rstrip=True)]
    strings = [s for s in nasty(random.Random(SEED + 1), 1200) if len(s) <= 160]
    fixed, rest = strings[:60], strings[60:]
    with open(os.path.join(folder, "tokenizer_nasty.txt"), "w") as f:
        header(f, "config {json}, then: a b limit dropped second-segment-tokens ids; . is an empty text, - is none")
        for k, (lower, strip, added) in enumerate([(lo, st, special) for lo, st in FLAGS] + [(True, None, flagged), (False, None, flagged)]):
            tok = make(pieces, lower, strip, added)
            f.write("config %s\n" % config(lower, strip, added))
            for s in (fixed if k in (0, 3, 6) else []) + rest[k * 60:k * 60 + 60]:
                f.write(case(tok, s, None, 0))
            for s, t in zip(rest[k * 60:k * 60 + 24], rest[k * 60 + 24:]):
                f.write(case(tok, s, t, rng.choice([0, 3, 4, 5, 8, 9, 16])))
        if model:
            tok = Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
            tok.no_padding()
            tok.no_truncation()
            vocab = sorted(tok.get_vocab().items(), key=lambda x: x[1])
            hv = hi = BASIS
            for p, _ in vocab:
                for c in (p + "\n").encode():
                    hv = fold(hv, c)
            for s in fixed + rest[:480]:
                for i in tok.encode(decode(s)).ids:
                    hi = fold(hi, i)
            f.write("model %016x %016x\n" % (hv, hi))
            for s in fixed + rest[:480]:
                f.write("%s\n" % (s.hex() or "."))


if __name__ == "__main__":
    small(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
    sweep(os.path.join(sys.argv[1], "tokenizer_sweep.txt"))
