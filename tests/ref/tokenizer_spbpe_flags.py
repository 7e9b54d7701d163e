#!/usr/bin/env python3
"""Compares SentencePiece BPE of folders that a version before 5 wrote with that version's AutoTokenizer; exits 1 on any difference.

    python tests/ref/tokenizer_spbpe_flags.py PROGRAM

PROGRAM is compress; run it where transformers is 4.57.6. The folders: each tokenizer.json of tests/golden/tokenizer_spbpe.json, with each class of three and
with add_bos_token and add_eos_token as they are by default and the other way round.
"""
import itertools
import json
import os
import subprocess
import sys
import tempfile

import transformers

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "tokenizer_spbpe.json")
CLASSES = {"LlamaTokenizerFast": {}, "PreTrainedTokenizerFast": {}, "GemmaTokenizerFast": dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="</s>")}


def put(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
        f.write(text)


def ours(program, folder, texts):
    out = subprocess.run([program, "tokenize", "--pretrained", folder], input="\n".join(texts) + "\nba\tko\n", capture_output=True, text=True)
    return [[int(x) for x in line.split()] for line in out.stdout.strip("\n").split("\n")] if out.returncode == 0 else out.stderr


def main(program):
    golden, folders, bad = json.load(open(GOLDEN)), 0, 0
    version = transformers.__version__
    assert version.startswith("4.")
    texts = [t for t in golden["texts"] if t.strip() and not set(t) & set("\t\n\r")]
    files = [f["files"]["tokenizer.json"] for f in golden["folders"] if "tokenizer.json" in f["files"]]
    for text, cls, flags in itertools.product(files, CLASSES, ({}, dict(add_bos_token=False, add_eos_token=True))):
        with tempfile.TemporaryDirectory() as d:
            put(d, "tokenizer.json", text)
            put(d, "tokenizer_config.json", json.dumps(dict(tokenizer_class=cls, **CLASSES[cls], **flags)))
            put(d, "config.json", json.dumps(dict(model_type="bert", transformers_version=version)))
            tok = transformers.AutoTokenizer.from_pretrained(d)
            want, got = [tok(t)["input_ids"] for t in texts] + [tok("ba", "ko")["input_ids"]], ours(program, d, texts)
        folders += 1
        if want != got:
            bad += 1
            print("DIFFERS", cls, flags, got if isinstance(got, str) else [x for x in zip(texts, got, want) if x[1] != x[2]][:2])
    print("transformers %s: %d folders, %d differ" % (version, folders, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    sys.exit(main(sys.argv[1]))
