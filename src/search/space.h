/* search/space.h: the legal options of every gene, and configs as option indices over them.
 *
 * Gene order, for a model of L layers:
 *
 *   [0] depth   [1] hidden   then per source layer l: heads, ffn, qkv, o, ffn_in, ffn_out   then pooler, classifier, embed
 *
 * ("qkv":"apart" in the file: q, k, v, o, ffn_in, ffn_out.) A gene with one option is laid out like the others.
 *
 * A depth option names the kept source layers; the genes of a dropped layer are 0 in a canonical config, so that one
 * network has one config. Options stand in ascending order of cost (widths ascending, dtypes INT4, INT8, BF16, F32).
 *
 * From JSON (every key optional; what is absent is derived from the model's own granularity):
 *   {"depth":[6,5,4],"depth_layers":{"5":[0,1,2,3,5]},"hidden":[384,320],"heads":[12,8,6],"ffn":[1536,768],
 *    "linear":["int8","f32"],"qkv":"tied","pooler":["int8"],"classifier":["f32"],"embed":["int8"]}
 */
#ifndef SNC_SEARCH_SPACE_H
#define SNC_SEARCH_SPACE_H

#include "models/arch.h"

enum { SNC_MAX_OPTIONS = 64, SNC_MAX_LAYER_GENES = 2 + SNC_SITES, SNC_MAX_GENES = 2 + SNC_MAX_LAYERS * SNC_MAX_LAYER_GENES + 3 };

typedef enum snc_gene_kind {
    SNC_GENE_DEPTH, SNC_GENE_HIDDEN, SNC_GENE_HEADS, SNC_GENE_FFN, SNC_GENE_DTYPE
} snc_gene_kind;

typedef struct snc_gene {
    snc_gene_kind kind;
    int layer; /* source layer, or -1 */
    int n;     /* options */
    int value[SNC_MAX_OPTIONS]; /* layer count, width, or snc_dtype */
} snc_gene;

typedef struct snc_space {
    int genes, layers;
    int layer_genes; /* of one layer: 6, or 8 with Q, K and V apart */
    snc_arch full;
    snc_gene gene[SNC_MAX_GENES];
    int kept[SNC_MAX_OPTIONS][SNC_MAX_LAYERS]; /* per depth option: source layers */
} snc_space;

typedef struct snc_cfg {
    uint8_t o[SNC_MAX_GENES]; /* option index of each gene; the tail is zero */
} snc_cfg;

typedef struct snc_space_opts {
    const char *path;              /* JSON file, or NULL */
    const char *depth_rule;        /* "first", "last" or "even", where the file names no layers */
    snc_dtype fp;                  /* what FP means here: SNC_F32 or SNC_BF16 */
    bool int4;                     /* what is derived offers INT4 too, where all widths allow it */
} snc_space_opts;

/* SNC_E_FORMAT names the key; options that the model has not got name key and value. */
snc_err snc_space_new(snc_space **out, const snc_bert_config *cfg, const snc_arch *full, const snc_space_opts *o) SNC_MUST_USE;
void    snc_space_free(snc_space *s);
uint64_t snc_space_hash(const snc_space *s);
int      snc_space_free_genes(const snc_space *s);   /* those with more than one option */
double   snc_space_log10_size(const snc_space *s); /* distinct networks, every layer kept */

void snc_cfg_canonical(snc_cfg *c, const snc_space *s);   /* zeroes the genes of dropped layers */
bool snc_cfg_equal(const snc_cfg *a, const snc_cfg *b);
void snc_cfg_decode(snc_arch *arch, snc_policy *policy, const snc_space *s, const snc_cfg *c);
/* "3.0.11.2..." and back; SNC_E_FORMAT. `size` of at least 4 * genes. */
void    snc_cfg_print(char *buf, size_t size, const snc_space *s, const snc_cfg *c);
snc_err snc_cfg_parse(snc_cfg *out, const snc_space *s, const char *text) SNC_MUST_USE;
/* Every dtype gene at its cheapest option. */
void    snc_cfg_cheapest_dtypes(snc_cfg *c, const snc_space *s);
/* Every width at the option nearest to `share` of the full one; INT8 where it is offered, else the first dtype. share 1: the
 * full net. */
snc_cfg snc_cfg_uniform(const snc_space *s, double share, int depth_option);

#endif
