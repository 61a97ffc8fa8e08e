/* POST /v1/user/usage-statistics: every day of the period, with zeros where
 * nothing was used, and their sum (contracts/chat.md 9). */
#include "auth/caller.h"
#include "botapi/botapi_errors.h"
#include "botapi/botapi_requests.h"
#include "botapi/botapi_routes.h"
#include "json/jsonout.h"
#include "store/store.h"
#include "usage/usage_rows.h"

#define BODY_MAX ((size_t)4 << 20)

/* "enchancement" is how the API spells it. */
static void
write_counts(struct buf *out, const struct usage_counts *c)
{
	jsonout_member_int(out, "original_tokens", c->original_tokens);
	jsonout_member_int(out, "enchancement_tokens", c->enhancement_tokens);
	jsonout_member_int(out, "response_tokens", c->response_tokens);
	jsonout_member_int(out, "total_tokens", c->original_tokens +
	        c->enhancement_tokens + c->response_tokens);
	jsonout_member_int(out, "original_words", c->original_words);
	jsonout_member_int(out, "enchancement_words", c->enhancement_words);
	jsonout_member_int(out, "response_words", c->response_words);
	jsonout_member_int(out, "total_words", c->original_words +
	        c->enhancement_words + c->response_words);
}

static void
write_items(struct buf *out, int32_t first, int32_t last,
    const struct usage_day *days, size_t n)
{
	static const struct usage_counts nothing = {0};
	char date[DATE_TEXT];
	int32_t day;
	size_t i = 0;

	for (day = first; day <= last; day++) {
		bool used = i < n && days[i].day == day;

		jsonout_comma(out);
		buf_addc(out, '{');
		write_counts(out, used ? &days[i++].counts : &nothing);
		date_text(day, date);
		jsonout_member_cstring(out, "date", date);
		buf_addc(out, '}');
	}
}

static enum err
send_statistics(struct exchange *x, const struct statistics_request *r,
    const struct usage_day *days, size_t n)
{
	struct buf body = BUF_INIT(BODY_MAX);
	struct usage_counts total = {0};
	enum err err;
	size_t i;

	for (i = 0; i < n; i++)
		usage_counts_add(&total, &days[i].counts);
	buf_adds(&body, "{\"total\":{");
	write_counts(&body, &total);
	buf_addc(&body, '}');
	jsonout_name(&body, "items");
	buf_addc(&body, '[');
	write_items(&body, r->start_date.day, r->end_date.day, days, n);
	buf_adds(&body, "]}");
	err = response_send_json(&x->response, 200, &body);
	buf_release(&body);
	return err;
}

enum err
usage_statistics_post(struct exchange *x)
{
	struct statistics_request r;
	struct usage_day *days;
	struct db *db;
	size_t n;
	enum err err;

	err = botapi_read(x, &statistics_request_model, &r);
	if (err != ERR_NONE)
		return err;
	err = store_lease(x->stores, &db);
	if (err != ERR_NONE)
		return err;
	err = usage_rows_days(db, x->caller->key->name, r.user_id.digits,
	    r.start_date.day, r.end_date.day, x->request.arena, &days, &n);
	store_return(x->stores, db);
	if (err != ERR_NONE)
		return err;
	return send_statistics(x, &r, days, n);
}
