/* A backslash before each character of ASCII that would be markup where it stands. */
#include "report/markdown.h"

#include <ctype.h>
#include <string.h>

/* Within a word "_" is one. */
static int is_markup(const char *text, const char *c)
{
    if (*c == '_') return c == text || !isalnum((unsigned char)c[-1]) || !isalnum((unsigned char)c[1]);
    return strchr("\\`*<[]|~&", *c) != NULL;
}

void snc_md_text(snc_textbuf *t, const char *text)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ') snc_textbuf_put(t, " ");
        else snc_textbuf_put(t, is_markup(text, c) ? "\\%c" : "%c", *c);
}

static size_t longest_fence(const char *text)
{
    size_t most = 0;
    for (const char *c = text; *c; c += *c != 0) {
        const size_t n = strspn(c, "`");
        most = n > most ? n : most;
        c += n;
    }
    return most;
}

static void put_fence(snc_textbuf *t, size_t n)
{
    while (n--) snc_textbuf_put(t, "`");
}

void snc_md_code(snc_textbuf *t, const char *text)
{
    const size_t fence = longest_fence(text) + 1;
    const char *space = *text == 0 || *text == '`' || text[strlen(text) - 1] == '`' ? " " : "";
    put_fence(t, fence);
    snc_textbuf_put(t, "%s", space);
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ') snc_textbuf_put(t, " ");
        else snc_textbuf_put(t, *c == '|' ? "\\%c" : "%c", *c);
    snc_textbuf_put(t, "%s", space);
    put_fence(t, fence);
}

void snc_md_block(snc_textbuf *t, const char *info, const char *text)
{
    const size_t n = strlen(text), longest = longest_fence(text), fence = longest < 3 ? 3 : longest + 1;
    put_fence(t, fence);
    snc_textbuf_put(t, "%s\n", info);
    snc_textbuf_text(t, text);
    if (n && text[n - 1] != '\n') snc_textbuf_put(t, "\n");
    put_fence(t, fence);
    snc_textbuf_put(t, "\n");
}

void snc_md_pairs(snc_textbuf *t, const char *key, const char *value, const cJSON *object)
{
    const cJSON *it;
    if (!object || !object->child) return;
    snc_textbuf_put(t, "| %s | %s |\n|---|---|\n", key, value);
    cJSON_ArrayForEach(it, object)
    {
        char *json = cJSON_IsString(it) ? NULL : cJSON_PrintUnformatted(it);
        snc_textbuf_put(t, "| ");
        snc_md_text(t, it->string);
        snc_textbuf_put(t, " | ");
        if (cJSON_IsString(it)) snc_md_text(t, it->valuestring);
        else if (cJSON_IsNull(it) || !json) snc_textbuf_put(t, "-");
        else if (it->child) snc_md_code(t, json);
        else snc_md_text(t, json);
        snc_textbuf_put(t, " |\n");
        cJSON_free(json);
    }
}
