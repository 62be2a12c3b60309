#!/usr/bin/env python3
"""Seven nodes: they form, elect, lose three, and still write; and a cluster that
grows from one node to seven and shrinks back."""

import time
import unittest

import harness
from harness import wait_until


class SevenNodesTest(unittest.TestCase):
    def start(self, **cluster_settings):
        self.cluster = harness.Cluster(nodes=7, backends=0)
        self.addCleanup(self.cluster.stop)
        for node in self.cluster.nodes:
            node.overrides = {"cluster": cluster_settings}
        try:
            formed = self.cluster.start()
            print(f"seven nodes formed a cluster in {formed:.2f} s", flush=True)
        except BaseException:
            self.cluster.dump(15)
            raise

    def voters(self, node):
        return sorted(name for name, member in node.members().items()
                      if member["role"] == "voter")

    def write_at(self, node, port):
        """Until it is acknowledged; returns the seconds that took."""
        begin = time.monotonic()
        wait_until(lambda: node.add_server("127.0.0.9", port, "written").status
                   in (201, 409), f"a write at {node.name}", 15)
        return time.monotonic() - begin

    def check_agreement(self, ports):
        for node in self.cluster.running_nodes():
            wait_until(lambda: {server["port"] for server in
                                node.servers("written").values()} == ports,
                       f"{node.name} has {ports}", 10)

    def test_three_of_seven_voters_die_at_once(self):
        self.start(maxVoters=7)
        names = sorted(node.name for node in self.cluster.nodes)
        wait_until(lambda: self.voters(self.cluster.nodes[0]) == names,
                   "all seven vote", 20)
        self.write_at(self.cluster.nodes[3], 1001)
        leader = self.cluster.leader()
        others = [node for node in self.cluster.nodes if node is not leader]
        for node in [leader, *others[:2]]:
            node.kill()
        print(f"a write was acknowledged "
              f"{self.write_at(others[2], 1002):.2f} s after three of seven "
              f"voters, the leader among them, had died", flush=True)
        self.write_at(others[5], 1003)
        self.check_agreement({1001, 1002, 1003})

    def test_three_die_one_after_the_other(self):
        # Five vote; a stand-by takes the seat of each voter that is lost.
        self.start()
        ports = set()
        wait_until(lambda: len(self.voters(self.cluster.nodes[0])) == 5,
                   "five vote", 20)
        for turn in range(3):
            leader = self.cluster.leader()
            leader.kill()
            node = self.cluster.running_nodes()[0]
            seconds = self.write_at(node, 2000 + turn)
            ports.add(2000 + turn)
            alive = [x.name for x in self.cluster.running_nodes()]
            wanted = min(5, len(alive))
            wait_until(lambda: len(set(self.voters(node)) & set(alive))
                       == wanted, f"{wanted} live voters", 20)
            print(f"leader {turn + 1} died: a write was acknowledged after "
                  f"{seconds:.2f} s", flush=True)
        self.check_agreement(ports)


class GrowthTest(unittest.TestCase):
    SIZES = (1, 3, 5, 7)

    def leave(self, node, for_good):
        """The last three voters keep their seats when they are stopped, so that
        a stopped cluster can be started again: those are removed."""
        if not for_good:
            self.assertEqual(node.terminate(), 0)
            return
        first = node.cluster.nodes[0]
        answer = first.infrastructure("DELETE", f"cluster/nodes/{node.name}")
        self.assertLess(answer.status, 300, answer)
        self.assertEqual(node.wait_for_exit(20), 0)

    def test_from_one_to_seven_and_back(self):
        cluster = harness.Cluster(nodes=7, backends=0)
        cluster.expected_nodes = 1
        self.addCleanup(cluster.stop)
        nodes = cluster.nodes
        for node in nodes[1:]:
            node.overrides = {"discovery": {"nodes": cluster.seeds[:1]}}
        # Only the first may found a cluster: it has nobody to ask.
        nodes[0].overrides = {"discovery": {"nodes": []}}

        def settled(count):
            voters = min(count, 5)
            for node in nodes[:count]:
                members = node.members()
                alive = [x for x in members.values() if x["state"] == "alive"]
                voting = [x for x in alive if x["role"] == "voter"]
                if len(alive) != count or len(voting) != voters:
                    return False
            return True

        written = set()

        def check(count):
            wait_until(lambda: settled(count), f"{count} settled", 30)
            port = 3000 + len(written)
            answer = nodes[count - 1].add_server("127.0.0.9", port, "written")
            self.assertEqual(answer.status, 201, answer)
            written.add(port)
            for node in nodes[:count]:
                wait_until(lambda: {server["port"] for server in
                                    node.servers("written").values()}
                           == written, f"{node.name} has all", 10)

        try:
            running = 0
            for size in self.SIZES:
                for node in nodes[running:size]:
                    node.start()
                running = size
                for node in nodes[:size]:
                    wait_until(lambda: node.is_ready, f"{node.name} is ready")
                check(size)
            for size in reversed(self.SIZES[:-1]):
                for node in reversed(nodes[size:running]):
                    self.leave(node, for_good=size < 3)
                running = size
                check(size)
        except BaseException:
            cluster.dump(25)
            raise


if __name__ == "__main__":
    unittest.main(verbosity=2)
