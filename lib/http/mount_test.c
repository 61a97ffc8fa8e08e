#include "http/mount.h"

#include <check.h>
#include <string.h>

Suite *mount_suite(void);

static const struct {
	const char *name;
	bool cgi;
	const char *path, *base, *script, *info;
	const char *mount, *rest;
} rows[] = {
    {"apache, .htaccess to chat.cgi/$1", true, "/app/v1/chat", "",
	"/app/chat.cgi", "/v1/chat", "/app", "/v1/chat"},
    {"apache, .htaccess to chat.cgi", true, "/app/v1/chat", "",
	"/app/chat.cgi", "", "/app", "/v1/chat"},
    {"apache, .htaccess in the root", true, "/v1/chat", "", "/chat.cgi",
	"/v1/chat", "", "/v1/chat"},
    {"apache, .htaccess in the root, another prefix", true, "/api/v1/chat",
	"", "/chat.cgi", "/v1/chat", "/api", "/v1/chat"},
    {"apache proxy_fcgi, SetHandler", false, "/v1/chat", "", "/v1", "/chat",
	"", "/v1/chat"},
    {"apache proxy_fcgi, ProxyPass", false, "/v1/chat", "", "/v1/chat", "",
	"", "/v1/chat"},
    {"apache mod_fcgid, a script", false, "/app/parlance.fcgi/v1/chat", "",
	"/app/parlance.fcgi", "/v1/chat", "/app/parlance.fcgi", "/v1/chat"},
    {"apache mod_fcgid, rewritten", false, "/app/v1/chat", "",
	"/app/parlance.fcgi", "/v1/chat", "/app", "/v1/chat"},
    {"apache ScriptAlias of a folder", true, "/api/v1/chat", "", "/api",
	"/v1/chat", "/api", "/v1/chat"},
    {"apache ScriptAlias of the path", true, "/v1/chat", "", "",
	"/v1/chat", "", "/v1/chat"},
    {"cgi-bin", true, "/cgi-bin/parlance.cgi/v1/chat", "",
	"/cgi-bin/parlance.cgi", "/v1/chat", "/cgi-bin/parlance.cgi",
	"/v1/chat"},
    {"cgi-bin, nothing behind", true, "/cgi-bin/parlance.cgi", "",
	"/cgi-bin/parlance.cgi", "", "/cgi-bin/parlance.cgi", ""},
    {"cgi-bin, a slash behind", true, "/cgi-bin/parlance.cgi/", "",
	"/cgi-bin/parlance.cgi", "/", "/cgi-bin/parlance.cgi", "/"},
    {"rewritten to a cgi-bin", true, "/api/v1/chat", "",
	"/cgi-bin/parlance.cgi", "/v1/chat", "/api", "/v1/chat"},
    {"rewritten to another path", true, "/talk", "",
	"/cgi-bin/parlance.cgi", "/v1/chat", "", "/v1/chat"},
    {"lighttpd fastcgi \"/v1/\"", false, "/v1/chat", "", "/v1/chat", "", "",
	"/v1/chat"},
    {"lighttpd fastcgi \"/v1/\", more", false, "/v1/chat/x", "", "/v1/chat",
	"/x", "", "/v1/chat/x"},
    {"lighttpd fastcgi \"/\"", false, "/v1/chat", "", "", "/v1/chat", "",
	"/v1/chat"},
    {"nginx fastcgi_params", false, "/v1/chat", "", "/v1/chat", "", "",
	"/v1/chat"},
    {"nginx and fcgiwrap", true, "/v1/chat", "", "/v1/chat", "", "",
	"/v1/chat"},
    {"nginx and fcgiwrap, PATH_INFO given", true, "/v1/chat", "",
	"/v1/chat", "/v1/chat", "", "/v1/chat"},
    {"a base path", false, "/app/v1/chat", "/app", "/app/v1/chat", "",
	"/app", "/v1/chat"},
    {"a base path, nothing behind", false, "/app", "/app", "/app", "",
	"/app", ""},
    {"a base path that is no whole segment", false, "/apple/v1/chat",
	"/app", "/apple/v1/chat", "", "", "/apple/v1/chat"},
    {"a base path that is not there", false, "/v1/chat", "/app", "/v1/chat",
	"", "", "/v1/chat"},
    {"doubled slashes stay the API's", true, "/app//v1/chat", "",
	"/app/chat.cgi", "/v1/chat", "/app", "//v1/chat"},
    {"doubled slashes inside", true, "/app/v1//chat", "", "/app/chat.cgi",
	"/v1/chat", "/app", "/v1//chat"},
};

START_TEST(splits)
{
	struct mount_input in = {
	    .cgi = rows[_i].cgi,
	    .path = span_of(rows[_i].path),
	    .base_path = span_of(rows[_i].base),
	    .script_name = span_of(rows[_i].script),
	    .path_info = span_of(rows[_i].info),
	};
	struct span mount, path;

	mount_split(&in, &mount, &path);
	ck_assert_msg(span_is(mount, rows[_i].mount) &&
	    span_is(path, rows[_i].rest), "%s: \"%.*s\" and \"%.*s\"",
	    rows[_i].name, (int)mount.len,
	    mount.data == NULL ? "" : mount.data, (int)path.len, path.data);
}
END_TEST

Suite *
mount_suite(void)
{
	Suite *s = suite_create("mount");
	TCase *t = tcase_create("servers");

	tcase_add_loop_test(t, splits, 0,
	    (int)(sizeof(rows) / sizeof(rows[0])));
	suite_add_tcase(s, t);
	return s;
}
