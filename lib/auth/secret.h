/*
 * The secret of the deployment, and keys made from it: what signs a visitor
 * or hides an address needs a key that no file declares and that every
 * process of the deployment has.
 *
 * The secret is the file `secret` of the state folder, which the first that
 * needs it makes: whole or not at all, on the disk before it is used, mode
 * 0600; of processes that begin at once one makes it, and all read that one.
 * Several hosts of one deployment declare the same ([server] secret, or
 * secret_file); then there is no file.  Nobody uses the secret itself: a key
 * is derived for each use by its label (HMAC-SHA256).
 */
#ifndef PARLANCE_SECRET_H
#define PARLANCE_SECRET_H

#include <stdint.h>

#include "base/err.h"

struct config;

#define SECRET_KEY 32      /* bytes of a key */
#define SECRET_FILE "secret" /* in the state folder */

/*
 * The key for one use; label, such as "visitor", names it and stays the same
 * for ever.  Reads the file each time: a caller that needs keys often keeps
 * them.  From any thread.
 *
 * ERR_NONE    key is filled.
 * ERR_IO      the file cannot be made or read, or is damaged; the reason is
 *             logged.  key is untouched.
 */
enum err secret_key(const struct config *c, const char *label,
    uint8_t key[SECRET_KEY]) __attribute__((warn_unused_result));

#endif
