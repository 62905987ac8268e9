"""archives - docker-archives and OCI layouts whose members lie about their names, kinds and sizes"""
import bz2, json, lzma

from build import (BASE, CHAR, DIR, FIFO, LINK, NAME, Image, big, digest, docker_archive, gzip_zeros, hard,
                   header, link, member, pax, raw, tar, xz_with_dictionary, zstd_frame)
from cases import base, case

TOP = tar(("f", b"x"))
TREE = base("f=x")


def docker(name, refused=None, *, layers=(TOP,), **more):
    outcome = {key: more.pop(key) for key in ("tree", "shows", "memory", "seconds") if key in more}
    if refused is None and not outcome:
        outcome["tree"] = TREE
    case("docker-archives", name, lambda: docker_archive(*layers, **more), refused, **outcome)


def archive(name, make, refused=None, **more):
    case("archives", name, make, refused, **more)


def entry(**values):
    return lambda manifest: [{**manifest[0], **values}]


docker("honest")
for where in ("../../../../../etc/passwd", "/etc/passwd", "/proc/self/environ", ".", "", "-rf", "\x1b]0;owned\x07"):
    docker("configuration at %r" % where, "not in the archive|empty name", changes=entry(Config=where))
    docker("layer at %r" % where, "not in the archive|empty name", changes=entry(Layers=[digest(BASE)[7:] + ".tar", where]))
LAST = digest(TOP)[7:] + ".tar"
docker("layer that is a link to the host", "not in the archive", members=[link(LAST, "/etc/passwd")])
docker("layer that is a link that climbs", "not in the archive", members=[link(LAST, "../../../../etc/passwd")])
docker("layer that is a link to itself", "not in the archive", members=[link(LAST, LAST)])
docker("layer that is a chain of links", "not in the archive",
       members=[link(LAST, "l0")] + [link("l%d" % i, "l%d" % (i + 1)) for i in range(100)] + [("l100", TOP)])
docker("layer that is a link inside", members=[("x/layer.tar", TOP), link(LAST, "x/layer.tar")])
docker("layer that is a hard link inside", members=[("x/layer.tar", TOP), hard(LAST, "x/layer.tar")])
docker("layer that is a hard link to the host", "not in the archive", members=[hard(LAST, "/etc/passwd")])
docker("layer that is a FIFO", "not in the archive", members=[(LAST, FIFO)])
docker("layer that is a directory", "not in the archive", members=[(LAST, DIR)])
docker("layer that is a device", "not in the archive", members=[(LAST, CHAR, dict(devmajor=1, devminor=5))])
docker("layer that is the manifest", "digest does not match|tar:", changes=entry(Layers=[digest(BASE)[7:] + ".tar", "manifest.json"]))
docker("layer twice, the last one counts", members=[(LAST, b"garbage"), (LAST, TOP)])
docker("layer twice, a bad one last", "digest does not match", members=[(LAST, TOP), (LAST, tar(("g", b"y")))])
docker("layers that are too few", "1 layers", changes=entry(Layers=[LAST]))
docker("layers that are too many", "4 layers", changes=entry(Layers=[LAST] * 4))
docker("layers of numbers", "expected string", changes=entry(Layers=[1, 2]))
docker("no configuration named", "Config: ", changes=lambda m: [{"Layers": m[0]["Layers"]}])
docker("configuration of another digest", "digest does not match", config_name="0" * 64 + ".json")
docker("manifest that is a link to the host", "neither a docker-archive", members=[link("manifest.json", "/etc/passwd")])
docker("manifest that is a FIFO", "neither a docker-archive", members=[("manifest.json", FIFO)])
docker("manifest that is an object", "expected a list", changes=lambda m: m[0])
docker("manifest that is empty", "no image in the archive", changes=lambda m: [])
docker("manifest of no JSON", "manifest.json: line 1", changes=lambda m: b"[{")
docker("manifest of 20 MB", "more than", changes=lambda m: json.dumps(m).encode() + b" " * (20 << 20))
docker("manifest of a million entries", "too many|more than", changes=lambda m: [{}] * 1000000)
docker("manifest of 50 times the image", changes=lambda m: m * 50)
docker("manifest with a member twice", "appears twice",
       changes=lambda m: json.dumps(m).encode().replace(b'"Layers"', b'"Layers":[],"Layers"'))
docker("names of all kinds", names=["--help", "-rf", "../../etc/passwd", "/etc/passwd", "\x1b]0;owned\x07", "a b", "",
                                    "x" * 5000, "UPPER", "http://evil.example/x", "$(id)", NAME])
docker("name that is an ID", names=["0" * 64, NAME])

archive("neither form", lambda: tar(("rootfs/etc", DIR)), "neither a docker-archive")
archive("empty", lambda: b"", "neither a docker-archive|the archive")
archive("of one byte", lambda: b"x", "tar:|neither")
archive("with climbing names", lambda: tar(("../../../climbed", b"x"), *Image(TOP).files().items()), tree=TREE)
archive("with absolute names", lambda: tar(*[("/" + n, d) for n, d in Image(TOP).files().items()]), tree=TREE)
archive("with dots in names", lambda: tar(*[("./a/../" + n, d) for n, d in Image(TOP).files().items()]), tree=TREE)
archive("index that is a FIFO", lambda: tar(*[(n, FIFO if n == "index.json" else d) for n, d in Image(TOP).files().items()]),
        "neither a docker-archive")
archive("index that is a link to the host", lambda: tar(link("index.json", "/etc/passwd")), "neither a docker-archive")
archive("index of 1 PiB", lambda: tar(("index.json", b"1\n0\n0\n".ljust(512, b"\0"), dict(pax={
    "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "index.json",
    "GNU.sparse.realsize": str(1 << 50)}))), "sparse|bytes|unexpected end")
archive("member of 512 GiB", lambda: raw(header(b"big", big(1 << 39))), "needs 549755813888 bytes, but only")
archive("member of -1 bytes", lambda: tar(("index.json", b"x", dict(pax={"GNU.sparse.realsize": "-1"}))), "negative size")
archive("member with a name of 1 MB", lambda: raw(pax({"path": "a" * (1 << 20)}), member(b"f", b"x")), "too long|tar:")
archive("member with escape codes", lambda: raw(pax({"path": "\x1b]0;owned\x07", "GNU.sparse.realsize": "-1"}), member(b"f", b"x")),
        "negative size")
archive("200000 members", lambda: header(b"f") * 200000 + bytes(1024), "more than 100000 members", seconds=20)
archive("3000 members of 300 KB", lambda: member(b"f", b"x" * 300000) * 3000 + bytes(1024), "open files|neither|more than",
        seconds=20)
archive("400 members of 250 KB", lambda: b"".join(member(b"f%d" % i, b"x" * 250000) for i in range(400)) + bytes(1024),
        "neither a docker-archive", memory=100)
archive("members with names of 60 KB", lambda: raw(*[pax({"path": "%d" % i + "a" * 60000}) + member(b"f") for i in
                                                          range(10)]), "a name of 60001 bytes|is too long")
archive("a layer of Docker's named by OCI's digest", lambda: docker_archive(TOP, changes=lambda m: [
    {**m[0], "Layers": [m[0]["Layers"][0], "blobs/sha256/" + digest(BASE)[7:]]}], members=[
    ("blobs/sha256/" + digest(BASE)[7:], TOP)]), "digest does not match")


# --- packed as a whole: what is small and becomes large

ZEROS = header(b"zeros", 256 << 20)
archive("gzip, 256 MiB", lambda: gzip_zeros(ZEROS, 257), "neither a docker-archive", seconds=20)
archive("zstd, 256 MiB", lambda: zstd_frame(ZEROS, repeat=(257 << 20) // 0x20000), "neither a docker-archive", seconds=20)
archive("zstd, window of 4 GiB", lambda: zstd_frame(ZEROS, 32, 10), "zstd: Frame requires too much memory")
archive("xz, 256 MiB with a dictionary of 1 GiB", lambda: xz_with_dictionary(ZEROS + bytes(257 << 20), 36),
        "Cannot allocate memory", seconds=20, memory=100)
archive("xz, dictionary of 4 GiB", lambda: xz_with_dictionary(ZEROS + bytes(1 << 20), 40), "memory|Lzma")
archive("xz, cut", lambda: lzma.compress(docker_archive(TOP))[:-50], "Truncated|Lzma|damaged|ends too early|truncated")
archive("xz, garbage after it", lambda: lzma.compress(bytes(10240)) + b"garbage", "neither|Lzma|damaged")
archive("xz, honest", lambda: lzma.compress(docker_archive(TOP)), tree=TREE)
archive("bzip2, honest", lambda: bz2.compress(docker_archive(TOP)), tree=TREE)
archive("bzip2, cut", lambda: bz2.compress(docker_archive(TOP))[:-50], "runcated|damaged|ends too early|bzip")
