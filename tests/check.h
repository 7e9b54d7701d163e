/* tests/check.h: cmocka, and what it wants to be there before it. */
#ifndef SNC_TESTS_CHECK_H
#define SNC_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
