/* The operation `login`: does the registry accept these credentials? */
#include "transfer/exchange.h"

int op_login(struct work *w, const struct transfer_request *request, struct transfer_event *ret, struct error *err)
{
	struct registry *r = registry_open(w, request, err);
	struct exchange x;
	int result = 0;

	if (!r)
		return -1;
	exchange_init(&x, r);
	x.path = "/v2/";
	x.body_max = 64 << 10;
	if (exchange_run(&x) < 0 || (x.status != 200 && x.status != 401 && x.status != 403)) {
		result = exchange_failure(&x, "login", err);
	} else if (x.status != 200) {
		result = error_set(err, ERROR_UNAUTHORIZED, "logging into \"%s\": invalid username/password", r->shown_host);
	}
	if (result < 0 && error_is(err, ERROR_UNAUTHORIZED))
		err->hint[0] = '\0';		/* it would say: log in */
	exchange_done(&x);
	return result;
}
