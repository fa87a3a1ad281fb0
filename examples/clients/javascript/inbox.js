// Where notifications arrive: a small web server that takes nothing it cannot verify.

import { createServer } from 'node:http'
import { Webhook } from 'standardwebhooks'
import { until } from './tollgate.js'

export class Inbox {
  secret = null
  refused = 0
  arrived = []

  static async open() {
    const inbox = new Inbox()
    inbox.server = createServer((request, answer) => inbox.#take(request, answer))
    await new Promise((ready) => inbox.server.listen(0, '127.0.0.1', ready))
    inbox.url = `http://127.0.0.1:${inbox.server.address().port}/tollgate`
    return inbox
  }

  async #take(request, answer) {
    const body = Buffer.concat(await request.toArray()).toString()
    try {
      // Answer at once; what there is to do is done later.
      this.arrived.push(new Webhook(this.secret).verify(body, request.headers))
      answer.writeHead(204).end()
    } catch {
      this.refused += 1
      answer.writeHead(400).end()
    }
  }

  /** The notification of this event of this payment. Others are of no concern here. */
  waitFor(name, payment) {
    return until(() => this.arrived.find((event) => event.name === name && event.payment.id === payment.id))
  }

  close() {
    this.server.close()
    this.server.closeAllConnections()
  }
}
