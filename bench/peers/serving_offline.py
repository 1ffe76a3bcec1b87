#!/usr/bin/env python3
"""A bare PyTorch loop: the forward pass alone, of the same inputs again and again, without noise, draw and packing.

Prints {"ready": true}; then, for each line "SECONDS" on standard input, {"rows_per_second": R}. Needs torch and numpy.
"""
import json
import sys
import time

import serving_model


def main():
    model = serving_model.load(serving_model.arguments(__doc__).parse_args())
    inputs = model.inputs(serving_model.BATCH)
    model.forward(*inputs)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        warm_up = time.monotonic() + float(line) / 4
        while time.monotonic() < warm_up:
            model.forward(*inputs)
        begin, rows = time.monotonic(), 0
        while (seconds := time.monotonic() - begin) < float(line):
            model.forward(*inputs)
            rows += serving_model.BATCH
        print(json.dumps({"rows_per_second": rows / seconds}), flush=True)


if __name__ == "__main__":
    main()
