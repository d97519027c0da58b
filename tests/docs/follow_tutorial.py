#!/usr/bin/env python3
"""Follows docs/tutorial.md as a reader would: faultline is installed from a build, an empty folder gets the page's
CMakeLists.txt and, one after the other, its programs; each is built and run by the page's own commands, and must write
the output that follows it on the page.

follow_tutorial.py TUTORIAL BUILD COMPILER [--control]    with --control each output is changed, which must be noticed
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from check_snippets import blocks_of, normalised  # noqa: E402


def run(command, folder, environment):
    done = subprocess.run(["sh", "-ec", command], cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600, check=False)
    if done.returncode != 0:
        sys.exit(f"{command}\nended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def main():
    tutorial, build, compiler = sys.argv[1:4]
    spoil = "--control" in sys.argv
    page = list(blocks_of(pathlib.Path(tutorial).read_text(encoding="utf-8")))
    lists = next(block for _, _, language, block in page if language == "cmake")
    commands = next(block for _, _, language, block in page if language == "sh" and "./build/bakery" in block)
    make, start = commands.rsplit("\n", 1)
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "HOME": home, "CXX": compiler}
        run(f"cmake --install '{build}' --prefix $HOME/faultline-installed", home, environment)
        folder = pathlib.Path(home) / "bakery"
        folder.mkdir()
        (folder / "CMakeLists.txt").write_text(lists)
        followed = 0
        for _, comment, _, block in page:
            if comment and comment.startswith("examples/"):
                (folder / "main.cpp").write_text(block)
                began = time.monotonic()
                run(make, folder, environment)
                written = run(start, folder, environment)
                print(f"{comment}: built and run in {time.monotonic() - began:.1f} s")
            elif comment and comment.startswith("output of "):
                followed += 1
                expected = block + ("spoilt" if spoil else "")
                if normalised(written) != normalised(expected):
                    print(f"the page shows\n{expected}\nand the program writes\n{written}")
                    sys.exit(0 if spoil else 1)
    print(f"{followed} programs write what the page shows")
    sys.exit(1 if spoil or followed == 0 else 0)


if __name__ == "__main__":
    main()
