/* Program, zeros, file, tail. */
#include "interop/executable.h"

#include <stdint.h>

#include "base/fmap.h"
#include "base/place.h"

snc_err snc_executable_stub(char path[SNC_EXECUTABLE_PATH])
{
    SNC_CHECK(snc_place_find(path, SNC_EXECUTABLE_PATH, "libexec/snc/classify"), SNC_E_UNSUPPORTED,
              "built without the static program that carries a model (cmake/cjson.sh fetches what it needs)");
    return SNC_OK;
}

static snc_err put_zeros(snc_fout *f, size_t n)
{
    static const unsigned char zero[4096];
    for (size_t part; n > 0; n -= part) {
        part = n < sizeof zero ? n : sizeof zero;
        SNC_TRY(snc_fout_write(f, zero, part));
    }
    return SNC_OK;
}

static snc_err put_tail(snc_fout *f, uint64_t size)
{
    unsigned char tail[SNC_CARRIED_TAIL];
    for (int i = 0; i < 8; i++) {
        tail[i] = (unsigned char)(size >> 8 * i);
        tail[8 + i] = (unsigned char)SNC_CARRIED_MARK[i];
    }
    return snc_fout_write(f, tail, sizeof tail);
}

static snc_err put_all(snc_fout *f, const snc_fmap *stub, const snc_fmap *snc)
{
    SNC_TRY(snc_fout_write(f, stub->data, stub->size));
    SNC_TRY(put_zeros(f, -stub->size % SNC_CARRIED_ALIGN));
    SNC_TRY(snc_fout_write(f, snc->data, snc->size));
    SNC_TRY(put_tail(f, snc->size));
    return snc_fout_executable(f);
}

snc_err snc_executable_save(const char *path, const char *stub, const char *snc)
{
    snc_err err = SNC_OK;
    snc_fmap *program = NULL, *model = NULL;
    snc_fout *f = NULL;
    SNC_GOTO(snc_fmap_open(&program, stub));
    SNC_GOTO(snc_fmap_open(&model, snc));
    SNC_GOTO(snc_fout_open(&f, path));
    err = put_all(f, program, model);
    if (err) snc_fout_abort(f);
    else err = snc_fout_commit(f);
out:
    snc_fmap_close(model);
    snc_fmap_close(program);
    return err;
}

bool snc_executable_has(const char *path, const char *stub) { return snc_is_carrier(path) && snc_file_begins(path, stub); }
