/* Inside the reading of parlance.conf: values of settings.  config_file.c
 * alone includes it. */
#ifndef PARLANCE_CONFIG_VALUE_H
#define PARLANCE_CONFIG_VALUE_H

#include "base/text.h"
#include "config/config.h"
#include "config/config_check.h"
#include "config/settings.h"

#define RECORDS_MAX 4096

/* One section's text, before the arrays are laid out. */
struct record {
	enum section_kind kind;
	const char *name;
	int line;
	void *data;
	bool set[256]; /* by the setting's index: given more than once? */
};

struct reader {
	struct config *config;
	struct buf *faults;
	const char *file; /* base name, for messages */
	int line;
	struct record **records; /* in the arena */
	size_t n_records, room;
	struct record *current;
	bool no_memory;
};

#define FAULT(r, ...)                                                          \
	config_fault((r)->faults, (r)->file, (r)->line, __VA_ARGS__)

/* Reads a whole file into the arena; NULL and errno on failure. */
char *reader_file(struct arena *a, const char *path, size_t max, size_t *len);

/* Stores a value at its setting's place in data; a fault is reported. */
void reader_store_value(struct reader *r, const struct setting *s, void *data,
    struct span value);

/* The value of NAME_file: the first line of that file. */
void reader_store_secret(struct reader *r, const struct setting *s,
    void *data, struct span value);

#endif
