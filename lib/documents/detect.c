/*
 * uchardet is written in C++ but needs next to nothing of C++'s library:
 * memory, and names of things that never happen.  They are given here, not
 * linked: the library would allocate before main(), in every CGI process, and
 * end the process when memory is short.  Memory comes from a block that is
 * allocated beforehand; a detection takes some 9 KB.
 */
#include "documents/detect.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uchardet/uchardet.h>

#define LOOK_MAX ((size_t)256 << 10) /* bytes that are looked at */
#define BEFORE 1024 /* of them before the first that is not ASCII */
#define BLOCK_BYTES ((size_t)256 << 10)

#define HIDDEN __attribute__((visibility("hidden")))

static _Thread_local struct {
	char *bytes;
	size_t used;
} block;

HIDDEN void *cxx_new(size_t size) __asm__("_Znwm");
HIDDEN void cxx_delete(void *p) __asm__("_ZdlPv");
HIDDEN void cxx_pure_virtual(void) __asm__("__cxa_pure_virtual");
HIDDEN void cxx_personality(void) __asm__("__gxx_personality_v0");
HIDDEN extern void *const cxx_class_info[16] __asm__(
    "_ZTVN10__cxxabiv117__class_type_infoE");
HIDDEN extern void *const cxx_si_class_info[16] __asm__(
    "_ZTVN10__cxxabiv120__si_class_type_infoE");

void *const cxx_class_info[16] = {NULL};
void *const cxx_si_class_info[16] = {NULL};

/* Nothing of the block is freed before the detection ends: it is thirty times
 * what one takes.  Other C++ in the program (a fuzzer's) has malloc(). */
void *
cxx_new(size_t size)
{
	void *p;

	size = (size + 15) & ~(size_t)15;
	if (block.bytes != NULL && size <= BLOCK_BYTES - block.used) {
		p = block.bytes + block.used;
		block.used += size;
		return p;
	}
	p = malloc(size);
	if (p == NULL)
		abort();
	return p;
}

void
cxx_delete(void *p)
{
	if (block.bytes == NULL || (char *)p < block.bytes ||
	    (char *)p >= block.bytes + BLOCK_BYTES)
		free(p);
}

void
cxx_pure_virtual(void)
{
	abort();
}

void
cxx_personality(void)
{
	abort();
}

const struct charset *
detect_charset(struct span bytes)
{
	const struct charset *found;
	uchardet_t detector;
	size_t first = 0;

	while (first < bytes.len && (unsigned char)bytes.data[first] < 0x80 &&
	    bytes.data[first] != '\033' && bytes.data[first] != '~')
		first++;
	if (first > BEFORE)
		bytes = (struct span){bytes.data + first - BEFORE,
		    bytes.len - first + BEFORE};
	if (bytes.len > LOOK_MAX)
		bytes.len = LOOK_MAX;
	block.bytes = malloc(BLOCK_BYTES);
	block.used = 0;
	if (block.bytes == NULL)
		return NULL;
	detector = uchardet_new();
	(void)uchardet_handle_data(detector, bytes.data, bytes.len);
	uchardet_data_end(detector);
	found = charset_find(span_of(uchardet_get_charset(detector)));
	uchardet_delete(detector);
	free(block.bytes);
	block.bytes = NULL;
	return found;
}
