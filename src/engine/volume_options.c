#include "engine/volume_options.h"

#include "base/units.h"

static const char *const flags[] = {
	"exec", "noexec", "suid", "nosuid", "dev", "nodev", "noatime", "relatime", "nodiratime", NULL,
};

/* Words with a value; those of a tmpfs mean nothing to a directory. */
static const struct { const char *key; bool is_size, is_mode, tmpfs_only; } values[] = {
	{ "size", true, false, true }, { "nr_blocks", true, false, true }, { "nr_inodes", true, false, true },
	{ "mode", false, true, true }, { "uid", false, false, false }, { "gid", false, false, false },
};

static bool is_flag(const char *word)
{
	for (size_t i = 0; flags[i]; i++)
		if (strcmp(flags[i], word) == 0)
			return true;
	return false;
}

static int check_value(size_t i, const char *word, const char *value, struct error *err)
{
	uint64_t size;
	unsigned number;

	if (values[i].is_size && units_parse_size(value, &size) < 0 && !(*value && str_ends(value, "%")))
		return error_set(err, ERROR_USAGE, "invalid volume option \"%s\": a size such as 64m is needed", word);
	if (values[i].is_mode && (!*value || strlen(value) > 5 || strspn(value, "01234567") != strlen(value)))
		return error_set(err, ERROR_USAGE, "invalid volume option \"%s\": an octal mode such as 1777 is needed", word);
	if (!values[i].is_size && !values[i].is_mode && str_to_u32(value, &number) < 0)
		return error_set(err, ERROR_USAGE, "invalid volume option \"%s\": a number is needed", word);
	return 0;
}

/* "uid=5"; its file system's owner, or that of the new directory. */
static int take_value(struct arena *arena, struct volume_options *o, const char *word, struct error *err)
{
	const char *equals = strchr(word, '=');
	const char *key = equals ? arena_strndup(arena, word, (size_t)(equals - word)) : "";
	size_t i = 0;

	while (i < ELEMENTS(values) && strcmp(values[i].key, key) != 0)
		i++;
	if (i == ELEMENTS(values))
		return error_set(err, ERROR_UNSUPPORTED, "the volume option o=%s is not offered for rootless volumes", word);
	if (check_value(i, word, equals + 1, err) < 0)
		return -1;
	if (values[i].tmpfs_only && !o->tmpfs) {
		error_set(err, ERROR_UNSUPPORTED, "the volume option o=%s needs a volume of type tmpfs: quotas of directories are root's to "
			  "set", word);
		return error_hint(err, "volume create -o type=tmpfs -o device=tmpfs -o o=%s", word);
	}
	if (strcmp(key, "uid") == 0)
		o->has_uid = str_to_u32(equals + 1, &o->uid) == 0;
	if (strcmp(key, "gid") == 0)
		o->has_gid = str_to_u32(equals + 1, &o->gid) == 0;
	if (o->tmpfs)
		strings_add(arena, &o->data, word);
	return 0;
}

static int take_word(struct arena *arena, struct volume_options *o, const char *word, struct error *err)
{
	if (!*word || strcmp(word, "bind") == 0 || strcmp(word, "rbind") == 0 || strcmp(word, "defaults") == 0)
		return 0;
	if (strcmp(word, "ro") == 0 || strcmp(word, "rw") == 0) {
		o->read_only = word[1] == 'o';
		return 0;
	}
	if (!is_flag(word))
		return take_value(arena, o, word, err);
	strings_add(arena, &o->flags, word);
	return 0;
}

static int check_keys(const struct string_map *options, struct error *err)
{
	static const char *const keys[] = { "type", "device", "o", "copy", "nocopy" };

	for (size_t i = 0; i < options->n; i++) {
		bool known = false;

		for (size_t j = 0; j < ELEMENTS(keys); j++)
			known |= strcmp(options->v[i].key, keys[j]) == 0;
		if (!known) {
			error_set(err, ERROR_USAGE, "invalid option \"%s\" for driver \"local\"", options->v[i].key);
			return error_hint(err, "known are type=, device=, o= and nocopy; what belongs to the mount goes into o: -o o=%s",
					  options->v[i].key);
		}
	}
	return 0;
}

static int take_type(struct volume_options *o, const char *type, const char *device, struct error *err)
{
	o->tmpfs = str_eq(type, "tmpfs");
	if (o->tmpfs)
		return 0;
	if (!str_is_empty(type) && strcmp(type, "none") != 0 && strcmp(type, "bind") != 0) {
		error_set(err, ERROR_UNSUPPORTED, "an ordinary user cannot mount volumes of type %s", type);
		return error_hint(err, "have it mounted on the host, and give its directory: -o type=bind -o device=/DIRECTORY");
	}
	if (device && *device != '/')
		return error_set(err, ERROR_USAGE, "the volume's device must be an absolute directory: \"%s\"", device);
	if (!device && !str_is_empty(type))
		return error_set(err, ERROR_USAGE, "a volume of type %s needs a directory: -o device=/DIRECTORY", type);
	o->device = device;
	return 0;
}

int volume_options_parse(struct arena *arena, const struct string_map *options, struct volume_options *ret,
			 struct error *err)
{
	const char *o = map_get(options, "o");
	struct strings words = o ? strings_split(arena, o, ",") : (struct strings){ 0 };

	*ret = (struct volume_options){ .no_copy = map_get(options, "nocopy") != NULL };
	if (check_keys(options, err) < 0 || take_type(ret, map_get(options, "type"), map_get(options, "device"), err) < 0)
		return -1;
	for (size_t i = 0; i < words.n; i++)
		if (take_word(arena, ret, words.v[i], err) < 0)
			return -1;
	return 0;
}
