/* libcurl as a shared library of the host; see the header. */
#define CURL_DISABLE_TYPECHECK
#include "upstream/curl_library.h"

#include <dlfcn.h>
#include <stddef.h>

#include "base/log.h"

bool
curl_library_load(struct curl_library *lib)
{
	static const char *const names[] = {
	    "libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.so"};
	void *handle = NULL;
	size_t i;

	for (i = 0; handle == NULL && i < sizeof(names) / sizeof(names[0]); i++)
		handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		log_error("upstream: libcurl cannot be loaded: %s", dlerror());
		return false;
	}
	/* POSIX's own way round ISO C, which has no such conversion. */
#define X(type, name, args)                                                    \
	*(void **)&lib->name = dlsym(handle, "curl_" #name);                   \
	if (lib->name == NULL) {                                               \
		log_error("upstream: libcurl has no curl_" #name);             \
		return false;                                                  \
	}
	CURL_LIBRARY_FUNCTIONS(X)
#undef X
	return true;
}

const char *
curl_library_version(void)
{
	struct curl_library lib;

	return curl_library_load(&lib) ? lib.version() : NULL;
}

bool
curl_library_inside(void)
{
	return false;
}

const char *
curl_library_certificates(void)
{
	return NULL;
}
