/* What makes parts of a text (parts_priv.h): of tokenizer.json, of a class, or of a .model's settings. */
#include <string.h>

#include "tokenizer/parts_priv.h"
#include "tokenizer/spm_folder_priv.h"

typedef snc_spm_folder folder;

/* ---- the normalizer --------------------------------------------------------------------------------------------- */

static signed char sextet(char c)
{
    if (c >= 'A' && c <= 'Z') return (signed char)(c - 'A');
    if (c >= 'a' && c <= 'z') return (signed char)(c - 'a' + 26);
    if (c >= '0' && c <= '9') return (signed char)(c - '0' + 52);
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static snc_err read_map(folder *f, const cJSON *part)
{
    const char *text;
    unsigned bits = 0, have = 0;
    SNC_TRY(snc_json_str(&text, part, "precompiled_charsmap", "", f->in.where));
    for (; *text && *text != '='; text++) {
        signed char six = sextet(*text);
        SNC_CHECK(six >= 0, SNC_E_FORMAT, "%s: 'precompiled_charsmap' is not base64", f->in.where);
        bits = bits << 6 | (unsigned)six;
        have += 6;
        if (have < 8) continue;
        have -= 8;
        SNC_TRY(snc_bytes__add(&f->map, &(unsigned char){(unsigned char)(bits >> have)}, 1));
    }
    return SNC_OK;
}

static snc_err add_step(folder *f, cJSON *step)
{
    if (step && cJSON_AddItemToArray(f->steps, step)) return SNC_OK;
    cJSON_Delete(step);
    return snc_intake__no_memory();
}

static snc_err add_steps(folder *f, const char *json)
{
    cJSON *list = cJSON_Parse(json);
    snc_err err = SNC_OK;
    while (!err && cJSON_GetArraySize(list) > 0) err = add_step(f, cJSON_DetachItemFromArray(list, 0));
    cJSON_Delete(list);
    return err;
}

static const char PRECOMPILED[] = "[{\"type\":\"Precompiled\"}]",
                  BLOCKS[] = "[{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"" SNC_PARTS_SPACE "\"}]";

/* Parts of a Sequence one by one; of a class that makes its own normalizer only the map is taken. */
static snc_err flatten(folder *f, const cJSON *part, int depth)
{
    const char *type;
    SNC_TRY(snc_tok__type(&type, part, "normalizer", f->in.where));
    if (!type) return SNC_OK;
    if (strcmp(type, "Sequence") == 0) {
        const cJSON *all = cJSON_GetObjectItemCaseSensitive(part, "normalizers"), *it;
        SNC_CHECK(cJSON_IsArray(all) && depth < 8, SNC_E_FORMAT, "%s: a normalizer of type Sequence must have a list 'normalizers'",
                  f->in.where);
        cJSON_ArrayForEach(it, all) SNC_TRY(flatten(f, it, depth + 1));
        return SNC_OK;
    }
    if (strcmp(type, "Precompiled") != 0) return f->family == SNC_SPM_AS_FILE ? add_step(f, cJSON_Duplicate(part, true)) : SNC_OK;
    const cJSON *map = cJSON_GetObjectItemCaseSensitive(part, "precompiled_charsmap");
    if (!map || cJSON_IsNull(map) || (cJSON_IsString(map) && !*map->valuestring)) return SNC_OK;
    SNC_CHECK(f->map.n == 0, SNC_E_UNSUPPORTED, "%s: a second normalizer 'Precompiled' is not known", f->in.where);
    SNC_TRY(read_map(f, part));
    return f->family == SNC_SPM_AS_FILE ? add_steps(f, PRECOMPILED) : SNC_OK;
}

/* Of unigram classes. */
static snc_err class_steps(folder *f)
{
    bool keep_accents, lower;
    const cJSON *config = f->in.files->config;
    SNC_TRY(snc_json_bool(&keep_accents, config, "keep_accents", false, f->in.where));
    SNC_TRY(snc_json_bool(&lower, config, "do_lower_case", f->family == SNC_SPM_ALBERT, f->in.where));
    bool albert = f->family == SNC_SPM_ALBERT, deberta = f->family == SNC_SPM_DEBERTA;
    if (albert)
        SNC_TRY(add_steps(f, "[{\"type\":\"Replace\",\"pattern\":{\"String\":\"``\"},\"content\":\"\\\"\"},"
                             "{\"type\":\"Replace\",\"pattern\":{\"String\":\"''\"},\"content\":\"\\\"\"}]"));
    if (albert && !keep_accents) SNC_TRY(add_steps(f, "[{\"type\":\"NFKD\"},{\"type\":\"StripAccents\"}]"));
    if ((albert || deberta) && lower) SNC_TRY(add_steps(f, "[{\"type\":\"Lowercase\"}]"));
    if (deberta)
        return add_steps(
            f, "[{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\s{2,}|[\\\\n\\\\r\\\\t]\"},\"content\":\" \"},{\"type\":\"NFC\"},"
               "{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true}]");
    return f->map.n > 0 ? add_steps(f, PRECOMPILED) : SNC_OK;
}

/* Whether every text gets a U+2581 in front, between added tokens, too. */
static snc_err is_legacy(bool *out, const folder *f)
{
    return snc_json_bool(out, f->in.files->config, "legacy", f->family == SNC_SPM_OF_MODEL, f->in.where);
}

/* In SentencePiece's order. Metaspace puts no U+2581 before one that is there, SentencePiece does. */
static snc_err model_steps(folder *f)
{
    bool legacy;
    SNC_TRY(is_legacy(&legacy, f));
    if (f->map.n > 0) SNC_TRY(add_steps(f, PRECOMPILED));
    if (f->spm.strip_spaces)
        SNC_TRY(add_steps(f, "[{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\A +| +\\\\z\"},\"content\":\"\"},"
                             "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\" \"}]"));
    if (f->spm.escape_spaces) SNC_TRY(add_steps(f, BLOCKS));
    if (f->spm.dummy_prefix && legacy)
        SNC_TRY(add_steps(f, "[{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\A" SNC_PARTS_SPACE
                             "\"},\"content\":\"" SNC_PARTS_SPACE SNC_PARTS_SPACE "\"}]"));
    return SNC_OK;
}

static snc_err put_steps(folder *f)
{
    f->steps = cJSON_AddArrayToObject(f->in.out, "normalizer");
    if (!f->steps) return snc_intake__no_memory();
    if (f->family == SNC_SPM_LLAMA) return SNC_OK;
    if (f->family == SNC_SPM_GEMMA) return add_steps(f, BLOCKS);
    if (f->family == SNC_SPM_OF_MODEL) return model_steps(f);
    SNC_TRY(flatten(f, cJSON_GetObjectItemCaseSensitive(f->in.files->tokenizer, "normalizer"), 0));
    return f->family == SNC_SPM_AS_FILE ? SNC_OK : class_steps(f);
}

/* ---- parts ------------------------------------------------------------------------------------------------------ */

typedef struct parts {
    bool whitespace, split;
    const char *prepend; /* NULL: no Metaspace */
} parts;

static snc_err add_metaspace(parts *p, const folder *f, const cJSON *part)
{
    const char *block, *scheme;
    bool prefix;
    SNC_TRY(snc_json_str(&block, part, "replacement", SNC_PARTS_SPACE, f->in.where));
    SNC_TRY(snc_json_bool(&prefix, part, "add_prefix_space", true, f->in.where)); /* of old versions */
    SNC_TRY(snc_json_str(&scheme, part, "prepend_scheme", prefix ? "always" : "never", f->in.where));
    SNC_TRY(snc_json_bool(&p->split, part, "split", true, f->in.where));
    SNC_CHECK(strcmp(block, SNC_PARTS_SPACE) == 0, SNC_E_UNSUPPORTED, "%s: pre_tokenizer 'Metaspace' with '%.64s' in place of spaces",
              f->in.where, block);
    SNC_CHECK(strcmp(scheme, "none") != 0, SNC_E_FORMAT, "%s: pre_tokenizer 'Metaspace' with prepend_scheme 'none'", f->in.where);
    p->prepend = scheme;
    return SNC_OK;
}

/* Gemma's, at spaces, of which its normalizer has left none: it does nothing. */
static bool is_idle(const folder *f, const cJSON *split)
{
    const cJSON *last = cJSON_GetArrayItem(f->steps, cJSON_GetArraySize(f->steps) - 1);
    const char *at = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(split, "pattern"), "String"));
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(last, "type"));
    const char *from = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(last, "pattern"), "String"));
    const char *to = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(last, "content"));
    bool replaces = type && from && to && strcmp(type, "Replace") == 0 && strcmp(from, " ") == 0 && !strchr(to, ' ');
    return replaces && at && strcmp(at, " ") == 0 && !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(split, "invert"));
}

/* Nothing, Metaspace, or WhitespaceSplit and then Metaspace. */
static snc_err read_parts(parts *p, const folder *f, const cJSON *part, int depth)
{
    const char *type;
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(part, "pretokenizers"), *it;
    SNC_TRY(snc_tok__type(&type, part, "pre_tokenizer", f->in.where));
    if (!type) return SNC_OK;
    if (strcmp(type, "Sequence") == 0) {
        SNC_CHECK(cJSON_IsArray(all) && depth < 8, SNC_E_FORMAT, "%s: a pre_tokenizer of type Sequence must have a list 'pretokenizers'",
                  f->in.where);
        cJSON_ArrayForEach(it, all) SNC_TRY(read_parts(p, f, it, depth + 1));
        return SNC_OK;
    }
    if (strcmp(type, "Metaspace") == 0 && !p->prepend) return add_metaspace(p, f, part);
    if (strcmp(type, "Split") == 0 && is_idle(f, part)) return SNC_OK;
    SNC_CHECK(strcmp(type, "WhitespaceSplit") == 0 && !p->prepend, SNC_E_UNSUPPORTED,
              "%s: pre_tokenizer '%.64s': only WhitespaceSplit and Metaspace, in this order, and Split at spaces that a normalizer has "
              "replaced are known",
              f->in.where, type);
    p->whitespace = true;
    return SNC_OK;
}

static snc_err class_parts(parts *p, const folder *f)
{
    bool prefix, punctuation, legacy;
    SNC_TRY(snc_json_bool(&prefix, f->in.files->config, "add_prefix_space", true, f->in.where));
    SNC_TRY(snc_json_bool(&punctuation, f->in.files->config, "split_by_punct", false, f->in.where));
    SNC_TRY(is_legacy(&legacy, f));
    SNC_CHECK(!punctuation || f->family != SNC_SPM_DEBERTA, SNC_E_UNSUPPORTED, "%s: 'split_by_punct' is not known", f->in.where);
    bool whole = f->family == SNC_SPM_LLAMA || f->family == SNC_SPM_GEMMA || f->family == SNC_SPM_OF_MODEL;
    *p = (parts){.whitespace = !whole && f->family != SNC_SPM_DEBERTA, .split = !whole};
    if (f->family == SNC_SPM_GEMMA || (f->family == SNC_SPM_OF_MODEL && !f->spm.dummy_prefix)) p->prepend = NULL;
    else if (f->family == SNC_SPM_OF_MODEL || (f->family == SNC_SPM_LLAMA && prefix)) p->prepend = legacy ? "always" : "first";
    else p->prepend = prefix || f->family == SNC_SPM_T5 ? "always" : f->family == SNC_SPM_DEBERTA ? "first" : "never";
    return SNC_OK;
}

/* What a .model calls user-defined is a part of its own, wherever it stands. */
static snc_err put_alone(folder *f)
{
    cJSON *list = NULL;
    for (size_t i = 0; f->family == SNC_SPM_OF_MODEL && i < f->spm.pieces; i++) {
        if (f->spm.piece[i].type != SNC_SPM_USER || !f->spm.piece[i].text[0]) continue;
        if (!list) list = cJSON_AddArrayToObject(f->in.out, "alone");
        cJSON *text = cJSON_CreateString(f->spm.piece[i].text);
        if (!list || !text || !cJSON_AddItemToArray(list, text)) {
            cJSON_Delete(text);
            return snc_intake__no_memory();
        }
    }
    return SNC_OK;
}

snc_err snc_spm__steps(folder *f)
{
    parts p = {.split = false};
    SNC_TRY(put_steps(f));
    if (f->family != SNC_SPM_AS_FILE) SNC_TRY(class_parts(&p, f));
    else SNC_TRY(read_parts(&p, f, cJSON_GetObjectItemCaseSensitive(f->in.files->tokenizer, "pre_tokenizer"), 0));
    SNC_CHECK(!p.whitespace || !p.prepend || strcmp(p.prepend, "first") != 0, SNC_E_UNSUPPORTED,
              "%s: pre_tokenizer 'Metaspace' with prepend_scheme 'first' after 'WhitespaceSplit' is not known", f->in.where);
    cJSON *out = f->in.out;
    bool ok = cJSON_AddBoolToObject(out, "whitespace_split", p.whitespace) &&
              cJSON_AddStringToObject(out, "prepend", p.prepend ? p.prepend : "none") && cJSON_AddBoolToObject(out, "split", p.split);
    return ok ? put_alone(f) : snc_intake__no_memory();
}
