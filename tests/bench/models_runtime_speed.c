/* Milliseconds of the inference path at the MiniLM shape (random weights), with the share of each part.
 *
 *   models_runtime_speed [--threads 1,2] [--dtypes int8,int4,bf16,f32] [--shapes 1x16,1x32,1x128,8x128,32x128] [--heads N]
 *                        [--family bert|distilbert|roberta|...]
 *
 * --heads keeps so many heads of each layer and as large a share of the FFN neurons; --family has the shape that config.json of the
 * family leaves unsaid, which is its base model's. Megabytes are the linears' weights in each dtype. Best and median of about a second
 * a cell; one thread of a shared machine drifts, so compare figures of one run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/par.h"
#include "base/rng.h"
#include "minilm.h"
#include "models/cost.h"
#include "models/family/family.h"
#include "models/measure.h"
#include "report/bench_rows.h"

static void need(snc_err err)
{
    if (err == SNC_OK) return;
    fprintf(stderr, "%s\n", snc_err_text());
    exit(1);
}

static snc_tokens make_batch(int B, int len, int vocab)
{
    snc_tokens x = {.B = B, .T = B * len};
    int32_t *ids = NULL, *types = NULL, *at = NULL;
    snc_rng r;
    snc_rng_init(&r, 1, 2);
    need(snc_alloc(&ids, (size_t)x.T, sizeof *ids));
    need(snc_alloc(&types, (size_t)x.T, sizeof *types));
    need(snc_alloc(&at, (size_t)B + 1, sizeof *at));
    for (int i = 0; i < x.T; i++) ids[i] = (int32_t)snc_rng_below(&r, (uint32_t)vocab);
    for (int b = 0; b <= B; b++) at[b] = b * len;
    x.ids = ids, x.types = types, x.offsets = at;
    return x;
}

/* Attention and first-token pruning counted as the runtime does them. */
static double giga_ops(const snc_encoder_config *c, const snc_arch *a, int B, int S)
{
    double ops = 0, C = a->hidden;
    for (int l = 0; l < a->layers; l++) {
        double A = (double)c->head_width * a->heads[l], F = a->ffn[l], rows = l == a->layers - 1 ? 1 : S;
        ops += 2 * (2.0 * S * C * A + rows * (2 * C * A + 2 * C * F) + 2.0 * rows * S * A);
    }
    return ops * B * 1e-9;
}

static void report(snc_net *n, const snc_encoder_config *c, const char *dtype, int threads, int B, int len)
{
    static const char *const name[SNC_PARTS] = {"qkv", "attention", "o", "ffn_in", "ffn_out"};
    snc_tokens x = make_batch(B, len, c->vocab);
    snc_measure_opts o = SNC_MEASURE_OPTS_INIT;
    snc_timing t;
    snc_net_times p;
    o.seconds = 0.5;
    o.min_samples = 7;
    need(snc_measure(&t, n, &x, 1, &o));
    snc_net_profile(n, true);
    snc_timing with;
    o.seconds = 0.3;
    o.warmup = 0;
    need(snc_measure(&with, n, &x, 1, &o));
    snc_net_times_get(&p, n);
    snc_net_profile(n, false);
    printf("%-5s t%d %2dx%-3d  min %8.3f  median %8.3f ms  %6.1f GOPS |", dtype, threads, B, len, t.min / 1e3, t.median / 1e3,
           giga_ops(c, snc_net_arch(n), B, len) / (t.min * 1e-6));
    double sum = p.embed + p.head, part[SNC_PARTS] = {0};
    for (int l = 0; l < snc_net_arch(n)->layers; l++)
        for (int s = 0; s < SNC_PARTS; s++) {
            part[s] += p.layer[l][s];
            sum += p.layer[l][s];
        }
    printf(" embed %.1f%%", 100 * p.embed / sum);
    for (int s = 0; s < SNC_PARTS; s++) printf(" %s %.1f%%", name[s], 100 * part[s] / sum);
    printf(" head %.1f%%\n", 100 * p.head / sum);
    fflush(stdout);
}

static bool listed(const char *list, const char *item)
{
    size_t n = strlen(item);
    for (const char *p = strstr(list, item); p; p = strstr(p + 1, item))
        if ((p == list || p[-1] == ',') && (p[n] == 0 || p[n] == ',')) return true;
    return false;
}

int main(int argc, char **argv)
{
    const char *threads = "1,2", *dtypes = "int8,bf16,f32", *shapes = "1x16,1x32,1x128,8x128,32x128";
    const snc_family *family = NULL;
    int heads = 0;
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (more && strcmp(argv[i], "--family") == 0 && (family = snc_family_find(argv[i + 1]))) i++;
        else if (more && strcmp(argv[i], "--heads") == 0) heads = atoi(argv[++i]);
        else if (more && strcmp(argv[i], "--threads") == 0) threads = argv[++i];
        else if (more && strcmp(argv[i], "--dtypes") == 0) dtypes = argv[++i];
        else if (more && strcmp(argv[i], "--shapes") == 0) shapes = argv[++i];
        else {
            fprintf(stderr, "unknown option %s\n", argv[i]);
            return 2;
        }
    }
    snc_encoder_config c = minilm_config();
    if (family) {
        c = family->defaults;
        c.family = family, c.head_width = c.hidden / c.heads, c.classes = 2;
    }
    snc_arch a = snc_arch_full(&c);
    snc_model *m = NULL;
    need(snc_model_new(&m, &c, &a));
    snc_model_init_random(m, 1);
    if (heads < 1 || heads > a.heads[0]) heads = a.heads[0];
    for (int l = 0; l < a.layers; l++) a.ffn[l] = a.ffn[l] * heads / a.heads[l], a.heads[l] = heads;
    double weights = 1e-6 * a.layers * a.hidden * (4.0 * c.head_width * heads + 2.0 * a.ffn[0]);
    printf("%s, %d heads of %d, INT8 %.2f MB, INT4 %.2f MB, best %s\n", family ? family->type : "MiniLM", heads, m->arch.heads[0], weights,
           weights * (0.5 + 1.0 / 16), snc_isa_name(snc_isa_now()));
    for (int d = 0; d < 4; d++) {
        static const snc_dtype all[4] = {SNC_I8, SNC_I4, SNC_BF16, SNC_F32};
        const char *name = snc_dtype_get(all[d])->name;
        if (!listed(dtypes, name)) continue;
        for (int t = 1; t <= 8; t++) {
            char text[8];
            snprintf(text, sizeof text, "%d", t);
            if (!listed(threads, text)) continue;
            snc_ctx ctx = SNC_CTX_INIT;
            ctx.threads = t;
            snc_weights *w = NULL;
            snc_net *n = NULL;
            snc_policy p = snc_policy_uniform(all[d], all[d]);
            need(snc_weights_from_model(&w, &ctx, m));
            need(snc_net_create(&n, &ctx, w, &a, &p, &(snc_net_opts)SNC_NET_OPTS_INIT));
            static const int cell[5][2] = {{1, 16}, {1, 32}, {1, 128}, {8, 128}, {32, 128}};
            for (int s = 0; s < 5; s++) {
                snprintf(text, sizeof text, "%dx%d", cell[s][0], cell[s][1]);
                if (listed(shapes, text)) report(n, &c, name, t, cell[s][0], cell[s][1]);
            }
            snc_net_free(n);
            snc_weights_free(w);
        }
    }
    snc_model_free(m);
    return 0;
}
