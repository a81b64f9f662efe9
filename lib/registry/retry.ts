import { InputError, type InputErrorOptions } from "../errors/input_error.ts";

/** How often and how long something that failed is tried again. */
export interface RetryOptions {
  /** Tries in all; 5 unless given. */
  tries?: number;
  /** Waits that many milliseconds; `setTimeout` unless given. */
  sleep?: (milliseconds: number) => Promise<void>;
  /** Is called before each wait, with why and the milliseconds. */
  onWait?: ((failure: PassingError, milliseconds: number) => void) | undefined;
  /** A number from 0 to 1; `Math.random` unless given. */
  random?: () => number;
}

/** A failure that may pass: the same request can be sent again. */
export class PassingError extends InputError {
  /** Milliseconds that the registry asks to wait, where it says so. */
  readonly wait: number | undefined;

  constructor(
    message: string,
    options: InputErrorOptions & { wait?: number } = {},
  ) {
    super(message, options);
    this.wait = options.wait;
  }
}

/** Statuses that may pass: too many requests, and a server in trouble. */
export const PASSING: ReadonlySet<number> = new Set([
  408,
  425,
  429,
  500,
  502,
  503,
  504,
]);
/** Tries in all, unless options say another number. */
export const TRIES = 5;
/** The first wait in milliseconds; each one after it is twice as long. */
const FIRST = 500;
/** The longest wait in milliseconds, also where a registry asks for more. */
const LONGEST = 30_000;

/**
 * Tries something until it works or fails for good. Between tries it waits, each
 * time twice as long, by a random part of that: clients that failed together do
 * not come back together.
 *
 * @param attempt What is tried; a {@linkcode PassingError} is tried again.
 * @param options How often, and how it waits.
 * @returns What the attempt gives.
 * @throws What the last attempt throws.
 */
export async function retry<T>(
  attempt: (count: number) => Promise<T>,
  options: RetryOptions = {},
): Promise<T> {
  const { tries = TRIES } = options;
  for (let count = 1;; count++) {
    try {
      return await attempt(count);
    } catch (error) {
      if (!(error instanceof PassingError)) throw error;
      if (count >= tries) throw gaveUp(error, count);
      await pause(error, count, options);
    }
  }
}

/**
 * What is thrown when the last try has failed.
 *
 * @param failure Why.
 * @param tries How many have failed; one alone needs no words.
 */
export function gaveUp(failure: PassingError, tries: number): PassingError {
  if (tries < 2) return failure;
  return new PassingError(
    `${failure.message}; that was tried ${tries} times: try again later`,
    { cause: failure },
  );
}

/**
 * Waits before the next try.
 *
 * @param failure Why the last try failed; it may ask to wait.
 * @param count How many tries have failed.
 * @param options How it waits.
 */
export async function pause(
  failure: PassingError,
  count: number,
  { sleep = wait, random = Math.random, onWait }: RetryOptions,
): Promise<void> {
  const backoff = FIRST * 2 ** (count - 1) * (0.5 + random() / 2);
  const milliseconds = Math.min(
    Math.max(backoff, failure.wait ?? 0),
    LONGEST,
  );
  onWait?.(failure, milliseconds);
  await sleep(milliseconds);
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((go) => setTimeout(go, milliseconds));
}

/**
 * Reads the header `Retry-After`: RFC 9110, section 10.2.3.
 *
 * @param value Seconds or a date.
 * @param now Milliseconds since 1970.
 * @returns Milliseconds to wait; `undefined` if it says nothing usable.
 */
export function retryAfter(
  value: string | null,
  now: number = Date.now(),
): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  // Date.parse() takes much more than HTTP's dates, even "-1".
  const date = /^[A-Z].* GMT$/.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(date - now, 0);
}
