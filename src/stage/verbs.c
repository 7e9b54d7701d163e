#include "stage/verbs.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/place.h"
#include "base/proc.h"
#include "stage/common.h"
#include "stage/option.h"

const snc_options snc_options_defaults = {
    .size = sizeof(snc_options), .max_drop = -1, .percentile = 50, .seed = 42, .epochs = 3, .lr = 5e-5, .weight_decay = 0.01, .warmup = 0.06,
    .batch_size = 32, .hold_out = 1, .supernet_epochs = 1, .supernet_lr = 5e-5, .augment = 3, .alpha = 0.3,
    .temperature = 1, .evals = 400, .repair_epochs = 1,
};

/* ---- structs of any age ---------------------------------------------------------------------------------------------- */

/* The first `size` bytes of the defaults, zeros after what is known here. */
void snc_options_init_sized(snc_options *o, size_t size)
{
    if (!o || size < sizeof o->size) return;
    memset(o, 0, size);
    memcpy(o, &snc_options_defaults, size < sizeof(snc_options) ? size : sizeof(snc_options));
    o->size = size;
}

void snc_host_init_sized(snc_host *h, size_t size)
{
    if (!h || size < sizeof h->size) return;
    memset(h, 0, size);
    h->size = size;
}

/* Fields are only ever added at the end, so an older struct is a beginning of ours. `least` is what the first version had. */
static snc_err check_size(const char *what, size_t size, size_t least, size_t most, size_t step)
{
    SNC_CHECK(size >= least && size % step == 0, SNC_E_ARG, "%s.size %zu: expected %zu (%s_init sets it)", what, size, most, what);
    SNC_CHECK(size <= most, SNC_E_UNSUPPORTED, "%s.size %zu: of a newer snc.h than this library's " SNC_VERSION " (%zu)", what, size, most);
    return SNC_OK;
}

/* ---- arguments ------------------------------------------------------------------------------------------------------- */

/* What the program's parser refuses is refused here for those who fill the struct; a default may lie outside: "not given". */
static snc_err check_options(const snc_options *o)
{
    int n;
    const snc_option *table = snc_option_table(&n);
    for (int i = 0; i < n; i++) {
        const snc_option *op = &table[i];
        if (op->kind == SNC_OPTION_STRING) {
            SNC_CHECK(!snc_option_given(o, op) || *snc_option_text(o, op), SNC_E_ARG, "%s: empty value", op->name);
            continue;
        }
        double v = snc_option_number(o, op);
        SNC_CHECK(op->kind == SNC_OPTION_FLAG || (v >= op->min && v <= op->max) || !snc_option_given(o, op), SNC_E_ARG,
                  "%s %g: expected a number from %g to %g", op->name, v, op->min, op->max);
    }
    SNC_CHECK(o->n_models >= 0 && (o->n_models == 0 || o->models), SNC_E_ARG, "snc_options: %d models%s", o->n_models, o->models ? "" : ", which are NULL");
    for (int i = 0; i < o->n_models; i++) SNC_CHECK(o->models[i], SNC_E_ARG, "snc_options: model %d is NULL", i);
    return SNC_OK;
}

snc_err snc_call_take(snc_call *out, const snc_options *o, const snc_host *h)
{
    SNC_CHECK(o, SNC_E_ARG, "snc_options: NULL");
    SNC_CHECK(h, SNC_E_ARG, "snc_host: NULL");
    SNC_TRY(check_size("snc_options", o->size, offsetof(snc_options, overwrite), sizeof *o, alignof(snc_options)));
    SNC_TRY(check_size("snc_host", h->size, offsetof(snc_host, status), sizeof *h, alignof(snc_host)));
    out->o = snc_options_defaults;
    memcpy(&out->o, o, o->size);
    out->o.size = sizeof out->o;
    out->h = (snc_host){0};
    memcpy(&out->h, h, h->size);
    return check_options(&out->o);
}

static snc_err check_program(const char *program)
{
    static const char answer[] = "compress " SNC_VERSION "\n";
    const char *argv[] = {program, "--version", NULL};
    snc_ctx ctx = SNC_CTX_INIT;
    char *text = NULL;
    SNC_TRY(snc_proc_run(&text, &ctx, argv));
    bool ours = strcmp(text, answer) == 0;
    snc_free(text);
    SNC_CHECK(ours, SNC_E_ARG, "%s: not the program compress " SNC_VERSION ", which measures in fresh processes", program);
    return SNC_OK;
}

snc_err snc_call_find_program(snc_call *c)
{
    static _Thread_local char beside[4096]; /* lives as long as the call */
    if (!c->h.program) {
        bool found = snc_place_find(beside, sizeof beside, "compress") || snc_place_find(beside, sizeof beside, "bin/compress");
        SNC_CHECK(found && !snc_is_same_file(beside, SNC_PROC_SELF), SNC_E_NOTFOUND,
                  "compress: no program to measure with in fresh processes: snc_host.program names it, or it stands beside the library");
        c->h.program = beside;
    }
    return check_program(c->h.program);
}

/* ---- the public functions -------------------------------------------------------------------------------------------- */

#define VERB(name)                                                                                                     \
    snc_err snc_stage_##name(const snc_options *o, const snc_host *h)                                                  \
    {                                                                                                                  \
        snc_call c;                                                                                                    \
        SNC_TRY(snc_call_take(&c, o, h));                                                                              \
        return snc_verb_##name(&c.o, &c.h);                                                                            \
    }
VERB(import)
VERB(finetune)
VERB(supernet)
VERB(profile)
VERB(study)
VERB(export)
VERB(bench)
VERB(predict)
VERB(eval)
VERB(info)
VERB(tokenize)
VERB(verify)

snc_err snc_stage_compress(const snc_options *o, const snc_host *h, int *missed)
{
    snc_call c;
    SNC_CHECK(missed, SNC_E_ARG, "snc_stage_compress: missed is NULL");
    SNC_TRY(snc_call_take(&c, o, h));
    SNC_TRY(snc_call_find_program(&c));
    return snc_verb_compress(&c.o, &c.h, missed);
}

snc_err snc_stage_search(const snc_options *o, const snc_host *h, int *missed)
{
    snc_call c;
    SNC_CHECK(missed, SNC_E_ARG, "snc_stage_search: missed is NULL");
    SNC_TRY(snc_call_take(&c, o, h));
    return snc_verb_search(&c.o, &c.h, missed);
}
