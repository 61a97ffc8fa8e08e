/* GET /end-users/{uuid} */
#include "messagesapi/handlers.h"

#include "json/jsonout.h"
#include "messagesapi/api_store.h"
#include "messagesapi/iso_time.h"
#include "messagesapi/messagesapi.h"
#include "messagesapi/reply.h"

static void
end_user_json(struct buf *out, const char *tenant, const char *app,
    const struct end_user_row *u)
{
	buf_addc(out, '{');
	jsonout_member_cstring(out, "id", u->id);
	jsonout_member_cstring(out, "tenant_id", tenant);
	jsonout_member_cstring(out, "app_id", app);
	jsonout_member_cstring(out, "type", "service-api");
	jsonout_member(out, "external_user_id", u->name);
	jsonout_member_null(out, "name");
	jsonout_member_bool(out, "is_anonymous", u->anonymous);
	jsonout_member(out, "session_id", u->name);
	iso_time_member(out, "created_at", u->created_us);
	iso_time_member(out, "updated_at", u->updated_us);
	buf_addc(out, '}');
}

enum err
end_user_get(struct exchange *x)
{
	const char *app = messagesapi_caller(x)->app_id;
	struct buf body = BUF_INIT(REPLY_MAX);
	struct end_user_row user;
	char tenant[UUID_TEXT], uuid[UUID_TEXT];
	struct db *db;
	enum err err = store_lease(x->stores, &db);

	if (err != ERR_NONE)
		return err;
	err = end_users_get(db, app, api_store_uuid(x->captures[0], uuid),
	    x->request.arena, &user);
	store_return(x->stores, db);
	if (err == ERR_NOT_FOUND)
		return reply_error(x, REPLY_END_USER);
	if (err != ERR_NONE)
		return err;
	messagesapi_tenant(x, tenant);
	end_user_json(&body, tenant, app, &user);
	return reply_json(x, 200, &body);
}
