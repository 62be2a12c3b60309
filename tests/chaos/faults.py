"""Faults, the schedule that a seed draws of them, and carrying it out."""

import random

import link_faults

# What can happen to a node.
NODE_KINDS = ("kill", "kill-all", "pause", "disk-full", "slow-fsync", "clock")
KINDS = (*link_faults.KINDS, *NODE_KINDS)

# The cluster is left alone this long before the faults and after it converged.
QUIET_SECONDS = 1.5


class Fault:
    """`target`: "leader", or a node's number from 0. `seed` is that of what the
    fault draws itself, so that a schedule can be carried out again."""

    def __init__(self, kind, start, seconds, target, seed):
        self.kind = kind
        self.start = start
        self.seconds = seconds
        self.target = target
        self.seed = seed

    def __str__(self):
        return (f"{self.start:5.1f} s {self.kind} on {self.target} "
                f"for {self.seconds:.1f} s")

    def as_json(self):
        return vars(self)


def draw_schedule(seed, seconds, node_count, kinds=KINDS):
    """The faults of one run, by start. Some overlap, and the last hold to the
    end, where everything is healed at once."""
    engine = random.Random(seed)
    at, result = QUIET_SECONDS, []
    while at < seconds - QUIET_SECONDS:
        lasts = engine.uniform(1.0, 5.0)
        if at + 1.5 * lasts > seconds - QUIET_SECONDS:
            lasts = seconds - at
        for _ in range(1 if engine.random() < 0.7 else 2):
            target = ("leader" if engine.random() < 0.5
                      else engine.randrange(node_count))
            result.append(Fault(
                engine.choice(kinds), at + engine.uniform(0, lasts / 2), lasts,
                target, engine.getrandbits(32)))
        at += lasts * 1.5 + engine.uniform(0.2, 2.5)
    return sorted(result, key=lambda fault: fault.start)


class _Active:
    """A fault that holds, and on whom."""

    def __init__(self, fault, nodes):
        self.fault = fault
        self.nodes = nodes
        self.links = {}


class Conductor:
    """Makes faults on a cluster, and undoes them. Where several of a kind hold
    on one node, the first to end ends it: what counts is that `heal_all` leaves
    nothing behind."""

    def __init__(self, cluster, log):
        self._cluster = cluster
        self._log = log
        self._active = []
        self._places = [node.place for node in cluster.nodes]

    def inject(self, fault):
        nodes = self._cluster.nodes
        if fault.kind == "kill-all":
            targets = list(nodes)
        elif fault.target == "leader":
            targets = [self._cluster.leader() or nodes[0]]
        else:
            targets = [nodes[fault.target]]
        active = _Active(fault, targets)
        engine = random.Random(fault.seed)
        if fault.kind in link_faults.KINDS:
            active.links = link_faults.KINDS[fault.kind](
                engine, self._places, targets[0].place)
        self._active.append(active)
        self._log(f"{fault.kind} on {', '.join(n.name for n in targets)}")
        self._set_links()
        for node in targets:
            self._begin(fault.kind, node, engine)
        return active

    @staticmethod
    def _begin(kind, node, engine):
        if kind in ("kill", "kill-all"):
            node.kill()
        elif kind == "pause":
            node.pause()
        elif kind == "disk-full":
            node.doomed = True
            node.disk.fill()
        elif kind == "slow-fsync":
            node.disk.fsync_delay(engine.choice([50, 200, 800]))
        elif kind == "clock":
            node.set_clock(engine.choice([-86400, -3600, -5, 5, 3600, 86400]))

    def heal(self, active):
        if active not in self._active:
            return
        self._active.remove(active)
        self._log(f"{active.fault.kind} healed")
        self._set_links()
        for node in active.nodes:
            self._end(active.fault.kind, node)

    @staticmethod
    def _end(kind, node):
        if kind == "pause":
            node.resume()
        elif kind == "disk-full":
            node.disk.free()
            node.start_again()
        elif kind == "slow-fsync":
            node.disk.fsync_delay(0)
        elif kind == "clock":
            node.set_clock(0)
        elif kind in ("kill", "kill-all"):
            node.start_again()

    def heal_all(self):
        for active in list(self._active):
            self.heal(active)
        for node in self._cluster.nodes:
            node.resume()
            node.start_again()
        self._log("all healed")

    def _set_links(self):
        self._cluster.network.set_links(link_faults.combined(
            self._places, [active.links for active in self._active]))


def conduct(schedule, seconds, conductor, clock, wait):
    """Carries the schedule out. `clock()` tells the seconds since the start,
    `wait(seconds)` waits."""
    steps = []
    for fault in schedule:
        steps.append((fault.start, 0, fault))
        steps.append((fault.start + fault.seconds, 1, fault))
    held = {}
    for at, ends, fault in sorted(steps, key=lambda step: step[:2]):
        wait(max(0.0, min(at, seconds) - clock()))
        if ends:
            conductor.heal(held[fault])
        else:
            held[fault] = conductor.inject(fault)
    wait(max(0.0, seconds - clock()))
    conductor.heal_all()
