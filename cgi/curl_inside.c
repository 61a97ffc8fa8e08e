/*
 * libcurl as a part of the static program, with OpenSSL; linked before the
 * library, whose own form of these functions is not taken then.
 */
#define CURL_DISABLE_TYPECHECK
#include <nss.h>
#include <stddef.h>
#include <unistd.h>

#include "upstream/curl_library.h"

void __wrap_OPENSSL_cpuid_setup(void);
void __real_OPENSSL_cpuid_setup(void);

/* OpenSSL asks the processor what it can do before main(), in every process;
 * here it asks when it is needed.  The linker puts this in the place of its
 * question (--wrap): nothing. */
void
__wrap_OPENSSL_cpuid_setup(void)
{
}

bool
curl_library_load(struct curl_library *lib)
{
	__real_OPENSSL_cpuid_setup();
	/* No plug-ins of the host's C library: it may be of another version
	 * than the one inside. */
	(void)__nss_configure_lookup("hosts", "files dns");
#define X(type, name, args) lib->name = curl_##name;
	CURL_LIBRARY_FUNCTIONS(X)
#undef X
	return true;
}

const char *
curl_library_version(void)
{
	return curl_version();
}

bool
curl_library_inside(void)
{
	return true;
}

/* Where they are kept differs from host to host. */
const char *
curl_library_certificates(void)
{
	static const char *const paths[] = {
	    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch */
	    "/etc/pki/tls/certs/ca-bundle.crt",   /* RHEL, CloudLinux */
	    "/etc/ssl/ca-bundle.pem",             /* SUSE */
	    "/etc/ssl/cert.pem"};                 /* Alpine, BSD */
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (access(paths[i], R_OK) == 0)
			return paths[i];
	return paths[0];
}
