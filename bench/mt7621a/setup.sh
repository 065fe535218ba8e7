#!/usr/bin/env bash
# Gets what bench/mt7621a needs, all of it from Debian's archive, below node_modules/.cache/wgwhy/mt7621a: Node 18 for mipsel,
# a qemu-mipsel that takes plugins (Debian's own takes none), QuickJS and the kernel's assembly, compiled for mipsel. Nothing of
# the system is changed and no root is needed; what is there already is not made again. 250 MB to fetch, three minutes and more.
# MIRROR=… for an archive other than the one apt has here, JOBS=… for more than one compiler at a time.
set -euo pipefail
cd "$(dirname "$0")"
HERE=$PWD
CACHE=$(cd ../.. && pwd)/node_modules/.cache/wgwhy/mt7621a
TOOLS=$CACHE/tools SYSROOT=$CACHE/mipsel DOWN=$CACHE/down
KEYS=/usr/share/keyrings/debian-archive-keyring.gpg
# Debian's Python, which has what its meson wants, before any other.
PATH=/usr/bin:$PATH

say() { printf '%s\n' "$*"; }

for program in gcc make python3 perl xz dpkg-deb dpkg-source apt-get; do
  command -v "$program" >/dev/null || { say "there is no $program here: apt-get install build-essential python3 xz-utils"; exit 2; }
done
HOST=$(dpkg --print-architecture)
TRIPLET=$(gcc -print-multiarch)
LIBRARIES=$TOOLS/usr/lib/$TRIPLET:$TOOLS/lib/$TRIPLET
mkdir -p "$CACHE"
touch "$CACHE/versions"

note() {
  { grep -v "^$1 " "$CACHE/versions" || true; printf '%s %s\n' "$1" "$2"; } >"$CACHE/versions.new"
  mv "$CACHE/versions.new" "$CACHE/versions"
}

# A state of apt's own: the system knows nothing of mipsel, and shall not.
archive() {
  local mirror
  mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | sort -u | head -n 1)}
  [[ -n $mirror ]] || { say 'apt has no Debian archive here: give one, MIRROR=…'; exit 2; }
  mkdir -p "$CACHE"/apt/{lists/partial,cache/archives/partial}
  : >"$CACHE/apt/status"
  printf '%s\n' "deb [arch=mipsel,$HOST signed-by=$KEYS] $mirror bookworm main" \
    "deb-src [signed-by=$KEYS] $mirror bookworm main" "deb-src [signed-by=$KEYS] $mirror trixie main" >"$CACHE/apt/sources.list"
  cat >"$CACHE/apt/apt.conf" <<X
APT::Architecture "mipsel"; APT::Architectures { "mipsel"; "$HOST"; }; APT::Sandbox::User "root"; Acquire::Languages "none";
Dir::State "$CACHE/apt"; Dir::State::lists "$CACHE/apt/lists"; Dir::State::status "$CACHE/apt/status"; Dir::Cache "$CACHE/apt/cache";
Dir::Etc::sourcelist "$CACHE/apt/sources.list"; Dir::Etc::sourceparts "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
X
  export APT_CONFIG=$CACHE/apt/apt.conf
  apt-get -qq update
}

# Packages by name, unpacked below a folder.
unpacked() {
  local root=$1 deb
  shift
  rm -rf "$DOWN" && mkdir -p "$DOWN" "$root"
  (cd "$DOWN" && apt-get -qq download "$@")
  for deb in "$DOWN"/*.deb; do dpkg-deb -x "$deb" "$root"; done
}

# The source package $1 of the suite $2, unpacked to a folder of its name.
source_of() {
  rm -rf "$DOWN" "${CACHE:?}/$1" && mkdir -p "$DOWN"
  (cd "$DOWN" && apt-get -qq source --download-only "$1/$2" && dpkg-source --no-check --no-copy -x ./*.dsc "$CACHE/$1" >/dev/null)
  note "$1" "$(sed -n 's/^Version: //p' "$DOWN"/*.dsc | head -n 1)"
}

node() {
  local packages deb
  packages=$(apt-get install --no-install-recommends --print-uris -qq nodejs | awk '{ split($2, part, "_"); print part[1] }')
  # shellcheck disable=SC2086
  unpacked "$SYSROOT" $packages
  for deb in "$DOWN"/nodejs_*.deb "$DOWN"/libssl3_*.deb "$DOWN"/libc6_*.deb; do
    note "$(dpkg-deb -f "$deb" Package)" "$(dpkg-deb -f "$deb" Version)"
  done
}

tools() {
  local name names=()
  for name in libglib2.0-0 libglib2.0-dev libglib2.0-dev-bin libpcre2-8-0 libpcre2-dev libpcre2-posix3 libffi8 libffi-dev \
    libmount1 libmount-dev libblkid1 libblkid-dev libselinux1 libselinux1-dev libsepol2 libsepol-dev zlib1g zlib1g-dev \
    uuid-dev ninja-build pkgconf pkgconf-bin libpkgconf3 gcc-12-mipsel-linux-gnu cpp-12-mipsel-linux-gnu \
    binutils-mipsel-linux-gnu libisl23 libmpc3 libmpfr6 libgmp10 libzstd1; do names+=("$name:$HOST"); done
  unpacked "$TOOLS" "${names[@]}" meson python3-setuptools python3-pkg-resources python3-distutils python3-lib2to3 \
    libgcc-12-dev-mipsel-cross libc6-mipsel-cross libc6-dev-mipsel-cross libgcc-s1-mipsel-cross linux-libc-dev-mipsel-cross
  note gcc-12-mipsel-linux-gnu "$(dpkg-deb -f "$DOWN"/gcc-12-mipsel-linux-gnu_*.deb Version)"
}

qemu() {
  local from=$CACHE/qemu meson=$TOOLS/usr/bin/meson
  source_of qemu bookworm
  # configure wants one command
  printf '#!/bin/sh\nexec python3 "%s" "$@"\n' "$meson" >"$from/meson-here"
  chmod +x "$from/meson-here"
  mkdir "$from/build"
  (
    export PATH=$TOOLS/usr/bin:$PATH LD_LIBRARY_PATH=$LIBRARIES PYTHONPATH=$TOOLS/usr/lib/python3/dist-packages
    export PKG_CONFIG_LIBDIR=$TOOLS/usr/lib/$TRIPLET/pkgconfig:$TOOLS/usr/share/pkgconfig PKG_CONFIG_SYSROOT_DIR=$TOOLS
    cd "$from/build"
    nice ../configure --target-list=mipsel-linux-user --enable-plugins --without-default-features --disable-system \
      --disable-tools --disable-docs --disable-werror --meson="$from/meson-here" --ninja="$TOOLS/usr/bin/ninja" \
      --extra-ldflags="-Wl,-rpath,$TOOLS/usr/lib/$TRIPLET"
    nice ninja -j"${JOBS:-1}" qemu-mipsel
  ) >"$CACHE/qemu.log" 2>&1 || { tail -n 20 "$CACHE/qemu.log"; say "qemu was not built: see $CACHE/qemu.log"; exit 1; }
  cp "$from/build/qemu-mipsel" "$from/include/qemu/qemu-plugin.h" "$CACHE"
  rm -rf "$from"
}

cross() {
  LD_LIBRARY_PATH=$LIBRARIES PATH=$TOOLS/usr/bin:$PATH nice "$TOOLS/usr/bin/mipsel-linux-gnu-gcc-12" -O2 -static -w "$@" \
    2>"$CACHE/gcc.log" || { cat "$CACHE/gcc.log"; exit 1; }
}

quickjs() {
  local from=$CACHE/quickjs
  source_of quickjs trixie
  # the interpreter, without what greets somebody who types
  printf 'const unsigned char qjsc_repl[1];\nconst unsigned qjsc_repl_size = 0;\n' >"$from/no-repl.c"
  cross -D_GNU_SOURCE -DCONFIG_VERSION="\"$(cat "$from/VERSION")\"" -o "$CACHE/qjs" \
    "$from"/{qjs,quickjs,quickjs-libc,libregexp,libunicode,cutils,dtoa,no-repl}.c -lm -ldl -lpthread -latomic
  rm -rf "$from"
}

# As an MT7621A's kernel has it, MIPS32 release 2, where poly1305 uses maddu; and without that, which others have measured.
kernel() {
  local from=$DOWN name crypto without
  rm -rf "$DOWN" && mkdir -p "$DOWN"
  (
    cd "$from"
    apt-get -qq download linux-source-6.1
    dpkg-deb --fsys-tarfile ./*.deb | tar -x ./usr/src/linux-source-6.1.tar.xz
    tar -xJf usr/src/linux-source-6.1.tar.xz linux-source-6.1/arch/mips/crypto
  )
  note linux-source-6.1 "$(dpkg-deb -f "$from"/*.deb Version)"
  crypto=$from/linux-source-6.1/arch/mips/crypto
  perl "$crypto/poly1305-mips.pl" o32 "$from/poly1305-mips.S"
  for name in kernel kernel-r1; do
    without=()
    [[ $name == kernel ]] || without=(-U_MIPS_ARCH_MIPS32R2)
    cross -fno-pic -mno-abicalls "${without[@]}" -Dpoly1305_init=poly1305_init_mips -Dpoly1305_blocks=poly1305_blocks_mips \
      -Dpoly1305_emit=poly1305_emit_mips -o "$CACHE/$name" "$HERE/kernel.c" "$crypto/chacha-core.S" "$from/poly1305-mips.S"
  done
}

plugin() {
  nice gcc -O2 -shared -fPIC -Wall -Wextra -I "$CACHE" -I "$TOOLS/usr/include/glib-2.0" \
    -I "$TOOLS/usr/lib/$TRIPLET/glib-2.0/include" -o "$CACHE/count.so" "$HERE/count.c"
}

about() {
  case $1 in
    node) say 'Node 18 of Debian 12 for mipsel and its libraries, 24 MB' ;;
    tools) say 'what compiles for mipsel, and what qemu is built with, 60 MB' ;;
    qemu) say 'source of 26 MB, then one and a half minutes of compiling' ;;
    quickjs) say 'source of Debian 13, compiled for mipsel' ;;
    kernel) say 'source of Linux 6.1, 139 MB, of which two files are compiled' ;;
  esac
}

steps=(node tools qemu quickjs kernel)
missing=()
for step in "${steps[@]}"; do [[ -e $CACHE/$step.done ]] || missing+=("$step"); done
if ((${#missing[@]} > 0)); then archive; fi
for step in "${missing[@]}"; do
  say "mt7621a: $step: $(about "$step")"
  "$step"
  touch "$CACHE/$step.done"
done
rm -rf "$DOWN"
if [[ ! $CACHE/count.so -nt $HERE/count.c ]]; then plugin; fi
say "mt7621a: all is there: $(tr '\n' ',' <"$CACHE/versions" | sed 's/,$//; s/,/, /g')"
