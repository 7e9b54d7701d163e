#include "base/error.h"

const char *snc_err_text(void)
{
    static _Thread_local char text[SNC_ERR_TEXT];
    return text;
}
