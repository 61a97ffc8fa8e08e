/* Connections and rows that most handlers begin with. */
#include "messagesapi/api_store.h"

#include "messagesapi/messagesapi.h"

enum err
api_store_open(struct exchange *x, const struct api_user *user,
    struct db **db, struct end_user_row *end_user)
{
	enum err err = store_lease(x->stores, db);

	if (err != ERR_NONE)
		return err;
	err = end_users_find(*db, messagesapi_caller(x)->app_id, user->name,
	    x->request.arena, end_user);
	if (err == ERR_NONE || err == ERR_NOT_FOUND)
		return ERR_NONE;
	store_return(x->stores, *db);
	*db = NULL;
	return err;
}

enum err
api_store_conversation(struct exchange *x, const struct api_user *user,
    struct span id, struct db **db, struct conversation_row *conversation)
{
	struct end_user_row end_user;
	char text[UUID_TEXT];
	enum err err = api_store_open(x, user, db, &end_user);

	if (err != ERR_NONE)
		return err;
	err = end_user.seq == 0
	    ? ERR_NOT_FOUND
	    : conversations_find(*db, end_user.seq, api_store_uuid(id, text),
		  x->request.arena, conversation);
	if (err == ERR_NONE)
		return ERR_NONE;
	store_return(x->stores, *db);
	*db = NULL;
	return err;
}

struct span
api_store_uuid(struct span captured, char out[UUID_TEXT])
{
	if (!uuid_parse(captured, out))
		out[0] = '\0'; /* names nothing */
	return span_of(out);
}
