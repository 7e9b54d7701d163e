/* core/torchzip.h: PyTorch's checkpoint: a zip archive with a pickle and one record a storage, or its form before 1.6.
 *
 *   NAME/data.pkl      the state dict, read by core/unpickle.h
 *   NAME/data/KEY      the numbers of a storage, little-endian, stored (or deflated)
 *   NAME/byteorder     "little"
 *
 *   before 1.6         five pickles one behind the other (a magic number, 1001, the byte order, the state dict, the list of
 *                      storages), then each storage in that order: its elements as 8 bytes, and the numbers
 *
 * Stored, contiguous tensors are borrowed from the map; others (deflated, strided) are dense copies owned by the archive.
 * Zip64 is read. Every record's checksum is verified before it is used; the old form has none. SNC_E_FORMAT and SNC_E_UNSUPPORTED name
 * the file and the record or tensor.
 */
#ifndef SNC_CORE_TORCHZIP_H
#define SNC_CORE_TORCHZIP_H

#include "core/tensor.h"

typedef struct snc_torchzip snc_torchzip;

bool snc_torchzip_sniff(const unsigned char *data, size_t size); /* a zip archive, or the old form */
bool snc_pickle_sniff(const unsigned char *data, size_t size);   /* a bare pickle: the old form, or anything else */

snc_err snc_torchzip_open(snc_torchzip **out, const char *path) SNC_MUST_USE;
snc_err snc_torchzip_open_mem(snc_torchzip **out, const unsigned char *data, size_t size, const char *where) SNC_MUST_USE;
void snc_torchzip_close(snc_torchzip *z);

int snc_torchzip_count(const snc_torchzip *z);
const snc_tensor *snc_torchzip_tensors_view(const snc_torchzip *z); /* [count], sorted by name, borrowed from z */
const snc_tensor *snc_torchzip_find(const snc_torchzip *z, const char *name);

#endif
