# Image archives as `docker save` writes them, made without any image tool.

# add ROOTFS FILE [DESTINATION]: a program or library with the libraries it is linked to.
add() {
    local rootfs=$1 file=$2 destination=${3:-$2} library
    install -D -m 755 "$(readlink -f "$file")" "$rootfs$destination"
    for library in $(ldd "$file" 2>/dev/null | grep -o '/[^ ]*'); do
        [ -e "$rootfs$library" ] || install -D -m 755 "$(readlink -f "$library")" "$rootfs$library"
    done
}

# archive OUT TAG ROOTFS ENTRYPOINT…: one layer, reproducible.
archive() {
    local out=$1 tag=$2 rootfs=$3 work diff config entrypoint
    shift 3
    entrypoint=$(printf '"%s",' "$@")
    work=$(mktemp -d)
    tar -C "$rootfs" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$work/layer.tar" .
    diff=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
    printf '{"architecture":"amd64","os":"linux","config":{"Entrypoint":[%s],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "${entrypoint%,}" "$diff" >"$work/config"
    config=$(sha256sum "$work/config" | cut -d' ' -f1)
    mv "$work/config" "$work/$config.json"
    printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$config" "$tag" >"$work/manifest.json"
    mkdir -p "$(dirname "$out")"
    tar -C "$work" --sort=name --mtime=@0 -cf "$out" manifest.json "$config.json" layer.tar
    rm -rf "$work"
}
