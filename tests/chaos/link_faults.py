"""What can happen between nodes: {(from, to): Link} by kind of fault.

`places` are the nodes' in the network; clients reach all of them throughout.
"""

import itertools

from network import CUT, WHOLE, Link


def _both_ways(pairs):
    return {way: CUT for a, b in pairs for way in ((a, b), (b, a))}


def halves(random, places, _target):
    """Two groups that don't see each other."""
    mixed = random.sample(places, len(places))
    middle = len(places) // 2
    return _both_ways(itertools.product(mixed[:middle], mixed[middle:]))


def one(_random, places, target):
    """The target is alone."""
    return _both_ways((target, other) for other in places if other != target)


def bridge(random, places, target):
    """Two halves that only the target sees both of."""
    others = random.sample([place for place in places if place != target],
                           len(places) - 1)
    middle = len(others) // 2
    return _both_ways(itertools.product(others[:middle], others[middle:]))


def ring(random, places, _target):
    """Each hears a majority, and none the same as another: those before it in
    a ring. (With an even number of neighbours it would be symmetrical; this one
    is not, so some hear others that don't hear them.)"""
    order = random.sample(places, len(places))
    heard = len(places) // 2
    return {(order[i], order[k]): CUT
            for i in range(len(order)) for k in range(len(order))
            if i != k and (k - i) % len(order) > heard}


def one_way(random, places, target):
    """The target hears the others but can't be heard, or the other way."""
    deaf = random.random() < 0.5
    return {(other, target) if deaf else (target, other): CUT
            for other in places if other != target}


def _some_or_all(random, places, target, link):
    """All links, or the target's."""
    everywhere = random.random() < 0.5
    return {(a, b): link for a, b in itertools.permutations(places, 2)
            if everywhere or target in (a, b)}


def delay(random, places, target):
    most = random.choice([20, 60, 150])
    return _some_or_all(random, places, target,
                        Link(delayed=1.0, delay_ms=most / 2,
                             jitter_ms=most / 2))


def loss(random, places, target):
    return _some_or_all(random, places, target,
                        Link(loss=random.choice([0.02, 0.1, 0.3])))


def reorder(random, places, target):
    return _some_or_all(random, places, target,
                        Link(delayed=0.25, delay_ms=15, jitter_ms=15))


KINDS = {"halves": halves, "one": one, "bridge": bridge, "ring": ring,
         "one-way": one_way, "delay": delay, "loss": loss, "reorder": reorder}


def combined(places, active):
    """All links of the network while several faults hold at once."""
    result = {pair: WHOLE for pair in itertools.permutations(places, 2)}
    for links in active:
        for pair, link in links.items():
            before = result[pair]
            worse = link if link.delayed > before.delayed else before
            result[pair] = Link(before.cut or link.cut,
                                max(before.loss, link.loss), worse.delayed,
                                worse.delay_ms, worse.jitter_ms,
                                worse.in_order)
    return result
