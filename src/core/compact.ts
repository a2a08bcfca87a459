/** Fewer places than this that are done with are not worth moving the rest for. */
const WORTH_MOVING = 64;

/**
 * Of a queue in an array whose items before `head` are done with: gives up their places once those are the half of it, so
 * that each item is moved once on average. Returns where the head is now.
 */
export function compact(items: unknown[], head: number): number {
  if (head < WORTH_MOVING || head * 2 < items.length) return head;
  items.splice(0, head);
  return 0;
}
