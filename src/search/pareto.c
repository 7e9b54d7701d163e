/* In lexicographic order no later point dominates: fronts are filled by bisection, and hypervolume is a sweep (for three, in slabs). */
#include "search/pareto.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool has_nan(const snc_point *p, int m)
{
    for (int i = 0; i < m; i++)
        if (isnan(p->f[i])) return true;
    return isnan(p->violation);
}

bool snc_dominates(const snc_point *a, const snc_point *b, int m)
{
    if (has_nan(a, m)) return false;
    if (has_nan(b, m)) return true;
    if (a->violation > 0 || b->violation > 0) return a->violation < b->violation;
    bool better = false;
    for (int i = 0; i < m; i++) {
        if (a->f[i] > b->f[i]) return false;
        if (a->f[i] < b->f[i]) better = true;
    }
    return better;
}

/* A point under a lexicographic key that puts whoever dominates before whom it dominates: NaN last, violation, objectives. */
typedef struct keyed {
    double key[2 + SNC_MAX_OBJECTIVES];
    int i;
} keyed;

static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    for (int k = 0; k < 2 + SNC_MAX_OBJECTIVES; k++)
        if (x->key[k] != y->key[k]) return x->key[k] < y->key[k] ? -1 : 1;
    return x->i - y->i;
}

static keyed key_of(const snc_point *p, int i, int m)
{
    keyed k = {.i = i};
    if (has_nan(p, m)) k.key[0] = 1;
    else {
        k.key[1] = p->violation > 0 ? p->violation : 0;
        for (int j = 0; j < m; j++) k.key[2 + j] = p->f[j];
    }
    return k;
}

/* Sum over objectives of the gap between the neighbours, normalised by the range in this rank. member [c]: points of one rank. */
static void crowd(double *crowding, keyed *order, const int *member, int c, const snc_point *p, int m)
{
    for (int i = 0; i < c; i++) crowding[member[i]] = 0;
    for (int k = 0; k < m && !has_nan(&p[member[0]], m); k++) { /* a rank of failures has no neighbours */
        for (int i = 0; i < c; i++) order[i] = (keyed){.key = {p[member[i]].f[k]}, .i = member[i]};
        qsort(order, (size_t)c, sizeof *order, by_key);
        double range = order[c - 1].key[0] - order[0].key[0];
        crowding[order[0].i] = crowding[order[c - 1].i] = INFINITY;
        for (int i = 1; i + 1 < c; i++)
            if (range > 0) crowding[order[i].i] += (order[i + 1].key[0] - order[i - 1].key[0]) / range;
    }
}

snc_err snc_pareto_rank(int *rank, double *crowding, const snc_point *p, int n, int m)
{
    assert(n >= 0 && m >= 1 && m <= SNC_MAX_OBJECTIVES);
    snc_err err = SNC_OK;
    keyed *order = NULL;
    int *head = NULL, *next = NULL, *member = NULL, fronts = 0;
    SNC_GOTO(snc_alloc(&order, (size_t)n, sizeof *order));
    SNC_GOTO(snc_alloc(&head, (size_t)n, sizeof *head));
    SNC_GOTO(snc_alloc(&next, (size_t)n, sizeof *next));
    SNC_GOTO(snc_alloc(&member, (size_t)n, sizeof *member));
    for (int i = 0; i < n; i++) order[i] = key_of(&p[i], i, m);
    qsort(order, (size_t)n, sizeof *order, by_key);
    /* Sorted, nobody is dominated by a later point: each goes to the first front that holds nobody who dominates it. Whoever
     * is dominated from a front is so from every front before it, hence bisection; the latest member of a front is the
     * likeliest to dominate and asked first. */
    for (int o = 0; o < n; o++) {
        int i = order[o].i, r = 0, end = fronts;
        while (r < end) {
            int mid = (r + end) / 2, j = head[mid];
            while (j >= 0 && !snc_dominates(&p[j], &p[i], m)) j = next[j];
            if (j < 0) end = mid;
            else r = mid + 1;
        }
        rank[i] = r;
        next[i] = r < fronts ? head[r] : -1;
        head[r] = i;
        if (r == fronts) fronts++;
    }
    for (int r = 0; r < fronts; r++) {
        int c = 0;
        for (int j = head[r]; j >= 0; j = next[j]) member[c++] = j;
        crowd(crowding, order, member, c, p, m);
    }
out:
    snc_free(order);
    snc_free(head);
    snc_free(next);
    snc_free(member);
    return err;
}

snc_err snc_pareto_order(int *out, const snc_point *p, int n, int m)
{
    assert(n >= 0 && m >= 1 && m <= SNC_MAX_OBJECTIVES);
    snc_err err = SNC_OK;
    int *rank = NULL;
    double *crowding = NULL;
    keyed *order = NULL;
    SNC_GOTO(snc_alloc(&rank, (size_t)n, sizeof *rank));
    SNC_GOTO(snc_alloc(&crowding, (size_t)n, sizeof *crowding));
    SNC_GOTO(snc_alloc(&order, (size_t)n, sizeof *order));
    if (m == 1) /* one objective orders by itself */
        for (int i = 0; i < n; i++) order[i] = key_of(&p[i], i, m);
    else {
        SNC_GOTO(snc_pareto_rank(rank, crowding, p, n, m));
        for (int i = 0; i < n; i++) order[i] = (keyed){.key = {rank[i], -crowding[i]}, .i = i};
    }
    qsort(order, (size_t)n, sizeof *order, by_key);
    for (int i = 0; i < n; i++) out[i] = order[i].i;
out:
    snc_free(rank);
    snc_free(crowding);
    snc_free(order);
    return err;
}

/* Area under ref of points that ascend in f[0]; only those with f[2] <= depth count. */
static double area(const keyed *order, int c, const double *ref, double depth)
{
    double sum = 0, floor1 = ref[1];
    for (int i = 0; i < c; i++) {
        const double *f = &order[i].key[2];
        if (f[2] > depth || f[1] >= floor1) continue;
        sum += (ref[0] - f[0]) * (floor1 - f[1]);
        floor1 = f[1];
    }
    return sum;
}

static int by_third(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    return x->key[4] < y->key[4] ? -1 : x->key[4] > y->key[4] ? 1 : x->i - y->i;
}

snc_err snc_hypervolume(double *out, const snc_point *p, int n, int m, const double *ref)
{
    assert(n >= 0 && m >= 1 && m <= SNC_MAX_OBJECTIVES);
    snc_err err = SNC_OK;
    keyed *order = NULL, *level = NULL;
    int c = 0;
    *out = 0;
    SNC_GOTO(snc_alloc(&order, (size_t)n, sizeof *order));
    SNC_GOTO(snc_alloc(&level, (size_t)n, sizeof *level));
    for (int i = 0; i < n; i++) {
        bool inside = !has_nan(&p[i], m) && p[i].violation <= 0;
        for (int k = 0; k < m; k++) inside = inside && p[i].f[k] < ref[k];
        if (inside) order[c++] = key_of(&p[i], i, m);
    }
    qsort(order, (size_t)c, sizeof *order, by_key);
    if (m == 1) *out = c ? ref[0] - order[0].key[2] : 0;
    else if (m == 2) *out = area(order, c, ref, 0);
    else { /* slabs between successive third objectives, each with the area of what reaches it */
        if (c) memcpy(level, order, (size_t)c * sizeof *level);
        qsort(level, (size_t)c, sizeof *level, by_third);
        for (int i = 0; i < c; i++) {
            double from = level[i].key[4], to = i + 1 < c ? level[i + 1].key[4] : ref[2];
            if (to > from) *out += (to - from) * area(order, c, ref, from);
        }
    }
out:
    snc_free(order);
    snc_free(level);
    return err;
}
