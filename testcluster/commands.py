"""The commands: up, down, prepare, run, load, status."""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from penstock_images.catalogue import IMAGES
from testcluster import cache, images, room
from testcluster.choice import choose, find, own_providers
from testcluster.cluster import Cluster, Provider
from testcluster.machine.plan import API_ADDRESS
from testcluster.machine.provider import Machine
from testcluster.preparing import prepare
from testcluster.sentences import Lacking, say

MISTAKE = 2
INTERRUPTED = 130
# Held, shared, by every run that uses the cluster: whoever leaves last takes it down.
IN_USE = "cluster-in-use"


def main(arguments: Sequence[str]) -> int:
    """Run a command; return its exit code."""
    parsed = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _as_interrupt)
    command: Callable[[argparse.Namespace], int] = parsed.command
    try:
        return command(parsed)
    except Lacking as reason:
        say(str(reason))
        return MISTAKE
    except KeyboardInterrupt:
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """Return the description of the command line."""
    top = argparse.ArgumentParser(prog="python -m testcluster", description=__doc__)
    commands = top.add_subparsers(required=True)
    bring_up = commands.add_parser("up", help="bring the cluster up and leave it up; print the line that selects it")
    bring_up.set_defaults(command=up)
    take_down = commands.add_parser("down", help="remove the cluster")
    take_down.add_argument("--everything", action="store_true", help="and all that only makes the next start faster")
    take_down.set_defaults(command=down)
    during = commands.add_parser("run", help="bring it up, run a command, take it down unless it was up before")
    during.add_argument("arguments", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    during.set_defaults(command=run)
    bring = commands.add_parser("load", help="bring images to its nodes: archives, or our own by name (jobs, torch…)")
    bring.add_argument("images", nargs="+", metavar="IMAGE")
    bring.set_defaults(command=load)
    ahead = commands.add_parser("prepare", help="build ahead what the tests on a cluster will ask for")
    ahead.set_defaults(command=build_ahead)
    commands.add_parser("status", help="say whether it is up").set_defaults(command=status)
    return top


def up(_: argparse.Namespace) -> int:
    """Bring the cluster up for a person, who takes it down again."""
    cluster = choose().up()
    keep_mark().touch()
    sys.stdout.write(f"export KUBECONFIG={cluster.kubeconfig}\n")
    return 0


def down(parsed: argparse.Namespace) -> int:
    """Remove the cluster, and with `--everything` all that is ours in the cache folder."""
    keep_mark().unlink(missing_ok=True)
    for provider in own_providers():
        provider.down(parsed.everything)
    if parsed.everything:
        cache.remove()
    return 0


def status(_: argparse.Namespace) -> int:
    """Say whether the cluster is up."""
    found = find()
    if found is None:
        say("the test cluster is not up; bring it up with `make cluster`")
        return 1
    provider, cluster = found
    sys.stdout.write(json.dumps(cluster.to_document(), indent=1) + "\n")
    for trouble in provider.troubles():
        say(trouble)
    return 0


def load(parsed: argparse.Namespace) -> int:
    """Bring images to the nodes."""
    found = find()
    if found is None:
        raise Lacking("The test cluster is not up; bring it up with `make cluster`.")
    for image in parsed.images:
        found[1].load(archive_of(image))
    return 0


def archive_of(image: str) -> Path:
    """Return the archive of an image of our own, built where it is not yet, or the file that is named."""
    if image in IMAGES:
        _, archive = images.archive(image)
        return archive
    if not Path(image).is_file():
        raise Lacking(f"{image} is neither an image archive nor one of {', '.join(IMAGES)}.")
    return Path(image)


def build_ahead(_: argparse.Namespace) -> int:
    """Build what the tests will ask for."""
    _say_shortage()
    prepare()
    return 0


def run(parsed: argparse.Namespace) -> int:
    """Run a command with the cluster up."""
    command = parsed.arguments[1:] if parsed.arguments[:1] == ["--"] else parsed.arguments
    if not command:
        raise Lacking("There is no command to run: python -m testcluster run -- COMMAND")
    provider = choose()
    # Other ways to have a cluster keep their nodes elsewhere: for them it is said, no more.
    if provider.name == Machine.name and (sentence := room.shortage(cache.folder())):
        raise Lacking(sentence)
    with use_cluster(provider) as cluster:
        code = perform(command, environment_for(cluster, write_state(cluster), os.environ))
        if code:
            _say_shortage()
            for trouble in provider.troubles():
                say(trouble)
        return code


@contextlib.contextmanager
def use_cluster(provider: Provider) -> Iterator[Cluster]:
    """Have the cluster up. It is taken down after, unless a person brought it up or another run still uses it."""
    try:
        with cache.lock_together(IN_USE):
            yield provider.up()
    finally:
        with cache.lock_if_free(IN_USE) as nobody_uses_it:
            if nobody_uses_it and not keep_mark().exists():
                provider.down()


def write_state(cluster: Cluster) -> Path:
    """Write what the cluster is where a command will look for it; return the file."""
    state = cache.folder() / "cluster.json"
    part = state.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(cluster.to_document(), indent=1))
    part.replace(state)
    return state


def environment_for(cluster: Cluster, state: Path, ours: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which a command finds the cluster, and reaches it past any proxy."""
    chosen = {**ours, "KUBECONFIG": str(cluster.kubeconfig), "PENSTOCK_TEST_CLUSTER": str(state)}
    if cluster.provider == Machine.name:
        for name in ("NO_PROXY", "no_proxy"):
            chosen[name] = ",".join(each for each in (ours.get(name), API_ADDRESS) if each)
    return chosen


def perform(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run the command to its end; return its exit code, as a shell would. It may clean up when it is interrupted."""
    received: list[int] = []
    started: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        received.append(number)
        for process in started:
            process.send_signal(number)

    # Before the command begins: it may have us told to end at once. A key press reaches it by itself, a signal to us
    # alone does not. Neither handler is SIG_IGN, since what is ignored here would be ignored by the command as well.
    with handle_signals({signal.SIGINT: lambda number, _: None, signal.SIGTERM: pass_on}):
        try:
            started.append(subprocess.Popen(command, env=environment))
        except OSError as error:
            raise Lacking(f"{command[0]} cannot be run: {error.strerror}.") from None
        if received:
            started[0].send_signal(received[0])
        code = started[0].wait()
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def handle_signals(handlers: "Mapping[signal.Signals, signal._HANDLER]") -> Iterator[None]:
    """Handle signals in this way for as long as the context lasts."""
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def keep_mark() -> Path:
    """Return the file that says that a person wants the cluster to stay."""
    return cache.folder() / "keep-cluster"


def _say_shortage() -> None:
    if sentence := room.shortage(cache.folder()):
        say(sentence)


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
