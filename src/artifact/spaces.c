/* Options make a space; a supernet's recipe says whether it was trained for it. */
#include "artifact/spaces.h"

#include <string.h>

#include "artifact/inputs.h"

bool snc_space_int4_open(const snc_options *o) { return !o->search.space && !o->targets.size && o->targets.latency; }

bool snc_space_int4_asked(const snc_options *o) { return o->targets.size || snc_space_int4_open(o); }

static snc_err make(snc_space **out, const snc_options *o, const snc_model *m, const char *rule, bool int4, bool hf)
{
    snc_space_opts so = {.path = o->search.space, .depth_rule = rule, .hf = hf, .int4 = int4, .int4_tables = o->targets.size != NULL};
    so.fp = snc_inputs_fp(&o->job);
    return snc_space_new(out, &m->cfg, &m->arch, &so);
}

snc_err snc_space_asked(snc_space **out, const snc_options *o, const snc_model *m, const char *rule)
{
    return make(out, o, m, rule, snc_space_int4_asked(o), o->search.hf_compatible);
}

const char *snc_depth_rule_asked(const snc_options *o, const char *otherwise)
{
    return strcmp(o->supernet.depth_rule, "auto") != 0 ? o->supernet.depth_rule : otherwise;
}

snc_err snc_space_trained(snc_space **out, const snc_options *o, const snc_model *m, const char *path, bool int4)
{
    const cJSON *recipe = cJSON_GetObjectItemCaseSensitive(m->meta, "recipe"), *trained = cJSON_GetObjectItemCaseSensitive(recipe, "space");
    const char *rule = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(trained, "rule"));
    const bool hf = o->search.hf_compatible || snc_json_at(trained, "folder"); /* what it was trained for is searched */
    SNC_TRY(make(out, o, m, snc_depth_rule_asked(o, rule ? rule : "even"), int4, hf));
    snc_err err = trained ? snc_space_check_trained(*out, trained, path) : SNC_OK; /* a model that is no supernet may be searched as well */
    if (err) snc_space_free(*out);
    if (err) *out = NULL;
    return err;
}
