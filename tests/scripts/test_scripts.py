"""What each script of scripts/ owes to who runs it for the first time."""

import os
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def run(command, **options):
    """Exit code and output; what takes longer than five seconds is ended."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )
    try:
        output, _ = process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    return process.returncode, output


class Help(unittest.TestCase):
    def test_each_script_answers_help_and_does_nothing_else(self):
        scripts = [x for x in SCRIPTS.iterdir() if os.access(x, os.X_OK)]
        self.assertGreater(len(scripts), 10)
        for script in scripts:
            with self.subTest(script.name), tempfile.TemporaryDirectory() as run_in:
                code, output = run([script, "--help"], cwd=run_in)
                self.assertEqual(code, 0, output)
                self.assertIn(f"scripts/{script.name}", output)
                self.assertEqual(os.listdir(run_in), [])

    def test_arguments_that_up_and_down_do_not_take_are_refused(self):
        for name in ("up", "down"):
            code, output = run([SCRIPTS / name, "--hlep"])
            self.assertEqual(code, 2)
            self.assertIn(f"see scripts/{name} --help", output)


class Processes(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def bash(self, text):
        code, output = run(
            ["bash", "-euc", f". {SCRIPTS}/processes\n{text}"],
            env=dict(os.environ, TROUPE_RUN=self.folder.name),
        )
        self.assertEqual(code, 0, output)
        return output.split()

    def test_a_pid_file_holds_the_pid_alone(self):
        pid, known = self.bash(
            "launch sleeper sleep 60; cat $run/pids/sleeper; "
            "running sleeper; echo $pid; stop sleeper 5"
        )
        self.assertEqual(pid, known)
        self.assertRegex(pid, r"^\d+$")
        self.assertEqual(os.listdir(Path(self.folder.name) / "pids"), [])

    def test_a_pid_that_another_process_has_now_is_not_ours(self):
        answer = self.bash(
            "launch sleeper sleep 60; pid=$(cat $run/pids/sleeper); "
            "echo 1 > $run/sleeper/started; "
            "if running sleeper; then echo ours; else echo foreign; fi; "
            "stop sleeper 5; kill -0 $pid && echo alive; kill $pid"
        )
        self.assertEqual(answer, ["foreign", "alive"])


if __name__ == "__main__":
    unittest.main()
