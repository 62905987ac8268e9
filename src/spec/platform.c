/* The part of spec/oci_image.h that chooses an entry of an index by platform. */
#include "spec/oci_image.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <sys/utsname.h>

#define LISTED_MAX 40

struct platform { const char *os, *architecture, *variant; };

/* The kernel's and people's names for what Go calls otherwise. */
static const struct { const char *name, *architecture, *variant; } aliases[] = {
	{ "x86_64", "amd64", NULL },	 { "x86-64", "amd64", NULL },	  { "aarch64", "arm64", NULL },
	{ "i386", "386", NULL },	 { "i686", "386", NULL },	  { "armhf", "arm", "v7" },
	{ "armv7l", "arm", "v7" },	 { "armel", "arm", "v6" },	  { "armv6l", "arm", "v6" },
	{ "loongarch64", "loong64", NULL },
};

static bool take_alias(struct platform *p)
{
	for (size_t i = 0; i < ELEMENTS(aliases); i++)
		if (strcmp(p->architecture, aliases[i].name) == 0) {
			p->architecture = aliases[i].architecture;
			if (!p->variant)
				p->variant = aliases[i].variant;
			return true;
		}
	return false;
}

/* The variant as a number; one that is not named is the architecture's baseline. */
static int variant_level(const struct platform *p)
{
	unsigned level;

	if (str_is_empty(p->variant))
		return strcmp(p->architecture, "arm64") == 0 ? 8 : strcmp(p->architecture, "arm") == 0 ? 7 : 1;
	if (p->variant[0] != 'v' || str_to_u32(p->variant + 1, &level) < 0 || level > 99)
		return -1;
	return (int)level;
}

#ifdef __x86_64__
/* The registers that the system saves: without bits 1 and 2 there is no AVX, whatever the processor can do. */
static unsigned saved_registers(void)
{
	unsigned low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

#define V2_NEEDS (bit_SSE3 | bit_SSSE3 | bit_CMPXCHG16B | bit_SSE4_1 | bit_SSE4_2 | bit_POPCNT)
#define V3_NEEDS (bit_AVX | bit_FMA | bit_MOVBE | bit_F16C | bit_OSXSAVE)
#define V3_NEEDS_7 (bit_AVX2 | bit_BMI | bit_BMI2)

/* The x86-64 psABI's micro-architecture levels. By hand, because what the compiler offers asks the processor at the start
 * of each program that could want to know, which costs 0.1 ms in a virtual machine. */
static const char *host_variant(void)
{
	unsigned a, b, c = 0, d, b7 = 0, c7, d7;

	if (!__get_cpuid(1, &a, &b, &c, &d) || (c & V2_NEEDS) != V2_NEEDS)
		return NULL;
	if (!__get_cpuid_count(7, 0, &a, &b7, &c7, &d7) || (c & V3_NEEDS) != V3_NEEDS || (b7 & V3_NEEDS_7) != V3_NEEDS_7 ||
	    (saved_registers() & 6) != 6)
		return "v2";
	return "v3";
}
#else
static const char *host_variant(void)
{
	return NULL;
}
#endif

static struct platform host(struct arena *arena)
{
	struct platform p = { .os = "linux" };
	struct utsname uts;

	p.architecture = uname(&uts) == 0 ? arena_strdup(arena, uts.machine) : "unknown";
#if defined(__x86_64__)
	p.architecture = "amd64";
#elif defined(__i386__)
	p.architecture = "386";
#elif defined(__arm__)
	p.architecture = strcmp(p.architecture, "aarch64") == 0 ? "armv7l" : p.architecture;
#endif
	take_alias(&p);
	return p;
}

static char *print(struct arena *arena, const struct platform *p)
{
	return arena_printf(arena, "%s/%s%s%s", p->os, p->architecture, p->variant ? "/" : "", p->variant ? p->variant : "");
}

char *image_host_platform(struct arena *arena)
{
	struct platform p = host(arena);

	return print(arena, &p);
}

static int parse(struct arena *arena, const char *text, struct platform *ret, struct error *err)
{
	struct strings parts = strings_split(arena, text, "/");

	if (parts.n < 2 || parts.n > 3 || !*parts.v[0] || !*parts.v[1] || (parts.n == 3 && !*parts.v[2]))
		return error_set(err, ERROR_USAGE, "%s is no platform: expected OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT",
				 str_printable(arena, text, 100));
	*ret = (struct platform){ parts.v[0], parts.v[1], parts.n == 3 ? parts.v[2] : NULL };
	take_alias(ret);
	return 0;
}

bool image_platform_is(struct arena *arena, const char *platform, const char *os, const char *architecture,
		       const char *variant)
{
	struct platform want = host(arena), is = { os ? os : "", architecture ? architecture : "", variant };

	if (platform && parse(arena, platform, &want, NULL) < 0)
		return false;
	if (str_is_empty(is.variant))
		is.variant = NULL;
	take_alias(&is);
	return strcmp(want.os, is.os) == 0 && strcmp(want.architecture, is.architecture) == 0 &&
	       (!want.variant || !is.variant || strcmp(want.variant, is.variant) == 0);
}

char *image_platform_check(struct arena *arena, const char *text, struct error *err)
{
	struct platform p;

	if (!strchr(text, '/'))
		text = arena_printf(arena, "linux/%s", text);
	return parse(arena, text, &p, err) < 0 ? NULL : print(arena, &p);
}

static struct platform offered(const struct image_descriptor *d)
{
	struct platform p = { d->platform->os, d->platform->architecture, d->platform->variant };

	if (!p.os)
		p.os = "";
	if (!p.architecture)
		p.architecture = "";
	if (str_is_empty(p.variant))
		p.variant = NULL;
	take_alias(&p);
	return p;
}

/* How good an offer is: 0 does not run, otherwise the more the better. Within an architecture a machine runs the
 * code of its own level and of all below. */
static int rank(const struct platform *want, const struct platform *offer)
{
	int wanted = variant_level(want), level = variant_level(offer);

	if (strcmp(want->os, offer->os) != 0 || strcmp(want->architecture, offer->architecture) != 0)
		return 0;
	if (str_eq(want->variant, offer->variant))
		return 1000;
	if (wanted < 0 || level < 0 || level > wanted)
		return 0;
	return 100 + level;
}

static bool is_attestation(const struct platform *p)
{
	return strcmp(p->os, "unknown") == 0 && strcmp(p->architecture, "unknown") == 0;
}

static int nothing_fits(struct arena *arena, const struct image_index *index, const struct platform *want,
			struct error *err)
{
	struct strings list = { 0 };

	for (size_t i = 0; i < index->manifests.n && list.n < LISTED_MAX; i++) {
		const struct image_descriptor *d = &index->manifests.v[i];
		struct platform offer;
		const char *text;

		if (!d->platform)
			continue;
		offer = offered(d);
		if (is_attestation(&offer))
			continue;
		text = str_printable(arena, print(arena, &offer), 60);
		if (!strings_has(&list, text))
			strings_add(arena, &list, text);
	}
	error_set(err, ERROR_NOT_FOUND, "no image for platform %s in the index, which has: %s",
		  str_printable(arena, print(arena, want), 100), list.n ? strings_join(arena, &list, ", ") : "none");
	if (list.n)
		error_hint(err, "choose one with --platform, for example: --platform %s", list.v[0]);
	return -1;
}

const struct image_descriptor *image_index_choose(struct arena *arena, const struct image_index *index,
						  const char *platform, struct error *err)
{
	const struct image_descriptor *best = NULL;
	struct platform asked = host(arena), want;
	int best_rank = 0;

	if (platform && parse(arena, platform, &asked, err) < 0)
		return NULL;
	want = asked;
	if (!platform && !want.variant)
		want.variant = host_variant();
	for (size_t i = 0; i < index->manifests.n; i++) {
		const struct image_descriptor *d = &index->manifests.v[i];
		struct platform offer;
		int r;

		if (!d->platform)
			continue;
		offer = offered(d);
		r = is_attestation(&offer) ? 0 : rank(&want, &offer);
		if (r > best_rank) {
			best = d;
			best_rank = r;
		}
	}
	if (!best && index->manifests.n == 1 && !index->manifests.v[0].platform)
		return &index->manifests.v[0];
	if (!best)
		nothing_fits(arena, index, &asked, err);
	return best;
}
