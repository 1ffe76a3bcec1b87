"""Callers that ask a unary server for rows, one call after another: the load for peers that do not stream.

The window and the figures are those of bench/serving_load.cc.
"""
import math
import threading
import time


def drive(connect, callers, rows, warm_up, seconds):
    """Rates and times. `connect` gives a caller a function that asks for so many rows and returns when they came."""
    begin = time.monotonic() + warm_up
    end, middle = begin + seconds, begin + seconds / 2
    rates, times, failures = [0.0] * callers, [], []

    def call(number):
        try:
            ask = connect()
            while (started := time.monotonic()) < end and not failures:
                ask(rows)
                now = time.monotonic()
                rates[number] += rows * max(0.0, 6 / seconds ** 3 * (seconds ** 2 / 4 - (now - middle) ** 2))
                if begin <= started:
                    times.append((now - started) * 1000)
        except Exception as error:  # a thread's failure is told by the one that waits for it
            failures.append(error)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    times.sort()
    figures = {"call_rows_per_second": sum(rates), "calls": len(times)}
    if times:
        for name, part in (("first_p50_ms", 0.5), ("first_p99_ms", 0.99)):
            figures[name] = times[max(math.ceil(part * len(times)), 1) - 1]
    return figures
