/** The connection phase of MySQL and MariaDB: its packets, the login to a target, and compressed sessions. */
export { chooseCapabilities, CLIENT, compressionOf, MARIADB, USUAL_CLIENT, type Capabilities } from './capabilities.ts';
export { ChangeUser, COM_CHANGE_USER, parseChangeUser } from './change-user.ts';
export { targetCharset } from './charset.ts';
export { Decompressor } from './compression.ts';
export { connectAttributes } from './connect-attributes.ts';
export { isMariaDb, parseGreeting, type Greeting } from './greeting.ts';
export { HandshakeResponse, parseClientHello, type ClientHello } from './handshake-response.ts';
export { Login, type AgreedSession, type LoginRequest } from './login.ts';
export { HEADER_LENGTH, LONGEST_PAYLOAD, packet, PacketWriter } from './packet-writer.ts';
export { PacketReader } from './packet-reader.ts';
export { parseErr, parseOk, type ErrPacket, type OkPacket } from './result-packets.ts';
export { UserChange } from './user-change.ts';
