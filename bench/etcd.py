"""An etcd cluster in the network namespaces of tests/chaos."""

import base64
import http.client
import json

from cluster import harness
from disk import Disk

CLIENT_PORT, PEER_PORT = 2379, 2380
# Its log takes 64 MB at once.
DISK_MB = 400


def ask(host, path, body, timeout):
    """The document that the JSON gateway answers; None if it refuses."""
    connection = http.client.HTTPConnection(host, CLIENT_PORT, timeout=timeout)
    try:
        connection.request("POST", path, json.dumps(body),
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        return json.loads(text) if answer.status == 200 else None
    finally:
        connection.close()


class Node(harness.Process):
    def __init__(self, cluster, place):
        super().__init__(f"etcd-{place}", cluster.folder)
        self.place = place
        self.address = cluster.network.address(place)
        self._cluster = cluster
        self._data = cluster.folder / self.name
        self.disk = Disk(self._data, cluster.folder / f"{self.name}.fsync",
                         size_mb=DISK_MB)
        self.wrapper = cluster.network.inside(place)
        self.program = "etcd"

    def start(self):
        client = f"http://{self.address}:{CLIENT_PORT}"
        peer = f"http://{self.address}:{PEER_PORT}"
        self.launch([
            "--name", self.name, "--data-dir", str(self._data / "data"),
            "--listen-client-urls", client, "--advertise-client-urls", client,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", self._cluster.members,
            "--heartbeat-interval", str(self._cluster.heartbeat_ms),
            "--election-timeout", str(self._cluster.election_ms),
            *self._cluster.more_flags, "--log-level", "error"])

    def status(self):
        return ask(self.address, "/v3/maintenance/status", {}, 1.0)


class Cluster:
    """`more_flags`: such as --pre-vote."""

    def __init__(self, network, folder, places, heartbeat_ms, election_ms,
                 more_flags=()):
        self.network = network
        self.folder = folder
        self.heartbeat_ms = heartbeat_ms
        self.election_ms = election_ms
        self.more_flags = more_flags
        self.members = ",".join(
            f"etcd-{place}=http://{network.address(place)}:{PEER_PORT}"
            for place in places)
        self.nodes = [Node(self, place) for place in places]

    def leader(self):
        """The node that all hold to be the leader; None while they differ."""
        leaders, ids = set(), {}
        for node in self.nodes:
            status = node.status()
            if status is None or status.get("leader", "0") == "0":
                return None
            leaders.add(status["leader"])
            ids[status["header"]["member_id"]] = node
        return ids.get(leaders.pop()) if len(leaders) == 1 else None

    @staticmethod
    def write(host, key, timeout):
        encoded = base64.b64encode(key.encode()).decode()
        return ask(host, "/v3/kv/put", {"key": encoded, "value": encoded},
                   timeout) is not None
