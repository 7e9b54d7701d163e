/* DIR.draft, renamed in the end. */
#include "interop/folder_out.h"

#include <stdio.h>
#include <string.h>

#include "base/fmap.h"

snc_err snc_folder_out_check(const char *path)
{
    SNC_CHECK(!snc_is_there(path) || snc_is_dir(path), SNC_E_ARG, "--output %s: a file, expected a folder to make", path);
    SNC_CHECK(!snc_is_there(path) || snc_dir_is_empty(path), SNC_E_ARG, "--output %s: the folder is not empty", path);
    return SNC_OK;
}

static void clear(const snc_folder_out *f)
{
    char path[SNC_FOLDER_PATH];
    for (int i = 0; f->file[i]; i++)
        if (snc_path_join(path, sizeof path, f->draft, f->file[i]) == SNC_OK) remove(path);
    for (int i = 0; f->folder[i]; i++)
        if (snc_path_join(path, sizeof path, f->draft, f->folder[i]) == SNC_OK) remove(path);
    remove(f->draft);
}

snc_err snc_folder_out_open(snc_folder_out *f, const char *path, const char *const *folder, const char *const *file)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    *f = (snc_folder_out){.folder = folder, .file = file};
    SNC_TRY(snc_folder_out_check(path));
    SNC_CHECK(n + 16 < SNC_FOLDER_PATH, SNC_E_ARG, "--output %.80s...: the path is too long", path);
    char named[SNC_FOLDER_PATH];
    snprintf(named, sizeof named, "%.*s", (int)n, path);
    SNC_TRY(snc_link_target(f->to, sizeof f->to - 16, named)); /* a link stays, and what it leads to is filled */
    snprintf(f->draft, sizeof f->draft, "%.*s.draft", (int)sizeof f->draft - 16, f->to);
    clear(f);
    if (snc_is_there(f->draft)) {
        snc_err err = snc_err_set(SNC_E_ARG, "%s: is in the way of the draft of %s", f->draft, path);
        f->draft[0] = 0;
        return err;
    }
    return snc_mkdir(f->draft);
}

snc_err snc_folder_out_mkdir(const snc_folder_out *f, const char *name)
{
    char path[SNC_FOLDER_PATH];
    SNC_TRY(snc_path_join(path, sizeof path, f->draft, name));
    return snc_mkdir(path);
}

snc_err snc_folder_out_path(char path[SNC_FOLDER_PATH], const snc_folder_out *f, const char *name)
{
    return snc_path_join(path, SNC_FOLDER_PATH, f->draft, name);
}

snc_err snc_folder_out_commit(snc_folder_out *f)
{
    SNC_TRY(snc_folder_out_check(f->to));
    if (snc_is_dir(f->to)) remove(f->to); /* an empty one */
    SNC_TRY(snc_file_move(f->to, f->draft));
    f->draft[0] = 0;
    return SNC_OK;
}

void snc_folder_out_dispose(snc_folder_out *f)
{
    if (f->draft[0]) clear(f);
}
