#!/usr/bin/env python3
"""Kills a real trainer that publishes, and the real server that loads, at random points, so many times, and checks that
the server always serves a whole version, the newest one in the end, and never a wrong byte.

Usage: chaos.py BIN [KILLS], with the folder of the programs; 10 kills without a number.
"""
import atexit
import hashlib
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

import tiny_panel
from tiny_server import MODEL, PATIENCE, Server, run, training

BIN = pathlib.Path(sys.argv[1]).resolve()
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 10


def fail(message):
    sys.exit(f"chaos: {message}")


def trainer(folder, seed):
    """One that goes on where a killed one of the same seed stood."""
    return subprocess.Popen(training(BIN, folder, "--resume", seed=seed), stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)


def newest(folder):
    """Of the versions that exist."""
    versions = [int(path.parent.name) for path in (folder / "store" / MODEL).glob("*/manifest.json")]
    return max(versions)


def fetch(server, folder):
    """Version and genotypes of the same request as ever."""
    run(BIN / "genoserve", "fetch", MODEL, "-n", "200", "--seed", "5", "-o", folder / "cohort", "-O", "bed", "--force",
        "--retries", "20", "--server", server.address, "-q")
    return (folder / "cohort.bed").read_bytes()


def served(server):
    """The default version and its artifact, once there is one."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        listed = json.loads(run(BIN / "genoserve", "models", "list", "--json", "--retries", "20", "--server",
                                server.address))
        for model in listed.get("models", []):
            if model["isDefault"]:
                return int(model["version"]), model["artifactDigest"]
    fail("no version serves")


def await_newest(server, folder):
    end = time.monotonic() + PATIENCE
    while (found := served(server)[0]) != newest(folder):
        if time.monotonic() > end:
            fail(f"version {found} serves, {newest(folder)} is in the store")


def main():
    draws = random.Random(7)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tiny_panel.write(folder)
        begin = time.monotonic()
        if trainer(folder, 0).wait(PATIENCE):
            fail("the trainer does not train")
        typical = time.monotonic() - begin
        server = Server(BIN, folder, "--cache", folder / "cache", "--poll-seconds", "0.2")
        atexit.register(server.kill)
        known = {}  # genotypes by artifact
        killed = {"trainer": 0, "server": 0}
        published = 0
        for turn in range(KILLS):
            trains = trainer(folder, published + 1)
            victim = draws.choice(["trainer", "server"])
            time.sleep(draws.uniform(0, 1.2 * typical))
            if victim == "trainer":
                trains.kill()
            else:
                server.kill()
                server.start()
            killed[victim] += 1
            _, error = trains.communicate(timeout=PATIENCE)
            if trains.returncode not in (0, -signal.SIGKILL):
                fail(f"the trainer ended with {trains.returncode}: {error[-500:]}")
            published += trains.returncode == 0
            await_newest(server, folder)
            artifact = served(server)[1]
            digest = hashlib.sha256(fetch(server, folder)).hexdigest()
            if known.setdefault(artifact, digest) != digest:
                fail(f"artifact {artifact} gave other genotypes than before")
        # What was published again, by a copy of the same bytes, gives the same genotypes.
        server.kill()
        server.start()
        artifact = served(server)[1]
        if known[artifact] != hashlib.sha256(fetch(server, folder)).hexdigest():
            fail("after a new start there are other genotypes")
        # The server is without its store, and starts from its cache.
        (folder / "store").rename(folder / "away")
        server.kill()
        server.start()
        if served(server)[1] != artifact or known[artifact] != hashlib.sha256(fetch(server, folder)).hexdigest():
            fail("the cache gave other genotypes")
        (folder / "away").rename(folder / "store")
        server.kill()
        run(BIN / "genoserve", "store", "verify", "--store", folder / "store")
        run(BIN / "genoserve", "store", "gc", "--older-than", "0s", "--store", folder / "store")
        left = [path for path in (folder / "store" / MODEL).iterdir()
                if path.name.isdigit() and not (path / "manifest.json").exists()]
        if left:
            fail(f"gc left {left}")
        print(f"killed {killed['trainer']} trainers and {killed['server']} servers; {published + 1} versions were "
              f"published whole by trainers that lived, {newest(folder)} numbers were used, {len(known)} artifacts "
              "served; always the newest version, never a wrong byte")


if __name__ == "__main__":
    main()
