/* hub/cache: what counts as a name of the Hub, where it is kept, and when a snapshot has all that a model needs. */
#define _POSIX_C_SOURCE 200809L
#include "hub/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/fmap.h"
#include "base/partial.h"
#include "check.h"
#include "files.h"
#include "hub/hub.h"

static void names(void **state)
{
    (void)state;
    snc_hub_name n;
    static const char *const good[] = {"google-bert/bert-base-uncased",
                                       "bert-base-uncased",
                                       "a/b",
                                       "o_w.n/some_model.v2",
                                       "a/b@main",
                                       "a/b@refs/pr/1",
                                       "bert-base@0123456789abcdef0123456789abcdef01234567"};
    static const char *const bad[] = {
        "",      "bert", "a/b/c",    "/a/b",   "./a",        "../a",    "a/..", "a/",   "/",    "a//b",   "a/b.snc", "m/pytorch_model.bin",
        "a b/c", "a/b@", "a/b@../x", "a/b@-x", "a/b@x/../y", "a/b@x y", "a/.b", "a/b-", "-a/b", "a--b/c", "x-\n",    "a/b?c",
        "a,b-c"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!snc_hub_is_name(good[i])) fail_msg("'%s' is a name", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (snc_hub_is_name(bad[i])) fail_msg("'%s' is no name", bad[i]);
    assert_true(snc_hub_name_read(&n, "a-b/c@v1.0"));
    assert_string_equal(n.id, "a-b/c");
    assert_string_equal(n.revision, "v1.0");
    assert_true(snc_hub_name_read(&n, "a/b"));
    assert_string_equal(n.revision, "main");
    char longest[256];
    memset(longest, 'a', sizeof longest);
    longest[1] = '/';
    longest[sizeof longest - 1] = 0;
    assert_false(snc_hub_is_name(longest));
    longest[96] = 0;
    assert_true(snc_hub_is_name(longest));
}

static void file_names(void **state)
{
    (void)state;
    assert_true(snc_hub_is_file_name("model-00001-of-00002.safetensors"));
    static const char *const bad[] = {"", ".", "..", ".hidden", "a/b", "../a", "a b", "-rf", "a\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (snc_hub_is_file_name(bad[i])) fail_msg("'%s' is no file's name", bad[i]);
    assert_true(snc_hub_is_commit("0123456789abcdef0123456789abcdef01234567"));
    assert_false(snc_hub_is_commit("0123456789ABCDEF0123456789abcdef01234567"));
    assert_false(snc_hub_is_commit("0123456789abcdef"));
}

static void places(void **state)
{
    (void)state;
    snc_hub_cache c;
    snc_hub_name n;
    assert_true(snc_hub_name_read(&n, "google-bert/bert-base-uncased"));
    setenv("HOME", "/h", 1);
    unsetenv("HF_HUB_CACHE");
    unsetenv("HF_HOME");
    unsetenv("XDG_CACHE_HOME");
    assert_ok(snc_hub_cache_find(&c, &n));
    assert_string_equal(c.repo, "/h/.cache/huggingface/hub/models--google-bert--bert-base-uncased");
    setenv("XDG_CACHE_HOME", "/x", 1);
    assert_ok(snc_hub_cache_find(&c, &n));
    assert_string_equal(c.repo, "/x/huggingface/hub/models--google-bert--bert-base-uncased");
    setenv("HF_HOME", "/f", 1);
    assert_ok(snc_hub_cache_find(&c, &n));
    assert_string_equal(c.locks, "/f/hub/.locks/models--google-bert--bert-base-uncased");
    setenv("HF_HUB_CACHE", "/c", 1);
    assert_true(snc_hub_name_read(&n, "bert-base"));
    assert_ok(snc_hub_cache_find(&c, &n));
    assert_string_equal(c.repo, "/c/models--bert-base");
    unsetenv("HF_HUB_CACHE");
    unsetenv("HF_HOME");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    assert_fails(snc_hub_cache_find(&c, &n), SNC_E_ARG, "neither HF_HUB_CACHE, HF_HOME nor HOME is set");
}

/* A file of the one snapshot of a/b, as huggingface_hub lays it. */
static void put(scratch *s, const char *file, const char *text)
{
    char path[1024], to[128];
    snprintf(path, sizeof path, "%s/models--a--b/blobs", s->dir);
    assert_ok(snc_mkdir(path));
    snprintf(path, sizeof path, "%s/models--a--b/blobs/%s-tag", s->dir, file);
    assert_ok(snc_file_write(path, text, strlen(text)));
    snprintf(path, sizeof path, "%s/models--a--b/snapshots/0123456789abcdef0123456789abcdef01234567", s->dir);
    assert_ok(snc_mkdir(path));
    snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", file);
    snprintf(to, sizeof to, "../../blobs/%s-tag", file);
    assert_ok(snc_link_make(path, to));
}

static void fetch_fails(const char *name, const char *text)
{
    snc_ctx ctx = SNC_CTX_INIT;
    char folder[4096];
    ctx.level = SNC_LOG_WARN;
    assert_fails(snc_hub_fetch(folder, sizeof folder, &ctx, name), SNC_E_NOTFOUND, text);
}

/* Offline, whatever the program was built with. */
static void a_whole_snapshot_needs_no_network(void **state)
{
    scratch *s = *state;
    snc_ctx ctx = SNC_CTX_INIT;
    char folder[4096], path[4096];
    static const char missing[] = "nor a whole model in ";
    ctx.level = SNC_LOG_WARN;
    setenv("HF_HUB_CACHE", s->dir, 1);
    setenv("HF_HUB_OFFLINE", "TRUE", 1);
    fetch_fails("a/b", missing);
    snprintf(path, sizeof path, "%s/models--a--b/refs", s->dir);
    assert_ok(snc_mkdir(path));
    snprintf(path, sizeof path, "%s/models--a--b/refs/main", s->dir);
    assert_ok(snc_file_write(path, "0123456789abcdef0123456789abcdef01234567", 40));
    put(s, "config.json", "{}");
    put(s, "model.safetensors", "x");
    fetch_fails("a/b", missing); /* a vocabulary lacks */
    put(s, "vocab.txt", "a");
    assert_ok(snc_hub_fetch(folder, sizeof folder, &ctx, "a/b"));
    snprintf(path, sizeof path, "%s/models--a--b/snapshots/0123456789abcdef0123456789abcdef01234567", s->dir);
    assert_string_equal(folder, path);
    assert_ok(snc_hub_fetch(folder, sizeof folder, &ctx, "a/b@0123456789abcdef0123456789abcdef01234567"));
    fetch_fails("a/b@v1", missing);
    /* Weights in two shards: both, and no name that leads elsewhere. */
    assert_ok(snc_path_join(path, sizeof path, folder, "model.safetensors"));
    assert_int_equal(remove(path), 0);
    put(s, "model.safetensors.index.json", "{\"weight_map\":{\"a\":\"model-1.safetensors\",\"b\":\"model-2.safetensors\"}}");
    put(s, "model-1.safetensors", "x");
    fetch_fails("a/b", missing);
    put(s, "model-2.safetensors", "x");
    assert_ok(snc_hub_fetch(folder, sizeof folder, &ctx, "a/b"));
    put(s, "model.safetensors.index.json", "{\"weight_map\":{\"a\":\"../model-1.safetensors\"}}");
    fetch_fails("a/b", missing);
    /* A link whose blob is gone. */
    put(s, "model.safetensors", "x");
    assert_ok(snc_hub_fetch(folder, sizeof folder, &ctx, "a/b"));
    snprintf(path, sizeof path, "%s/models--a--b/blobs/config.json-tag", s->dir);
    assert_int_equal(remove(path), 0);
    fetch_fails("a/b", missing);
}

static void a_partial_file_grows_at_its_end(void **state)
{
    scratch *s = *state;
    snc_partial *p;
    double had;
    char *text;
    const char *path = scratch_path(s, "x.incomplete"), *link = scratch_path(s, "link");
    assert_ok(snc_partial_open(&p, &had, path));
    assert_true(had == 0);
    assert_ok(snc_partial_write(p, "abc", 3));
    assert_ok(snc_partial_close(p));
    assert_ok(snc_partial_open(&p, &had, path));
    assert_true(had == 3);
    assert_ok(snc_partial_write(p, "de", 2));
    assert_ok(snc_partial_close(p));
    assert_ok(snc_file_read(&text, NULL, path));
    assert_string_equal(text, "abcde");
    snc_free(text);
    assert_ok(snc_partial_open(&p, &had, path));
    assert_ok(snc_partial_write(p, "12", 2));
    assert_ok(snc_partial_empty(p));
    assert_ok(snc_partial_write(p, "z", 1));
    assert_ok(snc_partial_close(p));
    assert_ok(snc_file_read(&text, NULL, path));
    assert_string_equal(text, "z");
    snc_free(text);
    assert_ok(snc_link_make(link, path));
    assert_fails(snc_partial_open(&p, &had, link), SNC_E_IO, "link: cannot write");
    assert_fails(snc_partial_open(&p, &had, "/dev/null"), SNC_E_IO, "not a regular file");
}

static int scratch_make(void **state)
{
    static scratch s;
    snprintf(s.dir, sizeof s.dir, "scratch.hub-XXXXXX");
    *state = &s;
    return mkdtemp(s.dir) ? 0 : -1;
}

static int scratch_remove(void **state)
{
    const scratch *s = *state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf %s", s->dir);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(file_names),
        cmocka_unit_test(places),
        cmocka_unit_test_setup_teardown(a_whole_snapshot_needs_no_network, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(a_partial_file_grows_at_its_end, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
