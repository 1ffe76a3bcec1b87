#!/usr/bin/env python3
"""Fetches cohorts while the program, its servers and its connections are killed at random points, so many times, and
checks that the same command goes on each time, that the files are those of an undisturbed fetch in the end, and that
nothing that is not whole is ever taken for it. Then it fetches over a link that loses and delays packets and is cut,
where it may make network namespaces.

Usage: kill_fetch.py BIN [KILLS], with the folder of the programs; 12 kills without a number.
"""
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import tiny_panel
from lossy_link import Link
from tiny_server import MODEL, PATIENCE, Server, run, training

BIN = pathlib.Path(sys.argv[1]).resolve()
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 12
SAMPLES = 200_000  # 2 MB on the wire
# Arguments of the fetches that are disturbed, and what is written.
FORMATS = ["bcf", "vcf.gz", "bed", "pgen", "npy", "zarr", "haps"]


def fail(message):
    sys.exit(f"kill_fetch: {message}")


class Proxy:
    """A loopback proxy before a server that delays, throttles and cuts what comes from it."""

    def __init__(self, server):
        self.server = server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.delay, self.rate = 0.0, 1e9  # seconds before each piece, bytes per second
        self.lock, self.ends = threading.Lock(), []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.server.port), PATIENCE)
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.settimeout(None)
            with self.lock:
                self.ends += [client, server]
            threading.Thread(target=self.copy, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, client, True), daemon=True).start()

    def copy(self, source, sink, slow):
        try:
            while piece := source.recv(16384):
                if slow:
                    time.sleep(self.delay + len(piece) / self.rate)
                sink.sendall(piece)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Ends all connections at once, in the middle of whatever they carry."""
        with self.lock:
            ends, self.ends = self.ends, []
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def fetch(servers, output, name, more=(), popen=subprocess.Popen):
    """A fetch that is begun, or goes on."""
    return popen(
        [BIN / "genoserve", "fetch", MODEL, "-n", str(SAMPLES), "--seed", "5", "-O", name, "-o", output, "--server",
         servers, "--retries", "30", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def output_of(folder, name):
    return folder / (f"c.{name}" if name != "bed" else "c")


def contents(folder):
    """All files of a folder with their bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def check_not_whole(folder, output):
    """What a killed fetch left is no cohort: verify refuses it, and nothing has the final name unless it is whole."""
    state = [path for path in folder.iterdir() if path.name.endswith(".part.json")]
    if not state:
        return
    done = subprocess.run([BIN / "genoserve", "verify", state[0]], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=PATIENCE)
    if done.returncode != 7 or "is a part" not in done.stderr:
        fail(f"verify of {output} ended with {done.returncode}: {done.stderr}")


def disturb(turn, draws, expected, folder, servers, proxy, name, typical):
    """One fetch that is disturbed until it is done; returns how often and by what."""
    target = folder / f"turn{turn}"
    target.mkdir()
    output = output_of(target, name)
    parallel = draws.choice([1, 1, 3])
    proxy.delay, proxy.rate = draws.choice([(0.0, 1e9), (0.002, 1e9), (0.0, 2e6)])
    addresses = proxy.address if draws.random() < 0.5 else f"{proxy.address},{servers[1].address}"
    kinds = []
    again = True
    for _ in range(draws.randint(1, 3)):
        if again:
            program = fetch(addresses, output, name, ["--parallel", str(parallel)])
            again = False
        time.sleep(draws.uniform(0, 1.5 * typical))
        if program.poll() is not None:
            break
        kind = draws.choice(["fetch", "fetch", "server", "cut", "interrupt"])
        kinds.append(kind)
        if kind == "server":
            victim = draws.choice(servers)
            victim.kill()
            victim.start()
        elif kind == "cut":
            proxy.cut()
        else:
            program.send_signal(signal.SIGKILL if kind == "fetch" else signal.SIGINT)
            _, error = program.communicate(timeout=PATIENCE)
            if program.returncode == 0:
                break
            # Before the program handles an interrupt, the signal itself ends it.
            if program.returncode not in (130, -signal.SIGINT, -signal.SIGKILL):
                fail(f"turn {turn}, {name}: fetch ended with {program.returncode}: {error[-500:]}")
            check_not_whole(target, output)
            again = True
    if again:
        program = fetch(addresses, output, name, ["--parallel", str(parallel)])
    if program.stdout and not program.stdout.closed:
        _, error = program.communicate(timeout=PATIENCE)
    # A fetch whose last file had its name when it was killed refuses to begin once more.
    if program.returncode and "is there already" not in error:
        fail(f"turn {turn}, {name}: fetch ended with {program.returncode}: {error[-500:]}")
    check_whole(target, output, expected, f"turn {turn}, {name}, after {kinds}")
    return kinds


def check_whole(folder, output, expected, what):
    """All files are those of an undisturbed fetch."""
    found = contents(folder)
    if found != expected:
        wrong = sorted(set(found) ^ set(expected)) or [file for file in found if found[file] != expected[file]]
        fail(f"{what}: other files than those of an undisturbed fetch: {wrong}")
    run(BIN / "genoserve", "verify", output if output.exists() else folder / "c", "-q")


def fetch_over_link(draws, expected, folder):
    """Fetches each of these formats over a link that loses packets, delays them, and is cut; returns what came of it."""
    try:
        link = Link(loss=0.03, delay=0.02)
    except OSError:
        return "none over a lossy link, since no network namespace is to be had"
    server = program = None
    try:
        server = Server(BIN, folder, "--insecure", name="far", host=link.near.address, popen=link.near.popen)
        for name, whole in expected.items():
            target = folder / "over"
            target.mkdir()
            output = output_of(target, name)
            program = fetch(server.address, output, name, ["--insecure"], popen=link.far.popen)
            time.sleep(draws.uniform(0.1, 1))
            link.up = False
            time.sleep(draws.uniform(0.1, 2))
            link.up = True
            _, error = program.communicate(timeout=PATIENCE)
            if program.returncode:
                fail(f"{name}: a fetch over a lossy link ended with {program.returncode}: {error[-500:]}")
            check_whole(target, output, whole, f"{name} over a lossy link")
            subprocess.run(["rm", "-r", str(target)], check=True)
    finally:
        if program is not None:
            program.kill()
        if server is not None:
            server.kill()
        link.close()
    return f"{len(expected)} over a link that lost {link.lost} of {link.lost + link.carried} packets"


def check_truncated(folder, name, expected):
    """Every file of a cohort, cut by a byte, is refused."""
    target = folder / "truncated"
    for file, data in expected.items():
        if file.endswith("manifest.json") or not data or "/" in file:
            continue
        target.mkdir()
        for other, bytes_of_other in expected.items():
            path = target / other
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes_of_other[:-1] if other == file else bytes_of_other)
        done = subprocess.run([BIN / "genoserve", "verify", target / "c.manifest.json"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
        if done.returncode != 7 or f"{file}: is truncated" not in done.stdout:
            fail(f"{name}: a cut {file} was taken for whole: {done.stdout}{done.stderr}")
        subprocess.run(["rm", "-r", str(target)], check=True)


def main():
    draws = random.Random(11)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        tiny_panel.write(folder)
        run(*training(BIN, folder))
        servers = [Server(BIN, folder, "--drain-delay", "0", name=name) for name in ("one", "two")]
        proxy = Proxy(servers[0])
        expected, typical = {}, 0.0
        killed, turn = 0, 0
        count = {}
        try:
            while killed < KILLS:
                name = FORMATS[turn % len(FORMATS)]
                if name not in expected:
                    target = folder / f"whole-{name}"
                    target.mkdir()
                    begin = time.monotonic()
                    program = fetch(servers[1].address, output_of(target, name), name)
                    _, error = program.communicate(timeout=PATIENCE)
                    if program.returncode:
                        fail(f"{name}: an undisturbed fetch ended with {program.returncode}: {error[-500:]}")
                    typical = max(typical, time.monotonic() - begin)
                    expected[name] = contents(target)
                    check_truncated(folder, name, expected[name])
                for kind in disturb(turn, draws, expected[name], folder, servers, proxy, name, typical):
                    count[kind] = count.get(kind, 0) + 1
                    killed += 1
                subprocess.run(["rm", "-r", str(folder / f"turn{turn}")], check=True)
                turn += 1
        finally:
            for server in servers:
                server.kill()
        over = fetch_over_link(draws, expected, folder)
    told = ", ".join(f"{number} of {kind}" for kind, number in sorted(count.items()))
    print(f"{killed} disturbances ({told}) of {turn} fetches in {len(expected)} formats, and {over}: the files of an "
          "undisturbed fetch every time, and no cut file was taken for whole")


if __name__ == "__main__":
    main()
