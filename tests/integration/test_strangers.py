#!/usr/bin/env python3
"""Mutual TLS on the cluster port: who is let in, who is not, what is logged."""

import os
import pathlib
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
import unittest
import warnings

import harness
from harness import CLUSTER_PORT, TROUPE, wait_until

HANDSHAKE_SECONDS = 2.0


def troupe(*arguments):
    done = subprocess.run([TROUPE, *map(str, arguments)], capture_output=True,
                          text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Certificates:
    """An authority in a folder, and what it signs."""

    def __init__(self, folder, cluster="test"):
        self.folder = pathlib.Path(folder)
        troupe("certs", "ca", "--out", self.folder, "--cluster", cluster)

    @property
    def authority(self):
        return self.folder / "ca.pem"

    def node(self, name, out=None, force=False):
        """(certificate, key) of a node."""
        out = out or self.folder
        troupe("certs", "node", "--ca", self.folder, "--name", name,
               "--out", out, *(["--force"] if force else []))
        return out / f"{name}.pem", out / f"{name}.key"

    def by_openssl(self, name, days, extensions):
        """A certificate that `troupe certs` would not make."""
        key, csr = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        out, config = self.folder / f"{name}.pem", self.folder / f"{name}.cnf"
        config.write_text("\n".join(extensions))

        def openssl(*arguments):
            subprocess.run(["openssl", *map(str, arguments)], check=True,
                           capture_output=True, timeout=20)
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                csr, "-subj", f"/O=test/CN={name}")
        openssl("x509", "-req", "-in", csr, "-CA", self.authority, "-CAkey",
                self.folder / "ca.key", "-out", out, "-days", days,
                "-set_serial", "77", "-extfile", config)
        return out, key


def tls_settings(certificate, key, authority):
    return {"tls": {"certificate": str(certificate), "key": str(key),
                    "authority": str(authority)}}


class Stranger:
    """Connects to a node from an address of its own."""

    def __init__(self, cluster, index):
        self.address = cluster.address(index)

    def connect(self, node, timeout=5.0):
        return socket.create_connection((node.address, CLUSTER_PORT), timeout,
                                        (self.address, 0))

    def say(self, node, words, timeout=5.0):
        """Says that, returns all that comes back until the end."""
        with self.connect(node, timeout) as connection:
            connection.sendall(words)
            return drain(connection)

    def handshake(self, node, pair=None, maximum=None):
        """Shakes hands as a client; returns what the node sent as data."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if maximum:
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = maximum
            context.set_ciphers("ALL:@SECLEVEL=0")
        if pair:
            context.load_cert_chain(*pair)
        with self.connect(node) as connection:
            try:
                with context.wrap_socket(connection) as session:
                    return drain(session)
            except (ssl.SSLError, ConnectionError):
                return b""


def drain(connection):
    received = b""
    try:
        while chunk := connection.recv(4096):
            received += chunk
            if len(received) > 10_000:
                break
    except (ConnectionError, ssl.SSLError):
        pass
    return received


def resident_bytes(process):
    with open(f"/proc/{process.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def open_files(process):
    return len(os.listdir(f"/proc/{process.process.pid}/fd"))


class StrangersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = harness.Cluster(nodes=3, backends=1)
        cls.certificates = Certificates(cls.cluster.folder / "ca")
        for node in cls.cluster.nodes:
            node.overrides = tls_settings(
                *cls.certificates.node(node.name), cls.certificates.authority)
        try:
            seconds = cls.cluster.start()
        except BaseException:
            cls.cluster.dump()
            cls.cluster.stop()
            raise
        print(f"three TLS nodes formed a cluster in {seconds:.2f} s")

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()

    def setUp(self):
        self.first, self.second, self.third = self.cluster.nodes
        self.stranger = Stranger(self.cluster, self.next_address())

    addresses = iter(range(200, 250))

    @classmethod
    def next_address(cls):
        return next(cls.addresses)

    def assert_logged(self, *parts, node=None, stranger=None):
        """The node has a line about the stranger with all of `parts`."""
        node = node or self.first
        address = (stranger or self.stranger).address

        def line():
            return next((line for line in node.output.splitlines()
                         if f"refused {address}: " in line
                         and all(part in line for part in parts)), None)
        found = wait_until(line, f"line of {address} with {parts}", 5)
        print(f"\n    {found[found.index('cluster port'):]}", file=sys.stderr)

    # -- one stranger at a time -----------------------------------------------

    def test_no_certificate(self):
        self.assertEqual(self.stranger.handshake(self.first), b"")
        self.assert_logged("sent no certificate")

    def test_another_authority(self):
        other = Certificates(self.cluster.folder / "other")
        pair = other.node("node-1")
        self.assertEqual(self.stranger.handshake(self.first, pair), b"")
        self.assert_logged("CN=node-1", "is not signed by the cluster's authority")

    def test_a_node_of_another_cluster(self):
        # As if one authority served several clusters.
        pair = self.certificates.by_openssl("elsewhere", 10, [
            "subjectAltName=URI:troupe://circus/node/elsewhere",
            "extendedKeyUsage=serverAuth,clientAuth"])
        self.assertEqual(self.stranger.handshake(self.first, pair), b"")
        self.assert_logged("cluster 'circus', must be for 'test'")

    def test_expired(self):
        pair = self.certificates.by_openssl("expired", -1, [
            "subjectAltName=URI:troupe://test/node/expired",
            "extendedKeyUsage=serverAuth,clientAuth"])
        self.assertEqual(self.stranger.handshake(self.first, pair), b"")
        self.assert_logged("CN=expired", "expired on ")

    def test_right_authority_without_the_node_role(self):
        pair = self.certificates.by_openssl("web", 10, [
            "subjectAltName=DNS:web.example",
            "extendedKeyUsage=serverAuth,clientAuth"])
        self.assertEqual(self.stranger.handshake(self.first, pair), b"")
        self.assert_logged("CN=web", "has no node role")

    def test_wrong_key_usage(self):
        pair = self.certificates.by_openssl("mail", 10, [
            "subjectAltName=URI:troupe://test/node/mail",
            "extendedKeyUsage=emailProtection"])
        self.assertEqual(self.stranger.handshake(self.first, pair), b"")
        self.assert_logged("CN=mail", "not meant for this")

    def test_old_tls(self):
        self.assertEqual(
            self.stranger.handshake(self.first,
                                    maximum=ssl.TLSVersion.TLSv1_1), b"")
        self.assert_logged("speaks no version of TLS from 1.2 on")

    def test_garbage(self):
        self.assertEqual(self.stranger.say(self.first, os.urandom(1).replace(
            b"\x15", b"x").replace(b"\x16", b"x") + b"\xff" * 4000), b"")
        self.assert_logged("speaks ")
        tls_like = Stranger(self.cluster, self.next_address())
        tls_like.say(self.first, b"\x16\x03\x01\x02\x00" + b"\xff" * 4000)
        self.assert_logged("does not speak TLS properly", stranger=tls_like)

    def test_plain_http(self):
        self.assertEqual(
            self.stranger.say(self.first, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            b"")
        self.assert_logged("speaks HTTP")

    def test_bare_caf(self):
        self.assertEqual(self.stranger.say(self.first, b"\x01" + bytes(39)),
                         b"")
        self.assert_logged("speaks CAF's protocol")

    def test_slow_handshake(self):
        # A record that would take 69 s to arrive.
        with self.stranger.connect(self.first) as connection:
            begin = time.monotonic()
            hello = b"\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03" + bytes(58)
            connection.settimeout(1.0)
            for byte in hello:
                try:
                    connection.sendall(bytes([byte]))
                    if connection.recv(1) == b"":
                        break
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
            took = time.monotonic() - begin
        self.assertLess(took, HANDSHAKE_SECONDS + 2.5)
        self.assert_logged("did not finish its handshake within 2000 ms")

    def test_silence_and_hanging_up(self):
        self.stranger.connect(self.first).close()
        self.assert_logged("closed the connection without a word")

    # -- many -----------------------------------------------------------------

    def test_a_thousand_open_connections(self):
        """They are refused, and meanwhile a node comes back and the API is as
        quick as ever."""
        files = open_files(self.first)
        memory = resident_bytes(self.first)
        crowd = Crowd(self.stranger, self.first, 1000)
        crowd.start()
        try:
            wait_until(lambda: crowd.opened >= 1000, "1000 connections", 20)
            self.third.kill()
            begin = time.monotonic()
            self.third.start()
            wait_until(lambda: "node-3" in self.first.alive_members()
                       and self.third.is_ready
                       and len(self.third.alive_members()) == 3,
                       "node-3 is back", 20)
            back = time.monotonic() - begin
            latencies = [self.timed_request() for _ in range(300)]
            held = open_files(self.first) - files
            grown = resident_bytes(self.first) - memory
        finally:
            crowd.stop()
        latencies.sort()
        print(f"\n    {crowd.opened} connections opened, {held} more files and "
              f"{grown / 1e6:.1f} MB more on the node; node-3 back after "
              f"{back:.2f} s; API p50 {statistics.median(latencies):.1f} ms, "
              f"p99 {latencies[296]:.1f} ms", file=sys.stderr)
        self.assert_logged("made way for a newer connection")
        self.assertLess(held, 80)
        self.assertLess(grown, 64e6)
        self.assertLess(back, 6)
        self.assertLess(latencies[296], 100)
        lines = [line for line in self.first.output.splitlines()
                 if f"refused {self.stranger.address}" in line]
        self.assertLess(len(lines), 20, lines)

    def timed_request(self):
        begin = time.monotonic()
        self.assertEqual(self.first.request("GET", "/health").status, 200)
        return (time.monotonic() - begin) * 1000

    # -- nodes ----------------------------------------------------------------

    def test_kill_9_and_return(self):
        self.cluster.leader().kill()
        killed = next(node for node in self.cluster.nodes if not node.running)
        begin = time.monotonic()
        survivor = self.cluster.running_nodes()[0]
        wait_until(lambda: survivor.leader() not in (None, killed.name),
                   "another leader", 10)
        print(f"\n    another leader after {time.monotonic() - begin:.2f} s",
              file=sys.stderr)
        killed.start()
        self.cluster.wait_until_whole()

    def test_a_node_without_certificates_is_refused_with_a_word(self):
        plain = harness.Node(self.cluster, 7)
        plain.start()
        try:
            wait_until(lambda: "is a node with certificates, but this one has "
                       "none" in plain.output, "the plain node's line", 15)
            wait_until(lambda: "is a node without certificates, but this one "
                       "has some" in self.first.output, "the TLS node's line",
                       15)
        finally:
            plain.kill()
        self.assertNotIn(plain.name, self.first.members())


class Crowd(threading.Thread):
    """Opens connections and keeps them, again and again as they close."""

    def __init__(self, stranger, node, count):
        super().__init__(daemon=True)
        self.stranger = stranger
        self.node = node
        self.count = count
        self.opened = 0
        self.connections = []
        self.is_stopping = threading.Event()

    def run(self):
        while not self.is_stopping.is_set():
            if len(self.connections) >= self.count:
                # The node has closed it long ago; another one in its place.
                self.connections.pop(0).close()
                time.sleep(0.002)
            try:
                self.connections.append(self.stranger.connect(self.node))
                self.opened += 1
            except OSError:
                time.sleep(0.01)

    def stop(self):
        self.is_stopping.set()
        self.join()
        for connection in self.connections:
            connection.close()


class ReplacementTest(unittest.TestCase):
    """Certificates change under a running cluster."""

    def test_a_new_authority_takes_over_without_a_stop(self):
        cluster = harness.Cluster(nodes=3, backends=0)
        old = Certificates(cluster.folder / "old")
        new = Certificates(cluster.folder / "new")
        # Each node has a folder of its own, as on a machine of its own.
        folders = {}
        for node in cluster.nodes:
            folder = folders[node.name] = cluster.folder / f"{node.name}-tls"
            folder.mkdir()
            pair = old.node(node.name, folder)
            self.trust(folder, old)
            node.overrides = tls_settings(*pair, folder / "trusted.pem")
        try:
            for node in cluster.nodes:
                node.start()
            cluster.wait_until_whole()
            self.replace(cluster, folders, old, new)
        except BaseException:
            cluster.dump()
            raise
        finally:
            cluster.stop()

    @staticmethod
    def trust(folder, *authorities):
        text = "".join(each.authority.read_text() for each in authorities)
        file = folder / "trusted.new"
        file.write_text(text)
        file.rename(folder / "trusted.pem")

    def replace(self, cluster, folders, old, new):
        first, second, third = cluster.nodes
        for folder in folders.values():
            self.trust(folder, old, new)
        # One node after the other gets a certificate of the new authority.
        for node in cluster.nodes:
            new.node(node.name, folders[node.name], force=True)
        # Only new connections use them: make some.
        third.kill()
        third.start()
        cluster.wait_until_whole()
        wait_until(lambda: "use the replaced certificate files" in first.output,
                   "node-1 has taken the new files", 10)
        # The old authority goes.
        for folder in folders.values():
            self.trust(folder, new)
        third.kill()
        third.start()
        cluster.wait_until_whole()
        stranger = Stranger(cluster, 200)
        self.assertEqual(stranger.handshake(first, old.node("node-9")), b"")
        wait_until(lambda: "CN=node-9" in first.output
                   and "is not signed by the cluster's authority"
                   in first.output, "the old authority is refused", 5)
        # A broken replacement changes nothing.
        (folders["node-1"] / "node-1.key").write_text("nonsense")
        stranger.handshake(first)
        wait_until(lambda: "the old ones stay in use" in first.output,
                   "the broken key is reported", 5)
        third.kill()
        third.start()
        cluster.wait_until_whole()


class ConfigurationTest(unittest.TestCase):
    """`config check` and `serve` refuse what would not work."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = harness.Cluster(nodes=1, backends=0)
        cls.certificates = Certificates(cls.cluster.folder / "ca")
        cls.certificate, cls.key = cls.certificates.node("node-1")

    def check(self, *settings, command=("config", "check")):
        arguments = []
        for setting in settings:
            arguments += ["--set", setting]
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("TROUPE_")}
        return subprocess.run([TROUPE, *command, *arguments], text=True,
                              capture_output=True, timeout=20, env=environment)

    def settings(self, **files):
        files = {"certificate": self.certificate, "key": self.key,
                 "authority": self.certificates.authority, **files}
        return ["cluster.name=test",
                *(f"tls.{name}={file}" for name, file in files.items())]

    def test_with_certificates_the_port_may_be_open(self):
        done = self.check(*self.settings(), "node.address=0.0.0.0")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = self.check("node.address=0.0.0.0")
        self.assertEqual(done.returncode, 2)
        self.assertIn("troupe certs", done.stderr)

    def test_what_is_wrong_is_named(self):
        other = Certificates(self.cluster.folder / "other")
        web = self.certificates.by_openssl("web", 10, [
            "subjectAltName=DNS:web.example",
            "extendedKeyUsage=serverAuth,clientAuth"])
        late = self.certificates.by_openssl("late", -1, [
            "subjectAltName=URI:troupe://test/node/late",
            "extendedKeyUsage=serverAuth,clientAuth"])
        for settings, expected in [
                (self.settings(key="/nowhere"), "can't read /nowhere"),
                (self.settings(key=web[1]), "is not the key of"),
                (self.settings(authority=other.authority),
                 "is not signed by the cluster's authority"),
                (self.settings(certificate=late[0], key=late[1]), "expired on"),
                (self.settings(certificate=web[0], key=web[1]),
                 "has no node role")]:
            with self.subTest(expected=expected):
                for command in [("config", "check"), ("serve",)]:
                    done = self.check(*settings, command=command)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn(expected, done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
