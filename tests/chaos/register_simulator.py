"""Histories of a register that is linearizable by construction, and brute
force, to test the checker with."""

import itertools

from history import MISMATCH, NEVER, OK, UNKNOWN, Operation


def simulate(random, clients=5, count=100, unknown=0.0, key="x"):
    """A history of `count` operations by `clients` concurrent clients. Each
    takes effect at a drawn moment between its start and its answer; the share
    `unknown` of the writes gets no answer, and takes effect late, or never.
    Each write has a value of its own."""
    planned = []
    for client in range(clients):
        at = random.random()
        for _ in range(count // clients):
            end = at + random.expovariate(1.0) + 0.001
            planned.append((client, at, random.uniform(at, end), end))
            at = end + random.expovariate(2.0) + 0.001
    values = itertools.count(1)
    operations, effects = [], []
    for client, start, effect, end in planned:
        kind = random.choice(["read", "write", "cas"])
        one = Operation(client, kind, key, invoked=start, returned=end)
        if kind != "read":
            one.value = next(values)
        if kind != "read" and random.random() < unknown:
            one.returned = NEVER
            effect = effect + random.expovariate(0.2)
            if random.random() < 0.5:
                effect = NEVER
        operations.append(one)
        effects.append((effect, one))
    _take_effect(random, sorted(effects, key=lambda pair: pair[0]))
    return sorted(operations, key=lambda one: one.invoked)


def _take_effect(random, effects):
    value, earlier = None, [None]
    for effect, one in effects:
        one.outcome = UNKNOWN if one.returned == NEVER else OK
        if one.kind == "read":
            one.value = value
        elif one.kind == "cas":
            # Half of them expect what is there, as after a read.
            one.expected = (value if random.random() < 0.5
                            else random.choice(earlier))
        if effect == NEVER:
            continue
        if one.kind == "write":
            value = one.value
        elif one.kind == "cas" and one.expected == value:
            value = one.value
        elif one.kind == "cas" and one.outcome == OK:
            one.outcome = MISMATCH
        earlier.append(value)


def linearizable_by_brute_force(operations):
    """Tries all orders of all choices of unknown operations: for a handful."""
    known = [one for one in operations if one.outcome != UNKNOWN]
    unknown = [one for one in operations if one.outcome == UNKNOWN]
    return any(_can_follow(known + list(chosen), None, 0.0)
               for size in range(len(unknown) + 1)
               for chosen in itertools.combinations(unknown, size))


def _can_follow(rest, value, latest_start):
    """Whether some order of `rest` fits a register that has `value`, after an
    operation that began at `latest_start`."""
    if not rest:
        return True
    for i, one in enumerate(rest):
        if one.returned < latest_start:
            continue
        if one.kind == "read":
            fits, after = one.value == value, value
        elif one.kind == "write":
            fits, after = True, one.value
        elif one.outcome == MISMATCH:
            fits, after = one.expected != value, value
        else:
            fits, after = one.expected == value, one.value
        if fits and _can_follow(rest[:i] + rest[i + 1:], after,
                                max(latest_start, one.invoked)):
            return True
    return False
