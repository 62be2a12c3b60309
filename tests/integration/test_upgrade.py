#!/usr/bin/env python3
"""A rolling upgrade to a build of the next protocol version under load, and the
versions that a cluster refuses. The only argument is the program that has the
protocol version of OTHER_PROTOCOL.
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

import harness
import load
from harness import API_PORT, PROXY_PORT, wait_until

OTHER_VERSION = (sys.argv.pop() if len(sys.argv) > 1 else
                 str(harness.ROOT / "build/release/tests/troupe_other_version"))


def protocol_of(program, **environment):
    text = subprocess.run([program, "version"], check=True, text=True,
                          capture_output=True,
                          env={**os.environ, **environment}).stdout
    return int(re.search(r"protocol (\d+)", text)[1])


CURRENT = protocol_of(harness.TROUPE)
NEXT = CURRENT + 1


def install(program, where):
    """As a package manager does it: the file of a running program is replaced,
    not written to."""
    fresh = where.with_suffix(".new")
    shutil.copy(program, fresh)
    os.replace(fresh, where)


class UpgradeTest(harness.ClusterTest):
    backends = 2

    def setUp(self):
        self.assertEqual(protocol_of(OTHER_VERSION, OTHER_PROTOCOL="7"), 7)
        super().setUp()

    def prepare(self):
        self.installed = self.cluster.folder / "troupe"
        install(harness.TROUPE, self.installed)
        for node in self.cluster.nodes:
            node.program = str(self.installed)
            # Says nothing to the current build.
            node.environment = {"OTHER_PROTOCOL": str(NEXT)}

    def wait_for_protocols(self, by_node):
        def agreed():
            seen = [{name: member["protocol"]
                     for name, member in node.members().items()}
                    for node in self.cluster.nodes]
            if any(one != by_node for one in seen):
                raise ValueError(seen)
            return True
        wait_until(agreed, f"all hold {by_node}", 10)

    def newcomer(self, protocol):
        node = harness.Node(self.cluster, 4)
        node.program = OTHER_VERSION
        node.environment = {"OTHER_PROTOCOL": str(protocol)}
        self.addCleanup(lambda: node.running and node.kill())
        return node.start()

    def check_all_work(self, what):
        """Each node takes a change, and the others know of it."""
        for node in self.cluster.nodes:
            name = f"{what}-{node.name}"
            answer = node.add_server("127.0.0.1", 9, service=name)
            self.assertEqual(answer.status, 201, answer)
            answer = node.infrastructure("POST", f"cache/keys/{name}",
                                         {"value": name})
            self.assertLess(answer.status, 300, answer)
            for other in self.cluster.nodes:
                wait_until(lambda: other.servers(name), f"{name} is known", 2)
                self.assertEqual(other.get(f"cache/keys/{name}")["value"], name)

    def test_one_node_after_the_other(self):
        nodes = self.cluster.nodes
        names = [node.name for node in nodes]
        self.wait_for_protocols(dict.fromkeys(names, CURRENT))
        install(OTHER_VERSION, self.installed)
        with load.unnoticed(self, nodes, {
                PROXY_PORT: ["/"],
                API_PORT: ["/api/infrastructure/loadbalancer/stats"]}):
            for done, node in enumerate(nodes, 1):
                self.cluster.restart_in_place(node)
                self.wait_for_protocols(
                    dict.fromkeys(names, CURRENT)
                    | dict.fromkeys(names[:done], NEXT))
                self.check_all_work(f"with-{done}")
        # And one back, with what it had.
        install(harness.TROUPE, self.installed)
        self.cluster.restart_in_place(nodes[0])
        self.wait_for_protocols(dict.fromkeys(names, NEXT)
                                | {"node-1": CURRENT})
        self.check_all_work("back")

    def test_two_apart_never_meet(self):
        nodes = self.cluster.nodes
        stranger = self.newcomer(CURRENT + 2)
        for node in nodes:
            said = (f"protocol version differs: {node.name} has '{CURRENT}', "
                    f"node-4 has '{CURRENT + 2}'")
            for reader in (node, stranger):
                wait_until(lambda: said in reader.log,
                           f"in the log of {reader.name}: {said}", 10)
        stranger.terminate()
        # A node in between is no way in.
        install(OTHER_VERSION, self.installed)
        self.cluster.restart_in_place(nodes[0])
        stranger = self.newcomer(CURRENT + 2)
        said = (f"the cluster refuses this node: node-4 has protocol version "
                f"{CURRENT + 2}, but node-[23] has {CURRENT};")
        wait_until(lambda: re.search(said, stranger.log), said, 10)
        mixed = {"node-1": NEXT, "node-2": CURRENT, "node-3": CURRENT}
        self.wait_for_protocols(mixed)
        stranger.terminate()
        # One apart is.
        self.newcomer(NEXT)
        self.wait_for_protocols(mixed | {"node-4": NEXT})


if __name__ == "__main__":
    unittest.main(verbosity=2)
