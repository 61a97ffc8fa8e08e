#include "config/config.h"
#include "config/config_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

Suite *config_suite(void);

static char folder[64], path[128];

static void
setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/parlance-conf-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/parlance.conf", folder);
	(void)unsetenv("PARLANCE_STATE");
}

static void
teardown(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void
write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	ck_assert_ptr_nonnull(f);
	(void)fputs(text, f);
	(void)fclose(f);
}

static struct config *
read_text(const char *text, struct buf *faults)
{
	struct config *c;
	enum err err;

	write_file(path, text);
	err = config_read(path, &c, faults);
	ck_assert_int_eq(err, faults->len == 0 ? ERR_NONE : ERR_CONFIG);
	return c;
}

START_TEST(a_small_file_has_all_defaults)
{
	struct buf faults = BUF_INIT(65536);
	struct config *c = read_text("[bot help]\n", &faults);

	ck_assert_str_eq(buf_text(&faults), "");
	ck_assert_uint_eq(c->n_bots, 1);
	ck_assert_str_eq(c->bots[0].name, "help");
	ck_assert_str_eq(c->bots[0].engines.items[0], "builtin");
	ck_assert_uint_eq(strlen(c->bots[0].uid), 36);
	ck_assert_int_eq(c->server.max_body, 1048576);
	ck_assert_ptr_nonnull(config_engine(c, "builtin"));
	ck_assert_ptr_nonnull(strstr(c->server.state, folder));
	ck_assert_ptr_eq(config_bot_by_slug(c, "help", 4), &c->bots[0]);
	ck_assert_ptr_null(config_bot_by_slug(c, "Help", 4));
	config_free(c);
}
END_TEST

START_TEST(values_of_every_kind_are_kept)
{
	struct buf faults = BUF_INIT(65536);
	struct config *c;
	char secret[160];

	(void)snprintf(secret, sizeof(secret), "%s/key", folder);
	write_file(secret, "sk-secret\n");
	c = read_text("# a comment\n"
		      "[server]\nstate = /var/lib/p\nbase_path = /app\n"
		      "[engine up]\nkind = openai\n"
		      "url = http://127.0.0.1:8000/v1\nkey_file = key\n"
		      "tls_verify = no\n"
		      "[knowledge faq]\nfolder = faq\nfiles = *.md, *.txt\n"
		      "[bot help]\n"
		      "engine = up, builtin\nknowledge = faq\n"
		      "persona = You help.\n\tSecond line.\n\t.\n\tLast.\n"
		      "suggested_questions = One?\nsuggested_questions = Two?\n"
		      "input = city | text-input | City | required | "
		      "max_length=48\n"
		      "input = size | select | Size | options=S;M;L\n"
		      "prompt_unit_price = 0.0010\nprompt_price_unit = 0.001\n"
		      "completion_unit_price = 0.002\n"
		      "completion_price_unit = 0.001\n"
		      "score_threshold = 0.25\n",
	    &faults);
	ck_assert_str_eq(buf_text(&faults), "");
	ck_assert_str_eq(c->server.state, "/var/lib/p");
	ck_assert_str_eq(config_engine(c, "up")->key, "sk-secret");
	ck_assert(!config_engine(c, "up")->tls_verify);
	ck_assert_uint_eq(c->knowledge[0].patterns.n, 2);
	ck_assert_str_eq(c->bots[0].persona,
	    "You help.\nSecond line.\n\nLast.");
	ck_assert_uint_eq(c->bots[0].engines.n, 2);
	ck_assert_uint_eq(c->bots[0].suggested_questions.n, 2);
	ck_assert_uint_eq(c->bots[0].n_form, 2);
	ck_assert(c->bots[0].form[0].required);
	ck_assert_int_eq(c->bots[0].form[0].max_length, 48);
	ck_assert_str_eq(c->bots[0].form[1].options.items[2], "L");
	ck_assert_str_eq(c->bots[0].price.prompt_unit_price, "0.0010");
	ck_assert(c->bots[0].score_threshold == 0.25);
	config_free(c);
}
END_TEST

static const struct {
	const char *text, *fault;
} bad[] = {
    {"[bot a]\n[site s]\n",
	"parlance.conf:2: [site s] needs bot = SLUG, the bot that answers"},
    {"[bot a]\n[site s]\nbot = b\n",
	"parlance.conf:2: [site s] asks the bot \"b\", which does not exist"},
    {"[bot a]\n[site embed]\nbot = a\n",
	"parlance.conf:2: [site embed]: a site's name is of letters, digits"},
    {"[bot a]\n[site \xC3\xA4]\nbot = a\n",
	"parlance.conf:2: [site \xC3\xA4]: a site's name is of letters"},
    {"[bot a]\n[site s]\nbot = a\norigins = https://a.b; script-src *\n",
	"parlance.conf:2: \"https://a.b; script-src *\" in origins of [site s] "
	"is no origin"},
    {"[bot a]\n[site s]\nbot = a\norigins = https://a.b https://c.d\n",
	"is no origin; write https://www.my.site, without a path"},
    {"[bot a]\n[site s]\nbot = a\norigins = https://a.b, www.my.site\n",
	"parlance.conf:2: \"www.my.site\" in origins of [site s] is no origin"},
    {"[bot a]\n[site s]\nbot = a\norigins = https://a.b/page\n",
	"\"https://a.b/page\" in origins of [site s] is no origin"},
    {"[bot a]\n[site s]\nbot = a\norigins = https://a\x01.b\n",
	"in origins of [site s] is no origin"},
    {"[bot a]\n[site s]\nbot = a\norigins = *\n",
	"parlance.conf:2: \"*\" in origins of [site s] is no origin"},
    {"[bot a]\n[site s]\nbot = a\ncolor = red\n",
	"parlance.conf:2: the color of [site s] is written such as #1b5e8c"},
    {"[bot a]\n[site s]\nbot = a\nprivacy_url = javascript:alert(1)\n",
	"parlance.conf:2: the privacy_url of [site s] is no address"},
    {"[bot a]\n[site s]\nbot = a\nstreams = 0\n",
	"parlance.conf:4: streams is a whole number from 1 to 1000000"},
    {"[bot a]\n[site s]\nbot = a\nlanguage = xx\n",
	"parlance.conf:4: language is one of en|de|"},
    {"[bot a]\n[knowledge k]\nfolder = x\nurl = texts/\n",
	"parlance.conf:2: the url of [knowledge k] is no address"},
    {"[bot a]\nperosna = x\n",
	"parlance.conf:2: unknown setting \"perosna\" in [bot a]; did you "
	"mean \"persona\"?"},
    {"[bto a]\n", "parlance.conf:1: unknown section [bto]; did you mean "
		  "[bot]?"},
    {"[bot a]\nmax_words = many\n",
	"parlance.conf:2: max_words is a whole number from 0 to 1000000, "
	"not \"many\""},
    {"[bot a]\npublished = maybe\n",
	"parlance.conf:2: published is yes or no, not \"maybe\""},
    {"[bot a]\nengine = gpt\n",
	"parlance.conf:1: [bot a] names the engine \"gpt\", which has no "
	"[engine gpt]"},
    {"[bot a]\nname = x\n\n[bot a]\nname = y\n",
	"parlance.conf:4: [bot a] stands on line 1 already"},
    {"[bot a]\nname = x\nname = y\n",
	"parlance.conf:3: name is given twice in this section"},
    {"[bot a]\nnonsense\n",
	"parlance.conf:2: neither [section] nor name = value"},
    {"x = y\n[bot a]\n",
	"parlance.conf:1: a setting before the first [section]"},
    {"[bot]\n", "parlance.conf:1: write [bot SLUG]; SLUG has 1 to 64 "
		"characters and none of space, [ ] \" ' / \\"},
    {"[bot my help]\n", "parlance.conf:1: write [bot SLUG]; SLUG has"},
    {"[server x]\n[bot a]\n",
	"parlance.conf:1: write [server], without a name"},
    {"[server]\nstate =\n[bot a]\n", "parlance.conf:2: state is empty"},
    {"[server]\nmax_body = 1MB\n[bot a]\n",
	"not \"1MB\" (largest request body, in bytes)"},
    {"[bot a]\nname = n\xE9\n",
	"parlance.conf:2: this line is not UTF-8 text"},
    {"[bot a]\nzzzzzzzz = x\n",
	"in [bot a]; see: parlance help config"},
    {"[bot a\n[bot b]\n", "parlance.conf:1: the section's ] is missing"},
    {"[bot a]\n[key k]\nhash = my-secret\n",
	"the hash of [key k] is not what `parlance key new` prints"},
    {"[bot a]\n[key k]\nbot = b\nhash = x\n",
	"opens the bot \"b\", which does not exist"},
    {"[bot a]\n[engine e]\nkind = openai\n",
	"[engine e] needs url = http://"},
    {"[bot a]\nprompt_unit_price = 0.1\n",
	"has some prices but not all four"},
    {"[bot a]\nprompt_unit_price = -1\n", "is a decimal number"},
    {"[bot a]\nname = n\n[bot b]\nname = n\n",
	"parlance.conf:3: [bot b] has the name of [bot a]"},
    {"[bot a]\nuid = 12\n", "the uid of [bot a] is not a UUID"},
    {"[bot a]\ninput = c | slider | C\n", "\"slider\" is no kind of input"},
    {"[bot a]\ninput = c | select | C\n", "has no options=A;B;C"},
    {"[bot a]\n[knowledge k]\n", "[knowledge k] needs folder = PATH"},
    {"[server]\nbase_path = app/\n[bot a]\n",
	"parlance.conf:1: base_path in [server]"},
    {"[server]\npublic_url = my.site\n[bot a]\n",
	"parlance.conf:1: public_url in [server] is an address such as"},
    {"[server]\npublic_url = https:///x\n[bot a]\n",
	"parlance.conf:1: public_url in [server]"},
    {"[server]\npublic_url = https://a b/\n[bot a]\n",
	"parlance.conf:1: public_url in [server]"},
    {"[server]\ntrusted_proxies = 10.0.0.1, proxy\n[bot a]\n",
	"parlance.conf:2: \"proxy\" is no address, nor a range of them"},
    {"[server]\ntrusted_proxies = 10.0.0.0/33\n[bot a]\n",
	"\"10.0.0.0/33\" is no address"},
    {"[server]\nsecret = 0123456789012345678901234567890\n[bot a]\n",
	"parlance.conf:1: secret in [server] has at least 32 characters"},
    {"", "there is no bot"},
    {"[bot a]\n[engine e]\nurl=http://x\nkey_file = missing\n",
	"missing: No such file"},
};

START_TEST(faults_name_file_line_and_meaning)
{
	struct buf faults = BUF_INIT(65536);
	struct config *c = read_text(bad[_i].text, &faults);

	ck_assert_ptr_null(c);
	ck_assert_msg(strstr(buf_text(&faults), bad[_i].fault) != NULL,
	    "expected \"%s\" in \"%s\"", bad[_i].fault, buf_text(&faults));
	buf_release(&faults);
}
END_TEST

START_TEST(every_fault_is_reported_in_one_run)
{
	struct buf faults = BUF_INIT(65536);

	(void)read_text("[bot a]\nx = 1\ny = 2\n[zzzzzzz]\nq = 1\n", &faults);
	ck_assert_ptr_nonnull(strstr(buf_text(&faults), ":2:"));
	ck_assert_ptr_nonnull(strstr(buf_text(&faults), ":3:"));
	ck_assert_ptr_nonnull(strstr(buf_text(&faults), ":4:"));
	ck_assert_ptr_null(strstr(buf_text(&faults), ":5:"));
	buf_release(&faults);
}
END_TEST

START_TEST(the_environment_overrides_the_server_section)
{
	struct buf faults = BUF_INIT(65536);
	struct config *c;

	(void)setenv("PARLANCE_STATE", "/tmp/elsewhere", 1);
	(void)setenv("PARLANCE_SERVER_MAX_BODY", "2048", 1);
	(void)setenv("PARLANCE_SERVER_TRUSTED_PROXIES", "::1", 1);
	c = read_text("[server]\nstate = s\ntrusted_proxies = 10.0.0.0/8\n"
		      "public_url = https://my.site/app//\n[bot a]\n",
	    &faults);
	ck_assert_str_eq(c->server.state, "/tmp/elsewhere");
	ck_assert_int_eq(c->server.max_body, 2048);
	ck_assert_uint_eq(c->server.trusted_proxies.n, 1);
	ck_assert_int_eq(c->server.trusted_proxies.items[0].base.kind,
	    NET_IPV6);
	ck_assert_str_eq(c->server.public_url, "https://my.site/app");
	(void)unsetenv("PARLANCE_SERVER_TRUSTED_PROXIES");
	config_free(c);
	(void)setenv("PARLANCE_SERVER_MAX_BODY", "lots", 1);
	c = read_text("[bot a]\n", &faults);
	ck_assert_ptr_null(c);
	ck_assert_ptr_nonnull(strstr(buf_text(&faults), "environment"));
	(void)unsetenv("PARLANCE_SERVER_MAX_BODY");
	(void)unsetenv("PARLANCE_STATE");
	buf_release(&faults);
}
END_TEST

START_TEST(a_missing_file_is_named)
{
	struct buf faults = BUF_INIT(65536);
	struct config *c;

	ck_assert_int_eq(config_read("/nonexistent.conf", &c, &faults),
	    ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(buf_text(&faults), "/nonexistent.conf"));
	buf_release(&faults);
}
END_TEST

Suite *
config_suite(void)
{
	Suite *s = suite_create("config");
	TCase *t = tcase_create("config");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_small_file_has_all_defaults);
	tcase_add_test(t, values_of_every_kind_are_kept);
	tcase_add_loop_test(t, faults_name_file_line_and_meaning, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, every_fault_is_reported_in_one_run);
	tcase_add_test(t, the_environment_overrides_the_server_section);
	tcase_add_test(t, a_missing_file_is_named);
	suite_add_tcase(s, t);
	return s;
}
