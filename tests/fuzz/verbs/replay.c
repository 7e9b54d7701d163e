/* The same verbs as a test: every good file, every file of the corpus (tests/fuzz/corpus/VERB/), where what once crashed is kept,
 * and some seeded damage to each. replay VERB FILE...: these inputs alone. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "verbs.h"

#define CORPUS SNC_TEST_DIR "/fuzz/corpus/"
static const int rounds_of[] = {[WORLD_FILES] = 40, [WORLD_MODELS] = 40, [WORLD_SEARCH] = 12, [WORLD_RUN] = 6}; /* by what one costs */

static uint8_t seed[FUZZ_MAX], input[FUZZ_MAX];

/* A copy of the exact size, so that a sanitizer sees a read past it. */
static bool try_exact(const fuzz_verb *v, const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n);
    if (!copy) abort();
    memcpy(copy, p, n);
    bool taken = fuzz_once(v, copy, n);
    free(copy);
    return taken;
}

static int torment(const fuzz_verb *v, size_t n, int rounds, snc_rng *r)
{
    int taken = 0;
    for (int i = 0; i < rounds; i++) {
        memcpy(input, seed, n);
        input[1] = (uint8_t)snc_rng_below(r, 256);
        const fuzz_slot *s = fuzz_slot_of(v, input, n);
        size_t m = FUZZ_HEAD + damage(input + FUZZ_HEAD, n - FUZZ_HEAD, sizeof input - FUZZ_HEAD, s->kind, r, damage_plain);
        taken += try_exact(v, input, m);
    }
    return taken;
}

static bool read_input(size_t *n, const char *path)
{
    char *data = NULL;
    if (snc_file_read(&data, n, path) != SNC_OK || *n > sizeof seed) {
        fprintf(stderr, "%s: %s\n", path, snc_err_text());
        return false;
    }
    memcpy(seed, data, *n);
    snc_free(data);
    return true;
}

/* Every file of the verb's corpus; false: one cannot be read. */
static bool corpus(const fuzz_verb *v, snc_rng *r)
{
    char folder[1024], path[2048];
    bool ok = true;
    size_t n = 0;
    snprintf(folder, sizeof folder, CORPUS "%s", v->name);
    DIR *d = opendir(folder);
    for (struct dirent *e; d && ok && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        ok = read_input(&n, path);
        if (!ok || n < FUZZ_HEAD) continue;
        try_exact(v, seed, n);
        torment(v, n, 4, r);
    }
    if (d) closedir(d);
    return ok;
}

static bool replay(const fuzz_verb *v)
{
    size_t n;
    int seeds = 0, good = 0, taken = 0, rounds = 0;
    snc_rng r;
    snc_rng_init(&r, 7, 1);
    for (; (n = fuzz_seed(seed, sizeof seed, v, seeds)) > 0; seeds++) {
        good += try_exact(v, seed, n);
        taken += torment(v, n, rounds_of[v->depth], &r);
        rounds += rounds_of[v->depth];
    }
    bool ok = corpus(v, &r);
    printf("%-9s %2d good files, %2d taken; %4d damaged, %4d taken\n", v->name, seeds, good, rounds, taken);
    /* A verb that takes none of its good files, or all damaged ones, was not tried. */
    return ok && good * 2 >= seeds && taken < rounds;
}

/* One allocation beyond the limit ends a process, where allocations are counted at all. */
static bool limit_holds(void)
{
    int status = 0;
    if (!watch_counts()) return true;
    pid_t child = fork();
    if (child == 0) {
        watch_begin(1000);
        void *p = NULL;
        if (snc_alloc(&p, (64 << 20) + 16 * 1000 - 4096, 1) != SNC_OK) _exit(1);
        snc_free(p);
        _exit(snc_alloc(&p, (64 << 20) + 16 * 1000 + 1, 1) == SNC_OK);
    }
    return waitpid(child, &status, 0) == child && !(WIFEXITED(status) && WEXITSTATUS(status) < 2);
}

int main(int argc, char **argv)
{
    int n = 0, failed = 0;
    const fuzz_verb *v = fuzz_verbs(&n), *one = argc > 1 ? fuzz_verb_find(argv[1]) : NULL;
    if ((argc > 1 && !one) || world_open(one ? one->depth : WORLD_RUN) != SNC_OK) {
        fprintf(stderr, "%s\n", argc > 1 && !one ? "usage: replay [VERB FILE...]" : snc_err_text());
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        size_t bytes = 0;
        if (!read_input(&bytes, argv[i]) || bytes < FUZZ_HEAD) failed++;
        else printf("%s: %s\n", argv[i], try_exact(one, seed, bytes) ? "taken" : snc_err_text());
    }
    if (one && argc == 2) failed += !replay(one);
    if (!limit_holds()) failed++, fprintf(stderr, "an allocation beyond the limit was not noticed\n");
    for (int i = 0; i < n && argc == 1; i++) failed += !replay(&v[i]);
    world_close();
    return failed > 0;
}
