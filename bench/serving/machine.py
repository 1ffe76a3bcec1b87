"""The two processors that everything is measured on, and who uses them."""
import collections
import os
import pathlib
import time

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
FOREIGN_LIMIT = 0.05


class Measured(collections.namedtuple("Measured", "figure foreign own")):
    """A figure, and the shares of the processors that others and our own programs had meanwhile."""

    @property
    def busy(self):
        return self.foreign > FOREIGN_LIMIT


def stat_of(pid):
    """Fields of /proc/PID/stat from the state on, or None where the process is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


class Machine:

    def __init__(self):
        self.cpus = sorted(os.sched_getaffinity(0))[:2]
        os.sched_setaffinity(0, self.cpus)
        self.sessions = set()  # of our programs

    def busy_seconds(self):
        names = {f"cpu{cpu}" for cpu in self.cpus}
        ticks = 0
        for line in pathlib.Path("/proc/stat").read_text().splitlines():
            fields = line.split()
            if fields and fields[0] in names:
                user, nice, system, _, _, _, _, steal = map(int, fields[1:9])
                ticks += user + nice + system + steal
        return ticks / TICKS

    def members(self):
        """Process ids of our programs and of all that they started, with the fields of their stat."""
        for folder in os.listdir("/proc"):
            if folder.isdigit() and (stat := stat_of(folder)) and int(stat[3]) in self.sessions:
                yield int(folder), stat

    def own_seconds(self):
        times = os.times()
        return sum(times[:4]) + sum(sum(map(int, stat[11:15])) for _, stat in self.members()) / TICKS

    def resident(self, pid):
        return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE

    def watch(self, work):
        """What `work` returns, as Measured."""
        begin, busy, own = time.monotonic(), self.busy_seconds(), self.own_seconds()
        figure = work()
        busy, own = self.busy_seconds() - busy, self.own_seconds() - own
        processors = (time.monotonic() - begin) * len(self.cpus)
        return Measured(figure, max(0.0, busy - own) / processors, own / processors)
