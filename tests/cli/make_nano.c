/* Makes what the command line tests work on. make_nano --reseal FILE puts the right digest into a .snc that a test changed in
 * place. make_nano FOLDER writes nano.snc (a nano BERT from a seed, without a head) and a
 * generated two-class task: sentences with more good words than bad ones are positive. */
#include <stdio.h>
#include <string.h>

#include "base/fmap.h"
#include "nano.h"
#include "reseal.h"

static const char *const neutral[] = {"the", "film", "is", "it", "was", "movie", "of", "very", "a", "i", "2", "9"};

static snc_err rows(const char *path, int n, uint64_t seed)
{
    snc_rng r;
    snc_fout *f = NULL;
    snc_rng_init(&r, seed, 11);
    SNC_TRY(snc_fout_open(&f, path));
    snc_err err = snc_fout_write(f, "sentence\tlabel\n", 15);
    for (int i = 0; i < n && !err; i++) {
        char line[512] = "";
        size_t at = 0;
        int words = 4 + (int)snc_rng_below(&r, 8), good = 0;
        for (int w = 0; w < words; w++) {
            int kind = (int)snc_rng_below(&r, 4);
            const char *word = kind == 0 ? "good" : kind == 1 ? "bad" : neutral[snc_rng_below(&r, 12)];
            good += kind == 0 ? 1 : kind == 1 ? -1 : 0;
            at += (size_t)snprintf(line + at, sizeof line - at, "%s%s", w ? " " : "", word);
        }
        if (good == 0) at += (size_t)snprintf(line + at, sizeof line - at, " good");
        at += (size_t)snprintf(line + at, sizeof line - at, "\t%s\n", good >= 0 ? "positive" : "negative");
        err = snc_fout_write(f, line, at);
    }
    if (err) {
        snc_fout_abort(f);
        return err;
    }
    return snc_fout_commit(f);
}

static snc_err make(const char *folder)
{
    static const char task[] = "{\"name\":\"nano\",\"files\":{\"train\":\"train.tsv\",\"dev\":\"dev.tsv\"},\"text_a\":\"sentence\",\"label\":\"label\","
                               "\"labels\":[\"negative\",\"positive\"],\"metrics\":[\"accuracy\"],\"max_length\":32}\n";
    char path[4096];
    snc_model *m = NULL;
    snc_err err = SNC_OK;
    SNC_GOTO(snc_mkdir(folder));
    SNC_GOTO(nano_model(&m, 5));
    SNC_GOTO(nano_assets(&m->tokenizer));
    m->has_head = false;
    SNC_GOTO(snc_path_join(path, sizeof path, folder, "nano.snc"));
    SNC_GOTO(snc_model_save(m, path));
    SNC_GOTO(snc_path_join(path, sizeof path, folder, "train.tsv"));
    SNC_GOTO(rows(path, 1200, 1));
    SNC_GOTO(snc_path_join(path, sizeof path, folder, "dev.tsv"));
    SNC_GOTO(rows(path, 200, 2));
    SNC_GOTO(snc_path_join(path, sizeof path, folder, "task.json"));
    SNC_GOTO(snc_file_write(path, task, sizeof task - 1));
out:
    snc_model_free(m);
    return err;
}

static snc_err reseal_file(const char *path)
{
    char *data = NULL;
    size_t n = 0;
    SNC_TRY(snc_file_read(&data, &n, path));
    snc_err err = reseal((unsigned char *)data, n) ? snc_file_write(path, data, n) : snc_err_set(SNC_E_FORMAT, "%s: has no digest", path);
    snc_free(data);
    return err;
}

int main(int argc, char **argv)
{
    bool again = argc == 3 && strcmp(argv[1], "--reseal") == 0;
    if (again ? reseal_file(argv[2]) == SNC_OK : argc == 2 && make(argv[1]) == SNC_OK) return 0;
    fprintf(stderr, "make_nano: %s\n", again || argc == 2 ? snc_err_text() : "usage: make_nano FOLDER | --reseal FILE");
    return 2;
}
