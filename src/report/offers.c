/* Megabytes are 10^6 bytes, as everywhere; a number that there is not is a dash, in JSON null. */
#include "report/offers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/say.h"
#include "models/family/family.h"

enum { CELL = 24 };

static const char *cell(char out[CELL], double v, int digits)
{
    if (isfinite(v)) snprintf(out, CELL, "%.*f", digits, v);
    else snprintf(out, CELL, "-");
    return out;
}

static void say_what(const snc_host *h, const snc_offer *x)
{
    const snc_arch *a = &x->arch;
    snc_say(h, "%s: %s, %d layers, hidden %d, %d heads of %d, FFN %d, vocabulary %d (%s), %d tokens at most", x->name,
            snc_family_of(&x->cfg)->type, a->layers, a->hidden, a->heads[0], x->cfg.head_width, a->ffn[0], x->cfg.vocab, x->tokenizer,
            snc_family_length(&x->cfg));
    if (!x->has_head) snc_say(h, "no trained classifier: one is trained with it");
    else if (x->cfg.regression) snc_say(h, "%s", x->cfg.score ? "a trained score between 0 and 1" : "a trained regression");
    else snc_say(h, "a trained classifier of %d classes%s%s", x->cfg.classes, x->labels[0] ? ": " : "", x->labels);
    snc_say(h, "parameters %.2f M, %.2f M of them word embeddings; multiply-adds at 128 tokens %.1f M", x->parameters / 1e6,
            x->embeddings / 1e6, x->macs / 1e6);
}

void snc_offer_say(const snc_host *h, const snc_offer *x, const char *load)
{
    char mb[CELL], ms[CELL];
    say_what(h, x);
    if (load) snc_say(h, "policy        MB         ms   (%s)", load);
    else snc_say(h, "policy        MB");
    for (int i = 0; i < SNC_OFFER_POLICIES; i++) {
        cell(mb, x->bytes[i] / 1e6, 2);
        cell(ms, x->us[i] / 1e3, 3);
        if (load) snc_say(h, "%-6s %9s  %9s", snc_offer_policy_name(i), mb, ms);
        else snc_say(h, "%-6s %9s", snc_offer_policy_name(i), mb);
    }
}

/* "0.34 (-0.23 to 1.03)": points under the first. */
static void say_row(const snc_host *h, const snc_offer *x, int width, bool scored, bool first)
{
    char size[CELL], fp[CELL], int8[CELL], int4[CELL], score[CELL] = "", low[CELL], high[CELL], under[4 * CELL] = "";
    enum { F32, BF16, INT8, INT4 };
    if (x->error[0]) {
        snc_say(h, "%-*s  %s", width, x->name, x->error);
        return;
    }
    if (scored) cell(score, 100 * x->score, 2);
    if (scored && !first && isfinite(x->under.points.value))
        snprintf(under, sizeof under, "%.2f (%s to %s)", x->under.points.value, cell(low, x->under.points.low, 2),
                 cell(high, x->under.points.high, 2));
    snc_say(h, "%-*s  %8.2f  %9.1f  %8s  %8s  %8s  %8s%s%7s%s%s", width, x->name, x->parameters / 1e6, x->macs / 1e6,
            cell(size, x->bytes[INT8] / 1e6, 2), cell(fp, x->us[F32] / 1e3, 3), cell(int8, x->us[INT8] / 1e3, 3),
            cell(int4, x->us[INT4] / 1e3, 3), scored ? "  " : "", score, under[0] ? "  " : "", under);
}

void snc_offers_say(const snc_host *h, const snc_offer *x, int n, const char *load, int rows)
{
    int width = 5;
    for (int i = 0; i < n; i++) width = (int)fmax(width, (double)strlen(x[i].name));
    snc_say(h, "%s%s", "latency of ", load);
    if (rows)
        snc_say(h, "score: %d rank rows, the same of all, after the same short fine-tuning; points under the best with 95%% intervals",
                rows);
    snc_say(h, "%-*s  %8s  %9s  %8s  %8s  %8s  %8s%s", width, "model", "M params", "M MACs", "int8 MB", "f32 ms", "int8 ms", "int4 ms",
            rows ? "    score  under the best" : "");
    for (int i = 0; i < n; i++) say_row(h, &x[i], width, rows > 0, i == 0);
}

static void add_number(cJSON *j, const char *key, double v)
{
    if (isfinite(v)) cJSON_AddNumberToObject(j, key, v);
    else cJSON_AddNullToObject(j, key);
}

cJSON *snc_offer_json(const snc_offer *x)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "model", x->name);
    if (x->error[0]) {
        cJSON_AddStringToObject(j, "error", x->error);
        return j;
    }
    cJSON_AddItemToObject(j, "config", snc_encoder_config_to_json(&x->cfg));
    cJSON_AddStringToObject(j, "tokenizer", x->tokenizer);
    cJSON_AddBoolToObject(j, "classifier", x->has_head);
    cJSON_AddNumberToObject(j, "parameters", x->parameters);
    cJSON_AddNumberToObject(j, "word_embeddings", x->embeddings);
    cJSON_AddNumberToObject(j, "macs_128", x->macs);
    cJSON *list = cJSON_AddArrayToObject(j, "policies");
    for (int i = 0; i < SNC_OFFER_POLICIES; i++) {
        cJSON *p = cJSON_CreateObject();
        cJSON_AddStringToObject(p, "policy", snc_offer_policy_name(i));
        add_number(p, "bytes", x->bytes[i]);
        add_number(p, "latency_us", x->us[i]);
        cJSON_AddItemToArray(list, p);
    }
    add_number(j, "score", x->score);
    add_number(j, "training_s", x->seconds);
    if (isfinite(x->score)) {
        cJSON *d = cJSON_AddObjectToObject(j, "under_the_best");
        add_number(d, "points", x->under.points.value);
        add_number(d, "low", x->under.points.low);
        add_number(d, "high", x->under.points.high);
    }
    return j;
}
