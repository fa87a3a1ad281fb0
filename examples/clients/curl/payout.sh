#!/usr/bin/env bash
# Payouts of a financial service: what names an account of somebody travels encrypted.
set -euo pipefail
cd "$(dirname "$0")"
. ./tollgate.sh

pay_out() { # bank account
    local reference
    reference=$(fresh payout)
    sealed POST /v1/payouts "$reference" "$(jq -n --arg reference "$reference" --arg bank "$1" '{
        account: "sandbox", merchant_reference: $reference,
        amount: {minor: 250000, currency: "EUR"}, instrument: {type: "bank", $bank},
        beneficiary: {name: "Ada Lovelace"}, description: "Settlement of March"}')"
}

# The provider decides later; the host asks by itself, and at once when it is told to.
asked() { # payment
    sealed POST "/v1/payments/$(jq -r .id <<<"$1")/sync" '' '{}'
}

payment=$(pay_out test-pending)
holds "$payment" .status pending
holds "$(asked "$payment")" .status paid-out
echo '2500.00 EUR paid out, after a while'

payment=$(pay_out test-decline-incorrect-details)
holds "$payment" .decline.code incorrect-details
holds "$payment" .decline.retry after-change
echo '2500.00 EUR refused: the account is wrong, and has to be changed'

# The answer is lost. Whoever pays again now may pay twice: the host finds out instead.
payment=$(pay_out test-unknown)
holds "$payment" .status unknown
holds "$(asked "$payment")" .status paid-out
echo '2500.00 EUR paid out, as was found out'
