"""A name server for tests: answers SRV and A queries over UDP from a table."""

import socket
import struct
import threading

TYPE_A, TYPE_SRV, CLASS_INTERNET = 1, 33, 1
NAME_ERROR = 3


def _encode(name):
    return b"".join(bytes([len(label)]) + label.encode()
                    for label in name.split(".") if label) + b"\0"


def _question(packet):
    """Name, type and the question's bytes (RFC 1035 §4.1.2)."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode())
        at += 1 + packet[at]
    kind, = struct.unpack_from("!H", packet, at + 1)
    return ".".join(labels).lower(), kind, packet[12:at + 5]


class NameServer:
    def __init__(self, address, port):
        self.address, self.port = address, port
        # Lists of (priority, weight, port, host) and of addresses, by name.
        self.srv, self.hosts = {}, {}
        # While true, every query is taken and none answered.
        self.silent = False
        # What answers are replaced by, if anything.
        self.garbage = None
        self.queries = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self):
        self._socket.close()

    def _serve(self):
        while True:
            try:
                packet, client = self._socket.recvfrom(4096)
                self.queries += 1
                if not self.silent:
                    self._socket.sendto(self._answer(packet), client)
            except OSError:
                return

    def _answer(self, packet):
        name, kind, question = _question(packet)
        if self.garbage is not None:
            return packet[:2] + self.garbage
        known = name in self.srv or name in self.hosts
        records = []
        if kind == TYPE_SRV:
            records = [struct.pack("!HHH", *record[:3]) + _encode(record[3])
                       for record in self.srv.get(name, [])]
        elif kind == TYPE_A:
            records = [socket.inet_aton(address)
                       for address in self.hosts.get(name, [])]
        flags = 0x8180 | (0 if known else NAME_ERROR)
        header = packet[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
        return header + question + b"".join(
            struct.pack("!HHHIH", 0xC00C, kind, CLASS_INTERNET, 30, len(data))
            + data for data in records)
