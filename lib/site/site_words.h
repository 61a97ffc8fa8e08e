/*
 * The names of what the chat page says, as the files of words/ have them: one
 * list for the program and for site_make.c, which holds every file to it.
 */
#ifndef PARLANCE_SITE_WORDS_H
#define PARLANCE_SITE_WORDS_H

/* Said by the server. */
#define SITE_WORDS_SERVER(X)                                                   \
	X(direction) X(title) X(noscript) X(not_found) X(home) X(home_sites)   \
	X(home_apis)

/* Said by page.js, which gets them with its settings. */
#define SITE_WORDS_PAGE(X)                                                     \
	X(you) X(question) X(send) X(stop) X(working) X(stopped) X(newest)     \
	X(sources) X(good) X(bad) X(thanks) X(retry) X(new_chat) X(delete)     \
	X(delete_ask) X(deleted) X(cancel) X(close) X(privacy) X(contact)      \
	X(odd_link) X(broken) X(failed) X(offline) X(too_long)                 \
	X(limit_visitor) X(limit_address) X(limit_day) X(busy) X(gone)         \
	X(unavailable)

enum site_word {
#define X(name) SITE_##name,
	SITE_WORDS_SERVER(X) SITE_WORDS_PAGE(X)
#undef X
	SITE_WORD_COUNT
};

#define SITE_LANGUAGES 12

#endif
