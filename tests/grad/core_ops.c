/* Each op's backward pass against central differences of its forward pass, with ref and with fast kernels. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "core/glu.h"
#include "core/ops.h"
#include "core/rotary.h"
#include "grad/central.h"

/* f32 forward passes, step 0.02: measured 2e-5 relative at most. */
static const double TOLERANCE = 1e-4, STEP = 0.02;

enum { SIZE = 4096, INPUTS = 4, ROWS = 37, SEQS = 4, HEADS = 2, WIDTH = 6 };

/* One op as a function of up to INPUTS arrays: forward gives `out`; backward turns w = d loss / d out into g. */
typedef struct op {
    snc_ctx ctx;
    snc_ops *o;
    size_t n[INPUTS], n_out;
    float x[INPUTS][SIZE], d[INPUTS][SIZE], at[INPUTS][SIZE], g[INPUTS][SIZE], out[SIZE], w[SIZE], keep[2][SIZE];
    void (*forward)(struct op *p);
    void (*backward)(struct op *p);
    snc_mask mask;
    snc_ops_act act;
    snc_tokens tokens;
    bool first_only;
    const uint8_t *bucket;
} op;

static double loss_at(void *user, double e)
{
    op *p = user;
    for (int i = 0; i < INPUTS; i++)
        for (size_t k = 0; k < p->n[i]; k++) p->at[i][k] = (float)((double)p->x[i][k] + e * (double)p->d[i][k]);
    p->forward(p);
    return dot_of(p->out, p->w, p->n_out);
}

static void check(op *p, const char *name)
{
    static const snc_backend backends[] = {SNC_BACKEND_REF, SNC_BACKEND_AUTO};
    snc_ops_limits max = {.rows = ROWS, .width = 48, .seqs = SEQS, .len = ROWS, .head_width = WIDTH};
    max.relative = HEADS * SNC_RELATIVE_BUCKETS;
    for (int i = 0; i < INPUTS; i++) {
        normals(p->x[i], p->n[i], 1.0, 1, (uint64_t)i);
        normals(p->d[i], p->n[i], 1.0, 2, (uint64_t)i);
    }
    normals(p->w, p->n_out, 1.0, 3, 0);
    for (int b = 0; b < 2; b++) {
        p->ctx = (snc_ctx)SNC_CTX_INIT;
        p->ctx.backend = backends[b];
        p->ctx.threads = 2;
        assert_int_equal(snc_ctx_check(&p->ctx), SNC_OK);
        assert_int_equal(snc_ops_create(&p->o, &p->ctx, &max), SNC_OK);
        double numeric = central(loss_at, p, STEP), analytic = 0.0, size = 1.0;
        loss_at(p, 0.0);
        memset(p->g, 0, sizeof p->g);
        p->backward(p);
        for (int i = 0; i < INPUTS; i++) {
            double part = dot_of(p->g[i], p->d[i], p->n[i]);
            analytic += part;
            size += fabs(part);
        }
        if (!(fabs(analytic - numeric) <= TOLERANCE * size))
            fail_msg("%s, backend %s: %.6g by the backward pass, %.6g by differences", name, snc_backend_name(backends[b]), analytic,
                     numeric);
        snc_ops_free(p->o);
    }
}

/* ---- LayerNorm: inputs s, r, gamma, beta ---------------------------------------------------------------------------- */

enum { NORM_N = 33, NORM_SIZE = ROWS * NORM_N };

static void norm_forward(op *p)
{
    memcpy(p->keep[0], p->at[0], sizeof p->keep[0]);
    snc_norm_forward(p->out, NULL, p->keep[0], p->keep[1], p->o, p->at[1], p->at[2], p->at[3], ROWS, NORM_N, 1e-12f, &p->mask);
}

static void norm_backward(op *p)
{
    float dbias[NORM_N] = {0}, *ds = p->g[1], *dx = p->g[0];
    snc_norm_backward(ds, dx, NULL, p->g[2], p->g[3], dbias, p->o, p->w, p->keep[0], p->keep[1], p->at[2], NULL, ROWS, NORM_N, &p->mask);
    if (!p->mask.threshold) memcpy(dx, ds, NORM_SIZE * sizeof *dx);
    for (int c = 0; c < NORM_N; c++) { /* the bias of the linear before is the column sum of dx */
        double sum = 0.0;
        for (int t = 0; t < ROWS; t++) sum += (double)dx[t * NORM_N + c];
        assert_true(fabs(sum - (double)dbias[c]) < 1e-4);
    }
}

static void layer_norm_with_residual_and_dropout(void **state)
{
    static op p;
    (void)state;
    for (int drop = 0; drop < 2; drop++) {
        p = (op){.n = {NORM_SIZE, NORM_SIZE, NORM_N, NORM_N}, .n_out = NORM_SIZE, .forward = norm_forward, .backward = norm_backward};
        p.mask = drop ? snc_mask_make(1, 1, 1, 0.3f) : SNC_MASK_OFF;
        check(&p, "norm");
    }
}

/* ---- activations: input h ------------------------------------------------------------------------------------------ */

static void act_forward(op *p) { snc_act_forward(p->out, p->keep[0], p->o, p->at[0], 29, 19, p->act); }

static void act_backward(op *p)
{
    memcpy(p->g[0], p->w, sizeof p->w);
    snc_act_backward(p->g[0], NULL, p->o, p->keep[0], 29, 19);
}

static void activations(void **state)
{
    static op p;
    static const snc_ops_act smooth[] = {SNC_OPS_GELU, SNC_OPS_GELU_TANH, SNC_OPS_TANH};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        p = (op){.n = {29 * 19}, .n_out = 29 * 19, .forward = act_forward, .backward = act_backward, .act = smooth[i]};
        check(&p, "activation");
    }
}

/* ---- gated neurons: inputs and gates; turned rows ---------------------------------------------------------------------- */

enum { GLU_N = 19 };

static void glu_forward(op *p) { snc_glu_forward(p->out, p->keep[0], p->o, p->at[0], ROWS, GLU_N, p->act); }

static void glu_backward(op *p)
{
    float dbias[2 * GLU_N] = {0};
    snc_glu_backward(p->g[0], dbias, p->o, p->w, p->keep[0], ROWS, GLU_N);
    for (int c = 0; c < 2 * GLU_N; c++) {
        double sum = 0.0;
        for (int t = 0; t < ROWS; t++) sum += (double)p->g[0][t * 2 * GLU_N + c];
        assert_true(fabs(sum - (double)dbias[c]) < 1e-4);
    }
}

static void gated_neurons(void **state)
{
    static op p;
    (void)state;
    p = (op){.n = {ROWS * 2 * GLU_N}, .n_out = ROWS * GLU_N, .forward = glu_forward, .backward = glu_backward, .act = SNC_OPS_GELU};
    check(&p, "glu");
}

static void rotary_of(op *p, const float *from, float *to, bool back)
{
    snc_rotary *r;
    memcpy(to, from, ROWS * HEADS * WIDTH * sizeof *to);
    assert_int_equal(snc_rotary_new(&r, ROWS, WIDTH, 30.0f), SNC_OK);
    snc_rotary_turn_all(to, &p->ctx, r, &p->tokens, HEADS, back);
    snc_rotary_free(r);
}

static void rotary_forward(op *p) { rotary_of(p, p->at[0], p->out, false); }

static void rotary_backward(op *p) { rotary_of(p, p->w, p->g[0], true); }

/* ---- attention: inputs q, k, v, and what is added by distance ---------------------------------------------------------- */

static const int32_t offsets[SEQS + 1] = {0, 1, 34, 35, 37}; /* one of 33 tokens: more than one query block */

static snc_attention attention_of(const op *p)
{
    snc_attention at = {.x = &p->tokens, .heads = HEADS, .head_width = WIDTH, .first_only = p->first_only, .mask = p->mask};
    if (p->bucket) at.relative = (snc_relative){.table = p->at[3], .bucket = p->bucket, .len = ROWS, .buckets = SNC_RELATIVE_BUCKETS};
    return at;
}

static void attention_forward(op *p)
{
    snc_attention at = attention_of(p);
    snc_attention_forward(p->out, NULL, p->keep[0], p->o, p->at[0], p->at[1], p->at[2], &at);
}

static void attention_backward(op *p)
{
    enum { A = HEADS * WIDTH };
    float b[3][A] = {{0}};
    snc_attention at = attention_of(p);
    at.relative.grad = p->g[3];
    snc_attention_backward((float *[]){p->g[0], p->g[1], p->g[2]}, NULL, (float *[]){b[0], b[1], b[2]}, p->o, p->w, p->at[0], p->at[1],
                           p->at[2], p->keep[0], &at);
    for (int i = 0; i < 3; i++)
        for (int c = 0; c < A; c++) {
            double sum = 0.0;
            for (size_t t = 0; t < p->n[i] / A; t++) sum += (double)p->g[i][t * A + (size_t)c];
            assert_true(fabs(sum - (double)b[i][c]) < 1e-4);
        }
}

static void attention_with_dropout_and_first_token(void **state)
{
    static op p;
    static uint8_t bucket[2 * ROWS];
    (void)state;
    snc_relative_buckets(bucket, ROWS);
    for (int kind = 0; kind < 8; kind++) {
        size_t A = HEADS * WIDTH, Q = kind & 1 ? SEQS : ROWS;
        p = (op){.n = {Q * A, ROWS * A, ROWS * A}, .n_out = Q * A, .forward = attention_forward, .backward = attention_backward};
        p.tokens = (snc_tokens){.B = SEQS, .T = ROWS, .offsets = offsets};
        p.first_only = kind & 1;
        p.mask = kind & 2 ? snc_mask_make(1, 1, 1, 0.3f) : SNC_MASK_OFF;
        if (kind & 4) p.bucket = bucket, p.n[3] = HEADS * SNC_RELATIVE_BUCKETS;
        check(&p, "attention");
    }
}

/* ---- embedding tables: inputs word, position, type ------------------------------------------------------------------ */

enum { EMBED_N = 10, EMBED_LD = 12, VOCAB = 5 };
static int32_t ids[ROWS], types[ROWS];

static void embed_forward(op *p) { snc_embed_forward(p->out, p->o, p->at[0], p->at[1], p->at[2], &p->tokens, EMBED_N, EMBED_LD); }

static void embed_backward(op *p) { snc_embed_backward(p->g[0], p->g[1], p->g[2], p->o, p->w, &p->tokens, EMBED_N, EMBED_LD); }

static void embedding_tables(void **state)
{
    static op p;
    (void)state;
    for (int t = 0; t < ROWS; t++) {
        ids[t] = (int32_t)(snc_hash64((uint64_t)t) % VOCAB);
        types[t] = t % 3 == 0;
    }
    p = (op){.n = {VOCAB * EMBED_LD, ROWS * EMBED_LD, 2 * EMBED_LD},
             .n_out = ROWS * EMBED_N,
             .forward = embed_forward,
             .backward = embed_backward};
    p.tokens = (snc_tokens){.B = SEQS, .T = ROWS, .ids = ids, .types = types, .offsets = offsets};
    check(&p, "embedding");
}

static void turned_rows(void **state)
{
    static op p;
    (void)state;
    p = (op){.n = {ROWS * HEADS * WIDTH}, .n_out = ROWS * HEADS * WIDTH, .forward = rotary_forward, .backward = rotary_backward};
    p.tokens = (snc_tokens){.B = SEQS, .T = ROWS, .offsets = offsets};
    check(&p, "rotary");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layer_norm_with_residual_and_dropout),
        cmocka_unit_test(activations),
        cmocka_unit_test(gated_neurons),
        cmocka_unit_test(turned_rows),
        cmocka_unit_test(attention_with_dropout_and_first_token),
        cmocka_unit_test(embedding_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
