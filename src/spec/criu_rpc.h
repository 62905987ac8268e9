/* spec/criu_rpc - requests to criu and its answers, as its "swrk" mode takes and gives them
 *
 * criu speaks Protocol Buffers (its images/rpc.proto). The few messages that a runtime needs are a table of fields here:
 * that is less than a library and its generated code. Members that are zero or empty are not sent, so criu's defaults
 * hold. */
#ifndef BRYO_SPEC_CRIU_RPC_H
#define BRYO_SPEC_CRIU_RPC_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/string.h"

enum criu_type {
	CRIU_DUMP = 1, CRIU_RESTORE = 2, CRIU_CHECK = 3, CRIU_PRE_DUMP = 4, CRIU_NOTIFY = 6, CRIU_FEATURE_CHECK = 9,
	CRIU_VERSION = 10,
};

enum criu_cgroup_mode { CRIU_CGROUP_IGNORE, CRIU_CGROUP_NONE, CRIU_CGROUP_PROPS, CRIU_CGROUP_SOFT, CRIU_CGROUP_FULL,
			CRIU_CGROUP_STRICT };
enum criu_network_lock { CRIU_LOCK_IPTABLES = 1, CRIU_LOCK_NFTABLES, CRIU_LOCK_SKIP };

struct criu_inherited { char *key; int fd; };	/* what was key in the image is this descriptor now */

struct criu_options {
	int images_fd, work_fd;		/* directories, open in the caller; work_fd 0: the images' */
	int pid;
	int log_level;
	char *log_file, *config_file;
	char *root;
	char *parent;			/* images of a pre-dump, relative to this dump's */
	char *freeze_cgroup;		/* a directory */
	char *page_address;		/* of a page server */
	int page_port;
	char *lsm_profile, *lsm_mount_context;
	bool leave_running, ext_unix_sk, tcp_established, evasive_devices, shell_job, file_locks, track_mem, auto_dedup,
	     lazy_pages, orphan_pts_master, notify_scripts, restore_sibling, external_masters, skip_permissions;
	bool manages_cgroups;		/* then the mode counts, which may be 0 */
	int cgroup_mode;		/* enum criu_cgroup_mode */
	int network_lock;		/* enum criu_network_lock; 0: criu's default */
	int empty_ns;			/* CLONE_NEW* */
	struct string_map mounts;	/* external ones: on dump where and its name, on restore its name and the source */
	struct string_map cgroup_roots;	/* controllers ("": the unified hierarchy) and path */
	struct string_map join;		/* namespaces to be entered on restore: kind and file */
	struct strings external;	/* "net[4026531840]:name" */
	ARRAY(struct criu_inherited) inherited;
};

struct criu_request {
	enum criu_type type;
	const struct criu_options *options;	/* NULL: none */
	bool success;			/* CRIU_NOTIFY: the answer to one */
	bool mem_track, lazy_pages;	/* CRIU_FEATURE_CHECK: what is asked about */
};
/* -1 with errno of the buffer. */
int criu_request_encode(const struct criu_request *r, struct buffer *out);

struct criu_answer {
	unsigned type;
	bool success;
	int pid;			/* of the restored process, or of the one that a notification is about; 0 */
	char *script;			/* what a notification tells: "post-restore" */
	int error;			/* an errno; 0 */
	char *message;			/* criu's first error; NULL from old ones */
	bool mem_track, lazy_pages;
	int major, minor, sublevel;
};
/* -1 with EBADMSG. */
int criu_answer_decode(struct arena *arena, const void *p, size_t n, struct criu_answer *ret);

#endif
