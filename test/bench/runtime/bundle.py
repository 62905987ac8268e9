"""bundle - an OCI bundle as engines write them, and the same as tables for the floor program

What podman and containerd ask of a runtime for a plain container: a root file system, the usual mounts, three files of
/etc, an overlay, masked and read-only paths, all namespaces, a short list of capabilities, one limit, one sysctl, a cgroup
of its own, and the default seccomp profile for three architectures, which containers-common installs. An unprivileged
caller's bundle has a user namespace too, with one id or with his ranges; root's has none, as in an engine that has joined
its namespace.
"""
import json
import os
import pathlib
import shutil

PROFILE = "/usr/share/containers/seccomp.json"
CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE",
                "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT"]
MASKED = ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
          "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/fs/selinux", "/sys/dev/block"]
READONLY = ["/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
ETC = ["hostname", "hosts", "resolv.conf"]


def subordinate_range(file):
    """(first, count) of the caller in /etc/subuid or /etc/subgid."""
    import pwd
    me = pwd.getpwuid(os.getuid())
    for line in pathlib.Path(file).read_text().splitlines():
        name, first, count = line.split(":")
        if name in (me.pw_name, str(me.pw_uid)):
            return int(first), int(count)
    raise SystemExit(f"bench: {me.pw_name} has no range in {file}: use --maps single")


def mappings(maps, own, file):
    if maps == "single":
        return [{"containerID": 0, "hostID": own, "size": 1}]
    first, count = subordinate_range(file)
    return [{"containerID": 0, "hostID": own, "size": 1}, {"containerID": 1, "hostID": first, "size": count}]


def seccomp():
    """The installed profile, resolved as engines do it: by machine and capabilities."""
    profile = json.loads(pathlib.Path(PROFILE).read_text())
    machine = os.uname().machine
    own = {"x86_64": ("SCMP_ARCH_X86_64", "amd64"), "aarch64": ("SCMP_ARCH_AARCH64", "arm64")}[machine]
    architectures = [own[0]]
    for entry in profile["archMap"]:
        if entry["architecture"] == own[0]:
            architectures += entry["subArchitectures"]
    calls = []
    for rule in profile["syscalls"]:
        includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
        if own[1] not in includes.get("arches", [own[1]]) or own[1] in excludes.get("arches", []):
            continue
        if not set(includes.get("caps", [])) <= set(CAPABILITIES) or set(excludes.get("caps", [])) & set(CAPABILITIES):
            continue
        call = {"names": rule["names"], "action": rule["action"]}
        if "errnoRet" in rule:
            call["errnoRet"] = rule["errnoRet"]
        if rule.get("args"):
            call["args"] = rule["args"]
        calls.append(call)
    return {"defaultAction": profile["defaultAction"], "defaultErrnoRet": profile.get("defaultErrnoRet", 1),
            "architectures": architectures, "syscalls": calls}


def mounts(directory):
    def new(destination, kind, *options):
        return {"destination": destination, "type": kind, "source": kind, "options": list(options)}
    quiet = ("nosuid", "noexec", "nodev")
    overlay = [f"{name}dir={directory}/overlay/{name}" for name in ("lower", "upper", "work")]
    return [
        new("/proc", "proc", *quiet),
        new("/dev", "tmpfs", "nosuid", "noexec", "strictatime", "mode=755", "size=65536k"),
        new("/sys", "sysfs", *quiet, "ro"),
        new("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
        new("/dev/mqueue", "mqueue", *quiet),
        new("/dev/shm", "tmpfs", *quiet, "mode=1777", "size=65536k"),
        new("/srv", "overlay", *overlay, "userxattr"),
        *[{"destination": f"/etc/{name}", "type": "bind", "source": f"{directory}/etc/{name}",
           "options": ["bind", "rprivate"]} for name in ETC],
        new("/sys/fs/cgroup", "cgroup", *quiet, "relatime", "ro"),
    ]


def cgroup_parent():
    """Where a cgroup may be made, beside the caller's own: one with processes passes no controllers on. None without."""
    own = next((line[3:] for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines()
                if line.startswith("0::")), "")
    parent = os.path.dirname(own)
    return parent if parent and os.access(f"/sys/fs/cgroup{parent}/cgroup.procs", os.W_OK) else None


def config(directory, command, name, maps):
    process = {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": command, "cwd": "/",
               "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", "HOME=/root", f"HOSTNAME={name}"],
               "capabilities": {kind: CAPABILITIES for kind in ("bounding", "effective", "permitted")},
               "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}]}
    spaces = ["pid", "network", "ipc", "uts", "mount", "cgroup"]
    linux = {"maskedPaths": MASKED, "readonlyPaths": READONLY, "seccomp": seccomp(),
             "sysctl": {"net.ipv4.ping_group_range": "0 0"}, "resources": {}}
    if os.geteuid():
        spaces.append("user")
        linux["uidMappings"] = mappings(maps, os.getuid(), "/etc/subuid")
        linux["gidMappings"] = mappings(maps, os.getgid(), "/etc/subgid")
    linux["namespaces"] = [{"type": kind} for kind in spaces]
    if cgroup_parent():
        linux["cgroupsPath"] = f"{cgroup_parent()}/{name}"
    return {"ociVersion": "1.0.2", "process": process, "root": {"path": "../tree"}, "hostname": name,
            "mounts": mounts(directory), "linux": linux}


def make_tree(directory):
    tree = directory / "tree"
    for name in ("bin", "proc", "sys", "dev", "etc", "srv", "tmp", "root"):
        (tree / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", tree / "bin/busybox")
    for name in ("true", "cat", "sleep"):
        (tree / "bin" / name).symlink_to("busybox")
    for name in ETC:
        (tree / "etc" / name).touch()


def make(directory, name, command, maps):
    """A bundle directory; all bundles of one benchmark share the tree."""
    if not (directory / "tree").exists():
        make_tree(directory)
        (directory / "etc").mkdir()
        for file in ETC:
            (directory / "etc" / file).write_text("127.0.0.1 localhost\n")
    own = directory / name
    for part in ("lower", "upper", "work"):
        (own / "overlay" / part).mkdir(parents=True)
    (own / "etc").symlink_to("../etc")
    (own / "config.json").write_text(json.dumps(config(own, command, name, maps)))
    return own


# --- the same as C

FLAGS = {"nosuid": "MS_NOSUID", "noexec": "MS_NOEXEC", "nodev": "MS_NODEV", "ro": "MS_RDONLY", "strictatime": "MS_STRICTATIME",
         "relatime": "MS_RELATIME", "bind": "MS_BIND"}
DEVICES = [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)]
NAMESPACES = {"pid": "CLONE_NEWPID", "network": "CLONE_NEWNET", "ipc": "CLONE_NEWIPC", "uts": "CLONE_NEWUTS",
              "mount": "CLONE_NEWNS", "user": "CLONE_NEWUSER"}


def quoted(text):
    return json.dumps(str(text))


def strings(name, values):
    return f"static const char *const {name}[] = {{ {', '.join(map(quoted, values))} }};"


def arguments(name, values):
    return f"static char *const {name}[] = {{ {', '.join(f'(char *){quoted(v)}' for v in values)}, NULL }};"


def mount_line(mount):
    flags = " | ".join(FLAGS[option] for option in mount["options"] if option in FLAGS) or "0"
    data = ",".join(option for option in mount["options"] if option not in FLAGS and option != "rprivate")
    kind = {"cgroup": "cgroup2", "bind": None}.get(mount["type"], mount["type"])
    makes = mount["destination"].startswith("/dev/")
    return (f"\t{{ {quoted(kind) if kind else 'NULL'}, {quoted(mount['source'])}, {quoted(mount['destination'][1:])}, {flags}, "
            f"{quoted(data) if data else 'NULL'}, {int(makes)} }},")


def map_texts(name, entries):
    numbers = [entry[key] for entry in entries or [] for key in ("containerID", "hostID", "size")]
    return f"static const char *const {name}[] = {{ {''.join(f'{quoted(n)}, ' for n in numbers)}NULL }};"


def may_make_devices():
    """Root of the machine's user namespace."""
    return os.geteuid() == 0 and pathlib.Path("/proc/self/uid_map").read_text().split()[1:] == ["0", "4294967295"]


def tables(own):
    """config.json as the tables that floor.c includes."""
    spec = json.loads((own / "config.json").read_text())
    linux, process = spec["linux"], spec["process"]
    kinds = [entry["type"] for entry in linux["namespaces"]]
    capability_bits = " | ".join(f"1ULL << {name}" for name in process["capabilities"]["bounding"])
    devices = ", ".join(f'{{ "{name}", "/dev/{name}", {major}, {minor} }}' for name, major, minor in DEVICES)
    sysctls = ", ".join(f'{{ "proc/sys/{key.replace(".", "/")}", {quoted(value)} }}' for key, value in linux["sysctl"].items())
    cgroup = f"/sys/fs/cgroup{linux['cgroupsPath']}" if "cgroupsPath" in linux else ""
    return "\n".join([
        f"static const char rootfs[] = {quoted((own / spec['root']['path']).resolve())};",
        f"static const char hostname[] = {quoted(spec['hostname'])}, cgroup[] = {quoted(cgroup)};",
        f"static const int own_user_namespace = {int('user' in kinds)}, may_make_devices = {int(may_make_devices())};",
        f"static const unsigned caller_uid = {os.getuid()}, caller_gid = {os.getgid()};",
        f"static const uint64_t namespaces = {' | '.join(NAMESPACES[kind] for kind in kinds if kind in NAMESPACES)};",
        f"static const uint64_t capabilities = {capability_bits};",
        "static const struct { const char *type, *source, *target; unsigned long flags; const char *data; int makes_target; }",
        "mounts[] = {", *map(mount_line, spec["mounts"]), "};",
        f"static const struct {{ const char *name, *source; unsigned major, minor; }} devices[] = {{ {devices} }};",
        strings("masked", [path[1:] for path in linux["maskedPaths"]]),
        strings("readonly", [path[1:] for path in linux["readonlyPaths"]]),
        f"static const char *const sysctls[][2] = {{ {sysctls} }};",
        strings("helper_programs", [shutil.which("newuidmap"), shutil.which("newgidmap")]),
        map_texts("uid_map", linux.get("uidMappings")), map_texts("gid_map", linux.get("gidMappings")),
        arguments("command", process["args"]), arguments("environment", process["env"]), ""])
