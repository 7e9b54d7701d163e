#!/usr/bin/env python3
"""Compares a folder's ids with the `tokenizers` package and with Transformers' AutoTokenizer; exits 1 on any difference.

    python tests/ref/tokenizer_unigram_compare.py --driver DRIVER --model FOLDER [--auto] [--corpus DIR] [--nasty FILE] [--sweep] [--every N]

DRIVER is tests/bench/tokenizer_speed built. FOLDER has a tokenizer.json, or with --auto what AutoTokenizer reads.
--corpus  every line of every text;  --nasty  strings made from a seed, and the texts of FILE (tests/golden/tokenizer_nasty.txt), also as pairs
--sweep   every code point (or one in N) alone, inside a word, and with marks around it
"""
import os
import random
import sys

os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
import tokenizers
from tokenizers import Tokenizer

from tokenizer_compare import SEED, Tally, arguments, lines_of, nasty, sweep, texts_under


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
    ap = arguments(__doc__, "auto", "sweep")
    ap.add_argument("--model", required=True)
    ap.add_argument("--corpus")
    ap.add_argument("--nasty")
    ap.add_argument("--every", type=int, default=1)
    a = ap.parse_args()
    print("tokenizers", tokenizers.__version__, "seed", SEED)
    tally, tok = Tally(a.driver), backend(a.model, a.auto)
    for path in texts_under(a.corpus, "txt")[::a.every]:
        tally.run(os.path.basename(path), a.model, tok, lines_of(path))
    if a.nasty:
        texts = nasty(random.Random(SEED), 20000 // a.every) + stored(a.nasty)
        tally.run("nasty", a.model, tok, texts)
        tally.pairs("", a.model, tok, texts, (0, 7, 16))
        blocks = ["\u2581", "\u2581\u2581", " ", "  ", "\u00a0", "\u3000", "\t", "\r\n", "a", "the", "<mask>", "<s>", "[MASK]", "''", "``", "\u0301", "\u2581the", "\ufb01", "\u00a9\u200d"]
        rng = random.Random(SEED)
        tally.run("spaces", a.model, tok, ["".join(rng.choice(blocks) for _ in range(rng.randrange(1, 9))).encode() for _ in range(20000 // a.every)])
    if a.sweep:
        tally.run("sweep", a.model, tok, (t for i, t in enumerate(sweep()) if i // 3 % a.every == 0))
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
