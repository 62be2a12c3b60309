#!/usr/bin/env python3
"""Three real nodes: what one is told, all know; bad input changes nothing."""

import json
import re
import time
import unittest

import harness
from harness import wait_until


class ClusterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = harness.Cluster()
        try:
            seconds = cls.cluster.start()
        except BaseException:
            cls.cluster.dump()
            cls.cluster.stop()
            raise
        print(f"three nodes formed a cluster in {seconds:.2f} s")

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()

    def setUp(self):
        self.first, self.second, self.third = self.cluster.nodes

    def added(self, node, port, **more):
        """Adds a server that is never probed into health; returns its id."""
        answer = node.add_server("127.0.0.9", port, "spare", **more)
        self.assertEqual(answer.status, 201, answer)
        return answer.data["id"]

    def cache(self, node, method, key, body=None):
        return node.infrastructure(method, f"cache/keys/{key}", body)

    def test_all_nodes_name_the_same_members_and_leader(self):
        leader = self.cluster.leader()
        for node in self.cluster.nodes:
            self.assertEqual(node.alive_members(),
                             ["node-1", "node-2", "node-3"])
            self.assertEqual(node.leader(), leader.name)

    def test_probe_endpoints(self):
        for node in self.cluster.nodes:
            for path in ("/health", "/ready", "/status"):
                self.assertEqual(node.request("GET", path).status, 200, path)
            health = node.get("health")
            # A cluster is not well before somebody gave it a server.
            self.assertEqual(health["reasons"],
                             [] if node.servers("demo")
                             else ["service 'demo' has no servers"])
            self.assertEqual(health["status"],
                             "degraded" if health["reasons"] else "healthy")
            dashboard = node.get("dashboard")
            for part in ("health", "cluster", "loadBalancer", "cache"):
                self.assertIn(part, dashboard)

    def test_proxy_takes_both_backends_in_turn(self):
        for node in self.cluster.nodes:
            names = [node.backend_behind() for _ in range(10)]
            for one, next_one in zip(names, names[1:]):
                self.assertNotEqual(one, next_one, names)

    def test_server_added_on_one_node_is_on_all_within_a_second(self):
        begin = time.monotonic()
        server = self.added(self.first, 4001, weight=3)
        for node in (self.third, self.second):
            found = wait_until(lambda: node.servers("spare").get(server),
                               f"{server} on {node.name}", 1.0)
            self.assertEqual((found["host"], found["port"], found["weight"]),
                             ("127.0.0.9", 4001, 3))
        print(f"an added server was on all nodes after "
              f"{(time.monotonic() - begin) * 1000:.0f} ms")

        again = self.second.add_server("127.0.0.9", 4001, "spare")
        self.assertEqual(again.status, 409, again)

        removed = self.third.infrastructure(
            "DELETE", f"loadbalancer/servers/{server}")
        self.assertIn(removed.status, (200, 204), removed)
        for node in self.cluster.nodes:
            wait_until(lambda: server not in node.servers(),
                       f"{server} gone from {node.name}", 1.0)

    def test_maintenance_takes_a_server_out_and_in(self):
        out = next(server["id"] for server
                   in self.first.servers("demo").values()
                   if server["host"] == self.cluster.backends[0].address)

        def set_maintenance(node, value):
            answer = node.infrastructure(
                "PUT", f"loadbalancer/servers/{out}/maintenance",
                {"maintenance": value})
            self.assertEqual(answer.status, 200, answer)

        set_maintenance(self.second, True)
        try:
            for node in self.cluster.nodes:
                wait_until(
                    lambda: node.servers()[out]["status"] == "maintenance",
                    f"{out} in maintenance on {node.name}", 1.0)
                wait_until(
                    lambda: {node.backend_behind() for _ in range(6)}
                    == {"backend-2"},
                    f"only one backend behind {node.name}", 2.0)
        finally:
            set_maintenance(self.third, False)
        for node in self.cluster.nodes:
            wait_until(
                lambda: len({node.backend_behind() for _ in range(6)}) == 2,
                f"both backends behind {node.name}", 2.0)

    def test_value_cached_on_one_node_is_read_on_all(self):
        value = {"name": "Jörg", "numbers": [1, 2.5, None, True]}
        keys = [f"shared-{i}" for i in range(20)]
        for key in keys:
            answer = self.cache(self.first, "POST", key,
                                {"value": value, "ttl": 60})
            self.assertIn(answer.status, (200, 201), answer)
        for node in self.cluster.nodes:
            for key in keys:
                self.assertEqual(self.cache(node, "GET", key).data["value"],
                                 value)

        self.assertEqual(self.cache(self.third, "DELETE", keys[0]).status, 200)
        for node in self.cluster.nodes:
            self.assertEqual(self.cache(node, "GET", keys[0]).status, 404)

    def test_cache_stats_are_the_same_on_all_nodes(self):
        for i in range(30):
            answer = self.cache(self.second, "POST", f"counted-{i}",
                                {"value": i})
            self.assertEqual(answer.status, 200, answer)
        counts = {node.get("cache/stats")["keys"]
                  for node in self.cluster.nodes}
        self.assertEqual(len(counts), 1, counts)
        self.assertGreaterEqual(counts.pop(), 30)

    def test_clear_empties_all_nodes(self):
        for i in range(30):
            answer = self.cache(self.first, "POST", f"doomed-{i}", {"value": i})
            self.assertEqual(answer.status, 200, answer)
        answer = self.second.infrastructure("DELETE", "cache/clear")
        self.assertEqual(answer.status, 200, answer)
        for node in self.cluster.nodes:
            self.assertEqual(node.get("cache/stats")["keys"], 0)
            self.assertEqual(self.cache(node, "GET", "doomed-7").status, 404)

    def test_ttl_ends_an_entry_on_all_nodes(self):
        self.cache(self.first, "POST", "brief", {"value": 1, "ttl": 1})
        begin = time.monotonic()
        self.assertEqual(self.cache(self.third, "GET", "brief").status, 200)
        for node in self.cluster.nodes:
            wait_until(lambda: self.cache(node, "GET", "brief").status == 404,
                       f"expired on {node.name}", 2.0)
        lived = time.monotonic() - begin
        self.assertGreater(lived, 0.9)
        self.assertLess(lived, 1.5)

    def test_events_tell_what_happened(self):
        server = self.added(self.first, 4002)

        def told():
            return [event for event in self.third.events()
                    if server in json.dumps(event)]

        found = wait_until(told, f"{server} in the events", 2.0)[0]
        self.assertEqual(found["type"], "loadbalancer")
        for field in ("id", "service", "message", "level", "timestamp"):
            self.assertIn(field, found)
        self.first.infrastructure("DELETE", f"loadbalancer/servers/{server}")

    def test_metrics_parse(self):
        """The text format of Prometheus, version 0.0.4."""
        sample = re.compile(
            r'^[a-zA-Z_:][a-zA-Z0-9_:]*'
            r'(\{([a-zA-Z_]\w*="(\\.|[^"\\])*",?)*\})?'
            r' (NaN|[+-]?Inf|[+-]?[0-9.]+([eE][+-]?[0-9]+)?)( \d+)?$')
        for node in self.cluster.nodes:
            answer = node.request("GET", "/metrics")
            self.assertEqual(answer.status, 200)
            self.assertTrue(
                answer.headers["Content-Type"].startswith("text/plain"))
            samples = [line for line in answer.text.splitlines()
                       if line and not line.startswith("#")]
            self.assertGreater(len(samples), 5)
            for line in samples:
                self.assertRegex(line, sample)
            self.assertTrue(all(line.startswith("troupe_")
                                for line in samples), samples)

    def test_request_id_is_kept(self):
        answer = self.first.request("GET", "/health",
                                    headers={"X-Request-Id": "mine-7"})
        self.assertEqual(answer.headers["X-Request-Id"], "mine-7")
        made = self.first.request("GET", "/health").headers["X-Request-Id"]
        self.assertTrue(made)

    def state(self):
        """What bad input must not touch, as each node sees it."""
        return [(sorted((s["id"], s["host"], s["port"], s["weight"],
                         s["status"]) for s in node.servers().values()),
                 node.get("cache/stats")["keys"])
                for node in self.cluster.nodes]

    def settled_state(self):
        """`state`, once what earlier tests changed is on all nodes."""
        wait_until(lambda: all(view == self.state()[0]
                               for view in self.state()),
                   "all nodes see the same")
        return self.state()

    def test_bad_input_is_refused_and_changes_nothing(self):
        servers = "loadbalancer/servers"
        good = {"host": "127.0.0.9", "port": 4100}
        known = self.added(self.first, 4003)
        maintenance = f"{servers}/{known}/maintenance"
        # Method, path, body, status, what the answer has to name.
        table = [
            ("POST", servers, "{", 400, []),
            ("POST", servers, "", 400, []),
            ("POST", servers, '{"host": "a", "host": "\xff"', 400, []),
            ("POST", servers, [], 400, ["object"]),
            ("POST", servers, {}, 422, ["host"]),
            ("POST", servers, {"host": "127.0.0.9"}, 422, ["port"]),
            ("POST", servers, {**good, "host": 5}, 422, ["host", "string"]),
            ("POST", servers, {**good, "host": ""}, 422, ["host"]),
            ("POST", servers, {**good, "port": "80"}, 422, ["port"]),
            ("POST", servers, {**good, "port": 70000}, 422,
             ["port", "65535"]),
            ("POST", servers, {**good, "port": 0}, 422, ["port", "1"]),
            ("POST", servers, {**good, "port": 80.5}, 422, ["port"]),
            ("POST", servers, {**good, "weight": -1}, 422, ["weight", "0"]),
            ("POST", servers, {**good, "weight": 1001}, 422,
             ["weight", "1000"]),
            ("POST", servers, {**good, "wieght": 1}, 422, ["wieght"]),
            ("PUT", maintenance, {}, 422, ["maintenance"]),
            ("PUT", maintenance, {"maintenance": "yes"}, 422,
             ["maintenance", "true or false"]),
            ("PUT", f"{servers}/server-999/maintenance",
             {"maintenance": True}, 404, ["server-999"]),
            ("DELETE", f"{servers}/server-999", None, 404, ["server-999"]),
            ("DELETE", f"{servers}/%00", None, 404, []),
            ("POST", "cache/keys/k", {}, 422, ["value"]),
            ("POST", "cache/keys/k", {"value": 1, "ttl": -5}, 422, ["ttl"]),
            ("POST", "cache/keys/k", {"value": 1, "ttl": "1"}, 422, ["ttl"]),
            ("POST", "cache/keys/k", {"value": 1, "tll": 1}, 422, ["tll"]),
            ("GET", "cache/keys/absent", None, 404, ["absent"]),
            ("GET", "nonsense", None, 404, ["nonsense"]),
            ("PATCH", servers, good, 405, ["POST"]),
            ("POST", "cache/clear", {}, 405, ["DELETE"]),
        ]
        before = self.settled_state()
        for number, (method, path, body, status, names) in enumerate(table):
            node = self.cluster.nodes[number % 3]
            with self.subTest(method=method, path=path, body=body):
                answer = node.infrastructure(
                    method, path,
                    body.encode("latin-1") if isinstance(body, str) else body)
                self.assertEqual(answer.status, status, answer)
                problem = answer.json
                self.assertIs(problem["success"], False)
                self.assertEqual(problem["error"]["status"], status)
                text = json.dumps(problem["error"])
                for name in names:
                    self.assertIn(name, text)
                if status == 405:
                    self.assertIn("Allow", answer.headers)
        self.assertEqual(self.state(), before)
        self.first.infrastructure("DELETE", f"{servers}/{known}")

    def test_too_much_input_is_refused_and_changes_nothing(self):
        before = self.settled_state()
        big = "x" * (10 << 20)
        # A key stands in the request line, for which HTTP has a status of its
        # own (RFC 9110 §15.5.15).
        for method, path, body, status in [
                ("POST", f"cache/keys/{big}", {"value": 1}, 414),
                ("POST", "cache/keys/k", {"value": big * 2}, 413),
                ("POST", "loadbalancer/servers",
                 {"host": big * 2, "port": 80}, 413)]:
            with self.subTest(path=path[:40]):
                try:
                    answer = self.second.infrastructure(method, path, body)
                except (BrokenPipeError, ConnectionResetError):
                    # It answered and closed while we were still sending.
                    continue
                self.assertEqual(answer.status, status, answer)
                self.assertRegex(answer.json["error"]["detail"], r"\d+")
        self.assertEqual(self.state(), before)
        self.assertEqual(self.second.request("GET", "/health").status, 200)

    def test_without_a_route_the_proxy_says_why(self):
        # `spare` is no route; the default service stands for all paths here,
        # so only a malformed request is left to refuse.
        answer = harness.request(self.first.address, harness.PROXY_PORT, "GET",
                                 "/", headers={"Content-Length": "x"})
        self.assertEqual(answer.status, 400, answer)


if __name__ == "__main__":
    unittest.main(verbosity=2)
