/* Which options of which verbs no command of the tests runs to the end: option_walk TABLE LOG..., where TABLE is what
 * `compress help --json` prints and a line of a LOG is an exit code and the arguments, TAB-separated (lib.bash). Prints a line
 * for each option, and for each named value of one, that is in no command with exit code 0 or 3. An option
 * that ends a run early, such as --dry-run, counts for itself alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { LINE = 1 << 16, ARGS = 512, CHOICES = 16 };

/* Values that are kinds of their own, beside the named ones of the table. One that begins with a '*' is what the value ends in. */
static const struct {
    const char *option, *values[CHOICES];
} choices[] = {
    {"--target-latency", {"*ms", "*us", "*x"}},
    {"--target-size", {"*MB", "*KB", "*x"}},
    {"--target-macs", {"*x"}},
    {"--time-budget", {"*s", "*m", "*h"}},
    {"--time-limit", {"*s", "*m", "*h"}},
    {"--seq-len", {"data"}},
    {"--hold-out", {"0", "1"}},
    {"--recipe", {"*.json"}},
    {"--searcher", {"*.json"}},
    {"--policy", {"*.json"}},
    {"--budget", {"*us", "*ms", "*s"}},
};
enum { CHOOSERS = sizeof choices / sizeof choices[0] };
static int seen[CHOOSERS][CHOICES];
static cJSON *named_seen; /* {"--backend auto": true, ...} */

static const char *text(const cJSON *j, const char *key)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(j, key));
    return s ? s : "";
}

/* "--max_length=8" is --max-length. */
static int same_name(const char *arg, const char *name)
{
    for (; *name; arg++, name++)
        if (*arg != *name && !(*arg == '_' && *name == '-')) return 0;
    return *arg == 0 || *arg == '=';
}

static cJSON *find_option(const cJSON *verb, const char *arg)
{
    cJSON *op;
    cJSON_ArrayForEach(op, cJSON_GetObjectItemCaseSensitive(verb, "options")) if (same_name(arg, text(op, "name")) ||
                                                                                  strcmp(arg, text(op, "brief")) == 0) return op;
    return NULL;
}

/* The table's names: each item of what may be a comma list counts, one that is none of them does no harm. */
static void mark_named(const char *option, const char *value)
{
    for (const char *p = value; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        char key[128];
        snprintf(key, sizeof key, "%s %.*s", option, (int)strcspn(p, ","), p);
        if (!cJSON_HasObjectItem(named_seen, key)) cJSON_AddTrueToObject(named_seen, key);
    }
}

static void mark_value(const char *option, const char *value)
{
    mark_named(option, value);
    for (int c = 0; c < CHOOSERS; c++)
        for (int k = 0; strcmp(choices[c].option, option) == 0 && choices[c].values[k]; k++)
            for (const char *p = value; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) { /* it may be a comma list */
                const char *want = choices[c].values[k];
                size_t n = strcspn(p, ","), m = strlen(want + (*want == '*'));
                if (*want == '*' ? n > m && strncmp(p + n - m, want + 1, m) == 0 : n == m && strncmp(p, want, n) == 0) seen[c][k] = 1;
            }
}

/* One command; args[0] is its verb or, without one, an option of the first verb. */
static void mark(const cJSON *table, char **args, int n)
{
    const cJSON *verb = cJSON_GetArrayItem(table, 0), *v;
    const char *alone = NULL;
    if (n == 0) return;
    cJSON_ArrayForEach(v, table) if (strcmp(args[0], text(v, "verb")) == 0) verb = v;
    for (int i = 0; i < n; i++) {
        static const char *const early[] = {"--dry-run", "--max-steps", "--export"};
        if (same_name(args[i], "--help") || strcmp(args[i], "-h") == 0) return;
        for (int k = 0; k < 3; k++)
            if (same_name(args[i], early[k])) alone = early[k];
    }
    for (int i = 0; i < n; i++) {
        cJSON *op = args[i][0] == '-' ? find_option(verb, args[i]) : NULL;
        if (!op) continue;
        const char *eq = strchr(args[i], '='), *value = strcmp(text(op, "kind"), "flag") == 0 ? NULL
                                                        : eq                                  ? eq + 1
                                                        : i + 1 < n                           ? args[++i]
                                                                                              : NULL;
        if (alone && strcmp(alone, text(op, "name")) != 0) continue;
        if (!cJSON_HasObjectItem(op, "seen")) cJSON_AddTrueToObject(op, "seen");
        if (value) mark_value(text(op, "name"), value);
    }
}

static int read_log(const cJSON *table, const char *path)
{
    static char line[LINE];
    FILE *f = fopen(path, "r");
    if (!f) return fprintf(stderr, "option_walk: %s: cannot read\n", path);
    while (fgets(line, sizeof line, f)) {
        char *args[ARGS], *rest = line;
        int n = 0;
        line[strcspn(line, "\n")] = 0;
        for (char *tab; n < ARGS && rest; rest = tab ? tab + 1 : NULL) {
            if ((tab = strchr(rest, '\t'))) *tab = 0;
            args[n++] = rest;
        }
        if (strcmp(args[0], "0") == 0 || strcmp(args[0], "3") == 0) mark(table, args + 1, n - 1);
    }
    fclose(f);
    return 0;
}

/* A value that the help of no verb names is a fault of the list above. */
static int named(const cJSON *table, const char *option, const char *value)
{
    const cJSON *v;
    if (*value == '*') value += strcmp(value, "*.json") == 0 ? 2 : 1;
    cJSON_ArrayForEach(v, table)
    {
        const cJSON *op = find_option(v, option);
        char both[512];
        snprintf(both, sizeof both, "%s %s", text(op, "value"), text(op, "help"));
        for (char *p = both; *p; p++)
            if (*p >= 'A' && *p <= 'Z' && strcmp(value, "json") == 0) *p = (char)(*p - 'A' + 'a');
        if (op && strstr(both, value)) return 1;
    }
    return 0;
}

/* The named values of an option that no verb was run with; one in capitals stands for any other. */
static int report_named(const cJSON *op)
{
    int missing = 0;
    const cJSON *value;
    cJSON_ArrayForEach(value, cJSON_GetObjectItemCaseSensitive(op, "values"))
    {
        char key[128];
        snprintf(key, sizeof key, "%s %s", text(op, "name"), value->valuestring);
        if (*value->valuestring >= 'A' && *value->valuestring <= 'Z') continue;
        if (cJSON_HasObjectItem(named_seen, key)) continue;
        missing += printf("%s\n", key) > 0;
        cJSON_AddTrueToObject(named_seen, key); /* said once */
    }
    return missing;
}

static int report(const cJSON *table)
{
    int missing = 0;
    const cJSON *v, *op;
    cJSON_ArrayForEach(v, table)
        cJSON_ArrayForEach(op, cJSON_GetObjectItemCaseSensitive(v, "options")) if (!cJSON_HasObjectItem(op, "seen")) missing +=
        printf("%s %s\n", text(v, "verb"), text(op, "name")) > 0;
    cJSON_ArrayForEach(v, table) cJSON_ArrayForEach(op, cJSON_GetObjectItemCaseSensitive(v, "options")) missing += report_named(op);
    for (int c = 0; c < CHOOSERS; c++)
        for (int k = 0; choices[c].values[k]; k++) {
            const char *option = choices[c].option, *value = choices[c].values[k];
            if (!seen[c][k]) missing += printf("%s %s\n", option, value) > 0;
            if (!named(table, option, value)) missing += printf("%s %s: its help does not name it\n", option, value) > 0;
        }
    return missing;
}

int main(int argc, char **argv)
{
    cJSON *table = NULL;
    if (argc < 2 || snc_json_load(&table, argv[1]) != SNC_OK || !cJSON_IsArray(table)) {
        fprintf(stderr, "option_walk: %s\n", argc < 2 ? "usage: option_walk TABLE LOG..." : snc_err_text());
        return 2;
    }
    named_seen = cJSON_CreateObject();
    for (int i = 2; i < argc; i++)
        if (read_log(table, argv[i])) return 2;
    int missing = report(table);
    cJSON_Delete(named_seen);
    cJSON_Delete(table);
    return missing ? 1 : 0;
}
