"""From a fault to the first acknowledged write: see scripts/bench.

Troupe and etcd stand beside each other, three nodes each, on the switch of
tests/chaos, and are hit in turn. From the moment of the fault, a write through
one of the nodes that were not hit begins every 10 ms, on the next node each
time; the first to be acknowledged ends the measurement, whichever it was. So a
node that answers late and one that refuses at once are measured alike.
"""

import argparse
import http.client
import itertools
import json
import os
import pathlib
import signal
import statistics
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "chaos"))
import cluster as troupe  # noqa: E402
import etcd  # noqa: E402
import network  # noqa: E402
import workload  # noqa: E402
from cluster import harness  # noqa: E402

TROUPE_PLACES, ETCD_PLACES = (1, 2, 3), (11, 12, 13)
EVERY_SECONDS = 0.01
WRITE_TIMEOUT = 5.0
# Between a cluster that is whole again and the next fault.
SETTLE_SECONDS = 1.0
FAULTS = ("kill -9 leader", "SIGSTOP leader", "partition leader",
          "kill -9 follower")


class Troupe:
    name = "troupe"

    def __init__(self, net, folder, heartbeat_ms, election_ms):
        self.cluster = troupe.Cluster(net, folder, TROUPE_PLACES, overrides={
            "cluster": {"heartbeatInterval": heartbeat_ms,
                        "electionTimeout": election_ms}})
        self.settings = (f"heartbeat {heartbeat_ms} ms, election "
                         f"{election_ms} ms")

    def leader(self):
        return (self.cluster.leader() if self.cluster.disagreement() is None
                else None)

    @staticmethod
    def write(host, key, timeout):
        answer = harness.request(host, harness.API_PORT, "PUT",
                                 workload.key_path(key), {"value": key},
                                 timeout=timeout)
        return answer.status == 200


class Etcd:
    name = "etcd"

    def __init__(self, net, folder, heartbeat_ms, election_ms, flags):
        # It does not start with less than five heartbeats to an election.
        heartbeat_ms = min(heartbeat_ms, election_ms // 5)
        self.cluster = etcd.Cluster(net, folder, ETCD_PLACES, heartbeat_ms,
                                    election_ms, flags)
        self.settings = " ".join([f"heartbeat {heartbeat_ms} ms, election "
                                  f"{election_ms} ms", *flags])
        self.leader = self.cluster.leader
        self.write = self.cluster.write


def wait_until_whole(contender):
    return harness.wait_until(contender.leader,
                              f"{contender.name} is whole", 30)


class FirstAcknowledgement:
    """Writes until one is acknowledged."""

    _keys = itertools.count()

    def __init__(self, contender, hosts):
        self._contender = contender
        self._hosts = itertools.cycle(hosts)
        self._done = threading.Event()
        self._at = []

    def _attempt(self, host, key):
        try:
            if self._contender.write(host, key, WRITE_TIMEOUT):
                self._at.append(time.monotonic())
                self._done.set()
        except (OSError, ValueError, http.client.HTTPException):
            pass

    def wait(self):
        """When it was."""
        began = time.monotonic()
        while not self._done.is_set():
            if time.monotonic() - began > 30:
                raise TimeoutError("no write was acknowledged for 30 s")
            # Few keys: their number must not matter.
            key = f"failover-{next(self._keys) % 100}"
            threading.Thread(target=self._attempt, daemon=True,
                             args=(next(self._hosts), key)).start()
            self._done.wait(EVERY_SECONDS)
        return min(self._at)


def strike(net, fault, node):
    if fault.startswith("kill"):
        node.process.send_signal(signal.SIGKILL)
    elif fault.startswith("SIGSTOP"):
        node.process.send_signal(signal.SIGSTOP)
    else:
        net.isolate(node.place)


def undo(net, fault, node):
    if fault.startswith("kill"):
        node.kill()
        node.start()
    elif fault.startswith("SIGSTOP"):
        node.process.send_signal(signal.SIGCONT)
    else:
        net.heal()


def measure(net, contender, fault):
    """Milliseconds from the fault to the first acknowledged write."""
    leader = wait_until_whole(contender)
    time.sleep(SETTLE_SECONDS)
    leader = wait_until_whole(contender)
    nodes = contender.cluster.nodes
    target = leader
    if fault.endswith("follower"):
        target = next(node for node in nodes if node is not leader)
    writes = FirstAcknowledgement(contender, [node.address for node in nodes
                                              if node is not target])
    struck = time.monotonic()
    strike(net, fault, target)
    acknowledged = writes.wait()
    undo(net, fault, target)
    return (acknowledged - struck) * 1000


def percentile(values, percent):
    """The smallest value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def report(samples):
    print(f"{'ms to the first acknowledged write':36}{'n':>4}{'min':>8}"
          f"{'median':>8}{'p99':>8}")
    for fault in FAULTS:
        for name, by_fault in samples.items():
            values = by_fault.get(fault)
            if values:
                print(f"  {fault:18}{name:16}{len(values):4}{min(values):8.1f}"
                      f"{statistics.median(values):8.1f}"
                      f"{percentile(values, 99):8.1f}")


def parse():
    options = argparse.ArgumentParser(prog="scripts/bench failover")
    options.add_argument("--times", type=int, default=30)
    options.add_argument("--heartbeat", type=int, default=75, metavar="MS")
    options.add_argument("--election", type=int, default=300, metavar="MS")
    options.add_argument("--etcd-flag", action="append", default=[],
                         help="such as --etcd-flag=--pre-vote")
    options.add_argument("--samples", type=pathlib.Path, metavar="FILE",
                         help="adds to the samples there, for a run in parts")
    return options.parse_args()


def run(net, contenders, options, samples):
    for contender in contenders:
        for node in contender.cluster.nodes:
            node.start()
        print(f"{contender.name}: {contender.settings}")
    for turn in range(options.times):
        for fault in FAULTS:
            for contender in contenders[::1 if turn % 2 == 0 else -1]:
                samples[contender.name].setdefault(fault, []).append(
                    measure(net, contender, fault))
        print(f"{turn + 1}: " + ", ".join(
            name + "".join(f" {by_fault[fault][-1]:.0f}" for fault in FAULTS)
            for name, by_fault in samples.items()), flush=True)
        if options.samples:
            options.samples.write_text(json.dumps(samples))


def main():
    options = parse()
    network.skip_unless_possible()
    if not os.access(harness.TROUPE, os.X_OK):
        raise SystemExit(f"failover: no program {harness.TROUPE}")
    samples = {Troupe.name: {}, Etcd.name: {}}
    if options.samples and options.samples.exists():
        samples = json.loads(options.samples.read_text())
    with tempfile.TemporaryDirectory(prefix="troupe-failover-") as name:
        folder = pathlib.Path(name)
        net = network.Network(TROUPE_PLACES + ETCD_PLACES, folder)
        net.enter()
        contenders = [
            Troupe(net, folder, options.heartbeat, options.election),
            Etcd(net, folder, options.heartbeat, options.election,
                 options.etcd_flag)]
        try:
            run(net, contenders, options, samples)
        finally:
            for contender in contenders:
                for node in contender.cluster.nodes:
                    if node.running:
                        node.kill()
                    node.disk.unmount()
            net.remove()
    report(samples)


if __name__ == "__main__":
    main()
