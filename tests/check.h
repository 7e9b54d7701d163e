/* tests/check.h: cmocka, and what it wants to be there before it. */
#ifndef SNC_TESTS_CHECK_H
#define SNC_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Of tests that hold bits at more threads than there are CPUs: under a sanitizer each is a burden. */
#if defined(__SANITIZE_ADDRESS__)
enum { CHECK_MOST_THREADS = 8 };
#else
enum { CHECK_MOST_THREADS = 64 };
#endif

#endif
