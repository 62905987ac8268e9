#!/usr/bin/env python3
"""make-chunked LAYOUT [old|lie|disorder]: turns the plain layers of an OCI layout with one image into zstd:chunked ones, with names
of annotations and a footer of the newer kind, or of the older; or with a table that is not what the manifest says, or that is
nonsense."""
import ctypes, hashlib, io, json, os, struct, sys, tarfile

CHUNK = 65536
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

def entries_of(member, data, at, out):
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

def chunked(plain):
    out, entries, at = bytearray(), [], 0
    for member in tarfile.open(fileobj=io.BytesIO(plain)):
        data = plain[member.offset_data:member.offset_data + member.size] if member.isreg() else b""
        if data:
            out += pack(plain[at:member.offset_data])
            at = member.offset_data + member.size
        entries += entries_of(member, data, at, out)
    out += pack(plain[at:])
    if way == "disorder":
        entries[-1].update(type="reg", offset=len(out) + 1000000, endOffset=5)
    text = json.dumps({"version": 1, "entries": entries}).encode()
    table, split = pack(text), pack(b"the tar's own bytes would be here")
    where = (len(out) + 8, len(table), len(text))
    out += skipped(table)
    split_where = (len(out) + 8, len(split), 33)
    out += skipped(split)
    footer = struct.pack("<4Q", *where, 1) + (b"" if old else struct.pack("<3Q", *split_where)) + b"GNUlInUx"
    out += skipped(footer)
    prefix = "io.containers.zstd-chunked." if old else "io.github.containers.zstd-chunked."
    return bytes(out), {prefix + "manifest-checksum": digest(table + b"x" * (way == "lie")), prefix + "manifest-position": "%d:%d:%d:1" % where}

index = json.load(open(os.path.join(layout, "index.json")))
manifest = json.loads(read(index["manifests"][0]["digest"]))
for layer in manifest["layers"]:
    blob, annotations = chunked(read(layer["digest"]))
    layer.update(write(blob), mediaType="application/vnd.oci.image.layer.v1.tar+zstd", annotations=annotations)
index["manifests"][0].update(write(json.dumps(manifest).encode()))
json.dump(index, open(os.path.join(layout, "index.json"), "w"))
