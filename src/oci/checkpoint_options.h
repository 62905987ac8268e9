/* oci/checkpoint_options - what checkpoint and restore tell criu in the same words */
#ifndef BRYO_OCI_CHECKPOINT_OPTIONS_H
#define BRYO_OCI_CHECKPOINT_OPTIONS_H

#include "oci/checkpoint.h"
#include "oci/criu.h"

#define CHECKPOINT_STREAMS "descriptors.json"
#define CHECKPOINT_MOUNTS "external-mounts.json"

/* The directories of one call, open. */
struct checkpoint_paths {
	char *images, *work, *log;	/* absolute; work NULL when it is the images' */
	int images_fd, work_fd;		/* work_fd: 0 when it is the images' */
};
/* make: the directory of the images too. log: the file's name. */
int checkpoint_paths_open(struct arena *arena, const char *images, const char *work, bool make, const char *log,
			  struct checkpoint_paths *ret, struct error *err);
/* The same directories again, as they are in another mount namespace: criu mounts things there. */
int checkpoint_paths_reopen(struct checkpoint_paths *p, struct error *err);
void checkpoint_paths_close(struct checkpoint_paths *p);

int checkpoint_cgroup_mode(const char *word, int *ret, struct error *err);
/* word NULL: 0 where criu's default works, another where only that does. */
int checkpoint_network_lock(const struct criu *c, const char *word, int *ret, struct error *err);
/* The namespaces whose configuration is not kept; those of a network that hooks set up are among them. */
int checkpoint_empty_namespaces(const struct oci_spec *spec, const struct strings *asked, int *ret, struct error *err);
/* The annotation org.criu.config, else /etc/criu/bryo.conf and runc's; NULL: none. */
char *checkpoint_config_file(struct arena *arena, const struct string_map *annotations);
/* The namespace of a kind that the configuration gives a path; NULL: none. */
const struct oci_namespace *checkpoint_namespace(const struct oci_spec *spec, const char *type);

#endif
