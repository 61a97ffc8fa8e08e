/* The texts that bots answer from: which files were taken, which left out. */
#ifndef PARLANCE_TEXTS_H
#define PARLANCE_TEXTS_H

#include <stdbool.h>

#include "config/config.h"

struct examination;

/* Names, on standard error, the files that are left out, and with `all` how
 * much of each other's text was taken; of the knowledge called name, NULL: of
 * all. */
void texts_print(const struct config *config, const char *name, bool all);
/* The same of every file, as one JSON object on standard output. */
void texts_print_json(const struct config *config, const char *name);

/* A check: the files that are left out, and the programs that are missing. */
void check_texts(struct examination *e);

#endif
