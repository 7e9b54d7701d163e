/* compress search: the search alone, on a supernet and a latency table that are there or are made. */
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "stage/pick.h"

static void say_front(const snc_host *h, const snc_pick *p, const snc_finalist *f, int n)
{
    snc_stage_say(h, "| finalist | loss on rank | loss on select | score on select | us measured | us predicted | of full INT8 | MB |");
    snc_stage_say(h, "|---|---|---|---|---|---|---|---|");
    for (int i = 0; i < n; i++)
        snc_stage_say(h, "| %d | %.4f | %.4f | %.2f | %.0f | %.0f | %.3fx | %.2f |", i + 1, f[i].o.loss, f[i].select_loss, 100 * f[i].select_score,
                      f[i].us, f[i].o.latency_us, f[i].ratio, f[i].o.bytes / 1e6);
    snc_stage_say(h, "teacher on select %.2f", 100 * p->teacher_select_score);
}

static snc_err search(const snc_options *o, const snc_host *h, const snc_ctx *ctx, const snc_ctx *work, const snc_inputs *in)
{
    snc_err err = SNC_OK;
    snc_pick p = {0};
    snc_obs *obs = NULL;
    snc_finalist f[SNC_FINALISTS];
    snc_run_report r;
    cJSON *chosen = NULL;
    int n = 0, n_f = 0;
    char table[4096], journal[4096], front[4096], config[4096];
    SNC_TRY(snc_path_join(table, sizeof table, o->output, "latency.json"));
    SNC_TRY(snc_path_join(journal, sizeof journal, o->output, "search.sqlite"));
    SNC_TRY(snc_path_join(front, sizeof front, o->output, "front.json"));
    SNC_TRY(snc_path_join(config, sizeof config, o->output, "config.json"));
    SNC_TRY(snc_mkdir(o->output));
    SNC_TRY(snc_step_profile(work, o, in, o->models[0], table));
    SNC_TRY(snc_ctx_check(ctx));
    SNC_TRY(snc_pick_open(&p, ctx, work, o, in, o->teacher, o->models[0], table, o->output));
    SNC_GOTO(snc_pick_search(&obs, &n, &r, &p, journal));
    SNC_GOTO(snc_pick_choose(f, &n_f, &p, obs, n));
    SNC_GOTO(snc_pick_save_front(front, &p, obs, n, f, n_f));
    chosen = snc_pick_obs_json(&p, &f[0].o);
    SNC_GOTO(snc_json_save(chosen, config));
    say_front(h, &p, f, n_f);
    snc_stage_say(h, "%d evaluations, %.1f a second; %s", n, r.seconds > 0 ? r.evaluated / r.seconds : 0, config);
out:
    cJSON_Delete(chosen);
    snc_free(obs);
    snc_pick_close(&p);
    return err;
}

snc_err snc_stage_search(const snc_options *o, const snc_host *h)
{
    snc_err err = SNC_OK;
    snc_ctx ctx, work;
    snc_options all = *o;
    snc_inputs in = {0};
    snc_limits_asked asked;
    SNC_TRY(snc_stage_need("search", "a supernet", o->n_models ? o->models[0] : NULL));
    SNC_TRY(snc_stage_need("search", "--teacher", o->teacher));
    SNC_TRY(snc_stage_need("search", "--output", o->output));
    SNC_TRY(snc_limits_parse(&asked, o, "search"));
    all.threads = NULL;
    SNC_TRY(snc_stage_ctx(&work, o, h, 1));
    SNC_TRY(snc_stage_ctx(&ctx, &all, h, 0));
    SNC_GOTO(snc_inputs_open(&in, &ctx, o, "search", o->models[0], true, NULL));
    SNC_GOTO(search(o, h, &ctx, &work, &in));
out:
    snc_inputs_close(&in);
    return err;
}
