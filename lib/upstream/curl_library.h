/*
 * libcurl's functions, where a program has them from.  Linking the shared
 * library would cost every CGI start ten times the rest of the program, so
 * it is loaded by dlopen(3) when the first call upstream is made; the static
 * CGI program has libcurl inside and brings its own form of these functions
 * (cgi/curl_inside.c), which the linker prefers.
 */
#ifndef PARLANCE_CURL_LIBRARY_H
#define PARLANCE_CURL_LIBRARY_H

#include <curl/curl.h>
#include <stdbool.h>

#define CURL_LIBRARY_FUNCTIONS(X)                                              \
	X(char *, version, (void))                                             \
	X(CURLcode, global_init, (long))                                       \
	X(CURL *, easy_init, (void))                                           \
	X(CURLcode, easy_setopt, (CURL *, CURLoption, ...))                    \
	X(CURLcode, easy_getinfo, (CURL *, CURLINFO, ...))                     \
	X(CURLcode, easy_pause, (CURL *, int))                                 \
	X(void, easy_reset, (CURL *))                                          \
	X(void, easy_cleanup, (CURL *))                                        \
	X(const char *, easy_strerror, (CURLcode))                             \
	X(CURLM *, multi_init, (void))                                         \
	X(CURLMcode, multi_setopt, (CURLM *, CURLMoption, ...))                \
	X(CURLMcode, multi_add_handle, (CURLM *, CURL *))                      \
	X(CURLMcode, multi_remove_handle, (CURLM *, CURL *))                   \
	X(CURLMcode, multi_socket_action,                                      \
	    (CURLM *, curl_socket_t, int, int *))                              \
	X(CURLMsg *, multi_info_read, (CURLM *, int *))                        \
	X(CURLMcode, multi_cleanup, (CURLM *))                                 \
	X(struct curl_slist *, slist_append,                                   \
	    (struct curl_slist *, const char *))                               \
	X(void, slist_free_all, (struct curl_slist *))

struct curl_library {
#define X(type, name, args) type(*name) args;
	CURL_LIBRARY_FUNCTIONS(X)
#undef X
};

/* Fills *lib for the rest of the process; global_init is still to be called.
 * False, and logged: the library or one of its functions is not there.  Once
 * is enough for a process, and only one thread may call it at a time. */
bool curl_library_load(struct curl_library *lib);

/* "libcurl/7.88.1 OpenSSL/3.0.17 ...", or NULL, and logged, without it. */
const char *curl_library_version(void);

/* Whether libcurl is part of this program. */
bool curl_library_inside(void);

/* The file of certificates that this host trusts, to be told to libcurl;
 * NULL when libcurl knows by itself. */
const char *curl_library_certificates(void);

#endif
