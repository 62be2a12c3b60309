#!/usr/bin/env python3
"""A node whose disk is full, or does not answer, says so and comes back.

Each node has a small file system of its own, so that full is really full. Needs
the right to mount; without it there is nothing to test (exit status 77).
"""

import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

import harness
from harness import wait_until

sys.path.insert(0, str(harness.ROOT / "tests" / "chaos"))
import disk  # noqa: E402
from network import compile_c  # noqa: E402

HANG_MS = 600_000


def may_mount():
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder],
                          capture_output=True, check=False).returncode != 0:
            return False
        subprocess.run(["umount", folder], check=True)
        return True


class DiskTest(harness.ClusterTest):
    def prepare(self):
        folder = pathlib.Path(self.cluster.folder)
        shim = folder / "slow_fsync.so"
        compile_c("slow_fsync.c", shim, "-shared", "-fPIC")
        self.disks = {}
        for node in self.cluster.nodes:
            mine = disk.Disk(node.data, folder / f"{node.name}.delay", shim)
            node.environment = mine.environment()
            self.disks[node.name] = mine
            self.addCleanup(mine.unmount)

    def write(self, node, number):
        return node.infrastructure("PUT", f"catalog/keys/key-{number}",
                                   {"value": "x" * 1000})

    def write_until_refused(self, node):
        """Returns the numbers that were acknowledged."""
        acknowledged = []
        for number in range(100_000):
            if self.write(node, number).status >= 300:
                return acknowledged
            acknowledged.append(number)
            if node.leader() != node.name:
                return acknowledged
        raise AssertionError("every write was taken")

    def readiness(self, node):
        return node.request("GET", "/ready")

    def metric(self, node, name):
        for line in node.request("GET", "/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        raise LookupError(name)

    def check_trouble(self, words, bring_about, end):
        victim = self.cluster.leader()
        others = [node for node in self.cluster.nodes if node is not victim]
        self.assertEqual(self.write(victim, "before").status, 200)
        begin = time.monotonic()
        bring_about(self.disks[victim.name])
        acknowledged = self.write_until_refused(victim)
        wait_until(lambda: all(node.leader() in [x.name for x in others]
                               for node in others), "another leads", 20)
        print(f"{words}: after {time.monotonic() - begin:.2f} s another leads, "
              f"{len(acknowledged)} writes meanwhile")
        self.assertTrue(victim.running, victim.output[-2000:])

        ready = wait_until(
            lambda: (lambda x: x.status == 503 and words in x.text and x)(
                self.readiness(victim)), "says that it is not ready")
        print(ready.text)
        self.assertEqual(victim.get("catalog/keys/key-before")["value"],
                         "x" * 1000)
        self.assertEqual(self.metric(victim, "troupe_raft_log_writable"), 0)
        self.assertIn(words, victim.log)
        self.assertIn(words, str(others[0].events()))
        begin = time.monotonic()
        for number in range(200):
            self.assertLess(self.write(others[0], f"during-{number}").status,
                            300)
        print(f"200 writes elsewhere in {time.monotonic() - begin:.2f} s")

        end(self.disks[victim.name])
        begin = time.monotonic()
        self.cluster.wait_until_whole()
        print(f"whole again after {time.monotonic() - begin:.2f} s")
        self.assertEqual(self.metric(victim, "troupe_raft_log_writable"), 1)
        for name in ([f"key-{number}" for number in acknowledged]
                     + [f"key-during-{number}" for number in range(200)]):
            wait_until(lambda: victim.infrastructure(
                "GET", f"catalog/keys/{name}").status == 200, f"has {name}")
        self.assertEqual(self.write(victim, "after").status, 200)
        self.assertTrue(victim.running)

    def test_a_full_disk(self):
        self.check_trouble("the disk is full", lambda x: x.fill(),
                           lambda x: x.free())

    def test_a_disk_that_hangs(self):
        self.check_trouble("does not answer",
                           lambda x: x.fsync_delay(HANG_MS),
                           lambda x: x.fsync_delay(0))


if __name__ == "__main__":
    if not may_mount():
        print("this user may not mount anything")
        sys.exit(77)
    unittest.main()
