/* SQLite, synced at each row: an evaluation takes seconds and must survive a kill. The text of a config is its key. */
#include "search/journal.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "search/runner.h"

enum { CONFIG_TEXT = 4 * SNC_MAX_GENES };

struct snc_journal {
    sqlite3 *db;
    sqlite3_stmt *put, *get;
    const snc_space *space;
    const char *source;
    char *path;
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS evaluation(id INTEGER PRIMARY KEY, config TEXT UNIQUE NOT NULL, loss REAL, metric REAL,"
    " latency_us REAL, bytes REAL, macs REAL, source TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS note(kind TEXT NOT NULL, at INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY(kind, at));";

static snc_err fail(const snc_journal *j)
{
    int rc = sqlite3_errcode(j->db);
    if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) return snc_err_set(SNC_E_IO, "%s: another search has this journal open", j->path);
    return snc_err_set(SNC_E_IO, "%s: %s", j->path, sqlite3_errmsg(j->db));
}

static snc_err run(snc_journal *j, const char *sql) { return sqlite3_exec(j->db, sql, NULL, NULL, NULL) == SQLITE_OK ? SNC_OK : fail(j); }

static snc_err prepare(sqlite3_stmt **st, const snc_journal *j, const char *sql)
{
    return sqlite3_prepare_v2(j->db, sql, -1, st, NULL) == SQLITE_OK ? SNC_OK : fail(j);
}

static snc_err step_done(sqlite3_stmt *st, const snc_journal *j)
{
    snc_err err = sqlite3_step(st) == SQLITE_DONE ? SNC_OK : fail(j);
    sqlite3_reset(st);
    return err;
}

static void bind_text(sqlite3_stmt *st, int i, const char *text) { sqlite3_bind_text(st, i, text, -1, SQLITE_TRANSIENT); }

static void bind(sqlite3_stmt *st, int i, double v)
{
    if (isnan(v)) sqlite3_bind_null(st, i);
    else sqlite3_bind_double(st, i, v);
}

static const char *text_of(sqlite3_stmt *st, int i)
{
    const char *s = (const char *)sqlite3_column_text(st, i);
    return s ? s : "";
}

static double column(sqlite3_stmt *st, int i)
{
    return sqlite3_column_type(st, i) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(st, i);
}

static void read_row(snc_obs *o, sqlite3_stmt *st, int first)
{
    o->loss = column(st, first);
    o->metric = column(st, first + 1);
    o->latency_us = column(st, first + 2);
    o->bytes = column(st, first + 3);
    o->macs = column(st, first + 4);
}

/* ---- identity ------------------------------------------------------------------------------------------------------- */

static snc_err differs(const char *path, const char *name, const char *there, const char *here)
{
    if (strcmp(name, "schema") == 0)
        return snc_err_set(SNC_E_FORMAT, "%s: a journal of schema %.20s; this version reads %s", path, there, here);
    return snc_err_set(SNC_E_FORMAT, "%s: journal of another search: %s is %.40s there and %.40s here", path, name, there, here);
}

/* Writes the key into a new journal, compares it in an old one. */
static snc_err check_key(snc_journal *j, const snc_journal_key *k)
{
    sqlite3_stmt *st = NULL;
    snc_err err = SNC_OK;
    SNC_GOTO(prepare(&st, j, "INSERT OR IGNORE INTO meta VALUES(?1, ?2)"));
    bind_text(st, 1, k->name);
    bind_text(st, 2, k->value);
    SNC_GOTO(step_done(st, j));
    sqlite3_finalize(st);
    st = NULL;
    SNC_GOTO(prepare(&st, j, "SELECT value FROM meta WHERE key = ?1"));
    bind_text(st, 1, k->name);
    if (sqlite3_step(st) != SQLITE_ROW) err = fail(j);
    else if (strcmp(text_of(st, 0), k->value) != 0) err = differs(j->path, k->name, text_of(st, 0), k->value);
out:
    sqlite3_finalize(st);
    return err;
}

const char *snc_journal_gene(int kind)
{
    static const char *const names[] = {[SNC_GENE_DEPTH] = "depth", [SNC_GENE_HIDDEN] = "hidden", [SNC_GENE_LAYER] = "layer",
                                        [SNC_GENE_HEADS] = "heads", [SNC_GENE_FFN] = "ffn",       [SNC_GENE_DTYPE] = "dtype"};
    return kind >= 0 && kind < (int)(sizeof names / sizeof *names) ? names[kind] : NULL;
}

static cJSON *genes_json(const snc_space *s)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < s->genes; i++) {
        const snc_gene *g = &s->gene[i];
        cJSON *j = cJSON_CreateObject(), *options;
        cJSON_AddStringToObject(j, "gene", snc_journal_gene((int)g->kind));
        if (g->layer >= 0) cJSON_AddNumberToObject(j, "layer", g->layer);
        options = cJSON_AddArrayToObject(j, "options");
        for (int k = 0; k < g->n; k++)
            cJSON_AddItemToArray(options, g->kind == SNC_GENE_DTYPE ? cJSON_CreateString(snc_dtype_get((snc_dtype)g->value[k])->name)
                                                                    : cJSON_CreateNumber(g->value[k]));
        cJSON_AddItemToArray(list, j);
    }
    return list;
}

/* What the option indices mean, for readers that have not got the space. */
static snc_err write_genes(snc_journal *j)
{
    cJSON *genes = genes_json(j->space);
    char *text = cJSON_PrintUnformatted(genes);
    snc_err err = text ? check_key(j, &(snc_journal_key){"genes", text}) : snc_err_set(SNC_E_NOMEM, "%s: out of memory", j->path);
    cJSON_free(text);
    cJSON_Delete(genes);
    return err;
}

const char *snc_journal_library(void) { return sqlite3_libversion(); }

/* A database of somebody else gets no tables of ours. */
static snc_err check_foreign(const snc_journal *j)
{
    sqlite3_stmt *st = NULL;
    SNC_TRY(prepare(&st, j, "SELECT count(*), sum(name = 'evaluation') FROM sqlite_master WHERE type = 'table'"));
    snc_err err = sqlite3_step(st) == SQLITE_ROW ? SNC_OK : fail(j);
    bool foreign = !err && sqlite3_column_int(st, 0) > 0 && sqlite3_column_int(st, 1) == 0;
    sqlite3_finalize(st);
    SNC_CHECK(!foreign, SNC_E_FORMAT, "%s: a database of another program, expected a search's journal", j->path);
    return err;
}

snc_err snc_journal_open(snc_journal **out, const char *path, const snc_space *space, const snc_journal_key *keys, int n_keys)
{
    snc_journal *j = NULL;
    snc_err err = SNC_OK;
    char version[8], to[4096];
    SNC_TRY(snc_alloc(&j, 1, sizeof *j));
    j->space = space;
    j->source = "";
    snprintf(version, sizeof version, "%d", SNC_JOURNAL_SCHEMA);
    SNC_GOTO(snc_strdup(&j->path, path));
    SNC_GOTO(snc_write_target(to, sizeof to, path));
    if (sqlite3_open(to, &j->db) != SQLITE_OK) {
        err = fail(j);
        goto out;
    }
    SNC_GOTO(check_foreign(j));
    /* The exclusive lock is taken by the first write and kept; synchronous FULL makes a row durable when put returns. */
    SNC_GOTO(run(j, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL; BEGIN EXCLUSIVE; COMMIT;"));
    SNC_GOTO(run(j, "BEGIN; CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);"));
    SNC_GOTO(check_key(j, &(snc_journal_key){"schema", version})); /* before the tables of this schema are asked for */
    SNC_GOTO(run(j, schema));
    for (int i = 0; i < n_keys; i++) SNC_GOTO(check_key(j, &keys[i]));
    SNC_GOTO(write_genes(j));
    SNC_GOTO(run(j, "COMMIT"));
    SNC_GOTO(
        prepare(&j->put, j,
                "INSERT OR IGNORE INTO evaluation(config, loss, metric, latency_us, bytes, macs, source) VALUES(?1,?2,?3,?4,?5,?6,?7)"));
    SNC_GOTO(prepare(&j->get, j, "SELECT loss, metric, latency_us, bytes, macs FROM evaluation WHERE config = ?1"));
    *out = j;
    return SNC_OK;
out:
    snc_journal_close(j);
    return err;
}

void snc_journal_close(snc_journal *j)
{
    if (!j) return;
    sqlite3_finalize(j->put);
    sqlite3_finalize(j->get);
    /* The empty rollback file goes. Kept open it would be synced once more by the close, which swallows a failure. */
    sqlite3_exec(j->db, "PRAGMA locking_mode=NORMAL; PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
    sqlite3_close(j->db);
    snc_free(j->path);
    snc_free(j);
}

void snc_journal_source(snc_journal *j, const char *name) { j->source = name; }

/* ---- evaluations ---------------------------------------------------------------------------------------------------- */

static snc_err put(snc_journal *j, const char *config, const snc_obs *o, const char *source)
{
    const double v[] = {o->loss, o->metric, o->latency_us, o->bytes, o->macs};
    bind_text(j->put, 1, config);
    for (int i = 0; i < 5; i++) bind(j->put, 2 + i, v[i]);
    bind_text(j->put, 7, source);
    return step_done(j->put, j);
}

snc_err snc_journal_put(snc_journal *j, const snc_obs *o)
{
    char text[CONFIG_TEXT];
    snc_cfg_print(text, sizeof text, j->space, &o->cfg);
    return put(j, text, o, j->source);
}

snc_err snc_journal_get(snc_obs *o, bool *found, snc_journal *j, const snc_cfg *cfg)
{
    char text[CONFIG_TEXT];
    snc_err err = SNC_OK;
    snc_cfg_print(text, sizeof text, j->space, cfg);
    bind_text(j->get, 1, text);
    int rc = sqlite3_step(j->get);
    *found = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW) {
        o->cfg = *cfg;
        read_row(o, j->get, 0);
    } else if (rc != SQLITE_DONE) err = fail(j);
    sqlite3_reset(j->get);
    return err;
}

static snc_err count(int *out, const snc_journal *j)
{
    sqlite3_stmt *st = NULL;
    *out = 0;
    SNC_TRY(prepare(&st, j, "SELECT count(*) FROM evaluation"));
    snc_err err = sqlite3_step(st) == SQLITE_ROW ? SNC_OK : fail(j);
    if (!err) *out = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return err;
}

snc_err snc_journal_count(int *out, snc_journal *j) { return count(out, j); }

snc_err snc_journal_all(snc_obs **out, int *n, snc_journal *j)
{
    sqlite3_stmt *st = NULL;
    snc_obs *v = NULL;
    snc_err err = SNC_OK;
    int total = 0;
    SNC_TRY(count(&total, j));
    SNC_TRY(snc_alloc(&v, (size_t)total, sizeof *v));
    *n = 0;
    SNC_GOTO(prepare(&st, j, "SELECT config, loss, metric, latency_us, bytes, macs FROM evaluation ORDER BY id"));
    while (*n < total && sqlite3_step(st) == SQLITE_ROW) {
        SNC_GOTO(snc_cfg_parse(&v[*n].cfg, j->space, text_of(st, 0)));
        read_row(&v[*n], st, 1);
        ++*n;
    }
    if (*n < total) err = fail(j);
    if (err) goto out;
    *out = v;
    v = NULL;
out:
    sqlite3_finalize(st);
    snc_free(v);
    return err;
}

snc_err snc_journal_recost(snc_journal *j, const snc_obs *o, int n)
{
    sqlite3_stmt *st = NULL;
    char text[CONFIG_TEXT];
    snc_err err = SNC_OK;
    SNC_GOTO(prepare(&st, j, "UPDATE evaluation SET latency_us = ?2, bytes = ?3, macs = ?4 WHERE config = ?1"));
    SNC_GOTO(run(j, "BEGIN"));
    for (int i = 0; i < n; i++) {
        snc_cfg_print(text, sizeof text, j->space, &o[i].cfg);
        bind_text(st, 1, text);
        bind(st, 2, o[i].latency_us);
        bind(st, 3, o[i].bytes);
        bind(st, 4, o[i].macs);
        SNC_GOTO(step_done(st, j));
    }
    SNC_GOTO(run(j, "COMMIT"));
out:
    sqlite3_finalize(st);
    return err;
}

snc_err snc_journal_note(snc_journal *j, const char *kind, int at, const cJSON *value)
{
    sqlite3_stmt *st = NULL;
    snc_err err = SNC_OK;
    char *text = cJSON_PrintUnformatted(value);
    SNC_CHECK(text, SNC_E_NOMEM, "%s: out of memory", j->path);
    SNC_GOTO(prepare(&st, j, "INSERT OR REPLACE INTO note(kind, at, value) VALUES(?1, ?2, ?3)"));
    bind_text(st, 1, kind);
    sqlite3_bind_int(st, 2, at);
    bind_text(st, 3, text);
    SNC_GOTO(step_done(st, j));
out:
    sqlite3_finalize(st);
    cJSON_free(text);
    return err;
}

/* ---- reading without a space ---------------------------------------------------------------------------------------- */

static snc_err read_meta(snc_journal_file *f, const snc_journal *j)
{
    sqlite3_stmt *st = NULL;
    snc_err err = SNC_OK;
    char version[8];
    int rc;
    f->meta = cJSON_CreateObject();
    SNC_GOTO(prepare(&st, j, "SELECT key, value FROM meta ORDER BY rowid"));
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        cJSON *genes = strcmp(text_of(st, 0), "genes") == 0 ? cJSON_Parse(text_of(st, 1)) : NULL;
        if (genes) cJSON_AddItemToObject(f->meta, "genes", genes);
        else cJSON_AddStringToObject(f->meta, text_of(st, 0), text_of(st, 1));
    }
    if (rc != SQLITE_DONE) SNC_GOTO(fail(j));
    const char *there = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(f->meta, "schema"));
    snprintf(version, sizeof version, "%d", SNC_JOURNAL_SCHEMA);
    if (!there || strcmp(there, version) != 0) err = differs(j->path, "schema", there ? there : "(none)", version);
out:
    sqlite3_finalize(st);
    return err;
}

static snc_err read_notes(snc_journal_file *f, const snc_journal *j)
{
    sqlite3_stmt *st = NULL;
    snc_err err = SNC_OK;
    int rc;
    f->notes = cJSON_CreateArray();
    SNC_GOTO(prepare(&st, j, "SELECT kind, at, value FROM note ORDER BY at, kind"));
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        cJSON *it = cJSON_CreateObject(), *value = cJSON_Parse(text_of(st, 2));
        cJSON_AddStringToObject(it, "kind", text_of(st, 0));
        cJSON_AddNumberToObject(it, "at", sqlite3_column_int(st, 1));
        cJSON_AddItemToObject(it, "value", value ? value : cJSON_CreateNull());
        cJSON_AddItemToArray(f->notes, it);
    }
    if (rc != SQLITE_DONE) err = fail(j);
out:
    sqlite3_finalize(st);
    return err;
}

static snc_err read_rows(snc_journal_file *f, const snc_journal *j)
{
    sqlite3_stmt *st = NULL;
    snc_err err = SNC_OK;
    int total = 0;
    SNC_GOTO(count(&total, j));
    SNC_GOTO(snc_alloc(&f->row, (size_t)total, sizeof *f->row));
    SNC_GOTO(prepare(&st, j, "SELECT config, loss, metric, latency_us, bytes, macs, source FROM evaluation ORDER BY id"));
    while (f->n < total && sqlite3_step(st) == SQLITE_ROW) {
        snc_journal_row *r = &f->row[f->n++];
        read_row(&r->o, st, 1);
        SNC_GOTO(snc_strdup(&r->config, text_of(st, 0)));
        SNC_GOTO(snc_strdup(&r->source, text_of(st, 6)));
    }
    if (f->n < total) err = fail(j);
    for (int i = 0; i < f->n; i++) {
        f->row[i].front = !isnan(f->row[i].o.loss);
        for (int k = 0; k < f->n && f->row[i].front; k++) f->row[i].front = !snc_obs_beats(&f->row[k].o, &f->row[i].o);
    }
out:
    sqlite3_finalize(st);
    return err;
}

/* A process that was killed, or met a full disk, before its first transaction left a database without a table. */
static snc_err only_begun(bool *out, const snc_journal *j)
{
    sqlite3_stmt *st = NULL;
    SNC_TRY(prepare(&st, j, "SELECT count(*) FROM sqlite_master"));
    snc_err err = sqlite3_step(st) == SQLITE_ROW ? SNC_OK : fail(j);
    *out = !err && sqlite3_column_int(st, 0) == 0;
    sqlite3_finalize(st);
    return err;
}

snc_err snc_journal_read(snc_journal_file *out, const char *path)
{
    snc_journal j = {0};
    snc_err err = SNC_OK;
    bool begun = false;
    *out = (snc_journal_file){0};
    SNC_TRY(snc_strdup(&j.path, path));
    /* Not read-only: what a killed process left half-written has to be rolled back first. */
    if (sqlite3_open_v2(path, &j.db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        err = fail(&j);
        goto out;
    }
    SNC_GOTO(run(&j, "BEGIN"));
    SNC_GOTO(only_begun(&begun, &j));
    if (begun) {
        out->meta = cJSON_CreateObject();
        out->notes = cJSON_CreateArray();
        goto out;
    }
    SNC_GOTO(read_meta(out, &j));
    SNC_GOTO(read_notes(out, &j));
    SNC_GOTO(read_rows(out, &j));
out:
    sqlite3_close(j.db);
    snc_free(j.path);
    if (err) snc_journal_file_dispose(out);
    return err;
}

void snc_journal_file_dispose(snc_journal_file *f)
{
    for (int i = 0; i < f->n; i++) {
        snc_free(f->row[i].config);
        snc_free(f->row[i].source);
    }
    snc_free(f->row);
    cJSON_Delete(f->meta);
    cJSON_Delete(f->notes);
    *f = (snc_journal_file){0};
}

snc_err snc_journal_matches(const snc_journal_file *f, const char *path, const snc_journal_key *keys, int n_keys)
{
    for (int i = 0; i < n_keys; i++) {
        const char *there = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(f->meta, keys[i].name));
        if (!there || strcmp(there, keys[i].value) != 0) return differs(path, keys[i].name, there ? there : "(none)", keys[i].value);
    }
    return SNC_OK;
}

snc_err snc_journal_import(snc_journal *j, const snc_journal_file *f)
{
    snc_cfg cfg;
    for (int i = 0; i < f->n; i++) SNC_TRY(snc_cfg_parse(&cfg, j->space, f->row[i].config));
    SNC_TRY(run(j, "BEGIN"));
    for (int i = 0; i < f->n; i++) SNC_TRY(put(j, f->row[i].config, &f->row[i].o, "warm start"));
    return run(j, "COMMIT");
}
