"""Real `troupe` nodes, each in a network namespace and on a disk of its own."""

import os
import pathlib
import signal
import sys
import time

import disk
from network import compile_c

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "integration"))
import harness  # noqa: E402

FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"),
                None)


class Node(harness.Node):
    """Knows what was done to it, so that an end that nobody caused shows."""

    def __init__(self, cluster, place, overrides):
        super().__init__(cluster, place, overrides)
        self.place = place
        self.paused = False
        self.killed = False
        # It may end, since there was no room on its disk at some time.
        self.doomed = False
        self.crashes = []
        self.disk = disk.Disk(self.data, cluster.folder / f"{self.name}.fsync",
                              cluster.slow_fsync)
        self.clock_file = cluster.folder / f"{self.name}.clock"
        self.wrapper = cluster.network.inside(place)

    def start(self):
        self.doomed = self.disk.full
        self.environment = self._preloaded()
        super().start()
        # Not before: the monitor looks at the process meanwhile.
        self.killed = False
        return self

    def start_again(self):
        """Where it ended, for whatever reason."""
        self.note_crash()
        if not self.running:
            self.start()

    def _preloaded(self):
        result = self.disk.environment()
        if self.cluster.clock_jumps:
            self.set_clock(0)
            result["LD_PRELOAD"] = " ".join(
                filter(None, [result.get("LD_PRELOAD"), str(FAKETIME)]))
            result.update({"FAKETIME_TIMESTAMP_FILE": str(self.clock_file),
                           "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                           "FAKETIME_CACHE_DURATION": "1",
                           "NO_FAKE_STAT": "1"})
        if result:
            # An instrumented build wants its own library to come first.
            result["ASAN_OPTIONS"] = "verify_asan_link_order=0"
        return result

    def set_clock(self, seconds):
        """The wall clock goes wrong by so much; the monotonic one does not."""
        # A reader must not find half a line.
        draft = self.clock_file.with_suffix(".new")
        draft.write_text(f"{seconds:+d}s\n")
        os.replace(draft, self.clock_file)

    def kill(self):
        self.note_crash()
        self.killed = True
        if self.running:
            super().kill()
        self.paused = False

    def pause(self):
        if self.running:
            self.process.send_signal(signal.SIGSTOP)
            self.paused = True

    def resume(self):
        if self.paused and self.running:
            self.process.send_signal(signal.SIGCONT)
        self.paused = False

    def note_crash(self):
        """Notes an end that nobody caused. A full disk may end a node, but by
        an exit that says so."""
        if self.process is None or self.killed or self.running:
            return
        status = self.process.returncode
        end = (f"signal {-status}" if status < 0 else f"exit status {status}")
        if self.doomed and status > 0 and "No space left" in self.output:
            return
        crash = f"{self.name} (pid {self.process.pid}) ended by {end}"
        if crash not in self.crashes:
            self.crashes.append(crash)


class Cluster:
    """`network` gives the places; `folder` takes data, logs and outputs.
    `preloads`: which of "slow-fsync" and "clock" may happen to a node."""

    def __init__(self, network, folder, places, preloads=(), overrides=None):
        self.network = network
        self.folder = pathlib.Path(folder)
        self.expected_nodes = len(places)
        self.seeds = [f"{self.address(place)}:{harness.CLUSTER_PORT}"
                      for place in places]
        self.clock_jumps = "clock" in preloads
        self.slow_fsync = None
        if "slow-fsync" in preloads:
            self.slow_fsync = self.folder / "slow_fsync.so"
            compile_c("slow_fsync.c", self.slow_fsync, "-shared", "-fPIC")
        settings = {
            "cluster": {"name": "chaos", "insecure": True},
            # What is registered exists in name only.
            "loadBalancer": {"healthCheck": {"enabled": False}},
        }
        for section, values in (overrides or {}).items():
            settings.setdefault(section, {}).update(values)
        self.nodes = [Node(self, place, settings) for place in places]

    def address(self, place):
        return self.network.address(place)

    def start(self):
        """Starts all nodes; returns the seconds until they are a cluster."""
        began = time.monotonic()
        for node in self.nodes:
            node.start()
        harness.wait_until(lambda: self.disagreement() is None,
                           "a whole cluster", 30)
        return time.monotonic() - began

    def disagreement(self):
        """None when all nodes name the same running leader and term, and hold
        all nodes for alive; else what is wrong."""
        views = {}
        for node in self.nodes:
            try:
                report = node.request("GET", "/api/infrastructure/cluster",
                                      timeout=1.0).data
            except (OSError, ValueError, harness.http.client.HTTPException
                    ) as failure:
                return f"{node.name} does not answer: {failure!r}"
            states = {member["name"]: member["state"]
                      for member in report["members"]}
            for other in self.nodes:
                state = states.get(other.name)
                if state != "alive":
                    return f"{other.name} is {state} on {node.name}"
            leader = report["leader"] and report["leader"]["name"]
            if leader is None:
                return f"{node.name} knows no leader"
            views[node.name] = (report["term"], leader)
        if len(set(views.values())) != 1:
            return f"leaders differ: {views}"
        return None

    def leader(self):
        """The node that leads by the newest term that any node tells of."""
        best = (-1, None)
        for node in self.nodes:
            if not node.running or node.paused:
                continue
            try:
                report = node.request("GET", "/api/infrastructure/cluster",
                                      timeout=0.5).data
            except (OSError, ValueError, harness.http.client.HTTPException):
                continue
            if report["leader"]:
                best = max(best, (report["term"], report["leader"]["name"]))
        return next((node for node in self.nodes if node.name == best[1]), None)

    def stop(self):
        for node in self.nodes:
            node.kill()

    def remove_disks(self):
        for node in self.nodes:
            node.disk.unmount()
