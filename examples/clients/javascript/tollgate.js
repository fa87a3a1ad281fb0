// A client of Tollgate: signs what it asks, verifies what it is answered, encrypts what is secret.
//
//     const tollgate = await Tollgate.fromEnvironment()
//     const payment = await tollgate.post('/v1/payments', {...}, { key: 'order-1001' })
//
// Signatures are RFC 9421 (http-message-signatures), encryption is JWE (jose).

import { createHash, createPrivateKey, createPublicKey, randomUUID, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSigner, createVerifier, httpbis } from 'http-message-signatures'
import { CompactEncrypt, compactDecrypt, importJWK } from 'jose'

const ALGORITHMS = { OKP: 'ed25519', EC: 'ecdsa-p256-sha256', RSA: 'rsa-pss-sha512' }
const ENCRYPTED = 'application/jose'
// Our signature's label, which the answer's signature names.
const LABEL = 'app'

/** The host did not do what was asked (RFC 9457). `code` never changes its meaning. */
export class Problem extends Error {
  constructor(body) {
    super(`${body.code}: ${body.detail}`)
    Object.assign(this, { code: body.code, retry: body.retry, body })
  }
}

export class Tollgate {
  /** `keyId` is `<app>/<key>`; the keys are PEM: Ed25519 to sign, RSA to open answers. */
  static async open(url, keyId, signingKey, openingKey) {
    const tollgate = new Tollgate()
    tollgate.url = url.replace(/\/$/, '')
    tollgate.signer = createSigner(createPrivateKey(signingKey), 'ed25519', keyId)
    tollgate.openingKey = openingKey && createPrivateKey(openingKey)
    const answer = await fetch(`${tollgate.url}/.well-known/jwks.json`)
    if (!answer.ok) throw new Error(`no keys of the platform: ${answer.status}`)
    tollgate.platformKeys = (await answer.json()).keys
    return tollgate
  }

  static async fromEnvironment(env = process.env) {
    const read = (path) => path && readFile(path, 'ascii')
    return Tollgate.open(
      env.TOLLGATE_URL,
      env.TOLLGATE_KEY_ID,
      await read(env.TOLLGATE_SIGNING_KEY),
      await read(env.TOLLGATE_OPENING_KEY),
    )
  }

  get(path) {
    return this.#send('GET', path, {}, '')
  }

  delete(path) {
    return this.#send('DELETE', path, {}, '')
  }

  /** `key` is the idempotency key: new for each operation, the same when you repeat one. */
  async post(path, body = {}, { key, encrypted = false } = {}) {
    const plain = JSON.stringify(body)
    const content = encrypted ? await this.#seal(plain) : plain
    const headers = { 'Content-Type': encrypted ? ENCRYPTED : 'application/json' }
    if (key) headers['Idempotency-Key'] = key
    return this.#send('POST', path, headers, content)
  }

  async #send(method, path, headers, content) {
    const request = await this.#signed({ method, url: this.url + path, headers }, content)
    const answer = await fetch(request.url, {
      method,
      headers: request.headers,
      body: content || undefined,
      redirect: 'error',
    })
    const bytes = Buffer.from(await answer.arrayBuffer())
    await this.#verify(request, answer, bytes)
    return this.#read(answer, bytes)
  }

  /** Everything that decides about the request is covered; the nonce makes it good once. */
  #signed(request, content) {
    const fields = ['@method', '@target-uri']
    if (content) request.headers['Content-Digest'] = digest(content)
    for (const name of ['Content-Digest', 'Content-Type', 'Idempotency-Key']) {
      if (request.headers[name]) fields.push(name.toLowerCase())
    }
    return httpbis.signMessage(
      {
        key: this.signer,
        name: LABEL,
        fields,
        params: ['created', 'keyid', 'alg', 'nonce', 'tag'],
        paramValues: { nonce: randomUUID(), tag: 'tollgate' },
      },
      request,
    )
  }

  /** That the host answered this, to this very request. Anything else is an error. */
  async #verify(request, answer, bytes) {
    const headers = Object.fromEntries(answer.headers)
    if (bytes.length) requireDigest(headers['content-digest'], bytes)
    // Of an answer, `@method`, `@target-uri` and `signature` can only be those of its request.
    const required = ['@status', '@method', '@target-uri', 'signature']
    if (bytes.length) required.push('content-digest', 'content-type')
    const proven = await httpbis.verifyMessage(
      {
        keyLookup: ({ keyid, tag }) => this.#platformKey(keyid, tag),
        requiredParams: ['created', 'keyid', 'tag'],
        requiredFields: required,
        maxAge: 300,
        tolerance: 60,
      },
      { status: answer.status, headers },
      request,
    )
    if (proven !== true) throw new Error('the answer is not signed by the platform')
  }

  async #platformKey(keyid, tag) {
    const jwk = this.platformKeys.find((one) => one.kid === keyid && one.use === 'sig')
    if (!jwk || tag !== 'tollgate-response') return null
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    const algorithm = ALGORITHMS[jwk.kty]
    return { id: keyid, algs: [algorithm], verify: createVerifier(key, algorithm) }
  }

  async #read(answer, bytes) {
    const encrypted = answer.headers.get('content-type') === ENCRYPTED
    const plain = encrypted ? await this.#open(bytes) : bytes
    const body = plain.length ? JSON.parse(Buffer.from(plain).toString()) : null
    if (answer.status >= 400) throw new Problem(body)
    return body
  }

  /** To the platform's current key: the first of its keys that encrypts. */
  async #seal(plain) {
    const jwk = this.platformKeys.find((one) => one.use === 'enc')
    return new CompactEncrypt(Buffer.from(plain))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: jwk.kid, cty: 'json' })
      .encrypt(await importJWK(jwk, 'RSA-OAEP-256'))
  }

  async #open(bytes) {
    const options = { keyManagementAlgorithms: ['RSA-OAEP-256'], contentEncryptionAlgorithms: ['A256GCM'] }
    return (await compactDecrypt(bytes, this.openingKey, options)).plaintext
  }
}

/** RFC 9530. */
function digest(bytes) {
  return `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`
}

function requireDigest(field, bytes) {
  const sent = /(?:^|,)\s*sha-(256|512)=:([A-Za-z0-9+/=]+):/.exec(field ?? '')
  const made = sent && createHash(`sha${sent[1]}`).update(bytes).digest()
  const same = made && made.length === Buffer.from(sent[2], 'base64').length
  if (!same || !timingSafeEqual(made, Buffer.from(sent[2], 'base64'))) {
    throw new Error('the body is not the one that was signed')
  }
}

/** Asks again until there is an answer. */
export async function until(what, seconds = 60) {
  const deadline = Date.now() + seconds * 1000
  while (Date.now() < deadline) {
    const found = await what()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('it did not happen in time')
}
