#!/bin/sh
# Installs PostgreSQL's server binaries where none is found. The control plane runs a private server from them;
# the packaged server is neither started nor needed.
set -eu

found() {
	[ -n "${PG_BIN:-}" ] && [ -x "$PG_BIN/postgres" ] && return 0
	command -v postgres >/dev/null 2>&1 && return 0
	# The places where the control plane looks.
	ls -d /usr/lib/postgresql/*/bin/postgres /usr/pgsql-*/bin/postgres /opt/homebrew/opt/postgresql*/bin/postgres \
		/usr/local/opt/postgresql*/bin/postgres /Applications/Postgres.app/Contents/Versions/*/bin/postgres \
		2>/dev/null | grep -q .
}

found && exit 0
if command -v brew >/dev/null 2>&1; then
	echo "installing postgresql@17 with Homebrew"
	exec brew install postgresql@17
fi
if ! command -v apt-get >/dev/null 2>&1; then
	echo "PostgreSQL is missing: install its server package, or set PG_BIN to the directory of its binaries" >&2
	exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null 2>&1 || ! sudo -n true 2>/dev/null; then
		echo "PostgreSQL is missing and installing it needs root. Run:  sudo apt-get install postgresql" >&2
		exit 1
	fi
	sudo="sudo -n"
fi
echo "installing postgresql with apt"
# Without this the package would create and start a cluster of its own.
$sudo mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
	echo "create_main_cluster = false" | $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Options::=--force-confold postgresql >/dev/null
