#include "cli/codes.h"

#include <stddef.h>
#include <string.h>

const struct code codes[] = {
	{ "already-exists", "there is one already",
	  "What is to be made exists. Choose another name, or remove the old one first." },
	{ "bad-value", "an option's value is not one that it takes",
	  "The message names the option and says what it expects. `bryo COMMAND --help` shows the form of each value." },
	{ "command-not-found", "the container's command does not exist in it",
	  "The command was looked for in the container's own PATH and files, not in the host's. Look what the image has, for "
	  "example with `bryo run --rm --entrypoint /bin/ls IMAGE -l /usr/bin`, or give the full path. A script whose #! line "
	  "names a missing interpreter counts as missing, too, and so does a program for another C library. Exit code 127." },
	{ "denied", "the kernel or a policy refuses it",
	  "The message ends with what was refused. For a path of a container, `bryo explain CONTAINER PATH` tells which of "
	  "owner, mode, access control list, mount or security module decides, and what changes it; for the host's set-up, "
	  "`bryo explain --system`." },
	{ "exec-format", "the container's command is no program for this machine",
	  "Either it was built for another architecture (`bryo image inspect IMAGE --format '{{.Architecture}}'` tells the image's), "
	  "or it is a script without a #! line. Pull the image for this machine with --platform, or run the script through its "
	  "shell: `bryo run IMAGE sh SCRIPT`. Exit code 126." },
	{ "extra-argument", "the command takes fewer arguments",
	  "The hint shows the form. Options of bryo stand before the image or container; what follows belongs to the command in "
	  "the container." },
	{ "failed", "something went wrong that has no code of its own",
	  "The message says what was being done, from the outermost step to the innermost, and why that failed. "
	  "`bryo --log-level debug` and the variable BRYO_TRACE (see bryo(1)) show more." },
	{ "ids-exhausted", "no ids are left for --userns auto",
	  "Each container with --userns auto has ids that no other one has, until it is removed. Remove containers that were made so, "
	  "ask for fewer with --userns auto:size=N, or have the administrator give you more subordinate ids. With --userns keep-id or "
	  "nomap containers share yours." },
	{ "in-use", "something else needs it",
	  "A container that uses the image, volume or network keeps it from being removed. The message names who does. Remove "
	  "that first, or use --force where the command has it. Exit code 2 where the command tells it apart." },
	{ "interrupted", "a signal ended it",
	  "Nothing half-made stays: what was begun is collected by the next command." },
	{ "invalid", "a file or an answer is not in its form",
	  "An image, an archive, a registry's answer or a configuration file breaks its own specification. The message says where "
	  "in it. Nothing of it was taken." },
	{ "manifest-unknown", "the registry has no image of that name and tag",
	  "The registry was reached and answered that it has no such image. See which tags there are: `bryo search --list-tags "
	  "NAME`. Some registries say the same of a repository that you may not see: `bryo login REGISTRY`." },
	{ "missing-argument", "the command or option needs another word",
	  "The hint shows the form of the command. An option's value is the next word, or stands behind `=`." },
	{ "name-taken", "the name belongs to another object",
	  "Names of containers, volumes and networks are unique. Use another, remove the old object, or, for a container that is "
	  "made anew each time, `bryo run --replace` or --rm." },
	{ "network", "a peer does not answer as it should",
	  "The registry, a server or a helper did not answer, or not in the way that its protocol asks for. The message has its "
	  "words. Proxies are taken from http_proxy, https_proxy and no_proxy." },
	{ "no-memory", "there is no memory left",
	  "The kernel refused memory to bryo itself: by a limit of the control group, of the session (ulimit -v), or because "
	  "the machine has none." },
	{ "no-space", "the disk or a limit of the kernel is full",
	  "A file system without free space or inodes, a disk quota, or one of the kernel's own limits. See `df -h` and `df -i` "
	  "for the place that the message names. `bryo system df` shows what images, containers and volumes take, `bryo system "
	  "prune` removes what is not in use; removing works on a full disk." },
	{ "no-such-address", "the host has not the address that a port is published at",
	  "-p ADDRESS:PORT:PORT listens at an address of this host. `ip address` lists them; without ADDRESS it is all of them." },
	{ "no-such-container", "there is no container of that name or id",
	  "`bryo ps -a` lists all, also those that ended. A container of `run --rm` is removed when it ends. Containers of another "
	  "user, or below another --root, are not seen." },
	{ "no-such-image", "the image is not on this machine",
	  "`bryo images` lists what is here. A command that runs or copies pulls what is missing unless --pull=never says "
	  "otherwise; the others work on what is here: `bryo pull NAME` first." },
	{ "no-such-network", "there is no network of that name",
	  "`bryo network ls` lists them. `bryo network create NAME` makes one." },
	{ "no-such-object", "there is nothing of that name",
	  "Neither a container nor an image, volume or network has it: see `bryo ps -a`, `bryo images`, `bryo volume ls` and "
	  "`bryo network ls`." },
	{ "no-such-volume", "there is no volume of that name",
	  "`bryo volume ls` lists them. `bryo run -v NAME:/PATH` makes one; other commands do not." },
	{ "not-executable", "the container's command cannot be executed",
	  "It exists, but it is a directory, lacks the x permission for the container's user, or lies on a mount with noexec. "
	  "`bryo explain CONTAINER PATH --access exec` tells which. Exit code 126." },
	{ "not-found", "there is no such thing",
	  "The message names what was looked for. Exit code 1 where the command tells it apart." },
	{ "port-forbidden", "the port may not be used by an ordinary user",
	  "Ports below net.ipv4.ip_unprivileged_port_start (1024 where nobody changed it) are for root of the host. Publish a higher "
	  "one: -p 8080:80. The port inside of the container is free to choose in any case. Exit code 126, as in Podman." },
	{ "port-taken", "another process or container listens on the port",
	  "One process at a time listens on a port of an address. The hint names who has it, when bryo may see that. Publish "
	  "another one, let bryo choose one (-p 80 and `bryo port CONTAINER`), or end the other. Exit code 126, as in Podman." },
	{ "program-missing", "a program that bryo needs is not installed",
	  "bryo leaves some work to other programs: pasta (package passt) or slirp4netns connect containers, nft (nftables) makes "
	  "networks, gpgv verifies signatures. The hint names the package, and what works without it." },
	{ "rate-limited", "the registry refuses more requests for a while",
	  "Registries count what one address or account pulls. Log in (`bryo login REGISTRY`), wait, or pull through a mirror "
	  "named in registries.conf." },
	{ "registry-tls", "the registry's certificate is not trusted",
	  "It is signed by an authority that this machine does not know, is for another name, or is out of date. Put the authority's "
	  "certificate as ca.crt into /etc/containers/certs.d/REGISTRY/ or ~/.config/containers/certs.d/REGISTRY/. "
	  "--tls-verify=false trusts whoever answers: only for a registry on your own machine." },
	{ "registry-unreachable", "nobody answers at the registry's address",
	  "Its name has no address, nobody listens there, or a firewall drops the packets. Proxies are taken from http_proxy, "
	  "https_proxy and no_proxy. Check the spelling: `bryo pull NAME` without a registry asks those that "
	  "registries.conf names." },
	{ "short-name", "the image's name has no registry, and none can be chosen",
	  "A name such as \"alpine\" is looked up among the aliases and the search registries of registries.conf. Here none is "
	  "defined, or several are and nobody can be asked. Write the full name: docker.io/library/alpine." },
	{ "tun-missing", "there is no /dev/net/tun, or you may not open it",
	  "pasta and slirp4netns carry a container's packets through it. The administrator loads the module (modprobe tun) or lets "
	  "all open it (chmod 666 /dev/net/tun), as distributions do. --network host and none need it not." },
	{ "unauthorized", "the registry does not know you, or does not let you",
	  "The image is private, does not exist (registries tell strangers the same of both), or the credentials are wrong or out of "
	  "date: `bryo login REGISTRY`. Credentials of docker and podman are found, too." },
	{ "unknown-command", "bryo has no such command",
	  "`bryo --help` lists all." },
	{ "unknown-option", "the command has no such option",
	  "`bryo COMMAND --help` lists its options. Options of bryo stand before the image or container; what follows is the "
	  "container's." },
	{ "unsupported", "it is known, and not offered here",
	  "Either bryo does not have it, or this kernel or this host does not. The message says which, and what there is instead." },
	{ "unsupported-option", "an option of Podman or Docker that bryo does not have",
	  "The message says why, and what there is instead." },
	{ "usage", "the command line does not make sense",
	  "The message says what is wrong with it. `bryo COMMAND --help` has the options and examples." },
	{ "userns-chroot", "a process in a chroot gets no user namespace",
	  "The kernel refuses it. Enter the tree with a program that uses pivot_root, such as systemd-nspawn or unshare." },
	{ "userns-limit", "the kernel's limit of user namespaces is used up",
	  "user.max_user_namespaces counts those of each user. Running containers and browsers have some. The administrator "
	  "can raise it." },
	{ "userns-seccomp", "an outer container or service refuses user namespaces",
	  "Its seccomp filter does not allow clone, unshare, setns or mount. Start it with a filter that does, for Podman and "
	  "Docker: --security-opt seccomp=unconfined." },
	{ "userns-unsupported", "this kernel has no user namespaces",
	  "It was built without CONFIG_USER_NS. Another kernel is needed." },
	{ "wrong-state", "the container is not in the state that this needs",
	  "`bryo ps -a` shows the states. A container that ended is started with `bryo start`, a running one is ended with `bryo stop`, "
	  "a paused one goes on with `bryo unpause`." },
	{ NULL, NULL, NULL }
};

const struct code *code_find(const char *name)
{
	for (const struct code *c = codes; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}
