/* base/cpus.h: how many CPUs this process may use, and what makes them fewer than the machine has. */
#ifndef SNC_BASE_CPUS_H
#define SNC_BASE_CPUS_H

#include <stddef.h>
#include <stdint.h>

typedef struct snc_cpus {
    int usable;   /* the least of these, the quota rounded up; at least 1 */
    int online;   /* of the machine */
    int affinity; /* that the process may run on */
    double quota; /* CPUs' worth of time that its control groups allow; negative: all */
} snc_cpus;

/* `root` is put before /proc and /sys: "" but in tests. `affinity` is what the caller knows of it; 0: it is asked for. */
snc_cpus snc_cpus_count(const char *root, int affinity);

/* Equal for processes of one machine, since it was started. */
uint64_t snc_cpus_machine(void);
/* Equal for those of them that may run on the same CPUs. */
uint64_t snc_cpus_identity(void);

/* "2 of 64 CPUs: cgroup quota 2.0"; the reason of the least alone, none where all can be used. */
void snc_cpus_say(char *out, size_t size, const snc_cpus *c);

#endif
