#!/usr/bin/env python3
"""Writes tests/golden/tokenizer_unigram.json: folders of every class and form, and what the libraries make of texts with them.

    python tests/ref/tokenizer_unigram_golden.py tests/golden/tokenizer_unigram.json

Models are trained on made-up words from a seed, with a small map of characters. A folder comes as its files: texts as they are, a .model in hex.
"""
import io
import itertools
import json
import os
import random
import sys
import tempfile

import sentencepiece as spm
import tokenizers
import transformers
from tokenizers import Tokenizer

from tokenizer_compare import decode, nasty

SEED = 20240607
RULES = {"\u00c5": "A\u030a", "\u00e5": "a\u030a", "\ufb01": "fi", "\u2460": "1", "\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\u00ad": "", "\u0958": "\u0915\u093c",
         "\u00a9": "(c)", "\uff21": "A", "\u1100\u1161": "\uac00", "\u0041\u0301": "\u00c1"}
SPECIAL = {"albert": dict(pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols="[CLS],[SEP],[MASK]", user_defined_symbols='(,),",-'),
           "t5": dict(pad_id=0, eos_id=1, unk_id=2, bos_id=-1),
           "deberta": dict(pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]")}
FOLDERS = [("xlm-roberta", "XLMRobertaTokenizer", "sentencepiece.bpe.model", {}),
           ("camembert", "CamembertTokenizer", "sentencepiece.bpe.model", {}),
           ("albert", "AlbertTokenizer", "spiece.model", {}),
           ("albert", "AlbertTokenizer", "spiece.model", {"keep_accents": True, "do_lower_case": False}),
           ("t5", "T5Tokenizer", "spiece.model", {"extra_ids": 3}),
           ("deberta", "DebertaV2Tokenizer", "spm.model", {"do_lower_case": True})]


def words(rng):
    parts = ["ba", "ko", "ri", "t\u00e9", "nu", "sha", "lo", "mi", "gra", "pel", "\u00fcn", "zed", "st", "ra", "n\u00e5", "\u0161i", "(", "\u0433\u043e", "\u4e2d"]
    return ["".join(rng.choice(parts) for _ in range(rng.randrange(1, 4))) for _ in range(300)]


def train(kind, folder, **more):
    rng = random.Random(SEED)
    vocabulary, out = words(rng), io.BytesIO()
    lines = [" ".join(rng.choice(vocabulary) for _ in range(rng.randrange(3, 10))) + rng.choice([".", "!", " 12,345", "?"]) for _ in range(1500)]
    rules = os.path.join(folder, "rules.tsv")
    with open(rules, "w", encoding="utf-8") as f:
        for k, v in sorted(RULES.items()):
            f.write(" ".join("%X" % ord(c) for c in k) + "\t" + " ".join("%X" % ord(c) for c in v) + "\n")
    spm.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=out, minloglevel=2, num_threads=1, normalization_rule_tsv=rules,
                                   **{**dict(vocab_size=160, hard_vocab_limit=False), **SPECIAL.get(kind, {}), **more})
    os.remove(rules)
    return out.getvalue()


def texts():
    rng = random.Random(SEED + 1)
    w = words(random.Random(SEED))
    bits = w[:30] + [" ", "  ", "\u00a0", "\t", "\u2581", "\u2581\u2581", "\ufb01", "\u00c5", "a\u030a\u0301", "\u00a9\u200d", "\u00a9\u0301", "\u0958\u0300", "\u1100\u1161", "\u2460\u0301x", "``", "''",
                     "<mask>", "[MASK]", "<s>", "<unk>", "(", "-", "\U0001f44d", "\u212b", "\uac01", "ABC", "<extra_id_1>", "x" * 40]
    out = [s for s in nasty(random.Random(SEED), 60) if len(s) <= 120 and b"\0" not in s]
    out += ["".join(rng.choice(bits) for _ in range(rng.randrange(1, 9))).encode() for _ in range(90)]
    return [decode(s) for s in out]


def as_file(j, **changes):
    """A tokenizer.json of no class."""
    j = json.loads(json.dumps(j))
    j.update(changes)
    return {"tokenizer.json": json.dumps(j, ensure_ascii=False)}


def variants(j):
    """Forms of a tokenizer.json that classes do not make."""
    meta = lambda **k: dict(type="Metaspace", replacement="\u2581", **k)
    chain = lambda *steps: dict(type="Sequence", normalizers=[*steps, j["normalizer"]])
    spaces = dict(type="Replace", pattern={"Regex": " {2,}"}, content="\u2581")
    model = dict(j["model"], byte_fallback=True, vocab=j["model"]["vocab"] + [["<0x%02X>" % i, -9.5] for i in range(256)])
    yield as_file(j, pre_tokenizer=meta(prepend_scheme="always", split=True), normalizer=dict(type="Sequence", normalizers=[j["normalizer"], dict(type="Strip", strip_left=False, strip_right=True), spaces]))
    yield as_file(j, pre_tokenizer=meta(prepend_scheme="first", split=False), normalizer=chain(dict(type="NFKC"), dict(type="Lowercase")))
    yield as_file(j, pre_tokenizer=meta(prepend_scheme="never", split=True), normalizer=chain(dict(type="NFKD"), dict(type="Strip", strip_left=True, strip_right=True)))
    yield as_file(j, pre_tokenizer=meta(add_prefix_space=True), normalizer=chain(dict(type="NFC"), dict(type="BertNormalizer", clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=False)))
    yield as_file(j, model=model, normalizer=chain(dict(type="NFD")), added_tokens=j["added_tokens"] + [
        dict(id=len(model["vocab"]), content="ko ba", single_word=False, lstrip=False, rstrip=False, normalized=True, special=False)])
    edges = [dict(type="Replace", pattern={"Regex": r}, content=c) for r, c in (("\\A +| +\\z", ""), (" {2,}", " "), ("\\A\u2581", "\u2581\u2581"))]
    yield as_file(j, normalizer=chain(*edges), pre_tokenizer=meta(prepend_scheme="always", split=False))


def put(folder, files):
    for name, text in files.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(bytes.fromhex(text) if name.endswith(".model") else text.encode())


def ask(files, all_texts):
    with tempfile.TemporaryDirectory() as d:
        put(d, files)
        tok = transformers.AutoTokenizer.from_pretrained(d).backend_tokenizer if "tokenizer_config.json" in files else Tokenizer.from_file(d + "/tokenizer.json")
        saved = json.loads(tok.to_str())
    tok.no_truncation()
    tok.no_padding()
    singles = [tok.encode(t) for t in all_texts]
    pairs = [tok.encode(a, b) for a, b in zip(all_texts[::7], all_texts[1::7])]
    return [[e.ids, sum(e.type_ids)] for e in itertools.chain(singles, pairs)], saved


def main(path):
    all_texts, folders = texts(), []
    for kind, name, file, config in FOLDERS:
        with tempfile.TemporaryDirectory() as d:
            model = train(kind, d)
        config = json.dumps(dict(tokenizer_class=name, **config))
        files = {file: model.hex(), "tokenizer_config.json": config}
        answers, saved = ask(files, all_texts)
        folders.append((files, answers))
        text = {"tokenizer.json": json.dumps(saved, ensure_ascii=False)}
        if kind in ("xlm-roberta", "albert"):
            folders.append(({**text, "tokenizer_config.json": config}, ask({**text, "tokenizer_config.json": config}, all_texts)[0]))
        if kind == "albert":
            folders.append((text, ask(text, all_texts)[0]))
        if kind == "xlm-roberta":
            folders += [(f, ask(f, all_texts)[0]) for f in variants(saved)]
    with open(path, "w") as f:
        f.write('{"versions":%s,\n"texts":%s,\n"folders":[' % (json.dumps([tokenizers.__version__, transformers.__version__, spm.__version__]), json.dumps(all_texts)))
        f.write(",\n".join(json.dumps(dict(files=files, answers=a), separators=(",", ":")) for files, a in folders) + "]}\n")
    print(len(folders), "folders", len(all_texts), "texts")


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    main(sys.argv[1])
