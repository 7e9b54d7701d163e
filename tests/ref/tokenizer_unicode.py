#!/usr/bin/env python3
"""Writes tokenizer/unicode_tables.h: the character properties that the `tokenizers` package really uses.

The package mixes three Unicode versions: categories (clean text, accents, punctuation) from the crate unicode_categories,
decomposition from unicode-normalization-alignments, letter case and white space from Rust's standard library. No one library
agrees with all three, and utf8proc's own version changes with the distribution, so every code point is asked of the package itself
and its answers are the tables. Nothing here depends on Python's own Unicode data but a list of reference marks, and each of
their classes is checked by what the package does with it.

    python tests/ref/tokenizer_unicode.py tokenizer/unicode_tables.h
"""
import sys
import unicodedata

import tokenizers
from tokenizers import AddedToken, Tokenizer
from tokenizers import normalizers as N
from tokenizers import pre_tokenizers as P
from tokenizers.models import WordPiece

CPS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
HANGUL = range(0xAC00, 0xD7A4)


def ranges(cps):
    out = []
    for c in cps:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def one(clean=False, cjk=False, strip=False, lower=False):
    return N.BertNormalizer(clean_text=clean, handle_chinese_chars=cjk, strip_accents=strip, lowercase=lower).normalize_str


def probe():
    clean, cjk, strip, lower = one(clean=True), one(cjk=True), one(strip=True), one(lower=True)
    accents, runs_of = N.StripAccents().normalize_str, P.Whitespace().pre_tokenize_str
    nfd, split = N.NFD().normalize_str, P.BertPreTokenizer().pre_tokenize_str
    t = {k: [] for k in ("removed", "space", "cjk", "mn", "accent", "punct", "word", "run")}
    low, dec = {}, {}
    for c in CPS:
        ch = chr(c)
        pieces = [x[0] for x in split("a" + ch + "a")]
        assert pieces in (["a", ch, "a"], ["a", "a"], ["a" + ch + "a"]), hex(c)
        if pieces == ["a", "a"]:
            t["space"].append(c)
        elif len(pieces) == 3:
            t["punct"].append(c)
        x = clean(ch)
        if x == "":
            t["removed"].append(c)
        else:
            assert x == (" " if c in t["space"][-1:] else ch), hex(c)
        x = cjk(ch)
        assert x in (ch, " " + ch + " "), hex(c)
        if x != ch:
            t["cjk"].append(c)
        if accents(ch) == "":
            t["accent"].append(c)
        else:
            assert accents(ch) == ch, hex(c)
        if [x[0] for x in runs_of("a" + ch)] == ["a" + ch]:
            t["run"].append(c)
        d = nfd(ch)
        if d != ch:
            dec[c] = d
        elif strip(ch) == "":
            t["mn"].append(c)
        else:
            assert strip(ch) == ch, hex(c)
        if lower(ch) != ch:
            low[c] = lower(ch)
    mn = set(t["mn"])
    for c, d in dec.items():
        assert strip(chr(c)) == "".join(x for x in d if ord(x) not in mn), hex(c)
        assert not mn & {c} and all(ord(x) not in dec for x in d), hex(c)
    tok = Tokenizer(WordPiece({"[UNK]": 0, "a": 1, "[X]": 2}, unk_token="[UNK]"))
    tok.pre_tokenizer = P.BertPreTokenizer()
    tok.add_special_tokens([AddedToken("[X]", single_word=True, normalized=False, special=True)])
    t["word"] = [c for c in CPS if 2 not in tok.encode(chr(c) + "[X]").ids]
    assert t.pop("run") == t["word"], "the words of Whitespace are those of single_word"
    return t, low, dec


def combining(dec):
    """Combining class by how the package reorders: in NFD of two marks, the first moves back when 0 < class(second) < class(first)."""
    nfd = N.NFD().normalize_str
    swaps = lambda a, b: a != b and nfd("a" + chr(a) + chr(b)) == "a" + chr(b) + chr(a)
    ref = {}
    for c in CPS:
        k = unicodedata.combining(chr(c))
        if k and c not in dec and (c == 0x345 or swaps(0x345, c)):
            ref.setdefault(k, c)
    classes = sorted(ref)
    assert all(swaps(ref[b], ref[a]) for a, b in zip(classes, classes[1:]))
    top, out = ref[classes[-1]], {}
    for c in CPS:
        if c in dec or c in HANGUL:
            continue
        if c == top:
            out[c] = classes[-1]
        elif swaps(top, c):
            out[c] = max(k for k in classes if not swaps(ref[k], c))
            assert all(swaps(ref[k], c) == (k > out[c]) for k in classes)
            assert all(swaps(c, ref[k]) == (k < out[c]) for k in classes), hex(c)
        elif swaps(c, ref[classes[0]]):
            raise AssertionError("class above all references: %x" % c)
    return out


def byte_level():
    """Letters and numbers by what ByteLevel's pattern joins: its white space is that of all else."""
    split = P.ByteLevel(add_prefix_space=False, use_regex=True).pre_tokenize_str
    joined = lambda before, c: len(split(before + chr(c))) == 1
    t = {"letter": [], "number": [], "space": []}
    for c in CPS:
        kinds = [k for k, before in (("letter", "a"), ("number", "1"), ("other", ".")) if joined(before, c)]
        assert len(kinds) <= 1, hex(c)
        if kinds != ["other"]:
            t[kinds[0] if kinds else "space"].append(c)
    return t


def compositions(dec):
    """(first, second, composite): the pairs that NFC joins; singletons and excluded ones come back decomposed."""
    nfc, out = N.NFC().normalize_str, []
    for c, d in dec.items():
        if c in HANGUL or len(d) < 2 or nfc(chr(c)) != chr(c):
            continue
        first = nfc(d[:-1])
        assert len(first) == 1 and nfc(first + d[-1]) == chr(c), hex(c)
        out.append((ord(first), ord(d[-1]), c))
    joined = {(a, b) for a, b, _ in out}
    assert len(joined) == len(out)
    return sorted(out)


def lower_runs(low):
    """[first, last, step, delta]: every step-th code point of the run moves by delta. Longer expansions come back apart."""
    runs, special = [], []
    for c in sorted(low):
        if len(low[c]) > 1:
            special.append(c)
            continue
        d = ord(low[c]) - c
        r = runs[-1] if runs else None
        if r and r[3] == d and c - r[1] in (1, 2) and (r[0] == r[1] or r[2] == c - r[1]):
            r[2], r[1] = c - r[1], c
        else:
            runs.append([c, c, 1, d])
    return runs, special


def table(f, ctype, name, rows, comment):
    f.write("\n/* %s */\nstatic const %s %s[%d] = {\n" % (comment, ctype, name, len(rows)))
    line = "   "
    for r in rows:
        item = " {" + ",".join(r) + "},"
        if len(line) + len(item) > 120:
            f.write(line + "\n")
            line = "   "
        line += item
    f.write(line + "\n};\n")


def main(path):
    t, low, dec = probe()
    ccc = combining(dec)
    runs, special = lower_runs(low)
    assert special == [0x130] and low[0x130] == "i\u0307", special
    assert all(k not in low for k in ccc), "a mark with letter case would need lower casing after reordering"
    level, pairs = byte_level(), compositions(dec)
    assert level["space"] == t["space"], "white space of ByteLevel"
    jamo = lambda c: [0x1100 + (c - 0xAC00) // 588, 0x1161 + (c - 0xAC00) % 588 // 28] + (
        [0x11A7 + (c - 0xAC00) % 28] if (c - 0xAC00) % 28 else [])
    assert all([ord(x) for x in dec.pop(c)] == jamo(c) for c in HANGUL)
    h = lambda v: "0x%x" % v
    with open(path, "w") as f:
        f.write("/* tokenizer/unicode_tables.h: generated by tests/ref/tokenizer_unicode.py from tokenizers %s; do not edit.\n"
                " *\n"
                " * What that package does with every code point. Behind it: categories of Unicode 8.0 (crate unicode_categories 0.1.1),\n"
                " * decomposition of Unicode 9.0 (unicode-normalization-alignments 0.1.12), letter case and white space of Unicode 17.0\n"
                " * (Rust's standard library), \\w of the crate regex-syntax 0.8.11, letters and numbers of ByteLevel's pattern 16.0. A system\n"
                " * library would bring one version for all of them, and another one on every distribution. Ranges are sorted and hold their last\n"
                " * code point. */\n"
                "/* clang-format off */\n"
                "#ifndef SNC_TOKENIZER_UNICODE_TABLES_H\n#define SNC_TOKENIZER_UNICODE_TABLES_H\n\n#include <stdint.h>\n\n"
                "typedef struct uni_range {\n    uint32_t first, last;\n} uni_range;\n\n"
                "typedef struct uni_class {\n    uint32_t first, last, ccc;\n} uni_class;\n\n"
                "typedef struct uni_lower {\n    uint32_t first, last, step;\n    int32_t delta;\n} uni_lower;\n\n"
                "typedef struct uni_decomp {\n    uint32_t cp, to[4]; /* zero after the last */\n} uni_decomp;\n\n"
                "typedef struct uni_pair {\n    uint32_t first, second, to;\n} uni_pair;\n" % tokenizers.__version__)
        for key, what in (("removed", "dropped by clean_text (control, format, private use, U+FFFD)"),
                          ("space", "white space: separates words; clean_text makes it U+0020 where it does not drop it"),
                          ("cjk", "set apart by tokenize_chinese_chars"),
                          ("mn", "nonspacing marks: dropped by strip_accents"),
                          ("accent", "marks of every kind: dropped by StripAccents"),
                          ("punct", "punctuation: a word of its own"),
                          ("word", "\\w of an added token's single_word")):
            table(f, "uni_range", "uni_" + key, [[h(a), h(b)] for a, b in ranges(t[key])], what)
        rows = []
        for c in sorted(ccc):
            if rows and rows[-1][1] == c - 1 and rows[-1][2] == ccc[c]:
                rows[-1][1] = c
            else:
                rows.append([c, c, ccc[c]])
        table(f, "uni_class", "uni_combining", [[h(a), h(b), str(k)] for a, b, k in rows], "canonical combining class, where not 0")
        table(f, "uni_lower", "uni_lowercase", [[h(a), h(b), str(s), str(d)] for a, b, s, d in runs],
              "lower case by runs of step; U+0130 alone becomes two: U+0069 U+0307")
        table(f, "uni_decomp", "uni_decomposition",
              [[h(c), "{" + ",".join(h(ord(x)) for x in dec[c]) + "}"] for c in sorted(dec)],
              "full canonical decomposition; Hangul syllables are computed")
        table(f, "uni_range", "uni_letter", [[h(a), h(b)] for a, b in ranges(level["letter"])], "\\p{L} of ByteLevel's pattern")
        table(f, "uni_range", "uni_number", [[h(a), h(b)] for a, b in ranges(level["number"])], "\\p{N} of ByteLevel's pattern")
        table(f, "uni_pair", "uni_composition", [[h(x) for x in p] for p in pairs], "what NFC joins, by the pair; Hangul is computed")
        f.write("\n#endif\n")


if __name__ == "__main__":
    main(sys.argv[1])
