#!/usr/bin/env python3
"""make-chunked LAYOUT [WAY]: turns the plain layers of an OCI layout with one image into zstd:chunked ones, with names of annotations
and a footer of the newer kind. WAY: old (annotations and a footer of the older kind, no tar-split), or a lie: digest-of-table,
digest-of-split, place-of-split, split-cut, or one of those below (table-huge). --ways lists all lies."""
import base64, ctypes, hashlib, io, json, os, struct, sys, tarfile

CHUNK = 65536
OTHER_LIES = ["digest-of-table", "digest-of-split", "place-of-split", "split-cut"]
layout, way = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
old = way == "old"
zstd = ctypes.CDLL("libzstd.so.1")
zstd.ZSTD_compressBound.restype = zstd.ZSTD_compress.restype = ctypes.c_size_t
TYPES = {tarfile.REGTYPE: "reg", tarfile.DIRTYPE: "dir", tarfile.SYMTYPE: "symlink", tarfile.LNKTYPE: "hardlink"}

def pack(data):
    room = ctypes.create_string_buffer(zstd.ZSTD_compressBound(ctypes.c_size_t(len(data))))
    n = zstd.ZSTD_compress(room, ctypes.c_size_t(len(room)), data, ctypes.c_size_t(len(data)), 3)
    return room.raw[:n]

def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()

def skipped(data):
    return b"\x50\x2a\x4d\x18" + struct.pack("<I", len(data)) + data

def read(d):
    return open(os.path.join(layout, "blobs/sha256", d.split(":")[1]), "rb").read()

def write(data):
    open(os.path.join(layout, "blobs/sha256", digest(data).split(":")[1]), "wb").write(data)
    return {"digest": digest(data), "size": len(data)}

class Lies:
    """What each does to the table (of: its entries with data; end: of the frames) or to the lines of the tar-split."""
    def table_disorder(entries, of, end):
        of[-1].update(offset=end + 1000000, endOffset=5)
    def table_overlap(entries, of, end):
        of[5]["offset"] = of[4]["offset"]
    def table_huge(entries, of, end):
        of[-1]["endOffset"] = 2 ** 63 - 1
    def table_negative(entries, of, end):
        of[0]["offset"] = -1
    def table_larger(entries, of, end):
        of[3]["size"] += 1
    def table_smaller(entries, of, end):
        of[3]["size"] -= 1
    def table_bomb(entries, of, end):
        of[3]["size"] = 2 ** 62
    def table_other_file(entries, of, end):
        of[3]["digest"], of[4]["digest"] = of[4]["digest"], of[3]["digest"]
    def table_no_file(entries, of, end):
        of[3]["digest"] = "sha256:" + 64 * "0"
    def table_missing_file(entries, of, end):
        entries.remove(of[3])
    def table_no_digests(entries, of, end):
        for e in of:
            e["digest"] = "sha256:none"
    def split_other_bytes(lines):
        lines[0] = segment(b"x" * 512)
    def split_missing_file(lines):
        lines.remove([l for l in lines if l["type"] == 1 and l["size"]][3])
    def split_more_files(lines):
        lines.append(dict(type=1, name="more", size=5, payload=None, position=0))
    def split_other_size(lines):
        [l for l in lines if l["type"] == 1 and l["size"]][3]["size"] += 512
    def split_other_type(lines):
        lines[3]["type"] = 3
    def split_no_base64(lines):
        lines[0]["payload"] = "*"
    def split_shorter(lines):
        del lines[-1]

if layout == "--ways":
    sys.exit(print(*OTHER_LIES, *(n.replace("_", "-") for n in vars(Lies) if n.startswith(("table_", "split_")))))

def segment(data):
    return dict(type=2, payload=base64.b64encode(data).decode(), position=0)

def entries_of(member, data, out):
    """Appends the frames of a file's data to out, and answers its entries."""
    entry = {"type": TYPES.get(member.type, "fifo"), "name": member.name + ("/" if member.isdir() else ""), "mode": member.mode,
             "uid": member.uid, "gid": member.gid, "modtime": str(member.mtime)}
    if member.linkname:
        entry["linkName"] = member.linkname
    if not data:
        return [entry]
    entry.update(size=len(data), digest=digest(data), offset=len(out))
    entries = [entry]
    for i in range(0, len(data), CHUNK):
        part = data[i:i + CHUNK]
        chunk = entry if i == 0 else {"type": "chunk", "name": entry["name"], "offset": len(out), "chunkOffset": i}
        if len(data) > CHUNK:
            chunk.update(chunkSize=len(part), chunkDigest=digest(part))
        if i:
            entries.append(chunk)
        out += pack(part)
    entry["endOffset"] = len(out)
    return entries

def lie(kind, files, *what):
    """Small layers stay honest."""
    if way.startswith(kind) and len(files) > 8 and hasattr(Lies, way.replace("-", "_")):
        getattr(Lies, way.replace("-", "_"))(*what)

def chunked(plain):
    out, entries, lines, packed, split = bytearray(), [], [], 0, 0
    for member in tarfile.open(fileobj=io.BytesIO(plain)):
        data = plain[member.offset_data:member.offset_data + member.size] if member.isreg() else b""
        lines.append(segment(plain[split:member.offset_data]))
        lines.append(dict(type=1, name=member.name, size=len(data), payload="AAAAAAAAAAA=" if data else None, position=len(lines)))
        split = member.offset_data + len(data)
        if data:
            out += pack(plain[packed:member.offset_data])
            packed = split
        entries += entries_of(member, data, out)
    out += pack(plain[packed:])
    lines.append(segment(plain[split:]))
    files = [e for e in entries if e["type"] == "reg" and "size" in e]
    lie("split", files, lines)
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()[:-1 if way == "split-cut" else None]
    packed = pack(text)
    lie("table", files, entries, files, len(out))
    table = {"version": 1, "entries": entries}
    if not old:
        table["tarSplitDigest"] = digest(packed + b"x" * (way == "digest-of-split"))
    table = json.dumps(table).encode()
    where = [len(out) + 8, 0, len(table)]
    table = pack(table)
    where[1] = len(table)
    out += skipped(table)
    split = (len(out) + 8, len(packed), len(text))
    if not old:
        out += skipped(packed)
    out += skipped(struct.pack("<4Q", *where, 1) + (b"" if old else struct.pack("<3Q", *split)) + b"GNUlInUx")
    prefix = "io.containers.zstd-chunked." if old else "io.github.containers.zstd-chunked."
    annotations = {prefix + "manifest-checksum": digest(table + b"x" * (way == "digest-of-table")),
                   prefix + "manifest-position": "%d:%d:%d:1" % tuple(where)}
    if not old:
        annotations[prefix + "tarsplit-position"] = "%d:%d:%d" % split
    if way == "place-of-split":
        annotations[prefix + "tarsplit-position"] = "%d:%d:%d" % (where[0], *split[1:])
    return bytes(out), annotations

index = json.load(open(os.path.join(layout, "index.json")))
manifest = json.loads(read(index["manifests"][0]["digest"]))
for layer in manifest["layers"]:
    blob, annotations = chunked(read(layer["digest"]))
    layer.update(write(blob), mediaType="application/vnd.oci.image.layer.v1.tar+zstd", annotations=annotations)
index["manifests"][0].update(write(json.dumps(manifest).encode()))
json.dump(index, open(os.path.join(layout, "index.json"), "w"))
