/* Damage that gets past the first checks: JSON stays JSON, a header's length and a sum are those of what is there. */
#define _POSIX_C_SOURCE 200809L
#include "verbs.h"

#include <cjson/cJSON.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/seal.h"
#include "mutate.h"

static const char *const nasty_numbers[] = {
    "0",     "1",     "-1",      "2",        "3",          "7",          "8",           "15",         "16",         "17",
    "63",    "64",    "65",      "127",      "128",        "255",        "256",         "512",        "1000",       "4096",
    "65535", "65536", "1000000", "16777216", "2147483647", "2147483648", "-2147483648", "4294967295", "4294967296", "9007199254740993",
    "1e18",  "-1e18", "1e38",    "1e39",     "1e308",      "1e999",      "-1e999",      "0.5",        "1e-9",       "1e-320",
    "-0.0"};
static const char *const nasty_strings[] = {
    "",
    "0",
    "-1",
    "true",
    "auto",
    "int8",
    "int4",
    "bf16",
    "f32",
    "F32",
    "I8",
    "U8",
    "BF16",
    "F64",
    "tied",
    "apart",
    "even",
    "\n",
    "\t",
    "%s%n",
    "../x",
    "/",
    ".",
    "caf\xc3\xa9",
    "\xf0\x9f\x98\x80",
    "[CLS]",
    "##",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
#define ANY(list, r) (list)[snc_rng_below(r, sizeof(list) / sizeof *(list))]

size_t damage_plain(uint8_t *p, size_t n, size_t max, snc_rng *r)
{
    size_t at = n ? snc_rng_below(r, (uint32_t)n) : 0;
    if (n + 8 < max && snc_rng_below(r, 4) == 0) { /* something put in, often what is there already */
        const char *s = snc_rng_below(r, 2) ? ANY(nasty_numbers, r) : &"\t\n\"{}[]"[snc_rng_below(r, 6)];
        size_t len = strnlen(s, 8);
        memmove(p + at + len, p + at, n - at);
        memcpy(p + at, s, len);
        return n + len;
    }
    mutant m = mutate(p, n, r, 0, n);
    memcpy(p, m.p, m.n);
    n = m.n;
    free(m.p);
    return n;
}

/* ---- JSON -------------------------------------------------------------------------------------------------------------- */

static uint32_t count(const cJSON *j)
{
    uint32_t n = 1;
    const cJSON *it;
    cJSON_ArrayForEach(it, j) n += count(it);
    return n;
}

/* The k-th node in the order of the text, and its parent. */
static cJSON *node(cJSON **parent, cJSON *j, cJSON *above, uint32_t *k)
{
    *parent = above;
    if ((*k)-- == 0) return j;
    for (cJSON *it = j->child; it; it = it->next) {
        cJSON *found = node(parent, it, j, k);
        if (found) return found;
    }
    return NULL;
}

static cJSON *any_node(cJSON **parent, cJSON *root, snc_rng *r)
{
    uint32_t k = snc_rng_below(r, count(root));
    return node(parent, root, NULL, &k);
}

static cJSON *another(cJSON *root, snc_rng *r)
{
    cJSON *ignored;
    switch (snc_rng_below(r, 8)) {
    case 0: return cJSON_CreateNull();
    case 1: return cJSON_CreateBool(snc_rng_below(r, 2) != 0);
    case 2: return cJSON_CreateString(ANY(nasty_strings, r));
    case 3: return cJSON_CreateArray();
    case 4: return cJSON_CreateObject();
    case 5: return cJSON_Duplicate(any_node(&ignored, root, r), 1);
    default: return cJSON_CreateRaw(ANY(nasty_numbers, r));
    }
}

/* Puts x where old is, under the same name. */
static void replace(cJSON *parent, cJSON *old, cJSON *x)
{
    if (!x) return;
    cJSON_free(x->string);
    x->string = old->string ? strdup(old->string) : NULL;
    cJSON_ReplaceItemViaPointer(parent, old, x);
}

static void change_string(cJSON *parent, cJSON *old, snc_rng *r, damage_bytes bytes)
{
    char text[512];
    size_t n = strnlen(old->valuestring, sizeof text - 64);
    memcpy(text, old->valuestring, n);
    n = bytes((uint8_t *)text, n, sizeof text - 1, r);
    text[n] = 0;
    replace(parent, old, cJSON_CreateString(text));
}

static void change_json(cJSON *root, snc_rng *r, damage_bytes bytes)
{
    cJSON *parent, *x = any_node(&parent, root, r), *copy;
    if (!x || !parent) return;
    switch (snc_rng_below(r, 8)) {
    case 0: cJSON_Delete(cJSON_DetachItemViaPointer(parent, x)); break;
    case 1: /* said twice, or many times */
        for (uint32_t i = snc_rng_below(r, 8) ? 1 : 1 + snc_rng_below(r, 200); i > 0; i--) {
            copy = cJSON_Duplicate(x, 1);
            if (x->string) cJSON_AddItemToObject(parent, x->string, copy);
            else cJSON_AddItemToArray(parent, copy);
        }
        break;
    case 2:
        if (!x->string) break;
        copy = cJSON_Duplicate(x, 1); /* renamed */
        cJSON_AddItemToObject(parent, ANY(nasty_strings, r), copy);
        cJSON_Delete(cJSON_DetachItemViaPointer(parent, x));
        break;
    case 3:
    case 4:
        if (cJSON_IsString(x)) {
            change_string(parent, x, r, bytes);
            break;
        } /* fallthrough */
    case 5:
        if (cJSON_IsNumber(x)) {
            double v = x->valuedouble + (snc_rng_below(r, 2) ? 1 : -1);
            replace(parent, x, snc_rng_below(r, 2) ? cJSON_CreateRaw(ANY(nasty_numbers, r)) : cJSON_CreateNumber(v));
            break;
        } /* fallthrough */
    default: replace(parent, x, another(root, r)); break;
    }
}

static bool inside(cJSON *root, snc_rng *r, damage_bytes bytes);

/* The text after changes, freed with cJSON_free; NULL: it was no JSON. */
static char *changed(const char *text, size_t n, snc_rng *r, damage_bytes bytes)
{
    cJSON *j = cJSON_ParseWithLength(text, n);
    char *out = NULL;
    for (uint32_t k = 1 + snc_rng_below(r, 3); j && k > 0; k--)
        if (!inside(j, r, bytes)) change_json(j, r, bytes);
    if (j) out = cJSON_PrintUnformatted(j);
    cJSON_Delete(j);
    return out;
}

/* JSON within a string of JSON, as .snc metadata has it: changed half the time. */
static bool inside(cJSON *root, snc_rng *r, damage_bytes bytes)
{
    cJSON *meta = cJSON_GetObjectItemCaseSensitive(root, "__metadata__"), *it;
    int n = cJSON_GetArraySize(meta);
    if (n == 0 || snc_rng_below(r, 3) == 0) return false;
    it = cJSON_GetArrayItem(meta, (int)snc_rng_below(r, (uint32_t)n));
    if (!cJSON_IsString(it) || (*it->valuestring != '{' && *it->valuestring != '[')) return false;
    char *text = changed(it->valuestring, strlen(it->valuestring), r, bytes);
    if (!text) return false;
    replace(meta, it, cJSON_CreateString(text));
    cJSON_free(text);
    return true;
}

static size_t damage_json(uint8_t *p, size_t n, size_t max, snc_rng *r, damage_bytes bytes)
{
    const void *text = p;
    char *out = changed(text, n, r, bytes);
    if (!out) return bytes(p, n, max, r);
    size_t m = strlen(out);
    if (m <= max) memcpy(p, out, m);
    cJSON_free(out);
    return m <= max ? m : n;
}

/* ---- safetensors and .snc ------------------------------------------------------------------------------------------------ */

static uint64_t get(const uint8_t *p, int bytes)
{
    uint64_t v = 0;
    for (int i = bytes - 1; i >= 0; i--) v = v << 8 | p[i];
    return v;
}

static void set(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) p[i] = (uint8_t)(v >> (8 * i));
}

/* A digest is no defence against who means harm: it is put right, mostly. */
static size_t sealed(uint8_t *p, size_t n, snc_rng *r)
{
    uint64_t head = n >= 8 ? get(p, 8) : 0;
    size_t at = head >= 2 && head <= n - 8 ? snc_seal_find(p + 8, (size_t)head) : 0;
    if (at && snc_rng_below(r, 32)) snc_seal_set(p + 8 + at, &(snc_digest_part){p, n}, 1);
    return n;
}

static size_t damage_tensors(uint8_t *p, size_t n, size_t max, snc_rng *r, damage_bytes bytes)
{
    uint64_t head = n >= 8 ? get(p, 8) : 0;
    if (head < 2 || head > n - 8 || snc_rng_below(r, 16) == 0) return bytes(p, n, max, r);
    size_t data = 8 + (size_t)head, rest = n - data;
    if (rest && snc_rng_below(r, 5) == 0) { /* values, of the same number */
        uint8_t *copy = malloc(rest + 1);
        if (!copy) abort();
        memcpy(copy, p + data, rest);
        size_t m = bytes(copy, rest, rest, r);
        memcpy(p + data, copy, m < rest ? m : rest);
        free(copy);
        return n;
    }
    const void *text = p + 8;
    char *out = changed(text, (size_t)head, r, bytes);
    if (!out) return bytes(p, n, max, r);
    size_t m = strlen(out), padded = (m + 8 + 63) / 64 * 64 - 8;
    if (8 + padded + rest <= max) {
        memmove(p + 8 + padded, p + data, rest);
        memset(p + 8, ' ', padded);
        memcpy(p + 8, out, m);
        set(p, padded, 8);
        n = 8 + padded + rest;
    }
    cJSON_free(out);
    return n;
}

/* ---- zip ----------------------------------------------------------------------------------------------------------------- */

/* The sums of all entries that are stored as they are. */
static void repair_archive(uint8_t *p, size_t n)
{
    for (size_t at = 0; at + 46 <= n; at++) {
        if (get(p + at, 4) != 0x02014b50) continue;
        uint64_t method = get(p + at + 10, 2), size = get(p + at + 20, 4), local = get(p + at + 42, 4);
        if (method != 0 || local > n || n - local < 30) continue;
        uint64_t data = local + 30 + get(p + local + 26, 2) + get(p + local + 28, 2);
        if (data > n || size > n - data) continue;
        uint64_t sum = crc32(0, p + data, (uInt)size);
        set(p + at + 16, sum, 4);
        set(p + local + 14, sum, 4);
    }
}

/* ---- checkpoints --------------------------------------------------------------------------------------------------------- */

static uint64_t hash_piece(uint64_t h, const uint8_t *p, size_t n)
{
    for (; n >= 8; p += 8, n -= 8) {
        h = (h ^ get(p, 8)) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return n ? (h ^ get(p, (int)n)) * 0x9e3779b97f4a7c15u : h;
}

/* As train/checkpoint.h lays it out: the sum is taken piece by piece. */
static void repair_checkpoint(uint8_t *p, size_t n)
{
    enum { HEAD = 24, FACT = 40 };
    if (n < HEAD + 8) return;
    uint64_t facts = get(p + 12, 4), blocks = get(p + 16, 8), at = HEAD + facts * FACT;
    if (facts > 1000 || blocks > 1000 || at + blocks * 8 > n - 8) return;
    const uint8_t *sizes = p + at;
    uint64_t h = hash_piece(0, p, (size_t)(at + blocks * 8));
    at += blocks * 8;
    for (uint64_t i = 0; i < blocks; i++) {
        uint64_t size = get(sizes + 8 * i, 8);
        if (size > n - 8 - at) return;
        h = hash_piece(h, p + at, (size_t)size);
        at += size;
    }
    if (at == n - 8) set(p + at, h, 8);
}

/* ---- journals ------------------------------------------------------------------------------------------------------------ */

static void any_sql(char *sql, size_t size, snc_rng *r)
{
    static const char *const columns[] = {"evaluation SET config",
                                          "evaluation SET loss",
                                          "evaluation SET metric",
                                          "evaluation SET latency_us",
                                          "evaluation SET bytes",
                                          "evaluation SET macs",
                                          "evaluation SET source",
                                          "evaluation SET id",
                                          "meta SET value",
                                          "meta SET key",
                                          "note SET value",
                                          "note SET kind",
                                          "note SET at"};
    static const char *const values[] = {"NULL",
                                         "-1",
                                         "0",
                                         "1e308",
                                         "9e999",
                                         "-9e999",
                                         "9223372036854775807",
                                         "''",
                                         "'0'",
                                         "'x'",
                                         "x'00ff'",
                                         "'{}'",
                                         "'[]'",
                                         "'[[[['",
                                         "'{\"round\":1}'",
                                         "zeroblob(3000)",
                                         "'0.0.0.0'",
                                         "'255.1.1'",
                                         "'99999999999.0'",
                                         "'nan'",
                                         "loss",
                                         "config||'.0'",
                                         "replace(config,'0','1')",
                                         "substr(value,2)",
                                         "value||value",
                                         "replace(value,'1','-1')",
                                         "replace(value,'options','')",
                                         "replace(value,'[','{')",
                                         "replace(value,'2','99')"};
    static const char *const others[] = {
        "DELETE FROM meta WHERE rowid=",
        "DELETE FROM evaluation WHERE id=",
        "DELETE FROM note WHERE at>",
        "DROP TABLE note --",
        "DROP TABLE meta --",
        "DROP TABLE evaluation --",
        "ALTER TABLE evaluation RENAME COLUMN loss TO l",
        "INSERT OR IGNORE INTO note(kind,value,at) SELECT 'predictor','{}',",
        "CREATE TRIGGER t AFTER INSERT ON evaluation BEGIN DELETE FROM evaluation; END --",
        "INSERT OR IGNORE INTO evaluation(config,loss) SELECT config||'0',loss FROM evaluation WHERE id<>"};
    if (snc_rng_below(r, 4) == 0) snprintf(sql, size, "%s%u", ANY(others, r), snc_rng_below(r, 8));
    else
        snprintf(sql, size, "UPDATE OR REPLACE %s=%s WHERE rowid%%%u=%u", ANY(columns, r), ANY(values, r), 1 + snc_rng_below(r, 7),
                 snc_rng_below(r, 3));
}

static size_t damage_database(uint8_t *p, size_t n, size_t max, snc_rng *r, damage_bytes bytes)
{
    sqlite3 *db = NULL;
    sqlite3_int64 size = 0;
    char sql[512];
    unsigned char *copy = sqlite3_malloc64(n + 1), *out = NULL;
    if (snc_rng_below(r, 3) == 0 || !copy || sqlite3_open(":memory:", &db) != SQLITE_OK) {
        sqlite3_free(copy);
        sqlite3_close(db);
        return bytes(p, n, max, r);
    }
    memcpy(copy, p, n);
    int rc = sqlite3_deserialize(db, "main", copy, (sqlite3_int64)n, (sqlite3_int64)n,
                                 SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
    sqlite3_exec(db, "PRAGMA journal_mode=OFF", NULL, NULL, NULL);
    for (uint32_t k = 1 + snc_rng_below(r, 3); rc == SQLITE_OK && k > 0; k--) {
        any_sql(sql, sizeof sql, r);
        sqlite3_exec(db, sql, NULL, NULL, NULL);
    }
    if (rc == SQLITE_OK) out = sqlite3_serialize(db, "main", &size, 0);
    if (out && size > 0 && (size_t)size <= max) memcpy(p, out, n = (size_t)size);
    else n = bytes(p, n, max, r);
    sqlite3_free(out);
    sqlite3_close(db);
    return n;
}

size_t damage(uint8_t *p, size_t n, size_t max, damage_kind kind, snc_rng *r, damage_bytes bytes)
{
    switch (kind) {
    case DAMAGE_JSON: return snc_rng_below(r, 4) ? damage_json(p, n, max, r, bytes) : bytes(p, n, max, r);
    case DAMAGE_TENSORS: return sealed(p, damage_tensors(p, n, max, r, bytes), r);
    case DAMAGE_DATABASE: return damage_database(p, n, max, r, bytes);
    case DAMAGE_ARCHIVE:
        n = bytes(p, n, max, r);
        if (snc_rng_below(r, 8)) repair_archive(p, n);
        return n;
    case DAMAGE_CHECKPOINT:
        n = bytes(p, n, max, r);
        if (snc_rng_below(r, 8)) repair_checkpoint(p, n);
        return n;
    default: return bytes(p, n, max, r);
    }
}
