/* snc.h: the one public header of the supernet compressor (C and C++).
 *
 * A stage is one function: files in, one artifact out, no shared memory between stages. The second half of the header is
 * the embeddable runtime: open a compressed model, classify texts, close it.
 *
 *     snc_classifier *m; snc_session *s; snc_result r;
 *     if (snc_classifier_open(&m, "compressed.snc")) die(snc_err_text());
 *     if (snc_session_new(&s, m, 1)) die(snc_err_text());
 *     if (snc_classify(&r, s, &(snc_text){.a = "a fine film"}, 1)) die(snc_err_text());
 *     printf("%s %.3f\n", r.label, r.score);
 *     snc_session_free(s); snc_classifier_close(m);
 *
 * Ownership: a pointer-to-pointer first argument is given to the caller, who frees it; returned strings are borrowed from
 * their parent. Threads: a classifier is immutable and may be shared; a session belongs to one thread at a time.
 */
#ifndef SNC_H
#define SNC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SNC_MUST_USE __attribute__((warn_unused_result))
#else
#define SNC_MUST_USE
#endif

/* Every call that can fail returns one of these; the sentence for people is in snc_err_text(). */
typedef enum snc_err {
    SNC_OK = 0,
    SNC_E_ARG = -1,         /* an argument or option makes no sense */
    SNC_E_NOMEM = -2,
    SNC_E_IO = -3,          /* open, read, write, rename */
    SNC_E_FORMAT = -4,      /* a file is not what it says it is */
    SNC_E_SHAPE = -5,       /* sizes that do not fit together */
    SNC_E_NOTFOUND = -6,    /* a name that is not there */
    SNC_E_UNSUPPORTED = -7, /* understood, but not built or not possible here */
    SNC_E_BACKEND = -8,     /* a library below us failed */
    SNC_E_DIVERGED = -9,    /* a loss or weight is not finite */
    SNC_E_CANCELLED = -10   /* interrupted; what was saved is usable */
} snc_err;

/* One line about the last failure on this thread; "" when there was none. Kept until the next failure. */
const char *snc_err_text(void);

#ifdef __cplusplus
}
#endif
#endif
