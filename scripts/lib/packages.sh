# Debian's packages, installed without starting their services.

PACKAGES=(etcd-server etcd-client containerd runc containernetworking-plugins nftables iptables iproute2
    conntrack protobuf-compiler libprotobuf-dev gcc libc6-dev pkg-config ca-certificates procps busybox-static)

install_packages() {
    local missing=() package
    [ "$(supervisor)" = systemd ] || set -- runit "$@"
    for package in "${PACKAGES[@]}" "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    with_policy apt-get update
    with_policy apt-get install -y --no-install-recommends "${missing[@]}" ||
        problem "these packages could not be installed: ${missing[*]}" "apt-get install ${missing[*]}"
}

# A policy that lets no service start while packages are unpacked; one that was there is put back.
with_policy() {
    local policy=/usr/sbin/policy-rc.d saved="" status=0
    if [ -e "$policy" ]; then saved=$(mktemp) && cp -a "$policy" "$saved"; fi
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    DEBIAN_FRONTEND=noninteractive "$@" || status=$?
    if [ -n "$saved" ]; then mv "$saved" "$policy"; else rm -f "$policy"; fi
    return $status
}
