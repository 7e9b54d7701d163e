/* tokenizer/intake_priv.h: a Hugging Face folder's tokenizer while it is read: what the readers of all kinds share.
 *
 *   lines   the vocabulary, a text a number: first the model's pieces (a JSON object of ids, a text file, or one by one), then those
 *           of added tokens that are no pieces of the model
 *   out     the flags that are being made, the blob "config"; "added" in it lists added tokens: {"content", "id" (absent where it is a
 *           piece of the model), "normalized", "single_word", "lstrip", "rstrip"}; "template" the special tokens around texts
 *
 * A kind's reader, once its pieces are there, says which roles (unk, cls, ...) there are by which names and keys, and asks for added
 * tokens and the template; special_priv.h makes a tokenizer of them again.
 */
#ifndef SNC_TOKENIZER_INTAKE_PRIV_H
#define SNC_TOKENIZER_INTAKE_PRIV_H

#include "base/mem.h"
#include "tokenizer/flags_priv.h"

enum { SNC_INTAKE_MAX_ID = 1 << 22, SNC_INTAKE_AROUND = 4 };

/* A special token by what it is for: its key in `out`, its name in the files, what it is where they are silent (NULL: absent). */
typedef struct snc_tok_role {
    const char *key, *name, *def;
} snc_tok_role;

typedef struct snc_intake {
    const snc_tok_folder *files;
    char where[1024];   /* path of the file being read, for messages */
    const char **lines; /* [n_lines] borrowed, NULL in a hole */
    size_t n_lines, lines_cap, n_pieces;
    char *text;                /* a vocabulary file, cut into lines */
    cJSON *out, *added;        /* `added` belongs to `out` */
    const snc_tok_role *roles; /* [n_roles] */
    int n_roles;
    bool own_tokens;                /* a .model's own special tokens are in place of special_tokens_map.json's additional ones */
    struct snc_intake_known *known; /* by text */
    snc_arena *arena;
} snc_intake;

/* Special tokens around one text or two, by name: first A last, first A between B last. */
typedef struct snc_tok_names {
    struct {
        const char *name[SNC_INTAKE_AROUND];
        int n;
    } first, between, last;
    int second_type;    /* of B and what is last after it */
    int between_second; /* of `between` so many at its end are of that type, too */
} snc_tok_names;

snc_err snc_intake__init(snc_intake *r, const snc_tok_folder *files, const snc_tok_role *roles, int n_roles) SNC_MUST_USE;
void snc_intake__dispose(snc_intake *r); /* also after a failed init */
snc_err snc_intake__no_memory(void) SNC_MUST_USE;
snc_err snc_intake__file(snc_intake *r, const char *name) SNC_MUST_USE; /* from now on messages name it */

/* ---- the vocabulary ---- */
snc_err snc_intake__piece(snc_intake *r, double id, const char *text) SNC_MUST_USE; /* of this number; borrowed */
snc_err snc_intake__pieces(snc_intake *r, const cJSON *vocab) SNC_MUST_USE;         /* {"piece": id} */
snc_err snc_intake__text(snc_intake *r) SNC_MUST_USE;                               /* one a line of the named file */
snc_err snc_intake__end(snc_intake *r) SNC_MUST_USE;                                /* these were all pieces of the model */
bool snc_intake__is_piece(const snc_intake *r, const char *text);
int32_t snc_intake__id(const snc_intake *r, const char *text); /* of a piece of the model, -1: none */
/* One line a number, as a blob. What holds a line break gets an empty line. */
snc_err snc_intake__lines(snc_tok_blob *out, const snc_intake *r) SNC_MUST_USE;

/* ---- special and added tokens ---- */
snc_err snc_intake__str(snc_intake *r, const char *key, const char *v) SNC_MUST_USE; /* out[key], whatever it was */
const char *snc_intake__content(const cJSON *v);                                     /* "[CLS]" or {"content": "[CLS]"}; NULL: neither */
/* The value of a role: tokenizer_config.json's, then special_tokens_map.json's; without added_tokens_decoder the other way round. */
const cJSON *snc_intake__role(const snc_intake *r, int i);
snc_err snc_intake__roles(snc_intake *r) SNC_MUST_USE; /* those that `out` has not yet, from the files or as they are by default */
/* "added_tokens" of tokenizer.json, or "added_tokens_decoder" of tokenizer_config.json: {"id": {...}}. */
snc_err snc_intake__added(snc_intake *r, const cJSON *list, bool ids_are_keys) SNC_MUST_USE;
/* What added_tokens.json adds where tokenizer_config.json has no added_tokens_decoder; tokens that are there stay as they are. */
snc_err snc_intake__legacy(snc_intake *r) SNC_MUST_USE;
/* What tokenizer_config.json adds: its list by id, or the one before; the roles (with `defaults` also those that no file names); further
 * special tokens. */
snc_err snc_intake__special(snc_intake *r, bool defaults) SNC_MUST_USE;
/* Of tokenizer.json's post_processor; without one, or with one of offsets alone, nothing stands around texts and *found is false.
 * SNC_E_UNSUPPORTED: a form that is not first A last, first A between B last. */
snc_err snc_intake__template(snc_tok_names *out, bool *found, const snc_intake *r) SNC_MUST_USE;
snc_err snc_intake__put_template(snc_intake *r, const snc_tok_names *names) SNC_MUST_USE; /* out["template"] */

#endif
