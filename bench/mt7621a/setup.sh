#!/usr/bin/env bash
# Gets what bench/mt7621a needs, all of it from Debian's archive, below node_modules/.cache/wgwhy/mt7621a: Node 18 for mipsel,
# a qemu-mipsel that takes plugins (Debian's own takes none), QuickJS and the kernel's assembly compiled for mipsel. Nothing of
# the system is changed and no root is needed; what is there already is not made again. About 250 MB to fetch, 4 minutes.
set -euo pipefail
cd "$(dirname "$0")"
HERE=$PWD
CACHE=$(cd ../.. && pwd)/node_modules/.cache/wgwhy/mt7621a
TOOLS=$CACHE/tools SYSROOT=$CACHE/mipsel DOWN=$CACHE/down
JOBS=${JOBS:-1}
HOST=$(dpkg --print-architecture)
KEYS=/usr/share/keyrings/debian-archive-keyring.gpg
mkdir -p "$CACHE" "$DOWN"

say() { printf '%s\n' "$*"; }

for program in gcc make python3 perl dpkg-deb dpkg-source apt-get; do
  command -v "$program" >/dev/null || { say "there is no $program: apt-get install build-essential python3"; exit 2; }
done

# A state of apt's own: the system knows nothing of mipsel, and shall not.
export APT_CONFIG=$CACHE/apt/apt.conf
archive() {
  local mirror
  mirror=${MIRROR:-$(APT_CONFIG='' apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | sort -u | head -n 1)}
  [[ -n $mirror ]] || { say "no Debian archive is known here: give one as MIRROR=…"; exit 2; }
  mkdir -p "$CACHE"/apt/{lists/partial,cache/archives/partial}
  : >"$CACHE/apt/status"
  printf '%s\n' "deb [arch=mipsel,$HOST signed-by=$KEYS] $mirror bookworm main" \
    "deb-src [signed-by=$KEYS] $mirror bookworm main" "deb-src [signed-by=$KEYS] $mirror trixie main" >"$CACHE/apt/sources.list"
  cat >"$APT_CONFIG" <<X
APT::Architecture "mipsel"; APT::Architectures { "mipsel"; "$HOST"; }; APT::Sandbox::User "root"; Acquire::Languages "none";
Dir::State "$CACHE/apt"; Dir::State::lists "$CACHE/apt/lists"; Dir::State::status "$CACHE/apt/status"; Dir::Cache "$CACHE/apt/cache";
Dir::Etc::sourcelist "$CACHE/apt/sources.list"; Dir::Etc::sourceparts "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
X
  apt-get -qq update
}

# Packages by name, unpacked below a folder.
unpacked() {
  local root=$1 deb
  shift
  rm -rf "$DOWN/debs" && mkdir -p "$DOWN/debs" "$root"
  (cd "$DOWN/debs" && apt-get -qq download "$@")
  for deb in "$DOWN"/debs/*.deb; do dpkg-deb -x "$deb" "$root"; done
  rm -rf "$DOWN/debs"
}

# A source package of a suite, unpacked to src/NAME.
source_of() {
  rm -rf "$DOWN/src" "$CACHE/src/$1" && mkdir -p "$DOWN/src" "$CACHE/src"
  (cd "$DOWN/src" && apt-get -qq source --download-only "$1/$2")
  dpkg-source --no-check -x "$DOWN"/src/*.dsc "$CACHE/src/$1" >/dev/null
  rm -rf "$DOWN/src"
}

node() {
  local packages
  packages=$(apt-get install --no-install-recommends --print-uris -qq nodejs | awk '{ split($2, part, "_"); print part[1] }')
  # shellcheck disable=SC2086
  unpacked "$SYSROOT" $packages
}

tools() {
  local name names=()
  for name in libglib2.0-0 libglib2.0-dev libglib2.0-dev-bin libpcre2-8-0 libpcre2-dev libpcre2-posix3 libffi8 libffi-dev \
    libmount1 libmount-dev libblkid1 libblkid-dev libselinux1 libselinux1-dev libsepol2 libsepol-dev zlib1g zlib1g-dev \
    uuid-dev ninja-build pkgconf pkgconf-bin libpkgconf3 gcc-12-mipsel-linux-gnu cpp-12-mipsel-linux-gnu \
    binutils-mipsel-linux-gnu libisl23 libmpc3 libmpfr6 libgmp10 libzstd1; do names+=("$name:$HOST"); done
  unpacked "$TOOLS" "${names[@]}" meson python3-setuptools python3-pkg-resources python3-distutils python3-lib2to3 \
    libgcc-12-dev-mipsel-cross libc6-mipsel-cross libc6-dev-mipsel-cross libgcc-s1-mipsel-cross linux-libc-dev-mipsel-cross
}

LIBRARIES=$TOOLS/usr/lib/x86_64-linux-gnu:$TOOLS/lib/x86_64-linux-gnu

cross() {
  LD_LIBRARY_PATH=$LIBRARIES PATH=$TOOLS/usr/bin:$PATH "$TOOLS/usr/bin/mipsel-linux-gnu-gcc-12" "$@"
}

step() {
  local name=$1 about=$2
  if [[ -e $CACHE/$name.done ]]; then say "$name: there"; return; fi
  say "$name: $about"
  "$name"
  touch "$CACHE/$name.done"
}
