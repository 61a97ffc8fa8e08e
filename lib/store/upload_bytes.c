#include "store/upload_bytes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "config/config.h"

enum err
upload_bytes_remove(const struct config *config, const char *folder,
    const char *name)
{
	char path[4200];
	int n = snprintf(path, sizeof(path), "%s%s/%s", config->server.state,
	    folder, name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return ERR_TOO_BIG;
	if (unlink(path) == 0 || errno == ENOENT)
		return ERR_NONE;
	log_error("clean: %s: %s", path, strerror(errno));
	return ERR_IO;
}
