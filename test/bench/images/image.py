"""image - images of many files for benchmarks, as OCI layouts: the same arguments always give the same bytes"""
import gzip
import hashlib
import io
import json
import random
import subprocess
import tarfile

POOL = 1 << 22


def _pool(seed):
    """Text that packs about as programs and documents do."""
    choose = random.Random(seed)
    words = [bytes(choose.choices(b"abcdefghijklmnopqrstuvwxyz_ \n", k=choose.randint(2, 11))) for _ in range(6000)]
    return b" ".join(choose.choices(words, k=POOL // 6))[:POOL]


class Files:
    """count files of size bytes in the mean; a share of them (0..1) differs between variants."""

    def __init__(self, count, size, changed=0.0, variant=0):
        self.count, self.size, self.changed, self.variant = count, size, changed, variant
        self.pool = _pool(1)

    def __iter__(self):
        choose = random.Random(2)
        for number in range(self.count):
            size = int(choose.paretovariate(1.3) * self.size * 0.23)
            size = min(size, 64 * self.size)
            start = choose.randrange(len(self.pool) // 2)
            variant = self.variant if choose.random() < self.changed else 0
            head = b"%d %d\n" % (number, variant)
            body = b"".join([head] + [self.pool[start:start + size]] + [self.pool] * (size // len(self.pool)))
            yield f"opt/d{number // 800}/s{number // 40 % 20}/file{number}", body[:max(size, len(head))]


def _tar(entries):
    """entries: (path, content or None for a directory, mode)"""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, content, mode in entries:
            info = tarfile.TarInfo(path)
            info.mode, info.mtime = mode, 1_600_000_000
            if content is None:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def _pack(data, how):
    if how == "plain":
        return data
    if how == "zstd":
        return subprocess.run(["zstd", "-q", "-3", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return gzip.compress(data, 6, mtime=0)


def write(directory, files, layers, how, busybox):
    """An OCI layout with one image: busybox in the first layer, the files spread over all of them."""
    blobs = directory / "blobs/sha256"
    blobs.mkdir(parents=True)
    kinds = {"gzip": "tar+gzip", "zstd": "tar+zstd", "plain": "tar"}

    def keep(data):
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    first = [("bin", None, 0o755), ("bin/busybox", busybox.read_bytes(), 0o755), ("bin/true", busybox.read_bytes(), 0o755),
             ("bin/sh", busybox.read_bytes(), 0o755), ("tmp", None, 0o1777)]
    all_files, descriptors, diff_ids = list(files), [], []
    for number in range(layers):
        part = all_files[number * len(all_files) // layers:(number + 1) * len(all_files) // layers]
        parents = sorted({path[:end] for path, _ in part for end in range(len(path)) if path[end] == "/"})
        tar = _tar((first if number == 0 else []) + [(p, None, 0o755) for p in parents] + [(p, c, 0o644) for p, c in part])
        diff_ids.append("sha256:" + hashlib.sha256(tar).hexdigest())
        packed = keep(_pack(tar, how))
        descriptors.append({"mediaType": f"application/vnd.oci.image.layer.v1.{kinds[how]}"} | packed)
    config = keep(json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/sh"]},
                              "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode())
    manifest = keep(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                                "config": {"mediaType": "application/vnd.oci.image.config.v1+json"} | config,
                                "layers": descriptors}).encode())
    index = {"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json"} | manifest]}
    (directory / "index.json").write_text(json.dumps(index))
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return sum(len(content) for _, content in all_files)
