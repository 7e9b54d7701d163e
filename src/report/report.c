/* One set of facts, put as JSON, Markdown, CSV and answer lines. */
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/evaluations.h"
#include "artifact/say.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "candidate/search_result.h"
#include "candidate/workload.h"
#include "models/snc_file.h"
#include "report/answers_file.h"
#include "report/html_report.h"
#include "report/made.h"
#include "report/markdown.h"
#include "report/reading.h"
#include "report/score_table.h"

snc_verdict snc_report_judge(const snc_proof *p, const snc_targets *targets, const snc_proof_files *files)
{
    snc_verdict v;
    snc_proof_attained(v.found, p);
    v.all = snc_targets_hold(targets, v.found);
    for (int k = 0; k < snc_proof_nets(p); k++) {
        const snc_proof_model *m = &p->m[snc_proof_net(k)];
        v.net[k] = (snc_attained){m->latency_us, m->ratio};
        v.all = v.all && snc_target_holds(&files->latency[k], &v.net[k]);
    }
    return v;
}

static cJSON *interval_json(snc_interval i)
{
    const double v[] = {i.value, i.low, i.high};
    return cJSON_CreateDoubleArray(v, 3);
}

static void put_cascade_json(cJSON *j, const snc_proof *p)
{
    const snc_proof_model *m = &p->m[p->n - 1];
    cJSON *shares;
    cJSON_AddNumberToObject(j, "p50_us", m->p50_us);
    cJSON_AddNumberToObject(j, "p99_us", m->p99_us);
    cJSON_AddNumberToObject(j, "p99_ratio", m->p99_ratio);
    shares = cJSON_AddArrayToObject(j, "answered");
    for (int k = 0; k < snc_proof_nets(p); k++) cJSON_AddItemToArray(shares, cJSON_CreateNumber((double)p->share[k].rows / p->rows->all.n));
}

static cJSON *model_json(const snc_proof *p, snc_proof_index i, const snc_task *task)
{
    const snc_proof_model *m = &p->m[i];
    char digest[SNC_DIGEST_TEXT] = "";
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "name", m->name);
    cJSON_AddStringToObject(j, "path", snc_proof_lies_in(p, (int)i));
    cJSON_AddNumberToObject(j, "bytes", m->bytes);
    if (snc_sncfile_digest_read(digest, m->path) == SNC_OK) cJSON_AddStringToObject(j, "digest", digest);
    cJSON_AddNumberToObject(j, "macs", m->macs);
    cJSON_AddItemToObject(j, "latency_us", interval_json(m->latency_us));
    cJSON_AddItemToObject(j, "ratio_to_full_int8", interval_json(m->ratio));
    cJSON_AddNumberToObject(j, "p90_us", m->p90_us);
    cJSON_AddNumberToObject(j, "spread", m->spread);
    cJSON_AddItemToObject(j, "rounds_us", cJSON_CreateDoubleArray(m->round_us, m->rounds));
    if (snc_proof_is_cascade(p, (int)i)) put_cascade_json(j, p);
    snc_score_table_json(j, p, i, task);
    snc_breakdown_json(j, &m->classes, task);
    return j;
}

/* What each host that was named has measured, and which models it decides. */
static void add_hosts(cJSON *j, const snc_proof *p)
{
    cJSON *list = p->hosts ? cJSON_AddArrayToObject(j, "hosts") : NULL;
    for (int k = 0; k < p->hosts; k++) {
        const snc_proof_on *on = &p->on[k];
        cJSON *host = cJSON_CreateObject(), *models = NULL;
        cJSON_AddStringToObject(host, "name", on->host->name);
        cJSON_AddStringToObject(host, "cpu", on->host->cpu);
        cJSON_AddStringToObject(host, "isa", on->host->isa);
        models = cJSON_AddArrayToObject(host, "models");
        for (int i = 0; i < p->n; i++) {
            cJSON *m = cJSON_CreateObject();
            cJSON_AddStringToObject(m, "name", p->m[i].name);
            cJSON_AddItemToObject(m, "latency_us", interval_json(on->m[i].latency_us));
            cJSON_AddItemToObject(m, "ratio_to_full_int8", interval_json(on->m[i].ratio));
            cJSON_AddNumberToObject(m, "p90_us", on->m[i].p90_us);
            cJSON_AddNumberToObject(m, "rounds", on->m[i].rounds);
            cJSON_AddBoolToObject(m, "decides", snc_proof_decides(p, i, k));
            cJSON_AddItemToArray(models, m);
        }
        cJSON_AddItemToArray(list, host);
    }
}

static cJSON *report_json(const snc_report_facts *f, const snc_verdict *v)
{
    cJSON *j = cJSON_CreateObject(), *s;
    const cJSON *made;
    cJSON_AddStringToObject(j, "task", snc_task_name(f->in->task));
    cJSON_AddStringToObject(j, "pretrained", f->o->input.pretrained ? f->o->input.pretrained : f->o->input.teacher);
    cJSON_AddNumberToObject(j, "seed", (double)f->o->job.seed);
    cJSON_AddItemToObject(j, "workload", snc_workload_json(&f->o->workload));
    cJSON_AddItemToObject(j, "targets", snc_targets_json(f->targets, v->found));
    s = cJSON_GetObjectItemCaseSensitive(j, "targets");
    for (int k = 1; k < snc_proof_nets(f->proof); k++) {
        if (k == 1) cJSON_AddArrayToObject(s, "nets");
        cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(s, "nets"), snc_target_json(&f->files->latency[k], &v->net[k]));
    }
    s = cJSON_GetObjectItemCaseSensitive(s, "max_drop");
    if (s)
        cJSON_AddNumberToObject(s, "needs_rows",
                                snc_drop_rows(&f->proof->m[SNC_PROOF_COMPRESSED].all.drop, f->targets->of[SNC_TARGET_DROP].value));
    s = cJSON_AddObjectToObject(j, "splits");
    cJSON_AddNumberToObject(s, "all", f->in->splits.all->n);
    cJSON_AddNumberToObject(s, "train", f->in->splits.train->n);
    cJSON_AddNumberToObject(s, "rank", f->in->splits.rank->n);
    cJSON_AddNumberToObject(s, "select", f->in->splits.select->n);
    cJSON_AddNumberToObject(s, "dev", f->in->dev->n);
    cJSON_AddItemToObject(j, "eval", snc_score_table_rows_json(f->proof));
    if (f->o->targets.margin >= 0) cJSON_AddItemToObject(j, "margin", snc_score_table_margin_json(f->proof, f->o->targets.margin));
    cJSON_AddItemToObject(j, "read", cJSON_Duplicate(f->read, 1));
    snc_breakdown_majority_json(j, &f->proof->m[SNC_PROOF_TEACHER].classes);
    s = cJSON_AddArrayToObject(j, "models");
    for (int k = 0; k < f->proof->n; k++) cJSON_AddItemToArray(s, model_json(f->proof, k, f->in->task));
    add_hosts(j, f->proof);
    cJSON_AddStringToObject(j, "repair", f->repair);
    cJSON_AddItemToObject(j, "config", cJSON_Duplicate(f->config, 1));
    cJSON_AddItemToObject(j, "search", cJSON_Duplicate(f->search, 1));
    cJSON_AddItemToObject(j, "stages", cJSON_Duplicate(f->stages, 1));
    cJSON_AddItemToObject(j, "host", cJSON_Duplicate(f->host, 1));
    cJSON_ArrayForEach(made, f->made) cJSON_AddItemToObject(j, made->string, cJSON_Duplicate(made, 1));
    return j;
}

static void put_hosts(snc_textbuf *t, const snc_proof *p)
{
    if (!p->hosts) return;
    snc_textbuf_put(
        t, "\n| host | CPU, instructions | model | latency ms (95%%) | p90 ms | of full INT8 (95%%) | |\n|---|---|---|---|---|---|---|\n");
    for (int k = 0; k < p->hosts; k++)
        for (int row = 0; row < p->n; row++) {
            const int i = snc_proof_row(row);
            const snc_proof_on *on = &p->on[k];
            const snc_interval us = on->m[i].latency_us, share = on->m[i].ratio;
            snc_textbuf_put(t, "| ");
            snc_md_text(t, on->host->name);
            snc_textbuf_put(t, " | ");
            snc_md_text(t, on->host->cpu);
            snc_textbuf_put(t, ", %s | %s | %.3f (%.3f to %.3f) | %.3f | %.3fx (%.3fx to %.3fx) | %s |\n", on->host->isa, p->m[i].name,
                            us.value / 1e3, us.low / 1e3, us.high / 1e3, on->m[i].p90_us / 1e3, share.value, share.low, share.high,
                            snc_proof_decides(p, i, k) ? "decides" : "");
        }
}

static void put_table(snc_textbuf *t, const snc_proof *p)
{
    snc_textbuf_put(t, "| model | latency ms (95%%) | p90 ms | of full INT8 | size MB | score | drop, points (95%%) | "
                       "drop to full INT8 (95%%) | equal labels |\n");
    snc_textbuf_put(t, "|---|---|---|---|---|---|---|---|---|\n");
    for (int row = 0; row < p->n; row++) {
        const int k = snc_proof_row(row);
        const snc_proof_model *m = &p->m[k];
        snc_textbuf_put(t, "| %s | %.3f (%.3f to %.3f) | %.3f | %.3fx | %.2f | ", m->name, m->latency_us.value / 1e3,
                        m->latency_us.low / 1e3, m->latency_us.high / 1e3, m->p90_us / 1e3, m->ratio.value, m->bytes / 1e6);
        snc_textbuf_number(t, 100 * m->all.score, 2, "-");
        snc_textbuf_put(t, " | ");
        snc_score_table_put_drop(t, &m->all.drop, k == SNC_PROOF_TEACHER);
        snc_textbuf_put(t, " | ");
        snc_score_table_put_drop(t, &m->all.drop_int8, k == SNC_PROOF_INT8);
        if (isfinite(m->all.equal_labels)) snc_textbuf_put(t, " | %.1f%% |\n", 100 * m->all.equal_labels);
        else snc_textbuf_put(t, " | - |\n");
    }
    snc_score_table_put_sets(t, p);
    put_hosts(t, p);
}

/* " on node-a": where what is said of a model was measured. */
static const char *on_host(char buf[SNC_COMM_NAME + 4], const snc_proof *p, int model)
{
    buf[0] = 0;
    if (p->hosts) snprintf(buf, SNC_COMM_NAME + 4, " on %s", p->on[p->m[model].host].host->name);
    return buf;
}

/* Targets may hold of a file that has learnt nothing. */
static const char *headline(const snc_report_facts *f, const snc_verdict *v, const char *missed)
{
    const snc_breakdown *c = &f->proof->m[SNC_PROOF_COMPRESSED].classes;
    return !v->all                  ? missed
           : snc_breakdown_blind(c) ? "every target holds, but the file gives one answer to every row"
                                    : "every target holds";
}

/* What texts take on which the nets escalate, and who answers them. */
static void put_cascade(snc_textbuf *t, const snc_proof *p)
{
    if (!p->cascade) return;
    const snc_proof_model *m = &p->m[p->n - 1];
    snc_textbuf_put(
        t,
        "- cascade: mean of a text %.3f ms, %.3fx of the full-size INT8 model's (%.3fx to %.3fx); p50 %.3f, p90 %.3f, p99 %.3f ms, "
        "%.3fx of its p99;",
        m->latency_us.value / 1e3, m->ratio.value, m->ratio.low, m->ratio.high, m->p50_us / 1e3, m->p90_us / 1e3, m->p99_us / 1e3,
        m->p99_ratio);
    for (int k = snc_proof_nets(p) - 1; k >= 0; k--)
        snc_textbuf_put(t, " net %d answers %.1f%%%s", k, 100.0 * p->share[k].rows / p->rows->all.n, k ? "," : "\n");
}

static void put_verdict(snc_textbuf *t, const snc_report_facts *f, const snc_verdict *v)
{
    for (int k = 0; k < SNC_TARGETS; k++) {
        char said[512], host[SNC_COMM_NAME + 4], rows[SNC_DROP_SAID] = "";
        const snc_target *asked = &f->targets->of[k];
        if (!asked->given) continue;
        snc_target_say(said, sizeof said, k, asked, &v->found[k],
                       k == SNC_TARGET_LATENCY ? on_host(host, f->proof, SNC_PROOF_COMPRESSED) : "");
        if (k == SNC_TARGET_DROP) snc_drop_say_rows(rows, &f->proof->m[SNC_PROOF_COMPRESSED].all.drop, asked->value);
        snc_textbuf_put(t, "- %s %s: %s%s%s\n", snc_target_name(k), snc_target_holds(asked, &v->found[k]) ? "holds" : "MISSED", said,
                        rows[0] ? "; " : "", rows);
    }
    for (int k = 0; k < snc_proof_nets(f->proof); k++) {
        char said[512], host[SNC_COMM_NAME + 4];
        const snc_target *asked = &f->files->latency[k];
        if (k == 0 && asked->value == f->targets->of[SNC_TARGET_LATENCY].value) continue; /* else it answers for another one, too */
        snc_target_say(said, sizeof said, SNC_TARGET_LATENCY, asked, &v->net[k], on_host(host, f->proof, snc_proof_net(k)));
        snc_textbuf_put(t, "- %s: latency %s: %s\n", f->proof->m[snc_proof_net(k)].name,
                        snc_target_holds(asked, &v->net[k]) ? "holds" : "MISSED", said);
    }
    put_cascade(t, f->proof);
    snc_score_table_put_said(t, f->proof, f->o->targets.margin);
    for (int k = 0; k < f->proof->n; k++) {
        const snc_proof_model *m = &f->proof->m[k];
        if (!m->classes.only) continue;
        snc_textbuf_put(t, "- %s answers '", m->name);
        snc_md_text(t, m->classes.only);
        snc_textbuf_put(t, "' to every %s row: a score of %.2f takes no more than that\n", f->proof->rows->name, 100 * m->all.score);
    }
}

/* Of the teacher and the file. */
static void put_classes(snc_textbuf *t, const snc_report_facts *f)
{
    const snc_proof_model *teacher = &f->proof->m[SNC_PROOF_TEACHER], *file = &f->proof->m[SNC_PROOF_COMPRESSED];
    const snc_breakdown *const b[] = {&teacher->classes, &file->classes};
    const char *const names[] = {teacher->name, file->name};
    if (file->classes.K) snc_textbuf_put(t, "## Classes\n\n");
    snc_breakdown_md(t, b, names, 2, f->in->task);
    if (file->classes.K) snc_textbuf_put(t, "\n");
}

static void put_layers(snc_textbuf *t, const cJSON *config)
{
    const cJSON *layer, *arch = snc_json_at(config, "arch"), *policy = snc_json_at(config, "policy");
    const cJSON *dtypes = snc_json_at(policy, "layers");
    int i = 0;
    snc_textbuf_put(t, "## The net\n\nHidden %.0f; embeddings %s.\n\n| layer | heads | FFN | " SNC_POLICY_TIED,
                    snc_json_number(arch, "hidden"), snc_json_text(policy, "embed"));
    for (int s = SNC_SITE_O; s < SNC_SITES; s++) snc_textbuf_put(t, " | %s", snc_spec_key(s));
    snc_textbuf_put(t, " |\n|---|---|---|---|---|---|---|\n");
    cJSON_ArrayForEach(layer, snc_json_at(arch, "layers"))
    {
        const cJSON *d = cJSON_GetArrayItem(dtypes, i++);
        const char *tied = snc_json_text(d, SNC_POLICY_TIED);
        snc_textbuf_put(t, "| %.0f | %.0f | %.0f | ", snc_json_number(layer, "source"), snc_json_number(layer, "heads"),
                        snc_json_number(layer, "ffn"));
        if (tied) snc_textbuf_put(t, "%s", snc_json_number(layer, "heads") > 0 ? tied : "-");
        for (int s = tied ? SNC_SITE_O : SNC_SITE_Q; s < SNC_SITES; s++) {
            bool there = snc_json_number(layer, s <= SNC_SITE_O ? "heads" : "ffn") > 0;
            snc_textbuf_put(t, "%s%s",
                            s == SNC_SITE_Q  ? ""
                            : s < SNC_SITE_O ? ", "
                                             : " | ",
                            there ? snc_json_text(d, snc_spec_key(s)) : "-");
        }
        snc_textbuf_put(t, " |\n");
    }
}

/* Which files this is about; `verify` says what a file's digest is. */
static void put_files(snc_textbuf *t, const snc_proof *p)
{
    for (int k = 0; k < p->n; k++) {
        char digest[SNC_DIGEST_TEXT] = "";
        if (snc_sncfile_digest_read(digest, p->m[k].path) == SNC_OK && !snc_proof_is_cascade(p, k)) {
            snc_textbuf_put(t, "- %s: ", p->m[k].name);
            snc_md_code(t, snc_proof_lies_in(p, k));
            snc_textbuf_put(t, ", digest %s%s\n", digest, k < SNC_PROOF_MODELS ? "" : " as `export --net` cuts it out");
        }
    }
}

static void put_read(snc_textbuf *t, const cJSON *read)
{
    const cJSON *w;
    snc_textbuf lines = {0};
    snc_reading_put(&lines, read, "");
    snc_textbuf_put(t, "\n## What was read\n\n");
    snc_md_block(t, "text", lines.p ? lines.p : "");
    snc_free(lines.p);
    snc_textbuf_put(t, "\n");
    cJSON_ArrayForEach(w, snc_json_at(read, "warnings"))
    {
        snc_textbuf_put(t, "- warning `%s`: ", snc_json_text(w, "name"));
        snc_md_text(t, snc_json_text(w, "text"));
        snc_textbuf_put(t, "\n");
    }
}

/* Of a job with a time limit: whether it was kept, and what was given up for it. */
static void put_plan(snc_textbuf *t, const cJSON *plan)
{
    const cJSON *it, *list = snc_json_at(plan, "gave_up");
    if (!list) return;
    snc_textbuf_put(t, "- time: %.0f s of a limit of %.0f s; given up%s", snc_json_number(plan, "took_s"),
                    snc_json_number(plan, "time_limit_s"), cJSON_GetArraySize(list) ? ":" : ": nothing");
    cJSON_ArrayForEach(it, list)
        snc_textbuf_put(t, "%s %s %.12g instead of %.12g (%s)", it == list->child ? "" : ";", snc_json_text(it, "option"),
                        snc_json_number(it, "planned"), snc_json_number(it, "asked"), snc_json_text(it, "why"));
    snc_textbuf_put(t, "\n");
}

static void put_curse(snc_textbuf *t, const cJSON *curse)
{
    char said[512];
    if (!curse) return;
    snc_curse_say(said, sizeof said, curse);
    snc_textbuf_put(t, "- winner's curse: %s\n", said);
}

static void put_pairs(snc_textbuf *t, const char *what, const cJSON *of)
{
    snc_textbuf_put(t, "\n");
    snc_md_pairs(t, what, "value", of);
}

static void put_md(snc_textbuf *t, const snc_report_facts *f, const snc_verdict *v)
{
    const snc_splits *s = &f->in->splits;
    snc_textbuf_put(t, "# ");
    snc_md_text(t, snc_task_name(f->in->task));
    snc_textbuf_put(t, ": %s\n\n", headline(f, v, "a target was missed"));
    put_verdict(t, f, v);
    snc_textbuf_put(t, "\n## Proof\n\n");
    put_table(t, f->proof);
    snc_textbuf_put(
        t,
        "\nLatency is percentile %g of a call, batch %s, sequence length %s, %s thread(s), tokenization out; median over %d "
        "fresh processes, each of\n"
        "which times the file and the full-size INT8 model in turns, with the 95%% interval of order statistics (teacher: mean over %d of "
        "its own). Scores are on %s, read once. The teacher, and with it the\nfull-size INT8 model, %s; of %d rows %d were train, %d "
        "rank, %d select while a net was found%s. dev: %d rows. Seed %lld.\n\n",
        f->o->workload.percentile, f->o->workload.batch, f->o->workload.seq_len, f->o->workload.threads,
        f->proof->m[SNC_PROOF_COMPRESSED].rounds, SNC_PROOF_TEACHER_ROUNDS, f->o->rows.eval ? f->o->rows.eval : "dev",
        f->in->taught ? "has learnt from all rows" : "came fine-tuned", s->all->n, s->train->n, s->rank->n, s->select->n,
        snc_inputs_taught_all(f->in) ? ", by the same teacher: losses on the last two tell nets apart, and nothing of new text" : "",
        f->in->dev->n, (long long)f->o->job.seed);
    put_classes(t, f);
    put_layers(t, f->config);
    put_read(t, f->read);
    snc_textbuf_put(t, "\n## The run\n\n- repair: ");
    snc_md_text(t, f->repair);
    snc_textbuf_put(t, "\n");
    put_curse(t, snc_json_at(f->search, "winners_curse"));
    put_plan(t, snc_json_at(f->made, "plan"));
    put_files(t, f->proof);
    put_pairs(t, "search", f->search);
    put_pairs(t, "stage, seconds", f->stages);
    put_pairs(t, "host", f->host);
    put_pairs(t, "version", snc_json_at(f->made, "versions"));
    snc_made_md(t, f->made);
}

/* What each model says of each row: whoever compares others with it needs them, a suite over its seeds too. */
static snc_err write_answers(const char *dir, const snc_report_facts *f)
{
    snc_answer_column c[SNC_PROOF_MOST];
    for (int k = 0; k < f->proof->n; k++) c[k] = (snc_answer_column){f->proof->m[k].name, f->proof->m[k].logits};
    return snc_answers_write(dir, f->in->task, &f->proof->rows->all, f->proof->classes, c, f->proof->n);
}

snc_err snc_report_write(const char *dir, const snc_report_facts *f, const snc_verdict *v)
{
    char path[4096];
    snc_textbuf md = {0}, csv = {0};
    put_md(&md, f, v);
    snc_score_table_put_csv(&csv, f->proof);
    snc_err err = snc_textbuf_write(&md, dir, "report.md"), err2 = snc_textbuf_write(&csv, dir, "report.csv");
    SNC_TRY(err);
    SNC_TRY(err2);
    SNC_TRY(write_answers(dir, f));
    SNC_TRY(snc_path_join(path, sizeof path, dir, "report.json"));
    cJSON *j = report_json(f, v);
    err = snc_json_save(j, path);
    cJSON_Delete(j);
    if (err) return err;
    char journal[4096];
    SNC_TRY(snc_evaluations_path(journal, sizeof journal, f->o, dir));
    return snc_html_report_write(dir, journal, path, NULL);
}

void snc_report_say(const snc_host *h, const snc_report_facts *f, const snc_verdict *v)
{
    snc_textbuf t = {0};
    snc_textbuf_put(&t, "%s: %s\n", snc_task_name(f->in->task), headline(f, v, "a target was MISSED; the nearest result is kept"));
    put_verdict(&t, f, v);
    put_table(&t, f->proof);
    if (!t.err) {
        t.p[t.n - 1] = 0; /* the host adds the newline */
        snc_say_text(h, t.p);
    }
    snc_free(t.p);
}
