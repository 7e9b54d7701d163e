/* base/fmap: writes that finish or leave nothing, also when the writer is killed. */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE /* mknod */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fmap.h"
#include "base/mem.h"
#include "check.h"

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

/* Names that only look like a killed writer's are people's own. */
static void only_leftovers_are_removed(void **state)
{
    (void)state;
    static const char *const keep[] = {"d_results.tmp.4000000", "d.tmp.20240101", "d.old.copy.tmp.4000000",
                                       "d.tmp.4000000.gz",      "d.tmp.",         "dd.tmp.4000000"};
    for (size_t i = 0; i < sizeof keep / sizeof *keep; i++) assert_int_equal(snc_file_write(in_dir(keep[i]), "mine", 4), SNC_OK);
    assert_int_equal(snc_file_write(in_dir("d"), "whole", 5), SNC_OK);
    for (size_t i = 0; i < sizeof keep / sizeof *keep; i++) assert_int_equal(remove(in_dir(keep[i])), 0);
    assert_int_equal(remove(in_dir("d")), 0);
}

static void links_are_followed_and_stay(void **state)
{
    (void)state;
    char *text = NULL, to[256];
    size_t n = 0;
    struct stat st;
    FILE *log = NULL;
    assert_int_equal(mkdir(in_dir("far"), 0777), 0);
    assert_int_equal(snc_file_write(in_dir("far/file"), "old", 3), SNC_OK);
    assert_int_equal(symlink("far/file", in_dir("one")), 0);
    assert_int_equal(symlink(in_dir("one"), in_dir("two")), 0);
    assert_int_equal(snc_file_write(in_dir("two"), "new", 3), SNC_OK);
    assert_int_equal(snc_file_read(&text, &n, in_dir("far/file")), SNC_OK);
    assert_string_equal(text, "new");
    snc_free(text);
    assert_true(lstat(in_dir("one"), &st) == 0 && S_ISLNK(st.st_mode));
    assert_true(lstat(in_dir("two"), &st) == 0 && S_ISLNK(st.st_mode));
    assert_int_equal(snc_write_target(to, sizeof to, in_dir("two")), SNC_OK);
    assert_string_equal(to, in_dir("far/file"));
    assert_int_equal(snc_stream_open(&log, in_dir("two")), SNC_OK);
    assert_int_equal(fclose(log), 0);
    assert_true(stat(in_dir("far/file"), &st) == 0 && st.st_size == 0);
    assert_int_equal(remove(in_dir("far/file")), 0);
    assert_int_equal(snc_file_write(in_dir("two"), "made", 4), SNC_OK); /* what they name need not be there yet */
    assert_true(snc_is_file(in_dir("far/file")));
    assert_int_equal(symlink("loop", in_dir("loop")), 0);
    assert_int_equal(snc_file_write(in_dir("loop"), "", 0), SNC_E_IO);
    assert_non_null(strstr(snc_err_text(), "too many symbolic links"));
    static const char *const all[] = {"far/file", "far", "one", "two", "loop"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) assert_int_equal(remove(in_dir(all[i])), 0);
}

static void refuses(const char *path, const char *what)
{
    snc_fout *f = NULL;
    FILE *log = NULL;
    struct stat before, after;
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(snc_fout_open(&f, path), SNC_E_IO);
    assert_non_null(strstr(snc_err_text(), what));
    assert_int_equal(snc_stream_open(&log, path), SNC_E_IO);
    assert_non_null(strstr(snc_err_text(), what));
    assert_true(stat(path, &after) == 0 && after.st_ino == before.st_ino && after.st_mode == before.st_mode);
}

static void what_is_no_file_is_refused_by_name(void **state)
{
    (void)state;
    snc_fmap *m = NULL;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(mkfifo(in_dir("fifo"), 0666), 0);
    refuses(in_dir("fifo"), "fifo: is a FIFO, expected a file or a name that is free");
    assert_int_equal(snc_fmap_open(&m, in_dir("fifo")), SNC_E_IO); /* at once, without a writer */
    assert_int_equal(symlink("fifo", in_dir("link")), 0);
    refuses(in_dir("link"), "link: is a FIFO");
    snprintf(a.sun_path, sizeof a.sun_path, "%s", in_dir("socket"));
    assert_true(s >= 0 && bind(s, (struct sockaddr *)&a, sizeof a) == 0);
    refuses(in_dir("socket"), "socket: is a socket");
    close(s);
    refuses(dir, "is a folder");
    if (mknod(in_dir("device"), S_IFCHR | 0600, makedev(1, 3)) == 0) { /* as root alone */
        refuses(in_dir("device"), "device: is a device");
        assert_int_equal(remove(in_dir("device")), 0);
    }
    static const char *const all[] = {"fifo", "link", "socket"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) assert_int_equal(remove(in_dir(all[i])), 0);
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

/* Left by git in place of a file: no reader may take its text for the file's. */
static void a_git_lfs_pointer_is_named(void **state)
{
    (void)state;
    static const char pointer[] =
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 90868376\n";
    snc_fmap *m = NULL;
    char *text = NULL;
    assert_int_equal(snc_file_write(in_dir("big"), pointer, sizeof pointer - 1), SNC_OK);
    assert_int_equal(snc_fmap_open(&m, in_dir("big")), SNC_E_FORMAT);
    assert_non_null(strstr(snc_err_text(), "big: a Git LFS pointer, not the file itself: run 'git lfs pull'"));
    assert_int_equal(snc_fmap_read(&m, in_dir("big")), SNC_E_FORMAT);
    assert_int_equal(snc_file_read(&text, NULL, in_dir("big")), SNC_E_FORMAT);
    assert_null(m);
    assert_int_equal(snc_file_write(in_dir("big"), pointer, 20), SNC_OK);
    assert_int_equal(snc_fmap_open(&m, in_dir("big")), SNC_OK);
    snc_fmap_close(m);
    assert_int_equal(remove(in_dir("big")), 0);
}

/* A program with `file` behind itself, the size of which is said to be n. */
static void carry(const char *name, const char *file, size_t at, unsigned long long n, const char *mark)
{
    char *all = calloc(1, at + strlen(file) + 16);
    assert_non_null(all);
    memcpy(all, "\177ELF and more", 13);
    memcpy(all + at, file, strlen(file));
    for (int i = 0; i < 8; i++) all[at + strlen(file) + (size_t)i] = (char)(n >> 8 * i);
    memcpy(all + at + strlen(file) + 8, mark, 8);
    assert_int_equal(snc_file_write(in_dir(name), all, at + strlen(file) + 16), SNC_OK);
    free(all);
}

static void a_program_is_read_as_the_file_that_it_carries(void **state)
{
    (void)state;
    static const unsigned long long lies[] = {0, 5, 7, SNC_CARRIED_ALIGN + 7, SNC_CARRIED_ALIGN + 22, ~0ULL, ~0ULL - 15, 1ULL << 63};
    snc_fmap *m = NULL;
    char *text = NULL;
    size_t size = 0;
    for (size_t at = SNC_CARRIED_ALIGN; at <= 2 * SNC_CARRIED_ALIGN; at += SNC_CARRIED_ALIGN) {
        carry("prog", "a file", at, 6, SNC_CARRIED_MARK);
        assert_true(snc_is_carrier(in_dir("prog")));
        for (int copy = 0; copy < 2; copy++) {
            assert_int_equal(copy ? snc_fmap_read(&m, in_dir("prog")) : snc_fmap_open(&m, in_dir("prog")), SNC_OK);
            assert_int_equal(m->size, 6);
            assert_memory_equal(m->data, "a file", 6);
            snc_fmap_close(m);
            m = NULL;
        }
        assert_int_equal(snc_file_read(&text, &size, in_dir("prog")), SNC_OK);
        assert_string_equal(text, "a file");
        snc_free(text);
    }
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        carry("prog", "a file", SNC_CARRIED_ALIGN, lies[i], SNC_CARRIED_MARK);
        assert_int_equal(snc_fmap_open(&m, in_dir("prog")), SNC_E_FORMAT);
        assert_non_null(strstr(snc_err_text(), "prog: the file that this program carries is damaged"));
        assert_false(snc_is_carrier(in_dir("prog")));
        assert_null(m);
    }
    carry("prog", "a file", SNC_CARRIED_ALIGN, 6, "SNCFILES"); /* another mark: a program as it is */
    assert_int_equal(snc_fmap_open(&m, in_dir("prog")), SNC_OK);
    assert_int_equal(m->size, SNC_CARRIED_ALIGN + 22);
    snc_fmap_close(m);
    assert_int_equal(snc_file_write(in_dir("stub"), "\177ELF and", 8), SNC_OK);
    assert_true(snc_file_begins(in_dir("prog"), in_dir("stub")));
    assert_false(snc_file_begins(in_dir("stub"), in_dir("prog")));
    assert_false(snc_file_begins(in_dir("none"), in_dir("stub")) || snc_file_begins(in_dir("stub"), in_dir("none")));
    assert_int_equal(remove(in_dir("prog")) | remove(in_dir("stub")), 0);
}

static void an_executable_may_be_run_by_who_may_read_it(void **state)
{
    (void)state;
    snc_fout *f = NULL;
    struct stat st;
    mode_t before = umask(027);
    assert_int_equal(snc_fout_open(&f, in_dir("prog")), SNC_OK);
    assert_int_equal(snc_fout_executable(f), SNC_OK);
    assert_int_equal(snc_fout_commit(f), SNC_OK);
    umask(before);
    assert_int_equal(stat(in_dir("prog"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0750);
    assert_int_equal(remove(in_dir("prog")), 0);
}

static void a_block_is_cleared_and_its_neighbours_stay(void **state)
{
    (void)state;
    static const size_t starts[] = {0, 64, 4096 + 192}, sizes[] = {64, 4096, (size_t)9 << 20, ((size_t)4 << 20) + 64};
    const size_t room = (size_t)10 << 20;
    unsigned char *p = aligned_alloc(64, room);
    assert_non_null(p);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 4; k++) {
            size_t from = starts[i], to = from + sizes[k];
            memset(p, 0xa5, room);
            snc_clear_block(p + from, sizes[k]);
            for (size_t b = 0; b < room; b++)
                if (p[b] != (b >= from && b < to ? 0 : 0xa5)) fail_msg("byte %zu of [%zu, %zu): %d", b, from, to, p[b]);
        }
    free(p);
}

/* A plan for the longest batch takes what batches use of it. */
static void what_is_not_touched_takes_no_memory(void **state)
{
    (void)state;
#if defined(__x86_64__) && defined(__linux__)
    unsigned char *p;
    double before = snc_peak_rss_mb();
    assert_int_equal(snc_alloc(&p, (size_t)600 << 20, 1), SNC_OK);
    assert_true(snc_peak_rss_mb() - before < 300);
    assert_int_equal(p[0] | p[300 << 20] | p[(600 << 20) - 1], 0);
    snc_free(p);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commit_replaces_and_abort_leaves_nothing),
        cmocka_unit_test(the_next_writer_removes_what_a_killed_one_left),
        cmocka_unit_test(only_leftovers_are_removed),
        cmocka_unit_test(links_are_followed_and_stay),
        cmocka_unit_test(what_is_no_file_is_refused_by_name),
        cmocka_unit_test(folders_and_missing_paths_are_refused_by_name),
        cmocka_unit_test(a_git_lfs_pointer_is_named),
        cmocka_unit_test(a_program_is_read_as_the_file_that_it_carries),
        cmocka_unit_test(an_executable_may_be_run_by_who_may_read_it),
        cmocka_unit_test(a_block_is_cleared_and_its_neighbours_stay),
        cmocka_unit_test(what_is_not_touched_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
