/*
 * Pages out of pieces.  What stands between the pieces comes from the
 * configuration and is escaped for the place where it stands: for text and
 * attributes as HTML, for the block of settings as JSON without any character
 * that could end a script element.
 */
#include "site/site_page.h"

#include "http/accept_language.h"
#include "json/jsonout.h"

#define SETTINGS_MAX ((size_t)256 << 10)

static const char *const word_names[] = {
#define X(name) #name,
    SITE_WORDS_SERVER(X) SITE_WORDS_PAGE(X)
#undef X
};
#define FIRST_PAGE_WORD SITE_you

const struct site_language *
site_page_language(const struct site_config *site, const char *header)
{
	if (site != NULL && site->language != NULL)
		header = site->language;
	return &site_languages[accept_language(header, site_language_codes,
	    SITE_LANGUAGES, 0)];
}

/* Text as HTML has it, between tags or within quotes. */
static void
add_html_span(struct buf *out, struct span text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		switch (text.data[i]) {
		case '<':
			buf_adds(out, "&lt;");
			break;
		case '>':
			buf_adds(out, "&gt;");
			break;
		case '&':
			buf_adds(out, "&amp;");
			break;
		case '"':
			buf_adds(out, "&quot;");
			break;
		case '\'':
			buf_adds(out, "&#39;");
			break;
		default:
			buf_addc(out, text.data[i]);
		}
}

static void
add_html(struct buf *out, const char *text)
{
	add_html_span(out, span_of(text));
}

/* JSON within a script element: no < > & that HTML could see. */
static void
add_json_block(struct buf *out, const struct buf *json)
{
	size_t i;

	for (i = 0; i < json->len; i++) {
		char c = json->data[i];

		if (c == '<' || c == '>' || c == '&')
			buf_printf(out, "\\u%04x", (unsigned)c);
		else
			buf_addc(out, c);
	}
}

static void
member_list(struct buf *out, const char *name, const struct config_list *list)
{
	size_t i;

	jsonout_name(out, name);
	buf_addc(out, '[');
	for (i = 0; list != NULL && i < list->n; i++) {
		jsonout_comma(out);
		jsonout_cstring(out, list->items[i]);
	}
	buf_addc(out, ']');
}

static const char *
or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

/* What a visitor reads first: {{variables}} have no values here. */
static const char *
greeting(const struct bot_config *bot)
{
	if (bot == NULL)
		return "";
	if (bot->greeting != NULL)
		return bot->greeting;
	return bot->opening_statement[0] != '\0' ? bot->opening_statement
						 : bot->welcome_message;
}

/* What page.js is told. */
static void
add_settings(struct buf *out, const struct site_config *site,
    const struct bot_config *bot, const struct site_language *language)
{
	struct buf json = BUF_INIT(SETTINGS_MAX);
	size_t i;

	buf_addc(&json, '{');
	jsonout_member_cstring(&json, "title", site->title);
	jsonout_member_cstring(&json, "color", or_empty(site->color));
	jsonout_member_cstring(&json, "greeting", greeting(bot));
	member_list(&json, "suggested",
	    bot == NULL ? NULL : &bot->suggested_questions);
	jsonout_member_cstring(&json, "contact",
	    bot == NULL ? "" : or_empty(bot->contact));
	jsonout_member_cstring(&json, "privacy_url",
	    or_empty(site->privacy_url));
	member_list(&json, "origins", &site->origins);
	jsonout_member_int(&json, "question_length", site->question_length);
	jsonout_member_int(&json, "remember", site->remember_hours);
	jsonout_name(&json, "words");
	buf_addc(&json, '{');
	for (i = FIRST_PAGE_WORD; i < SITE_WORD_COUNT; i++)
		jsonout_member_cstring(&json, word_names[i],
		    language->words[i]);
	buf_adds(&json, "}}");
	if (buf_err(&json) != ERR_NONE)
		out->err = json.err;
	add_json_block(out, &json);
	buf_release(&json);
}

void
site_page_chat(struct buf *out, const struct site_config *site,
    const struct bot_config *bot, const struct site_language *language)
{
	const struct site_piece *piece = site_pieces;

	for (;; piece++) {
		buf_add(out, piece->text.data, piece->text.len);
		switch (piece->slot) {
		case SITE_SLOT_END:
			return;
		case SITE_SLOT_LANGUAGE:
			buf_adds(out, language->code);
			break;
		case SITE_SLOT_DIRECTION:
			buf_adds(out, language->words[SITE_direction]);
			break;
		case SITE_SLOT_TITLE:
			add_html(out, site->title);
			break;
		case SITE_SLOT_NOSCRIPT:
			add_html(out, language->words[SITE_noscript]);
			break;
		case SITE_SLOT_CONTACT:
			if (bot != NULL)
				add_html(out, bot->contact);
			break;
		case SITE_SLOT_SETTINGS:
			add_settings(out, site, bot, language);
			break;
		}
	}
}

void
site_page_policy(struct buf *out, const struct site_config *site)
{
	size_t i;

	buf_printf(out, "default-src 'none'; script-src %s; style-src %s; "
			"connect-src 'self'; img-src data:; base-uri 'none'; "
			"form-action 'none'; frame-ancestors 'self'",
	    site_script_source, site_style_source);
	for (i = 0; i < site->origins.n; i++)
		buf_printf(out, " %s", site->origins.items[i]);
}

static void
begin_plain(struct buf *out, const struct site_language *language,
    enum site_word title)
{
	buf_printf(out,
	    "<!DOCTYPE html>\n<html lang=\"%s\" dir=\"%s\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
	    "content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
	    language->code, language->words[SITE_direction]);
	add_html(out, language->words[title]);
	buf_adds(out, "</title>\n</head>\n<body>\n<main>\n<h1>");
	add_html(out, language->words[title]);
	buf_adds(out, "</h1>\n");
}

void
site_page_unknown(struct buf *out, const struct site_language *language)
{
	begin_plain(out, language, SITE_not_found);
	buf_adds(out, "</main>\n</body>\n</html>\n");
}

void
site_page_home(struct buf *out, const struct config *c, struct span mount,
    const struct site_language *language)
{
	static const char *const paths[] = {"/v1/chat", "/v1/chat-messages"};
	size_t i;

	begin_plain(out, language, SITE_home);
	if (c->n_sites > 0) {
		buf_adds(out, "<h2>");
		add_html(out, language->words[SITE_home_sites]);
		buf_adds(out, "</h2>\n<ul>\n");
	}
	for (i = 0; i < c->n_sites; i++) {
		buf_adds(out, "<li><a href=\"");
		add_html_span(out, mount);
		buf_printf(out, "/chat/%s\">", c->sites[i].name);
		add_html(out, c->sites[i].title);
		buf_adds(out, "</a></li>\n");
	}
	buf_printf(out, "%s<h2>", c->n_sites > 0 ? "</ul>\n" : "");
	add_html(out, language->words[SITE_home_apis]);
	buf_adds(out, "</h2>\n<ul>\n");
	for (i = 0; i < 2; i++) {
		buf_adds(out, "<li><code>POST ");
		add_html_span(out, mount);
		buf_printf(out, "%s</code></li>\n", paths[i]);
	}
	buf_adds(out, "</ul>\n</main>\n</body>\n</html>\n");
}
