/*
 * The kinds of pydantic v1 and its words (contracts/chat.md 6).  Each says
 * the C value it fills.
 */
#ifndef PARLANCE_V1_KINDS_H
#define PARLANCE_V1_KINDS_H

#include "base/buf.h"
#include "validate/field.h"

/* "field required", and objects: also pairs in arrays, and "". */
extern const struct dialect v1_dialect;

extern const struct field_kind v1_boolean; /* bool */
extern const struct field_kind v1_text;    /* struct span; data NULL: none */
extern const struct field_kind v1_integer; /* struct field_integer */
/* bool: was one given; what is in it is not kept. */
extern const struct field_kind v1_mapping;
/* struct field_list; detail is the items' struct model. */
extern const struct field_kind v1_list;
/* int, the index among the values; detail is a struct v1_enumeration. */
extern const struct field_kind v1_enumeration;
/* struct field_date */
extern const struct field_kind v1_date;

struct v1_enumeration {
	struct field_words words;
	const char *const *values;
	size_t n;
};

struct field_date {
	bool given;
	int32_t day; /* days since 1970-01-01, proleptic Gregorian */
};

/* "YYYY-MM-DD" of a day from 0001-01-01 to 9999-12-31. */
#define DATE_TEXT 16
void date_text(int32_t day, char out[DATE_TEXT]);
/* The day of a date; false when there is none such. */
bool date_day(int year, int month, int day, int32_t *out);

/* One member of "detail": loc, msg, type and, where there is one, ctx. */
void v1_error_json(struct buf *out, const struct field_error *e);

#endif
