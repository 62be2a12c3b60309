"""See scripts/bench."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import measure
import peers

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
sys.dont_write_bytecode = True
import harness  # noqa: E402

ROUNDS = 3


def single_node():
    """One node without cluster traffic, as the peers are."""
    cluster = harness.Cluster(nodes=1, backends=0)
    node = cluster.nodes[0]
    # Checks as rare as the peers' (none).
    node.overrides = {"loadBalancer": {"healthCheck": {"interval": 5000}}}
    node.start()
    cluster.wait_until_whole()
    return cluster, node


def bench_proxy(started):
    print("Reverse proxy, two nginx backends, body of "
          f"{len(peers.BODY)} bytes, {measure.CONNECTIONS} connections")
    started.backends()
    cluster, node = single_node()
    try:
        for address in peers.BACKENDS:
            answer = node.add_server(address, peers.PORT)
            assert answer.status == 201, answer
        harness.wait_until(lambda: node.proxied().text == peers.BODY,
                           "the proxy answers")
        measure.rounds([
            ("troupe", f"http://{node.address}:{harness.PROXY_PORT}/",
             node.process.pid),
            ("haproxy", f"http://{peers.HAPROXY}:{peers.PORT}/",
             started.haproxy()),
            ("nginx", f"http://{peers.NGINX}:{peers.PORT}/",
             started.nginx_proxy())], ROUNDS)
    finally:
        cluster.stop()


def bench_cache(started):
    cluster, node = single_node()
    try:
        path = "/api/infrastructure/cache/keys/value"
        answer = node.request("POST", path, {"value": peers.BODY})
        assert answer.status in (200, 201), answer
        body = node.request("GET", path).body
        print(f"Cache GET over REST, body of {len(body)} bytes, "
              f"{measure.CONNECTIONS} connections")
        pid, url = started.nginx_static(body)
        measure.rounds([
            ("troupe", f"http://{node.address}:{harness.API_PORT}{path}",
             node.process.pid),
            ("nginx static", url, pid)], ROUNDS)
    finally:
        cluster.stop()


def bench_idle(_):
    cluster = harness.Cluster()
    try:
        cluster.start()
        time.sleep(3)
        percent, megabytes = measure.idle(
            [node.process.pid for node in cluster.nodes], 30)
        print(f"Three idle nodes over 30 s: {percent:.2f}% of one core "
              "together, resident "
              + ", ".join(f"{size:.0f}" for size in megabytes) + " MB")
    finally:
        cluster.stop()


def bench_build(_):
    """In a folder of its own and without ccache, as on a new machine."""
    folder = tempfile.mkdtemp(prefix="troupe-build-")
    actor = ROOT / "actors" / "balancer" / "balancer.cpp"
    environment = {"CCACHE_DISABLE": "1"}

    def timed(what, command):
        began = time.monotonic()
        subprocess.run(["env", *(f"{k}={v}" for k, v in environment.items()),
                        *command], check=True, stdout=subprocess.DEVNULL)
        print(f"{what}: {time.monotonic() - began:.0f} s", flush=True)

    try:
        timed("configure", ["cmake", "-S", str(ROOT), "-B", folder,
                            "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                            "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O2 -g1"])
        build = ["cmake", "--build", folder, "--parallel",
                 str(os.cpu_count())]
        timed("clean build, tests included", build)
        actor.touch()
        timed(f"after touching {actor.relative_to(ROOT)}", build)
    finally:
        shutil.rmtree(folder)


BENCHES = {"proxy": bench_proxy, "cache": bench_cache, "idle": bench_idle,
           "build": bench_build}


def main():
    wanted = sys.argv[1:] or ["proxy", "cache", "idle"]
    for name in wanted:
        if name not in BENCHES:
            raise SystemExit(f"bench: no '{name}', only {', '.join(BENCHES)}")
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="troupe-bench-") as folder:
            started = peers.Peers(folder)
            try:
                BENCHES[name](started)
            finally:
                started.stop()
        print()


if __name__ == "__main__":
    main()
