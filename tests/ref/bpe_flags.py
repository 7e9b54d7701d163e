#!/usr/bin/env python3
"""Compares what is made of folders whose files disagree with AutoTokenizer's answers; exits 1 on any difference.

    python tests/ref/bpe_flags.py PROGRAM VERSION

PROGRAM is compress; VERSION is written into config.json as the one that made the folders, and is that of the transformers that is asked
(4.57.6 and 5.24.0). The folders: tokenizer.json with add_prefix_space and without, with RobertaProcessing and with ByteLevel, or
vocab.json and merges.txt, of tests/golden/bpe/roberta; each class or none; add_prefix_space set, unset or absent; <mask> as a text, as a
token or absent.
"""
import itertools
import json
import os
import subprocess
import sys
import tempfile

import transformers
from tokenizers import AddedToken, Tokenizer
from tokenizers import pre_tokenizers as P
from tokenizers.models import BPE
from tokenizers.processors import ByteLevel, RobertaProcessing

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "bpe", "roberta")
TEXTS = ["don't  café <mask> x", "word", "<mask>b", " a", "</s>q"]
FILES = ("plain", "prefix", "no template", "vocab.json")
CLASSES = ("RobertaTokenizer", "RobertaTokenizerFast", "GPT2Tokenizer", "PreTrainedTokenizerFast", None)
MASKS = ("<mask>", {"__type": "AddedToken", "content": "<mask>", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False}, None)


def put(folder, name, j):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
        json.dump(j, f, ensure_ascii=False)


def make(folder, files, cls, prefix, mask, model_type, version):
    vocab = json.load(open(os.path.join(GOLDEN, "vocab.json"), encoding="utf-8"))
    text = open(os.path.join(GOLDEN, "merges.txt"), encoding="utf-8").read()
    if files == "vocab.json":
        put(folder, "vocab.json", vocab)
        open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8").write(text)
    else:
        tok = Tokenizer(BPE(vocab=vocab, merges=[tuple(m.split(" ")) for m in text.split("\n")[1:] if m]))
        tok.pre_tokenizer = P.ByteLevel(add_prefix_space=files == "prefix")
        roberta = RobertaProcessing(("</s>", vocab["</s>"]), ("<s>", vocab["<s>"]), True, files == "prefix")
        tok.post_processor = ByteLevel(trim_offsets=True) if files == "no template" else roberta
        tok.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in ("<s>", "<pad>", "</s>", "<unk>")])
        tok.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False, special=True)])
        tok.save(os.path.join(folder, "tokenizer.json"))
    config = {"tokenizer_class": cls, "add_prefix_space": prefix, "mask_token": mask}
    put(folder, "tokenizer_config.json", {k: v for k, v in config.items() if v is not None})
    put(folder, "config.json", {"model_type": model_type, "transformers_version": version})


def theirs(folder):
    try:
        tok = transformers.AutoTokenizer.from_pretrained(folder)
        return [tok(t)["input_ids"] for t in TEXTS] + [tok("a", "b")["input_ids"]]
    except Exception:  # a folder that the library refuses has no answer
        return None


def ours(program, folder):
    out = subprocess.run([program, "tokenize", "--pretrained", folder], input="\n".join(TEXTS) + "\na\tb\n", capture_output=True, text=True)
    return [[int(x) for x in line.split()] for line in out.stdout.strip("\n").split("\n")] if out.returncode == 0 else out.stderr


def main(program, version):
    folders = refused = bad = 0
    assert transformers.__version__ == version
    for files, cls, prefix, mask, model_type in itertools.product(FILES, CLASSES, (None, True, False), MASKS, ("roberta", "gpt2")):
        if model_type == "gpt2" and cls:
            continue
        with tempfile.TemporaryDirectory() as folder:
            make(folder, files, cls, prefix, mask, model_type, version)
            want, got = theirs(folder), ours(program, folder)
        folders += 1
        refused += want is None
        if want is not None and want != got:
            bad += 1
            print("DIFFERS", files, cls, prefix, mask, model_type, "ours", got, "theirs", want)
    print("transformers %s: %d folders, %d refused by it, %d differ" % (version, folders, refused, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
