/* models/bundle.h: several nets in one .snc: a file that has many speeds.
 *
 * The first net lies in the file as it would alone, under the names of models/snc_file.h. Each other net is an entry of the list `nets`
 * in __metadata__, {"config", "arch", "policy", "meta", "from"}, and has of its tensors under net.K.NAME only those that are not the
 * first one's already: the leading rows and columns of a linear, with its bias, the leading columns of a table, the leading values of
 * a vector, in the layer of the first net that `from` names (-1: in none), with the same scales and multipliers, number for number. So
 * nets that were cut out of one model share all their integers, and nets that were trained apart lie beside each other: one form for
 * both. A reader of older files refuses the format by number.
 *
 * Every net of a bundle, cut out, is bit for bit the file that it came from.
 *
 *     SNC_TRY(snc_bundle_save("family.snc", files, paths, 3, NULL));         the one with the most multiply-adds first
 *     snc_sncfile_net_view(f, 1)   snc_weights_open_net(&w, ctx, first, 1)   snc_bundle_cut("b.snc", f, 1)
 */
#ifndef SNC_MODELS_BUNDLE_H
#define SNC_MODELS_BUNDLE_H

#include "models/snc_file.h"

/* Opened files of one net each, put in order by their multiply-adds, most first; labels and tokenizer are the first one's. cascade: how
 * they escalate in that order (models/cascade.h); NULL: they do not. SNC_E_ARG: fewer
 * than two, more than SNC_NETS_MOST, a bundle among them, two that compute alike as much; SNC_E_SHAPE names the file (path [n]) whose
 * family, classes, labels or tokenizer are not the first one's. All or nothing. */
snc_err snc_bundle_save(const char *to, const snc_sncfile *const *files, const char *const *path, int n, const cJSON *cascade) SNC_MUST_USE;

/* SNC_E_ARG: the file at path has `nets` nets and no k-th, which --net said. */
snc_err snc_bundle_need_net(int k, int nets, const char *path) SNC_MUST_USE;

/* A file of several nets as it is, with these times in place of its own (models/speeds.h); NULL: without any. */
snc_err snc_bundle_set_speeds(const char *to, const snc_sncfile *f, const cJSON *speeds) SNC_MUST_USE;

/* Early exit: before which of its layers net `large` of a file can go on from the hidden state that net `small` leaves there for every
 * token, because all that led to it is the same, number for number (models/runtime.h: snc_net_run_state). 0: it starts anew. Where first
 * tokens alone are read, the last layer of `small` that has heads runs for these, so that `large` begins with that one. */
int snc_bundle_handover(const snc_sncfile *small, const snc_sncfile *large);

/* Net k of a file as a file of its own: how it stood among others is not said. */
snc_err snc_bundle_cut(const char *to, const snc_sncfile *f, int k) SNC_MUST_USE;

#endif
