/* candidate/ablation.h: an ablation's file: recipes that differ in some plug-ins, and how they are compared.
 *
 *   {"tasks":["sst2","mrpc"],"seeds":[1,2,3],"equal":"updates","rows":2000,"go_on":3,"nets":20,
 *    "repair":{"nets":5,"epochs":0.5},"tau":{"nets":12,"latency":0.5},
 *    "variants":[{"name":"plain"},{"name":"wide","recipe":{"supernet":{"sampler":"sandwich"}}}]}
 *
 *   key        default      meaning
 *   variants   (needed)     at least two; the others are compared with the first
 *     name     (needed)     letters, digits, '.', '_', '-'
 *     recipe   {}           sections as in a recipe (artifact/recipes.h), over those of --recipe; all but "finetune" and "repair"
 *     times    1            updates, or seconds, as a multiple of what "equal" gives
 *   tasks      --task       names of shipped tasks, or JSON files (from the file's folder)
 *   seeds      [--seed]     of rows, teacher and training; with --teacher of training alone
 *   equal      "updates"    as many as the first variant makes, or "time": steps until its seconds of training are over
 *   rows       0            train rows, drawn by seed, of the first stage; 0: all. --max-train-samples holds for both stages
 *   go_on      0            so many variants beside the first, the best by the loss of the nets, are compared again on all rows
 *   nets       20           fixed nets, evenly from 25 to 75 % of the multiply-adds of the largest
 *   repair     {}           "nets": how many of them, evenly spread, are distilled alone (none); the rest: keys of a recipe's "repair"
 *   tau        none         "nets": so many within 5 % of one latency, near "latency", a share of the full-size INT8 net's
 *
 * What the file says wrong is SNC_E_FORMAT or SNC_E_ARG with the file, the variant and, of names, the nearest.
 */
#ifndef SNC_CANDIDATE_ABLATION_H
#define SNC_CANDIDATE_ABLATION_H

#include "base/json.h"
#include "base/place.h"

enum { SNC_ABLATION_NAME = 64, SNC_ABLATION_SEEDS = 32, SNC_ABLATION_TASKS = 16, SNC_ABLATION_VARIANTS = 64, SNC_ABLATION_NETS = 64 };

typedef enum snc_ablation_equal { SNC_EQUAL_UPDATES, SNC_EQUAL_TIME } snc_ablation_equal;

typedef struct snc_ablation_variant {
    const char *name; /* of the file */
    double times;
    char *recipe; /* JSON text, as --recipe takes it */
} snc_ablation_variant;

typedef struct snc_ablation {
    char path[SNC_CONFIG_PATH];
    cJSON *file;
    int tasks, seeds, variants;
    struct {
        char name[SNC_ABLATION_NAME], path[SNC_CONFIG_PATH]; /* as folders and --task have it */
    } task[SNC_ABLATION_TASKS];
    int seed[SNC_ABLATION_SEEDS];
    snc_ablation_variant variant[SNC_ABLATION_VARIANTS];
    char *base; /* the recipe of what all share: teacher and repair */
    snc_ablation_equal equal;
    int rows, go_on, nets, repair_nets, tau_nets;
    double tau_latency;
} snc_ablation;

/* o: study.ablate, and what stands for keys that are absent; after snc_recipe_apply. Every variant's recipe is looked at. */
snc_err snc_ablation_open(snc_ablation *out, const snc_options *o) SNC_MUST_USE;
void snc_ablation_close(snc_ablation *a);
/* The options of a variant, -1: of what all share, on a task with a seed; slice: of the first stage where there are two. Texts are
 * borrowed from a and o. */
snc_err snc_ablation_options(snc_options *out, const snc_ablation *a, const snc_options *o, int variant, int task, int seed,
                             bool slice) SNC_MUST_USE;
/* Stages that are asked for: with go_on two, where the first has not all rows. */
static inline int snc_ablation_stages(const snc_ablation *a) { return a->rows && a->go_on ? 2 : 1; }
/* "slice" or "full" */
static inline const char *snc_ablation_stage(const snc_ablation *a, int stage) { return a->rows && stage == 0 ? "slice" : "full"; }

#endif
