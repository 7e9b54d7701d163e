/* Formats into the one thread-local buffer behind snc_err_text; control characters become blanks: a failure is one line of a log. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Reached through the public name: a program that links both of our libraries has one text, the runtime's. */
static char *own_text(void)
{
    const char *view = snc_err_text();
    char *text;
    memcpy(&text, &view, sizeof text);
    return text;
}

/* One line, whatever was in the arguments: user bytes must not break a log. */
static void flatten(char *text)
{
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = ' ';
}

void snc_err_say(const char *fmt, ...)
{
    va_list ap;
    char *text = own_text();
    va_start(ap, fmt);
    vsnprintf(text, SNC_ERR_TEXT, fmt, ap);
    va_end(ap);
    flatten(text);
}

snc_err snc_err_prefix(snc_err code, const char *prefix)
{
    char tmp[SNC_ERR_TEXT], *text = own_text();
    memcpy(tmp, text, sizeof tmp);
    snprintf(text, SNC_ERR_TEXT, "%.400s: %.600s", prefix, tmp);
    flatten(text);
    return code;
}
