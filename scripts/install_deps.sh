#!/bin/sh
# SPDX-License-Identifier: MIT
# install_deps.sh: installs the packages that building (and testing) dltrain needs.
#
# Needs a POSIX shell and coreutils.

set -eu

program=${0##*/}

build="gcc make pkg-config libconfig-dev zlib1g-dev libstb-dev libopenblas-openmp-dev"
build="$build libjansson-dev"
optional="libdnnl-dev libonnx-dev libprotobuf-c-dev protobuf-c-compiler"
tests="g++ libcmocka-dev bats valgrind shellcheck mandoc jq python3 curl clang libomp-dev"
tests="$tests clang-format gnuplot-nox python3-protobuf"

dnf_build="gcc make pkgconf-pkg-config libconfig-devel zlib-devel stb_image-devel"
dnf_build="$dnf_build openblas-devel jansson-devel onednn-devel"
dnf_tests="gcc-c++ libcmocka-devel bats valgrind ShellCheck mandoc jq python3 curl clang"
dnf_tests="$dnf_tests libomp-devel clang-tools-extra gnuplot"
pacman_build="gcc make pkgconf libconfig zlib stb openblas jansson onednn"
pacman_tests="cmocka bats valgrind shellcheck mandoc jq python curl clang openmp gnuplot"
brew_build="gcc make pkgconf libconfig zlib openblas jansson onednn"
brew_tests="cmocka bats-core shellcheck mandoc jq python llvm libomp clang-format gnuplot"

usage() {
    cat <<USAGE
Usage: $program [OPTION]...

Installs what is missing to build dltrain. On Debian and Ubuntu it calls apt-get: directly as
root, with sudo otherwise. Elsewhere, or without permission, it prints the commands.

Options:
  --test        also install what the tests need
  --check       install nothing; print what is missing
  -h, --help    show this help

Exit status: 0 nothing is missing; 1 something is missing and was not installed; 2 usage error.
Optional: libdnnl-dev (oneDNN), without which some layers are slower; libonnx-dev,
libprotobuf-c-dev and protobuf-c-compiler, without which dlconvert has no ONNX.
USAGE
}

say() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# Prints the packages of "$@" that are not installed.
missing_packages() {
    there=" $(dpkg-query -W -f '${Package}=${db:Status-Status} ' "$@" 2>/dev/null || true)"
    for package in "$@"; do
        case $there in
        *" $package=installed "*) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

# Prints the missing headers and commands; for systems without dpkg.
missing_files() {
    have cc || have gcc || have clang || printf 'a C compiler, '
    have make || have gmake || printf 'make, '
    if have pkg-config; then
        for library in libconfig zlib openblas jansson; do
            pkg-config --exists "$library" || printf '%s, ' "$library"
        done
    else
        printf 'pkg-config, '
    fi
    if have cc; then
        # shellcheck disable=SC2046  # several words, or none
        echo '#include <stb/stb_image.h>' |
            cc $(pkg-config --cflags stb 2>/dev/null) -E - >/dev/null 2>&1 ||
            printf 'stb/stb_image.h, '
    fi
    [ -n "$with_tests" ] || return 0
    for tool in bats valgrind shellcheck mandoc jq python3 curl clang clang-format; do
        [ "$tool/$system" = valgrind/Darwin ] || have "$tool" || printf '%s, ' "$tool"
    done
    have pkg-config && pkg-config --exists cmocka || printf 'cmocka, '
}

print_debian() {
    say "  Debian, Ubuntu:  sudo apt-get update &&" \
        "sudo apt-get install --no-install-recommends $*"
}
print_fedora() { say "  Fedora:          sudo dnf install $dnf_build${with_tests:+ $dnf_tests}"; }
print_arch() {
    say "  Arch:            sudo pacman -S --needed $pacman_build${with_tests:+ $pacman_tests}"
}
print_brew() {
    say "  Homebrew:        brew install $brew_build${with_tests:+ $brew_tests}"
    say "                   and stb_image.h of https://github.com/nothings/stb," \
        "as \$(brew --prefix)/include/stb/stb_image.h"
}
print_all() {
    print_debian "$@"
    print_fedora
    print_arch
    print_brew
}

# Installs "$@"; updates the package lists only if that fails.
install_packages() {
    if ! known "$@" || ! apt install "$@"; then
        say "$program: updating the package lists"
        apt update || say "$program: apt-get update failed; trying with the present lists"
        apt install "$@"
    fi
}

apt() {
    verb=$1
    shift
    [ "$verb" = update ] || set -- -y --no-install-recommends "$@"
    # shellcheck disable=SC2086  # $as_root is a command or nothing
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -o DPkg::Lock::Timeout=120 "$verb" "$@" >&2
}

# Whether the package lists have all of "$@".
known() {
    for package in "$@"; do
        apt-cache show --no-all-versions "$package" >/dev/null 2>&1 || return 1
    done
}

# Sets as_root; fails without permission to install.
may_install() {
    as_root=
    [ -z "$check_only" ] && have apt-get || return 1
    [ "$(id -u)" -ne 0 ] || return 0
    as_root=sudo
    have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }
}

on_debian() {
    wanted="$build${with_tests:+ $tests}"
    # shellcheck disable=SC2086  # lists of words
    missing=$(missing_packages $wanted)
    missing=${missing% }
    # shellcheck disable=SC2086
    missing_optional=$(missing_packages $optional)
    missing_optional=${missing_optional% }
    [ -n "$missing$missing_optional" ] || return 0

    if ! may_install; then
        if [ -z "$missing" ]; then
            say "$program: optional and not installed: $missing_optional"
            return 0
        fi
        say "$program: missing: $missing"
        say "As root (or with sudo) this script would install it. By hand:"
        print_all "$missing${missing_optional:+ $missing_optional}"
        return 1
    fi
    if [ -n "$missing" ]; then
        say "$program: installing $missing"
        # shellcheck disable=SC2086
        if ! install_packages $missing; then
            say "$program: apt-get could not install it; see above"
            return 1
        fi
    fi
    if [ -n "$missing_optional" ]; then
        for package in $missing_optional; do
            if known "$package"; then
                apt install "$package" || say "$program: continuing without $package"
            else
                say "$program: this distribution has no $package: continuing without it"
            fi
        done
    fi
}

elsewhere() {
    missing=$(missing_files)
    [ -n "$missing" ] || return 0
    say "$program: missing: ${missing%, }"
    say "This script installs on Debian and Ubuntu only. Elsewhere:"
    case $system in
    Darwin) print_brew ;;
    *fedora* | *rhel* | *centos*) print_fedora ;;
    *arch* | *manjaro*) print_arch ;;
    *) print_all "$build $optional${with_tests:+ $tests}" ;;
    esac
    return 1
}

with_tests=
check_only=
for argument in "$@"; do
    case $argument in
    -h | --help)
        usage
        exit 0
        ;;
    --test) with_tests=yes ;;
    --check) check_only=yes ;;
    *)
        say "$program: unknown argument '$argument'"
        say "Try '$program --help'."
        exit 2
        ;;
    esac
done

system=$(uname -s 2>/dev/null || echo unknown)
if have dpkg-query; then
    on_debian
else
    release=${DLTRAIN_OS_RELEASE:-/etc/os-release}
    if [ "$system" != Darwin ] && [ -r "$release" ]; then
        # shellcheck disable=SC1090  # the system's own description
        system=" $(ID='' ID_LIKE='' && . "$release" && echo "$ID $ID_LIKE") "
    fi
    elsewhere
fi
