"""What clients did: one record per operation, with when it began and ended."""

import json
import threading
import time

# FAILED: certainly took no effect. MISMATCH: a cas that found another value.
OK, FAILED, MISMATCH, UNKNOWN = "ok", "failed", "mismatch", "unknown"
# The end of an operation of which nobody knows whether it took effect: it may
# still do so.
NEVER = float("inf")


class Operation:
    """`kind` is read, write, cas, append or register. `value` is what was read
    (None: absent), written or added; `expected` what a cas replaces."""

    def __init__(self, process, kind, key, value=None, expected=None,
                 invoked=0.0, returned=NEVER, outcome=UNKNOWN, where=None,
                 detail=None):
        self.process = process
        self.kind = kind
        self.key = key
        self.value = value
        self.expected = expected
        self.invoked = invoked
        self.returned = returned
        self.outcome = outcome
        # Of the value, as the register tells it.
        self.version = None
        # The node that was asked, and what it said.
        self.where = where
        self.detail = detail

    def __repr__(self):
        call = {"read": f"read -> {self.value!r}",
                "cas": f"cas {self.expected!r} -> {self.value!r}"}.get(
                    self.kind, f"{self.kind} {self.value!r}")
        end = ("?" if self.returned == NEVER else f"{self.returned:.6f}")
        return (f"[{self.invoked:.6f} .. {end}] client {self.process} "
                f"{self.key}: {call}: {self.outcome}"
                + (f" ({self.where})" if self.where else ""))

    def as_json(self):
        return {name: value for name, value in vars(self).items()
                if value is not None and value != NEVER}


class History:
    """Operations of all clients, in the order in which they began."""

    def __init__(self):
        self.began = time.monotonic()
        self.operations = []
        self._lock = threading.Lock()

    def invoke(self, process, kind, key, **arguments):
        operation = Operation(process, kind, key, **arguments)
        with self._lock:
            self.operations.append(operation)
            operation.invoked = time.monotonic() - self.began
        return operation

    def complete(self, operation, outcome, detail=None):
        operation.detail = detail
        operation.outcome = outcome
        if outcome != UNKNOWN:
            operation.returned = time.monotonic() - self.began

    def of_kind(self, *kinds):
        return [operation for operation in self.operations
                if operation.kind in kinds]

    def count(self, outcome):
        return sum(operation.outcome == outcome
                   for operation in self.operations)

    def write(self, file):
        with open(file, "w") as out:
            for operation in self.operations:
                out.write(json.dumps(operation.as_json()) + "\n")
