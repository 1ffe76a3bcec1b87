"""P15: where the server's CPU time goes with 16 streams of the first model."""
import collections
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time

from .cells import Bench
from .table import busy, met, table

SECONDS = 5
GRPC = re.compile(r"lib(grpc|gpr|upb|address_sorting)")


def by_thread(pid):
    """Ticks of each name of threads, without their numbers."""
    times = collections.Counter()
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            stat = (task / "stat").read_text()
        except OSError:
            continue
        name = re.sub(r"[-_/]?\d+$", "", stat[stat.index("(") + 1:stat.rindex(")")])
        times[name] += sum(map(int, stat.rpartition(")")[2].split()[11:13]))
    return times


def perf(pid):
    """Shares of samples by library, and the first symbols; empty where perf does not work."""
    if not shutil.which("perf"):
        return {}, []
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/perf.data"
        done = subprocess.run(["perf", "record", "-q", "-F", "499", "-e", "cpu-clock", "-p", str(pid), "-o", data, "--",
                               "sleep", str(SECONDS)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode:
            return {}, []

        def report(sort):
            text = subprocess.run(["perf", "report", "-i", data, "--stdio", "--no-children", "--sort", sort, "-q"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
            return [(float(found[1]) / 100, re.sub("( -)+$", "", " ".join(found[2].split())))
                    for found in re.finditer(r"^ *([\d.]+)% +(.+)$", text, re.M)]

        return {name: share for share, name in report("dso")}, report("dso,symbol")[:12]


class Profile:

    def __init__(self, setting):
        self.model = setting.models()[0]
        with Bench(setting, self.model) as bench:
            with bench.program("ours") as server:
                self.measured = setting.measure(lambda: self.watch(bench, server.process.pid))
        self.threads, self.libraries, self.symbols = self.measured.figure

    def watch(self, bench, pid):
        load = threading.Thread(target=lambda: bench.setting.json_of(
            [*bench.load_command(bench.program("ours")), "--streams", 16, "--seconds", SECONDS + 3]))
        load.start()
        time.sleep(2)
        before = by_thread(pid)
        libraries, symbols = perf(pid)
        if not libraries:
            time.sleep(SECONDS)
        spent = by_thread(pid)
        spent.subtract(before)
        load.join()
        return {name: ticks / max(1, sum(spent.values())) for name, ticks in spent.items()}, libraries, symbols

    def lines(self):
        """Of the table of goals."""
        share = sum(part for name, part in self.libraries.items() if GRPC.match(name))
        figure = busy([self.measured]) or (f"{share:.2%}" if self.libraries else "no perf here")
        holds = met(share <= 0.01) if self.libraries and not self.measured.busy else ""
        return [["P15", self.model.title, "gRPC's libraries in the samples of the server", figure, "", "", "≤ 1 %",
                 holds]]

    def print(self):
        def shares(found):
            return [[name, f"{share:.2%}"] for name, share in sorted(found.items(), key=lambda one: -one[1])
                    if share >= 0.0005]

        table(["threads of the server, 16 streams", "share of its CPU time"], shares(self.threads))
        table(["library", "share of samples"], shares(self.libraries))
        table(["symbol", "share of samples"], [[name, f"{share:.1%}"] for share, name in self.symbols])
