#include "site/site_reply.h"

#include "json/jsonout.h"

static const struct {
	int status;
	const char *code, *message;
} refusals[] = {
#define X(name, status, code, message) {status, code, message},
    SITE_REFUSALS(X)
#undef X
};

enum err
site_refuse(struct exchange *x, enum site_refusal why)
{
	struct buf body = BUF_INIT(1024);
	enum err err;

	err = response_header(&x->response, "Cache-Control", SPAN("no-store"));
	if (err != ERR_NONE)
		return err;
	buf_addc(&body, '{');
	jsonout_member_cstring(&body, "code", refusals[why].code);
	jsonout_member_cstring(&body, "message", refusals[why].message);
	jsonout_member_int(&body, "status", refusals[why].status);
	buf_addc(&body, '}');
	err = response_send_json(&x->response, refusals[why].status, &body);
	buf_release(&body);
	return err == ERR_NONE ? ERR_ANSWERED : err;
}

enum err
site_failed(struct exchange *x, enum err why)
{
	switch (why) {
	case ERR_STORE:
	case ERR_STORE_BUSY:
	case ERR_STORE_FULL:
	case ERR_STORE_READONLY:
	case ERR_STORE_CORRUPT:
		return site_refuse(x, SITE_REFUSED_STORE);
	default:
		return site_refuse(x, SITE_REFUSED_INTERNAL);
	}
}
