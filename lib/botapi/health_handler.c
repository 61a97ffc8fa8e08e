/* GET /health-check: alive, whoever asks. */
#include "botapi/botapi_routes.h"

enum err
health_get(struct exchange *x)
{
	response_status(&x->response, 200);
	return response_send(&x->response, "application/json",
	    SPAN("{\"status\":\"ok\"}"));
}
