/* RoBERTa and two that are it under another name, XLM-RoBERTa and CamemBERT, as Hugging Face's ...ForSequenceClassification store
 * them: positions count from behind the row of the padding, and the pooler's place has a dense layer of the classifier's own. The
 * encoder's pooler, which some files have as well, is read by nobody. */
#include "models/family/bert_names.h"
#include "models/family/family.h"

enum { PADDING = 1 };

/* clang-format off */
#define ROBERTA(type_, class_, vocab_) { \
    .type = type_, .architecture = class_ "ForSequenceClassification", .prefix = "roberta.", \
    .name = {SNC_BERT_EMBEDDINGS("roberta."), SNC_BERT_TYPES("roberta."), SNC_BERT_LAYERS("roberta."), \
             SNC_WITH_BIAS(POOLER, "classifier.dense"), SNC_WITH_BIAS(CLASSIFIER, "classifier.out_proj")}, \
    .extra = {"roberta.embeddings.position_ids", "roberta.embeddings.token_type_ids", "roberta.pooler.", "lm_head.", "qa_outputs."}, \
    .head = SNC_HEAD_TANH, .position_base = PADDING + 1, .fixed = {{"pad_token_id", PADDING}}, \
    .keys = {SNC_BERT_KEYS, .types = "type_vocab_size", .head_dropout = "classifier_dropout"}, \
    .defaults = {.vocab = vocab_, .positions = 512, .types = 2, SNC_BERT_BASE}}
/* clang-format on */

const snc_family snc_family_roberta = ROBERTA("roberta", "Roberta", 50265),
                 snc_family_xlm_roberta = ROBERTA("xlm-roberta", "XLMRoberta", 30522),
                 snc_family_camembert = ROBERTA("camembert", "Camembert", 30522);
