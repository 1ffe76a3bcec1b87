"""What else one would serve with: rows a second and times, of each once."""
import subprocess

from .cells import Bench
from .programs import Stop
from .setting import MODELS, TILE
from .table import busy, number, table


def print_peers(setting):
    lines = []

    def row(title, many, few):
        try:
            measured = [setting.measure(many), setting.measure(few)]
        except (Stop, subprocess.SubprocessError) as failure:
            lines.append([f"{title}: does not start here: {failure}", "", "", ""])
            return
        rate = measured[0].figure.get("stream_rows_per_second") or measured[0].figure["call_rows_per_second"]
        small = measured[1].figure
        few_cells = [number(small["call_rows_per_second"]),
                     f"{small.get('first_p50_ms', 0):.3g} / {small.get('first_p99_ms', 0):.3g} ms"]
        if measured[1].busy:
            few_cells = [busy(measured[1:]), ""]
        lines.append([title, busy(measured[:1]) or number(rate), *few_cells])

    with Bench(setting, MODELS[0]) as bench:
        for title, name in ((f"genoserve {setting.precision}", "ours"), ("Python gRPC fp32", "python32"),
                            ("Python gRPC bf16", "python16")):
            row(title, lambda: bench.load(name, "--streams", 16),
                lambda: bench.load(name, "--callers", 64, "--rows", 16))
        for title, name in (("LitServe bf16", "litserve"), ("Triton bf16", "triton")):
            row(title, lambda: bench.ask(name, 16, TILE), lambda: bench.ask(name, 64, 16))
    table([MODELS[0].title, "16 callers, rows/s", "64 callers of 16 rows, rows/s", "first p50 / p99 of these"], lines)
