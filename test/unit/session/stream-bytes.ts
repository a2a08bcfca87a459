/** What the streams of the tests consist of, by position; both repeat every 65,536 bytes. */
export const ourByte = (position: number) => (position * 31 + (position >> 8) * 7 + 5) & 255;
export const peerByte = (position: number) => (position * 17 + (position >> 8) * 3 + 9) & 255;
