#include "transfer/tls.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "sys/fd.h"

void tls_find_client(struct registry *r)
{
	_cleanup_dir_ DIR *dir = r->certs_dir ? fd_opendir(AT_FDCWD, r->certs_dir) : NULL;
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		char *stem, *key;

		if (!str_ends(d->d_name, ".cert"))
			continue;
		stem = arena_strndup(r->arena, d->d_name, strlen(d->d_name) - strlen(".cert"));
		key = arena_printf(r->arena, "%s/%s.key", r->certs_dir, stem);
		if (access(key, R_OK) < 0)
			continue;
		r->client_cert = arena_printf(r->arena, "%s/%s", r->certs_dir, d->d_name);
		r->client_key = key;
		return;
	}
}

/* *.crt in the directory are authorities besides the system's. */
static CURLcode add_authorities(CURL *easy, void *context, void *parameter)
{
	struct registry *r = parameter;
	_cleanup_dir_ DIR *dir = fd_opendir(AT_FDCWD, r->certs_dir);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (str_ends(d->d_name, ".crt"))
			SSL_CTX_load_verify_locations(context, arena_printf(r->arena, "%s/%s", r->certs_dir, d->d_name), NULL);
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
