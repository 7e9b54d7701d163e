/* A run of a path sampler without training: nets are drawn as the trainer draws them, and losses and gradients are made up. */
#ifndef SNC_TESTS_SAMPLER_RUN_H
#define SNC_TESTS_SAMPLER_RUN_H

#include "check.h"
#include "models/config.h"
#include "models/cost.h"
#include "train/sampler.h"

enum { STEPS = 240, SEED = 7 };

/* BERT's proportions, and a space by which options are counted. */
static const snc_encoder_config shape = {.hidden = 384, .layers = 6, .heads = 12, .head_width = 32, .ffn = 1536, .classes = 2};

static inline double share_of(const snc_encoder_config *c, const snc_arch *a)
{
    const snc_arch full = snc_arch_full(c);
    return (double)snc_cost_encoder_macs(c, a, SNC_MACS_TOKENS) / (double)snc_cost_encoder_macs(c, &full, SNC_MACS_TOKENS);
}

static inline snc_space *space_of(const char *json)
{
    const snc_space_opts o = {.depth_rule = "even", .fp = SNC_F32};
    const snc_arch full = snc_arch_full(&shape);
    snc_space *s;
    cJSON *j = cJSON_Parse(json);
    assert_int_equal(snc_space_from_json(&s, &shape, &full, &o, j, "space"), SNC_OK);
    cJSON_Delete(j);
    return s;
}

typedef struct run {
    const snc_sampler_kind *kind;
    const snc_space *s;
    snc_sampler *sampler;
    uint64_t seed;
    int step;
    snc_arch nets[SNC_SAMPLER_MAX];
    int n;                                                                  /* of the last step */
    double (*loss)(const struct run *r, const snc_arch *a);                 /* NULL: more of smaller nets */
    double (*attention)(const struct run *r, int layer, const snc_arch *a); /* a gradient's mean square; NULL: 1 */
} run;

static inline const snc_sampler_kind *kind_of(const char *name)
{
    const snc_sampler_kind *kind;
    assert_int_equal(snc_sampler_find(&kind, name), SNC_OK);
    return kind;
}

static inline snc_sampler_opts opts_of(const snc_sampler_kind *kind, uint64_t seed)
{
    return (snc_sampler_opts){.random = kind->random_nets, .near = 0.5, .pools = 4, .seed = seed, .cfg = &shape};
}

static inline run start(const snc_sampler_kind *kind, const snc_space *s, uint64_t seed)
{
    run r = {.kind = kind, .s = s, .seed = seed};
    const snc_sampler_opts o = opts_of(kind, seed);
    assert_int_equal(snc_sampler_create(&r.sampler, kind, s, &o), SNC_OK);
    return r;
}

/* As the trainer draws: by seed and step alone. */
static inline void draw(run *r)
{
    snc_rng rng;
    snc_rng_init(&rng, r->seed, (uint64_t)r->step);
    r->n = snc_sampler_draw(r->nets, r->sampler, (double)r->step / STEPS, &rng);
}

static inline void tell(run *r)
{
    double loss[SNC_SAMPLER_MAX];
    snc_sampler_gradient gradient[SNC_MAX_LAYERS] = {{0}};
    for (int i = 0; i < r->nets[0].layers; i++) {
        const snc_arch *a = &r->nets[0];
        const int l = a->source[i];
        gradient[l].ffn = 2.0 * a->hidden * a->ffn[i];
        gradient[l].attention = 4.0 * a->hidden * a->heads[i] * shape.head_width * (r->attention ? r->attention(r, i, a) : 1);
    }
    for (int i = 0; i < r->n; i++) {
        const double noise = (double)(snc_hash64(r->seed + (uint64_t)(r->step * SNC_SAMPLER_MAX + i)) >> 11) * 0x1p-53;
        loss[i] = r->loss ? r->loss(r, &r->nets[i]) : 0.2 + 0.1 * noise + (1 - share_of(&shape, &r->nets[i])) / (1 + 0.01 * r->step);
    }
    snc_sampler_tell(r->sampler, (double)r->step / STEPS,
                     &(snc_sampler_seen){.n = r->n, .nets = r->nets, .loss = loss, .gradient = r->kind->gradients ? gradient : NULL});
    r->step++;
}

#endif
