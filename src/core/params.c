/* Offsets are given out while parameters are added; the blocks are allocated once the table is complete. */
#include "core/params.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

snc_err snc_params_add(int *out, snc_params *ps, int rows, int cols, unsigned flags, const char *fmt, ...)
{
    SNC_CHECK(rows > 0 && cols > 0, SNC_E_SHAPE, "parameter %d: shape [%d, %d]", ps->n, rows, cols);
    SNC_TRY(snc_grow(&ps->p, &ps->cap, (size_t)ps->n + 1, sizeof *ps->p));
    snc_param *p = &ps->p[ps->n];
    *p = (snc_param){.rows = rows, .cols = cols, .flags = flags, .offset = ps->total};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(p->name, sizeof p->name, fmt, ap);
    va_end(ap);
    ps->total += snc_align_up((size_t)rows * (size_t)cols, SNC_ALIGN / sizeof(float));
    *out = ps->n++;
    return SNC_OK;
}

snc_err snc_params_alloc(snc_params *ps) { return snc_alloc(&ps->w, ps->total, sizeof(float)); }

snc_err snc_params_alloc_grad(snc_params *ps) { return ps->g ? SNC_OK : snc_alloc(&ps->g, ps->total, sizeof(float)); }

void snc_params_zero_grad(snc_params *ps)
{
    if (ps->g) memset(ps->g, 0, ps->total * sizeof(float));
}

int snc_params_find(const snc_params *ps, const char *name)
{
    for (int i = 0; i < ps->n; i++)
        if (strcmp(ps->p[i].name, name) == 0) return i;
    return -1;
}

size_t snc_params_count(const snc_params *ps)
{
    size_t n = 0;
    for (int i = 0; i < ps->n; i++) n += (size_t)ps->p[i].rows * (size_t)ps->p[i].cols;
    return n;
}

void snc_params_dispose(snc_params *ps)
{
    snc_free(ps->p);
    snc_free(ps->w);
    snc_free(ps->g);
    *ps = (snc_params){0};
}
