/*
 * API keys.
 *
 * A key is 32 random letters and digits (190 bits) behind a readable prefix,
 * and a checksum of six, so that a scanner finds a leaked one and a typing
 * error costs no comparison.  What is stored is SHA-256 over a salt of 128
 * bits and the key: a random key of that size needs no slow hash.
 */
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "auth/caller.h"
#include "base/uuid.h"

#define RANDOM_CHARS 32
#define CHECK_CHARS 6
#define SALT_HEX 32
#define DIGEST_HEX (SHA256_DIGEST_SIZE * 2)

static const char alphabet[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const struct key_config demo_key = {
    .name = "demo", .kind = "app", .enabled = true};
static const struct key_config demo_dataset_key = {
    .name = "demo-dataset", .kind = "dataset", .enabled = true};

/* SHA-256 of salt (its hex text) and key, as hex. */
static void
digest(struct span salt, struct span text, char out[DIGEST_HEX + 1])
{
	uint8_t bytes[SHA256_DIGEST_SIZE];
	struct sha256_ctx hash;

	sha256_init(&hash);
	sha256_update(&hash, salt.len, (const uint8_t *)salt.data);
	sha256_update(&hash, text.len, (const uint8_t *)text.data);
	sha256_digest(&hash, sizeof(bytes), bytes);
	text_hex(bytes, sizeof(bytes), out);
}

enum err
key_hash(const char *text, char hash[KEY_HASH])
{
	uint8_t random[SALT_HEX / 2];
	char salt[SALT_HEX + 1], sum[DIGEST_HEX + 1];
	enum err err = random_bytes(random, sizeof(random));

	if (err != ERR_NONE)
		return err;
	text_hex(random, sizeof(random), salt);
	digest(span_of(salt), span_of(text), sum);
	(void)snprintf(hash, KEY_HASH, "sha256:%s:%s", salt, sum);
	return ERR_NONE;
}

/* Six characters made from the rest; finds typing errors. */
static void
checksum(struct span text, char out[CHECK_CHARS + 1])
{
	uint8_t bytes[SHA256_DIGEST_SIZE];
	struct sha256_ctx hash;
	size_t i;

	sha256_init(&hash);
	sha256_update(&hash, text.len, (const uint8_t *)text.data);
	sha256_digest(&hash, sizeof(bytes), bytes);
	for (i = 0; i < CHECK_CHARS; i++)
		out[i] = alphabet[bytes[i] % 62];
	out[CHECK_CHARS] = '\0';
}

enum err
key_make(const char *prefix, char text[KEY_TEXT], char hash[KEY_HASH])
{
	uint8_t byte;
	size_t at = 0, n;
	enum err err;

	at = (size_t)snprintf(text, KEY_TEXT, "%s", prefix);
	if (at + RANDOM_CHARS + CHECK_CHARS >= KEY_TEXT)
		return ERR_TOO_BIG;
	for (n = 0; n < RANDOM_CHARS;) {
		err = random_bytes(&byte, 1);
		if (err != ERR_NONE)
			return err;
		/* 248 is 4 x 62: every character is equally likely. */
		if (byte < 248) {
			text[at + n] = alphabet[byte % 62];
			n++;
		}
	}
	at += n;
	text[at] = '\0';
	checksum((struct span){text, at}, text + at);
	return key_hash(text, hash);
}

static bool
matches(const struct key_config *key, struct span token)
{
	struct span salt = span_of(key->hash), sum;
	char made[DIGEST_HEX + 1];

	(void)span_cut(&salt, ':'); /* "sha256" */
	sum = salt;
	salt = span_cut(&sum, ':');
	digest(salt, token, made);
	return text_equal_constant_time(sum,
	    (struct span){made, DIGEST_HEX});
}

const struct key_config *
key_find(const struct config *c, struct span token)
{
	const struct key_config *found = NULL;
	size_t i;

	if (c->server.demo) {
		if (text_equal_constant_time(token, SPAN("demo-key")))
			return &demo_key;
		if (text_equal_constant_time(token, SPAN("demo-dataset-key")))
			return &demo_dataset_key;
	}
	/* Every key is looked at, so that the time tells nothing. */
	for (i = 0; i < c->n_keys; i++)
		if (matches(&c->keys[i], token) && c->keys[i].enabled)
			found = &c->keys[i];
	return found;
}
