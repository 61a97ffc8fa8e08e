/*
 * The file holds 64 hex digits and a line end, so that an owner can copy it
 * into another host's configuration.  The digits themselves are the key of
 * the HMAC, as is a declared secret's text: both ways give the same keys.
 */
#include "auth/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/state_file.h"
#include "base/text.h"
#include "base/uuid.h"
#include "config/config.h"

#define RANDOM_BYTES 32
#define HEX_DIGITS ((size_t)2 * RANDOM_BYTES)

/* 0, or why it is not there or of no use. */
static int
read_file(const char *path, char text[HEX_DIGITS + 1])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), why = 0;
	size_t len = 0, i;
	ssize_t n = 1;

	if (fd < 0)
		return errno;
	while (len < HEX_DIGITS && n > 0) {
		n = read(fd, text + len, HEX_DIGITS - len);
		if (n > 0)
			len += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			why = errno;
	}
	(void)close(fd);
	for (i = 0; i < len && why == 0; i++)
		if (!text_is_hex(text[i]))
			why = EBADMSG;
	if (why == 0 && len < HEX_DIGITS)
		why = EBADMSG;
	text[HEX_DIGITS] = '\0';
	return why;
}

/* 0: there is one now, ours or another process's. */
static int
make_file(const char *path)
{
	uint8_t bytes[RANDOM_BYTES];
	char line[HEX_DIGITS + 2];

	if (random_bytes(bytes, sizeof(bytes)) != ERR_NONE)
		return EIO;
	text_hex(bytes, sizeof(bytes), line);
	line[HEX_DIGITS] = '\n';
	if (state_file_publish(path, (struct span){line, HEX_DIGITS + 1}) ||
	    errno == EEXIST)
		return 0;
	return errno;
}

/* The secret of the state folder, made when there is none. */
static enum err
own_secret(const struct config *c, char text[HEX_DIGITS + 1])
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/" SECRET_FILE,
	    c->server.state);
	int why = n < (int)sizeof(path) ? read_file(path, text)
					: ENAMETOOLONG;

	if (why == ENOENT) {
		why = make_file(path);
		if (why == 0)
			why = read_file(path, text);
	}
	if (why == EBADMSG)
		log_error("%s: is damaged; put a copy of it in its place, or "
			  "remove it to have another made: then visitors "
			  "begin anew", path);
	else if (why != 0)
		log_error("%s: %s", path, strerror(why));
	return why == 0 ? ERR_NONE : ERR_IO;
}

enum err
secret_key(const struct config *c, const char *label,
    uint8_t key[SECRET_KEY])
{
	const char *secret = c->server.secret;
	struct hmac_sha256_ctx hmac;
	char own[HEX_DIGITS + 1];
	enum err err;

	if (secret == NULL || secret[0] == '\0') {
		err = own_secret(c, own);
		if (err != ERR_NONE)
			return err;
		secret = own;
	}
	hmac_sha256_set_key(&hmac, strlen(secret), (const uint8_t *)secret);
	hmac_sha256_update(&hmac, strlen(label), (const uint8_t *)label);
	hmac_sha256_digest(&hmac, SECRET_KEY, key);
	return ERR_NONE;
}
