#include "engine/names.h"

#include "base/string.h"

static const char *const adjectives[] = {
	"airy", "alpine", "ancient", "bold", "brave", "bright", "calm", "clever", "cool", "creeping", "curly", "damp",
	"dewy", "eager", "feathery", "fern", "fine", "fresh", "gentle", "glad", "golden", "green", "happy", "hardy",
	"humble", "keen", "kind", "lively", "lucid", "lush", "mellow", "merry", "mild", "mossy", "neat", "nimble",
	"noble", "patient", "plucky", "polar", "proud", "quick", "quiet", "rainy", "red", "rocky", "serene", "shady",
	"silken", "silver", "sleek", "soft", "spry", "stout", "sturdy", "sunny", "swift", "tender", "tidy", "tiny",
	"velvet", "warm", "wavy", "wise",
};

/* Mosses, liverworts and hornworts: plants without roots. */
static const char *const plants[] = {
	"andreaea", "anthoceros", "atrichum", "aulacomnium", "barbula", "bartramia", "blasia", "blepharostoma",
	"brachythecium", "bryum", "buxbaumia", "calliergon", "calypogeia", "campylopus", "cephalozia", "ceratodon",
	"climacium", "conocephalum", "cratoneuron", "ctenidium", "dicranum", "diplophyllum", "encalypta", "fissidens",
	"fontinalis", "fossombronia", "frullania", "funaria", "grimmia", "hedwigia", "homalia", "hookeria",
	"hylocomium", "hypnum", "jungermannia", "lejeunea", "lepidozia", "leucobryum", "lophocolea", "lunularia",
	"marchantia", "metzgeria", "mnium", "neckera", "notothylas", "orthotrichum", "pellia", "phaeoceros",
	"physcomitrium", "plagiochila", "plagiomnium", "pleurozium", "pohlia", "polytrichum", "porella", "racomitrium",
	"radula", "rhodobryum", "riccia", "scapania", "schistostega", "sphagnum", "splachnum", "tortula",
};

char *names_pick(struct arena *arena, unsigned seed)
{
	return arena_printf(arena, "%s_%s", adjectives[seed % ELEMENTS(adjectives)],
			    plants[seed / ELEMENTS(adjectives) % ELEMENTS(plants)]);
}
