/* One split of the options, put as Markdown and as HTML. */
#include "report/made.h"

#include <string.h>

#include "report/markdown.h"

static const char *word(const cJSON *made, const char *key)
{
    const char *s = snc_json_text(made, key);
    return s ? s : "";
}

static bool is_given(const cJSON *made, const char *option)
{
    const cJSON *it;
    cJSON_ArrayForEach(it, snc_json_at(made, "given")) if (cJSON_IsString(it) && strcmp(it->valuestring, option) == 0) return true;
    return false;
}

/* Those that were given, or the others. Freed with cJSON_Delete. */
static cJSON *options_of(const cJSON *made, bool given)
{
    const cJSON *it;
    cJSON *j = cJSON_CreateObject();
    cJSON_ArrayForEach(it, snc_json_at(made, "options")) if (is_given(made, it->string) == given)
        cJSON_AddItemToObject(j, it->string, cJSON_Duplicate(it, 1));
    return j;
}

void snc_made_md(snc_textbuf *t, const cJSON *made)
{
    if (!snc_json_at(made, "command")) return;
    cJSON *given = options_of(made, true), *others = options_of(made, false);
    snc_textbuf_put(t, "\n## Command and options\n\nMade %s by\n\n", word(made, "date"));
    snc_md_block(t, "sh", word(made, "command"));
    snc_textbuf_put(t, "\nGiven, by the command or its recipe:\n\n");
    snc_md_pairs(t, "option", "value", given);
    snc_textbuf_put(t, "\nAll others, and what their defaults came to:\n\n");
    snc_md_pairs(t, "option", "value", others);
    cJSON_Delete(given);
    cJSON_Delete(others);
}

void snc_made_html_list(snc_textbuf *t, const cJSON *list)
{
    const cJSON *it;
    snc_textbuf_put(t, "<dl>\n");
    cJSON_ArrayForEach(it, list)
    {
        char *text = cJSON_IsString(it) ? NULL : cJSON_PrintUnformatted(it);
        snc_textbuf_put(t, "<dt>");
        snc_textbuf_html(t, it->string);
        snc_textbuf_put(t, "</dt><dd>");
        snc_textbuf_html(t, cJSON_IsNull(it) ? "-" : cJSON_IsString(it) ? it->valuestring : text);
        snc_textbuf_put(t, "</dd>\n");
        cJSON_free(text);
    }
    snc_textbuf_put(t, "</dl>\n");
}

void snc_made_html(snc_textbuf *t, const cJSON *made)
{
    if (!snc_json_at(made, "command")) return;
    cJSON *given = options_of(made, true), *others = options_of(made, false);
    snc_textbuf_put(t, "<h2>Command and options</h2><pre>");
    snc_textbuf_html(t, word(made, "command"));
    snc_textbuf_put(t, "</pre><p class=\"soft\">");
    snc_textbuf_html(t, word(made, "date"));
    snc_textbuf_put(t, "</p>\n<h3>Given, by the command or its recipe</h3>");
    snc_made_html_list(t, given);
    snc_textbuf_put(t, "<details><summary>All others, and what their defaults came to</summary>");
    snc_made_html_list(t, others);
    snc_textbuf_put(t, "</details>\n");
    cJSON_Delete(given);
    cJSON_Delete(others);
}
