"""Asks all nodes all the time who leads, and whether they are still there."""

import http.client
import threading

PAUSE_SECONDS = 0.1


class Monitor:
    def __init__(self, cluster):
        self._cluster = cluster
        # (term, leader, who said so).
        self.leaders_seen = set()
        # Names of nodes that a node held to be down.
        self.down_seen = set()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._watch, args=(node,),
                                          daemon=True)
                         for node in cluster.nodes]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def _watch(self, node):
        while not self._stopping.wait(PAUSE_SECONDS):
            node.note_crash()
            if not node.running:
                continue
            try:
                self._note(node, node.request(
                    "GET", "/api/infrastructure/cluster", timeout=1.0).data)
            except (OSError, ValueError, http.client.HTTPException):
                pass

    def _note(self, node, report):
        if report["leader"] and report["leader"]["name"]:
            self.leaders_seen.add((report["term"], report["leader"]["name"],
                                   node.name))
        self.down_seen |= {member["name"] for member in report["members"]
                           if member["state"] == "down"}

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(5)


def events(node):
    """All that a node remembers, oldest first."""
    return list(reversed(node.get("events?limit=1000")))

