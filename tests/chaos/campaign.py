"""See scripts/chaos."""

import argparse
import os
import pathlib
import shutil
import sys
import time

sys.dont_write_bytecode = True
import cluster as clusters  # noqa: E402
import disk  # noqa: E402
import faults  # noqa: E402
import judgement  # noqa: E402
import monitor  # noqa: E402
import network  # noqa: E402
import workload  # noqa: E402

CONVERGENCE_SECONDS = 5.0
# When to stop waiting for a cluster that does not converge.
PATIENCE_SECONDS = 30.0


class Run:
    """One seed: its schedule, a cluster of its own, and what came of it."""

    def __init__(self, net, folder, seed, options):
        self.seed = seed
        self.folder = folder
        self.schedule = faults.draw_schedule(
            seed, options.minutes * 60, options.nodes, options.faults)
        self.violations = []
        self.convergence = None
        self.history = None
        self._options = options
        self._began = time.monotonic()
        self._journal = open(folder / "journal", "w")
        self.cluster = clusters.Cluster(
            net, folder, net.places,
            {fault.kind for fault in self.schedule})

    def log(self, text):
        self._journal.write(f"{time.monotonic() - self._began:7.2f} {text}\n")
        self._journal.flush()

    def carry_out(self):
        (self.folder / "schedule").write_text(
            "".join(f"{fault}\n" for fault in self.schedule))
        self.cluster.network.heal()
        try:
            self.log(f"formed in {self.cluster.start():.2f} s")
            self._torment()
            self._judge()
        except Exception as failure:  # pylint: disable=broad-except
            self.violations.append(f"the run failed: {failure!r}")
        finally:
            self.cluster.stop()
            self._judge_outputs()
            self.cluster.remove_disks()
        (self.folder / "violations").write_text("\n".join(self.violations))
        self._journal.close()

    def _torment(self):
        hosts = {node.name: node.address for node in self.cluster.nodes}
        self.watch = monitor.Monitor(self.cluster).start()
        load = workload.Workload(
            hosts, self.seed, with_keys=self._has_keys(),
            local_reads=self._options.local_reads).start()
        conductor = faults.Conductor(self.cluster, self.log)
        began = time.monotonic()
        try:
            faults.conduct(self.schedule, self._options.minutes * 60,
                           conductor, lambda: time.monotonic() - began,
                           time.sleep)
            self._wait_for_convergence()
            time.sleep(faults.QUIET_SECONDS)
        finally:
            self.history = load.stop()
            self.watch.stop()
            self.history.write(self.folder / "history")

    def _has_keys(self):
        """Whether this build knows the catalog's keys."""
        answer = self.cluster.nodes[0].request(
            "PUT", workload.key_path("probe"), {"value": 0})
        return answer.status != 404

    def _wait_for_convergence(self):
        healed = time.monotonic()
        while True:
            wrong = self.cluster.disagreement()
            self.convergence = time.monotonic() - healed
            if wrong is None:
                break
            if self.convergence > PATIENCE_SECONDS:
                self.violations.append(f"not converged: {wrong}")
                return
            time.sleep(0.05)
        self.log(f"converged after {self.convergence:.2f} s")
        if self.convergence > CONVERGENCE_SECONDS:
            self.violations.append(
                f"converged only {self.convergence:.1f} s after healing")

    def _wait_until_applied(self):
        """A node answers from what it applied, which may be a moment behind."""
        index = max(node.get("cluster")["appliedIndex"]
                    for node in self.cluster.nodes)
        for node in self.cluster.nodes:
            clusters.harness.wait_until(
                lambda: node.get("cluster")["appliedIndex"] >= index,
                f"{node.name} has applied all", CONVERGENCE_SECONDS)

    def _judge(self):
        self._wait_until_applied()
        operations = self.history.operations
        self._judge_servers()
        self._judge_sets()
        self._read_registers()
        self.violations += judgement.registers(
            self.history.of_kind("read", "write", "cas"))
        self.violations += judgement.refused_firsts(operations)
        self._judge_leaders()
        self.violations += judgement.too_little(
            self.history, self._options.minutes * 60)

    def _judge_servers(self):
        for node in self.cluster.nodes:
            ports = [server["port"] for server
                     in node.get("loadbalancer/stats")["servers"]
                     if server["service"] == workload.SERVICE]
            self.violations += judgement.elements(
                self.history.of_kind("register"), ports,
                f"the servers of {node.name}")

    def _judge_sets(self):
        appends = self.history.of_kind("append")
        for key in sorted({operation.key for operation in appends}):
            its = [one for one in appends if one.key == key]
            for node in self.cluster.nodes:
                answer = node.request(
                    "GET", workload.key_path(key) + "?consistent=true")
                found = answer.data["value"] if answer.status == 200 else []
                self.violations += judgement.elements(
                    its, found, f"{key} on {node.name}")

    def _read_registers(self):
        """Once more, from each node, as part of the histories."""
        client = {node.name: workload.Client(
            1000 + node.place, {node.name: node.address}, self.history,
            workload.Values(), self.seed) for node in self.cluster.nodes}
        keys = sorted({one.key for one
                       in self.history.of_kind("read", "write", "cas")})
        for key in keys:
            for name, reader in client.items():
                reader.read(name, key)

    def _judge_leaders(self):
        seen = set(self.watch.leaders_seen)
        for node in self.cluster.nodes:
            for event in monitor.events(node):
                seen |= judgement.leaders_in(event["message"],
                                             f"events of {node.name}")
        self.terms = len({term for term, _, _ in seen})
        self.violations += judgement.leaders(seen)

    def _judge_outputs(self):
        for node in self.cluster.nodes:
            self.violations += [f"crash: {end}" for end in node.crashes]
            if node.output_file.exists():
                self.violations += judgement.breakage(node.name, node.output)
                self.violations += judgement.ended_actors(node.name,
                                                          node.output)

    def row(self):
        count = (judgement.outcomes(self.history) if self.history
                 else {"ok": 0, "failed": 0, "mismatch": 0, "unknown": 0})
        converged = ("-" if self.convergence is None
                     else f"{self.convergence:.2f}")
        return (f"{self.seed:6}{len(self.schedule):8}{count['ok']:8}"
                f"{count['failed'] + count['mismatch']:9}"
                f"{count['unknown']:9}{converged:>12}"
                f"{len(self.violations):12}")


HEAD = (f"{'seed':>6}{'faults':>8}{'ok':>8}{'refused':>9}{'unknown':>9}"
        f"{'converged s':>12}{'violations':>12}")


def seeds_of(text):
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def kinds_of(text):
    kinds = tuple(text.split(","))
    unknown = set(kinds) - set(faults.KINDS)
    if unknown:
        raise argparse.ArgumentTypeError(
            f"no such fault: {', '.join(sorted(unknown))}; there are "
            + ", ".join(faults.KINDS))
    return kinds


def parse(arguments):
    options = argparse.ArgumentParser(prog="scripts/chaos")
    options.add_argument("--seed", "--seeds", dest="seeds", type=seeds_of,
                         default=seeds_of("1"), metavar="N or A-B")
    options.add_argument("--minutes", type=float, default=0.5,
                         help="length of each seed's run (default 0.5)")
    options.add_argument("--nodes", type=int, choices=(3, 5), default=3)
    options.add_argument("--faults", type=kinds_of, default=None,
                         metavar="KIND,...", help=", ".join(faults.KINDS))
    options.add_argument("--local-reads", action="store_true",
                         help="reads may be stale: to see that it is found")
    options.add_argument("--output", type=pathlib.Path,
                         default=clusters.ROOT / "build" / "chaos",
                         help="folder of the logs of seeds with violations")
    options.add_argument("--keep", action="store_true",
                         help="keep the logs of all seeds")
    options = options.parse_args(arguments)
    if options.faults is None:
        options.faults = tuple(kind for kind in faults.KINDS
                               if kind != "clock" or clusters.FAKETIME)
        if not clusters.FAKETIME:
            print("no clock jumps: libfaketime is missing")
    return options


def main(arguments=None):
    options = parse(arguments)
    network.skip_unless_possible()
    if not os.access(clusters.harness.TROUPE, os.X_OK):
        raise SystemExit(f"chaos: no program {clusters.harness.TROUPE}: build "
                         "it, or name one in TROUPE_BINARY")
    options.output = options.output.resolve()
    options.output.mkdir(parents=True, exist_ok=True)
    disk.unmount_below(options.output)
    net = network.Network(range(1, options.nodes + 1), options.output)
    net.enter()
    rows, failed = [], []
    print(HEAD, flush=True)
    for seed in options.seeds:
        folder = options.output / f"seed-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        run = Run(net, folder, seed, options)
        run.carry_out()
        rows.append(run.row())
        print(rows[-1], flush=True)
        if run.violations:
            failed.append(seed)
            for text in run.violations[:5]:
                print("       " + text.replace("\n", "\n       "), flush=True)
            print(f"       kept: {folder}", flush=True)
        elif not options.keep:
            shutil.rmtree(folder)
    net.remove()
    print(f"\n{HEAD}\n" + "\n".join(rows))
    print(f"{len(rows)} seeds, {len(failed)} with violations"
          + (f": {failed}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
