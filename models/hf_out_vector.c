/* The modules behind an encoder that Sentence Transformers makes a vector with: the way back of hf_vector.c. */
#include <stdio.h>

#include "base/mem.h"
#include "models/hf_out.h"

static void add_module(cJSON *list, const char *path, const char *type)
{
    cJSON *one = cJSON_CreateObject();
    char name[16];
    snprintf(name, sizeof name, "%d", cJSON_GetArraySize(list));
    cJSON_AddNumberToObject(one, "idx", cJSON_GetArraySize(list));
    cJSON_AddStringToObject(one, "name", name);
    cJSON_AddStringToObject(one, "path", path);
    cJSON_AddStringToObject(one, "type", type);
    cJSON_AddItemToArray(list, one);
}

cJSON *snc_hf_modules_json(void)
{
    cJSON *list = cJSON_CreateArray();
    add_module(list, "", "sentence_transformers.models.Transformer");
    add_module(list, SNC_HF_POOLING, "sentence_transformers.models.Pooling");
    add_module(list, SNC_HF_DENSE, "sentence_transformers.models.Dense");
    add_module(list, "3_Normalize", "sentence_transformers.models.Normalize");
    return list;
}

cJSON *snc_hf_pooling_json(const snc_sncfile *net)
{
    static const char *const others[] = {"pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens", "pooling_mode_weightedmean_tokens",
                                         "pooling_mode_lasttoken"};
    const bool mean = snc_sncfile_config(net)->mean;
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "word_embedding_dimension", snc_sncfile_arch(net)->hidden);
    cJSON_AddBoolToObject(j, "pooling_mode_cls_token", !mean);
    cJSON_AddBoolToObject(j, "pooling_mode_mean_tokens", mean);
    for (int i = 0; i < 4; i++) cJSON_AddFalseToObject(j, others[i]);
    return j;
}

cJSON *snc_hf_dense_json(const snc_sncfile *net)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddNumberToObject(j, "in_features", snc_sncfile_arch(net)->hidden);
    cJSON_AddNumberToObject(j, "out_features", snc_sncfile_config(net)->classes);
    cJSON_AddTrueToObject(j, "bias");
    cJSON_AddStringToObject(j, "activation_function", "torch.nn.modules.linear.Identity");
    return j;
}

snc_err snc_hf_dense_save(const char *path, const snc_sncfile *net)
{
    const int64_t K = snc_sncfile_config(net)->classes, C = snc_sncfile_arch(net)->hidden;
    snc_tensor t[] = {{.name = "linear.weight", .dtype = SNC_F32, .rank = 2, .shape = {K, C}, .bytes = (size_t)(K * C) * sizeof(float)},
                      {.name = "linear.bias", .dtype = SNC_F32, .rank = 1, .shape = {K}, .bytes = (size_t)K * sizeof(float)}};
    float *w = NULL;
    SNC_TRY(snc_alloc(&w, (size_t)(K * C + K), sizeof *w));
    t[0].data = w;
    t[1].data = w + K * C;
    snc_err err = snc_sncfile_param_read(w, net, snc_spec_rows[SNC_ROLE_CLASSIFIER].name);
    if (!err) err = snc_sncfile_param_read(w + K * C, net, snc_spec_rows[SNC_ROLE_CLASSIFIER_BIAS].name);
    cJSON *metadata = cJSON_Parse("{\"format\":\"pt\"}");
    if (!err) err = snc_st_save(path, metadata, t, 2);
    cJSON_Delete(metadata);
    snc_free(w);
    return err;
}
