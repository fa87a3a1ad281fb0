// The payer of a test payment, who opens the page and presses one of its buttons.

/** `decision` is `paid` or `refused`. */
export async function decide(pageUrl, decision) {
  const page = await (await fetch(pageUrl)).text()
  const forms = [...page.matchAll(/<form method="post" action="([^"]+)">(.*?)<\/form>/gs)]
  for (const [, action, inside] of forms) {
    const inputs = [...inside.matchAll(/name="([^"]+)" value="([^"]*)"/g)]
    const fields = new URLSearchParams(inputs.map(([, name, value]) => [name, value]))
    if (fields.get('decision') !== decision) continue
    const answer = await fetch(new URL(action, pageUrl), { method: 'POST', body: fields })
    if (!answer.ok) throw new Error(`the page said ${answer.status}`)
    return
  }
  throw new Error('the page has no such button')
}
