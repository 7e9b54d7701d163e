/* tests/check.h: cmocka, and what it wants to be there before it. */
#ifndef SNC_TESTS_CHECK_H
#define SNC_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Under a sanitizer each thread beyond the CPUs is a burden, and what takes a second takes two: CHECK_EVERY is what a long series may step
 * by there. */
#if defined(__SANITIZE_ADDRESS__)
enum { CHECK_MOST_THREADS = 8, CHECK_EVERY = 3 };
#else
enum { CHECK_MOST_THREADS = 64, CHECK_EVERY = 1 };
#endif

#endif
