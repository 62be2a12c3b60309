"""Load by wrk, and the CPU that the servers' processes used meanwhile."""

import os
import re
import statistics
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")
SECONDS = float(os.environ.get("BENCH_SECONDS", "6"))
CONNECTIONS = 32


def descendants(pid):
    """The process and all below it."""
    found = [pid]
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as children:
            for child in children.read().split():
                found += descendants(int(child))
    return found


def cpu_seconds(pids):
    """User and system time of these processes so far."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def resident_megabytes(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024


class Sample:
    """One load's outcome."""

    def __init__(self, text, cpu):
        self.requests = int(re.search(r"(\d+) requests in", text).group(1))
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)",
                                    text).group(1))
        value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
        self.p99_ms = float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]
        self.cpu_us = cpu / self.requests * 1e6
        errors = re.findall(r"(Non-2xx.*|Socket errors.*)", text)
        self.errors = "; ".join(errors)


def load(url, pid):
    """Puts load on `url`, served by the process `pid` and its children."""
    pids = descendants(pid)
    before = cpu_seconds(pids)
    text = subprocess.run(
        ["wrk", "--latency", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS:g}s",
         url], check=True, capture_output=True, text=True).stdout
    return Sample(text, cpu_seconds(pids) - before)


def rounds(contestants, count):
    """Loads each contestant in turn, `count` times, so that what changes on
    the machine meanwhile meets all of them. `contestants` is a list of (name,
    url, pid); the first is the one that the others are compared with."""
    samples = {name: [] for name, _, _ in contestants}
    print(f"{'':24}{'requests/s':>12}{'p99 ms':>9}{'CPU us/request':>16}")
    for _ in range(count):
        for name, url, pid in contestants:
            sample = load(url, pid)
            samples[name].append(sample)
            print(f"  {name:22}{sample.rate:12.0f}{sample.p99_ms:9.2f}"
                  f"{sample.cpu_us:16.2f}  {sample.errors}", flush=True)
    medians = {name: statistics.median(sample.cpu_us for sample in taken)
               for name, taken in samples.items()}
    first = contestants[0][0]
    for name in list(medians)[1:]:
        print(f"  CPU per request, {first} / {name}: "
              f"{medians[first] / medians[name]:.2f}")
    return samples


def idle(pids, seconds):
    """Percent of one core that the processes use together, and the resident
    memory of each in MB."""
    before, began = cpu_seconds(pids), time.monotonic()
    time.sleep(seconds)
    used = cpu_seconds(pids) - before
    return (used / (time.monotonic() - began) * 100,
            [resident_megabytes(pid) for pid in pids])
