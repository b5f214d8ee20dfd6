"""Makes the virtual environment that requirements.txt asks for.

Each content of requirements.txt has an environment of its own, named by a hash
and marked when it is complete. So a new one is built beside the old one, a half
one is never used, and the old one serves until the new one is there.
"""

import hashlib
import os
import re
import shutil
import sys

MARK = "complete"
INCLUDE = re.compile(rb"^\s*(?:-r|-c|--requirement|--constraint)[ =]+(\S+)", re.MULTILINE)


class Failed(Exception):
    """The environment can't be made; the text says why."""


class Environment:
    """A folder with Python's packages; folder is None for Python's own alone."""

    def __init__(self, folder):
        self.folder = folder

    @property
    def python(self):
        return str(self.folder / "bin" / "python3") if self.folder else sys.executable

    def variables(self, env):
        if not self.folder:
            return env
        return {**env, "VIRTUAL_ENV": str(self.folder), "PATH": f"{self.folder}/bin:{env.get('PATH', os.defpath)}"}


def make(root, state, env, processes):
    """Returns the environment for the requirements.txt in root, building it when it is not there."""
    requirements = root / "requirements.txt"
    if not requirements.is_file():
        return Environment(None)
    folder = state / ("venv-" + fingerprint(requirements))
    made = Environment(folder)
    if (folder / MARK).exists():
        return made
    shutil.rmtree(folder, ignore_errors=True)
    scratch = state / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    # On the volume: a download that is too large then meets the site's own quota.
    env = {**env, "TMPDIR": str(scratch), "PIP_NO_CACHE_DIR": "1"}
    errors = scratch / "errors"
    print(f"Python: installing {requirements}", flush=True)
    # Without pip of its own it takes a moment to make; Python's is seen from inside.
    commands = [
        [sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", str(folder)],
        [made.python, "-m", "pip", "install", "--no-input", "--progress-bar", "off", "--disable-pip-version-check",
         "--no-warn-script-location", "--requirement", str(requirements)],
        ["sync", "--file-system", str(folder)],
    ]
    for argv in commands:
        code = processes.run(argv, env, str(errors))
        said = errors.read_text(errors="replace")
        sys.stderr.write(said)
        if code:
            shutil.rmtree(folder, ignore_errors=True)
            raise Failed(f"requirements.txt can't be installed: {cause(said)}")
    shutil.rmtree(scratch, ignore_errors=True)
    (folder / MARK).touch()
    return made


def tidy(state, used):
    """Removes environments that nothing uses any more."""
    for folder in state.glob("venv-*"):
        if folder != used.folder:
            shutil.rmtree(folder, ignore_errors=True)


def fingerprint(requirements):
    """Changes with Python's version and with any file that requirements.txt names."""
    seen, left, digest = set(), [requirements], hashlib.sha256(sys.version.encode())
    while left:
        path = left.pop(0)
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        text = path.read_bytes()
        digest.update(b"%d\n" % len(text) + text)
        left += [path.parent / os.fsdecode(name) for name in INCLUDE.findall(text)]
    return digest.hexdigest()[:16]


def cause(said):
    """Returns the line that tells most of what a program wrote before it failed."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("ERROR: ")]
    return (told or lines or ["it ended without a word"])[-1].removeprefix("ERROR: ")
