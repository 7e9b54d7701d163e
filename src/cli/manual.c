/* Manual pages in man(7)'s roff, of the tables of verbs and options. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/options.h"

enum { TEXT = 512 };

/* Text as roff reads it: backslashes and dashes escaped, no line that begins with a full stop or an apostrophe. */
static void put(const char *text, size_t n)
{
    int begins = 1;
    for (size_t i = 0; i < n; i++) {
        const char c = text[i];
        if (begins && (c == '.' || c == '\'')) fputs("\\&", stdout);
        if (c == '\\') fputs("\\e", stdout);
        else if (c == '-') fputs("\\-", stdout);
        else putchar(c);
        begins = c == '\n';
    }
}

static void put_text(const char *text) { put(text, strlen(text)); }

static void title(const char *name)
{
    fputs(".TH ", stdout);
    for (; *name; name++) putchar(toupper((unsigned char)*name));
    printf(" 1 \"\" \"%s %s\" \"User Commands\"\n", snc_args_name(), SNC_VERSION);
}

static void put_option(const snc_option *op)
{
    char text[TEXT];
    fputs(".TP\n", stdout);
    if (op->brief) {
        fputs("\\fB", stdout);
        put_text(op->brief);
        fputs("\\fR, ", stdout);
    }
    fputs("\\fB", stdout);
    put_text(op->name);
    fputs("\\fR", stdout);
    if (op->value) {
        fputs(" \\fI", stdout);
        put_text(op->value);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    snc_args_help_text(text, sizeof text, op);
    put_text(text);
    putchar('\n');
}

static void see_also(const snc_verb *but)
{
    int n;
    const snc_verb *v = snc_verb_table(&n);
    fputs(".SH SEE ALSO\n", stdout);
    if (but) printf(".BR %s (1)", snc_args_name());
    for (int i = 0; i < n && !but; i++) printf("%s.BR %s\\-%s (1)", i ? ",\n" : "", snc_args_name(), v[i].name);
    putchar('\n');
}

static void exit_status(void)
{
    fputs(".SH EXIT STATUS\n.TP\n.B 0\ndone; of a job, every target holds\n.TP\n.B 2\nbad input or a failure, told in one line\n.TP\n.B 3\n"
          "a target was missed: the nearest result is kept\n.TP\n.B 130\ninterrupted\n",
          stdout);
}

static void program_page(void)
{
    int n;
    const snc_verb *v = snc_verb_table(&n);
    const char *name = snc_args_name();
    title(name);
    printf(
        ".SH NAME\n%s \\- a pretrained BERT in, one fast INT8 classifier file out\n.SH SYNOPSIS\n.B %s\n.I VERB\n[OPTION ...]\n.SH VERBS\n",
        name, name);
    for (int i = 0; i < n; i++) {
        printf(".TP\n\\fB%s\\fR\n", v[i].name);
        put_text(v[i].summary);
        putchar('\n');
    }
    printf(
        ".PP\nEach has a page of its own, such as\n.BR %s\\-predict (1).\n.B %s help \\-\\-json\nprints verbs and options for programs.\n",
        name, name);
    exit_status();
    fputs(".SH ENVIRONMENT\n.TP\n.B SNC_ISA\nthe level of instructions, by itself the best that the machine has\n.TP\n.B SNC_CONFIG_DIR\n"
          "folders of tasks, recipes and spaces, parted by colons\n.TP\n.BR HF_HOME , HF_TOKEN , HF_ENDPOINT , HF_HUB_OFFLINE\nas the "
          "Hugging Face Hub's own\n",
          stdout);
    see_also(NULL);
}

static void verb_page(const snc_verb *verb)
{
    char name[64];
    int n;
    size_t bytes;
    snprintf(name, sizeof name, "%s-%s", snc_args_name(), verb->name);
    title(name);
    fputs(".SH NAME\n", stdout);
    put_text(name);
    fputs(" \\- ", stdout);
    put_text(verb->summary);
    fputs("\n.SH SYNOPSIS\n", stdout);
    put_text(snc_args_name());
    putchar(' ');
    put_text(verb->usage);
    putchar('\n');
    if (verb->detail) {
        fputs(".SH DESCRIPTION\n", stdout);
        put_text(verb->detail);
        putchar('\n');
    }
    fputs(".SH OPTIONS\n", stdout);
    const snc_option *row = snc_option_table(&n);
    for (int i = 0; i < n; i++)
        if (row[i].verbs & verb->bit) put_option(&row[i]);
    row = snc_args_everywhere(&n);
    for (int i = 0; i < n; i++) put_option(&row[i]);
    fputs(".SH EXAMPLES\n.nf\n", stdout);
    for (const char *at = verb->examples, *line; (line = snc_args_example(&bytes, &at));) {
        put_text(snc_args_name());
        putchar(' ');
        put(line, bytes);
        putchar('\n');
    }
    fputs(".fi\n", stdout);
    exit_status();
    see_also(verb);
}

void snc_args_manual(const snc_verb *verb)
{
    if (verb) verb_page(verb);
    else program_page();
}
