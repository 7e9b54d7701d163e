/* libFuzzer's entry points. fuzz_verbs --verb=NAME [libFuzzer's options] CORPUS...; fuzz_verbs --verb=NAME --seeds=FOLDER writes
 * what the corpus begins with; fuzz_verbs --list names the verbs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "verbs.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max);

static const fuzz_verb *verb;

static void write_seeds(const char *folder)
{
    static uint8_t input[FUZZ_MAX];
    char path[4096];
    size_t n;
    for (int i = 0; (n = fuzz_seed(input, sizeof input, verb, i)) > 0; i++) {
        snprintf(path, sizeof path, "%s/seed-%03d", folder, i);
        if (snc_file_write(path, input, n) == SNC_OK) continue;
        fprintf(stderr, "%s\n", snc_err_text());
        exit(2);
    }
}

static void list_verbs(void)
{
    int n;
    const fuzz_verb *v = fuzz_verbs(&n);
    for (int i = 0; i < n; i++) puts(v[i].name);
    exit(0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = "", *seeds = NULL;
    for (int i = 1; i < *argc; i++) {
        if (strncmp((*argv)[i], "--verb=", 7) == 0) name = (*argv)[i] + 7;
        if (strncmp((*argv)[i], "--seeds=", 8) == 0) seeds = (*argv)[i] + 8;
        if (strcmp((*argv)[i], "--list") == 0) list_verbs();
    }
    verb = fuzz_verb_find(name);
    if (!verb || world_open(verb->depth) != SNC_OK) {
        fprintf(stderr, "--verb=%s: %s\n", name, verb ? snc_err_text() : "no such verb");
        exit(2);
    }
    atexit(world_close);
    if (seeds) {
        write_seeds(seeds);
        exit(0);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n >= FUZZ_HEAD) fuzz_once(verb, data, n);
    return 0;
}

static size_t their_mutate(uint8_t *p, size_t n, size_t max, snc_rng *r)
{
    (void)r;
    return LLVMFuzzerMutate(p, n, max);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
    snc_rng r;
    snc_rng_init(&r, seed, 1);
    if (n < FUZZ_HEAD || max < FUZZ_HEAD + 1) return LLVMFuzzerMutate(data, n, max);
    if (snc_rng_below(&r, 8) == 0) data[1] = (uint8_t)snc_rng_below(&r, 256);
    const fuzz_slot *s = fuzz_slot_of(verb, data, n);
    return FUZZ_HEAD + damage(data + FUZZ_HEAD, n - FUZZ_HEAD, max - FUZZ_HEAD, s->kind, &r, their_mutate);
}
