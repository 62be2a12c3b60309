#!/usr/bin/env python3
"""Keys of the catalog, linearizable reads, and the removal of nodes."""

import json
import pathlib
import shutil
import signal
import time
import unittest

import harness
from harness import wait_until


class CatalogKeysTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = harness.Cluster(backends=0)
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()
        cls.first, cls.second, cls.third = cls.cluster.nodes

    def keys(self, node, method, key, body=None):
        return node.infrastructure(method, f"catalog/keys/{key}", body)

    def test_a_key_is_set_and_read_with_its_version(self):
        value = {"owner": "Jörg", "since": [1, 2.5, None]}
        put = self.keys(self.first, "PUT", "lock", {"value": value})
        self.assertEqual(put.status, 200, put)
        for node in self.cluster.nodes:
            got = self.keys(node, "GET", "lock?consistent=true")
            self.assertEqual(got.data["value"], value)
            self.assertEqual(got.data["version"], put.data["version"])
        self.assertEqual(self.keys(self.third, "DELETE", "lock").status, 200)
        gone = self.keys(self.second, "GET", "lock?consistent=true")
        self.assertEqual(gone.status, 404, gone)

    def test_of_two_who_want_a_key_one_gets_it(self):
        taken = [self.keys(node, "PUT", "leader",
                           {"value": node.name, "version": 0}).status
                 for node in self.cluster.nodes]
        self.assertEqual(sorted(taken), [200, 409, 409])
        current = self.keys(self.second, "GET", "leader?consistent=true").data
        self.assertEqual(current["value"], "node-1")
        stale = self.keys(self.third, "PUT", "leader",
                          {"value": "x", "version": current["version"] - 1})
        self.assertEqual(stale.status, 409, stale)
        self.assertIn(str(current["version"]), stale.json["error"]["detail"])
        stale = self.keys(self.third, "DELETE",
                          f"leader?version={current['version'] - 1}")
        self.assertEqual(stale.status, 409, stale)

    def test_a_list_takes_each_item_once(self):
        for node in self.cluster.nodes:
            for item in ("a", "b"):
                answer = self.keys(node, "POST", "names/append",
                                   {"value": item})
                self.assertEqual(answer.status, 200, answer)
        got = self.keys(self.third, "GET", "names?consistent=true").data
        self.assertEqual(got["value"], ["a", "b"])

    def test_a_consistent_read_sees_what_was_acknowledged_anywhere(self):
        for number in range(30):
            writer = self.cluster.nodes[number % 3]
            reader = self.cluster.nodes[(number + 1) % 3]
            self.keys(writer, "PUT", "counter", {"value": number})
            got = self.keys(reader, "GET", "counter?consistent=true").data
            self.assertEqual(got["value"], number)

    def test_keys_are_listed(self):
        for key in ("app%2F1", "app%2F2", "other"):
            self.keys(self.first, "PUT", key, {"value": 1})
        listed = self.first.get("catalog/keys?prefix=app/&consistent=true")
        self.assertEqual([entry["key"] for entry in listed["keys"]],
                         ["app/1", "app/2"])
        self.assertFalse(listed["truncated"])

    def test_bad_input_names_what_is_wrong(self):
        table = [
            ("PUT", "k", "{", 400, ""),
            ("PUT", "k", {}, 422, "value"),
            ("PUT", "k", {"value": 1, "version": -1}, 422, "version"),
            ("PUT", "k", {"value": 1, "verison": 1}, 422, "verison"),
            ("PUT", "k" * 600, {"value": 1}, 413, "512"),
            ("PUT", "k", {"value": "v" * 70000}, 413, "65536"),
            ("POST", "k/append", {}, 422, "value"),
            ("DELETE", "k?version=x", None, 422, "version"),
            ("DELETE", "k?force=1", None, 400, "force"),
            ("GET", "k?consistent=maybe", None, 422, "consistent"),
            ("GET", "absent", None, 404, "absent"),
        ]
        for method, path, body, status, name in table:
            with self.subTest(method=method, path=path[:40], body=body):
                answer = self.keys(self.second, method, path, body)
                self.assertEqual(answer.status, status, answer)
                self.assertIn(name, json.dumps(answer.json["error"]))
        self.assertEqual(self.keys(self.second, "GET", "k").status, 404)


class RemovalTest(unittest.TestCase):
    def setUp(self):
        self.cluster = harness.Cluster(backends=0)
        self.addCleanup(self.cluster.stop)
        self.cluster.start()

    def test_a_removed_node_ends_and_is_refused(self):
        leader = self.cluster.leader()
        for removed in [node for node in self.cluster.nodes
                        if node is not leader][:1] + [leader]:
            asked = next(node for node in self.cluster.running_nodes()
                         if node is not removed)
            answer = asked.infrastructure("DELETE",
                                          f"cluster/nodes/{removed.name}")
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(removed.wait_for_exit(20), 0,
                             removed.output[-2000:])
            wait_until(lambda: asked.members()[removed.name]["role"] == "none",
                       f"{removed.name} has no seat")
            self.assertIn("removed", removed.log)
            wait_until(lambda: asked.infrastructure(
                "PUT", "catalog/keys/k", {"value": 1}).status == 200,
                "the rest writes")
        last = self.cluster.running_nodes()[0]
        answer = last.infrastructure("DELETE", f"cluster/nodes/{last.name}")
        self.assertEqual(answer.status, 409, answer)
        answer = last.infrastructure("DELETE", "cluster/nodes/nobody")
        self.assertEqual(answer.status, 404, answer)

    def test_a_node_that_lost_its_disk_takes_its_own_place(self):
        self.cluster.nodes[0].infrastructure("PUT", "catalog/keys/k",
                                             {"value": "kept"})
        for node in self.cluster.nodes:
            node.kill()
            shutil.rmtree(node.data)
            node.start()
            self.cluster.wait_until_whole()

            def settled():
                members = self.cluster.nodes[0].get("cluster")["members"]
                voters = [m for m in members if m["role"] == "voter"]
                return len(voters) == 3 and all(m["state"] == "alive"
                                                for m in voters)
            wait_until(settled, f"three live voters after {node.name}")
        got = self.cluster.nodes[2].get("catalog/keys/k?consistent=true")
        self.assertEqual(got["value"], "kept")

    def test_a_node_that_lost_only_its_log_is_refused(self):
        node = self.cluster.nodes[1]
        node.kill()
        shutil.rmtree(pathlib.Path(node.data) / "raft")
        node.start()
        self.assertNotEqual(node.wait_for_exit(20), 0)
        self.assertIn("is gone", node.log)

    def test_a_stopped_process_is_down_and_writes_nothing_when_it_goes_on(self):
        leader = self.cluster.leader()
        others = [n for n in self.cluster.nodes if n is not leader]
        leader.process.send_signal(signal.SIGSTOP)
        begin = time.monotonic()
        wait_until(lambda: others[0].infrastructure(
            "PUT", "catalog/keys/k", {"value": "new"}).status == 200,
            "a write without the old leader")
        print(f"SIGSTOP of the leader: a write after "
              f"{(time.monotonic() - begin) * 1000:.0f} ms")
        wait_until(lambda: others[0].members()[leader.name]["state"] == "down",
                   "the stopped node is down", 10)
        print(f"  it was down after "
              f"{(time.monotonic() - begin) * 1000:.0f} ms: "
              f"{others[0].members()[leader.name]['reason']}")
        leader.process.send_signal(signal.SIGCONT)
        self.cluster.wait_until_whole()
        got = leader.get("catalog/keys/k?consistent=true")
        self.assertEqual(got["value"], "new")
        states = {m["name"]: m["state"]
                  for m in others[0].get("cluster")["members"]}
        self.assertEqual(set(states.values()), {"alive"}, states)


if __name__ == "__main__":
    unittest.main(verbosity=2)
