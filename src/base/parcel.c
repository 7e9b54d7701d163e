/* A text is its length, that of NULL the largest number there is, and its bytes with the NUL. */
#include "base/parcel.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

void snc_parcel_put(snc_parcel *p, const void *data, size_t bytes)
{
    if (!p->err) p->err = snc_grow(&p->p, &p->cap, p->n + bytes, 1);
    if (p->err || bytes == 0) return;
    memcpy(p->p + p->n, data, bytes);
    p->n += bytes;
}

void snc_parcel_put_text(snc_parcel *p, const char *text)
{
    const size_t n = text ? strlen(text) + 1 : SIZE_MAX;
    snc_parcel_put(p, &n, sizeof n);
    if (text) snc_parcel_put(p, text, n);
}

static snc_err enough(const snc_parcel *p, size_t bytes)
{
    SNC_CHECK(bytes <= p->n - p->at, SNC_E_FORMAT, "a message of another rank is %zu bytes too short", bytes - (p->n - p->at));
    return SNC_OK;
}

snc_err snc_parcel_take(void *data, snc_parcel *p, size_t bytes)
{
    SNC_TRY(enough(p, bytes));
    if (bytes) memcpy(data, p->p + p->at, bytes);
    p->at += bytes;
    return SNC_OK;
}

snc_err snc_parcel_take_text(const char **text, snc_parcel *p)
{
    size_t n;
    SNC_TRY(snc_parcel_take(&n, p, sizeof n));
    *text = NULL;
    if (n == SIZE_MAX) return SNC_OK;
    SNC_TRY(enough(p, n));
    SNC_CHECK(n > 0 && p->p[p->at + n - 1] == 0, SNC_E_FORMAT, "a text of another rank has no end");
    *text = p->p + p->at;
    p->at += n;
    return SNC_OK;
}

void snc_parcel_dispose(snc_parcel *p)
{
    snc_free(p->p);
    *p = (snc_parcel){0};
}
