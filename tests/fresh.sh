#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fresh.sh [--quick | --full] [--reuse] [--keep FOLDER] RELEASE: builds and tests the last commit
# on a new Debian or Ubuntu (bookworm, trixie, noble, ...), installed into a folder by debootstrap.
#
# Packages come from the sources of this machine's apt. In the new system, without a terminal:
#   root     scripts/quickstart.sh and scripts/check.sh, no LANG
#   nohup    scripts/check.sh with SIGHUP and SIGINT ignored
#   de_DE    a user, LANG=de_DE.UTF-8
#   tr_TR    a user, LANG=tr_TR.UTF-8
#   missing  a user, without one package: scripts/quickstart.sh names it
#   install  make install PREFIX=$HOME/.local, and the installed program from another folder
# The first run has all tests, the others a part.
#
#   --quick        a part of the tests in the first run, too
#   --full         all tests in each run
#   --only RUNS    only these runs ("root nohup")
#   --reuse        the folder has the system from an earlier call: do not install it again
#   --unverified   accept packages of an Ubuntu whose keys are not on this machine
#   --keep FOLDER  install into FOLDER and leave it there (default: a temporary folder)
#
# Needs root and debootstrap. Exit status: 0 all passed, 1 a run failed, 2 usage, 77 the release's
# archive cannot be reached (or debootstrap is not there).
set -euo pipefail
export LC_ALL=C

program=${0##*/}
say() { printf '%s: %s\n' "$program" "$*" >&2; }
usage() { sed -n '3,/^set/s/^# \{0,1\}//p' "$0"; }

part='config dltrain scripts search interrupt terminal manual numpy splits second_order'
first=all others=part reuse='' unverified=''
folder='' release='' runs='root nohup de_DE tr_TR missing install'
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage && exit ;;
    --quick) first=part ;;
    --full) others=all ;;
    --only) runs=${2:?} && shift ;;
    --reuse) reuse=yes ;;
    --unverified) unverified=yes ;;
    --keep) folder=${2:?} && shift ;;
    -*) say "unknown option '$1'" && exit 2 ;;
    *) [ -z "$release" ] || { usage >&2 && exit 2; } && release=$1 ;;
    esac
    shift
done
[ -n "$release" ] || { usage >&2 && exit 2; }
[ "$(id -u)" -eq 0 ] || { say "debootstrap needs root" && exit 2; }
command -v debootstrap >/dev/null || { say "debootstrap is not installed" && exit 77; }

cd -- "$(dirname -- "$0")/.."
data=${DLTRAIN_DATA:-../shared/data}
if [ -z "$folder" ]; then
    folder=$(mktemp -d)
    trap 'rm -rf -- "$folder"' EXIT
fi
mkdir -p "$folder"
folder=$(cd -- "$folder" && pwd)
system=$folder/$release logs=$folder/logs-$release
mkdir -p "$logs"

# archive ORIGIN: apt's source of that distribution, if any.
archive() {
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Identifier: Packages' |
        awk -v origin="$1" '$1 == origin && $2 !~ /-/ { print $3; exit }'
}

# From apt's archive of the distribution, or else from debootstrap's own default.
install_system() {
    local scripts=/usr/share/debootstrap/scripts origin=Debian components=main check=()
    local keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg
    if [ ! -e "$scripts/$release" ]; then # newer than debootstrap: all Ubuntu scripts are equal
        rm -rf -- "$folder/debootstrap"
        cp -a "${scripts%/*}" "$folder/debootstrap"
        export DEBOOTSTRAP_DIR=$folder/debootstrap
        scripts=$DEBOOTSTRAP_DIR/scripts
        ln -s gutsy "$scripts/$release"
    fi
    if grep -q ubuntu "$scripts/$release"; then
        origin=Ubuntu components=main,universe
        [ -e "$keyring" ] || apt-get -q -y install ubuntu-archive-keyring >"$logs/keyring" 2>&1 || :
        if [ ! -e "$keyring" ] && [ -z "$unverified" ]; then
            echo "Ubuntu's keys are not here (ubuntu-archive-keyring)" >"$logs/debootstrap"
            return 1
        fi
        [ -e "$keyring" ] || check=(--no-check-gpg)
    fi
    rm -rf -- "$system"
    # shellcheck disable=SC2046 # none is no argument
    debootstrap --variant=minbase --components="$components" "${check[@]}" "$release" "$system" \
        $(archive "$origin") >"$logs/debootstrap" 2>&1
}

if [ -z "$reuse" ] || [ ! -d "$system/usr" ]; then
    say "installing $release"
    install_system || {
        say "$release cannot be installed: $(tail -n 1 "$logs/debootstrap")"
        exit 77
    }
fi
rm -rf -- "$system/root/dltrain" "${system:?}/home/"* "$system/root/shared"
cp /etc/resolv.conf /etc/hosts "$system/etc/"
apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-)' \
    >"$system/etc/apt/apt.conf.d/99fresh" || :
mkdir -p "$system/root/dltrain" "$system/root/shared/data"
git archive HEAD | tar -x -C "$system/root/dltrain"

# inside COMMAND...: runs in the new system, in separate namespaces, so that mounts and processes
# end with it; without terminal and environment.
inside() {
    # shellcheck disable=SC2016 # the inner shell's
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        setsid --wait unshare --mount --pid --fork bash -c '
            system=$1 data=$2
            shift 2
            mount -t proc proc "$system/proc"
            mount --rbind /dev "$system/dev"
            mount -t tmpfs tmpfs "$system/dev/shm" 2>/dev/null || :
            [ ! -d "$data" ] || mount --bind -o ro "$data" "$system/root/shared/data"
            exec chroot "$system" "$@"
        ' bash "$system" "$(readlink -f -- "$data" || :)" "$@" </dev/null
}

# tests all|part: prints the commands of a run's tests.
tests() {
    if [ "$1" = all ]; then
        echo 'scripts/check.sh --no-deps'
    else
        echo "scripts/check.sh --no-deps $part"
    fi
}

# run NAME SCRIPT: runs the shell script in the new system, times it, and keeps its output.
failed=0 table=''
run() {
    local start=$SECONDS result=passed
    case " $runs " in *" $1 "*) ;; *) return 0 ;; esac
    say "$release: $1"
    if ! inside bash -c "set -e; cd /root/dltrain; $2" >"$logs/$1" 2>&1; then
        result=FAILED failed=1
        grep -E '^not ok|FAILED|Error|error:|failed' "$logs/$1" | head -n 20 >&2 || :
    fi
    table="$table$(printf '%-10s %-8s %-7s %5d s\n' "$release" "$1" $result $((SECONDS - start)))
"
}

# The user's copy of the tree, with its build; its path has spaces and is no ASCII.
# shellcheck disable=SC2016 # the inner shell's
as_user='
    home="/home/Jörg User" clone="/home/Jörg User/my nets"
    id user >/dev/null 2>&1 || useradd -m -d "$home" user
    mkdir -p "$clone/shared/data" && rm -rf "$clone/dltrain" && cp -a /root/dltrain "$clone/"
    [ ! -d /root/shared/data ] || mount --bind /root/shared/data "$clone/shared/data"
    chown -R user: "$clone/dltrain"
    chown user: "$home" "$clone"
    cd "$clone/dltrain"
    user() { runuser -u user -- env HOME="$home" "$@"; }'
# shellcheck disable=SC2016
locales='
    command -v localedef >/dev/null && [ -e /usr/share/i18n/locales/tr_TR ] ||
        DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends locales
    for locale in de_DE tr_TR; do localedef -i $locale -f UTF-8 $locale.UTF-8; done'

run root "scripts/quickstart.sh; scripts/install_deps.sh --test; $(tests $first)"
run nohup "trap '' HUP INT; $(tests $others)"
for locale in de_DE tr_TR; do
    run $locale "$as_user $locales
        user LANG=$locale.UTF-8 bash -c 'scripts/quickstart.sh && $(tests $others)'"
done
run missing "$as_user
    dpkg --remove --force-depends libjansson-dev
    user scripts/quickstart.sh >refusal 2>&1 && status=0 || status=\$?
    DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends libjansson-dev
    cat refusal
    [ \$status = 1 ] && grep 'missing: libjansson-dev$' refusal"
run install "$as_user
    user make install PREFIX=\"\$home/.local\"
    rm -rf \"\$clone/dltrain\" && cd \"\$home\"
    user .local/bin/dltrain .local/share/dltrain/configs/digits.cfg --epochs 1"

printf '%s' "$table"
[ $failed = 0 ] || say "the output of each run is in $logs"
[ -z "$(trap -p EXIT)" ] || [ $failed = 0 ] || trap - EXIT
exit $failed
