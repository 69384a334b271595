// The tasks scenarios of the conformance suite call tools of its own (slow_compute, failing_job ...). This proxy gives them those
// names: each becomes a background_run of a real command, and everything else, tasks/* and all answers, passes through as it is.
// usage: node fixture-proxy.mjs http://127.0.0.1:PORT/mcp   prints its own address
import http from 'node:http'

const upstream = new URL(process.argv[2])
const command = (text, more) => ({ name: 'Bash', params: { command: text }, ...more })
const fixtures = {
  greet: ({ name }) => command(`printf 'Hello, %s!' '${String(name).replace(/[^\w -]/g, '')}'`, { settle_seconds: 10 }),
  slow_compute: ({ seconds }) => command(`sleep ${Number(seconds)}; echo computed`, { wait: true, timeout: 3600 }),
  failing_job: () => command('sleep 1; echo it fails >&2; exit 1', { wait: true }),
  protocol_error_job: () => command('sleep 0.3; kill -9 $PPID; sleep 5', { wait: true }) // its owner dies: a lost task
}

function translate(message, headers) {
  const call = message?.method === 'tools/call' ? fixtures[message.params?.name] : undefined
  if (!call) return null
  const name = message.params.name
  message.params.arguments = call(message.params.arguments ?? {})
  message.params.name = 'background_run'
  if (headers['mcp-name']?.trim() === name) headers['mcp-name'] = 'background_run'
  return name
}

// greet is the one whose text is looked at: the command's output alone.
function plain(body) {
  const message = JSON.parse(body)
  const text = message.result?.content?.[0]?.text
  if (text) message.result.content[0].text = JSON.parse(text).result?.stdout ?? text
  return JSON.stringify(message)
}

http.createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  const headers = { ...request.headers, host: upstream.host }
  let message
  try { message = JSON.parse(body) } catch { }
  const fixture = translate(message, headers)
  if (fixture) body = JSON.stringify(message)
  headers['content-length'] = Buffer.byteLength(body)
  delete headers['transfer-encoding']
  const passed = http.request(upstream, { method: request.method, headers }, async answer => {
    if (fixture !== 'greet') {
      response.writeHead(answer.statusCode, answer.headers)
      return answer.pipe(response)
    }
    let text = ''
    for await (const chunk of answer) text += chunk
    response.writeHead(answer.statusCode, { 'content-type': 'application/json' })
    response.end(answer.statusCode === 200 ? plain(text) : text)
  })
  passed.on('error', () => response.destroy())
  response.on('close', () => passed.destroy())
  passed.end(body)
}).listen(0, '127.0.0.1', function () { console.log(`http://127.0.0.1:${this.address().port}/mcp`) })
