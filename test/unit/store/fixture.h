/* A store in a temporary directory, and images made by hand: the store never looks at what digests mean */
#ifndef BRYO_TEST_STORE_FIXTURE_H
#define BRYO_TEST_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "store/image.h"
#include "store/store.h"

extern struct arena *arena;
extern struct store store;
extern struct error err;

int fixture_setup(void **state);
int fixture_teardown(void **state);
/* 64 times the digit, with "sha256:" in front. */
char *fixture_digest(char digit);
void fixture_blob(const char *digest, const char *text);
/* A committed layer with one file named by the digit; its chain ID. */
char *fixture_layer(char digit);
/* An image whose id is made of one digit, with layers named by digits ("ab": bottom a, top b). */
struct image fixture_image(char id, const char *layers, const char *name);
bool fixture_exists(const char *path_below_root);
/* How many entries but "." and "..". */
int fixture_count(const char *path_below_root);

#define assert_ok(expression) \
	do { \
		if ((expression) < 0) \
			fail_msg("%s: %s", #expression, err.text); \
	} while (0)
#define assert_fails(kind_, expression) \
	do { \
		error_clear(&err); \
		assert_true((expression) < 0); \
		assert_int_equal(err.kind, kind_); \
	} while (0)

#endif
