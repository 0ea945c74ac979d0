// A typed client of the API: one refresh of expired tokens, keys that make a retry safe, and failures as a union by `code`.

import createClient, { type Client, type Middleware } from "openapi-fetch";
import type { components, paths } from "./api.js";

export type { components, paths } from "./api.js";

type Schemas = components["schemas"];

/** The tokens of a session. */
export type Tokens = Schemas["RefreshedTokens"];

/** Why a call failed: the API's answer, or `UNREACHABLE` if none arrived. Comparing `code` narrows `details`. */
export type Failure =
  | Schemas["ErrorBody"]
  | Schemas["AuthErrorBody"]
  | { code: "UNREACHABLE"; message: string; details: Record<string, never> };

/** A failure, as `answered` throws it. */
export class ApiError extends Error {
  constructor(readonly failure: Failure, readonly response?: Response) {
    super(failure.message);
    this.name = "ApiError";
  }

  /** Seconds until the next try may pass, with `THROTTLED`. */
  get retryAfter(): number | undefined {
    const seconds = this.response?.headers.get("Retry-After");
    return seconds ? Number(seconds) : undefined;
  }
}

export interface Options {
  /** Where the API is, such as `https://api.shop.example`. */
  baseUrl: string;
  /** The tokens that were kept of an earlier visit. */
  tokens?: Tokens | null | undefined;
  /** Keeps the tokens. Called with null when the session has ended. */
  onTokens?: (tokens: Tokens | null) => void;
  /** Keeps the keys of requests that are not answered yet, such as `sessionStorage`; else they are lost with the page. */
  keys?: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  /** Milliseconds before each further try of a request that is safe to repeat. */
  waits?: readonly number[];
  /** Milliseconds for one try. */
  timeout?: number;
  fetch?: typeof fetch;
}

type Keyed = {
  [Path in keyof paths]: paths[Path] extends { post: { parameters: { header?: infer Header } } }
    ? [NonNullable<Header>] extends [never] ? never : "Idempotency-Key" extends keyof NonNullable<Header> ? Path : never
    : never;
}[keyof paths];

// The type refuses a list that differs from the document.
const KEYED: Record<Keyed, true> = {
  "/api/bookings/": true,
  "/api/staff/bookings/{id}/record-cash/": true,
  "/api/staff/bookings/{id}/refund/": true,
  "/api/staff/payments/collect/": true,
};
const KEY = "Idempotency-Key";
const UNREACHABLE: Failure = {
  code: "UNREACHABLE", message: "The shop cannot be reached at the moment. Please try again.", details: {},
};
/** The API, or a gateway before it, had a passing failure. */
const PASSING = [502, 503, 504];

/** Returns the data of an answer, or throws an `ApiError`. */
export async function answered<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let answer;
  try {
    answer = await call;
  } catch (error) {
    // `fetch` throws a TypeError where there is no network, and a DOMException at the end of a timeout.
    if (error instanceof TypeError || (error as Error).name === "TimeoutError") throw new ApiError(UNREACHABLE);
    throw error;
  }
  const { data, error, response } = answer;
  if (response.ok) return data as T;
  // A gateway's own answer has no code.
  throw new ApiError(isFailure(error) ? error : UNREACHABLE, response);
}

function isFailure(error: unknown): error is Failure {
  return typeof error === "object" && error !== null && "code" in error && "message" in error;
}

export class RepairMyBike {
  /** Every operation, typed by the document: `api.GET("/api/slots/", { params: { query: … } })`. */
  readonly api: Client<paths>;
  #tokens: Tokens | null;
  #refreshing: Promise<string | undefined> | undefined;
  readonly #options: Required<Omit<Options, "tokens">>;

  constructor(options: Options) {
    this.#tokens = options.tokens ?? null;
    this.#options = {
      onTokens: () => undefined, keys: inMemory(), waits: [300, 1_000, 3_000], timeout: 30_000, fetch: globalThis.fetch,
      ...options,
    };
    this.api = createClient<paths>({ baseUrl: options.baseUrl, fetch: (request) => this.#send(request) });
    this.api.use(this.#keeper());
  }

  /** The tokens of the present session. */
  get tokens(): Tokens | null {
    return this.#tokens;
  }

  /** Begins or, with null, ends a session on this device. Sign-ins through `api` do so by themselves. */
  keep(tokens: Tokens | null): void {
    this.#tokens = tokens;
    this.#options.onTokens(tokens);
  }

  /** Adds keys before a request; takes tokens from answers, and drops keys that are done with. */
  #keeper(): Middleware {
    const { keys } = this.#options;
    // By request, because the answer does not tell what was asked.
    const attempts = new Map<string, string>();
    return {
      onRequest: async ({ id, request, schemaPath }) => {
        if (request.method !== "POST" || !(schemaPath in KEYED) || request.headers.has(KEY)) return;
        const attempt = `${new URL(request.url).pathname} ${await digest(await request.clone().text())}`;
        const key = keys.getItem(attempt) ?? crypto.randomUUID();
        keys.setItem(attempt, key);
        attempts.set(id, attempt);
        request.headers.set(KEY, key);
      },
      onResponse: async ({ id, response, schemaPath }) => {
        const attempt = attempts.get(id);
        attempts.delete(id);
        const code = await codeOf(response);
        // Then it is open whether the request took effect, and the same request needs the same key.
        const isOpen = response.status >= 500 || code === "THROTTLED" || code === "IDEMPOTENCY_IN_PROGRESS";
        if (attempt && !isOpen) keys.removeItem(attempt);
        if (!response.ok || !schemaPath.startsWith("/api/auth/")) return;
        if (schemaPath === "/api/auth/logout/") return this.keep(null);
        const { session_token, refresh_token } = (await response.clone().json()) as Partial<Tokens>;
        if (session_token && refresh_token) this.keep({ session_token, refresh_token });
      },
      onError: ({ id }) => {
        attempts.delete(id);
      },
    };
  }

  /** Sends a request with the present session; if its token has expired, once more with a new one. */
  async #send(request: Request): Promise<Response> {
    const used = request.headers.has("Authorization") ? undefined : this.#tokens?.session_token;
    const answer = await this.#insist(withBearer(request, used));
    if (answer.status !== 401 || !used) return answer;
    const code = await codeOf(answer);
    if (code === "SESSION_REVOKED" && this.#tokens?.session_token === used) this.keep(null);
    if (code !== "TOKEN_EXPIRED" && code !== "TOKEN_INVALID") return answer;
    const fresh = await this.#fresh(used);
    return fresh ? this.#insist(withBearer(request, fresh)) : answer;
  }

  /** Returns a newer token than the one that was refused: of the refresh that another call has begun, if there is one. */
  #fresh(used: string): Promise<string | undefined> {
    const present = this.#tokens?.session_token;
    if (present !== used) return Promise.resolve(present);
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #refresh(): Promise<string | undefined> {
    const before = this.#tokens;
    if (!before) return undefined;
    const { baseUrl } = this.#options;
    const answer = await this.#insist(new Request(`${baseUrl}/api/auth/token/refresh/`, {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ refresh_token: before.refresh_token }),
    }));
    // Signed out or in meanwhile.
    if (this.#tokens !== before) return this.#tokens?.session_token;
    if (answer.ok) {
      const { session_token, refresh_token } = (await answer.json()) as Tokens;
      this.keep({ session_token, refresh_token });
      return session_token;
    }
    // The session is kept over a failure that passes.
    if (answer.status !== 400 && answer.status !== 401) throw new TypeError("the token could not be refreshed");
    this.keep(null);
    return undefined;
  }

  /** Sends a request, and again after a passing failure if that is safe. */
  async #insist(request: Request): Promise<Response> {
    const isSafe = request.method === "GET" || request.headers.has(KEY);
    const waits = isSafe ? [...this.#options.waits] : [];
    for (;;) {
      const wait = waits.shift();
      try {
        const answer = await this.#once(request.clone());
        const passes = PASSING.includes(answer.status) || (await codeOf(answer)) === "IDEMPOTENCY_IN_PROGRESS";
        if (!passes || wait === undefined) return answer;
      } catch (error) {
        if (request.signal.aborted || wait === undefined) throw error;
      }
      await new Promise((done) => setTimeout(done, wait));
    }
  }

  async #once(request: Request): Promise<Response> {
    const ended = new AbortController();
    const abort = () => ended.abort(request.signal.reason);
    request.signal.addEventListener("abort", abort);
    const timer = setTimeout(() => ended.abort(new DOMException("no answer in time", "TimeoutError")), this.#options.timeout);
    try {
      return await this.#options.fetch(new Request(request, { signal: ended.signal }));
    } finally {
      clearTimeout(timer);
      request.signal.removeEventListener("abort", abort);
    }
  }
}

function withBearer(request: Request, token: string | undefined): Request {
  const copy = request.clone();
  if (token) copy.headers.set("Authorization", `Bearer ${token}`);
  return copy;
}

async function codeOf(answer: Response): Promise<string | undefined> {
  if (answer.status < 400) return undefined;
  const body = (await answer.clone().json().catch(() => ({}))) as { code?: string };
  return body.code;
}

/** A short name of a body, so that what is kept has no personal data. */
async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(hash).slice(0, 12)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function inMemory(): Required<Options>["keys"] {
  const kept = new Map<string, string>();
  return {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => void kept.set(name, value),
    removeItem: (name) => void kept.delete(name),
  };
}
