/* Names are compared as they are, then without regard to case; the first way in which every class finds another wins. */
#include "artifact/class_names.h"

#include <string.h>

/* Case-blind for ASCII: "POSITIVE" in a config is "positive" in a task. */
static bool same_label(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        int x = *a >= 'A' && *a <= 'Z' ? *a + 32 : *a, y = *b >= 'A' && *b <= 'Z' ? *b + 32 : *b;
        if (x != y) return false;
    }
    return *a == *b;
}

static bool same_bytes(const char *a, const char *b) { return strcmp(a, b) == 0; }

/* Every class of the task is one of the model's, and no two are the same one. */
static bool match_by(bool (*same)(const char *, const char *), int *from, const char *const *labels, int classes, const snc_task *task)
{
    bool taken[SNC_MAX_CLASSES] = {false};
    for (int k = 0; k < classes; k++) {
        from[k] = -1;
        for (int j = 0; j < classes && from[k] < 0; j++)
            if (!taken[j] && same(labels[j], snc_task_label(task, k))) from[k] = j;
        if (from[k] < 0) return false;
        taken[from[k]] = true;
    }
    return true;
}

bool snc_class_names_match(int *from, const char *const *labels, int classes, const snc_task *task)
{
    return match_by(same_bytes, from, labels, classes, task) || match_by(same_label, from, labels, classes, task);
}

/* The first class that the other side has no name for; 0 where it has one for each. */
static int first_unknown(const char *const *labels, int classes, const snc_task *task, bool of_task)
{
    for (int k = 0; k < classes; k++) {
        int j = 0;
        while (j < classes && !same_label(labels[of_task ? j : k], snc_task_label(task, of_task ? k : j))) j++;
        if (j == classes) return k;
    }
    return 0;
}

void snc_class_names_warn(const snc_ctx *ctx, const char *path, const char *const *labels, int classes, const snc_task *task)
{
    int from[SNC_MAX_CLASSES];
    if (snc_task_regression(task) || (labels && snc_class_names_match(from, labels, classes, task))) return;
    if (labels)
        snc_log(ctx, SNC_LOG_WARN, "%s: its labels (%s, ...) are not the task's (%s, ...): taken in order", path,
                labels[first_unknown(labels, classes, task, false)], snc_task_label(task, first_unknown(labels, classes, task, true)));
    else
        snc_log(ctx, SNC_LOG_WARN, "%s: its classes have no names: taken in the order of the task's (%s, ...)", path,
                snc_task_label(task, 0));
}
