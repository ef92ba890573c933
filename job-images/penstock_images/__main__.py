"""`python -m penstock_images [IMAGE…]`: build the images, and push them where a registry is named."""

import argparse
import sys
from pathlib import Path

from penstock_images import archive_contents, catalogue, signing
from penstock_images.building import Builder, BuiltImage
from penstock_images.engine import NAMES
from penstock_images.lacking import MissingForBuild
from penstock_images.pins import write_pins

MEGABYTE = 10**6


def main(arguments: list[str] | None = None) -> int:
    """Build what the command line names; return the exit code."""
    options = _parser().parse_args(arguments)
    unknown = [each for each in options.images if each not in catalogue.IMAGES]
    if unknown:
        say(f"{unknown[0]} is none of the images, which are {', '.join(catalogue.IMAGES)}.")
        return 2
    if (options.sign or options.pins) and not options.registry:
        say("What is signed, or pinned by its digest, is an image in a registry; name it with --registry.")
        return 2
    try:
        _build(options)
    except MissingForBuild as lacking:
        say(str(lacking))
        return 2
    return 0


def _build(options: argparse.Namespace) -> None:
    if options.sign:
        signing.require_cosign()
    builder = Builder(options.engine or None, options.base_image or None, say)
    digests: dict[str, str] = {}
    for name in options.images or catalogue.IMAGES:
        built = builder.build(name)
        sys.stdout.write(summary_line(built))
        tag = options.tag or str(catalogue.project()["version"])
        builder.have(built, tag)
        if options.registry:
            tags = dict.fromkeys((tag, built.reference.rsplit(":", 1)[1]))
            pushed = builder.push(built, options.registry, [*tags])
            sys.stdout.writelines(f"  pushed {each}\n" for each in pushed.tags)
            if options.pins:
                digests[name] = pushed.pinned.partition("@")[2]
            if options.sign:
                file = signing.sign(built, pushed.pinned, builder.bases().base, options.sign)
                sys.stdout.write(f"  signed {pushed.pinned}\n  {file}\n")
        sys.stdout.flush()
    if options.pins:
        write_pins(Path(options.pins), options.registry, digests)


def summary_line(built: BuiltImage) -> str:
    """Return what is said of an image: its name, how large it is, what is in it, where it is."""
    sizes = [each / MEGABYTE for each in archive_contents.layers(built.archive)]
    goal = f" (goal {built.image.goal})" if built.image.goal else ""
    took = "was there" if built.seconds is None else f"built in {built.seconds:.0f} s"
    layers = " + ".join(f"{each:.1f}" for each in sizes)
    return f"{built.reference}  {sum(sizes):.0f} MB{goal} = {layers}  {took}\n  {built.archive}\n"


def say(text: str) -> None:
    """Print a line of progress, apart from the result."""
    sys.stderr.write(f"[images] {text}\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m penstock_images", description=__doc__)
    parser.add_argument("images", nargs="*", metavar="IMAGE", help=f"of {', '.join(catalogue.IMAGES)}; all without")
    parser.add_argument("--engine", help=f"one of {', '.join(NAMES)}; without it the first that answers")
    parser.add_argument("--base-image", help="what the images stand on; without it python:3.11-slim, or one made here")
    parser.add_argument("--registry", help="push to this registry, a host or a host with a folder")
    parser.add_argument("--sign", help="sign what is pushed, by cosign: a key, or keyless; its provenance too")
    parser.add_argument("--pins", help="write the digests of what is pushed to this file, as values of the chart")
    parser.add_argument("--tag", help="the readable tag; without it the version")
    return parser


if __name__ == "__main__":
    sys.exit(main())
