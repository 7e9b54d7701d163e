/* What holds of every path sampler of the registry. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "check.h"
#include "models/family/family.h"
#include "train/gradients.h"
#include "unit/sampler_run.h"
#include "unit/train_toy.h"

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
                const snc_block learnt = snc_sampler_block(b.sampler);
                char *kept;
                assert_int_equal(snc_alloc(&kept, learnt.bytes + 1, 1), SNC_OK);
                if (learnt.bytes) memcpy(kept, learnt.data, learnt.bytes);
                snc_sampler_free(b.sampler);
                const int step = b.step;
                b = start(kind, s, SEED);
                b.step = step;
                assert_int_equal(snc_sampler_block(b.sampler).bytes, learnt.bytes);
                if (learnt.bytes) memcpy(snc_sampler_block(b.sampler).data, kept, learnt.bytes);
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
        if (!(fabs(macs - said) < 0.07 * said)) fail_msg("%s: a step costs %g, said are %g", kind->name, macs, said);
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
    if (!(after < (kind->largest_alone ? 1 : 0.7) * before)) fail_msg("%s: loss %g after training, %g before", kind->name, after, before);
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

/* Of every family: sums over the matrices of a layer, whatever else has a gradient. */
static void gradients_of_a_layer_are_those_of_its_matrices(void **state)
{
    (void)state;
    for (int f = 0; snc_family_at(f); f++) {
        const snc_encoder_config cfg = nano_family_config(snc_family_at(f));
        snc_model *m;
        snc_sampler_gradient g[NANO_L];
        assert_int_equal(nano_model_of(&m, &cfg, 3), SNC_OK);
        assert_int_equal(snc_params_alloc_grad(&m->params), SNC_OK);
        for (size_t i = 0; i < m->params.total; i++) m->params.g[i] = 2;
        snc_layer_gradients(g, &ctx, m);
        for (int l = 0; l < NANO_L; l++) {
            assert_true(g[l].attention == 4.0 * 4 * NANO_C * NANO_H * NANO_D);
            assert_true(g[l].ffn >= 4.0 * 2 * NANO_C * NANO_F); /* a gated one has half of them more */
        }
        const snc_sampler_gradient first = g[1], last = g[2];
        snc_params_g(&m->params, snc_model_at(m, SNC_ROLE_O, 1))[0] = 3;
        snc_params_g(&m->params, snc_model_at(m, SNC_ROLE_FFN_OUT, 2))[0] = 4;
        snc_layer_gradients(g, &ctx, m);
        assert_true(g[1].attention == first.attention + 5 && g[2].ffn == last.ffn + 12);
        snc_model_free(m);
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nets_lie_in_spaces_of_every_kind),
        cmocka_unit_test(equal_seeds_draw_equal_nets_and_a_saved_state_goes_on),
        cmocka_unit_test(a_step_costs_what_its_nets_do),
        cmocka_unit_test(each_trains_a_supernet_and_resumes_to_the_same_bits),
        cmocka_unit_test(parts_of_a_batch_add_up_to_it),
        cmocka_unit_test(gradients_of_a_layer_are_those_of_its_matrices),
        cmocka_unit_test(what_makes_no_sense_beside_a_sampler_is_refused),
    };
    return cmocka_run_group_tests(tests, toy_set_up, NULL);
}
