/* base/fmap.h: files: read-only maps, whole reads, and writes that either finish or leave nothing.
 *
 * Nothing else in the tree opens a file to write it (a lint test looks), so what is said here holds of every output: a symbolic link
 * is followed to what it names, which is replaced while the link stays; a folder, device, FIFO or socket is refused by name, and so
 * is a file that may not be written to.
 *
 *     snc_fmap *m;  SNC_TRY(snc_fmap_open(&m, path));  use(m->data, m->size);  snc_fmap_close(m);
 *     snc_fout *f;  SNC_TRY(snc_fout_open(&f, path));  snc_fout_write(f, p, n) ...  snc_fout_commit(f) or snc_fout_abort(f);
 */
#ifndef SNC_BASE_FMAP_H
#define SNC_BASE_FMAP_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

/* A program may carry a file behind itself, and is then read as that file: the program (ELF), zeros up to a multiple of
 * SNC_CARRIED_ALIGN, the file, its size as 8 bytes, the lowest first, and these 8 bytes. */
#define SNC_CARRIED_MARK "SNCFILE\n"
enum { SNC_CARRIED_ALIGN = 1 << 16, SNC_CARRIED_TAIL = 16 };

typedef struct snc_fmap {
    const unsigned char *data; /* NULL when size = 0 */
    size_t size;
} snc_fmap;

snc_err snc_fmap_open(snc_fmap **out,
                      const char *path) SNC_MUST_USE; /* SNC_E_IO: missing, a folder, unreadable; SNC_E_FORMAT: a Git LFS pointer, or a
                                                         program that was cut where it carries a file */
/* The same by a copy in memory: what becomes of the file afterwards does not matter. SNC_E_IO too: it shrank meanwhile. */
snc_err snc_fmap_read(snc_fmap **out, const char *path) SNC_MUST_USE;
void snc_fmap_close(snc_fmap *m);

/* The whole file plus a NUL byte, freed with snc_free. */
snc_err snc_file_read(char **out, size_t *size, const char *path) SNC_MUST_USE;

/* The file of the program that runs, as the system was told to start it: without /proc, and as the folder was then. NULL: it was not. */
const char *snc_program_path(void);

/* What path names behind all symbolic links, there or not yet. SNC_E_IO: too many of them; SNC_E_ARG: too long. */
snc_err snc_link_target(char *buf, size_t size, const char *path) SNC_MUST_USE;
/* The file that writing to path would make or replace. SNC_E_IO: what is there is no file; SNC_E_ARG: too long. */
snc_err snc_write_target(char *buf, size_t size, const char *path) SNC_MUST_USE;

/* Writes to "path.tmp.PID"; commit syncs and renames onto path; abort removes it. Both free the handle.
 * Opening removes what killed processes left of this file or of one beside it ("path[.word].tmp.PID" of a process that is gone). */
typedef struct snc_fout snc_fout;
snc_err snc_fout_open(snc_fout **out, const char *path) SNC_MUST_USE;
snc_err snc_fout_name(char *buf, size_t size, const char *path) SNC_MUST_USE; /* "path.tmp.PID" */
snc_err snc_fout_write(snc_fout *f, const void *data, size_t n) SNC_MUST_USE;
snc_err snc_fout_executable(snc_fout *f) SNC_MUST_USE; /* by all who may read it */
int snc_fout_descriptor(const snc_fout *f);            /* of its own, for a lock that outlives f; the caller closes it. -1: none */
snc_err snc_fout_commit(snc_fout *f) SNC_MUST_USE;
void snc_fout_abort(snc_fout *f);

/* A file that grows from nothing while people read it: a log. */
snc_err snc_stream_open(FILE **out, const char *path) SNC_MUST_USE;

snc_err snc_file_write(const char *path, const void *data, size_t n) SNC_MUST_USE; /* open, write, commit */
snc_err snc_file_move(const char *to, const char *from) SNC_MUST_USE;              /* rename(2): in the place of what is there */

bool snc_is_there(const char *path);                           /* whatever it is */
bool snc_is_carrier(const char *path);                         /* a program with a file behind itself */
bool snc_file_begins(const char *path, const char *with_file); /* with all that the other file holds, as it lies on the disk */
bool snc_is_file(const char *path);
double snc_file_size(const char *path); /* bytes; 0 for anything that is no file */
bool snc_is_dir(const char *path);
bool snc_is_same_file(const char *a, const char *b); /* by whatever names; false when either is absent */
bool snc_dir_is_empty(const char *path);             /* false for anything that is no readable folder */
/* Every name in a folder but "." and "..", in no order; none for anything that is no readable folder. */
void snc_dir_each(const char *path, void (*fn)(void *user, const char *name), void *user);
snc_err snc_mkdir(const char *path) SNC_MUST_USE; /* with parents; an existing folder is fine */
/* "dir/name" into buf; SNC_E_ARG when it does not fit. */
snc_err snc_path_join(char *buf, size_t size, const char *dir, const char *name) SNC_MUST_USE;
snc_err snc_file_hash(uint64_t *out, const char *path) SNC_MUST_USE; /* XXH3 of the whole file (base/digest.h) */
uint64_t snc_bytes_hash(uint64_t h, const void *p, size_t n);        /* FNV-1a, 64 bits, for short keys; start with h = 0 */

/* Asks for 2 MB pages inside a fresh block of memory: fewer TLB misses in passes over it. A wish; nothing depends on it. */
void snc_advise_huge(void *p, size_t bytes);
/* Zeroes a block of private memory; its 2 MB pages are given back, and come as zeros to whoever touches them first: what a plan for the
 * longest batch never uses costs nothing, and pages lie near the thread that works on them. */
void snc_clear_block(void *p, size_t bytes);
/* Fresh zero pages, `bytes` a multiple of 2 MB and so aligned, on 2 MB pages where the system grants them. NULL: no memory. */
void *snc_pages_map(size_t bytes);
void snc_pages_unmap(void *p, size_t bytes);

#endif
