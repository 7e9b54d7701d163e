/* The table as a function of a config, and as a file. */
#include "models/latency.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/isa.h"
#include "base/json.h"
#include "base/mem.h"
#include "models/latency_priv.h"

snc_err snc_latency__alloc(snc_latency *t)
{
    for (int p = 0; p < SNC_PARTS; p++) SNC_TRY(snc_alloc(&t->part[p], snc_latency__cells(t, p), sizeof(double)));
    SNC_TRY(snc_alloc(&t->embedding, (size_t)t->n_embed * (size_t)t->hidden.n, sizeof(double)));
    return snc_alloc(&t->head, (size_t)t->n_linear * (size_t)t->hidden.n, sizeof(double));
}

void snc_latency_free(snc_latency *t)
{
    if (!t) return;
    for (int p = 0; p < SNC_PARTS; p++) snc_free(t->part[p]);
    snc_free(t->embedding);
    snc_free(t->head);
    snc_free(t);
}

void snc_latency__host(char host[256], const snc_ctx *ctx, const snc_comm_host *on)
{
    snprintf(host, 256, "%.120s; %s; %d threads; %s; %s", on ? on->cpu : snc_cpu_name(), on ? on->isa : snc_isa_name(snc_isa_now()),
             ctx->threads, snc_backend_name(ctx->backend), SNC_VERSION);
}

bool snc_latency_fits_host(const snc_latency *t, const snc_ctx *ctx, const snc_comm_host *on)
{
    char host[256];
    snc_latency__host(host, ctx, on);
    return strcmp(host, t->host) == 0;
}

/* ---- prediction ---- */

/* Where x lies: between v[i] and v[i + 1] at `share` of the way, clamped. */
static int locate(double *share, const snc_latency__axis *a, int x)
{
    int i = 0;
    *share = 0;
    while (i + 2 < a->n && x >= a->v[i + 1]) i++;
    if (a->n == 1 || x <= a->v[0]) return 0;
    double s = (double)(x - a->v[i]) / (a->v[i + 1] - a->v[i]);
    *share = s > 1 ? 1 : s;
    return i;
}

/* The row of a dtype; one that was not measured is taken for the last, the slowest by the order of the space. */
static int row_of(const snc_dtype *list, int n, int dtype)
{
    for (int i = 0; i < n; i++)
        if ((int)list[i] == dtype) return i;
    return n - 1;
}

static double cell(const snc_latency *t, int part, int dtype, int hidden, int width, bool last)
{
    const snc_latency__axis *a = snc_latency__axis_of(t, part);
    const double *v = t->part[part];
    double sh, sw, sum = 0;
    if (width == 0) return 0; /* a half that is skipped */
    int d = row_of(t->linear, t->n_linear, dtype), h = locate(&sh, &t->hidden, hidden), w = locate(&sw, a, width);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            double share = (i ? sh : 1 - sh) * (k ? sw : 1 - sw);
            if (share > 0) sum += share * v[snc_latency__cell(t, part, d, h + i, w + k, last)];
        }
    return sum;
}

static double by_hidden(const snc_latency *t, const double *v, int hidden)
{
    double s;
    int h = locate(&s, &t->hidden, hidden);
    return s > 0 ? (1 - s) * v[h] + s * v[h + 1] : v[h];
}

double snc_latency__weight_mb(const snc_latency *t, const snc_arch *a, const snc_policy *p)
{
    double bits = 0, C = a->hidden;
    for (int l = 0; l < a->layers; l++) {
        double A = (double)t->head_width * a->heads[l], F = a->ffn[l];
        const double size[SNC_SITES] = {A * C, A * C, A * C, A * C, F * C, F * C};
        for (int s = 0; s < SNC_SITES; s++) bits += size[s] * snc_dtype_get((snc_dtype)p->linear[l][s])->bits;
    }
    return bits / 8e6;
}

double snc_latency_predict(const snc_latency *t, const snc_arch *a, const snc_policy *p) { return snc_latency_predict_from(t, a, p, 0); }

double snc_latency_predict_from(const snc_latency *t, const snc_arch *a, const snc_policy *p, int from)
{
    double sum = from ? 0 : by_hidden(t, t->embedding + row_of(t->embed, t->n_embed, p->embed) * t->hidden.n, a->hidden);
    sum += by_hidden(t, t->head + row_of(t->linear, t->n_linear, p->pooler) * t->hidden.n, a->hidden);
    for (int l = from, asked = snc_arch_last_heads(a); l < a->layers; l++) {
        bool last = l >= asked;
        const uint8_t *d = p->linear[l];
        bool f32 = d[SNC_SITE_Q] == SNC_F32 || d[SNC_SITE_K] == SNC_F32 || d[SNC_SITE_V] == SNC_F32;
        for (int s = SNC_SITE_Q; s <= SNC_SITE_V; s++) /* measured together, a third each */
            sum += cell(t, SNC_PART_QKV, d[s], a->hidden, a->heads[l], last) / 3;
        sum += cell(t, SNC_PART_ATTENTION, f32 ? SNC_F32 : d[SNC_SITE_Q], a->hidden, a->heads[l], last);
        sum += cell(t, SNC_PART_O, d[SNC_SITE_O], a->hidden, a->heads[l], last);
        sum += cell(t, SNC_PART_FFN_IN, d[SNC_SITE_FFN_IN], a->hidden, a->ffn[l], last);
        sum += cell(t, SNC_PART_FFN_OUT, d[SNC_SITE_FFN_OUT], a->hidden, a->ffn[l], last);
    }
    double us = t->fixed + t->factor * sum, room = t->hot_mb - snc_latency__weight_mb(t, a, p);
    if (room > 0) us -= fmin(t->hot_us * room, 0.5 * us);
    return us;
}

double snc_latency_int4_share(const snc_latency *t, const snc_arch *a)
{
    snc_policy int8 = snc_policy_int8(), int4 = int8;
    bool measured = false;
    for (int i = 0; i < t->n_linear; i++) measured = measured || t->linear[i] == SNC_I4;
    memset(int4.linear, SNC_I4, sizeof int4.linear);
    return measured ? snc_latency_predict(t, a, &int4) / snc_latency_predict(t, a, &int8) : (double)INFINITY;
}

/* ---- file ---- */

static const char *const part_name[SNC_PARTS] = {"qkv", "attention", "o", "ffn_in", "ffn_out"};

static cJSON *dtype_list(const snc_dtype *d, int n)
{
    cJSON *j = cJSON_CreateArray();
    for (int i = 0; i < n; i++) cJSON_AddItemToArray(j, cJSON_CreateString(snc_dtype_get(d[i])->name));
    return j;
}

/* Nanosecond digits are noise: cells are written in steps of 1 ns. */
static cJSON *cell_list(const double *v, size_t n)
{
    cJSON *j = cJSON_CreateArray();
    for (size_t i = 0; i < n; i++) cJSON_AddItemToArray(j, cJSON_CreateNumber(round(v[i] * 1000) / 1000));
    return j;
}

cJSON *snc_latency_to_json(const snc_latency *t)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "format", LATENCY_FORMAT);
    cJSON_AddStringToObject(j, "host", t->host);
    cJSON_AddStringToObject(j, "unit", "microseconds");
    cJSON_AddItemToObject(j, "hidden", cJSON_CreateIntArray(t->hidden.v, t->hidden.n));
    cJSON_AddItemToObject(j, "heads", cJSON_CreateIntArray(t->heads.v, t->heads.n));
    cJSON_AddItemToObject(j, "ffn", cJSON_CreateIntArray(t->ffn.v, t->ffn.n));
    cJSON_AddItemToObject(j, "linear", dtype_list(t->linear, t->n_linear));
    cJSON_AddItemToObject(j, "embed", dtype_list(t->embed, t->n_embed));
    cJSON_AddNumberToObject(j, "fixed", t->fixed);
    cJSON_AddNumberToObject(j, "factor", t->factor);
    cJSON_AddNumberToObject(j, "head_width", t->head_width);
    cJSON_AddNumberToObject(j, "hot_mb", t->hot_mb);
    cJSON_AddNumberToObject(j, "hot_us", t->hot_us);
    for (int p = 0; p < SNC_PARTS; p++) cJSON_AddItemToObject(j, part_name[p], cell_list(t->part[p], snc_latency__cells(t, p)));
    cJSON_AddItemToObject(j, "embedding", cell_list(t->embedding, (size_t)t->n_embed * (size_t)t->hidden.n));
    cJSON_AddItemToObject(j, "head", cell_list(t->head, (size_t)t->n_linear * (size_t)t->hidden.n));
    return j;
}

snc_err snc_latency_save(const snc_latency *t, const char *path)
{
    cJSON *j = snc_latency_to_json(t);
    snc_err err = snc_json_save(j, path);
    cJSON_Delete(j);
    return err;
}

static snc_err read_axis(snc_latency__axis *a, const cJSON *j, const char *key, const char *where)
{
    SNC_TRY(snc_json_ints(a->v, &a->n, SNC_MAX_OPTIONS, j, key, 1, 1000000, where));
    SNC_CHECK(a->n > 0, SNC_E_FORMAT, "%s: missing key '%s'", where, key);
    for (int i = 1; i < a->n; i++) SNC_CHECK(a->v[i] > a->v[i - 1], SNC_E_FORMAT, "%s: '%s' must hold ascending widths", where, key);
    return SNC_OK;
}

static snc_err read_dtypes(snc_dtype out[LATENCY_DTYPES], int *n, const cJSON *j, const char *key, const char *where)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(j, key), *v;
    int count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    SNC_CHECK(count >= 1 && count <= LATENCY_DTYPES, SNC_E_FORMAT, "%s: '%s' must be a list of 1 to %d dtypes", where, key, LATENCY_DTYPES);
    cJSON_ArrayForEach(v, list)
    {
        SNC_CHECK(cJSON_IsString(v), SNC_E_FORMAT, "%s: '%s' must hold strings", where, key);
        SNC_TRY(snc_dtype_parse(&out[(*n)++], v->valuestring));
    }
    return SNC_OK;
}

static snc_err read_cells(double *out, size_t n, const cJSON *j, const char *key, const char *where)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(j, key), *v;
    SNC_CHECK(cJSON_IsArray(list) && (size_t)cJSON_GetArraySize(list) == n, SNC_E_FORMAT, "%s: '%s' must be a list of %zu times", where,
              key, n);
    cJSON_ArrayForEach(v, list)
    {
        SNC_CHECK(cJSON_IsNumber(v) && v->valuedouble >= 0 && v->valuedouble <= 1e12, SNC_E_FORMAT,
                  "%s: '%s' holds something that is no time", where, key);
        *out++ = v->valuedouble;
    }
    return SNC_OK;
}

static snc_err read_table(snc_latency *t, const cJSON *j, const char *where)
{
    static const char *const keys[] = {"format",    "host",  "unit",   "hidden",     "heads",     "ffn",    "linear",
                                       "embed",     "fixed", "factor", "head_width", "hot_mb",    "hot_us", "qkv",
                                       "attention", "o",     "ffn_in", "ffn_out",    "embedding", "head",   NULL};
    const char *host;
    int format;
    SNC_TRY(snc_json_check_keys(j, keys, where));
    SNC_TRY(snc_json_int(&format, j, "format", 0, 0, 1000000, where));
    SNC_CHECK(format == LATENCY_FORMAT, SNC_E_UNSUPPORTED, "%s: latency table of format %d, expected %d", where, format, LATENCY_FORMAT);
    SNC_TRY(snc_json_str(&host, j, "host", "", where));
    snprintf(t->host, sizeof t->host, "%s", host);
    SNC_TRY(read_axis(&t->hidden, j, "hidden", where));
    SNC_TRY(read_axis(&t->heads, j, "heads", where));
    SNC_TRY(read_axis(&t->ffn, j, "ffn", where));
    SNC_TRY(read_dtypes(t->linear, &t->n_linear, j, "linear", where));
    SNC_TRY(read_dtypes(t->embed, &t->n_embed, j, "embed", where));
    SNC_TRY(snc_json_double(&t->fixed, j, "fixed", 0, -1e9, 1e9, where));
    SNC_TRY(snc_json_double(&t->factor, j, "factor", 1, 0.01, 100, where));
    SNC_TRY(snc_json_int(&t->head_width, j, "head_width", 1, 1, 65536, where));
    SNC_TRY(snc_json_double(&t->hot_mb, j, "hot_mb", 0, 0, 1e6, where));
    SNC_TRY(snc_json_double(&t->hot_us, j, "hot_us", 0, 0, 1e6, where));
    SNC_TRY(snc_latency__alloc(t));
    for (int p = 0; p < SNC_PARTS; p++) SNC_TRY(read_cells(t->part[p], snc_latency__cells(t, p), j, part_name[p], where));
    SNC_TRY(read_cells(t->embedding, (size_t)t->n_embed * (size_t)t->hidden.n, j, "embedding", where));
    return read_cells(t->head, (size_t)t->n_linear * (size_t)t->hidden.n, j, "head", where);
}

snc_err snc_latency_from_json(snc_latency **out, const cJSON *j, const char *where)
{
    snc_latency *t = NULL;
    SNC_TRY(snc_alloc(&t, 1, sizeof *t));
    snc_err err = read_table(t, j, where);
    if (err) snc_latency_free(t);
    else *out = t;
    return err;
}

snc_err snc_latency_load(snc_latency **out, const char *path)
{
    cJSON *j = NULL;
    SNC_TRY(snc_json_load(&j, path));
    snc_err err = snc_latency_from_json(out, j, path);
    cJSON_Delete(j);
    return err;
}
