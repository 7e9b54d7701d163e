/* The config is sent as it lies in memory, the family by its name; then the parameter block. */
#include "models/model_ranks.h"

#include <stdio.h>
#include <string.h>

#include "models/source_mos.h"

snc_model_form snc_model_form_of(const snc_model *m)
{
    snc_model_form f = {.there = true, .has_head = m->has_head, .cfg = m->cfg, .arch = m->arch};
    if (f.cfg.family) snprintf(f.family, sizeof f.family, "%s", f.cfg.family->type);
    return f;
}

snc_err snc_model_of_form(snc_model **out, const snc_ctx *ctx, const snc_model_form *f)
{
    snc_encoder_config cfg = f->cfg;
    cfg.family = f->family[0] ? snc_family_find(f->family) : NULL;
    SNC_CHECK(cfg.family || !f->family[0], SNC_E_UNSUPPORTED, "a model of family '%s', which this rank has not got", f->family);
    SNC_TRY(snc_model_new(out, &cfg, &f->arch));
    (*out)->has_head = f->has_head;
    snc_err err = snc_mos_attach(*out, ctx);
    if (err) {
        snc_model_free(*out);
        *out = NULL;
    }
    return err;
}

snc_err snc_model_share(snc_model **m, const snc_ctx *ctx, snc_comm *c)
{
    snc_model_form f = {.there = false};
    const bool mine = snc_comm_rank(c) == 0;
    if (snc_comm_size(c) == 1) return SNC_OK;
    if (mine && *m) f = snc_model_form_of(*m);
    if (!mine) *m = NULL;
    SNC_TRY(snc_comm_share(c, &f, sizeof f, false));
    if (!f.there) return SNC_OK;
    snc_err err = mine ? SNC_OK : snc_model_of_form(m, ctx, &f);
    err = snc_comm_agree(c, err);
    if (!err) err = snc_comm_share(c, (*m)->params.w, (*m)->params.total * sizeof(float), false);
    if (!err) snc_model_changed(*m);
    if (err && !mine) {
        snc_model_free(*m);
        *m = NULL;
    }
    return err;
}
