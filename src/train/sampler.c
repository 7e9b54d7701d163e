/* The registry of path samplers, and what is the same for all of them. */
#include "train/sampler.h"

#include <assert.h>

#include "base/mem.h"
#include "base/names.h"
#include "models/config.h"

/* A new sampler is a file that defines snc_sampler_NAME, and its NAME here. */
/* clang-format off */
#define SAMPLERS(X) \
    X(sandwich) \
    X(instatune) \
    X(near) \
    X(uniform) \
    X(fair) \
    X(target) \
    X(subbatch) \
    X(stages) \
    X(pss) \
    X(shift) \
    X(pada) \
    X(mcts) \
    X(full)
/* clang-format on */

#define DECLARE(name) extern const snc_sampler_kind snc_sampler_##name;
#define ROW(name)     &snc_sampler_##name,
SAMPLERS(DECLARE)
static const snc_sampler_kind *const registry[] = {SAMPLERS(ROW)};
enum { KINDS = sizeof registry / sizeof registry[0] };

struct snc_sampler {
    const snc_sampler_kind *kind;
    void *state;
    const snc_space *space;
    int random;
};

const char *snc_sampler_name(int i) { return i >= 0 && i < KINDS ? registry[i]->name : NULL; }

snc_err snc_sampler_find(const snc_sampler_kind **out, const char *name)
{
    char expected[256];
    int i = name ? snc_names_find(snc_sampler_name, name) : 0;
    snc_names_expected(expected, sizeof expected, snc_sampler_name, name ? name : "", "one");
    SNC_CHECK(i >= 0, SNC_E_ARG, "path sampler '%s': %s", name, expected);
    *out = registry[i];
    return SNC_OK;
}

double snc_sampler_cost(const snc_sampler_kind *kind, const snc_sampler_opts *o)
{
    const double one = kind->random_cost > 0 ? kind->random_cost : o->near + kind->random_cost;
    return kind->largest_alone ? 1 : !kind->no_largest + (kind->parts ? 1 : o->random) * one;
}

snc_err snc_sampler_check(const snc_sampler_kind *kind, int random, bool in_place)
{
    SNC_CHECK(random >= 0 && random <= SNC_SAMPLER_MAX - 2, SNC_E_ARG, "%d random nets: expected 0 to %d", random, SNC_SAMPLER_MAX - 2);
    SNC_CHECK(!kind->no_largest || random >= 1, SNC_E_ARG, "0 random nets: the path sampler '%s' draws no other", kind->name);
    SNC_CHECK(!kind->no_largest || !in_place, SNC_E_ARG, "in-place teacher: the path sampler '%s' draws no largest net to learn from",
              kind->name);
    return SNC_OK;
}

snc_err snc_sampler_create(snc_sampler **out, const snc_sampler_kind *kind, const snc_space *s, const snc_sampler_opts *o)
{
    assert(o->random >= 0 && o->random <= SNC_SAMPLER_MAX - 2);
    assert(!kind->create == !kind->destroy && (kind->create || !kind->block));
    SNC_TRY(snc_alloc(out, 1, sizeof **out));
    **out = (snc_sampler){.kind = kind, .space = s, .random = o->random};
    snc_err err = kind->create ? kind->create(&(*out)->state, s, o) : SNC_OK;
    if (err) {
        snc_free(*out);
        *out = NULL;
    }
    return err;
}

void snc_sampler_free(snc_sampler *s)
{
    if (!s) return;
    if (s->kind->destroy) s->kind->destroy(s->state);
    snc_free(s);
}

static snc_sampler_at at(const snc_sampler *s, double done)
{
    return (snc_sampler_at){.space = s->space, .random = s->random, .done = done};
}

int snc_sampler_draw(snc_arch *nets, const snc_sampler *s, double done, snc_rng *rng)
{
    const snc_sampler_at here = at(s, done);
    int n = s->kind->draw(nets, s->state, &here, rng);
    assert(n >= 1 && n <= s->random + 2);
    for (int i = 0; i < n; i++) assert(snc_cfg_of_arch(&(snc_cfg){{0}}, s->space, &nets[i]));
    return n;
}

void snc_sampler_tell(snc_sampler *s, double done, const snc_sampler_seen *seen)
{
    const snc_sampler_at here = at(s, done);
    if (s->kind->tell) s->kind->tell(s->state, &here, seen);
}

bool snc_sampler_say(char *buf, size_t size, const snc_sampler *s)
{
    if (!s->kind->say) return false;
    s->kind->say(buf, size, s->state);
    return true;
}

snc_block snc_sampler_block(snc_sampler *s) { return s->kind->block ? s->kind->block(s->state) : (snc_block){0}; }

int snc_sampler_fill(snc_arch *nets, int n, const snc_space *s, int random, snc_rng *rng)
{
    for (int i = 0; i < random; i++) snc_space_random(&nets[n++], s, rng);
    return n;
}
