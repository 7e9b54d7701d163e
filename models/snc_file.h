/* models/snc_file.h: the .snc file: one model, ready to ship, inside a valid safetensors file.
 *
 *   __metadata__   snc_format; snc_version; config, arch, policy, labels, meta as JSON text; has_head "true" | "false";
 *                  digest of the whole file (core/seal.h); files of older programs have none
 *   X.weight       F32 or BF16 [N, K], or I8 [N, K] with X.weight.scale F32 [N] (symmetric: value = integer * scale),
 *                  or INT4: U8 [N, K/2] with X.weight.group U8 [N, ceil(K/32)] and X.weight.scale F32 [N] (quant/int4.h)
 *                  and int4_group "16" in __metadata__
 *   X.bias, norms  F32
 *   tokenizer.X    U8, the blobs of snc_tok_assets: X runs over the names of its kind (WordPiece: vocab, config). All absent: no
 *                  tokenizer. __metadata__ has "tokenizer" with the kind's name; absent: wordpiece
 *
 * X runs over the names in models/spec.c, with the shapes of the arch; dtypes are the policy's: one per site of a layer,
 * one for the three embedding tables (INT8: a scale per row). Row-major and canonical; kernels pack at load. Other tensors
 * and metadata keys are allowed and ignored. A higher snc_format is refused by name (SNC_E_UNSUPPORTED); a file says the
 * lowest that can read it: 1, or 2 with INT4 or with Q, K and V of different dtypes, or 3 with a layer that skips a half, or 4
 * with a tokenizer that is not WordPiece, or 5 with more nets than one.
 *
 *     snc_sncfile *f;  SNC_TRY(snc_sncfile_open(&f, path));
 *     snc_matrix_view w;  SNC_TRY(snc_sncfile_matrix_view(&w, f, "layer.0.ffn.in.weight"));   ...   snc_sncfile_close(f);
 *
 * The file is read into memory and may change afterwards; views are borrowed from there until close. Immutable once open:
 * threads may share it.
 */
#ifndef SNC_MODELS_SNC_FILE_H
#define SNC_MODELS_SNC_FILE_H

#include "core/safetensors.h"
#include "models/cascade.h"
#include "models/model.h"
#include "models/speeds.h"

enum { SNC_FORMAT_VERSION = 5 };

typedef struct snc_sncfile snc_sncfile;

/* Checks everything: metadata, that each parameter is there in the shape of the arch and the dtype of the policy, scales
 * finite, vocabulary size, and last the digest. SNC_E_FORMAT and SNC_E_SHAPE name the field or tensor. */
snc_err snc_sncfile_open(snc_sncfile **out, const char *path) SNC_MUST_USE;
snc_err snc_sncfile_open_mem(snc_sncfile **out, const unsigned char *data, size_t size, const char *where) SNC_MUST_USE;
void snc_sncfile_close(snc_sncfile *f);

const snc_encoder_config *snc_sncfile_config(const snc_sncfile *f);
const snc_arch *snc_sncfile_arch(const snc_sncfile *f);      /* its layers numbered from 0 on */
const snc_arch *snc_sncfile_arch_said(const snc_sncfile *f); /* as it is written: by the layers of the model that it was cut out of */
const snc_policy *snc_sncfile_policy(const snc_sncfile *f);
bool snc_sncfile_has_head(const snc_sncfile *f);                  /* the classifier was trained, not seeded */
const char *const *snc_sncfile_labels_view(const snc_sncfile *f); /* [classes]; NULL: none */
const cJSON *snc_sncfile_meta_view(const snc_sncfile *f);         /* an object */
const char *snc_sncfile_version_view(const snc_sncfile *f);       /* of the program that wrote it; "" unknown */
const char *snc_sncfile_digest_view(const snc_sncfile *f);        /* "xxh3-64:...", checked at open; "" none */
/* Empty when the file has none. */
snc_err snc_sncfile_tokenizer_dup(snc_tok_assets *out, const snc_sncfile *f) SNC_MUST_USE;

/* A file of several nets (models/bundle.h): how many, and the k-th, 0 the first: borrowed, all of the above its own but labels,
 * version, digest and tokenizer, which are the file's. 1 of other files. */
int snc_sncfile_nets(const snc_sncfile *f);
const snc_sncfile *snc_sncfile_net_view(const snc_sncfile *f, int k);
/* How they escalate (models/cascade.h), and all that is said of it; NULL: the file does not say. */
const snc_cascade *snc_sncfile_cascade(const snc_sncfile *f);
const cJSON *snc_sncfile_cascade_view(const snc_sncfile *f);
/* How long they take (models/speeds.h), and all that is said of it; NULL: the file does not say. */
const snc_speeds *snc_sncfile_speeds(const snc_sncfile *f);
const cJSON *snc_sncfile_speeds_view(const snc_sncfile *f);

/* A parameter by its name in models/spec.c; aligned for its dtype. A vector has rows = 1. */
typedef struct snc_matrix_view {
    snc_dtype dtype; /* SNC_F32, SNC_BF16, SNC_I8 or SNC_I4 */
    int rows, cols;
    int ld;               /* numbers from a row to the next: cols, or more where it is a part of the first net's */
    const void *data;     /* [rows, ld]; SNC_I4: two to a byte */
    const uint8_t *group; /* SNC_I4: multipliers as in quant/int4.h of rows of ld, else NULL */
    const float *scale;   /* [rows] for SNC_I8 and SNC_I4, else NULL */
    bool shared;          /* of another net of the file: leading rows and columns of the first one's in its layer `layer` */
    int layer;
} snc_matrix_view;
snc_err snc_sncfile_matrix_view(snc_matrix_view *out, const snc_sncfile *f, const char *name) SNC_MUST_USE; /* _NOTFOUND */
/* F32 parameters alone: biases and norms. SNC_E_SHAPE: it has another length. */
snc_err snc_sncfile_vector_view(const float **out, const snc_sncfile *f, const char *name, int n) SNC_MUST_USE;
/* out [rows, cols] in f32, whatever the dtype. SNC_E_FORMAT: NaN or infinity. */
snc_err snc_sncfile_param_read(float *out, const snc_sncfile *f, const char *name) SNC_MUST_USE;
/* All tensors as they lie in the file, for reports of bytes by part, and which net has one of them alone by its name; 0: the first. */
const snc_st *snc_sncfile_tensors(const snc_sncfile *f);
int snc_sncfile_tensor_net(const char *name);

/* What a file says its digest is, "" for none, without reading more than the header: to tell whether it is the one that a
 * report speaks of. Whether the file is whole is what opening it checks. */
snc_err snc_sncfile_digest_read(char out[SNC_DIGEST_TEXT], const char *path) SNC_MUST_USE;

/* ---- writing ------------------------------------------------------------------------------------------------------ */

typedef struct snc_sncfile_desc {
    const snc_encoder_config *cfg;
    const snc_arch *arch;
    const snc_policy *policy;
    char *const *labels; /* [cfg.classes] or NULL */
    bool has_head;
    const snc_tok_assets *tokenizer; /* NULL or empty: none */
    const cJSON *meta;               /* an object, or NULL */
    const cJSON *nets;               /* of those beside it, whose tensors are among the others (models/bundle.h); NULL: there are none */
    const cJSON *cascade;            /* how they escalate; NULL: they do not */
    const cJSON *speeds;             /* how long they take; NULL: that is not known */
} snc_sncfile_desc;

/* All parameters, with their scales, in any order. All or nothing. SNC_E_SHAPE and SNC_E_ARG: what a reader would refuse. */
snc_err snc_sncfile_save(const char *path, const snc_sncfile_desc *d, const snc_tensor *tensors, int n) SNC_MUST_USE;

#endif
