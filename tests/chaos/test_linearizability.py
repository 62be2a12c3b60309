#!/usr/bin/env python3
"""The checker takes correct histories and finds planted violations."""

import copy
import random
import time
import unittest

import linearizability
from history import FAILED, MISMATCH, NEVER, OK, UNKNOWN, Operation
from register_simulator import linearizable_by_brute_force, simulate

SEEDS = range(100)


def history(*lines):
    """From (client, start, end, kind, value[, expected]); an end of None is an
    unknown outcome, a kind of "mismatch" a cas that found another value."""
    result = []
    for client, start, end, kind, value, *expected in lines:
        outcome = UNKNOWN if end is None else OK
        if kind == "mismatch":
            kind, outcome = "cas", MISMATCH
        result.append(Operation(
            client, kind, "x", value, expected[0] if expected else None, start,
            NEVER if end is None else end, outcome))
    return result


class CheckerTest(unittest.TestCase):
    def takes(self, *lines):
        verdict = linearizability.check(history(*lines))
        self.assertTrue(verdict.linearizable, verdict.report())

    def finds(self, *lines, smallest=None):
        verdict = linearizability.check(history(*lines))
        self.assertFalse(verdict.linearizable)
        if smallest is not None:
            self.assertEqual(len(verdict.counterexample), smallest,
                             verdict.report())
        return verdict

    def test_plain_histories(self):
        self.takes()
        self.takes((1, 0, 1, "read", None))
        self.takes((1, 0, 1, "write", 1), (1, 2, 3, "read", 1))
        self.takes((1, 0, 1, "cas", 1, None), (1, 2, 3, "cas", 2, 1),
                   (2, 4, 5, "mismatch", 3, 1), (2, 6, 7, "read", 2))

    def test_concurrent_operations_may_go_either_way(self):
        self.takes((1, 0, 10, "write", 1), (2, 1, 2, "read", None),
                   (2, 3, 4, "read", 1))
        self.takes((1, 0, 10, "write", 1), (2, 0, 10, "write", 2),
                   (3, 11, 12, "read", 1))

    def test_unknown_may_take_effect_at_any_later_time_or_never(self):
        self.takes((1, 0, None, "write", 1), (2, 1, 2, "read", None),
                   (2, 3, 4, "read", 1))
        self.takes((1, 0, None, "write", 1), (2, 1, 2, "read", None))
        self.takes((1, 0, None, "cas", 1, None), (2, 1, 2, "write", 2),
                   (2, 3, 4, "read", 2))
        self.takes((1, 0, None, "write", 1), (2, 1, 2, "write", 2),
                   (2, 3, 4, "mismatch", 3, 2))

    def test_unknown_takes_effect_once_and_not_before_it_began(self):
        self.finds((1, 0, None, "write", 1), (2, 1, 2, "read", 1),
                   (2, 3, 4, "write", 2), (2, 5, 6, "read", 2),
                   (2, 7, 8, "read", 1))
        self.finds((2, 0, 1, "read", 1), (1, 2, None, "write", 1), smallest=1)

    def test_failed_operations_say_nothing(self):
        lines = history((1, 0, 1, "write", 1), (2, 2, 3, "read", None))
        lines[0].outcome = FAILED
        self.assertTrue(linearizability.check(lines).linearizable)

    def test_stale_read(self):
        verdict = self.finds((1, 0, 1, "write", 1), (1, 2, 3, "write", 2),
                             (2, 2.5, 2.6, "read", 1), (3, 4, 5, "read", 2),
                             (2, 6, 7, "read", 1), (3, 8, 9, "read", 2),
                             smallest=3)
        self.assertIn("read -> 1", verdict.report())
        self.assertIn("none of these can follow", verdict.report())

    def test_lost_write(self):
        self.finds((1, 0, 1, "write", 1), (2, 2, 3, "write", 2),
                   (1, 4, 5, "read", 1), smallest=3)
        self.finds((1, 0, 1, "write", 1), (1, 2, 3, "read", None), smallest=2)

    def test_cas_that_succeeded_twice(self):
        verdict = self.finds((1, 0, 1, "write", 1), (2, 2, 3, "cas", 2, 1),
                             (3, 2, 3, "cas", 3, 1), (1, 4, 5, "read", 3),
                             smallest=3)
        self.assertEqual(len(verdict.stuck), 1)

    def test_read_of_what_nobody_wrote(self):
        self.finds((1, 0, 1, "write", 1), (2, 0, 3, "read", 7), smallest=1)

    def test_time_travel(self):
        """A read of a value that is written only later."""
        self.finds((2, 0, 1, "read", 1), (1, 2, 3, "write", 1), smallest=1)

    def test_mismatch_that_should_have_matched(self):
        self.finds((1, 0, 1, "write", 1), (2, 2, 3, "mismatch", 2, 1),
                   smallest=2)

    def test_keys_are_registers_of_their_own(self):
        mixed = history((1, 0, 1, "write", 1), (1, 2, 3, "read", None),
                        (1, 4, 5, "write", 2), (1, 6, 7, "read", 2))
        mixed[2].key = mixed[3].key = mixed[0].key = "y"
        wrong, undecided = linearizability.check_all(mixed)
        self.assertEqual((wrong, undecided), ({}, []))
        mixed[3].value = 1
        self.assertEqual(list(linearizability.check_all(mixed)[0]), ["y"])

    def test_simulated_registers_are_linearizable(self):
        for seed in SEEDS:
            for unknown in (0.0, 0.2):
                made = simulate(random.Random(seed), unknown=unknown)
                verdict = linearizability.check(made)
                self.assertTrue(verdict.linearizable,
                                f"seed {seed}\n{verdict.report()}")

    def test_a_planted_stale_read_is_found(self):
        for seed in SEEDS:
            made = simulate(random.Random(seed), unknown=0.1)
            reads = [one for one in made if one.kind == "read"]
            # What was read before the last but one read began is overwritten
            # for good, or the reads agree and there is nothing to plant.
            old = [one.value for one in reads
                   if one.returned < reads[-2].invoked]
            last = max(made, key=lambda one: one.invoked)
            stale = Operation(9, "read", "x", old[0], None, last.invoked + 50,
                              last.invoked + 51, OK)
            between = [value for value in old if value != old[0]]
            if between:
                self.assertFalse(
                    linearizability.check(made + [stale]).linearizable,
                    f"seed {seed}")

    def test_agrees_with_brute_force(self):
        """Small histories with an answer changed at random."""
        verdicts = {True: 0, False: 0}
        for seed in range(400):
            engine = random.Random(seed)
            made = simulate(engine, clients=3, count=6, unknown=0.3)
            one = engine.choice(made)
            if engine.random() < 0.7:
                if one.kind == "read":
                    one.value = engine.choice([None, 1, 2, 3])
                elif one.kind == "cas" and one.outcome != UNKNOWN:
                    one.outcome = OK if one.outcome == MISMATCH else MISMATCH
            expected = linearizable_by_brute_force(made)
            verdicts[expected] += 1
            verdict = linearizability.check(made)
            self.assertEqual(verdict.linearizable, expected, f"seed {seed}")
            if not expected:
                self.check_counterexample(verdict.counterexample, seed)
        self.assertGreater(min(verdicts.values()), 80, verdicts)

    def check_counterexample(self, smallest, seed):
        self.assertFalse(linearizable_by_brute_force(smallest), f"seed {seed}")

    def test_history_is_left_as_it_was(self):
        made = simulate(random.Random(1), unknown=0.2)
        before = copy.deepcopy([vars(one) for one in made])
        linearizability.check(made)
        self.assertEqual([vars(one) for one in made], before)

    def test_thousands_of_operations_take_seconds(self):
        began = time.monotonic()
        made = simulate(random.Random(7), count=5000, unknown=0.02)
        self.assertTrue(linearizability.check(made).linearizable)
        seconds = time.monotonic() - began
        print(f"5000 operations on one key took {seconds:.2f} s")
        self.assertLess(seconds, 20)


if __name__ == "__main__":
    unittest.main(verbosity=2)
