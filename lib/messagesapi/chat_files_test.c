#include "messagesapi/chat_files.h"

#include <check.h>

Suite *chat_files_suite(void);

#define MB (INT64_C(1024) * 1024)

static const struct {
	const char *name, *mime_type, *class;
	int64_t limit;
} rows[] = {
    {"a.png", "image/png", "image", 10 * MB},
    {"A.JPEG", "application/octet-stream", "image", 10 * MB},
    {"a", "image/x-unknown", "image", 10 * MB},
    {"a.mp3", "audio/mpeg", "audio", 50 * MB},
    {"a.mp4", "video/mp4", "video", 100 * MB},
    {"a.pdf", "application/pdf", "document", 15 * MB},
    {"notes", "text/plain", "document", 15 * MB},
    {"a.tar.gz", "application/gzip", "custom", 15 * MB},
    {"png", NULL, "custom", 15 * MB},
    {"a.", NULL, "custom", 15 * MB},
    {"", NULL, "custom", 15 * MB},
    {"a.p n", NULL, "custom", 15 * MB},
};

START_TEST(a_file_has_a_class_and_the_class_a_limit)
{
	const char *class = chat_file_class(span_of(rows[_i].name),
	    rows[_i].mime_type);

	ck_assert_str_eq(class, rows[_i].class);
	ck_assert_int_eq(chat_file_class_limit(class), rows[_i].limit);
}
END_TEST

Suite *
chat_files_suite(void)
{
	Suite *s = suite_create("chat_files");
	TCase *t = tcase_create("chat_files");

	tcase_add_loop_test(t, a_file_has_a_class_and_the_class_a_limit, 0,
	    (int)(sizeof(rows) / sizeof(rows[0])));
	suite_add_tcase(s, t);
	return s;
}
