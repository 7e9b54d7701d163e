/* compress verify: whether files are as they were written, and a folder's report is about the files that are in it. */
#include <stdio.h>
#include <string.h>

#include "artifact/context.h"
#include "artifact/option.h"
#include "artifact/say.h"
#include "base/fmap.h"
#include "models/snc_file.h"
#include "stage/verbs.h"

enum { PATH = 4096 };

/* said: what a report says of it; NULL: nobody does. */
static snc_err verify(const char *path, const char *said, const snc_host *h)
{
    snc_sncfile *f = NULL;
    SNC_TRY(snc_sncfile_open(&f, path));
    const char *digest = snc_sncfile_digest_view(f);
    snc_err err = SNC_OK;
    if (said && strcmp(said, digest) != 0)
        err = snc_err_set(SNC_E_FORMAT, "%s: is not the file that the report speaks of: its digest is %s, the report says %.40s", path,
                          *digest ? digest : "none", said);
    else if (*digest) snc_say(h, "%s: ok %s", path, digest);
    else snc_say(h, "%s: has no digest: written by a program before it had them; its structure is sound", path);
    snc_sncfile_close(f);
    return err;
}

static snc_err load_report(cJSON **out, char report[PATH], const char *folder)
{
    SNC_TRY(snc_path_join(report, PATH, folder, "report.json"));
    SNC_CHECK(snc_is_file(report), SNC_E_NOTFOUND, "%s: no report.json in it: expected a .snc file or the folder of a run that has ended",
              folder);
    return snc_json_load(out, report);
}

/* The models of a run's report, by the names that they have in its folder, which may have been moved. */
static snc_err verify_run(const char *folder, const snc_host *h)
{
    char report[PATH], path[PATH];
    cJSON *j = NULL;
    const cJSON *it, *list;
    snc_err err = SNC_OK;
    SNC_TRY(load_report(&j, report, folder));
    list = cJSON_GetObjectItemCaseSensitive(j, "models");
    if (!cJSON_IsArray(list) || !list->child) SNC_GOTO(snc_err_set(SNC_E_FORMAT, "%s: 'models' must be a list", report));
    cJSON_ArrayForEach(it, list)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(it, "path"));
        const char *digest = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(it, "digest"));
        if (!name || !digest) SNC_GOTO(snc_err_set(SNC_E_FORMAT, "%s: a model without 'path' and 'digest'", report));
        const char *slash = strrchr(name, '/');
        SNC_GOTO(snc_path_join(path, sizeof path, folder, slash ? slash + 1 : name));
        SNC_GOTO(verify(path, digest, h));
    }
out:
    cJSON_Delete(j);
    return err;
}

/* A suite's folder holds those of its jobs. */
static snc_err verify_folder(const char *folder, const snc_host *h)
{
    char report[PATH], name[PATH], path[PATH];
    cJSON *j = NULL;
    const cJSON *task, *job;
    snc_err err = SNC_OK;
    SNC_TRY(load_report(&j, report, folder));
    if (!snc_json_at(j, "suite")) SNC_GOTO(verify_run(folder, h));
    cJSON_ArrayForEach(task, snc_json_at(j, "tasks")) cJSON_ArrayForEach(job, snc_json_at(task, "jobs"))
    {
        const char *of = snc_json_text(task, "name"), *state = snc_json_text(job, "state");
        if (!of || !state || strcmp(state, "done") != 0) continue;
        snprintf(name, sizeof name, "%.200s/seed-%.0f", of, snc_json_number(job, "seed"));
        SNC_GOTO(snc_path_join(path, sizeof path, folder, name));
        SNC_GOTO(verify_run(path, h));
    }
out:
    cJSON_Delete(j);
    return err;
}

snc_err snc_verb_verify(const snc_options *o, const snc_host *h)
{
    snc_ctx ctx;
    SNC_TRY(snc_option_need("verify", "a .snc file or a folder", o->input.n_models ? o->input.models[0] : NULL));
    SNC_TRY(snc_context_init(&ctx, o, h, NULL, 1));
    for (int i = 0; i < o->input.n_models; i++)
        SNC_TRY(snc_is_dir(o->input.models[i]) ? verify_folder(o->input.models[i], h) : verify(o->input.models[i], NULL, h));
    return SNC_OK;
}
