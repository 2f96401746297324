"""Runs the examples of the pages in docs/, each page against a sandbox of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PATIENCE = 120
DOCS = Path("docs")
# A page's calls must succeed, unless they say --no-fail.
SHELL = 'set -euo pipefail; curl() { command curl -sS --fail "$@" && echo; }\n'


class Sandbox:
    """A sandbox whose clock stands still, until the end of the block."""

    def __init__(self, binary):
        arguments = ["sandbox", "--port", "0", "--json", "--speed", "0"]
        self.process = subprocess.Popen(
            [binary, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.told = json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def blocks(page, language):
    """The code blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def run(command, folder, environment):
    """What a command printed; its failure ends the run."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, timeout=PATIENCE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed with {done.returncode}:\n{done.stdout}")
    return done.stdout


def run_shell(page, binary):
    """All calls of a page, one after the other."""
    script = SHELL + "".join(blocks(page, "sh"))
    with Sandbox(binary) as sandbox, tempfile.TemporaryDirectory() as folder:
        told = sandbox.told
        names = {"url": told["url"], "key": told["apiKey"], "token": told["operatorToken"]}
        return run(["bash", "-c", script], folder, names)


def main():
    binary = str(Path(sys.argv[1]).resolve())
    missing = [name for name in ("curl", "bash") if shutil.which(name) is None]
    if missing:
        sys.exit(f"missing: {', '.join(missing)}")
    said = run_shell(DOCS / "sandbox.md", binary)
    for expected in ["attempt 1: no answer", '"seen":2,"acted":1', '"snapshots":["before","start"]', '"finished":']:
        if expected not in said:
            sys.exit(f"docs/sandbox.md: no {expected} in\n{said}")
    print("docs/sandbox.md: its calls work")


main()
