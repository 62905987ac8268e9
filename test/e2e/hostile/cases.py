"""cases - what is tried, and how it has to end

A case makes an archive and says its outcome: refused, with words that name the cause; or contained, with exactly the
tree that a container of the image has (a line a file: see check.tree_of), and what commands that show it print.
"""
import dataclasses, typing

from build import BASE_TREE, Image

CASES = []


@dataclasses.dataclass
class Case:
    group: str
    name: str
    make: typing.Callable               # -> Image or the bytes of an archive
    refused: typing.Optional[str] = None    # a regular expression that the message has
    tree: typing.Optional[list] = None
    shows: list = dataclasses.field(default_factory=list)   # (arguments, status, regular expression)
    pulled: typing.Optional[str] = None     # the regular expression when a registry offers it; "" when it cannot
    objects: dict = dataclasses.field(default_factory=dict)     # what is different with that storage driver
    memory: int = 64                    # MiB that no process may pass
    seconds: int = 10


def case(group, name, make, refused=None, tree=None, **more):
    assert (refused is None) != (tree is None) or more.get("shows"), name
    CASES.append(Case(group, name, make, refused, tree, **more))


def layer_case(group, name, layer, **more):
    """layer: bytes, or a function that makes them."""
    case(group, name, lambda: Image(layer() if callable(layer) else layer), **more)


def base(*more, without=()):
    """The base layer's tree, changed."""
    return [line for line in BASE_TREE if line not in without and
            not any(line.startswith(w) for w in without if w.endswith("/"))] + list(more)


import layers, metadata, archives           # noqa: E402,F401 they fill the list
