/* models/snc_file_priv.h: what reading and writing of a .snc share. */
#ifndef SNC_MODELS_SNC_FILE_PRIV_H
#define SNC_MODELS_SNC_FILE_PRIV_H

#include "base/mem.h"
#include "models/snc_file.h"

struct snc_sncfile {
    snc_st *st;
    snc_encoder_config cfg;
    snc_arch arch, said; /* said: as it is written, with the layers' numbers in the model that they were cut out of */
    snc_policy policy;
    bool has_head;
    snc_params table; /* names and shapes; no weights */
    cJSON *label_list, *meta;
    char **labels; /* of label_list */
    const char *version, *digest;
    snc_matrix_view *view; /* [table.n] */
    snc_arena *arena;      /* tensors that were not aligned in the file */
    int others;            /* of the file's first net: how many there are beside it */
    snc_sncfile **other;   /* [others] */
    cJSON *net_list, *cascade_said, *speeds_said;
    snc_cascade cascade;
    snc_speeds speeds; /* strings of speeds_said */
    /* of the others: */
    const snc_sncfile *first; /* whose file and labels these are; NULL: it is that one */
    const cJSON *entry;       /* of its net_list */
    int index;                /* from 1 */
    int from[SNC_MAX_LAYERS]; /* which layer of the first net one is cut out of; -1: none */
};

enum { SNC_FILE__NAME = SNC_PARAM_NAME + 24, SNC_FILE__BLOB = 64 };

/* Which kind of tokenizer the blobs are of; the implied one without it. */
#define SNC_FILE__TOKENIZER "tokenizer"
/* The nets beside the first, and what a tensor of their own is called by. */
#define SNC_FILE__NETS       "nets"
#define SNC_FILE__NET_PREFIX "net."
/* How they escalate. */
#define SNC_FILE__CASCADE "cascade"
/* How long they take. */
#define SNC_FILE__SPEEDS "speeds"

/* What INT4 is quantized in, of a file or of another net of it that has INT4. */
#define SNC_FILE__INT4       "int4_group"
#define SNC_FILE__INT4_GROUP "16"

static inline bool snc_file__scaled(snc_dtype t) { return t == SNC_I8 || t == SNC_I4; }

/* "net.2.NAME.scale", "NAME" of the first net without a suffix. */
const char *snc_file__name(char buf[SNC_FILE__NAME], int net, const char *name, const char *suffix);
const char *snc_file__blob(char buf[SNC_FILE__BLOB], const char *blob);

/* What a reader wants and a writer must give: every parameter of the net, in the policy's dtype, with its scales. list: sorted by name. */
snc_err snc_file__check_params(const snc_tensor *list, int n, const snc_params *table, const snc_policy *policy,
                               const char *where) SNC_MUST_USE;
/* The same of one of a net. */
snc_err snc_file__check_param(const snc_tensor *list, int n, int net, const snc_param *p, snc_dtype dtype, const char *where) SNC_MUST_USE;

/* Whether a parameter of a net beside the first may be of the first one's v: linears and tables take leading rows and columns, vectors
 * leading values; of what else there is the whole. */
bool snc_file__can_lead(const snc_matrix_view *v, const snc_param *p, snc_dtype dtype);

#endif
