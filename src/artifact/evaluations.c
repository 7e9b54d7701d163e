/* A journal is of a search by six hashes and names; what it was searched for is checked before any of them. */
#include "artifact/evaluations.h"

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

void snc_search_identity_of(snc_search_identity *id, const snc_ctx *ctx, const snc_inputs *in, const snc_model *supernet, uint64_t teacher,
                            const snc_space *space)
{
    static const char *const names[SNC_SEARCH_KEYS] = {"model", "teacher", "task", "rank rows", "space", "backend"};
    const uint64_t hashes[SNC_SEARCH_KEYS - 1] = {snc_bytes_hash(0, supernet->params.w, supernet->params.total * sizeof(float)), teacher,
                                                  snc_task_hash(in->task), snc_dataset_hash(in->splits.rank), snc_space_hash(space)};
    for (int i = 0; i < SNC_SEARCH_KEYS; i++) {
        if (i < SNC_SEARCH_KEYS - 1) snprintf(id->value[i], sizeof id->value[i], "%016llx", (unsigned long long)hashes[i]);
        else snprintf(id->value[i], sizeof id->value[i], "%s", snc_backend_name(ctx->backend));
        id->key[i] = (snc_journal_key){names[i], id->value[i]};
    }
}

snc_err snc_evaluations_fit(const char *journal, const snc_ctx *ctx, const snc_options *o, const snc_inputs *in, const char *teacher,
                            const snc_model *m, const char *supernet)
{
    snc_err err = SNC_OK;
    snc_space *space = NULL;
    snc_journal_file f = {0};
    snc_search_identity id;
    uint64_t h = 0;
    SNC_TRY(snc_space_trained(&space, o, m, supernet));
    if (!snc_is_file(journal)) goto out;
    SNC_GOTO(snc_path_hash(&h, teacher));
    SNC_GOTO(snc_journal_read(&f, journal));
    snc_search_identity_of(&id, ctx, in, m, h, space);
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
