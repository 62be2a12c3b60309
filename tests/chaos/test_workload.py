#!/usr/bin/env python3
"""Clients and judgement, on a server that is right or wrong in a known way."""

import http.server
import json
import random
import threading
import time
import unittest

import judgement
import workload
from history import FAILED, OK, UNKNOWN, History


class Store:
    """What the fake server holds. `fault` names what it does wrong."""

    def __init__(self, fault=None):
        self.fault = fault
        self.lock = threading.Lock()
        self.random = random.Random(1)
        self.index = 0
        self.keys = {}
        self.old = {}
        self.ports = []

    def handle(self, method, path, body):
        time.sleep(self.random.random() * 0.002)
        with self.lock:
            if self.fault == "unsure" and self.random.random() < 0.1:
                if self.random.random() < 0.5:
                    self._handle(method, path, body)
                return 503, {}
            return self._handle(method, path, body)

    def _handle(self, method, path, body):
        if path.endswith("/servers"):
            if self.fault != "loses" or self.random.random() > 0.1:
                self.ports.append(body["port"])
            return 201, {}
        parts = path.partition("?")[0].split("/")
        key = parts[5]
        old, version = self.keys.get(key, (None, 0))
        if method == "GET":
            return self._get(key, old, version)
        self.index += 1
        if parts[-1] == "append":
            return self._append(key, old or [], body["value"])
        if body.get("version", version) != version:
            if self.fault != "ignores versions":
                return 409, {}
        if method == "DELETE":
            if key not in self.keys:
                return 404, {}
            del self.keys[key]
            return 200, {}
        self.old[key] = (old, version)
        self.keys[key] = (body["value"], self.index)
        return 200, {"key": key, "version": self.index}

    def _get(self, key, value, version):
        if self.fault == "stale" and self.random.random() < 0.1:
            value, version = self.old.get(key, (value, version))
        if value is None:
            return 404, {}
        return 200, {"key": key, "value": value, "version": version}

    def _append(self, key, values, value):
        if self.fault != "loses" or self.random.random() > 0.1:
            values = values + [value]
        self.keys[key] = (values, self.index)
        return 200, {"key": key, "version": self.index}


def serve(store):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self):
            size = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(size)) if size else {}
            status, data = store.handle(self.command, self.path, body)
            text = json.dumps({"success": status < 300, "data": data}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class WorkloadTest(unittest.TestCase):
    def violations(self, fault=None, seconds=1.5):
        store = Store(fault)
        server = serve(store)
        workload.API_PORT = server.server_address[1]
        try:
            running = workload.Workload({"a": "127.0.0.1", "b": "127.0.0.1"},
                                        seed=1, pause_seconds=0.001).start()
            time.sleep(seconds)
            self.history = running.stop()
        finally:
            server.shutdown()
            server.server_close()
        operations = self.history.operations
        wrong = judgement.registers(self.history.of_kind("read", "write",
                                                         "cas"))
        wrong += judgement.refused_firsts(operations)
        wrong += judgement.elements(self.history.of_kind("register"),
                                    store.ports, "servers")
        appends = self.history.of_kind("append")
        for key in {operation.key for operation in appends}:
            wrong += judgement.elements(
                [operation for operation in appends if operation.key == key],
                store.keys.get(key, ([],))[0], key)
        return wrong

    def test_a_right_server(self):
        self.assertEqual(self.violations(), [])
        self.assertGreater(self.history.count(OK), 300)
        for kind in ("read", "write", "cas", "append", "register"):
            self.assertGreater(len(self.history.of_kind(kind)), 20, kind)

    def test_a_server_that_is_unsure_is_right(self):
        self.assertEqual(self.violations("unsure"), [])
        self.assertGreater(self.history.count(UNKNOWN), 20)

    def test_losses_are_found(self):
        wrong = self.violations("loses")
        for what in ("lost in servers", "lost in set-"):
            self.assertTrue(any(text.startswith(what) for text in wrong), wrong)

    def test_stale_reads_are_found(self):
        self.assertTrue(any("not linearizable" in text
                            for text in self.violations("stale")))

    def test_ignored_versions_are_found(self):
        self.assertTrue(any("not linearizable" in text
                            for text in self.violations("ignores versions")))

    def test_a_node_that_is_not_there_certainly_did_nothing(self):
        workload.API_PORT = 1
        history = workload.Workload({"a": "127.0.0.1"}, 1, clients=1).start()
        time.sleep(0.2)
        operations = history.stop().operations
        self.assertTrue(operations)
        self.assertTrue(all(one.outcome == FAILED for one in operations))


class JudgementTest(unittest.TestCase):
    def test_leaders(self):
        text = ("x node-1 leads the cluster (term 3)\n"
                "y node-2 leads the cluster (term 4)")
        seen = judgement.leaders_in(text, "events")
        self.assertEqual(seen, {(3, "node-1", "events"),
                                (4, "node-2", "events")})
        self.assertEqual(judgement.leaders(seen), [])
        self.assertEqual(len(judgement.leaders(
            seen | {(4, "node-1", "node-3")})), 1)

    def test_breakage(self):
        self.assertEqual(judgement.breakage("n", "all is well\n"), [])
        self.assertEqual(len(judgement.breakage(
            "n", "==1==ERROR: AddressSanitizer: heap-use-after-free\n")), 1)

    def test_an_actor_that_was_restarted(self):
        self.assertEqual(judgement.ended_actors("n", "all is well\n"), [])
        line = ("[warning] supervisor: cache_shard/0 ended (a bad_alloc), "
                "restart in 0 ms\n")
        self.assertEqual(judgement.ended_actors("n", line),
                         ["n: cache_shard/0 ended: a bad_alloc"])

    def test_a_run_without_work(self):
        history = History()
        self.assertEqual(len(judgement.too_little(history, 1)), 1)
        for value in range(10):
            history.complete(history.invoke(0, "append", "k", value=value), OK)
        self.assertEqual(judgement.too_little(history, 1), [])
        self.assertEqual(len(judgement.too_little(history, 2)), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
