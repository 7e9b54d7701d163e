/* What the live page is told: JSON of any text, a front that is one, bounded memory, and a reader beside the writer. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "files.h"
#include "report/watched.h"

static snc_watched *watched(const char *verb)
{
    snc_watched *w;
    assert_ok(snc_watched_new(&w, verb));
    return w;
}

static cJSON *read_json(snc_watched *w)
{
    snc_textbuf d = {0};
    cJSON *j;
    snc_watched_json(&d, w);
    assert_ok(d.err);
    assert_ok(snc_json_parse(&j, d.p, d.n, "status")); /* strict: one value, and UTF-8 */
    snc_free(d.p);
    return j;
}

static void what_is_not_known_is_null(void **state)
{
    (void)state;
    snc_watched *w = watched("search");
    cJSON *j = read_json(w);
    assert_string_equal(snc_json_text(j, "verb"), "search");
    assert_true(cJSON_IsNull(snc_json_at(j, "ended")) && cJSON_IsNull(snc_json_at(j, "stage")) && cJSON_IsNull(snc_json_at(j, "search")));
    assert_int_equal(cJSON_GetArraySize(snc_json_at(j, "log")), 0);
    cJSON_Delete(j);
    snc_watched_status(w, &(snc_status){"latency table", "", 3, 12, (double)NAN, (double)INFINITY, 1, 15, 0.25, 60});
    j = read_json(w);
    const cJSON *s = snc_json_at(j, "stage");
    assert_string_equal(snc_json_text(s, "name"), "latency table");
    assert_true(snc_json_number(s, "done") == 3 && snc_json_number(s, "total") == 12 && snc_json_number(s, "share") == 0.25);
    assert_true(snc_json_number(s, "part") == 1 && snc_json_number(s, "parts") == 15 && snc_json_number(s, "all_left_s") == 60);
    assert_true(cJSON_IsNull(snc_json_at(s, "per_second")) && cJSON_IsNull(snc_json_at(s, "left_s")));
    cJSON_Delete(j);
    snc_watched_end(w, 2, "none.snc: no such file");
    j = read_json(w);
    assert_true(snc_json_number(snc_json_at(j, "ended"), "exit_code") == 2);
    assert_string_equal(snc_json_text(snc_json_at(j, "ended"), "text"), "none.snc: no such file");
    cJSON_Delete(j);
    snc_watched_free(w);
}

static void any_text_is_kept_and_the_last_lines_stay(void **state)
{
    (void)state;
    static const char *const texts[] = {"<b>\"bold\"</b> & \\ \x01 \n", "caf\xc3\xa9 \xff", ""}, *const kept[] = {
                                                                                                     "<b>\"bold\"</b> & \\ \x01 \n",
                                                                                                     "caf\xc3\xa9 ?", ""};
    char longer[3000];
    snc_watched *w = watched("finetune");
    for (int i = 0; i < 3; i++) snc_watched_line(w, "info", texts[i]);
    memset(longer, 'x', sizeof longer);
    memcpy(longer + 1022, "\xc3\xa9", 2); /* of which half would fit */
    longer[sizeof longer - 1] = 0;
    snc_watched_line(w, "warning", longer);
    cJSON *j = read_json(w);
    const cJSON *log = snc_json_at(j, "log");
    for (int i = 0; i < 3; i++) assert_string_equal(snc_json_text(cJSON_GetArrayItem(log, i), "line"), kept[i]);
    assert_int_equal(strlen(snc_json_text(cJSON_GetArrayItem(log, 3), "line")), 1022);
    assert_string_equal(snc_json_text(cJSON_GetArrayItem(log, 3), "level"), "warning");
    cJSON_Delete(j);
    for (int i = 4; i < 1234; i++) {
        snprintf(longer, sizeof longer, "line %d", i + 1);
        snc_watched_line(w, "info", longer);
    }
    j = read_json(w);
    log = snc_json_at(j, "log");
    assert_int_equal(cJSON_GetArraySize(log), SNC_WATCHED_LINES);
    for (int i = 0; i < SNC_WATCHED_LINES; i++) {
        const cJSON *l = cJSON_GetArrayItem(log, i);
        snprintf(longer, sizeof longer, "line %d", 1234 - SNC_WATCHED_LINES + i + 1);
        assert_string_equal(snc_json_text(l, "line"), longer);
        assert_true(snc_json_number(l, "id") == 1234 - SNC_WATCHED_LINES + i + 1);
    }
    cJSON_Delete(j);
    snc_watched_free(w);
}

static bool has(const cJSON *list, int id)
{
    const cJSON *p;
    cJSON_ArrayForEach(p, list) if (cJSON_GetArrayItem(p, 0)->valuedouble == id) return true;
    return false;
}

static void evaluate(snc_watched *w, const char *objectives, int id, double loss, double score, double us, double bytes)
{
    snc_watched_evaluation(w, &(snc_evaluation){id, objectives, loss, score, us, bytes, (double)NAN});
}

static void the_front_is_of_the_search_s_own_objectives(void **state)
{
    (void)state;
    snc_watched *w = watched("search");
    evaluate(w, "loss,latency", 1, 0.5, 0.7, 100, 5e6);
    evaluate(w, "loss,latency", 2, 0.4, 0.7, 200, 5e6);
    evaluate(w, "loss,latency", 3, 0.6, 0.9, 150, 1e6);                /* beaten by 1, but for what is not asked for */
    evaluate(w, "loss,latency", 4, (double)NAN, (double)NAN, 10, 1e6); /* counted alone */
    evaluate(w, "loss,latency", 5, 0.3, 0.7, 200, 5e6);                /* beats 2 */
    cJSON *j = read_json(w);
    const cJSON *s = snc_json_at(j, "search"), *front = snc_json_at(s, "front"), *others = snc_json_at(s, "others");
    assert_true(snc_json_number(s, "evaluations") == 5);
    assert_string_equal(cJSON_GetArrayItem(snc_json_at(s, "objectives"), 1)->valuestring, "latency");
    assert_true(cJSON_GetArraySize(front) == 2 && has(front, 1) && has(front, 5));
    assert_true(cJSON_GetArraySize(others) == 2 && has(others, 2) && has(others, 3));
    const cJSON *first = cJSON_GetArrayItem(front, 0);
    assert_true(cJSON_GetArraySize(first) == 3 && cJSON_GetArrayItem(first, 1)->valuedouble == 0.5);
    assert_true(cJSON_GetArrayItem(first, 2)->valuedouble == 100);
    cJSON_Delete(j);
    /* Another search begins with 1; more of a score is better. */
    evaluate(w, "score,latency,size", 1, 0.5, 0.7, 100, 5e6);
    evaluate(w, "score,latency,size", 2, 0.4, 0.8, 100, 5e6);
    evaluate(w, "score,latency,size", 3, 0.9, 0.6, 150, 1e6);
    j = read_json(w);
    s = snc_json_at(j, "search");
    front = snc_json_at(s, "front");
    assert_true(snc_json_number(s, "evaluations") == 3 && cJSON_GetArraySize(front) == 2 && has(front, 2) && has(front, 3));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetArrayItem(front, 0)), 4);
    cJSON_Delete(j);
    snc_watched_free(w);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    snc_watched *w = watched("search");
    for (int i = 1; i <= MANY; i++) evaluate(w, "loss,latency", i, MANY - i, 0, i, 1); /* all on the front */
    cJSON *j = read_json(w);
    const cJSON *s = snc_json_at(j, "search");
    assert_true(snc_json_number(s, "evaluations") == MANY);
    assert_int_equal(cJSON_GetArraySize(snc_json_at(s, "front")), SNC_WATCHED_FRONT);
    assert_int_equal(cJSON_GetArraySize(snc_json_at(s, "others")), SNC_WATCHED_OTHERS);
    assert_true(has(snc_json_at(s, "front"), MANY) && has(snc_json_at(s, "front"), MANY - SNC_WATCHED_FRONT + 1));
    assert_true(has(snc_json_at(s, "others"), MANY - SNC_WATCHED_FRONT));
    cJSON_Delete(j);
    snc_watched_free(w);
}

enum { ROUNDS = 2000 };

static void *tell(void *user)
{
    for (int i = 1; i <= ROUNDS; i++) {
        char note[32];
        snprintf(note, sizeof note, "%d", i);
        snc_watched_status(user, &(snc_status){"search", note, i, ROUNDS, 1, 1, 0, 0, (double)NAN, (double)NAN});
        evaluate(user, "loss,latency", i, 1.0 / i, 0, i, 1);
        snc_watched_line(user, "info", note);
    }
    return NULL;
}

/* Whoever reads sees each thing whole: a status with the note of its number, evaluations that are all there. */
static void a_reader_stands_beside_the_writer(void **state)
{
    (void)state;
    snc_watched *w = watched("search");
    pthread_t writer;
    double seen = 0;
    assert_int_equal(pthread_create(&writer, NULL, tell, w), 0);
    while (seen < ROUNDS) {
        cJSON *j = read_json(w);
        const cJSON *s = snc_json_at(j, "stage"), *found = snc_json_at(j, "search");
        char note[32] = "";
        if (!cJSON_IsNull(s)) {
            const double done = snc_json_number(s, "done");
            snprintf(note, sizeof note, "%.0f", done);
            assert_string_equal(snc_json_text(s, "note"), note);
            assert_true(done >= seen);
        }
        if (!cJSON_IsNull(found)) {
            seen = snc_json_number(found, "evaluations");
            const int points = cJSON_GetArraySize(snc_json_at(found, "front")) + cJSON_GetArraySize(snc_json_at(found, "others"));
            assert_true(points == (int)seen);
        }
        cJSON_Delete(j);
    }
    pthread_join(writer, NULL);
    snc_watched_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(any_text_is_kept_and_the_last_lines_stay),
        cmocka_unit_test(the_front_is_of_the_search_s_own_objectives),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(a_reader_stands_beside_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
