/*
 * What an app is and offers: parameters, info, meta, site, all from the
 * bot's section in the configuration; and the welcome of the API's root.
 */
#include "messagesapi/handlers.h"

#include <string.h>

#include "json/jsonout.h"
#include "dialogue/annotation_match.h"
#include "messagesapi/messagesapi.h"
#include "messagesapi/parse.h"
#include "messagesapi/reply.h"

enum err
welcome_get(struct exchange *x)
{
	struct buf body = BUF_INIT(REPLY_MAX);

	buf_addc(&body, '{');
	jsonout_member_cstring(&body, "welcome", "Dify OpenAPI");
	jsonout_member_cstring(&body, "api_version", "v1");
	/* Of the original, whose rules are kept here. */
	jsonout_member_cstring(&body, "server_version", "1.16.0");
	buf_addc(&body, '}');
	return reply_json(x, 200, &body);
}

static void
string_list(struct buf *out, const char *name, const struct config_list *list)
{
	size_t i;

	jsonout_name(out, name);
	buf_addc(out, '[');
	for (i = 0; i < list->n; i++) {
		jsonout_comma(out);
		jsonout_cstring(out, list->items[i]);
	}
	buf_addc(out, ']');
}

static void
feature(struct buf *out, const char *name, bool enabled)
{
	jsonout_name(out, name);
	buf_printf(out, "{\"enabled\":%s}", enabled ? "true" : "false");
}

/* The default of a control, in the type that its values have. */
static void
control_default(struct buf *out, const struct form_control *control)
{
	bool on = false;

	jsonout_name(out, "default");
	if (strcmp(control->kind, "checkbox") == 0) {
		if (control->fallback != NULL)
			(void)parse_bool_text(span_of(control->fallback), &on);
		jsonout_bool(out, on);
	} else if (strncmp(control->kind, "file", 4) == 0) {
		buf_adds(out, "null");
	} else {
		jsonout_cstring(out,
		    control->fallback == NULL ? "" : control->fallback);
	}
}

static void
control_json(struct buf *out, const struct form_control *control)
{
	jsonout_comma(out);
	buf_addc(out, '{');
	jsonout_name(out, control->kind);
	buf_addc(out, '{');
	jsonout_member_cstring(out, "label",
	    control->label == NULL ? control->variable : control->label);
	jsonout_member_cstring(out, "variable", control->variable);
	jsonout_member_bool(out, "required", control->required);
	if (control->max_length > 0)
		jsonout_member_int(out, "max_length", control->max_length);
	control_default(out, control);
	if (strcmp(control->kind, "select") == 0)
		string_list(out, "options", &control->options);
	buf_adds(out, "}}");
}

static void
features(struct buf *out, const struct bot_config *bot, bool annotations)
{
	feature(out, "suggested_questions_after_answer",
	    bot->suggested_after_answer);
	feature(out, "speech_to_text", false);
	jsonout_name(out, "text_to_speech");
	buf_adds(out, "{\"enabled\":false,\"voice\":\"\",\"language\":\"\","
		      "\"autoPlay\":\"disabled\"}");
	feature(out, "retriever_resource", bot->citations);
	feature(out, "annotation_reply", annotations);
	feature(out, "more_like_this", false);
}

static void
limits(struct buf *out, const struct bot_config *bot)
{
	jsonout_name(out, "sensitive_word_avoidance");
	buf_adds(out, "{\"enabled\":false,\"type\":\"\",\"configs\":[]}");
	jsonout_name(out, "file_upload");
	buf_printf(out,
	    "{\"image\":{\"enabled\":%s,\"number_limits\":%lld,"
	    "\"detail\":\"high\",\"transfer_methods\":[\"remote_url\","
	    "\"local_file\"]}",
	    bot->image_upload ? "true" : "false", (long long)bot->file_limit);
	if (bot->file_upload)
		buf_printf(out,
		    ",\"enabled\":true,\"number_limits\":%lld,"
		    "\"allowed_file_types\":[%s\"document\",\"audio\","
		    "\"video\",\"custom\"],\"allowed_file_upload_methods\":"
		    "[\"remote_url\",\"local_file\"]",
		    (long long)bot->file_limit,
		    bot->image_upload ? "\"image\"," : "");
	buf_addc(out, '}');
	jsonout_name(out, "system_parameters");
	buf_adds(out,
	    "{\"image_file_size_limit\":10,\"video_file_size_limit\":100,"
	    "\"audio_file_size_limit\":50,\"file_size_limit\":15,"
	    "\"workflow_file_upload_limit\":10}");
}

enum err
parameters_get(struct exchange *x)
{
	const struct bot_config *bot = x->caller->bot;
	struct buf body = BUF_INIT(REPLY_MAX);
	struct annotation_policy policy;
	size_t i;
	enum err err;

	if (bot->engines.n == 0)
		return reply_error(x, REPLY_APP_UNAVAILABLE);
	err = annotation_policy_read(x->stores, bot, &policy);
	if (err != ERR_NONE)
		return err;
	buf_addc(&body, '{');
	jsonout_member_cstring(&body, "opening_statement",
	    bot->opening_statement);
	string_list(&body, "suggested_questions", &bot->suggested_questions);
	features(&body, bot, policy.enabled);
	jsonout_name(&body, "user_input_form");
	buf_addc(&body, '[');
	for (i = 0; i < bot->n_form; i++)
		control_json(&body, &bot->form[i]);
	buf_addc(&body, ']');
	limits(&body, bot);
	buf_addc(&body, '}');
	return reply_json(x, 200, &body);
}

enum err
info_get(struct exchange *x)
{
	const struct bot_config *bot = x->caller->bot;
	struct buf body = BUF_INIT(REPLY_MAX);

	buf_addc(&body, '{');
	jsonout_member_cstring(&body, "name", bot->name);
	jsonout_member_cstring(&body, "description", bot->description);
	string_list(&body, "tags", &bot->tags);
	jsonout_member_cstring(&body, "mode", "chat");
	jsonout_member_cstring(&body, "author_name", x->config->server.name);
	buf_addc(&body, '}');
	return reply_json(x, 200, &body);
}

enum err
meta_get(struct exchange *x)
{
	struct buf body = BUF_INIT(64);

	buf_adds(&body, "{\"tool_icons\":{}}");
	return reply_json(x, 200, &body);
}

/* "" for what the configuration leaves out. */
static const char *
or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

enum err
site_get(struct exchange *x)
{
	const struct bot_config *bot = x->caller->bot;
	struct buf body = BUF_INIT(REPLY_MAX);

	/* An app has a site unless its title is set to nothing. */
	if (bot->site_title != NULL && bot->site_title[0] == '\0')
		return reply_error(x, REPLY_FORBIDDEN);
	buf_addc(&body, '{');
	jsonout_member_cstring(&body, "title",
	    bot->site_title == NULL ? bot->name : bot->site_title);
	jsonout_member_cstring(&body, "chat_color_theme",
	    or_empty(bot->color_theme));
	jsonout_member_bool(&body, "chat_color_theme_inverted", false);
	jsonout_member_cstring(&body, "icon_type",
	    bot->avatar_url == NULL ? "emoji" : "image");
	jsonout_member_cstring(&body, "icon", or_empty(bot->icon));
	jsonout_member_cstring(&body, "icon_background",
	    or_empty(bot->icon_background));
	jsonout_member_cstring(&body, "icon_url", bot->avatar_url);
	jsonout_member_cstring(&body, "description",
	    or_empty(bot->description));
	jsonout_member_cstring(&body, "copyright", or_empty(bot->copyright));
	jsonout_member_cstring(&body, "privacy_policy",
	    or_empty(bot->privacy_policy));
	jsonout_member_cstring(&body, "input_placeholder",
	    bot->input_placeholder);
	jsonout_member_cstring(&body, "custom_disclaimer",
	    or_empty(bot->disclaimer));
	jsonout_member_cstring(&body, "default_language",
	    bot->language == NULL ? "en-US" : bot->language);
	jsonout_member_bool(&body, "show_workflow_steps", false);
	jsonout_member_bool(&body, "use_icon_as_answer_icon", false);
	buf_addc(&body, '}');
	return reply_json(x, 200, &body);
}

enum err
completion_post(struct exchange *x)
{
	return reply_error(x, REPLY_APP_UNAVAILABLE);
}

enum err
workflow_post(struct exchange *x)
{
	return reply_error(x, REPLY_NOT_WORKFLOW);
}

enum err
audio_to_text_post(struct exchange *x)
{
	return reply_error(x, REPLY_SPEECH_OFF);
}

enum err
text_to_audio_post(struct exchange *x)
{
	return reply_invalid(x, NULL, "TTS is not enabled");
}
