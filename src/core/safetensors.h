/* core/safetensors.h: the safetensors format, read without copying and written all or nothing.
 *
 *   [u64 LE: n] [n bytes of JSON] [data]
 *   JSON: {"__metadata__":{"key":"text"},"name":{"dtype":"F32","shape":[2,3],"data_offsets":[begin,end]}, ...}
 *
 * Offsets count from the start of data. The reader believes nothing: header length (at most 100 MB), JSON, dtypes, shape
 * product against bytes, and that the tensors tile the data exactly (no overlap, no hole, nothing past the end); every
 * failure is SNC_E_FORMAT with the file and the tensor named. Tensors of dtypes that we do not compute with are listed
 * with dtype SNC_DTYPES. The writer pads the header with spaces so that data starts on 64 bytes and orders tensors by
 * element size, so each is aligned for its type; a digest that the metadata leaves open (core/seal.h) is filled in.
 *
 *     snc_st *f;  SNC_TRY(snc_st_open(&f, path));
 *     const snc_tensor *t = snc_st_find(f, "pooler.dense.weight");   ...   snc_st_close(f);
 */
#ifndef SNC_CORE_SAFETENSORS_H
#define SNC_CORE_SAFETENSORS_H

#include <cjson/cJSON.h>

#include "base/digest.h"
#include "core/tensor.h"

typedef struct snc_st snc_st;

/* Whether the first bytes look like safetensors; a damaged file may still, so that its reader can say what is wrong. */
bool snc_st_sniff(const unsigned char *data, size_t size);

snc_err snc_st_open(snc_st **out, const char *path) SNC_MUST_USE;
/* The same by a copy in memory: what becomes of the file afterwards does not matter. */
snc_err snc_st_read(snc_st **out, const char *path) SNC_MUST_USE;
/* The same over borrowed memory; `where` stands for the file name in messages. */
snc_err snc_st_open_mem(snc_st **out, const unsigned char *data, size_t size, const char *where) SNC_MUST_USE;
void snc_st_close(snc_st *f);

int snc_st_count(const snc_st *f);
const snc_tensor *snc_st_tensors_view(const snc_st *f);             /* [count], sorted by name, borrowed from f */
const snc_tensor *snc_st_find(const snc_st *f, const char *name);   /* NULL: not there */
const char *snc_st_metadata_view(const snc_st *f, const char *key); /* NULL: not there */
snc_digest_part snc_st_bytes_view(const snc_st *f);                 /* the whole file */

/* metadata: an object of strings, or NULL. Tensors are borrowed; SNC_E_ARG: bytes that contradict dtype and shape. */
snc_err snc_st_save(const char *path, const cJSON *metadata, const snc_tensor *tensors, int n) SNC_MUST_USE;

#endif
