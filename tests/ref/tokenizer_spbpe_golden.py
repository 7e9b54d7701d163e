#!/usr/bin/env python3
"""Writes tests/golden/tokenizer_spbpe.json: SentencePiece BPE of every class and form, folders with added_tokens.json, and what the libraries
make of texts with them.

    python tests/ref/tokenizer_spbpe_golden.py tests/golden/tokenizer_spbpe.json
    python tests/ref/tokenizer_spbpe_golden.py --train CORPUS PIECES FOLDER

Models are trained on made-up words from a seed. --train makes folders for tokenizer_unigram_compare.py of a model trained on the texts of CORPUS:
FOLDER/llama and FOLDER/plain of a .model, FOLDER/legacy, FOLDER/gemma and FOLDER/metaspace of tokenizer.json. Of all that nothing is kept here.
"""
import glob
import io
import json
import os
import random
import sys
import tempfile

import sentencepiece as spm
import tokenizers
import transformers
from tokenizers import pre_tokenizers as P

from tokenizer_unigram_golden import SEED, as_file, ask, texts, train

BLOCK = "\u2581"
REPLACE = dict(type="Replace", pattern={"String": " "}, content=BLOCK)
LEGACY = dict(type="Sequence", normalizers=[dict(type="Prepend", prepend=BLOCK), REPLACE])
SPLIT = dict(type="Split", pattern={"String": " "}, behavior="MergedWithPrevious", invert=False)
BPE = dict(model_type="bpe", vocab_size=150, hard_vocab_limit=True)
BYTES = dict(BPE, vocab_size=400, byte_fallback=True)
OWN = ["", " ", "  ", "a", " a", "ba ko", "ba  ko", "\u2581ba", "ba\u2581ko", "\n\nba", "ba\tko", "<s>ba", "ba<s>", "ba </s> ko", "<mask> ba", "ko<extra>ba", "ko <extra> ba", "baQko",
       "\u4e00\u4e01", "\u00e9\u4e00ba", "\u4e00\u00e9\u4e00", "ba\U0001f44d\U0001f44d", "x" * 90, "ba" * 60, "\u00ad", "NEW", "NEW new", "renew [NEW]", "<0x41>", "ba <ctl> ko", "(ba)", "<bos>ba<eos>"]


def meta(**k):
    return dict(type="Metaspace", replacement=BLOCK, **k)


def template(bos, eos):
    """As LlamaTokenizer builds it: the second <s> has the second text's type."""
    s = lambda name, t: {"SpecialToken": {"id": name, "type_id": t}}
    a, b = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}
    return dict(type="TemplateProcessing", single=[s(bos, 0), a, s(eos, 0)], pair=[s(bos, 0), a, s(eos, 0), s(bos, 1), b, s(eos, 1)],
                special_tokens={n: dict(id=n, ids=[i], tokens=[n]) for n, i in ((bos, 1), (eos, 2))})


def without_bytes(model, some):
    """Byte pieces of some bytes only: the others' characters are unknown."""
    gone = {"<0x%02X>" % i for i in some}
    kept = [p for p in sorted(model["vocab"], key=model["vocab"].get) if p not in gone]
    return dict(model, vocab={p: i for i, p in enumerate(kept)}, unk_token="<unk>", byte_fallback=True)


def model_folders(d):
    of = lambda model, name, **config: {"tokenizer.model": model.hex(), "tokenizer_config.json": json.dumps(dict(tokenizer_class=name, **config))}
    bytes_, plain = train("bpe", d, **BYTES), train("bpe", d, **BPE)
    special = dict(user_defined_symbols="(,ri sha,<extra>", control_symbols="<ctl>")
    user, uni = train("bpe", d, **BPE, **special), train("uni", d, vocab_size=380, byte_fallback=True, **special)
    bare = train("bpe", d, **BYTES, add_dummy_prefix=False, remove_extra_whitespaces=False)
    yield of(bytes_, "LlamaTokenizer")
    yield of(plain, "LlamaTokenizerFast", legacy=True, add_bos_token=True, add_eos_token=True)
    yield of(plain, "LlamaTokenizer", add_prefix_space=False, add_eos_token=True)
    yield of(bytes_, "GemmaTokenizer", unk_token="<unk>", bos_token="<s>", eos_token="</s>", add_bos_token=True)
    yield of(user, "PreTrainedTokenizerFast", add_bos_token=True)
    yield of(user, "TokenizersBackend", legacy=False)
    yield of(bare, "PreTrainedTokenizerFast", add_eos_token=True)
    yield of(uni, "PreTrainedTokenizerFast")


def json_folders(j):
    """Of the tokenizer.json that LlamaTokenizer saves."""
    config = lambda name, **k: {"tokenizer_config.json": json.dumps(dict(tokenizer_class=name, **k))}
    model, old = j["model"], {"config.json": json.dumps(dict(model_type="llama", transformers_version="5.0.0"))}
    unk = dict(model, unk_token="<unk>", byte_fallback=False)
    cut = without_bytes(model, range(0x80, 0xC0))
    extra = j["added_tokens"] + [dict(id=len(model["vocab"]), content="ko ba", single_word=False, lstrip=False, rstrip=False, normalized=True, special=False),
                                 dict(id=len(model["vocab"]) + 1, content="<mask>", single_word=False, lstrip=True, rstrip=False, normalized=False, special=True)]
    file = lambda **k: as_file(j, **k)
    yield {**file(), **config("LlamaTokenizer")}
    yield {**file(post_processor=template("<s>", "</s>")), **config("LlamaTokenizer", legacy=True), **old}
    yield {**file(model=dict(model, unk_token="<unk>")), **config("GemmaTokenizer", unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="</s>", mask_token="<s>")}
    yield file(normalizer=LEGACY, pre_tokenizer=None, post_processor=template("<s>", "</s>"))
    yield file(normalizer=LEGACY, pre_tokenizer=None, model=dict(unk, fuse_unk=True), added_tokens=extra)
    yield file(normalizer=REPLACE, pre_tokenizer=SPLIT, model=dict(unk, fuse_unk=False))
    yield file(model=dict(unk, fuse_unk=True), pre_tokenizer=meta(prepend_scheme="always", split=True), added_tokens=extra)
    yield file(model=dict(unk, fuse_unk=False), pre_tokenizer=meta(prepend_scheme="first", split=True))
    yield file(model=dict(model, ignore_merges=True), pre_tokenizer=meta(prepend_scheme="never", split=True))
    yield file(model=dict(cut, fuse_unk=True), post_processor=None, pre_tokenizer=meta(prepend_scheme="first", split=False))
    yield file(model=dict(cut, fuse_unk=False), post_processor=None, pre_tokenizer=meta(prepend_scheme="always", split=False))
    yield file(model=dict(unk, unk_token=None), pre_tokenizer=dict(type="Sequence", pretokenizers=[dict(type="WhitespaceSplit"), meta(prepend_scheme="always", split=True)]),
               normalizer=dict(type="Sequence", normalizers=[dict(type="NFKC"), dict(type="Lowercase")]))
    yield file(pre_tokenizer=dict(type="WhitespaceSplit"), normalizer=None)
    yield {**file(normalizer=REPLACE, pre_tokenizer=SPLIT, model=dict(model, unk_token="<unk>"), post_processor=template("<s>", "</s>")), **config("GemmaTokenizerFast"),
           "config.json": json.dumps(dict(model_type="modernbert"))}


def old_folders():
    """Without tokenizer.json, of each kind: what added_tokens.json and special_tokens_map.json add."""
    j = lambda v: json.dumps(v, ensure_ascii=False)
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ba", "##ko", "ko", "re", "##new", "new", "sha", "ri"] + list("abekniors<>[]()") + ["##" + c for c in "abekniorsh"]
    special = j(dict(unk_token="[UNK]", sep_token="[SEP]", pad_token="[PAD]", cls_token="[CLS]", mask_token=dict(content="[MASK]", lstrip=True, rstrip=False, normalized=False, single_word=False),
                     additional_special_tokens=["<extra>"]))
    yield {"vocab.txt": "\n".join(pieces) + "\n", "tokenizer_config.json": j(dict(tokenizer_class="BertTokenizer", do_lower_case=False)), "special_tokens_map.json": special,
           "added_tokens.json": j({"NEW": len(pieces) + 1, "[NEW]": len(pieces)})}
    letters = sorted(P.ByteLevel.alphabet())
    merges = [("b", "a"), ("k", "o"), ("ba", "ko"), ("\u0120", "ba"), ("\u0120", "ko"), ("n", "e"), ("ne", "w"), ("s", "h")]
    vocab = ["<s>", "<pad>", "</s>", "<unk>"] + letters + [a + b for a, b in merges] + ["<mask>"]
    yield {"vocab.json": j({p: i for i, p in enumerate(vocab)}), "merges.txt": "#version: 0.2\n" + "".join("%s %s\n" % m for m in merges),
           "tokenizer_config.json": j(dict(tokenizer_class="RobertaTokenizer")), "added_tokens.json": j({"<mask>": len(vocab) - 1, "NEW": len(vocab)}),
           "special_tokens_map.json": j(dict(mask_token="<mask>", additional_special_tokens=["<extra>"]))}
    with tempfile.TemporaryDirectory() as d:
        uni, bpe = train("deberta", d), train("bpe", d, **BYTES)
    yield {"spm.model": uni.hex(), "tokenizer_config.json": j(dict(tokenizer_class="DebertaV2Tokenizer")), "added_tokens.json": j({"[MASK]": 160, "NEW": 161}),
           "special_tokens_map.json": j(dict(mask_token="[MASK]", additional_special_tokens=["<extra>"]))}
    yield {"tokenizer.model": bpe.hex(), "tokenizer_config.json": j(dict(tokenizer_class="LlamaTokenizer", pad_token="<pad>")), "added_tokens.json": j({"<pad>": 400, "NEW": 401}),
           "special_tokens_map.json": j(dict(unk_token="<unk>", additional_special_tokens=["<extra>"]))}


def golden(path):
    all_texts, folders = texts()[::4] + OWN, []
    with tempfile.TemporaryDirectory() as d:
        for i, files in enumerate(model_folders(d)):
            answers, saved = ask(files, all_texts)
            folders.append((files, answers))
            if i == 0:
                llama = saved
    for files in [*json_folders(llama), *old_folders()]:
        folders.append((files, ask(files, all_texts)[0]))
    with open(path, "w") as f:
        f.write('{"versions":%s,\n"texts":%s,\n"folders":[' % (json.dumps([tokenizers.__version__, transformers.__version__, spm.__version__]), json.dumps(all_texts)))
        f.write(",\n".join(json.dumps(dict(files=files, answers=a), separators=(",", ":")) for files, a in folders) + "]}\n")
    print(len(folders), "folders", len(all_texts), "texts")


def put(folder, files):
    os.makedirs(folder, exist_ok=True)
    for name, data in files.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())


def of_corpus(corpus, pieces, folder):
    lines = [line for p in sorted(glob.glob(os.path.join(corpus, "**", "*.txt"), recursive=True)) for line in open(p, encoding="utf-8", errors="replace")]
    random.Random(SEED).shuffle(lines)
    out = io.BytesIO()
    spm.SentencePieceTrainer.train(sentence_iterator=iter(lines[:100000]), model_writer=out, vocab_size=int(pieces), model_type="bpe", byte_fallback=True, minloglevel=2, num_threads=1,
                                   character_coverage=0.999, normalization_rule_name="identity", remove_extra_whitespaces=False, max_sentencepiece_length=24, allow_whitespace_only_pieces=True)
    config = lambda name: json.dumps(dict(tokenizer_class=name))
    put(folder + "/llama", {"tokenizer.model": out.getvalue(), "tokenizer_config.json": config("LlamaTokenizer")})
    put(folder + "/plain", {"tokenizer.model": out.getvalue(), "tokenizer_config.json": config("PreTrainedTokenizerFast")})
    tok = transformers.AutoTokenizer.from_pretrained(folder + "/llama").backend_tokenizer
    j = json.loads(tok.to_str())
    j["model"]["unk_token"] = "<unk>"
    put(folder + "/legacy", as_file(j, normalizer=LEGACY, pre_tokenizer=None, post_processor=template("<s>", "</s>")))
    put(folder + "/gemma", as_file(j, normalizer=REPLACE, pre_tokenizer=SPLIT))
    put(folder + "/metaspace", as_file(j, model=dict(j["model"], byte_fallback=False), pre_tokenizer=meta(prepend_scheme="always", split=True)))


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    of_corpus(*sys.argv[2:5]) if sys.argv[1] == "--train" else golden(sys.argv[1])
