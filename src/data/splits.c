/* Held out are the first rows of an order (shuffled by seed; for dev, by hash of the text) that no other row contains; what they contain
 * leaves train. */
#include "data/splits_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/contain_priv.h"

enum {
    PHRASE_WORDS = 8, /* shorter rows are phrases, not sentences */
    HOLD_OUT_MIN = 50,
    HOLD_OUT_MAX = 1000,
    STREAM_CARVE = 0x5c01, /* generators: one per consumer */
    STREAM_SAMPLE = 0x5c02
};

enum place { IN_TRAIN, IN_RANK, IN_SELECT, IN_DEV, LEFT_OUT };

static snc_err new_rows(int32_t **out, int n) { return snc_alloc(out, (size_t)n, sizeof **out); }

/* Whether no other row contains this one. Among phrases a row's double contains it; elsewhere the first of equal rows
 * stands for all of them, and the rest leave train with it. */
static bool is_candidate(const snc_contain *c, int row, bool phrases)
{
    return snc_contain__words(c, row) >= (phrases ? PHRASE_WORDS : 1) && !snc_contain__in(c, row, !phrases);
}

/* Rows of one held-out split, where the candidates suffice: never more than a quarter of the file. */
static int hold_out_size(int rows, bool phrases)
{
    int want = phrases ? HOLD_OUT_MAX : rows / 10;
    if (want < HOLD_OUT_MIN) want = HOLD_OUT_MIN;
    if (want > HOLD_OUT_MAX) want = HOLD_OUT_MAX;
    return want < rows / 4 ? want : rows / 4;
}

static void gather(int32_t *out, int *n, const unsigned char *place, int rows, int which)
{
    for (int i = 0; i < rows; i++)
        if (place[i] == which) out[(*n)++] = i;
}

/* Draws rank and select: the first candidates of a shuffle, so that only as many rows are looked up as it takes.
 * place [n] says who went where, held [2 size] lists both. */
static snc_err draw(unsigned char *place, int32_t *held, int *size, const snc_contain *c, const snc_rows *rows, bool phrases, uint64_t seed)
{
    int32_t *order;
    snc_rng rng;
    int n = 0, want = hold_out_size(rows->n, phrases);
    SNC_TRY(new_rows(&order, rows->n));
    for (int i = 0; i < rows->n; i++) order[i] = i;
    snc_rng_init(&rng, seed, STREAM_CARVE);
    snc_rng_shuffle(&rng, order, (size_t)rows->n);
    for (int i = 0; i < rows->n && n < 2 * want; i++)
        if (is_candidate(c, order[i], phrases)) held[n++] = order[i];
    snc_free(order);
    *size = n / 2;
    SNC_CHECK(*size > 0, SNC_E_FORMAT, "%s: %d rows, too few that no other row contains: cannot hold out rank and select", rows->path,
              rows->n);
    for (int i = 0; i < 2 * *size; i++) place[held[i]] = i < *size ? IN_RANK : IN_SELECT;
    return SNC_OK;
}

static snc_err carve(snc_carve *out, snc_contain *c, int32_t *all, unsigned char *place, const snc_rows *rows, const snc_rows *extra,
                     bool phrases, uint64_t seed)
{
    int size = 0;
    SNC_TRY(snc_contain__add(c, rows->row, rows->n));
    if (extra) SNC_TRY(snc_contain__add(c, extra->row, extra->n));
    for (int i = 0; i < rows->n; i++) all[i] = i;
    SNC_TRY(snc_contain__index(c, all, rows->n));
    SNC_TRY(draw(place, all, &size, c, rows, phrases, seed));
    SNC_TRY(snc_contain__index(c, all, 2 * size));
    for (int i = 0; i < rows->n; i++) {
        if (place[i] != IN_TRAIN || !snc_contain__in(c, i, false)) continue;
        place[i] = LEFT_OUT;
        out->removed++;
    }
    gather(out->train, &out->n_train, place, rows->n, IN_TRAIN);
    gather(out->rank, &out->n_rank, place, rows->n, IN_RANK);
    gather(out->select, &out->n_select, place, rows->n, IN_SELECT);
    for (int i = 0; extra && i < extra->n; i++) {
        if (snc_contain__in(c, rows->n + i, false)) out->removed_extra++;
        else out->extra[out->n_extra++] = i;
    }
    SNC_CHECK(out->n_train > 0, SNC_E_FORMAT, "%s: no train rows are left beside rank and select", rows->path);
    return SNC_OK;
}

snc_err snc_carve__make(snc_carve *out, const snc_rows *rows, const snc_rows *extra, bool phrases, uint64_t seed)
{
    snc_err err = SNC_OK;
    snc_contain *c = NULL;
    int32_t *all = NULL;
    unsigned char *place = NULL;
    *out = (snc_carve){0};
    SNC_GOTO(new_rows(&out->train, rows->n));
    SNC_GOTO(new_rows(&out->rank, rows->n));
    SNC_GOTO(new_rows(&out->select, rows->n));
    if (extra) SNC_GOTO(new_rows(&out->extra, extra->n));
    SNC_GOTO(new_rows(&all, rows->n));
    SNC_GOTO(snc_alloc(&place, (size_t)rows->n, 1));
    SNC_GOTO(snc_contain__new(&c));
    SNC_GOTO(carve(out, c, all, place, rows, extra, phrases, seed));
out:
    snc_contain__free(c);
    snc_free(all);
    snc_free(place);
    if (err != SNC_OK) snc_carve__dispose(out);
    return err;
}

void snc_carve__dispose(snc_carve *c)
{
    snc_free(c->train);
    snc_free(c->rank);
    snc_free(c->select);
    snc_free(c->extra);
    *c = (snc_carve){0};
}

snc_err snc_carve__sample(int32_t *rows, int *n, int keep, uint64_t seed)
{
    int32_t *order;
    unsigned char *kept;
    snc_rng rng;
    if (keep <= 0 || keep >= *n) return SNC_OK;
    SNC_TRY(new_rows(&order, *n));
    snc_err err = snc_alloc(&kept, (size_t)*n, 1);
    if (err == SNC_OK) {
        for (int i = 0; i < *n; i++) order[i] = i;
        snc_rng_init(&rng, seed, STREAM_SAMPLE);
        snc_rng_shuffle(&rng, order, (size_t)*n);
        for (int i = 0; i < keep; i++) kept[order[i]] = 1;
        int count = 0;
        for (int i = 0; i < *n; i++)
            if (kept[i]) rows[count++] = rows[i];
        *n = count;
        snc_free(kept);
    }
    snc_free(order);
    return err;
}

/* ---- dev of a task without one --------------------------------------------------------------------------------------- */

typedef struct turn {
    uint64_t hash; /* of the row's text: equal rows come together, in file order */
    int32_t row;
} turn;

static int by_hash(const void *a, const void *b)
{
    const turn *x = a, *y = b;
    return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : (x->row > y->row) - (x->row < y->row);
}

static turn *order_by_text(const snc_rows *rows)
{
    turn *order;
    if (snc_alloc(&order, (size_t)rows->n, sizeof *order)) return NULL;
    for (int i = 0; i < rows->n; i++) order[i] = (turn){snc_row__digest(&rows->row[i]), i};
    qsort(order, (size_t)rows->n, sizeof *order, by_hash);
    return order;
}

static int class_of(const snc_row *row, int classes) { return classes > 1 && isfinite((double)row->target) ? (int)row->target : 0; }

/* quota [classes]: each class's share of `size` rows, and one of each that has four. Returns their sum. */
static int share_out(int *quota, const snc_rows *rows, int classes, int size)
{
    int sum = 0;
    for (int i = 0; i < rows->n; i++) quota[class_of(&rows->row[i], classes)]++;
    for (int k = 0; k < classes; k++) {
        int share = (int)((2 * (int64_t)quota[k] * size + rows->n) / (2 * (int64_t)rows->n));
        quota[k] = share == 0 && quota[k] >= 4 ? 1 : share;
        sum += quota[k];
    }
    return sum;
}

/* held lists the rows of dev: of each class the first candidates. */
static snc_err draw_dev(unsigned char *place, int32_t *held, int *n, const snc_contain *c, const snc_rows *rows, int size, int classes,
                        bool phrases)
{
    int *quota, left = 0;
    turn *order = order_by_text(rows);
    SNC_CHECK(order, SNC_E_NOMEM, "%s: out of memory", rows->path);
    snc_err err = snc_alloc(&quota, (size_t)classes, sizeof *quota);
    if (!err) left = share_out(quota, rows, classes, size);
    for (int i = 0; i < rows->n && left > 0; i++) {
        int row = order[i].row, k = class_of(&rows->row[row], classes);
        if (quota[k] == 0 || !is_candidate(c, row, phrases)) continue;
        quota[k]--;
        left--;
        place[row] = IN_DEV;
        held[(*n)++] = row;
    }
    snc_free(quota);
    snc_free(order);
    return err;
}

snc_err snc_carve__dev(snc_rows *rows, bool dev, int classes, bool phrases)
{
    snc_err err = SNC_OK;
    snc_contain *c = NULL;
    int32_t *all = NULL;
    unsigned char *place = NULL;
    int size = hold_out_size(rows->n, false), held = 0, kept = 0;
    SNC_GOTO(new_rows(&all, rows->n));
    SNC_GOTO(snc_alloc(&place, (size_t)rows->n, 1));
    SNC_GOTO(snc_contain__new(&c));
    SNC_GOTO(snc_contain__add(c, rows->row, rows->n));
    for (int i = 0; i < rows->n; i++) all[i] = i;
    SNC_GOTO(snc_contain__index(c, all, rows->n));
    SNC_GOTO(draw_dev(place, all, &held, c, rows, size, classes > 1 ? classes : 1, phrases));
    if (held) SNC_GOTO(snc_contain__index(c, all, held));
    for (int i = 0; i < rows->n; i++) {
        if (held && place[i] == IN_TRAIN && snc_contain__in(c, i, false)) place[i] = LEFT_OUT;
        if (place[i] == (dev ? IN_DEV : IN_TRAIN)) rows->row[kept++] = rows->row[i];
    }
    rows->left_out = rows->n - kept - (dev ? 0 : held);
    rows->dev = held;
    rows->n = kept;
out:
    snc_contain__free(c);
    snc_free(all);
    snc_free(place);
    return err;
}
