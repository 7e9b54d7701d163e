"""Vectors and tags of compress against Sentence Transformers, Transformers and ONNX Runtime.

  heads_check.py vectors COMPRESS MODEL LINES    MODEL: a folder of Sentence Transformers; its vectors of each line, those of its folder
                                                 written and read back (--to hf), and of its ONNX
  heads_check.py tags COMPRESS TOKENIZER LINES   a random model of seven tags with the tokenizer of a folder (BERT or RoBERTa, by the
                                                 class of that, else XLM-R), words of each line; the same ways

Prints the largest difference of each and, of tags, how many are the same. Needs torch, transformers, sentence-transformers, onnxruntime.
"""
import os
import subprocess
import sys
import tempfile

import numpy as np

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
what, compress, source, lines = sys.argv[1:5]
texts = [t for t in open(lines, encoding="utf-8").read().split("\n") if t.strip() and len(t) < 120][:300]  # no line is read in parts
work = tempfile.mkdtemp()


def run(*args, text=None):
    r = subprocess.run([compress, *args], input=text, capture_output=True, text=True)
    if r.returncode:
        sys.exit(r.stderr)
    return r.stdout.rstrip("\n").split("\n")


def session(folder):
    import onnx
    import onnxruntime as ort
    path = folder + "/onnx/model.onnx"
    onnx.checker.check_model(path)
    return ort.InferenceSession(path, providers=["CPUExecutionProvider"])


def feed(s, batch):
    zeros = np.zeros_like(batch["input_ids"])  # of types that the tokenizer does not name
    return {i.name: np.asarray(batch[i.name] if i.name in batch else zeros, dtype=np.int64) for i in s.get_inputs()}


def vectors():
    from sentence_transformers import SentenceTransformer
    said = "\n".join(texts) + "\n"
    ours = np.array([[float(x) for x in l.split("\t")] for l in run("predict", source, text=said)])
    run("export", "--pretrained", source, "--policy", "f32", "--to", "hf", "--output", work + "/hf")
    run("export", "--pretrained", source, "--policy", "f32", "--to", "onnx", "--output", work + "/onnx")
    for name, folder in (("the model itself", source), ("--to hf", work + "/hf")):
        m = SentenceTransformer(folder, device="cpu")
        print("Sentence Transformers, %s: %.2g" % (name, np.abs(m.encode(texts, normalize_embeddings=True) - ours).max()))
    batch = m.tokenizer(texts, padding=True, truncation=True, max_length=m.max_seq_length, return_tensors="np")
    s = session(work + "/onnx")
    print("ONNX Runtime: %.2g" % np.abs(s.run(["sentence_embedding"], feed(s, batch))[0] - ours).max())


def f1_apart(words, ours, names):
    """Drawn tags for the words as a file of CoNLL: what eval says of it against seqeval on predict's answers."""
    import json
    import random
    import warnings
    from seqeval.metrics import f1_score
    warnings.simplefilter("ignore")
    draw = random.Random(1)
    gold = [[t if draw.random() < 0.8 else draw.choice(names) for t in l] for l in ours]
    os.mkdir(work + "/rows")
    task = {"name": "made", "type": "tags", "tags": "any", "files": {"train": "dev.conll", "dev": "dev.conll"}, "header": False,
            "text_a": 0, "label": -1, "labels": names, "metrics": ["entity_f1"]}
    json.dump(task, open(work + "/task.json", "w"))
    with open(work + "/rows/dev.conll", "w", encoding="utf-8") as f:
        for w, g in zip(words, gold):
            f.write("\n".join(a + "\t" + b for a, b in zip(w, g)) + "\n\n")
    said = json.loads("\n".join(run("eval", work + "/model", "--task", work + "/task.json", "--data", work + "/rows", "--json")))
    return abs(said["metrics"]["entity_f1"] - f1_score(gold, ours))


def tags():
    import torch
    from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer
    tok = AutoTokenizer.from_pretrained(source, add_prefix_space=True)
    kind = type(tok).__name__.replace("TokenizerFast", "").replace("Tokenizer", "").lower()
    kind = kind if kind in ("bert", "roberta") else "xlm-roberta"
    names = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"]
    torch.manual_seed(1)
    c = AutoConfig.for_model(kind, vocab_size=len(tok), hidden_size=64, num_hidden_layers=3, num_attention_heads=4, intermediate_size=96,
                             max_position_embeddings=132, pad_token_id=tok.pad_token_id, id2label=dict(enumerate(names)),
                             label2id={n: i for i, n in enumerate(names)}, initializer_range=0.3)
    m = AutoModelForTokenClassification.from_config(c).eval()
    m.save_pretrained(work + "/model")
    tok.save_pretrained(work + "/model")
    words = [t.split() for t in texts]
    ours = [l.split(" ") for l in run("predict", work + "/model", text="\n".join(" ".join(w) for w in words) + "\n")]
    run("export", "--pretrained", work + "/model", "--policy", "f32", "--to", "hf", "--output", work + "/hf")
    run("export", "--pretrained", work + "/model", "--policy", "f32", "--to", "onnx", "--output", work + "/onnx")
    print("entity F1: %.12f apart" % f1_apart(words, ours, names))
    back = AutoModelForTokenClassification.from_pretrained(work + "/hf").eval()
    s = session(work + "/onnx")
    n = same = again = there = 0
    far = 0.0
    for w, said in zip(words, ours):
        batch = tok(w, is_split_into_words=True, return_tensors="pt")
        first = {}
        for i, k in enumerate(batch.word_ids()):
            if k is not None:
                first.setdefault(k, i)
        if batch["input_ids"].shape[1] > 128 or len(first) < len(w):
            continue
        with torch.no_grad():
            z = m(**batch).logits[0]
            y = back(**batch).logits[0]
        o = s.run(["logits"], feed(s, {k: v.numpy() for k, v in batch.items()}))[0][0]
        far = max(far, (z - y).abs().max().item(), np.abs(o - z.numpy()).max())
        for k, i in first.items():
            n += 1
            same += names[z[i].argmax()] == said[k]
            again += names[y[i].argmax()] == said[k]
            there += names[o[i].argmax()] == said[k]
    print("%s, %d words: %d tags of Transformers, %d of its folder written back, %d of ONNX Runtime; logits of these up to %.2g apart"
          % (kind, n, same, again, there, far))


{"vectors": vectors, "tags": tags}[what]()
