"""Families whose layers compute what BERT's do not: nano models with logits and gradients that PyTorch computes in float64.

    python tests/ref/modern_golden.py tests/golden/modern [FAMILY ...]
    python tests/ref/modern_golden.py FOLDER --sweep 40                  as many of shapes drawn at random, for
    python tests/ref/modern_golden.py FOLDER --sweep 40 deberta          the same of DeBERTa
    SNC_TEST_MODERN=FOLDER build/release/golden_models_modern            which reads them all

A folder a family, as Hugging Face stores a classifier (config.json, model.safetensors in bf16), and beside it golden.safetensors: the
batch (ids, offsets), logits, dlogits, and g.NAME, the gradient of sum(logits * dlogits) of every parameter. Sequences run alone, without
padding; DeBERTa's once more in one padded batch, whose logits are the same. MPNet's has a tokenizer.json too, and template/ the same with its
post-processor in the other form; ids.json is what both give.
"""

import json
import random
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file

LENGTHS = [1, 2, 13, 40, 150]
CLASSES = 3


def mpnet(heads=2, width=24, layers=2, ffn=72, **more):
    config = transformers.MPNetConfig(vocab_size=60, max_position_embeddings=160, hidden_size=heads * width, num_hidden_layers=layers,
                                      num_attention_heads=heads, intermediate_size=ffn, layer_norm_eps=1e-5, num_labels=CLASSES, **more)
    return config, transformers.MPNetForSequenceClassification


def modernbert(pooling="mean", heads=3, width=16, layers=3, ffn=36, window=16, **more):
    config = transformers.ModernBertConfig(vocab_size=60, max_position_embeddings=160, hidden_size=heads * width, num_hidden_layers=layers,
                                           num_attention_heads=heads, intermediate_size=ffn, local_attention=window, num_labels=CLASSES,
                                           classifier_pooling=pooling, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1,
                                           sep_token_id=2, **more)
    return config, transformers.ModernBertForSequenceClassification


def modernbert_cls():
    """With all biases, and the last layer a local one."""
    return modernbert("cls", global_attn_every_n_layers=2, norm_bias=True, attention_bias=True, mlp_bias=True, classifier_bias=True)


def deberta(heads=3, width=16, layers=2, ffn=36, buckets=16, **more):
    """The longest text reaches distances far beyond the buckets that are single."""
    config = transformers.DebertaV2Config(vocab_size=60, max_position_embeddings=160, hidden_size=heads * width, num_hidden_layers=layers,
                                          num_attention_heads=heads, intermediate_size=ffn, layer_norm_eps=1e-7, num_labels=CLASSES,
                                          relative_attention=True, position_buckets=buckets, norm_rel_ebd="layer_norm", share_att_key=True,
                                          pos_att_type="p2c|c2p", position_biased_input=False, type_vocab_size=0, **more)
    return config, transformers.DebertaV2ForSequenceClassification


def deberta_odd():
    return deberta(heads=2, width=24, layers=3, ffn=20, buckets=9, hidden_act="gelu_new")


FAMILIES = {"mpnet": mpnet, "modernbert": modernbert, "modernbert_cls": modernbert_cls, "deberta": deberta, "deberta_odd": deberta_odd}


def drawn_deberta(count):
    r = random.Random(4321)
    for i in range(count):
        shape = dict(heads=r.randint(1, 12), width=r.choice([8, 16, 24, 32, 64]), layers=r.randint(1, 4),
                     ffn=r.choice([4 * r.randint(3, 90), 1152]), buckets=r.choice([2, 8, 15, 32, 100, 256]),
                     hidden_act=r.choice(["gelu", "gelu_new", "relu"]))
        yield f"{i:02}_deberta", lambda: deberta(**shape), shape


def drawn(count):
    r = random.Random(4321)
    for i in range(count):
        shape = dict(heads=r.randint(1, 12), width=r.choice([8, 16, 24, 32, 64]), layers=r.randint(1, 4), ffn=r.choice([4 * r.randint(3, 90), 1152]))
        if i % 2:
            shape.update(pooling=r.choice(["cls", "mean"]), window=2 * r.randint(0, 40), global_attn_every_n_layers=r.randint(1, 3),
                         hidden_activation=r.choice(["gelu", "gelu_new"]))
        yield f"{i:02}_{'modernbert' if i % 2 else 'mpnet'}", lambda: (modernbert if i % 2 else mpnet)(**shape), shape


def weights(model, hidden):
    for name, p in model.named_parameters():
        gain = p.dim() == 1 and name.endswith(".weight")
        deviation = 1.0 if "relative" in name else 0.15 * min(1.0, (48 / hidden) ** 0.5)
        p.copy_((torch.randn_like(p) * deviation + (1.0 if gain else 0.0)).bfloat16())


def padded(model, ids):
    batch, mask = torch.zeros(len(LENGTHS), max(LENGTHS), dtype=torch.long), torch.zeros(len(LENGTHS), max(LENGTHS), dtype=torch.long)
    at = 0
    for i, n in enumerate(LENGTHS):
        batch[i, :n], mask[i, :n] = ids[at:at + n], 1
        at += n
    return model(input_ids=batch, attention_mask=mask).logits


def one(folder, make):
    torch.manual_seed(1234)
    config, kind = make()
    config._attn_implementation = "eager"
    for key in vars(config):
        if key.endswith("dropout") or key.endswith("dropout_prob"):
            setattr(config, key, 0.0)
    model = kind(config).double().eval()
    with torch.no_grad():
        weights(model, config.hidden_size)
    folder.mkdir(parents=True, exist_ok=True)
    config.architectures = [kind.__name__]
    (folder / "config.json").write_text(json.dumps({k: v for k, v in sorted(config.to_dict().items()) if not k.startswith("_")}, indent=1) + "\n")
    save_file({n: p.detach().bfloat16().contiguous() for n, p in model.named_parameters()}, folder / "model.safetensors")
    ids = torch.randint(3, config.vocab_size, (sum(LENGTHS),))
    dlogits = torch.randn(len(LENGTHS), CLASSES).double()
    logits, at = [], 0
    for n in LENGTHS:
        logits.append(model(input_ids=ids[None, at:at + n], attention_mask=torch.ones(1, n, dtype=torch.long)).logits[0])
        at += n
    logits = torch.stack(logits)
    if config.model_type == "deberta-v2":
        assert torch.allclose(padded(model, ids), logits, rtol=0, atol=1e-9)
    if config.hidden_size <= 48:
        (logits * dlogits).sum().backward()
    offsets = torch.tensor([sum(LENGTHS[:i]) for i in range(len(LENGTHS) + 1)])
    out = {"ids": ids.int(), "offsets": offsets.int(), "dlogits": dlogits.float(), "logits": logits.detach().float()}
    out.update({"g." + n: p.grad.float().contiguous() for n, p in model.named_parameters() if p.grad is not None})
    save_file(out, folder / "golden.safetensors")
    print(folder.name, logits.detach().float())


def mpnet_tokenizer(folder):
    """MPNet's pieces are BERT's, around which stand <s> and </s>, two of these between texts; both forms of saying so."""
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

    special = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocab = {t: i for i, t in enumerate(special + list(letters[:13]) + ["##" + c for c in letters] + ["the", "good", "film", "."])}
    t = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.add_special_tokens([AddedToken(s, lstrip=s == "<mask>", normalized=False) for s in special])
    texts = ["the good film.", "Bad kid <mask> life", "", "zz top", "a b c d e f g h i j k l m"]
    random.seed(7)
    cases = [(a, b, m) for a in texts for b in [None] + random.sample(texts, 2) for m in (0, 8)]
    forms = {".": processors.RobertaProcessing(("</s>", 2), ("<s>", 0)),
             "template": processors.TemplateProcessing(single="<s>:0 $A:0 </s>:0", pair="<s>:0 $A:0 </s>:0 </s>:0 $B:0 </s>:0",
                                                       special_tokens=[("<s>", 0), ("</s>", 2)])}
    out = []
    for name, form in forms.items():
        t.post_processor = form
        t.no_truncation()
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "tokenizer.json").write_text(t.to_str() + "\n")
        for a, b, m in cases:
            t.enable_truncation(m, strategy="longest_first") if m else t.no_truncation()
            e = t.encode(a, b)
            out.append({"a": a, "b": b, "max": m, "ids": e.ids, "types": e.type_ids, "folder": name})
    (folder / "ids.json").write_text("[\n" + ",\n".join(json.dumps(o) for o in out) + "\n]\n")


if __name__ == "__main__":
    root = Path(sys.argv[1])
    if sys.argv[2:3] == ["--sweep"]:
        for name, make, shape in (drawn_deberta if sys.argv[4:] == ["deberta"] else drawn)(int(sys.argv[3])):
            print(shape)
            one(root / name, make)
        sys.exit()
    for name in sys.argv[2:] or FAMILIES:
        one(root / name, FAMILIES[name])
        if name == "mpnet":
            mpnet_tokenizer(root / name)
