"""What other implementations compute, as files of JSON that the C++ tests read."""
import json
import math
import sys


def same(a, b, relative, absolute):
    """Whether two values of JSON are the same, numbers within these tolerances."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(a[k], b[k], relative, absolute) for k in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(same(x, y, relative, absolute) for x, y in zip(a, b))
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=relative, abs_tol=absolute)
    return a == b


def main(usage, folder, computed, relative, absolute, indent=None):
    """Writes each of `computed` ({name: function}) to folder/NAME.json; with --check compares instead. The exit code."""
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(usage)
    failed = False
    for name, compute in computed.items():
        expected = json.loads(json.dumps(compute()))
        file = folder / f"{name}.json"
        if not check:
            file.write_text(json.dumps(expected, indent=indent, sort_keys=True) + "\n")
        elif not same(expected, json.loads(file.read_text()), relative, absolute):
            print(f"{file.name} is not what {sys.argv[0]} computes")
            failed = True
    return 1 if failed else 0
