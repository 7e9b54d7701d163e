/* Confidence in double, by shares of the best class as models/cutoff.h has them. */
#include "models/cascade.h"

#include <math.h>

#include "base/names.h"
#include "models/cutoff.h"

static const double COLDEST = 0.01, HOTTEST = 100; /* temperatures that a file may say */

const char *snc_cascade_rule_name(int i)
{
    static const char *const names[] = {"margin", "entropy"};
    return i >= 0 && i < SNC_CASCADE_RULES ? names[i] : NULL;
}

double snc_cascade_sure(snc_cascade_rule rule, const float *z, int K, double temperature)
{
    const int best = snc_class_best(z, K);
    double sum = 0, second = 0, spread = 0; /* spread: of e log e over shares of the best */
    for (int k = 0; k < K; k++) {
        const double x = ((double)z[k] - (double)z[best]) / temperature, e = exp(x);
        if (!isfinite(z[k])) return (double)NAN;
        sum += e;
        if (e > 0) spread += e * x;
        if (k != best && e > second) second = e;
    }
    if (rule == SNC_CASCADE_MARGIN) return (1 - second) / sum;
    return fmin(fmax(1 + (spread / sum - log(sum)) / log(K), 0), 1);
}

bool snc_cascade_stands(const snc_cascade *c, int k, const float *z, int K)
{
    return k == 0 || snc_cascade_sure(c->rule, z, K, c->temperature[k]) >= c->threshold[k];
}

int snc_cascade_before(const snc_cascade *c, int k)
{
    for (k++; k < c->nets; k++)
        if (snc_cascade_asks(c, k)) return k;
    return -1;
}

/* ---- in the file --------------------------------------------------------------------------------------------------------- */

static snc_err read_rule(snc_cascade_rule *out, const cJSON *j, const char *where)
{
    const char *name = NULL, *meant;
    SNC_TRY(snc_json_str(&name, j, "rule", NULL, where));
    SNC_CHECK(name, SNC_E_FORMAT, "%s: has no 'rule'", where);
    const int i = snc_names_find(snc_cascade_rule_name, name);
    meant = i < 0 ? snc_names_nearest(snc_cascade_rule_name, name) : NULL;
    SNC_CHECK(i >= 0 || !meant, SNC_E_FORMAT, "%s: rule '%.40s' is unknown: did you mean %s?", where, name, meant);
    SNC_CHECK(i >= 0, SNC_E_FORMAT, "%s: rule '%.40s': expected margin or entropy", where, name);
    *out = (snc_cascade_rule)i;
    return SNC_OK;
}

/* A list of `n` numbers from min to max; null, where it may be, is infinity. */
static snc_err read_list(double *out, const cJSON *j, const char *key, int n, double min, double max, bool may_lack, const char *where)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(j, key), *it;
    SNC_CHECK(cJSON_IsArray(list) && cJSON_GetArraySize(list) == n, SNC_E_FORMAT, "%s: %s: expected a list of %d", where, key, n);
    cJSON_ArrayForEach(it, list)
    {
        const bool lacks = may_lack && cJSON_IsNull(it);
        SNC_CHECK(lacks || (cJSON_IsNumber(it) && it->valuedouble >= min && it->valuedouble <= max), SNC_E_FORMAT,
                  "%s: %s: expected numbers from %g to %g%s", where, key, min, max, may_lack ? ", or null" : "");
        *out++ = lacks ? (double)INFINITY : it->valuedouble;
    }
    return SNC_OK;
}

snc_err snc_cascade_read(snc_cascade *out, const cJSON *j, int n, const snc_encoder_config *c, const char *where)
{
    *out = (snc_cascade){.nets = n};
    SNC_CHECK(cJSON_IsObject(j), SNC_E_FORMAT, "%s: expected a JSON object", where);
    SNC_CHECK(n >= 2, SNC_E_FORMAT, "%s: there is one net, and nothing to escalate to", where);
    SNC_CHECK(snc_meaning_of(c) == SNC_MEANS_CLASSES && c->classes >= 2, SNC_E_FORMAT,
              "%s: the model gives %s, which has no confidence to go by", where,
              snc_meaning_of(c) == SNC_MEANS_CLASSES ? "one class alone" : snc_meaning_says(snc_meaning_of(c)));
    SNC_TRY(read_rule(&out->rule, j, where));
    SNC_TRY(read_list(out->temperature, j, "temperature", n, COLDEST, HOTTEST, false, where));
    return read_list(out->threshold + 1, j, "threshold", n - 1, 0, 1, true, where);
}

cJSON *snc_cascade_json(const snc_cascade *c)
{
    cJSON *j = cJSON_CreateObject(), *list;
    cJSON_AddStringToObject(j, "rule", snc_cascade_rule_name((int)c->rule));
    cJSON_AddItemToObject(j, "temperature", cJSON_CreateDoubleArray(c->temperature, c->nets));
    list = cJSON_AddArrayToObject(j, "threshold");
    for (int k = 1; k < c->nets; k++)
        cJSON_AddItemToArray(list, snc_cascade_asks(c, k) ? cJSON_CreateNumber(c->threshold[k]) : cJSON_CreateNull());
    return j;
}
