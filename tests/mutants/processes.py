"""Programs that are run with limits, and can all be ended at once."""

import os
import re
import resource
import signal
import subprocess
import threading
from dataclasses import dataclass
from typing import Set, Tuple

_MEMORY_BYTES = 16 << 30
_FILE_BYTES = 1 << 30

# How CAF's framework, told -v 3, counts good and bad checks of a failed test.
_FAILED_CHECKS = re.compile(r" \(\d+/\d+\)$")


class Interrupted(Exception):
    """Somebody asked to stop."""


@dataclass(frozen=True)
class Ending:
    """How a test program ended: passed, failed or hung, in which test."""

    verdict: str
    cpu_seconds: float
    test: str = ""


class Processes:
    """Runs programs, and ends all of them when asked to."""

    def __init__(self):
        self._lock = threading.Lock()
        self._groups: Set[int] = set()
        self._stopped = False

    def stop(self):
        with self._lock:
            self._stopped = True
            for group in self._groups:
                _kill(group)

    def run(self, command, **options) -> Tuple[int, str]:
        """The exit code and all output; Interrupted after `stop`."""
        process = self._start(command, **options)
        output, _ = process.communicate()
        self._end(process)
        return process.returncode, output

    def run_test(self, command, cpu_seconds, wall_seconds, **options) -> "Ending":
        """Runs a test program until it ends or a test fails."""

        def limit():
            whole = int(cpu_seconds) + 1
            resource.setrlimit(resource.RLIMIT_CPU, (whole, whole))
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES,) * 2)
            resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES,) * 2)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        process = self._start(command, preexec_fn=limit, **options)
        late = threading.Event()

        def give_up():
            late.set()
            _kill(process.pid)

        timer = threading.Timer(wall_seconds, give_up)
        timer.start()
        failed = False
        test = ""
        for line in process.stdout:
            if line.startswith("- ") and not failed:
                test = line[2:].strip()
            elif _FAILED_CHECKS.match(line):
                failed = True
                _kill(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        timer.cancel()
        self._end(process)
        cpu = used.ru_utime + used.ru_stime
        if failed:
            return Ending("failed", cpu, test)
        if late.is_set() or process.returncode in (
            -signal.SIGXCPU,
            -signal.SIGKILL,
        ):
            return Ending("hung", cpu, test)
        if process.returncode != 0:
            return Ending("failed", cpu, test)
        return Ending("passed", cpu)

    def _start(self, command, **options):
        with self._lock:
            if self._stopped:
                raise Interrupted
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                **options,
            )
            self._groups.add(process.pid)
            return process

    def _end(self, process):
        with self._lock:
            self._groups.discard(process.pid)
            _kill(process.pid)
            if self._stopped:
                raise Interrupted


def _kill(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
