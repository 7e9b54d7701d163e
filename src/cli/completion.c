/* What shells complete: verbs, the options of each, and values that have names; files where a value has none. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/options.h"

/* Named values of an option, without those in capitals, which stand for anything. */
static void put_words(const snc_option *op)
{
    const char *w;
    size_t n;
    bool any = false;
    for (int i = 0; (w = snc_option_word(&n, op, i)); i++) {
        if (isupper((unsigned char)*w)) continue;
        printf("%s%.*s", any ? " " : "", (int)n, w);
        any = true;
    }
}

static bool has_words(const snc_option *op)
{
    const char *w;
    size_t n;
    for (int i = 0; (w = snc_option_word(&n, op, i)); i++)
        if (!isupper((unsigned char)*w)) return true;
    return false;
}

/* Calls for each option that a verb takes. */
static void each(const snc_verb *v, void (*put)(const snc_verb *v, const snc_option *op))
{
    int n;
    const snc_option *row = snc_option_table(&n);
    for (int i = 0; i < n; i++)
        if (row[i].verbs & v->bit) put(v, &row[i]);
    row = snc_args_everywhere(&n);
    for (int i = 0; i < n; i++) put(v, &row[i]);
}

static void put_name(const snc_verb *v, const snc_option *op)
{
    (void)v;
    printf(" %s", op->name);
}

/* ---- bash --------------------------------------------------------------------------------------------------------------- */

static void bash_values(const snc_verb *v, const snc_option *op)
{
    if (!has_words(op)) return;
    printf("        %s:%s) words=\"", v->name, op->name);
    put_words(op);
    printf("\" ;;\n");
}

static void bash(const snc_verb *v, int n)
{
    printf("# compress: completion for bash; made by `compress help --completion bash`.\n"
           "_compress() {\n"
           "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} words=\"\"\n"
           "    COMPREPLY=()\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ] && [[ $current != -* ]]; then\n"
           "        COMPREPLY=($(compgen -W \"help");
    for (int i = 0; i < n; i++) printf(" %s", v[i].name);
    printf("\" -- \"$current\"))\n        return\n    fi\n    [[ $verb != -* ]] || verb=compress\n    case $verb:$before in\n");
    for (int i = 0; i < n; i++) each(&v[i], bash_values);
    printf("    esac\n    if [ -z \"$words\" ] && [[ $current == -* ]]; then\n        case $verb in\n");
    for (int i = 0; i < n; i++) {
        printf("        %s) words=\"", v[i].name);
        each(&v[i], put_name);
        printf("\" ;;\n");
    }
    printf("        esac\n    fi\n"
           "    if [ -n \"$words\" ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$current\")); else COMPREPLY=($(compgen -f -- "
           "\"$current\")); fi\n"
           "}\n"
           "complete -o filenames -F _compress compress snc\n");
}

/* ---- zsh ------------------------------------------------------------------------------------------------------------------ */

/* Help between brackets and quotes. */
static void put_help(const snc_option *op, const char *escape)
{
    for (const char *p = op->help; *p; p++) {
        if (*p == '\'') fputs("'\\''", stdout);
        else if (strchr(escape, *p)) printf("\\%c", *p);
        else putchar(*p);
    }
}

static void zsh_option(const snc_verb *v, const snc_option *op)
{
    (void)v;
    printf(" \\\n            '%s[", op->name);
    put_help(op, "[]:\\");
    printf("]");
    if (op->kind != SNC_OPTION_FLAG) {
        printf(":%s:", op->value ? op->value : "VALUE");
        if (has_words(op)) {
            printf("(");
            put_words(op);
            printf(")");
        } else {
            printf("_files");
        }
    }
    printf("'");
}

static void zsh(const snc_verb *v, int n)
{
    printf("#compdef compress snc\n# compress: completion for zsh; made by `compress help --completion zsh`.\n"
           "local -a verbs\nverbs=(help");
    for (int i = 0; i < n; i++) printf(" %s", v[i].name);
    printf(")\nif (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n    compadd -- $verbs\n    return\nfi\n"
           "local verb=$words[2]\n[[ $verb == -* ]] && verb=compress || { shift words; (( CURRENT-- )) }\ncase $verb in\n");
    for (int i = 0; i < n; i++) {
        printf("    %s)\n        _arguments", v[i].name);
        each(&v[i], zsh_option);
        printf(" \\\n            '*:file:_files' ;;\n");
    }
    printf("esac\n");
}

/* ---- fish ------------------------------------------------------------------------------------------------------------------ */

/* Between single quotes. */
static void put_fish(const char *text)
{
    for (; *text; text++) printf(strchr("'\\", *text) ? "\\%c" : "%c", *text);
}

static void fish_option(const snc_verb *v, const snc_option *op)
{
    printf("complete -c $program -n '__fish_seen_subcommand_from %s' -l %s", v->name, op->name + 2);
    if (op->brief && strlen(op->brief) == 2) printf(" -s %c", op->brief[1]);
    if (op->kind != SNC_OPTION_FLAG) printf(" -r");
    if (has_words(op)) {
        printf(" -f -a '");
        put_words(op);
        printf("'");
    }
    printf(" -d '");
    put_fish(op->help);
    printf("'\n");
}

static void fish(const snc_verb *v, int n)
{
    printf("# compress: completion for fish; made by `compress help --completion fish`.\nfor program in compress snc\n");
    for (int i = 0; i < n; i++) {
        printf("complete -c $program -n __fish_use_subcommand -f -a %s -d '", v[i].name);
        put_fish(v[i].summary);
        printf("'\n");
        each(&v[i], fish_option);
    }
    printf("end\n");
}

snc_err snc_args_completion(const char *shell)
{
    static const struct {
        const char *name;
        void (*print)(const snc_verb *v, int n);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    int n;
    const snc_verb *v = snc_verb_table(&n);
    for (size_t i = 0; shell && i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shell, shells[i].name) == 0) {
            shells[i].print(v, n);
            return SNC_OK;
        }
    return snc_err_set(SNC_E_ARG, "help --completion '%.40s': expected bash, zsh or fish", shell ? shell : "");
}
