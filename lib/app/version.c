/* See the header. */
#include "app/version.h"

#include <stdio.h>
#include <string.h>

#include "app/app.h"
#include "upstream/curl_library.h"

const char *
version_libcurl(void)
{
	static char two[64];
	const char *all = curl_library_version();
	size_t words;

	if (all == NULL)
		return NULL;
	words = strcspn(all, " ");
	if (all[words] == ' ')
		words += 1 + strcspn(all + words + 1, " ");
	(void)snprintf(two, sizeof(two), "%.*s", (int)words, all);
	return two;
}

void
version_print(const char *program)
{
	const char *curl = version_libcurl();

	(void)printf("%s %s\n", program, PARLANCE_VERSION);
	if (curl == NULL)
		(void)printf("without libcurl (apt-get install libcurl4): "
			     "engines upstream cannot be used\n");
	else
		(void)printf("%s: %s\n", curl_library_inside()
			? "inside" : "loads", curl);
}
