#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 1024 };
static _Thread_local char text[TEXT_MAX];

/* One line, whatever was in the arguments: user bytes must not break a log. */
static void flatten(void)
{
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = ' ';
}

snc_err snc_err_set(snc_err code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    flatten();
    return code;
}

snc_err snc_err_prefix(snc_err code, const char *prefix)
{
    char tmp[TEXT_MAX];
    memcpy(tmp, text, sizeof tmp);
    snprintf(text, sizeof text, "%.400s: %.600s", prefix, tmp);
    flatten();
    return code;
}

const char *snc_err_text(void) { return text; }
