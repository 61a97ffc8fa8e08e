/*
 * Dates as pydantic v1 reads them: numbers are seconds since 1970, or
 * milliseconds and so on when they would be too far away; contracts/chat.md
 * 6.3, date.
 */
#include <math.h>
#include <stdio.h>

#include "validate/pynumber.h"
#include "validate/v1_kinds.h"

#define DAY_FIRST (-719162) /* 0001-01-01 */
#define DAY_LAST 2932896    /* 9999-12-31 */
#define SECONDS_MAX 3e20    /* beyond it: the first or the last day */
#define WATERSHED 2e10      /* beyond it: divided by 1000 */
#define DAY_US INT64_C(86400000000)

static const struct field_words bad_type = {
    "invalid type; expected date, string, bytes, int or float", "type_error",
    NULL};
static const struct field_words bad_number = {
    "cannot convert float NaN to integer", "value_error", NULL};
static const struct field_words bad_format = {
    "invalid date format", "value_error.date", NULL};

/* ---- the calendar -------------------------------------------------------- */

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
days_before_year(int year)
{
	int y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400;
}

static int
month_length(int year, int month)
{
	static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
	    30, 31};

	return length[month - 1] + (month == 2 && is_leap(year));
}

bool
date_day(int year, int month, int day, int32_t *out)
{
	int days, m;

	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
	    day > month_length(year, month))
		return false;
	days = days_before_year(year) + day - 1;
	for (m = 1; m < month; m++)
		days += month_length(year, m);
	*out = days + DAY_FIRST;
	return true;
}

void
date_text(int32_t day, char out[DATE_TEXT])
{
	int left = day - DAY_FIRST, year = left / 366 + 1, month = 1;

	while (year < 9999 && days_before_year(year + 1) <= left)
		year++;
	left -= days_before_year(year);
	while (left >= month_length(year, month))
		left -= month_length(year, month++);
	(void)snprintf(out, DATE_TEXT, "%04u-%02u-%02u", (unsigned)year % 10000,
	    (unsigned)month % 100, (unsigned)(left + 1) % 100);
}

/* ---- numbers ------------------------------------------------------------- */

/* An integer divided by 1000, rounded once, as Python divides integers. */
static double
divide_integer(double number, struct span digits)
{
	size_t i = digits.data[0] == '-';
	unsigned __int128 n = 0, q;

	for (; i < digits.len; i++)
		n = n * 10 + (unsigned)(digits.data[i] - '0');
	q = (n << 40) / 1000;
	if ((n << 40) % 1000 != 0)
		q |= 1; /* below the last bit kept, above nothing */
	return copysign(ldexp((double)q, -40), number);
}

/* The day of so many seconds: timedelta's rounding to microseconds, half to
 * even, in its order of steps; then rounded down. */
static int32_t
day_of(double seconds)
{
	double whole, part, left, us;
	int64_t micro;

	part = modf(seconds, &whole);
	left = modf(part * 1e6, &us);
	micro = (int64_t)whole * 1000000 + (int64_t)us;
	whole = round(left);
	if (fabs(whole - left) == 0.5) {
		double odd = (double)(micro & 1);

		whole = 2.0 * round((left + odd) * 0.5) - odd;
	}
	micro += (int64_t)whole;
	if (micro < 0) /* C rounds towards zero */
		micro -= DAY_US - 1;
	return (int32_t)(micro / DAY_US);
}

/* Is an integer that rounds to SECONDS_MAX really beyond it? */
static bool
just_beyond(double number, struct span integer)
{
	size_t i;

	if (integer.data == NULL || fabs(number) != SECONDS_MAX)
		return false;
	i = integer.data[0] == '-';
	if (integer.data[i] != '3')
		return false; /* 2999... */
	for (i++; i < integer.len; i++)
		if (integer.data[i] != '0')
			return true;
	return false;
}

/* integer is SPAN_NONE for a floating number. */
static bool
number_day(double number, struct span integer, int32_t *day)
{
	if (isnan(number))
		return false;
	if (fabs(number) > SECONDS_MAX || just_beyond(number, integer)) {
		*day = number > 0 ? DAY_LAST : DAY_FIRST;
		return true;
	}
	if (integer.data != NULL && fabs(number) > WATERSHED)
		number = divide_integer(number, integer);
	while (fabs(number) > WATERSHED)
		number /= 1000;
	*day = day_of(number);
	return true;
}

/* ---- the kind ------------------------------------------------------------ */

static bool
string_day(struct validation *v, const struct field_location *location,
    const struct pyjson *value, int32_t *day)
{
	int year, month, mday;
	double number;

	switch (pynumber_float(v->arena, pyjson_string(value), &number)) {
	case PYNUMBER_READ:
		return number_day(number, SPAN_NONE, day) ||
		    validation_error(v, location, &bad_number, value);
	case PYNUMBER_NO_MEMORY:
		v->out_of_memory = true;
		return false;
	case PYNUMBER_NONE:
		break;
	}
	return (pynumber_date(pyjson_string(value), &year, &month, &mday) &&
	           date_day(year, month, mday, day)) ||
	    validation_error(v, location, &bad_format, value);
}

static bool
value_day(struct validation *v, const struct field_location *location,
    const struct pyjson *value, int32_t *day)
{
	switch (pyjson_kind(value)) {
	case PYJSON_TRUE:
	case PYJSON_FALSE:
		*day = 0;
		return true;
	case PYJSON_INT:
		return number_day(pyjson_double(value), pyjson_number(value),
		    day);
	case PYJSON_FLOAT:
		return number_day(pyjson_double(value), SPAN_NONE, day) ||
		    validation_error(v, location, &bad_number, value);
	case PYJSON_STRING:
		return string_day(v, location, value, day);
	default:
		return validation_error(v, location, &bad_type, value);
	}
}

static bool
read_date(struct validation *v, const struct field *field,
    const struct field_location *location, const struct pyjson *value,
    void *out)
{
	struct field_date *date = out;
	int32_t day;

	(void)field;
	if (!value_day(v, location, value, &day))
		return false;
	if (date != NULL)
		*date = (struct field_date){true, day};
	return true;
}

const struct field_kind v1_date = {sizeof(struct field_date), read_date};
