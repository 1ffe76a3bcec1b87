#!/usr/bin/env python3
"""Runs a Python program with the PyTorch that LibTorch was unpacked from, on the CPU.

Usage: python_torch.py PROGRAM [ARGUMENT]...

The wheel's Python part links the CUDA libraries, gigabytes that a CPU never calls. Stand-ins take their place: shared
libraries of the same names whose functions do nothing, made by cc in GENOSERVE_DEPS/stand-ins-VERSION. Set-up made the
virtual environment that has what else PyTorch imports. A PYTHONPATH is searched after PyTorch.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

DEPS = pathlib.Path(os.environ.get("GENOSERVE_DEPS") or pathlib.Path.home() / ".cache" / "genoserve")
TORCH = pathlib.Path(os.environ.get("LIBTORCH_ROOT") or DEPS / "libtorch" / "torch")
USERS = ["libtorch_python.so", "libtorch_cuda.so", "libtorch_cuda_linalg.so", "libtorch_nvshmem.so"]
# Libraries whose symbols have no versions: by how the names begin.
PREFIXES = {"libnccl": "nccl", "libcusparseLt": "cusparseLt", "libcufile": "cuFile", "libcurand": "curand"}


def readelf(library, *options):
    return subprocess.run(["readelf", "-W", *options, TORCH / "lib" / library], check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def present(name):
    folders = [TORCH / "lib", TORCH.parent / "nvidia" / "cu13" / "lib"]
    return not re.match(r"lib(cu|nccl|nvshmem_host)", name) or any((folder / name).exists() for folder in folders)


def missing_symbols():
    """{library: {version: symbols}} of the CUDA libraries that are not there."""
    wanted = collections.defaultdict(lambda: collections.defaultdict(set))
    plain = set()
    for user in USERS:
        for name in re.findall(r"Shared library: \[(.+?)\]", readelf(user, "-d")):
            if not present(name):
                wanted[name][""] |= set()
        library_of, library = {}, None
        for line in readelf(user, "-V").splitlines():
            if found := re.search(r"File: (\S+)", line):
                library = found[1]
            elif found := re.search(r"Name: (\S+)\s+Flags: \S+\s+Version: \d+", line):
                library_of[found[1]] = library
        for line in readelf(user, "--dyn-syms").splitlines():
            fields = line.split()
            if len(fields) < 8 or fields[6] != "UND":
                continue
            symbol, at, version = fields[7].partition("@")
            if not at:
                plain.add(symbol)
            elif library_of.get(version) in wanted:
                wanted[library_of[version]][version].add(symbol)
    for name in wanted:
        for library, prefix in PREFIXES.items():
            if name.startswith(library + "."):
                wanted[name][""] |= {symbol for symbol in plain if symbol.startswith(prefix)}
    return wanted


def make_stand_ins(place):
    if place.is_dir():
        return
    with tempfile.TemporaryDirectory(dir=DEPS) as folder:
        made = pathlib.Path(folder) / "lib"
        made.mkdir()
        for name, versions in missing_symbols().items():
            source, script = pathlib.Path(folder) / "stand_in.c", pathlib.Path(folder) / "versions.map"
            source.write_text("".join(f"void {s}(void) {{}}\n" for symbols in versions.values() for s in sorted(symbols)))
            script.write_text("".join(f"{version} {{ global: {'; '.join(sorted(symbols))}; }};\n"
                                      for version, symbols in versions.items() if version and symbols))
            options = [f"-Wl,--version-script={script}"] if script.stat().st_size else []
            subprocess.run(["cc", "-w", "-shared", "-fPIC", f"-Wl,-soname,{name}", *options, "-o", made / name, source],
                           check=True)
        try:
            made.rename(place)
        except OSError:
            if not place.is_dir():  # else another call was faster
                raise


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not (TORCH / "__init__.py").exists():
        sys.exit(f"python_torch: {TORCH} has no Python part: unset LIBTORCH_ROOT and run scripts/setup")
    version = re.search(r"__version__ = '(.+?)'", (TORCH / "version.py").read_text())[1]
    place = DEPS / f"stand-ins-{version}"
    make_stand_ins(place)
    python = DEPS / "oracles" / "bin" / "python"
    path = [str(TORCH.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(place), "PYTHONPATH": os.pathsep.join(path)}
    os.execve(python, [str(python), *sys.argv[1:]], environment)


if __name__ == "__main__":
    main()
