/* Mixtures are made when a matrix is asked for another arch, row by row; their gradients go to the experts and to the routers. */
#include "models/source_mos.h"

#include <math.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/par.h"
#include "base/rng.h"

enum { GRAIN = 32, LANES = 16 };

/* What a router says of an arch. */
typedef struct routed {
    snc_arch arch;
    bool made;
    float h[SNC_ROUTER_WIDTH];
    float *p; /* [groups, m] */
} routed;

typedef struct mixed {
    snc_arch arch;
    bool made;
    uint64_t version;
    float *w, *b; /* [rows, cols], [rows] of the whole model */
} mixed;

typedef struct mos {
    snc_ctx ctx;
    snc_mixture_map map;
    mixed of[SNC_MAX_LAYERS][SNC_SITES];
    routed matrix[SNC_MAX_LAYERS][SNC_SITES], layer[SNC_MAX_LAYERS];
    float *g, *gb[SNC_SITES]; /* the gradient of the matrix whose turn it is, and of biases, which are zero between turns */
    float *dp, *scratch;      /* [most rows, m] */
} mos;

/* A matrix of the layer on its way: where its experts are, and what of it the arch reads. */
typedef struct job {
    mos *s;
    const snc_model *m;
    const float *p;
    int experts, rank, ld, rows, cols, per_row; /* per_row: m where each row has a mixture of its own, else 0 */
    int base, bias, first, each;
    snc_site site;
    float *w, *b;
} job;

static const float *weight(const job *j, int e) { return snc_params_w(&j->m->params, e ? j->first + (e - 1) * j->each : j->base); }
static const float *thin(const job *j, int e) { return snc_params_w(&j->m->params, j->first + (e - 1) * j->each + 1); }
static int bias_of(const job *j, int e) { return e ? j->first + e * j->each - 1 : j->bias; }

static int kept_layer(const snc_arch *a, int source)
{
    int l = 0;
    while (a->source[l] != source) l++;
    return l;
}

static job begin(mos *s, const snc_model *m, snc_role role, int layer, const snc_arch *arch, const float *p)
{
    const snc_site site = snc_spec_rows[role].site;
    const int base = snc_model_at(m, role, layer);
    int size[SNC_AXES];
    snc_spec_sizes(size, &m->cfg, arch, kept_layer(arch, layer));
    return (job){.s = s,
                 .m = m,
                 .p = p,
                 .experts = m->cfg.mixture.experts,
                 .rank = m->cfg.mixture.rank,
                 .ld = m->params.p[base].cols,
                 .rows = size[snc_spec_rows[role].rows],
                 .cols = size[snc_spec_rows[role].cols],
                 .per_row = m->cfg.mixture.neuron ? m->cfg.mixture.experts : 0,
                 .base = base,
                 .bias = snc_model_at(m, role + 1, layer),
                 .first = s->map.first[layer][site],
                 .each = s->map.each,
                 .site = site};
}

/* ---- routing -------------------------------------------------------------------------------------------------------- */

static const snc_router *router_of(const mos *s, bool neuron, int layer, snc_site site)
{
    return neuron ? &s->map.matrix[layer][site] : &s->map.layer[layer];
}

static const routed *route(mos *s, const snc_model *m, int layer, snc_site site, const snc_arch *arch)
{
    const bool neuron = m->cfg.mixture.neuron;
    routed *r = neuron ? &s->matrix[layer][site] : &s->layer[layer];
    const snc_router *of = router_of(s, neuron, layer, site);
    float code[SNC_ARCH_CODE];
    if (r->made && snc_arch_equal(&r->arch, arch)) return r;
    snc_arch_code(code, arch, &m->arch);
    snc_router_forward(r->p, r->h, of, &m->params, code, of->groups);
    r->arch = *arch;
    r->made = true;
    return r;
}

int snc_mos_routing(float *p, const snc_model *m, const snc_arch *arch, int layer, snc_site site)
{
    mos *s = m->source.state;
    const snc_router *of = router_of(s, m->cfg.mixture.neuron, layer, site);
    memcpy(p, route(s, m, layer, site, arch)->p, (size_t)of->groups * (size_t)of->m * sizeof *p);
    return of->groups;
}

/* ---- forward -------------------------------------------------------------------------------------------------------- */

static void add_scaled(float *restrict to, const float *restrict x, float f, int n)
{
    for (int c = 0; c < n; c++) to[c] += f * x[c];
}

static void mix_rows(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const job *j = payload;
    (void)chunk, (void)worker;
    for (int64_t r = begin; r < end; r++) {
        const float *p = j->p + r * j->per_row, *own = weight(j, 0) + r * j->ld;
        float *w = j->w + r * j->ld, share = j->rank ? 1 : p[0];
        for (int c = 0; c < j->cols; c++) w[c] = share * own[c];
        j->b[r] = share * snc_params_w(&j->m->params, j->bias)[r];
        for (int e = 1; e < j->experts; e++) {
            const float *u = weight(j, e) + r * (j->rank ? j->rank : j->ld);
            if (!j->rank) add_scaled(w, u, p[e], j->cols);
            for (int k = 0; k < j->rank; k++) add_scaled(w, thin(j, e) + (int64_t)k * j->ld, p[e] * u[k], j->cols);
            j->b[r] += p[e] * snc_params_w(&j->m->params, bias_of(j, e))[r];
        }
    }
}

static snc_source_view materialise(const snc_model *m, snc_role role, int layer, const snc_arch *arch)
{
    mos *s = m->source.state;
    const snc_spec *spec = &snc_spec_rows[role];
    if (spec->slot != SNC_SLOT_SITE || !snc_mixture_has(&m->cfg, spec->site)) return snc_source_dense_view(m, role, layer);
    mixed *x = &s->of[layer][spec->site];
    job j = begin(s, m, role, layer, arch, NULL);
    if (!x->made || !snc_arch_equal(&x->arch, arch)) {
        j.p = route(s, m, layer, spec->site, arch)->p;
        j.w = x->w;
        j.b = x->b;
        snc_par_for(&s->ctx, j.rows, GRAIN, mix_rows, &j);
        x->arch = *arch;
        x->made = true;
        x->version++;
    }
    return (snc_source_view){.w = x->w, .ld = j.ld, .rows = j.rows, .cols = j.cols, .b = x->b, .made = true, .version = x->version};
}

/* ---- backward ------------------------------------------------------------------------------------------------------- */

static snc_source_gradient gradient(const snc_model *m, snc_role role, int layer)
{
    const mos *s = m->source.state;
    const snc_spec *spec = &snc_spec_rows[role];
    if (spec->slot != SNC_SLOT_SITE || !snc_mixture_has(&m->cfg, spec->site)) return snc_source_dense_gradient(m, role, layer);
    return (snc_source_gradient){.g = s->g, .ld = m->params.p[snc_model_at(m, role, layer)].cols, .param = -1, .b = s->gb[spec->site]};
}

/* In lanes, so that the sum is the same bits in vectors of any width. */
static float dot(const float *x, const float *y, int n)
{
    float sum[LANES] = {0}, all = 0;
    int c = 0;
    for (; c + LANES <= n; c += LANES)
        for (int k = 0; k < LANES; k++) sum[k] += x[c + k] * y[c + k];
    for (; c < n; c++) sum[0] += x[c] * y[c];
    for (int k = 0; k < LANES; k++) all += sum[k];
    return all;
}

static void unmix_rows(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const job *j = payload;
    const snc_params *ps = &j->m->params;
    (void)chunk, (void)worker;
    for (int64_t r = begin; r < end; r++) {
        const float *p = j->p + r * j->per_row, *g = j->s->g + r * j->ld, gb = j->s->gb[j->site][r];
        float *dp = j->s->dp + r * j->experts;
        for (int e = 0; e < j->experts; e++) {
            const bool own = e == 0 && j->rank; /* which no router scales */
            const float share = own ? 1 : p[e];
            const int at = e ? j->first + (e - 1) * j->each : j->base;
            if (e == 0 || !j->rank) {
                add_scaled(snc_params_g(ps, at) + r * j->ld, g, share, j->cols);
                dp[e] = own ? 0 : dot(g, weight(j, e) + r * j->ld, j->cols);
            } else {
                const float *u = weight(j, e) + r * j->rank;
                float *du = snc_params_g(ps, at) + r * j->rank;
                dp[e] = 0;
                for (int k = 0; k < j->rank; k++) {
                    float along = dot(g, thin(j, e) + (int64_t)k * j->ld, j->cols);
                    du[k] += share * along;
                    dp[e] += u[k] * along;
                }
            }
            if (!own) dp[e] += gb * snc_params_w(ps, bias_of(j, e))[r];
            snc_params_g(ps, bias_of(j, e))[r] += share * gb;
        }
    }
}

/* Rows of v, each a sum over the rows of the matrix. */
static void unmix_thin(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    const job *j = payload;
    (void)chunk, (void)worker;
    for (int64_t i = begin; i < end; i++) {
        const int e = 1 + (int)(i / j->rank), k = (int)(i % j->rank);
        float *dv = snc_params_g(&j->m->params, j->first + (e - 1) * j->each + 1) + (int64_t)k * j->ld;
        for (int r = 0; r < j->rows; r++)
            add_scaled(dv, j->s->g + (int64_t)r * j->ld, j->p[r * j->per_row + e] * weight(j, e)[r * j->rank + k], j->cols);
    }
}

static void backward(const snc_model *m, snc_role role, int layer, const snc_arch *arch)
{
    mos *s = m->source.state;
    const snc_site site = snc_spec_rows[role].site;
    const routed *r = route(s, m, layer, site, arch);
    const snc_router *of = router_of(s, m->cfg.mixture.neuron, layer, site);
    job j = begin(s, m, role, layer, arch, r->p);
    float code[SNC_ARCH_CODE];
    snc_par_for(&s->ctx, j.rows, GRAIN, unmix_rows, &j);
    if (j.rank) snc_par_for(&s->ctx, (int64_t)(j.experts - 1) * j.rank, 1, unmix_thin, &j);
    memset(s->gb[site], 0, (size_t)j.rows * sizeof **s->gb);
    if (!m->cfg.mixture.neuron) { /* one mixture: the sum over its rows */
        double sum[SNC_EXPERTS_MOST] = {0};
        for (int i = 0; i < j.rows; i++)
            for (int e = 0; e < j.experts; e++) sum[e] += (double)s->dp[i * j.experts + e];
        for (int e = 0; e < j.experts; e++) s->dp[e] = (float)sum[e];
    }
    snc_arch_code(code, arch, &m->arch);
    snc_router_backward(of, &m->params, code, m->cfg.mixture.neuron ? j.rows : 1, r->p, r->h, s->dp, s->scratch);
}

static void changed(const snc_model *m)
{
    mos *s = m->source.state;
    for (int l = 0; l < m->arch.layers; l++) {
        s->layer[l].made = false;
        for (int i = 0; i < SNC_SITES; i++) s->of[l][i].made = s->matrix[l][i].made = false;
    }
}

/* ---- looks ---------------------------------------------------------------------------------------------------------- */

static bool all_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

/* Of a router its first parameter that is not finite, or whose gradient is not; the last one where its routing alone is not. */
static bool broken_router(char name[SNC_PARAM_NAME], const snc_model *m, const snc_router *r, const routed *p)
{
    const snc_params *ps = &m->params;
    for (int i = r->hidden; i < r->hidden + 4 && r->m; i++) {
        const size_t n = (size_t)ps->p[i].rows * (size_t)ps->p[i].cols;
        const bool last = i == r->out_bias;
        if (all_finite(snc_params_w(ps, i), n) && (!ps->g || all_finite(snc_params_g(ps, i), n)) &&
            (!last || !p->made || all_finite(p->p, (size_t)r->groups * (size_t)r->m)))
            continue;
        memcpy(name, ps->p[i].name, SNC_PARAM_NAME);
        return true;
    }
    return false;
}

static bool broken(char name[SNC_PARAM_NAME], const snc_model *m)
{
    const mos *s = m->source.state;
    for (int l = 0; l < m->arch.layers; l++) {
        if (broken_router(name, m, &s->map.layer[l], &s->layer[l])) return true;
        for (int i = 0; i < SNC_SITES; i++)
            if (broken_router(name, m, &s->map.matrix[l][i], &s->matrix[l][i])) return true;
    }
    return false;
}

/* |W_e - W_0|^2 and |W_0|^2 of a whole matrix; with a rank the first is |U V|^2. */
static void distance(double out[2], const job *j, int e)
{
    out[0] = out[1] = 0;
    for (int r = 0; r < j->rows; r++)
        for (int c = 0; c < j->cols; c++) {
            const double own = (double)weight(j, 0)[r * j->ld + c];
            double d = 0;
            for (int k = 0; k < j->rank; k++) d += (double)weight(j, e)[r * j->rank + k] * (double)thin(j, e)[k * j->ld + c];
            if (!j->rank) d = (double)weight(j, e)[r * j->ld + c] - own;
            out[0] += d * d;
            out[1] += own * own;
        }
}

double snc_mos_apart(const snc_model *m)
{
    mos *s = m->source.state;
    double sum = 0;
    int n = 0;
    for (int l = 0; l < m->arch.layers; l++)
        for (int i = 0; i < SNC_SITES; i++)
            for (int e = 1; e < m->cfg.mixture.experts && s->map.first[l][i]; e++, n++) {
                const job j = begin(s, m, snc_spec_site((snc_site)i), l, &m->arch, NULL);
                double d[2];
                distance(d, &j, e);
                sum += sqrt(d[0] / fmax(d[1], 1e-30));
            }
    return sum / n;
}

/* Of a router: added to *sum a group's widest range of a share over the nets. Nets without the router's layer do not ask it. */
static void add_spread(double *sum, const snc_model *m, const snc_router *r, const snc_arch *nets, int n, float *low)
{
    float code[SNC_ARCH_CODE], h[SNC_ROUTER_WIDTH];
    const int size = r->groups * r->m;
    float *high = low + size, *p = high + size;
    for (int i = 0; i < n; i++) {
        snc_arch_code(code, &nets[i], &m->arch);
        snc_router_forward(p, h, r, &m->params, code, r->groups);
        for (int k = 0; k < size; k++) {
            low[k] = i ? fminf(low[k], p[k]) : p[k];
            high[k] = i ? fmaxf(high[k], p[k]) : p[k];
        }
    }
    for (int g = 0; g < r->groups; g++) {
        float widest = 0;
        for (int e = 0; e < r->m; e++) widest = fmaxf(widest, high[g * r->m + e] - low[g * r->m + e]);
        *sum += (double)widest;
    }
}

snc_err snc_mos_spread(double *out, const snc_model *m, const snc_arch *nets, int n)
{
    const mos *s = m->source.state;
    float *buf;
    double sum = 0;
    int groups = 0, most = 1;
    for (int l = 0; l < m->arch.layers; l++)
        for (int i = 0; i < SNC_SITES; i++) most = s->map.matrix[l][i].groups > most ? s->map.matrix[l][i].groups : most;
    SNC_TRY(snc_alloc(&buf, 3 * (size_t)most * (size_t)m->cfg.mixture.experts, sizeof *buf));
    for (int l = 0; l < m->arch.layers; l++) {
        for (int i = -1; i < SNC_SITES; i++) {
            const snc_router *r = i < 0 ? &s->map.layer[l] : &s->map.matrix[l][i];
            if (r->m) add_spread(&sum, m, r, nets, n, buf);
            groups += r->groups;
        }
    }
    *out = sum / groups;
    snc_free(buf);
    return SNC_OK;
}

/* ---- the source ----------------------------------------------------------------------------------------------------- */

static void free_mos(void *state)
{
    mos *s = state;
    if (!s) return;
    for (int l = 0; l < SNC_MAX_LAYERS; l++) {
        snc_free(s->layer[l].p);
        for (int i = 0; i < SNC_SITES; i++) {
            snc_free(s->of[l][i].w);
            snc_free(s->of[l][i].b);
            snc_free(s->matrix[l][i].p);
        }
    }
    snc_free(s->g);
    for (int i = 0; i < SNC_SITES; i++) snc_free(s->gb[i]);
    snc_free(s->dp);
    snc_free(s->scratch);
    snc_free(s);
}

const snc_source_kind snc_source_mos = {.name = "mos",
                                        .experts = true,
                                        .materialise = materialise,
                                        .gradient = gradient,
                                        .backward = backward,
                                        .changed = changed,
                                        .broken = broken,
                                        .free = free_mos};

static snc_err room(routed *r, const snc_router *of)
{
    return of->m ? snc_alloc(&r->p, (size_t)of->groups * (size_t)of->m, sizeof *r->p) : SNC_OK;
}

static snc_err allocate(mos *s, const snc_model *m)
{
    size_t most = 0, rows = 0;
    for (int l = 0; l < m->arch.layers; l++) {
        SNC_TRY(room(&s->layer[l], &s->map.layer[l]));
        for (int i = 0; i < SNC_SITES; i++) {
            if (!s->map.first[l][i]) continue;
            const snc_param *p = &m->params.p[snc_model_at(m, snc_spec_site((snc_site)i), l)];
            const size_t n = (size_t)p->rows * (size_t)p->cols;
            SNC_TRY(snc_alloc(&s->of[l][i].w, n, sizeof(float)));
            SNC_TRY(snc_alloc(&s->of[l][i].b, (size_t)p->rows, sizeof(float)));
            SNC_TRY(room(&s->matrix[l][i], &s->map.matrix[l][i]));
            most = n > most ? n : most;
            rows = (size_t)p->rows > rows ? (size_t)p->rows : rows;
        }
    }
    SNC_TRY(snc_alloc(&s->g, most, sizeof *s->g));
    for (int i = 0; i < SNC_SITES; i++) SNC_TRY(snc_alloc(&s->gb[i], rows, sizeof **s->gb));
    SNC_TRY(snc_alloc(&s->dp, rows * (size_t)m->cfg.mixture.experts, sizeof *s->dp));
    return snc_alloc(&s->scratch, rows * (size_t)m->cfg.mixture.experts, sizeof *s->scratch);
}

snc_err snc_mos_attach(snc_model *m, const snc_ctx *ctx)
{
    snc_err err = SNC_OK;
    snc_params table = {0};
    mos *s = NULL;
    if (!snc_mixture_any(&m->cfg)) return SNC_OK;
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    s->ctx = *ctx;
    SNC_GOTO(snc_spec_table(&table, &m->cfg, &m->arch));
    SNC_GOTO(snc_mixture_add(&s->map, &table, &m->cfg, &m->arch));
    SNC_GOTO(allocate(s, m));
    snc_model_set_source(m, &snc_source_mos, s);
    s = NULL;
out:
    snc_params_dispose(&table);
    free_mos(s);
    return err;
}

/* ---- a dense model gets experts ------------------------------------------------------------------------------------- */

static void noisy_copy(float *to, const float *from, size_t n, uint64_t seed, const char *name)
{
    snc_rng r;
    snc_rng_init(&r, seed, snc_bytes_hash(0, name, strlen(name)));
    for (size_t i = 0; i < n; i++) to[i] = from[i] * (float)(1 + SNC_EXPERT_NOISE * snc_rng_normal(&r));
}

static void init_experts(snc_model *m, const snc_mixture_map *map, uint64_t seed)
{
    const snc_mixture *x = &m->cfg.mixture;
    for (int l = 0; l < m->arch.layers; l++)
        for (int s = 0; s < SNC_SITES; s++) {
            const snc_role role = snc_spec_site((snc_site)s);
            const int base = map->first[l][s] ? snc_model_at(m, role, l) : 0;
            for (int e = 1; e < x->experts && base; e++) {
                const int at = map->first[l][s] + (e - 1) * map->each, bias = at + map->each - 1;
                const snc_param *p = &m->params.p[at];
                const size_t n = (size_t)p->rows * (size_t)p->cols;
                if (x->rank) { /* u is 0 */
                    const snc_param *v = &m->params.p[at + 1];
                    snc_rng r;
                    snc_rng_init(&r, seed, snc_bytes_hash(0, v->name, strlen(v->name)));
                    for (size_t i = 0; i < (size_t)v->rows * (size_t)v->cols; i++)
                        snc_params_w(&m->params, at + 1)[i] = (float)(0.02 * snc_rng_normal(&r));
                } else noisy_copy(snc_params_w(&m->params, at), snc_params_w(&m->params, base), n, seed, p->name);
                if (!x->rank)
                    memcpy(snc_params_w(&m->params, bias), snc_params_w(&m->params, snc_model_at(m, role + 1, l)),
                           (size_t)p->rows * sizeof(float));
            }
        }
}

/* A net's share of the multiply-adds as a sum over its code: exact where hidden is whole, or all else is. */
static void budget(float *weights, const snc_model *m)
{
    double all = 0, part[2 * SNC_MAX_LAYERS];
    for (int l = 0; l < m->arch.layers; l++) {
        part[2 * l] = 4.0 * m->cfg.head_width * m->arch.heads[l];
        part[2 * l + 1] = (1.0 + snc_family_neuron(snc_family_of(&m->cfg))) * m->arch.ffn[l];
        all += part[2 * l] + part[2 * l + 1];
    }
    weights[0] = 1;
    for (int l = 0; l < m->arch.layers; l++) {
        weights[1 + 3 * l] = 0;
        weights[2 + 3 * l] = (float)(part[2 * l] / all);
        weights[3 + 3 * l] = (float)(part[2 * l + 1] / all);
    }
}

static void init_routers(const snc_model *m, const snc_mixture_map *map, uint64_t seed)
{
    float weights[SNC_ARCH_CODE];
    budget(weights, m);
    for (int l = 0; l < m->arch.layers; l++) {
        if (map->layer[l].m) snc_router_init(&map->layer[l], &m->params, weights, -1, seed);
        for (int s = 0; s < SNC_SITES; s++)
            if (map->matrix[l][s].m) snc_router_init(&map->matrix[l][s], &m->params, weights, -1, seed);
    }
}

snc_err snc_mos_bytes(double *experts, double *buffers, const snc_encoder_config *dense, const snc_arch *a, const snc_mixture *x)
{
    snc_encoder_config cfg = *dense;
    snc_params ps = {0};
    snc_err err = SNC_OK;
    double most = 0;
    size_t before;
    cfg.mixture = *x;
    *experts = *buffers = 0;
    SNC_GOTO(snc_spec_table(&ps, &cfg, a));
    for (int i = 0; i < ps.n; i++) {
        const snc_param *p = &ps.p[i];
        const double bytes = (double)p->rows * p->cols * sizeof(float);
        if (snc_spec_of(p)->slot != SNC_SLOT_SITE || !snc_mixture_has(&cfg, snc_spec_of(p)->site)) continue;
        *buffers += bytes;
        most = fmax(most, bytes);
    }
    before = ps.total;
    SNC_GOTO(snc_mixture_add(NULL, &ps, &cfg, a));
    *experts = (double)(ps.total - before) * sizeof(float);
    *buffers += most;
out:
    snc_params_dispose(&ps);
    return err;
}

snc_err snc_model_mix(snc_model *m, const snc_ctx *ctx, const snc_mixture *x, uint64_t seed)
{
    SNC_TRY(snc_mixture_check(x, &m->arch));
    if (x->experts == 1) return SNC_OK;
    snc_encoder_config cfg = m->cfg;
    snc_mixture_map map;
    snc_params ps = {0};
    snc_err err = SNC_OK;
    cfg.mixture = *x;
    SNC_GOTO(snc_spec_table(&ps, &cfg, &m->arch));
    SNC_GOTO(snc_mixture_add(&map, &ps, &cfg, &m->arch));
    SNC_GOTO(snc_params_alloc(&ps));
    memcpy(ps.w, m->params.w, m->params.total * sizeof *ps.w); /* the rows of before come first, at the same places */
    snc_params_dispose(&m->params);
    m->params = ps;
    m->cfg = cfg;
    init_experts(m, &map, seed);
    init_routers(m, &map, seed);
    return snc_mos_attach(m, ctx);
out:
    snc_params_dispose(&ps);
    return err;
}
