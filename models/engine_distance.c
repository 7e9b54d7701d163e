/* The table of distances in a batch: of a family with distances apart, the rows that its longest text reaches, normalized once and read by
 * the keys and queries of every layer. */
#include <string.h>

#include "models/engine_priv.h"

static int reach_of(const snc_engine *e, int longest)
{
    const snc_encoder_config *c = &e->m->cfg;
    const int most = snc_family_length(c);
    return snc_distance_bucket((longest < most ? longest : most) - 1, c->buckets, c->positions);
}

void snc_engine__distances_reach(snc_engine *e, int longest)
{
    if (!e->m->cfg.buckets) return;
    e->distance.reach = reach_of(e, longest);
    e->distance.n = 2 * e->distance.reach + 1;
}

/* The first row of the batch, as of weights or gradients. */
static size_t first_row(const snc_engine *e)
{
    return (size_t)(e->m->cfg.buckets - e->distance.reach) * (size_t)engine_ld(e, e->table[SNC_ROLE_DISTANCE]);
}

void snc_engine__distances_forward(snc_engine *e)
{
    engine_distances *p = &e->distance;
    snc_mask none = SNC_MASK_OFF;
    size_t C = (size_t)e->arch.hidden;
    if (!p->n) return;
    size_t ld = (size_t)engine_ld(e, e->table[SNC_ROLE_DISTANCE]);
    const float *rows = engine_w(e, e->table[SNC_ROLE_DISTANCE]) + first_row(e);
    for (size_t r = 0; r < (size_t)p->n; r++) memcpy(p->s + r * C, rows + r * ld, C * sizeof *p->s);
    snc_norm_forward(p->y.f, p->y.h, p->s, p->stats, e->ops, NULL, engine_w(e, e->distance_norm.w), engine_w(e, e->distance_norm.b), p->n,
                     e->arch.hidden, e->m->cfg.norm_eps, &none);
}

/* Rows are counted from the farthest that the whole batch reaches. */
static snc_mask mask_of(const snc_engine *e, int i)
{
    const int farther = e->drop.longest ? reach_of(e, e->drop.longest) - e->distance.reach : 0;
    return engine_mask(e, ENGINE_SITE_DISTANCE + i, e->drop.hidden, (uint32_t)farther);
}

engine_rows snc_engine__distances_read(snc_engine *e, int i)
{
    engine_distances *p = &e->distance;
    snc_mask drop = mask_of(e, i);
    int C = e->arch.hidden;
    if (!drop.threshold) return p->y;
    memcpy(p->x.f, p->y.f, (size_t)p->n * (size_t)C * sizeof *p->x.f);
    snc_mask_apply(p->x.f, e->ops, p->n, C, &drop);
    if (e->half) snc_round(p->x.h, e->ops, p->x.f, p->n, C);
    return p->x;
}

void snc_engine__distances_start(snc_engine *e)
{
    if (e->distance.n) memset(e->distance.dy, 0, (size_t)e->distance.n * (size_t)e->arch.hidden * sizeof *e->distance.dy);
}

void snc_engine__distances_add(snc_engine *e, int i)
{
    engine_distances *p = &e->distance;
    snc_mask drop = mask_of(e, i);
    size_t n = (size_t)p->n * (size_t)e->arch.hidden;
    snc_mask_apply(p->dx, e->ops, p->n, e->arch.hidden, &drop);
    for (size_t k = 0; k < n; k++) p->dy[k] += p->dx[k];
}

void snc_engine__distances_backward(snc_engine *e)
{
    engine_distances *p = &e->distance;
    snc_mask none = SNC_MASK_OFF;
    size_t C = (size_t)e->arch.hidden;
    if (!p->n) return;
    size_t ld = (size_t)engine_ld(e, e->table[SNC_ROLE_DISTANCE]);
    float *rows = engine_g(e, e->table[SNC_ROLE_DISTANCE]) + first_row(e);
    snc_norm_backward(p->dy, NULL, NULL, engine_g(e, e->distance_norm.w), engine_g(e, e->distance_norm.b), NULL, e->ops, p->dy, p->s,
                      p->stats, engine_w(e, e->distance_norm.w), NULL, p->n, e->arch.hidden, &none);
    for (size_t r = 0; r < (size_t)p->n; r++)
        for (size_t c = 0; c < C; c++) rows[r * ld + c] += p->dy[r * C + c];
}
