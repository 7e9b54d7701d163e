/* A training step's time by part, at the shape of a 6 x 384 encoder with random weights: the best of many repeats, in ms.
 *
 *     bench_models_engine_step [--threads 2] [--compute bf16|f32] [--backend auto] [--seqs 32] [--len 13] [--repeats 100]
 *                            [--all-tokens 0|1] [--recompute 0|1]
 *
 * `products` is the same list of matrix products alone, on buffers as cold as the engine's; `rest` is what is left of the
 * step. The lines below time each op of the rest alone, summed over its calls in a step.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "core/ops.h"
#include "models/engine.h"

enum { C = 384, F = 1536, H = 12, D = 32, L = 6, K = 2, V = 30522, P = 512 };

typedef struct options {
    int threads, seqs, len, repeats;
    bool first_only, recompute;
    snc_compute compute;
    snc_backend backend;
} options;

typedef struct bench {
    options o;
    snc_ctx ctx;
    snc_model *m;
    snc_engine *e;
    snc_gemm *g;
    snc_gemm_weight *w[L][6]; /* q, k, v, o, in, out */
    snc_ops *ops;
    snc_tokens x;
    int32_t *ids, *offsets;
    float *logits, *block; /* activations of the parts timed alone: L sets, so that they are as cold as the engine's */
    size_t set;            /* floats of one set */
    snc_dropout drop;
} bench;

static void die(void)
{
    fprintf(stderr, "%s\n", snc_err_text());
    exit(1);
}

static void must(snc_err err)
{
    if (err != SNC_OK) die();
}

static double best_ms(bench *b, void (*fn)(bench *b))
{
    double best = 1e9;
    for (int i = 0; i < b->o.repeats; i++) {
        double t = snc_now();
        fn(b);
        t = (snc_now() - t) * 1e3;
        if (t < best) best = t;
    }
    return best;
}

/* ---- the step ------------------------------------------------------------------------------------------------------- */

static void forward(bench *b) { must(snc_engine_forward(b->e, b->logits, &b->m->arch, &b->x, &b->drop)); }

static void step(bench *b)
{
    forward(b);
    must(snc_engine_backward(b->e, b->logits, NULL, 0));
}

/* ---- its products --------------------------------------------------------------------------------------------------- */

static float *part(bench *b, int layer, int column) /* column: in units of hidden */
{
    return b->block + (size_t)layer * b->set + (size_t)column * (size_t)b->x.T * C;
}

static int asking(const bench *b, int layer) { return b->o.first_only && layer == L - 1 ? b->x.B : b->x.T; }

/* The six linears of a layer: rows, widths, and where input and output are among the layer's parts. */
typedef struct linear {
    int rows, n, k, x, y;
    snc_lin p;
} linear;

static linear linear_of(const bench *b, int layer, int j)
{
    int rows = j == 1 || j == 2 ? b->x.T : asking(b, layer);
    return (linear){rows, j == 4 ? F : C, j == 5 ? F : C, j == 5 ? 5 : 0, j == 5 ? 9 : j + 1, snc_model_lin(b->m, snc_spec_site(j), layer)};
}

static void products(bench *b)
{
    for (int i = 0; i < L; i++)
        for (int j = 0; j < 6; j++) {
            linear l = linear_of(b, i, j);
            must(snc_gemm_forward(part(b, i, l.y), l.n, b->g, part(b, i, l.x), l.k, b->w[i][j], snc_params_w(&b->m->params, l.p.b), l.rows,
                                  l.n, l.k, false));
        }
    for (int i = L - 1; i >= 0; i--)
        for (int j = 5; j >= 0; j--) {
            linear l = linear_of(b, i, j);
            must(snc_gemm_backward_w(snc_params_g(&b->m->params, l.p.w), l.k, b->g, part(b, i, l.y), l.n, part(b, i, l.x), l.k, l.rows, l.n,
                                     l.k, false));
            must(snc_gemm_backward_x(part(b, 0, 16), l.k, b->g, part(b, i, l.y), l.n, b->w[i][j], l.rows, l.n, l.k, false));
        }
}

/* ---- its other ops -------------------------------------------------------------------------------------------------- */

static snc_mask mask_of(bench *b, int site, float rate) { return snc_mask_make(b->drop.seed, b->drop.step, (uint64_t)site, rate); }

static void norms_forward(bench *b)
{
    for (int i = 0; i < 2 * L; i++) {
        snc_mask m = mask_of(b, i, b->drop.hidden);
        snc_norm_forward(part(b, i / 2, 0), NULL, part(b, i / 2, 1), part(b, i / 2, 4), b->ops, part(b, i / 2, 2), b->m->params.w,
                         b->m->params.w, asking(b, i / 2), C, 1e-12f, &m);
    }
}

static void norms_backward(bench *b)
{
    float *g = b->m->params.g;
    for (int i = 0; i < 2 * L; i++) {
        snc_mask m = mask_of(b, i, b->drop.hidden);
        snc_norm_backward(part(b, 0, 16), part(b, 1, 16), NULL, g, g + C, g + 2 * C, b->ops, part(b, 0, 16), part(b, i / 2, 1),
                          part(b, i / 2, 4), b->m->params.w, NULL, asking(b, i / 2), C, &m);
    }
}

static void acts_forward(bench *b)
{
    for (int i = 0; i < L; i++) snc_act_forward(part(b, i, 9), part(b, i, 5), b->ops, part(b, i, 5), asking(b, i), F, SNC_OPS_GELU);
}

static void acts_backward(bench *b)
{
    for (int i = 0; i < L; i++) snc_act_backward(part(b, 0, 9), b->m->params.g, b->ops, part(b, i, 5), asking(b, i), F);
}

static snc_attention attention_of(bench *b, int i)
{
    return (snc_attention){
        .x = &b->x, .heads = H, .head_width = D, .first_only = asking(b, i) < b->x.T, .mask = mask_of(b, i, b->drop.attention)};
}

static void attention_forward(bench *b)
{
    for (int i = 0; i < L; i++) {
        snc_attention at = attention_of(b, i);
        snc_attention_forward(part(b, i, 4), NULL, part(b, i, 5), b->ops, part(b, i, 1), part(b, i, 2), part(b, i, 3), &at);
    }
}

static void attention_backward(bench *b)
{
    float *g = b->m->params.g;
    for (int i = 0; i < L; i++) {
        snc_attention at = attention_of(b, i);
        snc_attention_backward((float *[]){part(b, 0, 13), part(b, 0, 14), part(b, 0, 15)}, NULL, (float *[]){g, g + C, g + 2 * C}, b->ops,
                               part(b, 0, 16), part(b, i, 1), part(b, i, 2), part(b, i, 3), part(b, i, 5), &at);
    }
}

static void embedding(bench *b)
{
    const snc_params *p = &b->m->params;
    int word = snc_model_at(b->m, SNC_ROLE_WORD, 0), position = snc_model_at(b->m, SNC_ROLE_POSITION, 0),
        type = snc_model_at(b->m, SNC_ROLE_TYPE, 0);
    snc_embed_forward(part(b, 0, 0), b->ops, snc_params_w(p, word), snc_params_w(p, position), snc_params_w(p, type), &b->x, C, C);
    snc_embed_backward(snc_params_g(p, word), snc_params_g(p, position), snc_params_g(p, type), b->ops, part(b, 0, 0), &b->x, C, C);
}

/* ---- set-up ----------------------------------------------------------------------------------------------------------- */

static void parse(options *o, int argc, char **argv)
{
    *o = (options){.threads = 2, .seqs = 32, .len = 13, .repeats = 100, .first_only = true, .compute = SNC_COMPUTE_BF16};
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *k = argv[i], *v = argv[i + 1];
        if (strcmp(k, "--threads") == 0) o->threads = atoi(v);
        else if (strcmp(k, "--seqs") == 0) o->seqs = atoi(v);
        else if (strcmp(k, "--len") == 0) o->len = atoi(v);
        else if (strcmp(k, "--repeats") == 0) o->repeats = atoi(v);
        else if (strcmp(k, "--all-tokens") == 0) o->first_only = atoi(v) == 0;
        else if (strcmp(k, "--recompute") == 0) o->recompute = atoi(v) != 0;
        else if (strcmp(k, "--compute") == 0) o->compute = strcmp(v, "f32") ? SNC_COMPUTE_BF16 : SNC_COMPUTE_F32;
        else if (strcmp(k, "--backend") == 0) must(snc_backend_parse(&o->backend, v));
        else fprintf(stderr, "unknown option %s\n", k), exit(2);
    }
    if (o->repeats < 1) o->repeats = 1;
}

static void set_up_batch(bench *b, int T)
{
    const options *o = &b->o;
    must(snc_alloc(&b->ids, 2 * (size_t)T, sizeof *b->ids));
    must(snc_alloc(&b->offsets, (size_t)o->seqs + 1, sizeof *b->offsets));
    must(snc_alloc(&b->logits, (size_t)o->seqs * K, sizeof *b->logits));
    b->set = (size_t)T * C * 20;
    must(snc_alloc(&b->block, b->set * L, sizeof *b->block));
    snc_rng r;
    snc_rng_init(&r, 1, 1);
    for (size_t i = 0; i < b->set * L; i++) b->block[i] = (float)snc_rng_uniform(&r) - 0.5f;
    for (int t = 0; t < T; t++) b->ids[t] = (int32_t)snc_rng_below(&r, V);
    for (int s = 0; s <= o->seqs; s++) b->offsets[s] = s * o->len;
    b->x = (snc_tokens){.B = o->seqs, .T = T, .ids = b->ids, .types = b->ids + T, .offsets = b->offsets};
}

static void set_up(bench *b)
{
    const options *o = &b->o;
    int T = o->seqs * o->len;
    snc_encoder_config cfg = {.vocab = V,
                              .positions = P,
                              .types = 2,
                              .hidden = C,
                              .layers = L,
                              .heads = H,
                              .head_width = D,
                              .ffn = F,
                              .classes = K,
                              .act = SNC_ACT_GELU,
                              .norm_eps = 1e-12f};
    snc_arch arch = snc_arch_full(&cfg);
    snc_engine_opts eo = {.compute = o->compute,
                          .max_tokens = T,
                          .max_seqs = o->seqs,
                          .max_len = o->len,
                          .train = true,
                          .recompute = o->recompute,
                          .first_only = o->first_only};
    snc_ops_limits max = {.rows = T, .width = F, .seqs = o->seqs, .len = o->len, .head_width = D};
    b->ctx = (snc_ctx)SNC_CTX_INIT;
    b->ctx.threads = o->threads;
    b->ctx.backend = o->backend;
    b->drop = (snc_dropout){.seed = 1, .step = 1, .hidden = 0.1f, .attention = 0.1f};
    must(snc_ctx_check(&b->ctx));
    must(snc_model_new(&b->m, &cfg, &arch));
    snc_model_init_random(b->m, 1);
    must(snc_engine_create(&b->e, &b->ctx, b->m, &eo));
    must(snc_gemm_create(&b->g, &b->ctx, o->compute, T, F));
    must(snc_ops_create(&b->ops, &b->ctx, &max));
    set_up_batch(b, T);
    for (int i = 0; i < L; i++)
        for (int j = 0; j < 6; j++) {
            linear l = linear_of(b, i, j);
            must(snc_gemm_weight_create(&b->w[i][j], b->g, snc_params_w(&b->m->params, l.p.w), l.k, l.n, l.k));
        }
}

int main(int argc, char **argv)
{
    static bench b;
    parse(&b.o, argc, argv);
    set_up(&b);
    double f = best_ms(&b, forward), s = best_ms(&b, step), p = best_ms(&b, products);
    printf("%d x %d tokens, %d threads, %s, %s, %s\n", b.o.seqs, b.o.len, b.o.threads, b.o.compute == SNC_COMPUTE_BF16 ? "bf16" : "f32",
           snc_backend_name(snc_gemm_backend(&b.ctx, b.o.compute)),
           b.o.first_only ? "first token in the last layer" : "all tokens in all layers");
    printf("forward %.2f  backward %.2f  step %.2f  products %.2f  rest %.2f (%.0f%%)  activations %.0f MB\n", f, s - f, s, p, s - p,
           100.0 * (s - p) / s, (double)snc_engine_memory(b.e) / 1e6);
    printf("norm %.2f + %.2f  gelu %.2f + %.2f  attention %.2f + %.2f  embedding %.2f\n", best_ms(&b, norms_forward),
           best_ms(&b, norms_backward), best_ms(&b, acts_forward), best_ms(&b, acts_backward), best_ms(&b, attention_forward),
           best_ms(&b, attention_backward), best_ms(&b, embedding));
    return 0;
}
