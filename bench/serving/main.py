"""The command: what is asked for, in which order, and how long it takes."""
import argparse
import datetime
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import time

import serving

from . import fetching, goals, growth, peers, precision, profile, reload, robustness
from .machine import FOREIGN_LIMIT
from .programs import ROOT, Stop
from .setting import MODELS, Setting, say
from .table import table


def cache():
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return pathlib.Path(os.environ.get("GENOSERVE_DEPS") or home / "genoserve")


def processor():
    found = re.search(r"model name\s*: (.+)", pathlib.Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


class Parts:
    """Runs what was asked for, and keeps how long each part took."""

    def __init__(self, only):
        self.only, self.seconds = only, {}

    def run(self, name, work, *, always=False):
        if not always and self.only is not None and name not in self.only:
            return None
        begin = time.monotonic()
        try:
            return work()
        except Stop as failure:
            print(f"\n{name} cannot be measured: {failure}")
            return None
        finally:
            self.seconds[name] = time.monotonic() - begin


def parse():
    numbers = list(dict.fromkeys(number for goal in goals.goals() for number in goal.number.split(", ")))
    parts = [*numbers, "P10", "P12", "P15", "peers", "overload", "misbehaving", "reload", "fetch"]
    parser = argparse.ArgumentParser(description=serving.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2,
                        help="of one cell; some models take two or three times that")
    parser.add_argument("--overload-seconds", type=float, default=60)
    parser.add_argument("--retries", type=int, default=2, help="of a cell that was disturbed")
    parser.add_argument("--only", help=f"some of {','.join(parts)}; P10 with how cost grows, P15 with the profile")
    parser.add_argument("--models", help="such as acgan-805,wgan-10k; default: all four")
    parser.add_argument("--build-dir", default=ROOT / "build" / "release")
    options = parser.parse_args()
    options.only = set(options.only.split(",")) if options.only else None
    for name, given, allowed in (("--only", options.only, parts),
                                 ("--models", options.models and set(options.models.split(",")),
                                  [model.name for model in MODELS])):
        if unknown := (given or set()) - set(allowed):
            parser.error(f"{name}: there is no {', '.join(sorted(unknown))}; there are {', '.join(allowed)}")
    return options


def measure(setting):
    options = setting.options
    parts = Parts(options.only)
    parts.run("building", setting.prepare, always=True)
    print(f"{datetime.datetime.now():%Y-%m-%d %H:%M}, {processor()}, processors {setting.machine.cpus}, "
          f"load {os.getloadavg()[0]:.1f} at the start, {options.rounds} rounds of {options.seconds:g} s a cell; "
          f"ours at {setting.precision}.")
    print(f"A cell is measured again, up to {options.retries} times, while other jobs have more than "
          f"{FOREIGN_LIMIT:.0%} of the two processors; what stayed so is busy, and counts nowhere.")
    rounds = goals.Rounds(setting, goals.wanted(setting, options.only))
    if rounds.goals:
        parts.run("rounds", rounds.run, always=True)
    effects = parts.run("P12", lambda: precision.effects(setting)) or []
    seen = parts.run("P15", lambda: profile.Profile(setting))
    lines = rounds.lines() + effects + (seen.lines() if seen else [])
    if lines:
        table(["#", "model", "what", "median", "lowest–highest", "rounds", "goal", "met"], lines)
    if effects:
        print("\nP12 compares bytes: other jobs cannot disturb it.")
    if rounds.cells:
        rounds.print_cells()
    if seen:
        seen.print()
    parts.run("peers", lambda: peers.print_peers(setting))
    grown = growth.Growth(setting)
    if parts.run("P10", lambda: grown.run() or True):
        grown.print()
    parts.run("overload", lambda: robustness.print_overload(setting))
    parts.run("misbehaving", lambda: robustness.print_misbehaving(setting))
    parts.run("reload", lambda: reload.print_reload(setting))
    parts.run("fetch", lambda: fetching.print_fetching(setting))
    print(f"\nIt took {sum(parts.seconds.values()) / 60:.1f} min: "
          + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in parts.seconds.items()) + ".")


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started ends too
    try:
        measure(Setting(options, cache()))
    except (Stop, subprocess.CalledProcessError) as failure:
        sys.exit(f"bench/run: {failure}")
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(130)
