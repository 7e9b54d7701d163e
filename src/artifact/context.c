/* Threads, backend and the host's call-backs make a context; a bad --output is refused with it. */
#include "artifact/context.h"

#include <string.h>

#include "artifact/option.h"
#include "artifact/parse.h"
#include "base/fmap.h"
#include "base/hosts.h"
#include "base/isa.h"
#include "base/par.h"
#include "core/gemm.h"

void snc_threads_say(const snc_ctx *ctx, int threads, bool all)
{
    char text[128];
    snc_cpus c = snc_par_cpus();
    int most = snc_par_cores();
    snc_cpus_say(text, sizeof text, &c);
    if (all && c.usable < c.online)
        snc_log(ctx, SNC_LOG_INFO, "%d thread%s: this process may use %s", threads, threads == 1 ? "" : "s", text);
    if (threads <= most) return;
    if (c.usable > most) snprintf(text, sizeof text, "one thread: built without OpenMP");
    snc_log(ctx, SNC_LOG_WARN, "--threads %d, and this process may use %s: threads will wait for each other, and a latency says nothing",
            threads, text);
}

snc_err snc_context_init(snc_ctx *out, const snc_options *o, const snc_host *h, const char *threads, int otherwise)
{
    snc_isa isa;
    snc_int_list number = {.n = 1, .v = {otherwise > 0 ? otherwise : snc_par_share_of(h->ranks ? h->ranks->host_ranks : 1)}};
    *out = (snc_ctx)SNC_CTX_INIT;
    if (o->output.path) SNC_TRY(snc_output_check(o, "--output", o->output.path));
    if (o->search.journal) SNC_TRY(snc_output_check(o, "--journal", o->search.journal));
    SNC_TRY(snc_isa_detect(&isa));
    if (threads) SNC_TRY(snc_parse_list(&number, "--threads", threads, false));
    SNC_TRY(snc_backend_parse(&out->backend, o->job.backend));
    SNC_CHECK(number.n == 1, SNC_E_ARG, "--threads '%s': expected one number", threads);
    out->threads = number.v[0];
    bool all = !threads && otherwise <= 0;
    out->seed = (uint64_t)o->job.seed;
    out->level = o->job.verbose ? SNC_LOG_DEBUG : SNC_LOG_INFO;
    out->user = h->user;
    out->progress = h->progress;
    out->status = h->status;
    out->evaluation = h->evaluation;
    out->meter = &out->own;
    if (o->job.max_memory) SNC_TRY(snc_parse_bytes(&out->max_memory, "--max-memory", o->job.max_memory));
    out->recompute = strcmp(o->job.recompute, "on") == 0    ? SNC_RECOMPUTE_ON
                     : strcmp(o->job.recompute, "off") == 0 ? SNC_RECOMPUTE_OFF
                                                            : SNC_RECOMPUTE_AUTO;
    out->cancel = h->cancel;
    double patience = 0;
    if (o->job.rank_timeout) SNC_TRY(snc_parse_seconds(&patience, "--rank-timeout", o->job.rank_timeout));
    out->comm = snc_comm_size(h->ranks) > 1 ? h->ranks : NULL;
    if (out->comm) out->comm->half = strcmp(o->job.exchange, "bf16") == 0;
    if (out->comm && patience > 0) out->comm->patience = patience;
    SNC_TRY(snc_hosts_choose(out->comm, o->workload.profile_on));
    out->log = h->log;
    SNC_TRY(snc_ctx_check(out));
    snc_threads_say(out, out->threads, all);
    snc_log(out, SNC_LOG_DEBUG, "snc %s, %s, %d thread%s, backend %s, seed %lld", SNC_VERSION, snc_isa_name(isa), out->threads,
            out->threads == 1 ? "" : "s", snc_backend_name(out->backend), (long long)o->job.seed);
    return SNC_OK;
}

snc_err snc_output_need(const char *verb, const snc_options *o)
{
    snc_fout *probe = NULL;
    SNC_TRY(snc_option_need(verb, "--output", o->output.path));
    SNC_TRY(snc_fout_open(&probe, o->output.path));
    snc_fout_abort(probe);
    return snc_output_check(o, "--output", o->output.path);
}
