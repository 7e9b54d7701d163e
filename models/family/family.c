/* The registry of families, and their names in both directions. */
#include "models/family/family.h"

#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/number.h"

/* A new family is a file that defines snc_family_NAME, and its NAME here. */
/* clang-format off */
#define FAMILIES(X) \
    X(bert) \
    X(distilbert) \
    X(roberta) \
    X(xlm_roberta) \
    X(camembert) \
    X(electra) \
    X(albert) \
    X(mpnet) \
    X(modernbert) \
    X(deberta_v2)
/* clang-format on */

#define DECLARE(name) extern const snc_family snc_family_##name;
#define ROW(name)     &snc_family_##name,
FAMILIES(DECLARE)
static const snc_family *const families[] = {FAMILIES(ROW)};
enum { FAMILY_ROWS = sizeof families / sizeof families[0] };

const snc_family *snc_family_at(int i) { return i >= 0 && i < FAMILY_ROWS ? families[i] : NULL; }

static const char *type_of(int i) { return snc_family_at(i) ? families[i]->type : NULL; }

const snc_family *snc_family_find(const char *type)
{
    int i = snc_names_find(type_of, type);
    return i < 0 ? NULL : families[i];
}

void snc_family_types(char *out, size_t size) { snc_names_join(out, size, type_of, ", "); }

#define NEXT "{N+1}"

void snc_family_name(char *out, size_t size, const snc_family *f, snc_role role, int layer)
{
    const char *next = strstr(f->name[role], NEXT);
    if (!next) snc_spec_expand(out, size, f->name[role], layer);
    else snprintf(out, size, "%.*s%d%s", (int)(next - f->name[role]), f->name[role], layer + 1, next + strlen(NEXT));
}

void snc_family_name_in(char *out, size_t size, const snc_encoder_config *c, snc_role role, int layer)
{
    const snc_family *f = snc_family_of(c);
    bool closing = f->closing && layer == c->layers - 1 && (role == SNC_ROLE_FFN_NORM || role == SNC_ROLE_FFN_NORM_BIAS);
    if (c->tags && (role == SNC_ROLE_CLASSIFIER || role == SNC_ROLE_CLASSIFIER_BIAS)) /* whatever the family calls that of sequences */
        snprintf(out, size, "classifier.%s", role == SNC_ROLE_CLASSIFIER ? "weight" : "bias");
    else if (closing) snprintf(out, size, "%s.%s", f->closing, role == SNC_ROLE_FFN_NORM ? "weight" : "bias");
    else snc_family_name(out, size, f, role, layer);
}

bool snc_family_role(snc_role *role, int *layer, const snc_family *f, const char *name)
{
    char full[SNC_FAMILY_NAME];
    for (int r = 0; r < SNC_ROLES; r++) {
        const char *mark = f->name[r] ? strstr(f->name[r], "{N") : NULL;
        const char *rest;
        int l = 0;
        if (!f->name[r] || (mark && strncmp(name, f->name[r], (size_t)(mark - f->name[r])) != 0)) continue;
        if (mark && !snc_int_read(&l, name + (mark - f->name[r]), &rest)) continue;
        if (mark) l -= strncmp(mark, NEXT, strlen(NEXT)) == 0;
        if (l < 0) continue;
        snc_family_name(full, sizeof full, f, r, l);
        if (strcmp(full, name) != 0) continue;
        *role = r;
        *layer = l;
        return true;
    }
    return false;
}

snc_role snc_family_shared(const snc_family *f)
{
    int r = 0;
    while (r < SNC_ROLES && !(f->name[r] && snc_spec_rows[r].layer && !strstr(f->name[r], "{N"))) r++;
    return (snc_role)r;
}

void snc_family_layers(char *out, size_t size, const snc_family *f)
{
    const char *name = f->name[SNC_ROLE_Q] + strlen(f->prefix), *mark = strstr(name, "{N}");
    snprintf(out, size, "%.*s", mark ? (int)(mark - name) : 0, name);
}
