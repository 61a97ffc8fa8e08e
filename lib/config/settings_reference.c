/* The reference of all settings, made from their table. */
#include "config/settings_reference.h"

#include <string.h>

#include "config/config.h"
#include "config/settings.h"

static const char *
kind_text(const struct setting *s)
{
	switch (s->kind) {
	case SETTING_BOOL:
		return "yes or no";
	case SETTING_INT:
		return "whole number";
	case SETTING_SHARE:
		return "0 to 1";
	case SETTING_DECIMAL:
		return "decimal number";
	case SETTING_CHOICE:
		return s->choices;
	case SETTING_PATH:
		return "path";
	case SETTING_WORDS:
		return "names, separated by commas";
	case SETTING_NETWORKS:
		return "addresses, separated by commas";
	case SETTING_LINES:
	case SETTING_FORM:
		return "one a line";
	case SETTING_TEXT:
	case SETTING_SECRET:
		break;
	}
	return "text";
}

/* What the file looks like; the manual page begins with it as well. */
static const char syntax[] =
    "parlance.conf is UTF-8 text: sections in brackets, and below each its\n"
    "settings, name = value. Values need no quotes. A line that begins with #\n"
    "or ; is a comment; behind a value there is none. A value goes on in the\n"
    "lines below it that are indented; there, a lone . is an empty line.\n"
    "A relative path starts at the folder of the file. A setting that may be\n"
    "the name of a file with the value has the ending _file, as in key_file.\n"
    "The settings of [server] may come from the environment, too, such as\n"
    "PARLANCE_SERVER_MAX_BODY; PARLANCE_STATE is the state folder.\n\n";

void
settings_reference(struct buf *out)
{
	size_t kind, i;

	buf_adds(out, syntax);
	for (kind = 0; kind < SECTION_COUNT; kind++) {
		buf_printf(out, "%s[%s%s%s]\n    %s\n", kind == 0 ? "" : "\n",
		    sections[kind].word,
		    sections[kind].named == NULL ? "" : " ",
		    sections[kind].named == NULL ? "" : sections[kind].named,
		    sections[kind].help);
		for (i = 0; i < settings_count; i++) {
			const struct setting *s = &settings[i];
			struct span help = span_of(s->help);

			if (s->section != (enum section_kind)kind)
				continue;
			buf_printf(out, "\n  %s%s (%s%s%s)\n", s->name,
			    s->kind == SETTING_SECRET ? ", or its _file" : "",
			    kind_text(s),
			    s->fallback == NULL || s->fallback[0] == '\0'
				? ""
				: "; ",
			    s->fallback == NULL ? "" : s->fallback);
			while (help.data != NULL) {
				struct span line = span_cut(&help, '\n');

				buf_printf(out, "      %.*s\n", (int)line.len,
				    line.data);
			}
		}
	}
}
