"""Clients that change the cluster and write down how each operation ended.

Three things at once, each judged in its own way (`judgement.py`): servers that
are registered once, keys that are registers, and keys that are sets. Keys are
left behind after a while, so that each history stays short.
"""

import http.client
import itertools
import json
import random
import threading

from history import FAILED, MISMATCH, OK, UNKNOWN, History

API_PORT = 3006
API = "/api/infrastructure"
SERVERS = f"{API}/loadbalancer/servers"
SERVICE = "written"
FIRST_PORT = 1024
# At most this many operations on one key.
REGISTER_LENGTH = 60
SET_LENGTH = 150
# Registers that are in use at a time.
REGISTERS = 3
# An answer that takes longer is not waited for.
TIMEOUT_SECONDS = 2.5


def key_path(key):
    return f"{API}/catalog/keys/{key}"


class NotSent(Exception):
    """The node can't have seen the request."""


class Unanswered(Exception):
    """The node may or may not have seen the request."""


class Connection:
    """To one node; opened when it is needed, and anew after a failure."""

    def __init__(self, host, timeout=TIMEOUT_SECONDS):
        self._connection = http.client.HTTPConnection(host, API_PORT,
                                                      timeout=timeout)

    def ask(self, method, path, body=None):
        """(status, document). Raises NotSent or Unanswered."""
        if self._connection.sock is None:
            try:
                self._connection.connect()
            except OSError as failure:
                self._connection.close()
                raise NotSent(repr(failure)) from failure
        try:
            self._connection.request(
                method, path, None if body is None else json.dumps(body),
                {"Content-Type": "application/json"} if body else {})
            answer = self._connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as failure:
            self.close()
            raise Unanswered(repr(failure)) from failure

    def close(self):
        self._connection.close()


class Values:
    """What the clients share: names that nobody used before."""

    def __init__(self):
        self._values = itertools.count(1)
        self._ports = itertools.count(FIRST_PORT)
        self._register_uses = itertools.count()
        self._set_uses = itertools.count()

    def value(self):
        return next(self._values)

    def port(self):
        return next(self._ports)

    def register(self):
        use = next(self._register_uses)
        generation = use // (REGISTERS * REGISTER_LENGTH)
        return f"register-{generation * REGISTERS + use % REGISTERS}"

    def set(self):
        return f"set-{next(self._set_uses) // SET_LENGTH}"


class Client:
    """One operation at a time, each on a node of its choice."""

    def __init__(self, number, hosts, history, values, seed, with_keys=True,
                 local_reads=False):
        self._number = number
        # Connections by name of the node.
        self._nodes = {name: Connection(host) for name, host in hosts.items()}
        self._history = history
        self._values = values
        self._random = random.Random(f"{seed}/{number}")
        # Without the catalog's keys, servers are all there is.
        self._with_keys = with_keys
        self._read_query = "" if local_reads else "?consistent=true"
        # By key: value and version that this client saw last.
        self._seen = {}

    def close(self):
        for connection in self._nodes.values():
            connection.close()

    def step(self):
        """One operation; returns how it ended."""
        name = self._random.choice(sorted(self._nodes))
        draw = self._random.random()
        if not self._with_keys or draw < 0.15:
            return self._register_server(name)
        if draw < 0.40:
            return self._append(name)
        key = self._values.register()
        draw = self._random.random()
        if draw < 0.4:
            return self.read(name, key)
        if draw < 0.7:
            return self._write(name, key)
        if draw < 0.95:
            return self._compare_and_set(name, key)
        return self._delete(name, key)

    def _run(self, operation, method, path, body=None, refusals=None):
        """Sends the request and completes the operation; returns what a
        success answered. `refusals`: what a status other than 2xx means; one
        that is not named means FAILED below 500, and nothing is sure above."""
        try:
            status, document = self._nodes[operation.where].ask(method, path,
                                                                body)
        except NotSent as failure:
            self._history.complete(operation, FAILED, str(failure))
            return None
        except Unanswered as failure:
            self._history.complete(operation, UNKNOWN, str(failure))
            return None
        if status < 300:
            self._history.complete(operation, OK)
            return document.get("data", {})
        outcome = (refusals or {}).get(
            status, FAILED if status < 500 else UNKNOWN)
        detail = document.get("error", {}).get("detail", "")
        self._history.complete(operation, outcome, f"{status}: {detail}")
        return None

    def _invoke(self, name, kind, key, **arguments):
        return self._history.invoke(self._number, kind, key, where=name,
                                    **arguments)

    def _register_server(self, name):
        port = self._values.port()
        operation = self._invoke(name, "register", "servers", value=port)
        self._run(operation, "POST", SERVERS,
                  {"service": SERVICE, "host": "10.77.1.1", "port": port})
        return operation.outcome

    def _append(self, name):
        key, value = self._values.set(), self._values.value()
        operation = self._invoke(name, "append", key, value=value)
        self._run(operation, "POST", key_path(key) + "/append",
                  {"value": value})
        return operation.outcome

    def read(self, name, key):
        operation = self._invoke(name, "read", key)
        found = self._run(operation, "GET", key_path(key) + self._read_query,
                          refusals={404: OK})
        if operation.outcome == OK:
            self._saw(operation, key, found)
        return operation.outcome

    def _saw(self, operation, key, found):
        if found is None:
            self._seen[key] = (None, 0)
            return
        operation.value, operation.version = found["value"], found["version"]
        self._seen[key] = (found["value"], found["version"])

    def _write(self, name, key):
        operation = self._invoke(name, "write", key,
                                 value=self._values.value())
        self._wrote(operation, key, self._run(
            operation, "PUT", key_path(key), {"value": operation.value}))
        return operation.outcome

    def _compare_and_set(self, name, key):
        """A version stands for the value that was seen with it: all values
        differ, and a version is not used twice."""
        expected, version = self._seen.get(key, (None, 0))
        operation = self._invoke(name, "cas", key, expected=expected,
                                 value=self._values.value())
        self._wrote(operation, key, self._run(
            operation, "PUT", key_path(key),
            {"value": operation.value, "version": version},
            refusals={409: MISMATCH}))
        if operation.outcome == MISMATCH:
            self._seen.pop(key, None)
        return operation.outcome

    def _wrote(self, operation, key, answer):
        if answer is not None:
            operation.version = answer["version"]
            self._seen[key] = (operation.value, answer["version"])

    def _delete(self, name, key):
        operation = self._invoke(name, "write", key)
        self._run(operation, "DELETE", key_path(key))
        return operation.outcome


class Workload:
    """Clients in threads. `hosts`: address by name of the node; `options`:
    `with_keys` and `local_reads` of the clients."""

    def __init__(self, hosts, seed, clients=5, pause_seconds=0.02, **options):
        self.history = History()
        values = Values()
        self._clients = [Client(number, hosts, self.history, values, seed,
                                **options) for number in range(clients)]
        self._pause_seconds = pause_seconds
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(client,), daemon=True)
            for client in self._clients]

    def _run(self, client):
        while not self._stopping.is_set():
            outcome = client.step()
            # Nobody hammers a node that refuses.
            self._stopping.wait(self._pause_seconds
                                * (1 if outcome in (OK, MISMATCH) else 4))
        client.close()

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS * 3)
        return self.history
