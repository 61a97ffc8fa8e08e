/*
 * Which part of the URL is the deployment's and which is the API's.  Every
 * web server tells it differently; the cases are rows of mount_test.c.
 */
#ifndef PARLANCE_MOUNT_H
#define PARLANCE_MOUNT_H

#include <stdbool.h>

#include "base/text.h"

/* What is known of the URL.  All parts decoded; absent ones are empty. */
struct mount_input {
	bool cgi;               /* SCRIPT_NAME names this very program */
	struct span path;       /* of REQUEST_URI, NUL-terminated */
	struct span base_path;  /* configured, "" or "/app" */
	struct span script_name;
	struct span path_info;
};

/*
 * Cuts the path in two: *mount stands before what *path is for the API.
 * Both point into the input; an empty path means "/".
 *
 * 1. a configured base path;
 * 2. SCRIPT_NAME, when it is a program's and the path goes on behind it
 *    (/cgi-bin/parlance.cgi/v1/chat);
 * 3. what stands before PATH_INFO (rewritten: /app/v1/chat was made
 *    /app/parlance.cgi/v1/chat);
 * 4. the folder of SCRIPT_NAME (rewritten without PATH_INFO);
 * 5. PATH_INFO alone, when the rewriting changed the path;
 * 6. nothing: FastCGI on a location of the server, where SCRIPT_NAME is the
 *    path itself or any part of it.
 */
void mount_split(const struct mount_input *in, struct span *mount,
    struct span *path);

#endif
