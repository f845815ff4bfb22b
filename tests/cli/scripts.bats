#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The scripts: syntax, and install_deps.sh, quickstart.sh, check.sh and .ci/run on several systems.
# A system is a folder of commands, some of them fake, used as the PATH.

# Each test runs in a subshell.
# shellcheck disable=SC2030,SC2031,SC2016

build="gcc make pkg-config libconfig-dev zlib1g-dev libstb-dev libopenblas-openmp-dev"
build="$build libjansson-dev"
onnx="libonnx-dev libprotobuf-c-dev protobuf-c-compiler"

setup() {
    root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
    deps=$root/scripts/install_deps.sh
    bin=$BATS_TEST_TMPDIR/bin
    log=$BATS_TEST_TMPDIR/log
    export log
    unset CI DLTRAIN_OS_RELEASE DLTRAIN_DATA OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
    mkdir "$bin"
    : >"$log"
    local tool
    for tool in sh cat dirname env uname; do ln -s "$(command -v $tool)" "$bin/"; done
    cd "$BATS_TEST_TMPDIR" || return 1
}

# command_is NAME [FOLDER] <<BODY: creates a fake command, in $bin or the folder.
command_is() {
    { printf '#!/bin/sh\n' && cat; } >"${2:-$bin}/$1"
    chmod +x "${2:-$bin}/$1"
}

# A Debian system: $installed are the installed packages, $offered those that apt knows (empty: all,
# once the lists are updated).
debian() {
    export installed=" $1 " offered=${2:-}
    command_is dpkg-query <<'BODY'
shift 3
status=0
for package in "$@"; do
    case $installed in
    *" $package "*) printf '%s=installed ' "$package" ;;
    *" -$package "*) printf '%s=config-files ' "$package" ;;
    *) echo "dpkg-query: no packages found matching $package" >&2; status=1 ;;
    esac
done
exit $status
BODY
    command_is apt-cache <<'BODY'
for package in "$@"; do :; done
[ -z "$offered" ] || case " $offered " in *" $package "*) ;; *) exit 100 ;; esac
BODY
    command_is apt-get <<'BODY'
echo "apt-get $* ($DEBIAN_FRONTEND)" >>"$log"
BODY
    user 0
}
user() { command_is id <<<"echo $1"; }
run_deps() { PATH=$bin run "$deps" "$@" </dev/null; }

fail() {
    echo "$*"
    echo "status $status; output:"
    echo "$output"
    echo "log:"
    cat "$log"
    return 1
}
has() { [[ $output == *"$1"* ]] || fail "no '$1' in the output"; }
has_not() { [[ $output != *"$1"* ]] || fail "'$1' in the output"; }
status_is() { [ "$status" -eq "$1" ] || fail "the exit status is not $1"; }
log_is() { [ "$(cat "$log")" = "$1" ] || fail "the log is not '$1'"; }

install="apt-get -q -o DPkg::Lock::Timeout=120 install -y --no-install-recommends"
update="apt-get -q -o DPkg::Lock::Timeout=120 update (noninteractive)"

@test "every script parses and is executable" {
    local script
    for script in "$root"/scripts/*.sh "$root/.ci/run"; do
        [ -x "$script" ]
        if [ "$(head -n 1 "$script")" = "#!/bin/sh" ]; then sh -n "$script"; fi
        bash -n "$script"
    done
}

@test "scripts use decimal points in every locale" {
    command -v localedef >/dev/null || skip "needs localedef"
    mkdir locales
    localedef -i de_DE -f UTF-8 locales/de_DE.UTF-8 2>/dev/null || skip "no definition of de_DE"
    # shellcheck disable=SC2016 # the inner shell's
    LOCPATH=$PWD/locales LC_ALL=de_DE.UTF-8 DLTRAIN_PROGRAMS=$root run sh -c '. "$1"
        echo 1.5 | POSIXLY_CORRECT=1 awk "{ printf \"%.2f\", \$1 * 1.5 }"' sh \
        "$root/scripts/common.sh"
    [ "$output" = 2.25 ] || fail "no 2.25"
}

@test "--help and usage errors of every script" {
    local script
    for script in install_deps quickstart check; do
        run "$root/scripts/$script.sh" --help
        status_is 0
        has "Usage: $script.sh"
        run "$root/scripts/$script.sh" --frobnicate
        status_is 2
        has "unknown argument '--frobnicate'"
    done
}

@test "install_deps: an unknown system gets the commands of all" {
    DLTRAIN_OS_RELEASE=/nonexistent run_deps
    status_is 1
    has "missing: a C compiler, make, pkg-config"
    has "sudo apt-get install --no-install-recommends $build libdnnl-dev"
    has "sudo dnf install gcc make"
    has "sudo pacman -S --needed gcc make"
    has "brew install gcc make"
    has_not cmocka
    DLTRAIN_OS_RELEASE=/nonexistent run_deps --test
    status_is 1
    has "libcmocka-dev"
    has "libcmocka-devel"
    has "bats-core"
}

@test "install_deps: Fedora and Arch get their own command only" {
    echo 'ID=fedora' >fedora
    DLTRAIN_OS_RELEASE=$PWD/fedora run_deps
    status_is 1
    has "dnf install"
    has_not apt-get
    has_not pacman
    printf 'ID="endeavouros"\nID_LIKE="arch"\n' >arch
    DLTRAIN_OS_RELEASE=$PWD/arch run_deps
    status_is 1
    has "pacman -S"
    has_not dnf
}

@test "install_deps: elsewhere, with nothing missing, it is silent" {
    echo 'ID=fedora' >fedora
    local tool
    for tool in gcc cc make pkg-config bats valgrind shellcheck mandoc jq python3 curl clang \
        clang-format; do
        command_is $tool </dev/null
    done
    DLTRAIN_OS_RELEASE=$PWD/fedora run_deps --test
    status_is 0
    [ -z "$output" ] || fail "it speaks"
    command_is pkg-config <<<'[ "$2" != openblas ]'
    DLTRAIN_OS_RELEASE=$PWD/fedora run_deps
    status_is 1
    has "missing: openblas"$'\n'
    command_is pkg-config </dev/null
    command_is cc <<<'exit 1'
    DLTRAIN_OS_RELEASE=$PWD/fedora run_deps
    status_is 1
    has "missing: stb/stb_image.h"$'\n'
}

@test "install_deps: with nothing missing, apt is not called" {
    debian "$build libdnnl-dev $onnx"
    run_deps
    status_is 0
    [ -z "$output" ] || fail "it speaks"
    log_is ""
    user 1000
    run_deps
    status_is 0
    log_is ""
}

@test "install_deps: root installs only what is missing" {
    debian "make pkg-config libconfig-dev zlib1g-dev libopenblas-openmp-dev libdnnl-dev $onnx -gcc"
    run_deps
    status_is 0
    log_is "$install gcc libstb-dev libjansson-dev (noninteractive)"
    : >"$log"
    local tests="g++ libcmocka-dev bats valgrind shellcheck mandoc jq clang-format"
    debian "$build libdnnl-dev $onnx $tests"
    run_deps --test
    status_is 0
    log_is "$install python3 curl clang libomp-dev gnuplot-nox python3-protobuf (noninteractive)"
}

@test "install_deps: the lists are updated if apt does not know a package" {
    debian "" "gcc make"
    run_deps
    status_is 0
    log_is "$update
$install $build (noninteractive)"
    has "no libdnnl-dev: continuing without it"
}

@test "install_deps: the lists are updated if installing fails; failures are reported" {
    debian "gcc make libdnnl-dev $onnx"
    ln -s "$(command -v grep)" "$bin/"
    command_is apt-get <<'BODY'
echo "$4" >>"$log"
[ "$4" = update ] || [ "$(grep -c . "$log")" -gt 2 ]
BODY
    run_deps
    status_is 0
    log_is "install
update
install"
    command_is apt-get <<<'exit 100'
    run_deps
    status_is 1
    has "apt-get could not install it"
}

@test "install_deps: oneDNN is optional" {
    debian "$build $onnx"
    run_deps
    status_is 0
    log_is "$install libdnnl-dev (noninteractive)"
    command_is apt-get <<<'exit 100'
    run_deps
    status_is 0
    has "continuing without libdnnl-dev"
    user 1000
    run_deps
    status_is 0
    has "optional"
}

@test "install_deps: neither root nor sudo: the exact command, and 1" {
    debian "make zlib1g-dev libstb-dev libdnnl-dev $onnx"
    user 1000
    run_deps
    status_is 1
    log_is ""
    local missing="gcc pkg-config libconfig-dev libopenblas-openmp-dev libjansson-dev"
    has "sudo apt-get update && sudo apt-get install --no-install-recommends $missing"$'\n'
    has "sudo dnf install"
    has "sudo pacman -S"
    has "brew install"
}

@test "install_deps: sudo that asks for a password is not used without a terminal" {
    debian "$onnx"
    user 1000
    command_is sudo <<<'[ "$1" != -n ] && echo "sudo $*" >>"$log"'
    run_deps
    status_is 1
    log_is ""
    command_is sudo <<'BODY'
[ "$1" != -n ] || exit 0
echo "sudo $1 $2" >>"$log"
exec "$@"
BODY
    run_deps
    status_is 0
    log_is "sudo env DEBIAN_FRONTEND=noninteractive
$install $build (noninteractive)
sudo env DEBIAN_FRONTEND=noninteractive
$install libdnnl-dev (noninteractive)"
}

@test "install_deps --check installs nothing" {
    debian "gcc"
    run_deps --check
    status_is 1
    has "missing: make pkg-config"
    log_is ""
    debian "$build libdnnl-dev $onnx"
    run_deps --check
    status_is 0
}

# A copy of the project with fake make, dltrain and dltest, which log their calls.
project() {
    mkdir -p "place/the project/.ci"
    cp -r "$root/scripts" "place/the project/"
    cp "$root/.ci/run" "place/the project/.ci/"
    cd "place/the project" || return 1
    command_is install_deps.sh scripts <<<'echo "install_deps.sh $*" >>"$log"'
    local tool
    for tool in make nproc; do rm -f "$bin/$tool"; done
    command_is nproc <<<'echo 3'
    command_is make <<'BODY'
echo "make $* in ${PWD##*/}, DLTRAIN_DATA=${DLTRAIN_DATA-unset}" \
    "OPENBLAS=${OPENBLAS_CORETYPE-}${OPENBLAS_L2_SIZE-}" >>"$log"
[ "$1" != check ] || exit ${check_status:-0}
BODY
    command_is dltrain . <<<'echo "dltrain $*" >>"$log"; exit ${train_status:-0}'
    command_is dltest . <<<'echo "dltest $*" >>"$log"'
    cd /
    project="$BATS_TEST_TMPDIR/place/the project"
}

@test "quickstart: from any folder, in order, with next steps" {
    project
    PATH=$bin:$PATH run "$project/scripts/quickstart.sh"
    status_is 0
    log_is "install_deps.sh 
make -j3 in the project, DLTRAIN_DATA=unset OPENBLAS=
dltrain configs/digits.cfg
dltest runs/latest"
    has "scripts/get_data.sh mnist"
    has "./dltrain configs/mnist.cfg"
    has "./dltrain --help"
}

@test "quickstart: exits at the first failure, with its status" {
    project
    train_status=4 PATH=$bin:$PATH run "$project/scripts/quickstart.sh" --no-deps
    status_is 4
    has "'./dltrain configs/digits.cfg' failed (exit status 4)"
    has_not "What to try next"
    run cat "$log"
    has_not dltest
    has_not install_deps
    : >"$log"
    command_is install_deps.sh "$project/scripts" <<<'exit 1'
    PATH=$bin:$PATH run "$project/scripts/quickstart.sh"
    status_is 1
    has "--no-deps"
    log_is ""
}

@test "check: builds, runs make check, and exits with its status" {
    project
    export OPENBLAS_CORETYPE=Haswell OPENBLAS_L2_SIZE=262144
    check_status=7 PATH=$bin:$PATH run "$project/scripts/check.sh"
    status_is 7
    log_is "install_deps.sh --test
make -j3 in the project, DLTRAIN_DATA=unset OPENBLAS=
make -j3 tests in the project, DLTRAIN_DATA=unset OPENBLAS=
make check in the project, DLTRAIN_DATA=unset OPENBLAS="
    command_is install_deps.sh "$project/scripts" <<<'exit 1'
    : >"$log"
    PATH=$bin:$PATH run "$project/scripts/check.sh"
    status_is 1
    log_is ""
}

@test "check: lint runs in CI only; a test can be named" {
    project
    CI=true PATH=$bin:$PATH run "$project/scripts/check.sh"
    status_is 0
    [ "$(grep -c '^make lint in the project' "$log")" -eq 1 ]
    : >"$log"
    PATH=$bin:$PATH run "$project/scripts/check.sh" --no-deps test_csv config
    status_is 0
    log_is "make -j3 in the project, DLTRAIN_DATA=unset OPENBLAS=
make -j3 test T=test_csv config in the project, DLTRAIN_DATA=unset OPENBLAS="
    run "$project/scripts/check.sh" --no-dep
    status_is 2
}

@test "check: finds data sets next to the project without DLTRAIN_DATA" {
    project
    mkdir -p "$project/../shared/data"
    PATH=$bin:$PATH run "$project/scripts/check.sh"
    status_is 0
    grep -q "make check in the project, DLTRAIN_DATA=.*/place/shared/data " "$log" || fail "unset"
    : >"$log"
    DLTRAIN_DATA=/elsewhere PATH=$bin:$PATH run "$project/scripts/check.sh"
    grep -q "make check in the project, DLTRAIN_DATA=/elsewhere " "$log" || fail "overridden"
}

@test ".ci/run is check.sh, from any folder" {
    project
    check_status=5 PATH=$bin:$PATH run "$project/.ci/run"
    status_is 5
    [ "$(grep -c '^make check in the project' "$log")" -eq 1 ]
}
