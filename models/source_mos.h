/* models/source_mos.h: the source whose matrices are mixtures of experts (models/mixture.h).
 *
 *     SNC_TRY(snc_model_mix(m, ctx, &(snc_mixture){.experts = 2}, seed));     a dense model, in its order of channels, gets experts
 *     SNC_TRY(snc_mos_attach(m, ctx));                                       a model that was read with experts, gets its source
 *
 * A model with one expert is the dense one, bit for bit: it has no experts beside the first, no router, and the dense source.
 * Forward, a mixture costs a pass over m matrices a net (memory-bound: 4 m bytes read and 4 written a weight), backward twice that.
 */
#ifndef SNC_MODELS_SOURCE_MOS_H
#define SNC_MODELS_SOURCE_MOS_H

#include "models/mixture.h"
#include "models/model.h"

/* Bytes of experts and routers beside a dense model's parameters, and of the source's own buffers, where its matrices are mixed so. */
snc_err snc_mos_bytes(double *experts, double *buffers, const snc_encoder_config *dense, const snc_arch *a,
                      const snc_mixture *x) SNC_MUST_USE;
/* Experts beside the first are copies with noise, with a rank products that begin at 0; routers begin by budget. The parameter block is
 * a new one: bind engines afterwards. SNC_E_ARG: experts or rank out of range. */
snc_err snc_model_mix(snc_model *m, const snc_ctx *ctx, const snc_mixture *x, uint64_t seed) SNC_MUST_USE;
/* Nothing where the config has no mixture. */
snc_err snc_mos_attach(snc_model *m, const snc_ctx *ctx) SNC_MUST_USE;
/* How far experts are from the first of their matrix: |W_e - W_0| / |W_0|, with a rank |U V| / |W_0|, the mean over all of them. */
double snc_mos_apart(const snc_model *m);
/* How far the routing of nets differs: the range of an expert's share over them, the widest of a mixture's, the mean over all mixtures. */
snc_err snc_mos_spread(double *out, const snc_model *m, const snc_arch *nets, int n) SNC_MUST_USE;
/* p [groups, m] as the routers of a layer's matrix mix for an arch, for reports; returns groups. */
int snc_mos_routing(float *p, const snc_model *m, const snc_arch *arch, int layer, snc_site site);

#endif
