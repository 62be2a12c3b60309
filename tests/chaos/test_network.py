#!/usr/bin/env python3
"""The switch does to a link what it is told, in the direction it is told."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import network
from network import CLIENTS, CUT, WHOLE, Link


class NetworkTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.network = network.Network([1, 2], cls.folder.name)
        cls.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        cls.sockets = {place: cls.socket_at(place) for place in (1, 2, CLIENTS)}

    @classmethod
    def tearDownClass(cls):
        for one in cls.sockets.values():
            one.close()
        cls.network.remove()
        cls.folder.cleanup()

    @classmethod
    def socket_at(cls, place):
        cls.network.enter(place)
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((cls.network.address(place), 5000))
        made.settimeout(0.2)
        return made

    def tearDown(self):
        self.network.heal()

    def received(self, start, to, count):
        """Numbers that arrive, in order, and the seconds until the last."""
        for number in range(count):
            self.sockets[start].sendto(
                str(number).encode(), (self.network.address(to), 5000))
        began, numbers, last = time.monotonic(), [], 0.0
        try:
            while len(numbers) < count:
                numbers.append(int(self.sockets[to].recv(100)))
                last = time.monotonic() - began
        except socket.timeout:
            pass
        return numbers, last

    def test_a_whole_network_delivers_all_in_order(self):
        for start, to in ((1, 2), (2, 1), (CLIENTS, 1), (2, CLIENTS)):
            self.assertEqual(self.received(start, to, 100)[0],
                             list(range(100)))

    def test_a_cut_is_silent_and_of_one_direction(self):
        self.network.set_links({(1, 2): CUT})
        self.assertEqual(self.received(1, 2, 10)[0], [])
        self.assertEqual(self.received(2, 1, 10)[0], list(range(10)))
        self.assertEqual(self.received(CLIENTS, 2, 10)[0], list(range(10)))
        self.network.set_links({(1, 2): WHOLE})
        self.assertEqual(self.received(1, 2, 10)[0], list(range(10)))

    def test_an_isolated_place_reaches_nobody(self):
        self.network.isolate(1)
        for start, to in ((1, 2), (2, 1), (CLIENTS, 1), (1, CLIENTS)):
            self.assertEqual(self.received(start, to, 5)[0], [])
        self.assertEqual(self.received(CLIENTS, 2, 5)[0], list(range(5)))

    def test_loss_takes_its_share(self):
        self.network.set_links({(1, 2): Link(loss=0.3)})
        arrived = sum(len(self.received(1, 2, 100)[0]) for _ in range(10))
        self.assertGreater(arrived, 600)
        self.assertLess(arrived, 800)

    def test_delay_holds_and_jitter_reorders(self):
        self.network.set_links({(1, 2): Link(delayed=1.0, delay_ms=80)})
        numbers, last = self.received(1, 2, 50)
        self.assertEqual(numbers, list(range(50)))
        self.assertGreaterEqual(last, 0.079)
        self.network.set_links({(1, 2): Link(delayed=0.5, delay_ms=50,
                                             jitter_ms=40)})
        numbers, _ = self.received(1, 2, 50)
        self.assertEqual(sorted(numbers), list(range(50)))
        self.assertNotEqual(numbers, sorted(numbers))

    def test_in_order_nothing_overtakes(self):
        self.network.set_links({(1, 2): Link(delayed=0.3, delay_ms=20,
                                             jitter_ms=20, in_order=True)})
        numbers, last = self.received(1, 2, 50)
        self.assertEqual(numbers, list(range(50)))
        self.assertGreater(last, 0.02)

    def test_nothing_stays_after_sigterm(self):
        child = subprocess.Popen(
            [sys.executable, "-c",
             "import network, sys, time\n"
             "n = network.Network([1], sys.argv[1])\n"
             "print('made', flush=True)\n"
             "time.sleep(60)", self.folder.name],
            cwd=network.HERE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(child.stdout.readline(), "made\n")
        child.send_signal(signal.SIGTERM)
        child.wait(20)
        child.stdout.close()
        listed = subprocess.run(["ip", "netns", "list"], capture_output=True,
                                text=True, check=True).stdout
        self.assertNotIn(f"-{child.pid}-", listed)


if __name__ == "__main__":
    network.skip_unless_possible()
    unittest.main(verbosity=2)
