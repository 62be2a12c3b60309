"""One network namespace per node and one for the clients, on a switch of ours.

The switch (`switch.c`, compiled when it is needed) is a process of its own with
a TAP device in each namespace. It takes the place of a kernel bridge with
netem: it needs no kernel module but `tun`, sets loss, delay and cuts per
direction of each pair, and hides from the sender what it did, which netem on
the sending side does not. No device, address or rule of the host is touched.
"""

import atexit
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
PREFIX = "troupe-chaos"
# The clients' place in the network; nodes count from 1.
CLIENTS = 200
# What ctest takes for "skipped".
SKIPPED = 77

CLONE_NEWNET = 0x40000000

_open_networks = []


@atexit.register
def _remove_all():
    for network in list(_open_networks):
        network.remove()


def _end(*_):
    # A second one must not end the cleaning up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(1)


# What is made here must go when ctest ends the test by SIGTERM, too.
signal.signal(signal.SIGTERM, _end)


def skip_unless_possible():
    """Ends the process with ctest's code for "skipped" where namespaces can't
    be made."""
    reason = None
    if os.geteuid() != 0:
        reason = "network namespaces need root"
    elif not os.path.exists("/dev/net/tun"):
        reason = "there is no /dev/net/tun"
    else:
        for tool in ("ip", "gcc"):
            if shutil.which(tool) is None:
                reason = f"'{tool}' is missing (scripts/install chaos)"
    if reason is None:
        name = f"{PREFIX}-{os.getpid()}-try"
        made = subprocess.run(["ip", "netns", "add", name],
                              capture_output=True, text=True)
        if made.returncode == 0:
            _ip("netns", "delete", name)
        else:
            reason = made.stderr.strip()
    if reason is not None:
        print(f"skipped: {reason}")
        raise SystemExit(SKIPPED)


def compile_c(source, output, *flags):
    """Compiles one of this folder's C files."""
    subprocess.run(["gcc", "-O2", "-o", str(output), *flags,
                    str(HERE / source), "-ldl"], check=True)


def remove_leftovers():
    """Removes namespaces of runs that were killed."""
    listed = subprocess.run(["ip", "netns", "list"], check=True,
                            capture_output=True, text=True).stdout
    for line in listed.splitlines():
        name = line.split()[0]
        if name.startswith(PREFIX + "-"):
            pid = name[len(PREFIX) + 1:].split("-")[0]
            if not os.path.exists(f"/proc/{pid}"):
                _ip("netns", "delete", name)


def _ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


class Link:
    """One direction of a pair. `delayed`: the share of frames held back for
    `delay_ms` plus or minus `jitter_ms`; since each frame draws its own delay,
    jitter reorders, unless `in_order`: then those behind a held frame wait with
    it, and TCP can't make up for the delay by sending again."""

    def __init__(self, cut=False, loss=0.0, delayed=0.0, delay_ms=0,
                 jitter_ms=0, in_order=False):
        self.cut = cut
        self.loss = loss
        self.delayed = delayed
        self.delay_ms = delay_ms
        self.jitter_ms = jitter_ms
        self.in_order = in_order

    def line(self):
        return (f"{int(self.cut)} {int(self.loss * 1e6)} "
                f"{int(self.delayed * 1e6)} {int(self.delay_ms * 1000)} "
                f"{int(self.jitter_ms * 1000)} {int(self.in_order)}")


WHOLE = Link()
CUT = Link(cut=True)


class Network:
    """Places 1 to `nodes`, and the clients'. Place N has the address
    10.77.0.N in all runs: nothing of one run is visible to another."""

    def __init__(self, places, folder):
        remove_leftovers()
        self.places = list(places)
        self._folder = pathlib.Path(folder)
        self._switch = None
        self._made = []
        _open_networks.append(self)
        program = self._folder / "switch"
        compile_c("switch.c", program)
        for place in self._all():
            _ip("netns", "add", self.namespace(place))
            self._made.append(place)
        self._switch = subprocess.Popen(
            [program, *(f"{self.namespace(place)}={place}"
                        for place in self._all())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            # Not for the terminal's Ctrl-C: cleaning up needs it.
            start_new_session=True)
        self._expect_ok(1)
        for place in self._all():
            self._configure(place)

    def _all(self):
        return [*self.places, CLIENTS]

    @staticmethod
    def namespace(place):
        return f"{PREFIX}-{os.getpid()}-{place}"

    @staticmethod
    def address(place):
        return f"10.77.0.{place}"

    def _configure(self, place):
        commands = [
            "link set lo up",
            f"link set eth0 address 02:00:00:00:00:{place:02x}",
            f"address add {self.address(place)}/24 dev eth0",
            "link set eth0 up txqueuelen 10000",
        ]
        # A cut link must be silent. Without these, its neighbour entries would
        # expire and connecting fail with "no route to host".
        commands += [
            f"neighbour replace {self.address(other)} lladdr "
            f"02:00:00:00:00:{other:02x} dev eth0 nud permanent"
            for other in self._all() if other != place]
        subprocess.run(["ip", "-n", self.namespace(place), "-batch", "-"],
                       input="\n".join(commands), text=True, check=True)

    def inside(self, place):
        """What to put before a command to run it there. It does not outlive
        the thread that starts it."""
        return ["ip", "netns", "exec", self.namespace(place),
                "setpriv", "--pdeathsig", "KILL", "--"]

    def enter(self, place=CLIENTS):
        """Moves the calling thread there, and threads it starts from now on."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/run/netns/{self.namespace(place)}") as handle:
            if libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def set_links(self, links):
        """`links`: {(from, to): Link}. In effect when this returns."""
        self._switch.stdin.write("".join(
            f"{a} {b} {link.line()}\n" for (a, b), link in links.items()))
        self._switch.stdin.flush()
        self._expect_ok(len(links))

    def isolate(self, place):
        """Takes the place's cable out, the clients' way to it included."""
        self.set_links({pair: CUT for other in self._all() if other != place
                        for pair in ((place, other), (other, place))})

    def heal(self):
        self.set_links({(a, b): WHOLE for a in self._all()
                        for b in self._all() if a != b})

    def _expect_ok(self, count):
        for _ in range(count):
            answer = self._switch.stdout.readline().strip()
            if answer != "ok":
                raise RuntimeError(f"the switch says {answer!r}")

    def remove(self):
        if self in _open_networks:
            _open_networks.remove(self)
        if self._switch is not None:
            self._switch.stdin.close()
            try:
                self._switch.wait(5)
            except subprocess.TimeoutExpired:
                self._switch.kill()
                self._switch.wait()
        for place in self._made:
            subprocess.run(["ip", "netns", "delete", self.namespace(place)],
                           check=False)
        self._made = []
