/* Times as text. */
#include "messagesapi/iso_time.h"

#include <time.h>

#include "json/jsonout.h"

void
iso_time_member(struct buf *out, const char *name, int64_t us)
{
	time_t seconds = (time_t)(us / 1000000);
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm) != NULL)
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	jsonout_member_cstring(out, name, text);
}
