"""Clients that keep a proxy busy and account for every request."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time


class Failure:
    def __init__(self, at, seconds, reason):
        self.at = at
        self.seconds = seconds
        self.reason = reason

    def __repr__(self):
        return f"{self.reason} after {self.seconds * 1000:.0f} ms"


class Client:
    """Does something in a thread of its own, again and again, until `stop`."""

    def __init__(self):
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._stopping.set()
        self._thread.join(30)

    def _run(self):
        raise NotImplementedError


class Load:
    """Keep-alive clients in threads, each with one request in flight.

    `targets` are (host, port) pairs, `connections` clients for each. After
    `stop`, `requests`, `failures` and `by_backend` tell what happened.
    """

    def __init__(self, targets, path="/", connections=4):
        self.path = path
        self.requests = 0
        self.failures = []
        self.by_backend = {}
        self.in_flight_limit = connections * len(targets)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._client, args=target, daemon=True)
            for target in targets for _ in range(connections)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)
        return self

    def counts(self):
        """Answers by backend so far."""
        with self._lock:
            return dict(self.by_backend)

    def _client(self, host, port):
        connection = http.client.HTTPConnection(host, port, timeout=10)
        while not self._stopping.is_set():
            begin = time.monotonic()
            try:
                connection.request("GET", self.path)
                response = connection.getresponse()
                body = response.read().decode(errors="replace").strip()
                reason = (None if response.status == 200
                          else f"{response.status}: {body}")
            except (OSError, http.client.HTTPException) as failure:
                connection.close()
                body, reason = "", repr(failure)
            end = time.monotonic()
            with self._lock:
                self.requests += 1
                if reason:
                    self.failures.append(Failure(begin, end - begin, reason))
                else:
                    name = json.loads(body)["name"]
                    self.by_backend[name] = self.by_backend.get(name, 0) + 1
        connection.close()


class Wrk:
    """The same with wrk, for more load; it only counts. A run takes exactly
    `seconds`, or ends with `stop`. Asks for `paths` in turn. After `result`,
    `answers` are those that count as failures, `errors` all of them by kind."""

    _SCRIPT = """
local paths, turn = {%s}, 0
request = function()
  turn = turn %% #paths + 1
  return wrk.format("GET", paths[turn])
end
response = function(status, headers, body)
  if status >= 400 then print("failed: " .. status .. " " .. body) end
end
"""

    def __init__(self, host, port, seconds, connections=16, paths=("/",),
                 headers=()):
        with tempfile.NamedTemporaryFile("w", suffix=".lua",
                                         delete=False) as script:
            script.write(self._SCRIPT % ", ".join(map(json.dumps, paths)))
        self._script = script.name
        self._process = subprocess.Popen(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout",
             "5s", "-s", self._script, *(f"-H{header}" for header in headers),
             f"http://{host}:{port}/"], stdout=subprocess.PIPE, text=True)

    def stop(self):
        self._process.send_signal(signal.SIGINT)

    def result(self):
        """(requests, failures) after the run."""
        text = self._process.communicate()[0]
        os.unlink(self._script)
        self.answers = re.findall(r"failed: (.*)", text)
        requests = int(re.search(r"(\d+) requests in", text).group(1))
        self.errors = {}
        for kind, pattern in (("status", r"Non-2xx or 3xx responses: (\d+)"),
                              ("connect", r"connect (\d+)"),
                              ("read", r"read (\d+)"),
                              ("write", r"write (\d+)"),
                              ("timeout", r"timeout (\d+)")):
            found = re.search(pattern, text)
            self.errors[kind] = int(found.group(1)) if found else 0
        return requests, sum(self.errors.values())


@contextlib.contextmanager
def unnoticed(test, nodes, paths_by_port):
    """Load on these ports of all nodes, of which no request may fail."""
    runs = [Wrk(node.address, port, 60, 4, paths)
            for node in nodes for port, paths in paths_by_port.items()]
    time.sleep(1)
    try:
        yield
        time.sleep(1)
    finally:
        for run in runs:
            run.stop()
        results = [run.result() for run in runs]
    print(f"{sum(count for count, _ in results)} requests, "
          f"{sum(failed for _, failed in results)} failed: {results}")
    for answer in [x for run in runs for x in run.answers][:10]:
        print(f"  {answer}")
    test.assertEqual([failed for _, failed in results], [0] * len(runs))
