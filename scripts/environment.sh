#!/bin/sh
# Makes one virtual environment, or brings it up to date: environment.sh DIRECTORY EXTRAS
# vocemo is installed in it as an editable copy of this tree, with every version taken from constraints.txt.
# PYTHON names the interpreter (otherwise the first suitable python3 is used); VERBOSE=1 shows all that pip says.
set -eu
directory=$1
extras=$2
cd "$(dirname "$0")/.."

recent_enough='import sys; sys.exit(sys.version_info < (3, 11))'
python=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if "$candidate" -c "$recent_enough" >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    found=$("${PYTHON:-python3}" --version 2>&1) || found="no ${PYTHON:-python3} that runs"
    echo "vocemo needs Python 3.11 or newer; found: $found." >&2
    echo "Install one, or name it: make ${MAKECMDGOALS:-demo} PYTHON=/path/to/python3.11" >&2
    exit 1
fi

# A moved tree or an upgraded Python leaves an environment whose interpreter does not run.
if ! "$directory/bin/python" -m pip --version >/dev/null 2>&1; then
    echo "Making the environment $directory with $("$python" --version) ..."
    if ! "$python" -m venv --clear "$directory"; then
        echo "Python could not make an environment. On Debian and Ubuntu: apt install python3-venv" >&2
        exit 1
    fi
fi

echo "Installing vocemo[$extras] in $directory with the versions of constraints.txt (minutes, the first time) ..."
quietly="--quiet --quiet"
[ "${VERBOSE:-}" != 1 ] || quietly=
if ! "$directory/bin/python" -m pip install $quietly --disable-pip-version-check \
    --constraint constraints.txt --editable ".[$extras]"; then
    echo "The installation in $directory did not finish; see pip's message above." >&2
    echo "It is safe to run the same command again." >&2
    exit 1
fi
touch "$directory/.installed"
echo "The environment $directory is ready."
