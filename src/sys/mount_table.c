#include "sys/mount.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "sys/fd.h"

#define MOUNTINFO_MAX (16u << 20)

/* Undoes the kernel's octal escapes (\040 for a blank) in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++, to++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to = *s;
		}
	}
	*to = '\0';
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue" (proc(5)); cuts the line up. */
static int parse_line(char *line, struct mount_info *ret)
{
	char *fields[6], *rest = line, *tail;

	tail = strstr(line, " - ");
	if (!tail)
		return -1;
	*tail = '\0';
	tail += 3;
	for (size_t i = 0; i < ELEMENTS(fields); i++) {
		fields[i] = strsep(&rest, " ");
		if (!fields[i])
			return -1;
	}
	*ret = (struct mount_info){ .id = (int)strtol(fields[0], NULL, 10),
				    .parent = (int)strtol(fields[1], NULL, 10), .device = fields[2], .root = fields[3],
				    .point = fields[4], .options = fields[5] };
	ret->fstype = strsep(&tail, " ");
	ret->source = strsep(&tail, " ");
	ret->super_options = tail;
	if (!ret->source || !ret->super_options)
		return -1;
	unescape(ret->root);
	unescape(ret->point);
	unescape(ret->source);
	return 0;
}

int mount_read_table(struct arena *arena, const char *mountinfo_path, struct mount_table *ret, struct error *err)
{
	struct mount_table table = { 0 };
	char *line, *text = fd_read_file(arena, AT_FDCWD, mountinfo_path, MOUNTINFO_MAX, NULL);

	if (!text)
		return error_errno(err, "read %s", mountinfo_path);
	while ((line = strsep(&text, "\n"))) {
		struct mount_info info;

		if (!*line)
			continue;
		if (parse_line(line, &info) < 0)
			return error_set(err, ERROR_INVALID, "%s: a line that is not understood", mountinfo_path);
		*ARRAY_ADD(arena, &table) = info;
	}
	*ret = table;
	return 0;
}
