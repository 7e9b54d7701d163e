/* Whole verbs under hostile files: for libFuzzer (libfuzzer.c), and as a test of seconds (replay.c).
 *
 *   input: [u8 slot] [u8 choices] content
 *
 * A verb has a slot for each kind of file that it reads. The content takes the place of one good file, choices are the bits of
 * options; everything else is as a user would have it: a nano model, its teacher and supernet, a task, journals, a finished run
 * (world.c). The verb runs as the program runs it, with its answers swallowed. What must hold, whatever the content: no crash,
 * leak or hang; memory within 16 times the content and 64 MB; a refusal is one line; no output and no temporary file is left by
 * what was refused.
 */
#ifndef SNC_TESTS_FUZZ_VERBS_H
#define SNC_TESTS_FUZZ_VERBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/rng.h"

/* ---- world.c: good files under FOLDER/good, the run's own under FOLDER/work ---------------------------------------- */

enum world_depth { WORLD_FILES, WORLD_MODELS, WORLD_SEARCH, WORLD_RUN }; /* each with all before it */

snc_err world_open(enum world_depth depth) SNC_MUST_USE; /* deeper than before adds what is missing */
void world_close(void);
/* FOLDER/good/name and FOLDER/work/name; kept for the next 64 calls. */
const char *world_good(const char *name);
const char *world_work(const char *name);
void world_clear(void);                                       /* empties work */
void world_copy(const char *folder);                          /* good/folder to work/folder */
void world_put(const char *name, const void *data, size_t n); /* work/name */
bool world_leftover(char name[512]);                          /* a *.tmp* file under work */

/* ---- watch.c: memory and time ---------------------------------------------------------------------------------------- */

void watch_begin(size_t input_bytes); /* from here to the end an allocation beyond the limit aborts with a line */
void watch_end(void);
bool watch_counts(void);                          /* allocations are seen: there is a sanitizer */
const char *watch_program_says(const char *file); /* what programs that are started print, from now on; NULL: they fail */

/* ---- damage.c -------------------------------------------------------------------------------------------------------- */

typedef enum damage_kind { DAMAGE_TEXT, DAMAGE_JSON, DAMAGE_TENSORS, DAMAGE_ARCHIVE, DAMAGE_CHECKPOINT, DAMAGE_DATABASE } damage_kind;

/* Changes bytes without knowing what they are; gives the new size. */
typedef size_t (*damage_bytes)(uint8_t *p, size_t n, size_t max, snc_rng *r);
size_t damage_plain(uint8_t *p, size_t n, size_t max, snc_rng *r);
/* Changes content as its kind is built, and repairs what a reader checks first (lengths, sums), mostly. */
size_t damage(uint8_t *p, size_t n, size_t max, damage_kind kind, snc_rng *r, damage_bytes bytes);

/* ---- verbs.c --------------------------------------------------------------------------------------------------------- */

enum { FUZZ_HEAD = 2, FUZZ_SEEDS = 7, FUZZ_MAX = 1 << 17 };

typedef struct fuzz_slot {
    const char *file;    /* which good file the content replaces */
    const char *folders; /* copied to work before, comma separated; "" none */
    damage_kind kind;
    const char *seeds[FUZZ_SEEDS + 1]; /* good files, NULL-ended; none: the file itself */
} fuzz_slot;

typedef struct fuzz_verb {
    const char *name;
    enum world_depth depth;
    snc_err (*run)(unsigned choices);
    int n_slots;
    const fuzz_slot *slots;
} fuzz_verb;

const fuzz_verb *fuzz_verbs(int *n);
const fuzz_verb *fuzz_verb_find(const char *name); /* NULL: none */
const fuzz_slot *fuzz_slot_of(const fuzz_verb *v, const uint8_t *data, size_t n);
/* Runs the verb once. Aborts when something does not hold. True: the verb took the content. */
bool fuzz_once(const fuzz_verb *v, const uint8_t *data, size_t n);
/* The i-th seed as an input; 0: there are no more. */
size_t fuzz_seed(uint8_t *out, size_t max, const fuzz_verb *v, int i);

#endif
