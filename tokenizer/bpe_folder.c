/* Byte-level BPE in a Hugging Face folder: tokenizer.json, or vocab.json with merges.txt. What is not known is refused by its name.
 *
 * Whose word holds: RoBERTa's and GPT-2's classes of version 5 and later take pieces, merges and added tokens of tokenizer.json and build
 * the rest anew; before 5 every class has add_prefix_space of tokenizer_config.json, and all else as tokenizer.json has it; other
 * classes are tokenizer.json alone. */
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "tokenizer/bpe_intake_priv.h"
#include "tokenizer/bpe_priv.h"
#include "tokenizer/intake_priv.h"
#include "tokenizer/special_priv.h"

static const snc_tok_role roles[] = {{"bos", "bos_token", "<s>"},     {"eos", "eos_token", "</s>"},  {"unk", "unk_token", "<unk>"},
                                     {"sep", "sep_token", "</s>"},    {"pad", "pad_token", "<pad>"}, {"cls", "cls_token", "<s>"},
                                     {"mask", "mask_token", "<mask>"}};
enum { N_ROLES = sizeof roles / sizeof *roles, SEP = 3, CLS = 5 };

static const struct {
    const char *name, *model_type;
    bool roberta; /* <s> A </s></s> B </s> */
} classes[] = {{"RobertaTokenizer", "roberta", true},
               {"BartTokenizer", "bart", true},
               {"LongformerTokenizer", "longformer", true},
               {"GPT2Tokenizer", "gpt2", false}};
enum { N_CLASSES = sizeof classes / sizeof *classes };

typedef struct parts {
    snc_bpe_model model;
    cJSON *vocab; /* of vocab.json; NULL: of tokenizer.json */
    bool prefix_space, nfc;
    int class; /* of `classes`; -1: another */
} parts;

/* ---- the class -------------------------------------------------------------------------------------------------- */

static snc_err read_class(parts *m, snc_intake *r)
{
    const char *name, *type, *of_model;
    m->class = -1;
    SNC_TRY(snc_intake__file(r, "config.json"));
    SNC_TRY(snc_json_str(&of_model, r->files->model, "tokenizer_class", NULL, r->where));
    SNC_TRY(snc_json_str(&type, r->files->model, "model_type", r->files->tokenizer ? "" : "roberta", r->where));
    SNC_TRY(snc_intake__file(r, "tokenizer_config.json"));
    SNC_TRY(snc_json_str(&name, r->files->config, "tokenizer_class", of_model, r->where));
    for (int i = 0; i < N_CLASSES; i++)
        if (name ? snc_tok__is_class(name, classes[i].name) : strcmp(type, classes[i].model_type) == 0) m->class = i;
    SNC_CHECK(m->class >= 0 || r->files->tokenizer, SNC_E_UNSUPPORTED,
              "%s: vocab.json of %s '%.64s' without tokenizer.json: only RoBERTa's and GPT-2's is read", r->files->dir,
              name ? "tokenizer_class" : "model_type", name ? name : type);
    return SNC_OK;
}

static snc_err read_merges(snc_tok_blob *out, snc_intake *r, const parts *m)
{
    snc_bpe_merging g;
    SNC_TRY(snc_intake__file(r, r->files->tokenizer ? "tokenizer.json" : "merges.txt"));
    snc_err err = snc_bpe__merging(&g, out, r);
    if (!err) err = r->files->tokenizer ? snc_bpe__merges_of_json(&g, m->model.merges) : snc_bpe__merges_of_text(&g);
    snc_bpe__merging_dispose(&g);
    return err;
}

/* ---- the model and what comes before it ------------------------------------------------------------------------- */

static snc_err read_files(parts *m, snc_intake *r)
{
    SNC_TRY(snc_intake__file(r, "merges.txt"));
    SNC_CHECK(snc_is_file(r->where), SNC_E_UNSUPPORTED, "%s: vocab.json without merges.txt and without tokenizer.json", r->files->dir);
    SNC_TRY(snc_intake__file(r, "vocab.json"));
    SNC_TRY(snc_json_load(&m->vocab, r->where));
    return snc_intake__pieces(r, m->vocab);
}

/* A Sequence of one, or of NFC alone, is what it holds. */
static snc_err read_normalizer(parts *m, const cJSON *part, const char *where)
{
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(part, "normalizers"), *it;
    const char *type;
    SNC_TRY(snc_tok__type(&type, part, "normalizer", where));
    if (type && strcmp(type, "NFC") == 0) m->nfc = true;
    else if (type)
        SNC_CHECK(strcmp(type, "Sequence") == 0 && cJSON_IsArray(all), SNC_E_UNSUPPORTED,
                  "%s: normalizer '%.64s': only NFC is known before byte-level BPE", where, type);
    cJSON_ArrayForEach(it, all)
    {
        SNC_TRY(snc_tok__type(&type, it, "normalizer", where));
        SNC_CHECK(type && strcmp(type, "NFC") == 0, SNC_E_UNSUPPORTED, "%s: normalizer '%.64s': only NFC is known before byte-level BPE",
                  where, type ? type : "null");
        m->nfc = true;
    }
    return SNC_OK;
}

static snc_err read_pre_tokenizer(parts *m, const cJSON *part, const char *where)
{
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(part, "pretokenizers");
    const char *type;
    bool pattern;
    if (cJSON_IsArray(all) && cJSON_GetArraySize(all) == 1) part = cJSON_GetArrayItem(all, 0); /* a Sequence of one is that one */
    SNC_TRY(snc_tok__type(&type, part, "pre_tokenizer", where));
    SNC_CHECK(type && strcmp(type, "ByteLevel") == 0, SNC_E_UNSUPPORTED, "%s: pre_tokenizer '%.64s': BPE is read after ByteLevel alone",
              where, type ? type : "null");
    SNC_TRY(snc_json_bool(&m->prefix_space, part, "add_prefix_space", true, where));
    SNC_TRY(snc_json_bool(&pattern, part, "use_regex", true, where));
    SNC_CHECK(pattern, SNC_E_UNSUPPORTED, "%s: pre_tokenizer 'ByteLevel' without its pattern (use_regex false) is not known", where);
    return SNC_OK;
}

static bool mentions(const cJSON *part, const char *list)
{
    const cJSON *it;
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(part, "type"));
    if (type && strcmp(type, "ByteLevel") == 0) return true;
    cJSON_ArrayForEach(it, cJSON_GetObjectItemCaseSensitive(part, list))
    {
        type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(it, "type"));
        if (type && strcmp(type, "ByteLevel") == 0) return true;
    }
    return false;
}

bool snc_bpe__claims(const cJSON *tokenizer)
{
    return mentions(cJSON_GetObjectItemCaseSensitive(tokenizer, "pre_tokenizer"), "pretokenizers") ||
           mentions(cJSON_GetObjectItemCaseSensitive(tokenizer, "decoder"), "decoders");
}

/* ---- special tokens --------------------------------------------------------------------------------------------- */

static const char *role_text(const snc_intake *r, int i)
{
    const char *text = snc_intake__content(snc_intake__role(r, i));
    return text ? text : roles[i].def;
}

static snc_err read_template(snc_intake *r, const parts *m, bool anew)
{
    snc_tok_names names;
    bool found;
    if (anew && classes[m->class].roberta) {
        const char *cls = role_text(r, CLS), *sep = role_text(r, SEP);
        names = (snc_tok_names){.first = {{cls}, 1}, .between = {{sep, sep}, 2}, .last = {{sep}, 1}};
    } else {
        SNC_TRY(snc_intake__file(r, "tokenizer.json"));
        SNC_TRY(snc_intake__template(&names, &found, r));
    }
    return snc_intake__put_template(r, &names);
}

/* Classes before 5 have a <mask> that takes the space before it, where no file says more of it than its name. */
static snc_err loosen_mask(snc_intake *r)
{
    const char *mask = role_text(r, N_ROLES - 1);
    cJSON *it;
    if (cJSON_IsObject(snc_intake__role(r, N_ROLES - 1))) return SNC_OK;
    cJSON_ArrayForEach(it, r->added)
    {
        const char *content = snc_intake__content(it);
        if (!content || strcmp(content, mask) != 0) continue;
        cJSON_DeleteItemFromObjectCaseSensitive(it, "lstrip");
        if (!cJSON_AddTrueToObject(it, "lstrip")) return snc_intake__no_memory();
    }
    return SNC_OK;
}

/* ---- putting it together ---------------------------------------------------------------------------------------- */

/* Whether each byte has a piece of its own: then nothing is ever unknown. */
static bool has_all_bytes(const snc_intake *r)
{
    for (unsigned c = 0; c < 256; c++) {
        char text[5] = {0};
        text[snc_utf8__put((unsigned char *)text, snc_bpe__letter(c))] = 0;
        if (snc_intake__id(r, text) < 0) return false;
    }
    return true;
}

static snc_err write_flags(snc_intake *r, const parts *m)
{
    bool unk = m->model.unk && !has_all_bytes(r);
    SNC_CHECK(!m->model.byte_fallback || has_all_bytes(r), SNC_E_UNSUPPORTED, "%s: byte_fallback where bytes have no pieces of their own",
              r->where);
    bool ok =
        cJSON_AddBoolToObject(r->out, "nfc", m->nfc) && cJSON_AddBoolToObject(r->out, "prefix_space", m->prefix_space) &&
        cJSON_AddBoolToObject(r->out, "ignore_merges", m->model.ignore_merges) &&
        (!unk || (cJSON_AddStringToObject(r->out, "unk", m->model.unk) && cJSON_AddBoolToObject(r->out, "fuse_unk", m->model.fuse_unk)));
    return ok ? SNC_OK : snc_intake__no_memory();
}

/* All that tokenizer.json says of the way to the pieces. */
static snc_err read_parts(parts *m, snc_intake *r)
{
    const cJSON *t = r->files->tokenizer;
    SNC_TRY(snc_intake__file(r, "tokenizer.json"));
    SNC_TRY(read_normalizer(m, cJSON_GetObjectItemCaseSensitive(t, "normalizer"), r->where));
    return read_pre_tokenizer(m, cJSON_GetObjectItemCaseSensitive(t, "pre_tokenizer"), r->where);
}

static snc_err read_folder(snc_tok_assets *out, snc_intake *r, parts *m)
{
    const snc_tok_folder *f = r->files;
    bool before_5 = snc_tok__before_5(f), anew;
    SNC_TRY(read_class(m, r));
    anew = !f->tokenizer || (m->class >= 0 && !before_5);
    if (!anew) SNC_TRY(read_parts(m, r));
    SNC_TRY(snc_intake__file(r, "tokenizer.json"));
    SNC_TRY(f->tokenizer ? snc_bpe__model(&m->model, r) : read_files(m, r));
    SNC_TRY(snc_intake__end(r));
    SNC_TRY(read_merges(&out->blob[SNC_BPE_MERGES], r, m));
    if (anew) *m = (parts){.vocab = m->vocab, .class = m->class};
    SNC_TRY(snc_intake__file(r, "tokenizer_config.json"));
    if (anew || (before_5 && f->config)) SNC_TRY(snc_json_bool(&m->prefix_space, f->config, "add_prefix_space", false, r->where));
    SNC_TRY(write_flags(r, m));
    if (!anew || !cJSON_GetObjectItemCaseSensitive(f->config, "added_tokens_decoder")) {
        SNC_TRY(snc_intake__file(r, "tokenizer.json"));
        SNC_TRY(snc_intake__added(r, cJSON_GetObjectItemCaseSensitive(f->tokenizer, "added_tokens"), false));
    }
    bool roberta = m->class >= 0 && classes[m->class].roberta;
    SNC_TRY(snc_intake__special(r, roberta));
    SNC_TRY(read_template(r, m, anew));
    return roberta && before_5 ? loosen_mask(r) : SNC_OK;
}

snc_err snc_bpe__read(snc_tok_assets *out, const snc_tok_folder *files)
{
    snc_intake r;
    parts m = {.class = -1};
    snc_err err = SNC_OK;
    SNC_GOTO(snc_intake__init(&r, files, roles, N_ROLES));
    SNC_GOTO(read_folder(out, &r, &m));
    SNC_GOTO(snc_intake__lines(&out->blob[SNC_BPE_VOCAB], &r));
    SNC_GOTO(snc_special__print(&out->blob[SNC_BPE_CONFIG], r.out));
out:
    snc_intake__dispose(&r);
    cJSON_Delete(m.vocab);
    return err;
}
