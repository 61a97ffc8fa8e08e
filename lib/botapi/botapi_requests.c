/* The tables; every rule of them is in contracts/chat.md 6.2 and 6.4. */
#include "botapi/botapi_requests.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))
#define PERIOD_DAYS_MAX 3660

/* ---- ChatMessage --------------------------------------------------------- */

/* In the order of enum chat_role. */
static const char *const role_values[] = {"system", "user", "assistant"};

static const struct v1_enumeration roles = {
    {"value is not a valid enumeration member; permitted: 'system', 'user', "
     "'assistant'",
        "type_error.enum",
        "{\"enum_values\":[\"system\",\"user\",\"assistant\"]}"},
    role_values,
    N(role_values),
};

static const struct field chat_turn_fields[] = {
    {FIELD(struct chat_turn, role, v1_enumeration), .required = true,
        .detail = &roles},
    {FIELD(struct chat_turn, content, v1_text), .required = true},
};

static const struct model chat_turn_model = {
    .dialect = &v1_dialect,
    .fields = chat_turn_fields,
    .n_fields = N(chat_turn_fields),
    .size = sizeof(struct chat_turn),
};

/* ---- ChatRequest --------------------------------------------------------- */

static const struct field chat_fields[] = {
    {FIELD(struct chat_request, bot_uid, v1_text), .null = true},
    {FIELD(struct chat_request, bot_slug, v1_text), .null = true},
    {FIELD(struct chat_request, prompt, v1_text), .null = true},
    {FIELD(struct chat_request, messages, v1_list), .null = true,
        .detail = &chat_turn_model},
    {FIELD(struct chat_request, stream, v1_boolean), .required = true},
    {FIELD(struct chat_request, user_id, v1_text), .null = true},
    {FIELD(struct chat_request, language, v1_text), .null = true},
    {FIELD(struct chat_request, assumptions, v1_mapping), .null = true},
    {FIELD(struct chat_request, max_words, v1_integer), .null = true},
    {FIELD(struct chat_request, use_search, v1_boolean), .null = true},
};

static bool
names_a_bot(const void *result)
{
	const struct chat_request *r = result;

	return r->bot_uid.len > 0 || r->bot_slug.len > 0;
}

static bool
asks_something(const void *result)
{
	const struct chat_request *r = result;

	return r->prompt.len > 0 || r->messages.n > 0;
}

static const struct whole_check chat_checks[] = {
    {names_a_bot,
        {"Either \"bot_uid\" or \"bot_slug\" is required", "value_error",
            NULL},
        "__root__", false},
    {asks_something,
        {"Either \"prompt\" or \"messages\" is required", "value_error",
            NULL},
        "__root__", false},
};

const struct model chat_request_model = {
    .dialect = &v1_dialect,
    .fields = chat_fields,
    .n_fields = N(chat_fields),
    .checks = chat_checks,
    .n_checks = N(chat_checks),
    .size = sizeof(struct chat_request),
};

/* ---- StatisticsRequest --------------------------------------------------- */

static const struct field_integer nobody = {true, -1, {"-1", 2}};

static const struct field statistics_fields[] = {
    {FIELD(struct statistics_request, user_id, v1_integer),
        .fallback = &nobody},
    {FIELD(struct statistics_request, start_date, v1_date), .required = true},
    {FIELD(struct statistics_request, end_date, v1_date), .required = true},
};

static bool
period_is_short(const void *result)
{
	const struct statistics_request *r = result;

	return r->end_date.day - r->start_date.day < PERIOD_DAYS_MAX;
}

static const struct whole_check statistics_checks[] = {
    {period_is_short,
        {"Period must not exceed 3660 days", "value_error", NULL},
        "__root__", true},
};

const struct model statistics_request_model = {
    .dialect = &v1_dialect,
    .fields = statistics_fields,
    .n_fields = N(statistics_fields),
    .checks = statistics_checks,
    .n_checks = N(statistics_checks),
    .size = sizeof(struct statistics_request),
};
