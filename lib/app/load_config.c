/* Reading parlance.conf for a gateway; see the header. */
#include "app/load_config.h"

#include <limits.h>

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "config/config_file.h"

#define FAULTS_MAX (256U * 1024U)

struct config *
load_config(void)
{
	struct buf faults = BUF_INIT(FAULTS_MAX);
	struct config *config = NULL;
	struct span rest, line;
	char path[PATH_MAX];
	enum err err;

	config_find(path, sizeof(path), NULL);
	err = config_read(path, &config, &faults);
	rest = (struct span){buf_text(&faults), faults.len};
	while (err != ERR_NONE && rest.len > 0) {
		line = span_trim(span_cut(&rest, '\n'));
		if (line.len > 0)
			log_error("%.*s", (int)line.len, line.data);
	}
	if (err != ERR_NONE && faults.len == 0)
		log_error("%s: %s", path, err_text(err));
	buf_release(&faults);
	return config;
}
