/*
 * Converters: programs that make text of PDF and DOCX files.  They are
 * started without a shell, with a limit on time and output.
 */
#ifndef PARLANCE_CONVERT_H
#define PARLANCE_CONVERT_H

#include "base/buf.h"

/* ERR_INPUT with *remark in words when the program is not installed, fails,
 * or takes too long. */
enum err convert_pdf(const char *path, struct buf *text, const char **remark)
    __attribute__((warn_unused_result));
/* The XML of the document's body. */
enum err convert_docx(const char *path, struct buf *text, const char **remark)
    __attribute__((warn_unused_result));

#endif
