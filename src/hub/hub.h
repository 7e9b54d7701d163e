/* hub/hub.h: models by their name on the Hugging Face Hub, kept where huggingface_hub keeps them.
 *
 *     if (!snc_is_there(text) && snc_hub_is_name(text)) SNC_TRY(snc_hub_fetch(folder, sizeof folder, ctx, text));
 *
 * The cache is HF_HUB_CACHE, else HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub:
 *
 *     models--OWNER--NAME/refs/REVISION               the commit that a branch or tag was
 *     models--OWNER--NAME/blobs/ETAG                  a file; ETAG.incomplete while it is not whole
 *     models--OWNER--NAME/snapshots/COMMIT/FILE       a link to its blob
 *     .locks/models--OWNER--NAME/ETAG.lock            held by whoever writes the blob (flock)
 *
 * A snapshot that has what a model needs is taken as it is, without network. Else the hub is asked for the list of files, and the config,
 * the tokenizer's and the weights (safetensors before PyTorch's) are fetched. HF_ENDPOINT is another hub, HF_TOKEN who asks,
 * HF_HUB_OFFLINE=1 never asks, HF_HUB_DOWNLOAD_TIMEOUT is after how many seconds without data a connection is given up (10).
 */
#ifndef SNC_HUB_HUB_H
#define SNC_HUB_HUB_H

#include <stdbool.h>

#include "base/ctx.h"

/* OWNER/NAME, or NAME alone where it has a dash ("bert-base-uncased"), each also with @REVISION; nothing that ends as files do. */
bool snc_hub_is_name(const char *text);
/* The snapshot's folder. SNC_E_IO: not reached, broken off (the next call goes on with what is there), a full disk; SNC_E_NOTFOUND: no such
 * model, revision, or weights that are read; SNC_E_ARG: HF_* variables that make no sense; SNC_E_FORMAT: an answer that contradicts
 * itself, a wrong checksum; SNC_E_UNSUPPORTED: no libcurl; SNC_E_CANCELLED. */
snc_err snc_hub_fetch(char *folder, size_t size, const snc_ctx *ctx, const char *name) SNC_MUST_USE;

#endif
