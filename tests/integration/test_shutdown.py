#!/usr/bin/env python3
"""What a node does between the order to stop and its end, and that it starts
only where nobody else listens."""

import signal
import socket
import threading
import time
import unittest

import harness
import load
from harness import API_PORT, PROXY_PORT, wait_until


class ShutdownTest(harness.ClusterTest):
    backends = 1

    def slow_request(self, node, milliseconds):
        """Asks through the proxy; returns the thread and where the answer
        goes."""
        answers = []

        def ask():
            try:
                answers.append(node.proxied(f"/?delay_ms={milliseconds}", 30))
            except OSError as failure:
                answers.append(failure)
        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        time.sleep(0.3)
        return thread, answers

    def test_a_node_leaves_while_it_finishes_requests(self):
        leaver, observer = self.cluster.nodes[2], self.cluster.nodes[0]
        thread, answers = self.slow_request(leaver, 4000)
        leaver.process.send_signal(signal.SIGTERM)
        wait_until(lambda: observer.members()["node-3"]["state"] == "left",
                   "node-3 left", 3)
        self.assertTrue(leaver.running)
        thread.join(10)
        self.assertEqual(answers[0].status, 200)
        self.assertEqual(leaver.wait_for_exit(10), 0)

    def test_a_second_signal_ends_it_at_once(self):
        node = self.cluster.nodes[2]
        self.slow_request(node, 25000)
        node.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        self.assertTrue(node.running)
        begin = time.monotonic()
        node.process.send_signal(signal.SIGINT)
        self.assertEqual(node.wait_for_exit(5), 0)
        print(f"second signal to exit: {time.monotonic() - begin:.2f} s")

    def test_clients_are_refused_and_never_reset(self):
        """Each request on a connection of its own, so that many are about to
        connect when the node stops to listen."""
        for node in self.cluster.nodes:
            previous = node.incarnation
            runs = [load.Wrk(node.address, port, 3, 24, [path],
                             ["Connection: close"])
                    for port, path in ((PROXY_PORT, "/"),
                                       (API_PORT, "/health"))]
            time.sleep(0.6)
            node.terminate()
            requests = sum(run.result()[0] for run in runs)
            # wrk finds a refusal when it writes, a reset when it reads.
            refused, reset, answers = (
                sum(run.errors[kind] for run in runs)
                for kind in ("write", "read", "status"))
            print(f"{requests} requests, {refused} connections refused, "
                  f"{reset} reset")
            self.assertGreater(refused, 0)
            self.assertEqual((reset, answers), (0, 0))
            node.start()
            self.cluster.wait_for_return(node, previous)

    def test_the_proxys_port_is_not_shared(self):
        node = self.cluster.nodes[2]
        node.terminate()
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            other.bind((node.address, PROXY_PORT))
            other.listen()
            node.start()
            self.assertNotEqual(node.wait_for_exit(10), 0)
        self.assertIn(f"can't listen on {node.address}:8080",
                      node.output)


if __name__ == "__main__":
    unittest.main(verbosity=2)
