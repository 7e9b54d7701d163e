#include "models/cost.h"

#include "core/dtype.h"
#include "quant/int4.h"

static int64_t attention_width(const snc_bert_config *c, const snc_arch *a, int l)
{
    return (int64_t)c->head_width * a->heads[l];
}

int64_t snc_cost_params(const snc_bert_config *c, const snc_arch *a)
{
    int64_t C = a->hidden, n = ((int64_t)c->vocab + c->positions + c->types) * C + 2 * C;
    for (int l = 0; l < a->layers; l++) {
        int64_t A = attention_width(c, a, l), F = a->ffn[l];
        n += 4 * A * C + 3 * A + C + 2 * C; /* Q, K, V, O, LayerNorm */
        n += 2 * F * C + F + C + 2 * C;     /* FFN, LayerNorm */
    }
    return n + C * C + C + c->classes * (C + 1);
}

int64_t snc_cost_encoder_macs(const snc_bert_config *c, const snc_arch *a, int len)
{
    int64_t S = len, C = a->hidden, n = 0;
    for (int l = 0; l < a->layers; l++) {
        int64_t A = attention_width(c, a, l);
        n += 4 * S * C * A + 2 * S * S * A + 2 * S * C * a->ffn[l];
    }
    return n;
}

int64_t snc_cost_macs(const snc_bert_config *c, const snc_arch *a, int len)
{
    int64_t S = len, C = a->hidden, norms = 2 * (int64_t)a->layers + 1;
    return snc_cost_encoder_macs(c, a, len) + C * C + C * c->classes + norms * S * C + S;
}

/* What a matrix keeps beside its weights: a scale a row, and INT4's multipliers. */
static int64_t scale_bytes(snc_dtype t, int64_t N, int64_t K)
{
    return (t == SNC_I8 || t == SNC_I4 ? 4 * N : 0) + (t == SNC_I4 ? N * (int64_t)snc_int4_group_bytes((int)K) : 0);
}

static int64_t matrix_tensors(snc_dtype t) { return t == SNC_I4 ? 3 : t == SNC_I8 ? 2 : 1; }

/* Adds a linear [N, K] with its bias. */
static void add_linear(snc_bytes *b, int64_t *tensors, snc_dtype t, int64_t N, int64_t K)
{
    b->linears += N * K * snc_dtype_get(t)->bits / 8;
    b->vectors += N * 4;
    *tensors += 1 + matrix_tensors(t);
    b->scales += scale_bytes(t, N, K);
}

void snc_cost_bytes(snc_bytes *out, const snc_bert_config *c, const snc_arch *a, const snc_policy *p,
                    size_t tokenizer_bytes, size_t metadata_bytes)
{
    enum { ENTRY = 104, FIXED = 1024 }; /* a tensor's line at its longest; brackets, padding, our own metadata keys */
    snc_bytes b = {.tokenizer = (int64_t)tokenizer_bytes};
    int64_t C = a->hidden, rows = (int64_t)c->vocab + c->positions + c->types;
    int64_t tensors = 3 * matrix_tensors((snc_dtype)p->embed) + 2 + 4 * (int64_t)a->layers + 2; /* tables, LayerNorms, tokenizer; linears count themselves */
    b.embed = rows * C * snc_dtype_get(p->embed)->bits / 8 + scale_bytes((snc_dtype)p->embed, rows, C);
    b.vectors = 2 * C * 4 * (2 * (int64_t)a->layers + 1);
    for (int l = 0; l < a->layers; l++) {
        int64_t A = attention_width(c, a, l), F = a->ffn[l];
        const uint8_t *t = p->linear[l];
        for (int i = SNC_SITE_Q; i <= SNC_SITE_V; i++) add_linear(&b, &tensors, t[i], A, C);
        add_linear(&b, &tensors, t[SNC_SITE_O], C, A);
        add_linear(&b, &tensors, t[SNC_SITE_FFN_IN], F, C);
        add_linear(&b, &tensors, t[SNC_SITE_FFN_OUT], C, F);
    }
    add_linear(&b, &tensors, p->pooler, C, C);
    add_linear(&b, &tensors, p->classifier, c->classes, C);
    b.header = ENTRY * tensors + FIXED + (int64_t)metadata_bytes;
    b.total = b.embed + b.linears + b.scales + b.vectors + b.tokenizer + b.header;
    *out = b;
}
