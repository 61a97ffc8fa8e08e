/* Reading files and folders. */
#ifndef CHATCONF_CASEFOLDER_H
#define CHATCONF_CASEFOLDER_H

#include "match/jsonval.h"

/* The whole file, or NULL data (errno says why). */
struct span casefolder_read(struct arena *a, const char *path);

/* The file as JSON in which no member stands twice.  NULL after saying on
 * standard error what is wrong, with file and line. */
const struct jv *casefolder_read_json(struct arena *a, const char *path);

/* Every *.json below folder's subfolders named *api, sorted by path;
 * NULL-terminated.  NULL when folder cannot be read. */
char **casefolder_find_cases(struct arena *a, const char *folder);

/* The names (without .json) in folder/profiles, sorted; NULL-terminated. */
char **casefolder_find_profiles(struct arena *a, const char *folder);

/* Writes text to path, replacing it.  false after saying why. */
bool casefolder_write(const char *path, struct span text);

/* Where the cases are: the option, CHATCONF_CASES, ../fixtures beside the
 * program, the installed place, or else inside the program. */
const char *casefolder_find(struct arena *a, const char *option);

#endif
