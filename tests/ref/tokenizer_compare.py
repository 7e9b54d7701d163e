#!/usr/bin/env python3
"""Compares this project's WordPiece with the `tokenizers` package, id for id and segment for segment; exits 1 on any difference.

    python tests/ref/tokenizer_compare.py --driver DRIVER --model FOLDER [--text FILE ...] [--glue DIR] [--corpus DIR] [--nasty] [--sweep] [--added]

DRIVER is tests/bench/tokenizer_speed built. FOLDER is a Hugging Face folder with a tokenizer.json (MiniLM here).
--text/--corpus  every line;  --glue  every text column of every TSV, and the sentence pairs, also cut to 32 tokens
--nasty          strings made from a seed: every Unicode category, marks, right to left, emoji, control, invalid UTF-8, long words
--sweep          every code point alone, inside a word and after a space with marks around it
--added          random texts over vocabularies with random added tokens (normalized, single_word, lstrip, rstrip)
nasty and sweep run for lowercase true/false x strip_accents unset/true/false and twice without cleaning, with the model's vocabulary
and with one in which every assigned character is a piece.
"""
import argparse
import glob
import itertools
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import unicodedata

os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
import numpy as np
import tokenizers
from tokenizers import AddedToken, Tokenizer
from tokenizers import normalizers as N
from tokenizers import pre_tokenizers as P
from tokenizers.models import WordPiece
from tokenizers.processors import TemplateProcessing

SEED = 20240607
CHUNK = 200000
PAIRED = 60  # bytes of a text of a pair that is cut
FLAGS = list(itertools.product((True, False), (None, True, False)))


def drive(driver, folder, records, max_length):
    """ids and segments of ours: one int32 array a record, ids then types."""
    def blob(r):
        a, b = r if isinstance(r, tuple) else (r, None)
        return struct.pack("=Ii", len(a), -1 if b is None else len(b)) + a + (b or b"")
    out = subprocess.run([driver, folder, "--records", str(max_length)], input=b"".join(map(blob, records)), stdout=subprocess.PIPE, check=True)
    v = np.frombuffer(out.stdout, dtype=np.int32)
    at, res = 0, []
    for _ in records:
        n = v[at]
        res.append(v[at + 1:at + 1 + 2 * n])
        at += 1 + 2 * n
    assert at == len(v)
    return res


def decode(x):
    return x.decode("utf-8", errors="replace")


def theirs(tok, records, max_length):
    tok.no_padding()
    tok.no_truncation()
    if max_length:
        tok.enable_truncation(max_length)
    texts = [(decode(r[0]), decode(r[1])) if isinstance(r, tuple) else decode(r) for r in records]
    return [np.array(e.ids + e.type_ids, dtype=np.int32) for e in tok.encode_batch(texts)]


class Tally:
    def __init__(self, driver):
        self.driver, self.records, self.tokens, self.bad = driver, 0, 0, 0

    def run(self, what, folder, tok, records, max_length=0):
        bad = n = tokens = 0
        records = iter(records)
        while True:
            part = list(itertools.islice(records, CHUNK))
            if not part:
                break
            for r, x, y in zip(part, drive(self.driver, folder, part, max_length), theirs(tok, part, max_length)):
                tokens += len(y) // 2
                if not np.array_equal(x, y):
                    bad += 1
                    if bad <= 5:
                        print("DIFFERS", what, ascii(r), "ours", x[:len(x) // 2].tolist(), "theirs", y[:len(y) // 2].tolist())
            n += len(part)
        print("%-78s %9d texts %10d tokens %6d differ" % (what, n, tokens, bad), flush=True)
        self.records, self.tokens, self.bad = self.records + n, self.tokens + tokens, self.bad + bad

    def pairs(self, what, folder, tok, strings, lengths):
        """Neighbours of the short ones as pairs, cut to each length: the package keeps every window that truncation leaves over."""
        short = [x for x in strings if len(x) < PAIRED]
        for m in lengths:
            self.run("nasty pairs, max %d%s" % (m, what), folder, tok, list(zip(short, short[1:]))[:2000], m)

    def added(self, make):
        """300 folders of make(rng, folder): tokens drawn, and texts of them."""
        rng = random.Random(SEED)
        for i in range(300):
            with tempfile.TemporaryDirectory() as folder:
                tok, texts = make(rng, folder)
                self.run("added tokens %d" % i, folder, tok, texts)

    def end(self):
        print("TOTAL %d texts, %d tokens, %d differ" % (self.records, self.tokens, self.bad))
        return 1 if self.bad else 0


def texts_under(folder, kind):
    return sorted(glob.glob(os.path.join(folder, "**", "*." + kind), recursive=True) if folder else [])


def arguments(doc, *flags):
    ap = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--driver", required=True)
    for name in flags:
        ap.add_argument("--" + name, action="store_true")
    return ap


def lines_of(path):
    data = open(path, "rb").read().split(b"\n")
    return data if data[-1] else data[:-1]


def glue_columns(path):
    """Every cell that is not a number, and the pairs of neighbouring text columns."""
    rows = [r.split(b"\t") for r in lines_of(path)]
    for r in rows:
        cells = [c for c in r if c and not c.replace(b".", b"").isdigit()]
        yield from cells
        yield from zip(cells, cells[1:])


# ---- strings made to hurt -------------------------------------------------------------------------------------------

def nasty(rng, count):
    by_cat = {}
    for c in range(0x110000):
        if not 0xD800 <= c <= 0xDFFF:
            by_cat.setdefault(unicodedata.category(chr(c)), []).append(c)
    cats = sorted(by_cat)
    marks = [c for c in range(0x110000) if unicodedata.combining(chr(c))]
    words = "the of naïve façade Ångström İstanbul ΣΊΣΥΦΟΣ straße ﬁne Ǆ don't e-mail U.S.A. 3.14 1,000 $5 C++ 北京 東京 한국어 ไทย हिन्दी שָׁלוֹם".split(" ")
    fixed = ["", " ", "\t", "\x00", "a\x00b", "[SEP]", "[CLS][SEP]", "a[MASK]b", "[ SEP ]", "[sep]", "[UNK]x[PAD]", "[[SEP]]", "##ing", "##", "#",
             "a" * 99, "a" * 100, "a" * 101, "é" * 100, "é" * 101, "e\u0301" * 100, "x" * 5000, "中" * 300, "." * 300, "\u200b" * 50 + "a",
             "👨\u200d👩\u200d👧\u200d👦 family", "🏳️\u200d🌈", "👍🏽 ok", "🇩🇪🇫🇷", "\ufeffbom", "a\u00adb", "\u202eright to left\u202c", "שלום עולם!", "مرحبا بالعالم؟",
             "\u1100\u1161\u11a8 각", "각\u0301", "\u0130I\u0131i\u0307", "\u0344\u0345", "\u1d15e\U0001d160\U0001d165", "\u2126\u212a\u212b", "\u037e;\u1fef`",
             "\x1f\x7f\x80\x85\x9f", "a\u2028b\u2029c", "\ufffd\ufffe\uffff", "\ue000\uf8ff\U000f0000\U0010ffff", "ﷺ㍿", "ａｂｃＡＢＣ１２３", "\u0f71\u0f72\u0f74\u0f80"]
    out = [f.encode("utf-8", "surrogatepass") for f in fixed]
    out += [bytes(b) for b in ([0x80], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xE2, 0x82, 0x61],
                               [0xF1, 0x80, 0x80, 0x41, 0xC3, 0xA9], [0xFF, 0xFE, 0x41], [0xC3], [0x61, 0xE2], [0xF0, 0x90, 0x5B, 0x53, 0x45, 0x50, 0x5D])]
    for _ in range(count):
        kind, parts = rng.randrange(8), []
        for _ in range(rng.randrange(1, 12)):
            if kind == 0:
                parts.append(chr(rng.choice(by_cat[rng.choice(cats)])))
            elif kind == 1:
                parts.append(rng.choice("aeiouAEIOUüç") + "".join(chr(rng.choice(marks)) for _ in range(rng.randrange(6))))
            elif kind == 2:
                parts.append("".join(chr(rng.randrange(0x20, 0x250)) for _ in range(rng.randrange(1, 9))))
            elif kind == 3:
                parts.append(rng.choice(words) + rng.choice(["", " ", " ", "\u00a0", "\u3000", "\u200d", chr(rng.choice(marks))]))
            elif kind == 4:
                parts.append(rng.choice(["[SEP]", "[CLS]", "[MASK]", "[UNK]", "[PAD]", "[", "]", "SEP", " ", "x", "\u0301", "[Sep]"]))
            elif kind == 5:
                parts.append("".join(chr(rng.choice(marks)) for _ in range(rng.randrange(1, 20))))
            elif kind == 6:
                parts.append(rng.choice(words).upper() * rng.randrange(1, 30))
            else:
                parts.append(chr(rng.randrange(0xD800)) + chr(rng.choice([0xAC00 + rng.randrange(11172), 0xF900 + rng.randrange(512), 0x2F800 + rng.randrange(544)])))
        data = "".join(parts).encode("utf-8")
        if rng.randrange(4) == 0 and data:
            data = bytearray(data)
            for _ in range(rng.randrange(1, 4)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            data = bytes(data)
        out.append(data)
    return out


def sweep():
    for c in range(0x110000):
        if not 0xD800 <= c <= 0xDFFF:
            ch = chr(c)
            yield ch.encode()
            yield ("a" + ch + "b").encode()
            yield ("x \u302e" + ch + "\u0327\u302a" + ch + "e").encode()


# ---- models made for a comparison -----------------------------------------------------------------------------------

def with_flags(model, folder, lower, strip, clean=True, cjk=True):
    """The model's tokenizer.json with other normalizer flags."""
    j = json.load(open(os.path.join(model, "tokenizer.json")))
    j["normalizer"].update(lowercase=lower, strip_accents=strip, clean_text=clean, handle_chinese_chars=cjk)
    path = os.path.join(folder, "tokenizer.json")
    json.dump(j, open(path, "w"))
    return Tokenizer.from_file(path)


def alphabet(folder, lower, strip, clean=True, cjk=True):
    """Every assigned character is a piece, at the start of a word and inside: nothing hides behind [UNK], the order of marks shows."""
    # NUL is left out: a vocabulary here is text of one piece a line, and no piece of it can hold one
    chars = [chr(c) for c in range(1, 0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    pieces = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"] + chars + ["##" + c for c in chars]
    tok = Tokenizer(WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tok.normalizer = N.BertNormalizer(lowercase=lower, strip_accents=strip, clean_text=clean, handle_chinese_chars=cjk)
    tok.pre_tokenizer = P.BertPreTokenizer()
    tok.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    tok.add_special_tokens(pieces[:5])
    tok.save(os.path.join(folder, "tokenizer.json"))
    return tok


def add_random(rng, tok, contents):
    seen = set()
    may_strip = rng.random() < 0.7  # the package panics when a token starts inside the space that the one before has taken
    for c in rng.sample(contents, rng.randrange(1, 8)):
        if may_strip and c[0].isspace():
            continue
        flags = dict(single_word=rng.random() < 0.3, lstrip=rng.random() < 0.3, rstrip=may_strip and rng.random() < 0.4, normalized=rng.random() < 0.5)
        key = tok.normalizer.normalize_str(c) if flags["normalized"] and tok.normalizer else c
        if (key, flags["normalized"]) in seen:
            continue  # two tokens that become one: which id wins differs from run to run in the package
        seen.add((key, flags["normalized"]))
        (tok.add_special_tokens if rng.random() < 0.5 else tok.add_tokens)([AddedToken(c, **flags)])


def random_added(rng, folder):
    pieces = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"] + list("abcdexyz") + ["##" + c for c in "abcdexyz"] + ["ab", "##ab", "foo", "##foo", "é", "[", "]"]
    tok = Tokenizer(WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tok.normalizer = N.BertNormalizer(lowercase=rng.random() < 0.7, strip_accents=rng.choice([None, True, False]), clean_text=rng.random() < 0.8)
    tok.pre_tokenizer = P.BertPreTokenizer()
    tok.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    contents = ["[SEP]", "[CLS]", "[X]", "foo", "FooBar", "ab", "abc", "b", "É", " x", "x ", "<a>", "e\u0301", "日", "a b", "[X", "  ", "\u00a0q", "ß"]
    add_random(rng, tok, contents)
    path = os.path.join(folder, "tokenizer.json")
    tok.save(path)
    bits = contents + list("abcdexyz [](),.") + ["  ", "\t", "\u2003", "foo", "foobar", "FOOBAR", "É", "é", "_", "1", "\u0301", "\x00", "\u200d"]
    return Tokenizer.from_file(path), ["".join(rng.choice(bits) for _ in range(rng.randrange(1, 14))).encode() for _ in range(400)]


def main():
    ap = arguments(__doc__, "nasty", "sweep", "added")
    ap.add_argument("--model", required=True)
    ap.add_argument("--text", nargs="*", default=[])
    ap.add_argument("--glue")
    ap.add_argument("--corpus")
    a = ap.parse_args()
    print("tokenizers", tokenizers.__version__, "seed", SEED)
    tally = Tally(a.driver)
    plain = Tokenizer.from_file(os.path.join(a.model, "tokenizer.json"))
    for path in a.text + texts_under(a.corpus, "txt"):
        tally.run(os.path.basename(path), a.model, plain, lines_of(path))
    for path in texts_under(a.glue, "tsv"):
        name = "/".join(path.split("/")[-2:])
        tally.run(name, a.model, plain, glue_columns(path))
        tally.run(name + " cut to 32", a.model, plain, glue_columns(path), 32)
    with tempfile.TemporaryDirectory() as folder:
        combos = [(lo, st, True, True) for lo, st in FLAGS] + [(True, True, False, False), (False, False, False, False)]
        for (lo, st, clean, cjk), make in itertools.product(combos, (with_flags, alphabet)):
            label = "%s, lowercase %s strip_accents %s" % ("model" if make is with_flags else "alphabet", lo, st) + ("" if clean else ", not cleaned")
            if not (a.nasty or a.sweep):
                continue
            tok = with_flags(a.model, folder, lo, st, clean, cjk) if make is with_flags else alphabet(folder, lo, st, clean, cjk)
            if a.nasty:
                strings = nasty(random.Random(SEED), 20000)
                tally.run("nasty, " + label, folder, tok, strings)
                tally.pairs(", " + label, folder, tok, strings, (0, 3, 4, 7, 16))
            if a.sweep:
                tally.run("sweep, " + label, folder, tok, sweep())
    if a.added:
        tally.added(random_added)
    return tally.end()


if __name__ == "__main__":
    sys.exit(main())
