#!/usr/bin/env python3
"""A cluster whose quorum is lost for good goes on from the node that is left."""

import json
import shutil
import signal
import subprocess
import unittest

import harness
from harness import wait_until

SERVERS = set(range(5001, 5011))


class RecoverTest(harness.ClusterTest):
    def recover(self, node, *arguments):
        file = self.cluster.folder / f"{node.name}.json"
        return subprocess.run(
            [harness.TROUPE, "recover", "--config", str(file), *arguments],
            capture_output=True, text=True, timeout=30)

    @staticmethod
    def uuid(node):
        return json.loads((node.data / "identity.json").read_text())[
            "clusterUuid"]

    def ports(self, node):
        return {server["port"] for server in node.servers("written").values()}

    def test_one_node_of_three_is_left(self):
        survivor, lost, stray = self.cluster.nodes
        for port in SERVERS:
            answer = survivor.add_server("127.0.0.9", port, "written")
            self.assertEqual(answer.status, 201, answer)
        # More than a leader sends at once: whoever joins later passes through
        # states of before the recovery.
        for i in range(600):
            answer = survivor.infrastructure("PUT", "catalog/keys/often",
                                             {"value": i})
            self.assertLess(answer.status, 300, answer)
        answer = survivor.infrastructure("PUT", "catalog/keys/kept",
                                         {"value": "here"})
        self.assertLess(answer.status, 300, answer)
        wait_until(lambda: self.ports(survivor) == SERVERS, "it has all")
        old_uuid = self.uuid(survivor)

        for node in (lost, stray):
            node.kill()
        shutil.rmtree(lost.data)
        answer = survivor.add_server("127.0.0.9", 6000, "written")
        self.assertEqual(answer.status, 503, answer)

        refused = self.recover(survivor)
        self.assertEqual(refused.returncode, 1, refused)
        self.assertIn("raft", refused.stderr)
        self.assertIn("lock", refused.stderr.lower())

        survivor.process.send_signal(signal.SIGKILL)
        survivor.wait_for_exit(10)
        report = self.recover(survivor)
        print(report.stdout)
        self.assertEqual(report.returncode, 0, report)
        for text in ("node-1", "node-2", "node-3", "Nothing was changed",
                     "WARNING", "servers, 2 keys"):
            self.assertIn(text, report.stdout)

        done = self.recover(survivor, "--yes")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("Done", done.stdout)
        survivor.start()
        wait_until(lambda: survivor.is_ready, "the survivor is ready", 10)
        self.assertLessEqual(SERVERS, self.ports(survivor))
        self.assertEqual(survivor.get("catalog/keys/kept")["value"], "here")
        self.assertEqual(set(survivor.members()), {"node-1"})
        self.assertNotEqual(self.uuid(survivor), old_uuid)
        self.assertTrue(any("recovered from node-1 alone" in event["message"]
                            for event in survivor.events()))
        answer = survivor.add_server("127.0.0.9", 6001, "written")
        self.assertEqual(answer.status, 201, answer)

        # What is left of the old cluster stays out, and both sides say why.
        stray.start()
        for node in (survivor, stray):
            wait_until(lambda: "cluster uuid differs" in node.log,
                       f"{node.name} says why", 10)
        self.assertEqual(set(survivor.members()), {"node-1"})
        stray.kill()
        shutil.rmtree(stray.data)
        for node in (lost, stray):
            node.start()
        self.cluster.wait_until_whole()
        wait_until(lambda: all(
            member["role"] == "voter"
            for member in survivor.members().values()), "three vote", 10)
        for node in self.cluster.nodes:
            wait_until(lambda: 6001 in self.ports(node)
                       and SERVERS <= self.ports(node), f"{node.name} has all")

        # Each goes on in the recovered cluster after its next restart.
        for node in self.cluster.nodes:
            self.assertEqual(self.uuid(node), self.uuid(survivor))
            node.process.send_signal(signal.SIGKILL)
            node.wait_for_exit(10)
            node.start()
            self.cluster.wait_until_whole()
        answer = survivor.add_server("127.0.0.9", 6002, "written")
        self.assertEqual(answer.status, 201, answer)

    def test_a_wrong_directory_is_refused(self):
        node = self.cluster.nodes[0]
        result = self.recover(node, "--data", str(self.cluster.folder / "no"),
                              "--yes")
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("holds no node's log", result.stderr)
        node.kill()
        result = self.recover(node, "--set", "cluster.name=other", "--yes")
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("belongs to cluster 'test'", result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
