"""Cells: one figure of one model, taken from one program or from two side by side."""
import json
import time

from .setting import TILE, VARIANT_SPACING, batch_bytes


class Bench:
    """The programs of one model, and what is asked of them."""

    def __init__(self, setting, model):
        self.setting, self.model, self.machine = setting, model, setting.machine
        self.store = setting.store_of(model)
        self.programs = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in self.programs.values():
            program.end()

    def program(self, name):
        if name not in self.programs:
            self.programs[name] = self.setting.program(name, self.model, self.store)
        return self.programs[name]

    def load(self, program, *arguments, stretch=None):
        """One turn of the load at a server; its line of JSON."""
        with self.program(program) as server:
            seconds = self.setting.options.seconds * (stretch or self.model.stretch)
            return self.setting.json_of([*self.load_command(server), "--batch-bytes", batch_bytes(self.model),
                                         "--seconds", seconds, "--warm-up", max(0.5, seconds / 4), *arguments])

    def cohort(self, rows, *arguments):
        """One cohort of so many rows from ours, read to its end."""
        with self.program("ours") as server:
            return self.setting.json_of([*self.load_command(server), "--cohort", rows, *arguments])

    def load_command(self, server):
        return [self.setting.tool("serving_load"), f"127.0.0.1:{server.told['port']}", self.model.name]

    def ask(self, program, callers, rows):
        """A turn of the load at a peer that answers unary calls, whose program drives itself."""
        with self.program(program) as server:
            seconds = self.setting.options.seconds
            return self.setting.json_of([*server.command[:2], "--drive", server.told["port"], callers, rows,
                                         max(0.5, seconds / 4), seconds], server.environment)

    def region(self):
        """1 % of the variants, from the middle on."""
        count = self.model.variants // 100
        first = self.model.variants // 2
        return ["--region-start", (first + 1) * VARIANT_SPACING, "--region-end", (first + count) * VARIANT_SPACING]

    def offline(self):
        with self.program("offline") as loop:
            loop.process.stdin.write(f"{self.setting.options.seconds * self.model.stretch}\n")
            return json.loads(loop.line(120))["rows_per_second"]

    def beside_trainer(self):
        with self.program("trainer"):
            time.sleep(0.2)
            return self.streams("ours")

    def streams(self, program, count=16, *arguments):
        return self.load(program, "--streams", count, *arguments)["stream_rows_per_second"]

    def first(self, program, rows=TILE):
        """Milliseconds to the first batch, one caller."""
        return self.load(program, "--callers", 1, "--rows", rows, stretch=2)["first_p50_ms"]

    def first_beside(self, streams):
        return self.load("ours", "--streams", streams, "--callers", 1, "--rows", 16, "--pause-ms", 20)

    def start(self, cell):
        """Starts what a cell measures, so that the start is no part of it."""
        name = cell.removesuffix("_first") if cell.startswith("python") else {
            "offline": "offline", "exact16": "exact", "int8": "int8"}.get(cell, "ours")
        for program in [name] + (["trainer"] if cell == "beside_trainer" else []):
            with self.program(program):
                pass

    def cell(self, name):
        """One figure: rows a second, or milliseconds."""
        return {
            "offline": self.offline,
            "stream16": lambda: self.streams("ours"),
            "stream1": lambda: self.streams("ours", 1),
            "exact16": lambda: self.streams("exact"),
            "int8": lambda: self.streams("int8"),
            "first": lambda: self.first("ours"),
            "first_row": lambda: self.first("ours", 1),
            "first_busy": lambda: self.first_beside(16)["first_p99_ms"],
            "small": lambda: self.load("ours", "--callers", 64, "--rows", 16)["call_rows_per_second"],
            # Two streams: more of a slow model fill no batch within the window.
            "region": lambda: self.streams("ours", 2, *self.region()),
            "beside_trainer": self.beside_trainer,
            "python32": lambda: self.streams("python32"),
            "python16": lambda: self.streams("python16"),
            "python16_cumulated": lambda: self.streams("python16_cumulated"),
            "python32_first": lambda: self.first("python32"),
            "python16_first": lambda: self.first("python16"),
        }[name]()
