/* What every registered search owes: the same road from the same answers, nothing twice, nothing beyond a limit when costs are
 * known, an end when a space is used up, patience with failed evaluations; and what single ones are for. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/mem.h"
#include "check.h"
#include "search/proposals.h"
#include "search/tabular.h"
#include "unit/search_support.h"

static const snc_encoder_config nano = {
    .vocab = 50, .positions = 20, .types = 2, .hidden = 192, .layers = 3, .heads = 4, .head_width = 48, .ffn = 512, .classes = 2};
static const snc_encoder_config base = {
    .vocab = 50, .positions = 20, .types = 2, .hidden = 384, .layers = 6, .heads = 12, .head_width = 32, .ffn = 1536, .classes = 2};

/* A stand-in for a network: layers matter unequally, some suffer from INT8, narrow FFNs hurt less where there are heads. */
typedef struct toy {
    const snc_space *space;
    double limit; /* of latency; 0: none */
    bool failing; /* every third evaluation gives NaN */
    int objectives;
} toy;

static void toy_cost(void *user, snc_obs *o)
{
    const toy *t = user;
    snc_arch a;
    snc_policy p;
    snc_cfg_decode(&a, &p, t->space, &o->cfg);
    o->latency_us = 200 + 0.5 * a.hidden;
    o->bytes = 1000;
    for (int l = 0; l < a.layers; l++) {
        double attention = a.heads[l] * 48.0 * a.hidden / 384, ffn = 1.0 * a.ffn[l] * a.hidden / 384;
        o->latency_us += attention * (p.linear[l][0] == SNC_I8 ? 1 : 2) + ffn * (p.linear[l][4] == SNC_I8 ? 0.5 : 1) +
                         ffn * (p.linear[l][5] == SNC_I8 ? 0.5 : 1);
        o->bytes += attention * (p.linear[l][3] == SNC_I8 ? 1 : 4) + 2 * ffn;
    }
    o->macs = o->bytes;
    o->point.f[1] = o->latency_us;
    o->point.f[2] = o->bytes;
    o->point.violation = t->limit > 0 ? fmax(o->latency_us / t->limit - 1, 0) : 0;
}

static void toy_score(const toy *t, snc_obs *o)
{
    snc_arch a;
    snc_policy p;
    snc_cfg_decode(&a, &p, t->space, &o->cfg);
    int H = t->space->full.heads[0], F = t->space->full.ffn[0];
    o->loss = 0.1 + 0.1 * (t->space->layers - a.layers) + 0.2 * (1 - a.hidden / (double)t->space->full.hidden);
    for (int l = 0; l < a.layers; l++) {
        double narrow = 1 - a.ffn[l] / (double)F, few = 1 - a.heads[l] / (double)H, weight = 0.05 * (1 + (a.source[l] * 7) % 5);
        o->loss += weight * (few * few + 0.5 * narrow + narrow * few) + (p.linear[l][5] == SNC_I8 ? 0.01 * (a.source[l] % 3) : 0);
    }
    if (t->failing && snc_bytes_hash(0, &o->cfg, sizeof o->cfg) % 3 == 0) o->loss = NAN;
    o->metric = 1 - o->loss;
    o->point.f[0] = o->loss;
}

static double full_latency(const snc_space *s)
{
    toy t = {.space = s};
    snc_obs o = {.cfg = snc_cfg_uniform(s, 1, s->gene[0].n - 1)};
    toy_cost(&t, &o);
    return o.latency_us;
}

static snc_problem problem_of(toy *t, uint64_t seed)
{
    return (snc_problem){.space = t->space, .objectives = t->objectives ? t->objectives : 2, .cost = toy_cost, .user = t, .seed = seed};
}

/* Runs from where out[0 ... known-1] is: those are answered as before, and have to be asked for in the same order. */
static int run(snc_obs *out, toy *t, const char *name, const char *params, int known, int evals, int cap)
{
    snc_search *s = NULL;
    snc_problem p = problem_of(t, 9);
    cJSON *j = params ? cJSON_Parse(params) : NULL;
    snc_cfg seed = snc_cfg_uniform(t->space, 0.5, 0), cfg[16];
    int done = 0, n = 1;
    p.seeds = &seed;
    p.n_seeds = 1;
    assert_int_equal(snc_search_create(&s, name, j, &p), SNC_OK);
    while (done < evals && n > 0) {
        assert_int_equal(snc_search_ask(cfg, &n, s, evals - done < cap ? evals - done : cap), SNC_OK);
        assert_in_range(n, 0, cap);
        for (int i = 0; i < n; i++) {
            snc_obs o = {.cfg = cfg[i]};
            if (done + i < known) assert_true(snc_cfg_equal(&out[done + i].cfg, &cfg[i]));
            toy_cost(t, &o);
            toy_score(t, &o);
            if (o.point.violation > 0) o.point.f[0] = INFINITY;
            out[done + i] = o;
        }
        assert_int_equal(snc_search_tell(s, out + done, n), SNC_OK);
        done += n;
    }
    snc_search_free(s);
    cJSON_Delete(j);
    return done;
}

/* Smaller inner searches, so that the test is about the road and not about its length. */
static const char *params_of(const char *name) { return strcmp(name, "linas") == 0 ? "{\"inner_evals\":1000,\"population\":20}" : NULL; }

/* Killed after 70 answers and started anew with the same seed: the answers are asked for again in the same order, and what
 * follows is what would have followed, whatever the number of configs taken at a time. */
static void walk_again(snc_space *s)
{
    enum { N = 130, CUT = 70 };
    static snc_obs a[N], b[N];
    for (int i = 0; snc_search_name(i); i++) {
        const char *name = snc_search_name(i), *params = params_of(name);
        toy t = {.space = s, .limit = 0.7 * full_latency(s)};
        int n = run(a, &t, name, params, 0, N, 8);
        memcpy(b, a, sizeof b);
        int cut = n < CUT ? n : CUT;
        assert_int_equal(run(b, &t, name, params, cut, N, 3), n);
        for (int k = 0; k < n; k++) assert_true(snc_cfg_equal(&a[k].cfg, &b[k].cfg));
    }
    snc_space_free(s);
}

/* What a plain space has, and halves and layers that are left out singly. */
static const char *const wide = SNC_ROOT_DIR "/configs/spaces/wide.json";

static void every_search_walks_the_same_road_again(void **state)
{
    (void)state;
    walk_again(space_of_shape(&nano, NULL));
    walk_again(space_of_shape(&nano, wide));
}

static void propose_once(snc_space *s)
{
    enum { N = 120 };
    static snc_obs a[N];
    for (int i = 0; snc_search_name(i); i++) {
        snc_cfg_set seen = {.genes = s->genes};
        toy t = {.space = s, .failing = true};
        int n = run(a, &t, snc_search_name(i), params_of(snc_search_name(i)), 0, N, 8);
        assert_true(n > 5); /* greedy-bits has five matrices to move where its net is of one layer */
        for (int k = 0; k < n; k++) {
            bool fresh;
            snc_cfg c = a[k].cfg;
            snc_cfg_canonical(&c, s);
            assert_true(snc_cfg_equal(&c, &a[k].cfg));
            assert_int_equal(snc_cfg_set_add(&fresh, &seen, &c), SNC_OK);
            assert_true(fresh);
        }
        snc_cfg_set_dispose(&seen);
    }
    snc_space_free(s);
}

static void nothing_is_proposed_twice_or_in_two_forms(void **state)
{
    (void)state;
    propose_once(space_of_shape(&nano, NULL));
    propose_once(space_of_shape(&nano, wide));
}

/* Where all it hears is that evaluations fail, it goes on looking. */
static void three_objectives_and_no_costs_are_served(void **state)
{
    (void)state;
    enum { N = 90 };
    static snc_obs a[N];
    snc_space *s = space_of_shape(&nano, NULL);
    for (int i = 0; snc_search_name(i); i++) {
        const char *name = snc_search_name(i);
        snc_search *search = NULL;
        toy t = {.space = s, .objectives = 3};
        assert_true(run(a, &t, name, params_of(name), 0, N, 8) > 10);
        snc_problem p = problem_of(&t, 3);
        snc_cfg cfg[8];
        cJSON *j = params_of(name) ? cJSON_Parse(params_of(name)) : NULL;
        p.cost = NULL; /* every objective has to be learnt */
        assert_int_equal(snc_search_create(&search, name, j, &p), SNC_OK);
        for (int done = 0, n = 1; done < N && n > 0; done += n) {
            assert_int_equal(snc_search_ask(cfg, &n, search, 8), SNC_OK);
            for (int k = 0; k < n; k++) {
                a[k] = (snc_obs){.cfg = cfg[k]};
                toy_cost(&t, &a[k]);
                toy_score(&t, &a[k]);
            }
            assert_int_equal(snc_search_tell(search, a, n), SNC_OK);
        }
        snc_search_free(search);
        cJSON_Delete(j);
    }
    snc_space_free(s);
}

static snc_space *small_space(const char *layers)
{
    char path[] = "snc_small_space.json", text[256];
    snc_arch full = snc_arch_full(&nano);
    snc_space_opts o = {.path = path, .depth_rule = "even", .fp = SNC_F32};
    snc_space *s = NULL;
    int n = snprintf(text, sizeof text,
                     "{\"depth\":[2,3],\"hidden\":[192],\"heads\":[2,4],\"ffn\":[512],\"linear\":[\"int8\"],\"pooler\":[\"int8\"],"
                     "\"layers\":\"%s\"}",
                     layers);
    assert_int_equal(snc_file_write(path, text, (size_t)n), SNC_OK);
    assert_int_equal(snc_space_new(&s, &nano, &full, &o), SNC_OK);
    remove(path);
    return s;
}

/* The count knows how many networks there are, the walk meets each once, and a search ends when it has asked for them. */
static void use_up(snc_space *s, int nets)
{
    static snc_obs a[200];
    snc_cfg c = snc_cfg_first(s);
    int walked = 1;
    while (snc_cfg_next(&c, s)) walked++;
    assert_int_equal(walked, nets);
    assert_true(snc_space_count(s, 100) == nets);
    assert_true(snc_space_count(s, 8) == -1);
    for (int i = 0; snc_search_name(i); i++) {
        toy t = {.space = s};
        int n = run(a, &t, snc_search_name(i), NULL, 0, 200, 8);
        if (strcmp(snc_search_name(i), "greedy-bits") == 0) assert_true(n == 1); /* no matrix has a choice */
        else assert_int_equal(n, nets);
    }
    snc_space_free(s);
}

static void a_small_space_is_counted_walked_and_used_up(void **state)
{
    (void)state;
    use_up(small_space("rule"), 4 + 8);
    use_up(small_space("single"), 3 * 4 + 8); /* any two of three layers */
}

/* With costs known, searches that draw first configs at random spend no evaluation beyond the limit, however tight. */
static void first_configs_keep_a_tight_limit(void **state)
{
    (void)state;
    snc_space *s = space_of_shape(&base, NULL);
    toy t = {.space = s};
    snc_obs least = {.cfg = {{0}}};
    toy_cost(&t, &least);
    t.limit = 1.1 * least.latency_us;
    snc_problem p = problem_of(&t, 4);
    snc_proposals made;
    assert_int_equal(snc_proposals_init(&made, &p, 1), SNC_OK);
    for (int i = 0; i < 20; i++) {
        snc_cfg c;
        if (!snc_proposals_random(&c, &made)) continue;
        assert_true(snc_problem_cost(&p, &c).point.violation <= 0);
        assert_int_equal(snc_proposals_add(&made, &c), SNC_OK);
    }
    assert_true(made.made.n > 5);
    snc_proposals_dispose(&made);
    snc_space_free(s);
}

/* Near a seed: its dtypes in three of four, else many of them drawn anew at once; widths move in all. */
static void near_a_seed_dtypes_stay_or_move_together(void **state)
{
    (void)state;
    enum { DRAWN = 200 };
    snc_space *s = space_of_shape(&base, NULL);
    toy t = {.space = s};
    snc_cfg seed = snc_cfg_uniform(s, 1, s->gene[0].n - 1), c;
    snc_problem p = problem_of(&t, 4);
    snc_proposals made;
    int kept = 0, most = 0, widths = 0;
    p.seeds = &seed;
    p.n_seeds = 1;
    assert_int_equal(snc_proposals_init(&made, &p, 1), SNC_OK);
    for (int i = 0; i < DRAWN; i++) {
        int fp = 0;
        assert_true(snc_proposals_near(&c, &made, 0.2));
        assert_int_equal(snc_proposals_add(&made, &c), SNC_OK);
        for (int g = 0; g < s->genes; g++) {
            if (s->gene[g].kind == SNC_GENE_DTYPE) fp += c.o[g] > 0;
            else widths += c.o[g] != seed.o[g];
        }
        kept += fp == 0;
        most = fp > most ? fp : most;
    }
    assert_in_range(kept, DRAWN * 65 / 100, DRAWN * 88 / 100);
    assert_true(most >= 8 && widths > DRAWN);
    snc_proposals_dispose(&made);
    snc_space_free(s);
}

static double hypervolume(const snc_obs *o, int n, const double *ref)
{
    snc_point p[400];
    double hv;
    for (int i = 0; i < n; i++) p[i] = o[i].point;
    assert_int_equal(snc_hypervolume(&hv, p, n, 2, ref), SNC_OK);
    return hv;
}

/* The space of a six-layer net, two objectives, 300 evaluations: who learns is ahead of who does not. */
static void searches_stand_in_the_expected_order(void **state)
{
    (void)state;
    enum { N = 300 };
    static snc_obs a[N];
    snc_space *s = space_of_shape(&base, NULL);
    toy t = {.space = s};
    const double ref[] = {2.5, 1.1 * full_latency(s)};
    const char *const names[] = {"linas", "nsga2", "random"};
    double hv[3], early = 0;
    for (int i = 0; i < 3; i++) {
        int n = run(a, &t, names[i], "{}", 0, N, 8);
        hv[i] = hypervolume(a, n, ref);
        if (i == 0) early = hypervolume(a, N / 2, ref);
    }
    assert_true(hv[0] > hv[1] && hv[1] > hv[2]);
    assert_true(early > hv[1]); /* in half of the evaluations */
    snc_space_free(s);
}

static void linas_says_how_well_it_knows(void **state)
{
    (void)state;
    snc_space *s = space_of_shape(&nano, NULL);
    toy t = {.space = s};
    snc_search *search = NULL;
    snc_search_note note;
    snc_problem p = problem_of(&t, 5);
    assert_int_equal(snc_search_create(&search, "linas", NULL, &p), SNC_OK);
    snc_search_report(&note, search);
    assert_int_equal(note.round, 0);
    for (int done = 0, n = 1; done < 80 && n > 0; done += n) {
        snc_cfg cfg[8];
        snc_obs obs[8];
        assert_int_equal(snc_search_ask(cfg, &n, search, 8), SNC_OK);
        for (int i = 0; i < n; i++) {
            obs[i] = (snc_obs){.cfg = cfg[i]};
            toy_cost(&t, &obs[i]);
            toy_score(&t, &obs[i]);
        }
        assert_int_equal(snc_search_tell(search, obs, n), SNC_OK);
    }
    snc_search_report(&note, search);
    assert_true(note.round >= 2 && note.told >= 50 && note.hypervolume > 0);
    assert_non_null(note.predictor[0].kind);
    assert_null(note.predictor[1].kind); /* latency is computed */
    assert_true(note.predictor[0].tau > 0.5 && note.predictor[0].mape > 0 && note.predictor[0].mape < 50);
    snc_search_free(search);
    snc_space_free(s);
}

/* Of all policies of one architecture, the ladder of single-matrix gains passes those that help: the matrices that suffer. */
static void greedy_bits_gives_precision_where_it_is_missed(void **state)
{
    (void)state;
    enum { N = 400 };
    static snc_obs a[N];
    snc_space *s = space_of_shape(&nano, NULL);
    toy t = {.space = s};
    int n = run(a, &t, "greedy-bits", NULL, 0, N, 8), dtypes = 0, best = 0;
    for (int g = 0; g < s->genes; g++) dtypes += s->gene[g].kind == SNC_GENE_DTYPE && s->gene[g].n > 1;
    assert_true(n > dtypes && n < 3 * (dtypes + 1));
    for (int i = 0; i < n; i++) {
        if (a[i].loss < a[best].loss - 1e-12 || (a[i].loss < a[best].loss + 1e-12 && a[i].latency_us < a[best].latency_us)) best = i;
        for (int g = 0; g < s->genes; g++) /* one architecture */
            if (s->gene[g].kind != SNC_GENE_DTYPE) assert_int_equal(a[i].cfg.o[g], a[0].cfg.o[g]);
    }
    snc_arch arch;
    snc_policy p;
    snc_cfg_decode(&arch, &p, s, &a[best].cfg);
    for (int l = 0; l < arch.layers; l++)
        for (int k = 0; k < SNC_SITES; k++) assert_int_equal(p.linear[l][k], k == 5 && arch.source[l] % 3 ? SNC_F32 : SNC_I8);
    snc_space_free(s);
}

static void names_and_parameters_are_checked(void **state)
{
    (void)state;
    snc_space *s = space_of_shape(&nano, NULL);
    toy t = {.space = s};
    snc_problem p = problem_of(&t, 1);
    snc_search *search = NULL;
    assert_int_equal(snc_search_create(&search, "magic", NULL, &p), SNC_E_NOTFOUND);
    for (int i = 0; snc_search_name(i); i++) {
        assert_non_null(strstr(snc_err_text(), snc_search_name(i)));
        if (snc_search_name(i + 1)) continue;
        break;
    }
    for (int i = 0; snc_search_name(i); i++) {
        cJSON *j = cJSON_Parse("{\"speed\":11}");
        assert_int_equal(snc_search_create(&search, snc_search_name(i), j, &p), SNC_E_FORMAT);
        assert_non_null(strstr(snc_err_text(), "speed"));
        cJSON_Delete(j);
    }
    static const struct {
        const char *name, *text, *word;
    } bad[] = {{"linas", "{\"inner\":\"magic\"}", "magic"},       {"linas", "{\"explore\":2}", "explore"},
               {"linas", "{\"features\":\"none\"}", "features"},  {"weaknas", "{\"predictor\":\"oracle\"}", "predictor"},
               {"evolution", "{\"population\":1}", "population"}, {"mcts", "{\"sharing\":1}", "sharing"},
               {"nsga2", "{\"crossover\":1.5}", "crossover"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cJSON *j = cJSON_Parse(bad[i].text);
        assert_int_not_equal(snc_search_create(&search, bad[i].name, j, &p), SNC_OK);
        assert_non_null(strstr(snc_err_text(), bad[i].word));
        cJSON_Delete(j);
    }
    snc_space_free(s);
}

static void shipped_search_files_are_understood(void **state)
{
    (void)state;
    static const char *const names[] = {"linas", "nsga2", "weaknas", "evolution", "mcts", "mcts-alone", "greedy-bits", "random"};
    snc_space *s = space_of_shape(&nano, NULL);
    toy t = {.space = s};
    snc_problem p = problem_of(&t, 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[4096];
        const char *name;
        cJSON *j = NULL;
        snc_search *search = NULL;
        snprintf(path, sizeof path, "%s/configs/search/%s.json", SNC_ROOT_DIR, names[i]);
        assert_int_equal(snc_json_load(&j, path), SNC_OK);
        assert_int_equal(snc_json_str(&name, j, "name", NULL, path), SNC_OK);
        assert_int_equal(snc_search_create(&search, name, j, &p), SNC_OK);
        snc_search_free(search);
        cJSON_Delete(j);
    }
    snc_space_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_search_walks_the_same_road_again),
        cmocka_unit_test(nothing_is_proposed_twice_or_in_two_forms),
        cmocka_unit_test(three_objectives_and_no_costs_are_served),
        cmocka_unit_test(a_small_space_is_counted_walked_and_used_up),
        cmocka_unit_test(first_configs_keep_a_tight_limit),
        cmocka_unit_test(near_a_seed_dtypes_stay_or_move_together),
        cmocka_unit_test(searches_stand_in_the_expected_order),
        cmocka_unit_test(linas_says_how_well_it_knows),
        cmocka_unit_test(greedy_bits_gives_precision_where_it_is_missed),
        cmocka_unit_test(names_and_parameters_are_checked),
        cmocka_unit_test(shipped_search_files_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
