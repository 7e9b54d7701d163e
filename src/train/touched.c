#include "train/touched.h"

#include "base/mem.h"

typedef struct table {
    int32_t *seen; /* [rows] the scan that saw the row last */
    int32_t *rows; /* [rows] distinct rows of this scan */
    int n;
} table;

struct snc_touched {
    int32_t scan;
    int rows[SNC_TOUCHED_SETS];
    table t[SNC_TOUCHED_SETS];
    snc_row_set sets[SNC_TOUCHED_SETS];
};

snc_err snc_touched_new(snc_touched **out, const snc_model *m)
{
    snc_touched *t = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&t, 1, sizeof *t));
    const int params[SNC_TOUCHED_SETS] = {m->ix.word, m->ix.position, m->ix.type};
    for (int i = 0; i < SNC_TOUCHED_SETS; i++) {
        t->rows[i] = m->params.p[params[i]].rows;
        SNC_GOTO(snc_alloc(&t->t[i].seen, (size_t)t->rows[i], sizeof(int32_t)));
        SNC_GOTO(snc_alloc(&t->t[i].rows, (size_t)t->rows[i], sizeof(int32_t)));
        t->sets[i].param = params[i];
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
    for (int i = 0; i < SNC_TOUCHED_SETS; i++) {
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

const snc_row_set *snc_touched_scan(snc_touched *t, const snc_tokens *x)
{
    t->scan++;
    for (int i = 0; i < SNC_TOUCHED_SETS; i++) t->t[i].n = 0;
    for (int b = 0; b < x->B; b++)
        for (int32_t i = x->offsets[b]; i < x->offsets[b + 1]; i++) {
            mark(&t->t[0], x->ids[i], t->scan);
            mark(&t->t[1], i - x->offsets[b], t->scan);
            mark(&t->t[2], x->types[i], t->scan);
        }
    for (int i = 0; i < SNC_TOUCHED_SETS; i++) {
        t->sets[i].n = t->t[i].n;
        t->sets[i].rows = t->t[i].rows;
    }
    return t->sets;
}
