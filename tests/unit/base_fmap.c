/* base/fmap: writes that finish or leave nothing, also when the writer is killed. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fmap.h"
#include "base/mem.h"

static char dir[] = "/tmp/snc-fmap-XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[0], "%s/%s", dir, name);
    return path[turn];
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

/* A child starts to write `name` and dies before it commits; gives its process id. */
static pid_t die_writing(const char *name)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        snc_fout *f = NULL;
        if (snc_fout_open(&f, in_dir(name)) || snc_fout_write(f, "half", 4)) _exit(1);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return pid;
}

static void commit_replaces_and_abort_leaves_nothing(void **state)
{
    (void)state;
    const char *path = in_dir("a");
    snc_fout *f = NULL;
    char *text = NULL;
    size_t n = 0;
    assert_int_equal(snc_file_write(path, "one", 3), SNC_OK);
    assert_int_equal(snc_fout_open(&f, path), SNC_OK);
    assert_int_equal(snc_fout_write(f, "other", 5), SNC_OK);
    snc_fout_abort(f);
    assert_int_equal(snc_file_read(&text, &n, path), SNC_OK);
    assert_int_equal(n, 3);
    assert_string_equal(text, "one");
    snc_free(text);
    assert_int_equal(snc_file_write(path, "two!", 4), SNC_OK);
    assert_int_equal(snc_file_read(&text, &n, path), SNC_OK);
    assert_string_equal(text, "two!");
    snc_free(text);
    assert_int_equal(remove(path), 0);
}

static void the_next_writer_removes_what_a_killed_one_left(void **state)
{
    (void)state;
    char own[64], beside[64], alive[64];
    snprintf(own, sizeof own, "b.tmp.%ld", (long)die_writing("b"));
    snprintf(beside, sizeof beside, "b.checkpoint.tmp.%ld", (long)die_writing("b.checkpoint"));
    snprintf(alive, sizeof alive, "b.tmp.%ld", (long)getppid());
    assert_int_equal(snc_file_write(in_dir("c.tmp.x"), "", 0), SNC_OK);
    assert_int_equal(snc_file_write(in_dir(alive), "", 0), SNC_OK);
    assert_true(snc_is_file(in_dir(beside)));
    assert_int_equal(snc_file_write(in_dir("b"), "whole", 5), SNC_OK);
    assert_false(snc_is_file(in_dir(own)));
    assert_false(snc_is_file(in_dir(beside)));
    assert_true(snc_is_file(in_dir(alive)));     /* its writer lives */
    assert_true(snc_is_file(in_dir("c.tmp.x"))); /* another file's, and no process number */
    assert_int_equal(remove(in_dir("b")), 0);
    assert_int_equal(remove(in_dir(alive)), 0);
    assert_int_equal(remove(in_dir("c.tmp.x")), 0);
}

static void folders_and_missing_paths_are_refused_by_name(void **state)
{
    (void)state;
    snc_fmap *m = NULL;
    snc_fout *f = NULL;
    assert_int_equal(snc_fout_open(&f, dir), SNC_E_IO);
    assert_non_null(strstr(snc_err_text(), dir));
    assert_int_equal(snc_fout_open(&f, in_dir("none/x")), SNC_E_IO);
    assert_int_equal(snc_fmap_open(&m, in_dir("none")), SNC_E_IO);
    assert_int_equal(snc_fmap_open(&m, dir), SNC_E_IO);
    assert_null(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commit_replaces_and_abort_leaves_nothing),
        cmocka_unit_test(the_next_writer_removes_what_a_killed_one_left),
        cmocka_unit_test(folders_and_missing_paths_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
