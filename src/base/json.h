/* base/json.h: strict reading of small JSON files with cJSON.
 *
 * A config names every key it understands in a table; anything else in the file is an error that names the file and key.
 * A key that an object holds twice, at any depth, is an error of its own: readers would take one or the other.
 *
 *     cJSON *j;  SNC_TRY(snc_json_load(&j, path));
 *     static const char *const keys[] = {"name", "max_length", NULL};
 *     SNC_GOTO(snc_json_check_keys(j, keys, path));
 *     SNC_GOTO(snc_json_int(&n, j, "max_length", 128, 1, 512, path));
 */
#ifndef SNC_BASE_JSON_H
#define SNC_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/error.h"

snc_err snc_json_load(cJSON **out, const char *path) SNC_MUST_USE; /* freed with cJSON_Delete; SNC_E_FORMAT: byte offset, key */
snc_err snc_json_parse(cJSON **out, const char *text, size_t n, const char *where) SNC_MUST_USE;
snc_err snc_json_save(const cJSON *j, const char *path) SNC_MUST_USE; /* pretty, final newline, all or nothing */
/* Goes on from h (0 at first) with the value's text; j is deleted, so that a value made for this can be given at once. */
uint64_t snc_json_hash(uint64_t h, cJSON *j);
/* obj[key] as it is, for what a program of ours has written: NULL, NaN or NULL where there is none of that kind. Borrowed. */
const cJSON *snc_json_at(const cJSON *obj, const char *key);
double snc_json_number(const cJSON *obj, const char *key);
const char *snc_json_text(const cJSON *obj, const char *key);
/* obj[key], a list, which is made where it is absent. Borrowed. */
cJSON *snc_json_list(cJSON *obj, const char *key);
/* Appends {"name","text"} to obj["warnings"]; a text of more than a KB is cut. */
void snc_json_warn(cJSON *obj, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
snc_err snc_json_check_keys(const cJSON *obj, const char *const *keys /* NULL-ended */, const char *where) SNC_MUST_USE;

/* Each reads obj[key]; an absent or null key leaves the default; a wrong type or range is SNC_E_FORMAT naming both. */
snc_err snc_json_int(int *out, const cJSON *obj, const char *key, int def, int min, int max, const char *where) SNC_MUST_USE;
snc_err snc_json_double(double *out, const cJSON *obj, const char *key, double def, double min, double max, const char *where) SNC_MUST_USE;
/* A list of 1 to `most` whole numbers; *n says how many, and stays where the key is absent. */
snc_err snc_json_ints(int *out /* [most] */, int *n, int most, const cJSON *obj, const char *key, int min, int max,
                      const char *where) SNC_MUST_USE;
snc_err snc_json_bool(bool *out, const cJSON *obj, const char *key, bool def, const char *where) SNC_MUST_USE;
/* Borrowed from obj. def may be NULL. */
snc_err snc_json_str(const char **out, const cJSON *obj, const char *key, const char *def, const char *where) SNC_MUST_USE;

/* Text that will stand in a line of an answer, a label say: UTF-8 without control characters, which would part the line. */
snc_err snc_json_check_line(const char *s, const char *what, const char *where) SNC_MUST_USE;
/* A value by itself, such as an item of a list; `what` names it. Nothing else in the tree makes an int of a JSON number. */
snc_err snc_json_whole(int *out, const cJSON *v, int min, int max, const char *what, const char *where) SNC_MUST_USE;

#endif
