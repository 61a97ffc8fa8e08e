#include "events/chat_events.h"

#include <check.h>
#include <string.h>

Suite *chat_events_suite(void);

static const struct chat_ids ids = {
    .task_id = "d1a5c0de-0000-4000-8000-000000000001",
    .message_id = "d1a5c0de-0000-4000-8000-000000000002",
    .conversation_id = "d1a5c0de-0000-4000-8000-000000000003",
    .created_at = 1700000000,
};

/* The event that needs no memory is the one that is built with some. */
START_TEST(broken_is_an_error)
{
	struct chat_fault f = chat_fault_of(FAULT_INTERNAL, NULL, true);
	struct buf built = BUF_INIT(4096);
	char event[CHAT_EVENT_BROKEN_MAX];

	chat_event_error(&built, &ids, f.status, f.code, f.message);
	chat_event_broken(event, &ids);
	ck_assert_str_eq(event, buf_text(&built));
	ck_assert_uint_lt(strlen(event), sizeof(event) - 40);
	buf_release(&built);
}
END_TEST

START_TEST(a_citation_names_where_its_document_is)
{
	static const struct passage p = {.dataset_id = "d",
	    .document_name = "a", .document_url = "https://my.site/a%20b"};
	struct buf out = BUF_INIT(4096);

	chat_resources_json(&out, &p, 1);
	ck_assert_ptr_nonnull(strstr(buf_text(&out),
	    "\"url\":\"https://my.site/a%20b\""));
	buf_release(&out);
}
END_TEST

Suite *
chat_events_suite(void)
{
	Suite *suite = suite_create("chat_events");
	TCase *tc = tcase_create("memory");

	tcase_add_test(tc, broken_is_an_error);
	tcase_add_test(tc, a_citation_names_where_its_document_is);
	suite_add_tcase(suite, tc);
	return suite;
}
