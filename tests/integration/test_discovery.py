#!/usr/bin/env python3
"""Nodes that are told of no peers and find each other all the same."""

import os
import pathlib
import subprocess
import time
import unittest

import harness
from harness import wait_until
from name_server import NameServer

REDIS_PORT, NAME_SERVER_PORT = 6379, 5300
PASSWORD = "correct horse"


class Redis(harness.Process):
    """A redis-server that keeps nothing on disk."""

    def __init__(self, cluster):
        super().__init__("redis", cluster.folder)
        self.address = cluster.address(200)

    def start(self):
        with open(self.output_file, "ab") as output:
            self.process = subprocess.Popen(
                ["redis-server", "--bind", self.address, "--port",
                 str(REDIS_PORT), "--save", "", "--appendonly", "no",
                 "--requirepass", PASSWORD],
                cwd=self.output_file.parent, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT)
        harness.remember(self.process)
        wait_until(lambda: self.ask("PING") == "PONG", "redis answers")

    def ask(self, *words):
        return subprocess.run(
            ["redis-cli", "-h", self.address, "-p", str(REDIS_PORT),
             "--no-auth-warning", "-a", PASSWORD, *words],
            capture_output=True, text=True, timeout=5).stdout.strip()

    def registered(self):
        return sorted(self.ask("KEYS", "troupe:test:node:*").split())


class DiscoveryTest(unittest.TestCase):
    def setUp(self):
        self.cluster = harness.Cluster(backends=0)
        self.cluster.seeds = []
        self.addCleanup(self.cluster.stop)
        self.addCleanup(self.dump_if_failed)

    def dump_if_failed(self):
        outcome = self._outcome
        failures = getattr(outcome, "errors", None) or outcome.result.failures
        if any(failure for _, failure in failures):
            self.cluster.dump()

    def start(self, **discovery):
        for node in self.cluster.nodes:
            node.overrides = {"discovery": discovery}
            node.start()

    def add_node(self, **discovery):
        node = harness.Node(self.cluster, len(self.cluster.nodes) + 1,
                            {"discovery": discovery})
        self.cluster.nodes.append(node)
        node.start()
        return node

    def assert_apart(self, seconds):
        """For some seconds, nobody has met anybody."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for node in self.cluster.nodes:
                self.assertTrue(node.running, node.log[-2000:])
                self.assertNotIn("session with", node.log)
            time.sleep(0.2)

    def join_seconds(self, begin):
        self.cluster.wait_until_whole()
        return time.monotonic() - begin

    def lines(self, nodes=None):
        return [address + "\n" for address in
                (f"{node.address}:{harness.CLUSTER_PORT}"
                 for node in nodes or self.cluster.nodes)]

    def test_a_file_that_comes_later(self):
        file = self.cluster.folder / "peers"
        where = {"file": {"path": str(file), "interval": 200}}
        self.start(**where)
        for node in self.cluster.nodes:
            wait_until(lambda: f"{file}: No such file" in node.log,
                       f"{node.name} misses the file")
        self.assert_apart(1.5)
        for node in self.cluster.nodes:
            self.assertEqual(node.output.count("No such file"), 1, node.output)

        begin = time.monotonic()
        next_file = pathlib.Path(str(file) + ".next")
        next_file.write_text("# the three\n\nnonsense\n"
                             + "".join(self.lines()))
        os.rename(next_file, file)
        print(f"file written to cluster formed: {self.join_seconds(begin):.2f} "
              "s")
        for node in self.cluster.nodes:
            self.assertEqual(node.output.count(
                f'{file}:3: is "nonsense", must be host:port'), 1, node.output)

        # A node that nobody else's file names is found by its own.
        late = self.add_node(**where)
        self.cluster.wait_until_whole()
        self.assertEqual(len(late.members()), 4)

    def test_redis_that_dies_and_comes_back(self):
        redis = Redis(self.cluster)
        where = {"redis": {"host": redis.address, "port": REDIS_PORT,
                           "password": PASSWORD, "interval": 500, "ttl": 2}}
        redis.start()
        begin = time.monotonic()
        self.start(**where)
        print(f"started to cluster formed by Redis: "
              f"{self.join_seconds(begin):.2f} s")
        wait_until(lambda: len(redis.registered()) == 3, "three registered")
        self.assertTrue(0 < int(redis.ask("PTTL", redis.registered()[0]))
                        <= 2000)

        redis.kill()
        for node in self.cluster.nodes:
            wait_until(lambda: "redis_peers: Redis at" in node.log,
                       f"{node.name} misses Redis")
        self.assertEqual(self.cluster.nodes[0]
                         .add_server("127.0.0.9", 4000).status, 201)
        # Long enough for several retries.
        late = self.add_node(**where)
        until = time.monotonic() + 4
        while time.monotonic() < until:
            for node in self.cluster.nodes[:3]:
                self.assertEqual(node.alive_members(),
                                 ["node-1", "node-2", "node-3"])
            time.sleep(0.2)
        self.assertFalse(late.is_ready)

        redis.start()
        # Not a node's address, and not even a text.
        redis.ask("SET", "troupe:test:node:bad", "nowhere")
        redis.ask("RPUSH", "troupe:test:node:list", "10.0.0.1:3007")
        begin = time.monotonic()
        print(f"Redis back to fourth node joined: "
              f"{self.join_seconds(begin):.2f} s")
        wait_until(lambda: "key troupe:test:node:bad in Redis is no node's "
                   "address" in late.log, "the bad key is complained of")
        self.assertNotIn(PASSWORD, "".join(n.log for n in self.cluster.nodes))

        wait_until(lambda: len(redis.registered()) == 6, "four registered")
        self.assertEqual(late.terminate(), 0, late.output[-2000:])
        self.assertEqual(len(redis.registered()), 5)
        self.cluster.nodes[0].kill()
        wait_until(lambda: len(redis.registered()) == 4,
                   "a killed node's registration is gone", 4)

    def test_redis_that_refuses(self):
        redis = Redis(self.cluster)
        redis.start()
        node = self.cluster.nodes[0]
        node.overrides = {"discovery": {"redis": {
            "host": redis.address, "port": REDIS_PORT, "interval": 200}}}
        node.start()
        wait_until(lambda: "discovery.redis.password" in node.log,
                   "the node says what to do")
        time.sleep(2)
        self.assertEqual(node.output.count("NOAUTH"), 1, node.output)
        self.assertTrue(node.running)

    def test_srv_records_of_a_name_server_that_is_silent_at_first(self):
        name = "_troupe._tcp.cluster.test"
        server = NameServer(self.cluster.address(201), NAME_SERVER_PORT)
        self.addCleanup(server.stop)
        server.silent = True
        for node in self.cluster.nodes:
            server.hosts[f"{node.name}.cluster.test"] = [node.address]
        server.srv[name] = [(10, 1, harness.CLUSTER_PORT, host)
                            for host in server.hosts]
        # One that does not exist spoils nothing.
        server.srv[name].append((1, 1, 3007, "nobody.cluster.test"))
        where = {"srv": {"name": name, "interval": 300,
                         "server": f"{server.address}:{server.port}"}}
        self.start(**where)
        for node in self.cluster.nodes:
            wait_until(lambda: f"srv_peers: {name} at" in node.log,
                       f"{node.name} misses the name server")
        self.assert_apart(1)

        server.garbage, server.silent = b"\x81\x80\0\1\0\7\0\0\0\0\xc0\x0c", False
        queries = server.queries
        wait_until(lambda: server.queries > queries + 9, "garbage for all", 20)
        self.assert_apart(0.5)

        begin = time.monotonic()
        server.garbage = None
        print(f"name server answers to cluster formed: "
              f"{self.join_seconds(begin):.2f} s")
        said = f"{name} names nobody.cluster.test, which has no address"
        for node in self.cluster.nodes:
            # The others may have found it before it asked again.
            wait_until(lambda: said in node.output, f"{node.name}: {said}")
            self.assertEqual(node.output.count(said), 1, node.output)

        # A source that waits for an answer does not hold up the end for long.
        server.silent = True
        time.sleep(1)
        leaver = self.cluster.nodes[2]
        begin = time.monotonic()
        self.assertEqual(leaver.terminate(), 0, leaver.output[-2000:])
        print(f"SIGTERM to exit while the name server is silent: "
              f"{time.monotonic() - begin:.2f} s")


if __name__ == "__main__":
    unittest.main(verbosity=2)
