/* Equal nets behind an equal program are the same file. */
#include "stage/export_exe.h"

#include <stdio.h>
#include <string.h>

#include "artifact/option.h"
#include "artifact/stamp.h"
#include "base/fmap.h"
#include "interop/executable.h"
#include "models/bundle.h"

enum { PATH = 4096 };

bool snc_is_exe_asked(const snc_options *o) { return o->exporting.to && strcmp(o->exporting.to, "exe") == 0; }

snc_err snc_exe_need(const snc_options *o)
{
    char stub[SNC_EXECUTABLE_PATH];
    SNC_CHECK(!o->exporting.cascade && !o->exporting.measure && o->input.n_models <= 1, SNC_E_ARG,
              "--to exe: expected one model, as it is: --cascade, --measure and files of several nets are made first");
    snc_err err = snc_executable_stub(stub);
    return err ? snc_err_prefix(err, "--to exe") : SNC_OK;
}

/* A program without them could only fail. */
static snc_err check(const snc_sncfile *f, const char *from)
{
    snc_tok_assets a = {.kind = NULL};
    SNC_CHECK(snc_sncfile_has_head(f), SNC_E_NOTFOUND, "%s: has no trained classifier and would answer at random", from);
    SNC_TRY(snc_sncfile_tokenizer_dup(&a, f));
    const bool there = a.kind != NULL;
    snc_tok_assets_dispose(&a);
    SNC_CHECK(there, SNC_E_NOTFOUND, "%s: has no tokenizer inside", from);
    return SNC_OK;
}

static snc_err put(const snc_options *o, const char *out, const char *file)
{
    char stub[SNC_EXECUTABLE_PATH], there[SNC_DIGEST_TEXT], made[SNC_DIGEST_TEXT];
    bool current;
    SNC_TRY(snc_executable_stub(stub));
    SNC_TRY(snc_sncfile_digest_read(made, file));
    if (snc_executable_has(out, stub) && snc_sncfile_digest_read(there, out) == SNC_OK && strcmp(there, made) == 0) return SNC_OK;
    const snc_state state = snc_file_size(out) == 0 ? SNC_ABSENT : SNC_STALE;
    SNC_TRY(snc_stamp_allow(&current, o->output.path, state, "is another file", o->output.overwrite));
    return snc_executable_save(out, stub, file);
}

static snc_err put_net(const snc_options *o, const snc_sncfile *f, const char *out, const char *from)
{
    char draft[PATH + 8];
    SNC_TRY(snc_bundle_need_net(o->input.net, snc_sncfile_nets(f), from));
    snprintf(draft, sizeof draft, "%s.draft", out);
    snc_err err = snc_bundle_cut(draft, f, o->input.net);
    if (!err) err = put(o, out, draft);
    remove(draft);
    return err;
}

snc_err snc_exe_export(const snc_options *o, const char *file, const char *from)
{
    snc_sncfile *f = NULL;
    char out[PATH];
    SNC_TRY(snc_write_target(out, sizeof out, o->output.path));
    SNC_TRY(snc_sncfile_open(&f, file));
    snc_err err = check(f, from);
    if (!err) err = o->input.net >= 0 ? put_net(o, f, out, from) : put(o, out, file);
    snc_sncfile_close(f);
    return err;
}
