/* pdftotext (poppler-utils) and unzip. */
#include "documents/convert.h"

#include <string.h>

#include "base/program.h"

#define LIMIT_MS 60000

static enum err
judge(int status, const struct buf *text, const char *missing,
    const char *failed, const char **remark)
{
	if (status == 0 && text->len > 0)
		return ERR_NONE;
	*remark = status == PROGRAM_MISSING || status == 127 ? missing
	    : status == PROGRAM_STOPPED ? "took too long to convert"
	    : status == 0  ? "has no text in it (a scan?)"
			   : failed;
	return ERR_INPUT;
}

enum err
convert_pdf(const char *path, struct buf *text, const char **remark)
{
	char *argv[] = {(char[]){"pdftotext"}, (char[]){"-q"},
	    (char[]){"-enc"}, (char[]){"UTF-8"}, (char[]){"-nopgbrk"},
	    (char[]){"-eol"}, (char[]){"unix"}, strdupa(path), (char[]){"-"},
	    NULL};

	return judge(program_output(argv, LIMIT_MS, text), text,
	    "needs pdftotext (package poppler-utils), which is not installed",
	    "is no PDF that pdftotext can read", remark);
}

enum err
convert_docx(const char *path, struct buf *text, const char **remark)
{
	char *argv[] = {(char[]){"unzip"}, (char[]){"-p"}, strdupa(path),
	    (char[]){"word/document.xml"}, NULL};

	return judge(program_output(argv, LIMIT_MS, text), text,
	    "needs unzip (package unzip), which is not installed",
	    "is no DOCX that unzip can read", remark);
}
