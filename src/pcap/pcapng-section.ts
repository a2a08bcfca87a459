/** The one block of pcapng that can be recognised by its bytes: the section header. */

/** Its type, the same in both byte orders. */
export const BLOCK_SECTION = 0x0a0d_0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;

/** Whether a section header stands at `at` (12 bytes are there): 1 little-endian, 0 big-endian, -1 it does not. */
export function sectionByteOrder(view: DataView, at: number): number {
  if (view.getUint32(at) !== BLOCK_SECTION) return -1;
  if (view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC) return 1;
  return view.getUint32(at + 8) === BYTE_ORDER_MAGIC ? 0 : -1;
}
