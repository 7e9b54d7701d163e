#include "train/subspace.h"

#include <assert.h>
#include <string.h>

#include "models/elastic.h"

static int smallest_width(const int *v, int n)
{
    int low = v[0];
    for (int i = 1; i < n; i++)
        if (v[i] < low) low = v[i];
    return low;
}

/* Parts of `full` from `first` to `of` eighths (or quarters ...), rounded down to `step` units, without repeats. */
static int fill_options(int *out, int full, int first, int of, int step)
{
    int n = 0;
    for (int i = first; i < of; i++) {
        int x = full * i / of / step * step;
        if (x > 0 && x < full && (n == 0 || x > out[n - 1])) out[n++] = x;
    }
    out[n++] = full;
    return n;
}

snc_subspace snc_subspace_default(const snc_arch *parent)
{
    int L = parent->layers, ffn = smallest_width(parent->ffn, L);
    snc_subspace s = {.rule = "even", .per_layer = true};
    for (int k = (L + 1) / 2; k <= L && s.n_depth < SNC_SUBSPACE_OPTIONS; k++) {
        snc_err err = snc_elastic_keep(s.kept[s.n_depth], s.rule, k, L);
        assert(err == SNC_OK); /* of a rule and a depth that there are */
        (void)err;
        s.depth[s.n_depth++] = k;
    }
    s.n_hidden = fill_options(s.hidden, parent->hidden, 4, 8, 16);
    s.n_heads = fill_options(s.heads, smallest_width(parent->heads, L), 1, 4, 1);
    s.n_ffn = fill_options(s.ffn, ffn, 1, 4, ffn >= 64 ? 16 : 1);
    return s;
}

static snc_err check_list(const char *name, const int *v, int n, int limit)
{
    SNC_CHECK(n >= 1 && n <= SNC_SUBSPACE_OPTIONS, SNC_E_ARG, "%s: %d options, expected 1 to %d", name, n, SNC_SUBSPACE_OPTIONS);
    for (int i = 0; i < n; i++) {
        SNC_CHECK(v[i] >= 1 && v[i] <= limit, SNC_E_ARG, "%s option %d: expected 1 to %d", name, v[i], limit);
        SNC_CHECK(i == 0 || v[i] > v[i - 1], SNC_E_ARG, "%s option %d after %d: options must ascend", name, v[i], v[i - 1]);
    }
    return SNC_OK;
}

snc_err snc_subspace_check(const snc_subspace *s, const snc_arch *parent)
{
    int L = parent->layers;
    SNC_TRY(check_list("layers", s->depth, s->n_depth, L));
    for (int d = 0; d < s->n_depth; d++)
        for (int i = 0, last = -1; i < s->depth[d]; last = s->kept[d][i++])
            SNC_CHECK(s->kept[d][i] > last && s->kept[d][i] < L, SNC_E_ARG, "layers of depth %d: %d after %d: expected ascending, 0 to %d", s->depth[d],
                      s->kept[d][i], last, L - 1);
    SNC_TRY(check_list("hidden", s->hidden, s->n_hidden, parent->hidden));
    SNC_TRY(check_list("heads", s->heads, s->n_heads, smallest_width(parent->heads, L)));
    return check_list("ffn", s->ffn, s->n_ffn, smallest_width(parent->ffn, L));
}

/* Depth and hidden width. */
static void start(snc_arch *out, const snc_subspace *s, int depth, int hidden)
{
    *out = (snc_arch){.layers = s->depth[depth], .hidden = s->hidden[hidden]};
    memcpy(out->source, s->kept[depth], (size_t)out->layers * sizeof out->source[0]);
}

void snc_subspace_pick(snc_arch *out, const snc_subspace *s, snc_subspace_size size)
{
    bool large = size == SNC_SUBSPACE_LARGEST;
    start(out, s, large ? s->n_depth - 1 : 0, large ? s->n_hidden - 1 : 0);
    for (int i = 0; i < out->layers; i++) {
        out->heads[i] = s->heads[large ? s->n_heads - 1 : 0];
        out->ffn[i] = s->ffn[large ? s->n_ffn - 1 : 0];
    }
}

static int draw(snc_rng *rng, int n) { return (int)snc_rng_below(rng, (uint32_t)n); }

void snc_subspace_random(snc_arch *out, const snc_subspace *s, snc_rng *rng)
{
    int depth = draw(rng, s->n_depth), hidden = draw(rng, s->n_hidden);
    start(out, s, depth, hidden);
    for (int i = 0; i < out->layers; i++) {
        bool fresh = i == 0 || s->per_layer;
        out->heads[i] = fresh ? s->heads[draw(rng, s->n_heads)] : out->heads[0];
        out->ffn[i] = fresh ? s->ffn[draw(rng, s->n_ffn)] : out->ffn[0];
    }
}

cJSON *snc_subspace_to_json(const snc_subspace *s)
{
    cJSON *j = cJSON_CreateObject(), *layers;
    cJSON_AddStringToObject(j, "rule", s->rule);
    layers = cJSON_AddArrayToObject(j, "depth_layers");
    for (int d = 0; d < s->n_depth; d++) cJSON_AddItemToArray(layers, cJSON_CreateIntArray(s->kept[d], s->depth[d]));
    cJSON_AddItemToObject(j, "hidden", cJSON_CreateIntArray(s->hidden, s->n_hidden));
    cJSON_AddItemToObject(j, "heads", cJSON_CreateIntArray(s->heads, s->n_heads));
    cJSON_AddItemToObject(j, "ffn", cJSON_CreateIntArray(s->ffn, s->n_ffn));
    cJSON_AddBoolToObject(j, "per_layer", s->per_layer);
    return j;
}
