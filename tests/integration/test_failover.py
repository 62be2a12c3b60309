#!/usr/bin/env python3
"""kill -9 of the leader while the other two are under load, again and again.

Nothing sent to the other two may fail, what was acknowledged must stay, a
server can soon be added again, and the killed node comes back and catches up.

    test_failover.py [--kills N] [--wrk]
"""

import argparse
import http.client
import statistics
import sys
import time

import harness
import load
from harness import wait_until


class Writer(load.Client):
    """Adds server after server, each until it is acknowledged."""

    PAUSE = 0.1

    def __init__(self, nodes):
        super().__init__()
        self._nodes = nodes
        self._port = 10000
        # Begin and end of each acknowledged request.
        self.times = []
        # Ids by port.
        self.acknowledged = {}

    def use(self, nodes):
        self._nodes = nodes

    def first_after(self, moment):
        """When the first request that began after `moment` was answered."""
        return next((end for begin, end in self.times if begin > moment), None)

    def _run(self):
        turn = 0
        while not self._stopping.is_set():
            nodes = self._nodes
            turn += 1
            node = nodes[turn % len(nodes)]
            begin = time.monotonic()
            try:
                answer = node.add_server("127.0.0.9", self._port, "written")
            except (OSError, http.client.HTTPException):
                continue
            if answer.status == 201:
                self.acknowledged[self._port] = answer.data["id"]
                self.times.append((begin, time.monotonic()))
            # 409: an earlier try that got no answer was committed after all.
            if answer.status in (201, 409):
                self._port += 1
                time.sleep(self.PAUSE)


def missing(node, acknowledged):
    """Acknowledged writes that the node does not know."""
    there = {server["port"]: server["id"]
             for server in node.servers("written").values()}
    return [port for port, server in acknowledged.items()
            if there.get(port) != server]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--kills", type=int, default=3)
    options.add_argument("--wrk", action="store_true",
                         help="put the load on with wrk")
    options = options.parse_args()

    cluster = harness.Cluster()
    for node in cluster.nodes:
        # The servers that are written exist in name only; probing hundreds of
        # them twice a second is not what is measured here.
        node.overrides = {"loadBalancer": {"healthCheck": {
            "interval": 3000, "timeout": 1000, "healthyThreshold": 1}}}
    failed = requests = 0
    outages, returns = [], []
    try:
        formed = cluster.start()
        print(f"three nodes formed a cluster in {formed:.2f} s", flush=True)
        writer = Writer(cluster.nodes).start()
        for kill in range(1, options.kills + 1):
            leader = cluster.leader()
            others = [node for node in cluster.nodes if node is not leader]
            writer.use(others)
            time.sleep(0.1)
            if options.wrk:
                runs = [load.Wrk(node.address, harness.PROXY_PORT, 5)
                        for node in others]
            else:
                clients = load.Load([(node.address, harness.PROXY_PORT)
                                     for node in others]).start()
            time.sleep(1)
            leader.kill()
            killed = time.monotonic()
            added = wait_until(lambda: writer.first_after(killed),
                               "a server could be added again", 15)
            outages.append((added - killed) * 1000)
            wait_until(lambda: all(
                node.members()[leader.name]["state"] == "down"
                for node in others), f"{leader.name} is down", 15)
            if options.wrk:
                results = [run.result() for run in runs]
            else:
                time.sleep(1)
                clients.stop()
                results = [(clients.requests, len(clients.failures))]
                for failure in clients.failures[:5]:
                    print(f"  failed: {failure}")
            requests += sum(count for count, _ in results)
            failed += sum(failures for _, failures in results)

            began = time.monotonic()
            leader.start()
            wait_until(lambda: leader.is_ready, f"{leader.name} is back", 20)
            wanted = dict(writer.acknowledged)
            wait_until(lambda: not missing(leader, wanted),
                       f"{leader.name} caught up", 20)
            cluster.wait_until_whole()
            returns.append(time.monotonic() - began)
            print(f"kill {kill}: {leader.name}, a server was added again after "
                  f"{outages[-1]:.0f} ms; back and caught up "
                  f"{returns[-1]:.2f} s after its start", flush=True)
        writer.stop()

        lost = [(node.name, port) for node in cluster.nodes
                for port in missing(node, writer.acknowledged)]
        median = statistics.median(outages)
        print(f"{options.kills} kills: until a server could be added again "
              f"min {min(outages):.0f}, median {median:.0f}, "
              f"max {max(outages):.0f} ms")
        print(f"{requests} requests through the other two proxies, "
              f"{failed} failed")
        print(f"{len(writer.acknowledged)} acknowledged writes, "
              f"{len(lost)} lost")
        assert failed == 0, f"{failed} requests failed"
        assert not lost, lost[:10]
        assert median <= 1000, "the median is over 1000 ms"
    except BaseException:
        cluster.dump()
        raise
    finally:
        cluster.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
