/* transfer/registry - one repository at one registry: how it is reached, who we are there
 *
 * Keeps the connections (a curl multi handle), the scheme once it is known and the token between requests. */
#ifndef BRYO_TRANSFER_REGISTRY_H
#define BRYO_TRANSFER_REGISTRY_H

#include "transfer/challenge.h"
#include "transfer/work.h"

struct registry {
	struct arena *arena;
	char *host;			/* where to connect: "registry-1.docker.io", "127.0.0.1:5000" */
	char *shown_host;		/* as the user knows it: "docker.io" */
	char *path;
	bool insecure;
	char *username, *password, *identity_token;
	char *certs_dir, *client_cert, *client_key;
	const char *scheme;		/* "https" or "http" */
	bool scheme_is_known;
	void *multi;			/* CURLM */
	enum challenge_scheme authorization_scheme;
	char *authorization;		/* what follows "Authorization: "; NULL: none */
	unsigned token_number;		/* counts tokens got */
	struct strings scopes;		/* what a token shall allow, whatever a challenge names; none: what it names */
	int64_t retries, retry_delay_ms;	/* 0: longer each time */
};

/* The work's registry for a source: the one there is, or a new one. */
struct registry *registry_open(struct work *w, const struct transfer_request *r, struct error *err);
void registry_free(struct registry *r);
/* From now on tokens are for pushing to the repository and pulling from the others at the same registry. */
void registry_will_push(struct registry *r, const struct strings *others);
/* Answers a challenge: fills r->authorization. */
int registry_authorize(struct registry *r, const struct challenges *challenges, struct error *err);
/* Text of a stranger for a message: control bytes out, at most 300 bytes. */
char *registry_printable(struct arena *arena, const char *text, size_t n);

work_op op_manifest, op_look, op_login, op_tags, op_search, op_download;

#endif
