"""A node's disk: a small file system of its own, which can be full or slow."""

import atexit
import os
import struct
import subprocess

SIZE_MB = 64

_mounted = []


@atexit.register
def _unmount_all():
    for folder in list(_mounted):
        _unmount(folder)


def _unmount(folder):
    # Lazily: a node that is being killed may still hold files.
    subprocess.run(["umount", "-l", str(folder)], check=False)
    _mounted.remove(folder)


def unmount_below(folder):
    """What a run that was killed left there."""
    with open("/proc/self/mounts") as mounts:
        left = [line.split()[1] for line in mounts]
    for mount in left:
        if mount.startswith(f"{folder}/"):
            subprocess.run(["umount", "-l", mount], check=False)


class Disk:
    """The folder becomes a mount. `shim`: slow_fsync.so, or None."""

    def __init__(self, folder, control, shim=None, size_mb=SIZE_MB):
        self.folder = folder
        self._ballast = folder / "ballast"
        self._control = control
        self._shim = shim
        folder.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m",
                        "tmpfs", str(folder)], check=True)
        _mounted.append(folder)
        control.touch()
        self.fsync_delay(0)

    def environment(self):
        """Of a node whose fsync may become slow: {name: value}."""
        if self._shim is None:
            return {}
        return {"LD_PRELOAD": str(self._shim),
                "SLOW_FSYNC_FILE": str(self._control)}

    def fsync_delay(self, milliseconds):
        # In place: the node has the file mapped.
        with open(self._control, "r+b") as file:
            file.write(struct.pack("=I", milliseconds))

    def fill(self):
        """Until not one more byte fits."""
        with open(self._ballast, "ab", buffering=0) as ballast:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        ballast.write(bytes(size))
                except OSError:
                    pass

    @property
    def full(self):
        return self._ballast.exists()

    def free(self):
        if self.full:
            os.unlink(self._ballast)

    def unmount(self):
        if self.folder in _mounted:
            _unmount(self.folder)
