/* APPNOTE.TXT of PKWARE, 4.3: the end record names the central directory,
 * whose entries name the parts. */
#include "documents/zip.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

#define END_BYTES 22
#define ENTRY_BYTES 46
#define LOCAL_BYTES 30
#define COMMENT_MAX 65535
#define CHUNK 65536

enum method { METHOD_STORED = 0, METHOD_DEFLATED = 8 };

struct entry {
	struct span name;
	unsigned int flags, method;
	size_t packed, unpacked, local;
	uint32_t crc;
};

static uint32_t
number(struct span s, size_t at, size_t bytes)
{
	uint32_t n = 0;

	while (bytes-- > 0)
		n = n << 8 | (unsigned char)s.data[at + bytes];
	return n;
}

bool
zip_open(struct zip *z, struct span bytes, size_t max)
{
	size_t at, last;

	*z = (struct zip){.bytes = bytes, .max = max};
	if (bytes.len < END_BYTES)
		return false;
	at = bytes.len - END_BYTES;
	last = at > COMMENT_MAX ? at - COMMENT_MAX : 0;
	while (memcmp(bytes.data + at, "PK\5\6", 4) != 0)
		if (at-- == last)
			return false;
	z->entries = number(bytes, at + 10, 2);
	z->directory = number(bytes, at + 16, 4);
	return z->directory <= at;
}

/* The entry at *at of the directory; moves behind it. */
static bool
next_entry(const struct zip *z, size_t *at, struct entry *e)
{
	struct span b = z->bytes;
	size_t name_len, more;

	if (*at > b.len || b.len - *at < ENTRY_BYTES ||
	    memcmp(b.data + *at, "PK\1\2", 4) != 0)
		return false;
	e->flags = number(b, *at + 8, 2);
	e->method = number(b, *at + 10, 2);
	e->crc = number(b, *at + 16, 4);
	e->packed = number(b, *at + 20, 4);
	e->unpacked = number(b, *at + 24, 4);
	name_len = number(b, *at + 28, 2);
	more = number(b, *at + 30, 2) + number(b, *at + 32, 2);
	e->local = number(b, *at + 42, 4);
	if (b.len - *at - ENTRY_BYTES < name_len)
		return false;
	e->name = (struct span){b.data + *at + ENTRY_BYTES, name_len};
	*at += ENTRY_BYTES + name_len + more;
	return true;
}

static bool
same_name(struct span a, struct span b)
{
	return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

static enum err
inflate_part(struct span packed, size_t max, struct buf *out)
{
	z_stream stream = {.zalloc = Z_NULL};
	unsigned char bytes[CHUNK];
	size_t total = 0, n;
	union {
		const char *given;
		unsigned char *wanted; /* zlib does not write there */
	} in = {.given = packed.data};
	int code;

	if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
		return ERR_MEMORY;
	stream.next_in = in.wanted;
	stream.avail_in = (unsigned int)packed.len;
	do {
		stream.next_out = bytes;
		stream.avail_out = sizeof(bytes);
		code = inflate(&stream, Z_NO_FLUSH);
		n = sizeof(bytes) - stream.avail_out;
		total += n;
		if (total <= max)
			buf_add(out, bytes, n);
	} while (code == Z_OK && n > 0 && total <= max);
	(void)inflateEnd(&stream);
	if (total > max)
		return ERR_TOO_BIG;
	if (code == Z_MEM_ERROR)
		return ERR_MEMORY;
	return code == Z_STREAM_END ? buf_err(out) : ERR_INPUT;
}

static enum err
unpack(struct zip *z, const struct entry *e, struct buf *out)
{
	struct span b = z->bytes, packed;
	size_t before = out->len, data;
	enum err err = ERR_NONE;

	if (e->local > b.len || b.len - e->local < LOCAL_BYTES ||
	    memcmp(b.data + e->local, "PK\3\4", 4) != 0 ||
	    (e->flags & 1) != 0)
		return ERR_INPUT;
	/* Name and extra field may be others than in the directory. */
	data = e->local + LOCAL_BYTES + number(b, e->local + 26, 2) +
	    number(b, e->local + 28, 2);
	if (data > b.len || b.len - data < e->packed)
		return ERR_INPUT;
	packed = (struct span){b.data + data, e->packed};
	if (e->unpacked > z->max)
		return ERR_TOO_BIG;
	if (e->method == METHOD_DEFLATED)
		err = inflate_part(packed, e->unpacked, out);
	else if (e->method == METHOD_STORED)
		buf_add(out, packed.data, packed.len);
	else
		return ERR_INPUT;
	if (err == ERR_NONE)
		err = buf_err(out);
	/* More than the directory says is damage, not size. */
	if (err == ERR_TOO_BIG && out->max - before > e->unpacked)
		err = ERR_INPUT;
	if (err != ERR_NONE)
		return err;
	z->max -= out->len - before;
	return crc32(0, (const unsigned char *)buf_text(out) + before,
		   (unsigned int)(out->len - before)) == e->crc
	    ? ERR_NONE
	    : ERR_INPUT;
}

static bool
find_entry(const struct zip *z, struct span name, struct entry *e)
{
	size_t at = z->directory, i;

	if (name.len > 0 && name.data[0] == '/')
		name = (struct span){name.data + 1, name.len - 1};
	for (i = 0; i < z->entries && next_entry(z, &at, e); i++)
		if (same_name(e->name, name))
			return true;
	return false;
}

bool
zip_has(const struct zip *z, struct span name)
{
	struct entry e;

	return find_entry(z, name, &e);
}

enum err
zip_read(struct zip *z, struct span name, struct buf *out)
{
	struct entry e;

	return find_entry(z, name, &e) ? unpack(z, &e, out) : ERR_NOT_FOUND;
}
