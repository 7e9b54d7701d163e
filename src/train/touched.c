/* A row is marked with the number of the scan that saw it last, so nothing has to be cleared between batches. */
#include "train/touched.h"

#include "base/mem.h"

typedef struct table {
    int32_t *seen; /* [rows] the scan that saw the row last */
    int32_t *rows; /* [rows] distinct rows of this scan */
    int n;
} table;

struct snc_touched {
    int32_t scan;
    int n, base, types;
    snc_role role[SNC_TABLES];
    table t[SNC_TABLES];
    snc_row_set sets[SNC_TABLES];
};

snc_err snc_touched_new(snc_touched **out, const snc_model *m)
{
    snc_touched *t = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&t, 1, sizeof *t));
    t->base = snc_family_of(&m->cfg)->position_base;
    t->types = m->cfg.types;
    for (int r = 0; r < SNC_TABLES; r++) {
        int param = snc_model_at(m, r, 0);
        if (param < 0 || !(m->params.p[param].flags & SNC_PARAM_ROWS)) continue;
        size_t rows = (size_t)m->params.p[param].rows;
        int i = t->n++;
        SNC_GOTO(snc_alloc(&t->t[i].seen, rows, sizeof(int32_t)));
        SNC_GOTO(snc_alloc(&t->t[i].rows, rows, sizeof(int32_t)));
        t->sets[i].param = param;
        t->role[i] = r;
    }
    *out = t;
    return SNC_OK;
out:
    snc_touched_free(t);
    return err;
}

void snc_touched_free(snc_touched *t)
{
    if (!t) return;
    for (int i = 0; i < t->n; i++) {
        snc_free(t->t[i].seen);
        snc_free(t->t[i].rows);
    }
    snc_free(t);
}

static void mark(table *t, int32_t row, int32_t scan)
{
    if (t->seen[row] == scan) return;
    t->seen[row] = scan;
    t->rows[t->n++] = row;
}

/* The row that token i of a sequence which starts at `first` reads. */
static int32_t row_of(const snc_touched *t, int set, const snc_tokens *x, int32_t first, int32_t i)
{
    if (t->role[set] == SNC_ROLE_POSITION) return t->base + i - first;
    return t->role[set] != SNC_ROLE_TYPE ? x->ids[i] : t->types > 1 ? x->types[i] : 0;
}

const snc_row_set *snc_touched_scan(int *n, snc_touched *t, const snc_tokens *x)
{
    t->scan++;
    for (int s = 0; s < t->n; s++) {
        t->t[s].n = 0;
        for (int b = 0; b < x->B; b++)
            for (int32_t i = x->offsets[b]; i < x->offsets[b + 1]; i++) mark(&t->t[s], row_of(t, s, x, x->offsets[b], i), t->scan);
        t->sets[s].n = t->t[s].n;
        t->sets[s].rows = t->t[s].rows;
    }
    *n = t->n;
    return t->sets;
}
