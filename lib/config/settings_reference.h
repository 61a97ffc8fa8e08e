/* The reference of all settings, for people. */
#ifndef PARLANCE_SETTINGS_REFERENCE_H
#define PARLANCE_SETTINGS_REFERENCE_H

#include "base/buf.h"

/* Writes the reference of every setting as text, from the table: for
 * `parlance help config` and the manual page. */
void settings_reference(struct buf *out);

#endif
