#include "http/multipart.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

Suite *multipart_suite(void);

#define TYPE "multipart/form-data; boundary=XyZ"
#define DISPOSITION "Content-Disposition: form-data; name="

static struct arena arena;
static struct multipart form;

static void
setup(void)
{
	arena_init(&arena, 1000000);
}

static void
teardown(void)
{
	arena_release(&arena);
}

static enum err
parse(const char *type, const char *body)
{
	return multipart_parse(type, span_of(body), &arena, &form);
}

START_TEST(reads_a_file_and_a_field)
{
	const struct multipart_part *file, *user;

	ck_assert_int_eq(parse(TYPE,
	    "--XyZ\r\n" DISPOSITION "\"file\"; filename=\"a b.txt\"\r\n"
	    "Content-Type: text/plain\r\n\r\nline 1\r\n--XyZnot\r\n"
	    "\r\n--XyZ\r\n" DISPOSITION "user\r\n\r\nabc-123\r\n--XyZ--\r\n"),
	    ERR_SYNTAX); /* a line that begins with the boundary */
	ck_assert_int_eq(parse(TYPE,
	    "--XyZ\r\n" DISPOSITION "\"file\"; filename=\"a b.txt\"\r\n"
	    "Content-Type: text/plain\r\n\r\nline 1\r\n--Xy\r\n"
	    "\r\n--XyZ\r\n" DISPOSITION "user\r\n\r\nabc-123\r\n--XyZ--\r\n"),
	    ERR_NONE);
	ck_assert_uint_eq(form.n, 2);
	file = multipart_find(&form, "file");
	user = multipart_find(&form, "user");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(user);
	ck_assert(file->is_file);
	ck_assert(span_is(file->filename, "a b.txt"));
	ck_assert(span_is(file->content_type, "text/plain"));
	ck_assert(span_is(file->data, "line 1\r\n--Xy\r\n"));
	ck_assert(!user->is_file);
	ck_assert_ptr_null(user->content_type.data);
	ck_assert(span_is(user->data, "abc-123"));
	ck_assert_ptr_null(multipart_find(&form, "other"));
}
END_TEST

static const struct {
	const char *disposition, *name;
	bool is_file;
	const char *filename;
} dispositions[] = {
    {"form-data; name=\"a\"", "a", false, ""},
    {"form-data; name=a; filename=\"\"", "a", true, ""},
    {"form-data;name=\"a\";filename=\"b.txt\"", "a", true, "b.txt"},
    {"form-data; NAME=\"a\"; FileName=b.txt ", "a", true, "b.txt"},
    {"form-data; name=\"a\"; filename=\"x\\\"y.txt\"", "a", true,
	"x\"y.txt"},
    {"form-data; name=\"a\"; filename=\"C:\\new\\b.txt\"", "a", true,
	"C:\\new\\b.txt"},
    {"form-data; name=\"a\"; filename=\"a;b=c.txt\"", "a", true,
	"a;b=c.txt"},
    {"form-data; name=\"a\"; filename=\"x\"; filename*=UTF-8''%C3%A9.txt",
	"a", true, "\xc3\xa9.txt"},
    {"form-data; name=\"a\"; filename*=utf-8'en'b; filename=\"x\"", "a",
	true, "b"},
    {"form-data; filename=\"unterminated", "", true, "unterminated"},
    {"form-data", "", false, ""},
    {"", "", false, ""},
    {";;;=;", "", false, ""},
};

START_TEST(reads_a_disposition)
{
	char body[400] = "--XyZ\r\nContent-Disposition: ";
	const struct multipart_part *part = NULL;

	strncat(body, dispositions[_i].disposition, 200);
	strncat(body, "\r\n\r\nx\r\n--XyZ--", 20);
	ck_assert_int_eq(parse(TYPE, body), ERR_NONE);
	ck_assert_uint_eq(form.n, 1);
	part = &form.parts[0];
	ck_assert(span_is(part->name, dispositions[_i].name));
	ck_assert_int_eq(part->is_file, dispositions[_i].is_file);
	ck_assert(span_is(part->filename, dispositions[_i].filename));
}
END_TEST

static const struct {
	const char *type, *body;
	enum err err;
} forms[] = {
    {TYPE, "--XyZ--", ERR_NONE},
    {TYPE, "--XyZ--\r\nepilogue", ERR_NONE},
    {TYPE, "preamble\r\n--XyZ--\r\n", ERR_NONE},
    {TYPE, "--XyZ\r\n\r\nno headers\r\n--XyZ--", ERR_NONE},
    {TYPE, "--XyZ\r\nA: b\r\n\r\n\r\n--XyZ--", ERR_NONE},
    {TYPE, "--XyZ\r\nA: b\r\n\r\n--XyZ--", ERR_NONE},
    {TYPE, "--XyZ \t\r\nA: b\r\n\r\nx\r\n--XyZ--", ERR_NONE},
    {"multipart/form-data; boundary=\"X y\"", "--X y--", ERR_NONE},
    {"multipart/form-data; charset=x; Boundary=a", "--a--", ERR_NONE},
    {TYPE, "", ERR_SYNTAX},
    {TYPE, "--XyZ", ERR_SYNTAX},
    {TYPE, "--XyZ\r\n", ERR_SYNTAX},
    {TYPE, "--XyZ\r\nA: b\r\n", ERR_SYNTAX},
    {TYPE, "--XyZ\r\nA: b\r\n\r\nx", ERR_SYNTAX},
    {TYPE, "--XyZ\r\nA: b\r\n\r\nx\r\n--XyZ", ERR_SYNTAX},
    {TYPE, "--XyZ\nA: b\n\nx\n--XyZ--", ERR_SYNTAX},
    {TYPE, "nothing of the kind", ERR_SYNTAX},
    {"multipart/form-data", "--XyZ--", ERR_SYNTAX},
    {"multipart/form-data; boundary=", "----", ERR_SYNTAX},
    {"multipart/form-data; boundary=\"a\nb\"", "--a\nb--", ERR_SYNTAX},
    {"multipart/form-data; boundary=0123456789012345678901234567890123456"
     "789012345678901234567890123456789x",
	"x", ERR_SYNTAX},
};

START_TEST(forms_end_with_their_boundary)
{
	ck_assert_int_eq(parse(forms[_i].type, forms[_i].body),
	    forms[_i].err);
}
END_TEST

START_TEST(too_many_parts_or_too_long_headers_are_refused)
{
	struct buf { char text[20000]; } *b = calloc(1, sizeof(*b));
	int i;

	ck_assert_ptr_nonnull(b);
	for (i = 0; i < MULTIPART_PARTS_MAX + 1; i++)
		strncat(b->text, "--XyZ\r\n\r\nx\r\n", 100);
	strncat(b->text, "--XyZ--", 100);
	ck_assert_int_eq(parse(TYPE, b->text), ERR_TOO_BIG);
	ck_assert_int_eq(parse(TYPE, b->text + 12), ERR_NONE);
	ck_assert_uint_eq(form.n, MULTIPART_PARTS_MAX);
	memset(b->text, 'x', sizeof(b->text) - 1);
	memcpy(b->text, "--XyZ\r\n", 7);
	memcpy(b->text + 10000, "\r\n\r\ny\r\n--XyZ--", 15);
	ck_assert_int_eq(parse(TYPE, b->text), ERR_TOO_BIG);
	free(b);
}
END_TEST

START_TEST(bytes_of_any_kind_pass_through)
{
	char body[600] = "--XyZ\r\nA: b\r\n\r\n";
	size_t n = strlen(body), i;

	for (i = 0; i < 256; i++)
		body[n + i] = (char)i;
	memcpy(body + n + 256, "\r\n--XyZ--", 9);
	ck_assert_int_eq(multipart_parse(TYPE,
	    (struct span){body, n + 256 + 9}, &arena, &form), ERR_NONE);
	ck_assert_uint_eq(form.parts[0].data.len, 256);
	ck_assert_int_eq(memcmp(form.parts[0].data.data, body + n, 256), 0);
}
END_TEST

START_TEST(the_type_is_told)
{
	ck_assert(multipart_is(TYPE));
	ck_assert(multipart_is("Multipart/Form-Data"));
	ck_assert(!multipart_is("multipart/mixed; boundary=x"));
	ck_assert(!multipart_is(NULL));
}
END_TEST

Suite *
multipart_suite(void)
{
	Suite *s = suite_create("multipart");
	TCase *t = tcase_create("multipart");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, reads_a_file_and_a_field);
	tcase_add_loop_test(t, reads_a_disposition, 0,
	    (int)(sizeof(dispositions) / sizeof(dispositions[0])));
	tcase_add_loop_test(t, forms_end_with_their_boundary, 0,
	    (int)(sizeof(forms) / sizeof(forms[0])));
	tcase_add_test(t, too_many_parts_or_too_long_headers_are_refused);
	tcase_add_test(t, bytes_of_any_kind_pass_through);
	tcase_add_test(t, the_type_is_told);
	suite_add_tcase(s, t);
	return s;
}
