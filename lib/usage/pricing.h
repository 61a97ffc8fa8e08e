/*
 * Exact prices (contracts/chat-messages.md 4): tokens x unit price x price
 * unit, rounded to 7 decimals half up, the total the sum of the two rounded
 * prices.  Decimal from text to text, never binary floating point.
 */
#ifndef PARLANCE_PRICING_H
#define PARLANCE_PRICING_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"

#define PRICE_TEXT 64

struct usage {
	int64_t prompt_tokens, completion_tokens, total_tokens;
	const char *prompt_unit_price, *prompt_price_unit;
	const char *completion_unit_price, *completion_price_unit;
	char prompt_price[PRICE_TEXT], completion_price[PRICE_TEXT];
	char total_price[PRICE_TEXT];
	const char *currency;
	double latency_s;
};

/* Fills *usage; the texts of *list are borrowed.  Without a list all prices
 * are "0.0" and the currency "USD".  ERR_TOO_BIG when a price does not fit;
 * the tokens must not be negative. */
enum err pricing_apply(const struct price_list *list, int64_t prompt_tokens,
    int64_t completion_tokens, struct usage *usage)
    __attribute__((warn_unused_result));

/* The JSON object of section 4. */
void usage_json(struct buf *out, const struct usage *usage);

#endif
