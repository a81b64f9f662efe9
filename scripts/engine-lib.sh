# shellcheck shell=bash
# Shared by the load-* and pull-* scripts, which source it after setting `usage`, and perhaps
# `isolation` (an option for scripts/isolated): the arguments, a work directory that is
# gone afterwards, and the verdict.
#
# Gives: engine (the X of load-X, or pull-X), archive, text, name, work, id (a name that no other
# run has), and the functions below. A script that starts something may define
# stop(), called on every exit.

set -euo pipefail

engine=${0##*/}
engine=${engine#load-}
daemons=()
child=
work=
: "${isolation=}"
read -ra isolation <<<"$isolation"

# The engine is not for this machine.
skip() {
  echo "$engine: cannot run here: $*" >&2
  exit 77
}

# The engine is there, and does not work.
broken() {
  echo "$engine: cannot run here: $*" >&2
  exit 78
}

fail() {
  echo "$engine: $*" >&2
  exit 1
}

# need PROGRAM…: these programs, and root, are what the engine cannot do without. The
# first call starts the script anew, isolated: engines leave files, mounts, processes
# and cgroups all over the machine.
need() {
  local program
  for program; do
    command -v "$program" >/dev/null || skip "$program is not installed (not on PATH)"
  done
  [[ $EUID == 0 ]] || skip "needs root, is run by user $EUID"
  [[ ${CISO_ISOLATED-} == 1 ]] ||
    CISO_ISOLATED=1 exec "$(dirname "$0")/isolated" "${isolation[@]}" "$0" "${given[@]}"
}

# arguments "$@": sets mode (load, check or serve), archive, text and name, and
# prepares the work directory of an isolated run.
arguments() {
  mode=load
  case ${1-} in
    -h | --help)
      echo "$usage"
      exit
      ;;
    --check) mode=check ;;
    --serve) [[ $usage != *--serve* ]] || mode=serve ;;
  esac
  if [[ $mode == load ]]; then
    if [[ $# -lt 2 || $# -gt 3 || $1 == -* ]]; then
      echo "$usage" >&2
      exit 2
    fi
    [[ -f $1 && -r $1 ]] || fail "no such archive: $1"
    archive=$(realpath -- "$1")
    text=$2
    name=${3-}
  fi
  given=("$@")
  [[ ${CISO_ISOLATED-} == 1 ]] || return 0
  work=$(mktemp -d "${TMPDIR:-/tmp}/isoc-$engine.XXXXXX")
  # Not the process's number, which others have in namespaces of their own.
  id=isoc-${work##*.}
  # Engines spool archives to the temporary directory; let that go with ours.
  export TMPDIR=$work
  trap finish EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

stop() { :; }

# Cleans up: leaves no process, no mount, no file.
finish() {
  local status=$? pid point
  trap - EXIT
  trap '' HUP INT TERM
  set +e
  [[ -z $child ]] || kill "$child" 2>/dev/null
  stop
  for pid in "${daemons[@]}"; do
    kill "$pid" 2>/dev/null
  done
  wait
  while read -r point; do
    point=$(printf %b "$point")
    # Else a copy of one of the machine's own mounts would take that one with it.
    mount --make-private "$point" && umount -l "$point"
  done < <(awk -v at="$work/" 'index($2, at) == 1 { print $2 }' /proc/mounts | sort -r)
  rm -rf --one-file-system "$work"
  exit "$status"
}

# limited COMMAND…: runs it for five minutes at most. It runs beside the shell,
# so that a signal to this script is acted on at once.
limited() {
  local status=0
  timeout -k 5 300 "$@" &
  child=$!
  wait "$child" || status=$?
  child=
  return "$status"
}

# quietly COMMAND…: like limited; what it prints is shown only when it fails.
quietly() {
  limited "$@" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    fail "failed: $*"
  }
}

# daemon PROGRAM READY: waits until the shell command READY succeeds for the
# daemon just started with & and with its output in $work/daemon.log.
daemon() {
  local pid=$! deadline=$((SECONDS + 60))
  daemons+=("$pid")
  until eval "$2" >/dev/null 2>&1; do
    if ! kill -0 "$pid" 2>/dev/null || ((SECONDS > deadline)); then
      tail -n 5 "$work/daemon.log" >&2
      broken "$1 did not start (its last words are above)"
    fi
    sleep 0.2
  done
}

# ready [ADDRESS]: all that the engine needs is there. Ends a check; serving,
# prints the daemon's ADDRESS and keeps it until standard input ends.
ready() {
  [[ $mode != check ]] || exit 0
  [[ $mode == serve ]] || return 0
  echo "$1"
  exec 3<&0
  cat <&3 >/dev/null &
  child=$!
  wait "$child"
  child=
  exit
}

# document FILE EXPRESSION: a Python expression of d, the JSON document FILE in
# the archive; each word of a list is printed with a NUL after it.
document() {
  tar -xOf "$archive" --occurrence=1 "$1" 2>/dev/null | python3 -c '
import json, sys
try:
    d = json.load(sys.stdin)
    value = eval("(" + sys.argv[1] + ")")
except (LookupError, TypeError, ValueError):
    sys.exit(1)
print(end=value if isinstance(value, str) else "".join(v + "\0" for v in value))
' "$2"
}

# Sets name, the image to run: the argument, or the first name in manifest.json.
find_name() {
  [[ -n $name ]] || name=$(document manifest.json 'd[0]["RepoTags"][0]') ||
    fail "no image name in manifest.json of $archive; give it as the third argument"
}

# Sets reference: which image of the OCI layout to take, for tools that ask this
# when the index lists several, as it does for several names.
find_reference() {
  reference=$(document index.json '
next((":" + m["annotations"]["org.opencontainers.image.ref.name"]
      for m in d["manifests"]
      if "org.opencontainers.image.ref.name" in m.get("annotations", {})), "")
if len(d["manifests"]) > 1 else ""') || fail "no index.json in $archive"
}

# Whether the engine is to pull the image from a registry: the script's name is
# pull-X then, and that of load-X is a link to the same file.
pulling() { [[ $engine == pull-* ]]; }

# Whether the engine is to take the image for the platform TEXT, which most machines
# cannot run, and to show its file /platform, in which TEXT is; the script's name is
# platform-X then.
choosing() { [[ $engine == platform-* ]]; }

# pullable [https]: makes the image pullable from a registry on loopback; sets name,
# its reference there, and origin, the registry's URL. It is ciso serve; with
# CISO_PULL_FROM=registry, ciso push sends the image to a docker-registry. With
# https, certificate is the file to trust.
pullable() {
  local home ciso tls=() scheme=${1-http}
  home=$(dirname "$0")
  find_name
  if [[ -e /mnt/deno ]]; then
    # In a tree of scripts/engines-sid.
    ciso=(/mnt/deno run -A -q /mnt/dist/ciso.js)
  else
    ciso=("$("$home/runtime" deno)" run -A -q "$home/../main.ts")
  fi
  if [[ $scheme == https ]]; then
    certificate=$work/cert.pem
    quietly openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
      -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/key.pem" -out "$certificate"
  fi
  if [[ ${CISO_PULL_FROM-} == registry ]]; then
    # The kernel finds a free port, which the registry takes at once.
    origin=$scheme://127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    [[ $scheme == http ]] || tls="tls: { certificate: $certificate, key: $work/key.pem }"
    cat >"$work/registry.yaml" <<END
version: 0.1
storage: { filesystem: { rootdirectory: "$work/registry" } }
http: { addr: "${origin##*/}", ${tls-} }
END
    docker-registry serve "$work/registry.yaml" >"$work/daemon.log" 2>&1 &
    daemon docker-registry "exec 3<>/dev/tcp/127.0.0.1/${origin##*:}"
    name=${origin##*/}/isoc/pulled:copy
    quietly "${ciso[@]}" push --all-platforms "$archive" "$name" ${certificate:+--ca-cert "$certificate"}
    return
  fi
  [[ $scheme == http ]] || tls=(--tls-cert "$certificate" --tls-key "$work/key.pem")
  "${ciso[@]}" serve "$archive" --listen 127.0.0.1:0 "${tls[@]}" >"$work/served" 2>"$work/daemon.log" &
  daemon "ciso serve" '[[ $(wc -l <"$work/served") -ge 2 ]]'
  origin=$(head -n 1 "$work/served")
  origin=${origin%/}
  name=$(sed -n 2p "$work/served")
}

# expect COMMAND…: runs it; it must end with 0 and print the text asked for.
expect() {
  local status=0 got
  limited "$@" >"$work/out" 2>"$work/err" || status=$?
  got=$(cat "$work/out" && echo .)
  got=${got%.}
  if [[ $status != 0 || ($got != "$text" && $got != "$text"$'\n') ]]; then
    cat "$work/err" >&2
    fail "wrong: expected $(printf %q "$text"), got $(printf %q "$got") and exit status $status from: $*"
  fi
}

# passed VERSION: the one line of a good end.
passed() {
  local did=ran
  ! choosing || did=read
  echo "$engine $1: loaded and $did ${name:-${archive##*/}}"
}
