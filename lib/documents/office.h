/*
 * Documents in ZIP archives: DOCX, ODT, EPUB.  Each becomes one page of
 * simple HTML, so that headings, paragraphs and tables are read as those of
 * any page are.
 */
#ifndef PARLANCE_OFFICE_H
#define PARLANCE_OFFICE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"
#include "documents/office_xml.h"

/*
 * Adds the page to out.  Text that is deleted, moved away or hidden stays
 * out, but is kept in comments of the page for office_left_out().
 *
 * ERR_INPUT  the file cannot be read; *remark says why, in words, static.
 * ERR_MEMORY, ERR_TOO_BIG (of out)
 */
enum err office_docx(struct span bytes, struct buf *out, const char **remark)
    __attribute__((warn_unused_result));
enum err office_odt(struct span bytes, struct buf *out, const char **remark)
    __attribute__((warn_unused_result));
enum err office_epub(struct span bytes, struct buf *out, const char **remark)
    __attribute__((warn_unused_result));

/* The same for the XML of a DOCX's body alone, which older indexes kept. */
void office_word_body(struct span xml, struct buf *out);

/* How many bytes of hidden and of deleted text a page made by these left
 * out; zeros for any other page. */
struct office_omissions office_left_out(struct span page);

#endif
