/* Which charset bytes are in, by uchardet, Mozilla's detector. */
#ifndef PARLANCE_DETECT_H
#define PARLANCE_DETECT_H

#include "base/text.h"
#include "documents/charsets.h"

/* NULL: it has no idea, names a charset we have no table of, or memory is
 * short. */
const struct charset *detect_charset(struct span bytes);

#endif
