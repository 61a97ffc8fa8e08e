/* Splitting a path into mount and rest; see the header. */
#include "http/mount.h"

/* Is prefix a whole number of segments at the front of path? */
static bool
stands_before(struct span prefix, struct span path)
{
	return prefix.len <= path.len &&
	    span_equal(prefix, (struct span){path.data, prefix.len}) &&
	    (prefix.len == path.len || path.data[prefix.len] == '/');
}

static void
cut_at(struct span whole, size_t at, struct span *mount, struct span *path)
{
	*mount = (struct span){whole.data, at};
	*path = (struct span){whole.data + at, whole.len - at};
}

/* Is the last segment the name of a program? */
static bool
names_program(const struct mount_input *in)
{
	struct span s = in->script_name;

	if (s.len == 0 || s.data[s.len - 1] == '/')
		return false;
	return span_ends(s, ".cgi") || span_ends(s, ".fcgi") ||
	    (in->cgi && in->path_info.len > 0);
}

static struct span
folder_of(struct span name)
{
	while (name.len > 0 && name.data[name.len - 1] != '/')
		name.len--;
	if (name.len > 0)
		name.len--;
	return name;
}

/* Where PATH_INFO begins as the tail of path; path.len + 1 when it is not,
 * or when a doubled slash would become part of the mount. */
static size_t
tail_at(const struct mount_input *in)
{
	size_t at = in->path.len - in->path_info.len;

	if (in->path_info.len == 0 || in->path_info.len > in->path.len ||
	    !span_equal(in->path_info,
	    (struct span){in->path.data + at, in->path_info.len}) ||
	    (at > 0 && in->path.data[at - 1] == '/'))
		return in->path.len + 1;
	return at;
}

void
mount_split(const struct mount_input *in, struct span *mount,
    struct span *path)
{
	struct span folder = folder_of(in->script_name);

	cut_at(in->path, 0, mount, path);
	if (in->base_path.len > 0 && stands_before(in->base_path, in->path)) {
		cut_at(in->path, in->base_path.len, mount, path);
		return;
	}
	if (!names_program(in) || span_equal(in->path_info, in->path))
		return;
	if (stands_before(in->script_name, in->path))
		cut_at(in->path, in->script_name.len, mount, path);
	else if (tail_at(in) <= in->path.len)
		cut_at(in->path, tail_at(in), mount, path);
	else if (stands_before(folder, in->path))
		cut_at(in->path, folder.len, mount, path);
	else if (in->path_info.len > 0) {
		*mount = SPAN_NONE;
		*path = in->path_info;
	}
}
