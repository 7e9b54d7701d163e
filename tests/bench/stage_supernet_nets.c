/* How well the nets inside supernets follow their teacher: task score, mean KL(teacher || net) and share of equal labels.
 *
 *   stage_supernet_nets [--seed 42] TASK DATA SPLIT[,SPLIT] teacher.snc supernet.snc [more.snc ...]
 *
 * Nets: the largest, half the heads and FFN neurons of every layer, half the layers by each depth rule, half of everything,
 * and the mean over eight random nets with half the heads and neurons on average (the same for every file). Splits: rank,
 * select, dev; the first two by the seed that the files were made with. The training engine in its default arithmetic.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/option.h"
#include "artifact/task_score.h"
#include "base/mem.h"
#include "base/rng.h"
#include "candidate/evaluator.h"
#include "models/elastic.h"
#include "train/evaluate.h"

enum { NAMED = 6, RANDOM = 8 };
static const char *const net_name[NAMED + 1] = {"largest",          "half heads, FFN", "half depth, even", "half depth, first",
                                                "half depth, last", "half of all",     "mean of 8 random"};

static void need(snc_err err)
{
    if (err == SNC_OK) return;
    fprintf(stderr, "%s\n", snc_err_text());
    exit(1);
}

static void halve(snc_arch *a, bool widths, bool hidden, const char *depth_rule)
{
    if (depth_rule) {
        int L = a->layers;
        a->layers = (L + 1) / 2;
        need(snc_elastic_keep(a->source, depth_rule, a->layers, L));
    }
    for (int l = 0; widths && l < a->layers; l++) a->heads[l] /= 2, a->ffn[l] /= 2;
    if (hidden) a->hidden = a->hidden * 2 / 3;
}

static snc_arch net(const snc_arch *full, int which)
{
    static const char *const rule[NAMED] = {NULL, NULL, "even", "first", "last", "even"};
    snc_arch a = *full;
    if (which < NAMED) {
        halve(&a, which == 1 || which == 5, which == 5, rule[which]);
        return a;
    }
    snc_rng r;
    snc_rng_init(&r, 7, (uint64_t)which);
    for (int l = 0; l < a.layers; l++) { /* a quarter to three quarters */
        a.heads[l] = full->heads[l] / 4 + (int)snc_rng_below(&r, (uint32_t)(full->heads[l] / 2 + 1));
        a.ffn[l] = full->ffn[l] / 4 + full->ffn[l] / 8 * (int)snc_rng_below(&r, 5);
    }
    return a;
}

typedef struct figures {
    double score, kl, equal;
} figures;

static figures follow(const snc_ctx *ctx, snc_model *m, const snc_arch *a, snc_compute compute, const snc_inputs *in, const snc_dataset *d,
                      const float *teacher)
{
    figures f = {0};
    int K = m->cfg.classes;
    float *z = NULL, *p = NULL;
    need(snc_alloc(&z, (size_t)d->n * (size_t)K, sizeof *z));
    need(snc_alloc(&p, 2 * (size_t)d->n, sizeof *p));
    need(snc_train_eval_model(z, ctx, m, a, compute, d, 64, NULL));
    need(snc_task_score(&f.score, NULL, in->task, z, d, K));
    f.kl = snc_loss_to_teacher(z, teacher, d->n, K, snc_meaning_of(&m->cfg));
    snc_train_predictions(p, z, d->n, K);
    snc_train_predictions(p + d->n, teacher, d->n, K);
    for (int i = 0; i < d->n; i++) f.equal += p[i] == p[i + d->n];
    f.equal /= d->n;
    snc_free(p);
    snc_free(z);
    return f;
}

static void report(const snc_ctx *ctx, const char *path, const snc_inputs *in, const char *split, const snc_dataset *d,
                   const float *teacher)
{
    snc_model *m = NULL;
    const snc_compute compute = snc_inputs_compute(&snc_options_defaults.job);
    bool fitted = false;
    figures sum = {0};
    need(snc_inputs_model(&m, &fitted, ctx, path, in->task));
    for (int i = 0; i < NAMED + RANDOM; i++) {
        snc_arch a = net(&m->arch, i);
        figures f = follow(ctx, m, &a, compute, in, d, teacher);
        if (i >= NAMED) sum.score += f.score / RANDOM, sum.kl += f.kl / RANDOM, sum.equal += f.equal / RANDOM;
        if (i == NAMED + RANDOM - 1) f = sum;
        if (i < NAMED || i == NAMED + RANDOM - 1)
            printf("| %s | %s | %s | %.2f | %.4f | %.1f |\n", path, split, net_name[i < NAMED ? i : NAMED], 100 * f.score, f.kl,
                   100 * f.equal);
    }
    snc_model_free(m);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *seed = NULL;
    if (argc > 2 && strcmp(argv[1], "--seed") == 0) seed = argv[2], argc -= 2, argv += 2;
    if (argc < 6) {
        fprintf(stderr, "usage: stage_supernet_nets [--seed 42] TASK DATA SPLIT[,SPLIT] teacher.snc supernet.snc [...]\n");
        return 2;
    }
    snc_options o;
    snc_host h;
    snc_ctx ctx;
    snc_inputs in = {0};
    snc_model *m = NULL;
    snc_dataset *dev = NULL;
    const snc_compute compute = snc_inputs_compute(&snc_options_defaults.job);
    bool fitted = false;
    snc_options_init(&o);
    snc_host_init(&h);
    o.rows.task = argv[1], o.rows.data = argv[2];
    if (seed) o.job.seed = strtoll(seed, NULL, 10);
    need(snc_context_init(&ctx, &o, &h, NULL, 0));
    need(snc_inputs_open(&in, &ctx, &o, "bench", argv[4], SNC_HOLD_OUT, NULL));
    need(snc_dataset_load(&dev, &ctx, in.task, in.tok, o.rows.data, "dev", 0));
    need(snc_inputs_model(&m, &fitted, &ctx, argv[4], in.task));
    printf("| file | split | net | score | KL to the teacher | equal labels, %% |\n|---|---|---|---|---|---|\n");
    for (char *s = strtok(argv[3], ","); s; s = strtok(NULL, ",")) {
        const snc_dataset *d = strcmp(s, "rank") == 0 ? in.splits.rank : strcmp(s, "select") == 0 ? in.splits.select : dev;
        float *teacher = NULL;
        double score = 0;
        need(snc_alloc(&teacher, (size_t)d->n * (size_t)m->cfg.classes, sizeof *teacher));
        need(snc_train_eval_model(teacher, &ctx, m, &m->arch, compute, d, 64, NULL));
        need(snc_task_score(&score, NULL, in.task, teacher, d, m->cfg.classes));
        printf("| %s | %s | teacher | %.2f | 0 | 100 |\n", argv[4], s, 100 * score);
        for (int i = 5; i < argc; i++) report(&ctx, argv[i], &in, s, d, teacher);
        snc_free(teacher);
    }
    snc_model_free(m);
    snc_dataset_free(dev);
    snc_inputs_close(&in);
    return 0;
}
