/* tokenizer/spm_folder_priv.h: a SentencePiece model in a Hugging Face folder, unigram or BPE, while it is read: tokenizer.json as it
 * stands, or what the tokenizer's class makes of its pieces, or of those of a .model. */
#ifndef SNC_TOKENIZER_SPM_FOLDER_PRIV_H
#define SNC_TOKENIZER_SPM_FOLDER_PRIV_H

#include "base/fmap.h"
#include "tokenizer/bpe_intake_priv.h"
#include "tokenizer/charsmap_priv.h"
#include "tokenizer/spm_priv.h"

/* Who makes normalizer, pre-tokenizer and template: tokenizer.json, the class of that name, or the .model's own settings. */
typedef enum snc_spm_family {
    SNC_SPM_AS_FILE,
    SNC_SPM_XLM_ROBERTA,
    SNC_SPM_CAMEMBERT,
    SNC_SPM_ALBERT,
    SNC_SPM_T5,
    SNC_SPM_DEBERTA,
    SNC_SPM_LLAMA,
    SNC_SPM_GEMMA,
    SNC_SPM_OF_MODEL
} snc_spm_family;

enum { SNC_SPM_UNK, SNC_SPM_BOS, SNC_SPM_EOS, SNC_SPM_SEP, SNC_SPM_CLS, SNC_SPM_PAD, SNC_SPM_MASK, SNC_SPM_ROLES };

typedef struct snc_spm_folder {
    snc_intake in;
    snc_tok_role roles[SNC_SPM_ROLES];
    snc_spm_family family;
    bool bpe;
    bool begins;    /* add_bos_token and add_eos_token make the template */
    double *scores; /* [in.n_pieces]; of BPE in tokenizer.json none */
    size_t scores_cap;
    int unk;             /* of unigram */
    snc_bpe_model model; /* of BPE; of unigram byte_fallback alone */
    snc_spm spm;         /* of a .model */
    snc_fmap *file;
    snc_bytes map;
    cJSON *steps;  /* belongs to in.out */
    cJSON *tokens; /* that the files do not list; their texts are borrowed */
} snc_spm_folder;

/* Of a folder with a model of either kind; settles out->kind. */
snc_err snc_spm__read(snc_tok_assets *out, const snc_tok_folder *f) SNC_MUST_USE;

const char *snc_spm__role(const snc_spm_folder *f, int i); /* what the files call it, or else the class; NULL: nobody does */
snc_err snc_spm__steps(snc_spm_folder *f) SNC_MUST_USE;    /* what makes parts of a text, to the flags; the map to f->map */
snc_err snc_spm__special(snc_spm_folder *f) SNC_MUST_USE;  /* added tokens and the template, to the flags */

#endif
