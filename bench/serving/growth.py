"""How cost grows with streams, samples and variants, and the memory of a server (P10)."""
import json
import math
import statistics

from .cells import Bench
from .setting import say, tile_ms
from .table import busy, met, number, table

STREAMS = (1, 4, 16, 64, 256)
PASSES = 3


def weight_bytes(store, precision):
    """Of the newest artifact, as the server holds them."""
    path = max(store.glob("*/*/weights.safetensors"))
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    numbers = sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")
    return numbers * {"fp32": 4, "bf16": 2, "int8": 1}[precision]


class Growth:

    def __init__(self, setting):
        self.setting = setting
        self.memory, self.streams, self.samples, self.variants = [], [], [], []

    def run(self):
        for model in self.setting.models():
            say(f"how cost grows: {model.title}")
            with Bench(self.setting, model) as bench:
                with bench.program("ours") as server:
                    self.pid = server.process.pid
                if model.name in ("acgan-805", "wgan-10k"):
                    self.of_streams(bench)
                    self.of_samples(bench)
                self.of_variants(bench)

    def resident(self):
        return self.setting.machine.resident(self.pid)

    def of_streams(self, bench):
        """Passes over all numbers of streams, so that what drifts does not favour one."""
        title = bench.model.title
        measured, resident = {count: [] for count in STREAMS}, {}

        def turn(count):
            rate = bench.streams("ours", count)
            resident.setdefault(count, self.resident())
            return rate

        for _ in range(PASSES):
            for count in STREAMS:
                measured[count].append(self.setting.measure(lambda: turn(count)))
        for count in STREAMS:
            rates = [one.figure for one in measured[count] if not one.busy]
            # Against 16 streams of the same pass.
            ratios = [one.figure / base.figure for one, base in zip(measured[count], measured[16])
                      if not one.busy and not base.busy]
            flat = f"{statistics.median(ratios):.3f}" if ratios else ""
            goal = [""] * 2
            if ratios and count >= 4 and count != 16:
                goal = ["0.95–1.05", met(0.95 <= statistics.median(ratios) <= 1.05)]
            self.streams.append([title, count, number(statistics.median(rates)) if rates else busy(measured[count]),
                                 flat, f"{resident[count] / 1e6:.0f} MB", *goal])
        behind = self.setting.measure(lambda: bench.first_beside(64))
        figures = behind.figure
        tiles = figures["first_p99_ms"] / tile_ms(figures["stream_rows_per_second"])
        self.streams.append([f"{title}: first batch of 16 rows behind 64 streams", "64", busy([behind]) or
                             f"p50 {figures['first_p50_ms']:.3g}, p99 {figures['first_p99_ms']:.3g} ms = {tiles:.2f} "
                             "tiles of 256", "", "", "≤ 2 tiles", "" if behind.busy else met(tiles <= 2)])
        weights = weight_bytes(bench.store, self.setting.precision)
        fixed, each = resident[1] - weights, (resident[256] - resident[1]) / 255
        self.memory.append([title, f"{weights / 1e6:.0f} MB", f"{fixed / 1e6:.0f} MB", f"{each / 1e6:.2f} MB",
                            "≤ 150 MB; ≤ 0.5 MB", met(fixed <= 150e6) + "; " + met(each <= 0.5e6)])

    def of_samples(self, bench):
        """Cohorts of up to a million samples, and the memory of the server after each."""
        model = bench.model
        per_sample = 2 if model.states == 1 else 1
        cohorts = [("", count, []) for count in ((1, 1_000, 100_000, 1_000_000) if model.states == 1
                                                 else (1, 1_000, 100_000))]
        if model.states > 1:  # whole rows of a million would take minutes
            region = f", {model.variants // 100} variants of {model.variants:,}"
            cohorts += [(region, count, bench.region()) for count in (100_000, 1_000_000)]
        for what, count, arguments in cohorts:
            measured = self.setting.measure(lambda: bench.cohort(count * per_sample, *arguments))
            figures = measured.figure
            rate = [f"{figures['seconds']:.3g} s", number(figures["rows_per_second"])]
            self.samples.append([model.title + what, f"{count:,}", *([busy([measured]), ""] if measured.busy else rate),
                                 f"{self.resident() / 1e6:.0f} MB"])

    def of_variants(self, bench):
        measured = self.setting.measure(lambda: bench.streams("ours"))
        calls = measured.figure * bench.model.variants
        what = "haplotype calls" if bench.model.states == 1 else "genotypes"
        self.variants.append([bench.model.title, f"{bench.model.variants:,}",
                              *([busy([measured]), ""] if measured.busy
                                else [number(measured.figure), f"{calls / 1e6:.1f} M {what}"])])

    def print(self):
        table(["P10, memory of the server", "weights", "beyond them, 1 stream", "a further stream", "goal", "met"],
              self.memory)
        table(["model", "streams", "rows/s", "÷ 16 streams", "memory", "goal", "met"], self.streams)
        table(["model", "samples of one cohort", "time", "rows/s", "memory of the server"], self.samples)
        table(["model", "variants", "rows/s, 16 streams", "calls/s"], sorted(self.variants, key=lambda line: line[0]))
