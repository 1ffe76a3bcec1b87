"""The goals that are ratios of cells, the rounds that measure them, and their table."""
import collections
import statistics
import subprocess

from .cells import Bench
from .programs import Stop
from .setting import MODELS, say, tile_ms
from .table import busy, met, number, spread, table

# `spread`: of the ratios, as a part of their median, at most.
Goal = collections.namedtuple("Goal", "number model text cells ratio limit at_least spread", defaults=(True, None))


def over(numerator, denominator):
    return lambda cells: cells[numerator] / cells[denominator]


def goals():
    found = []

    def add(number, models, text, numerator, denominator, limits, **more):
        for model, limit in zip(models, limits):
            cells = (numerator, denominator)
            found.append(Goal(number, model, text, cells, over(*cells), limit, **more))

    every = ["acgan-805", "wgan-10k", "wgan-50k", "acgan-10k"]
    two = every[:2]
    add("P1", every, "16 streams ÷ bare PyTorch forward", "stream16", "offline", [1.14, 0.98, 0.98, 0.98])
    add("P2", every, "1 stream ÷ 16 streams", "stream1", "stream16", [0.97] * 4)
    add("P3, P5", two, "÷ Python gRPC fp32", "stream16", "python32", [3.0, 3.9])
    add("P3, P5", two, "int8 ÷ Python gRPC fp32", "int8", "python32", [4.0, 7.0])
    add("P4", two, "÷ Python gRPC bf16", "stream16", "python16", [1.52, 2.15])
    add("P4", two[1:], "÷ Python gRPC bf16 that draws by cumulated probabilities", "stream16", "python16_cumulated",
        [None])
    add("P6", two, "exact fp32 ÷ Python gRPC fp32", "exact16", "python32", [1.2, 1.4])
    add("P7", ["acgan-805", "wgan-10k", "acgan-10k"], "first batch of 256 rows, one caller: Python gRPC fp32 ÷ ours",
        "python32_first", "first", [10, 25, 25])
    add("P7", two, "the same, Python gRPC bf16", "python16_first", "first", [None] * 2)
    found.append(Goal("P7", "acgan-805", "one row, one caller, ms", ("first_row",), lambda c: c["first_row"], 1.0,
                      False))
    for model in two:
        found.append(Goal("P8", model, "p99 of the first batch of 16 rows beside 16 streams ÷ a tile of 256 rows",
                          ("first_busy", "stream16"), lambda c: c["first_busy"] / tile_ms(c["stream16"]), 1.5, False))
    add("P9", two, "64 callers of 16 rows ÷ 16 streams", "small", "stream16", [0.8, 0.8])
    add("P11", ["wgan-50k", "acgan-10k"], "region of 1 % ÷ whole row", "region", "stream16", [60, 1.6])
    add("P13", ["acgan-805"], "beside a trainer ÷ alone", "beside_trainer", "stream16", [0.45], spread=0.05)
    return found


def wanted(setting, numbers):
    """The goals of the asked models; `numbers` None is all."""
    names = {model.name for model in setting.models()}
    return [goal for goal in goals()
            if goal.model in names and (numbers is None or numbers & set(goal.number.split(", ")))]


class Rounds:
    """Measures every cell of the goals once a round."""

    def __init__(self, setting, goals):
        self.setting, self.goals = setting, goals
        self.cells = collections.defaultdict(dict)  # model: {cell: Measured of each round}
        self.failures = {}                          # (model, cell): why there is none

    def run(self):
        for model in self.setting.models():
            cells = list(dict.fromkeys(cell for goal in self.goals if goal.model == model.name for cell in goal.cells))
            if not cells:
                continue
            with Bench(self.setting, model) as bench:
                for number in range(self.setting.options.rounds):
                    say(f"{model.title}, round {number + 1} of {self.setting.options.rounds}")
                    # Every second round runs backwards, so that what drifts does not favour one.
                    for cell in cells if number % 2 == 0 else cells[::-1]:
                        self.measure(bench, cell)

    def measure(self, bench, cell):
        key = (bench.model.name, cell)
        if key in self.failures:
            return
        try:
            bench.start(cell)
            measured = self.setting.measure(lambda: bench.cell(cell))
        except (Stop, subprocess.TimeoutExpired) as failure:
            self.failures[key] = str(failure)
            return
        self.cells[bench.model.name].setdefault(cell, []).append(measured)
        say(f"  {cell}: {measured.figure:.6g} {busy([measured])}")

    def lines(self):
        """Of the table of goals."""
        titles = {model.name: model.title for model in MODELS}
        return [[goal.number, titles[goal.model], goal.text, *self.outcome(goal)] for goal in self.goals]

    def outcome(self, goal):
        """Median, lowest to highest, rounds, goal and whether it is met."""
        limit = "" if goal.limit is None else f"{'≥' if goal.at_least else '≤'} {goal.limit:g}"
        if goal.spread:
            limit += f", spread ≤ {goal.spread:.0%}"
        failed = next((self.failures[goal.model, cell] for cell in goal.cells if (goal.model, cell) in self.failures),
                      None)
        if failed:
            return failed, "", "", limit, ""
        rounds = list(zip(*(self.cells[goal.model][cell] for cell in goal.cells)))
        ratios = [goal.ratio({cell: one.figure for cell, one in zip(goal.cells, round)}) for round in rounds
                  if not busy(round)]
        count = f"{len(ratios)} of {len(rounds)}"
        if not ratios:
            return busy([one for round in rounds for one in round]), "", count, limit, ""
        middle = statistics.median(ratios)
        holds = goal.limit is None or (middle >= goal.limit if goal.at_least else middle <= goal.limit)
        if goal.spread:
            holds = holds and max(ratios) - min(ratios) <= goal.spread * middle
        return f"{middle:.3g}", f"{min(ratios):.3g}–{max(ratios):.3g}", count, limit, limit and met(holds)

    def print_cells(self):
        lines = []
        for model in self.setting.models():
            for cell, rounds in self.cells[model.name].items():
                figures = [one.figure for one in rounds if not one.busy]
                lines.append([model.title, cell, number(statistics.median(figures)) if figures else busy(rounds),
                              spread(figures) if figures else "", f"{len(figures)} of {len(rounds)}",
                              f"{statistics.median(one.own for one in rounds):.0%}"])
        table(["model", "cell (rows/s; first: ms)", "median", "lowest–highest", "rounds",
               "of the processors, ours had"], lines)
