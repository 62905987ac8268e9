/* oci/creation - making a container from a bundle
 *
 * creation_begin checks all that can be checked before anything is made, and takes the id; creation_go makes the cgroup,
 * the namespaces and the process, runs the hooks and writes the record. What was made is taken back when it fails. */
#ifndef BRYO_OCI_CREATION_H
#define BRYO_OCI_CREATION_H

#include "oci/bundle.h"
#include "oci/handover.h"
#include "oci/hooks.h"
#include "oci/preserved.h"
#include "oci/record.h"
#include "run/run.h"

struct creation {
	struct oci *o;
	const struct oci_create_request *request;
	bool waits;			/* its process waits for a later start */
	bool has_no_process;		/* in the configuration: it can be created, not started */
	struct bundle bundle;
	struct record record;
	int dir_fd;			/* locked */
	int cgroup_fd, start_socket, created_lock;
	struct handover handover;
	int notify;			/* run: where the service says that it is ready; -1 */
	struct hook_output hook_output;
	bool hooks_ran;
	struct preserved preserved;
	struct run_hierarchies hierarchies;
	struct run_moments moments;
	struct strings warnings;
	struct run_plan *plan;
	struct run_process process;
};

int creation_begin(struct creation *c, struct oci *o, const struct oci_create_request *request, bool waits,
		   struct error *err);
/* Answers with the process in its last wait before (waits), or after it has executed its command. */
int creation_go(struct creation *c, struct error *err);
/* Two parts of it, for a process that was made by others: prestart and createRuntime, and the record with the pid file. */
int creation_run_hooks(struct creation *c, pid_t pid, struct error *err);
int creation_save(struct creation *c, pid_t pid, struct error *err);
/* Lets others work on the container and closes what is not needed any more. failed: takes back what was made. */
void creation_end(struct creation *c, bool failed);

#endif
