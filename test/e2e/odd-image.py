#!/usr/bin/python3
"""odd-image - an image of many layers with everything that a storage driver can get wrong

usage: odd-image.py BUSYBOX OUTPUT [ENTRIES]      writes a docker-archive named localhost/odd
       odd-image.py --list < TAR                  one line an entry of a container's tar: all of its attributes

ENTRIES: so many further small files, in a layer of their own.
"""
import hashlib, io, json, struct, sys, tarfile


def list_tar():
    lines = []
    links = {}
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as t:
        for e in t:
            name = e.name.lstrip("./") or "."
            data = t.extractfile(e).read() if e.isreg() else b""
            # A capability also says for whose root it counts.
            xattrs = sorted((k, "" if "capability" in k else v) for k, v in e.pax_headers.items() if k.startswith("SCHILY.xattr"))
            what = {b"0": "file", b"1": "link", b"2": "symlink", b"5": "dir", b"6": "fifo"}.get(e.type, repr(e.type))
            if what == "link":    # names of one file come in any order: listed below
                links.setdefault(e.linkname.lstrip("./"), []).append(name)
                continue
            # Mount points and directories that layers only imply are as old as the store.
            made = what == "dir" and name.split("/")[0] not in ("owned", "links") or name.startswith(("etc/", "run/"))
            time = 0 if made or what == "fifo" else int(e.mtime)
            lines.append("%s %s %o %d:%d %d %d %s %s %s" % (name, what, e.mode, e.uid, e.gid, e.size, time, e.linkname,
                         hashlib.sha256(data).hexdigest()[:16], xattrs))
    for first, others in links.items():
        lines.append("links: " + " ".join(sorted([first] + others)))
    # Which name of a linked file carries the contents depends on the order of reading.
    linked = {n: min(sorted([f] + o)) for f, o in links.items() for n in [f] + o}
    for line in sorted((linked.get(l.split(" ", 1)[0], l.split(" ", 1)[0]) + " " + l.split(" ", 1)[1]) for l in lines):
        print(line)


if sys.argv[1] == "--list":
    list_tar()
    sys.exit()
busybox, output = sys.argv[1:3]
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)      # cap_net_raw=ep


def layer(entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for name, options in entries:
            data = options.pop("data", b"")
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), 0o644, 1700000000
            info.pax_headers = {"SCHILY.xattr." + k: v for k, v in options.pop("xattrs", {}).items()}
            for key, value in options.items():
                setattr(info, key, value)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def directory(mode=0o755, **more):
    return {"type": tarfile.DIRTYPE, "mode": mode, **more}


def link(target, **more):
    return {"type": tarfile.SYMTYPE, "linkname": target, "mode": 0o777, **more}


def hard(target):
    return {"type": tarfile.LNKTYPE, "linkname": target}


base = [("bin", directory()), ("bin/busybox", {"data": open(busybox, "rb").read(), "mode": 0o755})]
base += [("bin/" + a, link("busybox")) for a in "sh ls cat stat find id sha256sum sort touch rm mkdir mv ln sleep grep wc chown "
         "readlink test true df tar echo cp head sed env".split()]
base += [
    ("etc", directory()), ("etc/passwd", {"data": b"root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n"}),
    ("tmp", directory(0o1777)), ("kept", directory(0o2710, uid=9, gid=8)), ("kept/a", {"data": b"a"}),
    ("owned", directory(0o2775, uid=1000, gid=50)), ("owned/file", {"data": b"owned\n", "mode": 0o640, "uid": 1000, "gid": 50}),
    ("owned/suid", {"data": b"#!/bin/sh\nid -u\n", "mode": 0o4755, "uid": 33}),
    ("owned/sgid", {"data": b"x", "mode": 0o2755, "gid": 42}),
    ("owned/secret", {"data": b"secret\n", "mode": 0o000}),
    ("owned/link", link("/etc/passwd", uid=7, gid=8)),
    ("owned/capable", {"data": b"ping", "mode": 0o755, "xattrs": {"security.capability": CAPABILITY.decode("latin-1")}}),
    ("owned/noted", {"data": b"noted", "xattrs": {"user.note": "kept"}}),
    ("owned/pipe", {"type": tarfile.FIFOTYPE, "mode": 0o600, "uid": 5}),
    ("owned/empty", {"mode": 0o604}),
    ("links", directory()), ("links/z", {"data": b"many names\n"}), ("links/a", hard("links/z")), ("links/m", hard("links/z")),
    ("split", directory()), ("split/kept", {"data": b"split\n"}), ("split/gone", hard("split/kept")),
    ("w", directory()), ("w/1", {"data": b"1"}), ("w/2", {"data": b"2"}), ("w/3", {"data": b"3"}),
    ("w/dir", directory()), ("w/dir/deep", directory()), ("w/dir/deep/file", {"data": b"deep"}),
    ("o", directory(0o711)), ("o/below", {"data": b"below"}), ("o/sub", directory()), ("o/sub/below", {"data": b"below"}),
    ("kind", directory()), ("kind/file-then-dir", {"data": b"f"}), ("kind/dir-then-file", directory()),
    ("kind/dir-then-file/x", {"data": b"x"}), ("kind/link-then-dir", link("/etc")),
    ("same-1", {"data": b"the same contents in two files\n"}), ("same-2", {"data": b"the same contents in two files\n", "uid": 3}),
    ("name with blanks, \u00e4\u00f6 and, commas:", {"data": b"n"}), ("old", {"data": b"old", "mtime": 1}),
    ("sparse", {"data": b"\0" * 300000 + b"end"}),
]
middle = [
    ("w/.wh.1", {}), ("w/.wh.dir", {}), ("o/.wh..wh..opq", {}), ("o/above", {"data": b"above"}),
    ("split/.wh.kept", {}),
    ("kind/file-then-dir", directory(0o700)), ("kind/file-then-dir/y", {"data": b"y"}),
    ("kind/dir-then-file", {"data": b"now a file"}), ("kind/link-then-dir", directory()),
    ("kind/link-then-dir/z", {"data": b"z"}),
    ("implied/by/its/contents", {"data": b"i"}),
]
top = [
    ("w/.wh.2", {}), ("w/1", {"data": b"one again"}), ("w/dir", directory(0o750)), ("w/dir/new", {"data": b"new"}),
    ("kept/b", {"data": b"b"}),      # without its directory, which keeps what the first layer said
    ("owned", directory(0o2775, uid=1000, gid=50)), ("owned/file", {"data": b"changed\n", "mode": 0o600, "uid": 1000, "gid": 1000}),
    ("o/.wh.above", {}),
]
layers = [layer(base), layer(middle), layer(top)]
if len(sys.argv) > 3:
    many = []
    for i in range(int(sys.argv[3])):
        if i % 20 == 0:
            many.append(("many/%04d" % (i // 20), directory()))
        many.append(("many/%04d/%02d" % (i // 20, i % 20), {"data": b"%d\n" % i, "uid": i % 3}))
    layers.append(layer([("many", directory())] + many))

config = json.dumps({"architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(__import__("os").uname().machine, "amd64"),
                     "os": "linux", "config": {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]},
                     "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(l).hexdigest() for l in layers]}}).encode()
with tarfile.open(output, "w") as t:
    def put(name, data):
        info = tarfile.TarInfo(name)
        info.size = len(data)
        t.addfile(info, io.BytesIO(data))
    for i, l in enumerate(layers):
        put("%d.tar" % i, l)
    put("config.json", config)
    put("manifest.json", json.dumps([{"Config": "config.json", "RepoTags": ["localhost/odd:latest"],
                                      "Layers": ["%d.tar" % i for i in range(len(layers))]}]).encode())
