"""What Hugging Face makes of a tokenizer whose files say different things, in two versions of the library.

    python tests/ref/tokenizer_flags.py ask OUT.json                  # once with each version
    python tests/ref/tokenizer_flags.py join V4.json V5.json tests/golden/tokenizer_flags.json

Every combination of tokenizer.json, tokenizer_config.json and class below becomes a folder that AutoTokenizer opens; texts that
show every flag are encoded by it. Nothing is random. Versions are noted in the output.
"""

import itertools
import json
import string
import sys
import tempfile
import warnings
from pathlib import Path

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = list(string.ascii_letters) + ["é", "É", "\u0301", "中", "文", "\u0007", "\u200b", "\u0300", "\u0327", "\u0903", "\u20dd", ".", "'", "1"]
VOCAB = SPECIAL + LETTERS + ["##" + c for c in LETTERS] + ["cafe", "café", "CAFE", "Cafe", "中文", "...", "don"]
TEXTS = [
    ["Café CAFÉ cafe\u0301 aé"],
    ["ab 中文x A"],
    ["a\u0007b\u00a0c\td\u200be"],
    ["don't stop... [MASK] Ab1"],
    ["a" * 8 + " " + "b" * 101],
    ["Aé b", "b中 C"],
    ["new New don <y> a cafe Cafe  [MASK]b CAFE [mask]"],
    ["a\u0903b\u20ddc\u0300\u0327d e\u0327\u0300 \u1e69 ''...don.. \u0130"],
]

BERT = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}
PRE = {"type": "BertPreTokenizer"}


def template(a=0, b=1, types=True):
    def part(kind, name, type_id):
        body = {"id": name}
        if types:
            body["type_id"] = type_id
        return {kind: body}

    tokens = {t: {"id": t, "ids": [VOCAB.index(t)], "tokens": [t]} for t in ("[CLS]", "[SEP]")}
    single = [part("SpecialToken", "[CLS]", a), part("Sequence", "A", a), part("SpecialToken", "[SEP]", a)]
    pair = single + [part("Sequence", "B", b), part("SpecialToken", "[SEP]", b)]
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens}


def token(i, text, special=True, **changes):
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": not special, "special": special, **changes}
    return {"id": i, "content": text, **flags}


ROLES = [token(i, t) for i, t in enumerate(SPECIAL)]
NEW, OTHER = token(len(VOCAB), "New", False), token(len(VOCAB), "<y>")


def decoder(*tokens):
    return {"added_tokens_decoder": {str(t["id"]): {k: v for k, v in t.items() if k != "id"} for t in tokens}}


def file(normalizer=BERT, pre=PRE, post=None, chars=100, added=ROLES):
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": added,
        "normalizer": normalizer, "pre_tokenizer": pre, "post_processor": post or template(), "decoder": None,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": chars, "vocab": "VOCAB"},
    }


def seq(*parts):
    return {"type": "Sequence", "normalizers": list(parts)}


N = {k: {"type": k} for k in ("NFD", "Lowercase", "StripAccents")}
FILES = {
    "none": None,
    "lower": file(),
    "cased": file({**BERT, "lowercase": False}),
    "lower-accents": file({**BERT, "strip_accents": False}),
    "cased-strip": file({**BERT, "strip_accents": True, "lowercase": False}),
    "no-chinese": file({**BERT, "handle_chinese_chars": False}),
    "no-clean": file({**BERT, "clean_text": False}),
    "sequence-of-one": file(seq({**BERT, "lowercase": False})),
    "sequence": file(seq(N["NFD"], N["Lowercase"], N["StripAccents"])),
    "sequence-lower-first": file(seq(N["Lowercase"], N["NFD"], N["StripAccents"], {"type": "Strip", "strip_left": True, "strip_right": True})),
    "nfd": file(seq(N["NFD"], N["Lowercase"])),
    "strip": file(N["StripAccents"]),
    "sequence-bert": file(seq({**BERT, "lowercase": False, "strip_accents": False}, N["Lowercase"])),
    "lowercase": file(N["Lowercase"]),
    "no-normalizer": file(None),
    "whitespace": file(pre={"type": "Whitespace"}),
    "whitespace-split": file(pre={"type": "WhitespaceSplit"}),
    "template-one-type": file(post=template(0, 0)),
    "template-no-keys": file(post=template(types=False)),
    "bert-processing": file(post={"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}),
    "chars-7": file(chars=7),
    "added-none": file(added=[]),
    "added-new": file(added=[*ROLES, NEW]),
    "added-piece": file(added=[*ROLES, token(VOCAB.index("cafe"), "cafe", False)]),
    "added-left": file(added=[*ROLES[:4], token(4, "[MASK]", lstrip=True)]),
}
CLASSES = [None, "BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer", "DistilBertTokenizerFast", "ElectraTokenizer",
           "ElectraTokenizerFast", "MobileBertTokenizerFast", "ConvBertTokenizer", "SqueezeBertTokenizerFast", "LayoutLMTokenizer",
           "FunnelTokenizerFast", "LxmertTokenizer", "RetriBertTokenizer",
           "RealmTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend", "Whatever"]
CONFIGS = {
    "absent": None, "silent": {}, "lower": {"do_lower_case": True}, "cased": {"do_lower_case": False},
    "lower-accents": {"do_lower_case": True, "strip_accents": False}, "cased-strip": {"do_lower_case": False, "strip_accents": True},
    "null-accents": {"do_lower_case": True, "strip_accents": None, "tokenize_chinese_chars": True},
    "no-chinese": {"tokenize_chinese_chars": False}, "accents": {"strip_accents": False}, "no-clean": {"clean_text": False},
    "decoder": decoder(*ROLES), "decoder-other": decoder(*ROLES, OTHER), "extra": {"additional_special_tokens": ["<y>", "don"]},
    "roles": {"cls_token": "Cafe", "sep_token": "CAFE"},
}


def combinations():
    few = ("BertTokenizer", "BertTokenizerFast", "PreTrainedTokenizerFast")
    for f, k, c in itertools.product(FILES, CLASSES, CONFIGS):
        if c == "absent" and k:
            continue
        if k not in few + (None,) and (f not in ("none", "lower", "cased", "sequence-of-one", "no-clean") or c in ("null-accents", "no-clean")):
            continue
        if f.startswith("added-") and (c in ("cased", "lower-accents", "cased-strip", "accents", "no-clean", "no-chinese") or k not in few + (None,)):
            continue
        if c in ("decoder", "decoder-other", "extra", "roles") and not (f.startswith("added-") or f in ("none", "lower") and k in few):
            continue
        if f in ("none", "added-new") and c in ("decoder-other", "extra"):  # two tokens of one id; a token that the file has no row for
            continue
        yield f, k, c


def write(folder, f, k, c):
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    if FILES[f] is None:
        (folder / "vocab.txt").write_text("\n".join(VOCAB) + "\n", encoding="utf-8")
    else:
        j = json.loads(json.dumps(FILES[f]))
        j["model"]["vocab"] = {t: i for i, t in enumerate(VOCAB)}
        (folder / "tokenizer.json").write_text(json.dumps(j, ensure_ascii=False), encoding="utf-8")
    if CONFIGS[c] is not None:
        j = dict(CONFIGS[c])
        if k:
            j["tokenizer_class"] = k
        (folder / "tokenizer_config.json").write_text(json.dumps(j))


def ask(out):
    import tokenizers
    import transformers

    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    outcomes, answers = [], []
    for combination in combinations():
        with tempfile.TemporaryDirectory() as d:
            write(Path(d), *combination)
            try:
                tok = transformers.AutoTokenizer.from_pretrained(d)
                got = []
                for text in TEXTS:
                    e = tok(*text, return_token_type_ids=True)
                    got.append([e["input_ids"], e["token_type_ids"]])
            except Exception as e:  # what the library refuses has no answer
                got = None
                print(*combination, type(e).__name__, str(e)[:100].replace("\n", " "), file=sys.stderr)
        if got not in outcomes:
            outcomes.append(got)
        answers.append([*combination, outcomes.index(got)])
    versions = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__}
    Path(out).write_text(json.dumps({"versions": versions, "outcomes": outcomes, "answers": answers}))


def join(v4, v5, out):
    old, new = (json.loads(Path(p).read_text()) for p in (v4, v5))
    outcomes = []
    for o in old["outcomes"] + new["outcomes"]:
        if o not in outcomes:
            outcomes.append(o)
    rows = []
    for a, b in zip(old["answers"], new["answers"], strict=True):
        assert a[:3] == b[:3]
        rows.append([*a[:3], outcomes.index(old["outcomes"][a[3]]), outcomes.index(new["outcomes"][b[3]])])

    def lines(items):
        return ",\n".join("  " + json.dumps(i, ensure_ascii=True) for i in items)

    def table(d):
        return ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in d.items())

    Path(out).write_text(
        f'{{"versions": {json.dumps([old["versions"], new["versions"]])},\n "vocab": {json.dumps(VOCAB)},\n "texts": {json.dumps(TEXTS)},\n'
        f' "files": {{\n{table(FILES)}\n }},\n "configs": {{\n{table(CONFIGS)}\n }},\n'
        f' "outcomes": [\n{lines(outcomes)}\n ],\n "rows": [\n{lines(rows)}\n ]}}\n')


ask(*sys.argv[2:]) if sys.argv[1] == "ask" else join(*sys.argv[2:])
