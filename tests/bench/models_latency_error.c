/* How well the latency table predicts nets it never ran: 50 random MiniLM subnets (random weights), predicted against
 * measured, for one shape. Each net is timed three times, after all the others were, and the median of the medians counts: one
 * disturbed second is not the table's fault.
 *
 *   models_latency_error [BATCH LENGTH [THREADS [SECONDS for the table [SPACE]]]]     default 1 32 1 5
 *
 * SPACE, a file such as configs/spaces/wide.json: nets as training draws them there, with skipped halves.
 *
 * Prints the time the table took, then MAPE, the worst error and Kendall's tau. Wants an idle machine.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/par.h"
#include "base/rng.h"
#include "minilm.h"
#include "models/latency.h"
#include "models/measure.h"

enum { NETS = 50, PASSES = 3 };

static void need(snc_err err)
{
    if (err == SNC_OK) return;
    fprintf(stderr, "%s\n", snc_err_text());
    exit(1);
}

/* Kernel-granular options: hidden and FFN in steps of 64 and 128, every head count from 2. */
static snc_space *space_of(const snc_encoder_config *c, const snc_arch *full, const char *path)
{
    static const char lists[] =
        "{\"hidden\":[256,320,384],\"linear\":[\"int8\",\"bf16\"],\"pooler\":[\"int8\"],\"embed\":[\"int8\",\"bf16\"]}";
    const snc_space_opts o = {.path = path, .depth_rule = "first", .fp = SNC_BF16};
    cJSON *j = cJSON_Parse(lists), *heads = cJSON_AddArrayToObject(j, "heads"), *ffn = cJSON_AddArrayToObject(j, "ffn");
    snc_space *s = NULL;
    for (int h = 2; h <= c->heads; h++) cJSON_AddItemToArray(heads, cJSON_CreateNumber(h));
    for (int f = 256; f <= c->ffn; f += 128) cJSON_AddItemToArray(ffn, cJSON_CreateNumber(f));
    need(path ? snc_space_new(&s, c, full, &o) : snc_space_from_json(&s, c, full, &o, j, "space"));
    cJSON_Delete(j);
    return s;
}

static int any(snc_rng *r, const snc_gene *g) { return g->value[snc_rng_below(r, (uint32_t)g->n)]; }

static void random_config(snc_arch *a, snc_policy *p, snc_rng *r, const snc_space *s)
{
    static const snc_dtype dtypes[] = {SNC_I8, SNC_BF16};
    *a = s->full;
    a->hidden = any(r, &s->gene[1]);
    a->layers = s->layers - (int)snc_rng_below(r, 4);
    for (int l = 0; l < a->layers; l++) {
        const snc_gene *own = &s->gene[snc_space_layer(s, l)];
        a->heads[l] = any(r, &own[0]);
        a->ffn[l] = any(r, &own[1]);
        for (int site = SNC_SITE_V; site < SNC_SITES; site++) p->linear[l][site] = (uint8_t)dtypes[snc_rng_below(r, 4) == 0];
        p->linear[l][SNC_SITE_Q] = p->linear[l][SNC_SITE_K] = p->linear[l][SNC_SITE_V]; /* as a search ties them */
    }
    if (s->single) snc_space_random(a, s, r);
    p->pooler = SNC_I8;
    p->classifier = SNC_F32;
    p->embed = (uint8_t)dtypes[snc_rng_below(r, 2)];
}

static double tau(const double *x, const double *y, int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++) sum += ((x[i] - x[k]) * (y[i] - y[k]) > 0) ? 1 : -1;
    return sum / (0.5 * n * (n - 1));
}

/* B equal rows of len tokens. */
static snc_tokens make_tokens(snc_arena *arena, int B, int len)
{
    int32_t *ids = NULL, *types = NULL, *at = NULL;
    need(snc_arena_alloc(&ids, arena, (size_t)B * (size_t)len * sizeof *ids));
    need(snc_arena_alloc(&types, arena, (size_t)B * (size_t)len * sizeof *types));
    need(snc_arena_alloc(&at, arena, ((size_t)B + 1) * sizeof *at));
    for (int b = 0; b <= B; b++) at[b] = b * len;
    for (int i = 0; i < B * len; i++) ids[i] = 1000 + 17 * i % 20000;
    return (snc_tokens){.B = B, .T = B * len, .ids = ids, .types = types, .offsets = at};
}

/* The same nets in each pass: their predicted times, and those measured, the median of the passes. */
static void compare(double predicted[NETS], double measured[NETS], snc_net *n, const snc_latency *t, const snc_space *s,
                    const snc_tokens *x)
{
    double pass[PASSES][NETS];
    snc_measure_opts mo = SNC_MEASURE_OPTS_INIT;
    mo.warmup = 0.01;
    mo.seconds = 0.1;
    mo.min_samples = 9;
    snc_policy p = snc_policy_uniform(SNC_I8, SNC_I8);
    for (int k = 0; k < PASSES; k++) {
        snc_rng r;
        snc_rng_init(&r, 3, 3);
        for (int i = 0; i < NETS; i++) {
            snc_arch a;
            snc_timing time;
            random_config(&a, &p, &r, s);
            need(snc_net_rebind(n, &a, &p));
            need(snc_measure(&time, n, x, 1, &mo));
            predicted[i] = snc_latency_predict(t, &a, &p);
            pass[k][i] = time.median;
        }
    }
    for (int i = 0; i < NETS; i++) {
        double low = fmin(pass[0][i], pass[1][i]), high = fmax(pass[0][i], pass[1][i]);
        measured[i] = fmax(low, fmin(high, pass[2][i]));
    }
}

static void print_errors(const double predicted[NETS], const double measured[NETS])
{
    double error = 0, worst = 0, bias = 0;
    for (int i = 0; i < NETS; i++) {
        double e = predicted[i] / measured[i] - 1;
        error += fabs(e) / NETS;
        bias += e / NETS;
        if (fabs(e) > fabs(worst)) worst = e;
    }
    printf("MAPE %.2f%%  bias %+.2f%%  worst %+.1f%%  Kendall tau %.3f\n", 100 * error, 100 * bias, 100 * worst,
           tau(predicted, measured, NETS));
}

int main(int argc, char **argv)
{
    int B = argc > 2 ? atoi(argv[1]) : 1, len = argc > 2 ? atoi(argv[2]) : 32, threads = argc > 3 ? atoi(argv[3]) : 1;
    snc_encoder_config c = minilm_config();
    snc_arch full = snc_arch_full(&c);
    snc_policy p = snc_policy_uniform(SNC_I8, SNC_I8);
    snc_space *s = space_of(&c, &full, argc > 5 ? argv[5] : NULL);
    snc_latency_opts o = SNC_LATENCY_OPTS_INIT;
    snc_net_opts no = {.max_tokens = B * len, .max_seqs = B, .max_len = len};
    snc_ctx ctx = SNC_CTX_INIT;
    snc_model *m = NULL;
    snc_weights *w = NULL;
    snc_latency *t = NULL;
    snc_net *n = NULL;
    snc_arena *arena = NULL;
    double predicted[NETS], measured[NETS];
    if (B < 1 || len < 1 || len > c.positions || threads < 1) return 2;
    if (argc > 4) o.seconds = atof(argv[4]);
    ctx.threads = threads;
    need(snc_arena_new(&arena));
    snc_tokens x = make_tokens(arena, B, len);
    need(snc_model_new(&m, &c, &full));
    snc_model_init_random(m, 1);
    need(snc_weights_from_model(&w, &ctx, m));
    double start = snc_now();
    need(snc_latency_build(&t, &ctx, w, s, &x, 1, &o));
    printf("%dx%d, %d threads: table in %.1f s\n", B, len, threads, snc_now() - start);
    need(snc_net_create(&n, &ctx, w, NULL, &p, &no));
    compare(predicted, measured, n, t, s, &x);
    print_errors(predicted, measured);
    snc_net_free(n);
    snc_latency_free(t);
    snc_space_free(s);
    snc_weights_free(w);
    snc_model_free(m);
    snc_arena_free(arena);
    return 0;
}
