/* spec/transfer - the conversation between the engine and bryo-transfer
 *
 * bryo-transfer parses everything that came from strangers. It is started with these descriptors: a stream socket (3,
 * or the number that its first argument gives), the directory blobs/sha256 (4, second argument), the staging directory
 * tmp/ (5, third argument), the directory objects/ (fourth argument; absent when the store has none), the directory
 * layers/ to read recipes in (fifth argument; may be absent), and 2 for nothing but its own crash; it sandboxes itself and then answers requests, one at a time, until end of file. A message is one
 * line of JSON (at most 8 MiB). A request may carry descriptors (SCM_RIGHTS). Each request is answered by any number of {"event":"progress",...} and one
 * {"event":"result",...} or {"event":"error","kind":N,"errno":N,"text":"...","hint":"...","code":"..."}.
 *
 * ops:
 *   manifest  fetch a manifest (choosing the platform from an index) and its configuration into blobs/
 *   layers    bring layers' blobs (download what blobs/ lacks) and unpack each into tmp/<stage>/diff; with `objects`
 *             into objects/ and tmp/<stage>/index
 *   blobs     bring blobs into blobs/ as they are
 *   look      fetch a manifest or an index as it is: `document`, and its descriptor
 *   keep      store `document` in blobs/ and answer its descriptor
 *   push      bring `manifest` (a digest in blobs/) and what it names to a registry, changed as the request asks, and
 *             the manifest last; or `document` alone. Answers the descriptor of what was pushed last, or in `missing`
 *             the layers that are neither here nor there: then no manifest was sent. Plain layers, and those that are
 *             compressed anew, may also be made by their recipes
 *   load      archive descriptor (docker-archive, oci-archive; compressed too) or directory descriptor (OCI, dir): blobs/ gets
 *             manifests, configurations and layers; answers the images it found. Never touches the network
 *   import    tar descriptor (compressed too): one layer blob, and an image made of it
 *   save      images out of blobs/ into a descriptor: a file or pipe, or a directory; or answers, before anything is written,
 *             in `missing` layers of one of `images` that are needed as they came and are not here
 *   download  a file from a web server (`reference` is its address) into a descriptor; for import
 *   login     try credentials at a registry
 *   attachments  signatures of a manifest that lie beside it in its registry (cosign's), checked against public keys
 *   sign      `document` as the payload of one more signature beside a manifest in its registry (cosign's format)
 *   lookaside signatures of a manifest that lie on a web server
 *   yaml      a YAML file's descriptor: its document as JSON
 *   verify    read the blobs of `digests` and compare them with their names; answers those that are damaged
 *   recall    of the configurations in `digests`: the images that blobs/ still has manifest and configuration of
 *   pack      write a tar of a directory descriptor to another descriptor   (cp, export, volume export)
 *   unpack    read a tar from a descriptor into a directory descriptor       (cp, volume import)
 *   index     a layer from a directory descriptor, as overlay or fuse-overlayfs keep it (diff/ of another driver, a
 *             container's upper directory): objects/ and tmp/<stage>/index of the only layer named
 *   objects-check  read objects (those named, or all) and compare them with their names; answers those that are damaged
 *   recipes-check  make the tars of `layers` (digest: chain ID) by their recipes and answer, by chain ID, those that do
 *             not have their diff ID
 *   layer     a layer blob of the entries of a directory descriptor that a file lists: `manifests` has its descriptor,
 *             `unpacked` its diff ID                                         (commit)
 *   compose   an image of the configuration `document` and layers in blobs/  (commit)
 *   tags      the tags of a repository
 *   search    the repositories of a registry that a word (`reference`) finds, at most `limit` of them: `found` */
#ifndef BRYO_SPEC_TRANSFER_H
#define BRYO_SPEC_TRANSFER_H

#include "base/json.h"
#include "spec/oci_image.h"

#define TRANSFER_DAMAGED_MAX 50000

struct transfer_source {
	char *host, *path;		/* "127.0.0.1:5000", "library/busybox" */
	bool insecure;			/* plain HTTP allowed, certificates not checked */
	char *username, *password, *identity_token;
	char *certs_dir;		/* directory with *.crt, *.cert, *.key for this host; NULL */
};

struct transfer_layer {
	char *digest, *media_type;	/* of the blob */
	int64_t size;
	char *diff_id;			/* must be what unpacking gives */
	char *toc_position, *toc_digest, *split_position;	/* of zstd:chunked: annotations of its table; NULL */
	char *stage;			/* a directory below tmp/; the tree goes to <stage>/diff, or its list to <stage>/index */
	char *chain_id;			/* layers: of a layer whose recipe will do when its blob is not there; NULL */
	bool recipe;			/* with `objects`: also <stage>/recipe, when that is worth it */
};

struct transfer_image;
struct transfer_mount { char *digest, *repository; };

struct transfer_request {
	char *op;
	struct transfer_source *source;
	char *reference;		/* manifest, look: tag or digest; push: tag, NULL: by the manifest's own digest;
					   load: the one image that is wanted, by its name; NULL: all */
	int64_t *place;			/* load: the one image that is wanted, by its place from 0; NULL: all */
	char *platform;			/* manifest, load: "linux/arm64"; NULL: this machine's */
	ARRAY(struct transfer_layer) layers;	/* layers, blobs */
	ARRAY(int64_t) uid_ranges, gid_ranges;	/* layers: mapped ids as first,count pairs; others are refused by name */
	char *user;			/* layers: whose ids these are, and the first one that nobody has: for what the administrator types */
	int64_t free_id;
	bool squash_owner;		/* layers: one-id mode, every file belongs to 0 */
	bool objects;			/* layers: contents go to objects/ */
	struct strings names;		/* objects-check: "c/xxxxxxxxxxxxxxxxxxxxx"; none: all objects */
	char *root;			/* pack, unpack: path in the directory, resolved in root */
	char *rename_to;		/* pack: name of the top entry in the tar; NULL keeps it */
	bool contents_only;		/* pack: the directory's entries without itself */
	bool overwrite;			/* unpack: a file may take a directory's place, and the other way round */
	ARRAY(int64_t) uid_map, gid_map;	/* pack, layer: a container's own map as inside,outside,count triples */
	int64_t limit;			/* search */
	int64_t retries, retry_delay_ms;	/* 0: the usual number, -1: none; delay 0: longer each time */
	char *manifest, *document, *media_type;	/* push; keep, compose: document */
	char *format;			/* push, layer, compose: "oci", "docker"; NULL as it is; save: "docker-archive" "oci"
					   "docker-dir" "dir" "oci-in-dir" */
	char *compression;		/* push: "gzip", "zstd"; NULL as it is, but plain layers become gzip;
					   save: "gzip" for plain layers; NULL as it is */
	bool recompress;		/* push: layers that are compressed otherwise, too */
	bool remake;			/* push, save: compressed layers that are missing are made anew by their recipes,
					   which gives them other digests */
	int64_t *level;			/* push, layer: of the compression; NULL: its usual one */
	ARRAY(struct transfer_mount) mounts;	/* push: where at the registry blobs may be already */
	struct strings digests;		/* verify, recall */
	struct string_map changes;	/* import: members of the configuration's `config` ("Cmd") as JSON texts */
	char *message;
	ARRAY(struct transfer_image) images;	/* save: their digests and names */
	struct strings keys;		/* attachments: public keys in PEM; sign: a private key, and its passphrase */
};

/* One image found by `manifest`, `load` or `import`, all of it in blobs/; or one that `save` is to write. */
struct transfer_image {
	char *id;			/* hex of the configuration's digest */
	char *manifest_digest, *manifest_media_type, *config_digest;
	char *index_digest;		/* the index it was chosen from; NULL */
	struct strings names;		/* load: as written in the archive; save: to be written */
	ARRAY(struct image_descriptor) layers;
	struct strings diff_ids, chain_ids;
};

/* What `verify` or `objects-check` found: text says what is wrong with the blob of this digest, the object of this name.
 * unread: the kernel refused to read it, so nobody knows. */
struct transfer_damage { char *name, *text; bool unread; };

struct transfer_unpacked { char *diff_id; int64_t size; int64_t max_uid, max_gid; bool recipe; };

/* attachments: payload and the places in `keys` of those that made the signature; lookaside: blob alone. In base64. */
struct transfer_signature { char *blob, *payload; ARRAY(int64_t) keys; };
struct transfer_repository { char *name, *description; int64_t stars; bool official, automated; };

struct transfer_event {
	char *event;			/* progress result error */
	char *id;			/* progress: short digest */
	char *status;			/* Docker's words: "Downloading", "Extracting", "Download complete", "Pull complete",
					   "Already exists", "Retrying"; of a push "Copying", "Copied",
					   "Skipped", "Mounted", "Compressing" */
	int64_t current, total;		/* bytes */
	ARRAY(struct transfer_image) images;
	ARRAY(struct transfer_unpacked) unpacked;
	ARRAY(struct transfer_signature) signatures;
	struct json *value;		/* yaml */
	ARRAY(struct transfer_repository) found;
	ARRAY(struct image_descriptor) manifests, missing;
	char *document;
	struct strings tags;
	ARRAY(struct transfer_damage) damaged;	/* of objects at most TRANSFER_DAMAGED_MAX */
	int64_t checked;		/* objects-check: objects that were read */
	int64_t kind, errno_;		/* error: enum error_kind, errno */
	char *text, *hint, *code;
};

/* May the same request end well later? Then what it has brought is worth keeping: the network, not the content, failed. */
bool transfer_may_pass(const struct error *err);

extern const struct json_shape transfer_request_shape, transfer_event_shape, transfer_image_shape;

#endif
