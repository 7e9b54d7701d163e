/* A journal is of a search by six hashes and names; what it was searched for is checked before any of them. */
#include "artifact/evaluations.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/load.h"
#include "artifact/spaces.h"
#include "base/fmap.h"

snc_err snc_evaluations_path(char *buf, size_t size, const snc_options *o, const char *dir)
{
    if (!o->search.journal) return snc_path_join(buf, size, dir, "search.sqlite");
    SNC_CHECK(snprintf(buf, size, "%s", o->search.journal) < (int)size, SNC_E_ARG, "path too long: %.80s...", o->search.journal);
    return SNC_OK;
}

uint64_t snc_evaluations_rows(const snc_options *o, const snc_inputs *in)
{
    const uint64_t all = snc_dataset_hash(in->splits.rank);
    return o->search.rank_share < 1 ? snc_bytes_hash(all, &o->search.rank_share, sizeof o->search.rank_share) : all;
}

void snc_search_identity_of(snc_search_identity *id, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in,
                            const snc_model *supernet, uint64_t teacher, const snc_space *space)
{
    static const char *const names[SNC_SEARCH_KEYS] = {"model", "teacher", "task", "rank rows", "space", "backend"};
    const uint64_t hashes[SNC_SEARCH_KEYS - 1] = {snc_bytes_hash(0, supernet->params.w, supernet->params.total * sizeof(float)), teacher,
                                                  snc_task_hash(in->task), snc_evaluations_rows(o, in), snc_space_hash(space)};
    for (int i = 0; i < SNC_SEARCH_KEYS; i++) {
        if (i < SNC_SEARCH_KEYS - 1) snprintf(id->value[i], sizeof id->value[i], "%016llx", (unsigned long long)hashes[i]);
        else snprintf(id->value[i], sizeof id->value[i], "%s", snc_backend_name(ctx->backend));
        id->key[i] = (snc_journal_key){names[i], id->value[i]};
    }
}

/* Below this share of INT8's time INT4 is worth what it loses; clocks are as unsure as that. */
static const double PAYS = 0.97;

/* Whether the search of a journal had INT4: its space is not the one `without`. `known`: there is a journal. */
static snc_err journal_has(bool *has, bool *known, const char *path, const snc_space *without)
{
    snc_journal_file f = {0};
    char hash[20];
    const snc_journal_key key = {"space", hash};
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)snc_space_hash(without));
    *known = false;
    if (!path || !snc_is_file(path)) return SNC_OK;
    SNC_TRY(snc_journal_read(&f, path));
    *known = f.meta->child != NULL;
    *has = snc_journal_matches(&f, path, &key, 1) != SNC_OK;
    snc_journal_file_dispose(&f);
    return SNC_OK;
}

snc_err snc_evaluations_space(snc_space **out, const snc_ctx *ctx, const snc_options *o, const snc_model *m, const char *supernet,
                              const snc_latency *table, const char *journal)
{
    snc_err err = SNC_OK;
    snc_space *without = NULL;
    bool int4 = true, known = false;
    double share = table ? snc_latency_int4_share(table, &m->arch) : 0;
    if (!snc_space_int4_open(o)) return snc_space_trained(out, o, m, supernet, snc_space_int4_asked(o));
    SNC_TRY(snc_space_trained(&without, o, m, supernet, false));
    SNC_GOTO(journal_has(&int4, &known, journal, without));
    if (!known) SNC_GOTO(journal_has(&int4, &known, o->search.warm_start, without));
    if (!known) int4 = share < PAYS;
    if (table && share < (double)INFINITY) /* else a width is no multiple of its groups */
        snc_log(ctx, SNC_LOG_INFO, "search: by the table the full-size net takes %.2f of INT8's time in INT4, which is %s%s", share,
                int4 ? "offered" : "left out", known ? ", as in the journal" : "");
    if (int4) SNC_GOTO(snc_space_trained(out, o, m, supernet, true));
    if (!int4) *out = without, without = NULL;
out:
    snc_space_free(without);
    return err;
}

snc_err snc_evaluations_fit(const char *journal, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher,
                            const snc_model *m, const char *supernet)
{
    snc_err err = SNC_OK;
    snc_space *space = NULL;
    snc_journal_file f = {0};
    snc_search_identity id;
    uint64_t h = 0;
    SNC_TRY(snc_evaluations_space(&space, ctx, o, m, supernet, NULL, journal));
    if (!snc_is_file(journal)) goto out;
    SNC_GOTO(snc_path_hash(&h, teacher));
    SNC_GOTO(snc_journal_read(&f, journal));
    snc_search_identity_of(&id, ctx, o, in, m, h, space);
    if (f.meta->child) SNC_GOTO(snc_journal_matches(&f, journal, id.key, SNC_SEARCH_KEYS));
out:
    snc_journal_file_dispose(&f);
    snc_space_free(space);
    return err;
}

snc_err snc_evaluations_end(cJSON **out, const char *journal)
{
    snc_journal_file f;
    const cJSON *it;
    *out = NULL;
    if (!snc_is_file(journal)) return SNC_OK;
    SNC_TRY(snc_journal_read(&f, journal));
    cJSON_ArrayForEach(it, f.notes)
    {
        const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(it, "kind"));
        if (kind && strcmp(kind, "end") == 0 && !*out) *out = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(it, "value"), 1);
    }
    snc_journal_file_dispose(&f);
    return SNC_OK;
}
