#include "site/visitor.h"

#include <nettle/hmac.h>
#include <stdio.h>
#include <string.h>

#include "base/uuid.h"

#define ID_DIGITS ((size_t)VISITOR_ID - 1)
#define SIGNATURE_BYTES 16
#define SIGNATURE_DIGITS (2 * SIGNATURE_BYTES)
#define VERSION "v1"

static void
sign(const uint8_t key[SECRET_KEY], const char *site, struct span said,
    char out[SIGNATURE_DIGITS + 1])
{
	struct hmac_sha256_ctx context;
	uint8_t digest[SIGNATURE_BYTES];

	hmac_sha256_set_key(&context, SECRET_KEY, key);
	/* With its NUL: a site's name cannot run into the rest. */
	hmac_sha256_update(&context, strlen(site) + 1, (const uint8_t *)site);
	hmac_sha256_update(&context, said.len, (const uint8_t *)said.data);
	hmac_sha256_digest(&context, SIGNATURE_BYTES, digest);
	text_hex(digest, SIGNATURE_BYTES, out);
}

enum err
visitor_new(struct visitor *v)
{
	uint8_t bytes[ID_DIGITS / 2];
	enum err err = random_bytes(bytes, sizeof(bytes));

	if (err != ERR_NONE)
		return err;
	text_hex(bytes, sizeof(bytes), v->id);
	v->is_new = true;
	return ERR_NONE;
}

/* At most 15 hex digits, lower case as we write them. */
static bool
read_expiry(struct span text, int64_t *value)
{
	size_t i;

	*value = 0;
	if (text.len == 0 || text.len > 15)
		return false;
	for (i = 0; i < text.len; i++) {
		if (!text_is_hex(text.data[i]))
			return false;
		*value = *value * 16 + text_hex_value(text.data[i]);
	}
	return true;
}

bool
visitor_read(const uint8_t key[SECRET_KEY], const char *site,
    struct span token, int64_t now_s, struct visitor *v)
{
	char signature[SIGNATURE_DIGITS + 1];
	struct span rest = token, id, expiry, signed_by;
	int64_t expires_s;
	size_t i;

	if (token.len >= VISITOR_TOKEN ||
	    !span_is(span_cut(&rest, '.'), VERSION))
		return false;
	id = span_cut(&rest, '.');
	expiry = span_cut(&rest, '.');
	signed_by = rest;
	if (id.len != ID_DIGITS || signed_by.data == NULL ||
	    !read_expiry(expiry, &expires_s))
		return false;
	for (i = 0; i < id.len; i++)
		if (!text_is_hex(id.data[i]))
			return false;
	sign(key, site, (struct span){token.data,
	    (size_t)(signed_by.data - token.data) - 1}, signature);
	if (!text_equal_constant_time(signed_by, span_of(signature)) ||
	    expires_s < now_s)
		return false;
	memcpy(v->id, id.data, ID_DIGITS);
	v->id[ID_DIGITS] = '\0';
	v->is_new = false;
	return true;
}

void
visitor_token(const uint8_t key[SECRET_KEY], const char *site,
    const struct visitor *v, int64_t expires_s, char out[VISITOR_TOKEN])
{
	char signature[SIGNATURE_DIGITS + 1];
	int n = snprintf(out, VISITOR_TOKEN, VERSION ".%s.%llx", v->id,
	    (unsigned long long)expires_s);

	sign(key, site, (struct span){out, (size_t)n}, signature);
	(void)snprintf(out + n, VISITOR_TOKEN - (size_t)n, ".%s", signature);
}
