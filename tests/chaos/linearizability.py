"""Is the history of a register linearizable?

It is when every operation can be given a moment between its invocation and its
answer, so that the answers are those of a register used by one client at these
moments (Herlihy and Wing 1990). The search is that of Wing and Gong (1993) with
Lowe's memory of configurations (2017), as in Knossos and Porcupine: whoever
began before the first of the others ended may be next, and no pair of (set of
operations done, value) is tried twice.

A register has `read`, `write` and `cas` (compare-and-set). An operation of
unknown outcome may take effect at any time after its invocation, or never.
Values must be hashable; absent is None.
"""

import copy

from history import MISMATCH, NEVER, OK, UNKNOWN

# Configurations to try before giving up on a history.
LIMIT = 2_000_000


class Undecided(Exception):
    """The search took too long."""


class Verdict:
    """`linearizable`; if not, `counterexample` is a smallest part of the
    history that is not linearizable by itself, and `stuck` the operations of it
    that could not follow the longest linearization found, which is `prefix`."""

    def __init__(self, linearizable, counterexample=(), prefix=(), stuck=()):
        self.linearizable = linearizable
        self.counterexample = list(counterexample)
        self.prefix = list(prefix)
        self.stuck = list(stuck)

    def report(self):
        if self.linearizable:
            return "linearizable"
        lines = ["not linearizable; a smallest part that is not:"]
        lines += [f"  {operation}" for operation in self.counterexample]
        lines.append("  this much can be put in order:")
        lines += [f"    {operation}" for operation in self.prefix]
        lines.append("  and none of these can follow:")
        lines += [f"    {operation}" for operation in self.stuck]
        return "\n".join(lines)


def check(operations, initial=None, limit=LIMIT):
    """The verdict on the operations of one register."""
    relevant = _relevant(operations)
    if _linearize(relevant, initial, limit) is None:
        return Verdict(True)
    smallest = _shrink(relevant, initial, limit)
    prefix, stuck = _linearize(smallest, initial, limit)
    return Verdict(False, smallest, prefix, stuck)


def check_all(operations, limit=LIMIT):
    """{key: verdict} of the keys that are not linearizable, and the keys on
    which the search gave up."""
    keys = {}
    for operation in operations:
        keys.setdefault(operation.key, []).append(operation)
    wrong, undecided = {}, []
    for key, its in keys.items():
        try:
            verdict = check(its, limit=limit)
        except Undecided:
            undecided.append(key)
            continue
        if not verdict.linearizable:
            wrong[key] = verdict
    return wrong, undecided


def _relevant(operations):
    """Without what says nothing: reads without an answer, and what failed."""
    return [operation for operation in operations
            if operation.outcome in (OK, MISMATCH)
            or (operation.outcome == UNKNOWN and operation.kind != "read")]


def _after(operation, value):
    """(possible, new value) of the operation on a register with `value`."""
    if operation.kind == "write":
        return True, operation.value
    if operation.kind == "read":
        return operation.value == value, value
    if operation.outcome == MISMATCH:
        return operation.expected != value, value
    return operation.expected == value, operation.value


def _observed(operations):
    """Values on which an answer depends; None when any may matter."""
    if any(operation.outcome == MISMATCH for operation in operations):
        return None
    return {operation.value if operation.kind == "read"
            else operation.expected
            for operation in operations if operation.kind != "write"}


class _Search:
    """A depth-first search; each configuration is (first completed operation
    that is not done, which of the later ones are, which unknown ones are,
    value), as small numbers, because most of a history lies behind."""

    def __init__(self, operations, initial):
        by_start = sorted(operations, key=lambda one: one.invoked)
        self.known = [one for one in by_start if one.outcome != UNKNOWN]
        observed = _observed(operations)
        # Those whose effect nobody depends on never took effect.
        self.unknown = [one for one in by_start if one.outcome == UNKNOWN
                        and (observed is None or one.value in observed)]
        self.start = (0, 0, 0, initial)

    def is_over(self, configuration):
        return configuration[0] == len(self.known)

    def candidates(self, configuration):
        """Operations that may be next, and the configurations they lead to
        (None: the register would not answer so)."""
        base, done, unknown_done, value = configuration
        first_end, found = NEVER, []
        for i in range(base, len(self.known)):
            one = self.known[i]
            if one.invoked > first_end:
                break
            if not done >> (i - base) & 1:
                found.append(i)
                first_end = min(first_end, one.returned)
        for i in found:
            one = self.known[i]
            if one.invoked <= first_end:
                yield one, self._with_known(configuration, i)
        for i, one in enumerate(self.unknown):
            if one.invoked > first_end:
                break
            if not unknown_done >> i & 1:
                possible, new_value = _after(one, value)
                yield one, (base, done, unknown_done | 1 << i,
                            new_value) if possible else None

    def _with_known(self, configuration, i):
        base, done, unknown_done, value = configuration
        possible, new_value = _after(self.known[i], value)
        if not possible:
            return None
        done |= 1 << (i - base)
        while done & 1:
            base, done = base + 1, done >> 1
        return base, done, unknown_done, new_value


def _linearize(operations, initial, limit):
    """None when a linearization exists, else the longest prefix of one and the
    known operations that could not follow it."""
    search = _Search(operations, initial)
    if search.is_over(search.start):
        return None
    seen = {search.start}
    path, longest = [], []
    stuck_at = search.start
    # Configurations on the way, each with those of its candidates still to try.
    stack = [(search.start, search.candidates(search.start))]
    while stack:
        here, untried = stack[-1]
        following = next(((one, reached) for one, reached in untried
                          if reached is not None and reached not in seen), None)
        if following is None:
            if len(path) > len(longest):
                longest, stuck_at = list(path), here
            stack.pop()
            del path[-1:]
            continue
        one, reached = following
        if search.is_over(reached):
            return None
        seen.add(reached)
        if len(seen) > limit:
            raise Undecided(f"more than {limit} configurations")
        path.append(one)
        stack.append((reached, search.candidates(reached)))
    stuck = [one for one, reached in search.candidates(stuck_at)
             if reached is None and one.outcome != UNKNOWN]
    return longest, stuck


# Shrinking takes steps by which a linearizable history stays linearizable, so
# what is not linearizable after them was not so before. These are ending it
# earlier, leaving out a read or a mismatch, and then a write on whose value no
# answer depends. (Without a write that was read, the read would look like one
# of a value from nowhere.)

def _shrink(operations, initial, limit):
    """A part that is not linearizable and of which nothing can be left out."""
    operations = _shortest_beginning(operations, initial, limit)
    while True:
        size = len(operations)
        for removable in (_answers, _unobserved_writes):
            operations = _shrink_by(removable, operations, initial, limit)
        if len(operations) == size:
            return operations


def _beginning(operations, end):
    """What was known at that time: later answers were not."""
    result = []
    for one in operations:
        if one.invoked <= end < one.returned:
            one = copy.copy(one)
            one.outcome, one.returned = UNKNOWN, NEVER
        if one.invoked <= end:
            result.append(one)
    return _relevant(result)


def _shortest_beginning(operations, initial, limit):
    """By bisection: once it is not linearizable, it stays so."""
    ends = sorted(one.returned for one in operations if one.returned != NEVER)
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        begun = _beginning(operations, ends[middle])
        if _linearize(begun, initial, limit) is None:
            low = middle + 1
        else:
            high = middle
    return _beginning(operations, ends[high])


def _answers(operations):
    return [one for one in operations
            if one.kind == "read" or one.outcome == MISMATCH]


def _unobserved_writes(operations):
    observed = _observed(operations)
    return [one for one in operations if observed is not None
            and one.kind != "read" and one.value not in observed]


def _shrink_by(removable, operations, initial, limit):
    """Leaves out what it can, halves first (Zeller's delta debugging)."""
    size = len(operations)
    while size > 0:
        rest = removable(operations)
        for start in range(0, len(rest), size):
            chunk = set(map(id, rest[start:start + size]))
            smaller = [one for one in operations if id(one) not in chunk]
            if _linearize(smaller, initial, limit) is not None:
                operations = smaller
        size //= 2
    return operations
