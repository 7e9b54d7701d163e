/* The text of the last failure, by itself: the one name of snc.h that the tool's library takes from the runtime's. */
#include "base/error.h"

const char *snc_err_text(void)
{
    static _Thread_local char text[SNC_ERR_TEXT];
    return text;
}
