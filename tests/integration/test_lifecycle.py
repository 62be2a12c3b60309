#!/usr/bin/env python3
"""Nodes that come, go, and must not come."""

import re
import socket
import time
import unittest

import harness
from harness import wait_until


class LifecycleTest(unittest.TestCase):
    def setUp(self):
        self.cluster = harness.Cluster(backends=0)
        self.addCleanup(self.cluster.stop)

    def start(self):
        try:
            self.cluster.start()
        except BaseException:
            self.cluster.dump()
            raise

    def test_sigterm_leaves_and_a_restart_comes_back(self):
        self.start()
        server = self.cluster.nodes[0].add_server("127.0.0.9", 4000).data["id"]
        leaver = self.cluster.leader()
        others = [n for n in self.cluster.nodes if n is not leaver]
        begin = time.monotonic()
        self.assertEqual(leaver.terminate(), 0, leaver.output[-2000:])
        print(f"SIGTERM to exit: {time.monotonic() - begin:.2f} s")
        for node in others:
            wait_until(
                lambda: node.members()[leaver.name]["state"] == "left",
                f"{leaver.name} left on {node.name}", 2.0)
        self.assertEqual(others[0].add_server("127.0.0.9", 4001).status, 201)

        leaver.start()
        self.cluster.wait_until_whole()
        wait_until(lambda: server in leaver.servers()
                   and len(leaver.servers()) == 2,
                   "caught up after the restart")

    def test_all_stopped_and_started_again_know_what_they_knew(self):
        self.start()
        server = self.cluster.nodes[2].add_server("127.0.0.9", 4000).data["id"]
        for node in reversed(self.cluster.nodes):
            self.assertEqual(node.terminate(), 0, node.output[-2000:])
        for node in self.cluster.nodes:
            node.start()
        self.cluster.wait_until_whole()
        for node in self.cluster.nodes:
            self.assertIn(server, node.servers())

    def test_all_killed_at_once_know_what_they_knew(self):
        self.start()
        server = self.cluster.nodes[2].add_server("127.0.0.9", 4000).data["id"]
        for node in self.cluster.nodes:
            node.kill()
        for node in self.cluster.nodes:
            node.start()
        self.cluster.wait_until_whole()
        for node in self.cluster.nodes:
            self.assertIn(server, node.servers())

    def test_a_node_that_was_away_for_long_gets_the_snapshot(self):
        self.start()
        leader = self.cluster.leader()
        away = next(n for n in self.cluster.nodes if n is not leader)
        term = leader.get("cluster")["term"]
        away.kill()

        def put(key, size):
            return leader.infrastructure("PUT", f"catalog/keys/{key}",
                                         {"value": "x" * size})

        # As much as the catalog takes, and more than the log keeps.
        count = 64 * 1024 * 1024 // 65000
        keys = {f"key-{i}" for i in range(count)}
        for key in keys:
            answer = put(key, 65000 - 2 - len(key))
            self.assertLess(answer.status, 300, answer)
        answer = put("one-more", 65000)
        self.assertEqual(answer.status, 413, answer)
        self.assertIn("67108864 bytes together", answer.json["error"]["detail"])

        slowest = 0.0

        def has_all_keys():
            nonlocal slowest
            begin = time.monotonic()
            answer = put("key-0", 10)
            self.assertLess(answer.status, 300, answer)
            slowest = max(slowest, time.monotonic() - begin)
            found = [away.get(f"catalog/keys?prefix=key-{digit}&limit=1000")
                     for digit in range(10)]
            return {entry["key"] for part in found
                    for entry in part["keys"]} == keys

        begin = time.monotonic()
        away.start()
        wait_until(has_all_keys, "it has all keys", 30)
        print(f"64 MiB came back {time.monotonic() - begin:.2f} s after the "
              f"start; the slowest write meanwhile took "
              f"{slowest * 1000:.0f} ms", flush=True)
        restored = [int(index) for index in
                    re.findall(r"from the snapshot at index (\d+)", away.log)]
        self.assertGreater(max(restored, default=0), 100)
        # Nobody was kept from hearing the leader meanwhile.
        self.assertEqual(leader.get("cluster")["term"], term)
        doubted = [event["message"] for event in leader.events()
                   if " is suspect" in event["message"]
                   and not event["message"].startswith(away.name)]
        self.assertEqual(doubted, [])

    @staticmethod
    def newest_log(node):
        return max((node.data / "raft").glob("*.log"),
                   key=lambda file: file.stat().st_size)

    def test_a_damaged_log_is_told_and_left_alone(self):
        self.start()
        node = self.cluster.nodes[1]
        node.kill()
        log = self.newest_log(node)
        # A record that was being written, and never acknowledged, is cut off.
        log.write_bytes(log.read_bytes() + bytes([7, 7, 7, 7, 90, 0, 1, 65]))
        node.start()
        self.cluster.wait_until_whole()
        for port in (4000, 4001, 4002):
            server = node.add_server("127.0.0.9", port).data["id"]
        node.kill()
        log = self.newest_log(node)
        intact = log.read_bytes()
        log.write_bytes(intact[:50] + bytes([intact[50] ^ 1]) + intact[51:])
        node.start()
        self.assertEqual(node.wait_for_exit(10), 1)
        self.assertRegex(node.output[-2000:],
                         f"{log} is damaged at offset [0-9]+")
        log.write_bytes(intact)
        node.start()
        self.cluster.wait_until_whole()
        self.assertIn(server, node.servers())

    def test_a_log_of_another_node_ends_the_node_at_once(self):
        self.start()
        node = self.cluster.nodes[1]
        node.kill()
        identity = node.data / "identity.json"
        kept = identity.read_bytes()
        identity.unlink()
        begin = time.monotonic()
        node.start()
        self.assertEqual(node.wait_for_exit(10), 1)
        print(f"ended after {time.monotonic() - begin:.2f} s", flush=True)
        self.assertRegex(node.output[-2000:],
                         "belongs to node_id '[0-9a-f]{16}', not to")
        self.assertNotIn("restart in", node.output)
        identity.write_bytes(kept)
        node.start()
        self.cluster.wait_until_whole()

    def test_a_node_without_cluster_is_one_of_its_own(self):
        alone = harness.Node(self.cluster, 5, {
            "cluster": {"enabled": False, "expectedNodes": 1}})
        self.cluster.nodes.append(alone)
        alone.start()
        wait_until(lambda: alone.is_ready, "the lone node is ready")
        self.assertEqual(alone.add_server("127.0.0.9", 4000).status, 201)
        self.assertEqual(list(alone.members()), ["node-5"])
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection((alone.address, harness.CLUSTER_PORT), 2)

    def test_another_clusters_node_is_refused_by_both_sides(self):
        self.start()
        stranger = harness.Node(self.cluster, 4,
                                {"cluster": {"name": "elsewhere"}})
        self.cluster.nodes.append(stranger)
        stranger.start()
        wait_until(lambda: "elsewhere" in stranger.log
                   and '"test"' in stranger.log.replace("'", '"'),
                   "the stranger's log names both clusters")
        wait_until(lambda: any("elsewhere" in node.log
                               for node in self.cluster.nodes[:3]),
                   "a member's log names the stranger's cluster")
        self.assertNotIn("node-4", self.cluster.nodes[0].members())

    def test_data_of_another_cluster_is_refused_at_start(self):
        self.start()
        node = self.cluster.nodes[1]
        node.kill()
        node.overrides = {"cluster": {"name": "elsewhere"}}
        node.start()
        self.assertNotEqual(node.wait_for_exit(10), 0)
        last = node.output[-2000:]
        self.assertIn("elsewhere", last)
        self.assertIn("test", last)
        # It was not harmed: under its own name it comes back.
        node.overrides = {}
        node.start()
        self.cluster.wait_until_whole()


if __name__ == "__main__":
    unittest.main(verbosity=2)
