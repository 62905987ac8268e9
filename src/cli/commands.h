/* cli/commands - every command's table entry, defined in the file of its family */
#ifndef BRYO_CLI_COMMANDS_H
#define BRYO_CLI_COMMANDS_H

#include "base/args.h"

#define CLI_COMMANDS(X)                                                                                              \
	X(run) X(create) X(start) X(stop) X(restart) X(kill) X(pause) X(unpause) X(rm) X(init) X(wait)               \
	X(ps) X(exec) X(attach) X(logs) X(top) X(stats) X(update) X(port) X(rename) X(cp)         \
	X(commit) X(diff) X(export) X(mount) X(unmount)                                                              \
	X(pull) X(push) X(save) X(load) X(import) X(images) X(history) X(tag) X(untag) X(rmi) X(login) X(logout)     \
	X(image_diff) X(container_diff) X(image_mount) X(image_unmount) X(volume_mount) X(volume_unmount)            \
	X(volume_export) X(volume_import) X(system_df) X(system_reset) X(image_tree) X(search)                       \
	X(container) X(container_exists) X(container_prune) X(container_inspect) X(container_cleanup)                \
	X(container_restart_now)                                                                                     \
	X(image) X(image_exists) X(image_prune) X(image_inspect) X(image_trust) X(image_trust_show)                  \
	X(image_trust_set)                                                                                           \
	X(manifest) X(manifest_create) X(manifest_add) X(manifest_annotate) X(manifest_inspect) X(manifest_push)     \
	X(manifest_remove) X(manifest_rm) X(manifest_exists)                                                         \
	X(volume) X(volume_create) X(volume_ls) X(volume_inspect) X(volume_rm) X(volume_prune) X(volume_exists)      \
	X(network) X(network_create) X(network_ls) X(network_inspect) X(network_rm) X(network_prune)                 \
	X(network_exists) X(network_connect) X(network_disconnect) X(network_reload) X(network_update)                                                                                            \
	X(system) X(system_migrate) X(system_prune) X(system_check) X(inspect) X(info) X(version) X(events) X(unshare)             \
	X(oci) X(explain) X(help) X(completion) X(complete) X(man)

#define CLI_DECLARE_COMMAND(name) extern const struct command name##_command;
CLI_COMMANDS(CLI_DECLARE_COMMAND)

#define TOPIC_CONTAINERS "Containers"
#define TOPIC_IMAGES "Images"
#define TOPIC_VOLUMES "Volumes"
#define TOPIC_SYSTEM "System"

/* Options of run and create (create_options.c), and those of run alone. */
extern const struct option create_options[], run_only_options[];
/* Options of every command that talks to a registry are spelled alike; their fields differ, hence macros. */
#define OPT_AUTHFILE(structure, member) \
	OPT_STRING(0, "authfile", structure, member, "FILE", "File with registry credentials, also from REGISTRY_AUTH_FILE", \
		   .complete = COMPLETE_FILES)
#define OPT_TLS_VERIFY(structure, member) \
	OPT_STRING(0, "tls-verify", structure, member, "true|false", "Require HTTPS and check certificates", \
		   .implied = "true", .words = "true|false")

#define OPT_SIGNATURE_POLICY(structure, member) \
	OPT_STRING(0, "signature-policy", structure, member, "FILE", "Policy of trust instead of policy.json", \
		   .complete = COMPLETE_FILES, .flags = OPTION_HIDDEN)

#endif
