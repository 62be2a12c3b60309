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

    def _run(self):
        while not self._stopping.is_set():
            path = next(self._paths)
            begin = time.monotonic()
            try:
                self._ask(path)
            except (OSError, ValueError, http.client.HTTPException) as failure:
                self.failures.append(f"{path}: {failure!r}")
                self._connection.close()
            self.requests += 1
            self.slowest = max(self.slowest, time.monotonic() - begin)


class RollingRestartTest(harness.ClusterTest):
    backends = 2

    def setUp(self):
        super().setUp()
        for key in KEYS:
            answer = self.cluster.nodes[0].infrastructure(
                "POST", f"cache/keys/{key}", {"value": key})
            self.assertLess(answer.status, 300, answer)

    def incarnation(self, node):
        return node.members()[node.name]["incarnation"]

    def wait_for_return(self, node, previous):
        def returned():
            return (node.is_ready and self.incarnation(node) > previous)
        wait_until(returned, f"{node.name} is back", 20)
        self.cluster.wait_until_whole()

    def check_cache(self):
        for node in self.cluster.nodes:
            for key in KEYS:
                self.assertEqual(node.get(f"cache/keys/{key}")["value"], key)

    def test_in_place_nobody_notices(self):
        runs = [load.Wrk(node.address, port, 60, 4, paths)
                for node in self.cluster.nodes
                for port, paths in ((PROXY_PORT, ["/"]),
                                    (API_PORT, API_PATHS))]
        time.sleep(1)
        try:
            for node in self.cluster.nodes:
                previous, pid = self.incarnation(node), node.process.pid
                begin = time.monotonic()
                node.process.send_signal(signal.SIGUSR2)
                self.wait_for_return(node, previous)
                print(f"{node.name} was back after "
                      f"{time.monotonic() - begin:.2f} s", flush=True)
                self.assertTrue(node.running)
                self.assertEqual(node.process.pid, pid)
            time.sleep(1)
        finally:
            for run in runs:
                run.stop()
            results = [run.result() for run in runs]
        print(f"{sum(count for count, _ in results)} requests, "
              f"{sum(failed for _, failed in results)} failed: {results}")
        for answer in [x for run in runs for x in run.answers][:10]:
            print(f"  {answer}")
        self.assertEqual([failed for _, failed in results], [0] * len(runs))
        self.check_cache()

    def test_what_would_not_start_is_not_begun(self):
        node = self.cluster.nodes[0]
        previous = self.incarnation(node)
        file = self.cluster.folder / f"{node.name}.json"
        right = file.read_text()
        file.write_text(right.replace('"proxy"', '"proxi"'))
        node.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: "goes on as it is" in node.output,
                   "the restart was refused", 10)
        self.assertIn("proxi", node.output)
        self.assertEqual(node.backend_behind()[:7], "backend")
        self.assertEqual(self.incarnation(node), previous)
        file.write_text(right)
        node.process.send_signal(signal.SIGUSR2)
        self.wait_for_return(node, previous)

    def test_stopped_and_started_the_others_answer(self):
        hosts = [node.address for node in self.cluster.nodes]
        clients = [FailoverClient(hosts[i:] + hosts[:i], port, paths).start()
                   for i in range(3)
                   for port, paths in ((PROXY_PORT, ["/"]),
                                       (API_PORT, API_PATHS))]
        for node in self.cluster.nodes:
            previous = self.incarnation(node)
            begin = time.monotonic()
            self.assertEqual(node.terminate(), 0)
            stopped = time.monotonic()
            node.start()
            self.wait_for_return(node, previous)
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
