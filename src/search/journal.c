#include "search/journal.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { CONFIG_TEXT = 4 * SNC_MAX_GENES };

struct snc_journal {
    sqlite3 *db;
    sqlite3_stmt *put, *get;
    const snc_space *space;
    char *path;
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS evaluation(id INTEGER PRIMARY KEY, config TEXT UNIQUE NOT NULL, loss REAL, metric REAL,"
    " latency_us REAL, bytes REAL, macs REAL);";

static snc_err fail(const snc_journal *j)
{
    int rc = sqlite3_errcode(j->db);
    if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
        return snc_err_set(SNC_E_IO, "%s: another search has this journal open", j->path);
    return snc_err_set(SNC_E_IO, "%s: %s", j->path, sqlite3_errmsg(j->db));
}

static snc_err run(snc_journal *j, const char *sql) { return sqlite3_exec(j->db, sql, NULL, NULL, NULL) == SQLITE_OK ? SNC_OK : fail(j); }

/* Writes the key into a new journal, compares it in an old one. */
static snc_err check_key(snc_journal *j, const snc_journal_key *k)
{
    sqlite3_stmt *st = NULL;
    snc_err err = SNC_OK;
    if (sqlite3_prepare_v2(j->db, "INSERT OR IGNORE INTO meta VALUES(?1, ?2)", -1, &st, NULL) != SQLITE_OK) return fail(j);
    sqlite3_bind_text(st, 1, k->name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(st, 2, k->value, -1, SQLITE_TRANSIENT);
    if (sqlite3_step(st) != SQLITE_DONE) err = fail(j);
    sqlite3_finalize(st);
    if (err) return err;
    if (sqlite3_prepare_v2(j->db, "SELECT value FROM meta WHERE key = ?1", -1, &st, NULL) != SQLITE_OK) return fail(j);
    sqlite3_bind_text(st, 1, k->name, -1, SQLITE_TRANSIENT);
    if (sqlite3_step(st) != SQLITE_ROW) err = fail(j);
    else {
        const char *have = (const char *)sqlite3_column_text(st, 0);
        if (strcmp(have, k->value) != 0)
            err = snc_err_set(SNC_E_FORMAT, "%s: journal of another search: %s is %s there and %s here", j->path, k->name, have, k->value);
    }
    sqlite3_finalize(st);
    return err;
}

snc_err snc_journal_open(snc_journal **out, const char *path, const snc_space *space, const snc_journal_key *keys, int n_keys)
{
    snc_journal *j = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&j, 1, sizeof *j));
    j->space = space;
    SNC_GOTO(snc_strdup(&j->path, path));
    if (sqlite3_open(path, &j->db) != SQLITE_OK) {
        err = fail(j);
        goto out;
    }
    /* The exclusive lock is taken by the first write and kept; synchronous FULL makes a row durable when put returns. */
    SNC_GOTO(run(j, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL; BEGIN EXCLUSIVE; COMMIT;"));
    SNC_GOTO(run(j, schema));
    SNC_GOTO(check_key(j, &(snc_journal_key){"schema", "1"}));
    for (int i = 0; i < n_keys; i++) SNC_GOTO(check_key(j, &keys[i]));
    if (sqlite3_prepare_v2(j->db, "INSERT OR REPLACE INTO evaluation(config, loss, metric, latency_us, bytes, macs) VALUES(?1,?2,?3,?4,?5,?6)", -1,
                           &j->put, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(j->db, "SELECT loss, metric, latency_us, bytes, macs FROM evaluation WHERE config = ?1", -1, &j->get, NULL) != SQLITE_OK) {
        err = fail(j);
        goto out;
    }
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
    sqlite3_close(j->db);
    snc_free(j->path);
    snc_free(j);
}

static void bind(sqlite3_stmt *st, int i, double v)
{
    if (isnan(v)) sqlite3_bind_null(st, i);
    else sqlite3_bind_double(st, i, v);
}

static double column(sqlite3_stmt *st, int i) { return sqlite3_column_type(st, i) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(st, i); }

static void read_row(snc_obs *o, sqlite3_stmt *st, int first)
{
    o->loss = column(st, first);
    o->metric = column(st, first + 1);
    o->latency_us = column(st, first + 2);
    o->bytes = column(st, first + 3);
    o->macs = column(st, first + 4);
}

snc_err snc_journal_put(snc_journal *j, const snc_obs *o)
{
    char text[CONFIG_TEXT];
    const double v[] = {o->loss, o->metric, o->latency_us, o->bytes, o->macs};
    snc_cfg_print(text, sizeof text, j->space, &o->cfg);
    sqlite3_bind_text(j->put, 1, text, -1, SQLITE_TRANSIENT);
    for (int i = 0; i < 5; i++) bind(j->put, 2 + i, v[i]);
    snc_err err = sqlite3_step(j->put) == SQLITE_DONE ? SNC_OK : fail(j);
    sqlite3_reset(j->put);
    return err;
}

snc_err snc_journal_get(snc_obs *o, bool *found, snc_journal *j, const snc_cfg *cfg)
{
    char text[CONFIG_TEXT];
    snc_err err = SNC_OK;
    snc_cfg_print(text, sizeof text, j->space, cfg);
    sqlite3_bind_text(j->get, 1, text, -1, SQLITE_TRANSIENT);
    int rc = sqlite3_step(j->get);
    *found = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW) {
        o->cfg = *cfg;
        read_row(o, j->get, 0);
    } else if (rc != SQLITE_DONE) err = fail(j);
    sqlite3_reset(j->get);
    return err;
}

snc_err snc_journal_count(int *out, snc_journal *j)
{
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(j->db, "SELECT count(*) FROM evaluation", -1, &st, NULL) != SQLITE_OK) return fail(j);
    snc_err err = sqlite3_step(st) == SQLITE_ROW ? SNC_OK : fail(j);
    *out = err ? 0 : sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return err;
}

snc_err snc_journal_all(snc_obs **out, int *n, snc_journal *j)
{
    sqlite3_stmt *st = NULL;
    snc_obs *v = NULL;
    snc_err err = SNC_OK;
    int total = 0, rc;
    SNC_TRY(snc_journal_count(&total, j));
    SNC_TRY(snc_alloc(&v, (size_t)total, sizeof *v));
    *n = 0;
    if (sqlite3_prepare_v2(j->db, "SELECT config, loss, metric, latency_us, bytes, macs FROM evaluation ORDER BY id", -1, &st, NULL) != SQLITE_OK) {
        err = fail(j);
        goto out;
    }
    while (*n < total && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        SNC_GOTO(snc_cfg_parse(&v[*n].cfg, j->space, (const char *)sqlite3_column_text(st, 0)));
        read_row(&v[*n], st, 1);
        ++*n;
    }
    *out = v;
    v = NULL;
out:
    sqlite3_finalize(st);
    snc_free(v);
    return err;
}
