"""Real `troupe` processes on loopback, for the integration tests.

A `Cluster` gives each of its nodes an address of its own in 127.0.0.0/8 and the
default ports, so that nothing has to look for free ports, and two clusters on
one machine don't meet. Everything started is remembered and killed at exit.
"""

import atexit
import datetime
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

API_PORT, CLUSTER_PORT, PROXY_PORT, BACKEND_PORT = 3006, 3007, 8080, 9000

ROOT = pathlib.Path(__file__).resolve().parents[2]
TROUPE = os.environ.get("TROUPE_BINARY",
                        str(ROOT / "build" / "release" / "node" / "troupe"))
# Settings that somebody exported are not part of a test.
for _name in [name for name in os.environ if name.startswith("TROUPE_")]:
    del os.environ[_name]

# Quick enough for tests, slow enough for a busy machine.
HEALTH_CHECK = {"interval": 500, "timeout": 400,
                "unhealthyThreshold": 3, "healthyThreshold": 2}

_processes = set()
_folders = []


@atexit.register
def _clean_up():
    for process in list(_processes):
        process.kill()
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)


def _end(*_):
    # A second one must not end the cleaning up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(1)


# A test that ctest ends by SIGTERM must not leave processes either.
signal.signal(signal.SIGTERM, _end)


def wait_until(condition, what, seconds=15.0, pause=0.02):
    """Repeats `condition` until it returns something true; returns that.
    What went wrong last is part of the failure."""
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            result = condition()
            if result:
                return result
            last = result
        except (OSError, http.client.HTTPException, ValueError, LookupError,
                TypeError) as failure:
            last = failure
        if time.monotonic() > deadline:
            raise AssertionError(
                f"after {seconds} s not {what} (last: {last!r})")
        time.sleep(pause)


class Answer:
    """A response: status, headers, and the body as bytes, text or JSON."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        return self.body.decode(errors="replace")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def data(self):
        """What a successful answer carries."""
        envelope = self.json
        if envelope.get("success") is not True:
            raise ValueError(f"{self.status}: {self.text}")
        return envelope["data"]

    def __repr__(self):
        return f"<{self.status} {self.text[:300]}>"


def request(host, port, method, path, body=None, headers=None, timeout=8.0):
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def remember(process):
    """Has a process killed at exit."""
    _processes.add(process)


class Process:
    """A child process with its output in a file."""

    program = TROUPE
    # What stands before the program, and variables of its environment.
    wrapper = ()
    environment = {}

    def __init__(self, name, folder):
        self.name = name
        self.output_file = folder / f"{name}.output"
        self.process = None

    def launch(self, arguments):
        with open(self.output_file, "ab") as output:
            self.process = subprocess.Popen(
                [*self.wrapper, self.program, *arguments],
                stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment})
        remember(self.process)

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def output(self):
        return self.output_file.read_text(errors="replace")

    def _end(self, signal_number, seconds):
        self.process.send_signal(signal_number)
        status = self.process.wait(seconds)
        _processes.discard(self.process)
        return status

    def kill(self):
        """kill -9; returns when the process is gone."""
        return self._end(signal.SIGKILL, 10)

    def terminate(self, seconds=20):
        """SIGTERM; returns the exit status."""
        return self._end(signal.SIGTERM, seconds)

    def wait_for_exit(self, seconds):
        status = self.process.wait(seconds)
        _processes.discard(self.process)
        return status


class Node(Process):
    def __init__(self, cluster, index, overrides=None):
        """`overrides`: settings by section, over those of all nodes."""
        name = f"node-{index}"
        super().__init__(name, cluster.folder)
        self.cluster = cluster
        self.address = cluster.address(index)
        self.data = cluster.folder / name / "data"
        self.logs = cluster.folder / name / "logs"
        self.overrides = overrides or {}

    def start(self):
        settings = {
            "node": {"name": self.name, "address": self.address,
                     "dataDirectory": str(self.data),
                     "logDirectory": str(self.logs)},
            "cluster": {"name": "test",
                        "expectedNodes": self.cluster.expected_nodes},
            "discovery": {"nodes": self.cluster.seeds},
            "proxy": {"defaultService": "demo"},
            "loadBalancer": {"healthCheck": HEALTH_CHECK},
        }
        for section, values in self.overrides.items():
            settings.setdefault(section, {}).update(values)
        file = self.cluster.folder / f"{self.name}.json"
        file.write_text(json.dumps(settings, indent=2))
        self.launch(["serve", "--config", str(file)])
        return self

    def request(self, method, path, body=None, headers=None, timeout=8.0):
        return request(self.address, API_PORT, method, path, body, headers,
                       timeout)

    def infrastructure(self, method, path, body=None):
        return self.request(method, f"/api/infrastructure/{path}", body)

    def get(self, path):
        """The data of GET /api/infrastructure/PATH; fails if it failed."""
        return self.infrastructure("GET", path).data

    def proxied(self, path="/", timeout=8.0):
        return request(self.address, PROXY_PORT, "GET", path, timeout=timeout)

    def backend_behind(self):
        """Name of the demo backend that answers the next request."""
        answer = self.proxied()
        if answer.status != 200:
            raise ValueError(answer)
        return answer.json["name"]

    @property
    def is_ready(self):
        return self.request("GET", "/ready").status == 200

    def members(self):
        """Members by name, as this node sees them; the present one where
        another had the name before."""
        members = self.get("cluster")["members"]
        return {member["name"]: member
                for member in sorted(members,
                                     key=lambda x: x["state"] != "left")}

    @property
    def incarnation(self):
        return self.members()[self.name]["incarnation"]

    def alive_members(self):
        return sorted(name for name, member in self.members().items()
                      if member["state"] == "alive")

    def leader(self):
        """Name of the leader that this node knows, or None."""
        leader = self.get("cluster")["leader"]
        return leader and leader["name"]

    def servers(self, service=None):
        """Servers by id, as this node sees them."""
        return {server["id"]: server
                for server in self.get("loadbalancer/stats")["servers"]
                if service in (None, server["service"])}

    def add_server(self, host, port, service="demo", **more):
        return self.infrastructure(
            "POST", "loadbalancer/servers",
            {"service": service, "host": host, "port": port, **more})

    def events(self):
        return self.get("events")

    @property
    def log(self):
        """Console output and log files."""
        files = sorted(self.logs.glob("*.log")) if self.logs.exists() else []
        return self.output + "".join(
            file.read_text(errors="replace") for file in files)


class Backend(Process):
    def __init__(self, cluster, index):
        super().__init__(f"backend-{index}", cluster.folder)
        self.address = cluster.address(100 + index)

    def start(self):
        self.launch(["demo-backend", "--host", self.address, "--port",
                     str(BACKEND_PORT), "--name", self.name])
        wait_until(lambda: request(self.address, BACKEND_PORT, "GET",
                                   "/health").status == 200,
                   f"{self.name} answers")
        return self


class Cluster:
    """Nodes `node-1`... and backends, in a temporary folder."""

    def __init__(self, nodes=3, backends=2):
        # Two bytes of the pid: two test runs have addresses of their own.
        pid = os.getpid()
        self.network = f"127.{64 + pid // 250 % 128}.{pid % 250}"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-test-"))
        _folders.append(self.folder)
        self.expected_nodes = nodes
        self.seeds = [f"{self.address(i)}:{CLUSTER_PORT}"
                      for i in range(1, nodes + 1)]
        self.nodes = [Node(self, i) for i in range(1, nodes + 1)]
        self.backends = [Backend(self, i) for i in range(1, backends + 1)]

    def address(self, index):
        return f"{self.network}.{index}"

    def node(self, name):
        return next(node for node in self.nodes if node.name == name)

    def running_nodes(self):
        return [node for node in self.nodes if node.running]

    def start(self):
        """Starts everything; returns the seconds until all of it is ready."""
        begin = time.monotonic()
        for process in self.backends + self.nodes:
            process.start()
        self.wait_until_whole()
        formed = time.monotonic() - begin
        for backend in self.backends:
            answer = self.nodes[0].add_server(backend.address, BACKEND_PORT)
            assert answer.status == 201, answer
        self.wait_until_balanced()
        return formed

    def wait_until_whole(self, seconds=30):
        """Every running node is ready and sees all of them alive."""
        names = sorted(node.name for node in self.running_nodes())
        for node in self.running_nodes():
            wait_until(lambda: node.is_ready, f"{node.name} is ready", seconds)
            wait_until(lambda: set(names) <= set(node.alive_members()),
                       f"{names} alive on {node.name}", seconds)

    def wait_for_return(self, node, previous):
        """`node` is back as another process than that of `previous`, its
        incarnation, and the cluster is whole."""
        wait_until(lambda: node.is_ready and node.incarnation > previous,
                   f"{node.name} is back", 20)
        self.wait_until_whole()

    def restart_in_place(self, node):
        """SIGUSR2; returns when the cluster is whole again."""
        previous = node.incarnation
        node.process.send_signal(signal.SIGUSR2)
        self.wait_for_return(node, previous)
        # Still that process: it has not ended.
        assert node.running, node.output[-2000:]

    def wait_until_balanced(self, seconds=15):
        """Every running node holds all running backends to be healthy."""
        wanted = {backend.address for backend in self.backends
                  if backend.running}
        for node in self.running_nodes():
            wait_until(
                lambda: wanted <= {server["host"] for server
                                   in node.servers("demo").values()
                                   if server["health"] == "healthy"},
                f"healthy backends on {node.name}", seconds)

    def leader(self):
        """The node that all running nodes hold to be the leader."""
        def agreed():
            names = {node.leader() for node in self.running_nodes()}
            if len(names) != 1 or None in names:
                return None
            leader = self.node(names.pop())
            return leader if leader.running else None
        return wait_until(agreed, "agreed on a running leader")

    def stop(self):
        for process in self.nodes + self.backends:
            if process.running:
                process.kill()

    def dump(self, lines=40):
        """The ends of all outputs, for a failed test."""
        for process in self.nodes + self.backends:
            if process.output_file.exists():
                print(f"--- {process.name}")
                print("\n".join(process.output.splitlines()[-lines:]))


class ClusterTest(unittest.TestCase):
    """A cluster of its own for each test."""

    nodes = 3
    backends = 0

    def setUp(self):
        self.cluster = Cluster(self.nodes, self.backends)
        self.addCleanup(self.cluster.stop)
        self.prepare()
        try:
            self.cluster.start()
        except BaseException:
            self.cluster.dump()
            raise

    def prepare(self):
        """Before the cluster starts."""


def today():
    """As in the log files' names."""
    return datetime.date.today().isoformat()
