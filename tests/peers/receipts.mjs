// The receipts in a file of cases, through @auth0/cose: it has to verify the good ones and to refuse the damaged ones.
//
//   node receipts.mjs CASES.json      where @auth0/cose can be found
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'

const { Sign1 } = createRequire(resolve('package.json'))('@auth0/cose')
const { public_key: publicKey, cases } = JSON.parse(readFileSync(process.argv[2]))
const x = Buffer.from(publicKey, 'hex').toString('base64url')
const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })

const verifies = async ({ receipt, root }) => {
  try {
    await Sign1.decode(Buffer.from(receipt, 'hex')).verify(key, { detachedPayload: Buffer.from(root, 'hex') })
    return true
  } catch {
    return false
  }
}
const wrong = []
for (const one of cases) if ((await verifies(one)) !== one.good) wrong.push(one.receipt)
const good = cases.filter((one) => one.good).length
console.log(`${wrong.length ? 'FAIL' : 'ok  '} @auth0/cose verifies ${good} and refuses ${cases.length - good} damaged receipts`)
process.exit(wrong.length ? 1 : 0)
