# A fresh host with the test provider and one app, for the scripts that ask it from outside. To be
# sourced, with `tollgate` (the binary), `here` (a folder that is kept) and `home` (one that is not).

# A port that nobody listens on now.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

key_pair() { # file, algorithm and options
    local file=$1
    shift
    openssl genpkey -quiet -algorithm "$@" -out "$file.pem"
    openssl pkey -in "$file.pem" -pubout -out "$file.pub"
}

# Writes the configuration, with these lines at its end.
configure() { # lines
    local host=127.0.0.1:$(free_port) component digest
    read -r component digest < <($tollgate plugin build plugins/sandbox --out "$here" 2>"$home/build.log")
    openssl rand -hex 32 >"$home/keys/payer"
    openssl rand -base64 32 >"$home/keys/master"
    $tollgate platform key --use sign --out "$home/keys/platform-sign.pem" >/dev/null
    $tollgate platform key --use decrypt --out "$home/keys/platform-decrypt.pem" >/dev/null
    key_pair "$home/keys/app" ed25519
    key_pair "$home/keys/open" rsa -pkeyopt rsa_keygen_bits:2048
    cat >"$home/tollgate.toml" <<TOML
[server]
listen = "$host"
public_url = "http://$host"

[store]
path = "data"

[sandbox]
cache = "$here/compiled"

[vault]
master = [{ id = "2026", file = "keys/master" }]

[platform]
key = [
    { use = "sign", id = "sign-1", file = "keys/platform-sign.pem" },
    { use = "decrypt", id = "decrypt-1", file = "keys/platform-decrypt.pem" },
]

[notifications]
allow_http = true
allow_networks = ["127.0.0.0/8"]

[plugin.sandbox]
component = "$component"
digest = "$digest"

[account.sandbox]
plugin = "sandbox"
mode = "test"
hosts = []
key = [{ slot = "payer", form = "text", file = "keys/payer" }]
${1:-}
TOML
    export TOLLGATE_URL=http://$host
    export TOLLGATE_SIGNING_KEY=$home/keys/app.pem TOLLGATE_OPENING_KEY=$home/keys/open.pem
}

# An app that takes nothing unsigned, with a key to verify it and one to encrypt its answers to.
add_app() {
    local app at=(--config "$home/tollgate.toml")
    $tollgate app add clients --key none --protection signature "${at[@]}" 2>>"$home/apps.log"
    app=$($tollgate app list "${at[@]}" 2>>"$home/apps.log" | cut -d ' ' -f 1)
    $tollgate app key add "$app" --id sign-1 --key verify --public "$home/keys/app.pub" \
        "${at[@]}" 2>>"$home/apps.log"
    $tollgate app key add "$app" --id open-1 --key encrypt --public "$home/keys/open.pub" \
        "${at[@]}" 2>>"$home/apps.log"
    export TOLLGATE_KEY_ID=$app/sign-1
}

start() {
    $tollgate serve "$home/tollgate.toml" 2>"$home/host.log" &
    process=$!
    curl -fsS -o /dev/null --retry 60 --retry-delay 1 --retry-connrefused "$TOLLGATE_URL/ready" \
        2>/dev/null || { tail -n 5 "$home/host.log" >&2; exit 1; }
}

