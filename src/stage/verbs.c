/* Public functions take the caller's structs, of whatever age, look at what is in them, and call the verb. */
#include "stage/verbs.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "artifact/effort.h"
#include "artifact/option.h"
#include "artifact/recipes.h"
#include "base/comm.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "base/place.h"
#include "base/proc.h"

/* ---- structs of any age ---------------------------------------------------------------------------------------------- */

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

snc_err snc_call_take(snc_call *out, const snc_options *o, const snc_host *h)
{
    SNC_CHECK(o, SNC_E_ARG, "snc_options: NULL");
    SNC_CHECK(h, SNC_E_ARG, "snc_host: NULL");
    SNC_TRY(check_size("snc_options", o->size, offsetof(snc_options, study), sizeof *o, alignof(snc_options)));
    SNC_TRY(check_size("snc_host", h->size, offsetof(snc_host, status), sizeof *h, alignof(snc_host)));
    out->o = snc_options_defaults;
    memcpy(&out->o, o, o->size);
    out->o.size = sizeof out->o;
    out->named = (snc_named){0};
    out->watch = NULL;
    out->h = (snc_host){0};
    memcpy(&out->h, h, h->size);
    snc_option_fill(&out->o);
    return snc_options_check(&out->o);
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
    static _Thread_local char beside[4096];                                            /* lives as long as the call */
    static const char *const names[] = {"snc", "bin/snc", "compress", "bin/compress"}; /* another's compress may stand in /usr/bin */
    if (!c->h.program) {
        bool found = false;
        for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++) found = snc_place_find(beside, sizeof beside, names[i]);
        SNC_CHECK(found && !snc_is_same_file(beside, SNC_PROC_SELF), SNC_E_NOTFOUND,
                  "compress: no program to measure with in fresh processes: snc_host.program names it, or it stands beside the library");
        c->h.program = beside;
    }
    return check_program(c->h.program);
}

/* ---- the public functions -------------------------------------------------------------------------------------------- */

/* The page of a run is no part of what the run makes: nothing below knows of the option. */
static snc_err open_watch(snc_call *c, const char *verb)
{
    const char *port = c->o.job.watch;
    c->o.job.watch = NULL;
    snc_option_mark(&c->o, snc_option_row("--watch", SNC_VERB_ALL), false);
    return port ? snc_watch_open(&c->watch, &c->h, verb, port) : SNC_OK;
}

/* What stands around a verb: its page, and models that options name by the Hub's names, with `models` those of input.models too. */
static snc_err begin(snc_call *c, const char *verb, bool models)
{
    char line[64];
    SNC_TRY(open_watch(c, verb));
    snprintf(line, sizeof line, "what can be shared is shared by %d ranks", snc_comm_size(c->h.ranks));
    if (snc_comm_size(c->h.ranks) > 1 && c->h.log) c->h.log(c->h.user, SNC_LEVEL_INFO, line);
    return snc_named_fetch(&c->named, &c->o, &c->h, models);
}

static snc_err end(snc_call *c, snc_err err, int missed)
{
    snc_watch_close(c->watch, err, missed);
    snc_named_dispose(&c->named);
    return err;
}

/* trains: a recipe speaks to the verb; models: what it is given without an option's name are models of any kind. */
#define VERB(name, trains, models)                                    \
    snc_err snc_stage_##name(const snc_options *o, const snc_host *h) \
    {                                                                 \
        snc_call c;                                                   \
        SNC_TRY(snc_call_take(&c, o, h));                             \
        if (trains) SNC_TRY(snc_recipe_apply(&c.o));                  \
        snc_err err = begin(&c, #name, models);                       \
        if (!err) err = snc_verb_##name(&c.o, &c.h);                  \
        return end(&c, err, 0);                                       \
    }
VERB(import, true, false)
VERB(finetune, true, false)
VERB(supernet, true, false)
VERB(profile, false, false)
VERB(study, true, false)
VERB(export, false, true)
VERB(bench, false, true)
VERB(predict, false, true)
VERB(eval, false, true)
VERB(info, false, true)
VERB(tokenize, false, false)
VERB(verify, false, false)
VERB(serve, false, false)
VERB(plan, true, false)

snc_err snc_stage_compress(const snc_options *o, const snc_host *h, int *missed)
{
    snc_call c;
    SNC_CHECK(missed, SNC_E_ARG, "snc_stage_compress: missed is NULL");
    SNC_TRY(snc_call_take(&c, o, h));
    SNC_TRY(snc_recipe_apply(&c.o));
    snc_effort_apply(&c.o);
    SNC_TRY(snc_call_find_program(&c));
    *missed = 0;
    snc_err err = begin(&c, "compress", false);
    if (!err) err = snc_verb_compress(&c.o, &c.h, missed);
    return end(&c, err, *missed);
}

snc_err snc_stage_suite(const snc_options *o, const snc_host *h, int *missed)
{
    snc_call c;
    SNC_CHECK(missed, SNC_E_ARG, "snc_stage_suite: missed is NULL");
    SNC_TRY(snc_call_take(&c, o, h));
    SNC_TRY(snc_call_find_program(&c));
    *missed = 0;
    snc_err err = begin(&c, "suite", false);
    if (!err) err = snc_verb_suite(&c.o, &c.h, missed);
    return end(&c, err, *missed);
}

snc_err snc_stage_search(const snc_options *o, const snc_host *h, int *missed)
{
    snc_call c;
    SNC_CHECK(missed, SNC_E_ARG, "snc_stage_search: missed is NULL");
    SNC_TRY(snc_call_take(&c, o, h));
    *missed = 0;
    snc_err err = begin(&c, "search", false);
    if (!err) err = snc_verb_search(&c.o, &c.h, missed);
    return end(&c, err, *missed);
}
