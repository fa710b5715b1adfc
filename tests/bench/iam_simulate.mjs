// Ask @cloud-copilot/iam-simulate (AGPL-3.0, a separate process, never shipped) what IAM would decide:
// JSON lines as of `trailfit simulate --requests` in, {"id", "decision"} or {"id", "error"} out.
// Usage: node iam_simulate.mjs FOLDER < requests.jsonl    (FOLDER holds node_modules)
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import path from 'node:path'

const require = createRequire(path.resolve(process.argv[2]) + '/')
const { runUnsafeSimulation, runSimulation } = require('@cloud-copilot/iam-simulate')

const named = (documents, prefix) => (documents ?? []).map((policy, n) => ({ name: `${prefix}${n}`, policy }))
const levels = (given) =>
  (given ?? []).map((documents, n) => ({ orgIdentifier: `level${n}`, policies: named(documents, 'p') }))

for await (const line of createInterface({ input: process.stdin })) {
  if (!line.trim()) continue
  const { id, request, identity, boundary, scp, rcp, session, resource_policy } = JSON.parse(line)
  const simulation = {
    request: {
      principal: request.principal,
      action: request.action,
      resource: { resource: request.resource, accountId: request.resourceAccount },
      contextVariables: request.context ?? {},
    },
    identityPolicies: named(identity, 'identity'),
    serviceControlPolicies: levels(scp),
    resourceControlPolicies: levels(rcp),
    resourcePolicy: resource_policy ?? undefined,
    sessionPolicy: session ?? undefined,
    permissionBoundaryPolicies: boundary ? named([boundary], 'boundary') : undefined,
  }
  let answer
  try {
    const result = await runSimulation(simulation, { simulationMode: 'Strict', strictConditionKeys: [] })
    answer = result.resultType === 'error' ? { id, error: result.errors } : { id, decision: result.overallResult ?? result.analysis?.result, raw: process.env.RAW ? result : undefined }
  } catch (error) {
    answer = { id, error: String(error) }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
