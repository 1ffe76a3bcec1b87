#!/usr/bin/env python3
"""Sums the test cases of test binaries: prints "PASSED FAILED".

Usage: count_tests.py RESULTS BINARY... A binary without a result file has crashed and counts as one failure.
"""
import json
import pathlib
import sys

results = pathlib.Path(sys.argv[1])
passed = failed = 0
for binary in map(pathlib.Path, sys.argv[2:]):
    result = results / (binary.name + ".json")
    if not result.exists():
        print(f"{binary.name}: ended without a result", file=sys.stderr)
        failed += 1
        continue
    report = json.loads(result.read_text())
    failed += report["failures"]
    passed += report["tests"] - report["failures"] - report["disabled"]
print(passed, failed)
