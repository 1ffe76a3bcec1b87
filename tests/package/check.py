#!/usr/bin/env python3
"""Installs the client library as a user would, builds the project in this folder with it, and runs that against a real
server.

Usage: check.py BUILD, with a build folder in which everything is built.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import tiny_server  # noqa: E402

PAGE = HERE.parents[1] / "docs" / "cpp.md"


def check(condition, message):
    if not condition:
        sys.exit(f"package: {message}")


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    shown = re.findall(r"^```(cmake|cpp)\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    for language, text in shown:
        file = {"cmake": "CMakeLists.txt", "cpp": "count_alleles.cc"}[language]
        check(text in (HERE / file).read_text(), f"what {PAGE.name} shows of {file} is not in it:\n{text}")
    check(len(shown) == 2, f"{PAGE.name} does not show the project")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tiny_server.run("cmake", "--install", build, "--component", "library", "--prefix", folder / "prefix")
        # Nothing in the package points into the tree or the build folder that it came from.
        for file in (folder / "prefix").rglob("*.cmake"):
            check(str(HERE.parents[1]) not in file.read_text(), f"{file.name} names the source tree")
        ccache = [f"-DCMAKE_CXX_COMPILER_LAUNCHER={shutil.which('ccache')}"] if shutil.which("ccache") else []
        configure = ["cmake", "-S", HERE, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}"]
        tiny_server.run(*configure, "-B", folder / "build", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror", *ccache)
        tiny_server.run("cmake", "--build", folder / "build")
        program = folder / "build" / "count_alleles"
        with tiny_server.serve(build / "bin", folder) as environment:
            told = tiny_server.run(program, tiny_server.MODEL, "500", "7", env=environment)
            # The same request by way of the command line and plink2.
            tiny_server.run(build / "bin" / "genoserve", "fetch", tiny_server.MODEL, "-n", "500", "--seed", "7", "-o",
                            folder / "cohort", "-q", env=environment)
            tiny_server.run("plink2", "--bfile", folder / "cohort", "--real-ref-alleles", "--freq", "counts", "--out",
                            folder / "cohort")
            counts = (folder / "cohort.acount").read_text().splitlines()[1:]
            alleles = sum(int(line.split()[4]) for line in counts)
            check(told == f"{alleles} ALT alleles in 500 samples\n", f"it printed {told!r}; plink2 counts {alleles}")
            missing = subprocess.run([program, "nobody", "5", "1"], env=environment, text=True, capture_output=True,
                                     timeout=tiny_server.PATIENCE)
            check(missing.returncode == 1 and "NOT_FOUND" in missing.stderr, f"no such model: {missing}")
    print(f"an installed genoserve::client streamed a cohort: {told.strip()}, as plink2 counts them")


if __name__ == "__main__":
    main()
