/*
 * Requests as tables: a model is a list of fields (name, kind, required,
 * null, default) and of checks on the whole, and validate() walks it once
 * and fills a C struct.  A new endpoint is a new table, not new code.
 *
 *	struct chat_request { struct span prompt; bool stream; ... };
 *
 *	static const struct field fields[] = {
 *		{FIELD(struct chat_request, prompt, v1_text), .null = true},
 *		{FIELD(struct chat_request, stream, v1_boolean),
 *		    .required = true},
 *	};
 *
 * Nothing here knows words: a kind (v1_kinds.h: pydantic v1) brings its own
 * acceptance and its own errors, and the dialect those for absent and null.
 *
 * Errors are not collected but handed to a sink, one by one in the order of
 * the table, so a body that is wrong half a million times costs no memory.
 * Whoever must answer more than he wants to hold runs validate() twice.
 */
#ifndef PARLANCE_FIELD_H
#define PARLANCE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "json/pyjson.h"

/* Where a fault is: a chain from the innermost part outwards, on the stack
 * of whoever walks.  A part is a name or, with name NULL, an index. */
struct field_location {
	const struct field_location *outer; /* NULL: the body itself */
	const char *name;
	size_t index;
};

/* The words of one error; static. */
struct field_words {
	const char *msg;
	const char *type; /* "type_error.str"; NULL where there is none */
	const char *ctx;  /* JSON text, or NULL */
};

struct field_error {
	const struct field_location *location; /* valid during the call only */
	const struct field_words *words;
	const struct pyjson *value; /* what was found; NULL when absent */
};

/* Is told every error, in order. */
struct field_sink {
	void (*error)(struct field_sink *sink, const struct field_error *e);
};

/* One walk over one body. */
struct validation {
	struct arena *arena; /* what the result points to */
	struct field_sink *sink;
	size_t errors;       /* so far */
	bool out_of_memory;
};

struct field;

/* How values of one kind are read. */
struct field_kind {
	size_t size; /* bytes of the C value that read() fills */
	/*
	 * value is never NULL; it is PYJSON_NULL only when the dialect has
	 * no words of its own for null.  Tells every fault to
	 * validation_error() and returns false, or fills out (zeroed
	 * before; NULL when only the check is wanted) and returns true.
	 */
	bool (*read)(struct validation *v, const struct field *field,
	    const struct field_location *location, const struct pyjson *value,
	    void *out);
};

struct field {
	const char *name;
	const struct field_kind *kind;
	size_t offset;        /* of the C value in the struct */
	bool required;        /* absent is an error */
	bool null;            /* null is allowed and leaves zeros */
	const void *fallback; /* the C value when absent; NULL: zeros */
	const void *detail;   /* what the kind wants to know besides: the
	                       * model of a list's items, the words of an
	                       * enumeration */
};

#define FIELD(type, member, field_kind)                                        \
	.name = #member, .kind = &(field_kind), .offset = offsetof(type, member)

/* A check on the whole. */
struct whole_check {
	/* Is it all right?  A field that failed counts as absent. */
	bool (*holds)(const void *result);
	struct field_words words;
	const char *location;   /* a name below the body: "__root__" */
	bool only_when_clean; /* not asked when any field failed */
};

struct dialect {
	const struct field_words missing; /* absent and required */
	/* null and not allowed; msg NULL: the kind says it */
	const struct field_words none;
	/*
	 * Is value usable as an object?  Calls member() for each name in
	 * order, a later one of the same name counting; tells the fault to
	 * validation_error() and returns false otherwise.  member NULL: only
	 * the check is wanted.
	 */
	bool (*object)(struct validation *v,
	    const struct field_location *location, const struct pyjson *value,
	    void (*member)(
		void *arg, struct span name, const struct pyjson *value),
	    void *arg);
};

#define FIELDS_MAX 32

struct model {
	const struct dialect *dialect;
	const struct field *fields; /* at most FIELDS_MAX */
	size_t n_fields;
	const struct whole_check *checks;
	size_t n_checks;
	size_t size; /* of the struct that is filled */
};

/*
 * Walks value (NULL: no body at all) by the model and fills result, zeroed
 * first.  place is where value stands (NULL: it is the body).  True when
 * there was no error; else every error was told to the sink, the fields that
 * failed are zero and the others are filled.  Check v->out_of_memory.
 */
bool validate(struct validation *v, const struct model *model,
    const struct field_location *location, const struct pyjson *value,
    void *result);

/* For kinds: tells the sink one error, and counts it.  Returns false. */
bool validation_error(struct validation *v,
    const struct field_location *location, const struct field_words *words,
    const struct pyjson *value);

/* A sink that only listens: validation.errors is the number. */
extern struct field_sink field_sink_none;

/* ---- kinds that several dialects share ---------------------------------- */

/* A list's C value: items of the model's size, in the arena. */
struct field_list {
	void *items;
	size_t n;
};

/* An integer of any size. */
struct field_integer {
	bool given;
	int64_t value;      /* cut to what fits */
	struct span digits; /* "-17": decimal, no leading zeros, NUL behind */
};

#endif
