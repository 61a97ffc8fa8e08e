/* pdftotext (poppler-utils), which makes text of PDF files: started without
 * a shell, with a limit on time and output. */
#ifndef PARLANCE_CONVERT_H
#define PARLANCE_CONVERT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/text.h"

/* The text of the file at path, whose bytes are at hand too.
 * ERR_INPUT with *remark in words, static, when the program is not installed
 * (*missing), fails, or takes too long, and when path is NULL. */
enum err convert_pdf(const char *path, struct span bytes, struct buf *text,
    const char **remark, bool *missing) __attribute__((warn_unused_result));

/* Is pdftotext installed? */
bool convert_has_pdf(void);

#endif
