/* One set of facts, put as JSON, Markdown, CSV and answer lines. */
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "artifact/evaluations.h"
#include "artifact/say.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "candidate/workload.h"
#include "models/snc_file.h"
#include "report/html_report.h"
#include "report/reading.h"

snc_verdict snc_report_judge(const snc_proof *p, const snc_targets *targets)
{
    snc_verdict v;
    snc_proof_attained(v.found, p);
    v.all = snc_targets_hold(targets, v.found);
    return v;
}

static cJSON *interval_json(snc_interval i)
{
    const double v[] = {i.value, i.low, i.high};
    return cJSON_CreateDoubleArray(v, 3);
}

static cJSON *model_json(const snc_proof_model *m, const snc_task *task)
{
    char digest[SNC_DIGEST_TEXT] = "";
    cJSON *j = cJSON_CreateObject();
    cJSON_AddStringToObject(j, "name", m->name);
    cJSON_AddStringToObject(j, "path", m->path);
    cJSON_AddNumberToObject(j, "bytes", m->bytes);
    if (snc_sncfile_digest_read(digest, m->path) == SNC_OK) cJSON_AddStringToObject(j, "digest", digest);
    cJSON_AddNumberToObject(j, "macs", m->macs);
    cJSON_AddItemToObject(j, "latency_us", interval_json(m->latency_us));
    cJSON_AddItemToObject(j, "ratio_to_full_int8", interval_json(m->ratio));
    cJSON_AddNumberToObject(j, "p90_us", m->p90_us);
    cJSON_AddNumberToObject(j, "spread", m->spread);
    cJSON_AddItemToObject(j, "rounds_us", cJSON_CreateDoubleArray(m->round_us, m->rounds));
    cJSON_AddNumberToObject(j, "score", m->score);
    cJSON *metrics = cJSON_AddObjectToObject(j, "metrics");
    for (int i = 0; i < snc_task_metrics(task); i++) cJSON_AddNumberToObject(metrics, snc_task_metric(task, i), m->metric[i]);
    cJSON_AddItemToObject(j, "drop_points", interval_json(m->drop.points)); /* null where nothing is said */
    cJSON_AddNumberToObject(j, "drop_at_most", m->drop.bound);
    if (m->drop.unsaid[0]) cJSON_AddStringToObject(j, "drop_unsaid", m->drop.unsaid);
    if (isfinite(m->equal_labels)) cJSON_AddNumberToObject(j, "equal_labels", m->equal_labels);
    snc_breakdown_json(j, &m->classes, task);
    return j;
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
    s = cJSON_AddObjectToObject(j, "splits");
    cJSON_AddNumberToObject(s, "train", f->in->splits.train->n);
    cJSON_AddNumberToObject(s, "rank", f->in->splits.rank->n);
    cJSON_AddNumberToObject(s, "select", f->in->splits.select->n);
    cJSON_AddNumberToObject(s, "dev", f->proof->n_dev);
    cJSON_AddItemToObject(j, "read", cJSON_Duplicate(f->read, 1));
    snc_breakdown_majority_json(j, &f->proof->m[SNC_PROOF_TEACHER].classes);
    s = cJSON_AddArrayToObject(j, "models");
    for (int k = 0; k < SNC_PROOF_MODELS; k++) cJSON_AddItemToArray(s, model_json(&f->proof->m[k], f->in->task));
    cJSON_AddStringToObject(j, "repair", f->repair);
    cJSON_AddItemToObject(j, "config", cJSON_Duplicate(f->config, 1));
    cJSON_AddItemToObject(j, "search", cJSON_Duplicate(f->search, 1));
    cJSON_AddItemToObject(j, "stages", cJSON_Duplicate(f->stages, 1));
    cJSON_AddItemToObject(j, "host", cJSON_Duplicate(f->host, 1));
    cJSON_ArrayForEach(made, f->made) cJSON_AddItemToObject(j, made->string, cJSON_Duplicate(made, 1));
    return j;
}

static void put_drop(snc_textbuf *t, const snc_drop *d, bool itself)
{
    if (!itself) snc_textbuf_number(t, d->points.value, 2, "-");
    if (!itself && isfinite(d->points.low)) snc_textbuf_put(t, " (%.2f to %.2f)", d->points.low, d->points.high);
    snc_textbuf_put(t, itself ? "| " : " | ");
}

static void put_table(snc_textbuf *t, const snc_proof *p)
{
    snc_textbuf_put(t, "| model | latency ms (95%%) | p90 ms | of full INT8 | size MB | score | drop, points (95%%) | equal labels |\n");
    snc_textbuf_put(t, "|---|---|---|---|---|---|---|---|\n");
    for (int k = SNC_PROOF_MODELS - 1; k >= 0; k--) {
        const snc_proof_model *m = &p->m[k];
        snc_textbuf_put(t, "| %s | %.3f (%.3f to %.3f) | %.3f | %.3fx | %.2f | ", m->name, m->latency_us.value / 1e3,
                        m->latency_us.low / 1e3, m->latency_us.high / 1e3, m->p90_us / 1e3, m->ratio.value, m->bytes / 1e6);
        snc_textbuf_number(t, 100 * m->score, 2, "-");
        snc_textbuf_put(t, " | ");
        put_drop(t, &m->drop, m == &p->m[SNC_PROOF_TEACHER]);
        if (isfinite(m->equal_labels)) snc_textbuf_put(t, "%.1f%% |\n", 100 * m->equal_labels);
        else snc_textbuf_put(t, "- |\n");
    }
}

/* What dev says of rows that were not seen, or why it says nothing. */
static void put_drop_said(snc_textbuf *t, const snc_report_facts *f)
{
    const snc_drop *d = &f->proof->m[SNC_PROOF_COMPRESSED].drop;
    const char *rows = f->proof->n_dev == 1 ? "row" : "rows";
    if (!d->unsaid[0])
        snc_textbuf_put(t, "- at most %.2f points worse than the teacher at 95%%; the difference is %.2f points on %d dev %s\n", d->bound,
                        d->points.value, f->proof->n_dev, rows);
    else if (isfinite(d->points.value))
        snc_textbuf_put(t, "- the difference to the teacher is %.2f points on %d dev %s; of others nothing is said: %s\n", d->points.value,
                        f->proof->n_dev, rows, d->unsaid);
    else snc_textbuf_put(t, "- the difference to the teacher has no value on %d dev %s: %s\n", f->proof->n_dev, rows, d->unsaid);
}

/* Targets may hold of a file that has learnt nothing. */
static const char *headline(const snc_report_facts *f, const snc_verdict *v, const char *missed)
{
    const snc_breakdown *c = &f->proof->m[SNC_PROOF_COMPRESSED].classes;
    return !v->all                  ? missed
           : snc_breakdown_blind(c) ? "every target holds, but the file gives one answer to every row"
                                    : "every target holds";
}

static void put_verdict(snc_textbuf *t, const snc_report_facts *f, const snc_verdict *v)
{
    for (int k = 0; k < SNC_TARGETS; k++) {
        char said[256];
        const snc_target *asked = &f->targets->of[k];
        if (!asked->given) continue;
        snc_target_say(said, sizeof said, k, asked, &v->found[k], "");
        snc_textbuf_put(t, "- %s %s: %s\n", snc_target_name(k), snc_target_holds(k, asked, &v->found[k]) ? "holds" : "MISSED", said);
    }
    put_drop_said(t, f);
    for (int k = 0; k < SNC_PROOF_MODELS; k++) {
        const snc_proof_model *m = &f->proof->m[k];
        if (!m->classes.only) continue;
        snc_textbuf_put(t, "- %s answers '%s' to every dev row: a score of %.2f takes no more than that\n", m->name, m->classes.only,
                        100 * m->score);
    }
}

/* Of the teacher and the file. */
static void put_classes(snc_textbuf *t, const snc_report_facts *f)
{
    const snc_proof_model *teacher = &f->proof->m[SNC_PROOF_TEACHER], *file = &f->proof->m[SNC_PROOF_COMPRESSED];
    const snc_breakdown *const b[] = {&teacher->classes, &file->classes};
    const char *const names[] = {teacher->name, file->name};
    snc_breakdown_md(t, b, names, 2, f->in->task);
    if (file->classes.K) snc_textbuf_put(t, "\n");
}

static void put_layers(snc_textbuf *t, const cJSON *config)
{
    const cJSON *layer, *arch = snc_json_at(config, "arch"), *policy = snc_json_at(config, "policy");
    const cJSON *dtypes = snc_json_at(policy, "layers");
    int i = 0;
    snc_textbuf_put(t, "Hidden %.0f; embeddings %s.\n\n| layer | heads | FFN | " SNC_POLICY_TIED, snc_json_number(arch, "hidden"),
                    snc_json_text(policy, "embed"));
    for (int s = SNC_SITE_O; s < SNC_SITES; s++) snc_textbuf_put(t, " | %s", snc_spec_key(s));
    snc_textbuf_put(t, " |\n|---|---|---|---|---|---|---|\n");
    cJSON_ArrayForEach(layer, snc_json_at(arch, "layers"))
    {
        const cJSON *d = cJSON_GetArrayItem(dtypes, i++);
        const char *tied = snc_json_text(d, SNC_POLICY_TIED);
        snc_textbuf_put(t, "| %.0f | %.0f | %.0f | ", snc_json_number(layer, "source"), snc_json_number(layer, "heads"),
                        snc_json_number(layer, "ffn"));
        if (tied) snc_textbuf_put(t, "%s", tied);
        for (int s = tied ? SNC_SITE_O : SNC_SITE_Q; s < SNC_SITES; s++)
            snc_textbuf_put(t, "%s%s", s == SNC_SITE_Q ? "" : s < SNC_SITE_O ? ", " : " | ", snc_json_text(d, snc_spec_key(s)));
        snc_textbuf_put(t, " |\n");
    }
}

static void put_json_line(snc_textbuf *t, const char *name, const cJSON *j)
{
    char *s = cJSON_PrintUnformatted(j);
    snc_textbuf_put(t, "- %s: ", name);
    snc_textbuf_text(t, s ? s : "");
    snc_textbuf_put(t, "\n");
    cJSON_free(s);
}

/* Which files this is about; `verify` says what a file's digest is. */
static void put_files(snc_textbuf *t, const snc_proof *p)
{
    for (int k = 0; k < SNC_PROOF_MODELS; k++) {
        char digest[SNC_DIGEST_TEXT] = "";
        if (snc_sncfile_digest_read(digest, p->m[k].path) == SNC_OK)
            snc_textbuf_put(t, "- %s: `%s`, digest %s\n", p->m[k].name, p->m[k].path, digest);
    }
}

static void put_read(snc_textbuf *t, const cJSON *read)
{
    const cJSON *w;
    snc_textbuf_put(t, "\nWhat was read:\n\n");
    snc_reading_put(t, read, "    ");
    snc_textbuf_put(t, "\n");
    cJSON_ArrayForEach(w, snc_json_at(read, "warnings"))
        snc_textbuf_put(t, "- warning `%s`: %s\n", snc_json_text(w, "name"), snc_json_text(w, "text"));
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

static void put_md(snc_textbuf *t, const snc_report_facts *f, const snc_verdict *v)
{
    const snc_splits *s = &f->in->splits;
    snc_textbuf_put(t, "# %s: %s\n\n", snc_task_name(f->in->task), headline(f, v, "a target was missed"));
    put_verdict(t, f, v);
    snc_textbuf_put(t, "\n");
    put_table(t, f->proof);
    snc_textbuf_put(
        t,
        "\nLatency is percentile %g of a call, batch %s, sequence length %s, %s thread(s), tokenization out; median over %d "
        "fresh processes a model, with\n"
        "the 95%% interval of order statistics (teacher: mean over %d); interleaved. Scores are on dev, read once. Splits: train "
        "%d, rank %d, select %d, dev %d rows. Seed %lld.\n\n",
        f->o->workload.percentile, f->o->workload.batch, f->o->workload.seq_len, f->o->workload.threads,
        f->proof->m[SNC_PROOF_COMPRESSED].rounds, SNC_PROOF_TEACHER_ROUNDS, s->train->n, s->rank->n, s->select->n, f->proof->n_dev,
        (long long)f->o->job.seed);
    put_classes(t, f);
    put_layers(t, f->config);
    put_read(t, f->read);
    snc_textbuf_put(t, "\n- repair: %s\n", f->repair);
    put_plan(t, snc_json_at(f->made, "plan"));
    put_files(t, f->proof);
    put_json_line(t, "search", f->search);
    put_json_line(t, "stages", f->stages);
    put_json_line(t, "host", f->host);
    put_json_line(t, "options", snc_json_at(f->made, "options"));
    put_json_line(t, "versions", snc_json_at(f->made, "versions"));
    snc_textbuf_put(t, "\nMade %s by\n\n    ", snc_json_text(f->made, "date"));
    snc_textbuf_text(t, snc_json_text(f->made, "command"));
    snc_textbuf_put(t, "\n");
}

static void put_csv(snc_textbuf *t, const snc_proof *p)
{
    snc_textbuf_put(
        t, "model,latency_us,latency_low_us,latency_high_us,p90_us,ratio,ratio_high,bytes,score,drop,drop_low,drop_high,equal_labels\n");
    for (int k = 0; k < SNC_PROOF_MODELS; k++) {
        const snc_proof_model *m = &p->m[k];
        snc_textbuf_put(t, "%s,%.2f,%.2f,%.2f,%.2f,%.4f,%.4f,%.0f,", m->name, m->latency_us.value, m->latency_us.low, m->latency_us.high,
                        m->p90_us, m->ratio.value, m->ratio.high, m->bytes);
        const double scores[] = {m->score, m->drop.points.value, m->drop.points.low, m->drop.points.high};
        for (int i = 0; i < 4; i++) {
            snc_textbuf_number(t, scores[i], i ? 4 : 6, "");
            snc_textbuf_put(t, ",");
        }
        if (isfinite(m->equal_labels)) snc_textbuf_put(t, "%.6f", m->equal_labels);
        snc_textbuf_put(t, "\n");
    }
}

snc_err snc_report_write(const char *dir, const snc_report_facts *f, const snc_verdict *v)
{
    char path[4096];
    snc_textbuf md = {0}, csv = {0};
    put_md(&md, f, v);
    put_csv(&csv, f->proof);
    snc_err err = snc_textbuf_write(&md, dir, "report.md"), err2 = snc_textbuf_write(&csv, dir, "report.csv");
    SNC_TRY(err);
    SNC_TRY(err2);
    SNC_TRY(snc_path_join(path, sizeof path, dir, "report.json"));
    cJSON *j = report_json(f, v);
    err = snc_json_save(j, path);
    cJSON_Delete(j);
    if (err) return err;
    char journal[4096];
    SNC_TRY(snc_evaluations_path(journal, sizeof journal, f->o, dir));
    return snc_html_report_write(dir, journal, path);
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
