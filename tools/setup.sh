#!/bin/sh
# Makes a checkout usable: system packages where they are missing and may be installed, then the
# virtual environment with everything the lock file names. Safe to run again: it does nothing twice.
#   tools/setup.sh          what the program, `make demo` and `make check` need
#   tools/setup.sh beds     and the real back ends of the test suite
set -eu
cd "$(dirname "$0")/.."

missing=""
want() { missing="$missing $1"; }
has() { command -v "$1" >/dev/null 2>&1; }

has python3 || want "python3 python3-venv python3-dev"
if has python3; then
    python3 -c 'import ensurepip' 2>/dev/null || want python3-venv
    python3 -c 'import os, sysconfig as s; raise SystemExit(
        not os.path.exists(os.path.join(s.get_path("include"), "Python.h")))' || want python3-dev
fi
has gcc || want "gcc libc6-dev"
has pkg-config || want pkg-config
if ! has pkg-config || ! pkg-config --exists libvirt; then want libvirt-dev; fi
if [ "${1:-}" = beds ]; then
    has libvirtd || [ -x /usr/sbin/libvirtd ] || want "libvirt-daemon libvirt-daemon-driver-qemu"
    has virsh || want libvirt-clients
    has qemu-system-x86_64 || want qemu-system-x86
    has qemu-img || want qemu-utils
    has setpriv || want util-linux
    has openssl || want openssl
    has xmllint || want libxml2-utils
    has prove || want perl
    has go || want golang-go
    [ -d /usr/share/gocode/src/github.com/vmware/govmomi/simulator ] ||
        want golang-github-vmware-govmomi-dev
    has systemd-analyze || want systemd
    # The pages are looked at with it, and it needs letters to draw.
    has chromium || want chromium
    [ -d /usr/share/fonts/truetype/dejavu ] || want fonts-dejavu-core
    # A server is not put onto a developer's machine unasked; its test says when it is not there.
    if [ "${SNAPAUDIT_REQUIRE_BEDS:-}" = 1 ]; then
        has sshd || [ -x /usr/sbin/sshd ] || want openssh-server
        has ssh-keygen || want openssh-client
        has postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || want postgresql
        has nc || want netcat-openbsd
    fi
fi

if [ -n "$missing" ]; then
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then as_root="sudo -n"; fi
    if has apt-get && { [ -z "$as_root" ] || $as_root true 2>/dev/null; }; then
        echo "setup: installing system packages:$missing" >&2
        $as_root apt-get update -q >/dev/null
        # shellcheck disable=SC2086 # the names are words of a list
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
            $missing >/dev/null
    else
        echo "setup: these system packages are missing and cannot be installed from here:$missing" >&2
        echo "setup: install them (as root: apt-get install$missing) and run make again" >&2
        exit 2
    fi
fi

stamp=.venv/.made-from
now=$(cat requirements/all.lock tools/setup.sh pyproject.toml | sha256sum)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$now" ]; then
    echo "setup: making the virtual environment in .venv" >&2
    rm -rf .venv
    python3 -m venv .venv
    # The lock file is complete. Left to look for dependencies, pip 23 takes a later release of one
    # that is also asked for with an extra, and then refuses it for having no hash.
    .venv/bin/pip install -q --disable-pip-version-check --require-hashes --no-deps \
        -r requirements/all.lock
    .venv/bin/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
    echo "$now" >"$stamp"
fi

# Prometheus' own checker, taken out of its package: installing that would start a server.
checker=.venv/beds/prometheus/usr/bin/promtool
if [ "${1:-}" = beds ] && [ "${SNAPAUDIT_REQUIRE_BEDS:-}" = 1 ] && ! has promtool &&
    [ ! -x "$checker" ] && has apt-get && has dpkg-deb; then
    echo "setup: fetching promtool" >&2
    folder=$(mktemp -d)
    if [ -z "$(apt-cache search --names-only '^prometheus$')" ]; then
        apt-get update -q >/dev/null || sudo -n apt-get update -q >/dev/null || true
    fi
    if (cd "$folder" && apt-get download -q prometheus >/dev/null 2>&1); then
        mkdir -p .venv/beds/prometheus
        dpkg-deb -x "$folder"/prometheus_*.deb "$folder/all"
        install -D "$folder/all/usr/bin/promtool" "$checker"
    else
        echo "setup: the package prometheus cannot be had; its tests will say so" >&2
    fi
    rm -rf "$folder"
fi
