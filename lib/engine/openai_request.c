/*
 * Plain messages, and images as parts of the last user message for models
 * that see.  The end user's name is not sent: it is the site's, not the
 * model provider's.  Thoughts in earlier answers are not sent either: models
 * are to be asked without them, and pay for them again.
 */
#include "engine/openai_request.h"

#include <errno.h>
#include <nettle/base64.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/config.h"
#include "engine/thinking.h"
#include "json/jsonout.h"

#define IMAGE_MAX (10 * 1024 * 1024)
#define PIECE 3072 /* bytes of a file at a time; a multiple of three */

static const char *const role_names[] = {
    [ROLE_SYSTEM] = "system",
    [ROLE_USER] = "user",
    [ROLE_ASSISTANT] = "assistant",
};

/* The file as a data: URL; false when it cannot be read. */
static bool
data_url(const struct chat_file *file, struct buf *out)
{
	uint8_t bytes[PIECE];
	char text[BASE64_ENCODE_RAW_LENGTH(PIECE)];
	FILE *in = fopen(file->path, "rbe");
	size_t n, total = 0;
	bool fine;

	if (in == NULL) {
		log_error("engine: an image cannot be read: %s",
		    strerror(errno));
		return false;
	}
	buf_printf(out, "\"data:%s;base64,",
	    file->mime_type != NULL ? file->mime_type : "image/png");
	while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0 &&
	       (total += n) <= IMAGE_MAX) {
		base64_encode_raw(text, n, bytes);
		buf_add(out, text, BASE64_ENCODE_RAW_LENGTH(n));
	}
	buf_addc(out, '"');
	fine = ferror(in) == 0 && total <= IMAGE_MAX;
	(void)fclose(in);
	return fine;
}

static bool
is_image(const struct chat_file *file)
{
	return file->type != NULL && strcmp(file->type, "image") == 0 &&
	       (file->url != NULL ||
		   (file->path != NULL &&
		       (file->mime_type == NULL ||
			   !text_breaks_line(span_of(file->mime_type)))));
}

static void
image_part(const struct chat_file *file, struct buf *out)
{
	size_t before = out->len;

	jsonout_comma(out);
	buf_adds(out, "{\"type\":\"image_url\",\"image_url\":{\"url\":");
	if (file->url != NULL) {
		jsonout_cstring(out, file->url);
	} else if (!data_url(file, out)) {
		buf_truncate(out, before);
		return;
	}
	buf_adds(out, "}}");
}

static void
content_parts(const struct engine_request *request, struct span text,
    struct buf *out)
{
	size_t i;

	jsonout_name(out, "content");
	buf_adds(out, "[{");
	jsonout_member_cstring(out, "type", "text");
	jsonout_member(out, "text", text);
	buf_addc(out, '}');
	for (i = 0; i < request->n_files; i++)
		if (is_image(&request->files[i]))
			image_part(&request->files[i], out);
	buf_addc(out, ']');
}

static bool
has_images(const struct engine_request *request)
{
	size_t i;

	for (i = 0; i < request->n_files; i++)
		if (is_image(&request->files[i]))
			return true;
	return false;
}

static void
messages(const struct engine_request *request, bool vision, struct buf *out)
{
	const struct chat_message *m;
	size_t i;

	jsonout_name(out, "messages");
	buf_addc(out, '[');
	for (i = 0; i < request->n_prompt; i++) {
		m = &request->prompt[i];
		jsonout_comma(out);
		buf_addc(out, '{');
		jsonout_member_cstring(out, "role", role_names[m->role]);
		if (vision && i + 1 == request->n_prompt &&
		    has_images(request))
			content_parts(request, m->content, out);
		else
			jsonout_member(out, "content",
			    m->role == ROLE_ASSISTANT
				? thinking_strip(m->content) : m->content);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

void
openai_request_body(const struct engine_config *engine,
    const struct engine_request *request, struct openai_dialect dialect,
    struct buf *out)
{
	const struct bot_config *bot = request->bot;
	int64_t max = request->max_tokens > 0 ? request->max_tokens
					       : bot->max_output_tokens;
	const char *model = engine->model != NULL ? engine->model : bot->model;

	buf_addc(out, '{');
	if (model != NULL)
		jsonout_member_cstring(out, "model", model);
	messages(request, engine->vision, out);
	jsonout_member_bool(out, "stream", true);
	if (dialect.usage)
		jsonout_member_raw(
		    out, "stream_options", SPAN("{\"include_usage\":true}"));
	if (max > 0)
		jsonout_member_int(out, dialect.max_completion
			? "max_completion_tokens" : "max_tokens", max);
	if (bot->temperature != NULL)
		jsonout_member_raw(
		    out, "temperature", span_of(bot->temperature));
	buf_addc(out, '}');
}
