/* Byte-level BPE in a Hugging Face folder: tokenizer.json, or vocab.json with merges.txt. What is not known is refused by its name.
 *
 * Whose word holds: RoBERTa's and GPT-2's classes of version 5 and later take pieces, merges and added tokens of tokenizer.json and build
 * the rest anew; before 5 every class has add_prefix_space of tokenizer_config.json, and all else as tokenizer.json has it; other
 * classes are tokenizer.json alone. */
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
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
    const cJSON *merges;
    cJSON *vocab;    /* of vocab.json; NULL: of tokenizer.json */
    const char *unk; /* NULL: none */
    bool fuse_unk, byte_fallback, ignore_merges, prefix_space, nfc;
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

/* ---- merges ----------------------------------------------------------------------------------------------------- */

static snc_err grow_merges(snc_tok_blob *out, size_t *cap)
{
    SNC_CHECK(out->bytes < SIZE_MAX / 2, SNC_E_NOMEM, "out of memory while reading a tokenizer");
    return snc_grow(&out->data, cap, out->bytes + 16, 1);
}

/* The merges that are being written, and a buffer for what they make. */
typedef struct merging {
    snc_tok_blob *out;
    size_t cap, joined_cap;
    char *joined;
    int32_t next;
    int rank;
} merging;

static snc_err add_merge(merging *g, const snc_intake *r, const char *left, size_t n_left, const char *right, size_t n_right)
{
    SNC_TRY(snc_grow(&g->joined, &g->joined_cap, n_left + n_right + 1, 1));
    g->rank++;
    memcpy(g->joined, left, n_left);
    g->joined[n_left] = 0;
    SNC_CHECK(n_left > 0 && snc_intake__id(r, g->joined) >= 0, SNC_E_FORMAT, "%s: merge %d: its part '%.64s' is not in the vocabulary",
              r->where, g->rank, g->joined);
    memcpy(g->joined, right, n_right);
    g->joined[n_right] = 0;
    SNC_CHECK(n_right > 0 && snc_intake__id(r, g->joined) >= 0, SNC_E_FORMAT, "%s: merge %d: its part '%.64s' is not in the vocabulary",
              r->where, g->rank, g->joined);
    memcpy(g->joined, left, n_left);
    memcpy(g->joined + n_left, right, n_right);
    g->joined[n_left + n_right] = 0;
    int32_t id = snc_intake__id(r, g->joined);
    SNC_CHECK(id >= 0, SNC_E_FORMAT, "%s: merge %d makes '%.64s', which is not in the vocabulary", r->where, g->rank, g->joined);
    SNC_TRY(grow_merges(g->out, &g->cap));
    snc_bpe_step step = {.id = id, .left = (uint32_t)n_left};
    g->out->bytes += snc_bpe__put((unsigned char *)g->out->data + g->out->bytes, &g->next, step);
    return SNC_OK;
}

/* "left right", with one space; the version line is none. */
static snc_err add_line(merging *g, const snc_intake *r, const char *line, size_t n)
{
    static const char version[] = "#version";
    if (n >= sizeof version - 1 && memcmp(line, version, sizeof version - 1) == 0) return SNC_OK;
    const char *space = memchr(line, ' ', n);
    size_t left = space ? (size_t)(space - line) : n;
    SNC_CHECK(space && !memchr(space + 1, ' ', n - left - 1), SNC_E_FORMAT, "%s: merge %d: '%.*s' is not two parts", r->where, g->rank + 1,
              n < 64 ? (int)n : 64, line);
    return add_merge(g, r, line, left, space + 1, n - left - 1);
}

static snc_err merges_from_json(merging *g, const snc_intake *r, const cJSON *list)
{
    const cJSON *it;
    SNC_CHECK(cJSON_IsArray(list), SNC_E_FORMAT, "%s: 'model.merges' must be a list", r->where);
    cJSON_ArrayForEach(it, list)
    {
        const cJSON *left = cJSON_IsArray(it) ? it->child : NULL, *right = left ? left->next : NULL;
        if (cJSON_IsString(it)) {
            SNC_TRY(add_line(g, r, it->valuestring, strlen(it->valuestring)));
            continue;
        }
        SNC_CHECK(cJSON_IsString(left) && cJSON_IsString(right) && !right->next, SNC_E_FORMAT,
                  "%s: merge %d must be \"left right\" or [\"left\", \"right\"]", r->where, g->rank + 1);
        SNC_TRY(add_merge(g, r, left->valuestring, strlen(left->valuestring), right->valuestring, strlen(right->valuestring)));
    }
    return SNC_OK;
}

static snc_err merges_from_text(merging *g, const snc_intake *r, const char *text, size_t n)
{
    SNC_CHECK(!memchr(text, 0, n), SNC_E_FORMAT, "%s: holds a NUL byte, expected text", r->where);
    for (const char *p = text, *end = text + n; p < end;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        if (!lf) lf = end;
        SNC_TRY(add_line(g, r, p, (size_t)(lf - p) - (lf > p && lf[-1] == '\r')));
        p = lf + 1;
    }
    return SNC_OK;
}

static snc_err read_merges(snc_tok_blob *out, snc_intake *r, const parts *m)
{
    merging g = {.out = out};
    char *text = NULL;
    size_t n;
    SNC_TRY(grow_merges(out, &g.cap));
    snc_err err = snc_intake__file(r, r->files->tokenizer ? "tokenizer.json" : "merges.txt");
    if (!err && r->files->tokenizer) err = merges_from_json(&g, r, m->merges);
    if (!err && !r->files->tokenizer) err = snc_file_read(&text, &n, r->where);
    if (!err && text) err = merges_from_text(&g, r, text, n);
    snc_free(text);
    snc_free(g.joined);
    return err;
}

/* ---- the model and what comes before it ------------------------------------------------------------------------- */

static snc_err no_affix(const cJSON *model, const char *key, const char *where)
{
    const char *v;
    SNC_TRY(snc_json_str(&v, model, key, "", where));
    SNC_CHECK(!v[0], SNC_E_UNSUPPORTED, "%s: %s '%.64s': BPE is read without one", where, key, v);
    return SNC_OK;
}

static snc_err read_model(parts *m, snc_intake *r)
{
    const cJSON *j = cJSON_GetObjectItemCaseSensitive(r->files->tokenizer, "model");
    double dropout;
    SNC_TRY(snc_json_double(&dropout, j, "dropout", 0, 0, 1, r->where));
    SNC_CHECK(dropout == 0, SNC_E_UNSUPPORTED, "%s: dropout %g: ids would be drawn by chance", r->where, dropout);
    SNC_TRY(no_affix(j, "continuing_subword_prefix", r->where));
    SNC_TRY(no_affix(j, "end_of_word_suffix", r->where));
    SNC_TRY(snc_json_str(&m->unk, j, "unk_token", NULL, r->where));
    SNC_TRY(snc_json_bool(&m->fuse_unk, j, "fuse_unk", false, r->where));
    SNC_TRY(snc_json_bool(&m->byte_fallback, j, "byte_fallback", false, r->where));
    SNC_TRY(snc_json_bool(&m->ignore_merges, j, "ignore_merges", false, r->where));
    m->merges = cJSON_GetObjectItemCaseSensitive(j, "merges");
    SNC_TRY(snc_intake__pieces(r, cJSON_GetObjectItemCaseSensitive(j, "vocab")));
    return snc_intake__end(r);
}

static snc_err read_files(parts *m, snc_intake *r)
{
    SNC_TRY(snc_intake__file(r, "merges.txt"));
    SNC_CHECK(snc_is_file(r->where), SNC_E_UNSUPPORTED, "%s: vocab.json without merges.txt and without tokenizer.json", r->files->dir);
    SNC_TRY(snc_intake__file(r, "vocab.json"));
    SNC_TRY(snc_json_load(&m->vocab, r->where));
    SNC_TRY(snc_intake__pieces(r, m->vocab));
    return snc_intake__end(r);
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
    bool unk = m->unk && !has_all_bytes(r);
    SNC_CHECK(!m->byte_fallback || has_all_bytes(r), SNC_E_UNSUPPORTED, "%s: byte_fallback where bytes have no pieces of their own",
              r->where);
    bool ok = cJSON_AddBoolToObject(r->out, "nfc", m->nfc) && cJSON_AddBoolToObject(r->out, "prefix_space", m->prefix_space) &&
              cJSON_AddBoolToObject(r->out, "ignore_merges", m->ignore_merges) &&
              (!unk || (cJSON_AddStringToObject(r->out, "unk", m->unk) && cJSON_AddBoolToObject(r->out, "fuse_unk", m->fuse_unk)));
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
    SNC_TRY(f->tokenizer ? read_model(m, r) : read_files(m, r));
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
