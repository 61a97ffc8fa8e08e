/* The table of all settings: what parlance.conf may say. */
#ifndef PARLANCE_SETTINGS_H
#define PARLANCE_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

enum section_kind {
	SECTION_SERVER,
	SECTION_KEY,
	SECTION_BOT,
	SECTION_ENGINE,
	SECTION_KNOWLEDGE,
	SECTION_SITE,
	SECTION_COUNT
};

struct section {
	const char *word;   /* "bot" */
	const char *named;  /* what its name is, "SLUG"; NULL: has no name */
	const char *help;
};

extern const struct section sections[SECTION_COUNT];

enum setting_kind {
	SETTING_TEXT,    /* const char * */
	SETTING_PATH,    /* const char *, absolute from the file's folder */
	SETTING_SECRET,  /* const char *; NAME_file reads it from a file */
	SETTING_BOOL,    /* bool: yes, no */
	SETTING_INT,     /* int64_t within [min, max] */
	SETTING_SHARE,   /* double, 0 to 1 */
	SETTING_DECIMAL, /* const char *, a decimal number kept as written */
	SETTING_CHOICE,  /* const char *, one of choices ("a|b|c") */
	SETTING_WORDS,   /* config_list: separated by commas */
	SETTING_LINES,   /* config_list: one a line, or given several times */
	SETTING_NETWORKS, /* net_ranges: separated by commas */
	SETTING_FORM     /* form controls: one a line, or several times */
};

struct setting {
	enum section_kind section;
	const char *name;
	enum setting_kind kind;
	size_t offset;        /* in the section's struct */
	const char *fallback; /* its value when absent, as text; NULL: none */
	int64_t min, max;     /* SETTING_INT */
	const char *choices;  /* SETTING_CHOICE */
	const char *help;
};

extern const struct setting settings[];
extern const size_t settings_count;

#endif
