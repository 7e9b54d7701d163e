/* A Hugging Face checkpoint as a model: names to parameters, the head, what is left out. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "base/number.h"
#include "models/family/family.h"
#include "models/hf_priv.h"

enum { PREFIX_SIZE = 256, NAME_SIZE = 512, PATH_SIZE = 4096 };
enum { SPARE_ROWS = 128 }; /* more than a padding leaves: worth a word, as the vocabulary may be of another model */

typedef struct importer {
    const snc_ctx *ctx;
    const char *path, *config_path, *folder;
    snc_hf_source src;
    snc_hf_config conf;
    char prefix[PREFIX_SIZE], head_prefix[PREFIX_SIZE]; /* of this file: of the encoder's names, and of the head's */
    bool has_head, has_pooler;
    snc_hf_vector vector;
} importer;

static const snc_family *family_of(const importer *im) { return snc_family_of(&im->conf.cfg); }

/* Whether a name is the encoder's, not the head's. */
static bool is_encoders(const snc_family *f, const char *name) { return strncmp(name, f->prefix, strlen(f->prefix)) == 0; }

/* A name of the family as this file has it. */
static void own_name(char out[NAME_SIZE], const importer *im, const char *name)
{
    bool encoder = is_encoders(family_of(im), name);
    snprintf(out, NAME_SIZE, "%s%s", encoder ? im->prefix : im->head_prefix, encoder ? name + strlen(family_of(im)->prefix) : name);
}

static void format_name(char out[NAME_SIZE], const importer *im, snc_role role, int layer)
{
    char name[SNC_FAMILY_NAME];
    snc_family_name_in(name, sizeof name, &im->conf.cfg, role, layer);
    own_name(out, im, name);
}

/* Old checkpoints say LayerNorm.gamma and .beta for weight and bias. */
static snc_hf_tensor *find(importer *im, const char *name)
{
    snc_hf_tensor *t = snc__hf_source_find(&im->src, name);
    const char *norm = strstr(name, "LayerNorm.");
    if (t || !norm) return t;
    char old[NAME_SIZE];
    norm += strlen("LayerNorm.");
    snprintf(old, sizeof old, "%.*s%s", (int)(norm - name), name, strcmp(norm, "weight") == 0 ? "gamma" : "beta");
    return snc__hf_source_find(&im->src, old);
}

/* The prefix is whatever stands before the word embeddings: "", "bert.", "module.bert." ... The shortest wins. */
static snc_err find_prefix(importer *im)
{
    const char *own = family_of(im)->prefix, *word = family_of(im)->name[SNC_ROLE_WORD] + strlen(own);
    size_t n = strlen(word), best = PREFIX_SIZE;
    for (int i = 0; i < im->src.n; i++) {
        const char *name = im->src.list[i].t.name;
        size_t len = strlen(name);
        if (len < n || strcmp(name + len - n, word) != 0 || len - n >= best) continue;
        if (len > n && name[len - n - 1] != '.') continue;
        best = len - n;
        snprintf(im->prefix, sizeof im->prefix, "%.*s", (int)best, name);
    }
    SNC_CHECK(best < PREFIX_SIZE, SNC_E_FORMAT, "%s: tensor '%s' is missing", im->path, word);
    snprintf(im->head_prefix, sizeof im->head_prefix, "%s", im->prefix);
    size_t tail = strlen(own);
    if (best >= tail && strcmp(im->prefix + best - tail, own) == 0 && (best == tail || im->prefix[best - tail - 1] == '.'))
        im->head_prefix[best - tail] = 0;
    return SNC_OK;
}

/* ---- what the tensors say against what config.json says --------------------------------------------------------------- */

/* A weight or its bias: one without the other is no missing layer, but a missing tensor. */
static bool have(importer *im, snc_role weight)
{
    char name[NAME_SIZE], bias[NAME_SIZE];
    format_name(name, im, weight, 0);
    format_name(bias, im, weight + 1, 0);
    return snc__hf_source_find(&im->src, name) || snc__hf_source_find(&im->src, bias);
}

/* No classifier: the hint, else config.json, unless that speaks of another kind of head. */
static void settle_seeded_head(snc_hf_config *c, int classes_hint, snc_meaning meaning_hint)
{
    if (c->other_head) {
        c->named = 0;
        snc__hf_config_set_classes(c, 2);
    }
    if (classes_hint <= 0) return;
    c->cfg.classes = classes_hint;
    snc_config_set_meaning(&c->cfg, meaning_hint);
}

/* The classifier has as many rows as config.json says somewhere, or where that says nothing: id2label may be one of another model. */
static void settle_rows(importer *im, int rows)
{
    snc_hf_config *c = &im->conf;
    if (rows < 1 || rows > SNC_MAX_CLASSES || ((c->counted || c->named) && rows != c->counted && rows != c->named)) return;
    if (c->named && rows != c->named)
        snc_log(im->ctx, SNC_LOG_WARN, "%s: id2label names %d classes, num_labels and the classifier have %d: its names are not used",
                im->config_path, c->named, rows);
    snc__hf_config_set_classes(c, rows);
}

static snc_err settle_vector(importer *im)
{
    snc_encoder_config *c = &im->conf.cfg;
    SNC_TRY(snc__hf_vector_load(&im->vector, im->folder));
    SNC_CHECK(!im->vector.width || im->vector.inputs == c->hidden, SNC_E_SHAPE, "%s: in_features %d, but a hidden size of %d in %s",
              im->vector.dense, im->vector.inputs, c->hidden, im->config_path);
    im->conf.named = 0;
    snc_config_set_meaning(c, SNC_MEANS_VECTOR);
    c->classes = im->vector.width ? im->vector.width : c->hidden;
    c->mean = im->vector.mean;
    im->has_pooler = true;
    return SNC_OK;
}

/* Settles K and what it means: the file's classifier, else the hint, else config.json. */
static snc_err settle_head(importer *im, int classes_hint, snc_meaning meaning_hint)
{
    const snc_encoder_config *cfg = &im->conf.cfg;
    char name[NAME_SIZE];
    const bool tags = meaning_hint == SNC_MEANS_TAGS || (classes_hint == 0 && im->conf.token_head);
    if (tags && im->conf.token_head) { /* its own; elsewhere its head is of no use, and one of sequences of none here */
        im->conf.other_head = false;
        snc_config_set_meaning(&im->conf.cfg, SNC_MEANS_TAGS);
    }
    im->has_head = !im->conf.other_head && have(im, SNC_ROLE_CLASSIFIER);
    if (!im->has_head && (meaning_hint == SNC_MEANS_VECTOR || (classes_hint == 0 && snc__hf_has_modules(im->folder))))
        return settle_vector(im);
    if (!im->has_head) settle_seeded_head(&im->conf, classes_hint, meaning_hint);
    im->has_pooler = !snc_config_has(cfg, SNC_ROLE_POOLER) || have(im, SNC_ROLE_POOLER);
    if (!im->has_head) return SNC_OK;
    format_name(name, im, SNC_ROLE_CLASSIFIER, 0);
    const snc_hf_tensor *t = snc__hf_source_find(&im->src, name);
    if (t && t->t.rank == 2) settle_rows(im, t->t.shape[0] <= SNC_MAX_CLASSES ? (int)t->t.shape[0] : 0);
    SNC_CHECK(!cfg->regression || cfg->classes == 1, SNC_E_UNSUPPORTED, "%s: a regression of %d values is not supported", im->config_path,
              cfg->classes);
    return SNC_OK;
}

static bool is_seeded(const importer *im, const snc_param *p)
{
    bool pooler = p->row >= SNC_ROLE_POOLER && p->row <= SNC_ROLE_POOLER_NORM_BIAS;
    bool classifier = p->row == SNC_ROLE_CLASSIFIER || p->row == SNC_ROLE_CLASSIFIER_BIAS;
    return (pooler && !im->has_pooler) || (classifier && !im->has_head);
}

static bool may_lack(const importer *im, const snc_param *p)
{
    return family_of(im)->no_bias && snc_spec_of(p)->init == SNC_INIT_ZERO && p->row != SNC_ROLE_CLASSIFIER_BIAS;
}

static snc_err check_shape(const snc_hf_tensor *t, const snc_param *p, const importer *im)
{
    char found[SNC_SHAPE_TEXT], want[SNC_SHAPE_TEXT];
    int64_t shape[2];
    int rank = snc__hf_shape(shape, p, family_of(im));
    SNC_CHECK(snc_tensor_is_float(&t->t), SNC_E_UNSUPPORTED, "%s: tensor '%s' has dtype %s, expected F32, F16, BF16 or F64", t->path,
              t->t.name, t->t.dtype_name);
    SNC_CHECK(snc_tensor_is(&t->t, rank, shape[0], shape[1]), SNC_E_SHAPE, "%s: tensor '%s' is %s, expected %s by %s", t->path, t->t.name,
              snc_shape_text(found, t->t.shape, t->t.rank), snc_shape_text(want, shape, rank), im->config_path);
    return SNC_OK;
}

/* Before anything of these sizes is allocated. */
static snc_err check_tensors(importer *im, const snc_params *table)
{
    char name[NAME_SIZE];
    for (int i = 0; i < table->n; i++) {
        const snc_param *p = &table->p[i];
        if (is_seeded(im, p)) continue;
        format_name(name, im, p->row, p->layer);
        snc_hf_tensor *t = find(im, name);
        if (!t && may_lack(im, p)) continue;
        SNC_CHECK(t, SNC_E_FORMAT, "%s: tensor '%s' is missing", im->path, name);
        SNC_TRY(check_shape(t, p, im));
        t->used = true;
    }
    return SNC_OK;
}

/* The pooler beside vectors or tags, which have no use for it. */
static bool is_pooler(const importer *im, const char *name)
{
    char own[NAME_SIZE];
    bool is = false;
    for (int r = SNC_ROLE_POOLER; r <= SNC_ROLE_POOLER_NORM_BIAS && snc_config_head(&im->conf.cfg) == SNC_HEAD_NONE; r++) {
        if (!snc_family_has(family_of(im), r)) continue;
        format_name(own, im, r, 0);
        is = is || strcmp(own, name) == 0;
    }
    return is;
}

/* Tensors that a checkpoint of the family may carry and that we have no use for. */
static bool is_known_extra(const importer *im, const char *name)
{
    if (is_pooler(im, name)) return true;
    const snc_family *f = family_of(im);
    size_t h = strlen(im->head_prefix);
    for (int i = 0; i < SNC_FAMILY_EXTRAS && f->extra[i]; i++) {
        const char *extra = f->extra[i], *rest = strncmp(name, im->head_prefix, h) == 0 ? name + h : name;
        if (is_encoders(f, extra) ? strstr(name, extra + strlen(f->prefix)) != NULL : strncmp(rest, extra, strlen(extra)) == 0) return true;
    }
    return false;
}

static bool is_past_layers(const char *number, int layers)
{
    const char *end;
    int layer;
    return isdigit((unsigned char)*number) && !(snc_int_read(&layer, number, &end) && layer < layers);
}

/* A layer past the config's is a contradiction; anything else unknown is counted and left. */
static snc_err check_rest(const importer *im)
{
    char start[NAME_SIZE], layers[SNC_FAMILY_NAME];
    snc_family_layers(layers, sizeof layers, family_of(im));
    int n = snprintf(start, sizeof start, "%s%s", im->prefix, layers), extra = 0;
    const bool shared = !layers[0];
    const char *example = "";
    for (int i = 0; i < im->src.n; i++) {
        const snc_hf_tensor *t = &im->src.list[i];
        if (t->used || is_known_extra(im, t->t.name)) continue;
        SNC_CHECK(shared || strncmp(t->t.name, start, (size_t)n) != 0 || !is_past_layers(t->t.name + n, im->conf.cfg.layers), SNC_E_SHAPE,
                  "%s: tensor '%s', but %s is %d in %s", t->path, t->t.name, family_of(im)->keys.layers, im->conf.cfg.layers,
                  im->config_path);
        if (!extra++) example = t->t.name;
    }
    if (extra) snc_log(im->ctx, SNC_LOG_WARN, "%s: %d tensors are not used, such as '%s'", im->path, extra, example);
    return SNC_OK;
}

/* ---- filling the model ------------------------------------------------------------------------------------------------ */

/* One of the encoder's own should be there; one that belongs to the classifier is not without it. */
static bool misses_pooler(const importer *im)
{
    return !im->has_pooler && (im->has_head || is_encoders(family_of(im), family_of(im)->name[SNC_ROLE_POOLER]));
}

static snc_err fill_vector(snc_model *m, const importer *im)
{
    SNC_TRY(snc__hf_vector_fill(m, &im->vector));
    if (!im->vector.named)
        snc_log(im->ctx, SNC_LOG_INFO, "%s: no modules.json that says how vectors are made: the mean of all tokens is", im->folder);
    return SNC_OK;
}

static snc_err fill(snc_model *m, importer *im)
{
    char name[NAME_SIZE];
    for (int i = 0; i < m->params.n; i++) {
        const snc_param *p = &m->params.p[i];
        if (is_seeded(im, p)) {
            if (!m->cfg.vector) snc_model_init_param(m, i, im->ctx->seed);
            continue;
        }
        format_name(name, im, p->row, p->layer);
        const snc_hf_tensor *t = find(im, name);
        if (!t) continue; /* a bias of 0 */
        snc_err err = snc__hf_read(snc_params_w(&m->params, i), p, &t->t, family_of(im));
        if (err) return snc_err_prefix(err, t->path);
    }
    if (m->cfg.vector) return fill_vector(m, im);
    m->has_head = im->has_head && im->has_pooler; /* what stands on random numbers answers at random */
    if (misses_pooler(im)) snc_log(im->ctx, SNC_LOG_WARN, "%s: no pooler in the file: a seeded one is used", im->path);
    if (!im->has_head)
        snc_log(im->ctx, SNC_LOG_INFO, "%s: no classifier in the file: a seeded one of %d %s is used", im->path, m->cfg.classes,
                m->cfg.regression   ? "value"
                : m->cfg.multilabel ? "labels"
                                    : "classes");
    bool named = im->conf.labels && im->conf.named == m->cfg.classes;
    return named ? snc_model_set_labels(m, im->conf.labels) : SNC_OK;
}

static snc_err load_tokenizer(snc_model *m, const importer *im, const char *folder)
{
    snc_err err = snc_tok_assets_load(&m->tokenizer, folder);
    if (err == SNC_E_NOTFOUND) {
        snc_log(im->ctx, SNC_LOG_WARN, "%s: no vocab.txt and no tokenizer.json: the model cannot read text", folder);
        return SNC_OK;
    }
    SNC_TRY(err);
    int pieces = 0;
    SNC_CHECK(snc_vocab_fits(&m->tokenizer, m->cfg.vocab, &pieces), SNC_E_SHAPE,
              "%s: a vocabulary of %d pieces, but %s is %d in config.json", folder, pieces, family_of(im)->keys.vocab, m->cfg.vocab);
    if (m->cfg.vocab - pieces >= SPARE_ROWS)
        snc_log(im->ctx, SNC_LOG_WARN, "%s: a vocabulary of %d pieces for %d embedding rows: the last %d are never looked up", folder,
                pieces, m->cfg.vocab, m->cfg.vocab - pieces);
    return SNC_OK;
}

static snc_err note_origin(snc_model *m, const importer *im)
{
    cJSON *o = cJSON_AddObjectToObject(m->meta, "imported");
    SNC_CHECK(o && cJSON_AddStringToObject(o, "format", im->src.format) &&
                  cJSON_AddStringToObject(o, "architecture", im->conf.architecture),
              SNC_E_NOMEM, "out of memory");
    return SNC_OK;
}

static snc_err import(snc_model **out, importer *im, const char *folder, snc_hf_kind kind, int classes_hint, snc_meaning meaning_hint)
{
    snc_model *m = NULL;
    snc_params table = {0};
    snc_err err = SNC_OK;
    SNC_GOTO(snc__hf_source_open(&im->src, im->path, folder, kind));
    SNC_GOTO(snc__hf_name_tensors(&im->src, im->path));
    SNC_GOTO(snc__hf_config_load(&im->conf, im->config_path));
    SNC_GOTO(find_prefix(im));
    SNC_GOTO(settle_head(im, classes_hint, meaning_hint));
    snc_arch arch = snc_arch_full(&im->conf.cfg);
    SNC_GOTO(snc_spec_table(&table, &im->conf.cfg, &arch));
    SNC_GOTO(check_tensors(im, &table));
    SNC_GOTO(check_rest(im));
    SNC_GOTO(snc_model_new(&m, &im->conf.cfg, &arch));
    SNC_GOTO(fill(m, im));
    SNC_GOTO(load_tokenizer(m, im, folder));
    SNC_GOTO(note_origin(m, im));
    *out = m;
    m = NULL;
out:
    snc_model_free(m);
    snc_params_dispose(&table);
    return err;
}

snc_err snc__hf_import(snc_model **out, const snc_ctx *ctx, const char *weights, const char *folder, snc_hf_kind kind, int classes_hint,
                       snc_meaning meaning_hint)
{
    char config_path[PATH_SIZE];
    SNC_TRY(snc_path_join(config_path, sizeof config_path, folder, "config.json"));
    importer im = {.ctx = ctx, .path = weights, .config_path = config_path, .folder = folder};
    snc_err err = import(out, &im, folder, kind, classes_hint, meaning_hint);
    snc__hf_source_dispose(&im.src);
    snc__hf_config_dispose(&im.conf);
    return err;
}
