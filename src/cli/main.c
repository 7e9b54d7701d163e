/* The program: parses, runs one stage, prints its answer, and turns the outcome into an exit code.
 * 0 done; 2 bad input or failure; 3 a target was missed; 130 interrupted. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fmap.h"
#include "base/lock.h"
#include "base/mem.h"
#include "base/proc.h"
#include "cli/lines.h"
#include "cli/options.h"
#include "cli/terminal.h"

static volatile int cancelled, reload;

static volatile sig_atomic_t asked;   /* by a signal */
static volatile sig_atomic_t patient; /* there is a state worth the time to write it */
static char unfinished[4096];         /* where --output is written until it is whole; "" without */
static char lock[4096];               /* the file that keeps others from --output meanwhile; "" without */

/* The work ends at its next turn, of which there are several a second. Where nothing but the output is at stake, a call that
 * takes longer (a large file on a slow disk) is not waited for. One press may come twice, from the terminal and from timeout(1),
 * which signals its child and then their group. */
static const double AGAIN = 0.5; /* seconds */

static void on_interrupt(int sig)
{
    static struct timespec first;
    struct timespec now;
    (void)sig;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (asked && (double)(now.tv_sec - first.tv_sec) + 1e-9 * (double)(now.tv_nsec - first.tv_nsec) < AGAIN) return;
    if (asked) _exit(130); /* twice */
    first = now;
    asked = cancelled = 1;
    if (!patient) alarm(1);
}

static void on_hangup(int sig)
{
    (void)sig;
    reload = 1;
}

/* An empty lock that this process has open is its own, or no one's; another's stays. */
static void remove_lock(void)
{
    struct stat there, mine;
    if (stat(lock, &there) != 0 || there.st_size > 0) return;
    for (int fd = 3; fd < 1024; fd++)
        if (fstat(fd, &mine) == 0 && mine.st_dev == there.st_dev && mine.st_ino == there.st_ino) {
            unlink(lock);
            return;
        }
}

static void on_alarm(int sig)
{
    static const char line[] = "compress: interrupted\n";
    (void)sig;
    unlink(unfinished);
    remove_lock();
    if (write(STDERR_FILENO, line, sizeof line - 1) < 0) {} /* nobody left to tell */
    _exit(130);
}

/* The answer's way out and the input's way in. */
typedef struct streams {
    snc_terminal t; /* first: what the terminal's callbacks take the user for */
    int lost;       /* errno of a failed write of the answer */
    snc_lines in;
} streams;

static void on_result(void *user, const char *line)
{
    streams *t = user;
    snc_terminal_end_line(&t->t);
    if (t->lost || (fputs(line, stdout) >= 0 && fputc('\n', stdout) != EOF) || asked) return;
    t->lost = errno;
    cancelled = 1; /* nobody reads: no use to go on */
}

static int on_ready(void *user) { return snc_lines_ready(&((streams *)user)->in); }

/* Whoever reads the answers has all of them before more input is waited for. */
static snc_err on_input(void *user, const char **line, size_t *bytes)
{
    streams *t = user;
    if (!snc_lines_ready(&t->in) && !t->lost && fflush(stdout) != 0 && !asked) {
        t->lost = errno;
        cancelled = 1;
    }
    return snc_lines_next(&t->in, line, bytes, &cancelled);
}

static snc_err run(const snc_args *a, const snc_host *h, int *missed)
{
    static const struct {
        const char *verb;
        snc_err (*stage)(const snc_options *, const snc_host *);
    } stages[] = {{"import", snc_stage_import},     {"finetune", snc_stage_finetune}, {"supernet", snc_stage_supernet},
                  {"profile", snc_stage_profile},   {"export", snc_stage_export},     {"bench", snc_stage_bench},
                  {"predict", snc_stage_predict},   {"eval", snc_stage_eval},         {"info", snc_stage_info},
                  {"tokenize", snc_stage_tokenize}, {"study", snc_stage_study},       {"verify", snc_stage_verify},
                  {"serve", snc_stage_serve},       {"plan", snc_stage_plan}};
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        if (strcmp(a->verb->name, stages[i].verb) == 0) return stages[i].stage(&a->o, h);
    if (strcmp(a->verb->name, "search") == 0) return snc_stage_search(&a->o, h, missed);
    if (strcmp(a->verb->name, "suite") == 0) return snc_stage_suite(&a->o, h, missed);
    return snc_stage_compress(&a->o, h, missed);
}

static void signals(int how)
{
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, SIGINT);
    sigaddset(&s, SIGTERM);
    sigprocmask(how, &s, NULL);
}

/* Threads that wait by spinning starve each other as soon as anything else runs on the machine: a training step took thirty
 * times as long. libgomp reads its settings once, when it is loaded, so a short spin has to be in the environment before. */
static void spin_briefly(char **argv)
{
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY")) return;
    signals(SIG_BLOCK); /* they wait until the new program has its handlers */
    if (setenv("GOMP_SPINCOUNT", "3000", 1) == 0) execv("/proc/self/exe", argv);
    /* no /proc: it works as well, only less politely */
}

/* A closed standard stream would give its number to the next file that is opened, and answers would go into that. */
static void keep_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0) _exit(2); /* so that using it fails */
}

/* A handler's frame would lie below the stack pointer, where vendor kernels keep data (oneDNN 2.6's f32 products do, far beyond the 128
 * bytes that are theirs): a signal in the middle of one damaged the heap. So handlers have a stack of their own. */
static void handle(int sig, void (*handler)(int))
{
    const struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    sigaction(sig, &sa, NULL);
}

/* Another rank than 0: it does what rank 0 calls it to, and ends when that does, which is who is told to stop. */
static int attend(snc_comm *ranks, const snc_host *h)
{
    handle(SIGINT, SIG_IGN);
    handle(SIGTERM, SIG_IGN);
    snc_err err = snc_ranks_attend(ranks, h, 0);
    snc_ranks_close(ranks, err != SNC_OK);
    return err ? 2 : 0;
}

static void handle_signals(const snc_args *a)
{
    static char stack[1 << 16]; /* AMX alone takes 11 KB of a frame */
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    const unsigned keeps =
        SNC_VERB_COMPRESS | SNC_VERB_FINETUNE | SNC_VERB_SUPERNET | SNC_VERB_SEARCH | SNC_VERB_STUDY | SNC_VERB_SUITE | SNC_VERB_SERVE;
    patient = (a->verb->bit & keeps) && !a->o.study.tabular;
    if (a->o.output.path && snc_fout_name(unfinished, sizeof unfinished, a->o.output.path)) *unfinished = 0;
    if (a->o.output.path && snc_lock_name(lock, sizeof lock, a->o.output.path)) *lock = 0;
    sigaltstack(&own, NULL);
    handle(SIGINT, on_interrupt);
    handle(SIGTERM, on_interrupt);
    handle(SIGALRM, on_alarm);
    if (a->verb->bit == SNC_VERB_SERVE) handle(SIGHUP, on_hangup);
    handle(SIGXFSZ, SIG_IGN); /* a file limit is an error of write, not a death */
    handle(SIGPIPE, SIG_IGN); /* and so is a reader that has gone */
    signals(SIG_UNBLOCK);
}

/* A server's threads come and go: with a heap for each of them glibc keeps a multiple of what is in use. */
static void share_heaps(void)
{
#ifdef __GLIBC__
    enum { HEAPS = 4 };
    mallopt(M_ARENA_MAX, HEAPS);
#endif
}

/* The exit code of an answer without work. */
static int answered(void)
{
    if (fflush(stdout) == 0) return 0;
    fprintf(stderr, "compress: standard output: write failed: %s\n", strerror(errno));
    return 2;
}

int main(int argc, char **argv)
{
    snc_args a;
    keep_streams();
    int missed = 0;
    if (argc > 0) snc_args_called(argv[0]);
    prctl(PR_SET_NAME, snc_args_name()); /* as what spin_briefly starts, ps, top and pkill would know it as "exe" */
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        snc_args_help(NULL);
        return argc < 2 ? 2 : answered();
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("compress %s\n", SNC_VERSION);
        return answered();
    }
    if (strcmp(argv[1], "help") == 0) {
        if (snc_args_help_about(argv[2], argc > 3 ? argv[3] : NULL) == SNC_OK) return answered();
        fprintf(stderr, "compress: %s\n", snc_err_text());
        return 2;
    }
    snc_err err = snc_args_parse(&a, argc, argv);
    if (!err && a.help) {
        snc_args_help(a.verb);
        return answered();
    }
    if (!err && a.verb->all_cores) spin_briefly(argv);
    if (!err && a.verb->bit == SNC_VERB_SERVE) share_heaps();
    streams io = {.in = {.fd = STDIN_FILENO}};
    snc_host h = {.size = sizeof h,
                  .user = &io,
                  .log = snc_terminal_log,
                  .result = on_result,
                  .input = on_input,
                  .cancel = &cancelled,
                  .program = SNC_PROC_SELF,
                  .status = snc_terminal_status,
                  .ready = on_ready,
                  .reload = &reload};
    snc_err alone = snc_ranks_open(&h.ranks); /* before the options are judged: rank 0 does that for all */
    if (snc_ranks_rank(h.ranks) > 0) return attend(h.ranks, &h);
    if (alone) err = alone;
    handle_signals(&a);
    if (!err && a.log_json) err = snc_output_check(&a.o, "--log-json", a.log_json);
    snc_err opened = snc_terminal_open(&io.t, err ? NULL : a.log_json, a.quiet);
    if (!err) err = opened;
    if (!err) err = run(&a, &h, &missed);
    if (fflush(stdout) != 0 && !io.lost && !asked) io.lost = errno;
    if (io.lost && (!err || err == SNC_E_CANCELLED)) err = snc_err_set(SNC_E_IO, "standard output: write failed: %s", strerror(io.lost));
    if (err) snc_terminal_error(&io.t, snc_err_text());
    snc_terminal_close(&io.t);
    snc_free(io.in.data);
    snc_ranks_close(h.ranks, 0);
    if (err == SNC_E_CANCELLED) return 130;
    return err ? 2 : missed ? 3 : 0;
}
