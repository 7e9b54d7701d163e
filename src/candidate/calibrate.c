/* Probes are even shares of every width, timed as they will be delivered. */
#include "candidate/calibrate.h"

/* Even shares of every width at full and at less depth: what searches end near. */
static int probes(snc_clocked *net, const snc_space *space, const snc_latency *table)
{
    static const double share[] = {0.85, 0.7, 0.55};
    int n = 0, deepest = space->gene[0].n - 1;
    for (int d = deepest; d >= 0 && d >= deepest - 1; d--)
        for (int i = d < deepest; i < 3; i++) {
            snc_arch a;
            snc_policy policy;
            snc_clocked *probe = &net[n++];
            *probe = (snc_clocked){.cfg = snc_cfg_uniform(space, share[i], d)};
            snc_cfg_decode(&a, &policy, space, &probe->cfg);
            probe->predicted_us = snc_latency_predict(table, &a, &policy);
        }
    return n;
}

snc_err snc_calibrate(cJSON **out, const snc_net_clock *c, const snc_latency *table)
{
    snc_clocked net[SNC_CLOCKED];
    int n = probes(net, c->space, table);
    SNC_TRY(snc_net_clock_run(net, n, c, "calibration"));
    *out = cJSON_CreateArray();
    for (int i = 0; i < n; i++) {
        const double v[] = {net[i].predicted_us, net[i].us, net[i].ratio};
        cJSON_AddItemToArray(*out, cJSON_CreateDoubleArray(v, 3));
    }
    return SNC_OK;
}
