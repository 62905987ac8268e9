/* cli/push - what push and manifest push share */
#ifndef BRYO_CLI_PUSH_H
#define BRYO_CLI_PUSH_H

#include "cli/cli.h"
#include "engine/push.h"

#define OPT_REGISTRY_ACCESS(structure, member)                                                                  \
	OPT_AUTHFILE(structure, member.authfile),                                                               \
	OPT_STRING(0, "creds", structure, member.creds, "USER[:PASSWORD]", "Credentials for the registry"),     \
	OPT_STRING(0, "cert-dir", structure, member.cert_dir, "DIR", "Certificates and keys for the registry",  \
		   .complete = COMPLETE_DIRECTORIES),                                                           \
	OPT_TLS_VERIFY(structure, member.tls_verify)

#define OPT_PUSH(structure)                                                                                     \
	OPT_STRING(0, "digestfile", structure, digestfile, "FILE", "Write the digest of what was pushed into a file", \
		   .complete = COMPLETE_FILES),                                                                 \
	OPT_REGISTRY_ACCESS(structure, access),                                                                 \
	OPT_INT(0, "retry", structure, retry, "N", "How often to try again (default 3)"),                       \
	OPT_STRING(0, "retry-delay", structure, retry_delay, "DURATION",                                        \
		   "How long to wait before (default longer each time)"),                                       \
	OPT_IGNORED(0, "remove-signatures", NULL),                                                              \
	OPT_IGNORED(0, "disable-content-trust", NULL),                                                          \
	OPT_STRING(0, "sign-by", structure, sign.by, "KEY",                                                     \
		   "Sign with this key of gpg's, into the lookaside of registries.d"),                          \
	OPT_STRING(0, "sign-by-sigstore-private-key", structure, sign.private_key, "FILE",                      \
		   "Sign with a private key (PEM), beside the image", .complete = COMPLETE_FILES),              \
	OPT_STRING(0, "sign-passphrase-file", structure, sign.passphrase_file, "FILE",                          \
		   "Passphrase of the key that signs", .complete = COMPLETE_FILES),                             \
	OPT_UNSUPPORTED("sign-by-sigstore", "name the key with --sign-by-sigstore-private-key"),                \
	OPT_UNSUPPORTED("encryption-key", "encrypted images are not written"),                                  \
	OPT_UNSUPPORTED("encrypt-layer", "encrypted images are not written")

/* Defaults that depend on what was given. */
void push_prepare(struct cli *cli, const struct args *args, struct push_request *r);

#endif
