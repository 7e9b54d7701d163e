/* A hash runs along with the writing and is compared before any block is copied: a checkpoint is taken whole or not at all. */
#include "train/checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/fmap.h"

static const char magic[8] = {'S', 'N', 'C', 'T', 'R', 'A', 'I', 'N'};
enum { VERSION = 3 };

typedef struct head {
    char magic[8];
    uint32_t version, facts;
    uint64_t blocks;
} head;

static snc_fact fact(const char *name)
{
    snc_fact f;
    memset(&f, 0, sizeof f);
    snprintf(f.name, sizeof f.name, "%s", name);
    return f;
}

snc_fact snc_fact_number(const char *name, double v)
{
    snc_fact f = fact(name);
    f.v.number = v;
    return f;
}

snc_fact snc_fact_hash(const char *name, uint64_t v)
{
    snc_fact f = fact(name);
    f.v.hash = v;
    f.is_hash = 1;
    return f;
}

/* Eight bytes at a time: a checkpoint has hundreds of megabytes. Pieces other than the last of a file are multiples of 8
 * or are hashed with their tail padded by zeros, the same in save and load. */
static uint64_t hash_block(uint64_t h, const void *data, size_t n)
{
    const unsigned char *p = data;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t x;
        memcpy(&x, p, 8);
        h = (h ^ x) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    uint64_t tail = 0;
    if (n) memcpy(&tail, p, n);
    return n ? (h ^ tail) * 0x9e3779b97f4a7c15u : h;
}

static snc_err put(snc_fout *f, uint64_t *h, const void *data, size_t n)
{
    *h = hash_block(*h, data, n);
    return snc_fout_write(f, data, n);
}

static snc_err write_all(snc_fout *f, const snc_fact *facts, int n_facts, const snc_block *blocks, int n_blocks)
{
    uint64_t h = 0;
    head top = {.version = VERSION, .facts = (uint32_t)n_facts, .blocks = (uint64_t)n_blocks};
    memcpy(top.magic, magic, sizeof magic);
    SNC_TRY(put(f, &h, &top, sizeof top));
    SNC_TRY(put(f, &h, facts, (size_t)n_facts * sizeof *facts));
    for (int i = 0; i < n_blocks; i++) {
        uint64_t bytes = blocks[i].bytes;
        SNC_TRY(put(f, &h, &bytes, sizeof bytes));
    }
    for (int i = 0; i < n_blocks; i++) SNC_TRY(put(f, &h, blocks[i].data, blocks[i].bytes));
    return snc_fout_write(f, &h, sizeof h);
}

snc_err snc_checkpoint_save(const char *path, const snc_fact *facts, int n_facts, const snc_block *blocks, int n_blocks)
{
    snc_fout *f = NULL;
    SNC_TRY(snc_fout_open(&f, path));
    snc_err err = write_all(f, facts, n_facts, blocks, n_blocks);
    if (!err) return snc_fout_commit(f);
    snc_fout_abort(f);
    return err;
}

static snc_err compare_facts(const char *path, const unsigned char *at, const snc_fact *facts, int n)
{
    for (int i = 0; i < n; i++) {
        snc_fact was;
        memcpy(&was, at + (size_t)i * sizeof was, sizeof was);
        was.name[SNC_FACT_NAME - 1] = 0;
        SNC_CHECK(strcmp(was.name, facts[i].name) == 0, SNC_E_ARG, "%s: checkpoint of another kind of run (%s where %s was expected)", path,
                  was.name, facts[i].name);
        if (was.v.hash == facts[i].v.hash) continue; /* a number too: by its bits */
        SNC_CHECK(!facts[i].is_hash, SNC_E_ARG, "%s: checkpoint of other inputs: another %s", path, was.name);
        return snc_err_set(SNC_E_ARG, "%s: checkpoint of other inputs: %s was %.9g, now %.9g", path, was.name, was.v.number,
                           facts[i].v.number);
    }
    return SNC_OK;
}

static snc_err check_map(const char *path, const snc_fmap *m, const snc_fact *facts, int n_facts, const snc_block *blocks, int n_blocks)
{
    head top;
    SNC_CHECK(m->size >= sizeof top + 8 && memcmp(m->data, magic, sizeof magic) == 0, SNC_E_FORMAT, "%s: not a training checkpoint", path);
    memcpy(&top, m->data, sizeof top);
    SNC_CHECK(top.version == VERSION, SNC_E_FORMAT, "%s: checkpoint version %u, this program reads %d", path, top.version, VERSION);
    SNC_CHECK(top.facts == (uint32_t)n_facts, SNC_E_ARG, "%s: checkpoint of another kind of run", path);
    size_t at = sizeof top + (size_t)n_facts * sizeof *facts, need = at + (size_t)n_blocks * 8 + 8;
    SNC_CHECK(m->size >= need, SNC_E_FORMAT, "%s: checkpoint is cut short", path);
    SNC_TRY(compare_facts(path, m->data + sizeof top, facts, n_facts));
    SNC_CHECK(top.blocks == (uint64_t)n_blocks, SNC_E_ARG, "%s: checkpoint of another kind of run", path);
    for (int i = 0; i < n_blocks; i++) {
        uint64_t bytes;
        memcpy(&bytes, m->data + at + (size_t)i * 8, 8);
        SNC_CHECK(bytes == blocks[i].bytes, SNC_E_ARG, "%s: checkpoint of another model (block %d has other bytes)", path, i);
        need += blocks[i].bytes;
    }
    SNC_CHECK(m->size == need, SNC_E_FORMAT, "%s: %zu bytes, a whole checkpoint has %zu", path, m->size, need);
    return SNC_OK;
}

snc_err snc_checkpoint_load(const char *path, const snc_fact *facts, int n_facts, const snc_block *blocks, int n_blocks)
{
    snc_fmap *m = NULL;
    SNC_TRY(snc_fmap_open(&m, path));
    snc_err err = check_map(path, m, facts, n_facts, blocks, n_blocks);
    if (err) goto out;
    size_t at = sizeof(head), size = (size_t)n_facts * sizeof *facts;
    uint64_t h = hash_block(hash_block(0, m->data, at), m->data + at, size), want;
    at += size;
    for (int i = 0; i < n_blocks; i++, at += 8) h = hash_block(h, m->data + at, 8);
    size_t body = at;
    for (int i = 0; i < n_blocks; at += blocks[i++].bytes) h = hash_block(h, m->data + at, blocks[i].bytes);
    memcpy(&want, m->data + at, sizeof want);
    if (h != want) {
        err = snc_err_set(SNC_E_FORMAT, "%s: checkpoint is damaged", path);
        goto out;
    }
    for (int i = 0; i < n_blocks; body += blocks[i++].bytes)
        if (blocks[i].bytes) memcpy(blocks[i].data, m->data + body, blocks[i].bytes);
out:
    snc_fmap_close(m);
    return err;
}
