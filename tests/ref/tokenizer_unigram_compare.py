#!/usr/bin/env python3
"""Compares a folder's ids with the `tokenizers` package and with Transformers' AutoTokenizer; exits 1 on any difference.

    python tests/ref/tokenizer_unigram_compare.py --driver DRIVER --model FOLDER [--auto] [--corpus DIR] [--nasty FILE] [--sweep] [--every N]

DRIVER is tests/bench/tokenizer_speed built. FOLDER has a tokenizer.json, or with --auto what AutoTokenizer reads.
--corpus  every line of every text;  --nasty  strings made from a seed, and the texts of FILE (tests/golden/tokenizer_nasty.txt), also as pairs
--sweep   every code point (or one in N) alone, inside a word, and with marks around it
"""
import argparse
import glob
import itertools
import os
import random
import sys

os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
import tokenizers
from tokenizers import Tokenizer

from tokenizer_compare import SEED, Tally, lines_of, nasty, sweep


def backend(folder, auto):
    if not auto:
        return Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    import transformers
    transformers.logging.set_verbosity_error()
    tok = transformers.AutoTokenizer.from_pretrained(folder)
    print("transformers", transformers.__version__, type(tok).__name__)
    return tok.backend_tokenizer


def stored(path):
    """The texts of the golden file: the first word of a line is one in hex."""
    out = []
    for line in open(path):
        word = line.split(" ")[0].strip()
        if word and line[0] not in "#cm":
            out.append(b"" if word == "." else bytes.fromhex(word))
    return out


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--driver", required=True)
    ap.add_argument("--model", required=True)
    ap.add_argument("--auto", action="store_true")
    ap.add_argument("--corpus")
    ap.add_argument("--nasty")
    ap.add_argument("--sweep", action="store_true")
    ap.add_argument("--every", type=int, default=1)
    a = ap.parse_args()
    print("tokenizers", tokenizers.__version__, "seed", SEED)
    tally, tok = Tally(a.driver), backend(a.model, a.auto)
    for path in sorted(glob.glob(os.path.join(a.corpus, "**", "*.txt"), recursive=True) if a.corpus else [])[::a.every]:
        tally.run(os.path.basename(path), a.model, tok, lines_of(path))
    if a.nasty:
        texts = nasty(random.Random(SEED), 20000 // a.every) + stored(a.nasty)
        tally.run("nasty", a.model, tok, texts)
        for m in (0, 7, 16):
            tally.run("nasty pairs, max %d" % m, a.model, tok, list(zip(texts, texts[1:]))[:2000], m)
        blocks = ["\u2581", "\u2581\u2581", " ", "  ", "\u00a0", "\u3000", "\t", "\r\n", "a", "the", "<mask>", "<s>", "[MASK]", "''", "``", "\u0301", "\u2581the", "\ufb01", "\u00a9\u200d"]
        rng = random.Random(SEED)
        tally.run("spaces", a.model, tok, ["".join(rng.choice(blocks) for _ in range(rng.randrange(1, 9))).encode() for _ in range(20000 // a.every)])
    if a.sweep:
        tally.run("sweep", a.model, tok, itertools.islice(sweep(), 0, None, 1) if a.every == 1 else (t for i, t in enumerate(sweep()) if i // 3 % a.every == 0))
    print("TOTAL %d texts, %d tokens, %d differ" % (tally.records, tally.tokens, tally.bad))
    return 1 if tally.bad else 0


if __name__ == "__main__":
    sys.exit(main())
