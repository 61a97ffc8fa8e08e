/* How a gateway gets its configuration. */
#ifndef PARLANCE_LOAD_CONFIG_H
#define PARLANCE_LOAD_CONFIG_H

struct config;

/* Finds and reads parlance.conf; every fault of it is a line of the log.
 * NULL when it cannot be used.  The caller's: config_free(). */
struct config *load_config(void);

#endif
