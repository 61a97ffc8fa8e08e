/* Prices by the rule of contracts/chat-messages.md 4; see the header. */
#include "usage/pricing.h"

#include "base/decimal.h"
#include "json/jsonout.h"

#define PRICE_PLACES 7

static enum err
price(int64_t tokens, const char *unit_price, const char *price_unit,
    struct decimal *out)
{
	struct decimal unit, multiplier, d = {tokens, 0};

	if (!decimal_parse(unit_price, &unit) ||
	    !decimal_parse(price_unit, &multiplier))
		return ERR_INPUT;
	if (decimal_multiply(d, unit, &d) != ERR_NONE ||
	    decimal_multiply(d, multiplier, &d) != ERR_NONE)
		return ERR_TOO_BIG;
	*out = decimal_round(d, PRICE_PLACES);
	return ERR_NONE;
}

enum err
pricing_apply(const struct price_list *list, int64_t prompt_tokens,
    int64_t completion_tokens, struct usage *usage)
{
	static const char none[] = "0.0";
	struct decimal prompt, completion, total;
	enum err err;

	*usage = (struct usage){
	    .prompt_tokens = prompt_tokens,
	    .completion_tokens = completion_tokens,
	    .total_tokens = prompt_tokens + completion_tokens,
	    .prompt_unit_price = none,
	    .prompt_price_unit = none,
	    .completion_unit_price = none,
	    .completion_price_unit = none,
	    .prompt_price = "0.0",
	    .completion_price = "0.0",
	    .total_price = "0.0",
	    .currency = "USD",
	};
	if (list == NULL || list->prompt_unit_price == NULL)
		return ERR_NONE;
	usage->prompt_unit_price = list->prompt_unit_price;
	usage->prompt_price_unit = list->prompt_price_unit;
	usage->completion_unit_price = list->completion_unit_price;
	usage->completion_price_unit = list->completion_price_unit;
	if (list->currency != NULL)
		usage->currency = list->currency;
	err = price(prompt_tokens, list->prompt_unit_price,
	    list->prompt_price_unit, &prompt);
	if (err == ERR_NONE)
		err = price(completion_tokens, list->completion_unit_price,
		    list->completion_price_unit, &completion);
	/* The sum of the rounded prices, so that the figures add up. */
	if (err == ERR_NONE)
		err = decimal_add(prompt, completion, &total);
	if (err == ERR_NONE)
		err = decimal_text(prompt, usage->prompt_price, PRICE_TEXT);
	if (err == ERR_NONE)
		err = decimal_text(completion, usage->completion_price,
		    PRICE_TEXT);
	if (err == ERR_NONE)
		err = decimal_text(total, usage->total_price, PRICE_TEXT);
	return err;
}

void
usage_json(struct buf *out, const struct usage *u)
{
	buf_addc(out, '{');
	jsonout_member_int(out, "prompt_tokens", u->prompt_tokens);
	jsonout_member_cstring(out, "prompt_unit_price",
	    u->prompt_unit_price);
	jsonout_member_cstring(out, "prompt_price_unit",
	    u->prompt_price_unit);
	jsonout_member_cstring(out, "prompt_price", u->prompt_price);
	jsonout_member_int(out, "completion_tokens", u->completion_tokens);
	jsonout_member_cstring(out, "completion_unit_price",
	    u->completion_unit_price);
	jsonout_member_cstring(out, "completion_price_unit",
	    u->completion_price_unit);
	jsonout_member_cstring(out, "completion_price", u->completion_price);
	jsonout_member_int(out, "total_tokens", u->total_tokens);
	jsonout_member_cstring(out, "total_price", u->total_price);
	jsonout_member_cstring(out, "currency", u->currency);
	jsonout_member_double(out, "latency", u->latency_s);
	buf_addc(out, '}');
}
