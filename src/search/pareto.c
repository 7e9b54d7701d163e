#include "search/pareto.h"

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

typedef struct keyed {
    double key;
    int i;
} keyed;

static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->i - y->i;
}

/* Sum over objectives of the gap between the neighbours, normalised by the range in this rank. */
static void crowd(double *crowding, keyed *order, const int *rank, int r, const snc_point *p, int n, int m)
{
    for (int k = 0; k < m; k++) {
        int c = 0;
        for (int i = 0; i < n; i++)
            if (rank[i] == r) order[c++] = (keyed){p[i].f[k], i};
        qsort(order, (size_t)c, sizeof *order, by_key);
        double range = order[c - 1].key - order[0].key;
        crowding[order[0].i] = crowding[order[c - 1].i] = INFINITY;
        for (int i = 1; i + 1 < c; i++)
            if (range > 0) crowding[order[i].i] += (order[i + 1].key - order[i - 1].key) / range;
    }
}

snc_err snc_pareto_rank(int *rank, double *crowding, const snc_point *p, int n, int m)
{
    keyed *order = NULL;
    int left = n;
    SNC_TRY(snc_alloc(&order, (size_t)n, sizeof *order));
    for (int i = 0; i < n; i++) {
        rank[i] = -1;
        crowding[i] = 0;
    }
    for (int r = 0; left > 0; r++) {
        for (int i = 0; i < n; i++) {
            if (rank[i] >= 0) continue;
            bool beaten = false;
            for (int j = 0; j < n && !beaten; j++)
                beaten = (rank[j] < 0 || rank[j] == r) && j != i && snc_dominates(&p[j], &p[i], m);
            if (!beaten) rank[i] = r;
        }
        for (int i = 0; i < n; i++) left -= rank[i] == r;
        crowd(crowding, order, rank, r, p, n, m);
    }
    snc_free(order);
    return SNC_OK;
}

snc_err snc_hypervolume2(double *out, const snc_point *p, int n, const double ref[2])
{
    keyed *order = NULL;
    int c = 0;
    SNC_TRY(snc_alloc(&order, (size_t)n, sizeof *order));
    for (int i = 0; i < n; i++)
        if (!has_nan(&p[i], 2) && p[i].violation <= 0 && p[i].f[0] < ref[0] && p[i].f[1] < ref[1]) order[c++] = (keyed){p[i].f[0], i};
    qsort(order, (size_t)c, sizeof *order, by_key);
    double area = 0, floor1 = ref[1];
    for (int i = 0; i < c; i++) {
        double y = p[order[i].i].f[1];
        if (y >= floor1) continue;
        area += (ref[0] - order[i].key) * (floor1 - y);
        floor1 = y;
    }
    *out = area;
    snc_free(order);
    return SNC_OK;
}
