/* base/room.h: what the machine has left for this process: memory and disk. */
#ifndef SNC_BASE_ROOM_H
#define SNC_BASE_ROOM_H

#include <stdbool.h>

#include "base/error.h"

/* Bytes that can still be taken, by all processes of this machine together: the least of what the kernel says is available and what the
 * limits of the control groups leave. 0: nothing of it is known. */
double snc_room_machine(void);
/* By this process: the same, or what the limit of the address space (ulimit -v) leaves. */
double snc_room_memory(void);
/* By one of so many processes that take it at the same time, or less where each is to have no more than `most` bytes in all; most 0: it is
 * not. */
double snc_room_within(double most, int processes);
/* Of the memory that is free what is counted on: a moment later it may be less. */
#define SNC_ROOM_SURE 0.9
/* Bytes of memory that the process has now. 0: not known. */
double snc_room_resident(void);

/* Free bytes where `path` is or would be: of its nearest folder that exists. SNC_E_IO: files cannot be made there. */
snc_err snc_room_disk(double *free_bytes, const char *path) SNC_MUST_USE;

#endif
