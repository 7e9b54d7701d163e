/* One walk over both sequences: spans that end at the same word and began at the same are the same. */
#include "data/entities.h"

#include <string.h>

#include "base/mem.h"

static const char *const metrics[] = {"entity_f1", "entity_precision", "entity_recall"};

bool snc_metric_of_entities(const char *name)
{
    bool known = false;
    for (int i = 0; i < 3; i++) known = known || strcmp(metrics[i], name) == 0;
    return known;
}

typedef struct tag {
    char prefix;
    int kind; /* of labels with the same one the same number; -1: there is none */
} tag;

struct snc_entity_tags {
    int K;
    tag tag[];
};

/* What stands behind the prefix and, where there is one, its hyphen. */
const char *snc_entity_kind(const char *label)
{
    const char *rest = *label ? label + 1 : label, *hyphen = strchr(rest, '-');
    return hyphen ? hyphen + 1 : rest;
}

snc_err snc_entity_tags_new(snc_entity_tags **out, const char *const *labels, int K)
{
    snc_entity_tags *x = NULL;
    SNC_TRY(snc_alloc(&x, 1, sizeof *x + (size_t)K * sizeof *x->tag));
    x->K = K;
    for (int k = 0; k < K; k++) {
        const char *label = labels ? labels[k] : "O", *kind = snc_entity_kind(label);
        x->tag[k] = (tag){*label, *kind ? k : -1};
        for (int j = 0; j < k && *kind; j++)
            if (strcmp(snc_entity_kind(labels[j]), kind) == 0) x->tag[k].kind = x->tag[j].kind;
    }
    *out = x;
    return SNC_OK;
}

snc_err snc_entity_tags_of(snc_entity_tags **out, const snc_task *t)
{
    const int K = snc_task_classes(t);
    const char **labels;
    SNC_TRY(snc_alloc(&labels, (size_t)K, sizeof *labels));
    for (int k = 0; k < K; k++) labels[k] = snc_task_label(t, k);
    snc_err err = snc_entity_tags_new(out, labels, K);
    snc_free(labels);
    return err;
}

void snc_entity_tags_free(snc_entity_tags *t) { snc_free(t); }

static bool one_of(char c, const char *any) { return c && strchr(any, c); }

static bool ends(tag before, tag now)
{
    if (one_of(before.prefix, "ES")) return true;
    if (one_of(before.prefix, "BI") && one_of(now.prefix, "BSO")) return true;
    return !one_of(before.prefix, "O.") && before.kind != now.kind;
}

static bool begins(tag before, tag now)
{
    if (one_of(now.prefix, "BS")) return true;
    if (one_of(before.prefix, "ESO") && one_of(now.prefix, "EI")) return true;
    return !one_of(now.prefix, "O.") && before.kind != now.kind;
}

typedef struct walk {
    tag before;
    int begun; /* where the present span did */
} walk;

void snc_entities_count(snc_entities *c, const snc_entity_tags *t, const float *said, const float *is, int n)
{
    static const tag outside = {'O', -1};
    const float *const of[] = {said, is};
    walk w[] = {{outside, 0}, {outside, 0}};
    for (int i = 0; i <= n; i++) {
        bool ended[2];
        int begun[2], kind[2];
        for (int s = 0; s < 2; s++) {
            const tag now = i < n ? t->tag[(int)of[s][i]] : outside;
            ended[s] = ends(w[s].before, now);
            begun[s] = w[s].begun;
            kind[s] = w[s].before.kind;
            if (begins(w[s].before, now)) w[s].begun = i;
            w[s].before = now;
        }
        c->said += ended[0];
        c->is += ended[1];
        c->right += ended[0] && ended[1] && begun[0] == begun[1] && kind[0] == kind[1];
    }
}

int snc_entities_find(snc_entity *out, const snc_entity_tags *t, const float *said, int n)
{
    static const tag outside = {'O', -1};
    tag before = outside;
    int found = 0, begun = 0;
    for (int i = 0; i <= n; i++) {
        const tag now = i < n ? t->tag[(int)said[i]] : outside;
        if (ends(before, now)) out[found++] = (snc_entity){begun, i, (int)said[begun]};
        if (begins(before, now)) begun = i;
        before = now;
    }
    return found;
}

double snc_entities_score(const snc_entities *c, const char *metric)
{
    const int64_t all[] = {c->said + c->is, c->said, c->is}, right[] = {2 * c->right, c->right, c->right};
    int m = 0;
    while (m < 2 && strcmp(metrics[m], metric) != 0) m++;
    return all[m] ? (double)right[m] / (double)all[m] : 0;
}
