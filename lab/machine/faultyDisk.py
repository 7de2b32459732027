"""
A disk that errs, hangs, lies or loses power: a file system over a folder, in the folder's own place (FUSE; Debian's python3-fusepy).

    python3 lab/machine/faultyDisk.py LIVE DURABLE MOUNTPOINT

LIVE holds what is read and written. DURABLE gets what a disk has after a loss of power: of each file what it was when it was last
flushed (fsync), under the names that it had when its folder was last flushed. A new file that is flushed has its name, as on ext4. A new
name of one that was flushed before is lost without its folder, and so is a removal: a rename from folder to folder is both, in two steps,
which is less than ext4 gives and all that POSIX promises. A new folder is lost, with all that is in it, unless the one that it lies in was
flushed; renames of folders are not followed. What LIVE holds at the start is flushed.

Faults come as lines of JSON on the standard input, each a list that takes the place of the one before:

    [{"operations": ["write", "fsync"], "names": "\\.wav$", "does": "ENOSPC"}]

`names` is a regular expression for the path below the mount point. `does` is the name of an error, `hang` (until the next list), or `swallow`
(write: says that it has written, and has not; fsync: says that it has flushed, and has not). The line `"cut"` lays what DURABLE has into
DURABLE/files. Each line is answered by how many operations hang; `"look"` asks for nothing else. It ends when its standard input closes, and
its mount with it. With `--try` alone it only says whether it could run.
"""

import errno
import json
import os
import re
import shutil
import stat
import sys
import threading
import time

try:
    from fusepy import FUSE, FuseOSError, Operations, fuse_get_context
except ImportError:
    # Its name where it does not come from Debian.
    from fuse import FUSE, FuseOSError, Operations, fuse_get_context


# No signal ends a process that waits for such a disk: a test that fell into its own hang would never end. Seconds.
longest_hang = 90

# What FUSE calls a file that was removed while somebody had it open: on a disk it has no name.
removed_open = ".fuse_hidden"


class FaultyDisk(Operations):
    def __init__(self, live, durable):
        self.live = live
        self.durable = durable
        self.faults = []
        self.hanging = 0
        self.changed = threading.Condition()
        # Names as they are flushed, each with the inode of its file.
        self.names = {}
        # Folders as they are flushed, each with its mode; the empty name is that of the mount point.
        self.folders = {"": os.stat(live).st_mode}
        self.guard = threading.Lock()
        for name in ("data", "held"):
            os.makedirs(os.path.join(durable, name), exist_ok=True)
        for folder, folders, files in os.walk(live):
            for name in folders:
                path = os.path.join(folder, name)
                self.folders[os.path.relpath(path, live)] = os.stat(path).st_mode
            for name in files:
                path = os.path.relpath(os.path.join(folder, name), live)
                self.flush_data(path)
                self.names[path] = self.hold(path)

    # --- faults

    def set_faults(self, faults):
        with self.changed:
            self.faults = [dict(each, names=re.compile(each.get("names", ""))) for each in faults]
            self.changed.notify_all()

    def fault_of(self, operation, path):
        for each in self.faults:
            if operation in each["operations"] and each["names"].search(path):
                return each["does"]
        return None

    def meet(self, operation, path):
        """What befalls this operation: True where it is swallowed. Raises, or waits, where it errs or hangs."""
        with self.changed:
            until = time.monotonic() + longest_hang
            while (does := self.fault_of(operation, path)) == "hang" and time.monotonic() < until:
                self.hanging += 1
                self.changed.wait(1)
                self.hanging -= 1
        if does == "hang":
            does = "EIO"
        if does is None:
            return False
        if does == "swallow":
            return True
        raise FuseOSError(getattr(errno, does))

    # --- what is flushed

    def at(self, path):
        return os.path.join(self.live, path.lstrip("/"))

    def held(self, inode):
        return os.path.join(self.durable, "held", str(inode))

    def hold(self, path):
        """The inode of this file. A link keeps it from being given to another: a name that is flushed may outlive its file."""
        inode = os.stat(self.at(path)).st_ino
        if not os.path.exists(self.held(inode)):
            os.link(self.at(path), self.held(inode))
        return inode

    def flush_data(self, path):
        shutil.copy(self.at(path), os.path.join(self.durable, "data", str(self.hold(path))))

    def flush_file(self, path):
        path = path.lstrip("/")
        with self.guard:
            self.flush_data(path)
            inode = self.hold(path)
            if inode not in self.names.values() and not os.path.basename(path).startswith(removed_open):
                self.names[path] = inode

    def flush_folder(self, path):
        path = path.lstrip("/")
        with self.guard:
            names, folders = {}, {}
            for entry in os.scandir(self.at(path)):
                inside = os.path.join(path, entry.name)
                if entry.is_dir():
                    folders[inside] = entry.stat().st_mode
                elif entry.is_file() and not entry.name.startswith(removed_open):
                    try:
                        names[inside] = self.hold(inside)
                    except FileNotFoundError:
                        # Removed just now.
                        continue
            for name in [name for name in self.names if os.path.dirname(name) == path and name not in names]:
                del self.names[name]
            for gone in [each for each in self.folders if each and os.path.dirname(each) == path and each not in folders]:
                self.forget_folder(gone)
            self.names.update(names)
            self.folders.update(folders)

    def forget_folder(self, gone):
        """With all that is below it: what comes to be there later is new."""
        self.names = {name: inode for name, inode in self.names.items() if not name.startswith(gone + "/")}
        self.folders = {
            folder: mode for folder, mode in self.folders.items() if folder != gone and not folder.startswith(gone + "/")
        }

    def is_flushed(self, folder):
        return folder in self.folders and (folder == "" or self.is_flushed(os.path.dirname(folder)))

    def cut(self):
        """Lays what is flushed into DURABLE/files."""
        with self.guard:
            files = os.path.join(self.durable, "files")
            # The outer ones come first.
            for folder in sorted(filter(self.is_flushed, self.folders)):
                made = os.path.join(files, folder)
                os.makedirs(made, exist_ok=True)
                os.chmod(made, stat.S_IMODE(self.folders[folder]))
            for name, inode in self.names.items():
                if not self.is_flushed(os.path.dirname(name)):
                    continue
                data = os.path.join(self.durable, "data", str(inode))
                target = os.path.join(files, name)
                if os.path.exists(data):
                    shutil.copy(data, target)
                else:
                    # Its name was flushed, and nothing of what is in it.
                    open(target, "wb").close()

    # --- the file system

    def getattr(self, path, fh=None):
        self.meet("stat", path)
        found = os.lstat(self.at(path))
        keys = "st_atime st_ctime st_gid st_mode st_mtime st_nlink st_size st_uid st_ino st_blocks".split()
        shown = {key: getattr(found, key) for key in keys}
        # Our own link is nobody's business: SQLite warns of a file with two names.
        if stat.S_ISREG(found.st_mode) and os.path.exists(self.held(found.st_ino)):
            shown["st_nlink"] -= 1
        return shown

    def readdir(self, path, fh):
        self.meet("list", path)
        return [".", "..", *os.listdir(self.at(path))]

    def access(self, path, mode):
        if not os.access(self.at(path), mode):
            raise FuseOSError(errno.EACCES)

    def statfs(self, path):
        found = os.statvfs(self.at(path))
        keys = "f_bavail f_bfree f_blocks f_bsize f_favail f_ffree f_files f_flag f_frsize f_namemax".split()
        return {key: getattr(found, key) for key in keys}

    def open(self, path, flags):
        self.meet("open", path)
        return os.open(self.at(path), flags)

    def create(self, path, mode, fi=None):
        self.meet("open", path)
        made = os.open(self.at(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        self.own(path)
        return made

    def own(self, path):
        """What is made belongs to who makes it."""
        uid, gid, _ = fuse_get_context()
        os.chown(self.at(path), uid, gid)

    def read(self, path, size, offset, fh):
        self.meet("read", path)
        return os.pread(fh, size, offset)

    def write(self, path, data, offset, fh):
        if self.meet("write", path):
            return len(data)
        return os.pwrite(fh, data, offset)

    def truncate(self, path, length, fh=None):
        if not self.meet("write", path):
            os.truncate(self.at(path), length)

    def flush(self, path, fh):
        return 0

    def release(self, path, fh):
        os.close(fh)
        return 0

    def fsync(self, path, datasync, fh):
        if not self.meet("fsync", path):
            self.flush_file(path)
        return 0

    def fsyncdir(self, path, datasync, fh):
        if not self.meet("fsync", path):
            self.flush_folder(path)
        return 0

    def rename(self, old, new):
        self.meet("rename", old)
        os.rename(self.at(old), self.at(new))

    def unlink(self, path):
        self.meet("unlink", path)
        os.unlink(self.at(path))

    def link(self, target, source):
        self.meet("link", source)
        os.link(self.at(source), self.at(target))

    def mkdir(self, path, mode):
        self.meet("mkdir", path)
        os.mkdir(self.at(path), mode)
        self.own(path)

    def rmdir(self, path):
        self.meet("unlink", path)
        os.rmdir(self.at(path))

    def chmod(self, path, mode):
        os.chmod(self.at(path), mode)

    def chown(self, path, uid, gid):
        os.chown(self.at(path), uid, gid)

    def utimens(self, path, times=None):
        os.utime(self.at(path), times)


def obey(disk, point):
    for line in sys.stdin:
        told = json.loads(line)
        if told == "cut":
            disk.cut()
        elif told != "look":
            disk.set_faults(told)
        with disk.changed:
            print(disk.hanging, flush=True)
    disk.set_faults([])
    os.system(f"umount --lazy '{point}'")


if __name__ == "__main__" and sys.argv[1:] != ["--try"]:
    live, durable, point = sys.argv[1:]
    disk = FaultyDisk(live, durable)
    threading.Thread(target=obey, args=(disk, point), daemon=True).start()
    FUSE(disk, point, foreground=True, allow_other=True, default_permissions=True, use_ino=True, nonempty=True)
