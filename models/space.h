/* models/space.h: the legal options of every gene: what a supernet is trained for, what is searched, what is timed.
 *
 * Gene order, for a model of L layers:
 *
 *   [0] depth   [1] hidden   then per source layer l: heads, ffn, qkv, o, ffn_in, ffn_out   then pooler, classifier, embed
 *
 * ("qkv":"apart" in the file: q, k, v, o, ffn_in, ffn_out.) A gene with one option is laid out like the others. A depth option names the
 * kept source layers. Options stand in ascending order of cost (widths ascending, dtypes INT4, INT8, BF16, F32). A config (config.h) is
 * an option of each gene; the shapes alone are drawn by the samplers of training.
 *
 * Heads or FFN 0 skip that half of a layer but for its LayerNorm (models/arch.h); a layer that skips both is not there. With
 * "layers":"single" a gene for each layer stands between hidden and the layers' own: 0 leaves it out, 1 keeps it, whatever the rule; a
 * net has at least as many layers as the least depth, and depth options are where training draws from and searches start. The layers of
 * "always" are in every net with both halves. A space is refused that has a net in which no layer need have heads.
 *
 * With "folder":"hf" there is no net that a Hugging Face folder cannot say (models/hf_out.h): its heads fill the hidden size, or fit in it
 * and are padded with zeros. Hidden options are multiples of a head's width, and a layer has at most as many heads as there is room for,
 * whatever its gene says.
 *
 * From JSON (every key optional; what is absent is derived from the model's own granularity, "reach":"plain"; with "wide" heads and FFN
 * from an eighth and 0, hidden from a half in steps of 32, depth from a third, "layers":"single", "always" the last):
 *   {"depth":[6,5,4],"depth_layers":{"5":[0,1,2,3,5]},"hidden":[384,320],"heads":[12,8,6],"ffn":[1536,768],
 *    "linear":["int8","f32"],"qkv":"tied","pooler":["int8"],"classifier":["f32"],"embed":["int8"],
 *    "reach":"plain","layers":"rule","always":[5],"folder":"any"}
 *
 * Immutable once made, and shared by threads.
 *
 *     snc_space_opts o = {.path = "space.json", .depth_rule = "even", .fp = SNC_BF16};
 *     SNC_TRY(snc_space_new(&s, &m->cfg, &m->arch, &o));
 *     snc_space_smallest(&arch, s);
 */
#ifndef SNC_MODELS_SPACE_H
#define SNC_MODELS_SPACE_H

#include "base/rng.h"
#include "models/arch.h"

enum { SNC_MAX_OPTIONS = 64, SNC_MAX_LAYER_GENES = 2 + SNC_SITES, SNC_MAX_GENES = 2 + SNC_MAX_LAYERS * (1 + SNC_MAX_LAYER_GENES) + 3 };

typedef enum snc_gene_kind { SNC_GENE_DEPTH, SNC_GENE_HIDDEN, SNC_GENE_LAYER, SNC_GENE_HEADS, SNC_GENE_FFN, SNC_GENE_DTYPE } snc_gene_kind;

typedef struct snc_gene {
    snc_gene_kind kind;
    int layer;                  /* source layer, or -1 */
    int n;                      /* options */
    int value[SNC_MAX_OPTIONS]; /* layer count, 0 or 1 of a layer, width, or snc_dtype */
} snc_gene;

typedef struct snc_space {
    int genes, layers;
    int layer_genes; /* of one layer: 6, or 8 with Q, K and V apart */
    snc_arch full;
    snc_gene gene[SNC_MAX_GENES];
    char rule[8];                              /* of models/elastic.h: where kept layers came from that no file names */
    int kept[SNC_MAX_OPTIONS][SNC_MAX_LAYERS]; /* per depth option: source layers, ascending */
    bool single;                               /* each layer has a gene of its own that keeps it or leaves it out */
    bool always[SNC_MAX_LAYERS];               /* by source layer: every net that has it has both halves; with single, every net has it */
    int head_width;                            /* with "folder":"hf"; 0: heads are not held to the hidden size */
    bool per_layer;                            /* random nets: heads and FFN of each layer by themselves, not all layers alike */
} snc_space;

/* The place of a layer's genes: heads, then FFN, then its matrices. */
static inline int snc_space_layer(const snc_space *s, int layer) { return 2 + (s->single ? s->layers : 0) + layer * s->layer_genes; }
/* With single: the gene that keeps a layer. */
static inline int snc_space_keeps(int layer) { return 2 + layer; }
/* Whether a layer of a net of this hidden size may have so many heads. */
static inline bool snc_space_has_room(const snc_space *s, int hidden, int heads) { return heads * s->head_width <= hidden; }
/* The source layers of a depth option, ascending, with single those of `always` among them; returns how many. */
int snc_space_layers(int kept[SNC_MAX_LAYERS], const snc_space *s, int depth_option);

typedef struct snc_space_opts {
    const char *path;       /* JSON file, or NULL */
    const char *depth_rule; /* "first", "last" or "even", where the file names no layers */
    snc_dtype fp;           /* what FP means here: SNC_F32 or SNC_BF16 */
    bool hf;                /* "folder":"hf", whatever the file says */
    bool int4, int4_tables; /* what is derived offers INT4 too where all widths allow it: for matrices; for tables */
} snc_space_opts;

/* SNC_E_FORMAT names the key; options that the model has not got name key and value; a net without a layer at work is told of. */
snc_err snc_space_new(snc_space **out, const snc_encoder_config *cfg, const snc_arch *full, const snc_space_opts *o) SNC_MUST_USE;
/* The same of a file's object, or of NULL; o->path is not read. */
snc_err snc_space_from_json(snc_space **out, const snc_encoder_config *cfg, const snc_arch *full, const snc_space_opts *o, const cJSON *j,
                            const char *where) SNC_MUST_USE;
void snc_space_free(snc_space *s);
/* The nets of a space that begin one of its nets: in no layer wider, with none but its layers and its dtypes, so that each is a part of
 * its very integers; that net is the largest of them. Of a shallower depth whose layers it has not all, its rule picks among those that
 * it has. */
snc_err snc_space_within(snc_space **out, const snc_space *of, const snc_arch *a, const snc_policy *p) SNC_MUST_USE;
/* Of these those alone that are its first layers as they are, from the least depth of the space on, from which a cascade goes on to it
 * (models/arch.h: snc_arch_handover). Layers have no genes of their own in it. */
snc_err snc_space_prefixes(snc_space **out, const snc_space *of, const snc_arch *a, const snc_policy *p) SNC_MUST_USE;
/* SNC_E_ARG names the list and the option that does not ascend or does not fit in its layer of parent. */
snc_err snc_space_check(const snc_space *s, const snc_arch *parent) SNC_MUST_USE;
uint64_t snc_space_hash(const snc_space *s);
int snc_space_free_genes(const snc_space *s);    /* those with more than one option */
double snc_space_log10_size(const snc_space *s); /* distinct networks, every layer kept */

/* ---- shapes -------------------------------------------------------------------------------------------------------- */
void snc_space_largest(snc_arch *out, const snc_space *s);
void snc_space_smallest(snc_arch *out, const snc_space *s);             /* of the least depth, no half skipped: what training begins from */
void snc_space_random(snc_arch *out, const snc_space *s, snc_rng *rng); /* uniform per gene; with single, of the layers of a depth */
/* The net whose option of a gene is what `pick` says: asked of depth, of hidden, then of heads and FFN of each layer that is kept, in
 * order. With single, which layers a depth keeps is drawn. */
typedef int (*snc_space_pick_fn)(void *user, int gene);
void snc_space_pick(snc_arch *out, const snc_space *s, snc_space_pick_fn pick, void *user, snc_rng *rng);

/* What a supernet says of the shapes that it was trained for:
 *   {"rule":"even","depth_layers":[[0,3,5],[0,1,2,3,4,5]],"hidden":[192,384],"heads":[3,6,9,12],"ffn":[...],"per_layer":true}
 * with "single" and "always" of layers in a space that has them. */
cJSON *snc_space_trained_to_json(const snc_space *s);
/* SNC_E_ARG names the option of s that is not among them; `where` is the supernet's file. */
snc_err snc_space_check_trained(const snc_space *s, const cJSON *trained, const char *where) SNC_MUST_USE;

#endif
