/* models/export.h: a config cut out of its weights and written as the .snc that will be shipped.
 *
 * The file is dense and holds what a net of this config computes with: the same integers and scales for INT8, the
 * rounded values for BF16, the master's for F32. Opened again it gives the same logits as the prefix net in the same
 * runtime, bit for bit where the kernels' order of sums does not depend on strides (all of ours; a library's f32
 * product may differ in the last place).
 */
#ifndef SNC_MODELS_EXPORT_H
#define SNC_MODELS_EXPORT_H

#include "models/runtime.h"

typedef struct snc_export_info {
    char *const *labels;             /* [classes] or NULL */
    bool has_head;                   /* the classifier was trained, not seeded */
    const snc_tok_assets *tokenizer; /* NULL or empty: none */
    const cJSON *meta;               /* an object, or NULL */
} snc_export_info;

/* arch, policy NULL: all of it, the weights' own. Packs what is not packed yet (not thread-safe). SNC_E_SHAPE,
 * SNC_E_UNSUPPORTED as in snc_net_create; SNC_E_IO. All or nothing. */
snc_err snc_export(const char *path, snc_weights *w, const snc_arch *arch, const snc_policy *policy,
                   const snc_export_info *info) SNC_MUST_USE;

/* The same from a model in memory, whose labels, head, tokenizer and meta go with it. */
snc_err snc_export_model(const char *path, const snc_ctx *ctx, const snc_model *m, const snc_arch *arch,
                         const snc_policy *policy) SNC_MUST_USE;

#endif
