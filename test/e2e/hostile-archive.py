#!/usr/bin/python3
"""hostile-archive - image archives that no honest tool makes, for the tests of load

usage: hostile-archive.py KIND OUTPUT
"""
import copy, hashlib, io, json, os, shutil, struct, sys, tarfile

kind, output = sys.argv[1:]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar(entries, raw=b""):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for name, options in entries:
            data = options.pop("data", b"")
            pax = options.pop("pax", {})
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.pax_headers = len(data), 0o644, pax
            for key, value in options.items():
                setattr(info, key, value)
            t.addfile(info, io.BytesIO(data))
    if raw:
        return out.getvalue().rstrip(b"\0").ljust((len(out.getvalue().rstrip(b"\0")) + 511) // 512 * 512, b"\0") + raw + b"\0" * 1024
    return out.getvalue()


def header(name, size, kind=b"0", uid=b"0000000\0", extra=b""):
    h = bytearray(512)
    h[0:len(name)] = name
    h[100:108], h[108:116], h[116:124] = b"0000644\0", uid, b"0000000\0"
    h[124:136], h[136:148] = b"%011o\0" % size, b"00000000000\0"
    h[156:157] = kind
    h[257:265] = b"ustar  \0"
    h[386:386 + len(extra)] = extra
    h[148:156] = b" " * 8
    h[148:156] = b"%06o\0 " % sum(h)
    return bytes(h)


def base():
    path = os.path.realpath(os.environ.get("BUSYBOX") or shutil.which("busybox"))
    with open(path, "rb") as f:
        busybox = f.read()
    entries = [("bin", dict(type=tarfile.DIRTYPE, mode=0o755)), ("etc", dict(type=tarfile.DIRTYPE, mode=0o755)),
               ("proc", dict(type=tarfile.DIRTYPE, mode=0o755)), ("dev", dict(type=tarfile.DIRTYPE, mode=0o755)),
               ("sys", dict(type=tarfile.DIRTYPE, mode=0o755)), ("bin/busybox", dict(data=busybox, mode=0o755)),
               ("etc/lower", dict(data=b"lower\n"))]
    entries += [("bin/" + n, dict(type=tarfile.SYMTYPE, linkname="busybox")) for n in ("sh", "cat", "ls")]
    return tar(entries)


layers = {
    "climb": lambda: tar([
        ("../../../../../../climbed", dict(data=b"climbed\n")), ("/etc/absolute", dict(data=b"x")),
        ("up", dict(type=tarfile.SYMTYPE, linkname="../../../../../..")), ("up/etc/shadowed", dict(data=b"x")),
        ("abs", dict(type=tarfile.SYMTYPE, linkname="/etc")), ("abs/also", dict(data=b"x"))]),
    "sparse": lambda: tar([("f", dict(data=b"1\n0\n0\n".ljust(512, b"\0"), pax={
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "huge",
        "GNU.sparse.realsize": str(1 << 50)}))]),
    "sparse-old": lambda: tar([("a", dict(data=b"x"))], header(
        b"huge", 0, b"S", extra=b"00000000000\0" + b"00000000000\0" + b"\0" * 73 + b"\x80\0\0\0" + struct.pack(">Q", 1 << 62))),
    "fake-opaque": lambda: tar([("etc", dict(type=tarfile.DIRTYPE, mode=0o755, pax={
        "SCHILY.xattr.user.overlay.opaque": "y", "SCHILY.xattr.trusted.overlay.opaque": "y"}))]),
    "duplicates": lambda: tar([("f", dict(data=b"1")), ("f", dict(data=b"2")), (".wh.f", {}), ("etc/.wh.lower", {}),
                               ("etc/lower", dict(data=b"own"))]),
    "big-uid": lambda: tar([("home/someone", dict(data=b"x", uid=3000000, gid=3000000))]),
    "uid-wrap": lambda: tar([("a", {})], header(b"root", 0, uid=b"\x80\0\0" + struct.pack(">Q", 1 << 32)[3:])),
}

stack = [base(), layers[kind]() if kind in layers else tar([("f", dict(data=b"x"))])]
diff_ids = [digest(l) for l in stack]
if kind == "more-diff-ids":
    diff_ids.append(digest(b"more"))
if kind == "wrong-diff-id":
    diff_ids[1] = digest(b"another")
config = json.dumps({"os": "linux", "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine),
                     "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()
manifest = {"schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(config), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": digest(l), "size": len(l)} for l in stack]}
blobs = {digest(l): l for l in stack}
blobs[digest(config)] = config
last = manifest["layers"][1]
if kind == "layer-digest":
    blobs[last["digest"]] = stack[1][:-1] + b"x"
if kind == "config-digest":
    blobs[manifest["config"]["digest"]] = config.replace(b"linux", b"linuz")
if kind == "layer-size":
    last["size"] += 1
if kind == "negative-size":
    last["size"] = -1
if kind == "unknown-layer":
    last["mediaType"] = "application/vnd.example.layer"
if kind == "bad-digest":
    last["digest"] = "sha256:xyz"
if kind == "traversal-digest":
    last["digest"] = "sha256:../../../../etc/passwd"
if kind == "foreign":
    del blobs[last["digest"]]
    last["urls"] = ["http://127.0.0.1:9/layer"]
if kind == "schema1":
    manifest["schemaVersion"] = 1
text = json.dumps(manifest).encode()
descriptor = {"mediaType": MANIFEST, "digest": digest(text), "size": len(text),
              "annotations": {"org.opencontainers.image.ref.name": "localhost/hostile:latest"}}
blobs[digest(text)] = text
if kind == "manifest-digest":
    blobs[descriptor["digest"]] = text.replace(b"schemaVersion", b"schemaversion")
if kind == "manifest-size":
    descriptor["size"] -= 1

files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
         "index.json": json.dumps({"schemaVersion": 2, "manifests": [descriptor]}).encode()}
files.update({"blobs/sha256/" + d.split(":")[1]: data for d, data in blobs.items()})
with tarfile.open(output, "w") as t:
    for name, data in files.items():
        info = tarfile.TarInfo(name)
        info.size = len(data)
        t.addfile(info, io.BytesIO(data))
