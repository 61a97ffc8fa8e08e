/* `parlance try`: a question as a visitor would ask it, and how its answer
 * came about. */
#ifndef PARLANCE_TRY_QUESTION_H
#define PARLANCE_TRY_QUESTION_H

#include "config/config.h"

/* The whole help text of the command. */
extern const char try_question_help[];

struct try_options {
	const char *bot, *question;
	const char *with; /* a file that counts as one of the texts, or NULL */
	bool json;
};

/* Answers and prints; the configuration is changed on the way, so it is for
 * nothing else afterwards.  Returns the exit status. */
int try_question(struct config *config, const struct try_options *options);

#endif
