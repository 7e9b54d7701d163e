#!/usr/bin/env python3
"""Compares this project's byte-level BPE with the `tokenizers` package, id for id and segment for segment; exits 1 on any difference.

    python tests/ref/bpe_compare.py --driver DRIVER --corpus DIR [--gpt2 DIR] [--lines] [--nasty] [--sweep] [--added]

DRIVER is tests/bench/tokenizer_speed built. Vocabularies are trained on the corpus (300, 5,000 and 50,265 pieces), and with --gpt2 made of a
folder's encoder.json and vocab.bpe, in these forms:

    roberta       vocab.json and merges.txt, ids in another order, <s> A </s></s> B </s>, <mask> that takes the space before it
    modern        tokenizer.json with NFC, [CLS] A [SEP] B [SEP], added tokens of white space and of words
    prefix        tokenizer.json with add_prefix_space and ignore_merges
    holes         bytes without pieces, unk_token, with fuse_unk and without, and without unk_token

--lines   every line of the corpus;  --nasty  strings made from a seed, and pairs, also cut;  --sweep  every code point in four contexts, over a
vocabulary in which each byte merges with what stands beside it there;  --added  random texts over random added tokens
"""
import json
import os
import random
import sys
import tempfile

import tokenizers
from tokenizers import AddedToken, Tokenizer
from tokenizers import normalizers as N
from tokenizers import pre_tokenizers as P
from tokenizers.models import BPE
from tokenizers.processors import ByteLevel, RobertaProcessing, TemplateProcessing
from tokenizers.trainers import BpeTrainer

from tokenizer_compare import SEED, Tally, add_random, arguments, lines_of, nasty, texts_under

ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
MODERN = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
LETTERS = sorted(P.ByteLevel.alphabet())


def train(files, size):
    """(pieces in the order of their ids, merges)"""
    tok = Tokenizer(BPE())
    tok.pre_tokenizer = P.ByteLevel(add_prefix_space=False)
    tok.train(files, BpeTrainer(vocab_size=size, initial_alphabet=LETTERS, show_progress=False))
    m = json.loads(tok.to_str())["model"]
    return sorted(m["vocab"], key=m["vocab"].get), [tuple(x.split(" ")) if isinstance(x, str) else tuple(x) for x in m["merges"]]


def gpt2(folder):
    vocab = json.load(open(os.path.join(folder, "encoder.json")))
    lines = open(os.path.join(folder, "vocab.bpe"), encoding="utf-8").read().split("\n")
    return [p for p in sorted(vocab, key=vocab.get) if p != "<|endoftext|>"], [tuple(x.split(" ")) for x in lines[1:] if x]


def neighbours():
    """Bytes that merge with what stands beside them in the contexts of the sweep: no boundary between words hides."""
    left, right = ["a", "1", ".", "Ġ", "x"], ["b", "e", ".", "1"]
    merges = [(x, y) for x in left for y in LETTERS] + [(y, x) for x in right for y in LETTERS]
    return LETTERS + sorted({x + y for x, y in merges} - set(LETTERS)), merges


def contexts(c):
    yield c
    yield "a" + c + "b"
    yield "x \u302e" + c + "\u0327\u302a" + c + "e"
    yield "1" + c + "." + c + "e"


def sweep():
    for c in range(0x110000):
        if not 0xD800 <= c <= 0xDFFF:
            for text in contexts(chr(c)):
                yield text.encode()


def put(folder, name, j):
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as f:
        json.dump(j, f, ensure_ascii=False, separators=(",", ":"))
        f.write("\n")


# ---- forms: each writes a folder and answers with the package's tokenizer of it --------------------------------------

def roberta(folder, pieces, merges, prefix=False):
    """As transformers 5 builds it of vocab.json and merges.txt."""
    order = pieces[:]
    random.Random(SEED).shuffle(order)
    vocab = {p: i for i, p in enumerate(ROBERTA[:4] + order + ROBERTA[4:])}
    put(folder, "vocab.json", vocab)
    with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8", newline="\n") as f:
        f.write("#version: 0.2\n" + "".join("%s %s\n" % m for m in merges))
    mask = AddedToken("<mask>", lstrip=True, normalized=False, special=True)
    put(folder, "special_tokens_map.json", dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>", sep_token="</s>", pad_token="<pad>", cls_token="<s>",
                                                mask_token=dict(content="<mask>", lstrip=True, rstrip=False, normalized=False, single_word=False)))
    put(folder, "tokenizer_config.json", dict(tokenizer_class="RobertaTokenizer", add_prefix_space=prefix))
    tok = Tokenizer(BPE(vocab=vocab, merges=merges, fuse_unk=False))
    tok.pre_tokenizer = P.ByteLevel(add_prefix_space=prefix)
    tok.post_processor = RobertaProcessing(("</s>", vocab["</s>"]), ("<s>", vocab["<s>"]), True, prefix)
    tok.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in ROBERTA[:4]] + [mask])
    return tok


def modern(folder, pieces, merges):
    vocab = {p: i for i, p in enumerate(pieces)}
    tok = Tokenizer(BPE(vocab=vocab, merges=merges))
    tok.normalizer = N.NFC()
    tok.pre_tokenizer = P.ByteLevel(add_prefix_space=False)
    spaces = [AddedToken(" " * n, normalized=True, special=False) for n in range(24, 1, -1)]
    words = [AddedToken("|||EMAIL|||", normalized=True, special=False), AddedToken("e\u0301te\u0301", normalized=True, special=False),
             AddedToken("\n\n", normalized=False, special=False)]
    tok.add_tokens(spaces + words)
    tok.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in MODERN[:4]] + [AddedToken("[MASK]", lstrip=True, normalized=False, special=True)])
    ids = [(t, tok.token_to_id(t)) for t in ("[CLS]", "[SEP]")]
    tok.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ids)
    tok.save(os.path.join(folder, "tokenizer.json"), pretty=False)
    put(folder, "tokenizer_config.json", dict(tokenizer_class="PreTrainedTokenizerFast"))
    return Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))


def prefix(folder, pieces, merges):
    tok = Tokenizer(BPE(vocab={p: i for i, p in enumerate(pieces)}, merges=merges, ignore_merges=True))
    tok.pre_tokenizer = P.ByteLevel(add_prefix_space=True)
    tok.post_processor = ByteLevel(trim_offsets=True)
    tok.save(os.path.join(folder, "tokenizer.json"))
    return tok


def holes(folder, pieces, merges, unk, fuse):
    rng = random.Random(SEED)
    gone = set(rng.sample(LETTERS, 120)) - {"Ġ", "a", "e", "t"}
    kept = [p for p in pieces if not gone & set(p)]
    tok = Tokenizer(BPE(vocab={p: i for i, p in enumerate(["<unk>"] + kept)}, merges=[m for m in merges if not gone & set(m[0] + m[1])],
                        unk_token="<unk>" if unk else None, fuse_unk=fuse))
    tok.pre_tokenizer = P.ByteLevel(add_prefix_space=False)
    tok.save(os.path.join(folder, "tokenizer.json"))
    return tok


FORMS = {
    "roberta": lambda f, p, m: roberta(f, p, m),
    "roberta with add_prefix_space": lambda f, p, m: roberta(f, p, m, True),
    "modern": modern,
    "prefix": prefix,
    "holes with unk": lambda f, p, m: holes(f, p, m, True, False),
    "holes with fused unk": lambda f, p, m: holes(f, p, m, True, True),
    "holes without unk": lambda f, p, m: holes(f, p, m, False, False),
}


def random_added(rng, folder):
    pieces, merges = neighbours()
    tok = Tokenizer(BPE(vocab={p: i for i, p in enumerate(pieces)}, merges=merges))
    if rng.random() < 0.6:
        tok.normalizer = N.NFC()
    tok.pre_tokenizer = P.ByteLevel(add_prefix_space=rng.random() < 0.5)
    contents = ["<s>", "foo", "Foo", "ab", "abc", "b", "É", "e\u0301", " x", "x ", "<a>", "日", "a b", "  ", "\n", "\u00a0q", "\u1100\u1161", "1"]
    add_random(rng, tok, contents)
    path = os.path.join(folder, "tokenizer.json")
    tok.save(path)
    bits = contents + list("abxe1.'") + ["  ", "\t", "\u2003", "'s", "'ll", "foobar", "é", "_", "\u0301", "\x00", "\u200d", "\u11a8"]
    return Tokenizer.from_file(path), ["".join(rng.choice(bits) for _ in range(rng.randrange(1, 14))).encode() for _ in range(400)]


def main():
    ap = arguments(__doc__, "nasty", "sweep", "added", "lines")
    ap.add_argument("--corpus", required=True)
    ap.add_argument("--gpt2")
    ap.add_argument("--sizes", default="300,5000,50265")
    a = ap.parse_args()
    print("tokenizers", tokenizers.__version__, "seed", SEED)
    tally = Tally(a.driver)
    files = texts_under(a.corpus, "txt")
    vocabularies = {"trained %s" % n: train(files, int(n)) for n in a.sizes.split(",") if n}
    if a.gpt2:
        vocabularies["GPT-2"] = gpt2(a.gpt2)
    strings = nasty(random.Random(SEED), 20000) + [b"x" * 20000, b"ab" * 5000 + b" " * 999 + b"'s", "é中".encode() * 4000]
    for name, (pieces, merges) in vocabularies.items():
        for form, make in FORMS.items():
            with tempfile.TemporaryDirectory() as folder:
                tok = make(folder, pieces, merges)
                label = "%s, %s" % (name, form)
                if a.lines:
                    tally.run("corpus: " + label, folder, tok, (line for path in files for line in lines_of(path)))
                if a.nasty:
                    tally.run("nasty: " + label, folder, tok, strings)
                    tally.pairs(": " + label, folder, tok, strings, (0, 5, 7, 16))
    if a.sweep:
        pieces, merges = neighbours()
        for form in ("roberta", "modern"):
            with tempfile.TemporaryDirectory() as folder:
                tally.run("sweep, " + form, folder, FORMS[form](folder, pieces, merges), sweep())
    if a.added:
        tally.added(random_added)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
