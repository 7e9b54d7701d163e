/* Messages by Open MPI, whose library is loaded where this process was started by mpirun, or by a scheduler that speaks PMIx: whoever works
 * on one machine needs none. Nothing else names MPI. */
#define _DEFAULT_SOURCE
#include <stdlib.h>

#include "base/comm.h"
#include "base/library.h"
#include "base/mem.h"

static bool several(const char *name)
{
    const char *n = getenv(name);
    return n && strtol(n, NULL, 10) > 1;
}

/* mpirun says how many there are; Slurm does, and PMIx that it has told them of each other. */
static bool among_others(void) { return several("OMPI_COMM_WORLD_SIZE") || (getenv("PMIX_RANK") && several("SLURM_NTASKS")); }

#if defined SNC_WITH_MPI
#include <mpi.h>

/* The header's constants are addresses within the library. */
static struct {
    int (*init)(int *, char ***, int, int *);
    int (*rank)(MPI_Comm, int *);
    int (*size)(MPI_Comm, int *);
    int (*name)(char *, int *);
    int (*handler)(MPI_Comm, MPI_Errhandler);
    int (*isend)(const void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *);
    int (*irecv)(void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *);
    int (*test)(MPI_Request *, int *, MPI_Status *);
    int (*cancel)(MPI_Request *);
    int (*free_request)(MPI_Request *);
    int (*abort)(MPI_Comm, int);
    int (*finalize)(void);
    MPI_Comm world;
    MPI_Datatype byte;
    MPI_Errhandler returns;
} mpi;

static snc_err load(void)
{
    static const char *const names[] = {"libmpi.so.40", "libmpi.so"};
    const snc_symbol wanted[] = {{"MPI_Init_thread", &mpi.init},
                                 {"MPI_Comm_rank", &mpi.rank},
                                 {"MPI_Comm_size", &mpi.size},
                                 {"MPI_Get_processor_name", &mpi.name},
                                 {"MPI_Comm_set_errhandler", &mpi.handler},
                                 {"MPI_Isend", &mpi.isend},
                                 {"MPI_Irecv", &mpi.irecv},
                                 {"MPI_Test", &mpi.test},
                                 {"MPI_Cancel", &mpi.cancel},
                                 {"MPI_Request_free", &mpi.free_request},
                                 {"MPI_Abort", &mpi.abort},
                                 {"MPI_Finalize", &mpi.finalize},
                                 {"ompi_mpi_comm_world", &mpi.world},
                                 {"ompi_mpi_byte", &mpi.byte},
                                 {"ompi_mpi_errors_return", &mpi.returns}};
    return snc_library_load(
        names, 2, wanted, sizeof wanted / sizeof *wanted, "libmpi",
        "started among other ranks, and Open MPI's library is not here: install libopenmpi3, or start one process alone", true);
}

static snc_err check(int code, const char *what)
{
    SNC_CHECK(code == MPI_SUCCESS, SNC_E_BACKEND, "Open MPI: %s failed with code %d", what, code);
    return SNC_OK;
}

static snc_err begin(void **request, int code, const char *what, MPI_Request made)
{
    MPI_Request *r = NULL;
    SNC_TRY(check(code, what));
    SNC_TRY(snc_alloc(&r, 1, sizeof *r));
    *r = made;
    *request = r;
    return SNC_OK;
}

static snc_err send(void **request, void *state, int to, int tag, const void *data, size_t bytes)
{
    MPI_Request r;
    (void)state;
    const int code = mpi.isend(data, (int)bytes, mpi.byte, to, tag, mpi.world, &r);
    return begin(request, code, "a send", r);
}

static snc_err receive(void **request, void *state, int from, int tag, void *data, size_t bytes)
{
    MPI_Request r;
    (void)state;
    const int code = mpi.irecv(data, (int)bytes, mpi.byte, from, tag, mpi.world, &r);
    return begin(request, code, "a receive", r);
}

static snc_err test(bool *done, void *state, void *request)
{
    int flag = 0;
    (void)state;
    SNC_TRY(check(mpi.test(request, &flag, MPI_STATUS_IGNORE), "a message"));
    *done = flag;
    if (flag) snc_free(request);
    return SNC_OK;
}

static void abandon(void *state, void *request)
{
    (void)state;
    mpi.cancel(request);
    mpi.free_request(request);
    snc_free(request);
}

static void abort_all(void *state)
{
    (void)state;
    mpi.abort(mpi.world, 2);
}

static void finish(void *state)
{
    (void)state;
    mpi.finalize();
}

_Static_assert((int)MPI_MAX_PROCESSOR_NAME <= (int)SNC_COMM_NAME, "a host's name fits");
static void host(void *state, char name[SNC_COMM_NAME])
{
    int n;
    (void)state;
    if (mpi.name(name, &n) != MPI_SUCCESS) name[0] = 0;
}

static const snc_comm_kind by_mpi = {"Open MPI", send, receive, test, abandon, abort_all, finish, host};

snc_err snc_comm_open_mpi(snc_comm **out)
{
    int rank = 0, size = 1, given;
    *out = NULL;
    if (!among_others()) return SNC_OK;
    SNC_TRY(load());
    SNC_TRY(check(mpi.init(NULL, NULL, MPI_THREAD_FUNNELED, &given), "MPI_Init_thread"));
    SNC_TRY(check(mpi.handler(mpi.world, mpi.returns), "MPI_Comm_set_errhandler"));
    SNC_TRY(check(mpi.rank(mpi.world, &rank), "MPI_Comm_rank"));
    SNC_TRY(check(mpi.size(mpi.world, &size), "MPI_Comm_size"));
    unsetenv("OMPI_COMM_WORLD_SIZE"); /* what this process starts is alone */
    unsetenv("PMIX_RANK");
    return snc_comm_new(out, &by_mpi, NULL, rank, size);
}
#else
snc_err snc_comm_open_mpi(snc_comm **out)
{
    *out = NULL;
    SNC_CHECK(
        !among_others(), SNC_E_UNSUPPORTED,
        "started among other ranks by a build without MPI, of which each would do the whole job: install libopenmpi-dev and build with "
        "-DSNC_WITH_MPI=ON, or start one process alone");
    return SNC_OK;
}
#endif
