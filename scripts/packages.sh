# Sourced by run.sh and test.sh: installs Debian packages that are missing.

# Runs a command as root or through sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Writes a line into a file of root's, whose folder need not be there.
write_as_root() {
    as_root mkdir -p "${1%/*}"
    printf '%s\n' "$2" | as_root tee "$1" >/dev/null
}

# Installs the packages named, as root or through sudo. Without any it does nothing.
install_packages() {
    [ $# -eq 0 ] && return
    echo "installing: $*" >&2
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# The packages that give the commands named, each written as command:package, where a command is missing.
missing_packages() {
    local one
    for one in "$@"; do
        command -v "${one%%:*}" >/dev/null || echo "${one##*:}"
    done
}
