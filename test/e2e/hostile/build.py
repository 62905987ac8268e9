"""build - tars, layers and image archives that no honest tool makes, byte by byte where need be

A layer is bytes. Image holds what an image is made of, with every lie that a case wants told by changing its members
before or (in `tell`) after digests are taken. It is written as an OCI directory, an oci-archive or a docker-archive.
"""
import gzip, hashlib, io, json, lzma, os, struct, tarfile, zlib

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
NAME = "localhost/hostile:latest"


class Kind(bytes):
    """What an entry is when it is no file: apart from a file whose content is "5"."""


DIR, LINK, HARD, FIFO, CHAR, BLOCK = map(Kind, (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE,
                                                tarfile.CHRTYPE, tarfile.BLKTYPE))


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


# --- tars

def header(name, size=0, kind=b"0", link=b"", mode=b"0000644\0", uid=b"0000000\0", gid=b"0000000\0", mtime=b"00000000000\0",
           prefix=b"", magic=b"ustar\00000", extra=b"", sum_error=0):
    """One header block; size is a number or the twelve bytes of the field."""
    h = bytearray(512)
    h[0:len(name[:100])] = name[:100]
    h[100:108], h[108:116], h[116:124] = mode, uid, gid
    h[124:136], h[136:148] = size if isinstance(size, bytes) else b"%011o\0" % size, mtime
    h[156:157] = kind
    h[157:157 + len(link[:100])] = link[:100]
    h[257:265] = magic
    h[345:345 + len(prefix)] = prefix
    h[386:386 + len(extra)] = extra
    h[148:156] = b" " * 8
    h[148:156] = b"%06o\0 " % (sum(h) + sum_error)
    return bytes(h)


def padded(data):
    return data + b"\0" * (-len(data) % 512)


def member(name, data=b"", **fields):
    return header(name, fields.pop("size", len(data)), **fields) + padded(data)


def record(key, value):
    """One PAX record with its true length."""
    text = b" " + key + b"=" + value + b"\n"
    length = len(text) + 1
    while len(str(length)) + len(text) != length:
        length = len(str(length)) + len(text)
    return b"%d" % length + text


def pax(records, kind=b"x"):
    data = b"".join(record(k.encode(), v if isinstance(v, bytes) else v.encode()) for k, v in records.items()) \
        if isinstance(records, dict) else records
    return member(b"PaxHeader", data, kind=kind)


def raw(*parts):
    return b"".join(parts) + b"\0" * 1024


def big(number, size=12):
    """A field in base 256, which holds what octal digits cannot."""
    return bytes([0x80 if number >= 0 else 0xff]) + (number & ((1 << 8 * (size - 1)) - 1)).to_bytes(size - 1, "big")


def tar(*entries):
    """Entries are (name, type or content, options): an honest tar of dishonest names."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as t:
        for name, what, *more in entries:
            options = dict(more[0]) if more else {}
            info = tarfile.TarInfo(name)
            data = b"" if isinstance(what, Kind) else what
            info.type = bytes(what) if isinstance(what, Kind) else tarfile.REGTYPE
            info.size, info.mode = len(data), 0o755 if what == DIR else 0o644
            info.pax_headers = options.pop("pax", {})
            for key, value in options.items():
                setattr(info, key, value)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def link(name, target):
    return name, LINK, dict(linkname=target)


def hard(name, target):
    return name, HARD, dict(linkname=target)


# --- packings

def gzip_zeros(head, mebibytes):
    """head and then zeros, as members of one MiB each: nothing to compute, a thousandth of the size."""
    return gzip.compress(head, 1, mtime=0) + gzip.compress(bytes(1 << 20), 9, mtime=0) * mebibytes


def zstd_frame(data, window_log=17, repeat=0, last=True):
    """A frame of raw blocks and then `repeat` blocks of 128 KiB of zeros, four bytes each."""
    out = b"\x28\xb5\x2f\xfd" + bytes([0, window_log - 10 << 3])
    blocks = [(0, data[i:i + 0x1ffff]) for i in range(0, len(data), 0x1ffff)]
    for i, (kind, block) in enumerate(blocks):
        end = last and not repeat and i == len(blocks) - 1
        out += struct.pack("<I", len(block) << 3 | kind << 1 | end)[:3] + block
    zeros = struct.pack("<I", 0x20000 << 3 | 1 << 1)[:3] + b"\0"
    return out + zeros * repeat + (b"\x01\0\0" if repeat and last else b"")


def xz_with_dictionary(data, bits):
    """xz whose block says that it needs a dictionary of the size that `bits` encode (40: 4 GiB)."""
    x = bytearray(lzma.compress(data, lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, preset=0))
    size = (x[12] + 1) * 4                      # the block header follows the stream header of 12 bytes
    at = 12 + bytes(x[12:12 + size]).index(b"\x21\x01") + 2
    x[at] = bits
    x[12 + size - 4:12 + size] = struct.pack("<I", zlib.crc32(bytes(x[12:12 + size - 4])))
    return bytes(x)


# --- images

BASE = tar(("keep", DIR), ("keep/file", b"lower\n"), ("keep/inner", DIR), ("keep/inner/file", b"lower\n"),
           ("file", b"lower\n"), link("link", "keep"), link("absolute", "/keep"))
BASE_TREE = ["keep/", "keep/file=lower\n", "keep/inner/", "keep/inner/file=lower\n", "file=lower\n", "link -> keep",
             "absolute -> /keep"]


class Image:
    """The base layer and the given ones. Members that are set are taken as they are."""

    def __init__(self, *layers, base=True, **changes):
        self.layers = ([BASE] if base else []) + list(layers)       # blobs
        self.diff_ids = None                                        # of plain layers: their digests
        self.types = None
        self.config, self.config_text = {"Cmd": ["true"]}, None
        self.root = {}                                              # members of the configuration beside `config`
        self.manifest_changes = lambda manifest: manifest
        self.descriptor_changes = lambda descriptor: descriptor
        self.index_changes = lambda index: index
        self.tell = lambda blobs, manifest: None                    # lies about blobs, once their digests are taken
        self.manifest_type = MANIFEST
        for key, value in changes.items():
            assert hasattr(self, key), key
            setattr(self, key, value)

    def config_bytes(self):
        if self.config_text is not None:
            return self.config_text
        ids = self.diff_ids if self.diff_ids is not None else [digest(plain(l)) for l in self.layers]
        root = {"os": "linux", "architecture": MACHINE, "config": self.config, "rootfs": {"type": "layers", "diff_ids": ids}}
        root.update(self.root)
        return json.dumps(root).encode()

    def layer_type(self, i):
        if self.types:
            return self.types[i]
        return LAYER + ("+gzip" if self.layers[i][:2] == b"\x1f\x8b" else
                        "+zstd" if self.layers[i][:4] == b"\x28\xb5\x2f\xfd" else "")

    def files(self):
        """The files of an OCI layout."""
        config = self.config_bytes()
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST,
                    "config": {"mediaType": CONFIG, "digest": digest(config), "size": len(config)},
                    "layers": [{"mediaType": self.layer_type(i), "digest": digest(l), "size": len(l)}
                               for i, l in enumerate(self.layers)]}
        blobs = {digest(b): b for b in self.layers + [config]}
        self.tell(blobs, manifest)
        manifest = self.manifest_changes(manifest)
        text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        blobs[digest(text)] = text
        descriptor = self.descriptor_changes({"mediaType": self.manifest_type, "digest": digest(text), "size": len(text),
                                              "annotations": {"org.opencontainers.image.ref.name": NAME}})
        blobs.update(descriptor.pop("blobs", {}))
        index = self.index_changes({"schemaVersion": 2, "manifests": [descriptor]})
        files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
                 "index.json": index if isinstance(index, bytes) else json.dumps(index).encode()}
        files.update({"blobs/sha256/" + d.split(":", 1)[1]: data for d, data in blobs.items() if data is not None})
        return files

    def archive(self):
        return tar(*self.files().items())

    def write_directory(self, path):
        for name, data in self.files().items():
            at = os.path.join(path, name)
            os.makedirs(os.path.dirname(at), exist_ok=True)
            with open(at, "wb") as f:
                f.write(data)


def plain(layer):
    if layer[:2] == b"\x1f\x8b":
        return gzip.decompress(layer)
    return layer


def docker_archive(*layers, names=(NAME,), config=None, config_name=None, members=(), changes=lambda entry: entry):
    """members come last, in place of what has their names."""
    layers = [BASE] + list(layers)
    text = Image(*layers, base=False, config=config or {"Cmd": ["true"]}).config_bytes()
    own = config_name or digest(text)[7:] + ".json"
    paths = [digest(l)[7:] + ".tar" for l in layers]
    manifest = changes([{"Config": own, "RepoTags": list(names), "Layers": paths}])
    there = [(own, text)] + list(zip(paths, layers)) + \
        [("manifest.json", manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode())]
    gone = {m[0] for m in members}
    return tar(*[m for m in there if m[0] not in gone], *members)
