#!/usr/bin/env bash
# A mobile wallet: the app shows a code, the payer scans it, and pays or does not.
set -euo pipefail
cd "$(dirname "$0")"
. ./tollgate.sh

# The payment; `next_action.text` is the text of its code, which any QR library draws.
show_code() {
    local order
    order=$(fresh table)
    ask POST /v1/payments "$order" "$(jq -n --arg order "$order" '{
        account: "sandbox", merchant_reference: $order, amount: {minor: 1234, currency: "CNY"},
        description: "Tea", instrument: {type: "qr"}}')"
}

payment=$(show_code)
holds "$payment" .next_action.type qr
decide "$(jq -r .next_action.text <<<"$payment")" paid
holds "$(sure GET "/v1/payments/$(jq -r .id <<<"$payment")")" .status captured
echo '12.34 CNY by a code: paid'

payment=$(show_code)
decide "$(jq -r .next_action.text <<<"$payment")" refused
payment=$(sure GET "/v1/payments/$(jq -r .id <<<"$payment")")
holds "$payment" .decline.provider_code payer-refused
echo '12.34 CNY by a code: refused'

# Nobody came: the code is closed, so that nobody can pay it later.
payment=$(show_code)
closed=$(ask POST "/v1/payments/$(jq -r .id <<<"$payment")/cancellation" "$(fresh close)" '{}')
holds "$closed" .status cancelled
echo '12.34 CNY by a code: closed'
