/* models/hf_out.h: a net of ours as Hugging Face's files say it: the way back of models/hf.c.
 *
 * Its matrices are f32 there, of one width in all layers, attention as wide as the hidden size: narrower layers get zeros behind what
 * they have, in Q, K, V, O and both matrices of the FFN, which changes no sum; a half that is skipped is zeros alone, in front of its
 * norm. Layers that were left out are left out. What cannot be said so is refused.
 *
 *     SNC_TRY(snc_hf_check(net, pad, path));
 *     SNC_TRY(snc_hf_config_json(&config, net, labels, pad));      SNC_TRY(snc_hf_weights_save("DIR/model.safetensors", net));
 */
#ifndef SNC_MODELS_HF_OUT_H
#define SNC_MODELS_HF_OUT_H

#include "models/snc_file.h"

/* What config.json says of a net with these classes: shapes (widest layers, heads as many as fill the hidden size where they do), names of
 * classes, `problem_type`. labels [classes] or NULL; pad: the token that fills rows up, -1: none. SNC_E_UNSUPPORTED: a family without
 * a class there. */
snc_err snc_hf_config_json(cJSON **out, const snc_sncfile *net, const char *const *labels, int pad) SNC_MUST_USE;
/* SNC_E_UNSUPPORTED says what of the net a folder's shapes have no place for. from: what messages call it. */
snc_err snc_hf_check(const snc_sncfile *net, int pad, const char *from) SNC_MUST_USE;
/* Of a net that was checked. SNC_E_UNSUPPORTED: layers differ in what the family has once for all of them (ALBERT's matrices, MPNet's
 * biases by distance). */
snc_err snc_hf_weights_save(const char *path, const snc_sncfile *net) SNC_MUST_USE;
/* What stands beside those for Sentence Transformers where the net gives vectors, whose classifier is a module of its own: modules.json,
 * config.json of the pooling and of the linear map, in folders of these names, and the weights of that. */
#define SNC_HF_POOLING "1_Pooling"
#define SNC_HF_DENSE   "2_Dense"
cJSON *snc_hf_modules_json(void);
cJSON *snc_hf_pooling_json(const snc_sncfile *net);
cJSON *snc_hf_dense_json(const snc_sncfile *net);
snc_err snc_hf_dense_save(const char *path, const snc_sncfile *net) SNC_MUST_USE;
/* Heads and neurons of each layer of that config. */
int snc_hf_heads(const snc_sncfile *net);
int snc_hf_ffn(const snc_sncfile *net);

#endif
