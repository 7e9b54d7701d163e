/* base/lock: one holder at a time, by name and number, until it ends; whatever happens to the file meanwhile. */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fmap.h"
#include "base/lock.h"
#include "base/mem.h"
#include "check.h"

static char dir[] = "/tmp/snc-lock-XXXXXX", path[64];

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/run.json", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

/* A child takes the lock, writes `text` where there is one, says so, and holds on until it is killed. */
static pid_t start_holder(const char *text)
{
    int ready[2];
    char c = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        snc_lock *l = NULL;
        if (snc_lock_take(&l, path, "busy") || (text && snc_lock_write(l, text, strlen(text)))) _exit(1);
        if (write(ready[1], "x", 1) != 1) _exit(1);
        for (;;) pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    return pid;
}

static void end_holder(pid_t pid)
{
    int status;
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void held_until_the_holder_is_killed(void **state)
{
    (void)state;
    const char *const text[] = {NULL, "{}\n"};
    for (int i = 0; i < 2; i++) {
        snc_lock *l = NULL;
        char number[32];
        pid_t pid = start_holder(text[i]);
        assert_int_equal(snc_lock_take(&l, path, "--output job: another run is in it"), SNC_E_IO);
        assert_non_null(strstr(snc_err_text(), "--output job: another run is in it"));
        snprintf(number, sizeof number, "(pid %ld)", (long)pid);
        if (snc_is_file("/proc/locks")) assert_non_null(strstr(snc_err_text(), number));
        end_holder(pid);
        assert_int_equal(snc_lock_take(&l, path, "busy"), SNC_OK);
        snc_lock_release(l);
        assert_int_equal(snc_is_file(path), text[i] != NULL); /* an empty one goes with its lock */
    }
    assert_int_equal(remove(path), 0);
}

static void a_write_replaces_all_and_keeps_the_lock(void **state)
{
    (void)state;
    snc_lock *l = NULL, *other = NULL;
    char *text = NULL;
    assert_int_equal(snc_lock_take(&l, path, "busy"), SNC_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(snc_lock_write(l, i % 2 ? "longer text" : "text", i % 2 ? 11 : 4), SNC_OK);
        assert_int_equal(snc_lock_take(&other, path, "busy"), SNC_E_IO); /* by an open file of its own: as from elsewhere */
        assert_null(other);
    }
    snc_lock_release(l);
    assert_int_equal(snc_file_read(&text, NULL, path), SNC_OK);
    assert_string_equal(text, "text");
    snc_free(text);
    assert_int_equal(snc_lock_take(&other, path, "busy"), SNC_OK);
    snc_lock_release(other);
    snc_lock_release(NULL);
    assert_int_equal(remove(path), 0);
}

static void what_cannot_be_made_is_refused_by_name(void **state)
{
    (void)state;
    snc_lock *l = NULL;
    assert_int_equal(snc_lock_take(&l, "/nowhere/at/all", "busy"), SNC_E_IO);
    assert_non_null(strstr(snc_err_text(), "/nowhere/at/all"));
    assert_null(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_until_the_holder_is_killed),
        cmocka_unit_test(a_write_replaces_all_and_keeps_the_lock),
        cmocka_unit_test(what_cannot_be_made_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
