"""What a fetch of a million samples costs its client."""
import os
import shutil
import subprocess
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


def fetch(setting, server, name):
    """Seconds, CPU seconds of client and server, the client's most memory in MB, and the bytes written, in MB."""
    folder = setting.folder / "fetched"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    before, begin = cpu_seconds(server.process.pid), time.monotonic()
    command = [setting.binary("genoserve"), "fetch", MODEL.name, "-n", SAMPLES, "--seed", 5, "-O", name, "-o",
               folder / "cohort", "--server", f"127.0.0.1:{server.told['port']}", "-q"]
    client = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)
    error = client.stderr.read()
    _, status, usage = os.wait4(client.pid, 0)
    client.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begin
    if client.returncode:
        raise Stop(error[-300:])
    written = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    shutil.rmtree(folder)
    return (seconds, usage.ru_utime + usage.ru_stime, cpu_seconds(server.process.pid) - before,
            usage.ru_maxrss * 1024 / 1e6, written)


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
