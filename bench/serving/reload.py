"""What streams notice while new versions come in."""
import shutil
import statistics

from .setting import say
from .table import busy, met, number, spread, table

STREAMS, SWAPS, EARLY = 32, 200, 20


def print_reload(setting):
    say("reload")
    store = setting.folder / "reload"
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir(parents=True)
    server = setting.server(store, setting.precision)
    try:
        with server:
            measured = setting.machine.watch(lambda: setting.json_of(
                [setting.tool("reload_bench"), f"127.0.0.1:{server.told['port']}", store, "--pid", server.process.pid,
                 "--streams", STREAMS, "--swaps", SWAPS, "--rounds", setting.options.rounds], patience=1800))
            left = server.live()
    finally:
        server.end()
        shutil.rmtree(store, ignore_errors=True)
    found, disturbed = measured.figure, busy([measured])
    ratio = statistics.median(found["ratios"])
    grown = found["memory_mb_late"] / found["memory_mb_early"]
    objects = {name: value for name, value in left.items() if value}
    lines = [
        ["versions swapped in, streams that ran meanwhile or between", f"{found['swaps']}, {found['streams']:,}", "", ""],
        ["streams that failed, or had other bytes than in a quiet run", f"{found['failed']}, {found['wrong']}", "0, 0",
         met(found["failed"] == 0 and found["wrong"] == 0)],
        ["p99 of the time between batches, swaps ÷ quiet",
         disturbed or f"{ratio:.2f} [{min(found['ratios']):.2f}–{max(found['ratios']):.2f}]", "≤ 1.5",
         "" if disturbed else met(ratio <= 1.5)],
        ["the same in ms: swaps / quiet", f"{spread(found['p99_swap_ms'])} / {spread(found['p99_quiet_ms'])}", "", ""],
        ["from published to the default of new streams, median / most",
         f"{number(found['swap_seconds_median'] * 1000)} / {number(found['swap_seconds_most'] * 1000)} ms", "", ""],
        [f"memory after {SWAPS} swaps ÷ after {EARLY}", f"{grown:.3f} ({found['memory_mb_late']:.0f} MB)", "≤ 1.02",
         met(grown <= 1.02)],
        ["versions loaded, and requests that hold one, at the end", f"{found['loaded']}, {found['handles']}", "1, 0",
         met(found["loaded"] == 1 and found["handles"] == 0)],
        ["what exists in the server then", ", ".join(f"{name}: {value:g}" for name, value in objects.items()), "", ""]]
    table([f"reload, AC-GAN 805, {STREAMS} streams", "", "goal", "met"], lines)
