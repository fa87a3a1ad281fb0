#!/usr/bin/env bash
# A web shop: the payer is sent to a page, pays, and a notification says so. Later, 5.00 goes back.
set -euo pipefail
cd "$(dirname "$0")"
. ./tollgate.sh

platform=$(sure GET /v1/platform)
account=$(jq -r 'first(.accounts[] | select(.mode == "test")).account' <<<"$platform")
echo "$(jq -r .name <<<"$platform"): account $account"

open_inbox
order=$(fresh order)
request=$(jq -n --arg account "$account" --arg order "$order" '{
    $account, merchant_reference: $order, amount: {minor: 1999, currency: "EUR"},
    description: "Two books", return_url: "https://shop.example/done",
    instrument: {type: "token", token: "test-redirect"}}')
payment=$(ask POST /v1/payments "$order" "$request")
holds "$payment" .status needs-action
id=$(jq -r .id <<<"$payment")
# A network that loses the answer makes you ask again: same key, same request, one payment.
holds "$(ask POST /v1/payments "$order" "$request")" .id "$id"

decide "$(jq -r .next_action.url <<<"$payment")" paid
notified authorize.succeeded "$id"
holds "$(sure GET "/v1/payments/$id")" .status captured
echo "$order: paid 19.99 EUR"

refunded=$(ask POST "/v1/payments/$id/refunds" "$order-refund" \
    '{"amount": {"minor": 500, "currency": "EUR"}}')
holds "$refunded" .refunded_minor 500
notified refund.succeeded "$id"
if refused=$(ask POST "/v1/payments/$id/refunds" "$order-2" \
    '{"amount": {"minor": 1999, "currency": "EUR"}}' 2>/dev/null); then
    fail 'more was given back than was taken'
fi
holds "$refused" .code over-refund
echo "$order: 5.00 EUR given back"

# The feed, page by page: a cursor goes on where the page before it ended.
cursor=
last=
while :; do
    page=$(ask GET "/v1/events?limit=100${cursor:+&cursor=$cursor}")
    [ "$(jq '.events | length' <<<"$page")" -gt 0 ] || break
    cursor=$(jq -r .cursor <<<"$page")
    name=$(jq -r --arg id "$id" '[.events[] | select(.payment.id == $id).name] | last' <<<"$page")
    [ "$name" = null ] || last=$name
done
[ "$last" = refund.succeeded ] || fail "the feed ends with $last"
