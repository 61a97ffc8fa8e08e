/* Indexing that no answer waits for. */
#ifndef PARLANCE_BACKGROUND_H
#define PARLANCE_BACKGROUND_H

#include "config/config.h"

/* Starts `parlance index --background`, the program beside this one, and
 * returns when it has detached itself (milliseconds).  False: there is no
 * such program, or it could not be started. */
bool background_index(const struct config *config);

#endif
