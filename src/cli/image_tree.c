/* cli/image_tree - an image's layers as a picture */
#include <stdio.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "engine/image_family.h"
#include "spec/oci_image.h"

struct tree_request { bool children; };

static const struct option image_tree_options[] = {
	OPT_FLAG(0, "whatrequires", tree_request, children, "The layers that stand on it instead of those below"),
	OPT_END
};

static void print_tree(struct cli *cli, const struct image_tree *tree)
{
	struct arena *a = cli->arena;

	printf("Image ID: %.12s\n", tree->image.id);
	printf("Tags:     [%s]\n", strings_join(a, &tree->image.names, " "));
	printf("Size:     %s\n", units_format_size_tight(a, (uint64_t)tree->image.size));
	if (tree->layers.n == 0) {
		puts("No Image Layers");
		return;
	}
	puts("Image Layers");
	for (size_t i = 0; i < tree->layers.n; i++) {
		const struct image_tree_layer *l = &tree->layers.v[i];

		printf("%s ID: %.12s Size: %7s", i + 1 < tree->layers.n ? "├──" : "└──", digest_hex(l->chain_id),
		       units_format_size_tight(a, (uint64_t)l->size));
		if (l->tops.n)
			printf(" Top Layer of: [%s]", strings_join(a, &l->tops, " "));
		putchar('\n');
	}
}

static int run_image_tree(struct cli *cli, const struct args *args, struct error *err)
{
	const struct tree_request *r = args->request;
	struct engine *e = cli_engine(cli, err);
	struct image_tree tree;

	if (!e || image_family_tree(e, args->operands.v[0], r->children, &tree, err) < 0)
		return -1;
	print_tree(cli, &tree);
	return 0;
}

const struct command image_tree_command = {
	.names = "image tree",
	.synopsis = "[options] IMAGE",
	.summary = "Show an image's layers and who else has them",
	.options = { image_tree_options },
	.request_size = sizeof(struct tree_request),
	.operands_min = 1, .operands_max = 1,
	.complete = COMPLETE_IMAGES,
	.run = run_image_tree,
};
