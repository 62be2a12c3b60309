"""The maker of mutants on small texts; nothing is compiled."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from kinds import kinds, mutants_of  # noqa: E402
from ledger import (  # noqa: E402
    BadEntry, Ledger, Record, Table, entry, numbered, read_equivalent,
)  # fmt: skip
from suites import Suites  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


def changes(text, kind=None):
    """What each mutant of a text makes of the line it changes."""
    return [
        x.after for x in mutants_of("a.cpp", text) if kind is None or x.kind == kind
    ]


def body(text):
    return "int f(int a, int b) {\n" + text + "\n}\n"


class Kinds(unittest.TestCase):
    def check(self, kind, text, *expected):
        self.assertEqual(changes(body(text), kind), list(expected))

    def test_comparisons_move_by_one_or_turn_around(self):
        self.check("comparison", "return a < b;", "return a <= b;")
        self.check("comparison", "return a >= b;", "return a > b;")
        self.check("comparison", "return a == b;", "return a != b;")

    def test_literals_grow_by_one(self):
        self.check("literal", "return 7;", "return 8;")
        self.check("literal", "return 0x0fu;", "return 16u;")
        self.check("literal", "return 10'000;", "return 10001;")
        self.check("literal", "wait(5s);", "wait(6s);")
        self.check("literal", "return 1.5;")

    def test_limits_chosen_by_feel_stay(self):
        self.assertEqual(changes("constexpr int most = 512;\n"), [])
        self.assertEqual(changes("struct a {\n  int weight = 1;\n};\n"),
                         ["int weight = 2;"])
        self.assertEqual(changes("struct a {\n  virtual void f() = 0;\n};\n"), [])
        self.assertEqual(changes("enum class a { b = 1, c = 2 };\n"), [])

    def test_logic_and_arithmetic_are_swapped(self):
        self.check("logic", "return a && b;", "return a || b;")
        self.check("arithmetic", "return a + b;", "return a - b;")
        self.check("arithmetic", "a -= b;", "a += b;")
        self.check("arithmetic", "++a;", "--a;")
        self.check("arithmetic", "for (; a < b; ++a)\n  f();")

    def test_text_is_only_joined(self):
        self.check("arithmetic", 'return "a" + b;')
        self.check("arithmetic", 's += g() + ": " + h();')

    def test_conditions_are_inverted(self):
        self.check("condition", "if (a)\n  g();", "if (!(a))")
        self.check("condition", "while (a > b)\n  g();", "while (!(a > b))")
        self.check("condition", "if (auto x = g())\n  h();", "if (auto x = g(); !x)")
        self.check(
            "condition",
            "if (auto x = g(); x > 1)\n  h();",
            "if (auto x = g(); !(x > 1))",
        )
        self.check("condition", "return a ? b : 1;", "return !(a) ? b : 1;")

    def test_an_inversion_is_made_once(self):
        self.check("condition", "if (a == b)\n  g();")
        self.check("condition", "if (!a)\n  g();")
        self.check("negation", "if (!a)\n  g();", "if (a)")
        self.check("condition", "if constexpr (a)\n  g();")

    def test_guards_are_dropped_but_still_evaluated(self):
        self.check("guard", "if (a)\n  return b;", "if ((a) && false)")
        self.check("guard", "if (a) {\n  g();\n  return b;\n}", "if ((a) && false) {")
        self.check(
            "guard", "if (auto x = g())\n  return x;", "if (auto x = g(); x && false)"
        )
        self.check("guard", "if (a)\n  g();\nelse\n  h();")

    def test_statements_that_only_act_are_dropped(self):
        self.check("statement", "g(a);", ";")
        self.check("statement", "x.y->z[1] = a;", ";")
        self.check("statement", "if (a)\n  g();", ";")
        self.check("statement", "run([&] {\n  g();\n});", ";", ";")
        self.check("statement", "std::vector<int> x(a);")
        self.check("statement", "foo x{a};")
        self.check("statement", "auto x = g();")
        self.check("statement", "return g();")

    def test_the_lines_stay_as_many(self):
        text = body("g(a,\n  b);\nh();")
        for mutant in mutants_of("a.cpp", text):
            self.assertEqual(mutant.apply(text).count("\n"), text.count("\n"))

    def test_jumps_are_dropped(self):
        self.check("jump", "switch (a) {\ncase 1:\n  g();\n  break;\n}", ";")
        self.check("jump", "for (;;)\n  if (a)\n    break;")

    def test_booleans_and_twins_are_swapped(self):
        self.check("boolean", "return true;", "return false;")
        self.check("twin", "return std::min(a, b);", "return std::max(a, b);")
        self.check("twin", "return std::numeric_limits<int>::max();")
        self.check("twin", "x.front();", "x.back();")

    def test_nothing_else_is_touched(self):
        for text in (
            "// a < b && 1\n",
            "/* return 1; */\n",
            '#include "a/b-1.hpp"\n',
            "#define A(x) \\\n  (x + 1)\n",
            'auto x = "1 < 2 && !3";\n',
            'auto x = R"(if (a < 1) return;)";\n',
            "auto x = '1';\n",
            "static_assert(sizeof(int) == 4);\n",
            "template <class T, int N = 3>\nclass list;\n",
            "std::array<char, 16> x;\n",
            "bool operator<(a, b);\n",
            "void f(int&& x) noexcept(true);\n",
        ):
            self.assertEqual(changes(text), [], text)
        self.check(None, 'spdlog::warn("{} of {}", a + 1, b);')

    def test_members_of_a_class_are_no_statements(self):
        self.assertEqual(changes("class a {\n  a(int x);\n  void f();\n};\n"), [])

    def test_all_kinds_are_known(self):
        found = {
            x.kind
            for path in sorted((ROOT / "discovery").rglob("*.cpp"))
            for x in mutants_of(str(path), path.read_text())
        }
        self.assertEqual(found, set(kinds()))


class Places(unittest.TestCase):
    def test_equal_lines_are_told_apart(self):
        places = [x for x, _ in numbered(mutants_of("a", body("g();\nh();\ng();")))]
        self.assertEqual(len(places), 3)
        self.assertEqual(len(set(places)), 3)

    def test_a_place_survives_changes_elsewhere(self):
        before = mutants_of("a", body("g(a);"))
        after = mutants_of("a", "// More.\n\n" + body("int x;\ng(a);"))
        self.assertEqual([x.key for x in before], [x.key for x in after])


class EquivalentMutants(unittest.TestCase):
    def test_what_is_printed_can_be_listed_with_a_reason(self):
        (mutant,) = mutants_of("a/b.cpp", body("return a < b;"))
        listed = read_equivalent(f"# Known.\n\n{entry(mutant)}\n  never\n  equal\n")
        self.assertEqual(listed, {mutant.key: "never equal"})

    def test_an_entry_without_a_reason_is_refused(self):
        for text in (
            "a.cpp:1: literal\n- x = 1;\n+ x = 2;\n",
            "a.cpp:1: literal\n- x = 1;\n  why\n  why\n",
            "literal\n- x = 1;\n+ x = 2;\n  why\n",
            "a.cpp: literal\n- x = 1;\n+ x = 2;\nwhy\n",
        ):
            with self.assertRaises(BadEntry):
                read_equivalent(text)

    def test_the_list_of_this_tree_can_be_read(self):
        path = Path(__file__).with_name("equivalent.txt")
        for file, kind, before, after in read_equivalent(path.read_text()):
            self.assertTrue((ROOT / file).is_file(), file)
            self.assertIn(kind, set(kinds()))
            self.assertNotEqual(before, after)


class Results(unittest.TestCase):
    def test_outcomes_are_kept_and_the_last_one_counts(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "results"
            place = (("a.cpp", "literal", "x = 1;", "x = 2;"), 0)
            ledger = Ledger(file)
            self.assertIsNone(ledger.get(place))
            ledger.add(place, Record("survived"))
            ledger.add(place, Record("killed", "test_a: it adds", 1.0))
            with file.open("a") as out:
                out.write('{"mutant": ["cut')
            self.assertEqual(Ledger(file).get(place).outcome, "killed")

    def test_the_ratio_counts_real_mutants_only(self):
        table = Table()
        for outcome in ("not compiled", "same code", "equivalent"):
            table.count("a/b.cpp", outcome)
        table.count("a/b.cpp", "killed")
        table.count("a/b.cpp", "hung")
        table.count("a/c.cpp", "survived")
        self.assertAlmostEqual(table.ratio("a"), 200 / 3)
        self.assertEqual(list(table.folders()), ["a"])


class Concerned(unittest.TestCase):
    def test_suites_are_found_by_what_they_include(self):
        suites = Suites(ROOT)
        near = {
            suite.name: distance
            for suite, distance in suites.distances(
                "discovery/slots/slot_planner.cpp"
            ).items()
        }
        self.assertEqual(near["slot_planner"], 1)
        self.assertNotIn("proxy_exchange", near)

    def test_every_source_of_the_core_concerns_a_suite(self):
        suites = Suites(ROOT)
        for folder in ("discovery", "actors", "http"):
            for path in (ROOT / folder).rglob("*.cpp"):
                file = str(path.relative_to(ROOT))
                self.assertTrue(suites.distances(file), file)


if __name__ == "__main__":
    unittest.main()
