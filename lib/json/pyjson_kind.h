/* What a decoded JSON value is. */
#ifndef PARLANCE_PYJSON_KIND_H
#define PARLANCE_PYJSON_KIND_H

enum pyjson_kind {
	PYJSON_ABSENT, /* the kind of a NULL pointer */
	PYJSON_NULL,
	PYJSON_FALSE,
	PYJSON_TRUE,
	PYJSON_INT,   /* no fraction, no exponent; any size */
	PYJSON_FLOAT, /* also NaN, Infinity, -Infinity */
	PYJSON_STRING,
	PYJSON_ARRAY,
	PYJSON_OBJECT
};

#endif
