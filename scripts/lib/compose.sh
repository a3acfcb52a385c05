# The contexts that docker-compose.yml builds its images from, and its settings.

CONTEXTS=$ROOT/.cluster/compose
SETTINGS=${ENV_FILE:-$CONTEXTS/env}
USER_ID=65532 # nobody's on the host

# docker-compose with these settings.
compose() { docker-compose --env-file "$SETTINGS" "$@"; }

# context NAME ENTRYPOINT: a Dockerfile over what lies in NAME/root; data that the user may write lies in NAME/data.
context() {
    local folder=$CONTEXTS/$1
    printf 'FROM scratch\nCOPY root/ /\nCOPY --chown=%s:%s data/ /\nUSER %s:%s\nENTRYPOINT ["%s"]\n' \
        "$USER_ID" "$USER_ID" "$USER_ID" "$USER_ID" "$2" >"$folder/Dockerfile"
}

compose_images() {
    install_packages haproxy
    write_settings
    rm -rf "$CONTEXTS"/{control-plane,haproxy}
    mkdir -p "$CONTEXTS"/{control-plane,haproxy}/{root,data}
    control_plane
    add "$CONTEXTS/haproxy/root" /usr/sbin/haproxy /haproxy
    add "$CONTEXTS/haproxy/root" /bin/busybox /wget
    mkdir "$CONTEXTS/haproxy/data/tmp"
    context haproxy /haproxy
    echo 'CMD ["-W", "-db", "-f", "/haproxy.cfg"]' >>"$CONTEXTS/haproxy/Dockerfile"
    echo "machines will join at https://$(setting NAKHODA_ADDRESS):6443; next: docker-compose up -d --build"
}

# The daemons, ctl, Debian's etcd, and the images of proxy and dns.
control_plane() {
    local root=$CONTEXTS/control-plane/root data=$CONTEXTS/control-plane/data program
    for program in apiserver scheduler controller-manager ctl; do
        add "$root" "$BIN/$program" "/$program"
        strip --strip-debug "$root/$program"
    done
    for program in etcd etcdctl; do add "$root" "$(command -v "$program")" "/usr/local/bin/$program"; done
    mkdir -p "$root/images" "$data"/{pki,data,etcd-1,etcd-2,etcd-3}
    cp "$IMAGES"/*.tar "$root/images/"
    chmod -R a+rX "$root"
    context control-plane /ctl
}

# The address is the one that faces the world, unless NAKHODA_ADDRESS says another; what is there stays. docker-compose
# looks for .env: it leads to where the images are, so that without them it says what makes them.
write_settings() {
    local address=${NAKHODA_ADDRESS:-}
    address=${address:-$(setting NAKHODA_ADDRESS)}
    address=${address:-$(ip -4 route get 1.1.1.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')}
    [ -n "$address" ] || fail "this machine has no default route to take an address from" "NAKHODA_ADDRESS=… scripts/images compose"
    mkdir -p "$CONTEXTS"
    set_setting NAKHODA_IMAGES ./.cluster/compose
    set_setting NAKHODA_ADDRESS "$address"
    set_setting NAKHODA_ADDONS "$(cat "$IMAGES/tag")"
    [ -n "${ENV_FILE:-}" ] || ln -sfn .cluster/compose/env "$ROOT/.env"
}

setting() { [ ! -e "$SETTINGS" ] || sed -n "s/^$1=//p" "$SETTINGS"; }

# set_setting NAME VALUE: in the place of what was said before.
set_setting() {
    local others=""
    [ ! -e "$SETTINGS" ] || others=$(grep -v "^$1=" "$SETTINGS" || true)
    printf '%s\n' "${others:+$others
}$1=$2" >"$SETTINGS"
}
