// A web shop: the payer is sent to a page, pays, and a notification says so. Later, 5.00 goes back.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Inbox } from './inbox.js'
import { decide } from './payer.js'
import { Tollgate } from './tollgate.js'

const tollgate = await Tollgate.fromEnvironment()
const inbox = await Inbox.open()

const platform = await tollgate.get('/v1/platform')
const account = platform.accounts.find((one) => one.mode === 'test')
console.log(`${platform.name}: account ${account.account} at ${account.provider}`)

const endpoint = await tollgate.post('/v1/endpoints', { url: inbox.url, events: ['*'] })
inbox.secret = endpoint.secret

const order = `order-${randomUUID()}`
const request = {
  account: account.account,
  amount: { minor: 1999, currency: 'EUR' },
  merchant_reference: order,
  description: 'Two books',
  return_url: 'https://shop.example/done',
  instrument: { type: 'token', token: 'test-redirect' },
}
const payment = await tollgate.post('/v1/payments', request, { key: order })
assert.equal(payment.status, 'needs-action')
// A network that loses the answer makes you ask again: the same key, the same request, one payment.
assert.equal((await tollgate.post('/v1/payments', request, { key: order })).id, payment.id)

await decide(payment.next_action.url, 'paid')
const event = await inbox.waitFor('authorize.succeeded', payment)
assert.equal(event.payment.status, 'captured')
console.log(`${order}: paid 19.99 EUR`)

const refunds = `/v1/payments/${payment.id}/refunds`
const amount = { minor: 500, currency: 'EUR' }
const refunded = await tollgate.post(refunds, { amount }, { key: `${order}-refund` })
assert.equal(refunded.refunded_minor, 500)
await inbox.waitFor('refund.succeeded', payment)
await assert.rejects(
  tollgate.post(refunds, { amount: request.amount }, { key: `${order}-2` }),
  (problem) => problem.code === 'over-refund',
)
console.log(`${order}: 5.00 EUR given back`)

await tollgate.delete(`/v1/endpoints/${endpoint.id}`)
assert.equal(inbox.refused, 0)
inbox.close()
