#!/usr/bin/env python3
"""Writes the goldens of byte-level BPE from the `tokenizers` package; vocabularies are made from a seed.

    python tests/ref/bpe_golden.py tests/golden

bpe/roberta, bpe/modern   two folders, of vocab.json with merges.txt and of tokenizer.json (forms of bpe_compare.py)
bpe_nasty.txt             ids of the texts of tokenizer_nasty.txt and of some more, alone, in pairs and cut
bpe_sweep.txt             FNV-1a of the ids of every code point of planes 0 and 1 in three contexts, a hash for each 4096 of them
"""
import json
import os
import random
import sys

from tokenizers import Tokenizer
from tokenizers import pre_tokenizers as P
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from bpe_compare import FORMS, LETTERS, SEED, contexts, neighbours
from tokenizer_golden import BASIS, SWEEP, case, fold, header

WORDS = ("the of naive cafe façade straße istanbul angstrom unaffable don't we'll they've mail family right left world text token tokens tokenized "
         "3.14 1000 2024 $5 e-mail U.S.A. 北京 東京 한국어 שלום привет мир").split(" ")
OWN = ["", " ", "  ", "a", " a", "a ", "don't", "DON'T", "we'll've", "'s", " 's", "x's 're'", "a  b", "a   b", "a \n b", "a\n\nb", "\t\tx", "a\u00a0 b", "a \u3000b", "1,000.50",
       "x" * 70, "ab" * 300, " " * 40, "<mask>", "a <mask> b", "a  <mask>b", "<s></s>", "[MASK]", "a [MASK]", "|||EMAIL|||", "e\u0301te\u0301", "été", "a     b", "q\n\nr",
       "\u1100\u1161\u11a8", "각\u0301", "s\u0307\u0323", "\u212b", "\U0001d15e"]


def vocabulary():
    rng = random.Random(SEED)
    texts = [" ".join(rng.choice(WORDS) for _ in range(8)) for _ in range(200)]
    tok = Tokenizer(BPE())
    tok.pre_tokenizer = P.ByteLevel(add_prefix_space=False)
    tok.train_from_iterator(texts, BpeTrainer(vocab_size=500, initial_alphabet=LETTERS, show_progress=False))
    trained = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in json.loads(tok.to_str())["model"]["merges"]]
    merges = trained + [m for m in neighbours()[1] if m not in set(trained)]
    return LETTERS + sorted({a + b for a, b in merges} - set(LETTERS)), merges


def texts_of(path):
    seen = []
    for line in open(path):
        parts = line.split(" ")
        if len(parts) < 5 or line[0] in "#cm":
            continue
        for h in parts[:2]:
            t = bytes.fromhex("" if h in ".-" else h)
            if t not in seen:
                seen.append(t)
    return seen


def main(golden):
    pieces, merges = vocabulary()
    texts = [t.encode() for t in OWN] + texts_of(os.path.join(golden, "tokenizer_nasty.txt"))
    rng = random.Random(SEED)
    toks = {}
    for form in ("roberta", "modern"):
        folder = os.path.join(golden, "bpe", form)
        os.makedirs(folder, exist_ok=True)
        toks[form] = FORMS[form](folder, pieces, merges)
    with open(os.path.join(golden, "bpe_nasty.txt"), "w") as f:
        header(f, "folder NAME, then: a b limit dropped second-segment-tokens ids; . is an empty text, - is none")
        for form, tok in toks.items():
            f.write("folder %s\n" % form)
            for t in texts[:len(OWN)] + texts[len(OWN) + (form == "modern")::2]:
                f.write(case(tok, t, None, 0))
            for a, b in zip(texts[::7], texts[3::7]):
                f.write(case(tok, a, b, rng.choice([0, 4, 5, 8, 9, 16])))
    with open(os.path.join(golden, "bpe_sweep.txt"), "w") as f:
        header(f, "folder (roberta, modern), context, block, hash")
        for k, tok in enumerate(toks.values()):
            tok.no_truncation()
            for x in (1, 2, 3):
                for at in range(0, 0x20000, 4096):
                    h = BASIS
                    for e in tok.encode_batch([list(contexts(chr(c)))[x] for c in SWEEP[at:at + 4096]]):
                        h = fold(h, len(e.ids))
                        for i in e.ids:
                            h = fold(h, i)
                    f.write("%d %d %d %016x\n" % (k, x, at // 4096, h))


if __name__ == "__main__":
    main(sys.argv[1])
