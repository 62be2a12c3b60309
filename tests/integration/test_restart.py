#!/usr/bin/env python3
"""Rolling restarts of all nodes under load: in place, where nobody may notice,
and by stopping and starting, where a client that is refused asks another node.
"""

import http.client
import itertools
import signal
import time
import unittest

import harness
import load
from harness import API_PORT, PROXY_PORT, wait_until

KEYS = [f"kept-{i}" for i in range(30)]
API_PATHS = (["/api/infrastructure/loadbalancer/stats",
              "/api/infrastructure/cluster"]
             + [f"/api/infrastructure/cache/keys/{key}" for key in KEYS])


class FailoverClient(load.Client):
    """One request after the other, on a connection that is kept as long as the
    server allows it. Asks the next node only when one refuses to connect."""

    def __init__(self, hosts, port, paths):
        super().__init__()
        self._hosts = itertools.cycle(hosts)
        self._host = next(self._hosts)
        self._port = port
        self._paths = itertools.cycle(paths)
        self._connection = None
        self.requests = self.refused = 0
        self.slowest = 0.0
        self.failures = []

    def _connect(self):
        for _ in range(3):
            connection = http.client.HTTPConnection(self._host, self._port,
                                                    timeout=10)
            try:
                connection.connect()
                return connection
            except ConnectionRefusedError:
                self.refused += 1
                self._host = next(self._hosts)
        raise ConnectionRefusedError("by all nodes")

    def _ask(self, path):
        if self._connection is None or self._connection.sock is None:
            self._connection = self._connect()
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise ValueError(f"{answer.status}: {body.decode()}")

    def _close(self):
        if self._connection is not None:
            self._connection.close()

    def _run(self):
        while not self._stopping.is_set():
            path = next(self._paths)
            begin = time.monotonic()
            try:
                self._ask(path)
            except (OSError, ValueError, http.client.HTTPException) as failure:
                self.failures.append(f"{path}: {failure!r}")
                self._close()
            self.requests += 1
            self.slowest = max(self.slowest, time.monotonic() - begin)
        self._close()


class RollingRestartTest(harness.ClusterTest):
    backends = 2

    def setUp(self):
        super().setUp()
        for key in KEYS:
            answer = self.cluster.nodes[0].infrastructure(
                "POST", f"cache/keys/{key}", {"value": key})
            self.assertLess(answer.status, 300, answer)

    def check_cache(self):
        for node in self.cluster.nodes:
            for key in KEYS:
                self.assertEqual(node.get(f"cache/keys/{key}")["value"], key)

    def test_in_place_nobody_notices(self):
        with load.unnoticed(self, self.cluster.nodes,
                            {PROXY_PORT: ["/"], API_PORT: API_PATHS}):
            for node in self.cluster.nodes:
                begin = time.monotonic()
                self.cluster.restart_in_place(node)
                print(f"{node.name} was back after "
                      f"{time.monotonic() - begin:.2f} s", flush=True)
        self.check_cache()

    def test_what_would_not_start_is_not_begun(self):
        node = self.cluster.nodes[0]
        previous = node.incarnation
        file = self.cluster.folder / f"{node.name}.json"
        right = file.read_text()
        file.write_text(right.replace('"proxy"', '"proxi"'))
        node.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: "goes on as it is" in node.output,
                   "the restart was refused", 10)
        self.assertIn("proxi", node.output)
        self.assertEqual(node.backend_behind()[:7], "backend")
        self.assertEqual(node.incarnation, previous)
        file.write_text(right)
        node.process.send_signal(signal.SIGUSR2)
        self.cluster.wait_for_return(node, previous)

    def test_stopped_and_started_the_others_answer(self):
        hosts = [node.address for node in self.cluster.nodes]
        clients = [FailoverClient(hosts[i:] + hosts[:i], port, paths).start()
                   for i in range(3)
                   for port, paths in ((PROXY_PORT, ["/"]),
                                       (API_PORT, API_PATHS))]
        for node in self.cluster.nodes:
            previous = node.incarnation
            begin = time.monotonic()
            self.assertEqual(node.terminate(), 0)
            stopped = time.monotonic()
            node.start()
            self.cluster.wait_for_return(node, previous)
            print(f"{node.name} stopped in {stopped - begin:.2f} s, was back "
                  f"{time.monotonic() - stopped:.2f} s later", flush=True)
        time.sleep(1)
        for client in clients:
            client.stop()
        failures = [x for client in clients for x in client.failures]
        print(f"{sum(c.requests for c in clients)} requests, "
              f"{sum(c.refused for c in clients)} refused connections, "
              f"{len(failures)} failed; the slowest took "
              f"{max(c.slowest for c in clients):.2f} s")
        self.assertEqual(failures[:10], [])
        self.assertGreater(sum(c.refused for c in clients), 0)
        self.check_cache()


if __name__ == "__main__":
    unittest.main(verbosity=2)
