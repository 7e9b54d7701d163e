/* A name stands for the lowest rank on its host. */
#define _POSIX_C_SOURCE 200809L
#include "base/hosts.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cpus.h"
#include "base/fmap.h"
#include "base/isa.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/proc.h"

static snc_err look_at(snc_comm_host *own, const snc_comm *c)
{
    c->kind->host(c->state, own->name);
    snprintf(own->cpu, sizeof own->cpu, "%s", snc_cpu_name());
    snprintf(own->isa, sizeof own->isa, "%s", snc_isa_name(snc_isa_now()));
    own->machine = snc_cpus_machine();
    own->processors = snc_cpus_identity();
    return snc_file_hash(&own->program, SNC_PROC_SELF);
}

snc_err snc_hosts_meet(snc_comm *c)
{
    snc_err err = snc_alloc(&c->host, (size_t)c->size, sizeof *c->host);
    if (!err) err = look_at(&c->host[c->rank], c);
    SNC_TRY(snc_comm_agree(c, err));
    SNC_TRY(snc_comm_gather_each(c, c->host, sizeof *c->host));
    const snc_comm_host *own = &c->host[c->rank];
    c->host_ranks = c->neighbours = 0;
    for (int r = 0; r < c->size; r++) {
        c->host_ranks += c->host[r].processors == own->processors;
        c->neighbours += c->host[r].machine == own->machine;
        SNC_CHECK(c->rank > 0 || c->host[r].program == own->program, SNC_E_ARG,
                  "rank %d runs another build of this program than rank 0: install the same one on every machine", r);
    }
    return SNC_OK;
}

static bool is_called(const char *host, const char *name, size_t n)
{
    return strncmp(host, name, n) == 0 && (!host[n] || strcspn(host, ".") == n);
}

static int first_rank(const snc_comm *c, const char *name, size_t n)
{
    for (int r = 0; r < c->size; r++)
        if (is_called(c->host[r].name, name, n)) return r;
    return -1;
}

/* "node-a, node-b", each once. */
static void say_hosts(char *out, size_t size, const snc_comm *c)
{
    size_t at = 0;
    out[0] = 0;
    for (int r = 0; r < c->size && at < size; r++) {
        const char *name = c->host[r].name;
        if (first_rank(c, name, strlen(name)) == r) at += (size_t)snprintf(out + at, size - at, "%s%.64s", at ? ", " : "", name);
    }
}

static snc_err add(snc_comm *c, const char *name, int n)
{
    char there[512];
    const int rank = first_rank(c, name, (size_t)n);
    say_hosts(there, sizeof there, c);
    SNC_CHECK(rank >= 0, SNC_E_ARG, "--profile-on '%.*s': no rank is on a host of that name; expected of %s", n, name, there);
    for (int k = 0; k < c->clocks; k++) SNC_CHECK(c->clock[k] != rank, SNC_E_ARG, "--profile-on: '%.*s' is named twice", n, name);
    SNC_CHECK(c->clocks < SNC_COMM_CLOCKS, SNC_E_ARG, "--profile-on: more than %d hosts", SNC_COMM_CLOCKS);
    c->clock[c->clocks++] = rank;
    return SNC_OK;
}

snc_err snc_hosts_choose(snc_comm *c, const char *names)
{
    struct utsname here;
    if (c) c->clocks = 0;
    for (const char *name = names; name; name = snc_list_next(name)) {
        const int n = (int)strcspn(name, ",");
        if (c) SNC_TRY(add(c, name, n));
        else
            SNC_CHECK(uname(&here) == 0 && is_called(here.nodename, name, (size_t)n), SNC_E_ARG,
                      "--profile-on '%.*s': this machine is '%s', and mpirun has started no ranks on others", n, name, here.nodename);
    }
    return SNC_OK;
}
