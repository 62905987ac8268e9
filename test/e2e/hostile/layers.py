"""layers - names, links, whiteouts, types, attributes, sizes and packings of one hostile layer on the base layer"""
import gzip, io, lzma

from build import (BASE, BLOCK, CHAR, DIR, FIFO, LINK, Image, big, digest, gzip_zeros, hard, header, link, member, padded, pax,
                   raw, record, tar, xz_with_dictionary, zstd_frame)
from cases import base, case, layer_case

FOLLOW, NOT_THERE = "follow the link", "not in the same archive"
DMODE = b"0000755\0"
WRONG_ID = [digest(BASE), "sha256:" + "0" * 64]      # where the content's digest would cost the test more than the program


def traversal(name, *entries, **outcome):
    layer_case("traversal", name, tar(*entries), **outcome)


# --- names and links that lead out

traversal("absolute", ("/etc/new", b"x"), tree=base("etc/", "etc/new=x"))
traversal("climbing", ("../../../../../../climbed", b"x"), tree=base("climbed=x"))
traversal("climbing in the middle", ("a/../../../b/c", b"x"), tree=base("b/", "b/c=x"))
traversal("climbing as a directory", ("../../up", DIR), ("../../up/x", b"x"), tree=base("up/", "up/x=x"))
traversal("link to the host", link("host", "/etc"), ("etc", DIR), ("host/new", b"x"),
          tree=base("host -> /etc", "etc/", "etc/new=x"))
traversal("link that climbs", link("up", "../../../../../.."), ("up/new", b"x"),
          tree=base("up -> ../../../../../..", "new=x"))
traversal("link through a link", link("a", "b"), link("b", "../../c"), ("c", DIR), ("a/new", b"x"),
          tree=base("a -> b", "b -> ../../c", "c/", "c/new=x"))
traversal("link of the layer below", ("link/new", b"x"), tree=base("link/", "link/new=x", without=("link -> keep",)))
traversal("links in a circle", link("a", "b"), link("b", "a"), ("a/x", b"x"), refused=FOLLOW)
traversal("link to nowhere", link("a", "/nowhere"), ("a/x", b"x"), refused=FOLLOW)
traversal("link into /proc", link("p", "/proc/self/root"), ("p/x", b"x"), refused=FOLLOW)
traversal("link to a file", ("f", b"x"), link("s", "f"), ("s/x", b"x"), refused=FOLLOW)
traversal("link with itself in the way", link("a", "a/b"), ("a/x", b"x"), refused=FOLLOW)
traversal("file through a last link", link("s", "/etc/passwd"), ("s", b"x"), tree=base("s=x"))
traversal("directory over a link", link("s", "/etc"), ("s", DIR), ("s/x", b"x"), tree=base("s/", "s/x=x"))
traversal("link over a directory", ("d", DIR), ("d/x", b"x"), link("d", "e"), ("e", DIR), ("d/y", b"y"),
          tree=base("d -> e", "e/", "e/y=y"))
traversal("directory through a last link", ("d", DIR), link("s", "d"), ("s", DIR, dict(mode=0o700)),
          tree=base("d/", "s/ 700"))
traversal("parents that change", ("a/b/f", b"1"), link("a", "/keep"), ("a/b/g", b"2"), refused=FOLLOW)
traversal("file as a parent", ("x", b"1"), ("x/y", b"2"), tree=base("x/", "x/y=2"))
traversal("parent as a file", ("x/y/z", b"1"), ("x", b"2"), tree=base("x=2"))
traversal("FIFO as a parent", ("x", FIFO), ("x/y", b"2"), tree=base("x/", "x/y=2"))
traversal("link without a target", ("s", LINK, dict(linkname="")), refused="points to nothing|link")
traversal("link of 5000 bytes", ("s", LINK, dict(linkname="a/" * 2500)), refused="File name too long|too long")
traversal("root as a link", ("./", LINK, dict(linkname="/")), refused="root of the archive is not a directory")
traversal("root as a file", (".", b"x"), refused="root of the archive is not a directory")
traversal("root as a hard link", ("f", b"x"), hard(".", "f"), refused="root of the archive is not a directory")
traversal("root in odd clothes", ("..", DIR, dict(mode=0o711)), ("//", DIR, dict(mode=0o711)), tree=base())
traversal("hard link to the host", hard("h", "/etc/passwd"), refused=NOT_THERE)
traversal("hard link that climbs", hard("h", "../../../../../etc/passwd"), refused=NOT_THERE)
traversal("hard link through a link", link("s", "/etc"), hard("h", "s/passwd"), refused=NOT_THERE)
traversal("hard link to the layer below", hard("h", "keep/file"), refused=NOT_THERE)
traversal("hard link to a later file", hard("h", "f"), ("f", b"x"), refused=NOT_THERE)
traversal("hard link to a directory", ("d", DIR), hard("h", "d"), refused="points to the directory /d")
traversal("hard link to the root", hard("h", "/"), refused="points to the root")
traversal("hard link to a whiteout", (".wh.file", b""), hard("h", "file"), refused=NOT_THERE)
traversal("hard link to a device", ("c", CHAR, dict(devmajor=1, devminor=3)), hard("h", "c"), refused=NOT_THERE,
          objects=dict(refused=None, tree=base()))
traversal("hard link to itself", ("f", b"x"), hard("f", "f"), tree=base("f=x"))
traversal("hard link to a link", link("s", "/etc/passwd"), hard("h", "s"),
          tree=base("s -> /etc/passwd", "h -> /etc/passwd"))
traversal("hard link inside", ("d/f", b"x"), link("s", "d"), hard("h", "s/f"), hard("s/i", "h"),
          tree=base("d/", "d/f=x", "s -> d", "h=x", "d/i=x"))
traversal("file over a hard link", ("f", b"1"), hard("h", "f"), ("h", b"2"), tree=base("f=1", "h=2"))


# --- whiteouts

def whiteout(name, *entries, **outcome):
    layer_case("whiteouts", name, tar(*entries), **outcome)


for hidden in ("", ".", ".."):
    whiteout("of nothing, %d dots" % len(hidden), ("keep/.wh." + hidden, b""), refused="a whiteout of nothing")
whiteout("at the root, of ..", (".wh...", b""), refused="a whiteout of nothing")
whiteout("of three dots", (".wh....", b""), tree=base())
whiteout("of a file", ("keep/.wh.file", b""), tree=base(without=("keep/file=lower\n",)))
whiteout("of a directory", (".wh.keep", b""), tree=base(without=("keep/",)))
whiteout("of what is not there", (".wh.missing", b""), ("no/.wh.missing", b""), tree=base("no/"))
whiteout("of odd names", (".wh.\x1b[31m", b""), (".wh.a\nb", b""), (".wh.\udcff", b""), tree=base())
whiteout("as a directory", (".wh.keep", DIR), tree=base(without=("keep/",)))
whiteout("as a link", (".wh.keep", LINK, dict(linkname="/etc")), tree=base(without=("keep/",)))
whiteout("with content", (".wh.file", b"content"), tree=base(without=("file=lower\n",)))
whiteout("before its file", (".wh.file", b""), ("file", b"own"), tree=base("file=own", without=("file=lower\n",)))
whiteout("after its file", ("file", b"own"), (".wh.file", b""), tree=base("file=own", without=("file=lower\n",)))
whiteout("before its directory", (".wh.keep", b""), ("keep/own", b"x"), tree=base("keep/", "keep/own=x", without=("keep/",)))
whiteout("after its directory", ("keep/own", b"x"), (".wh.keep", b""), tree=base("keep/", "keep/own=x", without=("keep/",)))
whiteout("through a link", link("s", "/keep"), ("s/.wh.file", b""), refused=FOLLOW)
whiteout("that is a parent", ("keep/.wh.file/x", b"x"), refused="lies below one")
whiteout("as overlay's device", ("file", CHAR, dict(devmajor=0, devminor=0)), tree=base(),
         objects=dict(tree=base(without=("file=lower\n",))))
whiteout("opaque", ("keep/.wh..wh..opq", b""), ("keep/own", b"x"), tree=base("keep/", "keep/own=x", without=("keep/",)))
whiteout("opaque afterwards", ("keep/own", b"x"), ("keep/.wh..wh..opq", b""),
         tree=base("keep/", "keep/own=x", without=("keep/",)))
whiteout("opaque in a new directory", ("new/.wh..wh..opq", b""), tree=base("new/"))
whiteout("opaque in place of a file", ("file/.wh..wh..opq", b""), tree=base("file/", without=("file=lower\n",)))
whiteout("opaque as a directory", ("keep/.wh..wh..opq", DIR), ("keep/.wh..wh..opq/x", b"x"), tree=base("keep/", without=("keep/",)))
whiteout("opaque at the root", (".wh..wh..opq", b""), ("own", b"x"), tree=["own=x"])
whiteout("marks of older drivers", (".wh..wh.aufs", b""), (".wh..wh.plnk/1.2", b"x"), (".wh..wh..tmp", b""), tree=base())


# --- types and attributes

def kind(name, *entries, **outcome):
    layer_case("types", name, tar(*entries), **outcome)


kind("devices", ("sda", BLOCK, dict(devmajor=8, devminor=0)), ("mem", CHAR, dict(devmajor=1, devminor=1)),
     ("dev/null", CHAR, dict(devmajor=1, devminor=3)), tree=base())
kind("FIFO", ("p", FIFO, dict(mode=0o600)), tree=base("p| 600"))
kind("set-id bits", ("s", b"x", dict(mode=0o6755)), ("d", DIR, dict(mode=0o7777)), tree=base("s=x 6755", "d/ 7777"))
kind("modes that are none", ("f", b"x", dict(mode=0o0)), ("d", DIR, dict(mode=0)), ("d/f", b"x"),
     tree=base("f=x 0", "d/ 0", "d/f=x"))
layer_case("types", "unknown type", raw(member(b"f", b"x", kind=b"Z")), tree=base("f=x"))
layer_case("types", "contiguous file", raw(member(b"f", b"x", kind=b"7")), tree=base("f=x"))
layer_case("types", "volume label", raw(member(b"label", kind=b"V"), member(b"f", b"x")), tree=base("f=x"))
layer_case("types", "dump directory", raw(member(b"d/", b"Yf\0\0", kind=b"D", mode=DMODE)), tree=base("d/"))
layer_case("types", "directory with data", raw(member(b"d/", b"x" * 600, kind=b"5", mode=DMODE), member(b"f", b"x")), refused="tar: ")
layer_case("types", "link with data", raw(member(b"s", b"x" * 600, kind=b"2", link=b"t"), member(b"f", b"x")), refused="tar: ")


def attribute(name, value, **outcome):
    kind("attribute " + name[:40], ("keep", DIR, dict(pax={"SCHILY.xattr." + name: value})),
         ("f", b"x", dict(pax={"SCHILY.xattr." + name: value})), **outcome)


for steering in ("user.overlay.opaque", "user.overlay.redirect", "user.overlay.metacopy", "user.overlay.whiteout",
                 "user.overlay.origin", "user.overlay.overlay.opaque", "trusted.overlay.opaque", "trusted.other",
                 "user.fuseoverlayfs.opaque", "user.fuseoverlayfs.override_stat", "user.bryo.sha256", "user.bryo.opaque",
                 "security.selinux", "security.apparmor", "system.nfs4_acl", "noprefix"):
    attribute(steering, "y", tree=base("f=x"))
attribute("user.kept", "value", tree=["keep/ user.kept=value", "f=x user.kept=value"] + base()[1:])
attribute("security.capability", "nonsense", refused="security.capability")
attribute("system.posix_acl_access", "nonsense", tree=base("f=x"))
attribute("system.posix_acl_default", "nonsense", tree=base("f=x"))
attribute("user." + "n" * 300, "y", refused="extended attribute")
attribute("user.huge", "y" * 100000, refused="extended attribute")
kind("attributes in numbers", ("f", b"x", dict(pax={"SCHILY.xattr.user.a%d" % i: "y" for i in range(300)})),
     refused="more than 256 extended attributes")
kind("attribute in base 64", ("f", b"x", dict(pax={"LIBARCHIVE.xattr.user.overlay.opaque": "eQ=="})), tree=base("f=x"))
kind("attribute of a link", ("s", LINK, dict(linkname="f", pax={"SCHILY.xattr.user.a": "y"})), tree=base("s -> f"))


# --- owners and times

def owner(name, layer, **outcome):
    layer_case("owners", name, layer, **outcome)


owner("beyond the range", tar(("f", b"x", dict(uid=3000000, gid=3000000))), refused="/f belongs to 3000000:3000000")
owner("2^32", raw(member(b"f", b"x", uid=big(1 << 32, 8))), refused="owner that is no id: 4294967296")
owner("2^32 in a PAX record", raw(pax({"uid": "4294967296"}), member(b"f", b"x")), refused="owner that is no id: 4294967296")
owner("2^64 in a PAX record", raw(pax({"uid": str(1 << 64)}), member(b"f", b"x")), refused="owner that is no id|tar:")
owner("group 2^32", raw(pax({"gid": "4294967296"}), member(b"f", b"x")), refused="owner that is no id: 0:4294967296")
owner("-1", raw(member(b"f", b"x", uid=big(-1, 8))), refused="owner that is no id")
owner("-1 in a PAX record", raw(pax({"uid": "-1"}), member(b"f", b"x")), refused="owner that is no id|tar:")
owner("4294967295", raw(pax({"uid": "4294967295"}), member(b"f", b"x")), refused="owner that is no id")
owner("no number", raw(pax({"uid": "root"}), member(b"f", b"x")), tree=base("f=x"))
owner("of a directory", tar(("d", DIR, dict(uid=3000000))), refused="/d belongs to 3000000:0")
owner("of a link", tar(("s", LINK, dict(linkname="x", uid=3000000))), refused="/s belongs to 3000000:0")
owner("by name", tar(("f", b"x", dict(uname="root", gname="../../etc"))), tree=base("f=x"))
for when in (-(1 << 62), -1, 1 << 40, (1 << 63) - 1):
    owner("time %d" % when, raw(pax({"mtime": str(when)}), member(b"f", b"x"), member(b"d/", kind=b"5", mode=DMODE)),
          tree=base("f=x", "d/"))
owner("time with fractions", raw(pax({"mtime": "1." + "9" * 400}), member(b"f", b"x")), tree=base("f=x"))
owner("time that is none", raw(pax({"mtime": "soon"}), member(b"f", b"x")), tree=base("f=x"))


# --- sizes

def size(name, layer, **outcome):
    layer_case("sizes", name, layer, **outcome)


size("sparse, 1 PiB", tar(("f", b"1\n0\n0\n".ljust(512, b"\0"), dict(pax={
    "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "huge", "GNU.sparse.realsize": str(1 << 50)}))),
    refused="file /huge says it has 1125899906842624 bytes")
size("sparse, negative", tar(("f", b"1\n0\n0\n".ljust(512, b"\0"), dict(pax={
    "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "huge", "GNU.sparse.realsize": "-1"}))),
    refused="bytes|tar:")
size("sparse map of nonsense", tar(("f", b"9999999\n1\n1\n".ljust(512, b"\0"), dict(pax={
    "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "huge", "GNU.sparse.realsize": "100"}))),
    refused="tar:|bytes|size")
size("sparse map that overlaps", tar(("f", b"abcdef", dict(pax={
    "GNU.sparse.size": "10", "GNU.sparse.numblocks": "2", "GNU.sparse.map": "0,4,2,9999999999"}))), refused="beyond its size")
size("old sparse, 2^62", raw(header(b"huge", 0, b"S", magic=b"ustar  \0", extra=b"00000000000\0" * 2 + b"\0" * 73 +
                                    big(1 << 62))), refused="bytes|tar:")
size("sparse, 64 GiB", tar(("f", b"1\n0\n0\n".ljust(512, b"\0"), dict(pax={
    "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "huge", "GNU.sparse.realsize": str(64 << 30)}))),
    tree=base("huge#%d" % (64 << 30)), objects=dict(tree=None, refused="holes|sparse"))
size("beyond the archive", raw(member(b"f", b"x", size=1 << 20)), refused="tar:")
size("beyond the disk", raw(member(b"f", b"x", size=big(1 << 39))), refused="needs 549755813888 bytes, but only")
size("negative", raw(member(b"f", b"x", size=big(-1))), refused="tar:|bytes")
size("2^63 - 1", raw(member(b"f", b"x", size=big((1 << 63) - 1))), refused="tar:|bytes")
size("2^64", raw(member(b"f", b"x", size=big(1 << 64))), refused="tar:|bytes")
size("PAX says more", raw(pax({"size": str(1 << 39)}), member(b"f", b"x")), refused="needs|tar:")
size("PAX says less", raw(pax({"size": "1"}), member(b"f", b"xyz")), tree=base("f=x"))
size("PAX says -1", raw(pax({"size": "-1"}), member(b"f", b"x")), refused="tar:|bytes")
size("PAX says words", raw(pax({"size": "many"}), member(b"f", b"x")), refused="tar:")
size("octal of nonsense", raw(member(b"f", b"x", size=b"zzzzzzzzzzz\0")), refused="tar:")
size("wrong checksum", raw(header(b"f", 0, sum_error=1)), refused="tar:")
size("cut in a header", raw(member(b"f", b"x"))[:300], refused="tar:")
size("no end mark", member(b"f", b"x"), tree=base("f=x"))
size("nothing at all", b"", tree=base())
size("garbage", b"garbage" * 300, refused="tar:")
size("garbage after the end", raw(member(b"f", b"x")) + b"garbage" * 200, tree=base("f=x"))
size("another tar after the end", raw(member(b"f", b"x")) + raw(member(b"hidden", b"x")), tree=base("f=x"))


# --- PAX and GNU headers

def extended(name, layer, **outcome):
    layer_case("headers", name, layer, **outcome)


extended("path of 1 MB", raw(pax({"path": "a/" * (1 << 19)}), member(b"f", b"x")), refused="too long|tar:")
extended("path of 70000", raw(pax({"path": "a/" * 35000}), member(b"f", b"x")), refused="a name of 70000 bytes")
extended("link of 1 MB", raw(pax({"linkpath": "a" * (1 << 20)}), member(b"s", kind=b"2")), refused="too long|tar:")
extended("GNU name of 2 MB", raw(member(b"././@LongLink", b"a" * (2 << 20), kind=b"L"), member(b"f", b"x")),
         refused="too long|tar:")
extended("GNU name of 4 GB", raw(member(b"././@LongLink", b"a" * 100, kind=b"L", size=big(4 << 30))), refused="tar:")
extended("GNU name cut", raw(member(b"././@LongLink", b"a" * 10, kind=b"L")), refused="tar:")
extended("PAX header of 2 MB", raw(pax({"comment": "c" * (2 << 20)}), member(b"f", b"x")), refused="tar:")
extended("NUL in a path", raw(pax({"path": b"safe\0../../etc/passwd"}), member(b"f", b"x")), tree=base("safe=x"))
extended("record of a wrong length", raw(pax(b"99999 path=../../x\n"), member(b"f", b"x")), refused="tar:")
extended("record of length 0", raw(pax(b"0 path=x\n"), member(b"f", b"x")), refused="tar:")
extended("record without an end", raw(pax(b"9 path=xy"), member(b"f", b"x")), refused="tar:")
extended("record without a sign", raw(pax(b"11 pathxyz\n"), member(b"f", b"x")), refused="tar:")
extended("path twice", raw(pax(record(b"path", b"one") + record(b"path", b"two")), member(b"f", b"x")), tree=base("two=x"))
extended("path that climbs", raw(pax({"path": "../../../climbed"}), member(b"f", b"x")), tree=base("climbed=x"))
extended("path of nothing", raw(pax({"path": ""}), member(b"f", b"x")), tree=base("f=x"))
extended("a path for all", raw(pax({"path": "../../all"}, kind=b"g"), member(b"f", b"x"), member(b"g", b"x")),
         tree=base("f=x", "g=x"))
extended("headers without a file", raw(pax({"path": "x"})), refused="tar:")
extended("headers upon headers", raw(*[pax({"path": "x%d" % i}) for i in range(1000)], member(b"f", b"x")),
         refused="tar:")
extended("old header with a prefix", raw(member(b"passwd", b"x", prefix=b"../../etc")), tree=base("etc/", "etc/passwd=x"))
extended("no magic", raw(member(b"f", b"x", magic=b"\0" * 8)), tree=base("f=x"))


# --- names

def names(name, *entries, **outcome):
    layer_case("names", name, tar(*entries), **outcome)


ODD = ["esc\x1b]0;owned\x07", "new\nline", "tab\t", "-rf", "--help", "a b", " ", "\\", "*", "...", "$(id)", "a:b",
       "\u202egnp", "CON", "\udcff\udcfe", "A", "a", "\x7f", "'", '"', "%s%n"]
names("odd", *[(n, b"x") for n in ODD], tree=base(*[n + "=x" for n in ODD]))
names("255 bytes", ("n" * 255, b"x"), tree=base("n" * 255 + "=x"))
names("256 bytes", ("n" * 256, b"x"), refused="File name too long|longer than 255")
names("256 bytes of a parent", ("n" * 256 + "/x", b"x"), refused="File name too long|longer than 255")
names("escape codes in a message", ("esc\x1b]0;owned\x07", b"x", dict(uid=4000000000)), refused="esc.* belongs to")
names("300 deep", ("d/" * 300 + "f", b"x"), ("d/" * 300 + "g", b"x"),
      tree=base(*["d/" * (i + 1) for i in range(300)], "d/" * 300 + "f=x", "d/" * 300 + "g=x"))
names("30000 deep", ("d/" * 30000 + "f", b"x"), ("d/" * 30000 + "g", b"x"), refused="deep|too long")
names("duplicates", ("f", b"1"), ("f", b"22"), ("f", FIFO), ("f", DIR), ("f", b"3"), tree=base("f=3"))
names("directory twice", ("d", DIR), ("d/x", b"1"), ("d", DIR, dict(mode=0o700)), tree=base("d/ 700", "d/x=1"))


# --- packings and numbers

def packed(name, make, **outcome):
    case("bombs", name, lambda: Image(make(), diff_ids=WRONG_ID), **outcome)


def many(count, name):
    """Headers are copies with another name and sum: fast to make."""
    out, plain = io.BytesIO(), bytearray(header(b"0" * 20))
    for i in range(count):
        text = name(i)
        plain[0:len(text)] = text
        plain[148:156] = b" " * 8
        plain[148:156] = b"%06o\0 " % sum(plain)
        out.write(plain)
    return out.getvalue() + b"\0" * 1024


ZEROS = header(b"zeros", 1 << 29)
LATE = "the layer's content is sha256:"     # all was unpacked before it was refused
packed("gzip, 512 MiB", lambda: gzip_zeros(ZEROS, 513), refused=LATE, seconds=30)
packed("zstd, 512 MiB", lambda: zstd_frame(ZEROS, repeat=(513 << 20) // 0x20000), refused=LATE, seconds=30)
packed("zstd, window of 128 MiB", lambda: zstd_frame(ZEROS, 27, (513 << 20) // 0x20000), refused=LATE, memory=160, seconds=30)
packed("zstd, window of 2 GiB", lambda: zstd_frame(ZEROS, 31, 10), refused="zstd: Frame requires too much memory")
packed("zstd, window of 2 TiB", lambda: zstd_frame(ZEROS, 41, 10), refused="zstd: Frame requires too much memory")
packed("zstd, cut", lambda: zstd_frame(ZEROS, repeat=10, last=False), refused="zstd: the data ends too early")
packed("zstd, skippable frame of 4 GiB", lambda: b"\x50\x2a\x4d\x18\xff\xff\xff\xff" + b"x", refused="zstd: |media type")
packed("gzip, cut", lambda: gzip.compress(tar(("f", b"x" * 100000)))[:-20], refused="gzip: ")
packed("gzip, wrong sum", lambda: gzip.compress(b"\0" * 1024)[:-8] + b"12345678", refused="gzip: ")
packed("gzip, garbage after it", lambda: gzip.compress(b"\0" * 1024) + b"garbage", refused="gzip: ")
packed("gzip in gzip", lambda: gzip.compress(gzip.compress(gzip.compress(b"\0" * 4096))), refused="tar:")
packed("gzip, 100000 empty members", lambda: gzip.compress(b"", mtime=0) * 100000 + gzip.compress(b"\0" * 1024),
       refused=LATE)
packed("xz", lambda: lzma.compress(BASE), refused="packed with xz")
packed("100000 files", lambda: gzip.compress(many(100000, lambda i: b"%08d" % i), 1), refused=LATE, seconds=30)
packed("100000 times the same file", lambda: gzip.compress(header(b"f") * 100000 + b"\0" * 1024, 1), refused=LATE, seconds=30)
packed("20000 links", lambda: gzip.compress(tar(("f", b"x"), *[hard("l%d" % i, "f") for i in range(20000)]), 1),
       refused=LATE, seconds=30)
packed("500 MB of attributes", lambda: gzip.compress(padded(tar(("f", b"x", dict(pax={
    "SCHILY.xattr.user.a%d" % i: "y" * 60000 for i in range(15)}))).rstrip(b"\0")), 1) * 600 + gzip.compress(bytes(1024)),
    refused=LATE, seconds=30, objects=dict(refused="extended attributes take more than 64 MiB", memory=100))
