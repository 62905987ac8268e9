#include "transfer/errand.h"

#include "sys/clock.h"

#define WAIT_MS 1000

void errand_begin(struct errands *all, struct errand *e, const struct errand_kind *kind, void *context)
{
	e->among = all;
	e->next = all->all;
	all->all = e;
	e->kind = kind;
	e->context = context;
	all->running++;
}

void errand_drop(struct errand *e)
{
	if (e->asked) {
		curl_multi_remove_handle(e->among->registry->multi, e->x.easy);
		exchange_done(&e->x);
	}
	e->asked = e->pausing = false;
}

void errand_end(struct errand *e)
{
	errand_drop(e);
	e->among->running--;
}

struct exchange *errand_question(struct errand *e)
{
	errand_drop(e);
	exchange_init(&e->x, e->among->registry);
	e->x.errand = e;
	e->x.context = e->context;
	e->asked = true;
	return &e->x;
}

int errand_ask(struct errand *e)
{
	if (exchange_prepare(&e->x) == 0 && curl_multi_add_handle(e->among->registry->multi, e->x.easy) == CURLM_OK)
		return 0;
	return error_set(&e->x.error, ERROR_FAILED, "libcurl: out of memory");
}

bool errand_may_retry(struct errand *e)
{
	e->tries++;
	e->all_tries++;
	return e->tries <= e->among->registry->retries && e->all_tries < ERRAND_TRIES_MAX;
}

void errand_pause(struct errand *e, int64_t ms)
{
	e->pausing = true;
	e->wake_ms = clock_now_ms() + ms;
}

static void hear(struct errand *e, CURLcode code)
{
	curl_multi_remove_handle(e->among->registry->multi, e->x.easy);
	if (exchange_ended(&e->x, code) != EXCHANGE_AGAIN || errand_ask(e) < 0)
		e->kind->answered(e, code);
}

/* Handles what ended and wakes what paused; answers how long nothing else is due. */
static int move_on(struct errands *all, struct error *err)
{
	int running, left, timeout = WAIT_MS;
	int64_t now;
	CURLMsg *m;

	if (curl_multi_perform(all->registry->multi, &running) != CURLM_OK)
		return error_set(err, ERROR_FAILED, "libcurl gave up");
	while ((m = curl_multi_info_read(all->registry->multi, &left))) {
		CURLcode code = m->data.result;
		struct exchange *x = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x);
		hear(x->errand, code);
		timeout = 0;
	}
	now = clock_now_ms();
	for (struct errand *e = all->all; e; e = e->next) {
		if (e->pausing && e->wake_ms <= now) {
			e->pausing = false;
			e->kind->wake(e);
			timeout = 0;
		} else if (e->pausing && e->wake_ms - now < timeout) {
			timeout = (int)(e->wake_ms - now);
		}
	}
	return timeout;
}

int errand_wait(struct errands *all, struct pollfd *fds, size_t n, struct error *err)
{
	struct curl_waitfd wait[64];
	int timeout = move_on(all, err);

	if (timeout < 0)
		return -1;
	n = n < ELEMENTS(wait) ? n : ELEMENTS(wait);
	for (size_t i = 0; i < n; i++)
		wait[i] = (struct curl_waitfd){ .fd = fds[i].fd, .events = CURL_WAIT_POLLIN };
	if (timeout > 0 && all->running + n > 0)
		curl_multi_poll(all->registry->multi, wait, (unsigned)n, timeout, NULL);
	return 0;
}
