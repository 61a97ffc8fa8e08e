/* Findings, as text and as JSON (by json-c: an admin command may take its
 * time). */
#include "app/examination.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define MESSAGE_MAX 65536

void
finding(struct examination *e, enum severity severity, const char *subject,
    const char *fix, const char *format, ...)
{
	struct buf message = BUF_INIT(MESSAGE_MAX);
	struct finding f = {severity, subject, NULL, fix};
	va_list args;

	va_start(args, format);
	buf_vprintf(&message, format, args);
	va_end(args);
	f.message = buf_err(&message) == ERR_NONE ? buf_text(&message)
						   : format;
	if (f.subject == NULL)
		f.subject = e->check->name;
	if (f.fix == NULL && severity == FINDING_WRONG && e->check != NULL)
		f.fix = e->check->remedy;
	if (severity == FINDING_WRONG)
		e->problems++;
	e->report(e, &f);
	buf_release(&message);
}

void
report_doctor(struct examination *e, const struct finding *f)
{
	static const char *const words[] = {"ok", "note", "WRONG"};

	(void)e;
	(void)printf("%-5s  %-13s %s\n", words[f->severity], f->subject,
	    f->message);
	if (f->fix != NULL)
		(void)printf("       fix: %s\n", f->fix);
}

void
report_check(struct examination *e, const struct finding *f)
{
	FILE *out = f->severity == FINDING_WRONG ? stderr : stdout;

	(void)e;
	if (f->severity == FINDING_OK)
		return;
	(void)fprintf(out, "%s\n", f->message);
	if (f->fix != NULL)
		(void)fprintf(out, "    fix: %s\n", f->fix);
}

/* NULL is JSON's null. */
static struct json_object *
text(const char *value)
{
	return value == NULL ? NULL : json_object_new_string(value);
}

void
report_json(struct examination *e, const struct finding *f)
{
	static const char *const words[] = {"ok", "note", "problem"};
	struct json_object *o = json_object_new_object();

	if (o == NULL)
		return;
	(void)json_object_object_add(o, "check", text(f->subject));
	(void)json_object_object_add(o, "severity", text(words[f->severity]));
	(void)json_object_object_add(o, "message", text(f->message));
	(void)json_object_object_add(o, "fix", text(f->fix));
	if (json_object_array_add(e->list, o) != 0)
		(void)json_object_put(o);
}

const char *
fix_path(char fix[FIX_MAX], const char *command, const char *path)
{
	bool quote = path[strspn(path, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:,@%=")] != '\0';

	(void)snprintf(fix, FIX_MAX, quote ? "%s '%s'" : "%s %s", command,
	    path);
	return fix;
}
