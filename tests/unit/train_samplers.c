/* What holds of every path sampler of the registry, and how each one's nets are spread: a sampler without a row here fails. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "check.h"
#include "models/config.h"
#include "models/cost.h"
#include "train/sampler.h"
#include "unit/train_toy.h"

enum { STEPS = 240, SEED = 7 };

/* BERT's proportions, and a space by which options are counted. */
static const snc_encoder_config shape = {.hidden = 384, .layers = 6, .heads = 12, .head_width = 32, .ffn = 1536, .classes = 2};

static double share_of(const snc_encoder_config *c, const snc_arch *a)
{
    const snc_arch full = snc_arch_full(c);
    return (double)snc_cost_encoder_macs(c, a, SNC_MACS_TOKENS) / (double)snc_cost_encoder_macs(c, &full, SNC_MACS_TOKENS);
}

static snc_space *space_of(const char *json)
{
    const snc_space_opts o = {.depth_rule = "even", .fp = SNC_F32};
    const snc_arch full = snc_arch_full(&shape);
    snc_space *s;
    cJSON *j = cJSON_Parse(json);
    assert_int_equal(snc_space_from_json(&s, &shape, &full, &o, j, "space"), SNC_OK);
    cJSON_Delete(j);
    return s;
}

/* ---- a run without training ------------------------------------------------------------------------------------------------- */

typedef struct run {
    const snc_sampler_kind *kind;
    const snc_space *s;
    snc_sampler *sampler;
    uint64_t seed;
    int step;
    snc_arch nets[SNC_SAMPLER_MAX];
    int n;                                                  /* of the last step */
    double (*loss)(const struct run *r, const snc_arch *a); /* NULL: more of smaller nets */
} run;

static const snc_sampler_kind *kind_of(const char *name)
{
    const snc_sampler_kind *kind;
    assert_int_equal(snc_sampler_find(&kind, name), SNC_OK);
    return kind;
}

static snc_sampler_opts opts_of(const snc_sampler_kind *kind, uint64_t seed)
{
    return (snc_sampler_opts){.random = kind->random_nets, .near = 0.5, .seed = seed, .cfg = &shape};
}

static run start(const snc_sampler_kind *kind, const snc_space *s, uint64_t seed)
{
    run r = {.kind = kind, .s = s, .seed = seed};
    const snc_sampler_opts o = opts_of(kind, seed);
    assert_int_equal(snc_sampler_create(&r.sampler, kind, s, &o), SNC_OK);
    return r;
}

/* As the trainer draws: by seed and step alone. */
static void draw(run *r)
{
    snc_rng rng;
    snc_rng_init(&rng, r->seed, (uint64_t)r->step);
    r->n = snc_sampler_draw(r->nets, r->sampler, (double)r->step / STEPS, &rng);
}

static void tell(run *r)
{
    double loss[SNC_SAMPLER_MAX];
    for (int i = 0; i < r->n; i++) {
        const double noise = (double)(snc_hash64(r->seed + (uint64_t)(r->step * SNC_SAMPLER_MAX + i)) >> 11) * 0x1p-53;
        loss[i] = r->loss ? r->loss(r, &r->nets[i]) : 0.2 + 0.1 * noise + (1 - share_of(&shape, &r->nets[i])) / (1 + 0.01 * r->step);
    }
    snc_sampler_tell(r->sampler, (double)r->step / STEPS, &(snc_sampler_seen){.n = r->n, .nets = r->nets, .loss = loss});
    r->step++;
}

/* ---- how nets are spread ---------------------------------------------------------------------------------------------------- */

typedef int64_t counts[SNC_MAX_GENES][SNC_MAX_OPTIONS];

/* Options of shapes that the net has: of layers that it has not, none. */
static void count(counts c, const snc_space *s, const snc_arch *a)
{
    snc_cfg cfg;
    assert_true(snc_cfg_of_arch(&cfg, s, a));
    c[0][cfg.o[0]]++;
    c[1][cfg.o[1]]++;
    for (int i = 0; i < a->layers; i++)
        for (int k = 0, g = snc_space_layer(s, a->source[i]); k < 2; k++, g++) c[g][cfg.o[g]]++;
}

/* Whether options of a gene are equally likely: chi-square within four of its deviations. */
static void assert_uniform(const int64_t *n, int options, const char *of)
{
    double all = 0, chi = 0;
    for (int i = 0; i < options; i++) all += (double)n[i];
    for (int i = 0; i < options; i++) chi += pow((double)n[i] - all / options, 2) * options / all;
    if (options > 1 && !(chi < options - 1 + 4 * sqrt(2.0 * (options - 1)))) fail_msg("%s: chi-square %g of %d options", of, chi, options);
}

/* The nets that `random` stands for: behind the largest, and the smallest where it is drawn. */
static int first_random(const run *r) { return r->n - (r->kind->largest_alone ? 0 : r->kind->random_nets); }

static void expect_uniform(const snc_sampler_kind *kind, const snc_space *s)
{
    run r = start(kind, s, SEED);
    static counts c;
    memset(c, 0, sizeof c);
    for (; r.step < 8 * STEPS; tell(&r)) {
        draw(&r);
        assert_int_equal(r.n - first_random(&r), kind->random_nets);
        for (int i = first_random(&r); i < r.n; i++) count(c, s, &r.nets[i]);
    }
    for (int g = 0; g < s->genes; g++)
        if (s->gene[g].kind != SNC_GENE_DTYPE) assert_uniform(c[g], s->gene[g].n, kind->name);
    snc_sampler_free(r.sampler);
}

/* Of every gene, after any number of nets, no two options differ by more than one turn. */
static void expect_turns(const snc_sampler_kind *kind, const snc_space *s)
{
    run r = start(kind, s, SEED);
    static counts c;
    memset(c, 0, sizeof c);
    for (; r.step < STEPS; tell(&r)) {
        draw(&r);
        for (int i = 0; i < r.n; i++) {
            count(c, s, &r.nets[i]);
            for (int g = 0; g < s->genes; g++) {
                int64_t least = INT64_MAX, most = 0;
                for (int k = 0; k < s->gene[g].n; k++) {
                    least = c[g][k] < least ? c[g][k] : least;
                    most = c[g][k] > most ? c[g][k] : most;
                }
                assert_true(s->gene[g].kind == SNC_GENE_DTYPE || most - least <= 1);
            }
        }
    }
    snc_sampler_free(r.sampler);
}

/* The share of multiply-adds that it aims at, within `width` of it but for one in `rare`. */
static void expect_near(const snc_sampler_kind *kind, const snc_space *s)
{
    run r = start(kind, s, SEED);
    int off = 0, all = 0;
    for (; r.step < STEPS; tell(&r)) {
        draw(&r);
        for (int i = 1; i < r.n; i++, all++) off += !(fabs(share_of(&shape, &r.nets[i]) - 0.5) <= 0.1);
    }
    assert_true(all == STEPS * kind->random_nets && off * 50 <= all);
    snc_sampler_free(r.sampler);
}

/* From a tenth under the share that it aims at to the share, whatever that is. */
static void expect_at_most(const snc_sampler_kind *kind, const snc_space *s)
{
    for (double share = 0.15; share < 1; share += 0.2) {
        snc_sampler_opts o = opts_of(kind, SEED);
        run r = {.kind = kind, .s = s, .seed = SEED};
        int off = 0, depths = 0;
        o.near = share;
        assert_int_equal(snc_sampler_create(&r.sampler, kind, s, &o), SNC_OK);
        for (; r.step < STEPS / 4; tell(&r)) {
            draw(&r);
            for (int i = 1; i < r.n; i++) {
                const double is = share_of(&shape, &r.nets[i]);
                off += is > share || is < share - 0.1;
                depths |= 1 << r.nets[i].layers;
            }
        }
        if (!(off <= 1 && (share > 0.8 || (depths & (depths - 1))))) fail_msg("%g: %d outside, depths %x", share, off, (unsigned)depths);
        snc_sampler_free(r.sampler);
    }
}

static void expect_largest(const snc_sampler_kind *kind, const snc_space *s)
{
    run r = start(kind, s, SEED);
    draw(&r);
    assert_int_equal(r.n, 1);
    snc_sampler_free(r.sampler);
}

static const struct row {
    const char *name;
    void (*spread)(const snc_sampler_kind *kind, const snc_space *s);
} rows[] = {
    {"sandwich", expect_uniform}, {"instatune", expect_uniform}, {"near", expect_near},      {"uniform", expect_uniform},
    {"fair", expect_turns},       {"target", expect_at_most},    {"subbatch", expect_turns}, {"full", expect_largest},
};
enum { ROWS_HERE = sizeof rows / sizeof rows[0] };

static void every_sampler_has_a_row_and_is_spread_as_it_says(void **state)
{
    (void)state;
    snc_arch p = snc_arch_full(&shape);
    snc_space *s = space_in_quarters(&shape, &p);
    for (int i = 0; i < ROWS_HERE; i++) {
        assert_non_null(snc_sampler_name(i));
        assert_string_equal(snc_sampler_name(i), rows[i].name);
        rows[i].spread(kind_of(rows[i].name), s);
    }
    assert_null(snc_sampler_name(ROWS_HERE));
    snc_space_free(s);
}

/* ---- what holds of all of them ---------------------------------------------------------------------------------------------- */

static void assert_nets_in(const snc_sampler_kind *kind, const snc_space *s)
{
    snc_arch largest;
    snc_cfg c;
    snc_space_largest(&largest, s);
    run r = start(kind, s, SEED);
    for (; r.step < STEPS; tell(&r)) {
        draw(&r);
        assert_in_range(r.n, 1, kind->random_nets + 2);
        for (int i = 0; i < r.n; i++) assert_true(snc_cfg_of_arch(&c, s, &r.nets[i]));
        if (!kind->no_largest) assert_true(snc_arch_equal(&r.nets[0], &largest));
    }
    snc_sampler_free(r.sampler);
}

static void nets_lie_in_spaces_of_every_kind(void **state)
{
    (void)state;
    const char *spaces[] = {"{}", "{\"reach\":\"wide\"}", "{\"hidden\":[384],\"heads\":[0,12],\"ffn\":[0,1536],\"always\":[5]}",
                            "{\"depth\":[6],\"hidden\":[384],\"heads\":[12],\"ffn\":[1536]}"};
    for (int k = 0; k < 5; k++) {
        snc_space *s = space_of(spaces[k % 4]);
        s->per_layer = k < 4;
        for (int i = 0; snc_sampler_name(i); i++) assert_nets_in(kind_of(snc_sampler_name(i)), s);
        snc_space_free(s);
    }
}

static void equal_seeds_draw_equal_nets_and_a_saved_state_goes_on(void **state)
{
    (void)state;
    snc_space *s = space_of("{}");
    for (int i = 0; snc_sampler_name(i); i++) {
        const snc_sampler_kind *kind = kind_of(snc_sampler_name(i));
        run a = start(kind, s, SEED), b = start(kind, s, SEED), c = start(kind, s, SEED + 1);
        bool differs = false;
        for (int k = 0; k < STEPS; k++, tell(&a), tell(&b), tell(&c)) {
            if (k == STEPS / 2) { /* b is another process */
                const size_t bytes = snc_sampler_save(NULL, b.sampler);
                char *kept;
                assert_int_equal(snc_alloc(&kept, bytes + 1, 1), SNC_OK);
                assert_true(snc_sampler_save(kept, b.sampler) == bytes && kept[bytes] == 0);
                snc_sampler_free(b.sampler);
                const int step = b.step;
                b = start(kind, s, SEED);
                b.step = step;
                snc_sampler_load(b.sampler, kept);
                snc_free(kept);
            }
            draw(&a), draw(&b), draw(&c);
            assert_int_equal(a.n, b.n);
            for (int n = 0; n < a.n; n++) assert_true(snc_arch_equal(&a.nets[n], &b.nets[n]));
            draw(&b); /* a step that was interrupted */
            for (int n = 0; n < a.n; n++) assert_true(snc_arch_equal(&a.nets[n], &b.nets[n]));
            for (int n = 0; n < a.n && n < c.n; n++) differs = differs || !snc_arch_equal(&a.nets[n], &c.nets[n]);
        }
        assert_true(differs != kind->largest_alone);
        snc_sampler_free(a.sampler);
        snc_sampler_free(b.sampler);
        snc_sampler_free(c.sampler);
    }
    snc_space_free(s);
}

/* In multiply-adds of what it draws over a run, whose shares of time are about the same. */
static void a_step_costs_what_its_nets_do(void **state)
{
    (void)state;
    snc_space *s = space_of("{}");
    for (int i = 0; snc_sampler_name(i); i++) {
        const snc_sampler_kind *kind = kind_of(snc_sampler_name(i));
        const snc_sampler_opts o = opts_of(kind, SEED);
        const double said = snc_sampler_cost(kind, &o);
        run r = start(kind, s, SEED);
        double macs = 0, parts;
        for (; r.step < STEPS; tell(&r)) {
            draw(&r);
            parts = kind->parts ? r.n : 1;
            for (int n = 0; n < r.n; n++) macs += share_of(&shape, &r.nets[n]) / parts / STEPS;
        }
        if (getenv("SHOW")) printf("%s said %g macs %g\n", kind->name, said, macs);
        else if (!(fabs(macs - said) < 0.1 * said)) fail_msg("%s: a step costs %g, said are %g", kind->name, macs, said);
        snc_sampler_free(r.sampler);
    }
    snc_space_free(s);
}

/* ---- training --------------------------------------------------------------------------------------------------------------- */

static char checkpoint[64];

/* Mean cross-entropy of the largest net, and unless it is trained alone of the smallest and four others. */
static double loss_of(snc_model *m, const snc_space *s, const snc_sampler_kind *kind)
{
    snc_arch nets[6];
    snc_rng rng;
    double sum = 0;
    const int n = kind->largest_alone ? 1 : 6;
    snc_rng_init(&rng, 1, 1);
    snc_space_largest(&nets[0], s);
    snc_space_smallest(&nets[1], s);
    for (int i = 2; i < 6; i++) snc_space_random(&nets[i], s, &rng);
    for (int i = 0; i < n; i++) {
        float z[ROWS * NANO_K];
        assert_int_equal(snc_train_eval_model(z, &ctx, m, &nets[i], SNC_COMPUTE_F32, &data.d, BATCH, NULL), SNC_OK);
        for (int k = 0; k < ROWS; k++) {
            const double a = (double)z[k * NANO_K + (int)data.target[k]], b = (double)z[k * NANO_K + 1 - (int)data.target[k]];
            sum += log1p(exp(b - a)) / ROWS / n;
        }
    }
    return sum;
}

static snc_train_opts options_of(const snc_sampler_kind *kind)
{
    snc_train_opts o = options();
    o.epochs = 4;
    o.sampler = kind;
    o.random_nets = kind->random_nets;
    o.near = 0.5;
    return o;
}

static snc_model *copy(snc_model *of)
{
    snc_model *m;
    assert_int_equal(snc_model_extract(&m, of, &of->arch), SNC_OK);
    return m;
}

static void assert_trains(const snc_sampler_kind *kind, snc_model *fine_tuned)
{
    snc_model *whole = copy(fine_tuned), *part = copy(fine_tuned), *rest = copy(fine_tuned);
    snc_space *s = space_in_quarters(&whole->cfg, &whole->arch);
    snc_train_opts o = options_of(kind);
    snc_train_result r;
    o.in_place = !kind->no_largest;
    const double before = loss_of(whole, s, kind);
    assert_int_equal(snc_train_run(&r, &ctx, whole, NULL, &data.d, s, &o), SNC_OK);
    assert_true((r.full_loss == 0) == kind->no_largest && r.loss > 0);
    const double after = loss_of(whole, s, kind);
    if (getenv("SHOW")) printf("%s loss %g, before %g\n", kind->name, after, before);
    else if (!(after < (kind->largest_alone ? 1 : 0.5) * before))
        fail_msg("%s: loss %g after training, %g before", kind->name, after, before);
    remove(checkpoint);
    o.checkpoint = checkpoint;
    o.max_steps = (int64_t)(o.epochs * ROWS / BATCH) * 5 / 8;
    assert_int_equal(snc_train_run(&r, &ctx, part, NULL, &data.d, s, &o), SNC_OK);
    assert_true(!r.finished);
    o.max_steps = 0, o.resume = true;
    assert_int_equal(snc_train_run(&r, &ctx, rest, NULL, &data.d, s, &o), SNC_OK);
    assert_true(r.finished && r.made < r.step);
    assert_memory_equal(whole->params.w, rest->params.w, whole->params.total * sizeof(float));
    remove(checkpoint);
    snc_space_free(s);
    snc_model_free(whole);
    snc_model_free(part);
    snc_model_free(rest);
}

static void each_trains_a_supernet_and_resumes_to_the_same_bits(void **state)
{
    (void)state;
    snprintf(checkpoint, sizeof checkpoint, "train_samplers.%ld.ckpt", (long)getpid());
    snc_model *fine_tuned = trained_teacher();
    for (int i = 0; snc_sampler_name(i); i++) assert_trains(kind_of(snc_sampler_name(i)), fine_tuned);
    snc_model_free(fine_tuned);
}

static double run_on(snc_model *m, snc_model *teacher, const snc_space *s, const char *name, snc_train_opts o)
{
    small_rows of;
    const snc_dataset few = small_rows_draw(&of, NANO_V);
    snc_train_result r;
    o.sampler = kind_of(name);
    o.random_nets = o.sampler->random_nets;
    assert_int_equal(snc_train_run(&r, &ctx, m, teacher, &few, s, &o), SNC_OK);
    return r.loss;
}

/* Rows, labels, soft targets and the teacher's states of each part are its own: with one net in the space, and rows of one length, four
 * parts are the batch. A batch of fewer rows than parts has as many as rows. */
static void parts_of_a_batch_add_up_to_it(void **state)
{
    (void)state;
    const snc_space_opts so = {.depth_rule = "even", .fp = SNC_F32};
    snc_model *teacher = model(5);
    snc_space *one;
    cJSON *j = cJSON_Parse("{\"depth\":[3],\"hidden\":[32],\"heads\":[4],\"ffn\":[64]}");
    assert_int_equal(snc_space_from_json(&one, &teacher->cfg, &teacher->arch, &so, j, "one"), SNC_OK);
    cJSON_Delete(j);
    for (int with = 0; with < 3; with++) {
        snc_model *whole = model(3), *parts = model(3);
        snc_train_opts o = options();
        double most = 0;
        o.epochs = 1, o.dropout = false, o.batch_size = with == 2 ? 3 : 8;
        o.hidden_weight = with == 1 ? 0.5 : 0, o.relation_weight = with == 1 ? 0.5 : 0;
        const double a = run_on(whole, teacher, one, "full", o), b = run_on(parts, teacher, one, "subbatch", o);
        assert_true(fabs(a - b) < 1e-4 * a);
        for (size_t i = 0; i < whole->params.total; i++) most = fmax(most, fabs((double)(whole->params.w[i] - parts->params.w[i])));
        if (!(most < o.lr / 10)) fail_msg("%d: weights differ by %g", with, most);
        snc_model_free(whole);
        snc_model_free(parts);
    }
    snc_space_free(one);
    snc_model_free(teacher);
}

static void what_makes_no_sense_beside_a_sampler_is_refused(void **state)
{
    (void)state;
    for (int i = 0; snc_sampler_name(i); i++) {
        snc_train_opts o = options_of(kind_of(snc_sampler_name(i)));
        o.in_place = true;
        assert_int_equal(snc_train_opts_check(&o), o.sampler->no_largest ? SNC_E_ARG : SNC_OK);
        if (o.sampler->no_largest) assert_non_null(strstr(snc_err_text(), "draws no largest net to learn from"));
        o.in_place = false, o.random_nets = 0;
        assert_int_equal(snc_train_opts_check(&o), o.sampler->no_largest ? SNC_E_ARG : SNC_OK);
        if (o.sampler->no_largest) assert_non_null(strstr(snc_err_text(), "0 random nets"));
        o.random_nets = SNC_SAMPLER_MAX - 1;
        assert_int_equal(snc_train_opts_check(&o), SNC_E_ARG);
    }
    const snc_sampler_kind *kind;
    assert_int_equal(snc_sampler_find(&kind, "fare"), SNC_E_ARG);
    assert_non_null(strstr(snc_err_text(), "path sampler 'fare': nearest is 'fair'; expected one of sandwich, "));
}

static int set_up(void **state)
{
    (void)state;
    return toy_set_up();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_sampler_has_a_row_and_is_spread_as_it_says),      cmocka_unit_test(nets_lie_in_spaces_of_every_kind),
        cmocka_unit_test(equal_seeds_draw_equal_nets_and_a_saved_state_goes_on), cmocka_unit_test(a_step_costs_what_its_nets_do),
        cmocka_unit_test(each_trains_a_supernet_and_resumes_to_the_same_bits),   cmocka_unit_test(parts_of_a_batch_add_up_to_it),
        cmocka_unit_test(what_makes_no_sense_beside_a_sampler_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
