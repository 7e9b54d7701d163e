/* Rounds of all nets beside each other, and medians of them; what seems disturbed is timed once more. */
#include "candidate/net_clock.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "candidate/workload.h"

enum { ROUNDS = 5, LEAST_ROUNDS = 3, LEAST_SAMPLES = 3 };

static const double CLOCKS_FOR = 20; /* seconds, of nets beside each other */

static const double SLOW = 1.15; /* against its prediction and the others': measured once more, in new memory */

/* A net as it will be delivered: cut out and packed by itself, not a view of the supernet. */
typedef struct packed_net {
    snc_model *m;
    snc_weights *w;
    snc_net *net;
} packed_net;

static void free_net(packed_net *e)
{
    snc_net_free(e->net);
    snc_weights_free(e->w);
    snc_model_free(e->m);
}

/* cfg NULL: the full-size INT8 net. */
static snc_err pack_net(packed_net *e, const snc_net_clock *c, const snc_cfg *cfg, const snc_net_opts *no)
{
    snc_arch a = c->supernet->arch;
    snc_policy policy = snc_policy_int8();
    if (cfg) snc_cfg_decode(&a, &policy, c->space, cfg);
    SNC_TRY(snc_model_extract(&e->m, c->supernet, &a));
    SNC_TRY(snc_weights_from_model(&e->w, c->work, e->m));
    return snc_net_create(&e->net, c->work, e->w, NULL, &policy, no);
}

/* Medians of rounds, in each of which all of them and the full-size INT8 net are timed beside each other; a slow net has fewer. */
static snc_err clock_once(snc_clocked *net, int n, const snc_net_clock *c, const char *what)
{
    snc_err err = SNC_OK;
    snc_workload w = {0};
    packed_net e[SNC_CLOCKED + 1] = {{0}};
    snc_measured m[SNC_CLOCKED + 1];
    double us[SNC_CLOCKED + 1][ROUNDS], ratio[SNC_CLOCKED + 1][ROUNDS];
    snc_measure_opts mo = SNC_MEASURE_OPTS_INIT;
    int rounds = 0;
    mo.seconds = 0.25;
    mo.min_samples = LEAST_SAMPLES;
    mo.warmup = 0.05;
    mo.max_samples = 600; /* of a nano net: others are asked for their time */
    mo.percentile = c->load->percentile / 100;
    SNC_GOTO(snc_workload_of_options(&w, c->work, c->load, c->rank, &c->supernet->cfg));
    snc_net_opts no = {.max_tokens = w.max_tokens, .max_seqs = w.batch, .max_len = w.max_len};
    snc_progress(c->work, what, 0, ROUNDS, "%s", "");
    for (int i = 0; i <= n; i++) {
        SNC_GOTO(pack_net(&e[i], c, i < n ? &net[i].cfg : NULL, &no));
        m[i] = (snc_measured){.net = e[i].net, .batches = w.batches, .count = w.count};
    }
    for (double t0 = snc_now(); rounds < ROUNDS && (rounds < LEAST_ROUNDS || snc_now() - t0 < CLOCKS_FOR); rounds++) {
        SNC_GOTO(snc_measure_beside(m, n + 1, &mo));
        for (int i = 0; i <= n; i++) {
            us[i][rounds] = m[i].t.value;
            ratio[i][rounds] = m[i].t.value / m[n].t.value;
        }
        snc_progress(c->work, what, rounds + 1, ROUNDS, "%.0f us, full INT8 %.0f us", m[0].t.value, m[n].t.value);
    }
    for (int i = 0; i < n; i++) {
        net[i].us = snc_median(us[i], rounds);
        net[i].ratio = snc_median(ratio[i], rounds);
    }
out:
    for (int i = 0; i <= n; i++) free_net(&e[i]);
    snc_workload_free(&w);
    return err;
}

/* A net far slower than its prediction, when the others are not, may have met a disturbance or unlucky pages: once seen,
 * 1.17x of the full net against a prediction of 0.65x, and 0.65x in every later process. The second reading counts. */
snc_err snc_net_clock_run(snc_clocked *net, int n, const snc_net_clock *c, const char *what)
{
    double off[SNC_CLOCKED], middle;
    SNC_TRY(clock_once(net, n, c, what));
    for (int i = 0; i < n; i++) off[i] = net[i].us / net[i].predicted_us;
    middle = snc_median(off, n);
    for (int i = 0; i < n; i++) {
        if (n < 3 || net[i].us / net[i].predicted_us <= SLOW * middle) continue;
        double first = net[i].us;
        SNC_TRY(clock_once(&net[i], 1, c, what));
        snc_log(c->work, SNC_LOG_INFO, "a net predicted at %.0f us took %.0f us; measured again: %.0f us", net[i].predicted_us, first,
                net[i].us);
    }
    return SNC_OK;
}
