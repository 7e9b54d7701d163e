/* models/hf_out.h: a net of ours as Hugging Face's files say it: the way back of models/hf.c.
 *
 *     SNC_TRY(snc_hf_config_json(&config, net, labels, pad));   config.json, of a family that has a class there
 */
#ifndef SNC_MODELS_HF_OUT_H
#define SNC_MODELS_HF_OUT_H

#include "models/snc_file.h"

/* What config.json says of a net with these classes: shapes (widest layers, heads as many as fill the hidden size where they do), names of
 * classes, `problem_type`. labels [classes] or NULL; pad: the token that fills rows up, -1: none. SNC_E_UNSUPPORTED: a family without
 * a class there. */
snc_err snc_hf_config_json(cJSON **out, const snc_sncfile *net, const char *const *labels, int pad) SNC_MUST_USE;
/* Heads and neurons of each layer of that config. */
int snc_hf_heads(const snc_sncfile *net);
int snc_hf_ffn(const snc_sncfile *net);

#endif
