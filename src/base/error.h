/* base/error.h: how failures travel.
 *
 * A function that can fail returns snc_err and leaves one impersonal line in a thread-local buffer. Callers forward with
 * SNC_TRY and never reword; a function that owns things uses SNC_GOTO and one `out:` label.
 *
 * A pointer that a function was given to fill is set on success alone, or NULL after a failure: what a callee has freed
 * never stays in it, since its caller frees it too.
 *
 *     SNC_TRY(snc_fmap_open(&map, path));
 *     SNC_CHECK(n > 0, SNC_E_FORMAT, "%s: no rows", path);
 */
#ifndef SNC_BASE_ERROR_H
#define SNC_BASE_ERROR_H

#include "snc.h"

enum { SNC_ERR_TEXT = 1024 }; /* bytes behind snc_err_text, part of the contract between our libraries */

/* Stores the formatted line and is `code`, so that `return snc_err_set(...)` reads well; a compiler sees that a failure it is. */
#define snc_err_set(code, ...) (snc_err_say(__VA_ARGS__), (code))
void snc_err_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Puts "prefix: " before the present text; for callers that know the file name when the callee knew only the field. */
snc_err snc_err_prefix(snc_err code, const char *prefix);

#define SNC_TRY(call)                            \
    do {                                         \
        snc_err snc_try_ = (call);               \
        if (snc_try_ != SNC_OK) return snc_try_; \
    } while (0)

/* Needs `snc_err err = SNC_OK;` in scope and an `out:` label that cleans up and returns err. */
#define SNC_GOTO(call)               \
    do {                             \
        err = (call);                \
        if (err != SNC_OK) goto out; \
    } while (0)

#define SNC_CHECK(cond, code, ...)                            \
    do {                                                      \
        if (!(cond)) return snc_err_set((code), __VA_ARGS__); \
    } while (0)

#endif
