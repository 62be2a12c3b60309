#!/usr/bin/env python3
"""kill -9 of a backend under load: only what was in flight on it may fail; it
is out within its thresholds, back after it returns, and the events tell."""

import json
import sys
import time

import harness
import load
from harness import HEALTH_CHECK, wait_until


def main():
    cluster = harness.Cluster()
    try:
        cluster.start()
        victim, other = cluster.backends
        node = cluster.nodes[0]
        server = next(s["id"] for s in node.servers("demo").values()
                      if s["host"] == victim.address)

        def health_on(node):
            return node.servers()[server]["health"]

        clients = load.Load([(n.address, harness.PROXY_PORT)
                             for n in cluster.nodes]).start()
        time.sleep(1)
        victim.kill()
        killed = time.monotonic()
        for n in cluster.nodes:
            wait_until(lambda: health_on(n) == "unhealthy",
                       f"{server} unhealthy on {n.name}")
        out = time.monotonic() - killed
        time.sleep(0.5)
        before = clients.counts()
        time.sleep(0.5)
        after = clients.counts()
        victim.start()
        returned = time.monotonic()
        for n in cluster.nodes:
            wait_until(lambda: health_on(n) == "healthy",
                       f"{server} healthy on {n.name}")
        back = time.monotonic() - returned
        wait_until(lambda: clients.counts()[victim.name]
                   > after[victim.name], "traffic on it again", 3)
        clients.stop()

        late = [f for f in clients.failures
                if f.at > killed + 0.05 or f.at + f.seconds < killed - 0.05]
        print(f"{clients.requests} requests, {len(clients.failures)} failed, "
              f"{clients.in_flight_limit} could be in flight")
        for failure in clients.failures[:5]:
            print(f"  failed {failure.at - killed:+.3f} s from the kill: "
                  f"{failure}")
        print(f"out after {out:.2f} s, back after {back:.2f} s")
        assert len(clients.failures) <= clients.in_flight_limit
        assert not late, f"failed without being in flight: {late[:5]}"
        assert after[victim.name] == before[victim.name], (before, after)
        assert after[other.name] > before[other.name], (before, after)

        # A check that just passed, the threshold's failures, and each may
        # take its whole timeout; one second for a busy machine.
        interval = HEALTH_CHECK["interval"] / 1000
        timeout = HEALTH_CHECK["timeout"] / 1000
        limit = HEALTH_CHECK["unhealthyThreshold"] * interval + timeout + 1
        assert out <= limit, f"out after {out:.2f} s, limit {limit:.2f}"
        limit = HEALTH_CHECK["healthyThreshold"] * interval + timeout + 1
        assert back <= limit, f"back after {back:.2f} s, limit {limit:.2f}"

        for n in cluster.nodes:
            told = [event["message"] for event in n.events()
                    if event["type"] == "health"
                    and server in json.dumps(event)]
            assert any("unhealthy" in message for message in told), told
            assert any("unhealthy to healthy" in message or
                       message.rstrip(".").endswith(" healthy")
                       for message in told), told
        print("both transitions are in the events of all nodes")
    except BaseException:
        cluster.dump()
        raise
    finally:
        cluster.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
