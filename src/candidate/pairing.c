/* Rows by how sure the small net is of them; the larger net is asked once for each set of rows. */
#include "candidate/pairing.h"

#include <math.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/stats.h"
#include "models/cascade.h"

int snc_pairing_put(float *z, const float *larger, int n, int K, double small_us, double larger_us, double mean_us)
{
    double *sure = NULL, *sorted;
    const double room = floor(n * (mean_us - small_us) / larger_us + 1e-9);
    const int most = room > 0 ? room < n ? (int)room : n : 0;
    int put = 0;
    if (most == 0 || snc_alloc(&sure, 2 * (size_t)n, sizeof *sure) != SNC_OK) return 0;
    sorted = sure + n;
    for (int i = 0; i < n; i++) sorted[i] = sure[i] = snc_cascade_sure(SNC_CASCADE_MARGIN, z + (size_t)i * (size_t)K, K, 1);
    snc_sort(sorted, n);
    for (int i = 0; i < n; i++) {
        if (most < n && !(sure[i] < sorted[most])) continue; /* equal ones all stay */
        memcpy(z + (size_t)i * (size_t)K, larger + (size_t)i * (size_t)K, (size_t)K * sizeof *z);
        put++;
    }
    snc_free(sure);
    return put;
}

static snc_err ask(const float **out, snc_pairing *p, snc_net *net, const snc_dataset *d, int K, int batch)
{
    for (int i = 0; i < p->sets; i++)
        if (p->of[i].start == d->start && p->of[i].n == d->n) {
            *out = p->of[i].z;
            return SNC_OK;
        }
    SNC_CHECK(p->sets < SNC_PAIRING_SETS, SNC_E_ARG, "a pair is asked of more than %d sets of rows", SNC_PAIRING_SETS);
    float *z;
    SNC_TRY(snc_alloc(&z, (size_t)d->n * (size_t)K, sizeof *z));
    snc_err err = snc_net_rebind(net, &p->arch, &p->policy);
    if (!err) err = snc_loaded_logits(z, net, K, d, batch, NULL, NULL);
    if (err) {
        snc_free(z);
        return err;
    }
    p->of[p->sets].start = d->start;
    p->of[p->sets].n = d->n;
    p->of[p->sets++].z = z;
    *out = z;
    return SNC_OK;
}

snc_err snc_pairing_answer(float *z, snc_pairing *p, snc_net *net, const snc_dataset *d, int K, int batch, double small_us,
                           double larger_us)
{
    const float *larger;
    SNC_TRY(ask(&larger, p, net, d, K, batch));
    snc_pairing_put(z, larger, d->n, K, small_us, larger_us, p->mean_us);
    return SNC_OK;
}

uint64_t snc_pairing_hash(const snc_pairing *p, uint64_t seed)
{
    cJSON *j = cJSON_CreateObject();
    cJSON_AddItemToObject(j, "arch", snc_arch_to_json(&p->arch));
    cJSON_AddItemToObject(j, "policy", snc_policy_to_json(&p->policy, p->arch.layers));
    cJSON_AddBoolToObject(j, "goes_on", true); /* where it can: of older evaluations it never did */
    cJSON_AddNumberToObject(j, "share", round(1e6 * p->mean_us / p->us));
    char *text = cJSON_PrintUnformatted(j);
    const uint64_t h = text ? snc_bytes_hash(seed, text, strlen(text)) : seed;
    cJSON_free(text);
    cJSON_Delete(j);
    return h;
}

void snc_pairing_dispose(snc_pairing *p)
{
    for (int i = 0; i < p->sets; i++) snc_free(p->of[i].z);
    p->sets = 0;
}
