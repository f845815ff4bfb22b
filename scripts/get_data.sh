#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# get_data.sh: downloads public data sets to data/ and verifies them.
#
# A new data set is one row in each of set_names, describe, files_of and urls_of (and a case in
# convert, if no server has the file in our form).

set -euo pipefail
export LC_ALL=C

readonly program=${0##*/}
readonly set_names="mnist fashion_mnist cifar10 iris car concrete tinyshakespeare"

usage() {
    cat <<USAGE
Usage: $program [OPTION]... NAME...
       $program --list

Downloads public data sets to data/NAME/ of the project (if installed: of the current folder). Every
file is verified by its sha256 before it gets its final name. Existing files are left alone.

Names: $set_names

Options:
  --list          list the sets, which are already here, and their sources
  --to DIR        use DIR instead of data/
  --force         download again; replaces a file that is damaged or was edited
  --no-unpack     leave archives (cifar10) packed
  --mirror-only   use no server except \$DLTRAIN_MIRROR (none, if that is not set)
  -h, --help      show this help

Sources, tried in this order for each file:
  1. \$DLTRAIN_DATA          a folder that has NAME/FILE, such as another data/ folder
  2. a Debian package       fashion_mnist: dataset-fashion-mnist
  3. \$DLTRAIN_MIRROR        base addresses (separated by spaces) that have NAME/FILE
  4. public mirrors         with curl; an interrupted download is resumed

cifar10 comes in two forms. Sources 1 and 3 may have it as JPEG files (train.tar.gz and
test.tar.gz, unpacked to train/CLASS/ and test/CLASS/); the public mirrors have the official
binary version (cifar-10-binary.tar.gz, unpacked to cifar-10-batches-bin/).

Exit status: 0 all sets are there; 1 a set is not available; 2 usage error.
USAGE
}

say() { printf '%s\n' "$*" >&2; }
warn() { say "$program: $*"; }
die_usage() {
    warn "$*"
    say "Try '$program --help'."
    exit 2
}

# ---------------------------------------------------------------------------------------------
# The tables.

# describe SET: title | size as copied | size as downloaded
describe() {
    case $1 in
    mnist) echo "handwritten digits, 28x28 gray, 10 classes|11 MB|11 MB" ;;
    fashion_mnist) echo "articles of clothing, 28x28 gray, 10 classes|31 MB|31 MB" ;;
    cifar10) echo "photographs, 32x32 color, 10 classes|20 MB|170 MB" ;;
    iris) echo "flowers, 4 numbers, 3 classes|4 kB|4 kB" ;;
    car) echo "car ratings, 6 categories, 4 classes|52 kB|52 kB" ;;
    concrete) echo "strength of concrete, 8 numbers, regression|49 kB|49 kB" ;;
    tinyshakespeare) echo "plays as plain text, language modeling|1.1 MB|1.1 MB" ;;
    esac
}

# Forms of a set, best first. All files of one form are needed.
forms_of() {
    case $1 in
    cifar10) echo "jpeg binary" ;;
    *) echo "only" ;;
    esac
}

# files_of SET FORM: lines of "file kind sha256 [folder]". Kinds: plain (sha256 of the file), gz
# (sha256 of what is inside, since copies differ in their compression), tar (sha256 of the
# archive, which unpacks to the folder).
files_of() {
    case $1/$2 in
    mnist/*) cat <<TABLE ;;
train-images-idx3-ubyte.gz gz ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
train-labels-idx1-ubyte.gz gz 65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
t10k-images-idx3-ubyte.gz gz 0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
t10k-labels-idx1-ubyte.gz gz ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2
TABLE
    fashion_mnist/*) cat <<TABLE ;;
train-images-idx3-ubyte.gz gz c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888
train-labels-idx1-ubyte.gz gz bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9
t10k-images-idx3-ubyte.gz gz 5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b
t10k-labels-idx1-ubyte.gz gz 0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34
TABLE
    cifar10/jpeg) cat <<TABLE ;;
train.tar.gz tar 2c9f2c5e31913ebb8f86e9130325c644648b26510355802826003a73f2bb32ee train
test.tar.gz tar 8d09e19b4c7143e22f2e114ffaab0a96af6f51833a103fa1ba72b5d427240e43 test
TABLE
    cifar10/binary)
        printf '%s %s %s %s\n' cifar-10-binary.tar.gz tar \
            c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd \
            cifar-10-batches-bin
        ;;
    iris/*)
        echo "iris.csv plain 9cc1c345c71bcc9b486b74cbf6063fa66f4bb5e0f603a4b3c3471ec2e5e8e355"
        ;;
    car/*)
        echo "car.csv plain 0023b86e0dd3502aaa0e4a610ef4d8aebbba7ff40f53fa7c2f0543c68bee5114"
        ;;
    concrete/*)
        echo "concrete.csv plain d7d8bd087f832935e902bcb2687667238cac3fe06799677a93ca2f46dce8db02"
        ;;
    tinyshakespeare/*)
        echo "input.txt plain 86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
        ;;
    esac
}

# urls_of SET FILE: the public URLs of a file, best first. Some are in another form, for convert.
urls_of() {
    local raw=https://raw.githubusercontent.com uci=https://archive.ics.uci.edu/ml
    case $1/$2 in
    mnist/*) cat <<TABLE ;;
https://storage.googleapis.com/cvdf-datasets/mnist/$2
https://ossci-datasets.s3.amazonaws.com/mnist/$2
$raw/fgnt/mnist/master/$2
TABLE
    fashion_mnist/*) cat <<TABLE ;;
https://storage.googleapis.com/tensorflow/tf-keras-datasets/$2
$raw/zalandoresearch/fashion-mnist/master/data/fashion/$2
http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/$2
TABLE
    cifar10/cifar-10-binary.tar.gz) cat <<TABLE ;;
https://www.cs.toronto.edu/~kriz/$2
https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/$2
TABLE
    iris/*) cat <<TABLE ;;
$raw/mwaskom/seaborn-data/master/iris.csv
$raw/scikit-learn/scikit-learn/1.2.1/sklearn/datasets/data/iris.csv
$uci/machine-learning-databases/iris/bezdekIris.data
TABLE
    car/*) cat <<TABLE ;;
$uci/machine-learning-databases/car/car.data
$raw/rapidmon/car_data/master/car.data
TABLE
    concrete/*) cat <<TABLE ;;
$raw/stedy/Machine-Learning-with-R-datasets/master/concrete.csv
$raw/boazde/concrete_data/main/Concrete_Data.csv
TABLE
    tinyshakespeare/*) cat <<TABLE ;;
$raw/karpathy/char-rnn/master/data/tinyshakespeare/input.txt
$raw/jcjohnson/torch-rnn/master/data/tiny-shakespeare.txt
TABLE
    esac
}

# convert SET IN OUT: converts other public forms of a table (header, number format) to ours; the
# sha256 is checked afterwards. Fails if there is nothing to convert.
convert() {
    case $1 in
    car) # UCI's file has no header; the copy has one that is misspelled
        awk 'BEGIN { print "buying,maint,doors,persons,lug_boot,safety,class" }
            { sub(/\r$/, "") } /^buying,/ || !NF { next } { print }' "$2" >"$3"
        ;;
    iris) # scikit-learn has a line of counts and class numbers; UCI has Iris-NAME
        awk -F, -v OFS=, '
            BEGIN { split("setosa,versicolor,virginica", name)
                print "sepal_length,sepal_width,petal_length,petal_width,species" }
            { sub(/\r$/, "") } NF != 5 || $1 !~ /^[0-9]\.[0-9]$/ { next }
            $5 ~ /^[012]$/ { $5 = name[$5 + 1] }
            { sub(/^Iris-/, "", $5); print }' "$2" >"$3"
        ;;
    concrete) # the second copy has long names and no trailing zeros
        awk -F, '
            NR == 1 { print "cement,slag,ash,water,superplastic,coarseagg,fineagg,age,strength" }
            { sub(/\r$/, "") } NF != 9 || $1 !~ /^[0-9.]+$/ { next }
            { for (i = 1; i <= 7; i++) printf "%.1f,", $i; printf "%d,%.2f\n", $8, $9 }' \
            "$2" >"$3"
        ;;
    *) return 1 ;;
    esac
}

# ---------------------------------------------------------------------------------------------
# Checks.

if command -v sha256sum >/dev/null 2>&1; then
    digest() { sha256sum; }
elif command -v shasum >/dev/null 2>&1; then
    digest() { shasum -a 256; }
elif command -v openssl >/dev/null 2>&1; then
    digest() { openssl dgst -sha256 -r; }
else
    digest() { return 127; }
fi

# is_right FILE KIND SHA256
is_right() {
    local sum
    case $2 in
    gz) sum=$(gzip -dc <"$1" 2>/dev/null | digest) || return 1 ;;
    *) sum=$(digest <"$1") || return 1 ;;
    esac
    [ "${sum%% *}" = "$3" ]
}

size_of() { if [ -e "$1" ]; then wc -c <"$1" | tr -d ' '; else echo 0; fi; }

# is_here DIR FILE FOLDER: whether the file is there, or what it unpacks to.
is_here() { [ -e "$1/$2" ] || { [ -n "$3" ] && [ -d "$1/$3" ]; }; }

# ---------------------------------------------------------------------------------------------
# Getting one file.

scratch=
# shellcheck disable=SC2317  # called by the trap
clean_up() { [ -z "$scratch" ] || rm -rf -- "$scratch"; }
trap clean_up EXIT
trap 'say ""; warn "interrupted; the next run resumes"; exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# place FILE TARGET: gives the file its final name, atomically.
place() {
    chmod 644 "$1" && mv -f -- "$1" "$2" || return 1
}

# copy_from FILE SOURCE TARGET KIND SHA256
copy_from() {
    [ -f "$2" ] || return 1
    scratch=${3%/*}/.${1}.tmp.$$
    if ! cp -- "$2" "$scratch"; then
        warn "could not copy $2"
    elif ! is_right "$scratch" "$4" "$5"; then
        warn "$2 does not have the published sha256: not used"
    elif place "$scratch" "$3"; then
        say "  $1 from ${2%/*}"
        scratch=
        return 0
    fi
    rm -f -- "$scratch"
    scratch=
    return 1
}

# curl_to URL PART: downloads, resuming after the bytes in PART. Retries as long as each attempt
# makes progress.
curl_to() {
    local before status show=-sS
    [ ! -t 2 ] || show=--progress-bar
    while :; do
        before=$(size_of "$2")
        status=0
        curl -fL "$show" --connect-timeout 20 --speed-limit 100 --speed-time 60 \
            -C - -o "$2" -- "$1" || status=$?
        case $status in
        0) return 0 ;;
        22) return 1 ;; # HTTP error
        33 | 36) # this server cannot resume
            [ "$before" -gt 0 ] || return 1
            say "  this server cannot resume: starting over"
            rm -f -- "$2"
            ;;
        *)
            [ "$(size_of "$2")" -gt "$before" ] || return 1
            say "  interrupted after $(size_of "$2") bytes: resuming"
            ;;
        esac
    done
}

# download SET FILE URL TARGET KIND SHA256
download() {
    local part=${4%/*}/.$2.part had _
    for _ in 1 2; do # again if the partial file was of something else
        had=$(size_of "$part")
        if [ "$had" -gt 0 ]; then
            say "  $2 from $3 (resuming after $had bytes)"
        else
            say "  $2 from $3"
        fi
        if ! curl_to "$3" "$part"; then
            [ "$(size_of "$part")" -gt 0 ] || rm -f -- "$part"
            return 1
        fi
        if is_right "$part" "$5" "$6"; then
            place "$part" "$4"
            return
        fi
        scratch=${4%/*}/.$2.tmp.$$
        if convert "$1" "$part" "$scratch" && is_right "$scratch" "$5" "$6"; then
            place "$scratch" "$4" && rm -f -- "$part" && scratch=
            return
        fi
        rm -f -- "$part" "$scratch"
        scratch=
        if [ "$had" -eq 0 ]; then
            warn "what came from $3 does not have the published sha256: removed"
            return 1
        fi
        say "  the partial file does not match: starting over"
    done
    return 1
}

# no_curl: true, with one message, if there is no curl.
told_no_curl=
no_curl() {
    command -v curl >/dev/null 2>&1 && return 1
    [ -n "$told_no_curl" ] || warn "curl is needed to download (Debian, Ubuntu:" \
        "apt-get install curl ca-certificates)"
    told_no_curl=yes
}

# get_file SET FILE TARGET KIND SHA256
get_file() {
    local base urls=
    if [ -n "$data_source" ]; then
        copy_from "$2" "$data_source/$1/$2" "$3" "$4" "$5" && return
    fi
    copy_from "$2" "$system_source/$(printf %s "$1" | tr _ -)/$2" "$3" "$4" "$5" && return
    for base in ${DLTRAIN_MIRROR:-}; do
        urls="$urls ${base%/}/$1/$2"
    done
    [ -n "$mirror_only" ] || urls="$urls $(urls_of "$1" "$2" | tr '\n' ' ')"
    [ -n "${urls// /}" ] || return 1
    no_curl && return 1
    for base in $urls; do
        download "$1" "$2" "$base" "$3" "$4" "$5" && return
    done
    return 1
}

# unpack DIR ARCHIVE FOLDER: the folder gets its name when it is complete.
unpack() {
    [ ! -d "$1/$3" ] || return 0
    say "  unpacking $2"
    scratch=$1/.$3.tmp.$$
    if mkdir "$scratch" && tar -xzof "$1/$2" -C "$scratch" && mv -- "$scratch/$3" "$1/$3"; then
        rmdir "$scratch"
        scratch=
        return 0
    fi
    rm -rf -- "$scratch"
    scratch=
    warn "could not unpack $1/$2"
    return 1
}

# ---------------------------------------------------------------------------------------------
# Getting a set.

# get_form SET FORM DIR: every file of the form. Sets $news if anything was done.
get_form() {
    local file kind sum folder
    while read -r file kind sum folder <&3; do
        if [ -n "$folder" ] && [ -d "$3/$folder" ] && [ -z "$force$no_unpack" ]; then
            continue
        fi
        if [ -e "$3/$file" ] && [ -z "$force" ]; then
            if ! is_right "$3/$file" "$kind" "$sum"; then
                warn "$3/$file is not the published file (damaged, or edited);" \
                    "--force replaces it"
                return 1
            fi
        else
            news=yes
            get_file "$1" "$file" "$3/$file" "$kind" "$sum" || return 1
        fi
        if [ -n "$folder" ] && [ -z "$no_unpack" ]; then
            news=yes
            [ -z "$force" ] || rm -rf -- "${3:?}/$folder"
            unpack "$3" "$file" "$folder" || return 1
        fi
    done 3<<<"$(files_of "$1" "$2")"
}

# form_is_here SET FORM DIR: no, part or yes, by the names alone.
form_is_here() {
    local file folder some=0 all=0
    while read -r file _ _ folder; do
        all=$((all + 1))
        ! is_here "$3" "$file" "$folder" || some=$((some + 1))
    done <<<"$(files_of "$1" "$2")"
    case $some in
    0) echo no ;;
    "$all") echo yes ;;
    *) echo part ;;
    esac
}

# lock DIR: keeps two runs from writing to the same folder (if flock exists).
lock() {
    command -v flock >/dev/null 2>&1 || return 0
    exec 9<"$1"
    flock -n 9 && return 0
    say "another $program is downloading $1: waiting for it"
    flock 9
}

get_set() {
    local dir=$target/$1 form forms
    local shown=${dir#"$PWD"/}
    forms=$(forms_of "$1")
    if ! mkdir -p -- "$dir" 2>/dev/null || [ ! -w "$dir" ]; then
        warn "cannot write to $shown"
        return 1
    fi
    lock "$dir"
    for form in $forms; do # one that is already there suffices
        if [ "$(form_is_here "$1" "$form" "$dir")" = yes ]; then
            forms=$form
            break
        fi
    done
    news=
    for form in $forms; do
        if get_form "$1" "$form" "$dir"; then
            if [ -n "$news" ]; then
                echo "$1: ready in $shown"
            else
                echo "$1: already there, in $shown"
            fi
            return 0
        fi
    done
    rmdir -- "$dir" 2>/dev/null || true
    warn "$1 is not available${mirror_only:+ (no public mirror was asked: --mirror-only)}"
    [ -d "$data_source" ] || [ -n "$mirror_only" ] ||
        say "  Without a network: set DLTRAIN_DATA to a folder that has $1/ (see data/README.md)."
    return 1
}

# has_all SET FOLDER: whether the folder has every file of a form of the set.
has_all() {
    local form file missing
    for form in $(forms_of "$1"); do
        missing=
        while read -r file _; do
            [ -f "$2/$file" ] || missing=yes
        done <<<"$(files_of "$1" "$form")"
        [ -n "$missing" ] || return 0
    done
    return 1
}

list_sets() {
    local name title copied fetched here form state from
    printf '%-16s %-7s %-5s %-36s %s\n' NAME SIZE HERE "AVAILABLE FROM" CONTENT
    for name in $set_names; do
        IFS='|' read -r title copied fetched <<<"$(describe "$name")"
        here=no
        for form in $(forms_of "$name"); do
            state=$(form_is_here "$name" "$form" "$target/$name")
            [ "$here" = yes ] || [ "$state" = no ] || here=$state
        done
        from=
        if [ -n "$data_source" ] && has_all "$name" "$data_source/$name"; then
            from="\$DLTRAIN_DATA, "
        fi
        if has_all "$name" "$system_source/$(printf %s "$name" | tr _ -)"; then
            from="${from}Debian, "
        elif [ "$name" = fashion_mnist ] && command -v apt-get >/dev/null 2>&1; then
            from="${from}(Debian), "
        fi
        if [ "$copied" = "$fetched" ]; then
            from="${from}download"
        else
            from="${from}download ($fetched)"
        fi
        printf '%-16s %-7s %-5s %-36s %s\n' "$name" "$copied" "$here" "$from" "$title"
    done
    echo "HERE: below ${target#"$PWD"/}; (Debian): after apt-get install dataset-fashion-mnist."
}

# name_of WORD: the name of the set; accepts fashion-mnist, MNIST and cifar-10, too.
name_of() {
    local name plain
    plain=$(printf %s "$1" | tr '[:upper:]' '[:lower:]' | tr -d ' _-')
    for name in $set_names; do
        if [ "$plain" = "${name//_/}" ]; then
            echo "$name"
            return
        fi
    done
    return 1
}

# ---------------------------------------------------------------------------------------------

root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd -P)
target=$root/data
case $root in */share/dltrain) target=$PWD/data ;; esac # installed
data_source=${DLTRAIN_DATA:-}
system_source=${DLTRAIN_SYSTEM_DATA:-/usr/share/datasets}
force='' no_unpack='' mirror_only='' list='' wanted='' news=''

while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
        usage
        exit 0
        ;;
    --list) list=yes ;;
    --to | --to=*)
        if [ "$1" = --to ]; then
            [ $# -ge 2 ] || die_usage "--to needs a folder"
            shift
            target=$1
        else
            target=${1#--to=}
        fi
        [ -n "$target" ] || die_usage "--to needs a folder"
        case $target in /*) ;; *) target=$PWD/$target ;; esac
        ;;
    --force) force=yes ;;
    --no-unpack) no_unpack=yes ;;
    --mirror-only) mirror_only=yes ;;
    -*) die_usage "unknown option '$1'" ;;
    *)
        if name=$(name_of "$1"); then
            wanted="$wanted $name"
        else
            case $1 in
            digits | and | or | not | xor)
                die_usage "'$1' is included, in data/" ;;
            *) die_usage "no set is called '$1'; there are: $set_names" ;;
            esac
        fi
        ;;
    esac
    shift
done

target=${target%/}
if [ -n "$data_source" ] && [ ! -d "$data_source" ]; then
    warn "\$DLTRAIN_DATA is '$data_source', which is no folder: not used"
    data_source=
fi
if [ -n "$list" ]; then
    list_sets
    exit 0
fi
[ -n "$wanted" ] || die_usage "which set? There are: $set_names"
if ! digest </dev/null >/dev/null 2>&1; then
    warn "sha256sum (or shasum, or openssl) is needed to check the files"
    exit 1
fi

failed=0
for name in $wanted; do
    get_set "$name" || failed=1
done
exit $failed
