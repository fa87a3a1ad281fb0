#!/usr/bin/env bash
# Takes one notification (Standard Webhooks) from the connection on standard input, keeps it in the
# folder $INBOX if it is proven by the secret there, and answers on standard output.
#
#     INBOX=folder socat TCP-LISTEN:8090,bind=127.0.0.1,fork EXEC:./inbox.sh
set -euo pipefail
: "${INBOX:?}"
seconds_max=300

answer() { # status and reason
    printf 'HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n' "$1"
    exit
}

read -r _request_line
id='' at=0 signatures='' length=0
while IFS=': ' read -r name value && [ -n "${name%$'\r'}" ]; do
    value=${value%$'\r'}
    case ${name,,} in
        webhook-id) id=$value ;;
        webhook-timestamp) at=$value ;;
        webhook-signature) signatures=$value ;;
        content-length) length=$value ;;
    esac
done
body=$(mktemp "$INBOX/arriving.XXXXXX")
trap 'rm -f "$body"' EXIT
head -c "$length" >"$body"

[[ $id =~ ^[A-Za-z0-9_-]+$ && $at =~ ^[0-9]+$ ]] || answer '400 Bad Request'
age=$(($(date +%s) - at))
[ "${age#-}" -le "$seconds_max" ] || answer '400 Bad Request'
secret=$(<"$INBOX/secret")
key=$(base64 -d <<<"${secret#whsec_}" | od -An -tx1 -v | tr -d ' \n')
proof=v1,$({ printf '%s.%s.' "$id" "$at" && cat "$body"; } |
    openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64 -w 0)
# There are two while a secret is rotated.
for signature in $signatures; do
    if [ "$signature" = "$proof" ]; then
        mv "$body" "$INBOX/$id.json"
        answer '204 No Content'
    fi
done
answer '401 Unauthorized'
