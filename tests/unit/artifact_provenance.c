/* How a report came about: a command that gives the same options, and every option of the verb with what it was. */
#include <string.h>

#include "artifact/option.h"
#include "artifact/provenance.h"
#include "check.h"

static cJSON *made_of(const snc_options *o)
{
    cJSON *j = cJSON_CreateObject();
    assert_int_equal(snc_provenance_add(j, o, NULL, SNC_VERB_COMPRESS, "compress"), SNC_OK);
    return j;
}

static const cJSON *option(const cJSON *made, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(made, "options"), key);
}

static void the_command_has_what_was_given(void **state)
{
    (void)state;
    snc_options o = snc_options_defaults;
    cJSON *j = made_of(&o);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(j, "command")), "compress");
    cJSON_Delete(j);
    o.input.pretrained = "models/it's mine";
    o.targets.latency = "0.7x";
    o.search.space = "";
    o.training.lr = 1.0 / 3;
    o.training.epochs = 2;
    o.job.seed = 9007199254740991;
    o.exporting.trim_vocab = 1;
    o.targets.max_drop = 0;
    j = made_of(&o);
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(j, "command")),
        "compress --pretrained 'models/it'\\''s mine' --trim-vocab --target-latency 0.7x --max-drop 0 --seed 9007199254740991 "
        "--epochs 2 --lr 0.3333333333333333 --space ''");
    cJSON_Delete(j);
}

/* All that the verb takes, no more; what was not given is what --help says, never a sentinel. */
static void every_option_is_there(void **state)
{
    (void)state;
    snc_options o = snc_options_defaults;
    o.search.evals = 7;
    o.training.epochs = 3;
    o.job.fp = "f32";
    cJSON *j = made_of(&o);
    int n, taken = 0;
    const snc_option *row = snc_option_table(&n);
    for (; n--; row++) {
        const cJSON *v = option(j, row->name + 2);
        if (!snc_option_row(row->name, SNC_VERB_COMPRESS)) assert_null(v);
        if (!(row->verbs & SNC_VERB_COMPRESS)) continue;
        if (!v) fail_msg("%s is missing", row->name);
        else if (cJSON_IsNumber(v) && !(v->valuedouble >= row->min && v->valuedouble <= row->max))
            fail_msg("%s: %g", row->name, v->valuedouble);
        taken += v != NULL;
    }
    assert_int_equal(taken, cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(j, "options")));
    assert_int_equal(option(j, "evals")->valueint, 7);
    assert_true(option(j, "epochs")->valuedouble == 3);
    assert_string_equal(cJSON_GetStringValue(option(j, "batch")), "1");
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(j, "given");
    assert_int_equal(cJSON_GetArraySize(given), 3);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(given, 0)), "fp"); /* in the table's order */
    assert_string_equal(cJSON_GetStringValue(option(j, "seq-len")), "data");
    assert_string_equal(cJSON_GetStringValue(option(j, "searcher")), "linas");
    assert_string_equal(cJSON_GetStringValue(option(j, "fp")), "f32");
    assert_true(strcmp(cJSON_GetStringValue(option(j, "compute")), "auto") != 0);
    assert_true(cJSON_IsNull(option(j, "max-drop")) && cJSON_IsNull(option(j, "target-size")) && cJSON_IsFalse(option(j, "trim-vocab")));
    cJSON_Delete(j);
}

static void date_and_versions_are_there(void **state)
{
    (void)state;
    snc_options o = snc_options_defaults;
    cJSON *j = made_of(&o);
    const char *date = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(j, "date")), *form = "dddd-dd-ddTdd:dd:ddZ";
    assert_int_equal(strlen(date), strlen(form));
    for (int i = 0; form[i]; i++) assert_true(form[i] == 'd' ? date[i] >= '0' && date[i] <= '9' : date[i] == form[i]);
    static const char *const always[] = {"snc", "compiler", "cjson", "sqlite"};
    for (int i = 0; i < 4; i++)
        assert_true(
            strlen(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(j, "versions"), always[i]))) > 0);
    cJSON_Delete(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_has_what_was_given),
        cmocka_unit_test(every_option_is_there),
        cmocka_unit_test(date_and_versions_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
