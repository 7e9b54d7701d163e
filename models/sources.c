/* The registry of sources. */
#include "models/source.h"

#include "base/names.h"

/* A new source is a file that defines snc_source_NAME, and its NAME here and in the header. */
static const snc_source_kind *const registry[] = {&snc_source_dense, &snc_source_mos};
enum { KINDS = sizeof registry / sizeof registry[0] };

const char *snc_source_name(int i) { return i >= 0 && i < KINDS ? registry[i]->name : NULL; }

snc_err snc_source_find(const snc_source_kind **out, const char *name)
{
    char names[64];
    int i = snc_names_find(snc_source_name, name);
    snc_names_join(names, sizeof names, snc_source_name, ", ");
    SNC_CHECK(i >= 0, SNC_E_ARG, "weights '%.40s': expected one of %s", name, names);
    *out = registry[i];
    return SNC_OK;
}
