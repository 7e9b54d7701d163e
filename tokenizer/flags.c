/* Each file's normalizer becomes steps in one fixed order; an order that cannot be kept is refused, not approximated. */
#include "tokenizer/flags_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Steps of a normalizer in the order in which they are done here; letter case may come at any point, as it touches no mark. */
typedef enum stage { NOTHING, CLEAN, CJK, DECOMPOSE, DROP } stage;

typedef enum drop { KEEP, DROP_MN, DROP_MARKS } drop;

typedef struct flags {
    bool lower, clean, cjk, decompose, follows; /* follows: accents go with letter case, as BERT says null */
    drop drop;
    stage last;
    const char *pre; /* "bert", "whitespace", "whitespace-split" */
    char where[1024];
} flags;

static snc_err no_memory(void) { return snc_err_set(SNC_E_NOMEM, "out of memory while reading a tokenizer"); }

static void name_file(flags *g, const snc_tok_folder *f, const char *name)
{
    snprintf(g->where, sizeof g->where, "%.900s/%s", f->dir, name);
}

/* ---- whose word holds ------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    snc_tok_rule since5;
} classes[] = {
    {"BertTokenizer", SNC_TOK_REBUILT},       {"DistilBertTokenizer", SNC_TOK_REBUILT},  {"ElectraTokenizer", SNC_TOK_REBUILT},
    {"MobileBertTokenizer", SNC_TOK_REBUILT}, {"SqueezeBertTokenizer", SNC_TOK_REBUILT}, {"LayoutLMTokenizer", SNC_TOK_REBUILT},
    {"LxmertTokenizer", SNC_TOK_REBUILT},     {"ConvBertTokenizer", SNC_TOK_AS_FILE},    {"RetriBertTokenizer", SNC_TOK_AS_FILE},
    {"RealmTokenizer", SNC_TOK_AS_FILE},      {"FunnelTokenizer", SNC_TOK_OVERLAID},
};

bool snc_tok__is_class(const char *name, const char *class)
{
    size_t n = strlen(class);
    return strncmp(name, class, n) == 0 && (!name[n] || strcmp(name + n, "Fast") == 0);
}

bool snc_tok__before_5(const snc_tok_folder *f)
{
    const char *version = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(f->model, "transformers_version"));
    if (cJSON_GetObjectItemCaseSensitive(f->config, "backend") || !version) return false;
    return strtol(version, NULL, 10) < 5;
}

snc_err snc_tok__rule(snc_tok_rule *out, const snc_tok_folder *f)
{
    flags g;
    const char *class, *of_model;
    name_file(&g, f, "config.json");
    SNC_TRY(snc_json_str(&of_model, f->model, "tokenizer_class", "BertTokenizer", g.where));
    name_file(&g, f, "tokenizer_config.json");
    SNC_TRY(snc_json_str(&class, f->config, "tokenizer_class", of_model, g.where));
    *out = SNC_TOK_AS_FILE;
    bool known = false;
    for (size_t i = 0; i < sizeof classes / sizeof *classes && !known; i++) {
        known = snc_tok__is_class(class, classes[i].name);
        if (known) *out = snc_tok__before_5(f) ? SNC_TOK_OVERLAID : classes[i].since5;
    }
    SNC_CHECK(known || f->tokenizer, SNC_E_UNSUPPORTED, "%s: tokenizer_class '%.64s' is not BERT's WordPiece", g.where, class);
    return SNC_OK;
}

/* ---- the normalizer --------------------------------------------------------------------------------------------- */

snc_err snc_tok__type(const char **type, const cJSON *part, const char *name, const char *where)
{
    *type = NULL;
    if (!part || cJSON_IsNull(part)) return SNC_OK;
    SNC_CHECK(cJSON_IsObject(part), SNC_E_FORMAT, "%s: '%s' must be an object", where, name);
    return snc_json_str(type, part, "type", "", where);
}

/* A step that is on stands after those that are there. */
static snc_err step(flags *g, bool on, stage s, const char *type)
{
    SNC_CHECK(!on || s > g->last, SNC_E_UNSUPPORTED, "%s: normalizer '%.64s' stands after one that is done later here", g->where, type);
    if (on) g->last = s;
    return SNC_OK;
}

/* strip_accents has three states: null follows letter case. */
static snc_err read_bert(flags *g, const cJSON *from, const char *lower, const char *cjk, bool clean)
{
    bool strip;
    SNC_TRY(snc_json_bool(&g->lower, from, lower, true, g->where));
    SNC_TRY(snc_json_bool(&g->cjk, from, cjk, true, g->where));
    SNC_TRY(snc_json_bool(&strip, from, "strip_accents", g->lower, g->where));
    const cJSON *accents = cJSON_GetObjectItemCaseSensitive(from, "strip_accents");
    g->follows = !accents || cJSON_IsNull(accents);
    g->clean = clean;
    g->decompose = strip;
    g->drop = strip ? DROP_MN : KEEP;
    return SNC_OK;
}

static snc_err add_bert(flags *g, const cJSON *part, const char *type)
{
    flags b = *g;
    bool clean;
    SNC_TRY(snc_json_bool(&clean, part, "clean_text", true, g->where));
    SNC_TRY(read_bert(&b, part, "lowercase", "handle_chinese_chars", clean));
    b.lower = b.lower || g->lower;
    b.follows = b.follows && b.lower == b.decompose;
    SNC_TRY(step(&b, b.clean, CLEAN, type));
    SNC_TRY(step(&b, b.cjk, CJK, type));
    SNC_TRY(step(&b, b.decompose, DECOMPOSE, type));
    SNC_TRY(step(&b, b.drop != KEEP, DROP, type));
    if (g->last != NOTHING) { /* what was on before stays on */
        b.clean = b.clean || g->clean;
        b.cjk = b.cjk || g->cjk;
        b.decompose = b.decompose || g->decompose;
        if (b.drop == KEEP) b.drop = g->drop;
    }
    *g = b;
    return SNC_OK;
}

static snc_err add_normalizer(flags *g, const cJSON *part)
{
    const char *type;
    SNC_TRY(snc_tok__type(&type, part, "normalizer", g->where));
    if (!type) return SNC_OK;
    if (strcmp(type, "BertNormalizer") == 0) return add_bert(g, part, type);
    g->follows = false;
    if (strcmp(type, "Lowercase") == 0) {
        g->lower = true;
    } else if (strcmp(type, "NFD") == 0) {
        SNC_TRY(step(g, true, DECOMPOSE, type));
        g->decompose = true;
    } else if (strcmp(type, "StripAccents") == 0) {
        SNC_CHECK(g->decompose || !g->lower, SNC_E_UNSUPPORTED,
                  "%s: normalizer 'StripAccents' after 'Lowercase' without 'NFD' is not known", g->where);
        SNC_TRY(step(g, true, DROP, type));
        g->drop = DROP_MARKS;
    } else { /* Strip takes white space off the ends, which is in no word */
        SNC_CHECK(strcmp(type, "Strip") == 0, SNC_E_UNSUPPORTED,
                  "%s: normalizer '%.64s': only BertNormalizer, NFD, Lowercase, StripAccents, Strip and a Sequence of these are known",
                  g->where, type);
    }
    return SNC_OK;
}

/* One part, or the parts of a Sequence, which may hold another one. */
static snc_err read_normalizer(flags *g, const cJSON *part, int depth)
{
    const char *type;
    SNC_TRY(snc_tok__type(&type, part, "normalizer", g->where));
    if (!type || strcmp(type, "Sequence") != 0) return add_normalizer(g, part);
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(part, "normalizers"), *it;
    SNC_CHECK(cJSON_IsArray(all) && depth < 8, SNC_E_FORMAT, "%s: a normalizer of type Sequence must have a list 'normalizers'", g->where);
    cJSON_ArrayForEach(it, all) SNC_TRY(read_normalizer(g, it, depth + 1));
    return SNC_OK;
}

/* ---- the pre-tokenizer ------------------------------------------------------------------------------------------ */

static const struct {
    const char *type, *name;
} pre_tokenizers[] = {{"BertPreTokenizer", "bert"}, {"Whitespace", "whitespace"}, {"WhitespaceSplit", "whitespace-split"}};

static snc_err read_pre_tokenizer(flags *g, const cJSON *part)
{
    const char *type;
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(part, "pretokenizers");
    if (cJSON_IsArray(all) && cJSON_GetArraySize(all) == 1) part = cJSON_GetArrayItem(all, 0); /* a Sequence of one is that one */
    SNC_TRY(snc_tok__type(&type, part, "pre_tokenizer", g->where));
    g->pre = NULL;
    for (size_t i = 0; i < sizeof pre_tokenizers / sizeof *pre_tokenizers; i++)
        if (type && strcmp(type, pre_tokenizers[i].type) == 0) g->pre = pre_tokenizers[i].name;
    SNC_CHECK(g->pre, SNC_E_UNSUPPORTED, "%s: pre_tokenizer '%.64s': only BertPreTokenizer, Whitespace and WhitespaceSplit are known",
              g->where, type ? type : "null");
    return SNC_OK;
}

/* ---- the answer ------------------------------------------------------------------------------------------------- */

static snc_err write(cJSON *out, const flags *g)
{
    bool bert = g->decompose ? g->drop == DROP_MN : g->drop == KEEP;
    bool ok =
        cJSON_AddBoolToObject(out, "lowercase", g->lower) &&
        (g->follows ? cJSON_AddNullToObject(out, "strip_accents") : cJSON_AddBoolToObject(out, "strip_accents", g->decompose && bert)) &&
        cJSON_AddBoolToObject(out, "tokenize_chinese_chars", g->cjk) && cJSON_AddBoolToObject(out, "clean_text", g->clean);
    if (ok && !bert) ok = cJSON_AddStringToObject(out, "accents", !g->decompose ? "strip" : g->drop == KEEP ? "nfd" : "nfd-strip");
    if (ok && strcmp(g->pre, "bert") != 0) ok = cJSON_AddStringToObject(out, "pre_tokenizer", g->pre);
    return ok ? SNC_OK : no_memory();
}

snc_err snc_tok__flags(cJSON *out, snc_tok_rule rule, const snc_tok_folder *f)
{
    flags g = {.pre = "bert"};
    const cJSON *normalizer = cJSON_GetObjectItemCaseSensitive(f->tokenizer, "normalizer");
    const char *type = NULL;
    bool from_config = !f->tokenizer || rule == SNC_TOK_REBUILT;
    name_file(&g, f, "tokenizer.json");
    if (!from_config) {
        SNC_TRY(read_pre_tokenizer(&g, cJSON_GetObjectItemCaseSensitive(f->tokenizer, "pre_tokenizer")));
        SNC_TRY(read_normalizer(&g, normalizer, 0));
        SNC_TRY(snc_tok__type(&type, normalizer, "normalizer", g.where));
    }
    if (from_config || (rule == SNC_TOK_OVERLAID && type && strcmp(type, "BertNormalizer") == 0)) {
        name_file(&g, f, "tokenizer_config.json");
        SNC_TRY(read_bert(&g, f->config, "do_lower_case", "tokenize_chinese_chars", from_config || g.clean));
    }
    return write(out, &g);
}
