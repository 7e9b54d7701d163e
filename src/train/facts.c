/* A key of the options is a fact of its own, so that a refusal can name it; what has no number is a hash. */
#include "train/facts.h"

#include <assert.h>
#include <string.h>

#include "base/fmap.h"

/* Takes j. */
static uint64_t hash_json(cJSON *j)
{
    uint64_t h = 0;
    char *text = cJSON_PrintUnformatted(j);
    if (text) h = snc_bytes_hash(0, text, strlen(text));
    cJSON_free(text);
    cJSON_Delete(j);
    return h;
}

static uint64_t hash_params(const snc_model *m)
{
    if (!m) return 0;
    return snc_bytes_hash(hash_json(snc_encoder_config_to_json(&m->cfg)), m->params.w, m->params.total * sizeof(float));
}

/* "batch size" of batch_size */
static snc_fact fact_of(const cJSON *it)
{
    char name[SNC_FACT_NAME] = "";
    for (size_t i = 0; i + 1 < sizeof name && it->string[i]; i++) name[i] = it->string[i] == '_' ? ' ' : it->string[i];
    if (cJSON_IsNumber(it) || cJSON_IsBool(it)) return snc_fact_number(name, cJSON_IsNumber(it) ? it->valuedouble : cJSON_IsTrue(it));
    return snc_fact_hash(name, hash_json(cJSON_Duplicate(it, 1)));
}

int snc_train_facts(snc_fact *facts, const snc_ctx *ctx, const snc_model *m, const snc_model *teacher, const snc_dataset *d,
                    const snc_space *space, const snc_train_opts *o)
{
    const struct {
        const char *name;
        uint64_t v;
    } hashes[] = {{"seed", ctx->seed},
                  {"backend", ctx->backend},
                  {"compute type", o->compute},
                  {"fake quantization", o->fake_quant ? hash_json(snc_policy_to_json(o->fake_quant, m->arch.layers)) : 0},
                  {"subnet space", space ? hash_json(snc_space_trained_to_json(space)) : 0},
                  {"model", hash_params(m)},
                  {"teacher", hash_params(teacher)},
                  {"rows", (uint64_t)d->n},
                  {"training data", snc_dataset_hash(d)}};
    cJSON *j = snc_train_opts_to_json(o);
    const cJSON *it;
    int n = 0;
    assert(cJSON_GetArraySize(j) + (int)(sizeof hashes / sizeof *hashes) <= SNC_TRAIN_FACTS);
    cJSON_ArrayForEach(it, j) facts[n++] = fact_of(it);
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) facts[n++] = snc_fact_hash(hashes[i].name, hashes[i].v);
    cJSON_Delete(j);
    return n;
}
