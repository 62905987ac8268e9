#include "engine/limits_io.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/units.h"

#define WEIGHT_MIN 10
#define WEIGHT_MAX 1000

/* "DEVICE:VALUE": the number of the block device at the path, and the text behind the last colon. */
static int parse_device(struct arena *arena, const char *flag, const char *text, int64_t *ret_major, int64_t *ret_minor,
			const char **ret_value, struct error *err)
{
	const char *colon = strrchr(text, ':');
	struct stat st;
	char *path;

	if (!colon || colon == text || !colon[1])
		return error_set(err, ERROR_USAGE, "invalid value \"%s\" for %s: DEVICE:VALUE is needed, as /dev/sda:1mb", text, flag);
	path = arena_strndup(arena, text, (size_t)(colon - text));
	if (stat(path, &st) < 0)
		return error_errno(err, "%s %s", flag, path);
	if (!S_ISBLK(st.st_mode))
		return error_set(err, ERROR_USAGE, "%s %s: it is no block device", flag, path);
	*ret_major = major(st.st_rdev);
	*ret_minor = minor(st.st_rdev);
	*ret_value = colon + 1;
	return 0;
}

static int parse_weight(struct arena *arena, const char *flag, const char *text, uint64_t **ret, struct error *err)
{
	unsigned long long n;
	uint64_t weight;

	if (str_to_u64(text, &n) < 0 || n < WEIGHT_MIN || n > WEIGHT_MAX)
		return error_set(err, ERROR_USAGE, "invalid value \"%s\" for %s: a number from %d to %d is needed", text, flag,
				 WEIGHT_MIN, WEIGHT_MAX);
	weight = n;
	*ret = arena_memdup(arena, &weight, sizeof(weight));
	return 0;
}

static int weights(struct arena *arena, const struct create_request *r, struct oci_block_io *b, struct error *err)
{
	if (r->blkio_weight && parse_weight(arena, "--blkio-weight", r->blkio_weight, &b->weight, err) < 0)
		return -1;
	for (size_t i = 0; i < r->blkio_weight_device.n; i++) {
		struct oci_weight_device *d = ARRAY_ADD(arena, &b->weight_device);
		const char *value;

		if (parse_device(arena, "--blkio-weight-device", r->blkio_weight_device.v[i], &d->major, &d->minor, &value, err) < 0 ||
		    parse_weight(arena, "--blkio-weight-device", value, &d->weight, err) < 0)
			return -1;
	}
	return 0;
}

static int throttle(struct arena *arena, const char *flag, const struct strings *texts, bool bytes, void *array,
		    struct error *err)
{
	ARRAY(struct oci_throttle_device) *list = array;

	for (size_t i = 0; i < texts->n; i++) {
		struct oci_throttle_device *d = ARRAY_ADD(arena, list);
		const char *value;
		unsigned long long n;

		if (parse_device(arena, flag, texts->v[i], &d->major, &d->minor, &value, err) < 0)
			return -1;
		if (bytes ? units_parse_size(value, &d->rate) < 0 : str_to_u64(value, &n) < 0)
			return error_set(err, ERROR_USAGE, "invalid value \"%s\" for %s: \"%s\" is no %s", texts->v[i], flag, value,
					 bytes ? "size such as 1mb" : "number");
		if (!bytes)
			d->rate = n;
	}
	return 0;
}

static int files(struct arena *arena, const struct create_request *r, struct oci_resources *ret, struct error *err)
{
	for (size_t i = 0; i < r->cgroup_conf.n; i++) {
		const char *text = r->cgroup_conf.v[i], *value = strchr(text, '=');

		if (!value || value == text)
			return error_set(err, ERROR_USAGE, "invalid value \"%s\" for --cgroup-conf: FILE=VALUE is needed, as "
					 "memory.high=1073741824", text);
		map_set(arena, &ret->unified, arena_strndup(arena, text, (size_t)(value - text)), value + 1);
	}
	return 0;
}

int limits_io(struct arena *arena, const struct create_request *r, struct oci_resources *ret, struct error *err)
{
	struct oci_block_io b = { 0 };

	if (weights(arena, r, &b, err) < 0 ||
	    throttle(arena, "--device-read-bps", &r->device_read_bps, true, &b.throttle_read_bps, err) < 0 ||
	    throttle(arena, "--device-write-bps", &r->device_write_bps, true, &b.throttle_write_bps, err) < 0 ||
	    throttle(arena, "--device-read-iops", &r->device_read_iops, false, &b.throttle_read_iops, err) < 0 ||
	    throttle(arena, "--device-write-iops", &r->device_write_iops, false, &b.throttle_write_iops, err) < 0)
		return -1;
	if (b.weight || b.weight_device.n || b.throttle_read_bps.n || b.throttle_write_bps.n || b.throttle_read_iops.n ||
	    b.throttle_write_iops.n)
		ret->block_io = arena_memdup(arena, &b, sizeof(b));
	return files(arena, r, ret, err);
}
