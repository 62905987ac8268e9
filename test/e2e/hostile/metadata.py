"""metadata - manifests, indexes, descriptors and configurations that lie; their layers are honest"""
import json

from build import BASE, CONFIG, INDEX, LAYER, MACHINE, MANIFEST, NAME, Image, digest, tar
from cases import base, case

TOP = tar(("f", b"x"))


def lie(name, refused, **changes):
    """Images of two honest layers that differ in `changes`."""
    more = {key: changes.pop(key) for key in ("pulled", "tree", "shows", "memory", "seconds") if key in changes}
    case("manifests", name, lambda: Image(TOP, **changes), refused, **more)


def config(name, refused=None, text=None, root=None, **members):
    more = {key: members.pop(key) for key in ("pulled", "tree", "shows", "memory", "seconds") if key in members}
    if refused is None and "tree" not in more and "shows" not in more:
        more["tree"] = base()
    case("configurations", name, lambda: Image(config={"Cmd": ["true"], **members}, root=root or {}, config_text=text),
         refused, **more)


def change(**values):
    return lambda thing: {**thing, **values}


def without(*names):
    return lambda thing: {k: v for k, v in thing.items() if k not in names}


def in_last_layer(**values):
    return lambda m: {**m, "layers": m["layers"][:-1] + [{**m["layers"][-1], **values}]}


def other_bytes(of, new):
    """The blob that the manifest's `of` names has other bytes than its digest says; None: it is not there."""
    def tell(blobs, manifest):
        d = manifest["config"]["digest"] if of == "config" else manifest["layers"][-1]["digest"]
        blobs[d] = new(blobs[d])
    return tell


# --- digests and sizes

DIGEST, SIZE = "digest does not match", "size"
lie("layer of other bytes", DIGEST, tell=other_bytes("layer", lambda b: b[:-1] + b"x"))
lie("configuration of other bytes", DIGEST, tell=other_bytes("config", lambda b: b.replace(b"linux", b"linuz")))
lie("manifest of other bytes", DIGEST, descriptor_changes=lambda d: {**d, "digest": digest(b"other"), "size": 5,
                                                                    "blobs": {digest(b"other"): b"value"}}, pulled="")
lie("layer that is longer", "size does not match|larger than", tell=other_bytes("layer", lambda b: b + b"\0" * 512))
lie("layer that is shorter", "size does not match|digest does not match",
    tell=other_bytes("layer", lambda b: b[:-512]))
lie("layer that is empty", "size does not match", tell=other_bytes("layer", lambda b: b""))
lie("layer that is missing", "is not in the archive|not found|unknown", tell=other_bytes("layer", lambda b: None))
lie("configuration that is missing", "is not in the archive|not found|unknown", tell=other_bytes("config", lambda b: None))
for what, size in dict(one_more=len(TOP) + 1, negative=-1, half=len(TOP) // 2, largest=(1 << 63) - 1, beyond=1 << 64,
                       fraction=1.5, text="12", null=None, zero=0).items():
    lie("layer size, " + what.replace("_", " "), "size|larger than|bytes|number|digest does not match",
        manifest_changes=in_last_layer(size=size))
lie("configuration size, 1 GB", "impossible size", manifest_changes=lambda m: {**m, "config": {**m["config"], "size": 1 << 30}})
lie("manifest size, one less", "size does not match", pulled="", descriptor_changes=lambda d: {**d, "size": d["size"] - 1})
for what, text in dict(short="sha256:xyz", upper="sha256:" + "A" * 64, climbing="sha256:../../../../etc/passwd",
                       none="", sha1="sha1:" + "0" * 40, md5="md5:" + "0" * 32, blank="sha256: " + "0" * 63,
                       escape="sha256:\x1b[31m", long="sha256:" + "0" * 10000).items():
    lie("layer digest, " + what, "malformed digest", manifest_changes=in_last_layer(digest=text))
lie("layer digest, sha512", "only sha256 digests are stored", manifest_changes=in_last_layer(digest="sha512:" + "0" * 128))
lie("layer digest, a number", "expected string", manifest_changes=in_last_layer(digest=7))
lie("manifest digest, climbing", "malformed digest", pulled="",
    descriptor_changes=lambda d: {**d, "digest": "sha256:../../index.json"})
lie("diff ID of another layer", "the layer's content is", diff_ids=[digest(BASE), digest(b"another")])
lie("diff IDs in another order", "the layer's content is", diff_ids=[digest(TOP), digest(BASE)])
lie("diff ID that climbs", "malformed digest|not valid", diff_ids=[digest(BASE), "sha256:../../../x"])
lie("more diff IDs than layers", "2 layers, the configuration 3 diff IDs", diff_ids=[digest(BASE)] * 3)
lie("fewer diff IDs than layers", "2 layers, the configuration 1 diff IDs", diff_ids=[digest(BASE)])
lie("the same layer twice", None, layers=[BASE, TOP, TOP], tree=base("f=x"))


# --- media types

lie("manifest and index at once", "ambiguous", manifest_changes=change(manifests=[]))
lie("index that is called a manifest", "type|ambiguous", pulled="type|ambiguous",
    manifest_changes=lambda m: json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "manifests": []}).encode())
lie("manifest that is called an index", "does not fit|ambiguous", manifest_changes=change(mediaType=INDEX))
lie("descriptor that calls it an index", "ambiguous|does not fit", manifest_type=INDEX)
lie("schema 1", "schema 1", manifest_changes=change(schemaVersion=1))
lie("schema 1 by its members", "schema 1", manifest_changes=change(fsLayers=[], schemaVersion=2))
lie("schema 3", "schemaVersion: expected 2", manifest_changes=change(schemaVersion=3))
lie("no schema", "schemaVersion: expected 2", manifest_changes=without("schemaVersion"))
lie("manifest of an unknown type", "ambiguous: its mediaType is application/vnd.example", manifest_changes=change(mediaType="application/vnd.example+json"))
lie("type with escape codes", "ambiguous: its mediaType", manifest_changes=change(mediaType="\x1b]0;owned\x07"))
lie("configuration that is a layer", "no container image|artifact",
    manifest_changes=lambda m: {**m, "config": {**m["layers"][0], "mediaType": LAYER}})
lie("configuration that is a layer but says no", "image configuration: ",
    manifest_changes=lambda m: {**m, "config": {**m["layers"][0], "mediaType": CONFIG}})
lie("layer that is a configuration", "no image layer", manifest_changes=in_last_layer(mediaType=CONFIG))
lie("layer that is a configuration but says no", "tar:|content is",
    manifest_changes=lambda m: {**m, "layers": [m["layers"][0], {**m["config"], "mediaType": LAYER}]})
lie("layer of an unknown type", "no image layer", manifest_changes=in_last_layer(mediaType="application/vnd.example.layer"))
lie("layer type with escape codes", "no image layer", manifest_changes=in_last_layer(mediaType="\x1b]0;owned\x07"))
lie("layer without a type", "no image layer", manifest_changes=in_last_layer(mediaType=None))
lie("encrypted layer", "no image layer", manifest_changes=in_last_layer(mediaType=LAYER + "+gzip+encrypted"))
lie("plain layer that says gzip", None, types=[LAYER, LAYER + "+gzip"], tree=base("f=x"))
lie("no configuration", r"\.config: ", manifest_changes=without("config"))
lie("no layers", r"\.layers: ", manifest_changes=without("layers"))
lie("an empty list of layers", "0 layers", manifest_changes=change(layers=[]))
lie("2000 layers", "at most 1024", manifest_changes=lambda m: {**m, "layers": m["layers"] * 1000})
lie("artifact", "artifact|no container image",
    manifest_changes=lambda m: {**m, "config": {**m["config"], "mediaType": "application/vnd.example.thing+json"}})
lie("foreign layer with addresses", "never fetches|not found|unknown", tell=other_bytes("layer", lambda b: None),
    manifest_changes=in_last_layer(urls=["http://127.0.0.1:9/layer", "file:///etc/passwd"],
                                   mediaType=LAYER.replace("layer.", "layer.nondistributable.")))
lie("foreign layer that is there", None, manifest_changes=in_last_layer(urls=["http://127.0.0.1:9/layer"]), tree=base("f=x"))


# --- text

lie("not JSON", "line 1", manifest_changes=lambda m: b'{"schemaVersion": 2, "layers": [[[[')
lie("empty", "manifest", manifest_changes=lambda m: b"")
lie("a list", "expected object|schemaVersion", manifest_changes=lambda m: b"[1]")
lie("a byte order mark", "unexpected character", manifest_changes=lambda m: b"\xef\xbb\xbf" + json.dumps(m).encode())
lie("garbage after it", "unexpected character|line 1", manifest_changes=lambda m: json.dumps(m).encode() + b"garbage")
lie("a member twice", "appears twice", manifest_changes=lambda m: json.dumps(m).encode()[:-1] + b',"layers":[]}')
lie("NUL in a string", "NUL", manifest_changes=change(annotations={"a": "x\0y"}))
lie("invalid UTF-8", "UTF-8", manifest_changes=lambda m: json.dumps(m).encode()[:-1] + b',"a":"\xff"}')
lie("10000 brackets", "nested too deeply", manifest_changes=lambda m: b"[" * 10000)
lie("number beyond all", "number out of range", manifest_changes=lambda m: json.dumps(m).encode()[:-1] + b',"a":1e999}')
lie("5 MiB", "at most 4194304|more than 4194304|too long|impossible size", manifest_changes=change(annotations={"a": "x" * (5 << 20)}))
lie("170000 objects", None, manifest_changes=change(more=[{}] * 170000), tree=base("f=x"), memory=200)
lie("900000 numbers", None, manifest_changes=change(more=[1] * 900000), tree=base("f=x"), memory=200)
lie("a million objects", "too many|more than", manifest_changes=change(more=[{}] * 1000000))
lie("a million numbers", "too many|more than", manifest_changes=change(more=[1] * 1300000))


# --- indexes

def nested(depth):
    """An index in an index in an index ... around a manifest."""
    def changes(d):
        blobs = {}
        for _ in range(depth):
            text = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
                {**d, "platform": {"os": "linux", "architecture": MACHINE}, "annotations": {}}]}).encode()
            blobs[digest(text)] = text
            d = {"mediaType": INDEX, "digest": digest(text), "size": len(text), "annotations": d["annotations"]}
        return {**d, "blobs": blobs}
    return changes


def itself(d):
    """No digest can be in what it is a digest of: the circle is a lie about one of them."""
    text = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": INDEX, "digest": "sha256:" + "1" * 64, "size": 400,
         "platform": {"os": "linux", "architecture": MACHINE}}]}).encode().ljust(400)
    return {**d, "mediaType": INDEX, "digest": "sha256:" + "1" * 64, "size": 400, "blobs": {"sha256:" + "1" * 64: text}}


lie("index of itself", DIGEST, descriptor_changes=itself, pulled="")
lie("index, 3 deep", None, descriptor_changes=nested(3), tree=base("f=x"))
lie("index, 100 deep", "nested more than 8 deep", descriptor_changes=nested(100))
lie("index without entries", "no image|there is no image", index_changes=change(manifests=[]), pulled="")
lie("index of 5000 entries", "at most 4096", index_changes=lambda i: {**i, "manifests": i["manifests"] * 5000}, pulled="")
lie("index that is a manifest", "index.json: manifest: an artifact", pulled="",
    index_changes=lambda i: {"schemaVersion": 2, "config": i["manifests"][0], "layers": []})
lie("index of no JSON", "index.json", index_changes=lambda i: b"{", pulled="")
lie("index for other machines", "no image for platform", pulled="", index_changes=lambda i: {**i, "manifests": [
    {**i["manifests"][0], "annotations": {}, "platform": {"os": "plan9", "architecture": a}} for a in ("mips", "\x1b[31m")]})
for what, name in {"escape codes": "\x1b]0;owned\x07", "a way up": "../../../etc/passwd", "a flag": "--help", "an address":
                   "http://evil.example/x", "20000 bytes": "x" * 20000, "blanks": "a b", "nothing": ""}.items():
    lie("name of " + what, None, shows=[("images -q", 0, "^[0-9a-f]{12}$"), ("rmi -f -a", 0, "")], pulled="",
        descriptor_changes=lambda d, name=name: {**d, "annotations": {"org.opencontainers.image.ref.name": name}})


# --- configurations

ESCAPES = "\x1b]0;owned\x07\x1b[31mred\x9b31m\u202e"
SHOW = [("images", 0, ""), ("images --digests --no-trunc", 0, ""), ("history %s" % NAME, 0, ""), ("inspect %s" % NAME, 0, ""),
        ("images --format {{.Labels}}", 0, "")]
RUNS = ("run --rm --network none %s" % NAME, "127|125|126", r"error\[")

config("labels with escape codes", Labels={ESCAPES: ESCAPES},
       shows=SHOW + [("inspect --format {{.Config.Labels}} %s" % NAME, 0, "owned")])
config("history with escape codes", shows=SHOW, root={"history": [
    {"created": ESCAPES, "created_by": ESCAPES, "comment": ESCAPES, "author": ESCAPES}], "author": ESCAPES, "created": ESCAPES})
config("history that does not match", root={"history": [{"created_by": "x", "empty_layer": False}] * 50}, shows=SHOW)
config("history of a million steps", root={"history": [{}] * 1000000}, refused="too many|more than|at most", pulled="too many|at most|impossible")
config("history that is text", refused="history: expected", root={"history": "all of it"})
config("created in no time", root={"created": "yesterday"}, shows=SHOW)
config("created in the year 99999", root={"created": "99999-13-45T99:99:99Z"}, shows=SHOW)
config("platform that lies", root={"os": "linux", "architecture": "\x1b[31m"}, shows=SHOW)
config("another system", root={"os": "windows", "architecture": MACHINE}, shows=SHOW[:1])
config("system of a number", root={"os": 7}, refused="os: expected string")
config("entrypoint of a million words", Entrypoint=["x"] * 1000000, refused="too many|at most|impossible|more than",
       pulled="too many|at most|impossible")
config("entrypoint of 200000 words", Entrypoint=["x"] * 200000, refused="Entrypoint: has 200000 entries")
config("entrypoint of 30000 words", Entrypoint=["x"] * 30000, shows=[RUNS])
config("entrypoint of 3 MB", Entrypoint=["x" * 3000000], shows=[RUNS])
config("entrypoint of nothing", Entrypoint=[""], shows=[RUNS])
config("command that is text", Cmd="true", refused="Cmd: expected")
config("command of numbers", Cmd=[1, 2], refused=r"Cmd\[0\]: expected string")
config("environment without a sign", Env=["*", "HOME", "=x", "", "A=b"], shows=[("inspect --format {{.Config.Env}} %s" % NAME, 0, "A=b")])
config("100000 labels", Labels={"l%d" % i: "x" for i in range(100000)}, shows=SHOW, memory=160)
config("200000 variables", Env=["V%d=x" % i for i in range(200000)], refused="Env: has 200000 entries",
       pulled="Env: has 200000 entries|impossible size")
config("30000 variables", Env=["V%d=x" % i for i in range(30000)], shows=[RUNS])
config("user that is a path", User="../../etc/passwd", shows=[RUNS])
config("user of 2^32", User="4294967296", shows=[RUNS])
config("user with escape codes", User=ESCAPES, shows=[RUNS])
config("working directory with NUL", text=b'{"os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{"WorkingDir":"/a\\u0000b"}}',
       refused="NUL")
config("working directory of 100000 bytes", WorkingDir="/" + "a/" * 50000, shows=[RUNS])
config("working directory through a link", WorkingDir="/absolute/../../../../made", shows=[RUNS])
config("ports of nonsense", ExposedPorts={"http/tcp": {}, "99999/tcp": {}, "-1": {}, "80/tcp; id": {}, "\x1b[31m": {}}, shows=SHOW)
config("5000 ports", ExposedPorts={"%d/tcp" % i: {} for i in range(5000)}, refused="more than 4096 ports")
config("5000 volumes", Volumes={"/%d" % i: {} for i in range(5000)}, refused="more than 4096 ports or volumes")
config("volumes that are a list", Volumes=["/x"], refused="Volumes: expected object")
config("volume with escape codes", Volumes={"/\x1b[31m": {}}, shows=SHOW + [RUNS])
config("signal that is none", StopSignal="SIGNOPE", shows=SHOW)
config("health in numbers", Healthcheck={"Interval": 1 << 70}, refused="number out of range")
config("health below zero", Healthcheck={"Test": ["CMD", ESCAPES], "Interval": -1, "Retries": -(1 << 62)}, shows=SHOW)
config("member twice", text=b'{"os":"linux","config":{"User":"0","User":"1"},"rootfs":{"type":"layers","diff_ids":[]}}',
       refused="appears twice")
config("no file system", text=b'{"os":"linux","config":{}}', refused="rootfs: ")
config("file system of another type", root={"rootfs": {"type": "device", "diff_ids": []}}, refused='rootfs.type: expected "layers"')
config("not JSON", text=b"\x7fELF", refused="image configuration: line 1")
config("empty", text=b"", refused="image configuration: ")
config("10 MiB", Labels={"a": "x" * (10 << 20)}, refused="impossible size|at most|more than")
