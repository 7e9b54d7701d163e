/* compress info: what is inside a model file. */
#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/load.h"
#include "artifact/option.h"
#include "artifact/say.h"
#include "base/fmap.h"
#include "base/minmax.h"
#include "models/bundle.h"
#include "models/cost.h"
#include "models/mixture.h"
#include "report/speeds_table.h"
#include "stage/verbs.h"

/* Of tensors that are net k's alone. */
static size_t own_bytes(const snc_sncfile *f, int k)
{
    const snc_st *st = snc_sncfile_tensors(f);
    size_t sum = 0;
    for (int i = 0; i < snc_st_count(st); i++)
        if (snc_sncfile_tensor_net(snc_st_tensors_view(st)[i].name) == k) sum += snc_st_tensors_view(st)[i].bytes;
    return sum;
}

/* Bytes by part, summed over the tensors as they lie in the file. */
static cJSON *bytes_json(const snc_loaded *l, const char *path)
{
    cJSON *j = cJSON_CreateObject();
    double part[6] = {0};
    static const char *const names[] = {"embeddings", "linears", "scales_and_vectors", "tokenizer", "header", "other_nets"};
    const snc_st *st = snc_sncfile_tensors(l->file);
    double total = 0;
    for (int i = 0; i < snc_st_count(st); i++) {
        const snc_tensor *t = &snc_st_tensors_view(st)[i];
        size_t n = strlen(t->name);
        total += (double)t->bytes;
        if (snc_sncfile_tensor_net(t->name)) continue;
        int k = strncmp(t->name, "tokenizer.", 10) == 0                                                               ? 3
                : strncmp(t->name, "embeddings.", 11) == 0 && !strstr(t->name, ".norm.") && !strstr(t->name, ".bias") ? 0
                : t->rank == 2 && n > 7 && strcmp(t->name + n - 7, ".weight") == 0                                    ? 1
                                                                                                                      : 2;
        part[k] += (double)t->bytes;
    }
    for (int k = 1; k < snc_loaded_nets(l); k++) part[5] += (double)own_bytes(l->file, k);
    part[4] = snc_file_size(path) - total;
    for (int i = 0; i < 5 + (part[5] > 0); i++) cJSON_AddNumberToObject(j, names[i], part[i]);
    cJSON_AddNumberToObject(j, "total", total + part[4]);
    return j;
}

/* A net beside the first: what it computes with, and what of the file is its own. */
static cJSON *net_json(const snc_loaded *l, int k)
{
    const snc_sncfile *f = snc_sncfile_net_view(l->file, k);
    const snc_encoder_config *c = snc_sncfile_config(f);
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "net", k);
    cJSON_AddItemToObject(j, "arch", snc_arch_to_json(snc_sncfile_arch(f)));
    cJSON_AddItemToObject(j, "policy", snc_policy_to_json(snc_sncfile_policy(f), snc_sncfile_arch(f)->layers));
    cJSON_AddNumberToObject(j, "parameters", (double)snc_cost_params(c, snc_sncfile_arch(f)));
    cJSON_AddNumberToObject(j, "macs_128", (double)snc_cost_macs(c, snc_sncfile_arch(f), snc_min(c->positions, 128)));
    cJSON_AddNumberToObject(j, "own_bytes", (double)own_bytes(l->file, k));
    cJSON_AddItemToObject(j, "meta", cJSON_Duplicate(snc_sncfile_meta_view(f), 1));
    return j;
}

/* The layer that net k goes on with behind net `before`; 0: it starts anew, or no cascade asks it. Without a cascade all nets are asked. */
static int goes_on_with(int *before, const snc_loaded *l, int k)
{
    const snc_cascade *c = l->file ? snc_sncfile_cascade(l->file) : NULL;
    *before = k + 1 < snc_loaded_nets(l) ? k + 1 : -1;
    if (c) *before = snc_cascade_asks(c, k) ? snc_cascade_before(c, k) : -1;
    return *before >= 0 ? snc_bundle_handover(snc_sncfile_net_view(l->file, *before), snc_sncfile_net_view(l->file, k)) : 0;
}

static void say_early_exits(const snc_host *h, const snc_loaded *l)
{
    for (int k = 0, before, with; k < snc_loaded_nets(l); k++)
        if ((with = goes_on_with(&before, l, k)) > 0)
            snc_say(h, "cascade: net %d goes on with its layer %d behind net %d", k, with, before);
}

static void add_early_exits(cJSON *j, const snc_loaded *l)
{
    cJSON *list = snc_loaded_nets(l) > 1 ? cJSON_AddArrayToObject(j, "early_exits") : NULL, *it;
    for (int k = 0, before, with; k < snc_loaded_nets(l); k++) {
        if ((with = goes_on_with(&before, l, k)) == 0) continue;
        cJSON_AddItemToArray(list, it = cJSON_CreateObject());
        cJSON_AddNumberToObject(it, "net", k);
        cJSON_AddNumberToObject(it, "behind", before);
        cJSON_AddNumberToObject(it, "layer", with);
    }
}

static cJSON *describe(const snc_loaded *l, const char *path)
{
    const snc_encoder_config *c = snc_weights_config(l->weights);
    const snc_arch *a = snc_weights_arch(l->weights);
    cJSON *j = cJSON_CreateObject(), *labels;
    cJSON_AddStringToObject(j, "path", path);
    cJSON_AddItemToObject(j, "config", snc_encoder_config_to_json(c));
    cJSON_AddItemToObject(j, "arch", snc_arch_to_json(a));
    cJSON_AddItemToObject(j, "policy", snc_policy_to_json(snc_weights_policy(l->weights), a->layers));
    cJSON_AddNumberToObject(j, "parameters", (double)snc_cost_params(c, a));
    cJSON_AddNumberToObject(j, "macs_128", (double)snc_cost_macs(c, a, c->positions < 128 ? c->positions : 128));
    if (l->file) cJSON_AddItemToObject(j, "bytes", bytes_json(l, path));
    labels = cJSON_AddArrayToObject(j, "labels");
    for (int k = 0; l->labels && k < l->classes; k++) cJSON_AddItemToArray(labels, cJSON_CreateString(l->labels[k]));
    if (l->problem == SNC_MEANS_MULTILABEL) cJSON_AddNumberToObject(j, "threshold", l->threshold);
    cJSON_AddBoolToObject(j, "classifier", l->has_head);
    cJSON_AddBoolToObject(j, "tokenizer", l->tok != NULL);
    cJSON_AddNumberToObject(j, "max_length", l->max_length);
    if (l->file) cJSON_AddStringToObject(j, "written_by", snc_sncfile_version_view(l->file));
    if (l->file) cJSON_AddStringToObject(j, "digest", snc_sncfile_digest_view(l->file));
    cJSON_AddItemToObject(j, "meta", cJSON_Duplicate(l->meta, 1));
    for (int k = 1; k < snc_loaded_nets(l); k++) {
        if (k == 1) cJSON_AddArrayToObject(j, "other_nets");
        cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(j, "other_nets"), net_json(l, k));
    }
    if (l->file && snc_sncfile_cascade(l->file)) cJSON_AddItemToObject(j, "cascade", cJSON_Duplicate(snc_sncfile_cascade_view(l->file), 1));
    add_early_exits(j, l);
    if (l->file && snc_sncfile_speeds(l->file)) cJSON_AddItemToObject(j, "speeds", cJSON_Duplicate(snc_sncfile_speeds_view(l->file), 1));
    return j;
}

/* A column for each matrix of a layer. */
static const char *join(char *out, size_t size, const char *const cell[SNC_SITES])
{
    size_t n = (size_t)snprintf(out, size, " ");
    for (int s = 0; s < SNC_SITES && n < size; s++) n += (size_t)snprintf(out + n, size - n, s < SNC_SITES - 1 ? " %-6s" : " %s", cell[s]);
    return out;
}

static void say_layers(const snc_host *h, const snc_loaded *l)
{
    const snc_arch *a = snc_weights_arch(l->weights);
    const snc_policy *p = snc_weights_policy(l->weights);
    const char *cell[SNC_SITES];
    char cells[128];
    for (int s = 0; s < SNC_SITES; s++) cell[s] = snc_spec_key(s);
    snc_say(h, "layer  source  heads    ffn%s", join(cells, sizeof cells, cell));
    for (int i = 0; i < a->layers; i++) {
        for (int s = 0; s < SNC_SITES; s++) cell[s] = snc_arch_has(a, i, s) ? snc_dtype_get((snc_dtype)p->linear[i][s])->name : "-";
        snc_say(h, "%5d  %6d  %5d  %5d%s", i, a->source[i], a->heads[i], a->ffn[i], join(cells, sizeof cells, cell));
    }
}

static void say_cascade(const snc_host *h, const snc_loaded *l)
{
    const snc_cascade *c = l->file ? snc_sncfile_cascade(l->file) : NULL;
    for (int k = c ? c->nets - 1 : 0; k > 0; k--)
        if (snc_cascade_asks(c, k))
            snc_say(h, "cascade: net %d answers from %s %.4f on, at a temperature of %.3f", k, snc_cascade_rule_name((int)c->rule),
                    c->threshold[k], c->temperature[k]);
        else snc_say(h, "cascade: net %d takes no part", k);
}

static void say_text(const snc_host *h, const snc_loaded *l, const char *path)
{
    const snc_encoder_config *c = snc_weights_config(l->weights);
    const snc_arch *a = snc_weights_arch(l->weights);
    const snc_policy *p = snc_weights_policy(l->weights);
    const char *embed = snc_dtype_get((snc_dtype)p->embed)->name;
    char factor[32] = "";
    if (c->embedding) snprintf(factor, sizeof factor, " from tables of %d", c->embedding);
    snc_say(h, "%s: %s of %d layers, hidden %d%s, head width %d, vocabulary %d, positions %d", path, snc_family_of(c)->type, a->layers,
            a->hidden, factor, c->head_width, c->vocab, c->positions);
    say_layers(h, l);
    snc_say(h, "embeddings %s, pooler %s, classifier %s%s", embed, snc_dtype_get((snc_dtype)p->pooler)->name,
            snc_dtype_get((snc_dtype)p->classifier)->name, l->has_head ? "" : " (seeded, not trained)");
    snc_say(h, "parameters %.2f M, multiply-adds at 128 tokens %.1f M", (double)snc_cost_params(c, a) / 1e6,
            (double)snc_cost_macs(c, a, c->positions < 128 ? c->positions : 128) / 1e6);
    if (l->file) {
        cJSON *b = bytes_json(l, path), *it;
        cJSON_ArrayForEach(it, b) snc_say(h, "bytes %-18s %10.0f", it->string, it->valuedouble);
        cJSON_Delete(b);
    }
    if (snc_mixture_any(c))
        snc_say(h, "a supernet of %d experts of %s%s, routed by %s", c->mixture.experts,
                c->mixture.attention ? "every matrix of a layer" : "the FFN's matrices", c->mixture.rank ? " (low rank)" : "",
                c->mixture.neuron ? "output row" : "layer");
    if (l->problem == SNC_MEANS_MULTILABEL) snc_say(h, "any number of labels a text, from a probability of %g on", l->threshold);
    if (l->problem == SNC_MEANS_SCORE) snc_say(h, "a score between 0 and 1 a text");
    if (l->problem == SNC_MEANS_TAGS) snc_say(h, "a tag for each word of a text");
    if (l->problem == SNC_MEANS_VECTOR)
        snc_say(h, "a vector of %d numbers a text, of %s", l->classes, c->mean ? "the mean of all tokens" : "the first token");
    for (int k = 0; l->labels && k < l->classes; k++) snc_say(h, "label %d %s", k, l->labels[k]);
    if (!l->tok) snc_say(h, "no tokenizer inside");
    for (int k = 1; k < snc_loaded_nets(l); k++) {
        const snc_sncfile *f = snc_sncfile_net_view(l->file, k);
        const snc_arch *n = snc_sncfile_arch(f);
        snc_say(h, "net %d: %d layers, hidden %d, multiply-adds at 128 tokens %.1f M, %zu bytes of its own", k, n->layers, n->hidden,
                (double)snc_cost_macs(snc_sncfile_config(f), n, snc_min(c->positions, 128)) / 1e6, own_bytes(l->file, k));
    }
    say_cascade(h, l);
    say_early_exits(h, l);
    if (l->file && snc_sncfile_speeds(l->file)) snc_speeds_say(snc_sncfile_speeds(l->file), h);
}

/* Of as many threads as they were measured with: how many will be asked for is not known. */
static void warn_speeds(const snc_ctx *ctx, const snc_loaded *l)
{
    char why[256];
    const snc_speeds *s = l->file ? snc_sncfile_speeds(l->file) : NULL;
    snc_ctx as = *ctx;
    if (!s) return;
    as.threads = s->threads;
    if (snc_speeds_differ(why, sizeof why, s, &as)) snc_log(ctx, SNC_LOG_WARN, "%s: %s: a budget may not be kept", l->path, why);
}

snc_err snc_verb_info(const snc_options *o, const snc_host *h)
{
    snc_ctx ctx;
    snc_loaded l;
    SNC_TRY(snc_option_need("info", "a model", o->input.n_models ? o->input.models[0] : NULL));
    SNC_TRY(snc_context_init(&ctx, o, h, NULL, 1));
    SNC_TRY(snc_loaded_look(&l, &ctx, o->input.models[0]));
    snc_err err = SNC_OK;
    warn_speeds(&ctx, &l);
    if (o->output.json) err = snc_say_json(h, describe(&l, o->input.models[0]), true, "info");
    else say_text(h, &l, o->input.models[0]);
    snc_loaded_close(&l);
    return err;
}
