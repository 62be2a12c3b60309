"""Which tests concern a source: read from the CMake files and the includes."""

import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

_SUITE = re.compile(r"troupe_suite\(\s*(\w+)([^)]*)\)")
_INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
_CAF_SUITE = re.compile(r"^#define CAF_SUITE (\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Suite:
    """A file of tests in one of the test programs."""

    program: str
    name: str
    file: str


class Suites:
    """All suites of a tree."""

    def __init__(self, tree: Path):
        self._tree = tree
        self._includes: Dict[str, List[str]] = {}
        self._bodies = self._find_bodies()
        self.suites: List[Suite] = []
        for cmake in sorted(tree.glob("tests/*/*.cmake")):
            for program, files in _SUITE.findall(cmake.read_text()):
                for file in re.findall(r"[\w/]+\.cpp", files):
                    self._add("test_" + program, "tests/" + file)

    def _add(self, program, file):
        name = _CAF_SUITE.search((self._tree / file).read_text())
        self.suites.append(Suite(program, name[1] if name else "unnamed", file))

    def distances(self, source: str) -> Dict[Suite, int]:
        """How many includes lead from a suite to a source.

        A header leads to its body, and a body to the headers it includes.
        Suites that never get there are left out. A source that no suite gets to
        is as far away as the nearest one of its folder.
        """
        result = self._distances_to({source})
        if not result:
            folder = (self._tree / source).parent
            result = self._distances_to(
                {str(x.relative_to(self._tree)) for x in folder.glob("*.*pp")}
            )
        return result

    def _distances_to(self, goals):
        result = {}
        for suite in self.suites:
            distance = self._distance(suite.file, goals)
            if distance is not None:
                result[suite] = distance
        return result

    def _distance(self, start, goals):
        known = {start: 0}
        waiting = deque([start])
        while waiting:
            file = waiting.popleft()
            if file in goals:
                return known[file]
            for follower, step in self._followers(file):
                if follower not in known:
                    known[follower] = known[file] + step
                    if step:
                        waiting.append(follower)
                    else:
                        waiting.appendleft(follower)
        return None

    def _followers(self, file):
        """What a file leads to: its body at once, its includes in a step."""
        if file not in self._includes:
            path = self._tree / file
            text = path.read_text() if path.is_file() else ""
            self._includes[file] = [
                str(beside.relative_to(self._tree)) if beside.is_file() else x
                for x in _INCLUDE.findall(text)
                for beside in [path.parent / x]
            ]
        for included in self._includes[file]:
            yield included, 1
        for body in self._bodies.get(file, ()):
            yield body, 0

    def _find_bodies(self):
        """The sources of each header: the first one they include, by custom."""
        result: Dict[str, List[str]] = {}
        for folder in ("messages", "actors", "discovery", "http", "node"):
            for path in sorted((self._tree / folder).rglob("*.c*")):
                if path.suffix in (".cpp", ".c"):
                    first = _INCLUDE.search(path.read_text())
                    # Others merely use what they include first.
                    if first and (self._tree / first[1]).parent == path.parent:
                        body = str(path.relative_to(self._tree))
                        result.setdefault(first[1], []).append(body)
        return result
