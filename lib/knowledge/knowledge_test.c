#include "knowledge/knowledge.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/uuid.h"
#include "config/config_file.h"
#include "index/index_store.h"
#include "index/update.h"

/* A deployment in a temporary folder, with one bot and one knowledge. */
struct place {
	char folder[64];
	struct config *config;
	struct arena arena;
	struct passage *passages;
	size_t n;
};

static void
put(const struct place *p, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/texts/%s", p->folder, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void
remove_text(const struct place *p, const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/texts/%s", p->folder, name);
	ck_assert_int_eq(unlink(path), 0);
}

static void
start(struct place *p)
{
	struct buf faults = BUF_INIT(10000);
	char path[256];
	FILE *f;

	*p = (struct place){.folder = "/tmp/parlance-knowledge-XXXXXX"};
	ck_assert_ptr_nonnull(mkdtemp(p->folder));
	(void)snprintf(path, sizeof(path), "%s/texts", p->folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/state", p->folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/parlance.conf", p->folder);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs("[server]\nstate = state\n[bot b]\nname = B\n"
		    "knowledge = texts\n[knowledge texts]\nfolder = texts\n"
		    "title = Texts\ncheck_seconds = 0\nmax_file = 100000\n"
		    "url = https://my.site/texts\n"
		    "id = 101b4c97-fc2e-463c-90b1-5261a4cdcafb\n", f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_msg(config_read(path, &p->config, &faults) == ERR_NONE,
	    "%s", buf_text(&faults));
	arena_init(&p->arena, (size_t)32 << 20);
	put(p, "paying.md", "# Taxes\n\n## How to pay\n\nPay taxes by "
			    "transfer before the fifteenth of April.\n");
	put(p, "iPhone List.csv", "\"Model\",\"Battery\"\n"
	    "\"iPhone 13\",\"3240 mAh\"\n\"iPhone 13 Pro\",\"3095 mAh\"\n");
}

static void
stop(struct place *p)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", p->folder);
	ck_assert_int_eq(system(command), 0);
	config_free(p->config);
	arena_release(&p->arena);
}

/* The content of the best passage, "" when there is none. */
static const char *
ask(struct place *p, const char *question)
{
	ck_assert_int_eq(knowledge_search(p->config, &p->config->bots[0],
			     span_of(question), NULL, 0, 4, &p->arena,
			     &p->passages, &p->n), ERR_NONE);
	return p->n == 0 ? "" : p->passages[0].content.data;
}

#define ROW_13 "\"Model\",\"Battery\"\n\"iPhone 13\",\"3240 mAh\""

START_TEST(the_first_search_makes_the_index)
{
	struct place p;
	const struct passage *best;

	start(&p);
	ck_assert_str_eq(ask(&p, "battery of the iPhone 13"), ROW_13);
	best = &p.passages[0];
	ck_assert_str_eq(best->document_name, "iPhone List");
	ck_assert_str_eq(best->dataset_name, "Texts");
	ck_assert_str_eq(best->dataset_id,
	    "101b4c97-fc2e-463c-90b1-5261a4cdcafb");
	ck_assert(uuid_is_hyphenated(span_of(best->segment_id)));
	ck_assert(uuid_is_hyphenated(span_of(best->document_id)));
	ck_assert(best->is_row);
	ck_assert_int_eq(best->segment_position, 1);
	ck_assert_str_eq(best->document_path, "iPhone List.csv");
	ck_assert_str_eq(best->document_url,
	    "https://my.site/texts/iPhone%20List.csv");
	ck_assert_double_gt(best->score, 0.5);
	ck_assert_double_le(best->score, 1);
	ck_assert_uint_ge(p.n, 2);
	ck_assert_double_ge(best->score, p.passages[1].score);
	stop(&p);
}
END_TEST

START_TEST(changes_are_noticed)
{
	struct place p;
	char *before;

	start(&p);
	ck_assert_ptr_nonnull(strstr(ask(&p, "pay taxes"), "fifteenth"));
	before = strdup(p.passages[0].segment_id);
	put(&p, "paying.md", "# Taxes\n\n## How to pay\n\nPay taxes by card "
			     "before the first of May, please.\n");
	ck_assert_ptr_nonnull(strstr(ask(&p, "pay taxes"), "first of May"));
	ck_assert_str_ne(before, p.passages[0].segment_id);
	put(&p, "new.txt", "Zebras graze behind the warehouse.\n");
	ck_assert_ptr_nonnull(strstr(ask(&p, "where are the zebras"),
	    "warehouse"));
	remove_text(&p, "new.txt");
	ck_assert_str_eq(ask(&p, "where are the zebras"), "");
	free(before);
	stop(&p);
}
END_TEST

/* What remains in the index after everything was removed. */
static int64_t
count(const struct config *config, const char *sql)
{
	struct index_store *x;
	struct db_stmt *s;
	int64_t n;
	bool row;

	ck_assert_int_eq(index_open(config, &x), ERR_NONE);
	s = db_prepare(x->db, sql);
	ck_assert_int_eq(db_step(s, &row), ERR_NONE);
	n = db_int(s, 0);
	db_done(s);
	index_close(x);
	return n;
}

START_TEST(removing_leaves_nothing_behind)
{
	struct place p;

	start(&p);
	ck_assert_int_eq(knowledge_index(p.config, NULL, false), ERR_NONE);
	ck_assert_int_eq(count(p.config, "SELECT count(*) FROM document"), 2);
	remove_text(&p, "paying.md");
	remove_text(&p, "iPhone List.csv");
	ck_assert_int_eq(knowledge_index(p.config, "texts", false), ERR_NONE);
	ck_assert_int_eq(count(p.config, "SELECT count(*) FROM document"), 0);
	ck_assert_int_eq(count(p.config, "SELECT count(*) FROM segment"), 0);
	ck_assert_int_eq(count(p.config,
	    "SELECT coalesce(sum(abs(segments)), 0) FROM term"), 0);
	ck_assert_int_eq(count(p.config,
	    "SELECT sum(segments) + sum(words) FROM dataset"), 0);
	stop(&p);
}
END_TEST

START_TEST(the_same_bytes_are_not_indexed_again)
{
	struct place p;
	struct update_options options = {.wait = true};
	struct update_result result;
	const struct knowledge_config *k;

	start(&p);
	k = &p.config->knowledge[0];
	ck_assert_int_eq(update_folder(p.config, k, &options, &result),
	    ERR_NONE);
	ck_assert_int_eq(result.changed, 2);
	ck_assert_int_eq(update_folder(p.config, k, &options, &result),
	    ERR_NONE);
	ck_assert_int_eq(result.changed, 0);
	(void)usleep(10000);
	put(&p, "paying.md", "# Taxes\n\n## How to pay\n\nPay taxes by "
			     "transfer before the fifteenth of April.\n");
	ck_assert_int_eq(update_folder(p.config, k, &options, &result),
	    ERR_NONE);
	ck_assert_int_eq(result.changed, 0); /* only its time changed */
	stop(&p);
}
END_TEST

/* Where WAL is impossible a pass works on a copy and renames it. */
START_TEST(a_copy_replaces_the_index)
{
	struct place p;
	struct update_options options = {.wait = true, .aside = true};
	struct update_result result;
	struct index_store *reader;
	char path[256];
	struct stat before, after;

	start(&p);
	(void)snprintf(path, sizeof(path), "%s/state/index.db", p.folder);
	ck_assert_int_eq(update_folder(p.config, &p.config->knowledge[0],
			     &options, &result), ERR_NONE);
	ck_assert_int_eq(stat(path, &before), 0);
	ck_assert_int_eq(index_open(p.config, &reader), ERR_NONE);
	put(&p, "new.txt", "Zebras graze behind the warehouse.\n");
	ck_assert_int_eq(update_folder(p.config, &p.config->knowledge[0],
			     &options, &result), ERR_NONE);
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_uint_ne(before.st_ino, after.st_ino);
	index_close(reader);
	ck_assert_str_eq(ask(&p, "zebras"),
	    "Zebras graze behind the warehouse.");
	stop(&p);
}
END_TEST

static void
damage(const struct place *p, const char *bytes)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/state/index.db", p->folder);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs(bytes, f);
	(void)fclose(f);
}

START_TEST(a_damaged_index_is_built_anew)
{
	struct place p;

	start(&p);
	ck_assert_str_eq(ask(&p, "battery of the iPhone 13"), ROW_13);
	damage(&p, "this is no database, but long enough to look like one");
	ck_assert_int_eq(knowledge_index(p.config, NULL, false), ERR_NONE);
	ck_assert_str_eq(ask(&p, "battery of the iPhone 13"), ROW_13);
	stop(&p);
}
END_TEST

START_TEST(bad_files_are_skipped)
{
	struct place p;
	static char large[200001];

	start(&p);
	memset(large, 'x', sizeof(large) - 1);
	put(&p, "large.txt", large);
	put(&p, "binary.txt", "\1\2\3\4\5\6\7\1\2\3\4\5\6\7");
	put(&p, "broken.pdf", "%PDF-1.4 broken");
	put(&p, "broken.docx", "no zip");
	put(&p, "picture.png", "not ours");
	put(&p, ".hidden.txt", "Hidden zebras.");
	ck_assert_int_eq(knowledge_index(p.config, NULL, false), ERR_NONE);
	ck_assert_str_eq(ask(&p, "battery of the iPhone 13"), ROW_13);
	ck_assert_int_eq(count(p.config,
	    "SELECT count(*) FROM document WHERE fault IS NOT NULL"), 4);
	ck_assert_int_eq(count(p.config, "SELECT count(*) FROM document"), 6);
	stop(&p);
}
END_TEST

START_TEST(follow_ups_find_what_they_mean)
{
	struct place p;
	struct chat_message history[] = {
	    {ROLE_USER, SPAN("Tell me about the iPhone 13 Pro")},
	    {ROLE_ASSISTANT, SPAN("Here it is.")}};

	start(&p);
	ck_assert_int_eq(knowledge_search(p.config, &p.config->bots[0],
			     SPAN("and its battery?"), history, 2, 4, &p.arena,
			     &p.passages, &p.n), ERR_NONE);
	ck_assert_uint_gt(p.n, 0);
	ck_assert_str_eq(p.passages[0].content.data,
	    "\"Model\",\"Battery\"\n\"iPhone 13 Pro\",\"3095 mAh\"");
	stop(&p);
}
END_TEST

/* Quotes, operators and the like are words to FTS5, never syntax. */
static const char *const odd[] = {"", "?", "\"", "' OR 1=1 --", "a AND b",
    "NEAR(taxes pay)", "heading : taxes", "\xFF\xFE", "taxes*", "^taxes",
    "(((", "taxes NOT", "茶", "-pay +taxes", "{}[]:;,"};

START_TEST(odd_questions_are_harmless)
{
	struct place p;

	start(&p);
	(void)ask(&p, odd[_i]);
	stop(&p);
}
END_TEST

START_TEST(a_bot_sees_its_own_knowledge_only)
{
	struct place p;
	struct bot_config other = {.slug = "other", .top_k = 4};

	start(&p);
	(void)ask(&p, "taxes");
	ck_assert_uint_gt(p.n, 0);
	ck_assert_int_eq(knowledge_search(p.config, &other, SPAN("taxes"),
			     NULL, 0, 4, &p.arena, &p.passages, &p.n),
	    ERR_NONE);
	ck_assert_uint_eq(p.n, 0);
	stop(&p);
}
END_TEST

Suite *knowledge_suite(void);

Suite *
knowledge_suite(void)
{
	Suite *s = suite_create("knowledge");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, the_first_search_makes_the_index);
	tcase_add_test(t, changes_are_noticed);
	tcase_add_test(t, removing_leaves_nothing_behind);
	tcase_add_test(t, the_same_bytes_are_not_indexed_again);
	tcase_add_test(t, a_copy_replaces_the_index);
	tcase_add_test(t, a_damaged_index_is_built_anew);
	tcase_add_test(t, bad_files_are_skipped);
	tcase_add_test(t, follow_ups_find_what_they_mean);
	tcase_add_loop_test(t, odd_questions_are_harmless, 0,
	    sizeof(odd) / sizeof(odd[0]));
	tcase_add_test(t, a_bot_sees_its_own_knowledge_only);
	suite_add_tcase(s, t);
	return s;
}
