#include "transfer/tls.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "sys/fd.h"

/* "NAME.cert" of a client, or "NAME.key": its other half. NULL: it is neither. */
static char *other_half(struct registry *r, const char *name)
{
	static const char *const ends[] = { ".cert", ".key" };

	for (size_t i = 0; i < ELEMENTS(ends); i++)
		if (str_ends(name, ends[i]))
			return arena_printf(r->arena, "%.*s%s", (int)(strlen(name) - strlen(ends[i])), name,
					    ends[1 - i]);
	return NULL;
}

int tls_find_client(struct registry *r, struct error *err)
{
	_cleanup_dir_ DIR *dir = r->certs_dir ? fd_opendir(AT_FDCWD, r->certs_dir) : NULL;
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		char *other = other_half(r, d->d_name);

		if (!other)
			continue;
		if (faccessat(dirfd(dir), other, R_OK, 0) < 0)
			return error_errno(err, "%s/%s belongs to %s", r->certs_dir, d->d_name, other);
		if (!str_ends(d->d_name, ".cert") || r->client_cert)
			continue;
		r->client_cert = arena_printf(r->arena, "%s/%s", r->certs_dir, d->d_name);
		r->client_key = arena_printf(r->arena, "%s/%s", r->certs_dir, other);
	}
	return 0;
}

/* *.crt in the directory are authorities besides the system's. */
static CURLcode add_authorities(CURL *easy, void *context, void *parameter)
{
	struct registry *r = parameter;
	_cleanup_dir_ DIR *dir = fd_opendir(AT_FDCWD, r->certs_dir);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (str_ends(d->d_name, ".crt") &&
		    !SSL_CTX_load_verify_locations(context, arena_printf(r->arena, "%s/%s", r->certs_dir, d->d_name),
						   NULL))
			return CURLE_SSL_CACERT_BADFILE;
	return CURLE_OK;
}

void tls_setup(CURL *easy, struct registry *r, bool own_host)
{
	bool verify = !r->insecure || !own_host;

	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
	if (own_host && r->certs_dir) {
		curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, add_authorities);
		curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, r);
	} else {
		curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, NULL);
	}
	curl_easy_setopt(easy, CURLOPT_SSLCERT, own_host ? r->client_cert : NULL);
	curl_easy_setopt(easy, CURLOPT_SSLKEY, own_host ? r->client_key : NULL);
}
