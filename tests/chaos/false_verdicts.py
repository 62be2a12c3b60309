"""Counts `down` verdicts of nodes that nothing ails, on a machine and a network
that are slow: every core saturated by stress-ng, and a fifth of all frames
between nodes late by up to 300 ms. See scripts/chaos."""

import argparse
import collections
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import cluster as clusters  # noqa: E402
import monitor  # noqa: E402
import network  # noqa: E402
import workload  # noqa: E402

LATE = {"delayed": 0.2, "delay_ms": 150, "jitter_ms": 150}
LAST_WORDS = re.compile(r"\b(down|suspect|leads the cluster)\b")


def saturate(seconds):
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--", "stress-ng", "--quiet",
         "--cpu", str(os.cpu_count()), "--timeout", f"{int(seconds) + 60}s"])


class Verdicts:
    """What the events say of members, each counted once."""

    def __init__(self):
        self.events = {}

    def collect(self, nodes):
        for node in nodes:
            try:
                for event in monitor.events(node):
                    self.events[event["id"]] = event
            except (OSError, ValueError, clusters.harness.http.client
                    .HTTPException):
                pass

    def count(self):
        words = collections.Counter()
        for event in self.events.values():
            if event["type"] == "cluster":
                words.update(set(LAST_WORDS.findall(event["message"])))
        return words

    def of(self, word):
        return [event for event in self.events.values()
                if event["type"] == "cluster"
                and word in LAST_WORDS.findall(event["message"])]


def observe(cluster, seconds, verdicts):
    """Returns what the monitor and the clients saw."""
    watch = monitor.Monitor(cluster).start()
    load = workload.Workload({node.name: node.address
                              for node in cluster.nodes}, seed=1, clients=1,
                             pause_seconds=0.5).start()
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(5)
            verdicts.collect(cluster.nodes)
    finally:
        history = load.stop()
        watch.stop()
    return watch, history


def main():
    options = argparse.ArgumentParser(prog="scripts/chaos false-verdicts")
    options.add_argument("--minutes", type=float, default=10.0)
    options.add_argument("--overtaking", action="store_true",
                         help="late frames are overtaken by others, as with "
                         "netem, so that TCP sends most of them again; else "
                         "they hold up what is behind them")
    options = options.parse_args()
    network.skip_unless_possible()
    if shutil.which("stress-ng") is None:
        print("skipped: stress-ng is missing (scripts/install chaos)")
        return network.SKIPPED
    verdicts = Verdicts()
    with tempfile.TemporaryDirectory(prefix="troupe-chaos-") as folder:
        net = network.Network((1, 2, 3), folder)
        net.enter()
        cluster = clusters.Cluster(net, folder, net.places)
        stress = None
        try:
            cluster.start()
            late = network.Link(in_order=not options.overtaking, **LATE)
            net.set_links({pair: late for pair
                           in itertools.permutations(net.places, 2)})
            stress = saturate(options.minutes * 60)
            watch, history = observe(cluster, options.minutes * 60, verdicts)
        finally:
            if stress is not None:
                stress.terminate()
                stress.wait(10)
            cluster.stop()
            crashes = [end for node in cluster.nodes for end in node.crashes]
            cluster.remove_disks()
            net.remove()
    return conclude(options, verdicts, watch, history, crashes)


def conclude(options, verdicts, watch, history, crashes):
    counted = verdicts.count()
    print(f"{options.minutes:g} minutes, {os.cpu_count()} cores saturated, "
          "20% of frames up to 300 ms late, "
          + ("overtaken by others" if options.overtaking else "in order"))
    print(f"down verdicts: {counted['down']}")
    print(f"suspicions: {counted['suspect']}, elections: "
          f"{counted['leads the cluster']}, operations acknowledged: "
          f"{history.count('ok')}, unknown: {history.count('unknown')}")
    for event in verdicts.of("down")[:10]:
        print(f"  {event['timestamp']} {event['message']}")
    for text in crashes:
        print(f"  crash: {text}")
    healthy = counted["down"] == 0 and not watch.down_seen and not crashes
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main())
