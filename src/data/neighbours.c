/* Every pair of pieces of a kind is compared: a few seconds for the ten thousand pieces of a large task. */
#include "data/neighbours.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/par.h"

enum { GRAIN = 16, LANES = 16 };

struct snc_neighbours {
    int V, k, n;
    int32_t *ids;   /* [n] pieces that were seen, ascending */
    int32_t *slot;  /* [V] place in ids, or -1 */
    int32_t *near;  /* [n, k] */
    int32_t *found; /* [n] */
    float *unit;    /* [n, C] vectors of length 1, while they are compared */
    const snc_augment_pieces *p;
};

void snc_neighbours_free(snc_neighbours *s)
{
    if (!s) return;
    snc_free(s->ids);
    snc_free(s->slot);
    snc_free(s->near);
    snc_free(s->found);
    snc_free(s->unit);
    snc_free(s);
}

static float dot(const float *a, const float *b, int n)
{
    float lane[LANES] = {0}, sum = 0;
    int j = 0;
    for (; j + LANES <= n; j += LANES)
        for (int k = 0; k < LANES; k++) lane[k] += a[j + k] * b[j + k];
    for (int k = 0; j < n; j++, k++) lane[k] += a[j] * b[j];
    for (int k = 0; k < LANES; k++) sum += lane[k];
    return sum;
}

/* A list of the k nearest, kept in order. */
static void find_of(const snc_neighbours *s, int i)
{
    const int C = s->p->C;
    const float *own = s->unit + (size_t)i * (size_t)C;
    int32_t *list = s->near + (size_t)i * (size_t)s->k;
    float best[64];
    int n = 0;
    for (int j = 0; j < s->n; j++) {
        if (j == i || s->p->continues[s->ids[j]] != s->p->continues[s->ids[i]]) continue;
        const float near = dot(own, s->unit + (size_t)j * (size_t)C, C);
        int at = n < s->k ? n++ : s->k;
        for (; at > 0 && near > best[at - 1]; at--) {
            if (at == s->k) continue;
            best[at] = best[at - 1];
            list[at] = list[at - 1];
        }
        if (at == s->k) continue;
        best[at] = near;
        list[at] = s->ids[j];
    }
    s->found[i] = n;
}

static void find_all(void *payload, int64_t begin, int64_t end, int64_t chunk, int worker)
{
    (void)chunk, (void)worker;
    for (int64_t i = begin; i < end; i++) find_of(payload, (int)i);
}

static void normalise(const snc_neighbours *s, int i)
{
    const float *row = s->p->table + (size_t)s->ids[i] * (size_t)s->p->C;
    float *to = s->unit + (size_t)i * (size_t)s->p->C;
    double sum = 0;
    for (int c = 0; c < s->p->C; c++) sum += (double)row[c] * (double)row[c];
    for (int c = 0; c < s->p->C; c++) to[c] = sum > 0 ? (float)((double)row[c] / sqrt(sum)) : 0;
}

snc_err snc_neighbours_find(snc_neighbours **out, const snc_ctx *ctx, const snc_augment_pieces *p, const uint8_t *seen, int k)
{
    snc_err err = SNC_OK;
    snc_neighbours *s = NULL;
    *out = NULL;
    SNC_CHECK(k >= 1 && k <= 64, SNC_E_ARG, "%d neighbours: expected 1 to 64", k);
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    *s = (snc_neighbours){.V = p->V, .k = k, .p = p};
    for (int id = 0; id < p->V; id++) s->n += seen[id] != 0;
    SNC_GOTO(snc_alloc(&s->ids, (size_t)s->n + 1, sizeof *s->ids));
    SNC_GOTO(snc_alloc(&s->slot, (size_t)s->V, sizeof *s->slot));
    SNC_GOTO(snc_alloc(&s->near, (size_t)(s->n + 1) * (size_t)k, sizeof *s->near));
    SNC_GOTO(snc_alloc(&s->found, (size_t)s->n + 1, sizeof *s->found));
    SNC_GOTO(snc_alloc(&s->unit, (size_t)(s->n + 1) * (size_t)p->C, sizeof *s->unit));
    for (int id = 0, n = 0; id < p->V; id++) {
        s->slot[id] = seen[id] ? n : -1;
        if (seen[id]) s->ids[n++] = id;
    }
    for (int i = 0; i < s->n; i++) normalise(s, i);
    snc_par_for(ctx, s->n, GRAIN, find_all, s);
    snc_free(s->unit);
    s->unit = NULL;
    *out = s;
    s = NULL;
out:
    snc_neighbours_free(s);
    return err;
}

const int32_t *snc_neighbours_of(int *n, const snc_neighbours *s, int32_t id)
{
    const int32_t at = id >= 0 && id < s->V ? s->slot[id] : -1;
    *n = at < 0 ? 0 : s->found[at];
    return at < 0 ? NULL : s->near + (size_t)at * (size_t)s->k;
}
