/* Whether what ran is what the recipe says: recipe_ran RECIPE SECTION INFO [KEY...], where INFO is what `compress info --json` prints of
 * the model that came of it, and a KEY was said otherwise by the command. Prints a line for each other key that ran with another value. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"

static bool listed(const char *key, char **except, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(key, except[i]) == 0) return true;
    return false;
}

static int compare(const cJSON *said, const cJSON *ran, char **except, int n)
{
    int other = 0, compared = 0;
    const cJSON *it;
    cJSON_ArrayForEach(it, said)
    {
        const cJSON *was = snc_json_at(ran, it->string);
        if (listed(it->string, except, n)) continue;
        compared++;
        if (cJSON_Compare(was, it, 1)) continue;
        char *a = cJSON_PrintUnformatted(it), *b = was ? cJSON_PrintUnformatted(was) : NULL;
        other += printf("%s: the recipe says %s, %s ran\n", it->string, a, b ? b : "nothing") > 0;
        cJSON_free(a);
        cJSON_free(b);
    }
    if (compared == 0) other += printf("%d keys compared\n", compared) > 0;
    return other;
}

int main(int argc, char **argv)
{
    cJSON *recipe = NULL, *info = NULL;
    if (argc < 4 || snc_json_load(&recipe, argv[1]) != SNC_OK || snc_json_load(&info, argv[3]) != SNC_OK) {
        fprintf(stderr, "recipe_ran: %s\n", argc < 4 ? "usage: recipe_ran RECIPE SECTION INFO [KEY...]" : snc_err_text());
        return 2;
    }
    const cJSON *ran = snc_json_at(snc_json_at(info, "meta"), "recipe"), *rows = snc_json_at(ran, argv[2]);
    int other = compare(snc_json_at(recipe, argv[2]), rows ? rows : ran, argv + 4, argc - 4);
    cJSON_Delete(recipe);
    cJSON_Delete(info);
    return other ? 1 : 0;
}
