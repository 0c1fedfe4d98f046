#!/bin/sh
# Makes .venv and installs one lock file into it:  deploy/bootstrap.sh requirements.lock
# Needs a Python from 3.12 to 3.14 and nothing else. Set PYTHON=/path/to/python to choose one yourself.
set -eu
# A relative CDPATH or a PYTHONHOME of the caller would lead us, or the new environment, to another place.
unset CDPATH PYTHONHOME PYTHONPATH __PYVENV_LAUNCHER__ || true
cd -- "$(dirname -- "$0")/.."

lock=${1:-requirements.lock}
venv=.venv
stamp=$venv/.complete
unfinished=$venv/.unfinished

say() { printf '%s\n' "setup: $*"; }
fail() { printf '%s\n' "setup: $*" >&2; exit 1; }

# Every interpreter worth asking, best first: PATH, then pyenv's folders, which need not be on PATH.
candidates() {
    if [ -n "${PYTHON:-}" ]; then command -v -- "$PYTHON" || printf '%s\n' "$PYTHON"; return; fi
    for minor in 14 13 12; do
        command -v "python3.$minor" || true
        for root in "${PYENV_ROOT:-}" "${HOME:-}/.pyenv" /opt/pyenv /usr/local/pyenv; do
            for found in "$root/versions/3.$minor."*/bin/python; do
                if [ -x "$found" ]; then printf '%s\n' "$found"; fi
            done
        done
    done
    command -v python3 || true
    command -v python || true
}

# pyenv's shims are on PATH for versions that do not run: only a Python that answers counts.
suitable() {
    limit='(3, 15)'
    if [ -n "${PYTHON:-}" ]; then limit='(4,)'; fi
    "$1" -c "import sys; sys.exit(not ((3, 12) <= sys.version_info[:2] < $limit))" >/dev/null 2>&1
}

# How this Python can make an environment; Debian keeps ensurepip in a package of its own.
means() {
    if "$1" -m ensurepip --version >/dev/null 2>&1 && "$1" -c 'import venv' >/dev/null 2>&1; then echo venv
    elif "$1" -c 'import virtualenv' >/dev/null 2>&1; then echo virtualenv
    elif "$1" -c 'import venv, pip, sys; sys.exit(int(pip.__version__.split(".")[0]) < 23)' >/dev/null 2>&1; then echo pip
    else echo none
    fi
}

choose_python() {
    incapable=
    list=$(mktemp)
    candidates >"$list"
    while IFS= read -r python <&3; do
        suitable "$python" || continue
        means=$(means "$python")
        if [ "$means" != none ]; then rm -f -- "$list"; return; fi
        incapable=${incapable:-$python}
    done 3<"$list"
    rm -f -- "$list"
    if [ -n "${PYTHON:-}" ] && [ -z "$incapable" ]; then fail "PYTHON=$PYTHON is not a Python 3.12 or newer that runs here."; fi
    if [ -z "$incapable" ]; then
        fail "no Python 3.12, 3.13 or 3.14 was found on PATH or in pyenv's folders. Install one, for instance with" \
            "\"apt-get install python3.13 python3.13-venv\" or \"pyenv install 3.13\", or name it: make setup PYTHON=/path/to/python"
    fi
    version=$("$incapable" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    fail "$incapable cannot make a virtual environment: it has neither ensurepip, nor virtualenv, nor pip." \
        "Install its Debian package: apt-get install python$version-venv"
}

make_environment() {
    choose_python
    say "making $venv with $("$python" -V) ($python)"
    rm -rf -- "$venv"
    mkdir -- "$venv"
    : >"$unfinished"
    case $means in
        venv) "$python" -m venv "$venv" ;;
        virtualenv) "$python" -m virtualenv --quiet "$venv" ;;
        # pip's wheel is put into the new environment by the old one's pip, so that later calls need no special case.
        pip) "$python" -m venv --without-pip "$venv" && "$python" -m pip --python "$venv/bin/python" install --quiet pip ;;
    esac
}

# The folder's own path is part of the state: console scripts of a moved or copied environment point elsewhere.
state() { pwd; cat requirements.lock requirements-test.lock | cksum; }

complete() {
    [ -f "$stamp" ] && [ ! -e "$unfinished" ] && "$venv/bin/python" -c '' 2>/dev/null || return 1
    [ "$(sed 1d "$stamp")" = "$(state)" ] || return 1
    # The test lock holds everything of the other one.
    [ "$(sed -n 1p "$stamp")" = "$lock" ] || [ "$(sed -n 1p "$stamp")" = requirements-test.lock ]
}

usable() {
    [ ! -e "$unfinished" ] && suitable "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1 || return 1
    [ ! -f "$stamp" ] || [ "$(sed -n 2p "$stamp")" = "$(pwd)" ]
}

[ -f "$lock" ] || fail "there is no $lock in $(pwd)."
mkdir -p -m 700 var  # it will hold the database and the key
# Two terminals may call make at the same time; the kernel lets go of this lock however the script ends.
exec 9>var/setup.lock
if command -v flock >/dev/null 2>&1; then flock 9; fi

if complete; then exit 0; fi
usable || make_environment
say "installing $lock (a minute or two the first time)"
: >"$unfinished"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r "$lock" ||
    fail "pip could not install $lock; its own message is above. Run the same command again to start afresh."
{ printf '%s\n' "$lock"; state; } >"$stamp"
rm -f -- "$unfinished"
say "done"
