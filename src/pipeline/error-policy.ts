/** What becomes of a message when a plugin fails on it (`--on-plugin-error`). */
export type ErrorPolicy =
  /** It goes on as it was before the failing tap. */
  | { readonly kind: 'pass' }
  /** It is not sent. */
  | { readonly kind: 'drop' }
  /** Neither it nor the rest of its connection is sent. */
  | { readonly kind: 'drop-connection' }
  /** As `pass`, and after this many failures the plugin is not called any more. */
  | { readonly kind: 'disable-after'; readonly failures: number }
  /** The run ends. */
  | { readonly kind: 'abort' };

/** How a plugin failed: it threw or its promise was rejected; what it returned or said makes no sense; no answer came. */
export type FailureKind = 'threw' | 'nonsense' | 'timed-out';

/** What follows from a failure for the matter at hand. */
export type Consequence = 'pass' | 'drop' | 'drop-connection';

/**
 * A plugin used the interface wrongly. Thrown into the plugin by the host; its text is ours, so it may be logged, which
 * the text of a plugin's own error may not: it could quote traffic.
 */
export class PluginMistake extends Error {
  override readonly name = 'PluginMistake';
}
