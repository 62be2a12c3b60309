"""Troupe's peers and the backends behind them, as wrk meets them here: two
workers each, keep-alive on both sides, access logs off."""

import pathlib
import signal
import socket
import subprocess
import time

BACKENDS = ["127.80.0.1", "127.80.0.2"]
NGINX, HAPROXY, STATIC = "127.80.0.3", "127.80.0.4", "127.80.0.5"
PORT = 8080
BODY = "x" * 100

NGINX_HEAD = """
daemon off; worker_processes {workers}; pid {folder}/{name}.pid;
error_log {folder}/{name}.error crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 600;
  sendfile on; tcp_nopush on; tcp_nodelay on;
  open_file_cache max=100 inactive=600s;
  client_body_temp_path {folder}/{name}-body;
  proxy_temp_path {folder}/{name}-proxy;
  fastcgi_temp_path {folder}/{name}-fastcgi;
  uwsgi_temp_path {folder}/{name}-uwsgi;
  scgi_temp_path {folder}/{name}-scgi;
"""

HAPROXY_CONFIGURATION = """
global
  nbthread 2
  maxconn 4000
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  http-reuse always
frontend front
  bind {address}:{port}
  default_backend pool
backend pool
  balance roundrobin
{servers}
"""


class Peers:
    """Started processes by name; all of them end with `stop`."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.processes = {}

    def launch(self, name, command, address, port):
        """Starts `command` and waits until it listens."""
        with open(self.folder / f"{name}.output", "wb") as output:
            process = subprocess.Popen(command, stdout=output,
                                       stderr=subprocess.STDOUT,
                                       stdin=subprocess.DEVNULL)
        self.processes[name] = process
        deadline = time.monotonic() + 15
        while True:
            try:
                socket.create_connection((address, port), 1).close()
                return process.pid
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    output = (self.folder / f"{name}.output").read_text()
                    raise SystemExit(f"{name} did not start:\n{output}")
                time.sleep(0.05)

    def stop(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def _nginx(self, name, http, address, workers):
        file = self.folder / f"{name}.conf"
        file.write_text(NGINX_HEAD.format(folder=self.folder, name=name,
                                          workers=workers) + http + "}\n")
        return self.launch(name, ["nginx", "-p", str(self.folder), "-c",
                                  str(file)], address, PORT)

    def backends(self):
        for i, address in enumerate(BACKENDS):
            self._nginx(f"backend-{i + 1}", f"""
              server {{ listen {address}:{PORT};
                location / {{ return 200 "{BODY}"; }} }}
            """, address, 1)

    def nginx_proxy(self):
        servers = "".join(f"server {a}:{PORT};" for a in BACKENDS)
        return self._nginx("nginx", f"""
          upstream pool {{ {servers} keepalive 64;
            keepalive_requests 100000000; }}
          server {{ listen {NGINX}:{PORT} reuseport;
            location / {{ proxy_pass http://pool;
              proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
        """, NGINX, 2)

    def nginx_static(self, body):
        """Serves `body` as a file; returns pid and URL."""
        root = self.folder / "static"
        root.mkdir()
        (root / "value").write_bytes(body)
        # Workers run as another user when started by root.
        for path in (self.folder, root):
            path.chmod(0o755)
        pid = self._nginx("static", f"""
          server {{ listen {STATIC}:{PORT} reuseport; root {root};
            default_type application/json; }}
        """, STATIC, 2)
        return pid, f"http://{STATIC}:{PORT}/value"

    def haproxy(self):
        servers = "\n".join(f"  server s{i} {a}:{PORT}"
                            for i, a in enumerate(BACKENDS))
        file = self.folder / "haproxy.cfg"
        file.write_text(HAPROXY_CONFIGURATION.format(
            address=HAPROXY, port=PORT, servers=servers))
        return self.launch("haproxy", ["haproxy", "-db", "-f", str(file)],
                           HAPROXY, PORT)
