#include "spec/object_name.h"

#include <string.h>

#define NAME_BITS 132

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void object_name(const unsigned char *digest, char *ret)
{
	for (unsigned bit = 0; bit < NAME_BITS; bit += 6) {
		unsigned two = (unsigned)digest[bit / 8] << 8 | digest[bit / 8 + 1];

		*ret++ = alphabet[two >> (10 - bit % 8) & 63];
		if (bit == 0)
			*ret++ = '/';
	}
	*ret = '\0';
}

bool object_name_is_directory(const char *name)
{
	return strspn(name, alphabet) == 1 && !name[1];
}

bool object_name_is_valid(const char *name)
{
	size_t n = strspn(name, alphabet);

	return n == 1 && name[1] == '/' && strspn(name + 2, alphabet) == OBJECT_NAME_SIZE - 3 &&
	       name[OBJECT_NAME_SIZE - 1] == '\0';
}
