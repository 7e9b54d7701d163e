/* Training and search have one space: what the sampler draws is a config of it, and every config is one that it draws. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "models/config.h"
#include "models/family/family.h"
#include "train/sampler.h"

enum { DRAWS = 10000 };

static const snc_encoder_config shape = {
    .vocab = 50, .positions = 20, .types = 2, .hidden = 192, .layers = 6, .heads = 4, .head_width = 48, .ffn = 512, .classes = 2};
static const char *const spaces[] = {
    NULL,
    "{\"depth\":[6,2]}",
    "{\"depth\":[5]}",
    "{\"depth\":[6,4,1],\"depth_layers\":{\"4\":[0,1,2,5],\"1\":[3]}}",
    "{\"depth\":[3,6],\"hidden\":[192,64],\"heads\":[4,1],\"ffn\":[512,64],\"depth_layers\":{\"3\":[1,2,4]},\"qkv\":\"apart\"}",
    "{\"hidden\":[192,144,48],\"folder\":\"hf\"}"};
enum { SPACES = sizeof spaces / sizeof spaces[0] };
static const char *const rules[] = {"even", "first", "last"};
enum { RULES = sizeof rules / sizeof rules[0] };

static snc_space *space_of(const char *text, const char *rule)
{
    cJSON *j = text ? cJSON_Parse(text) : NULL;
    snc_space *s = NULL;
    snc_arch full = snc_arch_full(&shape);
    const snc_space_opts o = {.depth_rule = rule, .fp = SNC_F32};
    assert_true(!text || j);
    assert_int_equal(snc_space_from_json(&s, &shape, &full, &o, j, "test"), SNC_OK);
    cJSON_Delete(j);
    assert_int_equal(snc_space_check(s, &full), SNC_OK);
    return s;
}

/* Marks the options of c in seen; whether each layer has the widths of the first. */
static bool mark(bool (*seen)[SNC_MAX_OPTIONS], const snc_space *s, const snc_cfg *c, const snc_arch *a)
{
    bool alike = true;
    seen[0][c->o[0]] = seen[1][c->o[1]] = true;
    for (int i = 0; i < a->layers; i++) {
        int g = snc_space_layer(s, a->source[i]);
        seen[g][c->o[g]] = seen[g + 1][c->o[g + 1]] = true;
        alike = alike && a->heads[i] == a->heads[0] && a->ffn[i] == a->ffn[0];
    }
    return alike;
}

/* Draws with `sampler` until DRAWS nets were looked at; each is a config, which decodes to it. */
static void assert_draws_are_configs(const snc_space *s, const char *name, bool (*seen)[SNC_MAX_OPTIONS], int draws)
{
    const snc_sampler_kind *kind;
    snc_sampler *sampler;
    snc_arch nets[SNC_SAMPLER_MAX], back;
    snc_policy policy;
    snc_cfg c;
    snc_rng rng;
    int differing = 0;
    assert_int_equal(snc_sampler_find(&kind, name), SNC_OK);
    assert_int_equal(snc_sampler_create(&sampler, kind, s, &(snc_sampler_opts){.random = 2}), SNC_OK);
    snc_rng_init(&rng, 3, 5);
    for (int t = 0; t < draws;)
        for (int k = 0, n = snc_sampler_draw(nets, sampler, 0, &rng); k < n; k++, t++) {
            assert_true(snc_cfg_of_arch(&c, s, &nets[k]));
            snc_cfg_decode(&back, &policy, s, &c);
            assert_true(snc_arch_equal(&back, &nets[k]));
            differing += !mark(seen, s, &c, &nets[k]);
        }
    snc_sampler_free(sampler);
    assert_true((differing > 0) == s->per_layer);
}

/* Every option of depth and width is drawn where its layer is kept, and none else: a config is then a draw, as genes are drawn alone. */
static void assert_configs_are_drawn(const snc_space *s, bool (*seen)[SNC_MAX_OPTIONS], int draws)
{
    snc_rng rng;
    snc_rng_init(&rng, 4, 5);
    cJSON *trained = snc_space_trained_to_json(s);
    for (int t = 0; t < draws; t++) {
        snc_cfg c = snc_cfg_random(s, &rng), back;
        snc_arch a;
        snc_policy policy;
        snc_cfg_decode(&a, &policy, s, &c);
        assert_true(snc_cfg_of_arch(&back, s, &a));
        assert_true(seen[0][c.o[0]] && seen[1][c.o[1]]);
        for (int i = 0; i < a.layers; i++)
            for (int k = 0, g = snc_space_layer(s, a.source[i]); k < 2; k++, g++) assert_true(back.o[g] == c.o[g] && seen[g][c.o[g]]);
    }
    assert_int_equal(snc_space_check_trained(s, trained, "test"), SNC_OK);
    cJSON_Delete(trained);
}

static void the_sampler_draws_the_space_and_nothing_else(void **state)
{
    (void)state;
    for (int f = 0; f < SPACES; f++)
        for (int r = 0; r < RULES; r++) {
            snc_space *s = space_of(spaces[f], rules[r]);
            static bool seen[SNC_MAX_GENES][SNC_MAX_OPTIONS];
            memset(seen, 0, sizeof seen);
            assert_draws_are_configs(s, "sandwich", seen, DRAWS);
            assert_configs_are_drawn(s, seen, DRAWS);
            s->per_layer = false;
            assert_draws_are_configs(s, "instatune", seen, DRAWS / 10);
            snc_space_free(s);
        }
}

/* Halves that are skipped, layers left out singly: a draw is a net with a layer at work, and as likely of one layer as of another. */
static void wide_spaces_are_drawn_and_searched_alike(void **state)
{
    (void)state;
    static const char *const wide[] = {"{\"reach\":\"wide\"}", "{\"layers\":\"single\",\"depth\":[2,4,6]}",
                                       "{\"heads\":[0,2,4],\"always\":[5],\"depth\":[6,4]}", "{\"ffn\":[0,512]}",
                                       "{\"reach\":\"wide\",\"layers\":\"rule\",\"always\":[5],\"qkv\":\"apart\"}"};
    snc_arch full = snc_arch_full(&shape), a;
    for (size_t f = 0; f < sizeof wide / sizeof *wide; f++) {
        snc_space *s = space_of(wide[f], "last");
        static bool seen[SNC_MAX_GENES][SNC_MAX_OPTIONS];
        snc_rng rng;
        int of[6] = {0};
        memset(seen, 0, sizeof seen);
        assert_draws_are_configs(s, "sandwich", seen, DRAWS);
        assert_configs_are_drawn(s, seen, DRAWS);
        s->per_layer = false;
        snc_rng_init(&rng, 1, 1);
        for (int t = 0; t < DRAWS; t++) {
            snc_space_random(&a, s, &rng);
            assert_int_equal(snc_arch_check(&a, &full), SNC_OK);
            for (int i = 0; i < a.layers; i++) of[a.source[i]]++;
        }
        for (int l = 0; l < 6 && s->single; l++) assert_true(s->always[l] ? of[l] == DRAWS : abs(of[l] - of[0]) < DRAWS / 20);
        snc_space_free(s);
    }
}

static void a_net_of_another_space_is_no_config(void **state)
{
    (void)state;
    snc_space *s = space_of(spaces[4], "even");
    snc_arch whole, a;
    snc_cfg c;
    snc_space_largest(&whole, s);
    assert_true(snc_cfg_of_arch(&c, s, &whole));
    a = whole, a.hidden = 128;
    assert_false(snc_cfg_of_arch(&c, s, &a));
    a = whole, a.heads[5] = 2;
    assert_false(snc_cfg_of_arch(&c, s, &a));
    a = whole, a.ffn[0] = 65;
    assert_false(snc_cfg_of_arch(&c, s, &a));
    a = whole, a.layers = 4; /* between two depths that there are */
    assert_false(snc_cfg_of_arch(&c, s, &a));
    snc_space_smallest(&a, s);
    assert_true(snc_cfg_of_arch(&c, s, &a));
    a.source[2] = 5; /* a depth that there is, of other layers */
    assert_false(snc_cfg_of_arch(&c, s, &a));
    snc_space_free(s);
}

/* Of heads as many as fit in the hidden size, of hidden sizes those that heads fill; what they are trained for says so. */
static void a_folder_can_say_all_nets_of_its_space(void **state)
{
    (void)state;
    snc_space *s = space_of("{\"hidden\":[192,144,48],\"heads\":[1,3,4],\"folder\":\"hf\"}", "even");
    snc_policy policy;
    snc_arch a;
    snc_rng rng;
    int cut = 0;
    snc_rng_init(&rng, 8, 1);
    for (int t = 0; t < DRAWS; t++) {
        snc_cfg c = {{0}}; /* as a search may propose it, not canonical */
        for (int g = 0; g < s->genes; g++) c.o[g] = (uint8_t)snc_rng_below(&rng, (uint32_t)s->gene[g].n);
        snc_cfg_decode(&a, &policy, s, &c);
        for (int i = 0; i < a.layers; i++) {
            const snc_gene *g = &s->gene[snc_space_layer(s, a.source[i])];
            assert_true(a.heads[i] * 48 <= a.hidden);
            cut += a.heads[i] != g->value[c.o[g - s->gene]];
        }
    }
    assert_true(cut > DRAWS);
    cJSON *trained = snc_space_trained_to_json(s);
    assert_string_equal(snc_json_text(trained, "folder"), "hf");
    cJSON_Delete(trained);
    const uint64_t held = snc_space_hash(s);
    s->head_width = 0;
    assert_true(snc_space_hash(s) != held);
    snc_space_free(s);
}

static void what_no_folder_can_say_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } wrong[] = {{"{\"hidden\":[192,128],\"folder\":\"hf\"}", "and 'hidden' has 128: expected multiples of a head's width, 48"},
                 {"{\"hidden\":[192,96],\"heads\":[4,3],\"folder\":\"hf\"}", "no option of 'hidden' has room for 3 heads of 48"},
                 {"{\"folder\":\"onnx\"}", "'folder' is 'onnx', expected any or hf"}};
    const snc_arch full = snc_arch_full(&shape);
    const snc_space_opts o = {.depth_rule = "even", .fp = SNC_F32}, hf = {.depth_rule = "even", .fp = SNC_F32, .hf = true};
    snc_space *s;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cJSON *j = cJSON_Parse(wrong[i].text);
        assert_int_not_equal(snc_space_from_json(&s, &shape, &full, &o, j, "test"), SNC_OK);
        assert_non_null(strstr(snc_err_text(), wrong[i].message));
        cJSON_Delete(j);
    }
    assert_int_equal(snc_space_from_json(&s, &shape, &full, &hf, NULL, "test"), SNC_OK); /* what is derived is cut down */
    for (int i = 0; i < s->gene[1].n; i++) assert_int_equal(s->gene[1].value[i] % 48, 0);
    snc_space_free(s);
    static const char *const types[] = {"albert", "mpnet", "electra"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        snc_encoder_config c = shape;
        c.family = snc_family_find(types[i]);
        c.embedding = strcmp(types[i], "mpnet") == 0 ? 0 : 96;
        const snc_err err = snc_space_from_json(&s, &c, &full, &hf, NULL, "test");
        assert_int_equal(err, i < 2 ? SNC_E_UNSUPPORTED : SNC_OK);
        if (err) assert_non_null(strstr(snc_err_text(), "in a Hugging Face folder, and those of a net come to differ"));
        else snc_space_free(s);
    }
}

static void assert_begins(const snc_arch *b, const snc_policy *p, const snc_arch *a, const snc_policy *of)
{
    snc_arch as;
    assert_int_equal(snc_arch_within(&as, b, a), SNC_OK);
    for (int i = 0; i < b->layers; i++)
        for (int k = 0; k < SNC_SITES; k++)
            if (snc_arch_has(b, i, (snc_site)k)) assert_int_equal(p->linear[i][k], of->linear[as.source[i]][k]);
    assert_true(p->pooler == of->pooler && p->classifier == of->classifier && p->embed == of->embed);
}

/* Of any net: it is among those that begin it, and they all do. */
static void nets_within_a_net_begin_it(void **state)
{
    (void)state;
    static const char *const of[] = {
        "{\"reach\":\"wide\"}", "{\"heads\":[0,2,4],\"always\":[5],\"depth\":[6,4,3]}", "{\"depth\":[6,5,4,2],\"qkv\":\"apart\"}",
        "{\"depth\":[6,3,2],\"depth_layers\":{\"3\":[0,1,2],\"2\":[1,5]},\"linear\":[\"int4\",\"int8\",\"f32\"]}"};
    snc_rng rng;
    snc_rng_init(&rng, 6, 1);
    for (size_t f = 0; f < sizeof of / sizeof *of; f++) {
        snc_space *s = space_of(of[f], "even"), *w;
        snc_arch full = snc_arch_full(&shape), a, b;
        snc_policy p, q;
        int smaller = 0, shallower = 0;
        for (int t = 0; t < 200; t++) {
            snc_cfg c = snc_cfg_random(s, &rng);
            snc_cfg_decode(&a, &p, s, &c);
            assert_int_equal(snc_space_within(&w, s, &a, &p), SNC_OK);
            assert_true(snc_cfg_of_arch(&c, w, &a));
            snc_cfg_decode(&b, &q, w, &c);
            assert_true(snc_arch_equal(&a, &b) && memcmp(&p, &q, sizeof p) == 0);
            for (int k = 0; k < 50; k++) {
                c = snc_cfg_random(w, &rng);
                snc_cfg_decode(&b, &q, w, &c);
                assert_int_equal(snc_arch_check(&b, &full), SNC_OK);
                assert_begins(&b, &q, &a, &p);
                smaller += !snc_arch_equal(&a, &b);
                shallower += b.layers < a.layers;
            }
            snc_space_free(w);
        }
        assert_true(smaller > 5000 && shallower > 1000);
        snc_space_free(s);
    }
    snc_arch a = snc_arch_full(&shape), b = {.layers = 1, .hidden = 64, .source = {2}, .heads = {1}, .ffn = {64}}, as;
    a.layers = 2, a.source[1] = 3;
    assert_int_equal(snc_arch_within(&as, &b, &a), SNC_E_SHAPE);
    assert_non_null(strstr(snc_err_text(), "layer 2 is not among those of the larger net"));
    b.source[0] = 3, b.hidden = 193;
    assert_int_equal(snc_arch_within(&as, &b, &a), SNC_E_SHAPE);
}

/* Of any net: its first layers as they are, from the least depth on, each of which it goes on from, and itself. */
static void prefixes_of_a_net_are_its_first_layers(void **state)
{
    (void)state;
    static const char *const of[] = {"{\"reach\":\"wide\"}", "{\"depth\":[6,4,2],\"heads\":[0,2,4],\"always\":[5]}",
                                     "{\"depth\":[6,5,3],\"qkv\":\"apart\"}"};
    snc_rng rng;
    snc_rng_init(&rng, 8, 1);
    for (size_t f = 0; f < sizeof of / sizeof *of; f++) {
        snc_space *s = space_of(of[f], "even"), *w;
        int shallower = 0;
        for (int t = 0; t < 100; t++) {
            snc_arch a, b;
            snc_policy p, q;
            snc_cfg c = snc_cfg_random(s, &rng);
            snc_cfg_decode(&a, &p, s, &c);
            assert_int_equal(snc_space_prefixes(&w, s, &a, &p), SNC_OK);
            for (int d = 0; d < w->gene[0].n; d++) {
                c = (snc_cfg){.o = {(uint8_t)d}};
                snc_cfg_canonical(&c, w);
                snc_cfg_decode(&b, &q, w, &c);
                assert_true(b.hidden == a.hidden && b.layers == w->gene[0].value[d] &&
                            b.layers >= (a.layers < s->gene[0].value[0] ? 1 : s->gene[0].value[0]));
                assert_begins(&b, &q, &a, &p);
                for (int l = 0; l < b.layers; l++)
                    assert_true(b.source[l] == a.source[l] && b.heads[l] == a.heads[l] && b.ffn[l] == a.ffn[l]);
                assert_int_equal(snc_arch_handover(&shape, &b, &q, &a, &p), snc_arch_last_heads(&b));
                shallower += b.layers < a.layers;
            }
            assert_true(snc_arch_equal(&a, &b)); /* the last of them */
            snc_space_free(w);
        }
        assert_true(shallower > 50);
        snc_space_free(s);
    }
}

/* Whether a supernet that was trained for one space may be searched in another. */
static void assert_trained(const char *train, const char *train_rule, const char *search, const char *search_rule, const char *says)
{
    snc_space *t = space_of(train, train_rule), *s = space_of(search, search_rule);
    cJSON *trained = snc_space_trained_to_json(t);
    snc_err err = snc_space_check_trained(s, trained, "supernet.snc");
    assert_int_equal(err, says ? SNC_E_ARG : SNC_OK);
    if (says) assert_non_null(strstr(snc_err_text(), says));
    cJSON_Delete(trained);
    snc_space_free(t);
    snc_space_free(s);
}

static void a_search_stays_in_what_was_trained(void **state)
{
    (void)state;
    const char *wide = "{\"depth\":[6,4,2],\"hidden\":[192,64],\"heads\":[4,2,1],\"ffn\":[512,64]}";
    assert_trained(wide, "even", "{\"depth\":[6,2],\"hidden\":[64],\"heads\":[4,1],\"ffn\":[512]}", "even", NULL);
    assert_trained(wide, "even", "{\"depth\":[5],\"hidden\":[64],\"heads\":[1],\"ffn\":[64]}", "even", "at depth 5");
    assert_trained(wide, "even", "{\"depth\":[4],\"hidden\":[64],\"heads\":[1],\"ffn\":[64]}", "first", "at depth 4");
    assert_trained(wide, "even", "{\"depth\":[6],\"hidden\":[128],\"heads\":[1],\"ffn\":[64]}", "even", "hidden 128");
    assert_trained(wide, "even", "{\"depth\":[6],\"hidden\":[64],\"heads\":[3],\"ffn\":[64]}", "even", "heads 3");
    assert_trained(wide, "even", "{\"depth\":[6],\"hidden\":[64],\"heads\":[1],\"ffn\":[65]}", "even", "ffn 65");
    assert_trained(wide, "even", "{\"depth\":[6],\"hidden\":[64],\"heads\":[0,1],\"ffn\":[64],\"always\":[2]}", "even", "heads 0");
    assert_trained(wide, "even", "{\"depth\":[6],\"hidden\":[64],\"heads\":[1],\"ffn\":[64],\"layers\":\"single\"}", "even",
                   "chosen singly");
    const char *far = "{\"reach\":\"wide\"}"; /* of two layers at the least */
    assert_trained(far, "even", far, "last", NULL);
    assert_trained(far, "even", "{\"reach\":\"wide\",\"always\":[5,3]}", "even", NULL);
    assert_trained(far, "even", "{\"reach\":\"wide\",\"always\":[3]}", "even", "both halves of layer 5");
    assert_trained(far, "even", "{\"depth\":[6,3],\"depth_layers\":{\"3\":[0,2,5]},\"heads\":[4],\"ffn\":[512]}", "even", NULL);
    assert_trained(far, "even", "{\"depth\":[6,3],\"heads\":[4],\"ffn\":[512]}", "first", "both halves of layer 5");
    assert_trained(far, "even", "{\"depth\":[1],\"depth_layers\":{\"1\":[5]},\"heads\":[4],\"ffn\":[512]}", "even", "at depth 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_sampler_draws_the_space_and_nothing_else),
                                       cmocka_unit_test(wide_spaces_are_drawn_and_searched_alike),
                                       cmocka_unit_test(a_net_of_another_space_is_no_config),
                                       cmocka_unit_test(a_folder_can_say_all_nets_of_its_space),
                                       cmocka_unit_test(what_no_folder_can_say_is_refused),
                                       cmocka_unit_test(nets_within_a_net_begin_it),
                                       cmocka_unit_test(prefixes_of_a_net_are_its_first_layers),
                                       cmocka_unit_test(a_search_stays_in_what_was_trained)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
