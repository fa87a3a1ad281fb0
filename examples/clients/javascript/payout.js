// Payouts of a financial service: what names an account of somebody travels encrypted.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Tollgate } from './tollgate.js'

const tollgate = await Tollgate.fromEnvironment()

function payOut(bank) {
  const reference = `payout-${randomUUID()}`
  const request = {
    account: 'sandbox',
    amount: { minor: 250000, currency: 'EUR' },
    merchant_reference: reference,
    instrument: { type: 'bank', bank },
    beneficiary: { name: 'Ada Lovelace' },
    description: 'Settlement of March',
  }
  return tollgate.post('/v1/payouts', request, { key: reference, encrypted: true })
}

/** The provider decides later; the host asks by itself, and at once when it is told to. */
function asked(payment) {
  return tollgate.post(`/v1/payments/${payment.id}/sync`, {}, { encrypted: true })
}

let payment = await payOut('test-pending')
assert.equal(payment.status, 'pending')
assert.equal((await asked(payment)).status, 'paid-out')
console.log('2500.00 EUR paid out, after a while')

payment = await payOut('test-decline-incorrect-details')
assert.equal(payment.decline.code, 'incorrect-details')
assert.equal(payment.decline.retry, 'after-change')
console.log('2500.00 EUR refused: the account is wrong, and has to be changed')

// The answer is lost. Whoever pays again now may pay twice: the host finds out instead.
payment = await payOut('test-unknown')
assert.equal(payment.status, 'unknown')
assert.equal((await asked(payment)).status, 'paid-out')
console.log('2500.00 EUR paid out, as was found out')
