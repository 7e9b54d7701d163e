/* A hash table of spellings, as a file has many labels and few spellings: each is folded once, and then found by its bytes. */
#include "data/labels_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- spellings ------------------------------------------------------------------------------------------------------ */

/* NULL: it was not seen. */
static snc_spelling *find(snc_spelling *all, snc_span text)
{
    snc_spelling *s;
    HASH_FIND(hh, all, text.p, text.n, s);
    return s;
}

/* A spelling that is new. */
static snc_err add(snc_spelling **out, snc_spelling **all, snc_arena *arena, snc_span text, int class)
{
    snc_spelling *s;
    char *copy;
    SNC_TRY(snc_arena_alloc(&s, arena, sizeof *s));
    SNC_TRY(snc_arena_strndup(&copy, arena, text.p, text.n));
    s->text = (snc_span){copy, text.n};
    s->class = class;
    HASH_ADD_KEYPTR(hh, *all, copy, text.n, s);
    SNC_CHECK(s->hh.tbl, SNC_E_NOMEM, "out of memory for spellings of labels");
    *out = s;
    return SNC_OK;
}

/* ---- what differs in nothing that matters ----------------------------------------------------------------------------- */

/* Bytes of the blank at p, 0: it is none. No-break and ideographic spaces and a byte order mark come with what people paste. */
static size_t blank(const char *p, size_t n)
{
    static const char *const wide[] = {"\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\x8b", "\xef\xbb\xbf"};
    if (n && snc_is_blank(*p)) return 1;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (n >= strlen(wide[i]) && memcmp(p, wide[i], strlen(wide[i])) == 0) return strlen(wide[i]);
    return 0;
}

static snc_span trimmed(snc_span s)
{
    for (size_t k; (k = blank(s.p, s.n)) != 0; s.p += k) s.n -= k;
    size_t end = 0; /* behind the last that is no blank */
    for (size_t k, i = 0; i < s.n; i += k ? k : 1)
        if ((k = blank(s.p + i, s.n - i)) == 0) end = i + 1;
    return (snc_span){s.p, end};
}

/* Without blanks and quotes around it. */
static snc_span bare(snc_span s)
{
    s = trimmed(s);
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"') s = trimmed((snc_span){s.p + 1, s.n - 2});
    return s;
}

/* "1.00" is 1. */
static size_t whole_part(const char *p, size_t n)
{
    size_t k = n, digits = 0;
    while (k > 0 && p[k - 1] == '0') k--;
    if (k == n || k < 2 || p[k - 1] != '.') return n;
    for (size_t i = p[0] == '-'; i < k - 1; i++, digits++)
        if (p[i] < '0' || p[i] > '9') return n;
    return digits ? k - 1 : n;
}

snc_err snc_label__fold(snc_span *out, snc_arena *arena, snc_span label)
{
    snc_span s = bare(label);
    char *p;
    size_t n = 0;
    SNC_TRY(snc_arena_alloc(&p, arena, s.n + 1));
    for (size_t i = 0; i < s.n;) {
        size_t k = blank(s.p + i, s.n - i);
        if (!k) p[n++] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
        else if (p[n - 1] != ' ') p[n++] = ' ';
        i += k ? k : 1;
    }
    *out = (snc_span){p, whole_part(p, n)};
    return SNC_OK;
}

/* ---- the classes of a task -------------------------------------------------------------------------------------------- */

snc_err snc_labels__init(snc_labels *l, const snc_task *t, snc_arena *arena)
{
    *l = (snc_labels){.arena = arena};
    for (int k = 0; k < t->labels.n; k++) {
        snc_span text = {t->labels.v[k], strlen(t->labels.v[k])}, key;
        snc_spelling *s;
        SNC_TRY(add(&s, &l->as_is, arena, text, k));
        SNC_TRY(snc_label__fold(&key, arena, text));
        s = find(l->folded, key);
        if (s) s->class = -1;
        else SNC_TRY(add(&s, &l->folded, arena, key, k));
    }
    return SNC_OK;
}

snc_err snc_labels__class(int *class, snc_labels *l, snc_span label)
{
    snc_spelling *s = find(l->as_is, label);
    *class = -1;
    if (!s) {
        snc_span key;
        SNC_TRY(snc_label__fold(&key, l->arena, label));
        const snc_spelling *as = find(l->folded, key);
        if (!as || as->class < 0) return SNC_OK;
        SNC_TRY(add(&s, &l->as_is, l->arena, label, as->class));
    }
    s->rows++;
    *class = s->class;
    return SNC_OK;
}

void snc_labels__dispose(snc_labels *l)
{
    HASH_CLEAR(hh, l->as_is);
    HASH_CLEAR(hh, l->folded);
}

/* ---- the labels of a train file --------------------------------------------------------------------------------------- */

static bool all_numbers(const char *const *v, int n)
{
    double x;
    for (int i = 0; i < n; i++)
        if (!snc_read_number(&x, (snc_span){v[i], strlen(v[i])})) return false;
    return true;
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static int by_value(const void *a, const void *b)
{
    double x = strtod(*(const char *const *)a, NULL), y = strtod(*(const char *const *)b, NULL);
    return x < y ? -1 : x > y ? 1 : by_bytes(a, b);
}

static snc_err add_spelling(snc_spelling **out, snc_labels *l, const snc_reader *r, snc_span label)
{
    snc_span key;
    snc_spelling *as;
    SNC_TRY(snc_label__fold(&key, l->arena, label));
    SNC_CHECK(key.n && !memchr(label.p, 0, label.n), SNC_E_FORMAT, "%s:%lld: an empty label", r->path, (long long)r->line);
    as = find(l->folded, key);
    if (!as) {
        int k = (int)HASH_COUNT(l->folded);
        SNC_CHECK(k < SNC_TASK__MAX_LABELS, SNC_E_FORMAT,
                  "%s:%lld: more than %d different labels; numbers to predict need \"type\": \"regression\"", r->path, (long long)r->line,
                  SNC_TASK__MAX_LABELS);
        SNC_TRY(add(&as, &l->folded, l->arena, key, k));
    }
    return add(out, &l->as_is, l->arena, label, as->class);
}

static snc_err count_spelling(snc_labels *l, const snc_reader *r, snc_span label)
{
    snc_spelling *s = find(l->as_is, label);
    if (!s) SNC_TRY(add_spelling(&s, l, r, label));
    s->rows++;
    return SNC_OK;
}

static snc_err count_spellings(snc_labels *l, snc_reader *r)
{
    bool row, more;
    SNC_TRY(snc_reader__next(&row, r));
    while (row) {
        snc_label_walk walk = snc_reader__labels(r);
        snc_span label = {0};
        SNC_TRY(snc_reader__label(&more, &label, r, &walk));
        while (more) {
            SNC_TRY(count_spelling(l, r, label));
            SNC_TRY(snc_reader__label(&more, &label, r, &walk));
        }
        SNC_TRY(snc_reader__next(&row, r));
    }
    return SNC_OK;
}

/* label [folded.n]: of each class the spelling of most rows, of equals the first that came, bare. */
static snc_err choose_spellings(const char **label, const snc_labels *l)
{
    int64_t most[SNC_TASK__MAX_LABELS] = {0};
    for (const snc_spelling *s = l->as_is; s; s = s->hh.next) {
        if (s->rows <= most[s->class]) continue;
        snc_span text = bare(s->text);
        char *copy;
        SNC_TRY(snc_arena_strndup(&copy, l->arena, text.p, text.n));
        label[s->class] = copy;
        most[s->class] = s->rows;
    }
    return SNC_OK;
}

snc_err snc_labels__discover(snc_task *t, snc_reader *r)
{
    snc_labels l = {.arena = r->text.arena};
    const char **label;
    snc_err err = count_spellings(&l, r);
    int n = (int)HASH_COUNT(l.folded);
    if (!err && n == 0) err = snc_err_set(SNC_E_FORMAT, "%s: no row with a label", r->path);
    if (!err) err = snc_arena_alloc(&label, l.arena, (size_t)(n + 1) * sizeof *label);
    if (!err) err = choose_spellings(label, &l);
    if (!err) {
        qsort(label, (size_t)n, sizeof *label, all_numbers(label, n) ? by_value : by_bytes);
        err = snc_task__set_labels(t, label, n, r->path);
    }
    snc_labels__dispose(&l);
    return err;
}
