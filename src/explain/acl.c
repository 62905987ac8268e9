#include "explain/acl.h"

#include <endian.h>
#include <linux/posix_acl_xattr.h>

struct access_acl acl_parse(struct arena *arena, const void *value, size_t size)
{
	struct posix_acl_xattr_header header;
	struct access_acl acl = { 0 };
	const char *at = value;

	if (size < sizeof(header))
		return acl;
	memcpy(&header, at, sizeof(header));
	if (le32toh(header.a_version) != POSIX_ACL_XATTR_VERSION)
		return acl;
	for (size_t used = sizeof(header); size - used >= sizeof(struct posix_acl_xattr_entry);) {
		struct posix_acl_xattr_entry e;

		memcpy(&e, at + used, sizeof(e));
		used += sizeof(e);
		*ARRAY_ADD(arena, &acl) = (struct access_acl_entry){ le16toh(e.e_tag), le16toh(e.e_perm) & 7, le32toh(e.e_id) };
	}
	return acl;
}
