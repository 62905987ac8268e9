/* A module of the name service: a directory that has one account, dirk, for every uid that nobody else knows. */
#include <nss.h>
#include <pwd.h>
#include <stdio.h>

enum nss_status _nss_bryotest_getpwuid_r(uid_t uid, struct passwd *ret, char *buffer, size_t size, int *ret_errno);
enum nss_status _nss_bryotest_getpwuid_r(uid_t uid, struct passwd *ret, char *buffer, size_t size, int *ret_errno)
{
	int n = snprintf(buffer, size, "dirk") + 1;

	snprintf(buffer + n, size - (size_t)n, "/tmp/dirk");
	*ret = (struct passwd){ .pw_name = buffer, .pw_passwd = buffer + n - 1, .pw_uid = uid, .pw_gid = uid,
				.pw_gecos = buffer + n - 1, .pw_dir = buffer + n, .pw_shell = buffer + n - 1 };
	return NSS_STATUS_SUCCESS;
}
