/* Bodies of requests: what is read of them, what is refused and how, and what answers look like. */
#include <stdlib.h>

#include "serve/request.h"
#include "serve_support.h"

static scratch dir;
static snc_served *model;

static int setup(void **state)
{
    (void)state;
    scratch_init(&dir, "serve_request");
    serve_model(&dir, "m.snc", false);
    assert_ok(snc_served_open(&model, "m", scratch_path(&dir, "m.snc"), 1, NULL));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    snc_served_drop(model);
    return 0;
}

static snc_err parse(snc_request *r, snc_route route, const char *body) { return snc_request_parse(r, route, body, strlen(body)); }

static void test_reads(void **state)
{
    snc_request r;
    (void)state;
    assert_ok(parse(&r, SNC_ROUTE_CLASSIFY, "{\"input\":\"a\",\"model\":\"x\"}"));
    assert_int_equal(r.ask.n, 1);
    assert_string_equal(r.text[0].a, "a");
    assert_null(r.text[0].b);
    assert_string_equal(snc_request_model(&r), "x");
    snc_request_dispose(&r);
    assert_ok(
        parse(&r, SNC_ROUTE_CLASSIFY, " {\"input\": [\"a\", [\"b\", \"\\u00e9\"], \"\"], \"top_k\": 2, \"logits\": true, \"user\": 7}"));
    assert_int_equal(r.ask.n, 3);
    assert_string_equal(r.text[1].b, "\xc3\xa9");
    assert_int_equal(r.top_k, 2);
    assert_true(r.logits);
    assert_null(snc_request_model(&r));
    snc_request_dispose(&r);
    assert_ok(parse(&r, SNC_ROUTE_RERANK,
                    "{\"query\":\"q\",\"documents\":[\"a\",{\"text\":\"b\",\"id\":3}],\"top_n\":1,\"return_documents\":true}"));
    assert_int_equal(r.ask.n, 2);
    assert_string_equal(r.text[1].a, "q");
    assert_string_equal(r.text[1].b, "b");
    snc_request_dispose(&r);
    assert_ok(parse(&r, SNC_ROUTE_EMBEDDINGS, "{\"input\":[\"a\"],\"encoding_format\":\"base64\"}"));
    assert_true(r.base64);
    snc_request_dispose(&r);
}

static void test_refuses(void **state)
{
    static const struct {
        snc_route route;
        const char *body, *why;
    } bad[] = {
        {SNC_ROUTE_CLASSIFY, "", "body"},
        {SNC_ROUTE_CLASSIFY, "[]", "expected an object"},
        {SNC_ROUTE_CLASSIFY, "{", "body"},
        {SNC_ROUTE_CLASSIFY, "{}", "'input': expected a text or a list of texts"},
        {SNC_ROUTE_CLASSIFY, "{\"input\":[]}", "'input': an empty list"},
        {SNC_ROUTE_CLASSIFY, "{\"input\":3}", "'input': expected a text or a list of texts"},
        {SNC_ROUTE_CLASSIFY, "{\"input\":[\"a\",3]}", "'input'[1]: expected a text or a pair of texts"},
        {SNC_ROUTE_CLASSIFY, "{\"input\":[[\"a\"]]}", "'input'[0]: a list of 1, expected a pair of texts"},
        {SNC_ROUTE_CLASSIFY, "{\"input\":[[\"a\",null]]}", "'input'[0]: expected a text"},
        {SNC_ROUTE_CLASSIFY, "{\"input\":\"a\",\"topk\":1}", "unknown key 'topk'"},
        {SNC_ROUTE_CLASSIFY, "{\"input\":\"a\",\"input\":\"b\"}", "input"},
        {SNC_ROUTE_CLASSIFY, "{\"input\":\"a\",\"top_k\":-1}", "'top_k'"},
        {SNC_ROUTE_CLASSIFY, "{\"input\":\"a\",\"top_k\":\"all\"}", "'top_k'"},
        {SNC_ROUTE_CLASSIFY, "{\"input\":\"a\",\"model\":3}", "'model'"},
        {SNC_ROUTE_CLASSIFY, "{\"input\":\"\xff\"}", "byte 10 is no UTF-8"},
        {SNC_ROUTE_CLASSIFY, "{\"input\":\"\\u0000\"}", "NUL"},
        {SNC_ROUTE_EMBEDDINGS, "{\"input\":[[\"a\",\"b\"]]}", "'input'[0]: expected a text"},
        {SNC_ROUTE_EMBEDDINGS, "{\"input\":\"a\",\"encoding_format\":\"int8\"}", "'encoding_format'"},
        {SNC_ROUTE_RERANK, "{\"documents\":[\"a\"]}", "'query'"},
        {SNC_ROUTE_RERANK, "{\"query\":\"q\",\"documents\":[]}", "'documents'"},
        {SNC_ROUTE_RERANK, "{\"query\":\"q\",\"documents\":[{\"body\":\"a\"}]}", "'documents'[0]: expected a text"},
        {SNC_ROUTE_RERANK, "{\"query\":\"q\",\"documents\":[\"a\"],\"top_n\":0}", "'top_n'"},
    };
    snc_request r;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_fails(parse(&r, bad[i].route, bad[i].body), SNC_E_FORMAT, bad[i].why);
    assert_fails(snc_request_parse(&r, SNC_ROUTE_CLASSIFY, "{\"input\":\"a\0\"}", 14), SNC_E_FORMAT, "no UTF-8");
    enum { DEEP = 100000 };
    char *deep = malloc(DEEP + 1);
    assert_non_null(deep);
    memset(deep, '[', DEEP);
    deep[DEEP] = 0;
    assert_fails(parse(&r, SNC_ROUTE_CLASSIFY, deep), SNC_E_FORMAT, "body");
    free(deep);
}

/* What a model cannot do is refused before it waits for anybody. */
static void test_binds(void **state)
{
    snc_request r;
    (void)state;
    assert_ok(parse(&r, SNC_ROUTE_EMBEDDINGS, "{\"input\":\"a\"}"));
    assert_fails(snc_request_bind(&r, model), SNC_E_UNSUPPORTED, "model 'm' makes no vectors");
    snc_request_dispose(&r);
    assert_ok(parse(&r, SNC_ROUTE_RERANK, "{\"query\":\"q\",\"documents\":[\"a\"]}"));
    assert_fails(snc_request_bind(&r, model), SNC_E_UNSUPPORTED, "no value of a pair");
    snc_request_dispose(&r);
}

static void test_answers(void **state)
{
    snc_request r;
    snc_textbuf d = {0};
    snc_answer answer[2] = {{.index = 1, .score = 0.75f}, {.index = 0, .score = 0.5f}};
    float logits[4] = {0, 1.0986123f, -0.25f, -0.25f};
    (void)state;
    assert_ok(parse(&r, SNC_ROUTE_CLASSIFY, "{\"input\":[\"a\",\"b\"],\"top_k\":9,\"logits\":true}"));
    assert_ok(snc_request_bind(&r, model));
    r.ask.answer = answer;
    r.ask.logits = logits;
    assert_ok(snc_request_answer(&d, &r));
    assert_string_equal(d.p, "{\"object\":\"list\",\"model\":\"m\",\"data\":["
                             "{\"index\":0,\"label\":\"positive \\\"so\\\"\",\"score\":0.75,\"scores\":[{\"label\":\"positive "
                             "\\\"so\\\"\",\"score\":0.750000004},"
                             "{\"label\":\"negative\",\"score\":0.249999996}],\"logits\":[0,1.09861231]},"
                             "{\"index\":1,\"label\":\"negative\",\"score\":0.5,\"scores\":[{\"label\":\"negative\",\"score\":0.5},"
                             "{\"label\":\"positive \\\"so\\\"\",\"score\":0.5}],\"logits\":[-0.25,-0.25]}]}");
    r.ask.answer = NULL;
    r.ask.logits = NULL;
    snc_request_dispose(&r);
    snc_free(d.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reads), cmocka_unit_test(test_refuses), cmocka_unit_test(test_binds),
                                       cmocka_unit_test(test_answers)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
