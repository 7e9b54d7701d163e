/* models/config.h: a config: one option of every gene of a space (space.h), by index: a net's shape and its policy.
 *
 * The genes of a dropped layer, and the dtypes of a half that is skipped, are 0 in a canonical config, so that one network has one
 * config. Where layers are chosen singly depth is a way to say which: the canonical config has the last option of it, and layers left
 * out by their own genes; so many of the least depth's are put back as that asks for, and of more than those a layer that skips both
 * halves is left out.
 *
 *     snc_cfg c = snc_cfg_uniform(s, 0.5, s->gene[0].n - 1);
 *     snc_cfg_decode(&arch, &policy, s, &c);
 */
#ifndef SNC_MODELS_CONFIG_H
#define SNC_MODELS_CONFIG_H

#include "models/space.h"

typedef struct snc_cfg {
    uint8_t o[SNC_MAX_GENES]; /* option index of each gene; the tail is zero */
} snc_cfg;

void snc_cfg_canonical(snc_cfg *c, const snc_space *s);
/* live [genes]: not of a layer that c drops, nor the dtype of a half that it skips. */
void snc_cfg_live(bool *live, const snc_space *s, const snc_cfg *c);
bool snc_cfg_equal(const snc_cfg *a, const snc_cfg *b);
void snc_cfg_decode(snc_arch *arch, snc_policy *policy, const snc_space *s, const snc_cfg *c);
/* The canonical config of a shape, every dtype at its first option; false: the space has no such net. */
bool snc_cfg_of_arch(snc_cfg *out, const snc_space *s, const snc_arch *a);
/* "3.0.11.2..." and back; SNC_E_FORMAT. `size` of at least 4 * genes. */
void snc_cfg_print(char *buf, size_t size, const snc_space *s, const snc_cfg *c);
snc_err snc_cfg_parse(snc_cfg *out, const snc_space *s, const char *text) SNC_MUST_USE;
/* Every dtype gene at its cheapest option. */
void snc_cfg_cheapest_dtypes(snc_cfg *c, const snc_space *s);
/* Every width at the option nearest to `share` of the full one; INT8 where it is offered, else the first dtype. share 1: the
 * full net. */
snc_cfg snc_cfg_uniform(const snc_space *s, double share, int depth_option);
/* Uniform over the options of every gene, canonical. */
snc_cfg snc_cfg_random(const snc_space *s, snc_rng *r);

#endif
