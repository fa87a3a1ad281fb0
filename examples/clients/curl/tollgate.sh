# A client of Tollgate for the shell: `tollgate sign` signs, curl carries.
#
#     . tollgate.sh
#     ask GET /v1/platform                         # by curl
#     ask POST /v1/payments order-1001 "$body"     # with an idempotency key and a body
#     sure GET /v1/payments/pay_…                  # the answer's signature is verified
#     sealed POST /v1/payouts payout-7 "$body"     # encrypted, and the answer opened and verified
#
# Each prints the body of the answer, and fails where the host refused.

: "${TOLLGATE_URL:?}" "${TOLLGATE_KEY_ID:?}" "${TOLLGATE_SIGNING_KEY:?}"

# The command that signs, with what is common to all requests.
signing() { # method, path, idempotency key, body, further arguments
    local arguments=("$1" "$TOLLGATE_URL$2" --key "$TOLLGATE_SIGNING_KEY" --keyid "$TOLLGATE_KEY_ID")
    local body=${4:-}
    [ -z "${3:-}" ] || arguments+=(--idempotency-key "$3")
    [ -z "$body" ] || arguments+=(--body -)
    printf '%s' "$body" | tollgate sign "${arguments[@]}" "${@:5}"
}

# `tollgate sign --curl` prints the line to run: every header of the signature is in it.
ask() { # method, path, [idempotency key, [body]]
    local line
    line=$(signing "$1" "$2" "${3:-}" "${4:-}" --curl)
    eval "$line --silent --show-error --fail-with-body"
}

# The last lines of what `--send` prints are the answer; it prints none that is not proven.
sent() { # as `signing`
    local said
    said=$(signing "$@" --send)
    sed 1,3d <<<"$said"
    case $said in
        2*) ;;
        *) return 22 ;;
    esac
}

sure() { sent "$1" "$2" "${3:-}" "${4:-}"; }

sealed() {
    sent "$1" "$2" "${3:-}" "${4:-}" \
        --encrypt-to "$TOLLGATE_URL/.well-known/jwks.json" --decrypt-key "$TOLLGATE_OPENING_KEY"
}

# Opens a place where notifications arrive (`inbox.sh`), and has it told of everything.
open_inbox() {
    export INBOX
    INBOX=$(mktemp -d)
    socat -d -d TCP-LISTEN:0,bind=127.0.0.1,fork EXEC:./inbox.sh 2>"$INBOX/log" &
    local server=$! port='' endpoint
    # shellcheck disable=SC2064
    trap "kill $server; rm -rf '$INBOX'" EXIT
    until [ -n "$port" ]; do
        kill -0 "$server" || fail 'the inbox does not open'
        sleep 0.1
        port=$(sed -n 's/.*listening on .*:\([0-9]*\)$/\1/p' "$INBOX/log")
    done
    endpoint=$(ask POST /v1/endpoints '' "{\"url\": \"http://127.0.0.1:$port/\", \"events\": [\"*\"]}")
    jq -r .secret <<<"$endpoint" >"$INBOX/secret"
    # Anybody can send something here; what is not proven is refused.
    local forged=(-H "webhook-id: evt_1" -H "webhook-timestamp: $(date +%s)" -H 'webhook-signature: v1,AA==')
    [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/" "${forged[@]}" -d '{}')" = 401 ] ||
        fail 'a forged notification was taken'
}

# Waits for the notification of this event of this payment.
notified() { # event, payment
    local tries=0
    until cat "$INBOX"/*.json 2>/dev/null |
        jq -es --arg name "$1" --arg id "$2" 'any(.name == $name and .payment.id == $id)' >/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -le 600 ] || fail "nothing was told of $1"
        sleep 0.1
    done
    echo "notified: $1"
}

# A name that nobody has used.
fresh() { printf '%s-%s' "$1" "$(openssl rand -hex 12)"; }

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# Holds that a field of a JSON text has this value.
holds() { # JSON, jq filter, value
    [ "$(jq -r "$2" <<<"$1")" = "$3" ] || fail "$2 is not $3: $1"
}

# The payer of a test payment, who opens the page and presses one of its buttons.
decide() { # URL of the page, paid or refused
    local fields
    fields=$(curl -fsS "$1" | sed 's/<form/\n<form/g' | grep "value=\"$2\"" |
        grep -o 'name="[a-z]*" value="[^"]*"' | sed 's/name="\(.*\)" value="\(.*\)"/\1=\2/' |
        paste -sd '&')
    curl -fsS -o /dev/null "$TOLLGATE_URL/webhooks/sandbox" -d "$fields"
}
