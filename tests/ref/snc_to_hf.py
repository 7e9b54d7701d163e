"""An F32 .snc as a Hugging Face folder (BertForSequenceClassification), so that others can run the same weights.

    python snc_to_hf.py MODEL.snc FOLDER

Needs the packages safetensors and numpy; names follow models/MODEL.md. Nets whose layers differ in width have no such form.
"""
import json, os, sys
from safetensors import safe_open
from safetensors.numpy import save_file

NAMES = {"attention.q": "attention.self.query", "attention.k": "attention.self.key", "attention.v": "attention.self.value",
         "attention.o": "attention.output.dense", "attention.norm": "attention.output.LayerNorm", "ffn.in": "intermediate.dense",
         "ffn.out": "output.dense", "ffn.norm": "output.LayerNorm"}
TOP = {"embeddings.word": "bert.embeddings.word_embeddings", "embeddings.position": "bert.embeddings.position_embeddings",
       "embeddings.type": "bert.embeddings.token_type_embeddings", "embeddings.norm": "bert.embeddings.LayerNorm",
       "pooler": "bert.pooler.dense", "classifier": "classifier"}


def hf_name(name):
    stem, leaf = name.rsplit(".", 1)
    if stem.startswith("layer."):
        _, n, part = stem.split(".", 2)
        return f"bert.encoder.layer.{n}.{NAMES[part]}.{leaf}"
    return f"{TOP[stem]}.{leaf}"


source, folder = sys.argv[1:]
with safe_open(source, "np") as f:
    meta = f.metadata()
    tensors = {n: f.get_tensor(n) for n in f.keys()}
vocab, options = (bytes(tensors.pop(n)).decode() for n in ("tokenizer.vocab", "tokenizer.config"))
c, arch, labels = json.loads(meta["config"]), json.loads(meta["arch"]), json.loads(meta["labels"])
widths = {(l["heads"], l["ffn"]) for l in arch["layers"]}
if len(widths) != 1 or any(t.dtype != "float32" for t in tensors.values()):
    sys.exit(f"{source}: expected F32 and layers of one width")
heads, ffn = widths.pop()
os.makedirs(folder, exist_ok=True)
save_file({hf_name(n): t for n, t in tensors.items()}, f"{folder}/model.safetensors", {"format": "pt"})
config = {"model_type": "bert", "architectures": ["BertForSequenceClassification"], "vocab_size": c["vocab"],
          "hidden_size": arch["hidden"], "num_hidden_layers": len(arch["layers"]), "num_attention_heads": heads,
          "intermediate_size": ffn, "hidden_act": c["act"], "layer_norm_eps": c["norm_eps"], "type_vocab_size": c["types"],
          "max_position_embeddings": c["positions"], "id2label": dict(enumerate(labels)),
          "label2id": {l: i for i, l in enumerate(labels)}}
for name, text in (("config.json", json.dumps(config, indent=1)), ("vocab.txt", vocab),
                   ("tokenizer_config.json", json.dumps({"do_lower_case": json.loads(options).get("lowercase", True)}))):
    with open(f"{folder}/{name}", "w", encoding="utf-8") as out:
        out.write(text)
