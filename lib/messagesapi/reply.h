/*
 * Answers in the messages API's form: JSON, and the error envelope
 * {"code", "message", "status"} with its optional "params".
 */
#ifndef PARLANCE_REPLY_H
#define PARLANCE_REPLY_H

#include <stdarg.h>

#include "http/exchange.h"

/* The most that a JSON answer may hold. */
#define REPLY_MAX (64U * 1024U * 1024U)

/* Sends a JSON body; a buffer with an error is returned as that error and
 * nothing is sent.  The buffer is released. */
enum err reply_json(struct exchange *x, int status, struct buf *body);
/* 200 {"result":"success"} */
enum err reply_success(struct exchange *x);
/* 204 */
enum err reply_nothing(struct exchange *x);

/* Fixed errors: name, status, code, message. */
#define REPLY_ERRORS(X)                                                        \
	X(NO_AUTHORIZATION, 401, "unauthorized",                               \
	    "Authorization header must be provided and start with 'Bearer'")   \
	X(OTHER_SCHEME, 401, "unauthorized",                                   \
	    "Authorization scheme must be 'Bearer'")                           \
	X(BAD_TOKEN, 401, "unauthorized", "Access token is invalid")           \
	X(APP_GONE, 403, "forbidden", "The app no longer exists.")             \
	X(APP_ABNORMAL, 403, "forbidden", "The app's status is abnormal.")     \
	X(APP_API_OFF, 403, "forbidden",                                       \
	    "The app's API service has been disabled.")                        \
	X(FORBIDDEN, 403, "forbidden",                                         \
	    "You don't have the permission to access the requested "           \
	    "resource. It is either read-protected or not readable by the "    \
	    "server.")                                                         \
	X(BAD_REQUEST, 400, "bad_request",                                     \
	    "The browser (or proxy) sent a request that this server could "    \
	    "not understand.")                                                 \
	X(MEDIA_TYPE, 415, "unsupported_media_type",                           \
	    "Did not attempt to load JSON data because the request "           \
	    "Content-Type was not 'application/json'.")                        \
	X(TOO_LARGE, 413, "request_entity_too_large",                          \
	    "The data value transmitted exceeds the capacity limit.")          \
	X(STALLED, 408, "request_timeout",                                     \
	    "The server closed the network connection because the browser "    \
	    "didn't finish the request within the specified time.")            \
	X(UNKNOWN_PATH, 404, "not_found",                                      \
	    "The requested URL was not found on the server. If you entered "   \
	    "the URL manually please check your spelling and try again.")      \
	X(METHOD, 405, "method_not_allowed",                                   \
	    "The method is not allowed for the requested URL.")                \
	X(INTERNAL, 500, "internal_server_error",                              \
	    "The server encountered an internal error and was unable to "      \
	    "complete your request. Either the server is overloaded or "       \
	    "there is an error in the application.")                           \
	X(STORAGE, 507, "insufficient_storage",                                \
	    "The server has no space left to store this.")                     \
	X(UNAVAILABLE, 503, "service_unavailable",                             \
	    "The server is temporarily unable to service your request due to " \
	    "maintenance downtime or capacity problems. Please try again "     \
	    "later.")                                                          \
	X(APP_UNAVAILABLE, 400, "app_unavailable",                             \
	    "App unavailable, please check your app configurations.")          \
	X(NOT_WORKFLOW, 400, "not_workflow_app",                               \
	    "Please check if your app mode matches the right API route.")      \
	X(CONVERSATION, 404, "not_found", "Conversation Not Exists.")          \
	X(MESSAGE, 404, "not_found", "Message Not Exists.")                    \
	X(FIRST_MESSAGE, 404, "not_found", "First Message Not Exists.")        \
	X(LAST_CONVERSATION, 404, "not_found",                                 \
	    "Last Conversation Not Exists.")                                   \
	X(VARIABLE, 404, "not_found", "Conversation Variable Not Exists.")     \
	X(ANNOTATION, 404, "not_found", "Annotation not found")                \
	X(END_USER, 404, "end_user_not_found", "End user not found.")          \
	X(SUGGESTED_OFF, 400, "bad_request",                                   \
	    "Suggested Questions Is Disabled.")                                \
	X(TOO_MANY, 429, "too_many_requests",                                  \
	    "Too many requests. Please try again later.")                      \
	X(NO_FILE, 400, "no_file_uploaded", "Please upload your file.")        \
	X(MANY_FILES, 400, "too_many_files", "Only one file is allowed.")      \
	X(NO_FILENAME, 400, "filename_not_exists_error",                       \
	    "The specified filename does not exist.")                          \
	X(FILE_TYPE, 415, "unsupported_file_type", "File type not allowed.")   \
	X(FILE_LARGE, 413, "file_too_large", "File size exceeded.")            \
	X(FILE_UNKNOWN, 404, "file_not_found",                                 \
	    "The requested file was not found.")                               \
	X(FILE_DENIED, 403, "file_access_denied",                              \
	    "Access to the requested file is denied.")                         \
	X(DATASET, 404, "not_found", "Dataset not found.")                     \
	X(DATASET_NAME, 409, "dataset_name_duplicate",                         \
	    "The dataset name already exists. Please modify your dataset "     \
	    "name.")                                                           \
	X(DATASET_USED, 409, "dataset_in_use",                                 \
	    "The dataset is being used by some apps. Please remove the "       \
	    "dataset from the apps before deleting it.")                       \
	X(DOCUMENT, 404, "not_found", "Document Not Exists.")                  \
	X(DOCUMENT_MISSING, 404, "not_found", "Document not found.")           \
	X(DOCUMENTS, 404, "not_found", "Documents not found.")                 \
	X(DOCUMENT_FIXED, 403, "archived_document_immutable",                  \
	    "The archived document is not editable.")                          \
	X(DATASET_EMPTY, 400, "dataset_not_initialized",                       \
	    "The dataset is still being initialized or indexing. Please wait " \
	    "a moment.")                                                       \
	X(SPEECH_OFF, 400, "speech_to_text_disabled",                          \
	    "Speech to text is disabled.")

enum reply_error {
#define X(name, status, code, message) REPLY_##name,
	REPLY_ERRORS(X)
#undef X
};

/* Each refuses; ERR_ANSWERED when that worked. */
enum err reply_error(struct exchange *x, enum reply_error which);
/* Any other envelope; params NULL: without it. */
enum err reply_envelope(struct exchange *x, int status, const char *code,
    struct span message, const char *params);
/* 429 too_many_requests with this text. */
enum err reply_too_many(struct exchange *x, const char *message,
    int retry_after_s);
/* 400 invalid_param with this text. */
enum err reply_invalid(struct exchange *x, const char *params,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Our own failure: 500, or 503 with Retry-After when the store is busy. */
enum err reply_failure(struct exchange *x, enum err why);

/* The headers that every answer of this API carries. */
void reply_headers(struct exchange *x);

/* Finds faults of several fields before answering once. */
struct faults {
	struct buf text;
	const char *first; /* path of the first fault; NULL: none so far */
};

#define FAULTS_INIT                                                            \
	{                                                                      \
		.text = BUF_INIT(64 * 1024)                                    \
	}

/* Adds "path: reason"; path must live as long as the request. */
void faults_add(struct faults *f, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Releases f.  ERR_ANSWERED: there were faults, the client has been told
 * (400 invalid_param). */
enum err faults_answered(struct faults *f, struct exchange *x)
    __attribute__((warn_unused_result));

#endif
