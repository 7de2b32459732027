import { makeSrtpKey, makeSrtpReceiver, makeSrtpSender, sessionKeys } from '../../../lab/telephones/srtp.mjs';

/** A packet of sound; `sequence` is its number. */
function packet(sequence: number, text = 'some sound'): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(0x80, 0);
  header.writeUInt8(8, 1);
  header.writeUInt16BE(sequence, 2);
  header.writeUInt32BE(0x0ca1_1e55, 8);

  return Buffer.concat([header, Buffer.from(text)]);
}

describe('the telephones of the lab, encrypting', () => {
  // RFC 3711, B.3.
  it('derive the session keys of the RFC', () => {
    const inline = Buffer.from('E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6', 'hex').toString(
      'base64',
    );
    const keys = sessionKeys(inline);
    expect(keys.cipher.toString('hex')).toBe('c61e7a93744f39ee10734afe3ff7a087');
    expect(keys.salt.toString('hex')).toBe('30cbbc08863d8c85d49db34a9ae1');
    expect(keys.authentication.toString('hex')).toBe('cebe321f6ff7716b6fd4ab49af256a156d38baa4');
  });

  it('hear what was encrypted with the same key, also when the numbers have begun anew', () => {
    const key = makeSrtpKey();
    const [send, receive] = [makeSrtpSender(key), makeSrtpReceiver(key)];
    for (const sequence of [0xfffe, 0xffff, 0, 1]) {
      const sent = send(packet(sequence));
      expect(sent.includes('some sound')).toBe(false);
      expect(receive(sent)).toEqual(packet(sequence));
    }
  });

  it('hear nothing of another key, nor what was changed on its way', () => {
    const sent = makeSrtpSender(makeSrtpKey())(packet(1));
    expect(makeSrtpReceiver(makeSrtpKey())(sent)).toBeUndefined();
    const key = makeSrtpKey();
    const changed = makeSrtpSender(key)(packet(1));
    changed.writeUInt8(changed.readUInt8(20) ^ 1, 20);
    expect(makeSrtpReceiver(key)(changed)).toBeUndefined();
    expect(makeSrtpReceiver(key)(Buffer.alloc(5))).toBeUndefined();
  });
});
