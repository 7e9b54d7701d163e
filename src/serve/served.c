/* Names of labels are quoted once, when the file is read. */
#include "serve/served.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/textbuf.h"

static snc_err name_labels(snc_served *s)
{
    const int K = snc_classifier_classes(s->model);
    SNC_TRY(snc_alloc(&s->label, (size_t)K, sizeof *s->label));
    for (int k = 0; k < K; k++) {
        const char *name = snc_classifier_label(s->model, k);
        char number[16];
        snprintf(number, sizeof number, "%d", k);
        snc_textbuf d = {0};
        snc_textbuf_json(&d, name ? name : number);
        s->label[k] = d.p;
        SNC_TRY(d.err);
    }
    return SNC_OK;
}

static snc_err set_budget(snc_session *s, double us, bool cascade)
{
    SNC_TRY(snc_session_set_net(s, 0)); /* whatever it had is off */
    return us > 0 ? snc_session_set_budget_us(s, us) : snc_session_set_cascade(s, cascade);
}

static snc_err open_place(snc_served *s, int i)
{
    SNC_TRY(snc_session_new(&s->session[i], s->model, 1));
    s->cascade = snc_session_cascade(s->session[i]);
    if (s->pace.busy_us > 0) SNC_TRY(set_budget(s->session[i], s->pace.busy_us, false)); /* whether it can be */
    return set_budget(s->session[i], s->pace.budget_us, s->cascade);
}

/* Both were set when it was opened, so that neither is refused. */
void snc_served_lower(snc_served *s, int place, bool lower)
{
    if (lower == s->lowered[place]) return;
    s->lowered[place] = lower;
    const snc_err err = set_budget(s->session[place], lower ? s->pace.busy_us : s->pace.budget_us, s->cascade);
    assert(!err);
    (void)err;
}

snc_err snc_served_open(snc_served **out, const char *name, const char *path, int places, const snc_pace *pace)
{
    snc_served *s = NULL;
    snc_err err = SNC_OK;
    SNC_TRY(snc_alloc(&s, 1, sizeof *s));
    atomic_init(&s->users, 1);
    SNC_GOTO(snc_strdup(&s->name, name));
    SNC_GOTO(snc_strdup(&s->path, path));
    SNC_GOTO(snc_classifier_open(&s->model, path));
    SNC_GOTO(name_labels(s));
    SNC_GOTO(snc_alloc(&s->session, (size_t)places, sizeof *s->session));
    s->places = places; /* a session that is not there yet is NULL */
    SNC_GOTO(snc_alloc(&s->lowered, (size_t)places, sizeof *s->lowered));
    if (pace) s->pace = *pace;
    for (int i = 0; i < places; i++) SNC_GOTO(open_place(s, i));
    *out = s;
    s = NULL;
out:
    snc_served_drop(s);
    return err;
}

snc_served *snc_served_hold(snc_served *s)
{
    atomic_fetch_add(&s->users, 1);
    return s;
}

void snc_served_drop(snc_served *s)
{
    if (!s || atomic_fetch_sub(&s->users, 1) > 1) return;
    for (int i = 0; s->session && i < s->places; i++) snc_session_free(s->session[i]);
    for (int k = 0; s->label && k < snc_classifier_classes(s->model); k++) snc_free(s->label[k]);
    snc_classifier_close(s->model);
    snc_free(s->session);
    snc_free(s->lowered);
    snc_free(s->label);
    snc_free(s->name);
    snc_free(s->path);
    snc_free(s);
}
