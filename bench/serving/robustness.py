"""What becomes of a server under five times the load that it can serve, and of good clients beside bad ones."""
import statistics
import time

from .setting import MODELS, say, tile_ms
from .table import busy, met, number, spread, table

MODEL = MODELS[0]
ROWS_OF_SAMPLE = 2
MOST_STREAMS = 256 + 256 // 8  # that a server takes at once by default
STREAM_MB = 0.5                # of memory, P10


def bench(setting, server, what, *arguments):
    return setting.json_of([setting.tool("overload_bench"), f"127.0.0.1:{server.told['port']}", MODEL.name, what,
                            *arguments])


def with_server(setting, work):
    """What `work` returns for a server with the settings that it has without flags, as Measured."""
    server = setting.server(setting.store_of(MODEL), setting.precision)
    try:
        with server:
            return setting.machine.watch(lambda: work(server))
    finally:
        server.end()


def print_overload(setting):
    say("overload")
    measured = with_server(setting, lambda server: bench(
        setting, server, "overload", "--seconds", setting.options.overload_seconds, "--pid", server.process.pid))
    found, disturbed = measured.figure, busy([measured])
    windows = found["capacity_before"] + found["capacity_after"]
    tile = tile_ms(found["capacity"] * ROWS_OF_SAMPLE)
    tiles = {part: found[f"interactive_{part}_ms"] / tile for part in ("p50", "p99")}
    grown = found["memory_mb_most"] - found["memory_mb_before"]
    ratio = found["served_to_capacity"]
    lines = [
        ["capacity, samples/s: same calls in a closed loop", f"{number(found['capacity'])} [{spread(windows)}]", "",
         ""],
        ["offered ÷ capacity", f"{found['offered_to_capacity']:.2f}", "5", ""],
        ["served ÷ capacity", disturbed or f"{ratio:.3f}", "0.95–1.05",
         "" if disturbed else met(0.95 <= ratio <= 1.05)],
        ["memory of the server before, most, after",
         " / ".join(f"{found['memory_mb_' + when]:.0f}" for when in ("before", "most", "after")) + " MB",
         f"{STREAM_MB} MB a stream", met(grown <= STREAM_MB * MOST_STREAMS)],
        ["calls: begun / served whole / refused",
         " / ".join(f"{found[what]:,}" for what in ("calls", "taken", "refused")), "", ""],
        ["refused without RetryInfo", found["refused_without_retry_info"], "0",
         met(found["refused"] > 0 and found["refused_without_retry_info"] == 0)],
        ["streams lost", found["lost"], "0", met(found["lost"] == 0 and found["all_ended"])],
        ["calls of 16 samples beside them: answered / refused",
         f"{found['interactive_calls']:,} / {found['interactive_refused']:,}", "none refused",
         met(found["interactive_refused"] == 0)],
        ["their first batch, p50 / p99 in tiles of 256 rows",
         disturbed or f"{tiles['p50']:.2f} / {tiles['p99']:.2f} ({found['interactive_p99_ms']:.3g} ms; at capacity "
                      f"{found['calm_p99_ms']:.3g} ms)", "p99 ≤ 2", "" if disturbed else met(tiles["p99"] <= 2)],
        ["processors that the load / the server had",
         f"{found['client_processors']:.2f} / {found['server_processors']:.2f} of {len(setting.machine.cpus)}", "", ""]]
    table([f"overload, {MODEL.title}, {setting.options.overload_seconds:g} s", "", "goal", "met"], lines)


def print_misbehaving(setting):
    say("misbehaving clients")

    def work(server):
        before = server.live()
        found = bench(setting, server, "misbehaving", "--rounds", min(3, setting.options.rounds), "--seconds",
                      max(3, setting.options.seconds))
        end = time.monotonic() + 10
        while (after := server.live()) != before and time.monotonic() < end:
            time.sleep(0.1)
        left = [f"{name}: {after.get(name, 0):g}" for name in after if after.get(name) != before.get(name)]
        return found, left

    measured = with_server(setting, work)
    (found, left), disturbed = measured.figure, busy([measured])
    lines = []
    for name, beside in found["beside"].items():
        middle, of_left = statistics.median(beside["ratios"]), statistics.median(beside["of_left"])
        lines.append([f"good streams beside {name} ÷ alone", disturbed or f"{middle:.3f}",
                      "" if disturbed else f"{min(beside['ratios']):.3f}–{max(beside['ratios']):.3f}",
                      disturbed or f"{of_left:.3f}", "≥ 0.9", "" if disturbed else met(middle >= 0.9)])
    lines += [["good streams that ended otherwise than well", found["good_streams_lost"], "", "", "0",
               met(found["good_streams_lost"] == 0)],
              [f"jobs, batches, streams, handles, bytes left ({found['dropped_streams']:,} streams were dropped)",
               "; ".join(left) or "none", "", "", "none", met(not left)]]
    table([f"misbehaving clients, {MODEL.title}", "median", "lowest–highest",
           "by what the clients left of the processors", "goal", "met"], lines)
