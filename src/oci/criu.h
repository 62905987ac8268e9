/* oci/criu - the program criu: found, asked, listened to while it works
 *
 * criu is started once a request ("criu swrk"), speaks over a socket, and ends. It works as root only. What it says on a
 * failure is its first error; when criu does not work on this machine at all, that is said instead. */
#ifndef BRYO_OCI_CRIU_H
#define BRYO_OCI_CRIU_H

#include "oci/oci.h"
#include "spec/criu_rpc.h"

#define CRIU_VERSION_MIN 31500		/* external pid namespaces, the freezer of cgroup2 */

struct criu {
	struct oci *o;
	char *program;
	int version;			/* 31701 is 3.17.1 */
};
/* what: "checkpoint" or "restore", for errors. */
int criu_find(struct oci *o, const char *what, struct criu *ret, struct error *err);

struct criu_call {
	enum criu_type type;
	const struct criu_options *options;
	const char *log;		/* where criu writes its log, for errors */
	bool own_stdio;			/* criu gets the caller's standard streams, else none */
	const int *pass;		/* descriptors that it inherits under their numbers */
	size_t pass_n;
	/* All may be NULL; -1 with err ends it. started: before criu has its request. notified: fd is -1, or one that the
	 * callee owns from then on. */
	int (*started)(void *context, pid_t pid, struct error *err);
	int (*notified)(void *context, const char *script, pid_t pid, int fd, struct error *err);
	void *context;
};
/* *ret_pid: of the restored process, the caller's child; may be NULL. */
int criu_do(const struct criu *c, const struct criu_call *call, pid_t *ret_pid, struct error *err);
/* "mem_track" or "lazy_pages": can criu do that on this kernel? */
bool criu_has(const struct criu *c, const char *feature);

#endif
