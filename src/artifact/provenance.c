/* The command is printed back from the table of options, as a shell reads it; versions are those of the libraries that run. */
#include "artifact/provenance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/inputs.h"
#include "artifact/option.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/textbuf.h"
#include "core/gemm.h"
#include "quant/qlinear.h"
#include "search/journal.h"
#include "search/lsq.h"
#include "search/svr.h"

/* ---- options -------------------------------------------------------------------------------------------------------- */

/* The shortest text that reads back as the same number. */
static void number_text(char buf[32], double v)
{
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(buf, 32, "%.*g", digits, v);
        if (strtod(buf, NULL) == v) return;
    }
}

/* A word as a shell reads it back. */
static void put_word(snc_textbuf *t, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,+@%";
    if (*word && word[strspn(word, plain)] == 0) {
        snc_textbuf_text(t, word);
        return;
    }
    snc_textbuf_put(t, "'");
    for (const char *p = word; *p; p++) {
        if (*p == '\'') snc_textbuf_put(t, "'\\''");
        else snc_textbuf_put(t, "%c", *p);
    }
    snc_textbuf_put(t, "'");
}

static void put_command(snc_textbuf *t, const snc_options *o, unsigned verb, const char *name)
{
    int n;
    const snc_option *row = snc_option_table(&n);
    snc_textbuf_put(t, strcmp(name, "compress") == 0 ? "compress" : "compress %s", name);
    for (int i = 0; i < o->input.n_models; i++) {
        snc_textbuf_put(t, " ");
        put_word(t, o->input.models[i]);
    }
    for (; n--; row++) {
        char number[32];
        if (!(row->verbs & verb) || !snc_option_given(o, row) || snc_option_by_recipe(o, row)) continue; /* --recipe says those */
        snc_textbuf_put(t, " %s", row->name);
        if (row->kind == SNC_OPTION_FLAG) continue;
        snc_textbuf_put(t, " ");
        if (row->kind != SNC_OPTION_STRING) number_text(number, snc_option_number(o, row));
        put_word(t, row->kind == SNC_OPTION_STRING ? snc_option_text(o, row) : number);
    }
}

static cJSON *options_json(const snc_options *o, unsigned verb)
{
    int n;
    const snc_option *row = snc_option_table(&n);
    cJSON *j = cJSON_CreateObject();
    for (; n--; row++) {
        const char *key = row->name + strspn(row->name, "-");
        if (!(row->verbs & verb)) continue;
        bool string = row->kind == SNC_OPTION_STRING, flag = row->kind == SNC_OPTION_FLAG;
        bool none = string ? !snc_option_text(o, row) : !flag && !snc_option_given(o, row) && snc_option_number(o, row) < row->min;
        if (none) cJSON_AddItemToObject(j, key, row->otherwise ? cJSON_CreateString(row->otherwise) : cJSON_CreateNull());
        else if (string) cJSON_AddStringToObject(j, key, snc_option_text(o, row));
        else if (flag) cJSON_AddBoolToObject(j, key, snc_option_number(o, row) != 0);
        else cJSON_AddNumberToObject(j, key, snc_option_number(o, row));
    }
    return j;
}

static void set_text(cJSON *j, const char *key, const char *text)
{
    if (cJSON_GetObjectItemCaseSensitive(j, key)) cJSON_ReplaceItemInObjectCaseSensitive(j, key, cJSON_CreateString(text));
}

/* By the command or its recipe. */
static cJSON *given_json(const snc_options *o, unsigned verb)
{
    int n;
    const snc_option *row = snc_option_table(&n);
    cJSON *j = cJSON_CreateArray();
    for (; n--; row++)
        if ((row->verbs & verb) && snc_option_given(o, row))
            cJSON_AddItemToArray(j, cJSON_CreateString(row->name + strspn(row->name, "-")));
    return j;
}

/* What "auto" came to on this machine, and the task's own length. */
static void resolve(cJSON *j, const snc_options *o, const snc_task *task)
{
    set_text(j, "compute", snc_inputs_compute(&o->job) == SNC_COMPUTE_BF16 ? "bf16" : "f32");
    set_text(j, "fp", snc_inputs_fp(&o->job) == SNC_BF16 ? "bf16" : "f32");
    if (task && cJSON_GetObjectItemCaseSensitive(j, "max-length"))
        cJSON_ReplaceItemInObjectCaseSensitive(j, "max-length", cJSON_CreateNumber(snc_task_max_length(task)));
}

/* ---- versions ------------------------------------------------------------------------------------------------------- */

static cJSON *versions_json(void)
{
    char lapack[32];
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "snc", SNC_VERSION);
    cJSON_AddStringToObject(j, "compiler", __VERSION__);
    cJSON_AddStringToObject(j, "cjson", cJSON_Version());
    cJSON_AddStringToObject(j, "sqlite", snc_journal_library());
    if (snc_qlinear_library()) cJSON_AddStringToObject(j, "onednn", snc_qlinear_library());
    if (snc_gemm_blas_version()) cJSON_AddStringToObject(j, "openblas", snc_gemm_blas_version());
    if (snc_lsq_library(lapack)) cJSON_AddStringToObject(j, "lapack", lapack);
    if (snc_svr_version()) cJSON_AddNumberToObject(j, "libsvm", snc_svr_version());
    return j;
}

snc_err snc_provenance_add(cJSON *to, const snc_options *o, const snc_task *task, unsigned verb, const char *name)
{
    char date[SNC_UTC];
    snc_textbuf command = {0};
    put_command(&command, o, verb, name);
    if (!command.err) {
        cJSON *options = options_json(o, verb);
        resolve(options, o, task);
        cJSON_AddStringToObject(to, "command", command.p);
        cJSON_AddItemToObject(to, "options", options);
        cJSON_AddItemToObject(to, "given", given_json(o, verb));
        cJSON_AddStringToObject(to, "date", snc_utc(date));
        cJSON_AddItemToObject(to, "versions", versions_json());
    }
    snc_free(command.p);
    return command.err;
}
