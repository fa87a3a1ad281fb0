// A mobile wallet: the app shows a code, the payer scans it, and pays or does not.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { decide } from './payer.js'
import { Tollgate, until } from './tollgate.js'

const tollgate = await Tollgate.fromEnvironment()

/** The payment; `next_action.text` is the text of its code, which any QR library draws. */
async function showCode(minor) {
  const order = `table-${randomUUID()}`
  const payment = await tollgate.post(
    '/v1/payments',
    {
      account: 'sandbox',
      amount: { minor, currency: 'CNY' },
      merchant_reference: order,
      description: 'Tea',
      instrument: { type: 'qr' },
    },
    { key: order },
  )
  assert.equal(payment.next_action.type, 'qr')
  return payment
}

/** The payment as soon as the payer has decided. */
function ends(payment) {
  return until(async () => {
    const now = await tollgate.get(`/v1/payments/${payment.id}`)
    return now.status !== 'needs-action' && now
  })
}

let payment = await showCode(1234)
await decide(payment.next_action.text, 'paid')
assert.equal((await ends(payment)).status, 'captured')
console.log('12.34 CNY by a code: paid')

payment = await showCode(1234)
await decide(payment.next_action.text, 'refused')
assert.equal((await ends(payment)).decline.provider_code, 'payer-refused')
console.log('12.34 CNY by a code: refused')

// Nobody came: the code is closed, so that nobody can pay it later.
payment = await showCode(1234)
const closed = await tollgate.post(`/v1/payments/${payment.id}/cancellation`, {}, { key: randomUUID() })
assert.equal(closed.status, 'cancelled')
console.log('12.34 CNY by a code: closed')
