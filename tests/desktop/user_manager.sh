#!/bin/sh
# Runs systemd's user manager where there is no systemd, with control groups of its own; nothing of it outlives the end
# of this script. To be run as root in namespaces of its own (unshare --mount --cgroup). Argument: a name for the group.
set -eu
group=/sys/fs/cgroup/$1
mount --make-rprivate /
umount --recursive --lazy /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
# It wants to be told that systemd runs (sd_booted(3)).
mount -t tmpfs none /run/systemd
mkdir /run/systemd/system
mkdir "$group"
echo $$ >"$group/cgroup.procs"
finish() {
    echo $$ >/sys/fs/cgroup/cgroup.procs
    echo 1 >"$group/cgroup.kill"
    while grep -q 'populated 1' "$group/cgroup.events"; do sleep 0.05; done
    find "$group" -depth -type d -exec rmdir {} +
}
trap finish EXIT
trap 'exit 0' TERM INT
/lib/systemd/systemd --user &
wait
