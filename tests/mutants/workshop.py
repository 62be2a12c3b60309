"""Where mutants are built and run: a copy of the tree with a build of its own.

A mutated source never replaces the one in the copy. It is compiled from a
folder of its own with the original's command, and its object file is linked
before all others, where the linker takes it instead of the original.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Dict, List, Optional, Set, Tuple

from processes import Ending, Processes

# A mutant that takes so many times the usual time, and these seconds, hangs.
_SLOWER = 5
_CPU_SECONDS = 5
_WALL_SECONDS = 20
_NO_LIMITS = (600, 600)

# How often suites are run until a test that fails now and then is believed.
_ATTEMPTS = 3

_SOURCES = (".cpp", ".hpp", ".c", ".h")


class BrokenTree(Exception):
    """The tree does not build or does not pass its tests unmutated."""


class Workshop:
    """The copy of a tree, its build and the programs made of mutants."""

    def __init__(self, root: Path, folder: Path, processes: Processes):
        self.tree = folder / "tree"
        self._root = root
        self._work = folder / "work"
        self.build_folder = self.tree / "build" / "release"
        self.processes = processes
        self.commands: Dict[str, List[str]] = {}  # by object file
        self.objects: Dict[str, Set[str]] = {}  # by source or header
        self.inputs: Dict[str, Set[str]] = {}  # object files, by program
        self.links: Dict[str, List[str]] = {}
        self.limits: Dict[Tuple[str, str], Tuple[float, float]] = {}
        self._plain: Dict[str, bytes] = {}
        self._lock = threading.RLock()
        self.environment = dict(
            os.environ,
            CCACHE_SLOPPINESS="pch_defines,time_macros,include_file_mtime,"
            "include_file_ctime",
        )
        self.launcher = [shutil.which("ccache")] if shutil.which("ccache") else []

    # -- the copy -------------------------------------------------------------

    def copy_tree(self):
        """Makes the copy equal to the tree; unchanged files keep their time."""
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=self._root,
            check=True,
            capture_output=True,
        ).stdout.decode()
        wanted = {x for x in listed.split("\0") if (self._root / x).is_file()}
        for name in wanted:
            source, target = self._root / name, self.tree / name
            if target.is_file() and target.read_bytes() == source.read_bytes():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
        for child in self.tree.iterdir():
            if child.name == "build":
                continue
            for path in [child, *child.rglob("*")]:
                if path.is_file() and str(path.relative_to(self.tree)) not in wanted:
                    path.unlink()
        shutil.rmtree(self._work, ignore_errors=True)

    def build(self, programs: List[str]):
        """Builds the unmutated programs, each source by itself."""
        self.must_run(
            ["cmake", "--preset", "release", "-DTROUPE_UNITY=OFF"], cwd=self.tree
        )
        self.must_run([str(self.tree / "scripts/build"), "release", *programs])
        commands = json.loads((self.build_folder / "compile_commands.json").read_text())
        for entry in commands:
            command = shlex.split(entry["command"])
            self.commands[command[command.index("-o") + 1]] = command
        self._read_dependencies()
        for program in programs:
            self._read_program(program)

    def must_run(self, command, **options):
        code, output = self.processes.run(command, **options)
        if code != 0:
            raise BrokenTree(f"{' '.join(map(str, command))}:\n{output[-4000:]}")
        return output

    def _read_dependencies(self):
        output = self.must_run(["ninja", "-C", str(self.build_folder), "-t", "deps"])
        target = ""
        for line in output.splitlines():
            if line.startswith("    "):
                self.objects.setdefault(self._name_of(line.strip()), set()).add(target)
            elif ": #deps" in line:
                target = line.split(": #deps")[0]

    def _name_of(self, path):
        full = os.path.normpath(self.build_folder / path)
        return os.path.relpath(full, self.tree)

    def _read_program(self, program):
        ninja = ["ninja", "-C", str(self.build_folder), "-t"]
        inputs = self.must_run([*ninja, "inputs", program]).split()
        self.inputs[program] = {x for x in inputs if x.endswith(".o")}
        link = self.must_run([*ninja, "commands", program]).splitlines()[-1]
        words = shlex.split(link)
        self.links[program] = [x for x in words if x not in (":", "&&")]

    # -- the unmutated programs -----------------------------------------------

    def time_suites(self, program: str, suites: Tuple[str, ...]):
        """Runs suites unmutated; they must pass, and set the mutants' limits."""
        key = (program, _pattern(suites))
        with self._lock:
            if key in self.limits:
                return
            program_file = str(self.build_folder / "tests" / program)
            for _ in range(_ATTEMPTS):
                started = time.monotonic()
                ending = self.run(program_file, key[1], _NO_LIMITS)
                wall = time.monotonic() - started
                if ending.verdict == "passed":
                    break
            else:
                raise BrokenTree(
                    f"unmutated, {program} -s '{key[1]}' {ending.verdict}"
                    f" in: {ending.test}"
                )
            self.limits[key] = (
                _CPU_SECONDS + _SLOWER * ending.cpu_seconds,
                _WALL_SECONDS + _SLOWER * wall,
            )

    def run(self, program, suites, limits, tests=".*") -> Ending:
        # Without the framework's own watchdog: it counts a busy machine's time.
        command = [program, "-n", "-v", "3", "-r", "0", "-s", suites, "-t", tests]
        scratch = self._work / f"scratch-{threading.get_ident()}"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        return self.processes.run_test(
            command,
            *limits,
            cwd=scratch,
            env=dict(self.environment, TMPDIR=str(scratch)),
        )

    # -- mutants --------------------------------------------------------------

    def plain(self, object_file: str) -> bytes:
        """A digest of an unmutated object file without what debuggers need."""
        with self._lock:
            if object_file not in self._plain:
                copy = self._work / "plain.o"
                copy.parent.mkdir(parents=True, exist_ok=True)
                self._plain[object_file] = self.digest(
                    self.build_folder / object_file, copy
                )
            return self._plain[object_file]

    def digest(self, object_file, scratch):
        self.must_run(["objcopy", "--strip-debug", str(object_file), str(scratch)])
        return hashlib.sha256(scratch.read_bytes()).digest()

    def open_mutant(self, mutant, content: str) -> "BuiltMutant":
        """Writes a mutated source into a folder of its own."""
        digest = hashlib.sha256(f"{mutant.file}\0{content}".encode()).hexdigest()
        return BuiltMutant(self, mutant.file, content, self._work / digest[:16])


class BuiltMutant:
    """One mutated source, compiled and linked into the programs asked for."""

    def __init__(self, workshop: Workshop, file: str, content: str, folder: Path):
        self._shop = workshop
        self._file = file
        self._folder = folder
        self._built: Dict[str, Path] = {}
        self._digests: Dict[str, bytes] = {}
        self._differs = False
        source = folder / "source" / file
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(content)

    def close(self):
        shutil.rmtree(self._folder, ignore_errors=True)

    def compile(self, program: str) -> Optional[str]:
        """Compiles what the program has of it; the compiler's words on errors."""
        for object_file in self._objects_of(program):
            if object_file in self._built:
                continue
            target = self._folder / "objects" / object_file
            target.parent.mkdir(parents=True, exist_ok=True)
            code, output = self._shop.processes.run(
                self._compile_command(object_file, target),
                cwd=self._shop.build_folder,
                env=self._shop.environment,
            )
            if code != 0:
                return output
            self._built[object_file] = target
            scratch = target.with_suffix(".plain")
            digest = self._digests[object_file] = self._shop.digest(target, scratch)
            if digest != self._shop.plain(object_file):
                self._differs = True
        return None

    @property
    def differs(self) -> bool:
        """Whether any code compiled so far is not the unmutated one's."""
        return self._differs

    @property
    def code(self) -> Tuple[Tuple[str, bytes], ...]:
        """What was compiled so far, to be compared with other mutants."""
        return tuple(sorted(self._digests.items()))

    def link(self, program: str) -> Optional[str]:
        """Links what was compiled for the program; the linker's words on errors."""
        code, output = self._shop.processes.run(
            self._link_command(program, self._folder / program),
            cwd=self._shop.build_folder,
        )
        return output if code != 0 else None

    def run(self, program: str, suites: Tuple[str, ...]) -> Ending:
        """Runs these suites of the linked program.

        A test that fails must fail again by itself: on a busy machine one that
        speaks over sockets may fail for no reason of ours.
        """
        key = (program, _pattern(suites))
        file = str(self._folder / program)
        limits = self._shop.limits[key]
        for _ in range(_ATTEMPTS):
            ending = self._shop.run(file, key[1], limits)
            if ending.verdict != "failed":
                return ending
            tests = f"^{re.escape(ending.test)}$" if ending.test else ".*"
            if self._shop.run(file, key[1], limits, tests).verdict != "passed":
                return ending
        return ending

    def _objects_of(self, program):
        of_source = self._shop.objects.get(self._file, set())
        return [
            x
            for x in sorted(of_source & self._shop.inputs[program])
            if not x.startswith("tests/") or self._includes_it(x)
        ]

    def _includes_it(self, object_file):
        """Whether a test names the header. For the others it is enough that the
        linker takes inline functions from the objects that come first."""
        command = self._shop.commands[object_file]
        text = Path(command[command.index("-c") + 1]).read_text()
        return f'#include "{self._file}"' in text

    def _compile_command(self, object_file, target):
        command = list(self._shop.commands[object_file])
        command[command.index("-o") + 1] = str(target)
        source = command.index("-c") + 1
        if command[source] == str(self._shop.tree / self._file):
            command[source] = str(self._folder / "source" / self._file)
        else:
            command[1:1] = ["-iquote", str(self._folder / "source")]
            if self._is_precompiled(command):
                self._precompile_nothing(command)
        return [*self._shop.launcher, *command]

    def _is_precompiled(self, command):
        """Whether the precompiled header holds the unmutated header."""
        if "-include" not in command:
            return False
        header = command[command.index("-include") + 1] + ".gch"
        name = os.path.relpath(header, self._shop.build_folder)
        return name in self._shop.objects.get(self._file, ())

    def _precompile_nothing(self, command):
        """Includes as text what is precompiled for all others."""
        at = command.index("-include") + 1
        copy = self._folder / (
            hashlib.sha256(command[at].encode()).hexdigest()[:8] + ".hxx"
        )
        shutil.copy(command[at], copy)
        command[at] = str(copy)

    def _link_command(self, program, target):
        command = [x for x in self._shop.links[program] if x not in self._built]
        command[command.index("-o") + 1] = str(target)
        first = next(i for i, x in enumerate(command) if x.endswith(".o"))
        # What several objects define is taken from the first.
        command[first:first] = [*map(str, self._built.values()), "-Wl,-z,muldefs"]
        return command


def _pattern(suites):
    return "^(" + "|".join(sorted(suites)) + ")$"


def sources_in(tree: Path, folder: str) -> List[str]:
    """All sources below a folder of the tree, relative to it."""
    return sorted(
        str(path.relative_to(tree))
        for path in (tree / folder).rglob("*")
        if path.suffix in _SOURCES and path.is_file()
    )
