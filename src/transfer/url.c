#include "transfer/url.h"

#include <ctype.h>
#include <curl/curl.h>

#include "base/string.h"

static char *part(CURLU *u, CURLUPart which, unsigned flags, struct arena *arena)
{
	char *text = NULL, *copy;

	if (curl_url_get(u, which, &text, flags) != CURLUE_OK)
		return NULL;
	copy = arena_strdup(arena, text);
	curl_free(text);
	return copy;
}

static bool is_web(const char *scheme)
{
	return str_eq(scheme, "http") || str_eq(scheme, "https");
}

char *url_origin(struct arena *arena, const char *url)
{
	CURLU *u = curl_url();
	char *scheme, *host, *port, *text = NULL;

	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK) {
		scheme = part(u, CURLUPART_SCHEME, 0, arena);
		host = part(u, CURLUPART_HOST, 0, arena);
		port = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, arena);
		if (is_web(scheme) && host && port)
			text = arena_printf(arena, "%s://%s:%s", scheme, host, port);
	}
	curl_url_cleanup(u);
	for (char *c = text; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return text;
}

bool url_same_host(struct arena *arena, const char *a, const char *b)
{
	const char *one = url_origin(arena, a), *other = url_origin(arena, b);

	if (!one || !other)
		return false;
	one = strstr(one, "://");
	other = strstr(other, "://");
	return strrchr(one, ':') - one == strrchr(other, ':') - other &&
	       strncmp(one, other, (size_t)(strrchr(one, ':') - one)) == 0;
}

char *url_resolve(struct arena *arena, const char *base, const char *location, struct error *err)
{
	CURLU *u = curl_url();
	char *url = NULL, *scheme = NULL;

	if (u && curl_url_set(u, CURLUPART_URL, base, 0) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_URL, location, 0) == CURLUE_OK) {
		curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
		url = part(u, CURLUPART_URL, 0, arena);
		scheme = part(u, CURLUPART_SCHEME, 0, arena);
	}
	curl_url_cleanup(u);
	if (!url || !is_web(scheme))
		error_set(err, ERROR_NETWORK, "the registry names %s, which is no http or https address",
			  str_printable(arena, location, 200));
	else if (str_starts(base, "https://") && str_eq(scheme, "http"))
		error_set(err, ERROR_NETWORK, "the registry leads from https to http, which is refused");
	else
		return url;
	return NULL;
}

char *url_add_parameter(struct arena *arena, const char *url, const char *name, const char *value)
{
	char *escaped = curl_easy_escape(NULL, value, 0), *text;
	const char *query = strchr(url, '?');

	text = arena_printf(arena, "%s%s%s=%s", url, !query ? "?" : query[1] ? "&" : "", name, escaped ? escaped : "");
	curl_free(escaped);
	return text;
}
