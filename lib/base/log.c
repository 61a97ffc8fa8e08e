/* Log lines; the only process-wide state is the descriptor 2. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

__attribute__((format(printf, 2, 0))) static void
line(const char *severity, const char *format, va_list args)
{
	char text[1024];
	size_t at, i;
	int n = snprintf(text, sizeof(text), "parlance: %s: ", severity);

	at = (size_t)n;
	n = vsnprintf(text + at, sizeof(text) - at - 1, format, args);
	if (n < 0)
		return;
	n = (size_t)n > sizeof(text) - at - 2 ? (int)(sizeof(text) - at - 2)
					      : n;
	for (i = at; i < at + (size_t)n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
	text[at + (size_t)n] = '\n';
	if (write(STDERR_FILENO, text, at + (size_t)n + 1) < 0)
		return; /* nowhere left to say so */
}

void
log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line("error", format, args);
	va_end(args);
}

void
log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line("warning", format, args);
	va_end(args);
}

void
log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line("info", format, args);
	va_end(args);
}
