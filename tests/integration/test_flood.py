#!/usr/bin/env python3
"""Floods of the proxy's port: the node lives, and goes on writing."""

import contextlib
import resource
import socket
import unittest

import harness
from harness import wait_until

# Of the node; less than its settings ask for.
DESCRIPTORS = 1024
FLOOD = 3000


class FloodTest(harness.ClusterTest):
    nodes = 1

    def prepare(self):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
        self.node = self.cluster.nodes[0]
        self.node.wrapper = (
            "bash", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "bash")

    def write(self, number):
        # The log begins another file every 4 MB.
        answer = self.node.infrastructure(
            "PUT", f"catalog/keys/k-{number % 8}", {"value": "x" * 60_000})
        self.assertEqual(answer.status, 200, answer)

    def flood(self, stack):
        """Clients that connect, say nothing and stay."""
        for _ in range(FLOOD):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex((self.node.address, harness.PROXY_PORT))

    def figure(self, name):
        """The sum of a metric."""
        lines = self.node.request("GET", "/metrics").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines
                   if line.startswith(name))

    def test_a_flood_of_clients_ends_no_node(self):
        with contextlib.ExitStack() as stack:
            self.flood(stack)
            for number in range(150):
                self.write(number)
            self.assertTrue(self.node.running, self.node.output[-2000:])
            wait_until(
                lambda: (self.figure("troupe_proxy_own_answers_total")
                         > FLOOD / 2),
                "refused clients in the metrics")
            self.assertLess(self.figure("troupe_proxy_connections"),
                            DESCRIPTORS)
            self.assertTrue(self.node.is_ready)
        # The next clients are served again: there is no server to be had.
        wait_until(lambda: self.node.proxied().status == 503
                   and b"has no servers" in self.node.proxied().body,
                   "clients are served after the flood")
        self.assertIn("proxy: answered", self.node.log)
        self.assertTrue(self.node.running)


if __name__ == "__main__":
    unittest.main()
