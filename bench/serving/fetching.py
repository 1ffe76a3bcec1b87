"""What a fetch of a million samples costs its client."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from .machine import TICKS, stat_of
from .programs import Stop
from .setting import MODELS, say
from .table import busy, met, number, table

MODEL = MODELS[0]
SAMPLES = 1_000_000
FORMATS = ["bed", "pgen", "bcf"]
MOST_MB = 300  # of the client's memory


def cpu_seconds(pid):
    return sum(map(int, stat_of(pid)[11:13])) / TICKS


def children_seconds():
    """CPU time of all programs that this one started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def peak_bytes(pid):
    """Of memory, so far; 0 where the process has just ended."""
    try:
        found = re.search(r"VmHWM:\s*(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())
    except OSError:
        found = None
    return int(found[1]) * 1024 if found else 0


def fetch(setting, server, name):
    """Seconds, CPU seconds of client and server, the client's most memory in MB, and the bytes written, in MB."""
    folder = setting.folder / "fetched"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    before, begin = cpu_seconds(server.process.pid), time.monotonic()
    command = [setting.binary("genoserve"), "fetch", MODEL.name, "-n", SAMPLES, "--seed", 5, "-O", name, "-o",
               folder / "cohort", "--server", f"127.0.0.1:{server.told['port']}", "-q"]
    most = 0
    with tempfile.TemporaryFile("w+") as log:
        own = children_seconds()
        client = subprocess.Popen([str(part) for part in command], stderr=log)
        while client.poll() is None:
            # What getrusage tells has the most of this program in it, which the child was before it became another.
            most = max(most, peak_bytes(client.pid))
            time.sleep(0.05)
        seconds = time.monotonic() - begin
        if client.returncode:
            log.seek(0)
            raise Stop(log.read()[-300:])
    written = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    shutil.rmtree(folder)
    return (seconds, children_seconds() - own, cpu_seconds(server.process.pid) - before, most / 1e6, written)


def print_fetching(setting):
    lines = []
    server = setting.server(setting.store_of(MODEL), setting.precision)
    try:
        with server:
            for name in FORMATS:
                say(f"fetch to {name}")
                measured = setting.measure(lambda name=name: fetch(setting, server, name))
                seconds, client, own, memory, written = measured.figure
                disturbed = busy([measured])
                times = [seconds, SAMPLES / seconds, SAMPLES * MODEL.variants / seconds / 1e6]
                lines.append([name, number(written), *(disturbed or number(value) for value in times), number(client),
                              number(own), number(memory), f"≤ {MOST_MB}", met(memory <= MOST_MB)])
    finally:
        server.end()
    table([f"fetch of {SAMPLES:,} samples, {MODEL.title}", "MB written", "s", "samples/s", "M genotypes/s",
           "CPU s of the client", "CPU s of the server", "client's most MB", "goal", "met"], lines)
