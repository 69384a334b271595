// The official client drives background_run as a tool and as a task, over either transport.
// usage: node sdk-client.mjs http://127.0.0.1:PORT/mcp | node sdk-client.mjs stdio OUTLAST
import assert from 'node:assert/strict'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js'

const [where, program] = process.argv.slice(2)
const transport = where === 'stdio' ? new StdioClientTransport({ command: program, args: ['mcp'], env: process.env })
                                    : new StreamableHTTPClientTransport(new URL(where))
const client = new Client({ name: 'outlast-sdk-client', version: '1' }, { capabilities: {} })
await client.connect(transport)
const value = result => JSON.parse(result.content[0].text)
const call = (name, args) => client.callTool({ name, arguments: args })

const { tools } = await client.listTools()
assert.deepEqual(tools.map(t => t.name), ['background_run', 'run_parallel', 'run_start', 'run_status', 'run_wait', 'run_events', 'run_cancel', 'run_continue'])

// As a tool.
const launched = value(await call('background_run', { name: 'Bash', params: { command: 'sleep 1; echo tool' } }))
assert.equal(launched.status, 'running')
const waited = value(await call('background_run', { task_id: launched.task_id, wait: true }))
assert.deepEqual([waited.status, waited.result.stdout], ['completed', 'tool\n'])
const parallel = value(await call('run_parallel', { actions: [1, 2, 3].map(n => ({ name: 'Bash', params: { command: `echo ${n}` } })) }))
assert.deepEqual(parallel.results.map(r => r.result.stdout), ['1\n', '2\n', '3\n'])

// As a task.
const tasks = client.experimental.tasks
async function stream(name, args) {
  const seen = []
  for await (const message of tasks.callToolStream({ name, arguments: args }, CallToolResultSchema)) seen.push(message)
  return seen
}
const seen = await stream('background_run', { name: 'Bash', params: { command: 'sleep 1; echo task' } })
assert.equal(seen[0].type, 'taskCreated')
assert.equal(seen.at(-1).type, 'result', JSON.stringify(seen.at(-1)))
assert.equal(value(seen.at(-1).result).result.stdout, 'task\n')
const id = seen[0].task.taskId
assert.equal((await tasks.getTask(id)).status, 'completed')
assert.equal(value(await tasks.getTaskResult(id, CallToolResultSchema)).task_id, id)
assert.ok((await tasks.listTasks()).tasks.some(t => t.taskId === id))
const listed = await stream('background_run', { list_tasks: true })
assert.ok(value(listed.at(-1).result).some(t => t.task_id === id))
const long = await client.request({ method: 'tools/call', params: { name: 'background_run', arguments: { name: 'Bash', params: { command: 'sleep 60' } }, task: { ttl: 60000 } } },
                                  (await import('@modelcontextprotocol/sdk/types.js')).CreateTaskResultSchema)
assert.equal((await tasks.cancelTask(long.task.taskId)).status, 'cancelled')
const run = await stream('run_start', { message: 'tokens=5' })
assert.equal(value(run.at(-1).result).status, 'COMPLETED')
await client.close()
console.log(`ok   official client over ${where === 'stdio' ? 'standard input' : 'HTTP'}: tools and tasks`)
