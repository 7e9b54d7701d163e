/* What a command may write over: nothing that it reads, and without --overwrite only what this program wrote. */
#include "artifact/output.h"

#include <stdio.h>
#include <string.h>

#include "artifact/load.h"
#include "artifact/option.h"
#include "base/fmap.h"

enum { PATH = 4096 };

typedef struct place {
    const char *option, *path; /* as given */
    char file[PATH];           /* what the path leads to */
    const snc_options *o;
} place;

/* ---- what is there -------------------------------------------------------------------------------------------------- */

static bool begins(const char *path, const char *text)
{
    snc_fmap *m = NULL;
    size_t n = strlen(text);
    if (snc_fmap_open(&m, path) != SNC_OK) return false;
    bool yes = m->size >= n && memcmp(m->data, text, n) == 0;
    snc_fmap_close(m);
    return yes;
}

/* Whether a file is of the kind that the option makes. */
static bool is_ours(const char *option, const char *file)
{
    char stamp[PATH + 8];
    if (strcmp(option, "--log-json") == 0) return begins(file, "{\"time\":");
    if (strcmp(option, "--journal") == 0) return begins(file, "SQLite format 3"); /* the journal itself knows more */
    snprintf(stamp, sizeof stamp, "%s.inputs", file);                             /* of a latency table */
    return snc_path_is_snc(file) || snc_is_file(stamp);
}

/* ---- what the command reads ----------------------------------------------------------------------------------------- */

/* "a/b/c" -> "a/b"; false at the top. */
static bool cut_name(char *path)
{
    char *slash = strrchr(path, '/');
    if (!slash && strcmp(path, ".") == 0) return false;
    if (!slash) memcpy(path, ".", 2);
    else slash[slash == path] = 0;
    return true;
}

/* A file in a folder that is read, or in one inside it (--data has folders of tasks). */
static bool lies_in(const char *file, const char *folder)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s", file);
    for (int up = 0; up < 2 && cut_name(path); up++)
        if (snc_is_same_file(path, folder)) return true;
    return false;
}

/* A bare checkpoint has its configuration and vocabulary beside it. */
static bool is_beside(const char *file, const char *value)
{
    char a[PATH], b[PATH];
    snprintf(a, sizeof a, "%s", file);
    snprintf(b, sizeof b, "%s", value);
    return !snc_path_is_snc(value) && cut_name(a) && cut_name(b) && snc_is_same_file(a, b);
}

/* By whatever names; also of a file that is not there yet. */
static bool is_same(const char *file, const char *value)
{
    char to[PATH];
    return snc_is_same_file(file, value) || (snc_write_target(to, sizeof to, value) == SNC_OK && strcmp(to, file) == 0);
}

static snc_err check_value(const place *p, const char *option, const char *value, bool model)
{
    bool foreign = snc_is_file(p->file) && !is_ours(p->option, p->file);
    SNC_CHECK(!is_same(p->file, value), SNC_E_ARG, "%s %s: is what %s of the same command names", p->option, p->path, option);
    SNC_CHECK(!foreign || !snc_is_dir(value) || !lies_in(p->file, value), SNC_E_ARG,
              "%s %s: is among the files of %s, and not this program's", p->option, p->path, option);
    SNC_CHECK(!foreign || !model || !snc_is_file(value) || !is_beside(p->file, value), SNC_E_ARG,
              "%s %s: lies beside %s, which may need it, and is not this program's", p->option, p->path, option);
    return SNC_OK;
}

/* One name, or a list of names with commas. */
static snc_err check_names(const place *p, const char *option, const char *value, bool model)
{
    SNC_TRY(check_value(p, option, value, model));
    for (const char *at = strchr(value, ',') ? value : ""; *at;) {
        char name[PATH];
        size_t n = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)n, at);
        SNC_TRY(check_value(p, option, name, model));
        at += n + (at[n] == ',');
    }
    return SNC_OK;
}

/* Every option whose value is a text may name a file; the table knows them all. */
static snc_err check_options(const place *p)
{
    int n;
    const snc_option *row = snc_option_table(&n);
    for (int i = 0; i < p->o->input.n_models; i++) SNC_TRY(check_names(p, "the model", p->o->input.models[i], true));
    for (int i = 0; i < n; i++) {
        if (!snc_option_may_name_file(&row[i]) || strcmp(row[i].name, p->option) == 0 || !snc_option_given(p->o, &row[i])) continue;
        const char *value = snc_option_text(p->o, &row[i]);
        bool folder = strcmp(row[i].name, "--output") == 0 && snc_is_dir(value); /* is written, not read */
        if (!folder)
            SNC_TRY(check_names(p, row[i].name, value, strcmp(row[i].name, "--pretrained") == 0 || strcmp(row[i].name, "--teacher") == 0));
    }
    return SNC_OK;
}

snc_err snc_output_is_no_input(const snc_options *o, const char *path)
{
    place p = {.option = "--output", .path = path, .o = o};
    if (!snc_is_file(path)) return SNC_OK;
    snprintf(p.file, sizeof p.file, "%s", path);
    return check_options(&p);
}

snc_err snc_output_check(const snc_options *o, const char *option, const char *path)
{
    place p = {.option = option, .path = path, .o = o};
    if (snc_is_dir(path)) snprintf(p.file, sizeof p.file, "%s", path);
    else SNC_TRY(snc_write_target(p.file, sizeof p.file, path));
    SNC_TRY(check_options(&p));
    bool foreign = snc_file_size(p.file) > 0 && !is_ours(option, p.file);
    SNC_CHECK(!foreign || o->output.overwrite, SNC_E_ARG, "%s %s: is there and was not written by this program%s", option, path,
              strcmp(option, "--log-json") == 0 ? " as a log" : " (--overwrite replaces it)");
    return SNC_OK;
}
