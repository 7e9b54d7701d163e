/* Memory is counted by the sanitizer's hooks where there are any; pages that are mapped for weights are counted when a block is
 * larger than the pool's ordinary one, of which only what is written costs anything. Time is a clock that every look at
 * moves on, so that what is measured for seconds takes microseconds and every run takes the same way. */
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/proc.h"

enum { ALLOWED = 64 << 20, TIMES = 16, POOL_BLOCK = 16 << 20 };
static const double TICK = 0.25;

static bool watching;
static size_t limit;
static int64_t live;
static char *says;

static void add(size_t n)
{
    if (!watching) return;
    live += (int64_t)n;
    if (n <= limit && live <= (int64_t)limit) return;
    watching = false;
    fprintf(stderr, "allocation: %zu bytes, %lld in all, of %zu allowed\n", n, (long long)live, limit);
    abort();
}

__attribute__((weak)) int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
                                                                    void (*)(const volatile void *));
__attribute__((weak)) size_t __sanitizer_get_allocated_size(const volatile void *p);

static bool called;

static void on_malloc(const volatile void *p, size_t n)
{
    (void)p;
    called = true;
    add(n);
}

static void on_free(const volatile void *p)
{
    if (watching && p) live -= (int64_t)__sanitizer_get_allocated_size(p);
}

/* UBSan by itself takes hooks as well, and never calls them. */
bool watch_counts(void)
{
    static bool asked;
    void *p = NULL;
    if (asked || !__sanitizer_install_malloc_and_free_hooks) return called;
    asked = true;
    if (__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0 && snc_alloc(&p, 1, 1) == SNC_OK) snc_free(p);
    return called;
}

void watch_begin(size_t input_bytes)
{
    watch_counts();
    limit = (size_t)ALLOWED + TIMES * input_bytes;
    live = 0;
    watching = true;
}

void watch_end(void) { watching = false; }

const char *watch_program_says(const char *file)
{
    snc_free(says);
    says = NULL;
    if (file && snc_file_read(&says, NULL, file) != SNC_OK) says = NULL;
    return says;
}

/* ---- in the place of the library's own, by the linker's --wrap -------------------------------------------------------- */

double __wrap_snc_now(void);
void *__real_snc_pages_map(size_t bytes);
void *__wrap_snc_pages_map(size_t bytes);
snc_err __wrap_snc_proc_run(char **out, const snc_ctx *ctx, const char *const *argv);

double __wrap_snc_now(void)
{
    static double now;
    return now += TICK;
}

void *__wrap_snc_pages_map(size_t bytes)
{
    if (bytes > POOL_BLOCK) add(bytes);
    return __real_snc_pages_map(bytes);
}

snc_err __wrap_snc_proc_run(char **out, const snc_ctx *ctx, const char *const *argv)
{
    (void)ctx;
    if (strcmp(argv[1], "--version") == 0) return snc_strdup(out, "compress " SNC_VERSION "\n");
    SNC_CHECK(says, SNC_E_BACKEND, "%s: ended with status 1", argv[0]);
    return snc_strdup(out, says);
}
