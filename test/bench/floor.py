"""floor - what the benchmarks that have a floor program share: compiling it, and its seccomp program"""
import struct
import subprocess

CACHE_HEAD = "=4Q2I256s"  # of a kept program: magic, libseccomp's time and size, size of the key; flags, number; its path


def build(source, program, *options):
    subprocess.run(["cc", "-O2", "-static", *options, "-o", str(program), str(source)], check=True)
    return str(program)


def filter_option(cache, file):
    """["-f", FILE] with the newest of the programs that bryo keeps below `cache`; [] where there is none."""
    kept = sorted(cache.rglob("*.bpf"), key=lambda path: path.stat().st_mtime)
    if not kept:
        return []
    data, head = kept[-1].read_bytes(), struct.calcsize(CACHE_HEAD)
    number = struct.unpack(CACHE_HEAD, data[:head])[5]
    file.write_bytes(data[head:head + 8 * number])
    return ["-f", str(file)]
