/* models/hf_priv.h: importing Hugging Face checkpoints: where tensors come from, what config.json says, how names map. */
#ifndef SNC_MODELS_HF_PRIV_H
#define SNC_MODELS_HF_PRIV_H

#include "core/safetensors.h"
#include "core/torchzip.h"
#include "models/model.h"

/* ---- a source: the tensors of one file or of all shards of an index ------------------------------------------------ */

typedef struct snc_hf_tensor {
    snc_tensor t;
    const char *path; /* the file it is in */
    bool used;
} snc_hf_tensor;

typedef struct snc_hf_file {
    char *path;
    snc_st *st; /* one of the two */
    snc_torchzip *zip;
} snc_hf_file;

typedef struct snc_hf_source {
    const char *format; /* "safetensors", "PyTorch" */
    snc_hf_file *file;
    int n_files;
    size_t files_cap;
    snc_hf_tensor *list; /* sorted by name */
    int n;
    cJSON *index; /* of a sharded checkpoint */
} snc_hf_source;

typedef enum snc_hf_kind { SNC_HF_SAFETENSORS, SNC_HF_TORCH, SNC_HF_INDEX, SNC_HF_SNC } snc_hf_kind;

/* By content. SNC_E_FORMAT: empty, or nothing that we know. SNC_E_UNSUPPORTED: known, but not read: named. */
snc_err snc__hf_kind(snc_hf_kind *out, const char *path) SNC_MUST_USE;
/* `folder` is where the shards of an index are. */
snc_err snc__hf_source_open(snc_hf_source *s, const char *path, const char *folder, snc_hf_kind kind) SNC_MUST_USE;
void snc__hf_source_dispose(snc_hf_source *s);
snc_hf_tensor *snc__hf_source_find(snc_hf_source *s, const char *name); /* NULL: not there */

/* ---- what people give for a model that is none of ours, said by name with what to do --------------------------------- */

#define SNC_HF_ADAPTER                                                                    \
    "a PEFT (LoRA) adapter, not a whole model: merge it into its base first, in Python: " \
    "AutoPeftModelForSequenceClassification.from_pretrained(DIR).merge_and_unload().save_pretrained(OUT)"

/* Each fails with SNC_E_UNSUPPORTED for what it knows and is SNC_OK for anything else. */
snc_err snc__hf_name_adapter(const char *folder) SNC_MUST_USE; /* whatever weights lie beside it */
snc_err snc__hf_name_folder(const char *folder) SNC_MUST_USE;  /* one without weights that we read */
snc_err snc__hf_name_bytes(const unsigned char *p, size_t n, const char *path) SNC_MUST_USE;
snc_err snc__hf_name_tensors(const snc_hf_source *s, const char *path) SNC_MUST_USE;

/* ---- config.json --------------------------------------------------------------------------------------------------- */

typedef struct snc_hf_config {
    snc_encoder_config cfg;   /* classes: num_labels, else as many as id2label names, else 2, as in Hugging Face */
    int counted, named;       /* num_labels, entries of id2label; 0: absent. One may be stale: the classifier's shape tells */
    const char *problem;      /* problem_type; "" when absent */
    bool other_head;          /* the architecture's classifier is not for sequences */
    bool token_head;          /* it is for tokens */
    const char **labels;      /* [named] borrowed from json; NULL: absent, or all LABEL_k */
    const char *architecture; /* "" when absent */
    cJSON *json;
} snc_hf_config;

snc_err snc__hf_config_load(snc_hf_config *out, const char *path) SNC_MUST_USE;
/* What only families with turned positions have in it: angles, windows, which layers have which, pooling. */
snc_err snc__hf_rotary(snc_encoder_config *c, const cJSON *j, const char *path) SNC_MUST_USE;
/* What only DeBERTa's has in it: buckets of distances, and which form of its attention. */
snc_err snc__hf_distances(snc_encoder_config *c, const cJSON *j, const char *path) SNC_MUST_USE;
/* Another number of classes, and what follows from it. */
void snc__hf_config_set_classes(snc_hf_config *c, int classes);
void snc__hf_config_dispose(snc_hf_config *c);

/* ---- modules.json --------------------------------------------------------------------------------------------------- */

enum { SNC_HF_PATH = 4096 };

/* How Sentence Transformers makes a vector of what the encoder gives. Its length is of no matter: a vector is its direction. */
typedef struct snc_hf_vector {
    bool named;              /* there is such a file; else the mean is taken, as most have it */
    bool mean;               /* of all tokens; else the first one */
    int inputs, width;       /* of a linear map behind that; 0: there is none */
    char dense[SNC_HF_PATH]; /* where its weights are */
} snc_hf_vector;

bool snc__hf_has_modules(const char *folder);
/* SNC_E_UNSUPPORTED: another pooling, another module, by name. */
snc_err snc__hf_vector_load(snc_hf_vector *out, const char *folder) SNC_MUST_USE;
/* The classifier of a model of vectors. */
snc_err snc__hf_vector_fill(snc_model *m, const snc_hf_vector *v) SNC_MUST_USE;

/* ---- how a parameter lies in a file ---------------------------------------------------------------------------------- */

/* The shape that its tensor has there; returns the rank. */
int snc__hf_shape(int64_t shape[2], const snc_param *p, const snc_family *f);
snc_err snc__hf_read(float *w, const snc_param *p, const snc_tensor *t, const snc_family *f) SNC_MUST_USE;

/* ---- import -------------------------------------------------------------------------------------------------------- */

/* weights: the file that was recognised as `kind`; folder: where config.json and the tokenizer files are. */
snc_err snc__hf_import(snc_model **out, const snc_ctx *ctx, const char *weights, const char *folder, snc_hf_kind kind, int classes_hint,
                       snc_meaning meaning_hint) SNC_MUST_USE;

#endif
